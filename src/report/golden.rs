//! Reports held against files in tests/golden (written anew with `COEXIST_BLESS=1`), and what holds for any report.
#![allow(clippy::disallowed_methods, reason = "a test reads and, when asked, writes the golden reports")]

use std::path::Path;
use std::sync::Arc;

use super::samples::{balanced, judged, judgement, legacy, open};
use super::wrap::columns;
use super::{Format, Style, render, render_all, schema};
use crate::model::finding::{ClaimKind, Finding, Judgement, Remedy, RunOutcome, Subject, Verdict, WaivedBy};
use crate::model::obligation::ObligationId;
use crate::model::source::Place;

fn rendered(j: &Judgement, format: Format, style: Style) -> String {
    let mut out = Vec::new();
    render(j, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn text(j: &Judgement, style: Style) -> String {
    rendered(j, Format::Text, style)
}

fn golden(file: &str, report: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("COEXIST_BLESS").is_some() {
        std::fs::write(&path, report).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(report, want, "differs from {file}; COEXIST_BLESS=1 writes it anew");
}

#[test]
fn the_screens_look_as_drawn() {
    for (name, j) in [("balanced", balanced()), ("legacy", legacy())] {
        let style = Style::default();
        golden(&format!("{name}.80.txt"), &text(&j, style));
        golden(&format!("{name}.120.txt"), &text(&j, Style { width: 120, ..style }));
        golden(&format!("{name}.colour.txt"), &text(&j, Style { colour: true, width: 120, ..style }));
        golden(&format!("{name}.quiet.txt"), &text(&j, Style { quiet: true, ..style }));
        golden(&format!("{name}.verbose.txt"), &text(&j, Style { verbose: true, ..style }));
        golden(&format!("{name}.json"), &rendered(&j, Format::Json, style));
    }
}

#[test]
fn the_schema_is_as_released() {
    golden("report.schema.json", &(serde_json::to_string_pretty(&schema()).unwrap() + "\n"));
}

#[test]
fn a_run_in_which_all_passes_says_go() {
    let mut j = balanced();
    j.obligations.iter_mut().for_each(|o| o.verdict = Verdict::Pass);
    (j.findings, j.not_looked_at, j.outcome) = (Vec::new(), Vec::new(), RunOutcome::Pass);
    j.counts = crate::model::finding::Counts { passed: 26, ..Default::default() };
    j.obligations.iter_mut().for_each(|o| o.cell = "".into());
    golden("go.80.txt", &text(&j, Style::default()));
}

#[test]
fn colour_adds_escapes_and_nothing_else() {
    for j in [balanced(), legacy()] {
        let plain = Style { verbose: true, ..Style::default() };
        let coloured = text(&j, Style { colour: true, ..plain });
        assert!(coloured.contains("\x1b[31m"));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), text(&j, plain));
        assert!(!text(&j, plain).contains('\x1b'));
    }
}

#[test]
fn several_plans_are_told_in_their_order() {
    let all = |judgements: &[Judgement], format| {
        let mut out = Vec::new();
        render_all(judgements, format, Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let (one, two) = (balanced(), Judgement { plan: "two.toml".into(), ..legacy() });
    let both = [one.clone(), two.clone()];
    let told = [text(&one, Style::default()), text(&two, Style::default())];
    assert_eq!(all(&both, Format::Text), format!("# plan.toml\n{}\n# two.toml\n{}", told[0], told[1]));
    assert_eq!(all(&both[..1], Format::Json), rendered(&one, Format::Json, Style::default()));
    let array: serde_json::Value = serde_json::from_str(&all(&both, Format::Json)).unwrap();
    assert_eq!(array.as_array().map(Vec::len), Some(2));
    assert_eq!(all(&[], Format::Json), "[]\n");
}

/// Every text of a judgement is this one.
fn hostile(text: &str) -> Judgement {
    let texts = || vec![text.to_string(), format!("a {text} b")];
    let mut j = legacy();
    j.asked = text.into();
    j.seen_from.stands_in = texts();
    j.seen_from.resolvers.iter_mut().for_each(|r| r.view = text.into());
    j.seen_from.paths_not_seen = texts();
    j.not_looked_at = texts();
    for o in &mut j.obligations {
        (o.cell, o.phases) = (text.into(), texts().into());
        o.id = ObligationId { around: Arc::default(), name: text.into() };
        o.about = Subject { server: Some(text.into()), view: Some(text.into()), ..Subject::default() }.into();
    }
    for f in &mut j.findings {
        f.title = text.into();
        (f.expected, f.seen, f.hurts, f.evidence) = (texts(), texts(), texts(), texts());
        f.remedy = Remedy { now: texts(), cure: texts(), next: texts() };
        f.at = Some(Place { file: text.into(), line: 1, column: 1, pointer: Some(text.into()) });
        f.waived = f.waived.as_ref().map(|_| WaivedBy { reason: text.into(), until: Some(text.into()) });
    }
    j
}

const HOSTILE: &[&str] = &[
    "\x1b[2J\x1b]0;title\x07",
    "\u{202e}moc.live\u{2066}\u{200b}",
    "\u{9b}31m\u{85}\u{7f}\0\u{feff}\u{e0041}",
    "line\nbreak\r\n::error file=a::b",
    "::error::pwned",
    "\u{3000}::stop-commands::x",
    "##[error]x ##vso[task.setvariable]y",
    "<script>alert(1)</script> | `x` **b** [a](javascript:b)",
    "]]>&amp;\"'\\",
    "",
    " ",
    "   wide   gaps   ",
    "日本語 ＦＵＬＬ e\u{301}",
    "-",
    "…",
];

#[test]
fn nothing_that_steers_comes_out_of_any_format() {
    for bad in HOSTILE {
        for format in Format::ALL {
            for verbose in [false, true] {
                let out = rendered(&hostile(bad), format, Style { verbose, ..Style::default() });
                let steers = |c: &char| *c != '\n' && crate::model::text::escape(&c.to_string()) != c.to_string();
                assert_eq!(out.chars().find(steers), None, "{bad:?}");
                assert!(!out.contains("##"), "{bad:?}");
                assert_eq!(out.lines().find(|l| l.trim().starts_with("::")), None, "{bad:?}");
            }
        }
    }
}

#[test]
fn a_program_reads_the_very_text() {
    for bad in HOSTILE {
        let out = rendered(&hostile(bad), Format::Json, Style::default());
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["findings"][0]["title"].as_str(), Some(*bad));
    }
}

#[test]
fn long_texts_are_shown_whole_and_in_time() {
    let long = "a".repeat(10_000);
    for width in [0, 1, 40, 80, usize::MAX] {
        let out = text(&hostile(&long), Style { width, verbose: true, ..Style::default() });
        assert!(out.contains(&long));
    }
    let mut j = judgement();
    let row = |i: usize| {
        let name = format!("{}{i}.{}.example", "x".repeat(50), "y".repeat(60));
        judged(ClaimKind::Dns, &name, "internal", "", Verdict::Fail, "NXDOMAIN")
    };
    j.obligations = (0..10_000).map(row).collect();
    j.findings = (0..3_000_usize).map(|i| Finding { caused_by: i.checked_sub(1), ..open("q") }).collect();
    assert!(text(&j, Style::default()).lines().count() > 10_000);
}

/// True if the line is no wider than allowed, or is so only for the sake of one word.
fn fits(line: &str, width: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let widest = line.split(' ').map(columns).max().unwrap_or(0);
    columns(line) <= width || 15_usize.max(indent(line)) + widest > width
}

#[test]
fn no_line_is_wider_than_the_screen() {
    let held = |j: &Judgement, width| {
        for (verbose, quiet) in [(false, false), (true, false), (false, true)] {
            let out = text(j, Style { width, verbose, quiet, colour: false });
            assert_eq!(out.lines().find(|line| !fits(line, width)), None, "at {width}");
        }
    };
    for width in 40..=200 {
        [balanced(), legacy()].iter().for_each(|j| held(j, width));
    }
    for width in [40, 57, 80, 200] {
        HOSTILE.iter().for_each(|bad| held(&hostile(bad), width));
    }
}

#[test]
fn no_name_is_cut_at_any_width() {
    for width in 40..=200 {
        let out = text(&legacy(), Style { width, ..Style::default() });
        for name in ["legacy.serverexchange2003", "serverexchange2010", "legacy.mail.domain.com", "(domain.com)"] {
            assert!(out.split([' ', '\n']).any(|word| word == name), "{name} is cut at {width}:\n{out}");
        }
    }
}
