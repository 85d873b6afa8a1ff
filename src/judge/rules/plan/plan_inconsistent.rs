//! The plan says things that do not fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{LATER, all, is_known};
use super::legacy_versions;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item};
use crate::judge::problem::{CertificateFault, Fault};
use crate::judge::waive;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::phase::Phase;
use crate::model::plan::{Autodiscover, CertId, Members, Plan, PlannedName, Server, ServerId, Table, Target, Wanted};
use crate::model::source::Span;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "plan-inconsistent",
    family: "plan",
    severity: Severity::Error,
    summary: "the plan can be read, but things in it do not fit together",
    citation: "Microsoft, Transitioning Client Access to Exchange Server 2010; Autodiscover service in Exchange Server",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan can be read, and something in it cannot be right: the versions need a legacy name and there is none, or need none
and there is one; a mail domain has no autodiscover name; a pool or a name has nothing behind it; a certificate file is not
the certificate of the declared thumbprint; a waiver or a severity names no rule; phases overlap.

# Why it matters

What the plan forgets is not looked at. The cutover passes every check and fails for the users who needed the forgotten
name.

# Example

    [servers.ex2010]
    product = \"exchange-2010\"
    [servers.ex2003-fe]
    product = \"exchange-2003\"
    # no [legacy] table: users whose mailbox is on 2003 have no name to be sent to

# Cure

Write the missing entry, or take the superfluous one out. The finding names it.

# References

https://techcommunity.microsoft.com/blog/exchange/transitioning-client-access-to-exchange-server-2010;
https://learn.microsoft.com/exchange/architecture/client-access/autodiscover
";

/// A fault of the plan: where, how much it weighs, what it is, what to do.
struct Flaw {
    span: Span,
    severity: Severity,
    title: String,
    hurts: &'static str,
    cure: String,
    labels: BTreeSet<String>,
}

/// One finding per flaw.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let mut flaws = Vec::new();
    flaws.extend(legacy(plan));
    flaws.extend(autodiscover(plan));
    flaws.extend(empty_pools(plan));
    flaws.extend(names_without_service(plan));
    flaws.extend(unknown_rules(plan));
    flaws.extend(ambiguous_waivers(plan));
    flaws.extend(overlapping_phases(plan));
    drafts.extend(flaws.into_iter().map(|flaw| draft(context, flaw)));
    drafts.extend(thumbprints(context));
}

fn draft(context: &Context, flaw: Flaw) -> Draft {
    let mut draft = Draft::plain(&INFO, flaw.title);
    draft.severity = flaw.severity;
    draft.at = Some(flaw.span);
    draft.hurts = vec![flaw.hurts.to_string()];
    draft.remedy.cure = vec![flaw.cure];
    draft.waiver = context.waiver(INFO.name, &flaw.labels);
    draft
}

/// 2003 and 2007 beside 2010, and 2007 beside 2013, need a legacy name; later versions proxy.
fn legacy(plan: &Plan) -> Vec<Flaw> {
    let table: Vec<_> = plan.names.iter().filter(|n| n.table == Table::Legacy).collect();
    match (legacy_versions::needed(plan), table.first()) {
        (Some((old, new)), None) => vec![Flaw {
            span: plan
                .servers
                .iter()
                .find(|s| s.product.as_ref().is_some_and(|p| p.value.starts_with(old)))
                .map_or(Span::default(), |s| s.span),
            severity: Severity::Error,
            title: format!("{old} beside {new} needs a legacy name, and [legacy] has none"),
            hurts: "users whose mailbox has not moved: the new server has no name to send them to",
            cure: "add to [legacy]: \"legacy.DOMAIN\" = the old front end, and the name to both certificates".into(),
            labels: BTreeSet::new(),
        }],
        (None, Some(first)) if legacy_versions::is_superfluous(plan) => vec![Flaw {
            span: first.span,
            severity: Severity::Warning,
            title: format!("{} is not needed: these versions proxy to the old servers", first.name),
            hurts: "nobody; it is one more name to certify and to retire",
            cure: "take it out of [legacy], unless users are sent there for another reason".into(),
            labels: BTreeSet::from([first.name.to_string()]),
        }],
        _ => Vec::new(),
    }
}

