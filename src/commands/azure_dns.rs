//! Azure DNS, by the Azure CLI in a POSIX shell, as Azure Cloud Shell has it (az network dns record-set, and az network
//! private-dns record-set for zones of inside views).

use super::act::{Act, Look, ZoneAct, ZonePlace};
use super::product::Product;
use super::quote::posix;
use super::rdata::{Rdata, hex, host};
use super::script::Script;
use super::{Scripts, look, words, zone_file};
use crate::model::name::Name;

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Zone { zone, act: change } => match &zone.apex {
            Some(apex) => Ok(in_zone(act, &Place { zone, apex }, change)),
            None => Ok(zone_file::edits("", zone, change)),
        },
        Act::Look(Look::Record { zone, owner, kinds }) => look::dig(zone, owner, kinds),
        Act::Certificate { .. } | Act::Server { .. } | Act::Repoint { .. } | Act::Look(_) => {
            zone_file::scripts(Product::Other, act)
        }
    }
}

struct Place<'a> {
    zone: &'a ZonePlace,
    apex: &'a Name,
}

impl Place<'_> {
    fn service(&self) -> &'static str {
        if self.zone.internal { "az network private-dns" } else { "az network dns" }
    }

    /// `az network dns record-set a VERB -g "$group" -z domain.com -n mail`.
    fn record_set(&self, kind: &str, verb: &str, owner: &Name) -> String {
        let node = match owner.as_str().strip_suffix(self.apex.as_str()) {
            Some("") => "@".to_string(),
            Some(relative) => relative.trim_end_matches('.').to_string(),
            None => owner.to_string(),
        };
        let (service, kind) = (self.service(), kind.to_ascii_lowercase());
        format!("{service} record-set {kind} {verb} -g \"$group\" -z {} -n {}", self.apex, posix(&node))
    }
}

fn in_zone(whole: &Act, place: &Place, act: &ZoneAct) -> Vec<Script> {
    let unknown = |v: &&Rdata| place.zone.internal && matches!(v, Rdata::Tlsa { .. } | Rdata::Caa { .. });
    if act.values().iter().any(unknown) {
        // Private zones have no such records.
        return words::script(whole);
    }
    let group = format!(
        "group=$({} zone list --query \"[?name=='{}'].resourceGroup\" --output tsv)",
        place.service(),
        place.apex
    );
    let lines = match act {
        ZoneAct::CreateZone => {
            return [words::script(whole), vec![Script::sh([created(place)])]].concat();
        }
        ZoneAct::Create { owner, ttl, values } => {
            [opened(place, owner, *ttl, values), added(place, owner, values)].concat()
        }
        ZoneAct::Change { owner, ttl, old, new } => changed(place, owner, *ttl, old, new),
        ZoneAct::Ttl { owner, ttl, values } => retimed(place, owner, *ttl, values),
        ZoneAct::Remove { owner, values } => removed(place, owner, values),
    };
    vec![Script::sh(std::iter::once(group).chain(lines))]
}

fn created(place: &Place) -> String {
    format!("{} zone create -g GROUP -n {}", place.service(), place.apex)
}

fn kinds(values: &[Rdata]) -> Vec<&'static str> {
    let mut kinds: Vec<&str> = values.iter().map(Rdata::kind).collect();
    kinds.dedup();
    kinds
}

/// Empty record sets with their TTL, where there are none; private zones refuse to overwrite by themselves. A CNAME is
/// written whole.
fn opened(place: &Place, owner: &Name, ttl: u32, values: &[Rdata]) -> Vec<String> {
    let guard = if place.zone.internal { "" } else { " --if-none-match" };
    let open = |kind: &&str| format!("{} --ttl {ttl}{guard}", place.record_set(kind, "create", owner));
    kinds(values).iter().map(open).collect()
}

/// New before old, so that no resolver sees none; but an alias stands alone (RFC 1034 section 3.6.2).
fn changed(place: &Place, owner: &Name, ttl: u32, old: &[Rdata], new: &[Rdata]) -> Vec<String> {
    let fresh: Vec<Rdata> = new.iter().filter(|v| !old.contains(v)).cloned().collect();
    let gone: Vec<Rdata> = old.iter().filter(|v| !new.contains(v)).cloned().collect();
    let is_alias = |v: &Rdata| matches!(v, Rdata::Cname(_));
    let opened_kinds: Vec<Rdata> = fresh.iter().filter(|v| old.iter().all(|o| o.kind() != v.kind())).cloned().collect();
    let add = [opened(place, owner, ttl, &opened_kinds), added(place, owner, &fresh), retimed(place, owner, ttl, new)];
    match (old.iter().any(is_alias), new.iter().any(is_alias)) {
        (true, true) => add.concat(),
        (false, false) => [add.concat(), removed(place, owner, &gone)].concat(),
        _ => [removed(place, owner, &gone), add.concat()].concat(),
    }
}

fn added(place: &Place, owner: &Name, values: &[Rdata]) -> Vec<String> {
    let one = |value: &Rdata| {
        let verb = if matches!(value, Rdata::Cname(_)) { "set-record" } else { "add-record" };
        format!("{} {}", place.record_set(value.kind(), verb, owner), says(value))
    };
    values.iter().map(one).collect()
}

/// With its last record a record set goes too.
fn removed(place: &Place, owner: &Name, values: &[Rdata]) -> Vec<String> {
    let one = |value: &Rdata| format!("{} {}", place.record_set(value.kind(), "remove-record", owner), says(value));
    values.iter().map(one).collect()
}

fn retimed(place: &Place, owner: &Name, ttl: u32, values: &[Rdata]) -> Vec<String> {
    kinds(values).iter().map(|kind| format!("{} --set ttl={ttl}", place.record_set(kind, "update", owner))).collect()
}

fn says(value: &Rdata) -> String {
    match value {
        Rdata::A(address) => format!("-a {address}"),
        Rdata::Aaaa(address) => format!("-a {address}"),
        Rdata::Cname(name) => format!("-c {name}."),
        Rdata::Mx { preference, exchange } => format!("-e {} -p {preference}", host(exchange)),
        Rdata::Srv { priority, weight, port, target } => {
            format!("-p {priority} -w {weight} -r {port} -t {}", host(target))
        }
        // The value of an option that begins with a hyphen would be an option itself.
        Rdata::Txt(text) => format!("--value={}", posix(text)),
        Rdata::Tlsa { usage, selector, matching, association } => format!(
            "--certificate-usage {usage} --selector {selector} --matching-type {matching} --certificate-data {}",
            hex(association)
        ),
        Rdata::Caa { flags, tag, value } => format!("--flags {flags} --tag={} --value={}", posix(tag), posix(value)),
    }
}
