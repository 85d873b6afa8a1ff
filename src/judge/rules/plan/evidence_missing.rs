//! Something due could not be told.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::super::served::astray_keys;
use crate::judge::RuleInfo;
use crate::judge::assess::hear;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::evidence::Outdated;
use crate::judge::problem::{CertificateFault, Culprit, DnsFault, EndpointFault, Fault};
use crate::judge::truth::Truth;
use crate::judge::wording::{self, Unseen};
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, TrustSource, ViewId};
use crate::model::policy::{Policy, Scope};
use crate::model::proxy::ProxyFault;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "evidence-missing",
    family: "plan",
    severity: Severity::Warning,
    summary: "something that is due could not be told, for nobody looked, or nobody answered",
    citation: "RFC 8020; RFC 2308 section 7 (server failure is no absence)",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

Something that must hold was not seen: no run stood in the view, a resolver was silent or refused, a server could not be
asked in a way that this release speaks, what is known is too old or from after the time that is judged, a certificate's
file cannot be read; or nothing at all is due, so that nothing was told.

# Why it matters

No evidence is never a pass. The run ends as incomplete (exit status 3), unless something else failed.

# Example

    ?2 evidence-missing   3 external paths to 203.0.113.10
       next      on a phone hotspot:
                 coexist check plan.toml --from external --record out.jsonl
                 coexist judge plan.toml in.jsonl out.jsonl

# Cure

Type the next command that the finding prints, and judge its recording together with this run's. To ask for less, say
--view internal; the report then says \"partial\". A waiver of this rule hides the finding, but it makes nothing pass.

# References

RFC 2308 section 7; RFC 8020
";

/// What is to be looked at together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    /// A declared certificate is not known: why.
    Certificate(CertId, String),
    /// A resolver was silent.
    Resolver(ViewId, usize),
    /// No resolver of a view said anything.
    View(ViewId),
    /// Resolvers of a view were not asked, or at a time that does not count.
    NotAsked(ViewId, Option<Outdated>),
    /// What another's host resolves to.
    Like(ViewId, String),
    /// A view's paths were not seen.
    Paths(ViewId),
    /// A server was not asked, or at a time that does not count.
    Unseen(Culprit, Option<ViewId>, Option<Outdated>),
    /// A server answered in a way that is no word about its certificate, or not the whole one: why.
    CouldNotLook(Culprit, Unseen),
    /// A proxy did not lead there: which, and what became of it.
    Proxy(Unseen),
    /// A view's trust anchors.
    Anchors(ViewId),
}

/// One finding per thing to look at.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    drafts.extend(nothing_due(context));
    let silent = silent_views(context);
    let mut told = BTreeSet::new();
    let groups = context.group(&INFO, |item| gap(context.case, item, &silent));
    for ((gap, waiver), items) in groups {
        // Where others answered, only a silent resolver is worth a word.
        let open: Vec<Item> =
            items.iter().filter(|i| context.assessed[i.index].truth != Truth::Pass).copied().collect();
        if open.is_empty() && !matches!(gap, Gap::Resolver(..)) {
            continue;
        }
        if let Gap::Anchors(view) = &gap {
            told.insert(*view);
        }
        drafts.push(draft(context, &gap, waiver, &items, &open));
    }
    drafts.extend(unread_trust(context, &told));
}

/// Nothing is due: what was asked for is less than the plan holds, or the plan holds nothing for this moment.
fn nothing_due(context: &Context) -> Option<Draft> {
    let case = context.case;
    if case.policy.scope == Scope::Files || (0..case.obligations.len()).any(|i| case.is_due(i)) {
        return None;
    }
    let whole = Policy { views: None, only: Vec::new(), ..case.policy.clone() };
    let narrowed = case.obligations.iter().any(|o| whole.asks_for(case.plan, o)) && case.policy.is_narrowed();
    let why = match narrowed {
        true => "--only and --view together leave nothing",
        false => "the plan demands nothing at this moment",
    };
    let mut draft = Draft::plain(&INFO, format!("nothing is due: {why}"));
    draft.open_question = true;
    draft.waiver = context.waiver(INFO.name, &BTreeSet::new());
    draft.hurts = vec!["whoever takes this run for a pass: it told nothing".into()];
    draft.remedy.next = vec![match narrowed {
        true => "ask for more: leave out --only, or --view".into(),
        false => "say in the plan what a name leads to in this phase, or ask about another one".into(),
    }];
    Some(draft)
}

