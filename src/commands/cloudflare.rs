//! Cloudflare, by curl and jq at its API: flarectl knows no batches, and a batch is one transaction (DNS Records, Batch:
//! deletes, then patches, then posts). The token is taken from the environment and never stands in a line.

use serde_json::{Value, json};

use super::act::{Act, Look, ZoneAct};
use super::product::Product;
use super::quote::posix;
use super::rdata::{Rdata, hex};
use super::script::Script;
use super::{Scripts, look, words, zone_file};
use crate::model::name::Name;

const API: &str = "https://api.cloudflare.com/client/v4/zones";
const CURL: &str = "curl -fsS -H \"Authorization: Bearer $CLOUDFLARE_API_TOKEN\"";

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Zone { zone, act: change } => match &zone.apex {
            Some(apex) => Ok(in_zone(act, apex, change)),
            None => Ok(zone_file::edits("", zone, change)),
        },
        Act::Look(Look::Record { zone, owner, kinds }) => look::dig(zone, owner, kinds),
        Act::Certificate { .. } | Act::Server { .. } | Act::Repoint { .. } | Act::Look(_) => {
            zone_file::scripts(Product::Other, act)
        }
    }
}

fn in_zone(whole: &Act, apex: &Name, act: &ZoneAct) -> Vec<Script> {
    let (owner, batch) = match act {
        ZoneAct::CreateZone => return words::script(whole),
        ZoneAct::Create { owner, ttl, values } => (owner, format!("{{posts: {}}}", posts(owner, *ttl, values))),
        ZoneAct::Change { owner, ttl, old, new } => {
            (owner, format!("{{deletes: {}, posts: {}}}", found(old, "{id}"), posts(owner, *ttl, new)))
        }
        ZoneAct::Ttl { owner, ttl, values } => {
            (owner, format!("{{patches: {}}}", found(values, &format!("{{id, ttl: {ttl}}}"))))
        }
        ZoneAct::Remove { owner, values } => (owner, format!("{{deletes: {}}}", found(values, "{id}"))),
    };
    // A star of a wildcard is a character of the name there too.
    let records = format!("{API}/$zone/dns_records");
    let listed =
        format!("{CURL} -G \"{records}\" -d per_page=100 --data-urlencode {}", posix(&format!("name={owner}")));
    let sent = format!("{CURL} -X POST -H 'Content-Type: application/json' --data @- \"{records}/batch\"");
    vec![Script::sh([
        format!("zone=$({CURL} '{API}?name={apex}' | jq -er '.result[0].id')"),
        format!("{listed} | jq {} | {sent}", posix(&batch)),
    ])]
}

/// New records, as JSON, which is a filter of jq that gives itself.
fn posts(owner: &Name, ttl: u32, values: &[Rdata]) -> String {
    let one = |value: &Rdata| {
        let mut record = json!({ "type": value.kind(), "name": owner.as_str(), "ttl": ttl });
        if let (Some(record), Value::Object(says)) = (record.as_object_mut(), says(value)) {
            record.extend(says);
        }
        record
    };
    json!(values.iter().map(one).collect::<Vec<_>>()).to_string()
}

fn says(value: &Rdata) -> Value {
    let bare = |name: &Option<Name>| name.as_ref().map_or(".".to_string(), Name::to_string);
    match value {
        // Not proxied: what is proxied answers with Cloudflare's own addresses and TTL.
        Rdata::A(address) => json!({ "content": address.to_string(), "proxied": false }),
        Rdata::Aaaa(address) => json!({ "content": address.to_string(), "proxied": false }),
        Rdata::Cname(name) => json!({ "content": name.as_str(), "proxied": false }),
        Rdata::Mx { preference, exchange } => json!({ "content": bare(exchange), "priority": preference }),
        Rdata::Srv { priority, weight, port, target } => json!({
            "data": { "priority": priority, "weight": weight, "port": port, "target": bare(target) }
        }),
        Rdata::Txt(text) => json!({ "content": text }),
        Rdata::Tlsa { usage, selector, matching, association } => json!({
            "data": { "usage": usage, "selector": selector, "matching_type": matching, "certificate": hex(association) }
        }),
        Rdata::Caa { flags, tag, value } => json!({ "data": { "flags": flags, "tag": tag, "value": value } }),
    }
}

/// The records that say these, each as `made`.
fn found(values: &[Rdata], made: &str) -> String {
    let conditions: Vec<String> = values.iter().map(condition).collect();
    format!("[.result[] | select({}) | {made}]", conditions.join(" or "))
}

/// A condition of jq. A value is a JSON string, in which every backslash is doubled: none begins an interpolation.
fn condition(value: &Rdata) -> String {
    let kind = json!(value.kind());
    let is = match value {
        Rdata::A(_) | Rdata::Aaaa(_) | Rdata::Cname(_) | Rdata::Mx { .. } => {
            let says = says(value);
            format!(".content == {}", says["content"])
        }
        Rdata::Txt(text) => format!("(.content | ltrimstr(\"\\\"\") | rtrimstr(\"\\\"\")) == {}", json!(text)),
        Rdata::Srv { port, .. } => {
            let says = says(value);
            format!(".data.port == {port} and .data.target == {}", says["data"]["target"])
        }
        Rdata::Tlsa { association, .. } => format!(".data.certificate == {}", json!(hex(association))),
        Rdata::Caa { tag, value, .. } => format!(".data.tag == {} and .data.value == {}", json!(tag), json!(value)),
    };
    format!("(.type == {kind} and {is})")
}
