//! The signatures that come with an answer.

use super::message::{Data, Message, Record};
use super::name::WireName;
use super::records::RECORDS;
use crate::model::dns::RecordType;
use crate::model::rrsig::{Rrsig, Signed};

/// The signatures of the RRset of a type at a name; `None` where the server does not speak of any, so that nobody knows
/// whether there are some.
pub fn of(message: &Message, owner: &WireName, kind: RecordType) -> Result<Option<Signed>, String> {
    let at_owner = || message.answers.iter().filter(|r| r.owner == *owner);
    let mut signatures: Vec<Rrsig> = at_owner().filter_map(signature).filter(|s| s.covers == kind).cloned().collect();
    if signatures.len() > RECORDS {
        return Err(format!("more than {RECORDS} signatures of type {kind}"));
    }
    signatures.sort();
    signatures.dedup();
    let soa = at_owner().find_map(|r| match &r.data {
        Data::Soa(soa) if kind == RecordType::Soa => Some(soa.canonical()),
        _ => None,
    });
    let speaks = message.speaks_dnssec || !signatures.is_empty();
    Ok(speaks.then(|| Signed { signatures, soa: soa.unwrap_or_default() }))
}

fn signature(record: &Record) -> Option<&Rrsig> {
    match &record.data {
        Data::Signature(signature) => Some(signature),
        _ => None,
    }
}
