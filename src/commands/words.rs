//! What is to be done, in words: for whoever has no shell, and where a product cannot do it.

use super::act::{Act, CertificateAct, Donor, Look, MailWay, Member, ServerAct, ZoneAct, ZonePlace};
use super::rdata::Rdata;
use super::script::Script;
use crate::model::name::Name;
use crate::model::text::escape;

/// The words as a script.
pub(super) fn script(act: &Act) -> Vec<Script> {
    vec![Script::words(of(act))]
}

/// The words, a line each; whatever came from a plan is escaped.
pub(super) fn of(act: &Act) -> Vec<String> {
    match act {
        Act::Certificate { server, act } => vec![format!("on {}: {}", escape(server), certificate(act))],
        Act::Server { server, act } => at_server(&escape(server), act),
        Act::Zone { zone, act } => in_zone(&place(zone), act),
        Act::Repoint { what, from, to } => {
            vec![format!("at the firewall or balancer: let {} lead to {to} instead of {from}", escape(what))]
        }
        Act::Look(look) => vec![looked(look)],
    }
}

fn certificate(act: &CertificateAct) -> String {
    match act {
        CertificateAct::Order { names, issuer } => {
            let from = issuer.as_ref().map(|i| format!(" and send it to {}", escape(i))).unwrap_or_default();
            format!("make a new key and a certificate request for {}{from}", listed(names))
        }
        CertificateAct::Complete => "import what the authority issued, where its request was made".into(),
        CertificateAct::Export { thumbprint } => {
            format!("export {} with its key and its intermediates as a PFX file", escape(thumbprint))
        }
        CertificateAct::Import { thumbprint, from } => {
            format!("import {} with its key from {}", escape(thumbprint), source(from))
        }
        CertificateAct::Bind { thumbprint, services } => {
            format!("put {} into use for {}", escape(thumbprint), services_of(services))
        }
        CertificateAct::Rekey { thumbprint, names } => format!(
            "make a new key and request for {}; revoke {} only when every server has the new certificate",
            listed(names),
            escape(thumbprint)
        ),
        CertificateAct::DeleteCopies => "delete the PFX file, and every other copy of it".into(),
        CertificateAct::Retire { thumbprint } => {
            format!("delete {} with its key, once nothing uses it", escape(thumbprint))
        }
    }
}

fn at_server(server: &str, act: &ServerAct) -> Vec<String> {
    let line = match act {
        ServerAct::Restart { services } => format!("on {server}: restart or reload {}", services_of(services)),
        ServerAct::PinConnector { connector, way, thumbprint } => format!(
            "on {server}: let the {} connector \"{}\" use {}",
            if *way == MailWay::Send { "send" } else { "receive" },
            escape(connector),
            escape(thumbprint)
        ),
        ServerAct::TakeOut { node, pool } => {
            format!("at {server}: no new connections to {}{}", member(node), of_pool(pool))
        }
        ServerAct::PutBack { node, pool } => {
            format!("at {server}: new connections to {}{} again", member(node), of_pool(pool))
        }
        ServerAct::Publish { name, members } => {
            format!("at {server}: accept the name {name} and hand it on to {}", all(members))
        }
        ServerAct::Unpublish { name } => format!("at {server}: accept the name {name} no longer"),
        ServerAct::SetUrls { internal, external, connection_point } => {
            return urls(server, internal.as_ref(), external.as_ref(), connection_point.as_ref());
        }
        ServerAct::SetRedirect { host: Some(host) } => {
            format!("on {server}: send the users of the older servers to https://{host}/")
        }
        ServerAct::SetRedirect { host: None } => {
            format!("on {server}: send nobody to the legacy name any more")
        }
        ServerAct::ChangeMembers { pool, add, remove } => {
            let gone = remove.iter().map(|m| format!("remove {}", member(m)));
            let all = add.iter().map(|m| format!("add {}", member(m))).chain(gone);
            format!("at {server}: in the pool {}: {}", escape(pool), all.collect::<Vec<_>>().join(", "))
        }
        ServerAct::Decommission => format!("on {server}: uninstall what it served, delete its keys, turn it off"),
    };
    vec![line]
}

fn urls(server: &str, internal: Option<&Name>, external: Option<&Name>, point: Option<&Name>) -> Vec<String> {
    let told = |who: &str, host: Option<&Name>| {
        host.map(|host| format!("on {server}: the host in the addresses told to clients {who} is {host}"))
    };
    let point = point.map(|host| format!("on {server}: the service connection point leads to {host}"));
    [told("inside", internal), told("outside", external), point].into_iter().flatten().collect()
}

fn in_zone(place: &str, act: &ZoneAct) -> Vec<String> {
    let each = |verb: &str, owner: &Name, values: &[Rdata], ttl: Option<u32>| {
        let ttl = ttl.map(|ttl| format!("{ttl} ")).unwrap_or_default();
        values.iter().map(|v| format!("{place}: {verb} {owner}. {ttl}{} {v}", v.kind())).collect::<Vec<_>>()
    };
    match act {
        ZoneAct::CreateZone => vec![format!("{place}: create it")],
        ZoneAct::Create { owner, ttl, values } => each("create", owner, values, Some(*ttl)),
        ZoneAct::Change { owner, ttl, old, new } => {
            [each("replace", owner, old, None), each("by", owner, new, Some(*ttl))].concat()
        }
        ZoneAct::Ttl { owner, ttl, values } => each("set the TTL of", owner, values, Some(*ttl)),
        ZoneAct::Remove { owner, values } => each("delete", owner, values, None),
    }
}

/// `zone domain.com of view internal`.
fn place(zone: &ZonePlace) -> String {
    let apex = zone.apex.as_ref().map(|apex| format!(" {apex}")).unwrap_or_default();
    let view = zone.view.as_ref().map(|view| format!(" of view {}", escape(view))).unwrap_or_default();
    format!("zone{apex}{view}")
}

fn looked(look: &Look) -> String {
    match look {
        Look::Endpoint { at, way, name } => {
            let asked = name.as_ref().map_or("without a name".to_string(), |n| format!("asked for {n}"));
            let way = way.word();
            let way = if way.is_empty() { String::new() } else { format!(" ({way})") };
            format!("look at the certificate that {at}{way} serves, {asked}")
        }
        Look::Installed { server, thumbprint } => {
            format!("on {}: look for what {} is in use", escape(server), escape(thumbprint))
        }
        Look::Record { zone, owner, kinds } => {
            format!("{}: look at {owner}. {}", place(zone), kinds.join(", "))
        }
    }
}

fn listed(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

fn services_of(services: &[String]) -> String {
    match services {
        [] => "all its services".into(),
        some => some.iter().map(|s| escape(s)).collect::<Vec<_>>().join(", "),
    }
}

fn of_pool(pool: &Option<String>) -> String {
    pool.as_ref().map(|pool| format!(" of {}", escape(pool))).unwrap_or_default()
}

fn all(members: &[Member]) -> String {
    members.iter().map(member).collect::<Vec<_>>().join(", ")
}

fn member(member: &Member) -> String {
    format!("{} ({})", escape(&member.label), member.at)
}

/// Where a certificate comes from.
pub(super) fn source(from: &Option<Donor>) -> String {
    from.as_ref().map_or_else(|| "the server that has it with its key".into(), |donor| escape(&donor.server))
}
