//! What a parent says of a zone's keys, what the zone has, and where validation fails.

use std::collections::{BTreeMap, BTreeSet};

use super::signatures::{self, Doubt, Flaw, Seal, Worth};
use crate::judge::beside::{Told, Word, asks, outward, told, told_unchecked};
use crate::judge::draft::{Context, Key};
use crate::judge::evidence::{Found, Look};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::dnssec::{Dnskey, Ds};
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, ViewId};
use crate::model::policy::Scope;
use crate::model::records::RecordData;
use crate::model::signed;

/// How the keys of a zone stand to its DS records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A DS is the digest of a key.
    Fits,
    /// There are keys, and no DS is the digest of one.
    Other,
    /// There are no keys.
    Unsigned,
    /// A DS is the digest of a key, and what is signed by it, or by the others, does not hold.
    Flawed(RecordType, Flaw),
}

impl State {
    /// True if another is the same, whatever its times.
    fn is_as(self, other: Self) -> bool {
        match (self, other) {
            (Self::Flawed(kind, flaw), Self::Flawed(other, at)) => {
                kind == other && std::mem::discriminant(&flaw) == std::mem::discriminant(&at)
            }
            _ => self == other,
        }
    }
}

/// Keys of one answer that are held against DS records: as many as are kept of one.
const KEYS: usize = 256;

/// The DS records that count, as one resolver gave them; none where the zone is not signed for those who validate.
pub(super) fn delegations<'a>(context: &Context<'a>, view: ViewId, zone: &Name) -> Vec<(Word<'a>, Vec<&'a Ds>)> {
    let set = |word: Word<'a>| {
        let reply = word.outcome.reply()?;
        let all: Vec<&Ds> = reply.records.iter().filter_map(|r| ds(&r.data)).collect();
        let counting = Ds::counting(&all);
        (!counting.is_empty()).then_some((word, counting))
    };
    told(context, view, zone, RecordType::Ds).0.into_iter().filter_map(set).collect()
}

/// The keys of a zone as each resolver gave them that was told not to validate; empty where it says that there are none, and
/// nothing where it gives too many.
pub(super) fn keys<'a>(context: &Context<'a>, view: ViewId, zone: &Name) -> Vec<(Word<'a>, Vec<&'a Dnskey>)> {
    let set = |word: Word<'a>| {
        let reply = word.outcome.reply()?;
        let keys: Vec<&Dnskey> = reply.records.iter().filter_map(|r| dnskey(&r.data)).collect();
        (keys.len() <= KEYS).then_some((word, keys))
    };
    told_unchecked(context, view, zone, RecordType::Dnskey).0.into_iter().filter_map(set).collect()
}

fn ds(data: &RecordData) -> Option<&Ds> {
    match data {
        RecordData::Ds(ds) => Some(ds),
        _ => None,
    }
}

fn dnskey(data: &RecordData) -> Option<&Dnskey> {
    match data {
        RecordData::Dnskey(key) => Some(key),
        _ => None,
    }
}

/// Holds DS records against keys.
fn state(zone: &Name, ds: &[&Ds], keys: &[&Dnskey]) -> State {
    match keys {
        [] => State::Unsigned,
        keys if ds.iter().any(|ds| keys.iter().any(|key| ds.is_of(zone, key))) => State::Fits,
        _ => State::Other,
    }
}

/// Holds DS records against the keys that a resolver gave, and against its signatures where they fit.
fn sealed<'a>(
    context: &Context<'a>,
    at: (ViewId, &Name),
    ds: &[&Ds],
    (word, keys): (&Word<'a>, &[&Dnskey]),
) -> (State, Option<Seal<'a>>) {
    match state(at.1, ds, keys) {
        State::Fits => {
            let seal = signatures::seal(context, at, ds, (word, keys));
            let state = match seal.worth {
                Worth::Flawed(kind, flaw) => State::Flawed(kind, flaw),
                Worth::Verified | Worth::Unknown(_) => State::Fits,
            };
            (state, Some(seal))
        }
        other => (other, None),
    }
}

/// What a resolver has for a zone that is signed outside.
pub(super) struct Held<'a> {
    pub(super) state: State,
    pub(super) keys: BTreeSet<&'a Dnskey>,
    pub(super) ds: Told<'a>,
    pub(super) told: Told<'a>,
    pub(super) beside: Told<'a>,
    /// Whose signatures are flawed, if it is those of names.
    pub(super) names: BTreeSet<Name>,
}

