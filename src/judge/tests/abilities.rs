//! What certificates are meant for, and what servers make of them.

use std::sync::Arc;

use super::*;
use crate::model::plan::ServerId;

fn word(w: &str) -> crate::model::service::Service {
    services_of(w).unwrap().remove(0)
}

/// A server of a product that is to serve a certificate at a service.
fn meant(product: &str, service: &str, chain: &Chain, scope: Scope) -> World {
    let mut world = World::empty();
    let server = world.server("ex", "10.0.0.10", "");
    world.plan.servers[0].product = Some(Located::new(product.into(), Span::default()));
    world.plan.servers[0].services = vec![Located::new(word(service), Span::default())];
    let name = world.name(Table::Intranet, MAIL, Target::Server(server));
    let certificate = world.certificate("mail", chain);
    world.serves_at(name, ServerId(0), word(service), &[certificate]);
    world.policy.scope = scope;
    world
}

fn rules(product: &str, service: &str, names: &[&str]) -> Vec<&'static str> {
    let judgement = meant(product, service, &ROOT.issue(names), Scope::Files).judge();
    judgement.findings.iter().map(|f| f.rule).filter(|r| *r != "tls-version-below-floor").collect()
}

#[test]
fn a_wildcard_is_no_certificate_for_pop_and_imap_of_an_exchange() {
    const RULE: &str = "wildcard-in-pop-imap";
    assert_eq!(rules("exchange-2019", "IMAP", &["*.domain.com"]), [RULE]);
    assert_eq!(rules("exchange-2010", "pop3s", &["*.domain.com"]), [RULE]);
    assert_eq!(rules("exchange-2019", "IMAP", &["*.domain.com", MAIL]), [""; 0]);
    assert_eq!(rules("exchange-2019", "IIS", &["*.domain.com"]), [""; 0]);
    assert_eq!(rules("exchange-2019", "SMTP", &["*.domain.com"]), [""; 0]);
    assert_eq!(rules("dovecot", "imaps", &["*.domain.com"]), [""; 0]);
    let world = meant("exchange-2019", "IMAP", &ROOT.issue(&["*.domain.com"]), Scope::Files);
    let cure = &world.judge().findings[0].remedy.cure;
    assert_eq!(cure[0], "  Set-ImapSettings -Server ex -X509CertificateName mail.domain.com");
}

#[test]
fn elliptic_curves_are_nothing_for_windows_2003() {
    const RULE: &str = "legacy-os-cannot-use-certificate";
    for (product, want) in
        [("exchange-2003", vec![RULE]), ("windows-2003", vec![RULE]), ("isa", vec![RULE]), ("exchange-2007", vec![])]
    {
        assert_eq!(rules(product, "https", &[MAIL]), want, "{product}");
    }
    let chain = ROOT.issue(&[MAIL]);
    let mut world = meant("exchange-2003", "https", &chain, Scope::All);
    world.serve("in", "10.0.0.10", MAIL, &chain);
    assert_eq!(world.rules(), [""; 0], "it was seen to use it");
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &ROOT.issue(&["www.domain.com"]));
    assert_eq!(world.rules(), [RULE, "endpoint-serves-wrong-certificate<legacy-os-cannot-use-certificate"]);
}

/// A bridge in front of one member; what each serves, if it was seen.
fn bridge(front: Option<&Chain>, member: Option<&Chain>, declared: [&Chain; 2]) -> World {
    let mut world = World::empty();
    let server = world.server("app", "10.0.0.11", "");
    let pool = world.pool("lb", "10.0.0.30", &[server]);
    (world.plan.pools[0].tls, world.plan.pools[0].verify) = (crate::model::plan::PoolTls::Bridge, true);
    let name = world.name(Table::Internet, MAIL, Target::Pool(pool));
    let ids = [world.certificate("edge", declared[0]), world.certificate("inner", declared[1])];
    let path = world.path(name, INTERNAL, Target::Pool(pool), &["10.0.0.30"]);
    if let crate::model::obligation::Claim::Path { certificates, .. } =
        Arc::make_mut(&mut world.obligations[path].claim)
    {
        *certificates = [ids[0]].into();
    }
    world.serves(name, server, &[ids[1]]);
    for (address, chain) in [("10.0.0.30", front), ("10.0.0.11", member)] {
        for sample in 0..4 {
            if let Some(chain) = chain {
                world.serve_sample("in", address, MAIL, chain, sample);
            }
        }
    }
    world.policy.scope = if front.is_none() && member.is_none() { Scope::Files } else { Scope::All };
    world
}

#[test]
fn a_bridge_that_verifies_has_the_very_certificate_of_its_members() {
    const RULE: &str = "extended-protection-mismatch";
    let (one, two) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let rules = |front, member, declared| bridge(front, member, declared).rules();
    assert_eq!(rules(Some(&one), Some(&one), [&one, &one]), [""; 0]);
    assert_eq!(rules(Some(&one), Some(&two), [&one, &one]), [RULE]);
    assert_eq!(rules(Some(&two), Some(&two), [&one, &two]), [""; 0], "what was seen counts");
    assert_eq!(rules(None, None, [&one, &two]), [RULE]);
    assert_eq!(rules(None, None, [&one, &one]), [""; 0]);
    let mut plain = bridge(Some(&one), Some(&two), [&one, &one]);
    plain.plan.pools[0].verify = false;
    assert!(!plain.rules().contains(&RULE.to_string()));
}

#[test]
fn clients_without_a_server_name_meet_the_default() {
    use crate::model::observation::{Outcome, Probe};
    const RULE: &str = "wrong-default-without-sni";
    let world = |without: bool, outcome: Option<Result<Chain, TlsOutcome>>| {
        let mut world = simple();
        world.plan.views[0].without_sni = without;
        if let (Probe::Tls(mut probe), Some(outcome)) = (tls_probe("10.0.0.10", MAIL), outcome) {
            probe.sni = None;
            let outcome = match outcome {
                Ok(chain) => world.served(&chain, Possession::Proved),
                Err(outcome) => Outcome::Tls(outcome),
            };
            world.see("in", Probe::Tls(probe), outcome);
        }
        world.judge()
    };
    let rules = |without, outcome| world(without, outcome).findings.iter().map(|f| f.rule).collect::<Vec<_>>();
    let (own, good) = (self_signed("EX", &["EX"]), ROOT.issue(&[MAIL]));
    assert_eq!(rules(true, Some(Ok(good))), [""; 0]);
    assert_eq!(rules(true, Some(Ok(own.clone()))), [RULE]);
    assert_eq!(rules(true, Some(Err(TlsOutcome::Alert("unrecognized_name".into())))), [RULE]);
    assert_eq!(rules(true, Some(Err(TlsOutcome::Closed(Stage::Handshake)))), [RULE]);
    assert_eq!(rules(false, Some(Ok(own))), [""; 0]);
    let unseen = world(true, None);
    assert_eq!((unseen.findings[0].rule, unseen.outcome), (RULE, RunOutcome::Incomplete));
}
