//! The order of the steps, safe by construction: TTLs first, for they wait longest; certificates everywhere before records
//! and flips; names before anybody is told of them; each view on its own, inside first; mail after web; and nothing is taken
//! away before no cache leads there.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::needs;
use super::steps::{
    bind_certificate, change_mta_sts, change_mx, change_pool_members, change_spf, change_tlsa, complete_request,
    create_record, decommission_server, delete_pfx, drain, export_certificate, flip, gate, import_certificate,
    lower_ttl, order_certificate, publish_at_proxy, put_into_rotation, raise_ttl, rekey, remove_record,
    repin_connector, repoint_address, restart_service, retire_certificate, set_redirect, set_url, take_out_of_rotation,
};
use crate::model::cutover::{CacheKind, Change, NodeId};

/// So many members of pools are taken out of rotation one by one.
const ONE_BY_ONE: usize = 8;

pub(super) fn order(draft: &mut Draft) {
    rekey::decide(draft);
    if is_there(draft) {
        note_arrived(draft);
        raise(draft, None);
        return;
    }
    let views = draft.views();
    views.iter().for_each(|v| lower_ttl::add(draft, *v));
    change_mta_sts::widen(draft);
    change_spf::widen(draft);
    certificates(draft);
    if needs_servers(draft) {
        gate::served(draft);
    }
    names(draft);
    moves(draft);
    clean_up(draft);
}

/// True if all that can be observed is as wanted.
fn is_there(draft: &Draft) -> bool {
    let goal = &draft.facts.goal;
    let keys = draft.world.records.keys().chain(goal.sets.keys()).filter(|k| k.kind != CacheKind::Hsts);
    let served = goal.serving.iter().all(|(key, wanted)| draft.world.serving.get(key) == Some(wanted));
    let routed = goal.routes.iter().all(|(key, nodes)| draft.world.routes.get(key) == Some(nodes));
    let redirected = draft.facts.observed || draft.world.redirects == goal.redirects;
    let mut keys = keys.filter(|k| draft.differs(k));
    keys.next().is_none() && served && routed && redirected && !draft.has_idle_servers()
}

/// True if clients will be sent somewhere.
fn needs_servers(draft: &Draft) -> bool {
    let goal = &draft.facts.goal;
    let begins = |node, names: &BTreeSet<_>| {
        let now = draft.world.redirects.get(node);
        names.iter().any(|n| now.is_none_or(|now| !now.contains(n)))
    };
    goal.sets.keys().any(|k| draft.differs(k))
        || repoint_address::is_due(draft)
        || goal.redirects.iter().any(|(node, names)| begins(node, names))
}

fn note_arrived(draft: &mut Draft) {
    if draft.world.redirects != draft.facts.goal.redirects {
        let line = "whether servers tell their clients the new URLs and redirects: no recording shows it";
        draft.facts.unknown.insert(line.into());
    }
}

fn certificates(draft: &mut Draft) {
    let needs = needs::needs(draft);
    order_certificate::add(draft, &needs);
    rekey::add(draft, &needs);
    complete_request::add(draft, &needs);
    change_tlsa::widen(draft);
    export_certificate::add(draft, &needs);
    import_certificate::add(draft, &needs);
    let changes = needs::before_the_flip(draft);
    let (pooled, others) = in_rotation(draft, &changes);
    bind_certificate::add(draft, &others);
    restart_service::add(draft, &others);
    for node in pooled {
        let own: Vec<Change> = changes.iter().filter(|c| bind_certificate::node(c) == Some(node)).cloned().collect();
        take_out_of_rotation::add(draft, node);
        bind_certificate::add(draft, &own);
        restart_service::add(draft, &own);
        put_into_rotation::add(draft, node);
    }
    repin_connector::add(draft, &changes);
}

/// Members of pools that clients meet today and whose certificate changes, one after the other; of very many all at once.
fn in_rotation(draft: &Draft, changes: &[Change]) -> (Vec<NodeId>, Vec<Change>) {
    let pools: BTreeSet<NodeId> = draft.world.routes.values().filter(|s| s.len() > 1).flatten().copied().collect();
    let serves = |c: &&Change| matches!(c, Change::Serving { old: Some(_), .. });
    let nodes = changes.iter().filter(serves).filter_map(bind_certificate::node).filter(|n| pools.contains(n));
    let nodes: BTreeSet<NodeId> = nodes.collect();
    if nodes.len() > ONE_BY_ONE {
        return (Vec::new(), changes.to_vec());
    }
    let others = changes.iter().filter(|c| bind_certificate::node(c).is_none_or(|n| !nodes.contains(&n)));
    let others = others.cloned().collect();
    (nodes.into_iter().collect(), others)
}

fn names(draft: &mut Draft) {
    let views = draft.views();
    publish_at_proxy::add(draft);
    views.iter().for_each(|v| create_record::add(draft, *v));
    views.iter().for_each(|v| create_record::add_services(draft, *v));
    let redirected = set_redirect::targets(draft);
    set_url::add(draft, &redirected);
    set_redirect::add(draft);
}

fn moves(draft: &mut Draft) {
    let views = draft.views();
    let before = draft.steps.len();
    if views.iter().any(|v| flip::is_due(draft, *v)) || repoint_address::is_due(draft) {
        gate::ready(draft);
    }
    change_pool_members::add(draft);
    for (i, view) in views.iter().enumerate() {
        let count = draft.steps.len();
        repoint_address::add(draft, *view);
        flip::add(draft, *view);
        if draft.steps.len() > count && i + 1 < views.len() {
            gate::arrived(draft, *view);
        }
    }
    if views.iter().any(|v| change_mx::is_due(draft, *v)) {
        views.iter().for_each(|v| change_mx::add(draft, *v));
        set_url::add(draft, &[]);
    }
    if draft.steps.len() > before {
        let keys = flip::flipped(draft);
        drain::add(draft, &keys);
    }
    change_spf::narrow(draft);
    change_mta_sts::narrow(draft);
}

fn clean_up(draft: &mut Draft) {
    let views = draft.views();
    if views.iter().any(|v| remove_record::is_due(draft, *v)) {
        gate::between(draft);
        set_redirect::end(draft);
        set_url::end(draft);
        views.iter().for_each(|v| remove_record::add(draft, *v));
        let keys = flip::flipped(draft);
        drain::add(draft, &keys);
    } else {
        set_redirect::end(draft);
        set_url::end(draft);
    }
    let accepted = gate::all(draft);
    delete_pfx::add(draft);
    retire_certificate::add(draft);
    change_tlsa::narrow(draft);
    rekey::retire(draft);
    decommission_server::add(draft);
    raise(draft, Some(accepted));
}

fn raise(draft: &mut Draft, after: Option<usize>) {
    let views = draft.views();
    views.iter().for_each(|v| raise_ttl::add(draft, *v, after));
}
