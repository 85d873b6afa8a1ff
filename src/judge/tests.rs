//! A clean world, one thing broken, exactly these findings.

use super::world::*;
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::finding::{RunOutcome, Severity, Verdict};
use crate::model::obligation::DnsExpectation;
use crate::model::observation::Recording;
use crate::model::plan::{MatchMode, Table, Target};
use crate::model::policy::Scope;
use crate::model::service::services_of;
use crate::model::source::{Located, Span};
use crate::model::tls::{Possession, Stage, TlsOutcome};

const MAIL: &str = "mail.domain.com";

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
        world.recording.observations.clear();
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
fn old_evidence_does_not_count() {
    let mut world = simple();
    world.now = "2026-11-23T23:30:00Z".parse().unwrap();
    let judgement = world.judge();
    assert_eq!(judgement.outcome, RunOutcome::Incomplete);
    assert_eq!(judgement.counts.passed, 0);
    assert!(judgement.findings.iter().any(|f| f.title.contains("26 h ago")), "{:#?}", judgement.findings);
}

mod certificates {
    use super::*;

    fn with_file(chain: Chain) -> Vec<String> {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let name = world.name(Table::Internet, MAIL, Target::Server(server));
        let certificate = world.certificate("san", &chain);
        world.covers(name, certificate);
        world.policy.scope = Scope::Files;
        world.rules()
    }

    #[test]
    fn a_covering_one_passes() {
        assert_eq!(with_file(ROOT.issue(&[MAIL])), [""; 0]);
        assert_eq!(with_file(ROOT.issue(&["*.domain.com"])), [""; 0]);
    }

    #[test]
    fn a_missing_name_is_named_with_the_list_to_order() {
        assert_eq!(with_file(ROOT.issue(&["www.domain.com"])), ["san-missing-name"]);
        let mut world = simple();
        let server = Target::Server(crate::model::plan::ServerId(0));
        let extra = world.name(Table::Internet, "autodiscover.domain.com", server);
        world.covers(extra, crate::model::plan::CertId(0));
        let judgement = world.judge();
        assert_eq!(judgement.findings[0].rule, "san-missing-name");
        assert!(judgement.findings[0].remedy.cure[0].contains("mail.domain.com, autodiscover.domain.com"));
        assert_eq!(judgement.findings[0].subject.certificate.as_deref(), Some("san"));
    }

    #[test]
    fn a_misread_wildcard_is_its_own_fault() {
        assert_eq!(with_file(ROOT.issue(&["*.mail.domain.com", "*.com.domain.com"])), ["wildcard-depth-mismatch"]);
    }

    #[test]
    fn a_lone_common_name_is_its_own_fault() {
        assert_eq!(with_file(ROOT.issue_cn(MAIL, &[])), ["cn-only-certificate"]);
        assert_eq!(with_file(ROOT.issue_cn(MAIL, &["www.domain.com"])), ["cn-only-certificate"]);
    }

    #[test]
    fn nothing_but_a_common_name_explains_every_missing_name() {
        let chain = ROOT.issue_cn(MAIL, &[]);
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let certificate = world.planned_certificate("san", &[MAIL, "www.domain.com"]);
        for text in [MAIL, "www.domain.com"] {
            let name = world.name(Table::Internet, text, Target::Server(server));
            world.serves(name, server, &[certificate]);
            world.serve("in", "10.0.0.10", text, &chain);
        }
        let want = ["cn-only-certificate", "endpoint-serves-wrong-certificate<cn-only-certificate"];
        assert_eq!(world.rules(), want);
    }

    #[test]
    fn dates_are_judged() {
        assert_eq!(with_file(ROOT.issue_until(&[MAIL], 2025)), ["certificate-not-currently-valid"]);
    }

    #[test]
    fn a_self_signed_file_is_trusted_by_nobody() {
        assert_eq!(with_file(self_signed(MAIL, &[MAIL])), ["untrusted-issuer-for-view"]);
    }

    #[test]
    fn planned_names_are_judged_without_a_file() {
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let mail = world.name(Table::Internet, MAIL, Target::Server(server));
        let auto = world.name(Table::Internet, "autodiscover.domain.com", Target::Server(server));
        let certificate = world.planned_certificate("san", &[MAIL]);
        let (mail, auto) = (world.covers(mail, certificate), world.covers(auto, certificate));
        assert_eq!(world.rules(), ["san-missing-name"]);
        assert_eq!((world.verdict(mail), world.verdict(auto)), (Verdict::Pass, Verdict::Fail));
    }

    #[test]
    fn a_file_that_was_not_read_is_an_open_question() {
        let mut world = simple();
        world.recording.observations.retain(|o| !matches!(o.probe, crate::model::observation::Probe::File(_)));
        assert_eq!(world.rules(), ["evidence-missing"]);
        assert_eq!(world.judge().outcome, RunOutcome::Incomplete);
    }

    #[test]
    fn another_thumbprint_makes_the_plan_inconsistent() {
        let rules = broken(|w| {
            let other = crate::model::certificate::Thumbprint::Sha1([1; 20]);
            w.plan.certificates[0].thumbprint = Some(Located::new(other, Span::default()));
        });
        assert_eq!(rules, ["plan-inconsistent"]);
    }
}

