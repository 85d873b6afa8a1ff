//! A zone is signed outside, and its copy inside is not, or with other keys.

use super::dnssec::{self, Failure, Held, State};
use crate::judge::RuleInfo;
use crate::judge::beside::{self, asks};
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::signed;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "split-view-dnssec-bogus",
    family: "dns",
    severity: Severity::Error,
    summary: "a zone is signed outside, and inside it is unsigned, has other keys or bad signatures, so that validation fails there",
    citation: "RFC 4035 sections 4.3 and 5; RFC 7646",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The world outside is told by the parent's DS records that the zone is signed. An internal view has a zone of its own by the
same name, which is not signed, or with keys that fit no DS, or whose signatures have expired or do not verify. A resolver that
validates, and gets its answers from inside, must take them for forged. It is an error if a name of the zone fails there and
is answered without validation (the CD bit), and a warning as long as no resolver of the view is seen to validate. That the
zone is signed outside is taken from its DS and keys, whose digests are compared; the signatures of keys and SOA are verified
as ds-dnskey-mismatch tells.

# Why it matters

It works while all clients ask the domain controllers directly, which do not validate what they hold themselves. The day on
which somebody puts a validating forwarder between, or turns DNSSEC on outside, no internal name of the zone resolves any
more, in branch offices first.

# Example

    expected  internal: DNSKEY of example.org that fit DS 2371 13 2 1f98..., or no validation
    seen      no DNSKEY from 10.0.0.53

# Cure

Sign the internal zone with a key whose DS stands at the parent, too; or set a negative trust anchor for the zone on every
resolver inside that validates; or name the internal zone otherwise, below the public one, without a DS.

# References

RFC 4035 sections 4.3 and 5.2; RFC 7646 (negative trust anchors); RFC 8499 (split DNS)
";

/// One finding per zone and internal view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let views: Vec<ViewId> = signed::inward(context.case.plan).into_iter().filter(|v| asks(context.case, *v)).collect();
    if views.is_empty() {
        return;
    }
    let mut failures = None;
    for zone in dnssec::zones(context) {
        for view in &views {
            if let Some(held) = dnssec::inside(context, *view, &zone) {
                let failures = failures.get_or_insert_with(|| dnssec::failures(context));
                drafts.push(draft(context, &zone, *view, &held, failures.get(&(*view, zone.clone()))));
            }
        }
    }
}

fn draft(context: &Context, zone: &Name, view: ViewId, held: &Held, failure: Option<&Failure>) -> Draft {
    let plan = context.case.plan;
    let label = wording::view(plan, view);
    let span = plan.zones.iter().find(|z| z.apex == *zone).map_or(plan.view(view).span, |z| z.span);
    let mut draft = beside::draft(context, &INFO, (zone.as_str(), Some(view)), span, &[]);
    draft.title = match held.state {
        State::Unsigned => format!("{zone} is signed outside, and not in {label}"),
        State::Flawed(kind, flaw) => format!("{} {} in {label}", dnssec::signed(zone, kind), flaw.verb()),
        _ => format!("{zone} has other keys in {label} than those that are signed for outside"),
    };
    draft.expected = vec![match held.state {
        State::Flawed(kind, _) => format!("in {label} {}, or nobody who validates", dnssec::wanted(zone, kind)),
        _ => format!("DNSKEY of {zone} in {label} that fit its DS, or nobody who validates"),
    }];
    draft.seen = held.lines();
    draft.remedy.cure = vec![
        match held.state {
            State::Flawed(..) => format!("let the servers of {label} sign {zone} anew"),
            _ => format!("sign the zone {zone} of {label} with a key whose DS stands at the parent"),
        },
        format!("or set a negative trust anchor for {zone} on each resolver of {label} that validates"),
    ];
    draft.looks = held.looks();
    match failure {
        Some(failure) => {
            let resolvers = failure.resolvers();
            draft.seen.push(failure.line());
            draft.hurts = vec![format!("clients of {label} that ask {resolvers}: no name of {zone} is found")];
            draft.keys = failure.keys.clone();
            draft.looks.extend(&failure.looks);
            draft.obligations = failure.obligations.clone();
        }
        None => {
            draft.severity = Severity::Warning;
            draft.hurts =
                vec![format!("clients of {label}, once a resolver between validates: no name of {zone} is found")];
        }
    }
    draft
}
