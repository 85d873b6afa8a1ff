//! Zones, their servers, wildcards, and who may issue.

use super::*;
use crate::model::dns::ResolverAddr;
use crate::model::name::Name;
use crate::model::observation::{DnsProbe, Outcome, Probe};
use crate::model::plan::{Autodiscover, MailDomain, PlannedRecord, ViewId, Zone};
use crate::model::questions::unlikely_label;

const DOMAIN: &str = "domain.com";

fn with_zone(servers: &[&str], product: Option<&str>, views: Vec<ViewId>) -> World {
    let mut world = simple();
    world.plan.zones = vec![Zone {
        apex: Name::parse(DOMAIN).unwrap(),
        views,
        servers: servers.iter().map(|s| Located::new(ResolverAddr::parse(s).unwrap(), Span::default())).collect(),
        product: product.map(str::to_string),
        span: Span::default(),
    }];
    world
}

fn server_says(world: &mut World, server: &str, kind: RecordType, outcome: DnsOutcome) {
    let resolver = ResolverAddr::parse(server).unwrap();
    let probe = DnsProbe {
        view: "external".into(),
        resolver: resolver.into(),
        name: Name::parse(DOMAIN).unwrap(),
        kind,
        unchecked: false,
        direct: false,
    };
    world.see("out", Probe::Dns(probe), Outcome::Dns(outcome));
}

#[test]
fn servers_of_a_zone_hold_one_serial_but_those_of_active_directory() {
    let judged = |serials: [u32; 2], hosts: [&str; 2], product| {
        let servers = ["198.51.100.53", "203.0.113.53"];
        let mut world = with_zone(&servers, product, vec![EXTERNAL]);
        for ((server, serial), host) in servers.into_iter().zip(serials).zip(hosts) {
            server_says(&mut world, server, RecordType::Soa, head(DOMAIN, serial));
            server_says(&mut world, server, RecordType::Ns, records(RecordType::Ns, &[host]));
        }
        world.rules()
    };
    assert_eq!(judged([7, 7], ["ns1.domain.com."; 2], None), [""; 0]);
    assert_eq!(judged([7, 6], ["ns1.domain.com."; 2], None), ["authoritatives-disagree"]);
    assert_eq!(judged([7, 6], ["ns1.domain.com."; 2], Some("windows-dns")), [""; 0]);
    let other = ["ns1.domain.com.", "ns2.domain.com."];
    assert_eq!(judged([7, 6], other, Some("windows-dns")), ["authoritatives-disagree"]);
}

#[test]
fn a_server_that_is_silent_is_no_disagreement() {
    let mut world = with_zone(&["198.51.100.53", "203.0.113.53"], None, vec![EXTERNAL]);
    server_says(&mut world, "198.51.100.53", RecordType::Soa, head(DOMAIN, 7));
    server_says(&mut world, "203.0.113.53", RecordType::Soa, DnsOutcome::Timeout);
    assert_eq!(world.rules(), [""; 0]);
    assert!(world.judge().not_looked_at.iter().any(|l| l.contains("of domain.com at 203.0.113.53")));
}

#[test]
fn a_zone_inside_hides_what_it_lacks() {
    let judged = |views: Vec<ViewId>, serials: [u32; 2], inside: &DnsOutcome| {
        let mut world = with_zone(&[], None, views);
        world.say_of(INTERNAL, DOMAIN, RecordType::Soa, &head(DOMAIN, serials[0]));
        world.say_of(EXTERNAL, DOMAIN, RecordType::Soa, &head(DOMAIN, serials[1]));
        world.answer(EXTERNAL, "www.domain.com", &["203.0.113.80"]);
        world.say(INTERNAL, "www.domain.com", inside);
        world.rules()
    };
    let shadows = ["internal-zone-shadows-public"];
    let both = || vec![INTERNAL, EXTERNAL];
    assert_eq!(judged(both(), [1, 1], &nxdomain()), [""; 0], "one zone, and an odd resolver");
    assert_eq!(judged(both(), [1, 2], &nxdomain()), shadows);
    assert_eq!(judged(vec![INTERNAL], [1, 1], &nxdomain()), shadows);
    assert_eq!(judged(both(), [1, 2], &DnsOutcome::NoData(Default::default())), shadows);
    assert_eq!(judged(both(), [1, 2], &DnsOutcome::Timeout), [""; 0]);
    assert_eq!(judged(both(), [1, 2], &answer(RecordType::A, &["10.0.0.80"], &[])), [""; 0]);
}

