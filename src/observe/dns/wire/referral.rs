//! Who is to be asked instead, by the authority section of a message without an answer.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::message::{Data, HEADER, Message};
use super::name::WireName;
use super::records::RECORDS;
use crate::model::dns::{AddressRecord, DnsOutcome, NamedServer, Referral};
use crate::model::records::RecordData;

/// Reads a referral to the question in these bytes; malformed is one that leads away from the name.
pub fn read(message: &Message, question: &[u8]) -> DnsOutcome {
    match referral(message, question) {
        Ok(referral) => DnsOutcome::Referral(referral),
        Err(why) => DnsOutcome::Malformed(why.into()),
    }
}

fn referral(message: &Message, question: &[u8]) -> Result<Referral, &'static str> {
    let (name, _) = WireName::read(question, HEADER)?;
    // Who has the zone answers, or says that there is nothing (RFC 2308 section 2.2).
    if message.authoritative {
        return Err("no answer and no SOA from a server that claims to have the zone");
    }
    let mut zones = message.authorities.iter().filter(|r| r.is_ns()).map(|r| &r.owner);
    let zone = zones.next().ok_or("a referral to nobody")?;
    if zones.any(|other| other != zone) {
        return Err("a referral to several zones");
    }
    if !name.is_within(zone) {
        return Err("a referral to a zone that does not hold the name");
    }
    let servers = servers(message)?;
    Ok(Referral { zone: zone.text(), servers })
}

/// The servers, each once with the smallest TTL, and the addresses that came with them.
fn servers(message: &Message) -> Result<Vec<NamedServer>, &'static str> {
    let mut found: BTreeMap<&str, u32> = BTreeMap::new();
    for record in &message.authorities {
        if let Data::Record(RecordData::Ns(name)) = &record.data {
            found.entry(name).and_modify(|ttl| *ttl = record.ttl.min(*ttl)).or_insert(record.ttl);
        }
    }
    if found.len() > RECORDS || message.glue.len() > RECORDS {
        return Err("a referral to more servers than a zone has");
    }
    let mut addresses: BTreeMap<String, BTreeMap<IpAddr, u32>> = BTreeMap::new();
    for record in &message.glue {
        if let Data::Address(address) = record.data {
            let ttl = addresses.entry(record.owner.text()).or_default().entry(address).or_insert(record.ttl);
            *ttl = record.ttl.min(*ttl);
        }
    }
    let of = |name: &str| {
        let all = addresses.get(name).into_iter().flatten();
        all.map(|(address, ttl)| AddressRecord { address: *address, ttl: *ttl }).collect()
    };
    let named = |(name, ttl): (&str, u32)| NamedServer { name: name.into(), ttl, addresses: of(name) };
    Ok(found.into_iter().map(named).collect())
}
