//! A zone is signed at its parent, and its answers do not validate.

use std::collections::BTreeMap;

use super::dnssec::{self, Failure, Held, State};
use super::signatures::Flaw;
use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward};
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::dns::{ResolverAddr, Transport};
use crate::model::dnssec::Dnskey;
use crate::model::finding::{Severity, TYPED};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "ds-dnskey-mismatch",
    family: "dns",
    severity: Severity::Error,
    summary: "a zone's DS records at its parent fit none of its keys, or its signatures do not hold",
    citation: "RFC 4035 sections 5.2, 5.3 and 5.5; RFC 4034 sections 3.1.8.1 and 5.1.4; RFC 4509 section 3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The parent of a zone has DS records for it, so that resolvers which validate demand signatures. Either no DS is the digest of
a key that the zone has (DNSKEY), or the zone has no keys at all; or the signatures (RRSIG) of its keys, of its SOA, or of the
addresses of its names have expired, are not valid yet, do not verify or are missing; or a resolver fails (SERVFAIL) for a name
of the zone and answers once it is told not to validate (the CD bit), so that it is validation that fails.

Asked for are the zones of the plan, its mail domains and the registrable domains of its names, 64 at most, as the resolvers
of the external views give them; keys, SOA and the addresses of the plan's names, 16 of a zone, with their signatures (the DO
bit), without validation. Digests by SHA-1, SHA-256 and SHA-384 are computed anew. The keys must be signed by one that a DS
names, the SOA by any of them, and so must names that are signed at all: RSA of 1,024 to 4,096 bits with SHA-1, SHA-256 or
SHA-512, ECDSA with P-256 or P-384, Ed25519. What counts is the time at which they were looked at, for they are made anew all
the time. Where an algorithm is not verified here (Ed448), where a resolver that is no server of the zone itself gives no
signatures, or more than 16 fit, the report says that it could not tell. That signatures of other records alone are wrong is
learned from resolvers that validate. The parent's own signatures are not looked at.

# Why it matters

Whoever asks a validating resolver (9.9.9.9, 1.1.1.1, 8.8.8.8, many providers) gets no answer for any name of the zone, mail
included, while everybody else sees nothing wrong. Authorities do not issue certificates for it. It mostly happens on the day
on which a zone is moved to other servers that do not sign it, or sign with other keys; the DS lives on in caches for a day.

# Example

    expected  example.org DS 2371 13 2 1f98...
    seen      DS 55210 13 2 9b2e... from 9.9.9.9, DNSKEY 2371 (algorithm 13) from 9.9.9.9

    expected  RRSIG of SOA of example.org by one of its keys, valid now
    seen      DNSKEY 2371 (algorithm 13) from 9.9.9.9, RRSIG of SOA until 2026-10-31 22:00Z from 9.9.9.9

# Cure

Before a zone moves, either carry its keys along, or delete the DS at the registrar and wait until its TTL is over. Afterwards,
publish a DS of the new key at the registrar. Where signatures have expired, let the zone be signed anew and find out why
nobody did it: a signer that is down, keys that were left behind on the old server, a secondary that gets no transfers.

# References

RFC 4033 section 5; RFC 4034 sections 3 and 5; RFC 4035 sections 3.2.2 and 5; RFC 6840 section 5.11; RFC 6781 section 4.3.5 (moving a signed zone)
";

/// One finding per zone and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let mut failures = dnssec::failures(context);
    let outside = outward(context.case);
    // Where the drafts are of zones that are known to be wrong.
    let mut known: BTreeMap<Name, usize> = BTreeMap::new();
    for zone in dnssec::zones(context) {
        for view in &outside {
            let held = dnssec::outside(context, *view, &zone);
            let failure = failures.remove(&(*view, zone.clone()));
            let is_wrong = held.as_ref().is_some_and(|h| h.state != State::Fits);
            if failure.is_some() || is_wrong {
                drafts.push(draft(context, &zone, *view, held.as_ref(), failure));
            }
            if is_wrong {
                known.insert(zone.clone(), drafts.len() - 1);
            }
        }
    }
    // Inside, where it is not for other keys.
    for ((view, zone), failure) in failures {
        if dnssec::inside(context, view, &zone).is_some() {
            continue;
        }
        match known.get(&zone).and_then(|at| drafts.get_mut(*at)) {
            Some(draft) => add(draft, failure),
            None => drafts.push(draft(context, &zone, view, None, Some(failure))),
        }
    }
}

