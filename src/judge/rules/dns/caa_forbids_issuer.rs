//! The authority that is to issue a certificate may not.

use std::collections::{BTreeMap, BTreeSet};

use super::caa::{self, Nearest};
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward};
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::issuance;
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{Certificate, ViewId};
use crate::model::policy::Scope;
use crate::model::questions;
use crate::model::records::RecordData;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "caa-forbids-issuer",
    family: "dns",
    severity: Severity::Error,
    summary: "CAA records do not let the planned authority issue a certificate that is to be ordered",
    citation: "RFC 8659 sections 3 and 4; CA/Browser Forum Baseline Requirements 3.2.2.8",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A certificate is to be ordered from an authority (`issuer = \"letsencrypt.org\"`, or a known one by its name), and the CAA records nearest to one of its
names name others, or nobody. Each name of the certificate is looked at on its own, from the name upwards; for wildcards
`issuewild` comes first. Parameters such as accounturi are not judged.

# Why it matters

The order is refused, or the renewal months later, in the night before the old certificate expires. One name that is not
allowed refuses the whole certificate.

# Example

    expected  example.com CAA 0 issue \"letsencrypt.org\"
    seen      0 issue \"digicert.com\" from 9.9.9.9

# Cure

Add an issue record for the authority beside the others, before the order.

# References

RFC 8659; Baseline Requirements 3.2.2.8; https://letsencrypt.org/docs/caa/
";

/// What stands in the way: by owner, and whether wildcards are meant.
#[derive(Default)]
struct Barrier {
    names: BTreeSet<String>,
    seen: BTreeSet<String>,
    looks: BTreeSet<Look>,
    why: &'static str,
}

/// By owner, and by the waiver that accepts it: that of one name says nothing of another.
type Barriers = BTreeMap<(Name, Option<usize>), Barrier>;

/// The waiver that accepts what is found of a name at an owner.
type Accepted<'a> = dyn Fn(&Name, &Name) -> Option<usize> + 'a;

/// One finding per certificate and owner of CAA records. Without a network the plan's own CAA records are judged.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let planned = case.policy.scope == Scope::Files && !case.policy.is_narrowed();
    let views = if planned { questions::outward(case.plan) } else { outward(case) };
    for certificate in &case.plan.certificates {
        let Some(issuer) = questions::outside_issuer(certificate).and_then(issuance::caa_domain) else { continue };
        let mut barriers = Barriers::new();
        let accepted =
            |name: &Name, owner: &Name| context.waiver_on(&INFO, &[name.as_str(), owner.as_str(), &certificate.label]);
        for view in views.iter().copied() {
            for name in questions::ordered_names(certificate) {
                match planned {
                    true => in_plan(context, view, &name, issuer, &accepted, &mut barriers),
                    false => in_dns(context, view, &name, issuer, &accepted, &mut barriers),
                }
            }
        }
        drafts.extend(barriers.iter().map(|((owner, _), barrier)| draft(context, certificate, issuer, owner, barrier)));
    }
}

fn in_dns(context: &Context, view: ViewId, name: &Name, issuer: &str, accepted: &Accepted, barriers: &mut Barriers) {
    let Nearest::Records(owner, records, told) = caa::nearest(context, view, name) else { return };
    let Some(why) = caa::forbids(&records, issuer, name.is_wildcard()) else { return };
    let waiver = accepted(name, &owner);
    let barrier = barriers.entry((owner, waiver)).or_default();
    barrier.why = why;
    barrier.names.insert(name.to_string());
    barrier.seen.extend(told.lines());
    barrier.looks.extend(told.looks());
}

/// The nearest CAA records that the plan itself lists.
fn in_plan(context: &Context, view: ViewId, name: &Name, issuer: &str, accepted: &Accepted, barriers: &mut Barriers) {
    let plan = context.case.plan;
    let texts = |owner: &Name| -> Vec<&String> {
        let records = plan.records.iter().filter(|r| r.kind == "CAA" && r.owner == *owner);
        records.filter_map(|r| r.values.get(view.0)?.as_ref()).flatten().collect()
    };
    let nearest = questions::caa_owners(name).into_iter().map(|o| (texts(&o), o)).find(|(texts, _)| !texts.is_empty());
    let Some((texts, owner)) = nearest else { return };
    let read = texts.iter().map(|t| RecordData::parse(RecordType::Caa, t)).collect::<Option<Vec<RecordData>>>();
    let why = read.and_then(|records| caa::forbids(&records.iter().collect(), issuer, name.is_wildcard()));
    if let Some(why) = why {
        let waiver = accepted(name, &owner);
        let barrier = barriers.entry((owner, waiver)).or_default();
        barrier.why = why;
        barrier.names.insert(name.to_string());
        barrier.seen.extend(texts.iter().map(|t| format!("{t} in [records]")));
    }
}

fn draft(context: &Context, certificate: &Certificate, issuer: &str, owner: &Name, barrier: &Barrier) -> Draft {
    let at = certificate.issuer.as_ref().map_or(certificate.span, |i| i.span);
    let labels: Vec<&str> = barrier.names.iter().map(String::as_str).chain([&*certificate.label]).collect();
    let mut draft = beside::draft(context, &INFO, (owner.as_str(), None), at, &labels);
    let names = wording::list(barrier.names.iter().map(String::as_str));
    let wild = barrier.names.iter().any(|n| n.starts_with("*."));
    draft.subject.certificate = Some(certificate.label.to_string());
    draft.title =
        format!("{issuer} may not issue certificate \"{}\": CAA of {owner} allows {}", certificate.label, barrier.why);
    draft.expected = vec![format!("{owner} CAA 0 issue \"{issuer}\", for {names}")];
    draft.seen = wording::cut(barrier.seen.iter().cloned().collect());
    draft.hurts = vec!["whoever orders the certificate, and each renewal: the authority refuses".into()];
    let tag = if wild && barrier.names.iter().all(|n| n.starts_with("*.")) { "issuewild" } else { "issue" };
    let ttl = context.case.plan.cutover.low_ttl;
    draft.remedy.cure = vec![format!("public zone: {owner}. {ttl} IN CAA 0 {tag} \"{issuer}\"")];
    draft.looks = barrier.looks.clone();
    draft
}
