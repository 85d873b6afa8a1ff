//! What a zone's parent says of its servers, held against what these say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::judge::beside::{asks, believed};
use crate::judge::draft::Context;
use crate::judge::evidence::{Found, Look};
use crate::judge::wording;
use crate::model::delegation::{self, Below, Delegation, Heard, Way};
use crate::model::dns::{DnsOutcome, RecordType, ResolverAddr};
use crate::model::name::Name;
use crate::model::observation::{DnsProbe, Probe};
use crate::model::plan::{ViewId, Zone};
use crate::model::policy::Scope;

/// Servers up to which the addresses of all fit into an answer, so that none is missing by chance.
const ALL_FIT: usize = 13;

/// Of a server that knows the zone from others.
const NOT_ITS_OWN: &str = "an answer that is not its own (AA clear)";

/// A zone of the plan, and how far the answers led.
pub(super) struct Seen<'c, 'a> {
    pub(super) context: &'c Context<'a>,
    pub(super) zone: &'a Zone,
    pub(super) view: ViewId,
    pub(super) of: Delegation,
    pub(super) way: Way<'a>,
}

/// What the parent has of a server in the zone that is not what the zone has.
pub(super) struct Glue {
    pub(super) host: Name,
    /// What the parent gives and the zone does not.
    pub(super) stale: BTreeSet<IpAddr>,
    /// What the zone gives.
    pub(super) right: BTreeSet<IpAddr>,
}

/// A server that the parent names, and that does not have the zone.
pub(super) struct Lame {
    pub(super) hosts: BTreeSet<Name>,
    pub(super) server: ResolverAddr,
    pub(super) word: String,
}

/// A server that the parent names, that lies elsewhere, and that nobody finds.
pub(super) struct Nameless {
    pub(super) host: Name,
    /// What was said of it, and by whom.
    pub(super) word: String,
}

/// What does not fit.
#[derive(Default)]
pub(super) struct Faults<'a> {
    /// Servers that only the parent names.
    pub(super) extra: BTreeSet<&'a str>,
    /// Servers that only the zone names.
    pub(super) missing: BTreeSet<&'a str>,
    pub(super) glue: Vec<Glue>,
    pub(super) lame: Vec<Lame>,
    pub(super) nameless: Vec<Nameless>,
}

impl Faults<'_> {
    pub(super) fn is_empty(&self) -> bool {
        let Self { extra, missing, glue, lame, nameless } = self;
        extra.is_empty() && missing.is_empty() && glue.is_empty() && lame.is_empty() && nameless.is_empty()
    }
}

/// Every zone whose parent was to be asked.
pub(super) fn all<'c, 'a>(context: &'c Context<'a>) -> Vec<Seen<'c, 'a>> {
    let case = context.case;
    if case.policy.scope != Scope::All || !case.policy.asks_beside() {
        return Vec::new();
    }
    let zones = delegation::zones(case.plan, |view| asks(case, view)).into_iter();
    zones.map(|(view, zone)| Seen::of(context, view, zone)).collect()
}

/// What is not known of them, a line each.
pub(in crate::judge) fn unknown(context: &Context) -> Vec<String> {
    all(context).iter().filter_map(Seen::unknown).collect()
}

impl<'c, 'a> Seen<'c, 'a> {
    fn of(context: &'c Context<'a>, view: ViewId, zone: &'a Zone) -> Self {
        let from_here = Self::by(context, view, zone, false);
        // Nobody went this way: it may have been through a proxy.
        let through = || Some(Self::by(context, view, zone, true)).filter(Self::is_seen);
        if from_here.is_seen() { from_here } else { through().unwrap_or(from_here) }
    }

    fn by(context: &'c Context<'a>, view: ViewId, zone: &'a Zone, through: bool) -> Self {
        let mut of = Delegation::of(context.case.plan, view, zone, through);
        let trusted: Vec<&ResolverAddr> = believed(context, view).collect();
        of.resolvers.retain(|r| trusted.contains(&&**r));
        let way =
            of.walk(&|probe| looks(context, probe).into_iter().filter_map(|l| context.case.evidence.dns(l)).collect());
        Self { context, zone, view, of, way }
    }

