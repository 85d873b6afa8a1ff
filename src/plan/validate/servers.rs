//! `[servers.*]`, and what pools share with them: addresses, services, products.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::certificates::{Labels, choice};
use super::labels::Entry;
use super::reader::Reader;
use super::settings::settings;
use super::views::Views;
use crate::model::plan::{CertId, Published, Server, Settings};
use crate::model::service::{BARE_TLS, Service, WORDS, services_of};
use crate::model::source::Located;
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::Node;

/// What the parts of a plan refer to.
pub(super) struct Known<'k> {
    pub(super) views: Views<'k>,
    pub(super) certificates: Labels<CertId>,
    pub(super) settings: &'k Settings,
}

pub(super) fn server(reader: &Reader, (label, node): &Entry, known: &Known) -> Server {
    let fields = reader.fields(node, "a server", keys::SERVER);
    let get = |key| fields.as_ref().and_then(|f| f.get(key));
    let (address, host) = (get("address"), get("host"));
    match (address, host) {
        (Some(first), Some(second)) => {
            let error = PlanError::at(second.span, "address and host", "a server is ours, or somebody else's");
            reader.note::<()>(error.other(first.span, "it has an address of its own"));
        }
        (None, None) if fields.is_some() => no_address(reader, label),
        _ => {}
    }
    if let (Some(host), Some(services)) = (host, get("services")) {
        let error =
            PlanError::at(services.span, "services of a host that is not ours", "it is looked up, and not asked");
        reader.note::<()>(error.other(host.span, "somebody else's"));
    }
    if let (Some(host), Some(publishes)) = (host, get("publishes")) {
        let error =
            PlanError::at(publishes.span, "`publishes` of a host that is not ours", "it is looked up, and not asked");
        reader.note::<()>(error.other(host.span, "somebody else's"));
    }
    let services = get("services").map(|node| services(reader, node));
    Server {
        label: Arc::from(label.value.as_str()),
        addresses: addresses(reader, address, known),
        host: host.and_then(|node| reader.full_name(reader.string(node, "a host name")?)),
        services_given: services.is_some(),
        // What is not ours is looked up, not asked.
        services: services.unwrap_or_else(|| if host.is_some() { Vec::new() } else { https(label) }),
        product: get("product").and_then(|node| product(reader, node)),
        certificate: get("certificate").map(|node| choice(reader, node, &known.certificates)),
        redirects: get("redirects")
            .map(|node| reader.each(node, "a host name", |text| reader.full_name(text)))
            .unwrap_or_default(),
        publishes: get("publishes").map(|node| published(reader, node)),
        settings: fields.as_ref().map_or_else(|| known.settings.clone(), |f| settings(reader, f, known.settings)),
        span: label.span,
        address_span: address.or(host).map_or(label.span, |node| node.span),
    }
}

fn no_address(reader: &Reader, label: &Located<String>) {
    let title = format!("server `{}` has no address", label.value);
    let error = PlanError::at(label.span, title, "expected `address`, or `host` for somebody else's");
    reader.missing::<()>(error.help("address = { internal = \"10.0.0.10\", external = \"203.0.113.10\" }"));
}

/// The public names that a proxy or balancer accepts.
pub(super) fn published(reader: &Reader, node: &Node) -> Published {
    let pattern = |text: Located<&str>| {
        if text.value.starts_with('.') {
            let error =
                PlanError::at(text.span, "a name begins with a dot", "expected a host name, or `*.` before a domain");
            return reader.note(
                error.help(format!("\"{0}\" and \"*.{0}\" are two entries", text.value.trim_start_matches('.'))),
            );
        }
        reader.host_name(text)
    };
    Published { names: reader.each(node, "a host name", pattern), span: node.span }
}

