//! Answers that lead elsewhere: the nearest rule speaks of each, and no other.

use super::*;
use crate::model::obligation::Alternative;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{PoolId, ServerId, ViewId, Wanted};

const OLD: ServerId = ServerId(0);
const NEW: ServerId = ServerId(1);

/// A name that moved from one server to another, both with A and AAAA inside, and with A outside.
fn moved() -> World {
    let mut world = World::empty();
    let old = world.server("old", "10.0.0.3 fd00::3", "203.0.113.3");
    let new = world.server("new", "10.0.0.10 fd00::10", "203.0.113.10");
    let name = world.name(Table::Internet, MAIL, Target::Server(new));
    for wanted in world.plan.names[name.0].wanted.iter_mut() {
        wanted[0].value = Wanted::Targets(vec![Target::Server(old)].into());
    }
    for view in [INTERNAL, EXTERNAL] {
        let expected = DnsExpectation { present: vec![set(&world, NEW, view)], ..Default::default() };
        world.expects(name, view, expected);
    }
    world.answer(INTERNAL, MAIL, &["10.0.0.10", "fd00::10"]);
    world.answer(EXTERNAL, MAIL, &["203.0.113.10"]);
    world
}

fn set(world: &World, server: ServerId, view: ViewId) -> Alternative {
    let addresses = world.plan.server(server).addresses[view.0].to_vec();
    Alternative { targets: vec![Target::Server(server)], addresses }
}

/// The rules that speak when a view gives these addresses.
fn given(view: ViewId, addresses: &[&str]) -> Vec<String> {
    let mut world = moved();
    world.unsay(view, MAIL);
    world.answer(view, MAIL, addresses);
    world.rules()
}

#[test]
fn the_nearest_rule_speaks_of_an_answer() {
    const GENERAL: &str = "resolves-to-unexpected-target";
    for (view, addresses, rule) in [
        (EXTERNAL, &["203.0.113.3"][..], GENERAL),
        (EXTERNAL, &["203.0.113.3", "203.0.113.10"], "mixed-generation-rrset"),
        (EXTERNAL, &["203.0.113.10", "203.0.113.99"], GENERAL),
        (EXTERNAL, &["203.0.113.3", "203.0.113.10", "203.0.113.99"], GENERAL),
        (EXTERNAL, &["203.0.113.10", "2001:db8::10"], "stale-or-unplanned-aaaa"),
        (EXTERNAL, &["203.0.113.3", "2001:db8::10"], GENERAL),
        (EXTERNAL, &["2001:db8::10"], GENERAL),
        (EXTERNAL, &["10.0.0.10"], "private-address-in-external-view"),
        (EXTERNAL, &["203.0.113.10", "100.64.0.1"], "private-address-in-external-view"),
        (EXTERNAL, &["203.0.113.10", "fd00::10"], "private-address-in-external-view"),
        (INTERNAL, &["10.0.0.10"], GENERAL),
        (INTERNAL, &["10.0.0.10", "fd00::3"], "stale-or-unplanned-aaaa"),
        (INTERNAL, &["10.0.0.10", "fd00::3", "fd00::10"], "mixed-generation-rrset"),
        (INTERNAL, &["10.0.0.3", "fd00::3"], GENERAL),
        // Another machine's private address inside is no hairpin, and the old server's public one neither.
        (INTERNAL, &["10.0.0.99"], GENERAL),
        (INTERNAL, &["203.0.113.3"], GENERAL),
    ] {
        assert_eq!(given(view, addresses), [rule], "{addresses:?}");
    }
    let hairpin = ["public-address-in-internal-view", "resolves-to-unexpected-target<public-address-in-internal-view"];
    assert_eq!(given(INTERNAL, &["203.0.113.10"]), hairpin);
    assert_eq!(given(INTERNAL, &["10.0.0.10", "fd00::10", "203.0.113.10"]), hairpin);
}

