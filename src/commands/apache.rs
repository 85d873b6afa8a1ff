//! Apache httpd 2.4: mod_ssl, mod_proxy, mod_proxy_balancer, mod_alias.

use super::act::{Act, Member, ServerAct};
use super::nginx::word_of;
use super::openssl::{self, CHAIN, KEY};
use super::product::Product;
use super::refusal::plain;
use super::script::{Language, Script};
use super::{Scripts, words, zone_file};
use crate::model::name::Name;
use crate::model::text::escape;

const RELOAD: &str = "apachectl configtest && apachectl graceful";
const WORD: &str = "is no word of Apache's configuration";

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Certificate { server, act } => {
            let files = vec![format!("SSLCertificateFile {CHAIN}"), format!("SSLCertificateKeyFile {KEY}")];
            Ok(openssl::scripts(server, act, said(server, "in the virtual host of each name", files)))
        }
        Act::Server { server, act: step } => at_server(act, server, step),
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => zone_file::scripts(Product::Other, act),
    }
}

/// Lines of the configuration, and how they come into force.
fn said(server: &str, place: &str, lines: Vec<String>) -> Vec<Script> {
    vec![
        Script::words([format!("on {}, {place}:", escape(server))]),
        Script::new(Language::Apache, lines),
        Script::sh([RELOAD]),
    ]
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Scripts {
    let of = |pool: &Option<String>| match pool {
        Some(pool) => Ok(format!("in <Proxy balancer://{}>, in place of its line", plain(pool, WORD)?)),
        None => Ok("in its balancer, in place of its line".to_string()),
    };
    Ok(match act {
        ServerAct::Restart { .. } => vec![Script::words([format!("on {}:", escape(server))]), Script::sh([RELOAD])],
        ServerAct::TakeOut { node, pool } => said(server, &of(pool)?, vec![format!("{} status=+D", member(node))]),
        ServerAct::PutBack { node, pool } => said(server, &of(pool)?, vec![member(node)]),
        ServerAct::Publish { name, members } => said(server, "in a file of its own", published(name, members)),
        ServerAct::SetRedirect { host: Some(host) } => {
            let line = format!("Redirect temp / https://{host}/");
            said(server, "in the virtual host whose users go to the older servers", vec![line])
        }
        ServerAct::ChangeMembers { pool, add, remove } => {
            let gone: Vec<String> = remove.iter().map(|m| m.at.to_string()).collect();
            let gone =
                if gone.is_empty() { String::new() } else { format!(", without the lines of {}", gone.join(", ")) };
            let place = format!("in <Proxy balancer://{}>{gone}", plain(pool, WORD)?);
            said(server, &place, add.iter().map(member).collect())
        }
        ServerAct::Unpublish { .. } | ServerAct::SetRedirect { host: None } => {
            [words::script(whole), vec![Script::sh([RELOAD])]].concat()
        }
        ServerAct::PinConnector { .. } | ServerAct::SetUrls { .. } | ServerAct::Decommission => words::script(whole),
    })
}

fn member(member: &Member) -> String {
    format!("BalancerMember https://{}", member.at)
}

/// A name of its own, handed on over TLS with the name kept. The members' certificates do not name their addresses.
fn published(name: &Name, members: &[Member]) -> Vec<String> {
    let pool = word_of(name);
    let served = match name.as_str().strip_prefix("*.") {
        // ServerName takes no wildcard; ServerAlias does.
        Some(parent) => vec![format!("    ServerName {parent}"), format!("    ServerAlias {name}")],
        None => vec![format!("    ServerName {name}")],
    };
    let mut lines = vec![format!("<Proxy balancer://{pool}>")];
    lines.extend(members.iter().map(|m| format!("    {}", member(m))));
    lines.extend(["</Proxy>".into(), "<VirtualHost *:443>".into()]);
    lines.extend(served);
    lines.extend([
        "    SSLEngine on".into(),
        format!("    SSLCertificateFile {CHAIN}"),
        format!("    SSLCertificateKeyFile {KEY}"),
        "    SSLProxyEngine on".into(),
        "    ProxyPreserveHost on".into(),
        format!("    ProxyPass / balancer://{pool}/"),
        format!("    ProxyPassReverse / balancer://{pool}/"),
        "</VirtualHost>".into(),
    ]);
    lines
}
