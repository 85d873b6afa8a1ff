//! Postfix: postconf(1) writes main.cf; smtpd_tls_chain_files from 3.4 on (postconf(5)).

use super::act::{Act, ServerAct};
use super::openssl::{self, CHAIN, KEY};
use super::product::Product;
use super::script::Script;
use super::{Scripts, words, zone_file};
use crate::model::text::escape;

const RELOAD: &str = "postfix check && postfix reload";

pub(super) fn scripts(act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { server, act } => openssl::scripts(server, act, bound(server)),
        Act::Server { server, act: step } => at_server(act, server, step),
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => return zone_file::scripts(Product::Other, act),
    })
}

/// The key first, then its chain.
fn bound(server: &str) -> Vec<Script> {
    vec![on(server), Script::sh([format!("postconf -e 'smtpd_tls_chain_files = {KEY}, {CHAIN}'"), RELOAD.into()])]
}

fn on(server: &str) -> Script {
    Script::words([format!("on {}, as root:", escape(server))])
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Vec<Script> {
    match act {
        ServerAct::Restart { .. } => vec![on(server), Script::sh([RELOAD])],
        // No new connections, and what is queued still goes out: only the master stops listening.
        ServerAct::TakeOut { .. } => vec![on(server), Script::sh(["postqueue -f", "postfix stop"])],
        ServerAct::PutBack { .. } => vec![on(server), Script::sh(["postfix check && postfix start"])],
        ServerAct::PinConnector { .. }
        | ServerAct::Publish { .. }
        | ServerAct::Unpublish { .. }
        | ServerAct::SetUrls { .. }
        | ServerAct::SetRedirect { .. }
        | ServerAct::ChangeMembers { .. }
        | ServerAct::Decommission => words::script(whole),
    }
}
