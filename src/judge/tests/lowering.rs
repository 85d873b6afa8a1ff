//! TTLs before a flip: how low, since when, and for how long absence is believed.

use super::*;
use crate::model::dns::{AddressRecord, Link, Reply, Soa};
use crate::model::obligation::Claim;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{NameId, PhaseDates, Wanted};

const EVE: Moment = Moment::Ready(Phase::Before, Phase::Coexistence);
const DAY: u32 = 86_400;

/// The eve of a flip of one name, outside; nothing is seen yet.
fn eve() -> World {
    let mut world = World::empty();
    let (old, new) = (world.server("old", "", "203.0.113.3"), world.server("new", "", "203.0.113.10"));
    let name = world.name(Table::Internet, MAIL, Target::Server(new));
    world.plan.names[name.0].wanted[1][0].value = Wanted::Targets(vec![Target::Server(old)].into());
    world.plan.standing = vec![Moment::Steady(Phase::Before); 2];
    world.policy.ask = crate::model::policy::Ask::ReadyFor(Phase::Coexistence);
    let claim = Claim::Lowered { view: EXTERNAL, at_most: 300 };
    world.oblige("ttl/external/mail.domain.com", name, claim, &[EXTERNAL]);
    world.obligations[0].holds = vec![(EXTERNAL, [EVE].into_iter().collect())].into();
    world.plan.phases.insert(Phase::Coexistence, from("2026-11-01T00:00:00Z"));
    world
}

fn from(at: &str) -> PhaseDates {
    PhaseDates { from: Some(at.parse().unwrap()), until: None, span: Span::default() }
}

/// All resolvers outside give one address to a run with these TTLs: of a link, of A, of AAAA.
fn ttls(world: &mut World, run: &str, link: Option<u32>, a: u32, aaaa: Option<u32>) {
    for (kind, ttl, address) in [(RecordType::A, Some(a), "203.0.113.3"), (RecordType::Aaaa, aaaa, "2001:db8::3")] {
        let chain = link.map(|ttl| Link { owner: MAIL.into(), target: "owa.domain.com".into(), ttl });
        let address = ttl.map(|ttl| AddressRecord { address: address.parse().unwrap(), ttl });
        let has = address.is_some();
        let reply =
            Reply { chain: chain.into_iter().collect(), addresses: address.into_iter().collect(), ..Reply::default() };
        let outcome = if has { DnsOutcome::Answer(reply) } else { DnsOutcome::NoData(reply) };
        (0..2).for_each(|r| world.says_in(run, EXTERNAL, r, MAIL, kind, outcome.clone()));
    }
}

#[test]
fn every_link_and_both_types_must_be_low() {
    let judged = |link, a, aaaa| {
        let mut world = eve();
        ttls(&mut world, "in", link, a, aaaa);
        world.rules()
    };
    let high = ["ttl-too-high-at-flip"];
    assert_eq!(judged(Some(300), 300, Some(300)), [""; 0]);
    assert_eq!(judged(Some(301), 300, Some(300)), high);
    assert_eq!(judged(None, 301, Some(300)), high);
    assert_eq!(judged(None, 300, Some(301)), high);
    // A link without the address behind it is cached as long.
    assert_eq!(judged(Some(301), 300, None), high);
}

#[test]
fn a_link_under_another_name_is_named_in_the_cure() {
    let mut world = eve();
    ttls(&mut world, "in", None, 300, None);
    let chain = vec![
        Link { owner: MAIL.into(), target: "owa.domain.com".into(), ttl: 60 },
        Link { owner: "owa.domain.com".into(), target: "lb.domain.com".into(), ttl: 7200 },
    ];
    let addresses = vec![AddressRecord { address: "203.0.113.3".parse().unwrap(), ttl: 60 }];
    world.unsay(EXTERNAL, MAIL);
    for resolver in 0..2 {
        for kind in RecordType::ALL {
            let reply = Reply { chain: chain.clone(), addresses: addresses.clone(), ..Reply::default() };
            world.says(EXTERNAL, resolver, MAIL, kind, DnsOutcome::Answer(reply));
        }
    }
    let finding = world.judge().findings.remove(0);
    assert!(finding.remedy.cure[0].contains("each CNAME link: owa.domain.com) to 300"), "{:?}", finding.remedy.cure);
}

/// The TTL was high to a run, and low to the simple run of 21:04.
fn lowered(before: Option<(&str, u32)>, declared: Option<u32>) -> World {
    let mut world = eve();
    if let Some((started, ttl)) = before {
        world.run("old", &["internal"], started);
        ttls(&mut world, "old", None, ttl, None);
    }
    ttls(&mut world, "in", None, 300, None);
    world.plan.names[0].ttl_before = declared.map(|t| Located::new(t, Span::default()));
    world
}

