//! TLSA records of mail hosts against what their servers show.

use super::*;
use crate::model::dns::Reply;
use crate::model::mail_hosts::tlsa_owner;
use crate::model::name::Name;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{NameId, ServerId};
use crate::pki;

const OWNER: &str = "_25._tcp.mail.domain.com";
const RULE: &str = "tlsa-mismatch";

/// A mail host whose servers, one for each chain, show it at port 25.
fn mail_host(chains: &[&Chain]) -> World {
    let mut world = World::empty();
    let smtp = services_of("smtp").unwrap().remove(0);
    let name = Name::parse(MAIL).unwrap();
    for (i, chain) in chains.iter().enumerate() {
        let address = format!("10.0.0.{}", 10 + i);
        let server = world.server(&format!("mx{i}"), &address, "");
        world.plan.servers[i].services = vec![Located::new(smtp.clone(), Span::default())];
        if i == 0 {
            world.name(Table::Internet, MAIL, Target::Server(server));
        }
        world.serves_at(NameId(0), ServerId(i), smtp.clone(), &[]);
        let address = std::net::SocketAddr::new(address.parse().unwrap(), smtp.port);
        let probe = TlsProbe { address, way: smtp.way, sni: Some(name.clone()), face: None };
        let outcome = world.served(chain, Possession::Proved);
        world.see("in", Probe::Tls(probe), outcome);
    }
    world.plan.mail = vec![mail_domain(&[MAIL])];
    world
}

fn record(usage: u8, selector: u8, matching: u8, of: &[u8]) -> String {
    let hex = data_encoding::HEXLOWER.encode(&pki::association(of, selector, matching).unwrap());
    format!("{usage} {selector} {matching} {hex}")
}

fn with(chains: &[&Chain], texts: &[String]) -> World {
    let mut world = mail_host(chains);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    world.say_of(EXTERNAL, OWNER, RecordType::Tlsa, &records(RecordType::Tlsa, &texts));
    world
}

/// What is said of TLSA.
fn told(world: &World) -> Vec<String> {
    world
        .judge()
        .findings
        .into_iter()
        .filter(|f| f.rule == RULE)
        .map(|f| format!("{}: {}", f.severity, f.title))
        .collect()
}

#[test]
fn some_record_fits_each_certificate_that_is_shown() {
    let (old, new) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let (of_old, of_new) = (record(3, 1, 1, &old[0]), record(3, 1, 1, &new[0]));
    let none = Vec::<String>::new();
    assert_eq!(told(&with(&[&old], std::slice::from_ref(&of_old))), none);
    assert_eq!(told(&with(&[&old, &new], &[of_old.clone(), of_new])), none);
    assert_eq!(told(&with(&[&old], &[])), none, "nobody demands anything");
    let title = "error: no TLSA record of mail.domain.com fits what mx1 shows at port 25";
    assert_eq!(told(&with(&[&old, &new], &[of_old])), [title]);
}

#[test]
fn the_record_to_publish_is_printed() {
    let (old, new) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let judgement = with(&[&new], &[record(3, 1, 1, &old[0])]).judge();
    let finding = judgement.findings.iter().find(|f| f.rule == RULE).unwrap();
    let line = format!("  {OWNER}. 300 IN TLSA {}", record(3, 1, 1, &new[0]));
    assert!(finding.remedy.cure.contains(&line), "{:?}", finding.remedy.cure);
    assert_eq!((finding.subject.name.as_deref(), finding.subject.server.as_deref()), (Some(MAIL), Some("mx0")));
}

#[test]
fn records_that_senders_do_not_use_are_no_records_that_fit() {
    let chain = ROOT.issue(&[MAIL]);
    let pkix = record(1, 1, 1, &chain[0]);
    assert_eq!(
        told(&with(&[&chain], std::slice::from_ref(&pkix))),
        ["warning: clients can use none of the TLSA records of mail.domain.com for port 25"]
    );
    let other = record(3, 1, 1, &ROOT.issue(&[MAIL])[0]);
    let fault = "error: no TLSA record of mail.domain.com fits what mx0 shows at port 25";
    assert_eq!(told(&with(&[&chain], &[pkix.clone(), other])), [fault]);
    assert_eq!(told(&with(&[&chain], &[pkix, record(3, 0, 2, &chain[0])])), Vec::<String>::new());
}

