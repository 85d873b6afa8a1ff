//! The screen: what changes, the steps on the clock, the proof, and what nobody could know.

use std::io::{self, Write};

use super::clock::Clock;
use super::cutover_status;
use crate::model::cutover::{Cutover, Step, StepKind, Verdict, Wait, Witness, moved_words, span};
use crate::model::text::shown;
use crate::report::Style;
use crate::report::ink::Ink;
use crate::report::wrap::{apart, columns, flow, hang};

pub(super) fn write(cutover: &Cutover, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen { cutover, clock: Clock::of(cutover), style, width: style.width };
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
    clock: Clock<'a>,
    style: Style,
    width: usize,
}

impl Screen<'_> {
    fn step(&self, index: usize) -> Option<&Step> {
        self.cutover.timeline.steps.get(index)
    }

    fn verdict(&self) -> &'static str {
        match self.cutover.proof.verdict {
            Verdict::Harm => "NOT SAFE",
            Verdict::CouldNotTell => "COULD NOT TELL",
            Verdict::Safe if self.cutover.timeline.steps.is_empty() => "NOTHING TO DO",
            Verdict::Safe => "SAFE TO FOLLOW",
        }
    }

    /// The end of the work: TTLs are raised days later, and nobody waits for that.
    fn end(&self) -> i64 {
        let steps = self.cutover.timeline.steps.iter().zip(&self.cutover.schedule);
        steps.filter(|(s, _)| s.kind != StepKind::RaiseTtl).map(|(_, s)| s.end).max().unwrap_or(0)
    }

    fn header(&self) -> Vec<String> {
        let verdict = self.verdict();
        let steps = self.cutover.timeline.steps.len();
        let mut parts = vec![format!("{} -> {}", self.cutover.from, self.cutover.to)];
        if steps > 0 {
            let plural = if steps == 1 { "step" } else { "steps" };
            parts.push(format!("{steps} {plural}, {}", span(self.end())));
            parts.extend(self.flips());
            let rollback = Some(self.cutover.rollback).filter(|r| *r > 0);
            parts.extend(rollback.map(|r| format!("rollback <= {}", span(i64::from(r)))));
            parts.extend(self.clock.begin().map(|at| format!("from {at}")));
        }
        let lines = flow(&format!("{verdict}   "), &parts, 3, 3, self.width);
        let ink = Ink(self.style.colour);
        lines.into_iter().enumerate().map(|(i, l)| if i == 0 { ink.begin(l, verdict) } else { l }).collect()
    }

    fn flips(&self) -> Option<String> {
        let all = self.cutover.timeline.steps.iter().zip(&self.cutover.schedule);
        let flips = all.filter(|(s, _)| s.kind == StepKind::Flip);
        let text = |(step, when): (&Step, &crate::model::cutover::Schedule)| {
            let view = step.view.map_or("", |v| self.cutover.timeline.view(v));
            format!("{} {}", shown(view), self.clock.at(when.start)).trim_start().to_string()
        };
        let texts: Vec<String> = flips.map(text).collect();
        (!texts.is_empty()).then(|| format!("flip {}", texts.join(", ")))
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
                let text = self.clock.since(s.start, before);
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
        let until = |w: &&Wait| self.until(w);
        match self.style.verbose {
            true => step.waits.iter().for_each(|w| more(self.wait(w))),
            false => step.waits.iter().max_by_key(until).into_iter().for_each(|w| more(self.wait(w))),
        }
        if let Some(second) = step.not_before {
            more(format!("not before {}: caches may remember what was there before", self.clock.at(second)));
        }
        if let Some(undo) = &step.undo {
            more(format!("undo {}: {}", span(i64::from(undo.settles)), undo.how));
        }
        if !step.reversible && self.cutover.timeline.steps.iter().any(|s| s.reversible) {
            more("no way back from here".into());
        }
        if self.style.verbose {
            self.details(step).into_iter().for_each(&mut more);
        }
        lines
    }

    fn until(&self, wait: &Wait) -> i64 {
        self.cutover.schedule.get(wait.after).map_or(0, |s| s.end + i64::from(wait.seconds))
    }

    fn wait(&self, wait: &Wait) -> String {
        let time = span(i64::from(wait.seconds));
        format!("waits until {} ({time} after {}): {}", self.clock.at(self.until(wait)), wait.after + 1, wait.why)
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
        let proof = &self.cutover.proof;
        let size = format!("{} client paths x {} intervals", proof.paths, proof.intervals);
        let mut text = match proof.verdict {
            Verdict::Safe => format!("{size}, all safe, and {} ways back{}", proof.ways_back, spare(proof.spare)),
            Verdict::CouldNotTell => format!("{size}: nobody is hurt as far as is known, and not everything is known"),
            Verdict::Harm => format!("{size}: some client is hurt"),
        };
        if let Some((step, witness)) = &self.cutover.without {
            text += &format!(". Without step {}: {}", step + 1, self.witness(witness));
        }
        let mut lines = hang("PROOF  ", &shown(&text), 7, self.width);
        for witness in &proof.harms {
            let text = format!("{}: {}", witness.class.word(), self.witness(witness));
            lines.extend(hang("X      ", &shown(&text), 7, self.width));
        }
        for (step, words) in &proof.misfits {
            let text = format!("step {} does not fit: {words}", step + 1);
            lines.extend(hang("X      ", &shown(&text), 7, self.width));
        }
        lines.extend(self.mend());
        for line in &proof.unknown {
            lines.extend(hang("?      ", &shown(line), 7, self.width));
        }
        lines
    }

    /// What makes it safe.
    fn mend(&self) -> Vec<String> {
        let moves = self.cutover.mend.iter().flat_map(|m| &m.moves);
        let texts: Vec<String> = moves.map(|m| moved_words(&self.cutover.timeline, m)).collect();
        match texts.is_empty() {
            true => Vec::new(),
            false => hang("CURE   ", &format!("safe with {}", texts.join(", and ")), 7, self.width),
        }
    }

    /// A witness in words and clock times.
    fn witness(&self, witness: &Witness) -> String {
        let when = match (witness.step, witness.undoing) {
            (_, Some(done)) => format!("while going back after step {done}"),
            (None, _) => "before the first step".into(),
            (Some(step), _) if witness.after_step => format!("after step {}", step + 1),
            (Some(step), _) => format!("during step {}", step + 1),
        };
        let cached = witness.answers.iter().filter_map(|a| {
            let until = a.kept_until?;
            Some(format!("{} {} = {} is kept until {}", a.key.owner, a.key.kind.word(), a.answer, self.clock.at(until)))
        });
        let cached: Vec<String> = cached.collect();
        let tail = if cached.is_empty() { String::new() } else { format!(" ({})", cached.join("; ")) };
        format!("at {}, {when}: {}{tail}", self.clock.at(witness.at), witness.words)
    }

    fn deadlines(&self) -> Vec<String> {
        let line = |d: &crate::model::cutover::Deadline| {
            let label = self.cutover.timeline.credentials.get(d.credential).map_or("", |c| &c.label);
            let until = match d.until_step.and_then(|s| self.step(s).map(|_| s)) {
                Some(step) => format!("step {} has to be done by then", step + 1),
                None => "it is in use to the end: renew it before".into(),
            };
            hang("UNTIL  ", &shown(&format!("{}  {label} ends; {until}", self.clock.instant(d.at))), 7, self.width)
        };
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

fn spare(spare: Option<u32>) -> String {
    match spare {
        Some(0) => ", with no second to spare".into(),
        Some(seconds) => format!(", up to a further slack of {}", span(i64::from(seconds))),
        None => ", whatever the slack".into(),
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

/// The word of the screen: gates and flips stand out.
fn label(kind: StepKind) -> &'static str {
    match kind {
        StepKind::OrderCertificate => "order",
        StepKind::CompleteRequest => "complete",
        StepKind::Rekey => "rekey",
        StepKind::ExportCertificate => "export",
        StepKind::ImportCertificate => "import",
        StepKind::BindCertificate => "bind",
        StepKind::RestartService => "restart",
        StepKind::RepinConnector => "re-pin",
        StepKind::TakeOutOfRotation => "take out",
        StepKind::PutIntoRotation => "put back",
        StepKind::LowerTtl => "lower TTL",
        StepKind::CreateRecord => "create",
        StepKind::PublishAtProxy => "publish",
        StepKind::SetUrl => "set URLs",
        StepKind::SetRedirect => "redirect",
        StepKind::ChangePoolMembers => "pool",
        StepKind::RepointAddress => "re-point",
        StepKind::Gate => "GATE",
        StepKind::Flip => "FLIP",
        StepKind::Drain => "drain",
        StepKind::RaiseTtl => "raise TTL",
        StepKind::ChangeMx => "MX",
        StepKind::ChangeSpf => "SPF",
        StepKind::ChangeTlsa => "TLSA",
        StepKind::ChangeMtaSts => "MTA-STS",
        StepKind::RemoveRecord => "remove",
        StepKind::DeletePfx => "clean up",
        StepKind::RetireCertificate => "retire",
        StepKind::DecommissionServer => "SWITCH OFF",
    }
}
