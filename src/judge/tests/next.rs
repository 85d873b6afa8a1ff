//! The next command to type asks what was asked.

use super::*;
use crate::model::phase::{Moment, Phase};
use crate::model::policy::Ask;

fn next(world: &World, title: &str) -> Vec<String> {
    let findings = world.judge().findings;
    let found = findings.iter().find(|f| f.title.contains(title));
    found.unwrap_or_else(|| panic!("{title}: {findings:#?}")).remedy.next.clone()
}

#[test]
fn from_elsewhere_and_then_together() {
    let mut world = simple();
    world.recording.runs.remove("out");
    world.policy.ask = Ask::Phase(Moment::Steady(Phase::Coexistence));
    assert_eq!(
        next(&world, "NAT or firewall"),
        [
            "on a phone hotspot:",
            "  coexist check plan.toml --phase coexistence --from external --record out.jsonl",
            "  coexist judge plan.toml in.jsonl out.jsonl --phase coexistence",
        ]
    );
    world.plan.source.file = r".\my plan.toml".into();
    assert!(next(&world, "NAT or firewall")[1].starts_with(r"  coexist check '.\my plan.toml' --phase"));
}

#[test]
fn a_server_is_asked_from_a_view_that_reaches_it() {
    let mut world = simple();
    world.forget("10.0.0.10");
    world.recording.runs.remove("in");
    let next = next(&world, "ex2010 was not looked at");
    assert_eq!(next[0], "from where ex2010 can be reached:");
    assert_eq!(next[1], "  coexist check plan.toml --from internal --record in.jsonl");
}
