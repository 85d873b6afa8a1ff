//! The verdict, first and last, and where it was seen from.

use jiff::{SignedDuration, Timestamp};

use super::exit::exit_status;
use super::ink::Ink;
use super::roots::{Class, Root, marks};
use super::wrap::{apart, flow, hang};
use crate::model::finding::{Counts, Judgement, ResolversSeen, RunOutcome, SeenFrom};
use crate::model::policy::Scope;

/// The column at which what is set apart ends, on terminals that are wider: an eye follows a line no further.
pub(super) const EDGE: usize = 95;

/// Evidence of this age belongs to the time of the report; older evidence is dated.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Who looked at a plan and its files alone may not say "go".
fn word(j: &Judgement) -> &'static str {
    match (j.scope, j.outcome) {
        (Scope::All, RunOutcome::Pass) => "GO",
        (Scope::All, RunOutcome::Fail) => "NO-GO",
        (Scope::Files, RunOutcome::Pass) => "PLAN OK",
        (Scope::Files, RunOutcome::Fail) => "PLAN NOT OK",
        (_, RunOutcome::Incomplete) => "COULD NOT TELL",
        (_, RunOutcome::Interrupted) => "INTERRUPTED",
    }
}

/// `1 cause`, `2 causes`.
fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The first line: verdict, what was asked, counts. Narrow terminals take more lines.
pub(super) fn verdict(j: &Judgement, roots: &[Root<'_>], width: usize, ink: Ink) -> Vec<String> {
    let prefix = format!("{}  ", word(j));
    let parts = parts(j, roots);
    let wide = flow(&prefix, &parts, 3, 3, width);
    let mut lines = if wide.len() == 1 { wide } else { flow(&prefix, &parts, 2, 3, width) };
    if let Some(line) = lines.first_mut() {
        *line = ink.begin(std::mem::take(line), word(j));
    }
    lines
}

fn parts(j: &Judgement, roots: &[Root<'_>]) -> Vec<String> {
    let Counts { passed, failed, warned, unobserved, waived } = j.counts;
    let failed = match marks(roots, Class::Error).0 {
        0 => format!("{failed} failed"),
        // What is wrong beside all obligations fails nothing that is due.
        causes if failed == 0 => format!("0 failed, {causes} wrong {}", place_of_errors(j, roots)),
        causes => format!("{failed} failed ({})", count(causes, "cause")),
    };
    let warned = match marks(roots, Class::Warning).0 {
        // As above: a warning about nothing that is due.
        warnings if warned == 0 && warnings > 0 => format!("0 warned, {} beside", count(warnings, "warning")),
        _ => format!("{warned} warned"),
    };
    let mut parts =
        vec![j.asked.clone(), format!("{passed} passed"), failed, warned, format!("{unobserved} could not tell")];
    parts.extend((waived > 0).then(|| format!("{waived} waived")));
    parts.extend(j.partial.then(|| "partial".to_string()));
    parts
}

/// Where that lies which is wrong though no obligation fails: in the plan, unless something that was looked at shows it.
fn place_of_errors(j: &Judgement, roots: &[Root<'_>]) -> &'static str {
    let mut errors = roots.iter().filter(|r| r.class == Class::Error);
    match j.scope == Scope::Files || errors.all(|r| r.finding.evidence.is_empty()) {
        true => "in the plan",
        false => "beside",
    }
}

/// The second line: which views were seen, and from where.
pub(super) fn seen_from(j: &Judgement, width: usize) -> Vec<String> {
    let seen = &j.seen_from;
    if j.scope == Scope::Files {
        return hang("looked at: ", "the plan and its certificate files; no network.", 3, width);
    }
    let mut sentences = vec![place(seen)];
    let told = seen.resolvers.iter().filter(|r| r.answered < r.declared || !seen.stands_in.contains(&r.view));
    sentences.extend(told.map(resolvers));
    let paths = seen.paths_not_seen.iter();
    sentences.extend(paths.map(|view| format!("{} TLS path: not seen from here.", capital(view))));
    sentences.extend(retried(seen.retried));
    sentences.extend(seen.detours.then(|| "Connections led elsewhere by --connect-to.".to_string()));
    sentences.extend(seen.other_plan.then(|| "Recorded for another text of this plan.".to_string()));
    sentences.extend(dated(seen, j.now));
    hang("seen from: ", &sentences.join(" "), 3, width)
}

fn place(seen: &SeenFrom) -> String {
    let view = |view: &String| {
        let proxies: Vec<&str> = seen.proxies.iter().filter(|p| p.view == *view).map(|p| p.proxy.as_str()).collect();
        match proxies.as_slice() {
            [] => view.clone(),
            proxies => format!("{view} through {}", proxies.join(" and ")),
        }
    };
    let views = match seen.stands_in.as_slice() {
        [] => "nowhere".to_string(),
        views => views.iter().map(view).collect::<Vec<_>>().join(", "),
    };
    match seen.addresses.as_slice() {
        [] => format!("{views}."),
        some => format!("{views} ({}).", some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn retried(connections: usize) -> Option<String> {
    match connections {
        0 => None,
        1 => Some("1 connection needed more than one try.".into()),
        n => Some(format!("{n} connections needed more than one try.")),
    }
}

fn resolvers(seen: &ResolversSeen) -> String {
    let ResolversSeen { view, answered, declared } = seen;
    let view = capital(view);
    match (answered, declared) {
        (0, 0) => format!("{view} DNS: no resolver declared."),
        (0, _) => format!("{view} DNS: not seen, none of {} answered.", count(*declared, "resolver")),
        _ => format!("{view} DNS: seen by {answered} of {}.", count(*declared, "resolver")),
    }
}

/// When the evidence was gathered, if that is not simply now.
fn dated(seen: &SeenFrom, now: Timestamp) -> Option<String> {
    let (from, to) = (seen.from?, seen.to.or(seen.from)?);
    let utc = |t: Timestamp| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    match from == to {
        true if now.duration_since(to).abs() <= FRESH => None,
        true => Some(format!("As of {}.", utc(to))),
        false => Some(format!("As of {} to {}.", utc(from), utc(to))),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The last line: the verdict again, what to mend, and the exit status. Narrow terminals take more lines.
pub(super) fn closing(j: &Judgement, roots: &[Root<'_>], width: usize, ink: Ink) -> Vec<String> {
    let partial = if j.partial { " (partial)" } else { "" };
    let mut lines = hang(&format!("{}: ", word(j)), &format!("{}{partial}.", sentence(j, roots)), 3, width);
    let exit = format!("exit {}", exit_status(j));
    let last = lines.pop().unwrap_or_default();
    match apart(&last, &exit, width.min(EDGE)).or_else(|| apart(&last, &exit, width)) {
        Some(line) => lines.push(line),
        None => lines.extend([last, format!("   {exit}")]),
    }
    if let Some(line) = lines.first_mut() {
        *line = ink.begin(std::mem::take(line), word(j));
    }
    lines
}

fn sentence(j: &Judgement, roots: &[Root<'_>]) -> String {
    let Counts { passed, failed, warned, unobserved, waived } = j.counts;
    let due = passed + failed + warned + unobserved + waived;
    let notes = list(roots, &[(Class::Info, "note")]);
    let beside_that: String = notes.iter().map(|notes| format!("; {notes}")).collect();
    let to_mend = list(roots, &[(Class::Error, "cause"), (Class::Warning, "warning"), (Class::Open, "open question")]);
    let after = |head: String| std::iter::once(head).chain(to_mend.clone()).collect::<Vec<_>>().join(", ");
    match j.outcome {
        RunOutcome::Pass if due == 0 => after("nothing is due".into()) + &beside_that,
        RunOutcome::Pass => after(passing(j.counts, due)) + &beside_that,
        RunOutcome::Incomplete if due == 0 => after("nothing is due".into()),
        RunOutcome::Incomplete => after(format!("{unobserved} of {due} that are due")),
        RunOutcome::Interrupted => {
            after(format!("incomplete, {} of {due} that are due were judged", due.saturating_sub(unobserved)))
        }
        RunOutcome::Fail => match [to_mend, notes].concat().as_slice() {
            [] => format!("{failed} of {due} that are due fail"),
            list => format!("mend {}", list.join(", ")),
        },
    }
}

/// How much of what is due passes, if nothing fails.
fn passing(Counts { passed, waived, .. }: Counts, due: usize) -> String {
    match (passed == due, waived) {
        (true, _) if due == 1 => "the 1 that is due passes".into(),
        (true, _) => format!("all {due} that are due pass"),
        (false, 0) => format!("{passed} of {due} that are due pass"),
        (false, _) => format!("{passed} of {due} that are due pass, {waived} waived"),
    }
}

/// `1 cause (X1)` for each class that there is.
fn list(roots: &[Root<'_>], classes: &[(Class, &str)]) -> Vec<String> {
    let told = classes.iter().map(|(class, noun)| (marks(roots, *class), noun)).filter(|((n, _), _)| *n > 0);
    told.map(|((n, marks), noun)| format!("{} ({marks})", count(n, noun))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::{ProxySeen, Severity};
    use crate::report::roots::roots;
    use crate::report::samples::{finding, judgement, open};

    fn last(j: &Judgement) -> String {
        closing(j, &roots(j), 80, Ink(false)).join("\n")
    }

    #[test]
    fn the_last_line_says_what_is_left_to_do() {
        let mut j = judgement();
        j.counts = Counts { passed: 26, ..Counts::default() };
        assert_eq!(last(&j), format!("GO: all 26 that are due pass.{}exit 0", " ".repeat(45)));
        j.counts.waived = 1;
        j.partial = true;
        assert!(last(&j).starts_with("GO: 26 of 27 that are due pass, 1 waived (partial).  "));
        j.counts = Counts { passed: 21, unobserved: 5, ..Counts::default() };
        j.outcome = RunOutcome::Incomplete;
        j.partial = false;
        j.findings = vec![open("5 external paths")];
        assert!(last(&j).starts_with("COULD NOT TELL: 5 of 26 that are due, 1 open question (?1).  "));
        assert!(last(&j).ends_with("exit 3"));
    }

    #[test]
    fn a_run_that_was_stopped_says_how_far_it_came() {
        let mut j = judgement();
        j.counts = Counts { passed: 2, failed: 1, unobserved: 7, ..Counts::default() };
        j.outcome = RunOutcome::Interrupted;
        let told = last(&j);
        assert!(told.starts_with("INTERRUPTED: incomplete, 3 of 10 that are due were judged"), "{told}");
        assert!(told.ends_with("exit 130"), "{told}");
    }

    #[test]
    fn a_run_that_only_warnings_fail_names_them() {
        let mut j = judgement();
        j.outcome = RunOutcome::Fail;
        j.findings = (0..6).map(|_| finding("superfluous-san", Severity::Warning)).collect();
        assert!(last(&j).starts_with("NO-GO: mend 6 warnings (!1 to !6).  "), "{}", last(&j));
        j.findings = vec![finding("superfluous-san", Severity::Info)];
        assert!(last(&j).starts_with("NO-GO: mend 1 note (i1).  "), "{}", last(&j));
    }

    #[test]
    fn the_second_line_tells_what_was_not_seen() {
        let mut j = judgement();
        let resolvers = |view: &str, answered, declared| ResolversSeen { view: view.into(), answered, declared };
        j.seen_from = SeenFrom {
            stands_in: vec!["internal".into()],
            addresses: vec!["10.0.0.77".parse().unwrap()],
            resolvers: vec![resolvers("internal", 1, 2), resolvers("external", 0, 3), resolvers("guest", 1, 1)],
            paths_not_seen: vec!["external".into()],
            proxies: vec![ProxySeen { view: "internal".into(), proxy: "socks5://bastion:1080".into() }],
            retried: 2,
            detours: true,
            from: Some("2026-11-20T21:04:00Z".parse().unwrap()),
            to: None,
            other_plan: true,
        };
        assert_eq!(
            seen_from(&j, 1000),
            [
                "seen from: internal through socks5://bastion:1080 (10.0.0.77). Internal DNS: seen by 1 of 2 resolvers. External DNS: not seen, none of 3 \
              resolvers answered. Guest DNS: seen by 1 of 1 resolver. External TLS path: not seen from here. 2 connections \
              needed more than one try. Connections led elsewhere by --connect-to. Recorded for another text of this plan. As of 2026-11-20T21:04:00Z."
            ]
        );
        j.seen_from = SeenFrom::default();
        assert_eq!(seen_from(&j, 80), ["seen from: nowhere."]);
        j.scope = Scope::Files;
        assert_eq!(seen_from(&j, 80), ["looked at: the plan and its certificate files; no network."]);
        assert_eq!((word(&j), word(&judgement())), ("PLAN OK", "GO"));
    }

    #[test]
    fn evidence_of_now_is_not_dated() {
        let mut j = judgement();
        j.seen_from.from = Some(j.now);
        j.seen_from.to = Some(j.now);
        assert_eq!(dated(&j.seen_from, j.now), None);
    }
}
