//! An administrator's own steps, held against the same proof; and mistakes in them.

use coexist::cutover::follow;

use super::*;

const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.old]
names = ["mail.domain.com"]
[certificates.san]
names = ["mail.domain.com", "legacy.domain.com"]
[servers.old]
address = "10.0.0.3"
certificate = { before = "old", coexistence = "san" }
[servers.new]
address = "10.0.0.10"
certificate = "san"
[internet]
"mail.domain.com" = { before = "old", coexistence = "new", ttl-before = "1h" }
[legacy]
"legacy.domain.com" = "old"
[cutover]
propagation = "5m"
"#;

const RUNBOOK: &str = r#"
from = "before"
to = "coexistence"
time-zone = "UTC"

[[steps]]
at = "2026-11-23 20:00"
do = "bind-certificate"

[[steps]]
id = "create"
at = "2026-11-23 20:30"
do = "create-record"
names = "legacy.domain.com"

[[steps]]
do = "set-url"
after = "create"
wait = "3h"

[[steps]]
do = "flip"
names = "mail.domain.com"
at = "2026-11-24 00:00"
"#;

fn followed(text: &str) -> Result<Planned, String> {
    let plan = read(PLAN);
    let runbook = coexist::plan::runbook("runbook.toml", text.as_bytes(), &plan);
    let runbook = runbook.map_err(|e| coexist::plan::render_errors(&e, false))?;
    let recording = Recording::default();
    let zone = jiff::tz::TimeZone::UTC;
    let ask = Ask { start: None, ..ask(&plan, &recording, runbook.from, runbook.to) };
    let line = |r: &Refusal| {
        let place = runbook.source.place(r.span.unwrap_or_default());
        format!("{}:{} {}", place.line, place.column, r.title)
    };
    follow(&ask, &runbook, &zone).map_err(|all| all.iter().map(line).collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_good_runbook_is_safe() {
    let planned = followed(RUNBOOK).unwrap();
    carried_out(&planned.timeline);
    assert_safe(&planned, "runbook");
    assert_eq!(checker::prove(&planned.timeline).ways_back, planned.timeline.steps.len());
}

#[test]
fn the_way_back_of_a_runbook_is_proved_too() {
    // Whoever still knows the legacy name meets the old certificate again.
    let hasty = RUNBOOK.replace("do = \"create-record\"", "do = \"create-record\"\nsettles = 0");
    let planned = followed(&hasty).unwrap();
    let proof = checker::prove(&planned.timeline);
    let harms: Vec<_> = proof.harms.iter().map(|w| (w.class, w.undoing.is_some())).collect();
    assert_eq!(harms, [(coexist::model::cutover::HarmClass::WrongName, true)]);
    // Nobody takes the new certificate away again.
    let kept = hasty.replace("do = \"bind-certificate\"", "do = \"bind-certificate\"\nreversible = false");
    let planned = followed(&kept).unwrap();
    assert_safe(&planned, "no way back to the old certificate");
    let undos: Vec<_> = planned.timeline.steps.iter().map(|s| s.undo.as_ref().map(|u| u.settles)).collect();
    let why = "URLs that were told: an hour; a record: its TTL, and until it is everywhere";
    assert_eq!(undos, [None, Some(0), Some(3600), Some(600)], "{why}");
}

#[test]
fn a_server_forgotten_and_a_wait_too_short_are_harm() {
    let too_short = RUNBOOK.replace("wait = \"3h\"", "wait = \"1m\"");
    let forgotten = RUNBOOK.replace("do = \"bind-certificate\"", "do = \"bind-certificate\"\nservers = \"new\"");
    for text in [too_short, forgotten] {
        let planned = followed(&text).unwrap();
        let proof = checker::prove(&planned.timeline);
        assert_eq!(proof.verdict, Verdict::Harm, "{:?}", proof.unknown);
    }
}

#[test]
fn mistakes_are_told_at_their_place_all_at_once() {
    let text = with(
        RUNBOOK,
        &[
            ("do = \"flip\"", "do = \"flop\""),
            ("names = \"legacy.domain.com\"", "names = \"legcy.domain.com\""),
            ("after = \"create\"", "after = \"creat\""),
            ("at = \"2026-11-24 00:00\"", "at = \"2026-11-22 00:00\""),
        ],
    );
    let told = followed(&text).unwrap_err();
    for word in
        ["no such step `flop`", "the plan has no name `legcy.domain.com`", "no step has the id `creat`", "did you mean"]
    {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[test]
fn an_empty_runbook_is_called_a_runbook() {
    for (text, words) in [("", "the runbook is empty"), ("from = \"before\"\nto = \"coexistence\"\n", "no steps")] {
        let told = followed(text).unwrap_err();
        assert!(told.contains(words) && told.contains("[[steps]]"), "{told}");
    }
}

#[test]
fn cycles_times_that_go_backwards_and_steps_that_change_nothing_are_mistakes() {
    for (old, new, word) in [
        ("id = \"create\"", "id = \"create\"\nafter = \"create\"", "waits for itself"),
        ("do = \"bind-certificate\"", "do = \"bind-certificate\"\nafter = \"create\"", "a cycle of waits"),
        ("at = \"2026-11-23 20:30\"", "at = \"2026-11-23 19:30\"", "times go backwards"),
        ("at = \"2026-11-23 20:30\"", "at = \"soon\"", "not a time"),
        ("wait = \"3h\"", "wait = \"3h\"\ntakes = \"-1h\"", "not a duration"),
        ("names = \"mail.domain.com\"", "names = \"legacy.domain.com\"", "20:1 this flip changes nothing"),
        ("to = \"coexistence\"", "to = \"before\"", "nothing goes from before to before"),
        ("time-zone = \"UTC\"", "time-zone = \"Mars/Olympus\"", "no such time zone"),
        ("time-zone = \"UTC\"", "zone = \"UTC\"", "unknown key `zone`"),
        (
            "at = \"2026-11-23 20:00\"\n",
            "at = \"2026-11-23 20:00\"\ntakes = \"40m\"\n",
            "before the one in front is done",
        ),
    ] {
        let told = followed(&with(RUNBOOK, &[(old, new)])).unwrap_err();
        assert!(told.contains(word.trim_start_matches("20:1 ")), "{word}: {told}");
    }
}

#[test]
fn a_time_that_clocks_skip_or_show_twice_is_a_mistake_at_its_place() {
    for at in ["2027-03-28 02:30", "2026-10-25 02:30"] {
        let text = format!(
            "from = \"before\"\nto = \"coexistence\"\ntime-zone = \"Europe/Berlin\"\n[[steps]]\ndo = \"flip\"\nat = \"{at}\"\n"
        );
        let plan = read(PLAN);
        let runbook = coexist::plan::runbook("runbook.toml", text.as_bytes(), &plan).unwrap();
        let recording = Recording::default();
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let ask = Ask { start: None, ..ask(&plan, &recording, runbook.from, runbook.to) };
        let refusals = follow(&ask, &runbook, &zone).unwrap_err();
        assert!(refusals[0].title.contains("clocks are changed"), "{}", refusals[0].title);
        assert_eq!(runbook.source.place(refusals[0].span.unwrap()).line, 6);
    }
}