#[test]
fn what_was_not_answered_is_said_and_no_fault() {
    let chain = ROOT.issue(&[MAIL]);
    for outcome in [DnsOutcome::ServFail, DnsOutcome::Timeout, DnsOutcome::Refused, DnsOutcome::GivenUp] {
        let mut world = mail_host(&[&chain]);
        world.say_of(EXTERNAL, OWNER, RecordType::Tlsa, &outcome);
        assert_eq!(told(&world), Vec::<String>::new(), "{outcome}");
        let lines = world.judge().not_looked_at;
        assert!(
            lines.iter().any(|l| l.contains("could not tell") && l.contains(&format!("TLSA of {OWNER}"))),
            "{lines:?}"
        );
    }
    assert!(mail_host(&[&chain]).judge().not_looked_at.iter().any(|l| l.contains("TLSA")), "never asked");
}

#[test]
fn a_failure_beside_signed_addresses_keeps_mail_from_those_who_check() {
    let chain = ROOT.issue(&[MAIL]);
    let mut world = mail_host(&[&chain]);
    let mut reply = Reply { authenticated: true, ..Reply::default() };
    reply.addresses.push(crate::model::dns::AddressRecord { address: "203.0.113.10".parse().unwrap(), ttl: 300 });
    world.say_of(EXTERNAL, MAIL, RecordType::A, &DnsOutcome::Answer(reply));
    world.say_of(EXTERNAL, OWNER, RecordType::Tlsa, &DnsOutcome::ServFail);
    assert_eq!(
        told(&world),
        ["error: the addresses of mail.domain.com are called authentic, and its TLSA cannot be had"]
    );
}

#[test]
fn resolvers_may_have_records_of_different_times() {
    let (old, new) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let mut world = mail_host(&[&new]);
    for (resolver, chain) in [&new, &old].into_iter().enumerate() {
        let text = record(3, 1, 1, &chain[0]);
        world.says(EXTERNAL, resolver, OWNER, RecordType::Tlsa, records(RecordType::Tlsa, &[&text]));
    }
    assert_eq!(told(&world), ["error: no TLSA record of mail.domain.com fits what mx0 shows at port 25"]);
    let judgement = world.judge();
    let finding = judgement.findings.iter().find(|f| f.rule == RULE).unwrap();
    assert!(finding.seen[0].ends_with("from 1.1.1.1"), "{:?}", finding.seen);
}

#[test]
fn records_of_an_unsigned_zone_are_a_warning() {
    let (old, new) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let mut world = with(&[&new], &[record(3, 1, 1, &old[0])]);
    let title = "no TLSA record of mail.domain.com fits what mx0 shows at port 25";
    world.says(EXTERNAL, 0, "domain.com", RecordType::Ds, records(RecordType::Ds, &[]));
    assert_eq!(told(&world), [format!("warning: {title}")]);
    world.says(EXTERNAL, 1, "domain.com", RecordType::Ds, DnsOutcome::Timeout);
    assert_eq!(told(&world), [format!("error: {title}")], "one of them may know better");
    world.unsay(EXTERNAL, "domain.com");
    world.say_of(EXTERNAL, "domain.com", RecordType::Ds, &records(RecordType::Ds, &["1 13 2 ab"]));
    assert_eq!(told(&world)[0], format!("error: {title}"));
}

