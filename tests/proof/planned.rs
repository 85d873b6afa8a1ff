//! What the planner makes of plans drawn at random, and of the worked ones: it is safe; and where one thing is made wrong with
//! it and the simulation sees somebody hurt, the checker says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use coexist::checker;
use coexist::cutover::{Ask, Planned, plan};
use coexist::model::cutover::{Change, NodeId, StepKind, Timeline, Verdict};
use coexist::model::inventory::Inventory;
use coexist::model::observation::Recording;
use coexist::model::phase::Phase;
use jiff::Timestamp;

use super::simulate::{Harms, some_harm};
use super::worlds::Draw;
use super::{draws, seed};

const WAYS: [(Phase, Phase); 3] =
    [(Phase::Before, Phase::Coexistence), (Phase::Coexistence, Phase::After), (Phase::Before, Phase::After)];

fn planned(text: &str, (from, to): (Phase, Phase)) -> Planned {
    let read = coexist::plan::load("plan.toml", text.as_bytes(), &|_| Ok(()));
    let read = read.unwrap_or_else(|e| panic!("{}\n{text}", coexist::plan::render_errors(&e, false)));
    let start: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    let (recording, inventory) = (Recording::default(), Inventory::default());
    let ask = Ask {
        plan: &read,
        recording: &recording,
        inventory: &inventory,
        from,
        to,
        start: Some(start),
        zone: None,
        now: start,
    };
    plan(&ask).unwrap_or_else(|refusals| panic!("{refusals:?}\n{text}"))
}

/// A small plan that can be followed: certificates cover their names, servers listen in both phases.
fn text(draw: &mut Draw) -> String {
    migration(draw, false)
}

/// Some have arrived already: their names lead to the new servers from the beginning, and there are no legacy names.
fn migration(draw: &mut Draw, arrived: bool) -> String {
    let views = 1 + draw.below(2) as usize;
    let pairs = 1 + draw.below(2) as usize;
    let mut text = String::from("[views.internal]\nresolvers = [\"10.0.0.53\"]\n");
    if views > 1 {
        text.push_str("[views.external]\nresolvers = [\"192.0.2.53\"]\n");
    }
    let names = 1 + draw.below(3) as usize;
    let legacy = draw.chance(2) && !arrived;
    let all = (0..names).map(|n| format!("\"n{n}.example.com\"")).collect::<Vec<_>>().join(", ");
    let _ = write!(
        text,
        "[certificates.old]\nnames = [{all}]\n[certificates.new]\nnames = [{all}, \"legacy.example.com\"]\n"
    );
    for pair in 0..pairs {
        let before = draw.one(&["old", "new"]);
        let address = |net: usize| match views {
            1 => format!("\"10.{net}.0.{pair}\""),
            _ => format!("{{ internal = \"10.{net}.0.{pair}\", external = \"20.{net}.0.{pair}\" }}"),
        };
        let redirects = if legacy && pair == 0 { "redirects = [\"legacy.example.com\"]\n" } else { "" };
        let _ = write!(
            text,
            "[servers.old{pair}]\naddress = {}\ncertificate = {{ before = \"{before}\", coexistence = \"new\" }}\n\
             [servers.new{pair}]\naddress = {}\ncertificate = \"new\"\n{redirects}",
            address(1),
            address(2)
        );
    }
    text.push_str("[internet]\n");
    for n in 0..names {
        let pair = draw.below(pairs as u64);
        let before = match arrived {
            true => format!("before = \"new{pair}\", "),
            false if draw.chance(4) => String::new(),
            false => format!("before = \"old{pair}\", "),
        };
        let alias = if n > 0 && draw.chance(4) { ", cname = \"host.example.com\"" } else { "" };
        let ttl = match draw.below(3) {
            0 => String::new(),
            _ => format!(", ttl-before = {}", draw.one(&[60, 600, 7200])),
        };
        let _ = writeln!(text, "\"n{n}.example.com\" = {{ {before}coexistence = \"new{pair}\"{alias}{ttl} }}");
    }
    if legacy {
        text.push_str("[legacy]\n\"legacy.example.com\" = \"old0\"\n");
    }
    let _ = write!(
        text,
        "[cutover]\nlow-ttl = {}\npropagation = {}\nslack = {}\nclock-error = {}\ncached-urls = {}\n",
        draw.one(&[30, 300]),
        draw.one(&[0, 60, 900]),
        draw.one(&[0, 0, 120]),
        draw.one(&[0, 300]),
        draw.one(&[0, 30, 3600])
    );
    text
}

/// Old values as they are once something has been left out or stands elsewhere.
fn refitted(mut timeline: Timeline) -> Timeline {
    let mut world = timeline.world.clone();
    for change in timeline.steps.iter_mut().flat_map(|s| &mut s.changes) {
        world.refit(change);
        world.apply(change);
    }
    timeline
}

/// Each wait one second shorter.
fn shorter_waits(timeline: &Timeline) -> Vec<Timeline> {
    let mut all = Vec::new();
    for (i, step) in timeline.steps.iter().enumerate() {
        for wait in (0..step.waits.len()).filter(|w| step.waits[*w].seconds > 0) {
            let mut wrong = timeline.clone();
            wrong.steps[i].waits[wait].seconds -= 1;
            all.push(wrong);
        }
    }
    all
}