/// The addresses that each view's clients see.
pub(super) fn addresses(reader: &Reader, node: Option<&Node>, known: &Known) -> Vec<Vec<IpAddr>> {
    let Some(node) = node else {
        return known.views.ids().map(|_| Vec::new()).collect();
    };
    if node.as_table().is_none() {
        let same = address_list(reader, node);
        return known.views.ids().map(|_| same.clone()).collect();
    }
    let per_view = known.views.each(reader, node);
    let mut read: Vec<(*const Node, Vec<IpAddr>)> = Vec::new();
    per_view
        .into_iter()
        .map(|node| match node {
            None => Vec::new(),
            // One value may stand for several views of its kind: its mistakes are told once.
            Some(node) => match read.iter().find(|(known, _)| std::ptr::eq(*known, node)) {
                Some((_, addresses)) => addresses.clone(),
                None => {
                    let addresses = address_list(reader, node);
                    read.push((node, addresses.clone()));
                    addresses
                }
            },
        })
        .collect()
}

fn address_list(reader: &Reader, node: &Node) -> Vec<IpAddr> {
    if reader.one_or_many(node).is_empty() {
        reader.note::<()>(PlanError::at(node.span, "no address", "expected at least one"));
    }
    let mut out = Vec::new();
    for address in reader.each(node, "an IP address", |text| address(reader, text)) {
        if !out.contains(&address) {
            out.push(address);
        }
    }
    out
}

fn address(reader: &Reader, text: Located<&str>) -> Option<IpAddr> {
    let value = text.value.trim();
    match value.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() || ip.is_multicast() => {
            reader.note(PlanError::at(text.span, "nobody has this address", "expected the address of a server"))
        }
        Ok(ip) => Some(ip),
        Err(_) => {
            let error = PlanError::at(text.span, "not an IP address", "expected IPv4 or IPv6, without a port");
            let name = value.contains(|c: char| c.is_ascii_alphabetic()) && !value.contains(':');
            reader.note(error.maybe_help(name.then(|| "for somebody else's host write `host`".to_string())))
        }
    }
}

fn https(label: &Located<String>) -> Vec<Located<Service>> {
    services_of("https").unwrap_or_default().into_iter().map(|s| Located::new(s, label.span)).collect()
}

/// Service words, each port once.
pub(super) fn services(reader: &Reader, node: &Node) -> Vec<Located<Service>> {
    let words = reader.each(node, "a service word", |text| words(reader, text));
    let mut ports = HashSet::new();
    words.into_iter().flatten().filter(|service| ports.insert(service.value.port)).collect()
}

fn words(reader: &Reader, text: Located<&str>) -> Option<Vec<Located<Service>>> {
    if let Some(services) = services_of(text.value) {
        return Some(services.into_iter().map(|s| Located::new(s, text.span)).collect());
    }
    let word = text.value.split(':').next().unwrap_or_default();
    let known = WORDS.iter().any(|(w, _)| *w == word) || word == BARE_TLS;
    let (label, help) = match known {
        true => ("expected a port from 1 to 65535 after the word", Some(format!("such as \"{word}:8443\""))),
        false => {
            let near = reader.hint(word, WORDS.iter().map(|(w, _)| *w).chain([BARE_TLS]));
            ("expected a service word", near.or_else(|| Some("for TLS at any port: \"tls:8444\"".into())))
        }
    };
    reader.note(PlanError::at(text.span, format!("no such service `{}`", text.value), label).maybe_help(help))
}

/// A product that is known.
pub(super) fn product(reader: &Reader, node: &Node) -> Option<Located<String>> {
    let text = reader.string(node, "a product word")?;
    if keys::PRODUCTS.contains(&text.value) {
        return Some(Located::new(text.value.to_string(), text.span));
    }
    let hint = reader.hint(text.value, keys::PRODUCTS.iter().copied());
    let help = hint.unwrap_or_else(|| format!("known products: {}", keys::PRODUCTS.join(", ")));
    let error = PlanError::at(text.span, format!("no such product `{}`", text.value), "expected a product word");
    reader.note(error.help(help))
}