mod endpoints {
    use super::*;

    #[test]
    fn another_certificate_is_wrong() {
        assert_eq!(serving(ROOT.issue(&["www.domain.com"])), ["endpoint-serves-wrong-certificate"]);
    }

    #[test]
    fn a_renewed_certificate_is_right_unless_the_very_leaf_is_demanded() {
        assert_eq!(serving(ROOT.issue(&[MAIL])), [""; 0]);
        let rules = broken(|w| {
            w.plan.certificates[0].match_mode = MatchMode::Leaf;
            w.forget("10.0.0.10");
            w.serve("in", "10.0.0.10", MAIL, &ROOT.issue(&[MAIL]));
        });
        assert_eq!(rules, ["endpoint-serves-wrong-certificate"]);
    }

    #[test]
    fn a_key_that_is_not_the_certificates_is_wrong() {
        let rules = broken(|w| {
            w.forget("10.0.0.10");
            let outcome = w.served(&ROOT.issue(&[MAIL]), Possession::Failed("bad signature".into()));
            w.see("in", tls_probe("10.0.0.10", MAIL), outcome);
        });
        assert_eq!(rules, ["endpoint-serves-wrong-certificate"]);
    }

    #[test]
    fn an_expired_chain_from_an_unknown_issuer_says_both() {
        let rules = serving(STRANGER.issue_until(&[MAIL], 2025));
        assert_eq!(rules.len(), 2, "{rules:?}");
        assert!(rules.contains(&"certificate-not-currently-valid".to_string()), "{rules:?}");
        assert!(rules.contains(&"untrusted-issuer-for-view".to_string()), "{rules:?}");
    }

    #[test]
    fn a_missing_intermediate_is_told_from_an_unknown_issuer() {
        let below = ROOT.below("Issuing CA");
        let leaf = below.issue(&[MAIL]);
        let whole: Chain = vec![leaf[0].clone(), below.der.clone()];
        assert_eq!(serving(whole.clone()), [""; 0]);
        let rules = broken(|w| {
            w.forget("10.0.0.10");
            w.serve("in", "10.0.0.10", MAIL, &leaf);
            w.forget("203.0.113.10");
            w.serve("out", "203.0.113.10", MAIL, &whole);
        });
        assert_eq!(rules, ["chain-incomplete"]);
    }

    #[test]
    fn a_default_certificate_is_the_cause_of_all_else() {
        let rules = serving(self_signed("EX2010", &["EX2010", "ex2010.domain.local"]));
        assert_eq!(rules[0], "default-certificate-served", "{rules:?}");
        assert_eq!(
            rules[1..].iter().collect::<std::collections::BTreeSet<_>>(),
            [
                &"endpoint-serves-wrong-certificate<default-certificate-served".to_string(),
                &"untrusted-issuer-for-view<default-certificate-served".to_string(),
            ]
            .into()
        );
    }

    #[test]
    fn a_default_certificate_may_have_a_planned_name() {
        let fqdn = "ex2010.domain.com";
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let certificate = world.planned_certificate("san", &[MAIL, fqdn]);
        let name = world.name(Table::Internet, MAIL, Target::Server(server));
        world.serves(name, server, &[certificate]);
        world.serve("in", "10.0.0.10", MAIL, &self_signed("EX2010", &["EX2010", fqdn]));
        assert_eq!(world.rules()[0], "default-certificate-served");
    }

    #[test]
    fn an_older_certificate_beside_the_right_one_is_not_the_one_to_reissue() {
        let auto = "autodiscover.domain.com";
        let mut world = World::empty();
        let certificate = world.planned_certificate("san", &[MAIL, auto]);
        let one = world.server("one", "10.0.0.1", "");
        let two = world.server("two", "10.0.0.2", "");
        let name = world.name(Table::Internet, auto, Target::Server(one));
        world.serves(name, one, &[certificate]);
        world.serves(name, two, &[certificate]);
        world.serve("in", "10.0.0.1", auto, &ROOT.issue(&[MAIL, auto]));
        world.serve("in", "10.0.0.2", auto, &ROOT.issue(&[MAIL]));
        assert_eq!(world.rules(), ["endpoint-serves-wrong-certificate"]);
        assert!(world.judge().findings[0].remedy.cure[0].contains("from one"));
    }

    #[test]
    fn a_key_that_was_not_proved_is_said() {
        let mut world = simple();
        world.forget("10.0.0.10");
        let outcome = world.served(&ROOT.issue(&[MAIL]), Possession::NotProved("alert".into()));
        world.see("in", tls_probe("10.0.0.10", MAIL), outcome);
        let judgement = world.judge();
        assert_eq!(judgement.outcome, RunOutcome::Pass);
        assert!(judgement.not_looked_at.iter().any(|l| l.contains("10.0.0.10:443")));
    }

    #[test]
    fn a_certificate_without_the_name_explains_every_server_that_serves_it() {
        let chain = ROOT.issue(&["www.domain.com"]);
        let mut world = World::empty();
        let server = world.server("ex2010", "10.0.0.10", "");
        let name = world.name(Table::Internet, MAIL, Target::Server(server));
        let certificate = world.certificate("san", &chain);
        world.covers(name, certificate);
        world.serves(name, server, &[certificate]);
        world.serve("in", "10.0.0.10", MAIL, &chain);
        assert_eq!(world.rules(), ["san-missing-name", "endpoint-serves-wrong-certificate<san-missing-name"]);
    }

