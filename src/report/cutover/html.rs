//! A page with a picture of the time: one lane for each name and view. Nothing in it runs, and nothing is loaded.

use std::collections::BTreeSet;
use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::lanes::{Lane, MOST, lanes};
use super::telling::{Telling, label};
use crate::model::cutover::{Cutover, Script, Second, Step};
use crate::model::text::{escape, shown};

/// Widths and heights of the picture, in its own units.
const NAMES: usize = 260;
const COLUMN: usize = 110;
const ROW: usize = 30;
const HEAD: usize = 54;

const STYLE: &str = "
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
pre{background:#f4f4f4;padding:.6rem;overflow-x:auto}
ol.steps>li{margin:.8rem 0}.more{color:#444;margin:.1rem 0}
.verdict{font-weight:700;padding:.1rem .5rem;border-radius:.2rem;color:#fff}
.safe{background:#1b6e3c}.harm{background:#a3161b}.unknown{background:#8a5a00}
figure{margin:1rem 0;overflow-x:auto}figcaption{color:#444}
";

pub(super) fn write(cutover: &Cutover, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(&Telling::of(cutover)).into_string().as_bytes())?;
    out.write_all(b"\n")
}

fn page(telling: &Telling) -> Markup {
    let cutover = telling.cutover;
    let title = if cutover.title.is_empty() { &cutover.plan } else { &cutover.title };
    let title = format!("{}: {} to {}", shown(title), cutover.from, cutover.to);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p { span class=(class(telling)) { (telling.verdict()) } " " (shown(&telling.outline().join("; "))) }
                (list(&cutover.summary))
                (picture(telling))
                h2 { "Steps" }
                ol.steps { @for (i, step) in cutover.timeline.steps.iter().enumerate() { (one(telling, i, step)) } }
                h2 { "Proof" }
                p { (shown(&telling.proof())) }
                ul { @for (mark, line) in telling.against() { li { strong { (mark) } " " (shown(&line)) } } }
                (section("What makes it safe", telling.cure().into_iter().collect()))
                (section("Deadlines", cutover.proof.deadlines.iter().map(|d| telling.deadline(d)).collect()))
                (section("Taken for granted", cutover.assumptions.iter().map(|a| a.text.clone()).collect()))
                (section("Not known", cutover.unknown.clone()))
            }
        }
    }
}

fn class(telling: &Telling) -> &'static str {
    use crate::model::cutover::Verdict::{CouldNotTell, Harm, Safe};
    match telling.cutover.proof.verdict {
        Safe => "verdict safe",
        Harm => "verdict harm",
        CouldNotTell => "verdict unknown",
    }
}

fn one(telling: &Telling, index: usize, step: &Step) -> Markup {
    let when = telling.cutover.schedule.get(index).map(|s| telling.clock.at(s.start)).unwrap_or_default();
    html! {
        li {
            strong { (when) " " (label(step.kind)) } " " (shown(&step.what))
            p.more { (shown(&step.why)) @if !step.places.is_empty() { " (" (shown(&step.places.join(", "))) ")" } }
            @for wait in &step.waits { p.more { (shown(&telling.wait(wait))) } }
            @if let Some(gate) = &step.gate { p.more { (shown(&gate.shows)) } pre { (escape(&gate.command)) } }
            @for script in &step.commands { (commands(script)) }
            @if let Some(verify) = &step.verify { p.more { "done when this passes:" } pre { (escape(verify)) } }
            @if let Some(back) = telling.way_back(step) { p.more { (shown(&back)) } }
            @for script in step.undo.iter().flat_map(|u| &u.commands) { (commands(script)) }
        }
    }
}

fn commands(script: &Script) -> Markup {
    let on = if script.on.is_empty() { String::new() } else { format!(" on {}", shown(&script.on)) };
    html! {
        p.more { (shown(&script.shell)) (on) }
        @if &*script.shell == "words" {
            (list(&script.lines))
        } @else {
            pre { @for line in &script.lines { (escape(line)) "\n" } }
        }
    }
}

fn section(title: &str, lines: Vec<String>) -> Markup {
    html! { @if !lines.is_empty() { h2 { (title) } (list(&lines)) } }
}

fn list(lines: &[String]) -> Markup {
    html! { @if !lines.is_empty() { ul { @for line in lines { li { (shown(line)) } } } } }
}

/// The lanes side by side; every time at which anything changes has the same width, or a day's wait would leave no room for
/// the minutes.
fn picture(telling: &Telling) -> Markup {
    let lanes = lanes(telling.cutover);
    if lanes.is_empty() {
        return html! {};
    }
    let drawn = &lanes[..lanes.len().min(MOST)];
    let times = times(drawn);
    let width = NAMES + COLUMN * times.len();
    let height = HEAD + ROW * drawn.len() + 8;
    let left_out = lanes.len() - drawn.len();
    html! {
        figure {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width} {height}")) width=(width) role="img"
                aria-label="where each name leads, and when caches mix old and new" font-family="system-ui, sans-serif" font-size="12" {
                defs {
                    pattern id="mixed" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect width="4" height="8" fill="#000" fill-opacity="0.28" {}
                    }
                }
                @for (i, time) in times.iter().enumerate() {
                    line x1=(NAMES + i * COLUMN) x2=(NAMES + i * COLUMN) y1=(HEAD - 8) y2=(height) stroke="#bbb" {}
                    text x=(NAMES + i * COLUMN + 3) y=(if i % 2 == 0 { 18 } else { 36 }) { (telling.clock.at(*time)) }
                }
                @for (row, lane) in drawn.iter().enumerate() { (drawn_lane(telling, lane, row, &times)) }
            }
            figcaption {
                "Where each name leads. Hatched: caches may still return the answer before. Not to scale."
                @if left_out > 0 { " " (left_out) " further lanes are not drawn." }
            }
        }
    }
}

fn times(lanes: &[Lane]) -> Vec<Second> {
    let values = lanes.iter().flat_map(|l| l.values.iter().map(|(at, _)| *at));
    let mixed = lanes.iter().flat_map(|l| l.mixed.iter().flat_map(|(from, until)| [*from, *until]));
    values.chain(mixed).collect::<BTreeSet<_>>().into_iter().collect()
}

fn drawn_lane(telling: &Telling, lane: &Lane, row: usize, times: &[Second]) -> Markup {
    let y = HEAD + row * ROW;
    let x = |at: Second| NAMES + COLUMN * times.partition_point(|t| *t < at);
    let end = NAMES + COLUMN * times.len();
    let ends = lane.values.iter().skip(1).map(|(at, _)| x(*at)).chain([end]);
    html! {
        text x="4" y=(y + 17) {
            (shown(lane.name.as_str())) " (" (shown(telling.cutover.timeline.view(lane.view))) ")"
        }
        @for ((i, (from, value)), until) in lane.values.iter().enumerate().zip(ends) {
            rect x=(x(*from)) y=(y) width=(until - x(*from)) height=(ROW - 6) fill=(colour(i, value)) {}
            text x=(x(*from) + 5) y=(y + 16) { (shown(value)) }
        }
        @for (from, until) in &lane.mixed {
            rect x=(x(*from)) y=(y) width=(x(*until) - x(*from)) height=(ROW - 6) fill="url(#mixed)" {}
        }
    }
}

/// Absence is pale; each further value has another tone.
fn colour(index: usize, value: &str) -> &'static str {
    const TONES: [&str; 4] = ["#b7d3ee", "#c3e6c0", "#f5dca6", "#e3c8ec"];
    if value == "absent" { "#eeeeee" } else { TONES[index % TONES.len()] }
}
