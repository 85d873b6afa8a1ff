//! A recording of the first format version, kept as it was written: it is still read, and judged to the same words.
//!
//! `SNAPSHOTS=overwrite cargo test --test recording` writes the report anew, which is right after a change of words;
//! `cargo test --test recording -- --ignored` makes another recording, which is right with a new format version only.
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
const RECORDING: &str = "broken.jsonl";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recording")
}

#[test]
fn an_old_recording_is_still_read_and_judged_to_the_same_words() {
    let judge = Command::new(env!("CARGO_BIN_EXE_coexist")).current_dir(folder()).args(["judge", PLAN, RECORDING]);
    judge.assert().code(1).stdout_eq(Data::read_from(&folder().join("report.txt"), None));
}

#[tokio::test]
#[ignore = "makes another recording: for a new version of the format only"]
async fn make_another_recording() {
    let text = std::fs::read(folder().join(PLAN)).expect("a plan");
    let plan = coexist::plan::load(PLAN, &text, &|_| Ok(())).expect("a right plan");
    let mut world = World::standing(&plan);
    for fault in ["legacy-inside-only:legacy.mail.domain.com", "old-certificate:ex2003-fe"] {
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
    let out = std::fs::File::create(folder().join(RECORDING)).expect("a file");
    let mut writer = Writer::new(out, recording.runs.values().next().expect("a run")).expect("room");
    recording.blobs.iter().for_each(|(id, der)| writer.blob(*id, der).expect("room"));
    recording.observations.iter().for_each(|o| writer.observation(o).expect("room"));
    writer.finish().expect("room");
}
