//! Every act once, as a cutover from Exchange 2003 to 2010 would have it.

use std::net::SocketAddr;

use crate::commands::*;
use crate::model::name::Name;
use crate::model::service::{Protocol, Way};

/// A thumbprint.
pub const THUMBPRINT: &str = "E8D129180C1334D50DBE17A26795BEE0A0AEA9B3";

fn name(text: &str) -> Name {
    Name::parse_owner(text).unwrap()
}

fn member(label: &str, at: &str) -> Member {
    Member { label: label.into(), at: at.parse().unwrap() }
}

fn records(all: &[(&str, &str)]) -> Vec<Rdata> {
    all.iter().map(|(kind, text)| Rdata::parse(kind, text).unwrap()).collect()
}

/// Acts on a server of this label.
pub fn on_server(server: &str) -> Vec<Act> {
    let thumbprint = || THUMBPRINT.to_string();
    let names = || vec![name("mail.domain.com"), name("autodiscover.domain.com"), name("*.apps.domain.com")];
    let services = || ["IIS", "SMTP", "imaps", "POP"].map(String::from).to_vec();
    let donor = |server: &str, product| Some(Donor { server: server.into(), product });
    let certificate = [
        CertificateAct::Order { names: names(), issuer: Some("Example CA".into()) },
        CertificateAct::Complete,
        CertificateAct::Export { thumbprint: thumbprint() },
        CertificateAct::Import { thumbprint: thumbprint(), from: donor("EX01", Product::Exchange2016) },
        CertificateAct::Import { thumbprint: thumbprint(), from: donor("web01", Product::Nginx) },
        CertificateAct::Import { thumbprint: thumbprint(), from: None },
        CertificateAct::Bind { thumbprint: thumbprint(), services: services() },
        CertificateAct::Rekey { thumbprint: thumbprint(), names: names() },
        CertificateAct::DeleteCopies,
        CertificateAct::Retire { thumbprint: thumbprint() },
    ];
    let pool = || Some("owa".to_string());
    let node = || member(server, "10.0.0.10:443");
    let host = |text| Some(name(text));
    let at_server = [
        ServerAct::Restart { services: services() },
        ServerAct::PinConnector {
            connector: format!("Default Frontend {server}"),
            way: MailWay::Receive,
            thumbprint: thumbprint(),
        },
        ServerAct::PinConnector {
            connector: "Outbound to Office 365".into(),
            way: MailWay::Send,
            thumbprint: thumbprint(),
        },
        ServerAct::TakeOut { node: node(), pool: pool() },
        ServerAct::PutBack { node: node(), pool: pool() },
        ServerAct::Publish { name: name("legacy.mail.domain.com"), members: vec![member("fe", "10.0.0.3:443")] },
        ServerAct::Unpublish { name: name("legacy.mail.domain.com") },
        ServerAct::SetUrls {
            internal: host("mail.domain.com"),
            external: host("mail.domain.com"),
            connection_point: host("autodiscover.domain.com"),
        },
        ServerAct::SetRedirect { host: host("legacy.mail.domain.com") },
        ServerAct::SetRedirect { host: None },
        ServerAct::ChangeMembers {
            pool: "owa".into(),
            add: vec![member("ex2", "10.0.0.11:443"), member("ex3", "[2001:db8::11]:443")],
            remove: vec![member("fe", "10.0.0.3:443")],
        },
        ServerAct::Decommission,
    ];
    let certificate = certificate.map(|act| Act::Certificate { server: server.into(), act });
    let at_server = at_server.map(|act| Act::Server { server: server.into(), act });
    let look = Look::Installed { server: server.into(), thumbprint: thumbprint() };
    certificate.into_iter().chain(at_server).chain([Act::Look(look)]).collect()
}

/// Acts in a zone, and looks at it.
pub fn in_zone(server: &str) -> Vec<Act> {
    let zone = |apex| ZonePlace {
        apex: Some(name(apex)),
        server: Some(server.into()),
        view: Some("internal".into()),
        internal: true,
    };
    let mail = || name("mail.domain.com");
    let tlsa = format!("3 1 1 {}", "ab".repeat(32));
    let acts = [
        ZoneAct::Create {
            owner: name("legacy.mail.domain.com"),
            ttl: 300,
            values: records(&[("A", "10.0.0.3"), ("AAAA", "2001:db8::3")]),
        },
        ZoneAct::Create {
            owner: name("_autodiscover._tcp.domain.com"),
            ttl: 3600,
            values: records(&[("SRV", "0 0 443 mail.domain.com.")]),
        },
        ZoneAct::Create {
            owner: name("autodiscover.domain.com"),
            ttl: 300,
            values: records(&[("CNAME", "mail.domain.com.")]),
        },
        ZoneAct::Create {
            owner: name("domain.com"),
            ttl: 90_061,
            values: records(&[("CAA", "0 issue \"ca.example\"")]),
        },
        ZoneAct::Change {
            owner: mail(),
            ttl: 300,
            old: records(&[("A", "10.0.0.3"), ("AAAA", "2001:db8::3")]),
            new: records(&[("A", "10.0.0.10"), ("AAAA", "2001:db8::10")]),
        },
        ZoneAct::Change {
            owner: name("www.domain.com"),
            ttl: 300,
            old: records(&[("CNAME", "old.domain.com.")]),
            new: records(&[("A", "10.0.0.10")]),
        },
        ZoneAct::Change {
            owner: name("domain.com"),
            ttl: 300,
            old: records(&[("TXT", "v=spf1 ip4:203.0.113.3 -all"), ("MX", "10 old.domain.com.")]),
            new: records(&[("TXT", "v=spf1 ip4:203.0.113.10 -all"), ("MX", "10 mail.domain.com.")]),
        },
        ZoneAct::Change {
            owner: name("_mta-sts.domain.com"),
            ttl: 300,
            old: records(&[("TXT", "v=STSv1; id=20260101;")]),
            new: records(&[("TXT", "v=STSv1; id=20261129;")]),
        },
        ZoneAct::Create { owner: name("_25._tcp.mail.domain.com"), ttl: 300, values: records(&[("TLSA", &tlsa)]) },
        ZoneAct::Ttl { owner: mail(), ttl: 300, values: records(&[("A", "10.0.0.3"), ("AAAA", "2001:db8::3")]) },
        ZoneAct::Ttl { owner: name("domain.com"), ttl: 86_400, values: records(&[("MX", "10 mail.domain.com.")]) },
        ZoneAct::Remove {
            owner: name("*.old.domain.com"),
            values: records(&[("A", "10.0.0.3"), ("TXT", "it's \"gone\"")]),
        },
    ];
    let pinpoint =
        [ZoneAct::CreateZone, ZoneAct::Create { owner: mail(), ttl: 300, values: records(&[("A", "10.0.0.10")]) }];
    let all = acts.map(|act| Act::Zone { zone: zone("domain.com"), act });
    let pinpoint = pinpoint.map(|act| Act::Zone { zone: zone("mail.domain.com"), act });
    let look = Look::Record { zone: zone("domain.com"), owner: mail(), kinds: vec!["A", "AAAA"] };
    all.into_iter().chain(pinpoint).chain([Act::Look(look)]).collect()
}

