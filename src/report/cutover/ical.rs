//! A calendar (RFC 5545): the whole with what it takes for granted, then gates, flips, and the end of each wait.

use std::io::{self, Write};

use sha2::Digest;

use super::telling::{Telling, label};
use crate::model::cutover::{Cutover, Second, Step, StepKind};
use crate::model::text::shown;

/// Octets of a line without its end (RFC 5545 section 3.1).
const LINE: usize = 75;

/// One entry.
struct Event {
    id: String,
    start: Second,
    end: Second,
    summary: String,
    description: String,
}

/// Writes a calendar; one without a beginning has no entries, for it has no times.
pub(super) fn write(cutover: &Cutover, out: &mut dyn Write) -> io::Result<()> {
    let telling = Telling::of(cutover);
    let mut lines: Vec<String> = vec!["BEGIN:VCALENDAR".into(), "VERSION:2.0".into()];
    lines.push(format!("PRODID:-//coexist//coexist {}//EN", env!("CARGO_PKG_VERSION")));
    lines.push("METHOD:PUBLISH".into());
    let steps = cutover.timeline.steps.iter().enumerate();
    for event in whole(&telling).into_iter().chain(steps.flat_map(|(i, step)| events(&telling, i, step))) {
        lines.extend(entry(cutover, &event));
    }
    lines.push("END:VCALENDAR".into());
    lines.iter().try_for_each(|line| out.write_all(folded(line).as_bytes()))
}

/// The whole, from its beginning to the end of its last wait: whoever keeps only the calendar learns whether it is safe, and
/// on which conditions.
fn whole(telling: &Telling) -> Option<Event> {
    let cutover = telling.cutover;
    let end = cutover.schedule.iter().map(|s| s.settled.max(s.end)).max()?;
    let mut description = vec![format!("proof: {}", telling.proof())];
    description.extend(telling.against().into_iter().map(|(mark, line)| format!("{mark} {line}")));
    description.extend(telling.cure());
    let section = |title: &str, all: Vec<String>| (!all.is_empty()).then(|| format!("{title}: {}", all.join("; ")));
    description.extend(section("until", cutover.proof.deadlines.iter().map(|d| telling.deadline(d)).collect()));
    description.extend(section("taken for granted", cutover.assumptions.iter().map(|a| a.text.clone()).collect()));
    description.extend(section("not known", cutover.unknown.clone()));
    Some(Event {
        id: "whole".into(),
        start: 0,
        end,
        summary: format!("{}: cutover {} to {}", telling.verdict(), cutover.from, cutover.to),
        description: description.join("\n"),
    })
}

fn events(telling: &Telling, index: usize, step: &Step) -> Vec<Event> {
    let Some(schedule) = telling.cutover.schedule.get(index) else { return Vec::new() };
    let mut all = Vec::new();
    if matches!(step.kind, StepKind::Gate | StepKind::Flip) || step.gate.is_some() {
        let mut description = vec![step.why.to_string()];
        description.extend(step.gate.iter().map(|g| g.command.to_string()));
        description.extend(telling.way_back(step));
        all.push(Event {
            id: format!("step-{}", index + 1),
            start: schedule.start,
            end: schedule.end,
            summary: format!("{}. {} {}", index + 1, label(step.kind), step.what),
            description: description.join("\n"),
        });
    }
    if schedule.settled > schedule.end {
        let waiting = telling.cutover.timeline.steps.iter().flat_map(|s| &s.waits).filter(|w| w.after == index);
        // Steps in several views may wait for the same.
        let mut why: Vec<String> = waiting.map(|w| w.why.to_string()).collect();
        why.sort();
        why.dedup();
        all.push(Event {
            id: format!("wait-{}", index + 1),
            start: schedule.end,
            end: schedule.settled,
            summary: format!("wait for {}. {} {}", index + 1, label(step.kind), step.what),
            description: why.join("\n"),
        });
    }
    all
}

fn entry(cutover: &Cutover, event: &Event) -> Vec<String> {
    let at = |second: Second| cutover.timeline.at(second).map(stamp);
    let (Some(start), Some(end)) = (at(event.start), at(event.end)) else { return Vec::new() };
    vec![
        "BEGIN:VEVENT".into(),
        format!("UID:{}@coexist.invalid", uid(cutover, event)),
        format!("DTSTAMP:{}", stamp(cutover.now)),
        format!("DTSTART:{start}"),
        format!("DTEND:{end}"),
        format!("SUMMARY:{}", text(&event.summary)),
        format!("DESCRIPTION:{}", text(&event.description)),
        "TRANSP:TRANSPARENT".into(),
        "END:VEVENT".into(),
    ]
}

/// The same entry has the same name each time, so that a calendar takes a later version for the same.
fn uid(cutover: &Cutover, event: &Event) -> String {
    let what = format!("{}\0{}\0{}\0{}", cutover.plan, cutover.from, cutover.to, event.id);
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(what)[..16])
}

fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 5545 section 3.3.11.
fn text(text: &str) -> String {
    let lines = text.split('\n').map(|line| shown(line).replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,"));
    lines.collect::<Vec<_>>().join("\\n")
}

/// RFC 5545 section 3.1: long lines go on after a line end and a blank, and no character is cut.
fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_in_its_line() {
        assert_eq!(text("a;b,c\\d\r\nEND:VEVENT"), "a\\;b\\,c\\\\d\\\\r\\nEND:VEVENT");
    }

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let line = format!("SUMMARY:{}", "ü".repeat(60));
        let folded = folded(&line);
        assert!(folded.split("\r\n").all(|l| l.len() <= LINE), "{folded}");
        assert_eq!(folded.replace("\r\n ", ""), format!("{line}\r\n"));
    }
}
