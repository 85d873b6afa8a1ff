//! A clean world, one thing broken, exactly these findings.

use super::world::*;
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::finding::{RunOutcome, Severity, Verdict};
use crate::model::name::Name;
use crate::model::obligation::DnsExpectation;
use crate::model::observation::Recording;
use crate::model::plan::{Autodiscover, MailDomain, MatchMode, Table, Target};
use crate::model::policy::Scope;
use crate::model::service::services_of;
use crate::model::source::{Located, Span};
use crate::model::tls::{Possession, Stage, TlsOutcome};

mod abilities;
mod aliases;
mod beside;
mod beside_zones;
mod certificates;
mod circles;
mod cures;
mod dates;
mod delegation;
mod dns;
mod dnssec;
mod due;
mod endpoints;
mod ends;
mod faces;
mod floor;
mod interception;
mod issuance;
mod legacy;
mod lowering;
mod mail;
mod mta_sts;
mod next;
mod odd;
mod plans;
mod pools;
mod replaced;
mod residue;
mod senders;
mod signatures;
mod time;
mod tlsa;
mod trust;
mod unfinished;
mod waivers;
mod weak;

const MAIL: &str = "mail.domain.com";

/// The mail domain, whose mail these hosts take in every phase; without any, nothing is said of them.
fn mail_domain(hosts: &[&str]) -> MailDomain {
    let host = |text: &&str| Located::new(Name::parse(text).unwrap(), Span::default());
    let mx = || (!hosts.is_empty()).then(|| hosts.iter().map(host).collect());
    MailDomain {
        domain: Name::parse("domain.com").unwrap(),
        mx: [mx(), mx(), mx()],
        autodiscover: Autodiscover::None,
        mta_sts: None,
        helo: None,
        span: Span::default(),
    }
}

/// Breaks the simple world and says which rules speak.
fn broken(break_it: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = simple();
    break_it(&mut world);
    world.rules()
}

/// As [`broken`], with the chain that the server itself and its outside address serve.
fn serving(chain: Chain) -> Vec<String> {
    broken(|w| {
        w.forget("10.0.0.10");
        w.forget("203.0.113.10");
        w.serve("in", "10.0.0.10", MAIL, &chain);
        w.serve("out", "203.0.113.10", MAIL, &chain);
    })
}

#[test]
fn a_clean_world_passes() {
    let judgement = simple().judge();
    assert!(judgement.findings.is_empty(), "{:#?}", judgement.findings);
    assert_eq!(judgement.outcome, RunOutcome::Pass);
    assert_eq!((judgement.counts.passed, judgement.counts.unobserved), (5, 0));
    assert_eq!(judgement.asked, "coexistence");
    assert_eq!(judgement.seen_from.stands_in, ["internal", "external"]);
    assert!(judgement.not_looked_at.iter().any(|l| l.contains("exportable")));
}

#[test]
fn no_evidence_is_never_a_pass() {
    let judgement = {
        let mut world = simple();
        world.recording.observations.retain(|_| false);
        world.judge()
    };
    assert_eq!(judgement.outcome, RunOutcome::Incomplete);
    assert_eq!((judgement.counts.passed, judgement.counts.unobserved), (0, 5));
    assert!(judgement.findings.iter().all(|f| f.rule == "evidence-missing" && f.open_question));
}

#[test]
fn the_same_input_gives_the_same_judgement_in_any_order() {
    let mut world = simple();
    world.fail("out", "203.0.113.10", MAIL, TlsOutcome::Refused);
    world.say(EXTERNAL, MAIL, &nxdomain());
    let first = format!("{:?}", world.judge());
    let mut other = Recording { runs: world.recording.runs.clone(), ..Recording::default() };
    let blobs: Vec<_> = world.recording.blobs.clone().into_iter().collect();
    other.blobs.extend(blobs.into_iter().rev());
    let seen: Vec<_> = world.recording.observations.clone().into_iter().collect();
    other.observations.extend(seen.into_iter().rev());
    world.recording = other;
    assert_eq!(format!("{:?}", world.judge()), first);
}

#[test]
fn a_service_is_asked_where_it_listens() {
    let mut world = simple();
    let smtp = services_of("smtp").unwrap().remove(0);
    let (name, server) = (crate::model::plan::NameId(0), crate::model::plan::ServerId(0));
    let obligation = world.serves_at(name, server, smtp, &[]);
    assert_eq!(world.verdict(obligation), Verdict::Unobserved);
}
