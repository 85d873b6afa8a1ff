//! `[zones]`, `[mail]`, `[records]` and `[inventory]`.

use std::collections::BTreeMap;

use super::certificates::{Labels, find};
use super::reader::Reader;
use super::servers::product;
use super::views::{Views, resolver};
use crate::model::mta_sts::MAX_AGE;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{Autodiscover, MailDomain, MtaSts, PlannedRecord, ServerId, ViewId, Zone};
use crate::model::source::Located;
use crate::plan::error::PlanError;
use crate::plan::keys::{self, Keys};
use crate::plan::raw::{Node, Value};

fn is_in(keys: Keys) -> impl Fn(&str) -> bool {
    move |key| keys.iter().any(|group| group.contains(&key))
}

pub(super) fn zones(reader: &Reader, node: Option<&Node>, views: &Views) -> Vec<Zone> {
    let entries = reader.entries(node, "zones", &is_in(keys::ZONE));
    entries.iter().filter_map(|(apex, node)| zone(reader, apex, node, views)).collect()
}

fn zone(reader: &Reader, apex: &Located<String>, node: &Node, views: &Views) -> Option<Zone> {
    let fields = reader.fields(node, "a zone", keys::ZONE);
    let name = reader.full_name(Located::new(&apex.value, apex.span));
    let get = |key| fields.as_ref().and_then(|f| f.get(key));
    let in_views = get("views").map(|node| reader.each(node, "a view", |text| in_view(reader, text, views)));
    Some(Zone {
        views: in_views.map_or_else(|| views.ids().collect(), |lists| lists.concat()),
        servers: get("servers")
            .map(|n| reader.each(n, "a name server", |text| resolver(reader, text)))
            .unwrap_or_default(),
        product: get("product").and_then(|node| product(reader, node)).map(|p| p.value),
        span: apex.span,
        apex: name?.value,
    })
}

fn in_view(reader: &Reader, text: Located<&str>, views: &Views) -> Option<Vec<ViewId>> {
    let found = views.of_word(text.value);
    if found.is_empty() {
        views.unknown(reader, text);
        return None;
    }
    Some(found)
}

pub(super) fn mail(reader: &Reader, node: Option<&Node>) -> Vec<MailDomain> {
    let entries = reader.entries(node, "mail domains", &is_in(keys::MAIL));
    entries.iter().filter_map(|(domain, node)| mail_domain(reader, domain, node)).collect()
}

fn mail_domain(reader: &Reader, domain: &Located<String>, node: &Node) -> Option<MailDomain> {
    let fields = reader.fields(node, "a mail domain", keys::MAIL);
    let name = reader.full_name(Located::new(&domain.value, domain.span));
    let get = |key| fields.as_ref().and_then(|f| f.get(key));
    Some(MailDomain {
        mx: get("mx").map(|node| mx(reader, node)).unwrap_or_default(),
        autodiscover: get("autodiscover").and_then(|n| autodiscover(reader, n)).unwrap_or(Autodiscover::Unsaid),
        mta_sts: get("mta-sts").and_then(|node| mta_sts(reader, node)),
        helo: get("helo").and_then(|n| reader.full_name(reader.string(n, "a host name")?)),
        span: domain.span,
        domain: name?.value,
    })
}

type Exchanges = Option<Vec<Located<Name>>>;

/// MX targets for all phases, or by phase; a phase that is not given keeps those of the phase before.
fn mx(reader: &Reader, node: &Node) -> [Exchanges; 3] {
    let list = |node: &Node| reader.each(node, "a host name", |text| reader.full_name(text));
    let Value::Table(table) = &node.value else {
        let same = list(node);
        return [Some(same.clone()), Some(same.clone()), Some(same)];
    };
    reader.fields(node, "`mx`", keys::PHASE_TABLE);
    let mut out: [Exchanges; 3] = Default::default();
    for phase in Phase::ALL {
        let before = phase.previous().and_then(|p| out[p as usize].clone());
        out[phase as usize] = table.get(phase.word()).map(list).or(before);
    }
    out
}

/// How long senders keep the policy, or that and its patterns.
fn mta_sts(reader: &Reader, node: &Node) -> Option<MtaSts> {
    let (age, mx) = match &node.value {
        Value::Table(_) => {
            let fields = reader.fields(node, "`mta-sts`", keys::MTA_STS)?;
            let mx = fields.get("mx").map(|n| reader.each(n, "a host or a wildcard", |text| reader.host_name(text)));
            let Some(age) = fields.get("max-age") else {
                let label = "`max-age` says for how long senders keep the policy";
                return reader.missing(PlanError::at(node.span, "a policy without an age", label));
            };
            (reader.seconds(age)?, mx.unwrap_or_default())
        }
        _ => (reader.seconds(node)?, Vec::new()),
    };
    match age.value > MAX_AGE {
        true => reader.note(PlanError::at(age.span, "duration out of range", format!("expected at most {MAX_AGE} s"))),
        false => Some(MtaSts { max_age: age, mx }),
    }
}

fn autodiscover(reader: &Reader, node: &Node) -> Option<Autodiscover> {
    match &node.value {
        Value::Bool(false) => Some(Autodiscover::None),
        Value::String(word) if word == "srv" => Some(Autodiscover::Srv),
        Value::String(name) => reader.full_name(Located::new(name, node.span)).map(Autodiscover::Name),
        _ => reader.wrong(node, "a name, \"srv\" or false"),
    }
}

pub(super) fn records(reader: &Reader, node: Option<&Node>, views: &Views) -> Vec<PlannedRecord> {
    let entries = reader.entries(node, "records", &|key| views.is_word(key));
    entries.iter().filter_map(|(key, node)| record(reader, key, node, views)).collect()
}

fn record(reader: &Reader, key: &Located<String>, node: &Node, views: &Views) -> Option<PlannedRecord> {
    let mut words = key.value.split_whitespace();
    let (Some(owner), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        let error = PlanError::at(key.span, "not a record", "expected an owner and a type");
        return reader.note(error.help("such as \"_autodiscover._tcp.domain.com SRV\""));
    };
    let owner = match Name::parse_owner(owner) {
        Ok(owner) => owner,
        Err(e) => return reader.note(PlanError::at(key.span, "not the owner of a record", e.to_string())),
    };
    let kind = kind.to_ascii_uppercase();
    if !kind.bytes().all(|b| b.is_ascii_alphanumeric()) || kind.len() > 16 {
        return reader.note(PlanError::at(key.span, "not a record type", "expected a type such as SRV, MX or TXT"));
    }
    let texts = |node: &Node| reader.each(node, "the record's text", |text| Some(text.value.to_string()));
    let values = views.each(reader, node).into_iter().map(|node| node.map(texts)).collect();
    Some(PlannedRecord { owner, kind, values, span: key.span })
}

pub(super) fn inventory(
    reader: &Reader,
    node: Option<&Node>,
    servers: &Labels<ServerId>,
) -> BTreeMap<ServerId, Vec<Located<String>>> {
    let mut out = BTreeMap::new();
    let fields = node.and_then(|node| reader.fields(node, "[inventory]", keys::INVENTORY));
    let files = fields.and_then(|fields| fields.get("files"));
    for (label, node) in reader.entries(files, "files by server", &|_| false) {
        let server = find(reader, servers, Located { value: label.value.as_str(), span: label.span }, "server");
        let paths = reader.each(node, "a file", |text| reader.path(text));
        if let Some(server) = server {
            out.insert(server, paths);
        }
    }
    out
}
