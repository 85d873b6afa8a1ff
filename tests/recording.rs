//! Recordings of every format version, kept as they were written: they are still read, and judged to the same words.
//!
//! `SNAPSHOTS=overwrite cargo test --test recording` writes the reports anew, which is right after a change of words;
//! `cargo test --test recording -- --ignored` makes the last of them again, which is right with a new format version only.
#![allow(clippy::disallowed_methods, reason = "a test reads and writes its own files, and reads the clock")]

use std::path::PathBuf;
use std::time::Duration;

use coexist::cli::{Place, Sources, examine};
use coexist::lab::{Lab, World};
use coexist::model::policy::Policy;
use coexist::model::probes::Vantage;
use coexist::record::Writer;
use jiff::Timestamp;
use snapbox::Data;
use snapbox::cmd::Command;

const PLAN: &str = "plan.toml";
const ZONES: &str = "zones.toml";

/// A recording: its files' stem, its plan, what was wrong in the world, and its format's minor version.
const RECORDINGS: [(&str, &str, &[&str], u32); 4] = [
    ("broken", PLAN, &["legacy-inside-only:legacy.mail.domain.com", "old-certificate:ex2003-fe"], 0),
    // Read in the clear, with what a current client was told; each kind of key asked for apart.
    ("old-server", PLAN, &["old-tls:ex2003-fe", "old-certificate:ex2003-fe"], 1),
    // What web sites answer.
    ("web-site", PLAN, &["redirect-in-the-clear:ex2010", "covered-by-hsts:ex2003-fe"], 2),
    // Signatures of a zone, and what its parent says of its servers.
    ("signed-zone", ZONES, &["signatures-expired-unseen:domain.com", "glue-of-old-address:domain.com"], 5),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recording")
}

#[test]
fn old_recordings_are_still_read_and_judged_to_the_same_words() {
    for (stem, plan, _, minor) in RECORDINGS {
        let recording = format!("{stem}.jsonl");
        let text = std::fs::read_to_string(folder().join(&recording)).expect("a recording");
        let run: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
        assert_eq!(run["run"]["minor"].as_u64().unwrap_or(0), u64::from(minor), "{stem}");
        let judge = Command::new(env!("CARGO_BIN_EXE_coexist")).current_dir(folder()).args(["judge", plan, &recording]);
        judge.assert().code(1).stdout_eq(Data::read_from(&folder().join(format!("{stem}.txt")), None));
    }
}

#[tokio::test]
#[ignore = "makes another recording: for a new version of the format only"]
async fn make_another_recording() {
    let (stem, name, faults, minor) = RECORDINGS[RECORDINGS.len() - 1];
    let text = std::fs::read(folder().join(name)).expect("a plan");
    let plan = coexist::plan::load(name, &text, &|_| Ok(())).expect("a right plan");
    let mut world = World::standing(&plan);
    for fault in faults {
        world.break_with(fault).expect("a fault that fits");
    }
    let lab = Lab::start(&world).await.expect("a world");
    let vantage = Vantage { stands_in: plan.view_ids().collect(), ..Vantage::default() };
    let probes = coexist::plan::probes(&plan, &coexist::plan::expand(&plan), &vantage, &Policy::default());
    let place = Place {
        vantage: &vantage,
        sources: &Sources::World(&lab.files(), &lab.anchors()),
        dial: lab.dial_map(),
        ways: Vec::new(),
        timeout: Duration::from_secs(5),
        concurrency: 16,
        now: Timestamp::now(),
    };
    let recording = examine(&plan, &probes, &place, &mut |_| {}).await.expect("a look");
    let out = std::fs::File::create(folder().join(format!("{stem}.jsonl"))).expect("a file");
    let run = recording.runs.values().next().expect("a run");
    assert_eq!(run.minor, minor, "the last of the list is of the version that is written");
    let mut writer = Writer::new(out, run).expect("room");
    recording.blobs.iter().for_each(|(id, der)| writer.blob(*id, der).expect("room"));
    recording.observations.iter().for_each(|o| writer.observation(o).expect("room"));
    writer.finish().expect("room");
}