impl<'a> Held<'a> {
    fn new(state: State) -> Self {
        Self {
            state,
            keys: BTreeSet::new(),
            ds: Told::default(),
            told: Told::default(),
            beside: Told::default(),
            names: BTreeSet::new(),
        }
    }

    /// What was said, DS first.
    pub(super) fn lines(&self) -> Vec<String> {
        let named =
            |kind: &str, told: &Told| told.lines().into_iter().map(|l| format!("{kind} {l}")).collect::<Vec<_>>();
        let keys = self.told.replies().map(|(word, reply)| {
            let tags: BTreeSet<String> = reply.records.iter().filter_map(|r| dnskey(&r.data)).map(named_key).collect();
            let tags = tags.iter().map(String::as_str);
            match reply.records.is_empty() {
                true => format!("no DNSKEY from {}", word.resolver),
                false => format!("DNSKEY {} from {}", wording::list(tags), word.resolver),
            }
        });
        let keys: BTreeSet<String> = keys.collect();
        let who = || wording::list(self.told.0.iter().map(|w| w.resolver.as_str()).collect::<BTreeSet<_>>());
        let flaw = match self.state {
            State::Flawed(kind, flaw) => {
                let names: Vec<String> = self.names.iter().map(|n| n.to_string()).collect();
                let of = match names.is_empty() {
                    true => String::new(),
                    false => format!("{} ", wording::list(wording::cut(names).iter().map(String::as_str))),
                };
                Some(format!("{} from {}", flaw.line(&format!("{of}{kind}")), who()))
            }
            _ => None,
        };
        wording::cut(named("DS", &self.ds).into_iter().chain(keys).chain(flaw).collect())
    }

    pub(super) fn looks(&self) -> BTreeSet<Look> {
        self.ds.looks().chain(self.told.looks()).chain(self.beside.looks()).collect()
    }

    fn take(
        &mut self,
        ds: impl IntoIterator<Item = Word<'a>>,
        word: Word<'a>,
        keys: &[&'a Dnskey],
        seal: Option<Seal<'a>>,
    ) {
        self.ds.0.extend(ds);
        if let Some(seal) = seal {
            self.beside.0.extend(seal.words);
            self.names.extend(seal.names);
        }
        self.told.0.push(word);
        self.keys.extend(keys);
    }
}

/// A key as people speak of it: `tag 2371, algorithm 13`.
fn named_key(key: &Dnskey) -> String {
    format!("{} (algorithm {})", key.tag(), key.algorithm)
}

/// What is signed, in words.
pub(super) fn signed(zone: &Name, kind: RecordType) -> String {
    match kind {
        RecordType::Dnskey => format!("the signatures of the keys of {zone}"),
        RecordType::A | RecordType::Aaaa => format!("the signatures of names of {zone}"),
        _ => format!("the signatures of {zone}"),
    }
}

/// By whom it should be.
pub(super) fn wanted(zone: &Name, kind: RecordType) -> String {
    match kind {
        RecordType::Dnskey => format!("RRSIG of DNSKEY of {zone} by a key that its DS names, valid now"),
        _ => format!("RRSIG of {kind} of {zone} by one of its keys, valid now"),
    }
}

/// How the zone stands outside: what is wrong, first; `None` if it is not signed, or nobody knows.
pub(super) fn outside<'a>(context: &Context<'a>, view: ViewId, zone: &Name) -> Option<Held<'a>> {
    let delegations = delegations(context, view, zone);
    let mut held: Vec<Held> = Vec::new();
    for (word, keys) in keys(context, view, zone) {
        let Some((by, ds)) = delegations.iter().find(|(by, _)| by.resolver == word.resolver) else { continue };
        let (state, seal) = sealed(context, (view, zone), ds, (&word, &keys));
        match held.iter_mut().find(|h| h.state == state) {
            Some(held) => held.take([by.clone()], word, &keys, seal),
            None => {
                let mut new = Held::new(state);
                new.take([by.clone()], word, &keys, seal);
                held.push(new);
            }
        }
    }
    held.sort_by_key(|h| match h.state {
        State::Other | State::Unsigned => 0,
        State::Flawed(..) => 1,
        State::Fits => 2,
    });
    held.into_iter().next()
}

