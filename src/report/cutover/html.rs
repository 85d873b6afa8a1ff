//! A page with a picture of the time: one lane for each name and view. Nothing in it runs, and nothing is loaded.

use std::collections::BTreeSet;
use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::lanes::{Lane, MOST, PICTURE, lanes};
use super::telling::{Telling, label};
use crate::model::cutover::{Cutover, Script, Second, Step};
use crate::model::text::shown;

/// Widths and heights of the picture, in its own units.
const COLUMN: usize = 110;
const ROW: usize = 30;
const HEAD: usize = 54;
/// The column of the names: as wide as the longest, within these.
const NAMES: [usize; 2] = [120, 460];
/// Lines of what changes that are not folded.
const SUMMARY: usize = 20;
/// A letter is about so wide, at the size of the picture's text.
const LETTER: usize = 7;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c1c1c;--pale:#444;--page:#fff;--box:#f4f4f4;--line:#bbb}
@media (prefers-color-scheme:dark){:root{--ink:#e8e8e8;--pale:#b4b4b4;--page:#161616;--box:#262626;--line:#555}}
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:var(--ink);background:var(--page)}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
pre{background:var(--box);padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere}
ol.steps>li{margin:.8rem 0}.more{color:var(--pale);margin:.1rem 0}
.verdict{font-weight:700;padding:.1rem .5rem;border-radius:.2rem;color:#fff}
.safe{background:#1b6e3c}.harm{background:#a3161b}.unknown{background:#8a5a00}
figure{margin:1rem 0;overflow-x:auto}summary{cursor:pointer;margin:.4rem 0}figcaption{color:var(--pale)}
svg text{fill:var(--ink)}svg text.on{fill:#1c1c1c}svg line{stroke:var(--line)}
@media print{:root{--ink:#000;--pale:#333;--page:#fff;--box:#f4f4f4;--line:#999}body{margin:0;max-width:none;font-size:11px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}svg{max-width:100%;height:auto}figure,ol.steps>li{break-inside:avoid}}
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
                (summary(&cutover.summary))
                (pictures(telling))
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
            @if let Some(gate) = &step.gate { p.more { (shown(&gate.shows)) } pre { (shown(&gate.command)) } }
            @for script in &step.commands { (commands(script)) }
            @if let Some(verify) = &step.verify { p.more { "done when this passes:" } pre { (shown(verify)) } }
            @if let Some(back) = telling.way_back(step) { p.more { (shown(&back)) } }
            @for script in step.undo.iter().flat_map(|u| &u.commands) { (commands(script)) }
        }
    }
}

fn commands(script: &Script) -> Markup {
    let on = if script.on.is_empty() { String::new() } else { format!("on {}", shown(&script.on)) };
    let shell = if &*script.shell == "words" { String::new() } else { shown(&script.shell).to_string() };
    let head = [shell, on].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    html! {
        @if !head.is_empty() { p.more { (head) ":" } }
        @if &*script.shell == "words" {
            (list(&script.lines))
        } @else {
            pre { @for line in &script.lines { (shown(line)) "\n" } }
        }
    }
}

fn section(title: &str, lines: Vec<String>) -> Markup {
    html! { @if !lines.is_empty() { h2 { (title) } (list(&lines)) } }
}

/// What changes; of much the first lines are seen at once, and the rest unfolds.
fn summary(lines: &[String]) -> Markup {
    let (first, more) = lines.split_at(lines.len().min(SUMMARY));
    html! {
        (list(first))
        @if !more.is_empty() {
            details { summary { (more.len()) " more changes" } (list(more)) }
        }
    }
}

fn list(lines: &[String]) -> Markup {
    html! { @if !lines.is_empty() { ul { @for line in lines { li { (shown(line)) } } } } }
}

/// The lanes, some in each picture: the first is seen at once, the others unfold.
fn pictures(telling: &Telling) -> Markup {
    let lanes = lanes(telling.cutover);
    let drawn = &lanes[..lanes.len().min(MOST)];
    let left_out = lanes.len() - drawn.len();
    html! {
        @for (i, lanes) in drawn.chunks(PICTURE).enumerate() {
            @if i == 0 {
                (picture(telling, lanes, true))
            } @else {
                details {
                    summary { "lanes " (i * PICTURE + 1) " to " (i * PICTURE + lanes.len()) ": " (between(telling, lanes)) }
                    (picture(telling, lanes, false))
                }
            }
        }
        @if left_out > 0 { p.more { (left_out) " further lanes are not drawn." } }
    }
}

/// From which lane to which.
fn between(telling: &Telling, lanes: &[Lane]) -> String {
    let ends = [lanes.first(), lanes.last()].into_iter().flatten();
    ends.map(|lane| heading(telling, lane)).collect::<Vec<_>>().join(" … ")
}

/// Lanes side by side; every time at which anything changes has the same width, or a day's wait would leave no room for the
/// minutes. One of them says how hatching looks.
fn picture(telling: &Telling, lanes: &[Lane], defines: bool) -> Markup {
    let grid = Grid::of(telling, lanes);
    let (width, height) = (grid.x(grid.times.len()), HEAD + ROW * lanes.len() + 8);
    html! {
        figure {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width} {height}")) width=(width) role="img"
                aria-label="what clients are told of each name, and when caches mix old and new" font-family="system-ui, sans-serif" font-size="12" {
                @if defines {
                    defs {
                        pattern id="mixed" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                            rect width="3" height="8" fill="#000" fill-opacity="0.22" {}
                        }
                    }
                }
                @for (i, time) in grid.times.iter().enumerate() {
                    line x1=(grid.x(i)) x2=(grid.x(i)) y1=(HEAD - 8) y2=(height) {}
                    text x=(grid.x(i) + 3) y=(if i % 2 == 0 { 18 } else { 36 }) { (telling.clock.at(*time)) }
                }
                @for (row, lane) in lanes.iter().enumerate() { (drawn_lane(telling, lane, row, &grid)) }
            }
            figcaption {
                "Where each name leads, and what senders of mail and browsers are told. Hatched: caches may still return the answer before. Not to scale."
            }
        }
    }
}

/// Where things stand in the picture.
struct Grid {
    names: usize,
    times: Vec<Second>,
}

impl Grid {
    fn of(telling: &Telling, lanes: &[Lane]) -> Self {
        let longest = lanes.iter().map(|l| heading(telling, l).chars().count()).max().unwrap_or(0);
        let [least, most] = NAMES;
        Self { names: (longest * LETTER + 12).clamp(least, most), times: times(lanes) }
    }

    /// The left edge of the column of a time.
    fn x(&self, column: usize) -> usize {
        self.names + COLUMN * column
    }

    fn at(&self, second: Second) -> usize {
        self.x(self.times.partition_point(|t| *t < second))
    }
}

/// A lane's name and view.
fn heading(telling: &Telling, lane: &Lane) -> String {
    let word = lane.about.word();
    let blank = if word.is_empty() { "" } else { " " };
    format!("{}{blank}{word} ({})", shown(lane.name.as_str()), shown(telling.cutover.timeline.view(lane.view)))
}

/// As much of a text as fits.
fn fitted(text: &str, width: usize) -> String {
    let room = (width / LETTER).max(1);
    match text.chars().count() > room {
        true => text.chars().take(room - 1).chain(['…']).collect(),
        false => text.to_string(),
    }
}

fn times(lanes: &[Lane]) -> Vec<Second> {
    let values = lanes.iter().flat_map(|l| l.values.iter().map(|(at, _)| *at));
    let mixed = lanes.iter().flat_map(|l| l.mixed.iter().flat_map(|(from, until)| [*from, *until]));
    values.chain(mixed).collect::<BTreeSet<_>>().into_iter().collect()
}

fn drawn_lane(telling: &Telling, lane: &Lane, row: usize, grid: &Grid) -> Markup {
    let y = HEAD + row * ROW;
    let end = grid.x(grid.times.len());
    let ends = lane.values.iter().skip(1).map(|(at, _)| grid.at(*at)).chain([end]);
    let parts: Vec<(usize, usize, &String)> =
        lane.values.iter().zip(ends).map(|((from, value), until)| (grid.at(*from), until, value)).collect();
    let name = heading(telling, lane);
    html! {
        text x="4" y=(y + 17) { title { (name) } (fitted(&name, grid.names - 8)) }
        @for (i, (from, until, value)) in parts.iter().enumerate() {
            rect x=(from) y=(y) width=(until - from) height=(ROW - 6) fill=(colour(i, value)) {}
        }
        @for (from, until) in &lane.mixed {
            rect x=(grid.at(*from)) y=(y) width=(grid.at(*until) - grid.at(*from)) height=(ROW - 6) fill="url(#mixed)" {}
        }
        @for (from, until, value) in &parts {
            text.on x=(from + 5) y=(y + 16) { title { (shown(value)) } (fitted(&shown(value), until - from - 8)) }
        }
    }
}

/// Absence is pale; each further value has another tone.
fn colour(index: usize, value: &str) -> &'static str {
    const TONES: [&str; 4] = ["#b7d3ee", "#c3e6c0", "#f5dca6", "#e3c8ec"];
    if value == "absent" { "#eeeeee" } else { TONES[index % TONES.len()] }
}
