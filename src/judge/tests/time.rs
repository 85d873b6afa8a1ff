//! How old evidence may be, and which run's word counts where runs differ.

use super::*;

/// The simple world, and a run that began later and saw nothing.
fn later(id: &str, stands_in: &[&str], started: &str) -> World {
    let mut world = simple();
    world.run(id, stands_in, started);
    world.now = "2026-11-30T00:00:00Z".parse().unwrap();
    world
}

#[test]
fn evidence_ages_against_the_newest_run() {
    let judgement = later("new", &["internal"], "2026-11-23T23:30:00Z").judge();
    assert_eq!((judgement.outcome, judgement.counts.passed), (RunOutcome::Incomplete, 0));
    assert!(judgement.findings.iter().any(|f| f.title.contains("26 h ago")), "{:#?}", judgement.findings);
}

#[test]
fn another_time_moves_the_calendar_and_not_the_age() {
    let mut world = simple();
    world.now = "2026-12-24T00:00:00Z".parse().unwrap();
    let judgement = world.judge();
    assert_eq!(judgement.outcome, RunOutcome::Pass);
    let said = "what is there at 2026-12-24 00:00Z: judged as of 2026-11-22 21:04Z";
    assert!(judgement.not_looked_at.iter().any(|l| l == said), "{:?}", judgement.not_looked_at);
    assert!(!simple().judge().not_looked_at.iter().any(|l| l.contains("judged as of")));
}

#[test]
fn what_is_seen_later_tells_nothing_of_an_earlier_time() {
    let mut world = simple();
    world.now = "2026-11-22T21:03:59Z".parse().unwrap();
    let judgement = world.judge();
    // What the certificate's file holds belongs to the plan.
    assert_eq!((judgement.outcome, judgement.counts.passed), (RunOutcome::Incomplete, 1));
    let said = "after the time that is judged";
    assert!(judgement.findings.iter().all(|f| f.title.contains(said)), "{:#?}", judgement.findings);
}

#[test]
fn a_nearer_max_age_counts() {
    let aged = |settle: fn(&mut World)| {
        let mut world = later("new", &["internal"], "2026-11-22T23:30:00Z");
        settle(&mut world);
        world.judge().counts.passed
    };
    assert_eq!(aged(|_| ()), 5);
    assert_eq!(aged(|w| w.plan.views[1].settings.max_age = 3600), 4);
    assert_eq!(aged(|w| w.plan.servers[0].settings.max_age = 3600), 3);
    assert_eq!(aged(|w| w.plan.settings.max_age = 3600), 4, "the file is the plan's");
}

/// What the external view said to an older run inside, then to a newer one, both of the simple world's name.
fn said(old: &DnsOutcome, new: Option<&DnsOutcome>, vantage: &[&str], started: &str) -> World {
    let mut world = later("new", vantage, started);
    world.unsay(EXTERNAL, MAIL);
    world.say_in("in", EXTERNAL, MAIL, old);
    match new {
        Some(outcome) => world.say_in("new", EXTERNAL, MAIL, outcome),
        None => world.answer_in("new", EXTERNAL, MAIL, &["203.0.113.10"]),
    }
    world
}

#[test]
fn the_newest_word_of_a_resolver_counts_whatever_the_vantage() {
    let verdict = |w: World| w.verdict(2);
    assert_eq!(verdict(said(&nxdomain(), None, &["external"], "2026-11-22T23:00:00Z")), Verdict::Pass);
    let at_once = said(&nxdomain(), None, &["external"], "2026-11-22T21:10:00Z");
    let finding = at_once.judge().findings.remove(0);
    assert_eq!((at_once.verdict(2), finding.rule), (Verdict::Fail, "name-unresolved-in-view"));
    assert_eq!(verdict(said(&nxdomain(), None, &["internal"], "2026-11-22T21:10:00Z")), Verdict::Pass);
}

