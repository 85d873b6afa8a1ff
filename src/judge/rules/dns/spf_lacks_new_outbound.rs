//! The domain's SPF record lets the old mail servers send, and not the new ones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::spf::{self, Hosts};
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward, told};
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::Severity;
use crate::model::mail_hosts::takes_mail;
use crate::model::name::Name;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{MailDomain, Plan, Target, ViewId, Wanted};
use crate::model::policy::Scope;
use crate::model::questions;
use crate::model::records::RecordData;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "spf-lacks-new-outbound",
    family: "dns",
    severity: Severity::Warning,
    summary: "a domain's SPF record lets its old mail servers send, and not the new ones",
    citation: "RFC 7208 sections 4.6 and 5",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The SPF record of a mail domain permits the address of a mail server of the phase before, and does not permit that of one
that takes its place. `ip4`, `ip6`, `a` and `mx` are followed; what stands behind an `include` or a `redirect` is not asked,
and the report says that it could not be told. Without a network the plan's own TXT record is judged.

# Why it matters

From the first message that the new server sends, receivers see a stranger who says that he is you: with `-all` and a DMARC
policy they refuse it, without one it lands among the junk. The record has a TTL of its own, so it is to be widened before
the flip, and narrowed after the old server is gone.

# Example

    expected  example.org TXT \"v=spf1 ip4:198.51.100.7 ip4:198.51.100.9 -all\"
    seen      v=spf1 ip4:198.51.100.7 -all

# Cure

Add the new addresses to the record beside the old ones, wait for its TTL, and then flip. If the new server does not send by
itself, but through a relay, waive this rule on it.

# References

RFC 7208 sections 4.6, 5.6 and 8; RFC 7489 section 6.6.2
";

/// What the record says of the addresses of two phases.
struct Verdict {
    record: String,
    /// Addresses that lack, with whose they are.
    lacking: BTreeMap<IpAddr, String>,
    /// Addresses of which nothing can be told.
    unknown: BTreeSet<IpAddr>,
    looks: BTreeSet<Look>,
}

/// One finding per mail domain and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for mail in &context.case.plan.mail {
        for view in views(context) {
            let Some(verdict) = verdict(context, mail, view) else { continue };
            let mut groups: BTreeMap<Option<usize>, Vec<(IpAddr, &str)>> = BTreeMap::new();
            for (address, label) in &verdict.lacking {
                let labels = [mail.domain.as_str(), label, wording::view(context.case.plan, view)];
                groups.entry(context.waiver_on(&INFO, &labels)).or_default().push((*address, label));
            }
            drafts.extend(groups.into_iter().map(|(waiver, all)| draft(context, mail, view, &verdict, waiver, &all)));
        }
    }
}

/// Domains of which it could not be told whether the new servers may send.
pub(in crate::judge) fn unknown(context: &Context) -> Vec<String> {
    let mut out = Vec::new();
    for mail in &context.case.plan.mail {
        for verdict in views(context).into_iter().filter_map(|view| verdict(context, mail, view)) {
            let words: Vec<String> = verdict.unknown.iter().map(IpAddr::to_string).collect();
            let listed = wording::list(words.iter().map(String::as_str));
            let line =
                format!("could not tell whether SPF of {} lets {listed} send (it refers to others)", mail.domain);
            if !words.is_empty() && !out.contains(&line) {
                out.push(line);
            }
        }
    }
    out
}

fn views(context: &Context) -> Vec<ViewId> {
    let case = context.case;
    match case.policy.scope {
        Scope::Files if case.policy.is_narrowed() => Vec::new(),
        Scope::Files => questions::outward(case.plan),
        Scope::All => outward(case),
    }
}

/// `None` where nothing changes, there is no record, or the old servers may not send either: then others do.
fn verdict(context: &Context, mail: &MailDomain, view: ViewId) -> Option<Verdict> {
    let case = context.case;
    let (from, to) = match case.policy.moment(case.plan, view) {
        Moment::Transition(from, to) | Moment::Ready(from, to) => (from, to),
        Moment::Steady(phase) => (phase.previous()?, phase),
    };
    let (old, new) = (senders(case.plan, view, from), senders(case.plan, view, to));
    if old.is_empty() || new.keys().all(|a| old.contains_key(a)) {
        return None;
    }
    let (texts, looks) = texts(context, mail, view);
    let record = spf::record(texts.iter().map(String::as_str))?.to_string();
    let hosts = Seen { context, view };
    let may = |address: &IpAddr| spf::permits(&record, mail.domain.as_str(), *address, &hosts);
    if old.keys().all(|a| may(a) == Some(false)) {
        return None;
    }
    let (mut lacking, mut unknown) = (BTreeMap::new(), BTreeSet::new());
    for (address, label) in new.into_iter().filter(|(a, _)| !old.contains_key(a)) {
        match may(&address) {
            Some(true) => {}
            Some(false) => drop(lacking.insert(address, label)),
            None => drop(unknown.insert(address)),
        }
    }
    Some(Verdict { record, lacking, unknown, looks })
}

