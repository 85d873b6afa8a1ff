//! HSTS is a memory of browsers: whoever came in the clear comes by https once a site, or one above it, has said so.

use coexist::model::cutover::{CacheKind, HarmClass, Proof};
use coexist::model::http::{HttpHead, HttpOutcome, HttpProbe, Page};
use coexist::model::name::Name;
use coexist::model::observation::{Observation, Outcome, Probe, TlsProbe};
use coexist::model::service::Way;
use coexist::model::tls::{Possession, Served, TlsOutcome};

use super::Phase::{After, Before, Coexistence};
use super::*;

/// The old server has a site in the clear only, and a legacy name.
const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.all]
names = ["mail.domain.com", "legacy.mail.domain.com"]
[servers.old]
address = "10.0.0.3"
services = []
[servers.new]
address = "10.0.0.10"
services = ["https", "smtp"]
[internet]
"mail.domain.com" = { before = "old", coexistence = "new", ttl-before = "1h" }
[legacy]
"legacy.mail.domain.com" = "old"
[cutover]
propagation = "15m"
"#;

fn with_hsts(hsts: &str) -> String {
    format!("{PLAN}hsts = {{ {hsts} }}\n")
}

/// The old server has a site over TLS, too.
fn with_https(text: &str) -> String {
    with(text, &[("services = []", "services = [\"https\", \"smtp\"]")])
}

fn by_hsts(planned: &Planned) -> Vec<&str> {
    planned.timeline.paths.iter().filter(|p| p.by_hsts).map(|p| p.name.as_str()).collect()
}

fn proved(planned: &Planned) -> Proof {
    let proof = checker::prove(&planned.timeline);
    assert_eq!(proof.misfits, []);
    proof
}

/// What a site was seen to answer at an address.
fn answered(recording: &mut Recording, at: &str, address: &str, name: &str, hsts: Option<&str>) {
    let probe = HttpProbe {
        address: format!("{address}:443").parse().unwrap(),
        name: Name::parse(name).unwrap(),
        page: Page::Root,
    };
    let head = HttpHead { status: 200, hsts: hsts.map(str::to_string), ..HttpHead::default() };
    see(recording, at, Probe::Http(probe), Outcome::Http(HttpOutcome::Head(head)));
}

fn see(recording: &mut Recording, at: &str, probe: Probe, outcome: Outcome) {
    recording.observations.insert(Observation {
        probe,
        run: "run0".into(),
        sample: 0,
        attempt: 0,
        dialled: None,
        at: at.parse().unwrap(),
        outcome: outcome.into(),
    });
}

/// An old server that shows a certificate for another name at https.
fn shows_another_name(recording: &mut Recording, address: &str) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["old.domain.com".to_string()]).unwrap();
    let der = params.self_signed(&key).unwrap().der().to_vec();
    let id = coexist::pki::facts(&der).unwrap().sha256;
    recording.blobs.insert(id, der.into());
    let served = Served {
        chain: vec![id],
        possession: Possession::Proved,
        version: None,
        cipher: None,
        client: None,
        ended: None,
        declined: None,
    };
    let probe = TlsProbe {
        address: format!("{address}:443").parse().unwrap(),
        way: Way::Implicit,
        sni: Some(Name::parse("legacy.mail.domain.com").unwrap()),
        face: None,
    };
    see(recording, SEVEN, Probe::Tls(probe), Outcome::Tls(TlsOutcome::Certificate(served)));
}

const SEVEN: &str = "2026-11-23T07:00:00Z";
const YEAR: &str = "max-age=31536000; includeSubDomains";

fn from_recording(text: &str, recording: &Recording, from: Phase, to: Phase) -> Planned {
    plan(&ask(&read(text), recording, from, to)).unwrap()
}

