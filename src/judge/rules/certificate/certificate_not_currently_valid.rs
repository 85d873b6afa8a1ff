//! A certificate, or one of its chain, is outside its dates.

use std::collections::BTreeSet;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{CertificateFault, EndpointFault, Fault};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::pki::OutOfDate;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "certificate-not-currently-valid",
    family: "certificate",
    severity: Severity::Error,
    summary: "a certificate, an intermediate or an anchor is expired or not valid yet",
    citation: "RFC 5280 sections 4.1.2.5 and 6.1.3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The time of the judgement lies outside the dates of the certificate, of an intermediate that is served with it, or of
the trust anchor that it leads to. The finding names the one that it is.

# Why it matters

Clients refuse it. An expired intermediate or anchor hurts some clients only, which makes it hard to find.

# Example

    seen  E8D1...  CN=mail.domain.com   2025-11-01 to 2026-11-01

Often the file on the server was renewed and the daemon was not reloaded, so that one port serves the new certificate
and another the old one.

# Cure

Renew it, install it on every server of both generations, and reload whatever holds a copy. If the clock of the machine
that judges is wrong, set it, or say the time with --at.

# References

RFC 5280 sections 4.1.2.5 and 6.1.3; CA/Browser Forum Baseline Requirements 6.3.2
";

/// Whose dates: a known certificate's, or an anchor's by its subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Offender {
    Known(BlobId),
    Anchor(String),
}

/// One finding per certificate that is out of date.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let groups = context.group(&INFO, |item| dates(item).map(|(offender, _)| offender));
    drafts.extend(groups.into_iter().map(|((_, waiver), items)| draft(context, waiver, &items)));
}

fn dates<'a>(item: &Item<'a>) -> Option<(Offender, &'a OutOfDate)> {
    match &item.problem.fault {
        Fault::Certificate(_, CertificateFault::OutOfDate { leaf, date }) => Some((Offender::Known(*leaf), date)),
        Fault::Endpoint(_, EndpointFault::OutOfDate { offender, date, .. }) => {
            Some((offender.map_or_else(|| Offender::Anchor(date.subject.clone()), Offender::Known), date))
        }
        _ => None,
    }
}

fn draft(context: &Context, waiver: Option<usize>, items: &[Item]) -> Draft {
    let case = context.case;
    let mut draft = Draft::of(context, &INFO, items, waiver);
    let mut labels = BTreeSet::new();
    for item in items {
        match &item.problem.fault {
            Fault::Certificate(c, _) => {
                labels.insert(case.plan.certificate(*c).label.to_string());
            }
            Fault::Endpoint(spot, fault) => draft.keys.extend(fault.leaf().map(|leaf| Key::Served(spot.culprit, leaf))),
            Fault::Dns(..) => {}
        }
    }
    let Some((offender, date)) = items.first().and_then(dates) else { return draft };
    if let Offender::Known(id) = &offender {
        let declared = case.certificates.declared(*id);
        labels.extend(declared.map(|c| case.plan.certificate(c).label.to_string()));
    }
    let expired = date.not_after < case.now;
    let what = match (&offender, labels.first()) {
        (_, Some(label)) => format!("certificate \"{label}\""),
        (Offender::Known(_), None) if date.position == Some(0) => "the served certificate".into(),
        (Offender::Known(_), None) => "an intermediate".into(),
        (Offender::Anchor(_), None) if date.is_anchor => "the trust anchor".into(),
        (Offender::Anchor(_), None) => "an intermediate that is not sent".into(),
    };
    draft.title = match expired {
        true => format!("{what} expired on {}", wording::day(date.not_after)),
        false => format!("{what} is not valid before {}", wording::day(date.not_before)),
    };
    draft.subject.certificate = labels.first().cloned();
    draft.expected = vec![format!("valid on {}", wording::day(case.now))];
    draft.seen = vec![
        match &offender {
            Offender::Known(id) => wording::leaf(case, *id),
            Offender::Anchor(subject) => subject.clone(),
        },
        format!("valid from {} to {}", wording::day(date.not_before), wording::day(date.not_after)),
    ];
    draft.seen.extend(wording::spots(items));
    draft.hurts = vec!["every client that looks at dates: it refuses the connection or warns".into()];
    // Whoever serves it by mistake does not make its names more.
    let declared: Vec<Item> =
        items.iter().filter(|i| matches!(i.problem.fault, Fault::Certificate(..))).copied().collect();
    let in_use = if declared.is_empty() { items } else { &declared };
    let names = wording::name_list(case.plan, &wording::names(in_use));
    draft.remedy.cure = match (&offender, date.position) {
        _ if !expired => vec![
            format!("check the clock of this machine (it was {} when this was judged)", case.now),
            format!("if it is right, wait until {}, and serve the certificate before it until then", date.not_before),
        ],
        (Offender::Known(_), Some(0)) => vec![
            format!("renew it (names in use: {names})"),
            "install the new one everywhere the old one is served, and reload every service that holds a copy".into(),
        ],
        (Offender::Anchor(subject), _) if date.is_anchor => vec![
            format!("clients need another root in the place of {subject}: see which one its authority has now, bring it to them, and name it in `trust` of the view"),
            "then serve the intermediates that lead there; where none do, order a certificate from an authority whose root is valid".into(),
        ],
        _ => vec!["install the issuer's current intermediates beside the certificate".into()],
    };
    draft
}
