//! The certificate that is to take another's place lacks names that users may use.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::lacking;
use super::replaced::{self, Dropped, Replacement};
use super::san_near_miss;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft, Key, Whose};
use crate::judge::issuance::{self, Uncertifiable};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{CertificateSource, NameId, Target};
use crate::model::probes;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "replacement-drops-name",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate's successor lacks a name that is covered today",
    citation: "exchangeserverpro.com, Export an Exchange Server 2010 certificate to Exchange 2003; RFC 9525 section 6",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A server serves a certificate today, or the plan declares one for the earlier phase, and the one that is declared to take
its place lacks a name that it has: planned or not. Names that the plan retires by then are left out, names that it leads
elsewhere in both phases or gives a certificate of their own, and what a server called itself on a certificate that it
made at its installation. A wildcard that is dropped is an error, too; a warning only, if the plan has names under it and
the successor covers them all: users may have more names than the plan.

# Why it matters

Web mail and RPC over HTTPS go on working \"as long as the SAN certificate includes whatever name your users use\". The
plan knows the names that it was told. The certificate that is about to be replaced knows those that worked until now:
an old bookmark, a phone that was set up years ago, a scanner that sends mail.

# Example

    [certificates.old]
    file = \"mail-2003.cer\"                 # mail.domain.com, webmail.domain.com
    [certificates.san]
    names = [\"mail.domain.com\", \"autodiscover.domain.com\", \"legacy.mail.domain.com\"]
    [servers.ex2003-fe]
    certificate = { before = \"old\", coexistence = \"san\" }

Whoever types webmail.domain.com meets a name mismatch from the day on which the certificate is replaced.

# Cure

Order the new certificate with the names of the old one, too. If nobody uses a name any more (look at the server's log),
waive this rule on that name; for this rule `on` may be a name that the plan does not have.

# References

https://exchangeserverpro.com/export-an-exchange-server-2010-certificate-to-exchange-2003; RFC 9525 section 6
";

/// What is said together: the same two certificates, accepted or not.
type Groups = BTreeMap<(Replacement, Option<usize>), (BTreeSet<Target>, Dropped)>;

/// One finding per pair of certificates, with all servers at which it is replaced.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let spoken = spoken(context);
    for ((replacement, waiver), (targets, mut dropped)) in groups(context) {
        // What another rule says of the successor already is no news beside names that nobody planned.
        let told = |n: &NameId| successor_keys(context.case, replacement, *n).iter().any(|k| spoken.contains(k));
        let old: Vec<NameId> = dropped.planned.iter().copied().filter(told).collect();
        let names: BTreeSet<String> = old.iter().map(|n| context.case.plan.name(*n).name.to_string()).collect();
        let is_old = !dropped.lost.is_empty() && dropped.lost.is_subset(&names);
        if !is_old {
            dropped.lost.retain(|n| !names.contains(n));
        }
        drafts.push(draft(context, replacement, waiver, &targets, &dropped, if is_old { &old } else { &[] }));
    }
}

/// Names of the plan that a certificate is known to lack already.
fn spoken(context: &Context) -> BTreeSet<Key> {
    let key = |(whose, _), name| Key::Uncovered(whose, name);
    context
        .items()
        .filter_map(|i| lacking::lacking(context.case, &i).map(|found| key(found, i.obligation.name)))
        .collect()
}

fn successor_keys(case: &Case, replacement: Replacement, name: NameId) -> Vec<Key> {
    let all = replaced::successors(case, replacement.successor);
    all.into_iter().map(|whose| Key::Uncovered(whose, name)).collect()
}

/// By what is mended together; a waiver may accept one name, or all of a server or certificate.
fn groups(context: &Context) -> Groups {
    let mut out = Groups::new();
    for ((replacement, target), dropped) in replaced::dropped(context.case) {
        if !is_asked(context, replacement, target) {
            continue;
        }
        let waiver = |id: &str| context.waiver(INFO.name, &labels(context.case, replacement, target, id));
        for id in &dropped.lost {
            let (targets, all) = out.entry((replacement, waiver(id))).or_default();
            targets.insert(target);
            all.lost.insert(id.clone());
            all.planned.extend(dropped.planned.iter().filter(|n| context.case.plan.name(**n).name.as_str() == id));
        }
        for id in &dropped.wild {
            let (targets, all) = out.entry((replacement, waiver(id))).or_default();
            targets.insert(target);
            all.wild.insert(id.clone());
        }
    }
    out
}

/// True unless the run asks about other things only.
fn is_asked(context: &Context, replacement: Replacement, target: Target) -> bool {
    let only = &context.case.policy.only;
    let labels = labels(context.case, replacement, target, "san");
    only.is_empty() || only.iter().any(|word| labels.contains(word))
}

fn labels(case: &Case, replacement: Replacement, target: Target, id: &str) -> BTreeSet<String> {
    let successor = case.plan.certificate(replacement.successor).label.to_string();
    let present = present_label(case, replacement.present).map(str::to_string);
    let all = [id.to_string(), case.plan.target_label(target).to_string(), successor];
    all.into_iter().chain(present).collect()
}

fn present_label<'a>(case: &Case<'a>, present: Whose) -> Option<&'a str> {
    let declared = match present {
        Whose::Leaf(leaf) => case.certificates.declared(leaf),
        Whose::Planned(c) => Some(c),
    };
    declared.map(|c| case.plan.certificate(c).label.as_ref())
}

