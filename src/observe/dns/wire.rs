//! Bytes into outcomes. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{self, DNSClass, RData, Record};

use super::question::Question;
use crate::model::dns::{AddressRecord, DnsOutcome, Link, RecordType, Reply, Soa};

/// Links of a CNAME chain that are followed.
const LINKS: usize = 16;

/// What an answer asks of the asker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Nothing: it is known what became of the question.
    Outcome(DnsOutcome),
    /// To ask again over TCP (RFC 7766 section 5).
    Truncated,
    /// To ask again without EDNS (RFC 6891 section 7).
    FormErr,
}

impl Question {
    /// Reads an answer. `stream` says that it came over a stream, where nothing is truncated.
    pub fn read(&self, answer: &[u8], stream: bool, after_truncation: bool) -> Read {
        let malformed = |why: &str| Read::Outcome(DnsOutcome::Malformed(why.to_string()));
        let &[_, _, high, low, _, questions, ..] = answer else { return malformed("shorter than a DNS header") };
        match (high & 0x02 != 0, low & 0x0f) {
            (true, _) if stream => return malformed("truncated over a stream"),
            (true, _) => return Read::Truncated,
            (false, 1) => return Read::FormErr,
            _ => {}
        }
        let message = match Message::from_vec(answer) {
            Ok(message) => message,
            Err(e) => return malformed(&e.to_string()),
        };
        let code = message.metadata.response_code;
        if questions == 0 && matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
            return malformed("it repeats no question");
        }
        Read::Outcome(self.outcome(&message, after_truncation))
    }

    fn outcome(&self, message: &Message, after_truncation: bool) -> DnsOutcome {
        let code = message.metadata.response_code;
        match code {
            ResponseCode::Refused => return DnsOutcome::Refused,
            ResponseCode::ServFail => return DnsOutcome::ServFail,
            ResponseCode::NoError | ResponseCode::NXDomain => {}
            other => return DnsOutcome::Code(other.into()),
        }
        let reply = match self.reply(message, after_truncation) {
            Ok(reply) => reply,
            Err(why) => return DnsOutcome::Malformed(why),
        };
        match (code, reply.addresses.is_empty()) {
            (ResponseCode::NXDomain, true) => DnsOutcome::NxDomain(reply),
            (ResponseCode::NXDomain, false) => DnsOutcome::Malformed("NXDOMAIN with an address in the answer".into()),
            (_, false) => DnsOutcome::Answer(reply),
            (_, true) => no_data(message, reply),
        }
    }

    fn reply(&self, message: &Message, after_truncation: bool) -> Result<Reply, String> {
        let answers: Vec<&Record> = message.answers.iter().filter(|r| r.dns_class == DNSClass::IN).collect();
        // The name asked for, as the answer repeats it: it was compared before.
        let Some(query) = message.queries.first() else { return Err("it repeats no question".into()) };
        let (chain, end) = follow(&answers, query.name())?;
        let addresses = addresses(&answers, end, self.kind);
        Ok(Reply {
            chain,
            addresses,
            soa: message.authorities.iter().find_map(soa),
            authoritative: message.metadata.authoritative,
            authenticated: message.metadata.authentic_data,
            after_truncation,
        })
    }
}

/// NODATA, or what only looks like it. A referral (RFC 2308 section 2.2: NS records without SOA) says nothing of the
/// name; nor does an alias whose end a server without recursion did not look for.
fn no_data(message: &Message, reply: Reply) -> DnsOutcome {
    let refers = message.authorities.iter().any(|r| matches!(r.data, RData::NS(_)));
    match &reply.soa {
        None if refers => DnsOutcome::Malformed("a referral to other servers, not an answer".into()),
        None if !reply.chain.is_empty() && !message.metadata.recursion_available => {
            DnsOutcome::Malformed("an alias without its end, from a server without recursion".into())
        }
        _ => DnsOutcome::NoData(reply),
    }
}

/// Walks the CNAME chain from a name to its end.
fn follow<'a>(answers: &[&'a Record], from: &'a rr::Name) -> Result<(Vec<Link>, &'a rr::Name), String> {
    let mut chain = Vec::new();
    let mut end = from;
    while let Some((target, ttl)) = alias(answers, end)? {
        if chain.len() == LINKS {
            return Err(format!("a CNAME chain of more than {LINKS} links"));
        }
        chain.push(Link { owner: text(end), target: text(target), ttl });
        end = target;
    }
    Ok((chain, end))
}