/// How an internal view stands to what the world outside is told; `None` where nothing is wrong or known.
pub(super) fn inside<'a>(context: &Context<'a>, view: ViewId, zone: &Name) -> Option<Held<'a>> {
    let outside_views = outward(context.case);
    // What does not fit outside, or is as wrong there, is told there.
    let outsides: Vec<Held> = outside_views.iter().filter_map(|v| outside(context, *v, zone)).collect();
    if outsides.is_empty() || outsides.iter().any(|h| matches!(h.state, State::Other | State::Unsigned)) {
        return None;
    }
    let delegations: Vec<(Word, Vec<&Ds>)> =
        outside_views.iter().flat_map(|v| delegations(context, *v, zone)).collect();
    let all: Vec<&Ds> = delegations.iter().flat_map(|(_, ds)| ds.iter().copied()).collect();
    let mut held: Option<Held> = None;
    for (word, keys) in keys(context, view, zone) {
        let (state, seal) = sealed(context, (view, zone), &all, (&word, &keys));
        let is_told = state == State::Fits || outsides.iter().any(|h| h.state.is_as(state));
        if !is_told && held.as_ref().is_none_or(|h| h.state == state) {
            held.get_or_insert_with(|| Held::new(state)).take([], word, &keys, seal);
        }
    }
    if let Some(held) = &mut held {
        held.ds.0 = delegations.into_iter().map(|(word, _)| word).collect();
    }
    held
}

/// Names of a zone that a view's resolver does not give because it could not validate them.
#[derive(Default)]
pub(super) struct Failure {
    /// What it does give, if it is told not to validate.
    is_proven: bool,
    pub(super) obligations: BTreeSet<usize>,
    pub(super) keys: BTreeSet<Key>,
    pub(super) looks: BTreeSet<Look>,
    pub(super) resolvers: BTreeSet<String>,
    pub(super) names: BTreeSet<String>,
}

impl Failure {
    /// Who failed.
    pub(super) fn resolvers(&self) -> String {
        wording::list(self.resolvers.iter().map(String::as_str))
    }

    /// What was said.
    pub(super) fn line(&self) -> String {
        let names = wording::cut(self.names.iter().cloned().collect());
        let names = wording::list(names.iter().map(String::as_str));
        format!("SERVFAIL for {names} from {}, and an answer without validation", self.resolvers())
    }
}

/// Every failure of validation that is known, by view and zone. Where one name of a zone is known to fail for that, the
/// others that fail do so too.
pub(super) fn failures(context: &Context) -> BTreeMap<(ViewId, Name), Failure> {
    let (case, plan) = (context.case, context.case.plan);
    let mut out: BTreeMap<(ViewId, Name), Failure> = BTreeMap::new();
    let mut zones = None;
    for item in context.items() {
        let Fault::Dns(view, resolver, DnsFault::Unresolved { word, .. } | DnsFault::Silent { word }) =
            &item.problem.fault
        else {
            continue;
        };
        let name = &plan.name(item.obligation.name).name.probe();
        let zones = zones.get_or_insert_with(|| signed::zones(plan));
        let (Some(zone), Some(server)) = (
            signed::zone_of(zones, name),
            plan.view(*view).resolvers.get(*resolver).filter(|_| word.contains("SERVFAIL")),
        ) else {
            continue;
        };
        let failure = out.entry((*view, zone.clone())).or_default();
        for kind in RecordType::ALL {
            let found = case.evidence.unchecked(&plan.view(*view).label, &server.value, name, kind);
            let Found::Fresh(looks) = found else { continue };
            let answered = looks.into_iter().filter(|l| case.evidence.dns(*l).is_some_and(|o| o.reply().is_some()));
            let before = failure.looks.len();
            failure.looks.extend(answered);
            failure.is_proven |= failure.looks.len() > before;
        }
        failure.obligations.insert(item.index);
        failure.keys.insert(Key::Dns(item.obligation.name, *view));
        failure.looks.extend(&item.problem.looks);
        failure.resolvers.insert(server.value.to_string());
        failure.names.insert(name.to_string());
    }
    out.retain(|_, failure| failure.is_proven);
    for ((view, zone), failure) in &mut out {
        failure.keys.extend(not_due(context, *view, zone));
    }
    out
}