/// The addresses of servers that speak SMTP and that names lead to.
fn senders(plan: &Plan, view: ViewId, phase: Phase) -> BTreeMap<IpAddr, String> {
    let targets: BTreeSet<Target> = plan
        .names
        .iter()
        .flat_map(|n| match n.wanted(view, phase) {
            Wanted::Targets(targets) => &targets[..],
            _ => &[],
        })
        .copied()
        .collect();
    let mail = targets.into_iter().filter(|t| takes_mail(plan, *t));
    mail.flat_map(|t| {
        let label = plan.target_label(t);
        plan.target_addresses(t, view, phase).into_iter().map(move |a| (a, label.to_string()))
    })
    .collect()
}

/// The texts of the domain: what one resolver said, or without a network what the plan says.
fn texts(context: &Context, mail: &MailDomain, view: ViewId) -> (Vec<String>, BTreeSet<Look>) {
    let plan = context.case.plan;
    if context.case.policy.scope == Scope::Files {
        let of_domain = plan.records.iter().filter(|r| r.kind == "TXT" && r.owner == mail.domain);
        let written = of_domain.filter_map(|r| r.values.get(view.0)?.as_ref()).flatten();
        let texts = written.filter_map(|text| RecordData::parse(RecordType::Txt, text));
        return (texts.filter_map(text).collect(), BTreeSet::new());
    }
    let told = told(context, view, &mail.domain, RecordType::Txt);
    // Where resolvers differ, the record that lets fewer send is told as a difference; any one counts here.
    let first = told.replies().next().map(|(_, reply)| reply.records.iter().map(|r| r.data.clone()));
    (first.into_iter().flatten().filter_map(text).collect(), told.looks().collect())
}

fn text(data: RecordData) -> Option<String> {
    match data {
        RecordData::Txt(text) => Some(text),
        _ => None,
    }
}

/// What was seen of the hosts that a record refers to.
struct Seen<'c, 'a> {
    context: &'c Context<'a>,
    view: ViewId,
}

impl Hosts for Seen<'_, '_> {
    /// Names of the plan are asked for, and the hosts of MX records.
    fn addresses(&self, host: &str) -> Option<BTreeSet<IpAddr>> {
        let host = beside::host(self.context, self.view, &Name::parse(host).ok()?);
        (host.is_absent || !host.addresses.is_empty()).then_some(host.addresses)
    }

    fn exchanges(&self, domain: &str) -> Option<BTreeSet<IpAddr>> {
        let told = told(self.context, self.view, &Name::parse(domain).ok()?, RecordType::Mx);
        let (_, reply) = told.replies().next()?;
        let hosts = reply.records.iter().filter_map(|r| r.data.host()).map(|(host, _)| self.addresses(host));
        hosts.collect::<Option<Vec<_>>>().map(|all| all.into_iter().flatten().collect())
    }
}

fn draft(
    context: &Context,
    mail: &MailDomain,
    view: ViewId,
    verdict: &Verdict,
    waiver: Option<usize>,
    lacking: &[(IpAddr, &str)],
) -> Draft {
    let plan = context.case.plan;
    let mut draft = beside::draft(context, &INFO, (mail.domain.as_str(), Some(view)), mail.span, &[]);
    draft.waiver = waiver;
    let who: Vec<String> = lacking.iter().map(|(address, label)| format!("{address} ({label})")).collect();
    let listed = wording::list(who.iter().map(String::as_str));
    draft.title = format!("SPF of {} does not let {listed} send", mail.domain);
    let add = |(address, _): &(IpAddr, &str)| format!("{}:{address}", if address.is_ipv4() { "ip4" } else { "ip6" });
    let widened = widened(&verdict.record, &lacking.iter().map(add).collect::<Vec<_>>());
    draft.expected = vec![format!("{} TXT \"{widened}\"", mail.domain)];
    draft.seen = vec![verdict.record.clone()];
    draft.hurts = vec![format!("whoever gets mail of {} from there: it is refused, or taken for junk", mail.domain)];
    let zone = super::zone_word(context.case, view);
    draft.remedy.cure = vec![
        format!("{zone}: {}. {} IN TXT \"{widened}\", in the place of the old one", mail.domain, plan.cutover.low_ttl),
        "wait for the TTL of the old record before the new servers send".into(),
        format!("if they do not send by themselves, waive {} on them", INFO.name),
    ];
    draft.looks = verdict.looks.clone();
    draft
}

/// The record with more terms, before its `all` or `redirect`.
fn widened(record: &str, terms: &[String]) -> String {
    let mut words: Vec<&str> = record.split_ascii_whitespace().collect();
    let is_last = |word: &&str| {
        let word = word.trim_start_matches(['+', '-', '~', '?']).to_ascii_lowercase();
        word == "all" || word.starts_with("redirect=")
    };
    let at = words.iter().position(is_last).unwrap_or(words.len());
    words.splice(at..at, terms.iter().map(String::as_str));
    words.join(" ")
}