/// Outlook asks autodiscover.DOMAIN for every mail domain.
fn autodiscover(plan: &Plan) -> Vec<Flaw> {
    let mut domains: BTreeMap<String, Span> = BTreeMap::new();
    let said: BTreeSet<&str> = plan.mail.iter().map(|m| m.domain.as_str()).collect();
    // Other mail servers' clients do without.
    let exchange = plan.servers.iter().any(is_modern);
    for mail in plan.mail.iter().filter(|m| exchange && m.autodiscover == Autodiscover::Unsaid) {
        domains.insert(mail.domain.to_string(), mail.span);
    }
    // From 2007 on; only names that an Exchange serves tell a mail domain.
    for name in plan.names.iter().filter(|n| n.table == Table::Internet && is_on_exchange(plan, n)) {
        if let Some(domain) = psl::domain_str(name.name.as_str()).filter(|d| !said.contains(d)) {
            domains.entry(domain.to_string()).or_insert(name.span);
        }
    }
    let declared = |name: &str| plan.names.iter().any(|n| n.name.as_str() == name);
    // A host's domain need not be the mail domain: one below it will do.
    let below = |d: &str| plan.names.iter().any(|n| n.name.as_str().starts_with("autodiscover.") && n.name.is_under(d));
    domains.retain(|d, _| !below(d));
    let missing = domains.into_iter().map(|(d, span)| (format!("autodiscover.{d}"), span));
    let mut flaws: Vec<Flaw> =
        missing.filter(|(n, _)| !declared(n)).map(|(name, span)| no_autodiscover(&name, span)).collect();
    for mail in &plan.mail {
        if let Autodiscover::Name(name) = &mail.autodiscover
            && !declared(name.value.as_str())
        {
            flaws.push(no_autodiscover(name.value.as_str(), name.span));
        }
    }
    flaws
}

fn no_autodiscover(name: &str, span: Span) -> Flaw {
    Flaw {
        span,
        severity: Severity::Error,
        title: format!("the plan has no {name}"),
        hurts: "Outlook and phones: they find neither their settings nor the moved mailbox",
        cure: format!("add to [internet]: \"{name}\"; or say autodiscover = \"srv\" or false in [mail]"),
        labels: BTreeSet::from([name.to_string()]),
    }
}

fn is_on_exchange(plan: &Plan, name: &PlannedName) -> bool {
    let of = |target: &Target| match target {
        Target::Server(id) => is_modern(plan.server(*id)),
        Target::Pool(id) => {
            Phase::ALL.iter().any(|p| plan.pool(*id).servers(*p).iter().any(|m| is_modern(plan.server(*m))))
        }
    };
    let wanted = name.wanted.iter().flatten();
    wanted.into_iter().any(|w| matches!(&w.value, Wanted::Targets(targets) if targets.iter().any(of)))
}

/// An Exchange from 2007 on: 2003 has no autodiscover.
fn is_modern(server: &Server) -> bool {
    server.is_exchange() && server.product.as_ref().is_some_and(|p| !p.value.starts_with("exchange-2003"))
}

fn empty_pools(plan: &Plan) -> Vec<Flaw> {
    let empty =
        |p: &&crate::model::plan::Pool| p.members.iter().all(|m| matches!(m, Members::Servers(s) if s.is_empty()));
    let flaw = |p: &crate::model::plan::Pool| Flaw {
        span: p.span,
        severity: Severity::Error,
        title: format!("the pool {} has no members", p.label),
        hurts: "nobody is looked at behind it",
        cure: "name its servers in members, or say members = \"opaque\"".into(),
        labels: BTreeSet::from([p.label.to_string()]),
    };
    plan.pools.iter().filter(empty).map(flaw).collect()
}

/// A name that narrows its services to some that no target of it has.
fn names_without_service(plan: &Plan) -> Vec<Flaw> {
    let mut out = Vec::new();
    let asks = |n: &&PlannedName| {
        let asked = n.services.as_ref().is_some_and(|s| !s.is_empty());
        asked && n.table != Table::Legacy && !n.name.as_str().starts_with("autodiscover.")
    };
    for name in plan.names.iter().filter(asks) {
        let wanted = name.wanted.iter().flatten().filter_map(|w| match &w.value {
            Wanted::Targets(targets) => Some(&targets[..]),
            _ => None,
        });
        let servers: BTreeSet<_> = wanted.flatten().flat_map(|t| servers(plan, *t)).collect();
        let is_bare = |s: &ServerId| plan.server(*s).services.is_empty() && plan.server(*s).host.is_none();
        if !servers.is_empty() && servers.iter().all(is_bare) {
            out.push(Flaw {
                span: name.span,
                severity: Severity::Error,
                title: format!("{} wants services, and no server behind it has any", name.name),
                hurts: "nothing of it is looked at beyond DNS",
                cure: "give its server these services, or take services from the name".into(),
                labels: BTreeSet::from([name.name.to_string()]),
            });
        }
    }
    out
}