/// Names of a zone of which nothing is due yet in the view, and which other questions are about: they fail with the rest.
fn not_due(context: &Context, view: ViewId, zone: &Name) -> Vec<Key> {
    let (case, plan) = (context.case, context.case.plan);
    let due = case.obligations.iter().enumerate().filter_map(|(i, o)| match &*o.claim {
        Claim::Resolves { view: of, .. } if *of == view && case.is_due(i) => Some(o.name),
        _ => None,
    });
    let due: BTreeSet<NameId> = due.collect();
    let is_below = |name: &Name| name == zone || name.is_under(zone.as_str());
    let names = (0..plan.names.len()).map(NameId).filter(|n| !due.contains(n) && is_below(&plan.name(*n).name));
    names.map(|name| Key::Dns(name, view)).collect()
}

/// The zones that are looked at in this run.
pub(super) fn zones(context: &Context) -> Vec<Name> {
    match context.case.policy.scope {
        Scope::All if context.case.policy.asks_beside() => signed::zones(context.case.plan),
        _ => Vec::new(),
    }
}

/// True if a view's resolvers say that the parent has no DS of a name's zone: nobody can validate what stands below it.
pub(super) fn is_unsigned(context: &Context, view: ViewId, name: &Name) -> bool {
    let zones = zones(context);
    let Some(zone) = signed::zone_of(&zones, name) else { return false };
    let told = told(context, view, zone, RecordType::Ds);
    told.is_known() && told.0.iter().all(|w| w.outcome.reply().is_some_and(|reply| reply.records.is_empty()))
}

/// Zones that are signed, and of whose keys nobody could tell whether they fit, a line for each view.
pub(in crate::judge) fn unknown(context: &Context) -> Vec<String> {
    let (plan, zones) = (context.case.plan, zones(context));
    let mut out = Vec::new();
    // A recording of an earlier release.
    let asked =
        |zone: &Name| outward(context.case).into_iter().any(|v| !told(context, v, zone, RecordType::Ds).0.is_empty());
    if !zones.is_empty() && !outward(context.case).is_empty() && !zones.iter().any(asked) {
        out.push("DNSSEC of the plan's zones (not asked for)".to_string());
    }
    for zone in zones {
        let signed: Vec<ViewId> =
            outward(context.case).into_iter().filter(|v| !delegations(context, *v, &zone).is_empty()).collect();
        let inward = signed::inward(plan).into_iter().filter(|v| asks(context.case, *v) && !signed.is_empty());
        let views: BTreeSet<ViewId> = inward.chain(signed.iter().copied()).collect();
        let silent = views.iter().filter(|v| keys(context, **v, &zone).is_empty());
        let labels: Vec<&str> = silent.map(|v| wording::view(plan, *v)).collect();
        if !labels.is_empty() {
            out.push(format!("could not tell whether the keys of {zone} fit its DS in {}", wording::list(labels)));
        }
        out.extend(unverified(context, &zone, &signed, views));
    }
    out
}

/// Where no resolver gave signatures that could be verified, and none that are known to be wrong, a line for each reason.
fn unverified(context: &Context, zone: &Name, signed: &[ViewId], views: BTreeSet<ViewId>) -> Vec<String> {
    let outside: Vec<(Word, Vec<&Ds>)> = signed.iter().flat_map(|v| delegations(context, *v, zone)).collect();
    let all: Vec<&Ds> = outside.iter().flat_map(|(_, ds)| ds.iter().copied()).collect();
    let mut by_doubt: BTreeMap<Doubt, Vec<&str>> = BTreeMap::new();
    for view in views {
        let fitting = keys(context, view, zone).into_iter().filter(|(_, keys)| state(zone, &all, keys) == State::Fits);
        let worths: Vec<Worth> =
            fitting.map(|(word, keys)| signatures::apex(context, (view, zone), &all, (&word, &keys)).worth).collect();
        // The least doubt: one that was verified, or of which something is told elsewhere.
        if let Some(Worth::Unknown(doubt)) = worths.into_iter().min() {
            by_doubt.entry(doubt).or_default().push(wording::view(context.case.plan, view));
        }
    }
    let line = |(doubt, labels): (Doubt, Vec<&str>)| {
        let why = doubt.why();
        format!("could not tell whether the signatures of {zone} verify in {} ({why})", wording::list(labels))
    };
    by_doubt.into_iter().map(line).collect()
}
