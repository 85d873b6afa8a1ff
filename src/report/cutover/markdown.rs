//! A change ticket: Markdown with a box to tick for each step.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::telling::{Telling, label};
use crate::model::cutover::{Cutover, Script, Step};
use crate::model::text::shown;

pub(super) fn write(cutover: &Cutover, out: &mut dyn Write) -> io::Result<()> {
    let telling = Telling::of(cutover);
    let title = if cutover.title.is_empty() { &cutover.plan } else { &cutover.title };
    let mut text = format!("# {}: {} to {}\n\n", plain(title), cutover.from, cutover.to);
    let _ = writeln!(text, "**{}** {}\n", telling.verdict(), plain(&telling.outline().join("; ")));
    list(&mut text, cutover.summary.iter().map(|line| plain(line)));
    if !cutover.timeline.steps.is_empty() {
        text += "## Steps\n\n";
    }
    for (i, step) in cutover.timeline.steps.iter().enumerate() {
        one(&telling, i, step, &mut text);
    }
    text += "\n## Proof\n\n";
    let _ = writeln!(text, "{}\n", plain(&telling.proof()));
    list(&mut text, telling.against().iter().map(|(mark, line)| format!("**{mark}** {}", plain(line))));
    section(&mut text, "What makes it safe", telling.cure().iter().map(|line| plain(line)));
    section(&mut text, "Deadlines", cutover.proof.deadlines.iter().map(|d| plain(&telling.deadline(d))));
    section(&mut text, "Taken for granted", cutover.assumptions.iter().map(|a| plain(&a.text)));
    section(&mut text, "Not known", cutover.unknown.iter().map(|line| plain(line)));
    out.write_all(text.trim_end().as_bytes())?;
    out.write_all(b"\n")
}

fn one(telling: &Telling, index: usize, step: &Step, text: &mut String) {
    let when = telling.cutover.schedule.get(index).map(|s| telling.clock.at(s.start)).unwrap_or_default();
    let what = format!("{when} {}: {}", label(step.kind), step.what);
    let _ = writeln!(text, "- [ ] **{}.** {}", index + 1, plain(&what));
    let mut lines = vec![format!("why: {}", step.why)];
    if !step.places.is_empty() {
        lines.push(format!("where: {}", step.places.join(", ")));
    }
    lines.extend(step.waits.iter().map(|w| telling.wait(w)));
    lines.extend(step.not_before.map(|second| format!("not before {}", telling.clock.at(second))));
    lines.extend(telling.way_back(step));
    lines.iter().for_each(|line| item(text, 1, &plain(line)));
    if let Some(gate) = &step.gate {
        item(text, 1, &plain(&format!("has to pass first: {}", gate.shows)));
        fence(text, "", std::slice::from_ref(&gate.command.to_string()));
    }
    step.commands.iter().for_each(|script| commands(text, script));
    if let Some(verify) = &step.verify {
        item(text, 1, "done when this passes:");
        fence(text, "", &[verify.to_string()]);
    }
    let undo: Vec<&Script> = step.undo.iter().flat_map(|u| &u.commands).collect();
    if !undo.is_empty() {
        item(text, 1, "to undo:");
    }
    undo.into_iter().for_each(|script| commands(text, script));
}

fn commands(text: &mut String, script: &Script) {
    let on = if script.on.is_empty() { String::new() } else { format!(" on {}", script.on) };
    item(text, 1, &plain(&format!("{}{on}", script.shell)));
    match &*script.shell {
        "words" => script.lines.iter().for_each(|line| item(text, 2, &plain(line))),
        shell => fence(text, if shell.contains(char::is_whitespace) { "" } else { shell }, &script.lines),
    }
}

/// A block of code that its content cannot end: the fence is longer than any run of backticks in it.
fn fence(text: &mut String, language: &str, lines: &[String]) {
    let lines: Vec<String> = lines.iter().map(|l| shown(l)).collect();
    let longest = lines.iter().flat_map(|l| l.split(|c| c != '`').map(str::len)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "\n    {fence}{language}");
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "    {fence}\n");
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        let _ = writeln!(text, "## {title}\n");
        list(text, lines.into_iter());
    }
}

fn list(text: &mut String, lines: impl Iterator<Item = String>) {
    let before = text.len();
    lines.for_each(|line| item(text, 0, &line));
    if text.len() > before {
        text.push('\n');
    }
}

fn item(text: &mut String, depth: usize, line: &str) {
    let _ = writeln!(text, "{}- {line}", "  ".repeat(depth));
}

/// Text in which nothing is markup: every punctuation mark that Markdown or HTML reads is escaped (CommonMark 2.4).
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '$' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // A line that begins as a list or a heading would be one.
    match out.chars().next() {
        Some('+' | '-' | '=') => format!("\\{out}"),
        Some('0'..='9') => match out.find(|c: char| !c.is_ascii_digit()) {
            Some(at) if [". ", ") "].iter().any(|end| out[at..].starts_with(end)) => {
                format!("{}\\{}", &out[..at], &out[at..])
            }
            _ => out,
        },
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (text, want) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("a_b*c*[d](http://x)", "a\\_b\\*c\\*\\[d\\](http://x)"),
            ("# title", "\\# title"),
            ("- [x] done", "\\- \\[x\\] done"),
            ("1. first", "1\\. first"),
            ("x\n\n# y", "x\\\\n\\\\n\\# y"),
            ("10.0.0.3 -> x", "10.0.0.3 -&gt; x"),
            ("@all", "\\@all"),
        ] {
            assert_eq!(plain(text), want, "{text:?}");
        }
    }

    #[test]
    fn no_line_ends_its_fence() {
        let mut text = String::new();
        fence(&mut text, "sh", &["echo ```` `x`".into()]);
        assert_eq!(text, "\n    `````sh\n    echo ```` `x`\n    `````\n\n");
    }
}
