//! Mail and web beside addresses: TLSA, MTA-STS, HTTPS and SPF move with what they speak of.

use coexist::model::cutover::{CacheKind, Change, Datum};

use super::Phase::{Before, Coexistence};
use super::*;

/// The host of the mail stays and its machine changes; the hosts of a second domain change.
const PLAN: &str = r#"
[views.internet]
resolvers = ["9.9.9.9"]
[certificates.old]
names = ["mail.example.org", "mx1.example.org"]
[certificates.new]
names = ["mail.example.org", "mx2.example.org"]
[servers.old]
address = "198.51.100.7"
product = "postfix"
services = ["smtp", "https"]
certificate = "old"
[servers.new]
address = "198.51.100.9"
product = "postfix"
services = ["smtp", "https"]
certificate = "new"
[internet]
"mail.example.org" = { before = "old", coexistence = "new", ttl-before = "1h" }
"mx1.example.org" = { before = "old", coexistence = "old", ttl-before = "1h" }
"mx2.example.org" = { coexistence = "new" }
[mail."example.org"]
mx = "mail.example.org"
mta-sts = "7d"
[mail."example.net"]
mx = { before = "mx1.example.org", coexistence = "mx2.example.org" }
mta-sts = "7d"
[records]
"_25._tcp.mail.example.org TLSA" = "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
"mail.example.org HTTPS" = "1 . alpn=h2 ipv4hint=198.51.100.7"
"example.org TXT" = "v=spf1 ip4:198.51.100.7 -all"
"example.net TXT" = "v=spf1 ip4:198.51.100.0/24 -all"
[cutover]
propagation = "10m"
"#;

fn safe(text: &str) -> Planned {
    let planned = before_to_coexistence(text);
    carried_out(&planned.timeline);
    assert_safe(&planned, text);
    planned
}

fn position(planned: &Planned, kind: StepKind) -> Vec<usize> {
    steps(planned, kind).into_iter().map(|(i, _)| i).collect()
}

/// The labels or hosts that a step leaves in records of a kind.
fn left(planned: &Planned, step: usize, kind: CacheKind) -> Vec<String> {
    let mut out = Vec::new();
    for change in &planned.timeline.steps[step].changes {
        if let Change::Records { key, new: Some(new), .. } = change
            && key.kind == kind
        {
            out.extend(new.data.iter().map(|d| match d {
                Datum::Certificate(i) => planned.timeline.credentials[*i].label.to_string(),
                Datum::Host(host) => host.to_string(),
                other => format!("{other:?}"),
            }));
        }
    }
    out
}

#[test]
fn a_certificate_stands_in_tlsa_before_anybody_serves_it_and_the_old_one_until_nobody_does() {
    let planned = safe(PLAN);
    let tlsa = position(&planned, StepKind::ChangeTlsa);
    assert_eq!(tlsa.len(), 2, "wider, and narrower");
    assert_eq!(left(&planned, tlsa[0], CacheKind::Tlsa), ["old", "new"]);
    assert_eq!(left(&planned, tlsa[1], CacheKind::Tlsa), ["new"]);
    let (flip, drain) = (position(&planned, StepKind::Flip)[0], position(&planned, StepKind::Drain)[0]);
    assert!(tlsa[0] < flip && drain < tlsa[1]);
    // Nobody said for how long the old one may be kept: a day.
    let waits = &planned.timeline.steps[flip].waits;
    assert!(waits.iter().any(|w| w.after == tlsa[0] && w.seconds == 86_400), "{waits:?}");
    let words = &planned.timeline.steps[tlsa[0]].commands;
    assert!(words.iter().flat_map(|s| &s.lines).any(|l| l.contains("openssl dgst -sha256")), "{words:?}");
}

#[test]
fn without_the_wider_tlsa_the_proof_finds_who_is_hurt() {
    let planned = safe(PLAN);
    let proof = checker::prove(&planned.without(position(&planned, StepKind::ChangeTlsa)[0]));
    assert_eq!(proof.verdict, Verdict::Harm);
    assert!(proof.harms.iter().any(|h| h.class == coexist::model::cutover::HarmClass::Untrusted));
}

