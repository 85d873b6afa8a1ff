//! nginx: ngx_http_ssl_module, ngx_http_proxy_module, ngx_http_upstream_module, ngx_http_rewrite_module.

use super::act::{Act, Member, ServerAct};
use super::openssl::{self, CHAIN, KEY};
use super::product::Product;
use super::refusal::{Refusal, plain};
use super::script::{Language, Script};
use super::{Scripts, words, zone_file};
use crate::model::name::Name;
use crate::model::text::escape;

const RELOAD: &str = "nginx -t && nginx -s reload";
const WORD: &str = "is no word of nginx's configuration";

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Certificate { server, act } => {
            let files = vec![format!("ssl_certificate {CHAIN};"), format!("ssl_certificate_key {KEY};")];
            Ok(openssl::scripts(server, act, said(server, "in the server block of each name", files)))
        }
        Act::Server { server, act: step } => at_server(act, server, step),
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => zone_file::scripts(Product::Other, act),
    }
}

/// Lines of the configuration, and how they come into force.
fn said(server: &str, place: &str, lines: Vec<String>) -> Vec<Script> {
    vec![
        Script::words([format!("on {}, {place}:", escape(server))]),
        Script::new(Language::Nginx, lines),
        Script::sh([RELOAD]),
    ]
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Scripts {
    let in_upstream = |pool: &Option<String>| match pool {
        Some(pool) => Ok(format!("in upstream {}, in place of its line", plain(pool, WORD)?)),
        None => Ok("in its upstream, in place of its line".to_string()),
    };
    Ok(match act {
        ServerAct::Restart { .. } => vec![Script::words([format!("on {}:", escape(server))]), Script::sh([RELOAD])],
        ServerAct::TakeOut { node, pool } => {
            said(server, &in_upstream(pool)?, vec![format!("server {} down;", node.at)])
        }
        ServerAct::PutBack { node, pool } => said(server, &in_upstream(pool)?, vec![format!("server {};", node.at)]),
        ServerAct::Publish { name, members } => said(server, "in the http block", published(name, members)),
        ServerAct::SetRedirect { host: Some(host) } => {
            let line = format!("return 302 https://{host}$request_uri;");
            said(server, "in the location whose users go to the older servers", vec![line])
        }
        ServerAct::ChangeMembers { pool, add, remove } => members_changed(server, pool, add, remove)?,
        ServerAct::Unpublish { .. } | ServerAct::SetRedirect { host: None } => {
            [words::script(whole), vec![Script::sh([RELOAD])]].concat()
        }
        ServerAct::PinConnector { .. } | ServerAct::SetUrls { .. } | ServerAct::Decommission => words::script(whole),
    })
}

fn members_changed(server: &str, pool: &str, add: &[Member], remove: &[Member]) -> Result<Vec<Script>, Refusal> {
    let pool = plain(pool, WORD)?;
    let gone: Vec<String> = remove.iter().map(|m| m.at.to_string()).collect();
    let gone = if gone.is_empty() { String::new() } else { format!(", without the lines of {}", gone.join(", ")) };
    let added = add.iter().map(|m| format!("server {};", m.at)).collect();
    Ok(said(server, &format!("in upstream {pool}{gone}"), added))
}

/// A name of its own, handed on over TLS with the name kept.
fn published(name: &Name, members: &[Member]) -> Vec<String> {
    let upstream = word_of(name);
    let mut lines = vec![format!("upstream {upstream} {{")];
    lines.extend(members.iter().map(|m| format!("    server {};", m.at)));
    lines.push("}".into());
    lines.extend([
        "server {".into(),
        "    listen 443 ssl;".into(),
        format!("    server_name {name};"),
        format!("    ssl_certificate {CHAIN};"),
        format!("    ssl_certificate_key {KEY};"),
        "    location / {".into(),
        format!("        proxy_pass https://{upstream};"),
        "        proxy_ssl_server_name on;".into(),
        "        proxy_ssl_name $host;".into(),
        "        proxy_set_header Host $host;".into(),
        "    }".into(),
        "}".into(),
    ]);
    lines
}

/// A name as a word of a configuration: `coexist_mail_domain_com`.
pub(super) fn word_of(name: &Name) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("coexist_{}", name.as_str().replace('*', "any").chars().map(plain).collect::<String>())
}
