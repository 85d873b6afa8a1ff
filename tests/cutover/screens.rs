//! The screens of all worked plans, as the binary prints them (written anew with `COEXIST_BLESS=1`), and its exit statuses.

use std::process::{Command, Output};

use super::*;

fn coexist(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_coexist")).args(args).current_dir(root).env("NO_COLOR", "1").output().unwrap()
}

fn golden(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cutover/screens").join(file);
    if std::env::var_os("COEXIST_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(found, want, "differs from {file}; COEXIST_BLESS=1 writes it anew");
}

const START: [&str; 4] = ["--start", "2026-11-23 20:00", "--time-zone", "UTC"];

#[test]
fn the_screens_of_the_worked_plans_look_as_drawn() {
    for (path, _) in worked() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let file = format!("plans/{name}.toml");
        for (from, to) in [("before", "coexistence"), ("coexistence", "after")] {
            let args = [&["cutover", &file, "--from", from, "--to", to][..], &START].concat();
            let output = coexist(&args);
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(0), "{file}: {text}{}", String::from_utf8_lossy(&output.stderr));
            assert!(text.lines().all(|l| l.chars().count() <= 80 || !l.contains(' ')), "{file}");
            golden(&format!("{name}.{to}.txt"), &text);
        }
    }
}

#[test]
fn everything_is_told_on_demand() {
    let args = ["cutover", "plans/exchange-2003-to-2010.toml", "--from", "before", "--to", "coexistence", "-v"];
    let output = coexist(&[&args[..], &START].concat());
    golden("verbose.txt", &String::from_utf8(output.stdout).unwrap());
}

#[test]
fn every_form_tells_the_same_cutover() {
    let args = ["cutover", "plans/local-retirement-adfs.toml", "--from", "before", "--to", "coexistence", "--format"];
    for (format, end) in [("markdown", "md"), ("html", "html"), ("ical", "ics")] {
        let output = coexist(&[&args[..], &[format], &START].concat());
        assert_eq!(output.status.code(), Some(0), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        golden(&format!("form.{end}"), &String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n"));
    }
    let without_start = coexist(&[&args[..], &["ical"]].concat());
    assert_eq!(without_start.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&without_start.stderr).contains("a calendar needs times"));
}

/// What is taken for granted, by the word that the JSON has for it.
const ASSUMED: [&str; 12] = [
    "caches-keep-to-ttl",
    "no-endless-caches",
    "cached-urls",
    "open-connections",
    "caches-stay-in-view",
    "ns-ds-unchanged",
    "no-revocation",
    "anchors-observed",
    "clocks",
    "redirects-declared",
    "hsts-known",
    "propagation",
];

#[test]
fn every_form_tells_what_is_taken_for_granted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runbook.toml");
    let runbook = "from = \"before\"\nto = \"coexistence\"\n[[steps]]\ndo = \"lower-ttl\"\nat = \"2026-11-23 20:00\"\n";
    std::fs::write(&path, runbook).unwrap();
    // A runbook has no gates: that its changes arrive in time is taken for granted, too.
    let args = ["cutover", "plans/exchange-2010-to-2016.toml", "--check", path.to_str().unwrap(), "--time-zone", "UTC"];
    let of = |format: &str| String::from_utf8(coexist(&[&args[..], &["--format", format]].concat()).stdout).unwrap();
    let json: serde_json::Value = serde_json::from_str(&of("json")).unwrap();
    let all = json["assumptions"].as_array().unwrap();
    let ids: Vec<&str> = all.iter().filter_map(|a| a["id"].as_str()).collect();
    assert_eq!(ids, ASSUMED);
    let plain = |text: &str| {
        let unfolded = text.replace("\r\n ", "").replace("&#39;", "'").replace("&#x27;", "'").replace('\\', "");
        unfolded.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for format in ["text", "markdown", "html", "ical"] {
        let told = plain(&of(format));
        for text in all.iter().filter_map(|a| a["text"].as_str()) {
            assert!(told.contains(&plain(text)), "{format} lacks: {text}\n{told}");
        }
    }
}

#[test]
fn nothing_in_a_plan_is_markup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    let plan = std::fs::read_to_string("plans/exchange-2003-to-2010.toml").unwrap();
    let title = r#"title = "<script>alert(1)</script> ](x) `**` \u001b[31m\nEND:VCALENDAR""#;
    let lines = plan.lines().map(|line| if line.starts_with("title") { title } else { line });
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    for format in ["text", "markdown", "html", "ical", "json"] {
        let path = path.to_str().unwrap();
        let args = ["cutover", path, "--from", "before", "--to", "coexistence", "--format", format];
        let output = coexist(&[&args[..], &START].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains('\u{1b}') && text.matches("END:VCALENDAR\r\n").count() <= 1, "{format}: {text}");
        assert!(!matches!(format, "html" | "markdown") || !text.contains("<script"), "{format}: {text}");
    }
}

#[test]
fn the_json_is_as_its_schema_says_and_gives_seconds() {
    let file = "plans/exchange-2010-to-2016.toml";
    let args = ["cutover", file, "--from", "before", "--to", "coexistence", "--format", "json"];
    let json: serde_json::Value = serde_json::from_slice(&coexist(&[&args[..], &START].concat()).stdout).unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&coexist(&["schema", "cutover"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&json), "{:?}", validator.iter_errors(&json).map(|e| e.to_string()).next());
    let steps = json["steps"].as_array().unwrap();
    let of = |kind: &str| steps.iter().find(|s| s["kind"] == kind && s["view"] == "internal").unwrap();
    let (lower, flip) = (of("lower-ttl"), of("flip"));
    assert_eq!((lower["earliest"].as_i64(), lower["wait"].as_i64()), (Some(0), Some(86_400)));
    assert_eq!(flip["earliest"].as_i64(), Some(87_300), "a day and a quarter of an hour");
    assert_eq!(flip["undo"].as_i64(), Some(1200));
}

#[test]
fn what_is_asked_wrongly_is_told_with_status_2() {
    let file = "plans/exchange-2003-to-2010.toml";
    for (args, word) in [
        (&["--from", "after", "--to", "before"][..], "phases go forward"),
        (&["--from", "before", "--to", "before"], "phases go forward"),
        (&["--from", "before"], "--to"),
        (&["--from", "now", "--to", "after"], "before, coexistence or after"),
        (&["--from", "before", "--to", "after", "--start", "soon"], "not a time"),
        (&["--from", "before", "--to", "after", "--time-zone", "Mars/Olympus"], "no time zone"),
        (
            &["--from", "before", "--to", "after", "--start", "2027-03-28 02:30", "--time-zone", "Europe/Berlin"],
            "clocks are changed",
        ),
        (
            &["--from", "before", "--to", "after", "--start", "2026-10-25 02:30", "--time-zone", "Europe/Berlin"],
            "clocks are changed",
        ),
    ] {
        let output = coexist(&[&["cutover", file][..], args].concat());
        let stderr = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(2), "{args:?} {stderr}");
        assert!(stderr.contains(word) && output.stdout.is_empty(), "{args:?}: {stderr}");
    }
}
