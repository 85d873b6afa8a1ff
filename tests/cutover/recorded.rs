//! Whole runs: the embedded world is looked at by the binary in one phase after the other, and the cutover is planned from
//! what was recorded.

use std::process::{Command, Output};

use coexist::lab::{Lab, World};
use coexist::model::observation::Detour;
use coexist::model::phase::Moment;
use tempfile::TempDir;

use super::Phase::{After, Before, Coexistence};

const PLAN: &str = r#"
title = "recorded"
[views.internal]
resolvers = ["10.0.0.53"]
trust = ["corp-root.pem"]
[views.external]
resolvers = ["9.9.9.9"]
trust = ["corp-root.pem"]
[certificates.old]
file = "old.pem"
[certificates.san]
file = "san.pem"
[servers.new]
address = { internal = "10.0.0.10", external = "203.0.113.10" }
certificate = "san"
[servers.older]
address = { internal = "10.0.0.3", external = "203.0.113.3" }
certificate = { before = "old", coexistence = "san" }
[internet]
"mail.domain.com" = { before = "older", coexistence = "new", ttl-before = "1h" }
[legacy]
"legacy.mail.domain.com" = "older"
[cutover]
low-ttl = "5m"
propagation = "1m"
"#;

/// A folder with the plan, into which recordings are written.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plan.toml"), PLAN).unwrap();
        Self(folder)
    }

    fn coexist(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coexist"));
        command.args(args).current_dir(self.0.path()).env("NO_COLOR", "1").output().unwrap()
    }

    /// Looks at a world, and writes what was seen into a file.
    async fn look(&self, moment: Moment, faults: &[&str], file: &str) {
        self.look_at(PLAN, moment, faults, file).await;
    }

    /// The same of the world of another plan.
    async fn look_at(&self, plan: &str, moment: Moment, faults: &[&str], file: &str) {
        let mut world = World::of(&super::read(plan), moment);
        faults.iter().for_each(|fault| world.break_with(fault).unwrap());
        let lab = Lab::start(&world).await.unwrap();
        for (name, bytes) in lab.files() {
            std::fs::write(self.0.path().join(name), bytes).unwrap();
        }
        let detours: Vec<String> = lab.dial_map().0.iter().map(written).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_coexist"));
        let asked = match moment {
            Moment::Steady(After) => ["--phase", "after"],
            Moment::Steady(Coexistence) => ["--ready-for", "after"],
            _ => ["--ready-for", "coexistence"],
        };
        command.args(["check", "plan.toml", "--from", "internal,external", "--timeout", "5s"]).args(asked);
        command.args(["--record", file]).current_dir(self.0.path());
        detours.iter().for_each(|d| _ = command.args(["--connect-to", d]));
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() != Some(2) && self.0.path().join(file).exists(), "{said}");
    }

    /// Lets a recording be of so many hours ago.
    fn age(&self, file: &str, hours: i64) {
        let path = self.0.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            aged(&mut value, hours);
            value.to_string() + "\n"
        });
        let text: String = lines.collect();
        std::fs::write(path, text).unwrap();
    }

    /// The steps from recordings, as JSON.
    fn cutover(&self, recordings: &[&str], from: super::Phase, to: super::Phase) -> serde_json::Value {
        let (from, to) = (from.to_string(), to.to_string());
        let args = ["--from", &from, "--to", &to, "--format", "json"];
        let output = self.coexist(&[&["cutover", "plan.toml"], recordings, &args[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() != Some(2), "{said}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"))
    }
}

fn written(detour: &Detour) -> String {
    let bracketed = |a: &str| if a.contains(':') { format!("[{a}]") } else { a.to_string() };
    let host = detour.host.as_deref().map(bracketed).unwrap_or_default();
    let port = |p: Option<u16>| p.map(|p| p.to_string()).unwrap_or_default();
    let address = detour.address.map(|a| bracketed(&a.to_string())).unwrap_or_default();
    format!("{host}:{}:{address}:{}", port(detour.port), port(detour.to_port))
}

/// Every instant of a line, so many hours earlier.
fn aged(value: &mut serde_json::Value, hours: i64) {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(text) => {
            if let Ok(at) = text.parse::<jiff::Timestamp>() {
                *text = (at - jiff::SignedDuration::from_hours(hours)).to_string();
            }
        }
        Array(all) => all.iter_mut().for_each(|v| aged(v, hours)),
        Object(all) => all.values_mut().for_each(|v| aged(v, hours)),
        _ => {}
    }
}