#[test]
fn a_policy_allows_old_and_new_hosts_for_as_long_as_senders_keep_the_old_one() {
    let planned = safe(PLAN);
    let policy = position(&planned, StepKind::ChangeMtaSts);
    assert_eq!(policy.len(), 2);
    assert_eq!(left(&planned, policy[0], CacheKind::MtaSts), ["mx1.example.org", "mx2.example.org"]);
    assert_eq!(left(&planned, policy[1], CacheKind::MtaSts), ["mx2.example.org"]);
    let mx = position(&planned, StepKind::ChangeMx)[0];
    assert!(policy[0] < mx && mx < policy[1]);
    assert!(planned.schedule[mx].start >= planned.schedule[policy[0]].end + 7 * 86_400, "a week");
    let lines: Vec<&String> = planned.timeline.steps[policy[0]].commands.iter().flat_map(|s| &s.lines).collect();
    assert!(lines[0].contains("mx: mx1.example.org / mx: mx2.example.org / max_age: 604800"), "{lines:?}");
    assert!(planned.timeline.steps[policy[1]].undo.as_ref().unwrap().settles >= 604_800, "the narrow one is kept");
}

#[test]
fn a_policy_with_a_pattern_for_all_hosts_stays() {
    let wide = with(
        PLAN,
        &[(
            "coexistence = \"mx2.example.org\" }\nmta-sts = \"7d\"",
            "coexistence = \"mx2.example.org\" }\nmta-sts = { max-age = \"7d\", mx = \"*.example.org\" }",
        )],
    );
    assert!(position(&safe(&wide), StepKind::ChangeMtaSts).is_empty());
}

#[test]
fn without_the_wider_policy_the_proof_finds_who_is_hurt() {
    let planned = safe(PLAN);
    let proof = checker::prove(&planned.without(position(&planned, StepKind::ChangeMtaSts)[0]));
    assert_eq!(proof.verdict, Verdict::Harm);
}

#[test]
fn hints_flip_with_the_addresses() {
    let planned = safe(PLAN);
    let flip = &planned.timeline.steps[position(&planned, StepKind::Flip)[0]];
    let kinds = flip.changes.iter().filter_map(|c| match c {
        Change::Records { key, .. } => Some(key.kind),
        _ => None,
    });
    let kinds: Vec<CacheKind> = kinds.collect();
    assert!(kinds.contains(&CacheKind::A) && kinds.contains(&CacheKind::Https), "{kinds:?}");
    // The address is typed, and the hint told in words.
    assert!(flip.commands.iter().flat_map(|s| &s.lines).any(|l| l.contains("HTTPS 198.51.100.7 -> 198.51.100.9")));
    assert!(flip.commands.iter().any(|s| &*s.shell != "words"));
    let lower = &planned.timeline.steps[position(&planned, StepKind::LowerTtl)[0]];
    assert!(lower.what.contains("HTTPS"), "{}", lower.what);
}

#[test]
fn the_picture_has_a_lane_for_whatever_clients_and_senders_are_told() {
    let page = page(PLAN);
    for lane in
        ["_25._tcp.mail.example.org TLSA (", "mail.example.org HTTPS (", "example.net MX (", "example.net MTA-STS ("]
    {
        assert!(page.contains(&format!("<title>{lane}")), "{lane}: {page}");
    }
    for value in ["old, new", "mx1.example.org, mx2.example.org"] {
        assert!(page.contains(&format!("<title>{value}</title>")), "{value}");
    }
}

#[test]
fn spf_is_widened_before_mail_moves_unless_it_allows_all_already() {
    let planned = safe(PLAN);
    let spf = steps(&planned, StepKind::ChangeSpf);
    let what: Vec<&str> = spf.iter().map(|(_, s)| &*s.what).collect();
    assert_eq!(what, ["example.org: let old and new servers send", "example.org: let the new servers send only"]);
    let flip = position(&planned, StepKind::Flip)[0];
    let waits = &planned.timeline.steps[flip].waits;
    assert!(waits.iter().any(|w| w.after == spf[0].0 && w.seconds == 86_400), "{waits:?}");
    assert!(planned.unknown.iter().any(|u| u.starts_with("the old TTL of example.org TXT (SPF)")));
}

