//! Two plans as the loader would make them, for this stage's tests.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::dns::ResolverAddr;
use crate::model::name::Name;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{
    Autodiscover, CertId, Certificate, CertificateChoice, CertificatePart, CertificateSource, Cutover, MailDomain,
    MatchMode, Members, PhaseDates, Plan, PlannedName, PlannedRecord, Pool, PoolId, PoolTls, Server, ServerId,
    Settings, Table, Target, TrustSource, View, ViewId, ViewKind, Wanted, Zone,
};
use crate::model::proxy::Proxy;
use crate::model::service::services_of;
use crate::model::source::{Located, Source, Span};

fn here<T>(value: T) -> Located<T> {
    Located::new(value, Span::default())
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|a| a.parse().unwrap()).collect()
}

fn view(label: &str, kind: ViewKind, resolvers: &[&str], trust: TrustSource) -> View {
    View {
        label: label.into(),
        kind,
        resolvers: resolvers.iter().map(|r| here(ResolverAddr::parse(r).unwrap())).collect(),
        trust: vec![here(trust)],
        reaches: None,
        proxy: None,
        without_sni: false,
        settings: Settings::default(),
        span: Span::default(),
    }
}

fn certificate(label: &str, source: CertificateSource) -> Certificate {
    Certificate {
        label: label.into(),
        source,
        thumbprint: None,
        issuer: None,
        max_names: None,
        match_mode: MatchMode::Names,
        key_exportable: None,
        password_env: None,
        span: Span::default(),
    }
}

fn choice(parts: &[(Option<Phase>, usize)]) -> Option<CertificateChoice> {
    let part = |(from, id): &(Option<Phase>, usize)| CertificatePart {
        from: *from,
        word: None,
        certificates: vec![CertId(*id)],
    };
    Some(CertificateChoice { parts: parts.iter().map(part).collect(), span: Span::default() })
}

fn server(label: &str, inside: &str, outside: &str, words: &[&str], certificate: Option<CertificateChoice>) -> Server {
    Server {
        label: label.into(),
        addresses: vec![ips(&[inside]), if outside.is_empty() { Vec::new() } else { ips(&[outside]) }],
        host: None,
        services: words.iter().flat_map(|w| services_of(w).unwrap()).map(here).collect(),
        services_given: true,
        product: None,
        certificate,
        redirects: Vec::new(),
        publishes: None,
        settings: Settings::default(),
        span: Span::default(),
        address_span: Span::default(),
    }
}

/// What is wanted inside and outside, each before, in coexistence and after.
fn planned(text: &str, table: Table, inside: [Wanted; 3], outside: [Wanted; 3]) -> PlannedName {
    let https = table == Table::Legacy || text.starts_with("autodiscover.");
    PlannedName {
        name: name(text),
        table,
        wanted: vec![inside.map(here), outside.map(here)].into(),
        services: https.then(|| services_of("https").unwrap().into()),
        certificate: None,
        ttl: None,
        ttl_before: None,
        cname: None,
        answers_any: false,
        span: Span::default(),
    }
}

fn plan(views: Vec<View>) -> Plan {
    Plan {
        source: Source::default(),
        title: String::new(),
        standing: vec![Moment::Steady(Phase::Coexistence); views.len()],
        views,
        certificates: Vec::new(),
        servers: Vec::new(),
        pools: Vec::new(),
        names: Vec::new(),
        waivers: Vec::new(),
        phases: Default::default(),
        zones: Vec::new(),
        mail: Vec::new(),
        records: Vec::new(),
        cutover: Cutover {
            low_ttl: 60,
            propagation: vec![900, 300],
            slack: 0,
            rollback_budget: 1800,
            flipped: vec![None, None],
            ..Cutover::default()
        },
        severity: Default::default(),
        inventory: Default::default(),
        settings: Settings::default(),
    }
}

fn lead(target: Target) -> Wanted {
    Wanted::Targets(vec![target].into())
}

/// Exchange 2003 to 2010: the names of the first article's reader. Server 0 is new, server 1 old.
pub(super) fn exchange_2003() -> Plan {
    let (new, old) = (Target::Server(ServerId(0)), Target::Server(ServerId(1)));
    let inside = TrustSource::File("corp-root.pem".into());
    let mut plan = plan(vec![
        view("internal", ViewKind::Internal, &["10.0.0.53", "10.0.0.54"], inside),
        view(
            "external",
            ViewKind::External,
            &["9.9.9.9", "tls://9.9.9.9", "https://1.1.1.1/dns-query"],
            TrustSource::Public,
        ),
    ]);
    plan.certificates = vec![
        certificate("old", CertificateSource::File(here("mail-2003.cer".into()))),
        certificate("san", CertificateSource::File(here("san-2010.pem".into()))),
    ];
    plan.servers = vec![
        server("ex2010", "10.0.0.10", "203.0.113.10", &["IIS", "SMTP", "IMAP"], choice(&[(None, 1)])),
        server(
            "ex2003-fe",
            "10.0.0.3",
            "203.0.113.3",
            &["https"],
            choice(&[(Some(Phase::Before), 0), (Some(Phase::Coexistence), 1)]),
        ),
    ];
    plan.servers[0].redirects = vec![here(name("legacy.mail.domain.com"))];
    let until = Timestamp::from_second(4_102_444_800).ok(); // 2100-01-01
    plan.phases.insert(Phase::Coexistence, PhaseDates { until, ..PhaseDates::default() });
    let always = |w: Wanted| [w.clone(), w.clone(), w];
    let moved = || [lead(old), lead(new), lead(new)];
    let created = || [Wanted::Unconstrained, lead(new), lead(new)];
    let legacy = || [Wanted::Unconstrained, lead(old), Wanted::Absent];
    let forbidden = || always(Wanted::Forbidden);
    plan.zones = vec![Zone {
        apex: name("domain.com"),
        views: vec![ViewId(0), ViewId(1)],
        servers: Vec::new(),
        product: None,
        span: Span::default(),
    }];
    plan.names = vec![
        planned("serverexchange2010.domain.com", Table::Intranet, always(lead(new)), forbidden()),
        planned("mail.domain.com", Table::Internet, moved(), moved()),
        planned("autodiscover.domain.com", Table::Internet, created(), created()),
        planned("legacy.mail.domain.com", Table::Legacy, legacy(), legacy()),
        planned("legacy.serverexchange2003.domain.com", Table::Legacy, legacy(), forbidden()),
    ];
    plan
}