/// As [`lowered`], with a low one in between.
fn lowered_at(high: (&str, u32), low: &str, declared: Option<u32>) -> World {
    let mut world = lowered(Some(high), declared);
    world.run("between", &["internal"], low);
    ttls(&mut world, "between", None, 300, None);
    world
}

#[test]
fn the_old_ttl_and_propagation_go_by_before_the_flip() {
    // It is 21:10, and changes take 5 min: an hour old at 20:05:00, gone at 21:10:00.
    let high = |ttl| ("2026-11-22T19:00:00Z", ttl);
    let (just, late) = ("2026-11-22T20:05:00Z", "2026-11-22T20:05:01Z");
    assert_eq!(lowered_at(high(3600), just, None).rules(), [""; 0]);
    let world = lowered_at(high(3600), late, None);
    assert_eq!((world.rules(), world.verdict(0)), (vec!["ttl-not-lowered-in-time".to_string()], Verdict::Fail));
    let finding = world.judge().findings.remove(0);
    assert_eq!(finding.remedy.cure, ["flip no earlier than 2026-11-22 21:11Z; the TTL stays at 300"]);
    assert!(!finding.open_question);
    // The plan may know of a longer one than was seen, and not of a shorter one.
    assert_eq!(lowered_at(high(3600), just, Some(3601)).rules(), ["ttl-not-lowered-in-time"]);
    assert_eq!(lowered_at(high(3600), late, Some(60)).rules(), ["ttl-not-lowered-in-time"]);
}

#[test]
fn it_was_lowered_some_time_after_it_was_last_high() {
    let title = |high| lowered(Some((high, 3600)), None).judge().findings.remove(0).title;
    assert!(title("2026-11-22T20:30:00Z").starts_with("the TTL of mail.domain.com was lowered too late"));
    // Low at 21:04 only: nobody knows since when.
    assert!(title("2026-11-20T20:30:00Z").starts_with("nothing shows that the TTL of mail.domain.com was lowered"));
    assert_eq!(lowered(Some(("2026-11-20T20:30:00Z", 3600)), None).judge().outcome, RunOutcome::Fail);
}

#[test]
fn the_day_of_the_flip_counts_while_it_is_ahead() {
    let mut world = lowered(Some(("2026-11-22T20:30:00Z", DAY)), None);
    world.plan.phases.insert(Phase::Coexistence, from("2026-11-23T21:09:00Z"));
    assert_eq!(world.rules(), [""; 0]);
    world.plan.phases.insert(Phase::Coexistence, from("2026-11-23T21:08:59Z"));
    assert_eq!(world.rules(), ["ttl-not-lowered-in-time"]);
    world.waive("ttl-not-lowered-in-time", Some(MAIL), None);
    assert_eq!((world.judge().outcome, world.verdict(0)), (RunOutcome::Pass, Verdict::Pass));
    world.plan.waivers.clear();
    world.plan.phases.clear();
    assert_eq!(world.rules(), ["ttl-not-lowered-in-time"], "nobody says when: it may be now");
    let mut unknown = lowered(None, Some(DAY));
    unknown.plan.phases.clear();
    assert!(unknown.judge().findings[0].open_question);
}

#[test]
fn what_no_recording_shows_is_an_open_question() {
    let unknown = lowered(None, Some(DAY));
    let judgement = unknown.judge();
    assert_eq!((judgement.outcome, judgement.findings[0].rule), (RunOutcome::Incomplete, "ttl-not-lowered-in-time"));
    assert!(judgement.findings[0].open_question && !judgement.findings[0].remedy.next.is_empty());
    // Without a declared TTL nothing says that there was another one.
    assert_eq!(lowered(None, None).judge().outcome, RunOutcome::Pass);
    assert_eq!(lowered(None, Some(300)).judge().outcome, RunOutcome::Pass);
    let long_ago = lowered(Some(("2026-11-21T21:00:00Z", 300)), Some(DAY));
    assert_eq!(long_ago.judge().outcome, RunOutcome::Pass);
}

