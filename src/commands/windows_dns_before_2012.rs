//! DNS of Windows Server 2003 to 2008 R2: dnscmd (Microsoft, Dnscmd: recordadd, recorddelete, zoneadd). Its lines are read
//! by the command prompt and by PowerShell alike, so that only words which both leave alone are typed.

use super::act::{Act, Look, ZoneAct, ZonePlace};
use super::product::Product;
use super::rdata::{Rdata, host};
use super::refusal::{Refusal, plain_host};
use super::script::{Language, Script};
use super::{Scripts, words, zone_file};
use crate::model::name::Name;

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Zone { zone, act: change } => match &zone.apex {
            Some(apex) => in_zone(act, zone, apex, change),
            None => Ok(zone_file::edits("", zone, change)),
        },
        Act::Look(Look::Record { zone, owner, kinds }) => {
            let server = server(zone)?;
            let lines = kinds.iter().map(|kind| format!("nslookup -type={kind} \"{owner}.\" {server}"));
            Ok(vec![Script::new(Language::Cmd, lines.map(|line| line.trim_end().to_string()))])
        }
        Act::Certificate { .. } | Act::Server { .. } | Act::Repoint { .. } | Act::Look(_) => {
            zone_file::scripts(Product::Other, act)
        }
    }
}

fn server(zone: &ZonePlace) -> Result<String, Refusal> {
    let host = zone.host().map(|(host, _)| host).unwrap_or_default();
    if host.is_empty() { Ok(host) } else { Ok(plain_host(&host, "is no name or address of a server")?.into()) }
}

fn in_zone(whole: &Act, zone: &ZonePlace, apex: &Name, act: &ZoneAct) -> Scripts {
    let place = |verb: &str| Ok(format!("dnscmd {} {verb} {apex}", server(zone)?).replace("  ", " "));
    if act.values().into_iter().any(|v| matches!(v, Rdata::Tlsa { .. } | Rdata::Caa { .. })) {
        // Types that this server does not know.
        return Ok(words::script(whole));
    }
    let add = |owner: &Name, ttl: u32, value: &Rdata| -> Result<String, Refusal> {
        Ok(format!("{} {} {ttl} {} {}", place("/RecordAdd")?, node(apex, owner), value.kind(), says(value)?))
    };
    let delete = |owner: &Name, value: &Rdata| -> Result<String, Refusal> {
        Ok(format!("{} {} {} {} /f", place("/RecordDelete")?, node(apex, owner), value.kind(), says(value)?))
    };
    let lines: Vec<String> = match act {
        ZoneAct::CreateZone => vec![format!("{} /DsPrimary /DP /forest", place("/ZoneAdd")?)],
        ZoneAct::Create { owner, ttl, values } => {
            values.iter().map(|v| add(owner, *ttl, v)).collect::<Result<_, _>>()?
        }
        // New before old, but for an alias, which stands alone (RFC 1034 section 3.6.2).
        ZoneAct::Change { owner, ttl, old, new } => {
            let added: Vec<String> = new.iter().map(|v| add(owner, *ttl, v)).collect::<Result<_, _>>()?;
            let deleted: Vec<String> = old.iter().map(|v| delete(owner, v)).collect::<Result<_, _>>()?;
            let alias = old.iter().chain(new).any(|v| matches!(v, Rdata::Cname(_)));
            if alias { [deleted, added].concat() } else { [added, deleted].concat() }
        }
        // dnscmd has no verb for it, and a record that is deleted to be added again is missed meanwhile.
        ZoneAct::Ttl { .. } => {
            let how = "dnsmgmt.msc, View, Advanced; then in the record's Properties: Time to live (TTL)".to_string();
            return Ok(vec![Script::words(words::of(whole).into_iter().chain([how]))]);
        }
        ZoneAct::Remove { owner, values } => values.iter().map(|v| delete(owner, v)).collect::<Result<_, _>>()?,
    };
    Ok(vec![Script::new(Language::Cmd, lines)])
}

/// The owner relative to its zone; quoted, as PowerShell would splat a bare `@` and expand a bare `*`.
fn node(apex: &Name, owner: &Name) -> String {
    match owner.as_str().strip_suffix(apex.as_str()) {
        Some("") => "\"@\"".into(),
        Some(relative) if relative.ends_with('.') => format!("\"{}\"", relative.trim_end_matches('.')),
        _ => format!("\"{owner}.\""),
    }
}

fn says(value: &Rdata) -> Result<String, Refusal> {
    Ok(match value {
        Rdata::A(address) => address.to_string(),
        Rdata::Aaaa(address) => address.to_string(),
        Rdata::Cname(name) => format!("{name}."),
        Rdata::Mx { preference, exchange } => format!("{preference} {}", host(exchange)),
        Rdata::Srv { priority, weight, port, target } => format!("{priority} {weight} {port} {}", host(target)),
        Rdata::Txt(text) => format!("\"{}\"", quotable(text)?),
        Rdata::Tlsa { .. } | Rdata::Caa { .. } => {
            return Err(Refusal::new(value.kind(), "is no type that dnscmd knows"));
        }
    })
}

/// Within double quotes: what neither the command prompt (`%`, `!`, `^`, `&`, `|`, `<`, `>`) nor PowerShell (`$`, a grave
/// accent, curly quotes) reads as anything else.
fn quotable(text: &str) -> Result<&str, Refusal> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || " =:;.,_-+/?~@*'()[]".contains(c);
    let fits = text.len() <= 255 && text.chars().all(harmless);
    if fits { Ok(text) } else { Err(Refusal::new(text, "cannot be typed within quotes of the command prompt")) }
}
