//! What became of a question, by the message that answers it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{self, DNSClass, RData, Record};

use super::Question;
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
        let (chain, end) = follow(&answers, &self.name)?;
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
    let mut owners = vec![from];
    let mut end = from;
    while let Some((target, ttl)) = alias(answers, end)? {
        if owners.contains(&target) {
            return Err(format!("a CNAME loop: {} leads back to {}", text(end), text(target)));
        }
        if chain.len() == LINKS {
            return Err(format!("a CNAME chain of more than {LINKS} links"));
        }
        chain.push(Link { owner: text(end), target: text(target), ttl });
        owners.push(target);
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
pub(super) fn text(name: &rr::Name) -> String {
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