/// Every open fault has its gap; interception has rules of its own.
fn gap(case: &Case, item: &Item, silent: &BTreeSet<ViewId>) -> Option<Gap> {
    use {CertificateFault as C, DnsFault as D, EndpointFault as E};
    match &item.problem.fault {
        Fault::Certificate(c, C::Unknown(why)) => Some(Gap::Certificate(*c, why.clone())),
        Fault::Certificate(..) => None,
        Fault::Endpoint(spot, fault) => match fault {
            E::CouldNotLook | E::Unfinished { .. } | E::FewSamples { .. } | E::BelowFloor { unseen: true, .. } => {
                wording::unseen(case, item).map(|why| match why {
                    Unseen::Proxy(..) => Gap::Proxy(why),
                    why => Gap::CouldNotLook(spot.culprit, why),
                })
            }
            E::Unseen => Some(Gap::Unseen(spot.culprit, spot.view, None)),
            E::Stale(why) => Some(Gap::Unseen(spot.culprit, spot.view, Some(*why))),
            E::NotStanding => spot.view.map(Gap::Paths),
            E::NoAnchors { view } => Some(Gap::Anchors(*view)),
            E::Intercepted { .. } => None,
            E::NoTls | E::Injected | E::WrongName { .. } | E::WrongLeaf { .. } | E::WrongKey { .. } => None,
            E::Unreadable { .. } | E::OutOfDate { .. } | E::Untrusted { .. } => None,
            E::BelowFloor { .. } | E::OldSuites { .. } | E::NoFace { .. } => None,
        },
        Fault::Dns(view, resolver, fault) => match fault {
            D::Silent { .. } if silent.contains(view) => Some(Gap::View(*view)),
            D::Silent { .. } => Some(Gap::Resolver(*view, *resolver)),
            D::NotAsked => Some(Gap::NotAsked(*view, None)),
            D::Stale(why) => Some(Gap::NotAsked(*view, Some(*why))),
            D::LikeUnknown { host } => Some(Gap::Like(*view, host.to_string())),
            D::Intercepted => None,
            D::Unresolved { .. } | D::Unexpected { .. } | D::Unwanted { .. } => None,
            D::NoAlias { .. } | D::TtlTooHigh { .. } => None,
        },
    }
}

/// Views of which no resolver said anything about any name that is due.
fn silent_views(context: &Context) -> BTreeSet<ViewId> {
    let case = context.case;
    let mut out = BTreeSet::new();
    for (view, answered) in answered(context) {
        if !answered && case.plan.view(view).resolvers.len() > 1 {
            out.insert(view);
        }
    }
    out
}

fn answered(context: &Context) -> Vec<(ViewId, bool)> {
    let case = context.case;
    let mut out: Vec<(ViewId, bool)> = case.plan.view_ids().map(|v| (v, false)).collect();
    for (index, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        let (name, Claim::Resolves { view, .. }) = (obligation.name, &*obligation.claim) else { continue };
        if out[view.0].1 || context.assessed[index].truth == Truth::Pass {
            out[view.0].1 = true;
            continue;
        }
        let name = case.plan.name(name).name.probe();
        let mut resolvers = 0..case.plan.view(*view).resolvers.len();
        out[view.0].1 =
            resolvers.any(|r| hear(case, &name, *view, r).outcomes.iter().any(|(_, _, o)| o.reply().is_some()));
    }
    out
}

fn draft(context: &Context, gap: &Gap, waiver: Option<usize>, items: &[Item], open: &[Item]) -> Draft {
    let concerned = if open.is_empty() { items } else { open };
    let mut draft = Draft::of(context, &INFO, concerned, waiver);
    // Beside a pass a silent resolver is a warning; it leaves nothing open.
    draft.open_question = !open.is_empty();
    draft.obligations = open.iter().map(|i| i.index).collect();
    draft.at = None;
    words::words(context, gap, concerned, &mut draft);
    if fails(concerned) {
        draft.keys = super::super::dns::keys(concerned);
    }
    draft.keys.extend(too_small(concerned));
    if is_about_an_address(gap) {
        draft.keys.extend(astray_keys(concerned));
    }
    if draft.open_question {
        draft.hurts = vec![
            wording::count(draft.obligations.len(), "thing that is due is", "things that are due are")
                + " not known to hold",
        ];
    }
    draft
}