#[test]
fn what_is_still_high_is_said_by_one_rule() {
    let mut world = eve();
    ttls(&mut world, "in", None, DAY, None);
    assert_eq!(world.rules(), ["ttl-too-high-at-flip"]);
    // Another cache, asked a second later, shows less of it.
    let mut mixed = lowered(None, Some(DAY));
    let probe = |o: &crate::model::observation::Observation| matches!(&o.probe, crate::model::observation::Probe::Dns(p) if p.resolver.to_string() == "9.9.9.9");
    mixed.recording.observations.retain(|o| !probe(o));
    let mut high = eve();
    ttls(&mut high, "in", None, DAY, None);
    for mut seen in high.recording.observations.into_iter().filter(probe) {
        seen.at = "2026-11-22T21:03:59Z".parse().unwrap();
        mixed.recording.observations.insert(seen);
    }
    assert_eq!(mixed.rules(), ["ttl-too-high-at-flip"]);
}

#[test]
fn after_a_flip_that_came_too_early_the_old_servers_must_stay() {
    let mut world = lowered(Some(("2026-11-22T20:30:00Z", DAY)), None);
    world.obligations.clear();
    world.plan.standing = vec![Moment::Steady(Phase::Coexistence); 2];
    world.policy.ask = crate::model::policy::Ask::Standing;
    world.resolves(NameId(0), EXTERNAL, &["203.0.113.3"]);
    world.plan.cutover.flipped[1] = Some("2026-11-22T21:06:00Z".parse().unwrap());
    assert_eq!(world.rules(), ["ttl-not-lowered-in-time"]);
    let finding = world.judge().findings.remove(0);
    assert_eq!(finding.remedy.cure, ["keep the old target serving mail.domain.com until 2026-11-23 21:09Z"]);
    world.plan.cutover.flipped[1] = Some("2026-11-22T20:29:59Z".parse().unwrap());
    assert_eq!(world.rules(), [""; 0], "what was seen after the flip is the new answer's");
}

/// The eve of a coexistence that makes a name; a look at another type showed the SOA.
fn made(negative: u32, minimum: u32) -> World {
    const LEGACY: &str = "legacy.domain.com";
    let mut world = eve();
    world.plan.phases.clear();
    world.obligations.clear();
    let old = Target::Server(crate::model::plan::ServerId(0));
    let name = world.name(Table::Legacy, LEGACY, old);
    world.plan.names[name.0].wanted.iter_mut().for_each(|w| w[0].value = Wanted::Unconstrained);
    world.resolves(name, EXTERNAL, &["203.0.113.3"]);
    world.obligations[0].holds = vec![(EXTERNAL, [EVE].into_iter().collect())].into();
    world.run("old", &["internal"], "2026-11-20T21:04:00Z");
    world.answer_in("old", EXTERNAL, LEGACY, &["203.0.113.3"]);
    world.answer(EXTERNAL, LEGACY, &["203.0.113.3"]);
    let zone = |zone: &str, ttl, minimum| {
        let soa = Soa { zone: zone.into(), primary: "ns1.domain.com".into(), serial: 1, ttl, minimum };
        DnsOutcome::NoData(Reply { soa: Some(soa.into()), ..Reply::default() })
    };
    (0..2).for_each(|r| world.says(EXTERNAL, r, LEGACY, RecordType::Aaaa, zone("domain.com", negative, minimum)));
    (0..2).for_each(|r| world.says(EXTERNAL, r, "x.example", RecordType::A, zone("example", DAY, DAY)));
    world
}

#[test]
fn absence_may_be_cached_no_longer_than_a_low_ttl() {
    let rules = |ttl, minimum| made(ttl, minimum).rules();
    assert_eq!(rules(300, DAY), [""; 0]);
    assert_eq!(rules(DAY, 300), [""; 0]);
    assert_eq!(rules(301, 301), ["negative-ttl-too-high"]);
    let judgement = made(DAY, DAY).judge();
    assert_eq!((judgement.outcome, judgement.findings[0].severity), (RunOutcome::Pass, Severity::Warning));
    assert_eq!(judgement.findings[0].remedy.cure[0], "set MINIMUM and TTL of the SOA of domain.com to 300 in external");
}

#[test]
fn what_is_left_until_the_flip_is_lead_enough() {
    // 21:10, absent for an hour at most, and changes take 5 min.
    let until = |at: &str| {
        let mut world = made(3600, 3600);
        world.plan.phases.insert(Phase::Coexistence, from(at));
        world.rules()
    };
    assert_eq!(until("2026-11-22T22:15:00Z"), [""; 0]);
    assert_eq!(until("2026-11-22T22:14:59Z"), ["negative-ttl-too-high"]);
    assert_eq!(until("2026-11-22T21:10:00Z"), ["negative-ttl-too-high"], "a day that is over tells nothing");
}
