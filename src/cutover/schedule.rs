//! When each step starts and ends by the calendar, as early as it may.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::model::cutover::{Schedule, Second, Step, Timeline};
use crate::model::plan::Window;

/// The calendar of all steps. Windows, of each view its own, are kept where second 0 is known.
pub(super) fn schedule(timeline: &Timeline, windows: &[Vec<Window>], zone: Option<&TimeZone>) -> Vec<Schedule> {
    let mut out: Vec<Schedule> = Vec::with_capacity(timeline.steps.len());
    let all = windows.concat();
    for step in &timeline.steps {
        let windows = step.view.map_or(Some(&all), |view| windows.get(view.0)).map_or(&[][..], Vec::as_slice);
        let previous = out.last().map_or(0, |s: &Schedule| s.end);
        let waits = step.waits.iter().filter_map(|w| Some(out.get(w.after)?.end + i64::from(w.seconds)));
        let earliest = waits.chain([previous]).chain(step.not_before).chain(step.at).max().unwrap_or(0);
        let start = match timeline.zero {
            Some(zero) if step.in_window && !windows.is_empty() => in_window(zero, earliest, step, windows, zone),
            _ => earliest,
        };
        let end = start + i64::from(step.ending.estimate());
        out.push(Schedule { start, end, settled: end });
    }
    for step in &timeline.steps {
        for wait in &step.waits {
            if let Some(awaited) = out.get_mut(wait.after) {
                awaited.settled = awaited.settled.max(awaited.end + i64::from(wait.seconds));
            }
        }
    }
    out
}

/// The first second from `earliest` on at which a window is open, and stays open for as long as the step takes, if any
/// window is that long.
fn in_window(zero: Timestamp, earliest: Second, step: &Step, windows: &[Window], zone: Option<&TimeZone>) -> Second {
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    let Ok(at) = zero.checked_add(SignedDuration::from_secs(earliest)) else { return earliest };
    let takes = i64::from(step.ending.estimate());
    let open = openings(at, windows, &zone);
    let fits = |enough: i64| {
        let starts = open.iter().filter_map(|(from, until)| {
            let start = at.as_second().max(*from);
            (start + enough.max(1) <= *until).then_some(start)
        });
        starts.min()
    };
    let start = fits(takes).or_else(|| fits(1));
    start.map_or(earliest, |start| start - zero.as_second())
}

/// When windows open and close from the day before on, for two weeks: every window opens in each week. Days are civil days
/// of the zone: a window is shorter or longer on the days on which clocks change.
fn openings(at: Timestamp, windows: &[Window], zone: &TimeZone) -> Vec<(i64, i64)> {
    let today = at.to_zoned(zone.clone()).date();
    let mut out = Vec::new();
    for offset in -1..14 {
        let Ok(day) = today.checked_add(offset.days()) else { continue };
        for window in windows.iter().filter(|w| w.begins_on(day.weekday())) {
            let end_day = if window.ends_next_day() { day.tomorrow().unwrap_or(day) } else { day };
            if let (Some(from), Some(until)) = (instant(day, window.from, zone), instant(end_day, window.until, zone)) {
                out.push((from, until));
            }
        }
    }
    // Windows that touch are one.
    out.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from, until) in out {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => joined.push((from, until)),
        }
    }
    joined
}

/// An instant of a day; a time that clocks skip is the one after the gap.
fn instant(day: Date, minutes: u16, zone: &TimeZone) -> Option<i64> {
    let (day, minutes) = if minutes >= 1440 { (day.tomorrow().ok()?, 0) } else { (day, minutes) };
    let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).ok()?;
    Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp().as_second())
}