fn draft(
    context: &Context,
    replacement: Replacement,
    waiver: Option<usize>,
    targets: &BTreeSet<Target>,
    dropped: &Dropped,
    told: &[NameId],
) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let successor = plan.certificate(replacement.successor);
    let lost: Vec<&str> = dropped.lost.iter().chain(&dropped.wild).map(String::as_str).collect();
    let listed = wording::list(lost.iter().copied());
    let who = wording::list(targets.iter().map(|t| plan.target_label(*t).as_ref()));
    let present = present_label(case, replacement.present);
    let title = format!("certificate \"{}\" drops {listed}, which the one before it at {who} covers", successor.label);
    let mut draft = Draft::plain(&INFO, title);
    if dropped.lost.is_empty() {
        draft.severity = Severity::Warning;
    }
    draft.waiver = waiver;
    draft.subject.certificate = Some(successor.label.to_string());
    draft.subject.server =
        targets.iter().next().filter(|_| targets.len() == 1).map(|t| plan.target_label(*t).to_string());
    draft.subject.name = lost.first().filter(|_| lost.len() == 1).map(|n| n.to_string());
    let (can, cannot) = by_authority(case, replacement, &lost);
    if !can.is_empty() {
        draft.expected.push(format!("{} on certificate \"{}\", too", wording::list(can), successor.label));
    }
    if !cannot.is_empty() {
        draft.expected.push(format!("no client that still uses {}", wording::list(cannot)));
    }
    draft.seen = seen(case, replacement, present);
    draft.hurts = vec![match dropped.lost.is_empty() {
        true => {
            format!("users of names under {listed} that are not in the plan, once {who} serves \"{}\"", successor.label)
        }
        false => format!(
            "users of {listed}: name mismatch, a warning or no connection, once {who} serves \"{}\"",
            successor.label
        ),
    }];
    draft.remedy.cure = cure(case, replacement, &lost);
    draft.at = Some(successor.span);
    draft.keys = told.iter().flat_map(|n| successor_keys(case, replacement, *n)).collect();
    draft
}

fn seen(case: &Case, replacement: Replacement, label: Option<&str>) -> Vec<String> {
    let names = |whose| wording::list(replaced::identifiers(case, whose).iter().map(String::as_str));
    let label = label.map(|l| format!(" (certificate \"{l}\")")).unwrap_or_default();
    let mut out = match replacement.present {
        Whose::Leaf(leaf) => vec![format!("{}{label}", wording::leaf(case, leaf))],
        Whose::Planned(_) => Vec::new(),
    };
    out.push(format!("before: {}", names(replacement.present)));
    out.extend(
        replaced::successors(case, replacement.successor).into_iter().map(|whose| format!("then: {}", names(whose))),
    );
    out
}

/// The whole list of names to order: those of the successor, and those that it drops.
fn cure(case: &Case, replacement: Replacement, lost: &[&str]) -> Vec<String> {
    let successor = case.plan.certificate(replacement.successor);
    let all = replaced::successors(case, replacement.successor);
    let mut names: Vec<String> = all.into_iter().flat_map(|whose| replaced::identifiers(case, whose)).collect();
    let (can, cannot) = by_authority(case, replacement, lost);
    names.extend(can.iter().map(|l| l.to_string()));
    // A slip is not to be ordered again, but the name that was meant.
    let meant = |id: &String| san_near_miss::meant(case.plan, id, &names).map_or_else(|| id.clone(), str::to_string);
    let mut names: Vec<String> = names.iter().map(meant).collect();
    let mut once = BTreeSet::new();
    names.retain(|n| once.insert(n.clone()));
    let count = wording::count(names.len(), "name", "names");
    let verb = match successor.source {
        CertificateSource::Names(_) => "order",
        _ => "reissue",
    };
    let listed = wording::list(lost.iter().copied());
    let mut out = Vec::new();
    if !can.is_empty() {
        out.push(format!("{verb} \"{}\" with {count}: {}", successor.label, names.join(", ")));
    }
    if !cannot.is_empty() {
        let those = wording::list(cannot);
        out.push(format!(
            "{those}: no public authority certifies that; give its users a public name before the change"
        ));
    }
    out.push(format!("if nobody uses {listed} any more (see the server's log), waive {} on it", INFO.name));
    out
}

/// What the successor's authority can certify, and what no public one may (Baseline Requirements 4.2.2).
fn by_authority<'a>(case: &Case, replacement: Replacement, lost: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let public = issuance::of_declared(case, replacement.successor).is_some();
    lost.iter().copied().partition(|id| !public || !is_refused(id))
}

fn is_refused(id: &str) -> bool {
    match (id.parse::<IpAddr>(), Name::parse(id)) {
        (Ok(address), _) => probes::is_private(address),
        (_, Ok(name)) => issuance::uncertifiable(&name).is_some_and(|why| why != Uncertifiable::Unlisted),
        _ => false,
    }
}