    #[test]
    fn nothing_to_connect_to_fails_and_a_silent_handshake_is_open() {
        let rules = |outcome: TlsOutcome| {
            broken(|w| {
                w.forget("10.0.0.10");
                w.fail("in", "10.0.0.10", MAIL, outcome);
            })
        };
        assert_eq!(rules(TlsOutcome::Refused), ["endpoint-unreachable"]);
        assert_eq!(rules(TlsOutcome::StarttlsNotOffered), ["endpoint-unreachable"]);
        assert_eq!(rules(TlsOutcome::Timeout(Stage::Handshake)), ["evidence-missing"]);
        assert_eq!(rules(TlsOutcome::Alert("protocol_version".into())), ["evidence-missing"]);
    }

    #[test]
    fn one_vantage_that_gets_through_proves_the_server() {
        let rules = broken(|w| w.fail("out", "10.0.0.10", MAIL, TlsOutcome::Timeout(Stage::Connect)));
        assert_eq!(rules, [""; 0]);
    }

    #[test]
    fn every_own_address_must_be_seen() {
        let rules = broken(|w| w.plan.servers[0].addresses[0].push("2001:db8::10".parse().unwrap()));
        assert_eq!(rules, ["evidence-missing"]);
    }

    #[test]
    fn a_path_is_proved_only_from_its_view() {
        let mut world = simple();
        world.recording.runs.retain(|id, _| &**id == "in");
        world.recording.observations.retain(|o| &*o.run == "in");
        let chain = ROOT.issue(&[MAIL]);
        world.serve("in", "203.0.113.10", MAIL, &chain);
        let judgement = world.judge();
        assert_eq!(judgement.outcome, RunOutcome::Incomplete);
        assert_eq!(judgement.findings[0].title, "1 external path to 203.0.113.10 (NAT or firewall not proved)");
        assert_eq!(judgement.seen_from.paths_not_seen, ["external"]);
    }

    #[test]
    fn what_a_wrong_record_leads_to_follows_from_the_record() {
        let rules = broken(|w| {
            w.unsay(EXTERNAL, MAIL);
            w.answer(EXTERNAL, MAIL, &["198.51.100.9"]);
            w.serve("out", "198.51.100.9", MAIL, &ROOT.issue(&["www.example.net"]));
        });
        let want = ["resolves-to-unexpected-target", "endpoint-serves-wrong-certificate<resolves-to-unexpected-target"];
        assert_eq!(rules, want);
    }

    #[test]
    fn untrusted_anchors_that_could_not_be_read_leave_it_open() {
        let mut world = simple();
        world.forget("10.0.0.10");
        world.serve("in", "10.0.0.10", MAIL, &STRANGER.issue(&[MAIL]));
        for run in world.recording.runs.values_mut() {
            for view in ["internal", "external"] {
                run.trust_errors.insert(view.into(), vec!["corp.pem: not found".into()]);
            }
        }
        assert!(world.rules().iter().all(|r| r == "evidence-missing"));
    }
}

mod pools {
    use super::*;

    #[test]
    fn a_missing_intermediate_is_blamed_on_the_member_whose_chain_it_is() {
        let below = ROOT.below("Issuing CA");
        let leaf = below.issue(&[MAIL]);
        let whole: Chain = vec![leaf[0].clone(), below.der.clone()];
        let world = pooled(&whole, &leaf);
        let judgement = world.judge();
        assert_eq!(world.rules(), ["chain-incomplete"]);
        assert_eq!(judgement.findings[0].subject.server.as_deref(), Some("ex19-02"));
        assert_eq!(judgement.counts.failed, 2);
    }

    /// Two members behind a balancer; the second one serves `second`.
    fn pooled(good: &Chain, second: &Chain) -> World {
        let mut world = World::empty();
        let one = world.server("ex19-01", "10.0.0.11", "");
        let two = world.server("ex19-02", "10.0.0.12", "");
        let pool = world.pool("owa", "10.0.0.30", &[one, two]);
        let name = world.name(Table::Internet, MAIL, Target::Pool(pool));
        let certificate = world.certificate("mail", good);
        world.serves(name, one, &[certificate]);
        world.serves(name, two, &[certificate]);
        world.path(name, INTERNAL, Target::Pool(pool), &["10.0.0.30"]);
        world.serve("in", "10.0.0.11", MAIL, good);
        world.serve("in", "10.0.0.12", MAIL, second);
        for sample in 0..4 {
            world.serve_sample("in", "10.0.0.30", MAIL, if sample % 2 == 0 { good } else { second }, sample);
        }
        world
    }

