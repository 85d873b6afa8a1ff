//! Every worked plan, between any two phases.

use std::collections::BTreeSet;
use std::net::IpAddr;

use coexist::model::cutover::{CacheKey, CacheKind, Datum};
use coexist::model::plan::{Target, Wanted};

use super::*;

const WAYS: [(Phase, Phase); 3] =
    [(Phase::Before, Phase::Coexistence), (Phase::Coexistence, Phase::After), (Phase::Before, Phase::After)];

#[test]
fn the_steps_of_every_worked_plan_lead_safely_to_what_is_wanted() {
    for (file, text) in worked() {
        for (from, to) in WAYS {
            let what = format!("{} {from} {to}", file.display());
            let planned = planned(&text, from, to).unwrap();
            let end = carried_out(&planned.timeline);
            assert_wanted(&read(&text), &end, to, &what);
            assert_safe(&planned, &what);
            let again = super::planned(&text, from, to).unwrap();
            assert_eq!(planned.timeline.steps, again.timeline.steps, "{what}: the same twice");
            assert_eq!(planned.schedule, again.schedule, "{what}");
        }
    }
}

/// Every name leads to the addresses of its targets, or nowhere.
fn assert_wanted(plan: &Plan, world: &World, phase: Phase, what: &str) {
    for name in plan.names.iter().filter(|n| n.cname.is_none()) {
        for view in plan.view_ids() {
            let key = |kind| CacheKey { view, owner: name.name.clone(), kind };
            let sets = [CacheKind::A, CacheKind::Aaaa].map(|k| world.records.get(&key(k)));
            let addresses = |d: &Datum| match d {
                Datum::Address(a) => Some(*a),
                _ => None,
            };
            let found: BTreeSet<IpAddr> = sets.iter().flatten().flat_map(|s| &s.data).filter_map(addresses).collect();
            match name.wanted(view, phase) {
                Wanted::Targets(targets) if !targets.iter().any(|t| is_foreign(plan, *t)) => {
                    let wanted: BTreeSet<IpAddr> =
                        targets.iter().flat_map(|t| plan.target_addresses(*t, view, phase)).collect();
                    assert_eq!(found, wanted, "{what}: {} in {}", name.name, plan.view(view).label);
                }
                Wanted::Absent | Wanted::Forbidden => assert!(found.is_empty(), "{what}: {}", name.name),
                _ => {}
            }
        }
    }
}

fn is_foreign(plan: &Plan, target: Target) -> bool {
    matches!(target, Target::Server(id) if plan.server(id).host.is_some())
}

#[test]
fn nothing_is_flipped_before_every_server_is_ready() {
    for (file, text) in worked() {
        let planned = before_to_coexistence(&text);
        let of = |kind| steps(&planned, kind).first().map(|(i, _)| *i);
        let last = |kind| steps(&planned, kind).last().map(|(i, _)| *i);
        let (bind, gate) = (last(StepKind::BindCertificate).max(last(StepKind::RestartService)), of(StepKind::Gate));
        if let Some(flip) = of(StepKind::Flip) {
            let file = file.display();
            assert!(gate.is_some_and(|gate| bind.is_none_or(|bind| bind < gate) && gate < flip), "{file}");
            assert!(of(StepKind::CreateRecord).is_none_or(|create| create < flip), "{file}");
            assert!(of(StepKind::LowerTtl).is_some_and(|lower| lower < flip), "{file}");
        }
    }
}

#[test]
fn a_step_left_out_or_a_server_forgotten_is_caught() {
    let (_, text) = worked().remove(0);
    let planned = before_to_coexistence(&text);
    for kind in [StepKind::BindCertificate, StepKind::CreateRecord] {
        let (step, _) = steps(&planned, kind)[0];
        let proof = checker::prove(&planned.without(step));
        assert_eq!(proof.verdict, Verdict::Harm, "without {}", kind.word());
    }
}

#[test]
fn phases_go_forward() {
    let (_, text) = worked().remove(0);
    let refusals = planned(&text, Phase::After, Phase::Before).unwrap_err();
    assert_eq!(refusals[0].title, "nothing goes from after to before");
    assert!(planned(&text, Phase::Before, Phase::Before).is_err());
}

#[test]
fn views_flip_in_steps_of_their_own_inside_first() {
    let (_, text) = worked().remove(0);
    let planned = before_to_coexistence(&text);
    let views: Vec<&str> =
        steps(&planned, StepKind::Flip).iter().map(|(_, s)| planned.timeline.view(s.view.unwrap())).collect();
    assert_eq!(views, ["internal", "external"]);
}

#[test]
fn no_value_of_a_plan_brings_a_line_of_its_own_into_a_command() {
    for (file, text) in worked() {
        for step in &before_to_coexistence(&text).timeline.steps {
            let undo = step.undo.iter().flat_map(|u| &u.commands);
            for line in step.commands.iter().chain(undo).flat_map(|s| &s.lines) {
                assert!(!line.chars().any(char::is_control), "{}: {line:?}", file.display());
            }
        }
    }
}

/// Many names over many servers are planned in a moment: equal work is one step.
#[test]
fn ten_thousand_names_over_two_hundred_servers_are_few_steps() {
    let planned = before_to_coexistence(&many(10_000, 200));
    assert!(planned.timeline.steps.len() < 40, "{} steps", planned.timeline.steps.len());
    assert_eq!(carried_out(&planned.timeline).used.len(), 10_000);
}

/// A plan of so many names over so many pairs of servers, in one view.
fn many(names: usize, servers: usize) -> String {
    use std::fmt::Write;
    let mut out = String::from(
        "[views.internal]\nresolvers = [\"10.0.0.53\"]\n[certificates.all]\nnames = [\"*.example.com\"]\n",
    );
    for s in 0..servers {
        let (hi, lo) = (s / 250, s % 250 + 1);
        write!(out, "[servers.old{s}]\naddress = \"10.1.{hi}.{lo}\"\n[servers.new{s}]\naddress = \"10.2.{hi}.{lo}\"\n")
            .unwrap();
    }
    out.push_str("[internet]\n");
    for n in 0..names {
        let s = n % servers;
        writeln!(out, "\"n{n}.example.com\" = {{ before = \"old{s}\", coexistence = \"new{s}\" }}").unwrap();
    }
    out
}
