//! Records of other types than addresses in a view's zones: of mail, of services, and the zones' heads.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::certificates::IssueId;
use super::machines::Machine;
use super::zone::{DEFAULT_TTL, Entry, Zone, addresses, nothing};
use crate::model::dane::Tlsa;
use crate::model::dns::{RecordType, Soa};
use crate::model::mail_hosts::{SMTP, mail_hosts, reverse, senders, tlsa_owner};
use crate::model::name::Name;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{Autodiscover, Plan, Table, ViewId};
use crate::model::records::{DataRecord, RecordData};

/// The address of others' mail hosts (RFC 5737).
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 25));

impl Zone {
    /// What the mail domains' clients and senders look for. Hosts of others have an address of their own.
    pub fn add_mail(&mut self, plan: &Plan, moment: Moment) {
        for mail in &plan.mail {
            let domain = mail.domain.as_str();
            self.entries.entry(domain.to_string()).or_insert_with(nothing);
            let hosts = mail.mx[moment.phases().0 as usize].iter().flatten();
            let mx = hosts.map(|h| RecordData::Mx { preference: 10, exchange: h.value.to_string() });
            if !self.has(domain, RecordType::Mx) {
                self.add_records(domain, mx.collect());
            }
            let hosts = mail.mx.iter().flatten().flatten();
            for host in hosts.filter(|h| !plan.names.iter().any(|n| n.name == h.value)) {
                self.entries.entry(host.value.to_string()).or_insert_with(|| addresses(vec![ELSEWHERE], DEFAULT_TTL));
            }
            let srv = format!("_autodiscover._tcp.{domain}");
            let front = plan.names.iter().find(|n| n.table == Table::Internet && !n.name.is_wildcard());
            if let (Autodiscover::Srv, Some(front), false) =
                (&mail.autodiscover, front, self.has(&srv, RecordType::Srv))
            {
                let target = front.name.to_string();
                self.add_records(&srv, vec![RecordData::Srv { priority: 0, weight: 0, port: 443, target }]);
            }
        }
    }

    /// The addresses from which mail comes have names: those that the plan says, or some of their own.
    pub fn name_senders(&mut self, plan: &Plan, view: ViewId) {
        let helo = plan.mail.iter().find_map(|m| m.helo.as_ref()).map(|h| h.value.to_string());
        let Some(domain) = plan.mail.first().map(|m| m.domain.to_string()) else { return };
        let senders: BTreeSet<_> = Phase::ALL.into_iter().flat_map(|phase| senders(plan, view, phase)).collect();
        for sender in senders {
            let Some(owner) = reverse(sender.address) else { continue };
            let own = format!("out-{}.{domain}", sender.address.to_string().replace(['.', ':'], "-"));
            let name = helo.clone().unwrap_or(own);
            // A name of the plan leads where the plan says.
            let is_own = !plan.names.iter().any(|n| n.name.as_str() == name);
            match self.entries.entry(name.clone()).or_insert_with(nothing) {
                Entry::Addresses { addresses, .. } if is_own && !addresses.contains(&sender.address) => {
                    addresses.push(sender.address);
                }
                _ => {}
            }
            self.add_records(owner.as_str(), vec![RecordData::Ptr(name)]);
        }
    }

    /// As it was before the last change.
    pub fn grow_old(&mut self) {
        self.serial = self.serial.wrapping_sub(1);
    }

    /// Adds records of other types than addresses at an owner.
    pub fn add_records(&mut self, owner: &str, data: Vec<RecordData>) {
        self.entries.entry(owner.to_string()).or_insert_with(nothing);
        let of_owner = self.records.entry(owner.to_string()).or_default();
        of_owner.extend(data.into_iter().map(|data| DataRecord { data, ttl: DEFAULT_TTL }));
    }

    pub fn has(&self, owner: &str, kind: RecordType) -> bool {
        self.records.get(owner).is_some_and(|all| all.iter().any(|r| r.data.kind() == kind))
    }

    /// The records of a type at a name that exists; a zone's apex has an SOA and a name server whatever else it has.
    pub fn records_of(&self, name: &str, kind: RecordType) -> Vec<DataRecord> {
        let own = self.records.get(name).into_iter().flatten().filter(|r| r.data.kind() == kind);
        let mut out: Vec<DataRecord> = own.cloned().collect();
        if out.is_empty() && self.apex_of(name) == name {
            let primary = format!("ns1.{name}");
            let (zone, ttl, minimum) = (name.to_string(), self.negative_ttl, self.negative_ttl);
            let data = match kind {
                RecordType::Ns => Some(RecordData::Ns(primary)),
                RecordType::Soa => Some(RecordData::Soa(Soa { zone, primary, serial: self.serial, ttl, minimum })),
                _ => None,
            };
            out.extend(data.map(|data| DataRecord { data, ttl }));
        }
        out
    }
}

/// The certificates that may be met at port 25 of each mail host of the plan: by whoever shows one for it.
pub(super) fn tlsa(plan: &Plan, machines: &[Machine]) -> BTreeMap<String, BTreeSet<IssueId>> {
    let mut out: BTreeMap<String, BTreeSet<IssueId>> = BTreeMap::new();
    for host in plan.view_ids().flat_map(|view| mail_hosts(plan, view)) {
        let host = plan.name(host.name).name.to_string();
        let doors = machines.iter().filter_map(|m| m.doors.get(&SMTP));
        let shown: BTreeSet<IssueId> = doors.filter_map(|door| door.by_name.get(&host).copied()).collect();
        out.insert(host, shown);
    }
    out
}

/// Writes TLSA records of keys for a mail host, where a view has the host.
pub(super) fn publish_keys(zone: &mut Zone, host: &str, records: &[Tlsa]) {
    let owner = Name::parse(host).ok().and_then(|name| tlsa_owner(&name, SMTP));
    let there = zone.entries.contains_key(host);
    if let Some(owner) = owner.filter(|o| there && !zone.has(o.as_str(), RecordType::Tlsa)) {
        zone.add_records(owner.as_str(), records.iter().cloned().map(RecordData::Tlsa).collect());
    }
}

/// A view that has a zone of its own has its own serial; all others share the one of the world.
pub(super) fn serial(plan: &Plan, view: ViewId) -> u32 {
    let own = plan.zones.iter().any(|z| z.views.contains(&view) && z.views.len() < plan.views.len());
    if own { 2 + u32::try_from(view.0).unwrap_or(0) } else { 1 }
}