    #[test]
    fn the_odd_node_is_one_finding() {
        let good = ROOT.issue(&[MAIL]);
        let mut world = pooled(&good, &self_signed("EX19-02", &["EX19-02"]));
        for server in &mut world.plan.servers {
            server.product = Some(Located::new("exchange-2019".into(), Span::default()));
        }
        world.plan.names[0].services = Some(vec![https()]);
        world.plan.mail.push(crate::model::plan::MailDomain {
            domain: crate::model::name::Name::parse("domain.com").unwrap(),
            mx: [None, None, None],
            autodiscover: crate::model::plan::Autodiscover::None,
            span: Span::default(),
        });
        let judgement = world.judge();
        let causes: Vec<_> = judgement.findings.iter().filter(|f| f.caused_by.is_none()).collect();
        assert_eq!(causes.iter().map(|f| f.rule).collect::<Vec<_>>(), ["default-certificate-served"]);
        assert_eq!(judgement.obligations[2].cell, "2 of 4");
        let finding = causes[0];
        assert_eq!(finding.subject.server.as_deref(), Some("ex19-02"));
        assert_eq!(finding.hurts, ["whoever the load balancer sends there: 2 of 4 tries at owa 10.0.0.30:443"]);
        assert_eq!(finding.remedy.now, ["take ex19-02 out of the pool owa"]);
        assert!(finding.remedy.cure.iter().any(|c| c.contains("Enable-ExchangeCertificate -Server ex19-02")));
        let also: std::collections::BTreeSet<_> = judgement.findings[1..].iter().map(|f| f.rule).collect();
        let want = ["endpoint-serves-wrong-certificate", "pool-certificate-divergence", "untrusted-issuer-for-view"];
        assert_eq!(also, want.into());
    }

    #[test]
    fn covering_certificates_that_differ_are_a_warning() {
        let world = pooled(&ROOT.issue(&[MAIL]), &ROOT.issue(&[MAIL, "www.domain.com"]));
        let judgement = world.judge();
        assert_eq!(world.rules(), ["pool-certificate-divergence"]);
        assert_eq!(judgement.findings[0].severity, Severity::Warning);
        assert_eq!((judgement.outcome, judgement.counts.warned), (RunOutcome::Pass, 1));
    }

    #[test]
    fn certificates_that_differ_in_their_key_only_are_equal() {
        assert_eq!(pooled(&ROOT.issue(&[MAIL]), &ROOT.issue(&[MAIL])).rules(), [""; 0]);
    }

    #[test]
    fn a_member_on_which_nothing_answers_explains_the_balancer() {
        let good = ROOT.issue(&[MAIL]);
        let mut world = pooled(&good, &good);
        world.forget("10.0.0.12");
        world.forget("10.0.0.30");
        world.fail("in", "10.0.0.12", MAIL, TlsOutcome::Refused);
        world.fail("in", "10.0.0.30", MAIL, TlsOutcome::Closed(Stage::Handshake));
        assert_eq!(world.rules(), ["endpoint-unreachable", "endpoint-unreachable<endpoint-unreachable"]);
    }
}

mod dns {
    use super::*;

    #[test]
    fn a_missing_name_tells_what_was_said() {
        let mut world = simple();
        world.unsay(INTERNAL, MAIL);
        world.say(INTERNAL, MAIL, &nxdomain());
        assert_eq!(world.rules(), ["name-unresolved-in-view"]);
        let finding = world.judge().findings.remove(0);
        assert_eq!(finding.seen, ["NXDOMAIN from 10.0.0.53, 2026-11-22 21:04Z; authority SOA ns1.domain.com"]);
        assert_eq!(finding.remedy.cure[0], "internal zone: mail.domain.com. 300 IN A 10.0.0.10");
        assert_eq!(
            finding.remedy.cure[1],
            "caches may say \"absent\" for 30 min more (negative TTL 900 s + 15 min propagation)"
        );
    }

    #[test]
    fn servfail_fails_what_must_resolve_and_refused_does_not() {
        let word = |outcome: DnsOutcome| {
            broken(|w| {
                w.unsay(INTERNAL, MAIL);
                w.say(INTERNAL, MAIL, &outcome);
            })
        };
        assert_eq!(word(DnsOutcome::ServFail), ["name-unresolved-in-view"]);
        assert_eq!(word(DnsOutcome::Refused), ["evidence-missing"]);
        assert_eq!(word(DnsOutcome::Timeout), ["evidence-missing"]);
    }

    #[test]
    fn a_resolver_that_fails_for_every_name_is_one_finding() {
        let mut world = simple();
        let server = Target::Server(crate::model::plan::ServerId(0));
        let www = world.name(Table::Internet, "www.domain.com", server);
        world.resolves(www, INTERNAL, &["10.0.0.10"]);
        world.unsay(INTERNAL, MAIL);
        world.say(INTERNAL, MAIL, &DnsOutcome::ServFail);
        world.say(INTERNAL, "www.domain.com", &DnsOutcome::ServFail);
        assert_eq!(world.rules(), ["name-unresolved-in-view"]);
        assert_eq!(world.judge().findings[0].title, "resolver 10.0.0.53 of internal fails whatever it is asked");
    }

    #[test]
    fn a_forgotten_aaaa_leads_elsewhere() {
        let rules = broken(|w| {
            w.unsay(INTERNAL, MAIL);
            w.answer(INTERNAL, MAIL, &["10.0.0.10", "2001:db8::3"]);
        });
        assert_eq!(rules, ["resolves-to-unexpected-target"]);
    }