/// The CNAME of a name. Two different ones are forbidden (RFC 2181 section 10.1), and nobody could say which counts.
fn alias<'a>(answers: &[&'a Record], owner: &rr::Name) -> Result<Option<(&'a rr::Name, u32)>, String> {
    let mut found: Option<(&rr::Name, u32)> = None;
    for record in answers.iter().filter(|r| r.name == *owner) {
        let RData::CNAME(target) = &record.data else { continue };
        match found {
            Some((first, _)) if *first != target.0 => return Err(format!("two CNAMEs for {}", text(owner))),
            Some(_) => {}
            None => found = Some((&target.0, record.ttl)),
        }
    }
    Ok(found)
}

/// The addresses of one type at a name, each once with its smallest TTL.
fn addresses(answers: &[&Record], owner: &rr::Name, kind: RecordType) -> Vec<AddressRecord> {
    let mut found: BTreeMap<IpAddr, u32> = BTreeMap::new();
    for record in answers.iter().filter(|r| r.name == *owner) {
        let address = match (&record.data, kind) {
            (RData::A(a), RecordType::A) => IpAddr::V4(a.0),
            (RData::AAAA(a), RecordType::Aaaa) => IpAddr::V6(a.0),
            _ => continue,
        };
        found.entry(address).and_modify(|ttl| *ttl = record.ttl.min(*ttl)).or_insert(record.ttl);
    }
    found.into_iter().map(|(address, ttl)| AddressRecord { address, ttl }).collect()
}

fn soa(record: &Record) -> Option<Soa> {
    match &record.data {
        RData::SOA(soa) => Some(Soa {
            zone: text(&record.name),
            primary: text(&soa.mname),
            serial: soa.serial,
            ttl: record.ttl,
            minimum: soa.minimum,
        }),
        _ => None,
    }
}

/// A name in lower case without its final dot; octets that no host name has are written `\DDD` (RFC 1035 section 5.1).
fn text(name: &rr::Name) -> String {
    let mut out = String::with_capacity(name.len());
    for label in name.iter() {
        if !out.is_empty() {
            out.push('.');
        }
        for &octet in label {
            match octet {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'*' => out.push(char::from(octet)),
                b'A'..=b'Z' => out.push(char::from(octet.to_ascii_lowercase())),
                _ => out.push_str(&format!("\\{octet:03}")),
            }
        }
    }
    if out.is_empty() { ".".into() } else { out }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_resolver::proto::rr::rdata::{A, CNAME, NS, SOA};
    use proptest::prelude::*;

    use super::*;
    use crate::model::dns::RecordType;
    use crate::model::name::Name;
    use crate::observe::dns::question::Fit;

    fn question() -> Question {
        Question::new(&Name::parse("mail.domain.com").unwrap(), RecordType::A, true).unwrap()
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
        let endless: Vec<Record> =
            vec![cname("mail.domain.com.", "b.domain.com."), cname("b.domain.com.", "mail.domain.com.")];
        let two = vec![cname("mail.domain.com.", "a.domain.com."), cname("mail.domain.com.", "b.domain.com.")];
        let referral = Record::from_rdata(name("domain.com."), 60, RData::NS(NS(name("ns1.domain.com."))));
        for bytes in [
            answer(ResponseCode::NXDomain, vec![a("mail.domain.com.", 1, 60)], vec![]),
            answer(ResponseCode::NoError, endless, vec![]),
            answer(ResponseCode::NoError, two, vec![]),
            answer(ResponseCode::NoError, vec![], vec![referral]),
        ] {
            assert!(matches!(outcome(&bytes), DnsOutcome::Malformed(_)), "{bytes:?}");
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

    #[test]
    fn names_of_any_octets_are_made_text() {
        assert_eq!(text(&rr::Name::from_labels([&b"A.\x1b"[..], b"Com"]).unwrap()), "a\\046\\027.com");
        assert_eq!(text(&rr::Name::root()), ".");
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
}
