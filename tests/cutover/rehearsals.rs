//! A cutover that is played by the binary: what it tells people and programs.

use std::process::{Command, Output};

use super::*;

const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.all]
names = ["www.domain.com"]
[servers.old]
address = "10.0.0.3"
[servers.new]
address = "10.0.0.10"
[internet]
"www.domain.com" = { before = "old", coexistence = "new", ttl-before = "1h" }
[mail."domain.com"]
mx = "www.domain.com"
mta-sts = "7d"
"#;

fn rehearse(args: &[&str]) -> Output {
    rehearse_plan(PLAN, args)
}

fn rehearse_plan(plan: &str, args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_coexist"));
    command.arg("rehearse").arg("plan.toml").args(args).current_dir(folder.path()).env("NO_COLOR", "1");
    command.output().unwrap()
}

fn told(args: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = rehearse(&[args, &["--format", "json"]].concat());
    let told = serde_json::from_slice(&output.stdout);
    (output.status.code(), told.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr))))
}

#[test]
fn what_is_planned_hurts_nobody_and_the_json_is_as_its_schema_says() {
    let (status, json) = told(&[]);
    assert_eq!((status, &json["agrees"], json["failed"].as_u64()), (Some(0), &true.into(), Some(0)), "{json:#}");
    assert!(
        json["tries"].as_u64() > json["connections"].as_u64() && json["connections"].as_u64() > Some(20),
        "{json:#}"
    );
    // Senders of mail believe the policy; only the ways back are left out.
    assert_eq!((&json["paths_played"], json["undone_after"].is_null()), (&json["paths"], true), "{json:#}");
    let left: Vec<_> = json["not_played"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
    assert!(left.len() == 1 && left[0].ends_with("ways back (--undo-after N plays one)"), "{left:?}");
    let schema = Command::new(env!("CARGO_BIN_EXE_coexist")).args(["schema", "rehearsal"]).output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&json), "{:?}", validator.iter_errors(&json).map(|e| e.to_string()).next());
}

#[test]
fn without_the_certificate_on_the_new_server_its_clients_find_nobody() {
    let bind = before_to_coexistence(PLAN);
    let (bind, _) = steps(&bind, StepKind::BindCertificate)[0];
    let (status, json) = told(&["--break-step", &(bind + 1).to_string()]);
    assert_eq!(status, Some(1));
    assert_eq!(json["met"], json["predicted"]);
    assert_eq!(json["met"], serde_json::json!(["nothing-listens"]));
    assert_eq!(json["failures"][0]["name"], "www.domain.com");
    assert_eq!(json["broken_step"], bind + 1);
}

#[test]
fn who_turns_back_in_time_hurts_nobody() {
    let planned = before_to_coexistence(PLAN);
    let (flip, _) = *steps(&planned, StepKind::Flip).last().unwrap();
    let (status, json) = told(&["--undo-after", &(flip + 1).to_string()]);
    assert_eq!(
        (status, &json["agrees"], &json["undone_after"]),
        (Some(0), &true.into(), &(flip + 1).into()),
        "{json:#}"
    );
    assert_eq!(json["not_played"], serde_json::json!([]));
}

#[test]
fn steps_that_are_none_and_ways_back_that_are_none_are_mistakes() {
    let count = before_to_coexistence(PLAN).timeline.steps.len();
    let beyond = rehearse(&["--undo-after", "2", "--break-step", "3"]);
    assert!(String::from_utf8_lossy(&beyond.stderr).contains("step 3 is not reached before one turns back"));
    for (args, words) in [
        (["--break-step", "0"], format!("--break-step 0: there are {count} steps")),
        (["--break-step", "99"], format!("--break-step 99: there are {count} steps")),
        (["--undo-after", "0"], format!("--undo-after 0: there are {count} steps")),
        (["--undo-after", "99"], format!("--undo-after 99: there are {count} steps")),
        (["--from", "coexistence"], "nothing goes from coexistence to coexistence".into()),
    ] {
        let output = rehearse(&args);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(&words), "{args:?}: {told}");
    }
}
