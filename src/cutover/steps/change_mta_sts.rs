//! The policy of which hosts may take a domain's mail (RFC 8461): wide enough for old and new before mail moves, for as long
//! as senders keep the old policy; only the new hosts once no mail goes to the old ones.

use std::collections::BTreeSet;

use super::{blank, check, of_records, words};
use crate::cutover::draft::Draft;
use crate::cutover::words::{data, list};
use crate::model::cutover::{CacheKey, CacheKind, Change, Datum, StepKind, Undo};

/// Old and new hosts.
pub(in crate::cutover) fn widen(draft: &mut Draft) {
    let why = "a sender that keeps the old policy delivers to no host that does not stand in it";
    add(draft, why, Draft::widened);
}

/// New hosts only.
pub(in crate::cutover) fn narrow(draft: &mut Draft) {
    add(draft, "a host that takes no mail any more needs no leave", Draft::wanted);
}

fn add<'d>(draft: &mut Draft<'d>, why: &'static str, of: fn(&Draft<'d>, &CacheKey) -> BTreeSet<Datum>) {
    let data_of = |key: &CacheKey| of(draft, key);
    let wanted = draft.facts.goal.sets.keys().filter(|k| k.kind == CacheKind::MtaSts);
    let keys: Vec<CacheKey> =
        wanted.filter(|k| draft.now(k).is_none_or(|now| now.data != data_of(k))).cloned().collect();
    let Some(first) = keys.first().cloned() else { return };
    let age = |key: &CacheKey| {
        let mail = draft.plan.mail.iter().find(|m| m.domain == key.owner);
        let declared = mail.and_then(|m| m.mta_sts.as_ref()).map(|policy| policy.max_age.value);
        declared.or(draft.now(key).map(|set| set.ttl)).unwrap_or(0)
    };
    let changes: Vec<Change> = keys.iter().map(|k| draft.becomes(k, Some((data_of(k), age(k))))).collect();
    let mut domains: Vec<&CacheKey> = keys.iter().collect();
    domains.dedup_by(|a, b| a.owner == b.owner);
    let what = list(domains.iter().map(|k| format!("{} allows {}", k.owner, data(&data_of(k)))));
    let is_wider = changes.iter().all(|c| match c {
        Change::Records { old: Some(old), new: Some(new), .. } => new.data.is_superset(&old.data),
        _ => true,
    });
    let lines: BTreeSet<String> = keys.iter().map(|k| policy(k, &data_of(k), age(k))).collect();
    let back: BTreeSet<String> =
        keys.iter().filter_map(|k| draft.now(k).map(|set| policy(k, &set.data, age(k)))).collect();
    let mut on_the_way: Vec<CacheKey> = keys.clone();
    on_the_way.extend(super::flip::flipped(draft));
    let (waits, not_before) = draft.forgetting(&on_the_way);
    let step = blank(StepKind::ChangeMtaSts, what, why);
    let mut step = of_records(draft, step, first.view, changes);
    if keys.iter().any(|k| k.view != first.view) {
        step.view = None;
    }
    if !is_wider {
        (step.waits, step.not_before) = (waits, not_before);
    }
    step.places = domains.iter().map(|k| k.owner.shared()).collect();
    step.commands = vec![words(&"".into(), lines)];
    step.span = draft.plan.mail.iter().find(|m| m.domain == first.owner).map(|m| m.span).unwrap_or_default();
    step.in_window = true;
    step.verify = Some(check(draft, "--only dns"));
    let propagation = draft.plan.cutover.propagation.iter().max().copied().unwrap_or(0);
    step.undo = step.undo.map(|u| Undo {
        how: "the old policy again, under a new id".into(),
        // What is allowed besides hurts nobody while it is still kept.
        settles: if is_wider { propagation } else { u.settles },
        commands: vec![words(&"".into(), back)],
    });
    draft.push(step);
}

/// The policy as it is published, on one line.
fn policy(key: &CacheKey, hosts: &BTreeSet<Datum>, age: u32) -> String {
    let patterns = hosts.iter().filter_map(|d| match d {
        Datum::Host(host) => Some(format!("mx: {host}")),
        _ => None,
    });
    let patterns = patterns.collect::<Vec<_>>().join(" / ");
    format!(
        "publish at https://mta-sts.{0}/.well-known/mta-sts.txt: version: STSv1 / mode: enforce / {patterns} / max_age: {age}; then give _mta-sts.{0} TXT a new id",
        key.owner
    )
}

/// The policies of mail domains in a view.
pub(in crate::cutover) fn keys_of<'n>(
    view: crate::model::plan::ViewId,
    domains: impl IntoIterator<Item = &'n crate::model::name::Name>,
) -> Vec<CacheKey> {
    let key = |owner: &crate::model::name::Name| CacheKey { view, owner: owner.clone(), kind: CacheKind::MtaSts };
    domains.into_iter().map(key).collect()
}
