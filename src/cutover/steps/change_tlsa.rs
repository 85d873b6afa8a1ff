//! TLSA records list the certificates that mail servers may serve: the new one stands beside the old one, for as long as
//! the old RRset may be in a cache, before anybody serves it (RFC 7671 section 8.1); the old one goes once nobody serves it.

use std::collections::BTreeSet;

use super::{blank, check, of_records, words};
use crate::cutover::draft::Draft;
use crate::cutover::policies;
use crate::cutover::words::list;
use crate::model::cutover::{CacheKey, CacheKind, Change, Datum, StepKind, Undo};
use crate::model::plan::ViewId;

/// The new certificates beside the old ones.
pub(in crate::cutover) fn widen(draft: &mut Draft) {
    let why = "a sender that has the old record in its cache refuses a certificate that does not stand there";
    draft.views().into_iter().for_each(|view| add(draft, view, "lists", why, Draft::widened));
}

/// The new certificates only.
pub(in crate::cutover) fn narrow(draft: &mut Draft) {
    let why = "what nobody serves any more needs no leave";
    draft.views().into_iter().for_each(|view| add(draft, view, "lists only", why, Draft::wanted));
}

fn add<'d>(
    draft: &mut Draft<'d>,
    view: ViewId,
    verb: &str,
    why: &'static str,
    of: fn(&Draft<'d>, &CacheKey) -> BTreeSet<Datum>,
) {
    let data = |key: &CacheKey| of(draft, key);
    let wanted = draft.facts.goal.sets.keys().filter(|k| k.view == view && k.kind == CacheKind::Tlsa);
    let keys: Vec<CacheKey> = wanted.filter(|k| draft.now(k).is_none_or(|now| now.data != data(k))).cloned().collect();
    if keys.is_empty() {
        return;
    }
    let ttl = |key: &CacheKey| draft.now(key).map_or_else(|| draft.low_ttl(&key.owner), |set| set.ttl);
    let changes: Vec<Change> = keys.iter().map(|k| draft.becomes(k, Some((data(k), ttl(k))))).collect();
    let told = |k: &CacheKey| format!("{} {verb} {}", k.owner, list(labels(draft, &data(k))));
    let what = format!("{}: {}", draft.label(view), list(keys.iter().map(told)));
    let is_wider = changes.iter().all(|c| match c {
        Change::Records { old: Some(old), new: Some(new), .. } => new.data.is_superset(&old.data),
        _ => true,
    });
    let added: BTreeSet<Datum> = changes.iter().flat_map(come).collect();
    let (waits, not_before) = draft.forgetting(&super::flip::flipped(draft));
    let step = blank(StepKind::ChangeTlsa, what, why);
    let mut step = of_records(draft, step, view, changes);
    if !is_wider {
        (step.waits, step.not_before) = (waits, not_before);
    }
    let texts = keys.iter().flat_map(|k| computed(draft, k, &added)).collect::<Vec<_>>();
    if !texts.is_empty() {
        step.commands.push(words(&"".into(), texts));
    }
    step.span = draft.plan.records.iter().find(|r| r.owner == keys[0].owner).map(|r| r.span).unwrap_or_default();
    step.in_window = true;
    step.verify = Some(check(draft, "--only dns"));
    let propagation = draft.propagation(view);
    step.undo = step.undo.map(|u| Undo {
        how: "the old record again".into(),
        // What was listed besides hurts nobody while it is still in a cache.
        settles: if is_wider { propagation } else { u.settles },
        ..u
    });
    draft.push(step);
}

fn labels(draft: &Draft, data: &BTreeSet<Datum>) -> Vec<String> {
    let label = |d: &Datum| match d {
        Datum::Certificate(i) => draft.facts.credentials.get(*i).map(|c| c.label.to_string()),
        _ => None,
    };
    data.iter().filter_map(label).collect()
}

fn come(change: &Change) -> Vec<Datum> {
    match change {
        Change::Records { old, new: Some(new), .. } => {
            let was = |d: &&Datum| old.as_ref().is_some_and(|o| o.data.contains(d));
            new.data.iter().filter(|d| !was(d)).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// How the text of what nobody has seen yet is made, in the manner of the records that are there.
fn computed(draft: &Draft, key: &CacheKey, added: &BTreeSet<Datum>) -> Vec<String> {
    let rrset = draft.facts.listed.iter().find(|l| l.key == *key);
    let Some(rrset) = rrset else { return Vec::new() };
    if rrset.is_by_authority() {
        return beside_the_authority(draft, key, added);
    }
    let Some(manner) = rrset.manner(|_| true) else { return Vec::new() };
    let part = match manner.selector {
        0 => "openssl x509 -in CERTIFICATE.pem -outform DER",
        _ => "openssl x509 -in CERTIFICATE.pem -noout -pubkey | openssl pkey -pubin -outform DER",
    };
    let digest = match manner.matching {
        0 => "od -An -tx1 -v",
        1 => "openssl dgst -sha256",
        _ => "openssl dgst -sha512",
    };
    let line = |label: String| {
        format!(
            "{} TLSA {} {} {} and what this prints, with the certificate of {label} in CERTIFICATE.pem: {part} | {digest}",
            key.owner, manner.usage, manner.selector, manner.matching
        )
    };
    let unseen = |d: &&Datum| matches!(d, Datum::Certificate(i) if !draft.facts.associations.contains_key(i));
    labels(draft, &added.iter().filter(unseen).cloned().collect()).into_iter().map(line).collect()
}

/// A certificate of another authority is listed itself, by its key (RFC 7672 section 3.1.1).
fn beside_the_authority(draft: &Draft, key: &CacheKey, added: &BTreeSet<Datum>) -> Vec<String> {
    let line = |d: &Datum| match d {
        Datum::Certificate(index) => {
            let digest = draft.facts.associations.get(index)?.digest(1);
            let hex = data_encoding::HEXLOWER.encode(digest);
            Some(format!("beside the records of {} that are there: {} TLSA 3 1 1 {hex}", key.owner, key.owner))
        }
        _ => None,
    };
    added.iter().filter_map(line).collect()
}

/// The TLSA records at some ports. That there was none hurts nobody who still believes it.
pub(in crate::cutover) fn keys_at(draft: &Draft, ports: &BTreeSet<u16>) -> Vec<CacheKey> {
    let at = |k: &&CacheKey| {
        k.kind == CacheKind::Tlsa && policies::endpoint(&k.owner).is_some_and(|(port, _)| ports.contains(&port))
    };
    draft.facts.world.records.keys().filter(at).cloned().collect()
}

/// The TLSA records of hosts in a view, those that were there before.
pub(in crate::cutover) fn keys_of<'n>(
    draft: &Draft,
    view: ViewId,
    hosts: impl IntoIterator<Item = &'n crate::model::name::Name>,
) -> Vec<CacheKey> {
    let hosts: BTreeSet<_> = hosts.into_iter().collect();
    let of = |k: &&CacheKey| {
        k.kind == CacheKind::Tlsa
            && k.view == view
            && policies::endpoint(&k.owner).is_some_and(|(_, host)| hosts.contains(&host))
    };
    draft.facts.world.records.keys().filter(of).cloned().collect()
}