#[test]
fn only_hosts_of_mail_are_asked_about() {
    let mut world = mail_host(&[&ROOT.issue(&[MAIL])]);
    let asked = |world: &World| {
        let all = crate::model::questions::questions(&world.plan, &world.policy);
        all.into_iter().filter(|q| q.kind == RecordType::Tlsa).map(|q| (q.view, q.name.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(asked(&world), [(EXTERNAL, OWNER.to_string())]);
    world.plan.servers[0].services = vec![Located::new(https(), Span::default())];
    assert_eq!(asked(&world), []);
    world.plan.mail.clear();
    assert_eq!(asked(&world), []);
    let long = Name::parse(&format!("{}.example", ["a".repeat(60).as_str(); 4].join("."))).unwrap();
    assert_eq!(tlsa_owner(&long, 25), None, "a name without room for it");
}

#[test]
fn a_waiver_names_the_host_or_the_server() {
    let (old, new) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    for on in [MAIL, "mx0", "domain.com"] {
        let mut world = with(&[&new], &[record(3, 1, 1, &old[0])]);
        world.waive(RULE, Some(on), None);
        let findings = world.judge().findings;
        assert!(findings.iter().all(|f| f.rule != RULE || f.waived.is_some()), "{on}");
    }
}

/// The mail host with a further service that shows a chain, and records for its port.
fn further(word: &str, chain: &Chain, texts: &[String]) -> World {
    let right = ROOT.issue(&[MAIL]);
    let mut world = with(&[&right], &[record(3, 1, 1, &right[0])]);
    let service = services_of(word).unwrap().remove(0);
    world.plan.servers[0].services.push(Located::new(service.clone(), Span::default()));
    world.serves_at(NameId(0), ServerId(0), service.clone(), &[]);
    let address = std::net::SocketAddr::new("10.0.0.10".parse().unwrap(), service.port);
    let probe = TlsProbe { address, way: service.way, sni: Some(Name::parse(MAIL).unwrap()), face: None };
    let outcome = world.served(chain, Possession::Proved);
    world.see("in", Probe::Tls(probe), outcome);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let owner = format!("_{}._tcp.{MAIL}", service.port);
    world.say_of(EXTERNAL, &owner, RecordType::Tlsa, &records(RecordType::Tlsa, &texts));
    world
}

#[test]
fn each_port_is_held_against_records_of_its_own() {
    let (shown, other) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let (fits, differs) = (record(3, 1, 1, &shown[0]), record(3, 1, 1, &other[0]));
    let none = Vec::<String>::new();
    assert_eq!(told(&further("submission", &shown, &[])), none, "nobody publishes any for it");
    assert_eq!(told(&further("submission", &shown, &[differs.clone(), fits])), none);
    let title = "no TLSA record of mail.domain.com fits what mx0 shows at port";
    assert_eq!(told(&further("submission", &shown, std::slice::from_ref(&differs))), [format!("error: {title} 587")]);
    assert_eq!(told(&further("imaps", &shown, &[differs])), [format!("warning: {title} 993")], "hardly anybody checks");
}

#[test]
fn usages_of_public_authorities_count_where_no_mail_is_handed_on() {
    let (shown, other) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let fit = |word: &str, text: String| told(&further(word, &shown, &[text]));
    assert_eq!(fit("imaps", record(1, 1, 1, &shown[0])), Vec::<String>::new());
    assert_eq!(fit("imaps", record(1, 1, 1, &other[0])).len(), 1);
    assert_eq!(fit("imaps", record(0, 1, 1, &ROOT.der)), Vec::<String>::new(), "it need not be sent");
    let useless = "warning: clients can use none of the TLSA records of mail.domain.com for port 587";
    assert_eq!(fit("submission", record(1, 1, 1, &shown[0])), [useless]);
}

#[test]
fn what_records_lists_is_held_against_what_is_shown_at_any_port() {
    let (shown, other) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let mut world = further("https", &shown, &[record(3, 1, 1, &other[0])]);
    world.plan.mail.clear();
    assert_eq!(told(&world), Vec::<String>::new(), "nobody said that there were any");
    let owner = Name::parse_owner(&format!("_443._tcp.{MAIL}")).unwrap();
    let values = vec![None, Some(vec![record(3, 1, 1, &other[0])])];
    world.plan.records =
        vec![crate::model::plan::PlannedRecord { owner, kind: "TLSA".into(), values, span: Span::default() }];
    assert_eq!(told(&world), ["warning: no TLSA record of mail.domain.com fits what mx0 shows at port 443"]);
    let finding = world.judge().findings.into_iter().find(|f| f.rule == RULE).unwrap();
    assert!(finding.hurts[0].starts_with("clients of mail.domain.com at port 443 that check DANE"), "{finding:?}");
}