#[test]
fn a_hairpin_fails_the_run_unless_the_plan_means_it() {
    let mut world = moved();
    world.unsay(INTERNAL, MAIL);
    world.answer(INTERNAL, MAIL, &["203.0.113.10"]);
    assert_eq!((world.judge().outcome, world.verdict(0)), (RunOutcome::Fail, Verdict::Fail));
    world.waive("public-address-in-internal-view", Some(MAIL), None);
    assert_eq!(world.judge().outcome, RunOutcome::Pass);
    world.plan.waivers.clear();
    world.plan.servers[1].addresses[0] = vec!["203.0.113.10".parse().unwrap()];
    world.obligations.remove(0);
    world.resolves(crate::model::plan::NameId(0), INTERNAL, &["203.0.113.10"]);
    assert_eq!(world.rules(), [""; 0]);
}

#[test]
fn two_vantages_with_a_generation_each_are_no_mixed_set() {
    let mut world = moved();
    world.run("later", &["external"], "2026-11-22T21:05:00Z");
    world.unsay(EXTERNAL, MAIL);
    world.answer_in("in", EXTERNAL, MAIL, &["203.0.113.10"]);
    world.answer_in("later", EXTERNAL, MAIL, &["203.0.113.3"]);
    assert_eq!(world.rules(), ["resolves-to-unexpected-target"]);
}

#[test]
fn each_odd_answer_has_its_own_cure() {
    let cure = |view, addresses: &[&str]| {
        let mut world = moved();
        world.unsay(view, MAIL);
        world.answer(view, MAIL, addresses);
        world.judge().findings.remove(0).remedy.cure
    };
    assert_eq!(
        cure(EXTERNAL, &["203.0.113.3", "203.0.113.10"]),
        ["public zone: delete mail.domain.com. A 203.0.113.3"]
    );
    assert_eq!(
        cure(EXTERNAL, &["203.0.113.10", "2001:db8::7"]),
        ["public zone: delete mail.domain.com. AAAA 2001:db8::7"]
    );
    assert_eq!(
        cure(EXTERNAL, &["10.0.0.10"]),
        ["public zone: delete mail.domain.com. A 10.0.0.10", "public zone: mail.domain.com. 300 IN A 203.0.113.10"]
    );
}

#[test]
fn an_override_and_a_waiver_reach_the_nearest_rule() {
    let mut world = moved();
    world.unsay(EXTERNAL, MAIL);
    world.answer(EXTERNAL, MAIL, &["203.0.113.10", "2001:db8::10"]);
    let severity = Located::new(Some(Severity::Warning), Span::default());
    world.plan.severity.insert("stale-or-unplanned-aaaa".into(), severity);
    assert_eq!((world.judge().outcome, world.verdict(1)), (RunOutcome::Pass, Verdict::Warn));
    world.plan.severity.clear();
    world.waive("stale-or-unplanned-aaaa", Some("external"), None);
    assert_eq!((world.judge().outcome, world.verdict(1)), (RunOutcome::Pass, Verdict::Waived));
}

#[test]
fn a_private_address_of_the_plan_is_said_without_a_network() {
    let judged = |address: &str, reaches: Option<&str>, kind: Table| {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", address);
        let name = world.name(kind, MAIL, Target::Server(server));
        if kind == Table::Intranet {
            world.plan.names[name.0].wanted[1].iter_mut().for_each(|w| w.value = Wanted::Forbidden);
        }
        world.plan.views[1].reaches = reaches.map(|n| vec![n.parse().unwrap()]);
        world.policy.scope = Scope::Files;
        world.rules()
    };
    let private = ["private-address-in-external-view"];
    assert_eq!(judged("10.0.0.10", None, Table::Internet), private);
    assert_eq!(judged("172.31.255.255", None, Table::Internet), private);
    assert_eq!(judged("172.32.0.0", None, Table::Internet), [""; 0]);
    assert_eq!(judged("10.0.0.10", Some("10.0.0.0/8"), Table::Internet), [""; 0]);
    assert_eq!(judged("10.0.0.10", Some("10.1.0.0/16"), Table::Internet), private);
    // A world that is played on this machine.
    assert_eq!(judged("127.0.0.1", None, Table::Internet), [""; 0]);
    // Nobody is led there.
    assert_eq!(judged("10.0.0.10", None, Table::Intranet), [""; 0]);
}

