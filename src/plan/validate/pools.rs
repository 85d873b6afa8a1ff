//! `[pools.*]`: a balancer's address and the servers behind it.

use std::sync::Arc;

use super::certificates::{Labels, choice};
use super::labels::Entry;
use super::reader::{Fields, Reader};
use super::servers::{Known, addresses, published, services};
use super::settings::settings;
use crate::model::phase::Phase;
use crate::model::plan::{Members, Pool, PoolId, PoolTls, ServerId, Target};
use crate::model::source::Located;
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::{Node, Value};

const TLS: &[(&str, PoolTls)] =
    &[("passthrough", PoolTls::Passthrough), ("bridge", PoolTls::Bridge), ("offload", PoolTls::Offload)];
const OPAQUE: &str = "opaque";

pub(super) fn pool(reader: &Reader, entry: &Entry, known: &Known, targets: &Labels<Target>) -> Pool {
    let (label, node) = entry;
    let fields = reader.fields(node, "a pool", keys::POOL);
    let get = |key| fields.as_ref().and_then(|f| f.get(key));
    let address = get("address");
    let members = match get("members") {
        Some(node) => members(reader, node, targets, address.is_some()),
        None => {
            let title = format!("pool `{}` has no members", label.value);
            let error = PlanError::at(label.span, title, "expected `members`");
            let help = "members = [\"a server\", \"another\"], or \"opaque\" if its nodes cannot be asked";
            reader.missing::<()>(error.help(help));
            Default::default()
        }
    };
    Pool {
        label: Arc::from(label.value.as_str()),
        addresses: addresses(reader, address, known),
        members: members.map(|m| m.unwrap_or(Members::Servers(Vec::new()))),
        tls: fields.as_ref().and_then(|f| tls(reader, f)).unwrap_or(PoolTls::Passthrough),
        verify: get("verify").and_then(|node| reader.boolean(node)).unwrap_or(false),
        services: get("services").map(|node| services(reader, node)),
        certificate: get("certificate").map(|node| choice(reader, node, &known.certificates)),
        publishes: get("publishes").map(|node| published(reader, node)),
        settings: fields.as_ref().map_or_else(|| known.settings.clone(), |f| settings(reader, f, known.settings)),
        span: label.span,
    }
}

/// Where TLS ends; a balancer that ends it needs an address, and only a bridge verifies its members.
fn tls(reader: &Reader, fields: &Fields) -> Option<PoolTls> {
    let node = fields.get("tls");
    let tls = node.and_then(|node| reader.word(node, "a value of `tls`", TLS)).unwrap_or(PoolTls::Passthrough);
    if let Some(verify) = fields.get("verify").filter(|_| tls != PoolTls::Bridge) {
        let error = PlanError::at(
            verify.span,
            "`verify` without a bridge",
            "only `tls = \"bridge\"` connects to the members again",
        );
        reader.note::<()>(error);
    }
    if let Some(node) = node.filter(|_| tls != PoolTls::Passthrough && fields.get("address").is_none()) {
        reader.note::<()>(PlanError::at(node.span, "TLS ends nowhere", "a pool without an address is DNS round robin"));
    }
    Some(tls)
}

type PerPhase = [Option<Members>; 3];

fn members(reader: &Reader, node: &Node, targets: &Labels<Target>, has_address: bool) -> PerPhase {
    let one = |node: &Node| member_list(reader, node, targets, has_address);
    let Value::Table(table) = &node.value else {
        let same = one(node);
        return [same.clone(), same.clone(), same];
    };
    let mut out = PerPhase::default();
    reader.fields(node, "`members`", keys::PHASE_TABLE);
    for phase in Phase::ALL {
        let before = phase.previous().and_then(|p| out[p as usize].clone());
        out[phase as usize] = table.get(phase.word()).and_then(one).or(before);
    }
    out
}

fn member_list(reader: &Reader, node: &Node, targets: &Labels<Target>, has_address: bool) -> Option<Members> {
    if node.as_str() == Some(OPAQUE) {
        if !has_address {
            reader.note::<()>(PlanError::at(
                node.span,
                "a pool that cannot be asked",
                "opaque members need an `address` in front",
            ));
        }
        return Some(Members::Opaque);
    }
    if reader.one_or_many(node).is_empty() {
        return reader.note(PlanError::at(node.span, "no members", "expected at least one server"));
    }
    Some(Members::Servers(reader.each(node, "a server's label", |text| member(reader, text, targets))))
}

fn member(reader: &Reader, text: Located<&str>, targets: &Labels<Target>) -> Option<ServerId> {
    match targets.get(text.value) {
        Some(Target::Server(id)) => Some(*id),
        Some(Target::Pool(PoolId(_))) => {
            let title = format!("`{}` is a pool, too", text.value);
            reader.note(PlanError::at(text.span, title, "a pool's members are servers"))
        }
        None => {
            let servers = targets.iter().filter(|(_, t)| matches!(t, Target::Server(_)));
            let hint = reader.hint(text.value, servers.map(|(label, _)| label.as_str()));
            let title = format!("no such server `{}`", text.value);
            reader.missing(PlanError::at(text.span, title, "not under [servers]").maybe_help(hint))
        }
    }
}
