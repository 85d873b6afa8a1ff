//! The parameters of `[cutover]` beside TTLs: for how long clients keep URLs, and how wrong clocks may be.

use coexist::model::cutover::{Change, HarmClass, Moved};

use super::Phase::{After, Coexistence};
use super::*;

/// A name of the old servers that clients are told and are told no longer.
const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.all]
names = ["mail.domain.com", "legacy.mail.domain.com"]
[servers.old]
address = "10.0.0.3"
[servers.new]
address = "10.0.0.10"
[internet]
"mail.domain.com" = { before = "old", coexistence = "new", ttl-before = "5m" }
[legacy]
"legacy.mail.domain.com" = { server = "old", ttl-before = "5m" }
[cutover]
propagation = "1m"
flipped = "2026-11-01"
"#;

fn plan_with(line: &str) -> String {
    format!("{PLAN}{line}\n")
}

fn left(line: &str) -> Planned {
    let planned = planned(&plan_with(line), Coexistence, After).unwrap();
    carried_out(&planned.timeline);
    assert_safe(&planned, line);
    planned
}

/// The step that ends the use of a name, the one that removes it, and the wait between them.
fn ended(planned: &Planned) -> (usize, usize, Option<u32>) {
    let ends = |s: &Step| s.changes.iter().any(|c| matches!(c, Change::Used { new: false, .. }));
    let end = planned.timeline.steps.iter().position(ends).unwrap();
    let (remove, step) = steps(planned, StepKind::RemoveRecord)[0];
    (end, remove, step.waits.iter().find(|w| w.after == end).map(|w| w.seconds))
}

fn assumed<'p>(planned: &'p Planned, id: &str) -> &'p str {
    &planned.assumptions.iter().find(|a| a.id == id).unwrap().text
}

#[test]
fn a_name_is_removed_once_no_client_keeps_a_url_with_it() {
    for (line, wait) in [
        ("", Some(3600)),
        ("cached-urls = \"6h\"", Some(21_600)),
        ("cached-urls = \"6h\"\nslack = \"10m\"", Some(22_200)),
        ("cached-urls = 0", None),
        ("cached-urls = 2147483647", Some(2_147_483_647)),
    ] {
        let planned = left(line);
        let (end, remove, waits) = ended(&planned);
        assert!(end < remove);
        assert_eq!(waits, wait, "{line}");
        let gone = planned.schedule[remove].start - planned.schedule[end].end;
        assert!(gone >= i64::from(wait.unwrap_or(0)), "{line}: {gone}");
        let off = steps(&planned, StepKind::DecommissionServer)[0].0;
        assert!(off > remove, "the server runs for as long");
    }
}

#[test]
fn a_second_less_is_found_and_mended() {
    let mut timeline = left("").timeline;
    let end =
        timeline.steps.iter().position(|s| s.changes.iter().any(|c| matches!(c, Change::Used { new: false, .. })));
    let remove = timeline.steps.iter().position(|s| s.kind == StepKind::RemoveRecord).unwrap();
    let wait = timeline.steps[remove].waits.iter_mut().find(|w| Some(w.after) == end).unwrap();
    wait.seconds -= 1;
    let proof = checker::prove(&timeline);
    let classes: Vec<HarmClass> = proof.harms.iter().map(|h| h.class).collect();
    assert_eq!(classes, [HarmClass::BelievedAbsent]);
    assert!(proof.harms[0].words.contains("legacy.mail.domain.com URL = in use"), "{}", proof.harms[0].words);
    assert_eq!(checker::mend(&timeline).unwrap().moves, [Moved::Later { step: remove, by: 1 }]);
}

#[test]
fn on_the_way_back_a_name_stays_as_long_as_urls_with_it_are_kept() {
    let text = plan_with("cached-urls = \"6h\"");
    let planned = before_to_coexistence(&with(&text, &[("flipped = \"2026-11-01\"", "")]));
    assert_safe(&planned, "forth and back");
    let told =
        planned.timeline.steps.iter().find(|s| s.changes.iter().any(|c| matches!(c, Change::Used { .. }))).unwrap();
    assert_eq!(told.undo.as_ref().unwrap().settles, 21_600);
    let mut timeline = planned.timeline.clone();
    let told = timeline.steps.iter_mut().find(|s| s.changes.iter().any(|c| matches!(c, Change::Used { .. }))).unwrap();
    told.undo.as_mut().unwrap().settles -= 1;
    let proof = checker::prove(&timeline);
    assert!(proof.harms.iter().any(|h| h.undoing.is_some() && h.class == HarmClass::BelievedAbsent));
}

#[test]
fn what_is_taken_for_granted_says_the_times_and_where_they_are_from() {
    let usual = left("");
    let text = assumed(&usual, "cached-urls");
    assert!(text.contains("within 1 h") && text.contains("TTL (POX)"), "{text}");
    assert_eq!(assumed(&usual, "clocks"), "clocks of clients and servers are right to within ±0 s");
    let said = left("cached-urls = \"90m\"\nclock-error = \"2m\"\nslack = \"5m\"");
    assert!(assumed(&said, "cached-urls").contains("within 1 h 30 min (as `cached-urls` says)"));
    assert!(assumed(&said, "clocks").contains("±2 min"));
    assert!(assumed(&said, "caches-keep-to-ttl").contains("(5 min)"));
    // What is not said of clocks is as much as the slack.
    assert!(assumed(&left("slack = \"5m\""), "clocks").contains("±5 min"));
    assert!(assumed(&left("slack = \"5m\"\nclock-error = 0"), "clocks").contains("±0 s"));
}

#[test]
fn the_json_has_the_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, plan_with("cached-urls = \"2h\"\nclock-error = 30\nslack = 5")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_coexist"));
    command.arg("cutover").arg(&path).args(["--from", "coexistence", "--to", "after", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let want = serde_json::json!({ "slack": 5, "clock_error": 30, "cached_urls": 7200 });
    assert_eq!(told["parameters"], want);
}

#[test]
fn parameters_are_read_with_all_their_mistakes() {
    for key in ["cached-urls", "clock-error"] {
        for (value, word) in [
            ("\"1\"", "not a duration"),
            ("\"1 hour\"", "not a duration"),
            ("\"-1h\"", "not a duration"),
            ("-1", "not a duration"),
            ("2147483648", "duration out of range"),
            ("1.5", "wrong type"),
            ("[\"1h\"]", "wrong type"),
        ] {
            let text = plan_with(&format!("{key} = {value}"));
            let errors = coexist::plan::load("plan.toml", text.as_bytes(), &|_| Ok(())).unwrap_err();
            let shown = coexist::plan::render_errors(&errors, false);
            assert!(shown.contains(word) && shown.contains("plan.toml:17"), "{key} = {value}: {shown}");
        }
    }
}