/// True if the address itself may be why nothing is known: nobody needs to look where DNS should not lead, and whoever
/// stands there may say what he likes. Where the way is broken as such, be it this machine's or a proxy's that leads
/// nowhere, an address explains nothing.
fn is_about_an_address(gap: &Gap) -> bool {
    use ProxyFault as P;
    match gap {
        Gap::Unseen(..) => true,
        Gap::Proxy(Unseen::Proxy(_, fault)) => matches!(fault, P::NoWord | P::NotAllowed(_) | P::Failed(_)),
        Gap::CouldNotLook(_, why) => !matches!(why, Unseen::Here(_) | Unseen::NotRecorded | Unseen::FewSamples(..)),
        _ => false,
    }
}

/// The leaf whose key is too small to prove anything, if that is why nothing is known.
fn too_small(items: &[Item]) -> Option<Key> {
    let small = |item: &Item| match &item.problem.fault {
        Fault::Endpoint(_, EndpointFault::Unfinished { leaf, why }) if why.starts_with("the key is too small") => {
            Some(*leaf)
        }
        _ => None,
    };
    let leaf = small(items.first()?)?;
    items.iter().all(|i| small(i) == Some(leaf)).then_some(Key::Unfinished(leaf))
}

/// Trust sources that are not wholly known, where nothing that is due hangs on them: what they lack will be missed by
/// the next certificate. One finding for all views that lack the same.
fn unread_trust(context: &Context, told: &BTreeSet<ViewId>) -> Vec<Draft> {
    let case = context.case;
    let asked = |v: &ViewId| case.policy.views.as_ref().is_none_or(|views| views.contains(v));
    let mut by_errors: BTreeMap<&[String], Vec<ViewId>> = BTreeMap::new();
    for view in case.plan.view_ids().filter(|v| asked(v) && !told.contains(v)) {
        match case.certificates.trust_errors(view) {
            [] => {}
            errors => by_errors.entry(errors).or_default().push(view),
        }
    }
    let draft = |(errors, views): (&&[String], &Vec<ViewId>)| {
        let mut draft = Draft::plain(&INFO, String::new());
        anchors(context, views, &mut draft);
        let labels = views.iter().map(|v| wording::view(case.plan, *v).to_string()).collect();
        draft.waiver = context.waiver(INFO.name, &labels);
        // One bad entry in a machine's store is none of the plan's; a file is.
        let sources = views.iter().flat_map(|v| &case.plan.view(*v).trust);
        draft.open_question = sources.into_iter().any(|source| match &source.value {
            TrustSource::File(path) => errors.iter().any(|e| e.starts_with(&format!("{path}: "))),
            TrustSource::Public | TrustSource::System => false,
        });
        draft
    };
    by_errors.iter().map(draft).collect()
}

fn anchors(context: &Context, views: &[ViewId], draft: &mut Draft) {
    let plan = context.case.plan;
    let label = wording::view_list(plan, views.iter().copied());
    let errors = views.first().map_or(&[][..], |v| context.case.certificates.trust_errors(*v));
    draft.title = match errors.is_empty() {
        true => format!("the trust anchors of {label} are not known"),
        false => format!("the trust anchors of {label} are not all known"),
    };
    draft.seen = wording::cut(errors.to_vec());
    if let [view] = views {
        draft.subject.view = Some(wording::view(plan, *view).to_string());
    }
    draft.at = views.first().map(|v| plan.view(*v).span);
    draft.remedy.next = vec![
        format!("see that each source in `trust` of {label} can be read whole, then:"),
        wording::again(context.case),
    ];
}

/// True if all that was said is a failure, or that there is nothing: whoever says so of a name tells no TTL either.
fn fails(items: &[Item]) -> bool {
    let nothing = |w: &str| matches!(w, "SERVFAIL" | "NODATA" | "NXDOMAIN");
    let fails = |i: &Item| match &i.problem.fault {
        Fault::Dns(_, _, DnsFault::Silent { word }) => word.split(", ").all(nothing),
        _ => false,
    };
    !items.is_empty() && items.iter().all(fails)
}
