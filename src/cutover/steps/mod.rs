//! One file per kind of step. Each says what it is for and, given what holds and what is wanted, what is to be done, where,
//! after what, how it is seen to be done, and how it is undone.

pub(super) mod bind_certificate;
pub(super) mod change_mta_sts;
pub(super) mod change_mx;
pub(super) mod change_pool_members;
pub(super) mod change_spf;
pub(super) mod change_tlsa;
pub(super) mod complete_request;
pub(super) mod create_record;
pub(super) mod decommission_server;
pub(super) mod delete_pfx;
pub(super) mod drain;
pub(super) mod export_certificate;
pub(super) mod flip;
pub(super) mod gate;
pub(super) mod import_certificate;
pub(super) mod lower_ttl;
pub(super) mod order_certificate;
pub(super) mod publish_at_proxy;
pub(super) mod put_into_rotation;
pub(super) mod raise_ttl;
pub(super) mod rekey;
pub(super) mod remove_record;
pub(super) mod repin_connector;
pub(super) mod repoint_address;
pub(super) mod restart_service;
pub(super) mod retire_certificate;
pub(super) mod set_redirect;
pub(super) mod set_url;
pub(super) mod take_out_of_rotation;

use std::sync::Arc;

use super::draft::Draft;
use super::typing;
use crate::model::cutover::{Change, Ending, Script, Step, StepKind, Undo};
use crate::model::plan::ViewId;
use crate::model::source::Span;

/// Minutes of work at a server, in seconds, as a calendar counts them.
pub(super) const WORK: u32 = 600;
/// A few clicks or one command, in seconds.
pub(super) const QUICK: u32 = 300;

/// A step with nothing in it yet.
pub(super) fn blank(kind: StepKind, what: impl Into<Arc<str>>, why: impl Into<Arc<str>>) -> Step {
    Step {
        kind,
        what: what.into(),
        why: why.into(),
        places: Vec::new(),
        view: None,
        changes: Vec::new(),
        waits: Vec::new(),
        not_before: None,
        at: None,
        in_window: false,
        ending: Ending::Observed(QUICK),
        gate: None,
        verify: None,
        undo: None,
        reversible: true,
        commands: Vec::new(),
        span: Span::default(),
    }
}

/// A step that changes records of a view: done once all authoritative servers answer them, undone by the old ones.
pub(super) fn of_records(draft: &Draft, mut step: Step, view: ViewId, changes: Vec<Change>) -> Step {
    step.view = Some(view);
    step.places = vec![draft.label(view).clone()];
    step.ending = Ending::Observed(draft.propagation(view));
    let settles = changes.iter().map(|c| held_after(draft, c)).max().unwrap_or(0);
    step.undo = Some(Undo {
        how: "put back the old records".into(),
        settles: settles.saturating_add(draft.propagation(view)),
        commands: typing::records(draft, view, &changes.iter().map(Change::undone).collect::<Vec<_>>()),
    });
    step.commands = typing::records(draft, view, &changes);
    step.span = changes.iter().find_map(|c| span_of(draft, c)).unwrap_or_default();
    step.changes = changes;
    step
}

/// For how long caches may give what a change has brought, once it is taken back.
fn held_after(draft: &Draft, change: &Change) -> u32 {
    match change {
        Change::Records { old: Some(old), new: Some(new), .. } if old.data == new.data && new.ttl <= old.ttl => 0,
        Change::Records { key, new, .. } => draft.hold(key, new),
        _ => 0,
    }
}

fn span_of(draft: &Draft, change: &Change) -> Option<Span> {
    match change {
        Change::Records { key, .. } => draft.name(&key.owner).map(|n| n.span),
        _ => None,
    }
}

/// Words for whoever works at a place.
pub(super) fn words(on: &Arc<str>, lines: impl IntoIterator<Item = String>) -> Script {
    Script { on: on.clone(), shell: "words".into(), lines: lines.into_iter().collect() }
}

/// The command line of a check of this plan.
pub(super) fn check(draft: &Draft, rest: &str) -> Arc<str> {
    format!("coexist check {} {rest}", crate::commands::posix(&draft.plan.source.file)).into()
}
