//! What is done already is not planned again, and what was there before is not forgotten.

use std::net::IpAddr;
use std::sync::Arc;

use coexist::model::certificate::BlobId;
use coexist::model::dns::{AddressRecord, DnsOutcome, RecordType, Reply, ResolverAddr};
use coexist::model::name::Name;
use coexist::model::observation::{DnsProbe, Observation, Outcome, Probe, Run};

use super::*;

const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.all]
names = ["mail.domain.com"]
[servers.old]
address = "10.0.0.3"
[servers.new]
address = "10.0.0.10"
[internet]
"mail.domain.com" = { before = "old", coexistence = "new", ttl-before = "1d" }
[cutover]
propagation = "15m"
"#;

/// What an authoritative server said of the name, each time in a run of its own.
pub(super) fn recording(looks: &[(&str, &str, u32)]) -> Recording {
    let mut recording = Recording::default();
    for (i, (at, address, ttl)) in looks.iter().enumerate() {
        let at: Timestamp = at.parse().unwrap();
        let id: Arc<str> = format!("run{i}").into();
        let run = Run {
            id: id.clone(),
            format: 1,
            minor: 0,
            tool: "coexist".into(),
            plan: BlobId([0; 32]),
            files: BTreeMap::new(),
            stands_in: vec!["internal".into()],
            address: None,
            connect_to: Vec::new(),
            proxy: Default::default(),
            started: at,
            anchors: BTreeMap::new(),
            trust_errors: BTreeMap::new(),
        };
        recording.runs.insert(id.clone(), run);
        for kind in RecordType::ALL {
            let address: IpAddr = address.parse().unwrap();
            let addresses = match kind.holds(address) {
                true => vec![AddressRecord { address, ttl: *ttl }],
                false => Vec::new(),
            };
            let reply = Reply { addresses, authoritative: true, ..Reply::default() };
            let outcome =
                if reply.addresses.is_empty() { DnsOutcome::NoData(reply) } else { DnsOutcome::Answer(reply) };
            let probe = DnsProbe {
                view: "internal".into(),
                resolver: Arc::new(ResolverAddr::parse("10.0.0.53").unwrap()),
                name: Name::parse("mail.domain.com").unwrap(),
                kind,
                unchecked: false,
                direct: false,
            };
            recording.observations.insert(Observation {
                probe: Probe::Dns(probe),
                run: id.clone(),
                sample: 0,
                attempt: 0,
                dialled: None,
                at,
                outcome: Outcome::Dns(outcome).into(),
            });
        }
    }
    recording
}

/// Seconds after Monday eight o'clock at which a step of a kind starts at the earliest.
fn earliest(looks: &[(&str, &str, u32)], kind: StepKind) -> Option<i64> {
    let (read, recording) = (read(PLAN), recording(looks));
    let planned = plan(&ask(&read, &recording, Phase::Before, Phase::Coexistence)).unwrap();
    carried_out(&planned.timeline);
    let (step, _) = steps(&planned, kind).first().copied()?;
    Some(planned.schedule[step].start)
}

#[test]
fn a_ttl_lowered_an_hour_ago_does_not_make_a_day_old_cache_forget() {
    let looks = [("2026-11-22T08:00:00Z", "10.0.0.3", 86_400), ("2026-11-23T07:00:00Z", "10.0.0.3", 300)];
    assert_eq!(earliest(&looks, StepKind::LowerTtl), None, "it is low already");
    // Lowered at seven, there a quarter of an hour later, kept for a day: eight o'clock is an hour after seven.
    assert_eq!(earliest(&looks, StepKind::Flip), Some(86_400 - 3600 + 900));
}

#[test]
fn a_wait_counts_from_the_earliest_recording_that_shows_it() {
    let looks = [("2026-11-22T07:00:00Z", "10.0.0.3", 300), ("2026-11-23T07:00:00Z", "10.0.0.3", 300)];
    // A day and an hour have gone by: the gate before the flip is all that is left of the wait.
    assert!(earliest(&looks, StepKind::Flip).is_some_and(|s| s < 86_400));
}

#[test]
fn what_flipped_is_not_flipped_again() {
    let looks = [("2026-11-22T07:00:00Z", "10.0.0.10", 300)];
    assert_eq!(earliest(&looks, StepKind::Flip), None);
}

#[test]
fn at_the_goal_there_is_nothing_to_do() {
    let (read, recording) = (read(PLAN), recording(&[("2026-11-20T07:00:00Z", "10.0.0.10", 86_400)]));
    let planned = plan(&ask(&read, &recording, Phase::Before, Phase::Coexistence)).unwrap();
    let records = |s: &&Step| s.changes.iter().any(|c| matches!(c, coexist::model::cutover::Change::Records { .. }));
    assert_eq!(planned.timeline.steps.iter().filter(records).count(), 0);
}