/// When the first flip starts at the earliest, in seconds.
fn first_flip(told: &serde_json::Value) -> i64 {
    let flip = told["steps"].as_array().unwrap().iter().find(|s| s["kind"] == "flip").unwrap();
    flip["earliest"].as_i64().unwrap()
}

fn kinds(told: &serde_json::Value) -> Vec<&str> {
    told["steps"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect()
}

fn unknown(told: &serde_json::Value) -> Vec<&str> {
    told["not_known"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_recorded_world_has_already_is_not_planned_again() {
    let folder = Folder::new();
    folder.look(Moment::Steady(Before), &[], "before.jsonl").await;
    let told = folder.cutover(&["before.jsonl"], Before, Coexistence);
    assert_eq!(told["proof"]["verdict"], "safe", "{:#}", told["proof"]);
    let first = kinds(&told);
    for kind in ["bind-certificate", "create-record", "flip", "gate"] {
        assert!(first.contains(&kind), "{kind}: {first:?}");
    }
    // The TTL is low already, and was lowered nobody knows when: the old one counts from now.
    assert!(first_flip(&told) >= 3600);
    // Both certificates were seen in their files, and the new server serves its own.
    assert!(!first.contains(&"order-certificate"), "{first:?}");
    assert!(!unknown(&told).iter().any(|u| u.starts_with("what ")), "{:?}", unknown(&told));

    folder.look(Moment::Ready(Before, Coexistence), &[], "eve.jsonl").await;
    assert!(first_flip(&folder.cutover(&["eve.jsonl"], Before, Coexistence)) >= 3600, "seen low for the first time");
    folder.age("before.jsonl", 72);
    let eve = folder.cutover(&["before.jsonl", "eve.jsonl"], Before, Coexistence);
    assert!(first_flip(&eve) < 3600, "it has been low for three days");
    assert_eq!(eve["proof"]["verdict"], "safe", "{:#}", eve["proof"]["harms"]);
    for kind in ["bind-certificate", "create-record", "lower-ttl"] {
        assert!(!kinds(&eve).contains(&kind), "{kind}: {:?}", kinds(&eve));
    }
    assert!(kinds(&eve).contains(&"flip"));

    folder.look(Moment::Steady(Coexistence), &[], "after-the-flip.jsonl").await;
    // Each world of the lab has an authority of its own: what the eve showed is another world's.
    let done = folder.cutover(&["after-the-flip.jsonl"], Before, Coexistence);
    for kind in ["flip", "bind-certificate", "create-record", "lower-ttl"] {
        assert!(!kinds(&done).contains(&kind), "{kind}: {:#}", done["steps"]);
    }

    // The same recordings are where the next phase begins.
    let next = folder.cutover(&["after-the-flip.jsonl"], Coexistence, After);
    assert_eq!(next["proof"]["verdict"], "safe", "{:#}", next["proof"]);
    assert!(kinds(&next).contains(&"decommission-server") && kinds(&next).contains(&"remove-record"));
    folder.look(Moment::Steady(After), &[], "end.jsonl").await;
    let end = folder.cutover(&["end.jsonl"], Coexistence, After);
    assert!(!kinds(&end).contains(&"remove-record"), "{:?}", kinds(&end));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_servers_were_seen_to_serve_counts_and_not_what_the_plan_says() {
    let folder = Folder::new();
    // The new server was never given its certificate.
    folder.look(Moment::Steady(Before), &["default-certificate:new"], "broken.jsonl").await;
    let told = folder.cutover(&["broken.jsonl"], Before, Coexistence);
    let bind = told["steps"].as_array().unwrap().iter().find(|s| s["kind"] == "bind-certificate").unwrap();
    assert!(bind["places"].as_array().unwrap().iter().any(|p| p == "new"), "{bind:#}");
    assert_eq!(told["proof"]["verdict"], "safe", "it is put right before anybody is led there: {:#}", told["proof"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_a_view_does_not_trust_is_harm() {
    let folder = Folder::new();
    // Clients outside trust the public authorities, who never heard of the one that issued here.
    let (inside, outside) = PLAN.split_once("[views.external]").unwrap();
    let text =
        format!("{inside}[views.external]{}", outside.replacen("trust = [\"corp-root.pem\"]", "trust = \"public\"", 1));
    std::fs::write(folder.0.path().join("plan.toml"), text).unwrap();
    folder.look(Moment::Steady(Before), &[], "before.jsonl").await;
    let told = folder.cutover(&["before.jsonl"], Before, Coexistence);
    assert_eq!(told["proof"]["verdict"], "harm");
    let harms = told["proof"]["harms"].as_array().unwrap();
    assert!(harms.iter().all(|h| h["class"] == "untrusted"), "{harms:?}");
    assert!(harms[0]["words"].as_str().unwrap().contains("external"), "{harms:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_recording_shows_is_named() {
    let folder = Folder::new();
    folder.look(Moment::Steady(Before), &[], "before.jsonl").await;
    let grown = format!(
        "{PLAN}\n[servers.third]\naddress = \"10.0.0.30\"\ncertificate = \"san\"\n[intranet]\n\"third.domain.com\" = {{ before = \"older\", coexistence = \"third\" }}\n"
    );
    std::fs::write(folder.0.path().join("plan.toml"), grown).unwrap();
    let told = folder.cutover(&["before.jsonl"], Before, Coexistence);
    let lines = unknown(&told).join("\n");
    assert!(lines.contains("what DNS says in internal of third.domain.com: no recording shows it"), "{lines}");
    assert!(lines.contains("what third serves: no recording shows it"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_before_the_newest_recording_is_refused() {
    let folder = Folder::new();
    folder.look(Moment::Steady(Before), &[], "before.jsonl").await;
    let args = ["cutover", "plan.toml", "before.jsonl", "--from", "before", "--to", "coexistence"];
    let output = folder.coexist(&[&args[..], &["--start", "2020-01-01 20:00"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is before the newest recording"));
    let runbook = "from = \"before\"\nto = \"coexistence\"\ntime-zone = \"UTC\"\n[[steps]]\ndo = \"flip\"\nat = \"2020-01-01 20:00\"\n";
    std::fs::write(folder.0.path().join("runbook.toml"), runbook).unwrap();
    let output = folder.coexist(&["cutover", "--check", "runbook.toml", "plan.toml", "before.jsonl"]);
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("runbook.toml:6:") && said.contains("begins before the newest recording"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hsts_of_a_site_is_seen_and_follows_to_what_the_old_server_serves_in_the_clear() {
    let folder = Folder::new();
    let redirected = PLAN.replace(
        "certificate = \"san\"\n[servers.older]",
        "certificate = \"san\"\nredirects = [\"legacy.mail.domain.com\"]\n[servers.older]",
    );
    std::fs::write(folder.0.path().join("plan.toml"), &redirected).unwrap();
    folder.look_at(&redirected, Moment::Steady(Coexistence), &["covered-by-hsts:older"], "seen.jsonl").await;
    let covered = folder.cutover(&["seen.jsonl"], Coexistence, After);
    assert_ne!(covered["proof"]["verdict"], "safe", "its certificate is none for the name");
    // The same site above a server of which the plan says that it serves in the clear.
    std::fs::write(folder.0.path().join("plan.toml"), redirected.replace("[internet]", "services = []\n[internet]"))
        .unwrap();
    let told = folder.cutover(&["seen.jsonl"], Coexistence, After);
    let harms = told["proof"]["harms"].as_array().unwrap();
    let by_hsts = harms.iter().find(|h| h["by_hsts"] == true && h["name"] == "legacy.mail.domain.com");
    assert_eq!(by_hsts.unwrap_or_else(|| panic!("{told:#}"))["class"], "wrong-name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_whose_hsts_is_declared_is_asked_for_it() {
    let folder = Folder::new();
    let declared =
        format!("{PLAN}hsts = {{ \"mail.domain.com\" = \"max-age=600\", \"domain.com\" = \"max-age=600\" }}\n");
    std::fs::write(folder.0.path().join("plan.toml"), &declared).unwrap();
    folder.look_at(&declared, Moment::Steady(Coexistence), &[], "seen.jsonl").await;
    let told = folder.cutover(&["seen.jsonl"], Coexistence, After);
    let lines = unknown(&told).join("\n");
    let line = "what mail.domain.com makes browsers remember: the plan has max-age=600 and new was seen to send no Strict-Transport-Security";
    assert!(lines.contains(line) && !lines.contains("what domain.com makes"), "{lines}");
}