    #[test]
    fn half_an_answer_is_no_answer() {
        let mut world = simple();
        let label = world.plan.views[0].label.clone();
        world.recording.observations.retain(|o| {
            !matches!(&o.probe, crate::model::observation::Probe::Dns(p) if p.view == label && p.kind == RecordType::Aaaa)
        });
        world.says(INTERNAL, 0, MAIL, RecordType::Aaaa, DnsOutcome::Timeout);
        assert_eq!((world.verdict(1), world.rules()), (Verdict::Unobserved, vec!["evidence-missing".to_string()]));
    }

    #[test]
    fn one_silent_resolver_is_named_once_and_leaves_nothing_open() {
        let mut world = simple();
        world.unsay(EXTERNAL, MAIL);
        world.answer_of(EXTERNAL, 0, MAIL, &["203.0.113.10"]);
        RecordType::ALL.into_iter().for_each(|k| world.says(EXTERNAL, 1, MAIL, k, DnsOutcome::Timeout));
        let judgement = world.judge();
        assert_eq!(judgement.findings.len(), 1);
        assert!(!judgement.findings[0].open_question && judgement.findings[0].title.contains("1.1.1.1"));
        assert_eq!((judgement.outcome, judgement.counts.passed), (RunOutcome::Pass, 5));
        assert_eq!(judgement.seen_from.resolvers[1].answered, 1);
    }

    #[test]
    fn what_must_be_absent_passes_by_absence_only() {
        let judged = |outcome: DnsOutcome, forbidden: bool| {
            let mut world = World::empty();
            let server = world.server("ex2010", "10.0.0.10", "");
            let name = world.name(Table::Intranet, "ex2010.domain.com", Target::Server(server));
            let expected = DnsExpectation { absent: true, forbidden, ..Default::default() };
            let obligation = world.expects(name, EXTERNAL, expected);
            world.say(EXTERNAL, "ex2010.domain.com", &outcome);
            (world.verdict(obligation), world.rules(), world.judge().obligations[0].cell.clone())
        };
        assert_eq!(judged(nxdomain(), true), (Verdict::Pass, vec![], "absent".into()));
        assert_eq!(judged(DnsOutcome::ServFail, true).0, Verdict::Unobserved);
        let answer = || {
            let address = "10.0.0.10".parse().unwrap();
            let addresses = vec![crate::model::dns::AddressRecord { address, ttl: 60 }];
            DnsOutcome::Answer(crate::model::dns::Reply { addresses, ..Default::default() })
        };
        let leaked = judged(answer(), true);
        assert_eq!((leaked.0, leaked.1), (Verdict::Warn, vec!["intranet-name-in-external-view".to_string()]));
        let left = judged(answer(), false);
        assert_eq!((left.0, left.1), (Verdict::Fail, vec!["resolves-to-unexpected-target".to_string()]));
    }

    #[test]
    fn in_a_transition_either_target_or_both_are_right() {
        let judged = |addresses: &[&str]| {
            let mut world = World::empty();
            let server = world.server("ex2010", "10.0.0.10", "");
            let name = world.name(Table::Internet, MAIL, Target::Server(server));
            let set = |a: &str| crate::model::obligation::Alternative {
                targets: vec![Target::Server(server)],
                addresses: [a.parse().unwrap()].into(),
            };
            let present = vec![set("10.0.0.3"), set("10.0.0.10")];
            let obligation = world.expects(name, INTERNAL, DnsExpectation { present, ..Default::default() });
            world.answer(INTERNAL, MAIL, addresses);
            world.verdict(obligation)
        };
        assert_eq!(judged(&["10.0.0.3"]), Verdict::Pass);
        assert_eq!(judged(&["10.0.0.10"]), Verdict::Pass);
        assert_eq!(judged(&["10.0.0.3", "10.0.0.10"]), Verdict::Pass);
        assert_eq!(judged(&["10.0.0.4"]), Verdict::Fail);
        assert_eq!(judged(&["10.0.0.3", "10.0.0.4"]), Verdict::Fail);
    }

    #[test]
    fn others_hosts_are_compared_in_the_same_view() {
        let judged = |host: &[&str], own: &[&str]| {
            let mut world = World::empty();
            let server = world.server("m365", "", "");
            let name = world.name(Table::Internet, "autodiscover.domain.com", Target::Server(server));
            let like = vec![crate::model::name::Name::parse("autodiscover.outlook.com").unwrap()];
            let obligation = world.expects(name, EXTERNAL, DnsExpectation { like, ..Default::default() });
            if !host.is_empty() {
                world.answer(EXTERNAL, "autodiscover.outlook.com", host);
            }
            world.answer(EXTERNAL, "autodiscover.domain.com", own);
            world.verdict(obligation)
        };
        assert_eq!(judged(&["203.0.113.7", "203.0.113.8"], &["203.0.113.8"]), Verdict::Pass);
        assert_eq!(judged(&["203.0.113.7"], &["203.0.113.9"]), Verdict::Fail);
        assert_eq!(judged(&[], &["203.0.113.9"]), Verdict::Unobserved);
    }

