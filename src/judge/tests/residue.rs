//! What is only for the time side by side: one redirect for all, and nothing left of it after.

use super::*;
use crate::model::name::Name;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{NameId, Published, ViewId, Wanted};
use crate::model::policy::Ask;

const LEGACY: &str = "legacy.domain.com";

/// The new server redirects to a legacy name, which is there in both views and gone after.
fn redirecting() -> World {
    let mut world = World::empty();
    let old = world.server("old", "10.0.0.3", "203.0.113.3");
    let new = world.server("new", "10.0.0.10", "203.0.113.10");
    let redirect = Located::new(Name::parse(LEGACY).unwrap(), Span::new(4, 5));
    world.plan.servers[new.0].redirects = vec![redirect];
    world.name(Table::Internet, MAIL, Target::Server(new));
    let legacy = world.name(Table::Legacy, LEGACY, Target::Server(old));
    world.plan.names[legacy.0].wanted.iter_mut().for_each(|w| w[2].value = Wanted::Absent);
    world
}

fn unplanned(world: &mut World, view: ViewId) {
    world.plan.names[1].wanted[view.0].iter_mut().for_each(|w| w.value = Wanted::Unconstrained);
}

#[test]
fn a_redirect_must_be_planned_for_all_of_its_users() {
    let judged = |settle: fn(&mut World)| {
        let mut world = redirecting();
        world.policy.scope = Scope::Files;
        settle(&mut world);
        let findings = world.judge().findings;
        findings.iter().map(|f| (f.rule, f.subject.view.clone())).collect::<Vec<_>>()
    };
    let rule = "redirect-target-single-url";
    assert_eq!(judged(|_| ()), []);
    assert_eq!(judged(|w| unplanned(w, INTERNAL)), [(rule, Some("internal".to_string()))]);
    assert_eq!(judged(|w| drop(w.plan.names.remove(1))), [(rule, None)]);
    // Without users there it hurts nobody; nor is it asked for.
    assert_eq!(
        judged(|w| {
            unplanned(w, INTERNAL);
            w.plan.names[0].wanted[0].iter_mut().for_each(|w| w.value = Wanted::Unconstrained);
        }),
        []
    );
    assert_eq!(
        judged(|w| {
            unplanned(w, INTERNAL);
            w.policy.views = Some(vec![EXTERNAL]);
        }),
        []
    );
    let mut waived = redirecting();
    unplanned(&mut waived, INTERNAL);
    waived.policy.scope = Scope::Files;
    waived.waive("redirect-target-single-url", Some("new"), None);
    assert_eq!(waived.judge().outcome, RunOutcome::Pass);
}

#[test]
fn a_redirect_to_a_name_that_is_missing_follows_from_that() {
    let mut world = redirecting();
    for view in [INTERNAL, EXTERNAL] {
        let address = if view == INTERNAL { "10.0.0.3" } else { "203.0.113.3" };
        world.resolves(NameId(1), view, &[address]);
        world.answer(view, LEGACY, &[address]);
    }
    assert_eq!(world.rules(), [""; 0]);
    world.unsay(INTERNAL, LEGACY);
    world.say(INTERNAL, LEGACY, &nxdomain());
    let follows =
        ["name-unresolved-in-view", "redirect-target-single-url"].map(|r| format!("{r}<legacy-name-single-view"));
    assert_eq!(world.rules(), ["legacy-name-single-view", &follows[0], &follows[1]]);
}

/// The legacy name is still answered outside, in a moment in which it must be gone.
fn left(standing: Moment, ask: Ask, table: Table) -> World {
    let mut world = redirecting();
    world.plan.servers[1].redirects.clear();
    world.plan.names[1].table = table;
    world.plan.standing = vec![standing; 2];
    world.policy.ask = ask;
    let absent = DnsExpectation { absent: true, ..Default::default() };
    world.expects(NameId(1), EXTERNAL, absent);
    let all = [Phase::Before, Phase::After].map(Moment::Steady);
    world.obligations[0].holds = vec![(EXTERNAL, all.into_iter().collect())].into();
    world.answer(EXTERNAL, LEGACY, &["203.0.113.3"]);
    world
}