#[test]
fn a_policy_is_read_with_all_its_mistakes() {
    for (policy, word) in [
        ("\"7 days\"", "not a duration"),
        ("{ mx = \"*.example.org\" }", "a policy without an age"),
        ("\"400d\"", "duration out of range"),
        ("{ max-age = \"7d\", mode = \"testing\" }", "mode"),
        ("{ max-age = \"7d\", mx = \"a b\" }", "not a host name"),
    ] {
        let text = with(PLAN, &[("mta-sts = \"7d\"", &format!("mta-sts = {policy}"))]);
        let errors = coexist::plan::load("plan.toml", text.as_bytes(), &|_| Ok(())).unwrap_err();
        let shown = coexist::plan::render_errors(&errors, false);
        assert!(shown.contains(word), "{policy}: {shown}");
    }
}

/// The same certificate for both machines, whose key nobody gives away.
const REKEYED: &str = r#"
[views.internet]
resolvers = ["9.9.9.9"]
[certificates.mail]
names = ["mail.example.org"]
key-exportable = false
[servers.old]
address = "198.51.100.7"
product = "exchange-2016"
services = ["smtp"]
certificate = "mail"
[servers.new]
address = "198.51.100.9"
product = "exchange-2016"
services = ["smtp"]
certificate = "mail"
[internet]
"mail.example.org" = { before = "old", coexistence = "new", ttl-before = "1h" }
[mail."example.org"]
mx = "mail.example.org"
[records]
"_25._tcp.mail.example.org TLSA" = "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
"#;

#[test]
fn a_new_key_stands_in_tlsa_before_any_server_has_it() {
    let planned = safe(REKEYED);
    let rekey = position(&planned, StepKind::Rekey)[0];
    let tlsa = position(&planned, StepKind::ChangeTlsa);
    let bind = position(&planned, StepKind::BindCertificate)[0];
    assert_eq!(left(&planned, tlsa[0], CacheKind::Tlsa), ["mail", "mail-new-key"]);
    assert_eq!(left(&planned, tlsa[1], CacheKind::Tlsa), ["mail-new-key"]);
    assert!(rekey < tlsa[0] && tlsa[0] < bind && bind < tlsa[1]);
    assert!(planned.timeline.steps[bind].waits.iter().any(|w| w.after == tlsa[0]), "the old RRset is forgotten first");
    let proof = checker::prove(&planned.without(tlsa[0]));
    assert_eq!(proof.verdict, Verdict::Harm);
}

#[test]
fn tlsa_of_an_authority_stays_whatever_it_issues() {
    let planned = safe(&with(REKEYED, &[("\"3 1 1", "\"2 1 1")]));
    assert!(position(&planned, StepKind::ChangeTlsa).is_empty());
}

#[test]
fn a_runbook_changes_tlsa_and_policies_in_two_steps_each() {
    let read = read(PLAN);
    let runbook = r#"
from = "before"
to = "coexistence"
[[steps]]
do = "change-tlsa"
[[steps]]
do = "change-mta-sts"
[[steps]]
do = "change-tlsa"
[[steps]]
do = "change-mta-sts"
"#;
    let runbook = coexist::plan::runbook("runbook.toml", runbook.as_bytes(), &read).unwrap();
    let recording = Recording::default();
    let ask = ask(&read, &recording, Before, Coexistence);
    let planned = coexist::cutover::follow(&ask, &runbook, &jiff::tz::TimeZone::UTC).unwrap();
    let tlsa = position(&planned, StepKind::ChangeTlsa);
    assert_eq!(left(&planned, tlsa[0], CacheKind::Tlsa), ["old", "new"]);
    assert_eq!(left(&planned, tlsa[1], CacheKind::Tlsa), ["new"]);
    let policy = position(&planned, StepKind::ChangeMtaSts);
    assert_eq!(left(&planned, policy[1], CacheKind::MtaSts), ["mx2.example.org"]);
}