/// Adds names that fail for what a finding says.
fn add(draft: &mut Draft, failure: Failure) {
    draft.seen.push(failure.line());
    draft.keys.extend(failure.keys);
    draft.looks.extend(failure.looks);
    draft.obligations.extend(failure.obligations);
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
        State::Flawed(kind, flaw) => format!("{} {}", dnssec::signed(zone, kind), flaw.verb()),
    };
    draft.expected = match state {
        State::Fits => vec![format!("answers of {zone} that validate")],
        State::Other => rights(zone, held).iter().map(|ds| format!("{zone} DS {ds}")).collect(),
        State::Unsigned => vec![format!("DNSKEY of {zone} that fit its DS, or no DS")],
        State::Flawed(kind, _) => vec![dnssec::wanted(zone, kind)],
    };
    draft.seen = held.map(Held::lines).unwrap_or_default();
    draft.hurts = vec![
        format!("whoever asks a resolver that validates, as most public ones do: no name of {zone} is found"),
        format!("whoever orders certificates for {zone}: authorities validate, and refuse"),
    ];
    draft.remedy.cure = cure(zone, state, held, failure.as_ref());
    draft.looks.extend(held.map(Held::looks).unwrap_or_default());
    if let Some(failure) = failure {
        add(&mut draft, failure);
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
            let look = one.and_then(|(name, resolver)| dig(name, resolver));
            let sign = format!("let the servers of {zone} sign it anew: signatures (RRSIG) may have expired");
            look.into_iter().chain([sign, "look at the clock of the resolver, too".into()]).collect()
        }
        State::Flawed(kind, flaw) => {
            let resolver = held.and_then(|h| h.told.0.first());
            let owner = held.and_then(|h| h.names.first()).unwrap_or(zone);
            let look = resolver.and_then(|word| dig(&format!("{owner} {kind}"), &word.resolver));
            look.into_iter().chain(mend(zone, flaw)).collect()
        }
    }
}

/// What to do about signatures.
fn mend(zone: &Name, flaw: Flaw) -> Vec<String> {
    let sign = format!("let the servers of {zone} sign it anew");
    match flaw {
        Flaw::Over(_) => vec![
            format!("{sign}, and look why nobody did: a signer that is down or lacks its keys, a secondary that lags"),
            "signatures in caches live on for their TTL".into(),
        ],
        Flaw::Ahead(_) => vec![format!("look at the clock of the signer, and of this machine; then {sign}")],
        Flaw::Forged => vec![
            format!("{sign}: its records were changed after they were signed, or on the way"),
            "ask another resolver, too: who answers here may not be the zone's servers".into(),
        ],
        Flaw::Missing => vec![format!("{sign}, its DNSKEY with the key that the DS names")],
    }
}

/// How to look oneself, by a resolver as the plan writes it; `None` where no shell takes its path as it stands.
fn dig(what: &str, resolver: &str) -> Option<String> {
    let ResolverAddr { transport, addr } = ResolverAddr::parse(resolver).ok()?;
    let is_plain = |path: &str| path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c));
    let (way, port) = match &transport {
        Transport::Udp => (String::new(), 53),
        Transport::Tcp => ("+tcp ".into(), 53),
        Transport::Tls => ("+tls ".into(), 853),
        Transport::Https(path) if is_plain(path) => (format!("+https={path} "), 443),
        Transport::Https(_) => return None,
    };
    let port = if addr.port() == port { String::new() } else { format!(" -p {}", addr.port()) };
    Some(format!("look: dig +cd +dnssec {way}{what} @{}{port}", addr.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_asked_as_the_plan_asks_it() {
        for (resolver, want) in [
            ("9.9.9.9", Some("look: dig +cd +dnssec a.example A @9.9.9.9")),
            ("127.0.0.1:5353", Some("look: dig +cd +dnssec a.example A @127.0.0.1 -p 5353")),
            ("tcp://[2620:fe::fe]", Some("look: dig +cd +dnssec +tcp a.example A @2620:fe::fe")),
            ("tls://9.9.9.9", Some("look: dig +cd +dnssec +tls a.example A @9.9.9.9")),
            ("https://9.9.9.9/dns-query", Some("look: dig +cd +dnssec +https=/dns-query a.example A @9.9.9.9")),
            ("https://9.9.9.9/$(id)", None),
        ] {
            assert_eq!(dig("a.example A", resolver).as_deref(), want, "{resolver}");
        }
    }
}