    #[test]
    fn a_ttl_above_the_bound_fails() {
        let judged = |at_most: u32| {
            let mut world = simple();
            let name = crate::model::plan::NameId(0);
            let claim = crate::model::obligation::Claim::Lowered { name, view: EXTERNAL, at_most };
            world.oblige("ttl/external/mail.domain.com", claim, &[EXTERNAL]);
            world.rules()
        };
        assert_eq!(judged(300), [""; 0]);
        assert_eq!(judged(299), ["ttl-too-high-at-flip"]);
    }

    /// Two names whose external answers are as inside.
    fn redirected(resolver: &str) -> World {
        let mut world = World::empty();
        world.plan.views[1].resolvers =
            vec![Located::new(crate::model::dns::ResolverAddr::parse(resolver).unwrap(), Span::default())];
        let server = world.server("ex2010", "10.0.0.10", "203.0.113.10");
        for text in [MAIL, "autodiscover.domain.com"] {
            let name = world.name(Table::Internet, text, Target::Server(server));
            world.resolves(name, INTERNAL, &["10.0.0.10"]);
            world.resolves(name, EXTERNAL, &["203.0.113.10"]);
            world.answer(INTERNAL, text, &["10.0.0.10"]);
            world.answer(EXTERNAL, text, &["10.0.0.10"]);
        }
        world
    }

    #[test]
    fn answers_of_inside_from_outside_are_believed_only_encrypted() {
        let judgement = redirected("9.9.9.9").judge();
        assert_eq!(judgement.findings.iter().map(|f| f.rule).collect::<Vec<_>>(), ["dns-interception-suspected"]);
        assert_eq!((judgement.outcome, judgement.counts.unobserved), (RunOutcome::Incomplete, 2));
        assert_eq!(redirected("tls://9.9.9.9").rules(), ["resolves-to-unexpected-target"; 2]);
    }
}

mod legacy {
    use super::*;
    use crate::model::plan::{ServerId, Wanted};

    const LEGACY: &str = "legacy.mail.domain.com";

    /// The old server with its legacy name in both views.
    fn world(chain: &Chain) -> World {
        let mut world = World::empty();
        let old = world.server("ex2003-fe", "10.0.0.3", "203.0.113.3");
        let name = world.name(Table::Legacy, LEGACY, Target::Server(old));
        let certificate = world.certificate("san", chain);
        world.covers(name, certificate);
        world.resolves(name, INTERNAL, &["10.0.0.3"]);
        world.resolves(name, EXTERNAL, &["203.0.113.3"]);
        world.answer(INTERNAL, LEGACY, &["10.0.0.3"]);
        world.answer(EXTERNAL, LEGACY, &["203.0.113.3"]);
        world
    }

    #[test]
    fn a_name_in_one_view_is_one_finding() {
        let mut world = world(&ROOT.issue(&[LEGACY]));
        assert_eq!(world.rules(), [""; 0]);
        world.unsay(EXTERNAL, LEGACY);
        world.say(EXTERNAL, LEGACY, &nxdomain());
        assert_eq!(world.rules(), ["legacy-name-single-view", "name-unresolved-in-view<legacy-name-single-view"]);
        let judgement = world.judge();
        let finding = &judgement.findings[0];
        assert_eq!(finding.title, "legacy.mail.domain.com exists inside only");
        assert_eq!(finding.expected, ["external: A 203.0.113.3 (ex2003-fe)"]);
        assert_eq!(
            finding.seen[0],
            "NXDOMAIN from 9.9.9.9 and 1.1.1.1, 2026-11-22 21:04Z; authority SOA ns1.domain.com"
        );
        assert_eq!(finding.remedy.cure[0], "public zone: legacy.mail.domain.com. 300 IN A 203.0.113.3");
        assert!(finding.remedy.cure[1].contains("20 min more"), "{:?}", finding.remedy.cure);
        assert_eq!(judgement.obligations[2].cell, "NXDOMAIN");
    }

    #[test]
    fn an_uncovered_legacy_name_has_a_rule_of_its_own() {
        assert_eq!(world(&ROOT.issue(&[MAIL])).rules(), ["legacy-name-uncovered"]);
        let wildcard = ROOT.issue(&["*.domain.com"]);
        let want = ["wildcard-depth-mismatch", "legacy-name-uncovered<wildcard-depth-mismatch"];
        assert_eq!(world(&wildcard).rules(), want);
    }

    #[test]
    fn a_served_wildcard_is_recognised_where_only_names_are_planned() {
        let chain = ROOT.issue(&["*.domain.com"]);
        let mut world = World::empty();
        let old = world.server("ex2003-fe", "10.0.0.3", "");
        let name = world.name(Table::Legacy, LEGACY, Target::Server(old));
        let certificate = world.planned_certificate("san", &[MAIL, LEGACY]);
        world.covers(name, certificate);
        world.serves(name, old, &[certificate]);
        world.serve("in", "10.0.0.3", LEGACY, &chain);
        let rules = world.rules();
        assert_eq!(rules[0], "wildcard-depth-mismatch");
        assert!(rules[1..].iter().all(|r| r.ends_with("<wildcard-depth-mismatch")), "{rules:?}");
        assert_eq!(rules.len(), 3, "{rules:?}");
    }

