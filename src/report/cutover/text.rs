//! The screen: what changes, the steps on the clock, the proof, and what nobody could know.

use std::io::{self, Write};

use super::cutover_status;
use super::telling::{Telling, label};
use crate::model::cutover::{Cutover, Step, StepKind, Wait};
use crate::model::text::shown;
use crate::report::Style;
use crate::report::ink::Ink;
use crate::report::wrap::{apart, columns, flow, hang};

pub(super) fn write(cutover: &Cutover, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen { cutover, telling: Telling::of(cutover), style, width: style.width };
    let mut lines = screen.header();
    if !style.quiet {
        lines.extend(screen.summary());
        lines.extend(screen.steps());
        lines.extend(screen.proof());
        lines.extend(screen.deadlines());
        lines.extend(screen.assumptions());
        lines.extend(screen.unknown());
    }
    let exit = format!("exit {}", cutover_status(cutover));
    let last = lines.pop().unwrap_or_default();
    match apart(&last, &exit, screen.width) {
        Some(line) => lines.push(line),
        None => lines.extend([last, format!("{}{exit}", " ".repeat(screen.width.saturating_sub(columns(&exit))))]),
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

struct Screen<'a> {
    cutover: &'a Cutover,
    telling: Telling<'a>,
    style: Style,
    width: usize,
}

impl Screen<'_> {
    fn header(&self) -> Vec<String> {
        let verdict = self.telling.verdict();
        let mut parts = vec![format!("{} -> {}", self.cutover.from, self.cutover.to)];
        parts.extend(self.telling.outline().iter().map(|part| shown(part)));
        let lines = flow(&format!("{verdict}   "), &parts, 3, 3, self.width);
        let ink = Ink(self.style.colour);
        lines.into_iter().enumerate().map(|(i, l)| if i == 0 { ink.begin(l, verdict) } else { l }).collect()
    }

    fn summary(&self) -> Vec<String> {
        let shown_lines = if self.style.verbose { usize::MAX } else { 12 };
        let all = &self.cutover.summary;
        let mut lines: Vec<String> =
            all.iter().take(shown_lines).flat_map(|l| hang(" ", &shown(l), 3, self.width)).collect();
        if all.len() > shown_lines {
            lines.push(format!(" and {} more (-v shows them)", all.len() - shown_lines));
        }
        lines
    }

    fn steps(&self) -> Vec<String> {
        let mut before = None;
        let clocks: Vec<String> = self
            .cutover
            .schedule
            .iter()
            .map(|s| {
                let text = self.telling.clock.since(s.start, before);
                before = Some(s.start);
                text
            })
            .collect();
        let wide = clocks.iter().map(|c| columns(c)).max().unwrap_or(0);
        let steps = self.cutover.timeline.steps.iter().enumerate().zip(clocks);
        steps.flat_map(|((i, step), clock)| self.one(i, step, &format!("{clock:>wide$}"))).collect()
    }

    fn one(&self, index: usize, step: &Step, clock: &str) -> Vec<String> {
        let head = format!("{clock} {:>2} {:<9} ", index + 1, label(step.kind));
        let indent = columns(clock) + 14;
        let parts: Vec<String> = [shown(&step.what)].into_iter().chain(commands(step)).collect();
        let mut lines = flow(&head, &parts, 3, indent, self.width);
        let mut more = |text: String| lines.extend(hang(&" ".repeat(indent), &shown(&text), indent, self.width));
        if let Some(gate) = &step.gate {
            more(gate.command.to_string());
        }
        if self.style.verbose {
            more(format!("why: {}", step.why));
        }
        let until = |w: &&Wait| self.telling.until(w);
        match self.style.verbose {
            true => step.waits.iter().for_each(|w| more(self.telling.wait(w))),
            false => step.waits.iter().max_by_key(until).into_iter().for_each(|w| more(self.telling.wait(w))),
        }
        if let Some(second) = step.not_before {
            more(format!("not before {}: caches may remember what was there before", self.telling.clock.at(second)));
        }
        self.telling.way_back(step).into_iter().for_each(&mut more);
        if self.style.verbose {
            self.details(step).into_iter().for_each(&mut more);
        }
        lines
    }

    fn details(&self, step: &Step) -> Vec<String> {
        let mut out = Vec::new();
        for script in &step.commands {
            let on = if script.on.is_empty() { String::new() } else { format!(" on {}", script.on) };
            out.push(format!("{}{on}:", script.shell));
            out.extend(script.lines.iter().map(|line| format!("  {line}")));
        }
        out.extend(step.verify.iter().map(|v| format!("done when: {v}")));
        out
    }

    fn proof(&self) -> Vec<String> {
        let mut lines = hang("PROOF  ", &shown(&self.telling.proof()), 7, self.width);
        for (mark, line) in self.telling.against() {
            lines.extend(hang(&format!("{mark}      "), &shown(&line), 7, self.width));
        }
        lines.extend(self.telling.cure().into_iter().flat_map(|cure| hang("CURE   ", &shown(&cure), 7, self.width)));
        lines
    }

    fn deadlines(&self) -> Vec<String> {
        let line = |d| hang("UNTIL  ", &shown(&self.telling.deadline(d)), 7, self.width);
        self.cutover.proof.deadlines.iter().flat_map(line).collect()
    }

    fn assumptions(&self) -> Vec<String> {
        let texts: Vec<String> = self.cutover.assumptions.iter().map(|a| shown(&a.text)).collect();
        if texts.is_empty() || self.cutover.timeline.steps.is_empty() {
            return Vec::new();
        }
        hang("ASSUMED  ", &format!("{}.", texts.join("; ")), 9, self.width)
    }

    fn unknown(&self) -> Vec<String> {
        let all = &self.cutover.unknown;
        let prefix = |i: usize| if i == 0 { "NOT KNOWN  " } else { "           " };
        all.iter().enumerate().flat_map(|(i, l)| hang(prefix(i), &shown(l), 11, self.width)).collect()
    }
}

fn commands(step: &Step) -> Option<String> {
    let count = |words: bool| -> usize {
        step.commands.iter().filter(|s| (&*s.shell == "words") == words).map(|s| s.lines.len()).sum()
    };
    match (step.kind, count(false), count(true)) {
        (StepKind::Gate | StepKind::Drain, ..) | (_, 0, 0) => None,
        (_, 0, words) => Some(format!("[words: {words}]")),
        (_, commands, _) => Some(format!("[commands: {commands}]")),
    }
}