#[test]
fn the_ttl_that_tlsa_records_were_seen_with_is_waited_for() {
    use coexist::model::dane::Tlsa;
    use coexist::model::dns::{DnsOutcome, RecordType, Reply, ResolverAddr};
    use coexist::model::observation::{DnsProbe, Observation, Outcome, Probe};
    use coexist::model::records::{DataRecord, RecordData};

    let without = PLAN.lines().filter(|l| !l.contains("TLSA")).collect::<Vec<_>>().join("\n");
    // The plan need not list what is seen.
    for text in [PLAN, &without] {
        let mut recording = history::recording(&[("2026-11-23T07:00:00Z", "10.0.0.3", 300)]);
        let tlsa = Tlsa { usage: 3, selector: 1, matching: 1, association: vec![7; 32] };
        let records = vec![DataRecord { data: RecordData::Tlsa(tlsa), ttl: 7200 }];
        let outcome = DnsOutcome::Answer(Reply { records, authoritative: true, ..Reply::default() });
        recording.observations.insert(Observation {
            probe: Probe::Dns(DnsProbe {
                view: "internet".into(),
                resolver: std::sync::Arc::new(ResolverAddr::parse("9.9.9.9").unwrap()),
                name: coexist::model::name::Name::parse_owner("_25._tcp.mail.example.org").unwrap(),
                kind: RecordType::Tlsa,
                unchecked: false,
                direct: false,
            }),
            run: "run0".into(),
            sample: 0,
            attempt: 0,
            dialled: None,
            at: "2026-11-23T07:00:00Z".parse().unwrap(),
            outcome: Outcome::Dns(outcome).into(),
        });
        let read = read(text);
        let planned = plan(&ask(&read, &recording, Before, Coexistence)).unwrap();
        let (tlsa, flip) = (position(&planned, StepKind::ChangeTlsa), position(&planned, StepKind::Flip)[0]);
        assert_eq!(left(&planned, tlsa[0], CacheKind::Tlsa), ["old", "new"]);
        let waits = &planned.timeline.steps[flip].waits;
        assert!(waits.iter().any(|w| w.after == tlsa[0] && w.seconds == 7200), "{waits:?}");
        assert_safe(&planned, text);
    }
}

/// What the policy host of example.net answered, each time it was looked at.
fn policies(looks: &[(&str, &str)]) -> Recording {
    use coexist::model::http::{HttpHead, HttpOutcome, HttpProbe, Page};
    use coexist::model::observation::{Observation, Outcome, Probe};
    let mut recording = history::recording(&[("2026-11-23T07:00:00Z", "10.0.0.3", 300)]);
    for (at, body) in looks {
        let probe = HttpProbe {
            address: "192.0.2.80:443".parse().unwrap(),
            name: coexist::model::name::Name::parse("mta-sts.example.net").unwrap(),
            page: Page::MtaSts,
        };
        let head = HttpHead { status: 200, body: Some((*body).into()), ..HttpHead::default() };
        recording.observations.insert(Observation {
            probe: Probe::Http(probe),
            run: "run0".into(),
            sample: 0,
            attempt: 0,
            dialled: None,
            at: at.parse().unwrap(),
            outcome: Outcome::Http(HttpOutcome::Head(head)).into(),
        });
    }
    recording
}

