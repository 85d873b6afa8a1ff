//! What became of a question, by the message that answers it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Question;
use super::message::{Data, HEADER, Message, Record};
use super::name::WireName;
use super::{records, referral, signatures};
use crate::model::dns::{AddressRecord, DnsOutcome, Link, RecordType, Reply, Soa};

/// Response codes (RFC 1035 section 4.1.1).
const NO_ERROR: u16 = 0;
const SERV_FAIL: u16 = 2;
const NX_DOMAIN: u16 = 3;
const REFUSED: u16 = 5;

/// Links of a CNAME chain that are followed; resolvers stop long before.
const LINKS: usize = 64;

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
        let message = match Message::read(answer) {
            Ok(message) => message,
            Err(why) => return malformed(why),
        };
        if questions == 0 && matches!(message.code, NO_ERROR | NX_DOMAIN) {
            return malformed("it repeats no question");
        }
        Read::Outcome(self.outcome(&message, after_truncation))
    }

    fn outcome(&self, message: &Message, after_truncation: bool) -> DnsOutcome {
        match message.code {
            REFUSED => return DnsOutcome::Refused,
            SERV_FAIL => return DnsOutcome::ServFail,
            NO_ERROR | NX_DOMAIN => {}
            other => return DnsOutcome::Code(other),
        }
        let reply = match self.reply(message, after_truncation) {
            Ok(reply) => reply,
            Err(why) => return DnsOutcome::Malformed(why),
        };
        match (message.code, reply.addresses.is_empty() && reply.records.is_empty()) {
            (NX_DOMAIN, true) => DnsOutcome::NxDomain(reply),
            (NX_DOMAIN, false) => DnsOutcome::Malformed("NXDOMAIN with a record in the answer".into()),
            (_, false) => DnsOutcome::Answer(reply),
            (_, true) => self.no_data(message, reply),
        }
    }

    /// NODATA, or what only looks like it. A referral (RFC 2308 section 2.2: NS records without SOA) says nothing of the
    /// name; nor does an alias whose end a server without recursion did not look for.
    fn no_data(&self, message: &Message, reply: Reply) -> DnsOutcome {
        let refers = message.authorities.iter().any(Record::is_ns);
        match &reply.soa {
            _ if is_circle(&reply.chain) => DnsOutcome::NoData(reply),
            None if refers && reply.chain.is_empty() => referral::read(message, self.bytes()),
            None if refers => DnsOutcome::Malformed("an alias, and in the place of its end a referral".into()),
            None if !reply.chain.is_empty() && !message.recursion_available => {
                DnsOutcome::Malformed("an alias without its end, from a server without recursion".into())
            }
            _ => DnsOutcome::NoData(reply),
        }
    }

    fn reply(&self, message: &Message, after_truncation: bool) -> Result<Reply, String> {
        let (name, _) = WireName::read(self.bytes(), HEADER)?;
        let (chain, end) = match self.kind {
            RecordType::Cname => (Vec::new(), Some(&name)),
            _ => follow(&message.answers, &name)?,
        };
        let records = end.map(|end| records::records(&message.answers, end, self.kind)).transpose()?;
        let addresses = end.map(|end| addresses(&message.answers, end, self.kind)).unwrap_or_default();
        let records = records.unwrap_or_default();
        let is_signed = self.signed && !(addresses.is_empty() && records.is_empty());
        let signed = end.filter(|_| is_signed).map(|end| signatures::of(message, end, self.kind)).transpose()?;
        Ok(Reply {
            chain,
            addresses,
            records,
            signed: signed.flatten().map(Box::new),
            soa: message.authorities.iter().find_map(soa).map(Box::new),
            authoritative: message.authoritative,
            authenticated: message.authenticated,
            after_truncation,
        })
    }
}

/// Walks the CNAME chain from a name to its end; a circle has none, and ends with the link that closes it.
fn follow<'a>(answers: &'a [Record], from: &'a WireName) -> Result<(Vec<Link>, Option<&'a WireName>), String> {
    let mut chain = Vec::new();
    let mut end = from;
    while let Some((target, ttl)) = alias(answers, end)? {
        if chain.len() == LINKS {
            return Err(format!("a CNAME chain of more than {LINKS} links"));
        }
        chain.push(Link { owner: end.text(), target: target.text(), ttl });
        if is_circle(&chain) {
            return Ok((chain, None));
        }
        end = target;
    }
    Ok((chain, Some(end)))
}

/// The last link leads back to an owner.
fn is_circle(chain: &[Link]) -> bool {
    chain.last().is_some_and(|last| chain.iter().any(|link| link.owner == last.target))
}

/// The CNAME of a name. Two different ones are forbidden (RFC 2181 section 10.1), and nobody could say which counts.
fn alias<'a>(answers: &'a [Record], owner: &WireName) -> Result<Option<(&'a WireName, u32)>, String> {
    let mut found: Option<(&WireName, u32)> = None;
    for record in answers.iter().filter(|r| r.owner == *owner) {
        let Data::Alias(target) = &record.data else { continue };
        match found {
            Some((first, _)) if first != target => return Err(format!("two CNAMEs for {}", owner.text())),
            Some(_) => {}
            None => found = Some((target, record.ttl)),
        }
    }
    Ok(found)
}

/// The addresses of one type at a name, each once with its smallest TTL.
fn addresses(answers: &[Record], owner: &WireName, kind: RecordType) -> Vec<AddressRecord> {
    let mut found: BTreeMap<IpAddr, u32> = BTreeMap::new();
    for record in answers.iter().filter(|r| r.owner == *owner) {
        let Data::Address(address) = record.data else { continue };
        if !kind.holds(address) {
            continue;
        }
        found.entry(address).and_modify(|ttl| *ttl = record.ttl.min(*ttl)).or_insert(record.ttl);
    }
    found.into_iter().map(|(address, ttl)| AddressRecord { address, ttl }).collect()
}

pub(super) fn soa(record: &Record) -> Option<Soa> {
    match &record.data {
        Data::Soa(soa) => Some(Soa {
            zone: record.owner.text(),
            primary: soa.primary.text(),
            serial: soa.serial,
            ttl: record.ttl,
            minimum: soa.minimum,
        }),
        _ => None,
    }
}