#[test]
fn an_address_of_no_phase_is_a_contradiction_at_its_place() {
    let (read, recording) = (read(PLAN), recording(&[("2026-11-23T07:00:00Z", "10.9.9.9", 300)]));
    let refusals = plan(&ask(&read, &recording, Phase::Before, Phase::Coexistence)).unwrap_err();
    assert!(refusals[0].title.contains("10.9.9.9"), "{}", refusals[0].title);
    assert_eq!(read.source.place(refusals[0].span.unwrap()).line, 11);
}

/// The plan with a third phase.
fn to_the_end() -> String {
    let moved = with(PLAN, &[("coexistence = \"new\"", "coexistence = \"new\", after = \"last\"")]);
    with(&moved, &[("[internet]", "[servers.last]\naddress = \"10.0.0.20\"\n[internet]")])
}

fn between(text: &str, address: &str, from: Phase, to: Phase) -> Result<Planned, Vec<Refusal>> {
    plan(&ask(&read(text), &recording(&[("2026-11-23T07:00:00Z", address, 300)]), from, to))
}

#[test]
fn a_world_that_is_further_on_is_told_with_the_line() {
    let planned = between(&to_the_end(), "10.0.0.10", Phase::Before, Phase::After).unwrap();
    let told = "whether that is meant: internal seems to be in coexistence already, not in before: mail.domain.com (plan.toml:13) leads there; what is done is not planned again";
    assert!(planned.unknown.iter().any(|u| u == told), "{:?}", planned.unknown);
    let clean = between(&to_the_end(), "10.0.0.3", Phase::Before, Phase::After).unwrap();
    assert!(!clean.unknown.iter().any(|u| u.starts_with("whether that is meant")), "{:?}", clean.unknown);
}

#[test]
fn of_two_names_one_that_is_further_on_is_on_the_way() {
    let web = "\"web.domain.com\" = { before = \"old\", coexistence = \"new\" }\n[cutover]";
    let two = with(PLAN, &[("[cutover]", web)]);
    let two = with(&two, &[("names = [\"mail.domain.com\"]", "names = [\"mail.domain.com\", \"web.domain.com\"]")]);
    let mut recording = recording(&[("2026-11-23T07:00:00Z", "10.0.0.10", 300)]);
    for observation in self::recording(&[("2026-11-23T07:00:00Z", "10.0.0.3", 300)]).observations.sorted() {
        let Probe::Dns(probe) = &observation.probe else { continue };
        let name = Name::parse("web.domain.com").unwrap();
        let probe = Probe::Dns(DnsProbe { name, ..probe.clone() });
        recording.observations.insert(Observation { probe, ..observation.clone() });
    }
    let planned = plan(&ask(&read(&two), &recording, Phase::Before, Phase::Coexistence)).unwrap();
    let told = "whether that is meant: internal seems to be on the way from before to coexistence: mail.domain.com (plan.toml:11) leads there; what is done is not planned again";
    assert!(planned.unknown.iter().any(|u| u == told), "{:?}", planned.unknown);
}

#[test]
fn a_world_of_a_phase_that_is_not_on_the_way_is_refused_with_the_line() {
    let text = to_the_end();
    let read = read(&text);
    for (address, from, to, phase, line) in [
        ("10.0.0.3", Phase::Coexistence, Phase::After, "before", 13),
        ("10.0.0.20", Phase::Before, Phase::Coexistence, "after", 13),
    ] {
        let refusals = between(&text, address, from, to).unwrap_err();
        let [refusal] = refusals.as_slice() else { panic!("{refusals:?}") };
        let title = format!(
            "mail.domain.com resolves to {address} in internal, which the plan has in {phase}, and the way goes from {from} to {to}"
        );
        assert_eq!(refusal.title, title);
        assert!(refusal.help.contains(&format!("say --from {phase}")), "{}", refusal.help);
        assert_eq!(read.source.place(refusal.span.unwrap()).line, line);
    }
    let stray = between(&text, "192.0.2.1", Phase::Before, Phase::Coexistence).unwrap_err();
    assert!(stray[0].title.ends_with("which is in no phase"), "{}", stray[0].title);
}

#[test]
fn a_flip_that_is_declared_and_was_not_seen_is_planned() {
    let text = format!("{PLAN}flipped = \"2026-11-01\"\n");
    let planned = between(&text, "10.0.0.3", Phase::Before, Phase::Coexistence).unwrap();
    assert_eq!(steps(&planned, StepKind::Flip).len(), 1);
}