#[test]
fn what_outside_is_an_alias_is_to_be_one_inside() {
    let mut world = with_zone(&[], None, vec![INTERNAL]);
    let www = "www.domain.com";
    world.say_of(EXTERNAL, www, RecordType::A, &answer(RecordType::A, &["198.51.100.1"], &[(www, "cdn.hoster.net")]));
    world.say(INTERNAL, www, &nxdomain());
    let findings = world.judge().findings;
    let cure: Vec<&str> = findings.iter().flat_map(|f| &f.remedy.cure).map(String::as_str).collect();
    assert_eq!(cure, ["internal zone: www.domain.com. 300 IN CNAME cdn.hoster.net."]);
}

fn wildcard(world: &mut World, view: ViewId, parent: &str, addresses: &[&str]) {
    let name = format!("{}.{parent}", unlikely_label(&world.plan));
    world.say_of(view, &name, RecordType::A, &answer(RecordType::A, addresses, &[]));
}

#[test]
fn a_wildcard_is_one_finding_and_explains_what_it_answers() {
    let mut world = simple();
    let server = Target::Server(crate::model::plan::ServerId(0));
    let inside = world.name(Table::Intranet, "ex2010.domain.com", server);
    world.expects(inside, EXTERNAL, DnsExpectation { absent: true, forbidden: true, ..Default::default() });
    world.answer(EXTERNAL, "ex2010.domain.com", &["198.51.100.250"]);
    wildcard(&mut world, EXTERNAL, DOMAIN, &["198.51.100.250"]);
    let explained = "intranet-name-in-external-view<wildcard-record-answers";
    assert_eq!(world.rules(), ["wildcard-record-answers", explained]);
    let mut world = simple();
    wildcard(&mut world, EXTERNAL, DOMAIN, &[]);
    assert_eq!(world.rules(), [""; 0]);
}

#[test]
fn a_resolver_that_has_an_address_for_anything_is_no_wildcard() {
    let mut world = simple();
    wildcard(&mut world, EXTERNAL, DOMAIN, &["198.51.100.250"]);
    wildcard(&mut world, EXTERNAL, "invalid", &["198.51.100.250"]);
    assert_eq!(world.rules(), [""; 0]);
    assert!(world.judge().not_looked_at.iter().any(|l| l.contains("what does not exist in external: 9.9.9.9")));
}

/// A certificate that is to be ordered.
fn ordering(names: &[&str]) -> World {
    let mut world = simple();
    let certificate = world.planned_certificate("new", names);
    world.plan.certificates[certificate.0].issuer = Some(Located::new("letsencrypt.org".into(), Span::default()));
    world
}

#[test]
fn caa_is_judged_at_the_nearest_records() {
    let judged = |at_name: &DnsOutcome, at_domain: &DnsOutcome| {
        let mut world = ordering(&["a.domain.com"]);
        world.say_of(EXTERNAL, "a.domain.com", RecordType::Caa, at_name);
        world.say_of(EXTERNAL, DOMAIN, RecordType::Caa, at_domain);
        world.rules()
    };
    let caa = |text: &str| records(RecordType::Caa, &[text]);
    let (ours, other) = (caa("0 issue \"letsencrypt.org\""), caa("0 issue \"digicert.com\""));
    let none = || records(RecordType::Caa, &[]);
    assert_eq!(judged(&none(), &none()), [""; 0]);
    assert_eq!(judged(&nxdomain(), &other), ["caa-forbids-issuer"]);
    assert_eq!(judged(&ours, &other), [""; 0], "the nearest counts");
    assert_eq!(judged(&other, &ours), ["caa-forbids-issuer"]);
    assert_eq!(judged(&none(), &DnsOutcome::ServFail), ["caa-or-dcv-lookup-fails"]);
    assert_eq!(judged(&ours, &DnsOutcome::ServFail), [""; 0]);
    assert_eq!(judged(&none(), &DnsOutcome::Timeout), ["caa-or-dcv-lookup-fails"], "it answers other questions");
    assert_eq!(judged(&none(), &DnsOutcome::Refused), [""; 0]);
}

