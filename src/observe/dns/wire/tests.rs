//! Messages of resolvers, good and hostile.

use std::net::Ipv4Addr;

use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NS, SOA, TXT};
use hickory_resolver::proto::rr::{self, RData, Record};
use proptest::prelude::*;

use super::question::PAYLOAD;
use super::*;
use crate::model::dns::{AddressRecord, DnsOutcome, Link, RecordType};
use crate::model::name::Name;

fn question() -> Question {
    Question::new(&Name::parse("mail.domain.com").unwrap(), RecordType::A, true, false).unwrap()
}

fn name(text: &str) -> rr::Name {
    rr::Name::from_ascii(text).unwrap()
}

fn a(owner: &str, last: u8, ttl: u32) -> Record {
    Record::from_rdata(name(owner), ttl, RData::A(A(Ipv4Addr::new(10, 0, 0, last))))
}

fn cname(owner: &str, target: &str) -> Record {
    Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))))
}

fn answer(code: ResponseCode, answers: Vec<Record>, authorities: Vec<Record>) -> Vec<u8> {
    let mut message = question().message().unwrap().into_response();
    message.metadata.response_code = code;
    message.metadata.recursion_available = true;
    message.answers = answers;
    message.authorities = authorities;
    message.to_vec().unwrap()
}

fn zone() -> Record {
    let soa = SOA::new(name("ns1.domain.com."), name("h.domain.com."), 7, 1, 1, 1, 900);
    Record::from_rdata(name("Domain.com."), 300, RData::SOA(soa))
}

