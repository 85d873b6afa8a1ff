//! What was recorded in the world is judged elsewhere to the same bytes.

use std::fs;

use tempfile::TempDir;

use crate::certificates::Leaf;
use crate::run::{Report, check, coexist};
use crate::world::World;

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_recording_is_judged_elsewhere_to_the_same_bytes() {
    let mut world = World::clean();
    world.serve("web-2", Leaf::of(&["web-2"]).self_signed());
    let running = world.start();
    let here = check(&running, &["--record", "seen.jsonl"]);
    assert_eq!(here.status, 1, "{}", here.text);

    // Elsewhere: the plan and the recording, and neither certificate files nor servers.
    let elsewhere = TempDir::new().expect("a folder");
    for file in ["plan.toml", "seen.jsonl"] {
        fs::copy(running.folder.path().join(file), elsewhere.path().join(file)).expect("a file can be copied");
    }
    drop(running);
    let args = ["judge", "plan.toml", "seen.jsonl", "--format", "json"];
    let there = Report::of(&coexist(elsewhere.path(), &args));
    assert_eq!((there.status, there.text), (here.status, here.text));
}