#[test]
fn without_a_network_the_plans_own_caa_records_are_judged() {
    let judged = |text: &str| {
        let mut world = ordering(&["a.domain.com"]);
        world.policy.scope = Scope::Files;
        world.plan.records = vec![PlannedRecord {
            owner: Name::parse(DOMAIN).unwrap(),
            kind: "CAA".into(),
            values: vec![Some(vec![text.into()]); 2],
            span: Span::default(),
        }];
        world.rules()
    };
    assert_eq!(judged("0 issue \"digicert.com\""), ["caa-forbids-issuer"]);
    assert_eq!(judged("0 issue \"letsencrypt.org\""), [""; 0]);
    assert_eq!(judged("what is this"), [""; 0]);
}

#[test]
fn an_authority_of_ones_own_has_no_caa() {
    let mut world = ordering(&["a.domain.com"]);
    let last = world.plan.certificates.len() - 1;
    world.plan.certificates[last].issuer = Some(Located::new("Corp CA 1".into(), Span::default()));
    world.say_of(EXTERNAL, DOMAIN, RecordType::Caa, &records(RecordType::Caa, &["0 issue \";\""]));
    assert_eq!(world.rules(), [""; 0]);
    world.plan.certificates[last].issuer = Some(Located::new("corp-ca.domain.com".into(), Span::default()));
    assert_eq!(world.rules(), [""; 0], "a host below the names' own domain");
}

#[test]
fn a_wildcard_that_plays_autodiscover_is_the_cause() {
    let mut world = simple();
    world.plan.mail = vec![MailDomain {
        domain: Name::parse(DOMAIN).unwrap(),
        mx: [None, None, None],
        autodiscover: Autodiscover::Srv,
        mta_sts: None,
        helo: None,
        span: Span::default(),
    }];
    world.answer(EXTERNAL, "autodiscover.domain.com", &["198.51.100.250"]);
    world.serve("out", "198.51.100.250", "autodiscover.domain.com", &ROOT.issue(&["*.hoster.example"]));
    wildcard(&mut world, EXTERNAL, DOMAIN, &["198.51.100.250"]);
    let explained = "autodiscover-candidate-uncovered<wildcard-record-answers";
    assert_eq!(world.rules(), ["wildcard-record-answers", explained]);
}

#[test]
fn a_wildcard_of_aaaa_alone_is_found() {
    let mut world = simple();
    let name = format!("{}.{DOMAIN}", unlikely_label(&world.plan));
    world.say(EXTERNAL, &name, &nxdomain());
    world.unsay(EXTERNAL, &name);
    for kind in RecordType::ALL {
        world.say_of(EXTERNAL, &name, kind, &answer(kind, &["2001:db8::250"], &[]));
    }
    assert_eq!(world.rules(), ["wildcard-record-answers"]);
    let finding = world.judge().findings.remove(0);
    assert!(
        finding.remedy.cure.iter().any(|l| l.ends_with("\"*.domain.com AAAA\" = \"2001:db8::250\"")),
        "{finding:?}"
    );
}

