//! What a zone's parent says of its servers, against what these say.

use super::*;
use crate::model::dns::{AddressRecord, NamedServer, Referral, Reply, ResolverAddr};
use crate::model::finding::Finding;
use crate::model::observation::{DnsProbe, Outcome, Probe};
use crate::model::plan::Zone;

const ZONE: &str = "domain.com";
const TLD: &str = "192.5.6.30";
const NS1: (&str, &str) = ("ns1.domain.com", "198.51.100.53");
const NS2: (&str, &str) = ("ns2.domain.com", "203.0.113.53");
const HOSTED: (&str, &str) = ("ns.hoster.net", "192.0.2.53");

/// The simple world with its zone, whose parent has a server of which the view's resolvers know.
fn world(declared: &[&str]) -> World {
    let mut world = simple();
    world.plan.zones = vec![Zone {
        apex: Name::parse(ZONE).unwrap(),
        views: vec![EXTERNAL],
        servers: declared.iter().map(|s| Located::new(ResolverAddr::parse(s).unwrap(), Span::default())).collect(),
        product: None,
        span: Span::default(),
    }];
    world.say_of(EXTERNAL, "com", RecordType::Ns, &records(RecordType::Ns, &["a.gtld-servers.net."]));
    world.answer(EXTERNAL, "a.gtld-servers.net", &[TLD]);
    for (host, address) in [NS1, NS2, HOSTED] {
        world.answer(EXTERNAL, host, &[address]);
    }
    world
}

impl World {
    /// A server is asked for what its own zones hold.
    fn direct(&mut self, server: &str, name: &str, kind: RecordType, outcome: DnsOutcome) {
        let resolver = ResolverAddr::parse(server).unwrap().into();
        let name = Name::parse(name).unwrap();
        let probe = DnsProbe { view: "external".into(), resolver, name, kind, unchecked: false, direct: true };
        self.see("out", Probe::Dns(probe), Outcome::Dns(outcome));
    }

    /// The parent's server refers to these, with these addresses as glue.
    fn refers(&mut self, servers: &[(&str, &[&str])]) {
        let address = |a: &&str| AddressRecord { address: a.parse().unwrap(), ttl: 172_800 };
        let named = |(name, glue): &(&str, &[&str])| NamedServer {
            name: (*name).into(),
            ttl: 172_800,
            addresses: glue.iter().map(address).collect(),
        };
        let referral = Referral { zone: ZONE.into(), servers: servers.iter().map(named).collect() };
        self.direct(TLD, ZONE, RecordType::Ns, DnsOutcome::Referral(referral));
    }