#[test]
fn a_private_address_of_a_pool_is_one_finding_for_all_names() {
    let mut world = World::empty();
    let member = world.server("node", "10.0.0.11", "");
    world.pool("owa", "10.0.0.30", &[member]);
    world.plan.pools[0].addresses[1] = vec!["192.168.1.30".parse().unwrap()];
    for name in [MAIL, "autodiscover.domain.com"] {
        world.name(Table::Internet, name, Target::Pool(PoolId(0)));
    }
    world.policy.scope = Scope::Files;
    let judgement = world.judge();
    assert_eq!(judgement.findings.len(), 1);
    assert!(judgement.findings[0].hurts[0].contains("mail.domain.com and autodiscover.domain.com"));
    let mut waived = world;
    waived.waive("private-address-in-external-view", Some("owa"), None);
    assert_eq!(waived.judge().outcome, RunOutcome::Pass);
}

/// The external view's two resolvers, one with the old answer and one with the new.
fn differing(moment: Moment, expected: DnsExpectation) -> World {
    let mut world = moved();
    world.obligations.clear();
    world.plan.standing = vec![moment; 2];
    let obligation = world.expects(crate::model::plan::NameId(0), EXTERNAL, expected);
    world.obligations[obligation].holds = vec![(EXTERNAL, [moment].into_iter().collect())].into();
    world.unsay(EXTERNAL, MAIL);
    world.answer_of(EXTERNAL, 0, MAIL, &["203.0.113.3"]);
    world.answer_of(EXTERNAL, 1, MAIL, &["203.0.113.10"]);
    world
}

#[test]
fn resolvers_that_differ_are_said_once() {
    let flip = Moment::Transition(Phase::Before, Phase::Coexistence);
    let sets = [OLD, NEW].map(|s| set(&moved(), s, EXTERNAL)).to_vec();
    let either = DnsExpectation { present: sets.clone(), ..Default::default() };
    let world = differing(flip, either.clone());
    assert_eq!((world.rules(), world.verdict(0)), (vec!["resolvers-disagree-in-view".to_string()], Verdict::Warn));
    let finding = world.judge().findings.remove(0);
    assert_eq!(finding.seen, ["203.0.113.3 from 9.9.9.9", "203.0.113.10 from 1.1.1.1"]);
    // Where any part of the set may be answered, a difference is none.
    assert_eq!(differing(flip, DnsExpectation { part: true, ..either.clone() }).rules(), [""; 0]);
    // In a phase one of them is wrong, and that they differ follows from it.
    let new = DnsExpectation { present: sets[1..].to_vec(), ..Default::default() };
    let steady = differing(Moment::Steady(Phase::Coexistence), new);
    let follows = "resolvers-disagree-in-view<resolves-to-unexpected-target";
    assert_eq!(steady.rules(), ["resolves-to-unexpected-target", follows]);
    // Who is silent does not differ.
    let mut silent = differing(flip, either);
    silent.unsay(EXTERNAL, MAIL);
    silent.answer_of(EXTERNAL, 0, MAIL, &["203.0.113.3"]);
    RecordType::ALL.into_iter().for_each(|k| silent.says(EXTERNAL, 1, MAIL, k, DnsOutcome::Timeout));
    assert_eq!(silent.rules(), ["evidence-missing"]);
}

