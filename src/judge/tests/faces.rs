//! Servers for which the plan lists a certificate of each kind of key.

use super::*;
use crate::model::observation::{Outcome, Probe, TlsProbe};
use crate::model::tls::Face;

const WRONG: &str = "endpoint-serves-wrong-certificate";
const OPEN: &str = "evidence-missing";

/// An RSA certificate, which is wrong for much, and known all the same.
fn rsa() -> Chain {
    const LEAF: &str = include_str!("fixtures/leaf-below-weak.pem");
    let base64: String = LEAF.lines().filter(|l| !l.starts_with("-----")).collect();
    vec![data_encoding::BASE64.decode(base64.as_bytes()).unwrap().into()]
}

fn face_probe(face: Face) -> Probe {
    match tls_probe("10.0.0.10", MAIL) {
        Probe::Tls(probe) => Probe::Tls(TlsProbe { face: Some(face), ..probe }),
        other => other,
    }
}

/// A server that shows an ECDSA certificate to most clients; the plan lists these.
fn listed(chains: &[Chain]) -> World {
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let all: Vec<_> = chains.iter().enumerate().map(|(i, chain)| world.certificate(&format!("c{i}"), chain)).collect();
    world.serves(name, server, &all);
    world.serve("in", "10.0.0.10", MAIL, &chains[0]);
    world
}

fn ecdsa() -> Chain {
    ROOT.issue(&[MAIL])
}

fn of(world: &World, rule: &str) -> Vec<String> {
    world.judge().findings.iter().filter(|f| f.rule == rule).map(|f| f.title.clone()).collect()
}

#[test]
fn both_kinds_are_due_where_both_are_listed() {
    let own = ecdsa();
    let mut world = listed(&[own.clone(), rsa()]);
    assert_eq!(of(&world, OPEN).len(), 1, "nobody asked for one kind alone");
    world.see("in", face_probe(Face::Rsa), Outcome::Tls(TlsOutcome::Alert("handshake_failure".into())));
    let seen = world.served(&own, Possession::Proved);
    world.see("in", face_probe(Face::Ecdsa), seen);
    assert_eq!(of(&world, OPEN), [""; 0]);
    assert_eq!(of(&world, WRONG), ["ex2010 does not serve its RSA certificate for mail.domain.com"]);
    let cells: Vec<_> = world.judge().obligations.iter().map(|o| o.cell.to_string()).collect();
    assert!(cells.contains(&"RSA missing".to_string()), "{cells:?}");
}

#[test]
fn what_one_kind_hides_of_the_other_is_judged() {
    let own = ecdsa();
    for listed_too in [rsa(), ROOT.issue(&[MAIL])] {
        let mut world = listed(&[own.clone(), listed_too]);
        let (right, other) = (world.served(&own, Possession::Proved), ROOT.issue(&["www.other.example"]));
        world.see("in", face_probe(Face::Ecdsa), right);
        let wrong = world.served(&other, Possession::Proved);
        world.see("in", face_probe(Face::Rsa), wrong);
        let judgement = world.judge();
        let finding = judgement.findings.iter().find(|f| f.rule == WRONG).unwrap();
        assert!(finding.seen.iter().any(|l| l.contains("(RSA)")), "{:?}", finding.seen);
    }
}

#[test]
fn a_kind_that_is_not_listed_is_not_missed() {
    let own = ecdsa();
    let mut world = listed(&[own.clone(), ROOT.issue(&[MAIL])]);
    assert_eq!(world.rules(), [""; 0]);
    for face in [Face::Rsa, Face::Ecdsa] {
        world.see("in", face_probe(face), Outcome::Tls(TlsOutcome::Alert("handshake_failure".into())));
    }
    assert_eq!(world.rules(), [""; 0]);
}
