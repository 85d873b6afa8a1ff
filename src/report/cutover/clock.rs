//! Seconds of a cutover as clock times or, where nobody says when it begins, as offsets.

use jiff::tz::TimeZone;

use crate::model::cutover::{Cutover, Second, span};

/// Seconds of a week: beyond, the day of the week alone does not tell the day.
const WEEK: i64 = 7 * 86_400;

/// How times are told.
pub(super) struct Clock<'a> {
    cutover: &'a Cutover,
    zone: TimeZone,
    long: bool,
}

impl<'a> Clock<'a> {
    pub(super) fn of(cutover: &'a Cutover) -> Self {
        let zone = cutover.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let last = cutover.schedule.iter().map(|s| s.start).max().unwrap_or(0);
        Self { cutover, zone, long: last >= WEEK }
    }

    /// `Mon 20:00`, `2026-11-23 20:00` where a week is not enough, or `+1 d 4 h`.
    pub(super) fn at(&self, second: Second) -> String {
        match self.cutover.timeline.at(second) {
            Some(at) => {
                let format = if self.long { "%Y-%m-%d %H:%M" } else { "%a %H:%M" };
                at.to_zoned(self.zone.clone()).strftime(format).to_string()
            }
            None => format!("+{}", span(second)),
        }
    }

    /// The time alone where the day is that of `before`.
    pub(super) fn since(&self, second: Second, before: Option<Second>) -> String {
        let (now, then) = (self.at(second), before.map(|b| self.at(b)));
        let day = |text: &str| text.rsplit_once(' ').map(|(day, _)| day.to_string());
        match (self.cutover.timeline.zero, then) {
            (Some(_), Some(then)) if day(&now) == day(&then) => now.rsplit(' ').next().unwrap_or_default().to_string(),
            _ => now,
        }
    }

    /// Date, time and zone of the beginning; `None` if only offsets are known.
    pub(super) fn begin(&self) -> Option<String> {
        let at = self.cutover.timeline.at(0)?.to_zoned(self.zone.clone());
        Some(at.strftime("%a %Y-%m-%d %H:%M %Z").to_string())
    }

    /// An instant, in full.
    pub(super) fn instant(&self, at: jiff::Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }
}