/// The eve of the move, or the move itself: old or new is right outside.
fn moving(moment: Moment, addresses: &[&str]) -> World {
    let mut world = moved();
    world.obligations.clear();
    let present = vec![set(&world, OLD, EXTERNAL), set(&world, NEW, EXTERNAL)];
    world.expects(crate::model::plan::NameId(0), EXTERNAL, DnsExpectation { present, ..Default::default() });
    world.obligations[0].holds = vec![(EXTERNAL, [moment].into_iter().collect())].into();
    world.plan.standing = vec![Moment::Steady(Phase::Before); 2];
    world.policy.ask = match moment {
        Moment::Ready(_, to) => crate::model::policy::Ask::ReadyFor(to),
        moment => crate::model::policy::Ask::Phase(moment),
    };
    world.unsay(EXTERNAL, MAIL);
    world.answer(EXTERNAL, MAIL, addresses);
    world
}

#[test]
fn on_the_eve_old_or_new_is_right_and_not_both_in_one_set() {
    let ready = Moment::Ready(Phase::Before, Phase::Coexistence);
    let both = ["203.0.113.3", "203.0.113.10"];
    for one in both {
        assert_eq!(moving(ready, &[one]).rules(), [""; 0]);
    }
    let mixed = moving(ready, &both);
    assert_eq!((mixed.rules(), mixed.verdict(0)), (vec!["mixed-generation-rrset".to_string()], Verdict::Fail));
    let finding = mixed.judge().findings.remove(0);
    assert!(finding.title.contains("203.0.113.10 of another phase"), "{}", finding.title);
    assert_eq!(finding.remedy.cure, ["public zone: delete mail.domain.com. A 203.0.113.10"]);
    assert_eq!(moving(Moment::Transition(Phase::Before, Phase::Coexistence), &both).rules(), [""; 0]);
    // Two vantages may meet it while it changes.
    let mut apart = moving(ready, &both[..1]);
    apart.run("later", &["external"], "2026-11-22T21:05:00Z");
    apart.answer_in("later", EXTERNAL, MAIL, &both[1..]);
    assert_eq!(apart.rules(), [""; 0]);
}

#[test]
fn a_waiver_of_one_name_leaves_another_at_the_same_private_address() {
    let mut world = World::empty();
    world.policy.scope = Scope::Files;
    let server = Target::Server(world.server("ex", "10.0.0.10", "10.0.0.10"));
    for name in [MAIL, "b.domain.com"] {
        world.name(Table::Internet, name, server);
    }
    world.waive("private-address-in-external-view", Some(MAIL), None);
    let judgement = world.judge();
    let open: Vec<_> = judgement.findings.iter().filter(|f| f.waived.is_none()).collect();
    assert_eq!((judgement.outcome, judgement.findings.len(), open.len()), (RunOutcome::Fail, 2, 1));
    assert!(open[0].hurts[0].ends_with("they cannot reach b.domain.com"), "{:?}", open[0].hurts);
}

#[test]
fn a_private_address_of_the_plan_is_judged_where_it_is_asked_for_and_still_used() {
    let judged = |standing: Phase, only: &[&str]| {
        let mut world = World::empty();
        world.policy.scope = Scope::Files;
        world.plan.standing = vec![Moment::Steady(standing); 2];
        world.policy.only = only.iter().map(|w| w.to_string()).collect();
        let old = Target::Server(world.server("old", "10.0.0.3", "10.0.0.3"));
        let new = Target::Server(world.server("new", "10.0.0.10", "203.0.113.10"));
        let name = world.name(Table::Internet, MAIL, new);
        world.name(Table::Internet, "x.domain.com", new);
        world.plan.names[name.0].wanted.iter_mut().for_each(|w| w[0].value = Wanted::Targets(vec![old].into()));
        world.rules()
    };
    let private = ["private-address-in-external-view"];
    assert_eq!(judged(Phase::Before, &[]), private);
    assert_eq!(judged(Phase::Coexistence, &[]), private, "caches lead there still");
    assert_eq!(judged(Phase::After, &[]), [""; 0]);
    assert_eq!(judged(Phase::Before, &["x.domain.com"]), [""; 0]);
    assert_eq!(judged(Phase::Before, &["new"]), [""; 0]);
    for word in [MAIL, "old", "dns"] {
        assert_eq!(judged(Phase::Before, &[word]), private, "{word}");
    }
}