#[test]
fn names_in_the_clear_are_followed_once_a_site_above_them_is_declared() {
    assert_eq!(by_hsts(&before_to_coexistence(PLAN)), [""; 0]);
    let own = before_to_coexistence(&with_hsts("\"mail.domain.com\" = \"max-age=300\""));
    assert_eq!(by_hsts(&own), ["mail.domain.com"], "without includeSubDomains");
    let all = before_to_coexistence(&with_hsts(&format!("\"domain.com\" = \"{YEAR}\"")));
    assert_eq!(by_hsts(&all), ["legacy.mail.domain.com", "mail.domain.com"]);
    let forgotten = before_to_coexistence(&with_hsts("\"domain.com\" = \"max-age=0; includeSubDomains\""));
    assert_eq!(by_hsts(&forgotten), [""; 0]);
    // Where https is followed anyway, browsers that remember meet what all meet.
    let https = before_to_coexistence(&with_https(&with_hsts(&format!("\"domain.com\" = \"{YEAR}\""))));
    assert_eq!(by_hsts(&https), [""; 0]);
    assert_safe(&https, "https everywhere");
    // Names for mail only are none of a browser's.
    let mail = with(
        &with_hsts(&format!("\"domain.com\" = \"{YEAR}\"")),
        &[("ttl-before = \"1h\"", "ttl-before = \"1h\", services = [\"smtp\"]")],
    );
    assert_eq!(by_hsts(&before_to_coexistence(&mail)), ["legacy.mail.domain.com"]);
}

#[test]
fn who_remembers_hsts_finds_no_https_on_the_old_server() {
    let planned = before_to_coexistence(&with_hsts(&format!("\"domain.com\" = \"{YEAR}\"")));
    let proof = proved(&planned);
    let witness = proof.harms.iter().find(|w| w.path.by_hsts).unwrap();
    assert_eq!(witness.class, HarmClass::NothingListens);
    assert!(witness.words.contains("a client of view internal that remembers HSTS for "), "{}", witness.words);
}

#[test]
fn a_legacy_name_below_the_new_site_must_be_served_from_the_flip_on() {
    let mut recording = history::recording(&[(SEVEN, "10.0.0.3", 3600)]);
    answered(&mut recording, SEVEN, "10.0.0.10", "mail.domain.com", Some(YEAR));
    let planned = from_recording(PLAN, &recording, Before, Coexistence);
    assert_eq!(by_hsts(&planned), ["legacy.mail.domain.com", "mail.domain.com"]);
    // Nobody has heard the header before anybody is led to the new server.
    assert!(!planned.timeline.world.records.keys().any(|k| k.kind == CacheKind::Hsts));
    let flip = steps(&planned, StepKind::Flip)[0].0;
    let proof = proved(&planned);
    assert!(proof.harms.iter().all(|w| w.path.by_hsts && w.step >= Some(flip)), "{:#?}", proof.harms);
    assert!(proof.harms.iter().any(|w| w.class == HarmClass::NothingListens && w.undoing.is_none()));

    // A certificate there that lacks the name is no better.
    shows_another_name(&mut recording, "10.0.0.3");
    let planned = from_recording(PLAN, &recording, Before, Coexistence);
    let proof = proved(&planned);
    let witness = proof.harms.iter().find(|w| w.path.by_hsts && w.undoing.is_none()).unwrap();
    assert_eq!((witness.class, witness.step >= Some(flip)), (HarmClass::WrongName, true), "{}", witness.words);

    // With https on the old server, and a certificate for both, nobody is hurt.
    let planned =
        from_recording(&with_https(PLAN), &history::recording(&[(SEVEN, "10.0.0.3", 3600)]), Before, Coexistence);
    assert_safe(&planned, "https on the old server");
}

