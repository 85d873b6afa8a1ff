//! Zones that are signed, as far as their parents and keys show it. Nothing is really signed: the lab's resolvers say of
//! themselves whether an answer would validate.

use super::zone::Zone;
use crate::model::dnssec::{Dnskey, Ds};
use crate::model::name::Name;
use crate::model::plan::{Plan, ViewId};
use crate::model::records::RecordData;
use crate::model::signed;

/// The key of every signed zone: ECDSA P-256 (RFC 6605), a zone key and secure entry point.
pub(super) fn key() -> Dnskey {
    Dnskey { flags: 257, protocol: 3, algorithm: 13, key: vec![0x42; 64] }
}

/// The parent's word for another key.
pub(super) fn ds_of_another(zone: &Name) -> Option<Ds> {
    Dnskey { key: vec![0x17; 64], ..key() }.ds(zone)
}

impl Zone {
    /// The zones that the plan declares, and its mail domains, are signed where they stand.
    pub fn sign(&mut self, plan: &Plan, view: ViewId) {
        for zone in declared(plan) {
            let stands = plan.zones.iter().filter(|z| z.apex == zone).all(|z| z.views.contains(&view));
            if let Some(ds) = key().ds(&zone).filter(|_| stands) {
                self.add_records(zone.as_str(), vec![RecordData::Ds(ds), RecordData::Dnskey(key())]);
            }
        }
    }
}

/// The signed zones of a plan.
pub(super) fn declared(plan: &Plan) -> Vec<Name> {
    let is = |name: &Name| plan.zones.iter().any(|z| z.apex == *name) || plan.mail.iter().any(|m| m.domain == *name);
    signed::zones(plan).into_iter().filter(is).collect()
}