/// Exchange 2019 behind a balancer: the second article. The pool passes TLS through to servers 0 and 1.
pub(super) fn exchange_2019() -> Plan {
    let pool = || lead(Target::Pool(PoolId(0)));
    let mut plan = plan(vec![
        view("internal", ViewKind::Internal, &["10.0.0.53"], TrustSource::System),
        view("external", ViewKind::External, &["8.8.8.8"], TrustSource::Public),
    ]);
    let names = ["mail.exchangeservergeek.com", "autodiscover.exchangeservergeek.com"];
    plan.certificates =
        vec![certificate("mail", CertificateSource::Names(names.iter().map(|n| here(name(n))).collect()))];
    let words = ["IIS", "SMTP", "IMAP", "POP"];
    plan.servers = vec![
        server("ex19-01", "10.0.0.11", "", &words, choice(&[(None, 0)])),
        server("ex19-02", "10.0.0.12", "", &words, choice(&[(None, 0)])),
    ];
    let members = Members::Servers(vec![ServerId(0), ServerId(1)]);
    plan.pools = vec![Pool {
        label: "owa".into(),
        addresses: vec![ips(&["10.0.0.30"]), ips(&["203.0.113.30"])],
        members: [members.clone(), members.clone(), members],
        tls: PoolTls::Passthrough,
        verify: false,
        services: None,
        certificate: None,
        publishes: None,
        settings: Settings::default(),
        span: Span::default(),
    }];
    let always = || [pool(), pool(), pool()];
    plan.names = names.iter().map(|n| planned(n, Table::Internet, always(), always())).collect();
    // A pinpoint zone: it holds this name and nothing else.
    plan.zones = vec![Zone {
        apex: name(names[0]),
        views: vec![ViewId(0)],
        servers: Vec::new(),
        product: None,
        span: Span::default(),
    }];
    plan
}

/// A mail host that moves: records of mail, zones and who may issue. Server 0 is old, server 1 new.
pub(super) fn mail_host() -> Plan {
    let (old, new) = (Target::Server(ServerId(0)), Target::Server(ServerId(1)));
    let mut plan = plan(vec![
        view("internal", ViewKind::Internal, &["10.0.0.53"], TrustSource::Public),
        view("external", ViewKind::External, &["9.9.9.9"], TrustSource::Public),
    ]);
    let names = CertificateSource::Names(vec![here(name("mail.example.org"))]);
    plan.certificates =
        vec![Certificate { issuer: Some(here("letsencrypt.org".into())), ..certificate("mail", names) }];
    plan.servers = vec![
        server("old", "10.0.0.7", "198.51.100.7", &["smtp"], choice(&[(None, 0)])),
        server("new", "10.0.0.9", "198.51.100.9", &["smtp"], choice(&[(None, 0)])),
    ];
    let moved = || [lead(old), lead(new), lead(new)];
    plan.names = vec![planned("mail.example.org", Table::Internet, moved(), moved())];
    let mx = |host: &str| Some(vec![here(name(host))]);
    plan.mail = vec![MailDomain {
        domain: name("example.org"),
        mx: [mx("mx.hoster.example"), mx("mail.example.org"), mx("mail.example.org")],
        autodiscover: Autodiscover::Srv,
        mta_sts: None,
        helo: None,
        span: Span::default(),
    }];
    plan.records = vec![PlannedRecord {
        owner: name("example.org"),
        kind: "TXT".into(),
        values: vec![Some(vec!["v=spf1 mx -all".into()]); 2],
        span: Span::default(),
    }];
    plan.records.push(PlannedRecord {
        owner: Name::parse_owner("_mta-sts.example.org").unwrap(),
        values: vec![Some(vec!["v=STSv1; id=1".into()]); 2],
        ..plan.records[0].clone()
    });
    let resolver = |text: &str| here(ResolverAddr::parse(text).unwrap());
    plan.zones = vec![Zone {
        apex: name("example.org"),
        views: vec![ViewId(1)],
        servers: vec![resolver("198.51.100.53"), resolver("203.0.113.53")],
        product: None,
        span: Span::default(),
    }];
    plan
}

/// The first plan, whose outer view is reached through a proxy.
pub(super) fn led() -> Plan {
    let mut plan = exchange_2003();
    plan.views[1].proxy = Some(here(Proxy::parse("http://bastion.domain.com:3128").unwrap()));
    plan
}