#[test]
fn what_has_a_wildcards_address_is_kept_before_the_wildcard_goes() {
    let mut world = with_zone(&[], None, vec![EXTERNAL]);
    wildcard(&mut world, EXTERNAL, DOMAIN, &["203.0.113.10"]);
    world.answer(EXTERNAL, "www.domain.com", &["203.0.113.10"]);
    let findings = world.judge().findings;
    let found = findings.iter().find(|f| f.rule == "wildcard-record-answers").unwrap();
    let cure: Vec<&str> = found.remedy.cure.iter().map(String::as_str).collect();
    let records =
        ["public zone: mail.domain.com. 300 IN A 203.0.113.10", "public zone: www.domain.com. 300 IN A 203.0.113.10"];
    assert!(cure[0].starts_with("names that are wanted have its address"), "{cure:?}");
    assert_eq!(cure[1..3], records);
    assert!(cure[3].starts_with("delete *.domain.com (203.0.113.10)"), "{cure:?}");
}

#[test]
fn www_that_a_wildcard_may_answer_is_missed_inside_all_the_same() {
    let hidden = |name: &str| {
        let mut world = with_zone(&[], None, vec![INTERNAL]);
        wildcard(&mut world, EXTERNAL, DOMAIN, &["203.0.113.80"]);
        world.answer(EXTERNAL, name, &["203.0.113.80"]);
        world.say(INTERNAL, name, &nxdomain());
        let found = world.judge().findings.into_iter().filter(|f| f.rule == "internal-zone-shadows-public");
        found.map(|f| f.severity).collect::<Vec<_>>()
    };
    assert_eq!(hidden("www.domain.com"), [Severity::Warning]);
    assert_eq!(hidden("autodiscover.domain.com"), []);
}

#[test]
fn an_authority_by_its_name_is_held_against_caa_records() {
    let judged = |issuer: &str, record: &str| {
        let mut world = ordering(&["a.domain.com"]);
        let last = world.plan.certificates.len() - 1;
        world.plan.certificates[last].issuer = Some(Located::new(issuer.into(), Span::default()));
        world.say_of(EXTERNAL, "a.domain.com", RecordType::Caa, &nxdomain());
        world.say_of(EXTERNAL, DOMAIN, RecordType::Caa, &records(RecordType::Caa, &[record]));
        let unknown = |l: &&String| l.starts_with("could not tell whether CAA lets");
        let judgement = world.judge();
        (world.rules(), judgement.not_looked_at.iter().filter(unknown).count())
    };
    let (other, ours) = ("0 issue \"digicert.com\"", "0 issue \"letsencrypt.org\"");
    assert_eq!(judged("Let's Encrypt", other), (vec!["caa-forbids-issuer".to_string()], 0));
    assert_eq!(judged("Let's Encrypt", ours), (vec![], 0));
    assert_eq!(judged("Corp CA 1", other), (vec![], 1), "nobody can tell");
    let mut world = ordering(&["a.domain.com"]);
    let last = world.plan.certificates.len() - 1;
    world.plan.certificates[last].issuer = Some(Located::new("Let's Encrypt".into(), Span::default()));
    world.say_of(EXTERNAL, DOMAIN, RecordType::Caa, &records(RecordType::Caa, &[other]));
    world.say_of(EXTERNAL, "a.domain.com", RecordType::Caa, &nxdomain());
    assert_eq!(
        world.judge().findings[0].remedy.cure,
        ["public zone: domain.com. 300 IN CAA 0 issue \"letsencrypt.org\""]
    );
}

#[test]
fn a_narrower_run_says_what_it_leaves_out() {
    let lines = |only: &[&str], views: Option<Vec<ViewId>>| {
        let mut world = ordering(&["a.domain.com"]);
        world.policy.only = only.iter().map(|w| w.to_string()).collect();
        world.policy.views = views;
        let all = world.judge().not_looked_at;
        all.into_iter().filter(|l| l.contains("left out by")).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[], None), [""; 0]);
    assert_eq!(lines(&["dns"], None), [""; 0]);
    assert_eq!(
        lines(&[MAIL], None),
        ["DNS wildcards, CAA records and DNSSEC of the plan's zones (left out by --only)"]
    );
    assert_eq!(lines(&[], Some(vec![INTERNAL])), ["CAA records and DNSSEC of the plan's zones (left out by --view)"]);
}