#[test]
fn what_a_site_no_longer_says_is_remembered_for_as_long_as_it_said() {
    let mut recording = history::recording(&[(SEVEN, "10.0.0.3", 3600)]);
    answered(&mut recording, "2026-11-21T08:00:00Z", "10.0.0.3", "mail.domain.com", Some("max-age=259200"));
    answered(&mut recording, "2026-11-22T08:00:00Z", "10.0.0.3", "mail.domain.com", None);
    let planned = from_recording(PLAN, &recording, Before, Coexistence);
    let past = planned.timeline.past.iter().find(|p| p.key.kind == CacheKind::Hsts).unwrap();
    // It may have been sent until it was seen gone, a day and propagation ago.
    assert_eq!((past.until, past.answer.as_ref().unwrap().ttl), (-86_400 + 900, 259_200));
    assert_eq!(proved(&planned).harms.len(), 1);
    // Sites whose memory is over by now hurt nobody.
    let mut old = history::recording(&[(SEVEN, "10.0.0.3", 3600)]);
    answered(&mut old, "2026-11-21T08:00:00Z", "10.0.0.3", "mail.domain.com", Some("max-age=3600"));
    answered(&mut old, "2026-11-22T08:00:00Z", "10.0.0.3", "mail.domain.com", None);
    assert_safe(&from_recording(PLAN, &old, Before, Coexistence), "forgotten");
}

#[test]
fn a_plan_and_a_recording_that_differ_are_told() {
    let mut recording = history::recording(&[(SEVEN, "10.0.0.3", 3600)]);
    answered(&mut recording, SEVEN, "10.0.0.3", "mail.domain.com", None);
    let text = with_hsts("\"mail.domain.com\" = \"max-age=600\"");
    let planned = from_recording(&text, &recording, Before, Coexistence);
    let told = "what mail.domain.com makes browsers remember: the plan has max-age=600 and old was seen to send no Strict-Transport-Security";
    assert!(planned.unknown.iter().any(|u| u.starts_with(told)), "{:?}", planned.unknown);
    let past: Vec<_> = planned.timeline.past.iter().filter(|p| p.key.kind == CacheKind::Hsts).collect();
    assert_eq!((past.len(), past[0].until), (1, 0));
}

#[test]
fn hsts_is_neither_removed_nor_waited_for_as_a_record() {
    let text = with_https(&with_hsts(&format!("\"domain.com\" = \"{YEAR}\"")));
    let narrow = with(
        &text,
        &[("\"legacy.mail.domain.com\" = \"old\"", "\"legacy.mail.domain.com\" = { server = \"old\", services = [] }")],
    );
    for text in [&text, &narrow] {
        let planned = planned(text, Coexistence, After).unwrap();
        carried_out(&planned.timeline);
        assert_safe(&planned, text);
        let longest = planned.timeline.steps.iter().flat_map(|s| &s.waits).map(|w| w.seconds).max();
        assert!(longest < Some(31_536_000), "{longest:?}");
    }
}

#[test]
fn headers_are_read_with_all_their_mistakes() {
    for (hsts, word) in [
        ("\"domain.com\" = 31536000", "wrong type"),
        ("\"domain.com\" = \"includeSubDomains\"", "not a Strict-Transport-Security header"),
        ("\"domain.com\" = \"max-age=-1\"", "not a Strict-Transport-Security header"),
        ("\"domain.com\" = \"max-age=1y\"", "not a Strict-Transport-Security header"),
        ("\"domain.com\" = \"\"", "empty string"),
        ("\"*.domain.com\" = \"max-age=1\"", "a wildcard cannot stand here"),
        ("\"domain.com\" = \"max-age=1\", \"DOMAIN.com.\" = \"max-age=1\"", "the same site twice"),
        ("domain.com = \"max-age=1\"", "host name without quotes"),
    ] {
        let text = with_hsts(hsts);
        let errors = coexist::plan::load("plan.toml", text.as_bytes(), &|_| Ok(())).unwrap_err();
        let shown = coexist::plan::render_errors(&errors, false);
        assert!(shown.contains(word) && shown.contains("plan.toml:18"), "{hsts}: {shown}");
    }
    let longest = with_https(&with_hsts("\"domain.com\" = \"max-age=99999999999999999999; includeSubDomains\""));
    assert_safe(&before_to_coexistence(&longest), "a header with more digits than fit");
}
