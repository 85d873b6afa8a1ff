//! Amazon Route 53, by the AWS CLI (route53 change-resource-record-sets: the changes of a batch are done together or not at
//! all). The batch is a file, which spares the quotes of every shell.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::act::{Act, Look, ZoneAct, ZonePlace};
use super::product::Product;
use super::quote::posix;
use super::rdata::Rdata;
use super::refusal::Refusal;
use super::script::{Language, Script};
use super::{Scripts, look, words, zone_file};
use crate::model::name::Name;

/// Where a change deletes, the record set is named with the TTL that it has; nobody said which.
const TTL_NOW: u32 = 300;

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Zone { zone, act: change } => match &zone.apex {
            Some(apex) => in_zone(act, zone, apex, change),
            None => Ok(zone_file::edits("", zone, change)),
        },
        Act::Look(Look::Record { zone, owner, kinds }) => look::dig(zone, owner, kinds),
        Act::Certificate { .. } | Act::Server { .. } | Act::Repoint { .. } | Act::Look(_) => {
            zone_file::scripts(Product::Other, act)
        }
    }
}

fn in_zone(whole: &Act, zone: &ZonePlace, apex: &Name, act: &ZoneAct) -> Scripts {
    let (owner, upserts, deletes) = match act {
        ZoneAct::CreateZone => return Ok(words::script(whole)),
        ZoneAct::Create { owner, ttl, values } | ZoneAct::Ttl { owner, ttl, values } => {
            (owner, sets(owner, *ttl, values)?, Vec::new())
        }
        ZoneAct::Change { owner, ttl, old, new } => {
            let gone: Vec<Rdata> = old.iter().filter(|o| new.iter().all(|n| n.kind() != o.kind())).cloned().collect();
            (owner, sets(owner, *ttl, new)?, sets(owner, TTL_NOW, &gone)?)
        }
        ZoneAct::Remove { owner, values } => (owner, Vec::new(), sets(owner, TTL_NOW, values)?),
    };
    let mut notes = Vec::new();
    let others = act.values().into_iter().any(|v| !matches!(v, Rdata::A(_) | Rdata::Aaaa(_) | Rdata::Cname(_)));
    if others {
        notes.push("a record set is written whole: add to its values those that stay (see the list)".to_string());
    }
    if !deletes.is_empty() {
        notes.push(format!("a record set is deleted with the TTL that it has: put that in place of {TTL_NOW}"));
    }
    let action = |action: &str, sets: Vec<Value>| {
        sets.into_iter().map(|set| json!({ "Action": action, "ResourceRecordSet": set })).collect::<Vec<_>>()
    };
    let changes = [action("DELETE", deletes), action("UPSERT", upserts)].concat();
    let batch = serde_json::to_string_pretty(&json!({ "Changes": changes })).unwrap_or_default();
    let mut scripts = vec![Script::sh([hosted_zone(zone, apex), listed(owner)])];
    scripts.push(Script::words(notes.into_iter().chain(["as change.json:".to_string()])));
    scripts.push(Script::new(Language::Json, batch.lines()));
    scripts.push(Script::sh([
        "change=$(aws route53 change-resource-record-sets --hosted-zone-id \"$zone\" --change-batch file://change.json --query ChangeInfo.Id --output text)",
        "aws route53 wait resource-record-sets-changed --id \"$change\"",
    ]));
    Ok(scripts)
}

/// The zone's id. A private zone of the same name is another zone.
fn hosted_zone(zone: &ZonePlace, apex: &Name) -> String {
    let query = format!(
        "HostedZones[?Name==`\"{apex}.\"` && Config.PrivateZone==`{}`].Id",
        if zone.internal { "true" } else { "false" }
    );
    format!(
        "zone=$(aws route53 list-hosted-zones-by-name --dns-name {} --query {} --output text)",
        posix(&format!("{apex}.")),
        posix(&query)
    )
}

fn listed(owner: &Name) -> String {
    let query = format!("ResourceRecordSets[?Name==`\"{}.\"`]", starred(owner));
    format!("aws route53 list-resource-record-sets --hosted-zone-id \"$zone\" --query {}", posix(&query))
}

/// Route 53 shows the star of a wildcard as its octal code (Developer Guide, DNS domain name format).
fn starred(owner: &Name) -> String {
    owner.as_str().replace('*', r"\\052")
}

/// One record set for each type.
fn sets(owner: &Name, ttl: u32, values: &[Rdata]) -> Result<Vec<Value>, Refusal> {
    let mut by_kind: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for value in values {
        // Octal codes stand for what is no ASCII there, where a master file has decimal ones.
        if let Some(text) = value.texts().into_iter().find(|text| !text.is_ascii()) {
            return Err(Refusal::new(text, "is no ASCII, which Route 53 writes in a way of its own"));
        }
        by_kind.entry(value.kind()).or_default().push(json!({ "Value": value.to_string() }));
    }
    let set = |(kind, records): (&str, Vec<Value>)| json!({ "Name": format!("{owner}."), "Type": kind, "TTL": ttl, "ResourceRecords": records });
    Ok(by_kind.into_iter().map(set).collect())
}