/// Acts that no product differs in.
pub fn anywhere() -> Vec<Act> {
    let at = |text: &str| text.parse::<SocketAddr>().unwrap();
    let look =
        |address, way, asked: Option<&str>| Act::Look(Look::Endpoint { at: at(address), way, name: asked.map(name) });
    vec![
        Act::Repoint { what: "203.0.113.10:443".into(), from: at("10.0.0.3:443").ip(), to: at("10.0.0.10:443").ip() },
        look("10.0.0.3:443", Way::Implicit, Some("legacy.mail.domain.com")),
        look("[2001:db8::3]:443", Way::Implicit, None),
        look("10.0.0.3:25", Way::Starttls(Protocol::Smtp), Some("mail.domain.com")),
        look("10.0.0.3:3389", Way::Starttls(Protocol::Rdp), Some("mail.domain.com")),
    ]
}

/// Every act, with this text in place of every text that a plan or the network could have written.
pub fn filled(text: &str) -> Vec<Act> {
    let mut zones = in_zone(text);
    // Where a server's name is refused, nothing else would be tried.
    for act in in_zone(text) {
        zones.push(match act {
            Act::Zone { zone, act } => Act::Zone { zone: ZonePlace { server: None, ..zone }, act },
            other => other,
        });
    }
    let all = [on_server(text), zones, anywhere()].concat();
    all.into_iter().map(|act| fill(act, text)).collect()
}

fn fill(mut act: Act, text: &str) -> Act {
    let set = |field: &mut String| *field = text.into();
    match &mut act {
        Act::Certificate { act, .. } => match act {
            CertificateAct::Order { issuer, .. } => *issuer = Some(text.into()),
            CertificateAct::Export { thumbprint }
            | CertificateAct::Rekey { thumbprint, .. }
            | CertificateAct::Retire { thumbprint } => set(thumbprint),
            CertificateAct::Import { thumbprint, from } => {
                set(thumbprint);
                from.iter_mut().for_each(|donor| set(&mut donor.server));
            }
            CertificateAct::Bind { thumbprint, services } => {
                set(thumbprint);
                services.iter_mut().for_each(set);
            }
            CertificateAct::Complete | CertificateAct::DeleteCopies => {}
        },
        Act::Server { act, .. } => match act {
            ServerAct::Restart { services } => services.iter_mut().for_each(set),
            ServerAct::PinConnector { connector, thumbprint, .. } => {
                set(connector);
                set(thumbprint);
            }
            ServerAct::TakeOut { node, pool } | ServerAct::PutBack { node, pool } => {
                set(&mut node.label);
                pool.iter_mut().for_each(set);
            }
            ServerAct::Publish { members, .. } => members.iter_mut().for_each(|m| set(&mut m.label)),
            ServerAct::ChangeMembers { pool, add, remove } => {
                set(pool);
                add.iter_mut().chain(remove).for_each(|m| set(&mut m.label));
            }
            ServerAct::Unpublish { .. }
            | ServerAct::SetUrls { .. }
            | ServerAct::SetRedirect { .. }
            | ServerAct::Decommission => {}
        },
        Act::Zone { zone, act } => {
            zone.view = Some(text.into());
            let values: Vec<&mut Rdata> = match act {
                ZoneAct::CreateZone => Vec::new(),
                ZoneAct::Create { values, .. } | ZoneAct::Ttl { values, .. } | ZoneAct::Remove { values, .. } => {
                    values.iter_mut().collect()
                }
                ZoneAct::Change { old, new, .. } => old.iter_mut().chain(new).collect(),
            };
            for value in values {
                match value {
                    Rdata::Txt(says) => set(says),
                    Rdata::Caa { value, .. } => set(value),
                    _ => {}
                }
            }
        }
        Act::Repoint { what, .. } => set(what),
        Act::Look(Look::Installed { thumbprint, .. }) => set(thumbprint),
        Act::Look(_) => {}
    }
    act
}
