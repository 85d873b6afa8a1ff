//! Dovecot: ssl_cert and ssl_key up to 2.3, ssl_server_cert_file and ssl_server_key_file from 2.4 on.

use super::act::{Act, ServerAct};
use super::openssl::{self, CHAIN, KEY};
use super::product::Product;
use super::script::{Language, Script};
use super::{Scripts, words, zone_file};
use crate::model::text::escape;

const RELOAD: &str = "doveconf -n >/dev/null && doveadm reload";

pub(super) fn scripts(act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { server, act } => openssl::scripts(server, act, bound(server)),
        Act::Server { server, act: step } => at_server(act, server, step),
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => return zone_file::scripts(Product::Other, act),
    })
}

fn bound(server: &str) -> Vec<Script> {
    let file = |lines: [String; 2]| Script::new(Language::Dovecot, lines);
    vec![
        Script::words([format!("on {}, in its configuration (from 2.4 on):", escape(server))]),
        file([format!("ssl_server_cert_file = {CHAIN}"), format!("ssl_server_key_file = {KEY}")]),
        Script::words(["or, up to 2.3:"]),
        file([format!("ssl_cert = <{CHAIN}"), format!("ssl_key = <{KEY}")]),
        Script::sh([RELOAD]),
    ]
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Vec<Script> {
    let on = Script::words([format!("on {}, as root:", escape(server))]);
    match act {
        ServerAct::Restart { .. } => vec![on, Script::sh([RELOAD])],
        ServerAct::TakeOut { .. } => vec![on, Script::sh(["doveadm stop"])],
        ServerAct::PutBack { .. } => vec![on, Script::sh(["dovecot"])],
        ServerAct::PinConnector { .. }
        | ServerAct::Publish { .. }
        | ServerAct::Unpublish { .. }
        | ServerAct::SetUrls { .. }
        | ServerAct::SetRedirect { .. }
        | ServerAct::ChangeMembers { .. }
        | ServerAct::Decommission => words::script(whole),
    }
}