/// Each two neighbours in the wrong order, their waits with them; one that waits for its neighbour waits for it no more.
fn swapped(timeline: &Timeline) -> Vec<Timeline> {
    let swap = |i: usize| {
        let mut wrong = timeline.clone();
        wrong.steps.swap(i, i + 1);
        let place = |after: usize| match after {
            _ if after == i => i + 1,
            _ if after == i + 1 => i,
            _ => after,
        };
        for (at, step) in wrong.steps.iter_mut().enumerate() {
            step.waits.iter_mut().for_each(|w| w.after = place(w.after));
            step.waits.retain(|w| w.after < at);
        }
        refitted(wrong)
    };
    (0..timeline.steps.len().saturating_sub(1)).map(swap).collect()
}

/// Each server forgotten where certificates are bound.
fn forgotten(timeline: &Timeline) -> Vec<Timeline> {
    let serves = |change: &Change, at: NodeId| matches!(change, Change::Serving { node, .. } if *node == at);
    let mut all = Vec::new();
    for node in (0..timeline.nodes.len()).map(NodeId) {
        let mut wrong = timeline.clone();
        for step in wrong.steps.iter_mut().filter(|s| s.kind != StepKind::DecommissionServer) {
            step.changes.retain(|c| !serves(c, node));
        }
        if wrong.steps != timeline.steps {
            all.push(refitted(wrong));
        }
    }
    all
}

/// Each step that creates records or lowers TTLs left out; what waits for it waits all the same.
fn dropped(timeline: &Timeline) -> Vec<Timeline> {
    let is_meant = |i: &usize| matches!(timeline.steps[*i].kind, StepKind::CreateRecord | StepKind::LowerTtl);
    let without = |i: usize| {
        let mut wrong = timeline.clone();
        wrong.steps[i].changes.clear();
        refitted(wrong)
    };
    (0..timeline.steps.len()).filter(is_meant).map(without).collect()
}

/// What is made wrong, in words.
type Wrong = (&'static str, fn(&Timeline) -> Vec<Timeline>);

const WRONGS: [Wrong; 4] = [
    ("a wait is a second too short", shorter_waits),
    ("two steps are swapped", swapped),
    ("a server is forgotten", forgotten),
    ("a step is left out", dropped),
];

/// How often somebody was hurt, by what was wrong: as the checker said, and as the simulation saw until it had seen one.
type Counts = BTreeMap<&'static str, [usize; 2]>;

/// Whoever the simulation sees hurt, the checker has to find.
fn caught(timeline: &Timeline, counts: &mut Counts, what: &str) {
    for (wrong, make) in WRONGS {
        for (i, timeline) in make(timeline).into_iter().enumerate() {
            let is_harm = checker::prove(&timeline).verdict == Verdict::Harm;
            let [said, saw] = counts.entry(wrong).or_default();
            *said += usize::from(is_harm);
            if is_harm && *saw > 0 {
                continue;
            }
            let seen: Harms = some_harm(&timeline);
            assert!(is_harm || seen.is_empty(), "{wrong} ({i}), and nobody said so: {seen:?}\n{what}");
            *saw += usize::from(!seen.is_empty());
        }
    }
}

/// Both were at work.
fn assert_caught(counts: &Counts) {
    let is_met = |wrong: &Wrong| counts.get(wrong.0).is_some_and(|[said, saw]| *said > 0 && *saw > 0);
    assert!(WRONGS.iter().all(is_met), "each of them hurts somebody somewhere: {counts:?}");
}

#[test]
fn what_is_planned_is_safe_the_same_twice_and_nothing_at_the_goal() {
    for i in 0..draws(150) {
        let text = text(&mut Draw(seed() << 35 | i));
        for way in WAYS {
            let planned_once = planned(&text, way);
            let proof = checker::prove(&planned_once.timeline);
            assert_eq!(proof.verdict, Verdict::Safe, "{way:?} {:#?} {:?}\n{text}", proof.harms, proof.unknown);
            let again = planned(&text, way);
            assert_eq!(planned_once.timeline.steps, again.timeline.steps, "{text}");
            assert_eq!(planned_once.schedule, again.schedule, "{text}");
        }
        let arrived = migration(&mut Draw(seed() << 35 | i), true);
        assert_eq!(planned(&arrived, WAYS[0]).timeline.steps, [], "{arrived}");
    }
}

#[test]
fn what_is_wrong_with_a_plan_drawn_at_random_is_caught() {
    let mut counts = Counts::new();
    for i in 0..draws(16) {
        let text = text(&mut Draw(seed() << 36 | i));
        let planned = planned(&text, WAYS[i as usize % WAYS.len()]);
        caught(&planned.timeline, &mut counts, &text);
    }
    assert_caught(&counts);
}

#[test]
fn what_is_wrong_with_a_worked_plan_is_caught() {
    let mut counts = Counts::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")).unwrap() {
        let path = file.unwrap().path();
        let planned = planned(&std::fs::read_to_string(&path).unwrap(), WAYS[0]);
        caught(&planned.timeline, &mut counts, &path.display().to_string());
    }
    assert_caught(&counts);
}
