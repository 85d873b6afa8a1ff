//! The embedded world, from plan files: clean as the plan wants it in every moment, and breakable.
// Helpers are not marked as tests, so that clippy's exception for tests does not reach them.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "a test may open the files that it reads")]

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use coexist::lab::{Lab, World, faults};
use coexist::model::dns::Transport;
use coexist::model::name::Name;
use coexist::model::phase::{Moment, Phase};
use coexist::model::plan::{NameId, Plan, Target, ViewId, Wanted};
use coexist::model::service::Way;
use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{self, RData};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(20);

fn load(file: &str, text: &str) -> Plan {
    let plan = coexist::plan::load(file, text.as_bytes(), &|_| Ok(()));
    plan.map_err(|errors| coexist::plan::render_errors(&errors, false)).unwrap()
}

/// Everything that a plan can say of names, servers and pools that the worked plans do not show.
const ODDITIES: &str = r#"
title = "what the worked plans do not show"
phase = "coexistence"
[views.internal]
resolvers = ["10.0.0.53", "tcp://10.0.0.54", "tls://10.0.0.55"]
trust = ["corp-root.pem"]
[views.external]
resolvers = ["https://1.1.1.1/dns-query", "8.8.8.8:5353"]
[certificates.web]
file = "web.pem"
[certificates.app]
file = "app.pem"
[certificates.farm]
thumbprint = "B26C3C9B30A2A7371767275043816466CB921738"
[certificates.seen]
from = "seen"
[servers.old]
address = { internal = "10.0.0.1", external = "203.0.113.1" }
certificate = "web"
[servers.new]
address = { internal = ["10.0.0.2", "fd00::2"], external = "203.0.113.1" }
services = ["https", "smtps", "tls:8444"]
certificate = { before = "web", coexistence = "app" }
[servers.a]
address = "10.1.0.1"
certificate = "farm"
[servers.b]
address = "10.1.0.2"
certificate = "farm"
[servers.seen]
address = "10.2.0.1"
certificate = "seen"
[servers.cloud]
host = "autodiscover.outlook.com"
certificate = "web"
[pools.offload]
address = { internal = "10.0.0.30", external = "203.0.113.30" }
members = ["a", "b"]
tls = "offload"
certificate = "app"
[pools.robin]
members = { before = ["a"], coexistence = ["a", "b"] }
[intranet]
"seen.example.com" = "seen"
"robin.example.com" = "robin"
[internet]
"www.example.com" = { before = "old", coexistence = "new" }
"*.apps.example.com" = "offload"
"moved.example.com" = { before = "absent", coexistence = { internal = "offload", external = "new" } }
"both.example.com" = { before = "old", coexistence = ["new", "offload"] }
"alias.example.com" = { server = "old", cname = "front.example.com" }
"autodiscover.example.com" = { coexistence = "cloud" }
"#;

fn plans() -> Vec<(String, Plan)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut plans = vec![("oddities.toml".to_string(), load("oddities.toml", ODDITIES))];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            plans.push((name.clone(), load(&name, &std::fs::read_to_string(&path).unwrap())));
        }
    }
    assert!(plans.len() > 2);
    plans
}

async fn addresses(lab: &Lab, resolver: SocketAddr, name: &Name) -> BTreeSet<IpAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(lab.dial_map().resolve(resolver, None)).await.unwrap();
    let mut out = BTreeSet::new();
    for kind in [rr::RecordType::A, rr::RecordType::AAAA] {
        let mut message = Message::query();
        message.add_query(Query::query(rr::Name::from_ascii(format!("{name}.")).unwrap(), kind));
        socket.send(&message.to_vec().unwrap()).await.unwrap();
        let mut buffer = [0; 4096];
        let n = timeout(PATIENCE, socket.recv(&mut buffer)).await.unwrap().unwrap();
        let answer = Message::from_vec(&buffer[..n]).unwrap();
        out.extend(answer.answers.iter().filter_map(|r| match &r.data {
            RData::A(a) => Some(IpAddr::V4(a.0)),
            RData::AAAA(a) => Some(IpAddr::V6(a.0)),
            _ => None,
        }));
    }
    out
}

async fn connect(lab: &Lab, address: SocketAddr, name: &Name) -> std::io::Result<()> {
    let mut roots = RootCertStore::empty();
    lab.anchors().iter().for_each(|a| roots.add(CertificateDer::from(a.to_vec())).unwrap());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
    let stream = TcpStream::connect(lab.dial_map().resolve(address, None)).await?;
    let name = ServerName::try_from(name.to_string()).unwrap();
    timeout(PATIENCE, TlsConnector::from(config).connect(name, stream)).await??;
    Ok(())
}

fn phases(moment: Moment) -> impl Iterator<Item = Phase> {
    let (p, q) = moment.phases();
    [Some(p), q].into_iter().flatten()
}

/// The addresses that a name may have in a view in a moment, each phase on its own; `None` if anything goes.
fn wanted(plan: &Plan, name: NameId, view: ViewId, phase: Phase) -> Option<BTreeSet<IpAddr>> {
    match plan.name(name).wanted(view, phase) {
        Wanted::Unconstrained => None,
        Wanted::Absent | Wanted::Forbidden => Some(BTreeSet::new()),
        Wanted::Targets(targets) => Some(targets.iter().flat_map(|t| plan.target_addresses(*t, view, phase)).collect()),
    }
}

