//! An authority cannot look up whether it may issue.

use std::collections::{BTreeMap, BTreeSet};

use super::caa::{self, Nearest};
use super::mx_target_invalid::key;
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward};
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::evidence::Look;
use crate::judge::issuance;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::Certificate;
use crate::model::questions;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "caa-or-dcv-lookup-fails",
    family: "dns",
    severity: Severity::Error,
    summary: "the question for CAA records of a certificate that is to be ordered fails",
    citation: "RFC 8659 section 3; CA/Browser Forum Baseline Requirements 3.2.2.8",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A certificate is to be ordered, and the question for CAA records at one of its names, or above it, ends in SERVFAIL, or is
not answered by a resolver that answers others. NODATA and NXDOMAIN are fine: then anybody may issue.

# Why it matters

An authority that cannot tell whether it may issue must not (but in few cases), so the order and each renewal are refused.
Old name servers and firewalls drop types that they do not know; broken DNSSEC shows here too.

# Example

    expected  an answer for example.com CAA, be it that there is none
    seen      SERVFAIL from 9.9.9.9

# Cure

Mend the zone's servers, its DNSSEC or the firewall before them, so that a question for type CAA is answered.

# References

RFC 8659 section 3; https://letsencrypt.org/docs/caa/#caa-errors
";

/// What failed at an owner.
#[derive(Default)]
struct Failure {
    names: BTreeSet<String>,
    seen: BTreeSet<String>,
    looks: BTreeSet<Look>,
    keys: BTreeSet<Key>,
}

/// One finding per certificate and owner.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for certificate in &context.case.plan.certificates {
        if questions::outside_issuer(certificate).and_then(issuance::caa_domain).is_none() {
            continue;
        }
        // A waiver of one name says nothing of another.
        let mut failures: BTreeMap<(Name, Option<usize>), Failure> = BTreeMap::new();
        for view in outward(context.case) {
            for name in questions::ordered_names(certificate) {
                let Nearest::Fails(owner, told) = caa::nearest(context, view, &name) else { continue };
                let key = key(context.case.plan, owner.as_str(), view);
                let waiver = context.waiver_on(&INFO, &[name.as_str(), owner.as_str(), &certificate.label]);
                let failure = failures.entry((owner, waiver)).or_default();
                failure.names.insert(name.to_string());
                failure.seen.extend(told.lines());
                failure.looks.extend(told.looks());
                failure.keys.extend(key);
            }
        }
        drafts.extend(failures.into_iter().map(|((owner, _), failure)| draft(context, certificate, &owner, failure)));
    }
}

fn draft(context: &Context, certificate: &Certificate, owner: &Name, failure: Failure) -> Draft {
    let at = certificate.issuer.as_ref().map_or(certificate.span, |i| i.span);
    let labels: Vec<&str> = failure.names.iter().map(String::as_str).chain([&*certificate.label]).collect();
    let mut draft = beside::draft(context, &INFO, (owner.as_str(), None), at, &labels);
    draft.subject.certificate = Some(certificate.label.to_string());
    draft.title = format!("the question for CAA records of {owner} fails");
    draft.expected = vec![format!("an answer for {owner} CAA, be it that there is none")];
    draft.seen = wording::cut(failure.seen.iter().cloned().collect());
    draft.hurts = vec![format!(
        "whoever orders certificate \"{}\" ({}): the authority must refuse",
        certificate.label,
        wording::list(failure.names.iter().map(String::as_str))
    )];
    draft.remedy.cure =
        vec![format!("let the servers of {owner} answer type CAA (zone, DNSSEC, firewall); NODATA will do")];
    draft.looks = failure.looks;
    draft.keys = failure.keys;
    draft
}