    /// True if the parent's servers were asked.
    fn is_seen(&self) -> bool {
        self.way.above.iter().any(|heard| !heard.outcomes.is_empty())
    }

    /// The zone above, as far as it is known.
    pub(super) fn parent(&self) -> String {
        self.way.parent.as_ref().map_or_else(|| format!("the zone above {}", self.zone.apex), Name::to_string)
    }

    /// The observations of a question.
    pub(super) fn looks(&self, heard: &Heard) -> Vec<Look> {
        looks(self.context, &heard.probe)
    }

    /// Nothing is said where somebody may answer in the place of others.
    fn is_intercepted(&self) -> bool {
        self.context.suspicion.resolvers.iter().any(|(view, _)| *view == self.view)
    }

    /// What does not fit, of what is known.
    pub(super) fn faults(&self) -> Faults<'a> {
        let named = self.way.named(&self.zone.apex);
        if named.is_empty() || self.is_intercepted() {
            return Faults::default();
        }
        let by_parent: BTreeSet<&str> = named.keys().copied().collect();
        let sets: Vec<BTreeSet<&str>> = self.way.having().filter_map(Below::servers).collect();
        let by_zone: BTreeSet<&str> = sets.iter().flatten().copied().collect();
        let mut faults = Faults { lame: self.lame(), nameless: self.nameless(), ..Faults::default() };
        // Where the zone's servers differ, one of them is behind: that is another matter.
        if !sets.is_empty() && !sets.contains(&by_parent) {
            faults.extra = by_parent.difference(&by_zone).copied().collect();
            faults.missing = by_zone.difference(&by_parent).copied().collect();
        }
        let gone: BTreeSet<&str> = faults.extra.clone();
        faults.glue = named
            .into_iter()
            .filter(|(h, _)| !gone.contains(h))
            .filter_map(|(h, g)| self.glue(h, &g, by_parent.len()))
            .collect();
        faults
    }

    fn lame(&self) -> Vec<Lame> {
        let is_word = |o: &&&DnsOutcome| {
            !matches!(
                o,
                DnsOutcome::Timeout | DnsOutcome::Unreachable(_) | DnsOutcome::GivenUp | DnsOutcome::Malformed(_)
            )
        };
        let of = |below: &Below| {
            let word = below.heard.outcomes.iter().find(is_word)?;
            let word = match word {
                DnsOutcome::Answer(_) => NOT_ITS_OWN.to_string(),
                other => other.to_string(),
            };
            Some(Lame { hosts: below.hosts.clone(), server: (*below.heard.probe.resolver).clone(), word })
        };
        let delegated = self.way.below.iter().filter(|b| !b.hosts.is_empty() && b.servers().is_none());
        let all: Vec<Lame> = delegated.filter_map(of).collect();
        // Where every server answers out of a cache, it is somebody in the way who does.
        let is_foreign = self.is_dead() && all.iter().all(|l| l.word == NOT_ITS_OWN);
        if is_foreign { Vec::new() } else { all }
    }

    /// The servers elsewhere that surely have no address.
    fn nameless(&self) -> Vec<Nameless> {
        let hosts: BTreeSet<&Name> = self.way.elsewhere.iter().map(|h| &h.probe.name).collect();
        hosts.into_iter().filter_map(|host| self.without_address(host)).collect()
    }

    fn without_address(&self, host: &Name) -> Option<Nameless> {
        let heard: Vec<&Heard> = self.way.elsewhere.iter().filter(|h| h.probe.name == *host).collect();
        let has_some = |o: &&DnsOutcome| o.reply().is_some_and(|r| !r.addresses.is_empty());
        let is_negative = |o: &&DnsOutcome| matches!(o, DnsOutcome::NoData(_) | DnsOutcome::NxDomain(_));
        let is_gone = heard.iter().all(|h| h.outcomes.iter().any(is_negative));
        if !is_gone || heard.iter().flat_map(|h| &h.outcomes).any(has_some) {
            return None;
        }
        let words: BTreeSet<String> =
            heard.iter().flat_map(|h| &h.outcomes).filter(|o| is_negative(o)).map(|o| o.to_string()).collect();
        let who = heard.first().map(|h| h.probe.resolver.to_string()).unwrap_or_default();
        let words = wording::list(words.iter().map(String::as_str));
        Some(Nameless { host: host.clone(), word: format!("{words} for {host} from {who}") })
    }

    /// The addresses of a server as the zone itself has them; `None` where nobody knows.
    pub(super) fn addresses(&self, host: &Name) -> Option<BTreeSet<IpAddr>> {
        let of_host = || self.way.hosts.iter().filter(|h| h.probe.name == *host);
        let known = |kind: RecordType| of_host().any(|h| h.probe.kind == kind && h.authoritative().is_some());
        let replies = of_host().filter_map(Heard::authoritative);
        let all = replies.flat_map(|r| r.addresses.iter().map(|a| a.address)).collect();
        RecordType::ALL.into_iter().all(known).then_some(all)
    }

    fn glue(&self, host: &str, given: &BTreeSet<IpAddr>, servers: usize) -> Option<Glue> {
        let host = Name::parse_owner(host).ok().filter(|h| self.of.is_in_zone(h))?;
        let right = self.addresses(&host)?;
        let stale: BTreeSet<IpAddr> = given.difference(&right).copied().collect();
        let lacks_all = given.is_empty() && servers <= ALL_FIT && !right.is_empty();
        (lacks_all || !stale.is_empty()).then_some(Glue { host, stale, right })
    }

    /// True if none of the servers to which the parent leads is seen to have the zone.
    pub(super) fn is_dead(&self) -> bool {
        let mut delegated = self.way.below.iter().filter(|b| !b.hosts.is_empty()).peekable();
        // Where no address is known, nobody must have one.
        match delegated.peek() {
            Some(_) => delegated.all(|b| b.servers().is_none()),
            None => self.nameless().len() == self.way.named(&self.zone.apex).len(),
        }
    }

    fn unknown(&self) -> Option<String> {
        let (zone, parent) = (&self.zone.apex, self.parent());
        if self.is_intercepted() {
            return Some(format!(
                "could not tell what {parent} says of the servers of {zone} (answers look intercepted)"
            ));
        }
        let above = &self.way.above;
        if self.way.named(zone).is_empty() {
            // Whoever has both zones answers out of the lower one, and nobody meets the delegation there.
            if above.iter().any(|h| h.authoritative().is_some()) {
                return None;
            }
            let view = wording::view(self.context.case.plan, self.view);
            let words: BTreeSet<String> = above.iter().flat_map(|h| &h.outcomes).map(|o| o.to_string()).collect();
            let why = match words.is_empty() {
                true => format!("not asked; seen from {view} only"),
                false => wording::list(words.iter().map(String::as_str)),
            };
            return Some(format!("could not tell what {parent} says of the servers of {zone} ({why})"));
        }
        let mut answering: BTreeMap<&Name, bool> = BTreeMap::new();
        for below in &self.way.below {
            let spoke =
                below.servers().is_some() || self.lame().iter().any(|l| l.server == *below.heard.probe.resolver);
            below.hosts.iter().for_each(|host| *answering.entry(host).or_default() |= spoke);
        }
        let named = self.way.named(zone);
        answering.extend(
            self.way
                .elsewhere
                .iter()
                .map(|h| &h.probe.name)
                .filter(|h| self.without_address(h).is_some())
                .map(|h| (h, true)),
        );
        let silent = named.keys().filter(|h| !answering.iter().any(|(name, spoke)| *spoke && name.as_str() == **h));
        let silent: Vec<&str> = silent.copied().collect();
        let what = wording::list(silent.iter().copied());
        (!silent.is_empty()).then(|| format!("could not tell whether {what} serves {zone} as {parent} says"))
    }
}

fn looks(context: &Context, probe: &DnsProbe) -> Vec<Look> {
    match context.case.evidence.find(&Probe::Dns(probe.clone()), |_| true) {
        Found::Fresh(looks) => looks.into_iter().collect(),
        _ => Vec::new(),
    }
}