#[test]
fn a_legacy_name_that_still_resolves_is_residue_after_only() {
    let after = Moment::Steady(Phase::After);
    let world = left(after, Ask::Standing, Table::Legacy);
    assert_eq!((world.rules(), world.verdict(0)), (vec!["legacy-residue".to_string()], Verdict::Warn));
    let world = left(Moment::Steady(Phase::Coexistence), Ask::Phase(after), Table::Legacy);
    assert_eq!(world.rules(), ["legacy-residue"]);
    let before = Moment::Steady(Phase::Before);
    assert_eq!(left(before, Ask::Standing, Table::Legacy).rules(), ["resolves-to-unexpected-target"]);
    assert_eq!(left(after, Ask::Standing, Table::Internet).rules(), ["resolves-to-unexpected-target"]);
}

#[test]
fn redirects_and_certificates_are_residue_once_the_plan_stands_after() {
    let judged = |standing: Phase| {
        let mut world = redirecting();
        world.plan.standing = vec![Moment::Steady(standing); 2];
        world.policy.ask = Ask::Phase(Moment::Steady(Phase::After));
        world.policy.scope = Scope::Files;
        let certificate = world.planned_certificate("san", &[MAIL, LEGACY]);
        let covers = world.covers(NameId(0), certificate);
        let after = [Moment::Steady(Phase::After)];
        world.obligations[covers].holds = vec![(EXTERNAL, after.into_iter().collect())].into();
        let findings = world.judge().findings;
        let residue = findings.iter().filter(|f| f.rule != "key-on-retired-node");
        residue.map(|f| (f.rule, f.severity)).collect::<Vec<_>>()
    };
    assert_eq!(judged(Phase::Coexistence), []);
    assert_eq!(judged(Phase::After), [("legacy-residue", Severity::Warning), ("legacy-residue", Severity::Info)]);
}

#[test]
fn a_waiver_of_one_view_leaves_the_redirect_of_another() {
    let mut world = redirecting();
    world.policy.scope = Scope::Files;
    unplanned(&mut world, INTERNAL);
    unplanned(&mut world, EXTERNAL);
    assert_eq!(world.rules(), ["redirect-target-single-url"]);
    world.waive("redirect-target-single-url", Some("internal"), None);
    let judgement = world.judge();
    let open: Vec<_> = judgement.findings.iter().filter(|f| f.waived.is_none()).map(|f| &f.subject.view).collect();
    assert_eq!((judgement.outcome, open), (RunOutcome::Fail, vec![&Some("external".to_string())]));
}

#[test]
fn a_redirect_is_judged_where_it_is_asked_for_and_of_ones_own() {
    let judged = |settle: fn(&mut World)| {
        let mut world = redirecting();
        world.policy.scope = Scope::Files;
        unplanned(&mut world, INTERNAL);
        settle(&mut world);
        world.rules()
    };
    let to = |world: &mut World, host: &str| {
        world.plan.servers[1].redirects[0].value = Name::parse(host).unwrap();
    };
    let rule = ["redirect-target-single-url"];
    assert_eq!(judged(|w| w.policy.only = vec!["other.domain.com".into()]), [""; 0]);
    assert_eq!(judged(|w| w.policy.only = vec!["Legacy.domain.com.".into()]), rule);
    assert_eq!(judged(|w| w.policy.only = vec!["new".into()]), rule);
    assert_eq!(judged(|w| w.policy.ask = Ask::Phase(Moment::Steady(Phase::After))), [""; 0]);
    let hosted = |host: &str| {
        let mut world = redirecting();
        world.policy.scope = Scope::Files;
        to(&mut world, host);
        world.rules()
    };
    assert_eq!(hosted("outlook.office365.com"), [""; 0]);
    assert_eq!(hosted("other.domain.com"), rule);
    assert_eq!(hosted("domain.com.example"), [""; 0]);
}

#[test]
fn a_rule_of_a_proxy_that_is_used_on_is_residue() {
    let judged = |proxy: usize, listed: &[&str]| {
        let mut world = redirecting();
        world.plan.standing = vec![Moment::Steady(Phase::After); 2];
        world.policy.ask = Ask::Standing;
        world.policy.scope = Scope::Files;
        world.plan.servers[1].redirects.clear();
        let names = listed.iter().map(|n| Located::new(Name::parse(n).unwrap(), Span::default())).collect();
        world.plan.servers[proxy].publishes = Some(Published { names, span: Span::default() });
        world.rules()
    };
    assert_eq!(judged(1, &[MAIL, LEGACY]), ["legacy-residue"]);
    assert_eq!(judged(1, &["*.domain.com", MAIL]), [""; 0]);
    // What is retired takes its rules along.
    assert_eq!(judged(0, &[MAIL, LEGACY]), [""; 0]);
}