fn servers(plan: &Plan, target: Target) -> Vec<ServerId> {
    match target {
        Target::Server(id) => vec![id],
        Target::Pool(id) => Phase::ALL.iter().flat_map(|p| plan.pool(id).servers(*p).iter().copied()).collect(),
    }
}

/// A waiver names one thing; where `on` could mean several, it accepts nothing.
fn ambiguous_waivers(plan: &Plan) -> Vec<Flaw> {
    let flaw = |w: &crate::model::plan::Waiver| {
        let meanings = waive::meanings(plan, w);
        let on = w.on.as_ref().filter(|_| meanings.len() > 1)?;
        Some(Flaw {
            span: on.span,
            severity: Severity::Error,
            title: format!("`on = \"{}\"` could be {}", on.value, meanings.join(" or ")),
            hurts: "nothing is accepted by this waiver, as nobody can tell what it means",
            cure: "give these things labels of their own".into(),
            labels: BTreeSet::new(),
        })
    };
    plan.waivers.iter().filter_map(flaw).collect()
}

/// A waiver or a severity of a rule that does not exist does nothing.
fn unknown_rules(plan: &Plan) -> Vec<Flaw> {
    let waivers = plan.waivers.iter().map(|w| (w.rule.value.as_str(), w.rule.span));
    let severities = plan.severity.iter().map(|(rule, s)| (rule.as_str(), s.span));
    let unknown = waivers.chain(severities).filter(|(rule, _)| !is_known(rule) && !LATER.contains(rule));
    let flaw = |(rule, span): (&str, Span)| Flaw {
        span,
        severity: Severity::Error,
        title: format!("there is no rule {rule}"),
        hurts: "nothing is accepted or changed by it",
        cure: match nearest(rule) {
            Some(near) => format!("did you mean {near}?"),
            None => "coexist explain lists the rules".into(),
        },
        labels: BTreeSet::new(),
    };
    unknown.map(flaw).collect()
}

fn nearest(rule: &str) -> Option<&'static str> {
    let names = all().map(|r| r.info.name).chain(LATER.iter().copied());
    let near = names.map(|n| (strsim::damerau_levenshtein(n, rule), n)).min()?;
    (near.0 * 3 <= rule.len().max(3)).then_some(near.1)
}

/// Phases follow each other.
fn overlapping_phases(plan: &Plan) -> Vec<Flaw> {
    let dates: Vec<_> = plan.phases.iter().collect();
    let mut out = Vec::new();
    for (phase, d) in &dates {
        if let (Some(from), Some(until)) = (d.from, d.until)
            && until <= from
        {
            out.push(overlap(format!("the phase {phase} ends before it begins"), d.span));
        }
    }
    for pair in dates.windows(2) {
        let [(first, a), (second, b)] = pair else { continue };
        let ends = a.until.or(a.from);
        if let (Some(end), Some(begin)) = (ends, b.from)
            && begin < end
        {
            out.push(overlap(format!("the phase {second} begins before {first} ends"), b.span));
        }
    }
    out
}

fn overlap(title: String, span: Span) -> Flaw {
    Flaw {
        span,
        severity: Severity::Error,
        title,
        hurts: "what must outlive a phase cannot be told",
        cure: "correct the dates in [phases]".into(),
        labels: BTreeSet::new(),
    }
}

/// A file that is not the certificate of the thumbprint beside it.
fn thumbprints(context: &Context) -> Vec<Draft> {
    let key = |item: &Item| match &item.problem.fault {
        Fault::Certificate(c, CertificateFault::OtherThumbprint { leaf }) => Some((*c, *leaf)),
        _ => None,
    };
    let groups = context.group(&INFO, key);
    let one = |((certificate, leaf), waiver, items): ((CertId, _), Option<usize>, Vec<Item>)| {
        let plan = context.case.plan;
        let declared = plan.certificate(certificate);
        let mut draft = Draft::of(context, &INFO, &items, waiver);
        draft.title = format!("the file of certificate \"{}\" has another thumbprint than the plan", declared.label);
        draft.subject.certificate = Some(declared.label.to_string());
        draft.expected = declared.thumbprint.iter().map(|t| t.value.to_string()).collect();
        draft.seen = vec![wording::leaf(context.case, leaf)];
        draft.hurts = vec!["whoever relies on the plan: file and thumbprint are two certificates".into()];
        draft.remedy.cure = vec!["correct the thumbprint, or export the file again".into()];
        draft.at = declared.thumbprint.as_ref().map(|t| t.span).or(draft.at);
        draft
    };
    groups.into_iter().map(|((group, waiver), items)| one((group, waiver, items))).collect()
}
