//! Mail services that are wrong beside others that are right.

use super::*;
use crate::model::name::Name;
use crate::model::observation::{Outcome, Probe, TlsProbe};
use crate::model::plan::ServerId;

const RULE: &str = "mail-tls-endpoint-wrong";

fn probe(word: &str, name: &str) -> Probe {
    let service = services_of(word).unwrap().remove(0);
    let address = std::net::SocketAddr::new("10.0.0.10".parse().unwrap(), service.port);
    Probe::Tls(TlsProbe { address, way: service.way, sni: Some(Name::parse(name).unwrap()), face: None })
}

/// A server with services, each of which serves a chain, or does something else.
fn serving(services: &[(&str, Result<&Chain, TlsOutcome>)]) -> World {
    let mut world = World::empty();
    let server = world.server("ex", "10.0.0.10", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let all = services.iter().flat_map(|(w, _)| services_of(w).unwrap().into_iter().take(1));
    world.plan.servers[0].services = all.map(|s| Located::new(s, Span::default())).collect();
    let certificate = world.planned_certificate("mail", &[MAIL]);
    for (word, what) in services {
        world.serves_at(name, ServerId(0), services_of(word).unwrap().remove(0), &[certificate]);
        let outcome = match what {
            Ok(chain) => world.served(chain, Possession::Proved),
            Err(outcome) => Outcome::Tls(outcome.clone()),
        };
        world.see("in", probe(word, MAIL), outcome);
    }
    world
}

fn causes(services: &[(&str, Result<&Chain, TlsOutcome>)]) -> Vec<String> {
    serving(services).rules().into_iter().filter(|r| !r.contains('<')).collect()
}

#[test]
fn a_service_that_was_not_assigned_is_the_cause_of_all_else() {
    let (good, own) = (ROOT.issue(&[MAIL]), self_signed("EX", &["EX"]));
    assert_eq!(causes(&[("https", Ok(&good)), ("imaps", Ok(&own))]), [RULE]);
    assert_eq!(causes(&[("https", Ok(&own)), ("imaps", Ok(&own))]), ["default-certificate-served"]);
    assert_eq!(causes(&[("https", Ok(&own)), ("imaps", Ok(&good))]), ["default-certificate-served"]);
    let other = ROOT.issue(&["www.domain.com"]);
    assert_eq!(causes(&[("https", Ok(&good)), ("smtp", Ok(&other))]), [RULE]);
    let judgement = serving(&[("https", Ok(&good)), ("imaps", Ok(&own))]).judge();
    assert_eq!(judgement.findings[0].title, "ex serves another certificate at imaps than at its other services");
}

#[test]
fn a_daemon_that_was_not_reloaded_is_told_without_a_web_service() {
    let (good, old) = (ROOT.issue(&[MAIL]), ROOT.issue_until(&[MAIL], 2025));
    assert_eq!(causes(&[("smtp", Ok(&good)), ("imaps", Ok(&old))]), [RULE]);
    assert_eq!(causes(&[("smtp", Ok(&old)), ("imaps", Ok(&old))]), ["certificate-not-currently-valid"]);
}

#[test]
fn starttls_without_a_certificate_is_told_from_a_port_that_nobody_has_open() {
    let good = ROOT.issue(&[MAIL]);
    let beside = |outcome| causes(&[("https", Ok(&good)), ("smtp", Err(outcome))]);
    assert_eq!(beside(TlsOutcome::StarttlsNotOffered), [RULE]);
    assert_eq!(beside(TlsOutcome::StarttlsRefused("454".into())), [RULE]);
    assert_eq!(beside(TlsOutcome::Closed(Stage::Handshake)), [RULE]);
    assert_eq!(beside(TlsOutcome::Refused), ["endpoint-unreachable"]);
    assert_eq!(beside(TlsOutcome::Closed(Stage::Dialogue)), ["endpoint-unreachable"]);
    let https = causes(&[("https", Err(TlsOutcome::Refused)), ("smtp", Err(TlsOutcome::StarttlsNotOffered))]);
    assert_eq!(https, ["endpoint-unreachable"]);
    let unknown = TlsOutcome::Timeout(Stage::Handshake);
    let https = causes(&[("https", Err(unknown)), ("smtp", Err(TlsOutcome::StarttlsNotOffered))]);
    assert_eq!(https, ["endpoint-unreachable", "evidence-missing"], "nobody knows whether the web is right");
}

#[test]
fn a_certificate_that_lacks_the_mail_s_name_is_no_fault_of_the_service() {
    let mut world = serving(&[("https", Ok(&ROOT.issue(&[MAIL])))]);
    let chain = ROOT.issue(&[MAIL]);
    let smtp = "smtp.domain.com";
    let name = world.name(Table::Internet, smtp, Target::Server(ServerId(0)));
    world.serves_at(name, ServerId(0), services_of("smtp").unwrap().remove(0), &[]);
    world.recording.observations.retain(|_| false);
    for (word, name) in [("https", MAIL), ("smtp", smtp)] {
        let outcome = world.served(&chain, Possession::Proved);
        world.see("in", probe(word, name), outcome);
    }
    assert_eq!(world.rules(), ["endpoint-serves-wrong-certificate"]);
}

#[test]
fn another_port_of_imap_may_be_right() {
    let (good, own) = (ROOT.issue(&[MAIL]), self_signed("EX", &["EX"]));
    assert_eq!(causes(&[("https", Ok(&good)), ("imap", Ok(&good)), ("imaps", Ok(&own))]), [RULE]);
}
