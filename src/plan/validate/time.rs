//! Durations and dates as the plan writes them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::reader::Reader;
use crate::model::source::Located;
use crate::plan::error::PlanError;
use crate::plan::raw::{Node, Value};

const UNITS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];
const DURATION: &str = "a duration such as \"90s\", \"5m\", \"1h30m\" or \"1d\", or whole seconds";
/// The greatest TTL (RFC 2181 section 8).
pub(super) const MOST: u32 = i32::MAX as u32;

/// Which end of a day a date without time means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// Its first instant.
    From,
    /// The first instant of the next day: the day itself is included.
    Until,
}

impl Reader<'_> {
    /// A duration in milliseconds.
    pub(super) fn millis(&self, node: &Node) -> Option<u64> {
        let read = match &node.value {
            Value::Integer(Some(seconds)) => u64::try_from(*seconds).ok().and_then(|s| s.checked_mul(1000)),
            Value::String(text) => duration(text.trim()),
            _ => return self.wrong(node, DURATION),
        };
        read.or_else(|| self.note(PlanError::at(node.span, "not a duration", format!("expected {DURATION}"))))
    }

    /// A duration in whole seconds, at most the greatest TTL.
    pub(super) fn seconds(&self, node: &Node) -> Option<Located<u32>> {
        let millis = self.millis(node)?;
        match u32::try_from(millis / 1000).ok().filter(|s| *s <= MOST && millis % 1000 == 0) {
            Some(seconds) => Some(Located::new(seconds, node.span)),
            None => self.note(PlanError::at(
                node.span,
                "duration out of range",
                format!("expected 0 to {MOST} whole seconds"),
            )),
        }
    }

    /// An instant, or a day of which one edge counts.
    pub(super) fn instant(&self, node: &Node, edge: Edge) -> Option<Timestamp> {
        let text = match &node.value {
            Value::String(text) | Value::Date(text) => text.trim(),
            _ => return self.wrong(node, "a date such as 2027-03-31"),
        };
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(instant);
        }
        if text.len() == 10
            && let Some(instant) = text.parse::<Date>().ok().and_then(|date| midnight(date, edge))
        {
            return Some(instant);
        }
        let error = match text.parse::<DateTime>() {
            Ok(_) if text.len() > 10 => {
                PlanError::at(node.span, "time without its zone", "expected an offset from UTC")
                    .help(format!("for UTC: {}Z", text.replace(' ', "T")))
            }
            _ => PlanError::at(node.span, "not a date", "expected a date such as 2027-03-31 or 2026-11-21T22:00:00Z"),
        };
        self.note(error)
    }
}

fn midnight(date: Date, edge: Edge) -> Option<Timestamp> {
    let day = match edge {
        Edge::From => date,
        Edge::Until => date.checked_add(1.day()).ok()?,
    };
    day.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp())
}

/// Milliseconds of `1h30m` and the like: numbers with units, the greater first.
fn duration(text: &str) -> Option<u64> {
    let (mut rest, mut total, mut last) = (text, 0u64, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (_, unit) = UNITS.iter().find(|(word, _)| Some(*word) == rest.get(..letters))?;
        if *unit >= last {
            return None;
        }
        last = *unit;
        total = total.checked_add(number.checked_mul(*unit)?)?;
        rest = rest.get(letters..)?;
    }
    (last != u64::MAX).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, want) in [
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("90s", Some(90_000)),
            ("500ms", Some(500)),
            ("1d", Some(86_400_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("m", None),
            ("5m5m", None),
            ("5s1h", None),
            ("5 m", None),
            ("-5m", None),
            ("5min", None),
            ("99999999999999999999d", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(duration(text), want, "{text}");
        }
    }

    #[test]
    fn a_day_is_included_until_its_end() {
        let day: Date = "2027-03-31".parse().unwrap();
        let shown = |edge| midnight(day, edge).map(|t| t.to_string());
        assert_eq!(shown(Edge::From).as_deref(), Some("2027-03-31T00:00:00Z"));
        assert_eq!(shown(Edge::Until).as_deref(), Some("2027-04-01T00:00:00Z"));
        assert_eq!(midnight("9999-12-31".parse().unwrap(), Edge::Until), None);
    }
}
