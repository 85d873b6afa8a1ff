//! Lists of hundreds of steps: the same proof, and what makes them safe.

#[path = "../../benches/cutover/migration.rs"]
mod migration;
#[path = "../../benches/cutover/runbook.rs"]
mod runbook;

use coexist::cutover::follow;
use coexist::model::cutover::{HarmClass, Moved};

use super::*;

const NAMES: usize = 60;
const PAIRS: usize = 8;

fn followed(text: &str) -> Timeline {
    let plan = read(&migration::text(NAMES, PAIRS));
    let runbook = coexist::plan::runbook("runbook.toml", text.as_bytes(), &plan).unwrap();
    let recording = Recording::default();
    let ask = Ask { start: None, ..ask(&plan, &recording, runbook.from, runbook.to) };
    follow(&ask, &runbook, &jiff::tz::TimeZone::UTC).unwrap().timeline
}

#[test]
fn a_careful_list_is_safe_with_every_way_back() {
    let timeline = followed(&runbook::text(NAMES, PAIRS, false));
    let proof = checker::prove(&timeline);
    assert_eq!((proof.verdict, timeline.steps.len()), (Verdict::Safe, 280), "{:#?}", proof.harms);
    assert_eq!(proof.ways_back, timeline.steps.len());
}

#[test]
fn servers_that_were_forgotten_are_named_one_by_one() {
    let timeline = followed(&runbook::text(NAMES, PAIRS, true));
    assert_eq!(checker::prove(&timeline).harms[0].class, HarmClass::WrongName);
    let moves = checker::mend(&timeline).unwrap().moves;
    let told = moves.iter().map(|moved| match moved {
        Moved::Serve { node, credential, .. } => (timeline.node(*node), &*timeline.credentials[*credential].label),
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [("old0", "new0"), ("old4", "new4")]);
}

#[test]
fn a_certificate_that_comes_too_late_is_told_with_its_place() {
    let bind = "[[steps]]\ndo = \"bind-certificate\"\nservers = \"old5\"\n";
    let text = runbook::text(NAMES, PAIRS, false).replacen(bind, "", 1) + bind;
    let timeline = followed(&text);
    let last = timeline.steps.len() - 1;
    let create = timeline.steps.iter().position(|s| s.what.contains("legacy-5.example.com")).unwrap();
    assert_eq!(checker::mend(&timeline).unwrap().moves, [Moved::Before { step: last, other: create }]);
}

#[test]
fn many_lanes_unfold_and_those_left_out_are_counted() {
    let page = page(&migration::text(300, 6));
    assert_eq!(page.matches("<figure>").count(), 10, "forty lanes in each picture");
    assert_eq!((page.matches("<details>").count(), page.matches("id=\"mixed\"").count()), (10, 1));
    assert!(page.contains("<summary>lanes 41 to 80: host-"), "what is folded is named");
    assert!(page.contains(" more changes</summary>"));
    assert!(page.contains(" further lanes are not drawn."));
}
