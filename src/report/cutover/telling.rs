//! What every form says alike: verdict, waits, witnesses, deadlines. Text as it is; each form makes it fit to be shown.

use super::clock::Clock;
use crate::model::cutover::{Cutover, Deadline, Moved, Step, StepKind, Verdict, Wait, Witness, moved_words, span};

/// The words of one cutover.
pub(super) struct Telling<'a> {
    pub cutover: &'a Cutover,
    pub clock: Clock<'a>,
}

impl<'a> Telling<'a> {
    pub(super) fn of(cutover: &'a Cutover) -> Self {
        Self { cutover, clock: Clock::of(cutover) }
    }

    /// What stands first.
    pub(super) fn verdict(&self) -> &'static str {
        match self.cutover.proof.verdict {
            Verdict::Harm => "NOT SAFE",
            Verdict::CouldNotTell => "COULD NOT TELL",
            Verdict::Safe if self.cutover.timeline.steps.is_empty() => "NOTHING TO DO",
            Verdict::Safe => "SAFE TO FOLLOW",
        }
    }

    /// `11 steps, 4 h 15 min`, the flips, the way back, the beginning.
    pub(super) fn outline(&self) -> Vec<String> {
        let steps = self.cutover.timeline.steps.len();
        if steps == 0 {
            return Vec::new();
        }
        let plural = if steps == 1 { "step" } else { "steps" };
        let mut parts = vec![format!("{steps} {plural}, {}", span(self.end()))];
        parts.extend(self.flips());
        let rollback = Some(self.cutover.rollback).filter(|r| *r > 0);
        parts.extend(rollback.map(|r| format!("rollback <= {}", span(i64::from(r)))));
        parts.extend(self.clock.begin().map(|at| format!("from {at}")));
        parts
    }

    /// The end of the work: TTLs are raised days later, and nobody waits for that.
    fn end(&self) -> i64 {
        let steps = self.cutover.timeline.steps.iter().zip(&self.cutover.schedule);
        steps.filter(|(s, _)| s.kind != StepKind::RaiseTtl).map(|(_, s)| s.end).max().unwrap_or(0)
    }

    fn flips(&self) -> Option<String> {
        let all = self.cutover.timeline.steps.iter().zip(&self.cutover.schedule);
        let flips = all.filter(|(s, _)| s.kind == StepKind::Flip).map(|(step, when)| {
            let view = step.view.map_or("", |v| self.cutover.timeline.view(v));
            format!("{view} {}", self.clock.at(when.start)).trim_start().to_string()
        });
        let texts: Vec<String> = flips.collect();
        (!texts.is_empty()).then(|| format!("flip {}", texts.join(", ")))
    }

    /// When a wait is over.
    pub(super) fn until(&self, wait: &Wait) -> i64 {
        self.cutover.schedule.get(wait.after).map_or(0, |s| s.end + i64::from(wait.seconds))
    }

    pub(super) fn wait(&self, wait: &Wait) -> String {
        let time = span(i64::from(wait.seconds));
        format!("waits until {} ({time} after {}): {}", self.clock.at(self.until(wait)), wait.after + 1, wait.why)
    }

    /// The proof in one sentence, with the example of a step left out.
    pub(super) fn proof(&self) -> String {
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
        text
    }

    /// What stands against the proof, and what could not be known for it: a mark and a line each.
    pub(super) fn against(&self) -> Vec<(char, String)> {
        let proof = &self.cutover.proof;
        let harms = proof.harms.iter().map(|w| ('X', format!("{}: {}", w.class.word(), self.witness(w))));
        let misfits =
            proof.misfits.iter().map(|(step, words)| ('X', format!("step {} does not fit: {words}", step + 1)));
        let unknown = proof.unknown.iter().map(|line| ('?', line.clone()));
        harms.chain(misfits).chain(unknown).collect()
    }

    /// What makes it safe.
    pub(super) fn cure(&self) -> Option<String> {
        let moves: Vec<&Moved> = self.cutover.mend.iter().flat_map(|m| &m.moves).collect();
        let texts: Vec<String> = moves.iter().map(|m| moved_words(&self.cutover.timeline, m)).collect();
        let with = if matches!(moves.as_slice(), [Moved::Without { .. }]) { "" } else { "with " };
        (!texts.is_empty()).then(|| format!("safe {with}{}", texts.join(", and ")))
    }

    /// A witness in words and clock times.
    pub(super) fn witness(&self, witness: &Witness) -> String {
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

    pub(super) fn deadline(&self, deadline: &Deadline) -> String {
        let label = self.cutover.timeline.credentials.get(deadline.credential).map_or("", |c| &*c.label);
        let until = match deadline.until_step.filter(|s| *s < self.cutover.timeline.steps.len()) {
            Some(step) => format!("step {} has to be done by then", step + 1),
            None => "it is in use to the end: renew it before".into(),
        };
        format!("{}  {label} ends; {until}", self.clock.instant(deadline.at))
    }

    /// The undoing of a step, or that there is none.
    pub(super) fn way_back(&self, step: &Step) -> Option<String> {
        match &step.undo {
            Some(undo) => Some(format!("undo {}: {}", span(i64::from(undo.settles)), undo.how)),
            None if !step.reversible && self.cutover.timeline.steps.iter().any(|s| s.reversible) => {
                Some("no way back from here".into())
            }
            None => None,
        }
    }
}

fn spare(spare: Option<u32>) -> String {
    match spare {
        Some(0) => ", with no second to spare".into(),
        Some(seconds) => format!(", up to a further slack of {}", span(i64::from(seconds))),
        None => ", whatever the slack".into(),
    }
}

/// The word of the screen: gates and flips stand out.
pub(super) fn label(kind: StepKind) -> &'static str {
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
