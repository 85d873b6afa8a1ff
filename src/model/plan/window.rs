//! Hours of the week in which changes may be made.

use std::fmt;

use jiff::civil::Weekday;

/// Some hours on some days of the week, by the clock on the administrator's wall: `Mon-Thu 20:00-06:00`. A window that
/// ends no later than it begins ends on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The days on which it begins, Monday first.
    pub days: [bool; 7],
    /// When it begins, in minutes after midnight.
    pub from: u16,
    /// When it ends, in minutes after midnight; 1440 is the end of the day.
    pub until: u16,
}

/// The words of the days, Monday first.
pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Minutes of a day.
const DAY: u16 = 1440;

impl Window {
    /// Reads `Mon-Thu 20:00-06:00`, `Sat,Sun 00:00-24:00` or `Fri 22:00-02:00`; says what is wrong.
    ///
    /// # Errors
    /// What was expected, for a caret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wanted = "expected days and hours such as \"Mon-Thu 20:00-06:00\"";
        let mut words = text.split_ascii_whitespace();
        let (Some(days), Some(hours), None) = (words.next(), words.next(), words.next()) else {
            return Err(wanted.into());
        };
        let (from, until) = hours.split_once('-').ok_or(wanted)?;
        let window = Self { days: parse_days(days)?, from: minutes(from)?, until: minutes(until)? };
        match (window.from, window.from == window.until) {
            (DAY, _) => Err("a window begins at 00:00 to 23:59".into()),
            (_, true) => Err("the window is empty; a whole day is 00:00-24:00".into()),
            _ => Ok(window),
        }
    }

    /// True if it begins on this day.
    pub fn begins_on(&self, day: Weekday) -> bool {
        usize::try_from(day.to_monday_zero_offset()).is_ok_and(|day| self.days[day])
    }

    /// For how many days it goes on after the day on which it begins: 0 or 1.
    pub fn ends_next_day(&self) -> bool {
        self.until <= self.from
    }
}

fn parse_days(text: &str) -> Result<[bool; 7], String> {
    let day = |word: &str| {
        let known = DAYS.iter().position(|d| d.eq_ignore_ascii_case(word));
        known.ok_or_else(|| format!("`{word}` is no day; the days are {}", DAYS.join(", ")))
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(part)?, day(part)?),
        };
        // `Fri-Mon` goes over the end of the week.
        let count = (last + 7 - first) % 7;
        (0..=count).for_each(|i| days[(first + i) % 7] = true);
    }
    Ok(days)
}

fn minutes(text: &str) -> Result<u16, String> {
    let wanted = || format!("`{text}` is no time of the day; expected 00:00 to 24:00");
    let (hours, minutes) = text.split_once(':').ok_or_else(wanted)?;
    let number = |t: &str| match t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()) {
        true => t.parse::<u16>().map_err(|_| wanted()),
        false => Err(wanted()),
    };
    match (number(hours)?, number(minutes)?) {
        (h @ 0..=23, m @ 0..=59) => Ok(h * 60 + m),
        (24, 0) => Ok(DAY),
        _ => Err(wanted()),
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = DAYS.iter().zip(self.days).filter(|(_, on)| *on).map(|(d, _)| *d).collect();
        let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
        write!(f, "{} {}-{}", days.join(","), clock(self.from), clock(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_days_and_hours() {
        for (text, shown) in [
            ("Mon-Thu 20:00-06:00", "Mon,Tue,Wed,Thu 20:00-06:00"),
            ("sat,sun 00:00-24:00", "Sat,Sun 00:00-24:00"),
            ("Fri-Mon 22:00-02:00", "Mon,Fri,Sat,Sun 22:00-02:00"),
        ] {
            assert_eq!(Window::parse(text).map(|w| w.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_window_says_why() {
        for (text, word) in [
            ("", "expected days"),
            ("Mon", "expected days"),
            ("20:00-06:00", "expected days"),
            ("Mon-Thu 20:00", "expected days"),
            ("Mon-Thu 20:00-06:00 UTC", "expected days"),
            ("Mo-Th 20:00-06:00", "`Mo` is no day"),
            ("Mon 8:00-20:00", "no time of the day"),
            ("Mon 25:00-20:00", "no time of the day"),
            ("Mon 24:00-20:00", "begins at"),
            ("Mon 20:00-20:00", "empty"),
        ] {
            assert!(Window::parse(text).unwrap_err().contains(word), "{text}");
        }
    }
}