    #[test]
    fn the_old_certificate_is_wrong_and_not_lacking() {
        let mut world = World::empty();
        let old = world.server("ex2003-fe", "10.0.0.3", "");
        let name = world.name(Table::Legacy, LEGACY, Target::Server(old));
        world.planned_certificate("old", &[MAIL]);
        let san = world.planned_certificate("san", &[MAIL, LEGACY]);
        world.serves(name, old, &[san]);
        world.serve("in", "10.0.0.3", LEGACY, &ROOT.issue(&[MAIL]));
        assert_eq!(world.rules(), ["endpoint-serves-wrong-certificate"]);
    }

    #[test]
    fn both_names_at_one_address_are_a_loop() {
        let mut world = world(&ROOT.issue(&[LEGACY]));
        let new = world.server("ex2010", "10.0.0.10", "203.0.113.10");
        let mail = world.name(Table::Internet, MAIL, Target::Server(new));
        for phases in &mut world.plan.names[mail.0].wanted {
            phases[0].value = Wanted::Targets(vec![Target::Server(ServerId(0))]);
        }
        world.resolves(mail, INTERNAL, &["10.0.0.10"]);
        world.answer(INTERNAL, MAIL, &["10.0.0.10"]);
        assert_eq!(world.rules(), [""; 0]);
        world.unsay(INTERNAL, LEGACY);
        world.answer(INTERNAL, LEGACY, &["10.0.0.10"]);
        let want = ["resolves-to-unexpected-target", "legacy-equals-primary-target<resolves-to-unexpected-target"];
        assert_eq!(world.rules(), want);
        world.plan.names[mail.0].wanted[0][1].value = Wanted::Targets(vec![Target::Server(ServerId(0))]);
        assert!(world.rules().contains(&"legacy-equals-primary-target".to_string()));
    }
}

mod plans {
    use super::*;

    fn products(products: &[&str], legacy: bool) -> Vec<String> {
        let mut world = World::empty();
        for (i, product) in products.iter().enumerate() {
            let server = world.server(product, &format!("10.0.0.{i}"), "");
            world.plan.servers[server.0].product = Some(Located::new(product.to_string(), Span::default()));
        }
        if legacy {
            let old = Target::Server(crate::model::plan::ServerId(0));
            world.name(Table::Legacy, "legacy.domain.com", old);
        }
        world.judge().findings.iter().map(|f| format!("{} {}", f.severity, f.rule)).collect()
    }

    #[test]
    fn versions_that_redirect_need_a_legacy_name() {
        assert_eq!(products(&["exchange-2003", "exchange-2010"], false), ["error plan-inconsistent"]);
        assert_eq!(products(&["exchange-2003", "exchange-2010"], true), [""; 0]);
        assert_eq!(products(&["exchange-2010", "exchange-2016-cu23"], true), ["warning plan-inconsistent"]);
        assert_eq!(products(&["exchange-2010", "exchange-2016"], false), [""; 0]);
    }

    #[test]
    fn an_exchange_domain_needs_autodiscover() {
        let rules = broken(|w| {
            w.plan.servers[0].product = Some(Located::new("exchange-2016".into(), Span::default()));
        });
        assert_eq!(rules, ["plan-inconsistent"]);
    }

    #[test]
    fn an_unknown_rule_has_a_hint() {
        let mut world = simple();
        world.waive("endpoint-unreachabel", None, None);
        let finding = world.judge().findings.remove(0);
        assert_eq!(
            (finding.rule, finding.remedy.cure[0].as_str()),
            ("plan-inconsistent", "did you mean endpoint-unreachable?")
        );
    }

    #[test]
    fn rules_of_later_releases_may_be_waived_already() {
        let mut world = simple();
        world.waive("tls-version-below-floor", Some("ex2010"), None);
        assert_eq!(world.rules(), [""; 0]);
        assert!(world.judge().not_looked_at.iter().any(|l| l.contains("tls-version-below-floor")));
    }
}

mod waivers {
    use super::*;

    fn refused() -> World {
        let mut world = simple();
        world.forget("10.0.0.10");
        world.fail("in", "10.0.0.10", MAIL, TlsOutcome::Refused);
        world
    }

    #[test]
    fn one_in_force_accepts_what_it_names() {
        for on in [None, Some("ex2010"), Some(MAIL)] {
            let mut world = refused();
            world.waive("endpoint-unreachable", on, Some("2027-04-01T00:00:00Z"));
            let judgement = world.judge();
            assert_eq!((judgement.outcome, judgement.counts.waived), (RunOutcome::Pass, 1), "{on:?}");
            let waived = judgement.findings[0].waived.clone().unwrap();
            assert_eq!((waived.reason.as_str(), waived.until.as_deref()), ("because", Some("2027-03-31")));
        }
    }

    #[test]
    fn one_that_names_something_else_accepts_nothing() {
        let mut world = refused();
        world.waive("endpoint-unreachable", Some("ex2003"), None);
        assert_eq!(world.rules(), ["endpoint-unreachable", "waiver-matched-nothing"]);
        assert_eq!(world.judge().outcome, RunOutcome::Fail);
    }

    #[test]
    fn an_expired_one_accepts_nothing() {
        let mut world = refused();
        world.waive("endpoint-unreachable", None, Some("2026-11-22T00:00:00Z"));
        assert_eq!(world.rules(), ["endpoint-unreachable", "waiver-expired"]);
        assert_eq!(world.judge().outcome, RunOutcome::Fail);
    }

