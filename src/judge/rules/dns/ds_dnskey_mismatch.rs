//! A zone is signed at its parent, and its answers do not validate.

use super::dnssec::{self, Failure, Held, State};
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward};
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::dnssec::Dnskey;
use crate::model::finding::{Severity, TYPED};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "ds-dnskey-mismatch",
    family: "dns",
    severity: Severity::Error,
    summary: "a zone's DS records at its parent fit none of its keys, or its answers do not validate",
    citation: "RFC 4035 sections 5.2 and 5.5; RFC 4034 section 5.1.4; RFC 4509 section 3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The parent of a zone has DS records for it, so that resolvers which validate demand signatures. Either no DS is the digest of
a key that the zone has (DNSKEY), or the zone has no keys at all; or a resolver fails (SERVFAIL) for a name of the zone and
answers once it is told not to validate (the CD bit), so that it is validation that fails: expired signatures, say.

Asked for are the zones of the plan, its mail domains and the registrable domains of its names, 64 at most, as the resolvers
of the external views give them. Digests by SHA-1, SHA-256 and SHA-384 are computed anew. Signatures themselves are not
verified here: that they are wrong is learned from resolvers that validate, and where none of a view does, not at all. A pass
says that the digests fit, and that no resolver was seen to fail.

# Why it matters

Whoever asks a validating resolver (9.9.9.9, 1.1.1.1, 8.8.8.8, many providers) gets no answer for any name of the zone, mail
included, while everybody else sees nothing wrong. Authorities do not issue certificates for it. It mostly happens on the day
on which a zone is moved to other servers that do not sign it, or sign with other keys; the DS lives on in caches for a day.

# Example

    expected  example.org DS 2371 13 2 1f98...
    seen      DS 55210 13 2 9b2e... from 9.9.9.9, DNSKEY 2371 (algorithm 13) from 9.9.9.9

# Cure

Before a zone moves, either carry its keys along, or delete the DS at the registrar and wait until its TTL is over. Afterwards,
publish a DS of the new key at the registrar.

# References

RFC 4033 section 5; RFC 4034 section 5; RFC 4035 sections 3.2.2 and 5; RFC 6781 section 4.3.5 (moving a signed zone)
";

/// One finding per zone and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let mut failures = dnssec::failures(context);
    let outside = outward(context.case);
    for zone in dnssec::zones(context) {
        for view in &outside {
            let held = dnssec::outside(context, *view, &zone);
            let failure = failures.remove(&(*view, zone.clone()));
            if failure.is_some() || held.as_ref().is_some_and(|h| h.state != State::Fits) {
                drafts.push(draft(context, &zone, *view, held.as_ref(), failure));
            }
        }
    }
    // Inside, where it is not for other keys.
    for ((view, zone), failure) in failures {
        if dnssec::inside(context, view, &zone).is_none() {
            drafts.push(draft(context, &zone, view, None, Some(failure)));
        }
    }
}

fn draft(context: &Context, zone: &Name, view: ViewId, held: Option<&Held>, failure: Option<Failure>) -> Draft {
    let plan = context.case.plan;
    let label = wording::view(plan, view);
    let span = plan.zones.iter().find(|z| z.apex == *zone).map(|z| z.span);
    let span = span.or_else(|| plan.names.iter().find(|n| n.name.is_under(zone.as_str())).map(|n| n.span));
    let mut draft = beside::draft(context, &INFO, (zone.as_str(), Some(view)), span.unwrap_or_default(), &[]);
    let state = held.map_or(State::Fits, |h| h.state);
    draft.title = match state {
        State::Fits => format!("the answers of {zone} do not validate in {label}"),
        State::Other => format!("no DS of {zone} fits its keys"),
        State::Unsigned => format!("{zone} has a DS at its parent, and no keys"),
    };
    draft.expected = match state {
        State::Fits => vec![format!("answers of {zone} that validate")],
        State::Other => rights(zone, held).iter().map(|ds| format!("{zone} DS {ds}")).collect(),
        State::Unsigned => vec![format!("DNSKEY of {zone} that fit its DS, or no DS")],
    };
    draft.seen = held.map(Held::lines).unwrap_or_default();
    draft.hurts = vec![
        format!("whoever asks a resolver that validates, as most public ones do: no name of {zone} is found"),
        format!("whoever orders certificates for {zone}: authorities validate, and refuse"),
    ];
    draft.remedy.cure = cure(zone, state, held, failure.as_ref());
    draft.looks.extend(held.map(Held::looks).unwrap_or_default());
    if let Some(failure) = failure {
        draft.seen.push(failure.line());
        draft.keys = failure.keys;
        draft.looks.extend(failure.looks);
        draft.obligations = failure.obligations;
    }
    draft
}

/// The DS of each key that is meant to be pointed to (RFC 4034 section 2.1.1), or of all if none is.
fn rights(zone: &Name, held: Option<&Held>) -> Vec<crate::model::dnssec::Ds> {
    let keys: Vec<&Dnskey> = held.into_iter().flat_map(|h| h.keys.iter().copied()).collect();
    let entries: Vec<&Dnskey> = keys.iter().copied().filter(|k| k.is_entry()).collect();
    let meant = if entries.is_empty() { keys } else { entries };
    meant.into_iter().filter_map(|key| key.ds(zone)).collect()
}

fn cure(zone: &Name, state: State, held: Option<&Held>, failure: Option<&Failure>) -> Vec<String> {
    let at_parent = format!("at the parent of {zone} (the registrar)");
    match state {
        State::Unsigned => vec![
            format!("{at_parent}: delete the DS records, or let the zone's servers sign it with its former key"),
            "the DS lives on in caches for its TTL, a day mostly".into(),
        ],
        State::Other => {
            let lines = rights(zone, held).into_iter().map(|ds| format!("{TYPED}{zone}. 3600 IN DS {ds}"));
            let first = format!("{at_parent}, in the place of the DS records there:");
            std::iter::once(first).chain(lines).collect()
        }
        State::Fits => {
            let one = failure.and_then(|f| Some((f.names.first()?, f.resolvers.first()?)));
            let look = one.map(|(name, resolver)| format!("look: dig +cd +dnssec {name} @{resolver}"));
            let sign = format!("let the servers of {zone} sign it anew: signatures (RRSIG) may have expired");
            look.into_iter().chain([sign, "look at the clock of the resolver, too".into()]).collect()
        }
    }
}