async fn dns_is_as_planned(file: &str, plan: &Plan, moment: Moment, lab: &Lab) {
    for view in plan.view_ids() {
        let asked = plan.view(view).resolvers.iter().find(|r| r.value.transport == Transport::Udp);
        let Some(resolver) = asked.map(|r| r.value.addr) else { continue };
        for name in (0..plan.names.len()).map(NameId) {
            let planned = plan.name(name);
            let seen = addresses(lab, resolver, &planned.name.probe()).await;
            let foreign = |p| match planned.wanted(view, p) {
                Wanted::Targets(t) => {
                    t.iter().any(|t| matches!(t, Target::Server(s) if plan.server(*s).host.is_some()))
                }
                _ => false,
            };
            let mut right = phases(moment).map(|p| wanted(plan, name, view, p).is_none_or(|w| w == seen || foreign(p)));
            assert!(right.any(|r| r), "{file} at {moment}: {} has {seen:?}", planned.name);
        }
    }
}

/// Where a name must be served in a moment: the addresses of its targets, and of the members where TLS ends there.
fn served(plan: &Plan, name: NameId, moment: Moment) -> BTreeSet<SocketAddr> {
    let mut out = BTreeSet::new();
    for phase in phases(moment) {
        for view in plan.view_ids() {
            let Wanted::Targets(targets) = plan.name(name).wanted(view, phase) else { continue };
            for target in targets.iter() {
                let (servers, own) = match target {
                    Target::Server(id) => (vec![*id], None),
                    Target::Pool(id) => (plan.pool(*id).servers(phase).to_vec(), plan.pool(*id).services.as_ref()),
                };
                let services = own.cloned().unwrap_or_else(|| plan.server(servers[0]).services.clone());
                let narrowed = plan.name(name).services.as_ref();
                let ports = services.iter().map(|s| &s.value).filter(|s| narrowed.is_none_or(|n| n.contains(s)));
                for port in ports.filter(|s| s.way == Way::Implicit).map(|s| s.port) {
                    let addresses = plan.target_addresses(*target, view, phase);
                    out.extend(addresses.into_iter().map(|a| SocketAddr::new(a, port)));
                }
            }
        }
    }
    out
}

#[tokio::test]
async fn every_plan_s_world_is_clean_in_every_moment() {
    for (file, plan) in plans() {
        for moment in Moment::ALL {
            let lab = Lab::start(&World::of(&plan, moment)).await.unwrap();
            dns_is_as_planned(&file, &plan, moment, &lab).await;
            for name in (0..plan.names.len()).map(NameId) {
                for address in served(&plan, name, moment) {
                    let met = connect(&lab, address, &plan.name(name).name.probe()).await;
                    let shown = &plan.name(name).name;
                    assert!(met.is_ok(), "{file} at {moment}: {shown} at {address}: {met:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_fault_of_every_plan_still_starts() {
    for (file, plan) in plans() {
        for fault in World::standing(&plan).breakable() {
            let mut world = World::standing(&plan);
            world.break_with(&fault).unwrap();
            let lab = Lab::start(&world).await;
            assert!(lab.is_ok(), "{file} with {fault}: {:?}", lab.err());
            // What runs in it lets go of its sockets when it is next looked at.
            drop(lab);
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn the_articles_plans_can_show_the_faults_that_their_readers_met() {
    let can = |file: &str| {
        let (_, plan) = plans().into_iter().find(|(f, _)| f == file).unwrap();
        World::standing(&plan).breakable()
    };
    let first = can("exchange-2003-to-2010.toml");
    for fault in [
        "legacy-inside-only:legacy.mail.domain.com",
        "wildcard-certificate:san",
        "old-certificate:ex2003-fe",
        "default-certificate:ex2003-fe",
        "name-missing:autodiscover.domain.com",
        "unresolved:internal/legacy.mail.domain.com",
    ] {
        assert!(first.iter().any(|f| f == fault), "{fault} in {first:?}");
    }
    let second = can("exchange-2019-load-balanced.toml");
    for fault in ["default-certificate:ex19-02", "service-left-behind:ex19-02/IMAP", "port-closed:ex19-01/993"] {
        assert!(second.iter().any(|f| f == fault), "{fault} in {second:?}");
    }
}

#[test]
fn faults_have_names_and_words_that_a_list_can_show() {
    let mut names: Vec<&str> = faults().iter().map(|f| f.name).collect();
    for fault in faults() {
        let kebab = fault.name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(kebab && !fault.summary.ends_with('.') && fault.summary.len() < 100, "{}", fault.name);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), faults().len());
}

#[tokio::test]
async fn a_plan_that_pins_a_certificate_can_adopt_the_lab_s() {
    let mut plan = load("oddities.toml", ODDITIES);
    let before = plan.certificates[2].thumbprint;
    let lab = Lab::start(&World::standing(&plan)).await.unwrap();
    lab.adopt_thumbprints(&mut plan);
    assert!(before.is_some() && plan.certificates[2].thumbprint != before);
    let files: Vec<String> = lab.files().into_keys().collect();
    assert_eq!(files, ["app.pem", "corp-root.pem", "web.pem"]);
}