    #[test]
    fn one_for_a_name_does_not_accept_its_neighbour() {
        let mut world = simple();
        let server = crate::model::plan::ServerId(0);
        let other = world.name(Table::Internet, "www.domain.com", Target::Server(server));
        world.serves(other, server, &[]);
        world.forget("10.0.0.10");
        world.fail("in", "10.0.0.10", MAIL, TlsOutcome::Refused);
        world.fail("in", "10.0.0.10", "www.domain.com", TlsOutcome::Refused);
        world.waive("endpoint-unreachable", Some(MAIL), None);
        let judgement = world.judge();
        assert_eq!((judgement.counts.failed, judgement.counts.waived), (1, 1));
        assert_eq!(judgement.outcome, RunOutcome::Fail);
    }

    #[test]
    fn none_makes_a_pass_of_what_was_not_told() {
        let mut world = simple();
        world.forget("10.0.0.10");
        world.waive("evidence-missing", None, None);
        assert_eq!((world.verdict(3), world.judge().outcome), (Verdict::Unobserved, RunOutcome::Incomplete));
    }

    #[test]
    fn severities_are_the_plans() {
        let judged = |severity: Option<Severity>| {
            let mut world = refused();
            world.plan.severity.insert("endpoint-unreachable".into(), Located::new(severity, Span::default()));
            let judgement = world.judge();
            (judgement.outcome, judgement.counts.warned, judgement.findings.len())
        };
        assert_eq!(judged(Some(Severity::Warning)), (RunOutcome::Pass, 1, 1));
        assert_eq!(judged(Some(Severity::Info)), (RunOutcome::Pass, 1, 1));
        assert_eq!(judged(None), (RunOutcome::Pass, 1, 0));
        let mut strict = refused();
        strict
            .plan
            .severity
            .insert("endpoint-unreachable".into(), Located::new(Some(Severity::Warning), Span::default()));
        strict.policy.fail_on = Severity::Warning;
        assert_eq!(strict.judge().outcome, RunOutcome::Fail);
    }
}

mod interception {
    use super::*;

    /// Two servers, two names each, one planned certificate.
    fn planned(chain: impl Fn(&str) -> Chain) -> World {
        let names = [MAIL, "www.domain.com"];
        let mut world = World::empty();
        let certificate = world.planned_certificate("san", &names);
        for (label, address) in [("one", "10.0.0.1"), ("two", "10.0.0.2")] {
            let server = world.server(label, address, "");
            for text in names {
                let name = world.name(Table::Internet, text, Target::Server(server));
                world.serves(name, server, &[certificate]);
                world.serve("in", address, text, &chain(text));
            }
        }
        world
    }

    #[test]
    fn one_planned_certificate_that_shows_as_many_was_made_on_the_way() {
        assert_eq!(planned(|name| STRANGER.issue(&[name])).rules(), ["tls-interception-suspected"]);
        let one = STRANGER.issue(&[MAIL, "www.domain.com"]);
        assert_eq!(planned(|_| one.clone()).rules(), ["untrusted-issuer-for-view"]);
        assert_eq!(planned(|name| ROOT.issue(&[name])).rules(), [""; 0]);
    }

    #[test]
    fn servers_that_share_an_unplanned_issuer_are_not_believed() {
        let mut world = simple();
        let www = world.server("www", "10.0.0.20", "203.0.113.20");
        let name = world.name(Table::Internet, "www.domain.com", Target::Server(www));
        let certificate = world.certificate("www", &ROOT.issue(&["www.domain.com"]));
        world.serves(name, www, &[certificate]);
        world.forget("10.0.0.10");
        world.serve("in", "10.0.0.10", MAIL, &STRANGER.issue(&[MAIL]));
        assert!(
            world.rules().contains(&"untrusted-issuer-for-view".to_string()),
            "one server alone is the server's fault"
        );
        world.serve("in", "10.0.0.20", "www.domain.com", &STRANGER.issue(&["www.domain.com"]));
        assert_eq!(world.rules(), ["tls-interception-suspected"]);
        assert_eq!((world.verdict(3), world.judge().outcome), (Verdict::Unobserved, RunOutcome::Incomplete));
    }
}

#[test]
fn an_old_target_is_due_until_its_caches_have_drained() {
    let mut world = simple();
    world.obligations[3].drain = Some(crate::model::obligation::Drain { hold: 3600 });
    let due = |world: &World| world.judge().obligations[3].due;
    assert!(due(&world), "without a time of the flip it stays due");
    let flipped = |world: &mut World, at: &str| world.plan.cutover.flipped = vec![Some(at.parse().unwrap()); 2];
    flipped(&mut world, "2026-11-22T20:30:00Z");
    assert!(due(&world));
    flipped(&mut world, "2026-11-22T19:00:00Z");
    assert!(!due(&world));
}

#[test]
fn a_service_is_asked_where_it_listens() {
    let mut world = simple();
    let smtp = services_of("smtp").unwrap().remove(0);
    let (name, server) = (crate::model::plan::NameId(0), crate::model::plan::ServerId(0));
    let obligation = world.serves_at(name, server, smtp, &[]);
    assert_eq!(world.verdict(obligation), Verdict::Unobserved);
}