fn outcome(bytes: &[u8]) -> DnsOutcome {
    assert_eq!(question().fit(bytes), Fit::Answer);
    match question().read(bytes, false, false) {
        Read::Outcome(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

/// What is written by hand is what the library would write.
#[test]
fn a_question_is_written_as_the_library_writes_it() {
    for (text, kind) in [("mail.domain.com", RecordType::A), ("x", RecordType::Aaaa), ("*.a.example", RecordType::A)] {
        for edns in [true, false] {
            let asked = Name::parse(text).unwrap();
            let mut message = Message::new(0, MessageType::Query, OpCode::Query);
            message.metadata.recursion_desired = true;
            message.metadata.authentic_data = true;
            message.add_query(Query::query(name(&format!("{}.", asked.probe())), kind.number().into()));
            if edns {
                let mut extension = Edns::new();
                extension.set_max_payload(PAYLOAD);
                message.set_edns(extension);
            }
            assert_eq!(Question::new(&asked, kind, edns, false).unwrap().bytes(), message.to_vec().unwrap(), "{text}");
        }
    }
}

#[test]
fn the_chain_is_followed_and_the_addresses_are_sorted() {
    let records = vec![
        a("front.domain.com.", 9, 300),
        cname("MAIL.domain.com.", "Front.Domain.com."),
        a("front.domain.com.", 3, 300),
        a("front.domain.com.", 3, 20),
        a("other.domain.com.", 1, 300),
    ];
    let DnsOutcome::Answer(reply) = outcome(&answer(ResponseCode::NoError, records, vec![])) else { panic!() };
    let link = Link { owner: "mail.domain.com".into(), target: "front.domain.com".into(), ttl: 60 };
    assert_eq!(reply.chain, [link]);
    let shown: Vec<_> = reply.addresses.iter().map(|a| (a.address.to_string(), a.ttl)).collect();
    assert_eq!(shown, [("10.0.0.3".to_string(), 20), ("10.0.0.9".to_string(), 300)]);
}

#[test]
fn absence_has_two_forms_and_keeps_what_was_learned() {
    let DnsOutcome::NoData(reply) = outcome(&answer(ResponseCode::NoError, vec![], vec![zone()])) else { panic!() };
    let soa = reply.soa.unwrap();
    assert_eq!((soa.zone.as_str(), soa.negative_ttl(), soa.serial), ("domain.com", 300, 7));
    let gone = answer(ResponseCode::NXDomain, vec![cname("mail.domain.com.", "gone.domain.com.")], vec![zone()]);
    let DnsOutcome::NxDomain(reply) = outcome(&gone) else { panic!() };
    assert_eq!(reply.chain[0].target, "gone.domain.com");
    assert!(reply.soa.is_some());
}

#[test]
fn response_codes_stay_apart() {
    assert_eq!(outcome(&answer(ResponseCode::Refused, vec![], vec![])), DnsOutcome::Refused);
    assert_eq!(outcome(&answer(ResponseCode::ServFail, vec![], vec![])), DnsOutcome::ServFail);
    assert_eq!(outcome(&answer(ResponseCode::NotImp, vec![], vec![])), DnsOutcome::Code(4));
    let formerr = answer(ResponseCode::FormErr, vec![], vec![]);
    assert_eq!(question().read(&formerr, false, false), Read::FormErr);
}

#[test]
fn contradictions_are_malformed() {
    let two = vec![cname("mail.domain.com.", "a.domain.com."), cname("mail.domain.com.", "b.domain.com.")];
    let alias = vec![cname("mail.domain.com.", "a.example.")];
    let mut claims = answer(ResponseCode::NoError, vec![], vec![ns("domain.com.", 60, "ns1.domain.com.")]);
    claims[2] |= 0x04; // AA
    for bytes in [
        answer(ResponseCode::NXDomain, vec![a("mail.domain.com.", 1, 60)], vec![]),
        answer(ResponseCode::NoError, two, vec![]),
        answer(ResponseCode::NoError, alias, vec![ns("example.", 60, "ns1.example.")]),
        answer(ResponseCode::NoError, vec![], vec![ns("other.com.", 60, "ns1.domain.com.")]),
        answer(ResponseCode::NoError, vec![], vec![ns("www.mail.domain.com.", 60, "ns1.domain.com.")]),
        answer(ResponseCode::NoError, vec![], vec![ns("ain.com.", 60, "ns1.domain.com.")]),
        answer(ResponseCode::NoError, vec![], vec![ns("domain.com.", 60, "ns1.a."), ns("com.", 60, "ns1.a.")]),
        answer(ResponseCode::NoError, vec![], (0..300).map(|n| ns("com.", 60, &format!("ns{n}.a."))).collect()),
        claims,
    ] {
        assert!(matches!(outcome(&bytes), DnsOutcome::Malformed(_)), "{bytes:?}");
    }
}

fn ns(zone: &str, ttl: u32, server: &str) -> Record {
    Record::from_rdata(name(zone), ttl, RData::NS(NS(name(server))))
}

/// As a parent zone's server answers.
#[test]
fn a_referral_names_the_servers_and_their_glue_and_is_no_word_about_the_name() {
    let servers = vec![ns("Domain.com.", 900, "NS2.domain.com."), ns("domain.com.", 60, "ns1.other.example.")];
    let mut message = Message::from_vec(&answer(ResponseCode::NoError, vec![], servers)).unwrap();
    let text = Record::from_rdata(name("ns2.domain.com."), 1, RData::TXT(TXT::new(vec!["x".into()])));
    message.additionals = vec![a("ns2.Domain.com.", 7, 900), a("ns2.domain.com.", 7, 60), a("stranger.", 9, 60), text];
    let read = outcome(&message.to_vec().unwrap());
    let DnsOutcome::Referral(referral) = &read else { panic!("{read:?}") };
    assert_eq!(referral.zone, "domain.com");
    let shown: Vec<String> =
        referral.servers.iter().map(|s| format!("{} {} {:?}", s.name, s.ttl, s.addresses)).collect();
    let glue = [AddressRecord { address: Ipv4Addr::new(10, 0, 0, 7).into(), ttl: 60 }];
    assert_eq!(shown, ["ns1.other.example 60 []".to_string(), format!("ns2.domain.com 900 {glue:?}")]);
    assert!(read.reply().is_none());
    assert_eq!(read.to_string(), "referral to the servers of domain.com (ns1.other.example, ns2.domain.com)");
    // A server that does not know the zone sends everybody to the root.
    let up = outcome(&answer(ResponseCode::NoError, vec![], vec![ns(".", 1, "a.root-servers.net.")]));
    assert_eq!(up.to_string(), "referral to the servers of . (a.root-servers.net)");
    // With an SOA it is NODATA, whatever stands beside that.
    let both = vec![zone(), ns("domain.com.", 60, "ns1.domain.com.")];
    assert!(matches!(outcome(&answer(ResponseCode::NoError, vec![], both)), DnsOutcome::NoData(_)));
}

#[test]
fn a_question_to_a_server_for_its_own_zones_wants_no_recursion() {
    let mut bytes = question().bytes().to_vec();
    bytes[2] &= 0xfe;
    assert_eq!(question().without_recursion().bytes(), bytes);
}

/// Whether the server recurses or not, and whatever else stands there.
#[test]
fn a_circle_of_aliases_is_no_data_with_its_chain() {
    let links = [("mail.domain.com.", "b.domain.com."), ("b.domain.com.", "MAIL.domain.com.")];
    let circle = |links: &[(&str, &str)]| {
        let aliases = links.iter().map(|(owner, target)| cname(owner, target)).collect::<Vec<_>>();
        answer(ResponseCode::NoError, [aliases, vec![a("mail.domain.com.", 1, 60)]].concat(), vec![])
    };
    for (links, length) in [(&links[..], 2), (&[("mail.domain.com.", "mail.domain.com.")], 1)] {
        let mut bytes = circle(links);
        for flags in [bytes[3], bytes[3] & 0x7f] {
            bytes[3] = flags;
            let DnsOutcome::NoData(reply) = outcome(&bytes) else { panic!("{bytes:?}") };
            assert_eq!(reply.chain.len(), length);
        }
    }
}

#[test]
fn an_alias_without_its_end_is_no_absence_unless_the_server_recurses() {
    let mut bytes = answer(ResponseCode::NoError, vec![cname("mail.domain.com.", "a.example.")], vec![]);
    assert!(matches!(outcome(&bytes), DnsOutcome::NoData(_)));
    bytes[3] &= 0x7f; // RA
    assert!(matches!(outcome(&bytes), DnsOutcome::Malformed(_)));
}

#[test]
fn a_message_fits_by_its_question() {
    let good = answer(ResponseCode::NoError, vec![], vec![]);
    let changed = |at: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[at] = to;
        question().fit(&bytes)
    };
    assert_eq!(changed(13, b'M'), Fit::Answer);
    assert_eq!(changed(13, b'n'), Fit::Foreign);
    assert_eq!(changed(2, 0x01), Fit::Foreign, "a query is no response");
    assert_eq!(changed(30, 28), Fit::Foreign, "another type");
    let mut bare = good[..12].to_vec();
    (bare[5], bare[11]) = (0, 0);
    assert_eq!(question().fit(&bare), Fit::Answer);
    assert!(matches!(outcome(&bare), DnsOutcome::Malformed(_)));
    bare[3] |= 5;
    assert_eq!(outcome(&bare), DnsOutcome::Refused);
}

#[test]
fn truncation_is_seen_before_the_rest_is_read() {
    let mut bytes = answer(ResponseCode::NoError, vec![a("mail.domain.com.", 1, 60)], vec![]);
    bytes[2] |= 0x02;
    bytes.truncate(40);
    assert_eq!(question().read(&bytes, false, false), Read::Truncated);
    assert!(matches!(question().read(&bytes, true, false), Read::Outcome(DnsOutcome::Malformed(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        question().fit(&bytes);
        question().read(&bytes, false, false);
    }

    #[test]
    fn no_corruption_makes_it_panic(at in 0usize..80, to: u8, cut in 0usize..80) {
        let records = vec![cname("mail.domain.com.", "front.domain.com."), a("front.domain.com.", 9, 300)];
        let mut bytes = answer(ResponseCode::NoError, records, vec![zone()]);
        let last = bytes.len() - 1;
        bytes[at.min(last)] = to;
        bytes.truncate(bytes.len() - cut);
        question().read(&bytes, true, true);
    }
}
