//! Servers that read master files (RFC 1035 section 5), and zones of which nobody said who serves them: the lines, and
//! how the file is read again.

use super::act::{Act, Look, ZoneAct, ZonePlace};
use super::product::Product;
use super::rdata::Rdata;
use super::script::{Language, Script};
use super::{Scripts, look, words};
use crate::model::name::Name;
use crate::model::text::escape;

pub(super) fn scripts(product: Product, act: &Act) -> Scripts {
    Ok(match act {
        Act::Zone { zone, act: ZoneAct::CreateZone } => return Ok(create_zone(zone, act)),
        Act::Zone { zone, act } => [edits("", zone, act), reload(product, zone)].concat(),
        Act::Look(Look::Record { zone, owner, kinds }) => return look::dig(zone, owner, kinds),
        Act::Certificate { .. } | Act::Server { .. } | Act::Repoint { .. } | Act::Look(_) => words::script(act),
    })
}

/// A zone of one host needs a head, a server and a place in the server's configuration.
fn create_zone(zone: &ZonePlace, act: &Act) -> Vec<Script> {
    let Some(apex) = &zone.apex else { return words::script(act) };
    let server = zone.server.as_deref().filter(|s| s.contains('.') && s.is_ascii()).and_then(|s| Name::parse(s).ok());
    let server = server.map_or_else(|| format!("ns.{apex}."), |s| format!("{s}."));
    vec![
        Script::words([format!("a zone of its own{}, with a file that begins:", of_view(zone))]),
        Script::new(
            Language::ZoneFile,
            [
                format!("{apex}. 3600 IN SOA {server} hostmaster.{apex}. 1 3600 600 604800 300"),
                format!("{apex}. 3600 IN NS {server}"),
            ],
        ),
    ]
}

/// What changes in the file; `when` comes first in the words.
pub(super) fn edits(when: &str, zone: &ZonePlace, act: &ZoneAct) -> Vec<Script> {
    let apex = zone.apex.as_ref().map(|apex| format!(" of {apex}")).unwrap_or_default();
    let file = format!("{when}in the zone{apex}{}", of_view(zone));
    let say = |what: &str| Script::words([format!("{file}, {what}, and raise the serial:")]);
    let write = |owner: &Name, ttl: u32, values: &[Rdata]| {
        Script::new(Language::ZoneFile, values.iter().map(|v| line(owner, ttl, v)))
    };
    match act {
        ZoneAct::CreateZone => Vec::new(),
        ZoneAct::Create { owner, ttl, values } => vec![say("add"), write(owner, *ttl, values)],
        ZoneAct::Change { owner, ttl, old, new } => {
            vec![say(&format!("delete {}, and in their place write", gone(owner, old))), write(owner, *ttl, new)]
        }
        ZoneAct::Ttl { owner, ttl, values } => {
            vec![
                say(&format!("in place of the same records of {owner}. with another TTL write")),
                write(owner, *ttl, values),
            ]
        }
        ZoneAct::Remove { owner, values } => {
            vec![Script::words([format!("{file}, delete {}, and raise the serial", gone(owner, values))])]
        }
    }
}

/// Records, in words.
fn gone(owner: &Name, values: &[Rdata]) -> String {
    let all: Vec<String> = values.iter().map(|v| format!("{} {v}", v.kind())).collect();
    format!("{} of {owner}.", all.join(", "))
}

fn of_view(zone: &ZonePlace) -> String {
    zone.view.as_ref().map(|view| format!(" of view {}", escape(view))).unwrap_or_default()
}

/// A line of a master file: `legacy.mail.domain.com. 300 IN A 203.0.113.3`.
pub(super) fn line(owner: &Name, ttl: u32, value: &Rdata) -> String {
    format!("{owner}. {ttl} IN {} {value}", value.kind())
}

/// How the server reads its file again: nsd-control(8), knotc(8), pdns_control(1).
fn reload(product: Product, zone: &ZonePlace) -> Vec<Script> {
    let Some(apex) = &zone.apex else { return Vec::new() };
    match product {
        Product::Nsd => vec![Script::sh([format!("nsd-checkzone {apex} FILE && nsd-control reload {apex}")])],
        Product::Knot => vec![Script::sh([format!("kzonecheck -o {apex} FILE && knotc zone-reload {apex}")])],
        Product::PowerDns => vec![Script::sh(["pdns_control bind-reload-now ".to_string() + apex.as_str()])],
        _ => Vec::new(),
    }
}
