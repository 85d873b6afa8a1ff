//! Zones that are signed: their keys, what their parents say of them, and the signatures that go with answers. A resolver of
//! the lab that validates is told which zones do not.

use jiff::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::zone::Zone;
use crate::model::dns::RecordType;
use crate::model::dnssec::{Dnskey, Ds};
use crate::model::name::Name;
use crate::model::plan::{Plan, ViewId};
use crate::model::records::RecordData;
use crate::model::rrsig::Rrsig;
use crate::model::signed;
use crate::pki::Rrset;

const DAY: i64 = 86_400;

/// What is wrong with the signatures of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// They have expired.
    Over,
    /// Those of its keys have not.
    OverButForKeys,
    /// Those of addresses are of other records.
    ForgedAddresses,
    /// They begin tomorrow.
    Ahead,
    /// They are of other records.
    Forged,
}

/// The pair of keys of every signed zone; no two runs of the lab sign otherwise.
fn pair(seed: u8) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).ok()
}

/// An Ed25519 key (RFC 8080), a zone key and secure entry point.
fn dnskey(seed: u8) -> Option<Dnskey> {
    let key = pair(seed)?.public_key().as_ref().to_vec();
    Some(Dnskey { flags: 257, protocol: 3, algorithm: 15, key })
}

const OWN: u8 = 0x42;

/// The parent's word for another key.
pub(super) fn ds_of_another(zone: &Name) -> Option<Ds> {
    dnskey(0x17)?.ds(zone)
}

impl Zone {
    /// The zones that the plan declares, and its mail domains, are signed where they stand.
    pub fn sign(&mut self, plan: &Plan, view: ViewId) {
        let Some(key) = dnskey(OWN) else { return };
        for zone in declared(plan) {
            let stands = plan.zones.iter().filter(|z| z.apex == zone).all(|z| z.views.contains(&view));
            if let Some(ds) = key.ds(&zone).filter(|_| stands) {
                self.add_records(zone.as_str(), vec![RecordData::Ds(ds), RecordData::Dnskey(key.clone())]);
            }
        }
    }

    /// The signature of an RRset, if it is of a signed zone; the RDATA in canonical form.
    pub fn signature(
        &self,
        owner: &str,
        kind: RecordType,
        (rdata, ttl): (Vec<Vec<u8>>, u32),
        now: Timestamp,
    ) -> Option<Rrsig> {
        let (owner, signer) = (Name::parse_owner(owner).ok()?, self.apex_of(owner));
        if !self.has(&signer, RecordType::Dnskey) || kind == RecordType::Ds {
            return None;
        }
        let flaw = self.flaws.get(&signer).copied();
        let (from, to) = match flaw {
            Some(Flaw::Over) => (-30, -1),
            Some(Flaw::OverButForKeys) if kind != RecordType::Dnskey => (-30, -1),
            Some(Flaw::Ahead) => (1, 15),
            _ => (-1, 14),
        };
        let day = |days: i64| (now.as_second() + days * DAY).rem_euclid(1 << 32) as u32;
        let mut rrsig = Rrsig {
            covers: kind,
            algorithm: 15,
            labels: u8::try_from(owner.labels().count()).ok()?,
            original_ttl: ttl,
            expiration: day(to),
            inception: day(from),
            key_tag: dnskey(OWN)?.tag(),
            signer,
            signature: Vec::new(),
        };
        let is_forged = match flaw {
            Some(Flaw::Forged) => true,
            Some(Flaw::ForgedAddresses) => RecordType::ALL.contains(&kind),
            _ => false,
        };
        let others = is_forged.then(|| vec![0]);
        let signed = Rrset::new(&owner, kind, rdata.into_iter().chain(others)).signed(&rrsig)?;
        rrsig.signature = pair(OWN)?.sign(&signed).as_ref().to_vec();
        Some(rrsig)
    }
}

/// The signed zones of a plan.
pub(super) fn declared(plan: &Plan) -> Vec<Name> {
    let is = |name: &Name| plan.zones.iter().any(|z| z.apex == *name) || plan.mail.iter().any(|m| m.domain == *name);
    signed::zones(plan).into_iter().filter(is).collect()
}
