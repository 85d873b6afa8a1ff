//! `phase`: where each view stands; `[phases]`: the calendar.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::reader::Reader;
use super::time::Edge;
use super::views::Views;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::PhaseDates;
use crate::model::source::{Located, Span};
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::Node;

const EXPECTED: &str = "expected before, coexistence or after, or a change such as \"before..coexistence\"";

/// Without `phase`, servers run side by side: that is what the tool is for, and a plan without phases is the same in all.
pub(super) fn standing(reader: &Reader, node: Option<&Node>, views: &Views) -> Vec<Moment> {
    let default = Moment::Steady(Phase::Coexistence);
    let Some(node) = node else {
        return views.ids().map(|_| default).collect();
    };
    if node.as_table().is_none() {
        let same = moment(reader, node).unwrap_or(default);
        return views.ids().map(|_| same).collect();
    }
    let per_view = views.each(reader, node);
    for (view, _) in views.0.iter().zip(&per_view).filter(|(_, node)| node.is_none()) {
        let title = format!("where does view `{}` stand?", view.label);
        reader.missing::<()>(PlanError::at(node.span, title, "expected the phase of each view"));
    }
    per_view.into_iter().map(|node| node.and_then(|n| moment(reader, n)).unwrap_or(default)).collect()
}

fn moment(reader: &Reader, node: &Node) -> Option<Moment> {
    let text = reader.string(node, "a phase")?;
    if let Some(moment) = Moment::parse(text.value) {
        return Some(moment);
    }
    let error = match text.value.split_once("..") {
        None => PlanError::at(text.span, format!("no such phase `{}`", text.value), EXPECTED)
            .maybe_help(reader.hint(text.value, keys::PHASES.iter().copied())),
        Some((from, to)) => match (Phase::of_word(from), Phase::of_word(to)) {
            (Some(_), Some(_)) => PlanError::at(text.span, "phases out of order", "a change leads to a later phase")
                .help("the order is before, coexistence, after"),
            (Some(_), None) => unknown(reader, text, to),
            (None, _) => unknown(reader, text, from),
        },
    };
    reader.note(error)
}

fn unknown(reader: &Reader, text: Located<&str>, word: &str) -> PlanError {
    let hint = reader.hint(word, keys::PHASES.iter().copied());
    PlanError::at(text.span, format!("no such phase `{word}`"), EXPECTED).maybe_help(hint)
}

/// The dates of the phases, which follow one another.
pub(super) fn calendar(reader: &Reader, node: Option<&Node>) -> BTreeMap<Phase, PhaseDates> {
    let mut out = BTreeMap::new();
    let Some(fields) = node.and_then(|node| reader.fields(node, "[phases]", keys::PHASE_TABLE)) else {
        return out;
    };
    for phase in Phase::ALL {
        if let Some(dates) = fields.get(phase.word()).and_then(|node| dates(reader, node)) {
            out.insert(phase, dates);
        }
    }
    in_order(reader, &out);
    out
}

fn dates(reader: &Reader, node: &Node) -> Option<PhaseDates> {
    let fields = reader.fields(node, "a phase", keys::PHASE)?;
    let edge = |key, edge| fields.get(key).and_then(|node| reader.instant(node, edge));
    let dates = PhaseDates { from: edge("from", Edge::From), until: edge("until", Edge::Until), span: node.span };
    match (dates.from, dates.until) {
        (Some(from), Some(until)) if from >= until => {
            reader.note(PlanError::at(node.span, "phases out of order", "it ends before it begins"))
        }
        _ => Some(dates),
    }
}

/// A phase begins when the one before it has ended; both may fall on one day.
fn in_order(reader: &Reader, calendar: &BTreeMap<Phase, PhaseDates>) {
    let mut latest: Option<(Timestamp, Phase, Span)> = None;
    for (phase, dates) in calendar {
        let begin = dates.from.or(dates.until).and_then(|t| t.checked_add(SignedDuration::from_hours(24)).ok());
        if let (Some(begin), Some((end, before, span))) = (begin, latest)
            && begin < end
        {
            let error =
                PlanError::at(dates.span, "phases out of order", format!("{phase} begins before {before} ends"));
            reader.note::<()>(error.other(span, format!("{before} is given here")));
        }
        let end = dates.until.max(dates.from).map(|end| (end, *phase, dates.span));
        latest = latest.max(end);
    }
}
