//! The words that several rules share: certificates, endpoints, names and times, each always said the same way.

mod answer;
mod banner;
mod certificate;
mod endpoint;
mod next;
mod subject;
mod unseen;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::case::Case;
use super::draft::Item;
use crate::model::plan::{NameId, Plan, ViewId};

pub(super) use answer::*;
pub(super) use banner::*;
pub(super) use certificate::*;
pub(super) use endpoint::*;
pub(super) use next::{again, reach, stand};
pub(super) use subject::*;
pub(super) use unseen::*;

/// How many of a kind are listed before "and N more".
const LISTED: usize = 12;

/// `a, b and c`; long lists are cut.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_string(),
        many if many.len() > LISTED => format!("{} and {} more", many[..LISTED].join(", "), many.len() - LISTED),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The names that items are about, each once, in the plan's order.
pub(super) fn names(items: &[Item]) -> Vec<NameId> {
    items.iter().map(|i| i.obligation.name).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Names in words.
pub(super) fn name_list(plan: &Plan, names: &[NameId]) -> String {
    list(names.iter().map(|n| plan.name(*n).name.as_str()))
}

/// A view's label.
pub(super) fn view(plan: &Plan, view: ViewId) -> &str {
    &plan.view(view).label
}

/// Views in words.
pub(super) fn view_list<'a>(plan: &'a Plan, views: impl IntoIterator<Item = ViewId>) -> String {
    let labels: Vec<&'a str> = views.into_iter().map(|v| view(plan, v)).collect();
    list(labels)
}

/// At most so many lines, and how many were left out.
pub(super) fn cut(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LISTED {
        let more = lines.len() - LISTED;
        lines.truncate(LISTED);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// When the observations of items were made: `21:04`, or with the date if they span days.
pub(super) fn when(case: &Case, items: &[Item]) -> String {
    let times = items.iter().flat_map(|i| &i.problem.looks).map(|l| case.evidence.look(*l).at);
    times.max().map_or_else(String::new, |t| t.strftime("%Y-%m-%d %H:%MZ").to_string())
}

/// A minute, the one after if seconds are left.
pub(super) fn minute(time: Timestamp) -> String {
    let up = time.checked_add(jiff::SignedDuration::from_secs(59)).unwrap_or(time);
    up.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// A day.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Seconds as an administrator says them.
pub(super) fn duration(seconds: i64) -> String {
    match seconds {
        s if s >= 172_800 && s % 3600 == 0 => format!("{} d {} h", s / 86_400, s % 86_400 / 3600).replace(" 0 h", ""),
        s if s >= 7200 => format!("{} h {} min", s / 3600, s % 3600 / 60).replace(" 0 min", ""),
        s if s >= 120 => format!("{} min", (s + 59) / 60),
        s => format!("{s} s"),
    }
}

/// How many, with the right ending.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}