    /// A server has the zone, with these servers in it.
    fn has_zone(&mut self, server: &str, servers: &[(&str, &str)]) {
        let names: Vec<String> = servers.iter().map(|(host, _)| format!("{host}.")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.direct(server, ZONE, RecordType::Ns, own(records(RecordType::Ns, &names)));
        for (host, address) in servers.iter().filter(|(host, _)| host.ends_with(ZONE)) {
            for kind in RecordType::ALL {
                self.direct(server, host, kind, own(answer(kind, &[address], &[])));
            }
        }
    }

    fn mismatch(&self) -> Option<Finding> {
        self.judge().findings.into_iter().find(|f| f.rule == "delegation-mismatch")
    }

    /// What is not known of the delegation.
    fn open(&self) -> Vec<String> {
        let lines = self.judge().not_looked_at;
        lines.into_iter().filter(|l| l.contains("servers of domain.com") || l.contains("serves domain.com")).collect()
    }
}

/// Its own word: AA is set.
fn own(mut outcome: DnsOutcome) -> DnsOutcome {
    if let DnsOutcome::Answer(reply) | DnsOutcome::NoData(reply) | DnsOutcome::NxDomain(reply) = &mut outcome {
        reply.authoritative = true;
    }
    outcome
}

/// The zone on both of its servers, and its parent says so.
fn right() -> World {
    let mut world = world(&[]);
    world.refers(&[(NS1.0, &[NS1.1]), (NS2.0, &[NS2.1])]);
    [NS1, NS2].into_iter().for_each(|(_, at)| world.has_zone(at, &[NS1, NS2]));
    world
}

#[test]
fn a_parent_that_says_what_the_zone_says_is_right() {
    assert!(right().judge().findings.is_empty());
    assert_eq!(right().open(), [""; 0]);
}

#[test]
fn servers_that_only_one_side_names_are_told_with_what_to_change() {
    let mut world = world(&[]);
    world.refers(&[(HOSTED.0, &[]), (NS1.0, &[NS1.1])]);
    [HOSTED, NS1].into_iter().for_each(|(_, at)| world.has_zone(at, &[NS1, NS2]));
    let found = world.mismatch().unwrap();
    assert_eq!(found.severity, Severity::Warning);
    assert_eq!(found.title, "com names other servers for domain.com than the zone does");
    let cure = [
        "at the registrar of domain.com:",
        "take out the name server ns.hoster.net",
        "add the name server ns2.domain.com with 203.0.113.53",
        "let the old servers answer as well until the parent's NS are over: 2 d",
    ];
    assert_eq!(found.remedy.cure, cure);
    let seen = [
        "NS ns.hoster.net and ns1.domain.com from the servers of com",
        "NS ns1.domain.com and ns2.domain.com from 192.0.2.53",
        "NS ns1.domain.com and ns2.domain.com from 198.51.100.53",
    ];
    assert_eq!(found.seen, seen);
}

#[test]
fn where_the_parent_has_the_servers_of_the_plan_the_zone_is_to_be_mended() {
    let mut world = world(&[NS1.1, NS2.1]);
    world.refers(&[(NS1.0, &[NS1.1]), (NS2.0, &[NS2.1])]);
    [NS1, NS2].into_iter().for_each(|(_, at)| world.has_zone(at, &[NS1, HOSTED]));
    for (_, at) in [NS1, NS2] {
        RecordType::ALL.into_iter().for_each(|k| world.direct(at, NS2.0, k, own(answer(k, &[NS2.1], &[]))));
    }
    let cure = world.mismatch().unwrap().remedy.cure;
    let want =
        ["in the zone domain.com:", "delete domain.com. NS ns.hoster.net.", "add domain.com. NS ns2.domain.com."];
    assert_eq!(cure, want);
}

#[test]
fn glue_is_to_be_the_address_that_the_zone_has() {
    let judged = |glue: &[&str], declared: &[&str]| {
        let mut world = world(declared);
        world.refers(&[(NS1.0, glue), (NS2.0, &[NS2.1])]);
        [NS1, NS2].into_iter().for_each(|(_, at)| world.has_zone(at, &[NS1, NS2]));
        world.direct("192.0.2.7", ZONE, RecordType::Ns, DnsOutcome::Timeout);
        world.mismatch()
    };
    assert_eq!(judged(&[NS1.1], &[]), None);
    let found = judged(&["192.0.2.7"], &[]).unwrap();
    assert_eq!(found.title, "com has a wrong address of ns1.domain.com");
    assert_eq!(found.seen, ["glue of ns1.domain.com: 192.0.2.7 from the servers of com; 198.51.100.53 from the zone"]);
    assert_eq!(found.remedy.cure[1], "set the address of ns1.domain.com (glue): 198.51.100.53, not 192.0.2.7");
    assert_eq!(judged(&[], &[]).unwrap().title, "com has no address of ns1.domain.com");
}

#[test]
fn a_server_that_is_named_and_has_no_zone_is_told_and_one_that_is_silent_is_not() {
    let judged = |outcome: DnsOutcome| {
        let mut world = world(&[]);
        world.refers(&[(NS1.0, &[NS1.1]), (NS2.0, &[NS2.1])]);
        world.has_zone(NS1.1, &[NS1, NS2]);
        world.direct(NS2.1, ZONE, RecordType::Ns, outcome);
        (world.mismatch().map(|f| f.seen), world.open())
    };
    let up = Referral { zone: ".".into(), servers: vec![] };
    for (outcome, word) in [
        (DnsOutcome::Refused, "REFUSED"),
        (DnsOutcome::ServFail, "SERVFAIL"),
        (DnsOutcome::Referral(up), "referral to the servers of . ()"),
        (records(RecordType::Ns, &["ns1.domain.com."]), "an answer that is not its own (AA clear)"),
    ] {
        let seen = format!("{word} from 203.0.113.53 (ns2.domain.com)");
        assert_eq!(judged(outcome), (Some(vec![seen]), vec![]), "{word}");
    }
    let open = "could not tell whether ns2.domain.com serves domain.com as com says";
    for outcome in [DnsOutcome::Timeout, DnsOutcome::Unreachable("no route".into()), DnsOutcome::Malformed("x".into())]
    {
        assert_eq!(judged(outcome), (None, vec![open.to_string()]));
    }
}

#[test]
fn what_was_not_asked_or_not_answered_is_no_pass() {
    let mut unasked = simple();
    unasked.plan.zones = world(&[]).plan.zones;
    let why = |word: &str| {
        format!("could not tell what the zone above domain.com says of the servers of domain.com ({word})")
    };
    assert_eq!(unasked.open(), [why("not asked; seen from external only")]);
    let mut silent = world(&[]);
    silent.direct(TLD, ZONE, RecordType::Ns, DnsOutcome::Timeout);
    let says = |why: &str| [format!("could not tell what com says of the servers of domain.com ({why})")];
    assert_eq!(silent.open(), says("no answer in time"));
    let mut cached = world(&[]);
    cached.direct(TLD, ZONE, RecordType::Ns, records(RecordType::Ns, &["ns1.domain.com."]));
    assert_eq!(cached.open(), says("ns1.domain.com."));
    assert_eq!(cached.mismatch(), None);
    // Both zones are on one server: nobody is led anywhere else.
    let mut both = world(&[]);
    both.direct(TLD, ZONE, RecordType::Ns, own(records(RecordType::Ns, &["ns1.domain.com."])));
    assert_eq!((both.open(), both.mismatch()), (vec![], None));
}

#[test]
fn servers_that_all_answer_out_of_a_cache_are_somebody_else() {
    let mut world = world(&[]);
    world.refers(&[(NS1.0, &[NS1.1])]);
    world.direct(NS1.1, ZONE, RecordType::Ns, records(RecordType::Ns, &["ns1.domain.com."]));
    assert_eq!(world.mismatch(), None);
    assert_eq!(world.open(), ["could not tell whether ns1.domain.com serves domain.com as com says"]);
}

#[test]
fn a_zone_whose_servers_differ_is_not_its_parents_matter() {
    let mut world = world(&[NS1.1, NS2.1]);
    world.refers(&[(NS1.0, &[NS1.1]), (NS2.0, &[NS2.1])]);
    world.has_zone(NS1.1, &[NS1, NS2]);
    world.has_zone(NS2.1, &[NS1, HOSTED]);
    assert_eq!(world.mismatch(), None);
}

#[test]
fn names_that_fail_since_nobody_has_the_zone_follow_from_that() {
    let mut world = world(&[NS1.1]);
    world.refers(&[(NS1.0, &["192.0.2.7"])]);
    world.unsay(EXTERNAL, NS1.0);
    world.has_zone(NS1.1, &[NS1]);
    world.direct("192.0.2.7", ZONE, RecordType::Ns, DnsOutcome::Refused);
    world.unsay(EXTERNAL, MAIL);
    world.say(EXTERNAL, MAIL, &DnsOutcome::ServFail);
    assert_eq!(world.rules(), ["delegation-mismatch", "name-unresolved-in-view<delegation-mismatch"]);
    assert_eq!(world.judge().outcome, RunOutcome::Fail, "a root weighs as much as what follows");
}

/// Those that lie elsewhere have no glue, and are found by their names.
#[test]
fn a_server_elsewhere_that_nobody_finds_is_told_and_one_that_nobody_knows_of_is_open() {
    let judged = |outcomes: [DnsOutcome; 2], also_in_zone: bool| {
        let mut world = world(&[]);
        world.unsay(EXTERNAL, HOSTED.0);
        world.refers(&[(HOSTED.0, &[]), (NS1.0, &[NS1.1])]);
        world.has_zone(NS1.1, if also_in_zone { &[HOSTED, NS1] } else { &[NS1] });
        for (kind, outcome) in RecordType::ALL.into_iter().zip(outcomes) {
            world.say_of(EXTERNAL, HOSTED.0, kind, &outcome);
        }
        (world.mismatch(), world.open())
    };
    let (gone, none) = (DnsOutcome::NxDomain(Reply::default()), DnsOutcome::NoData(Reply::default()));
    for (outcomes, word) in [([gone.clone(), gone.clone()], "NXDOMAIN"), ([none.clone(), none.clone()], "NODATA")] {
        let (found, open) = judged(outcomes, true);
        let found = found.unwrap();
        assert_eq!(found.title, "ns.hoster.net, which com names for domain.com, has no address");
        assert_eq!(found.seen, [format!("{word} for ns.hoster.net from 9.9.9.9")]);
        assert_eq!(found.expected, ["an address of ns.hoster.net"]);
        assert!(found.remedy.cure[0].starts_with("give ns.hoster.net an address again"), "{:?}", found.remedy.cure);
        assert_eq!(open, [""; 0]);
    }
    let (found, _) = judged([gone.clone(), gone.clone()], false);
    let found = found.unwrap();
    assert_eq!(found.title, "com names ns.hoster.net for domain.com, and the zone does not");
    assert!(!found.remedy.cure.iter().any(|l| l.starts_with("give")), "{:?}", found.remedy.cure);
    let line = "could not tell whether ns.hoster.net serves domain.com as com says";
    for unsure in
        [[gone, DnsOutcome::ServFail], [DnsOutcome::Timeout, none], [DnsOutcome::Refused, DnsOutcome::Timeout]]
    {
        assert_eq!(judged(unsure, true), (None, vec![line.to_string()]));
    }
}