#[test]
fn silence_does_not_unsay_what_another_vantage_heard() {
    let right = answer(RecordType::A, &["203.0.113.10"], &[]);
    let heard = |vantage: &[&str]| {
        let mut world = said(&right, Some(&DnsOutcome::Timeout), vantage, "2026-11-22T23:00:00Z");
        world.unsay(EXTERNAL, MAIL);
        world.answer_in("in", EXTERNAL, MAIL, &["203.0.113.10"]);
        world.say_in("new", EXTERNAL, MAIL, &DnsOutcome::Timeout);
        world.verdict(2)
    };
    assert_eq!(heard(&["external"]), Verdict::Pass);
    assert_eq!(heard(&["internal"]), Verdict::Unobserved);
    assert_eq!(heard(&["internal", "external"]), Verdict::Unobserved);
}

#[test]
fn a_later_failure_counts() {
    let mut world = said(&nxdomain(), Some(&DnsOutcome::ServFail), &["external"], "2026-11-22T23:00:00Z");
    world.unsay(EXTERNAL, MAIL);
    world.answer_in("in", EXTERNAL, MAIL, &["203.0.113.10"]);
    world.say_in("new", EXTERNAL, MAIL, &DnsOutcome::ServFail);
    assert_eq!(world.verdict(2), Verdict::Fail);
}

#[test]
fn a_server_is_what_it_was_last_seen_to_be() {
    let mut world = later("new", &["external"], "2026-11-22T23:00:00Z");
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &ROOT.issue(&["other.domain.com"]));
    assert_eq!(world.verdict(3), Verdict::Fail);
    let chain = ROOT.issue(&[MAIL]);
    world.serve("new", "10.0.0.10", MAIL, &chain);
    assert_eq!(world.verdict(3), Verdict::Pass);
}

const LEGACY: &str = "legacy.domain.com";

/// The eve of a coexistence that needs a legacy name, seen right by a run two hours ago or not at all, and now.
fn eve(first: Option<&DnsOutcome>) -> World {
    use crate::model::phase::{Moment, Phase};
    use crate::model::plan::Wanted;
    let mut world = World::empty();
    let old = world.server("ex2003", "", "203.0.113.3");
    let name = world.name(Table::Legacy, LEGACY, Target::Server(old));
    world.plan.names[name.0].wanted.iter_mut().for_each(|w| w[0].value = Wanted::Unconstrained);
    world.plan.standing = vec![Moment::Steady(Phase::Before); 2];
    world.policy.ask = crate::model::policy::Ask::ReadyFor(Phase::Coexistence);
    world.resolves(name, EXTERNAL, &["203.0.113.3"]);
    world.obligations[0].holds =
        vec![(EXTERNAL, [Moment::Ready(Phase::Before, Phase::Coexistence)].into_iter().collect())].into();
    world.run("new", &["internal"], "2026-11-22T23:04:00Z");
    world.now = "2026-11-22T23:04:00Z".parse().unwrap();
    match first {
        Some(outcome) => world.say_in("in", EXTERNAL, LEGACY, outcome),
        None => world.answer_in("in", EXTERNAL, LEGACY, &["203.0.113.3"]),
    }
    world.answer_in("new", EXTERNAL, LEGACY, &["203.0.113.3"]);
    world
}

#[test]
fn a_young_name_may_be_believed_absent() {
    assert_eq!(eve(None).rules(), [""; 0]);
    let world = eve(Some(&nxdomain()));
    let judgement = world.judge();
    assert_eq!((judgement.outcome, judgement.counts.passed), (RunOutcome::Pass, 1));
    let finding = &judgement.findings[0];
    assert_eq!((finding.rule, finding.severity), ("name-probed-before-creation", Severity::Info));
    // The SOA says 900 s, the plan 5 min of propagation.
    assert_eq!(finding.title, "legacy.domain.com may still be believed absent in external until 2026-11-22 23:24Z");
    let mut later = eve(Some(&nxdomain()));
    later.now = "2026-11-22T23:24:00Z".parse().unwrap();
    assert_eq!(later.rules(), [""; 0]);
}