/// What a resolver said of HTTPS records.
fn hinted(records: &[&str], ttl: u32) -> Recording {
    use coexist::model::dns::{DnsOutcome, RecordType, Reply, ResolverAddr};
    use coexist::model::observation::{DnsProbe, Observation, Outcome, Probe};
    use coexist::model::records::{DataRecord, RecordData};
    let mut recording = history::recording(&[("2026-11-23T07:00:00Z", "10.0.0.3", 300)]);
    let read = |text: &&str| DataRecord { data: RecordData::parse(RecordType::Https, text).unwrap(), ttl };
    let reply = Reply { records: records.iter().map(read).collect(), authoritative: true, ..Reply::default() };
    let outcome = if records.is_empty() { DnsOutcome::NoData(reply) } else { DnsOutcome::Answer(reply) };
    recording.observations.insert(Observation {
        probe: Probe::Dns(DnsProbe {
            view: "internet".into(),
            resolver: std::sync::Arc::new(ResolverAddr::parse("9.9.9.9").unwrap()),
            name: coexist::model::name::Name::parse("mail.example.org").unwrap(),
            kind: RecordType::Https,
            unchecked: false,
            direct: false,
        }),
        run: "run0".into(),
        sample: 0,
        attempt: 0,
        dialled: None,
        at: "2026-11-23T07:00:00Z".parse().unwrap(),
        outcome: Outcome::Dns(outcome).into(),
    });
    recording
}

fn of_hints(text: &str, records: &[&str]) -> Planned {
    let planned = plan(&ask(&read(text), &hinted(records, 7200), Before, Coexistence)).unwrap();
    carried_out(&planned.timeline);
    assert_safe(&planned, text);
    planned
}

/// Old and new hints of the flip.
fn flipped_hints(planned: &Planned) -> Vec<String> {
    let flip = &planned.timeline.steps[position(planned, StepKind::Flip)[0]];
    let of = |c: &Change| match c {
        Change::Records { key, old, new } if key.kind == CacheKind::Https => {
            let said = |a: &coexist::model::cutover::Answer| coexist::model::cutover::answer_words(a);
            Some(format!("{} -> {}", said(old), said(new)))
        }
        _ => None,
    };
    flip.changes.iter().filter_map(of).collect()
}

#[test]
fn hints_that_were_seen_flip_too_and_their_ttl_is_waited_for() {
    let without = PLAN.lines().filter(|l| !l.contains("HTTPS")).collect::<Vec<_>>().join("\n");
    for text in [PLAN, &without] {
        let planned = of_hints(text, &["1 . alpn=h2 ipv4hint=198.51.100.7"]);
        assert_eq!(flipped_hints(&planned), ["198.51.100.7 -> 198.51.100.9"]);
        let (lower, flip) = (position(&planned, StepKind::LowerTtl)[0], position(&planned, StepKind::Flip)[0]);
        let waits = &planned.timeline.steps[flip].waits;
        assert!(waits.iter().any(|w| w.after == lower && w.seconds >= 7200), "{waits:?}");
        assert!(!planned.unknown.iter().any(|u| u.contains("HTTPS says")), "{:?}", planned.unknown);
    }
    // Only what was hinted at before is hinted at then; what leads to another host stays.
    assert_eq!(flipped_hints(&of_hints(&without, &["1 . alpn=h2"])), [""; 0]);
    assert_eq!(flipped_hints(&of_hints(&without, &[])), [""; 0]);
}

#[test]
fn hints_that_differ_from_the_plan_are_told() {
    let planned = of_hints(PLAN, &["1 . alpn=h2"]);
    let told =
        "what mail.example.org HTTPS says in internet: the plan has 198.51.100.7, and nothing was seen; taken as seen";
    assert!(planned.unknown.iter().any(|u| u == told), "{:?}", planned.unknown);
}

const EIGHT: &str = "2026-11-23T07:00:00Z";
const OF_THE_OLD: &str = "version: STSv1\nmode: enforce\nmx: mx1.example.org\nmax_age: 86400\n";

/// The second domain says nothing of its policy.
fn undeclared() -> String {
    with(PLAN, &[("coexistence = \"mx2.example.org\" }\nmta-sts = \"7d\"", "coexistence = \"mx2.example.org\" }")])
}

fn of_policies(text: &str, looks: &[(&str, &str)]) -> Planned {
    let planned = plan(&ask(&read(text), &policies(looks), Before, Coexistence)).unwrap();
    carried_out(&planned.timeline);
    assert_safe(&planned, text);
    planned
}

