//! Let services read their certificate again: daemons hold a copy until they are told to reload.

use super::bind_certificate::{node, on, places, serving};
use super::blank;
use crate::cutover::draft::Draft;
use crate::cutover::needs::is_reloaded;
use crate::cutover::words::list;
use crate::model::cutover::{Change, StepKind};

pub(in crate::cutover) fn add(draft: &mut Draft, changes: &[Change]) {
    let read: Vec<Change> =
        changes.iter().filter(|c| node(c).is_some_and(|n| is_reloaded(draft, n))).cloned().collect();
    if !read.is_empty() {
        let what = list(places(&read).iter().map(|n| on(draft, &read, *n)));
        let why = "every daemon holds a copy of its certificate until it is told to read it again";
        let step = serving(draft, blank(StepKind::RestartService, what, why), read);
        draft.push(step);
    }
}
