//! Whom a view's clients trust, and which certificates a file declares.

use super::*;
use crate::model::finding::Judgement;
use crate::model::observation::{FileOutcome, Outcome, Probe};
use crate::model::plan::TrustSource;

fn pinned(chain: &Chain, anchor: Option<&str>) -> World {
    let mut world = World::empty();
    let server = world.server("ex2010", "10.0.0.10", "");
    let name = world.name(Table::Internet, MAIL, Target::Server(server));
    let certificate = world.certificate("san", chain);
    world.plan.certificates[0].match_mode = MatchMode::Leaf;
    world.covers(name, certificate);
    world.serves(name, server, &[certificate]);
    world.serve("in", "10.0.0.10", MAIL, chain);
    let id = world.blob(&chain[0]);
    for (run, view) in world.recording.runs.values_mut().flat_map(|r| anchor.map(|view| (r, view))) {
        run.anchors.get_mut(view).unwrap().push(id);
    }
    world
}

#[test]
fn to_demand_the_very_certificate_makes_nobody_trust_it() {
    let rules = |world: World| world.rules();
    assert_eq!(rules(pinned(&STRANGER.issue(&[MAIL]), None)), ["untrusted-issuer-for-view"]);
    let below = ROOT.below("Issuing CA").issue(&[MAIL]);
    assert_eq!(rules(pinned(&below, None)), ["untrusted-issuer-for-view"]);
    let own = self_signed(MAIL, &[MAIL]);
    assert_eq!(rules(pinned(&own, None)), ["untrusted-issuer-for-view"]);
    let trusted_inside = pinned(&own, Some("internal")).judge();
    assert_eq!(trusted_inside.findings[0].subject.view.as_deref(), Some("external"));
}

#[test]
fn the_anchors_of_an_old_run_do_not_count() {
    let mut world = simple();
    let stranger = world.blob(&STRANGER.der);
    // The newer run, which stands inside, knows what clients outside trust now.
    let mut old = world.recording.runs["out"].clone();
    old.id = "old".into();
    old.started = "2026-11-13T21:04:00Z".parse().unwrap();
    world.recording.runs.insert("old".into(), old);
    for run in ["in", "out"] {
        let run = world.recording.runs.get_mut(run).unwrap();
        run.anchors.insert("external".into(), vec![stranger]);
    }
    assert_eq!(world.rules(), ["untrusted-issuer-for-view"]);
    for run in ["in", "out"] {
        world.recording.runs.get_mut(run).unwrap().anchors.remove("external");
    }
    assert!(world.rules().iter().all(|r| r == "evidence-missing") && !world.rules().is_empty());
}

fn with_trust_error(scope: Scope) -> Judgement {
    let mut world = simple();
    world.plan.views[0].trust.push(Located::new(TrustSource::File("corp.pem".into()), Span::default()));
    for run in world.recording.runs.values_mut() {
        run.trust_errors.insert("internal".into(), vec!["corp.pem: part 2 is damaged".into()]);
    }
    world.policy.scope = scope;
    world.judge()
}

#[test]
fn a_trust_file_that_is_not_read_whole_is_said() {
    for scope in [Scope::All, Scope::Files] {
        let judgement = with_trust_error(scope);
        assert_eq!((judgement.findings.len(), judgement.findings[0].rule), (1, "evidence-missing"));
        assert_eq!(judgement.findings[0].seen, ["corp.pem: part 2 is damaged"]);
        assert_eq!(judgement.outcome, RunOutcome::Incomplete);
    }
}

/// The simple world with another file.
fn filed(file: &[&Chain]) -> World {
    let mut world = simple();
    world.recording.observations.retain(|o| !matches!(o.probe, Probe::File(_)));
    let chain = file.iter().flat_map(|c| c.iter()).map(|der| world.blob(der)).collect();
    let outcome = Outcome::File(FileOutcome::Certificates { chain, notes: Vec::new(), pfx: None });
    world.see("in", Probe::File("san.pem".into()), outcome);
    world
}

#[test]
fn the_end_entity_certificate_is_taken_wherever_it_stands_in_the_file() {
    let root: Chain = vec![ROOT.der.clone()];
    assert_eq!(filed(&[&root, &ROOT.issue(&[MAIL])]).rules(), [""; 0]);
    let lacking = filed(&[&root, &ROOT.issue(&["www.domain.com"])]).judge();
    assert_eq!(lacking.findings[0].rule, "san-missing-name");
    assert!(lacking.findings[0].seen.iter().any(|l| l.starts_with("it is number 2 in san.pem")), "{lacking:#?}");
}

#[test]
fn two_end_entity_certificates_are_both_the_certificate() {
    let (rsa, ecdsa) = (ROOT.issue(&[MAIL]), ROOT.issue(&[MAIL]));
    let mut world = filed(&[&rsa, &ecdsa]);
    world.plan.certificates[0].match_mode = MatchMode::Leaf;
    world.forget("10.0.0.10");
    world.serve("in", "10.0.0.10", MAIL, &ecdsa);
    assert_eq!(world.rules(), [""; 0]);
    assert_eq!(filed(&[&rsa, &ROOT.issue(&["www.domain.com"])]).rules(), ["san-missing-name"]);
}