fn wait_for_mx(planned: &Planned) -> i64 {
    let policy = position(planned, StepKind::ChangeMtaSts)[0];
    let mx = &planned.timeline.steps[position(planned, StepKind::ChangeMx)[0]];
    mx.waits.iter().find(|w| w.after == policy).map_or(0, |w| w.seconds.into())
}

#[test]
fn a_policy_that_was_seen_and_is_not_in_the_plan_is_widened_too() {
    let planned = of_policies(&undeclared(), &[(EIGHT, OF_THE_OLD)]);
    let policy = position(&planned, StepKind::ChangeMtaSts);
    assert_eq!(left(&planned, policy[0], CacheKind::MtaSts), ["mx1.example.org", "mx2.example.org"]);
    assert_eq!(left(&planned, policy[1], CacheKind::MtaSts), ["mx2.example.org"]);
    assert_eq!(wait_for_mx(&planned), 86_400);
    let lines: Vec<&String> = planned.timeline.steps[policy[0]].commands.iter().flat_map(|s| &s.lines).collect();
    assert!(lines[0].contains("max_age: 86400"), "{lines:?}");
    let proof = checker::prove(&planned.without(policy[0]));
    assert_eq!(proof.verdict, Verdict::Harm);
    // What covers all hosts stays; what nobody enforces asks for nothing.
    for body in [
        "version: STSv1\nmode: enforce\nmx: *.example.org\nmax_age: 86400\n",
        "version: STSv1\nmode: testing\nmx: mx1.example.org\nmax_age: 86400\n",
        "version: STSv1\nmode: none\nmax_age: 86400\n",
        "<html>",
    ] {
        let planned = of_policies(&undeclared(), &[(EIGHT, body)]);
        assert!(position(&planned, StepKind::ChangeMtaSts).is_empty(), "{body}");
    }
}

#[test]
fn a_policy_that_is_seen_otherwise_than_declared_is_told() {
    let told = |planned: &Planned| {
        let lines = planned.unknown.iter().filter(|u| u.contains("MTA-STS")).cloned();
        lines.collect::<Vec<_>>().join("\n")
    };
    let shorter = of_policies(PLAN, &[(EIGHT, OF_THE_OLD)]);
    let age = "the plan has an MTA-STS policy of example.net with max-age 604800, and it has 86400; taken as seen, and what the plan has as kept by senders (seen in internet)";
    assert_eq!(told(&shorter), age);
    let past = shorter.timeline.past.iter().find(|p| p.key.kind == CacheKind::MtaSts).unwrap();
    assert_eq!(past.answer.as_ref().unwrap().ttl, 604_800, "senders may have the longer one");
    let none = of_policies(PLAN, &[(EIGHT, "version: STSv1\nmode: none\nmax_age: 86400\n")]);
    assert!(
        told(&none).contains("the plan has an MTA-STS policy of example.net, and none is enforced"),
        "{}",
        told(&none)
    );
    let agreed = of_policies(PLAN, &[(EIGHT, &OF_THE_OLD.replace("86400", "604800"))]);
    assert_eq!(told(&agreed), "");
}

#[test]
fn a_policy_that_was_replaced_is_kept_by_senders_for_as_long_as_it_said() {
    let narrow = OF_THE_OLD.replace("86400", "259200");
    let wide = "version: STSv1\nmode: enforce\nmx: *.example.org\nmax_age: 600\n";
    let planned = of_policies(&undeclared(), &[("2026-11-21T07:00:00Z", &narrow), ("2026-11-22T07:00:00Z", wide)]);
    let past = planned.timeline.past.iter().find(|p| p.key.kind == CacheKind::MtaSts && p.answer.is_some()).unwrap();
    // A day and an hour before, and ten minutes of propagation.
    assert_eq!((past.until, past.answer.as_ref().unwrap().ttl), (-90_000 + 600, 259_200));
    let mx = position(&planned, StepKind::ChangeMx)[0];
    assert!(planned.schedule[mx].start >= 259_200 - 89_400, "{}", planned.schedule[mx].start);
}
