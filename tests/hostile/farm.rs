//! Many endpoints in one run: healthy ones, and hostile ones with what is to be said of them.

use std::net::{Ipv4Addr, SocketAddr};

use coexist::model::finding::ClaimKind;
use coexist::model::service::services_of;
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::datagrams::{self, record, reply};
use crate::servers::{leave, tcp};
use crate::verdicts::{Ended, run, timeout};

/// In the place of a rule: some finding, and no pass.
pub const NO_PASS: &str = "no pass";
/// In the place of a rule: whoever asks looks for himself.
pub const ANYTHING: &str = "anything";

/// A hostile endpoint.
pub struct End {
    /// What it does, for a label.
    pub label: String,
    /// The plan's service word.
    pub service: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// What its outcomes begin with; empty where there are several.
    pub outcome: &'static str,
    /// The rule that speaks of it; empty if it is healthy after all.
    pub rule: &'static str,
}

impl End {
    /// One for https.
    pub fn new(label: &str, address: SocketAddr, outcome: &'static str, rule: &'static str) -> Self {
        Self { label: label.into(), service: "https", address, outcome, rule }
    }

    /// The same for another service.
    pub fn at(self, service: &'static str) -> Self {
        Self { label: format!("{}-{service}", self.label), service, ..self }
    }

    fn name(&self) -> String {
        format!("{}.domain.com", self.label)
    }
}

/// The logical address of an endpoint.
fn logical(index: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 1, 0, 1).to_bits() + index as u32)
}

/// Puts endpoints into a plan beside healthy ones, looks, and holds what is said against what is to be said.
pub async fn judge(authority: &Authority, mut ends: Vec<End>) -> Ended {
    let healthy = authority.issue(vec![]).server(&rustls::version::TLS13);
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(healthy));
    let address = tcp(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                leave(&mut tls).await;
            }
        }
    })
    .await;
    ends.push(End::new("healthy-one", address, "a certificate", ""));
    ends.push(End::new("healthy-two", address, "a certificate", ""));
    let (plan, detours) = world(&ends).await;
    let ended = run(&plan, authority.der(), &detours).await;
    let wrong: Vec<String> = ends.iter().filter_map(|end| end.is_as_expected(&ended).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    ended
}

impl End {
    fn is_as_expected(&self, ended: &Ended) -> Result<(), String> {
        let name = self.name();
        let (judged, outcomes) = (ended.about(&name), ended.connections(&name));
        if outcomes.is_empty() || !outcomes.iter().all(|o| o.starts_with(self.outcome)) {
            return Err(format!("{name}: {outcomes:?}"));
        }
        let (dns, rest): (Vec<_>, Vec<_>) = judged.into_iter().partition(|o| o.kind == ClaimKind::Dns);
        ended.is_healthy(&dns)?;
        match self.rule {
            ANYTHING => Ok(()),
            "" => ended.is_healthy(&rest),
            rule => match ended.rules_against(&rest)? {
                rules if rule == NO_PASS || rules.contains(rule) => Ok(()),
                rules => Err(format!("{name}: {rules:?} of {outcomes:?}")),
            },
        }
    }
}

/// The plan, and where each endpoint and the resolver are played.
async fn world(ends: &[End]) -> (String, Vec<String>) {
    let mut plan = String::from(
        "title = \"a hostile world\"\n[views.internal]\nresolvers = [\"10.0.0.53\"]\ntrust = [\"root.pem\"]\n\
         [certificates.any]\nnames = [\"*.domain.com\"]\n",
    );
    let resolver = resolver(ends.iter().map(End::name).collect()).await;
    let mut detours = vec![format!("10.0.0.53:53:127.0.0.1:{}", resolver.port())];
    for (i, end) in ends.iter().enumerate() {
        let (label, service, address) = (&end.label, end.service, logical(i));
        plan.push_str(&format!("[servers.{label}]\naddress = \"{address}\"\nservices = [\"{service}\"]\n"));
        plan.push_str(timeout(end.outcome));
        let port = services_of(service).unwrap()[0].port;
        detours.push(format!("{address}:{port}:127.0.0.1:{}", end.address.port()));
    }
    plan.push_str("[internet]\n");
    ends.iter().for_each(|end| plan.push_str(&format!("\"{}\" = \"{}\"\n", end.name(), end.label)));
    (plan, detours)
}

/// A resolver that tells the truth.
async fn resolver(names: Vec<String>) -> SocketAddr {
    datagrams::resolver(move |query| {
        let place = names.iter().position(|n| *n == query.name());
        let address = place.filter(|_| query.is_for_a()).map(logical);
        vec![reply(query, &address.map(record).into_iter().collect::<Vec<_>>())]
    })
    .await
}
