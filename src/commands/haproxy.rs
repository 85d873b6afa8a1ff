//! HAProxy: its configuration, and its runtime API, which changes a node at once and until the next reload (HAProxy
//! Management Guide, section 9.3: set server; Configuration Manual: bind crt, use_backend, server).

use super::act::{Act, Member, ServerAct};
use super::nginx::word_of;
use super::openssl::{self, BOTH, CHAIN, KEY};
use super::product::Product;
use super::quote::posix;
use super::refusal::{Refusal, plain};
use super::script::{Language, Script};
use super::{Scripts, words, zone_file};
use crate::model::name::Name;
use crate::model::text::escape;

const RELOAD: &str = "haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy";
const WORD: &str = "is no word of HAProxy's configuration";

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Certificate { server, act } => Ok(openssl::scripts(server, act, bound(server))),
        Act::Server { server, act: step } => at_server(act, server, step),
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => zone_file::scripts(Product::Other, act),
    }
}

/// It wants chain and key in one file.
fn bound(server: &str) -> Vec<Script> {
    vec![
        Script::words([format!("on {}, as root:", escape(server))]),
        Script::sh([format!("(umask 077; cat {CHAIN} {KEY} >{BOTH})")]),
        Script::words(["in the frontend:"]),
        Script::new(Language::Haproxy, [format!("    bind :443 ssl crt {BOTH}")]),
        Script::sh([RELOAD]),
    ]
}

/// Lines of the configuration, and how they come into force.
fn said(server: &str, place: &str, lines: Vec<String>) -> Vec<Script> {
    vec![
        Script::words([format!("on {}, {place}:", escape(server))]),
        Script::new(Language::Haproxy, lines),
        Script::sh([RELOAD]),
    ]
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Scripts {
    Ok(match act {
        ServerAct::Restart { .. } => vec![Script::words([format!("on {}:", escape(server))]), Script::sh([RELOAD])],
        ServerAct::TakeOut { node, pool } => state(server, node, pool.as_deref(), "drain")?,
        ServerAct::PutBack { node, pool } => state(server, node, pool.as_deref(), "ready")?,
        ServerAct::Publish { name, members } => published(server, name, members)?,
        ServerAct::SetRedirect { host: Some(host) } => {
            let line = format!("    http-request redirect prefix https://{host} code 302");
            said(server, "in the backend whose users go to the older servers", vec![line])
        }
        ServerAct::ChangeMembers { pool, add, remove } => {
            let gone = remove.iter().map(|m| plain(&m.label, WORD)).collect::<Result<Vec<_>, _>>()?;
            let gone =
                if gone.is_empty() { String::new() } else { format!(", without the lines of {}", gone.join(", ")) };
            let place = format!("in backend {}{gone}", plain(pool, WORD)?);
            said(server, &place, add.iter().map(member).collect::<Result<_, _>>()?)
        }
        ServerAct::Unpublish { .. } | ServerAct::SetRedirect { host: None } => {
            [words::script(whole), vec![Script::sh([RELOAD])]].concat()
        }
        ServerAct::PinConnector { .. } | ServerAct::SetUrls { .. } | ServerAct::Decommission => words::script(whole),
    })
}

/// `drain` lets open connections end; `ready` takes new ones again.
fn state(server: &str, node: &Member, pool: Option<&str>, state: &str) -> Scripts {
    let backend = plain(pool.unwrap_or_default(), "is no backend of HAProxy")?;
    let set = posix(&format!("set server {backend}/{} state {state}", plain(&node.label, WORD)?));
    Ok(vec![
        Script::words([format!("on {} (the socket is the one of its \"stats socket\"):", escape(server))]),
        Script::sh([format!("echo {set} | socat stdio /run/haproxy/admin.sock")]),
    ])
}

/// TLS untouched on the way to the members: each serves its own certificate.
fn member(member: &Member) -> Result<String, Refusal> {
    Ok(format!("    server {} {} check", plain(&member.label, WORD)?, member.at))
}

fn published(server: &str, name: &Name, members: &[Member]) -> Scripts {
    let backend = word_of(name);
    let condition = match name.as_str().strip_prefix('*') {
        Some(parent) => format!("{{ req.ssl_sni -m end -i {parent} }}"),
        None => format!("{{ req.ssl_sni -i {name} }}"),
    };
    let mut back = vec![format!("backend {backend}"), "    mode tcp".into()];
    back.extend(members.iter().map(member).collect::<Result<Vec<_>, _>>()?);
    Ok(vec![
        Script::words([format!("on {}, in the frontend (mode tcp) of port 443:", escape(server))]),
        Script::new(
            Language::Haproxy,
            [
                "    tcp-request inspect-delay 5s".to_string(),
                "    tcp-request content accept if { req.ssl_hello_type 1 }".into(),
                format!("    use_backend {backend} if {condition}"),
            ],
        ),
        Script::words(["and a section of its own:"]),
        Script::new(Language::Haproxy, back),
        Script::sh([RELOAD]),
    ])
}
