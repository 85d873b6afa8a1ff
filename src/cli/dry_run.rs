//! `--dry-run`: what would be looked at, and detours that lead nowhere.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::proxies::Way;
use super::{Trouble, output};
use crate::model::dns::Transport;
use crate::model::http::Page;
use crate::model::name::Name;
use crate::model::observation::{Detour, DialMap};
use crate::model::plan::Plan;
use crate::model::probes::{DnsAsk, Manners, Probes};
use crate::model::text::shown;

/// Every query and connection that the run would make.
pub fn print(plan: &Plan, probes: &Probes, dial: &DialMap, ways: &[Way]) -> Result<(), Trouble> {
    let mut text = String::new();
    let mut line = |l: String| {
        text.push_str(&shown(&l));
        text.push('\n');
    };
    line(format!("would look, and does not: {}", plan.source.file));
    let led = |via: Option<&Arc<str>>| {
        let way = ways.iter().find(|w| via == Some(&plan.view(w.view).label));
        way.map(|w| format!(" through {}", w.proxy)).unwrap_or_default()
    };
    probes.files.iter().for_each(|f| line(format!("file  {f}")));
    for ask in &probes.dns {
        let p = &ask.probe;
        let to = detour(dial, p.resolver.addr, None);
        let is_led = p.resolver.transport != Transport::Udp && probes.led.contains(&p.view);
        let through = led(is_led.then_some(&p.view));
        line(format!("dns   {} {} {} @{}{to}{through}", p.view, p.name, p.kind, p.resolver));
    }
    if !probes.dns.is_empty() {
        line("dns   each A or AAAA that fails (SERVFAIL): once more, without validation".into());
    }
    for f in &probes.further {
        let what = |a: &DnsAsk| {
            let without = if a.probe.unchecked { " (without validation)" } else { "" };
            format!("{} {} in {}{without}", a.probe.name, a.probe.kind, a.probe.view)
        };
        let then: BTreeSet<String> = f.asks.iter().map(what).collect();
        let then = then.into_iter().collect::<Vec<_>>().join(", ");
        line(format!("dns   if {} has {} {}: {then}", f.view, f.name, f.kind));
    }
    for d in &probes.delegations {
        let (view, zone) = (&d.view, &d.zone);
        let through = match d.transport {
            Transport::Udp => String::new(),
            _ => format!(", by TCP{}", led(Some(&d.view))),
        };
        line(format!(
            "dns   servers of the zone above {zone}, as {view} finds them: NS of {zone}, without recursion{through}"
        ));
        line(format!(
            "dns   servers of {zone} that are named there, at their addresses: NS, and A, AAAA of themselves{through}"
        ));
    }
    let through = |m: &Manners| led(m.via.as_ref());
    for f in &probes.follow {
        let tls = f.tls.as_ref().map(|(_, m)| format!(", and TLS there{}", through(m))).unwrap_or_default();
        line(format!("dns   each host that {} of {} names in {}: A, AAAA{tls}", f.kind, f.name, f.view));
    }
    for ask in &probes.tls {
        let p = &ask.probe;
        let sni = p.sni.as_ref().map_or("no SNI".to_string(), |n| format!("SNI {n}"));
        let sni = p.face.map_or(sni.clone(), |face| format!("{sni} ({face} alone)"));
        let times = if ask.samples > 1 { format!(" x {}", ask.samples) } else { String::new() };
        let to = detour(dial, p.address, p.sni.as_ref());
        let through = through(&ask.manners);
        line(format!("tls   {} {} {sni}{times}{to}{through}", p.address, p.way.word()).replace("  SNI", " SNI"));
    }
    for door in &probes.faces {
        let (at, way) = (door.address, door.way.word());
        let what = format!("tls   {at} {way}").trim_end().to_string();
        line(format!("{what}: where a certificate comes, once more for one with the other kind of key"));
    }
    for t in &probes.templates {
        let way = t.way.word();
        let what = format!("tls   each address that {} gives for {}, port {} {way}", t.view, t.name, t.port);
        line(format!("{}{}", what.trim_end(), through(&t.manners)));
    }
    for ask in &probes.http {
        let (address, name) = (ask.probe.address, ask.probe.name.probe());
        let through = led(ask.via.as_ref());
        line(format!("http  {address} GET / of {name}{}{through}", detour(dial, address, Some(&name))));
    }
    for p in &probes.policies {
        let path = Page::MtaSts.path();
        line(format!("http  if {} has {} TXT: each address of {}, GET {path}", p.view, p.owner, p.host));
    }
    probes.skipped.iter().for_each(|s| line(format!("not   {s}")));
    output::print(&text)
}

/// Detours that no query and no connection to a declared address takes. Addresses that DNS will give may take any, if a
/// template has their port.
pub fn idle_detours<'a>(dial: &'a DialMap, probes: &'a Probes) -> impl Iterator<Item = &'a Detour> {
    let fits = |d: &Detour| {
        let one = DialMap(vec![d.clone()]);
        let moves = |to: SocketAddr, name: Option<&Name>| one.resolve(to, name) != to;
        probes.dns.iter().any(|a| moves(a.probe.resolver.addr, None))
            || probes.tls.iter().any(|a| moves(a.probe.address, a.probe.sni.as_ref()))
            || probes.http.iter().any(|a| moves(a.probe.address, Some(&a.probe.name.probe())))
            // Whose addresses are known only then.
            || (!probes.delegations.is_empty()
                && d.port.is_none_or(|p| p == 53)
                && d.host.as_deref().is_none_or(|h| h.parse::<IpAddr>().is_ok()))
            || probes.templates.iter().any(|t| {
                let port = d.port.is_none_or(|p| p == t.port);
                port && d.host.as_deref().is_none_or(|h| h.parse::<IpAddr>().is_ok() || t.name.as_str() == h)
            })
    };
    dial.0.iter().filter(move |d| !fits(d))
}

fn detour(dial: &DialMap, logical: SocketAddr, name: Option<&Name>) -> String {
    match dial.resolve(logical, name) {
        to if to == logical => String::new(),
        to => format!(" -> {to}"),
    }
}
