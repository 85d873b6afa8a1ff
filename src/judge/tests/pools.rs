//! Load-balanced pools.

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
    world.plan.names[0].services = Some([https()].into());
    world.plan.mail.push(MailDomain {
        domain: Name::parse("domain.com").unwrap(),
        mx: [None, None, None],
        autodiscover: Autodiscover::None,
        mta_sts: None,
        helo: None,
        span: Span::default(),
    });
    let judgement = world.judge();
    let causes: Vec<_> = judgement.findings.iter().filter(|f| f.caused_by.is_none()).collect();
    assert_eq!(causes.iter().map(|f| f.rule).collect::<Vec<_>>(), ["default-certificate-served"]);
    assert_eq!(&*judgement.obligations[2].cell, "2 of 4");
    let finding = causes[0];
    assert_eq!(finding.subject.server.as_deref(), Some("ex19-02"));
    assert_eq!(finding.expected[1], "(certificate \"mail\"; ex19-01 serves it)");
    assert_eq!(finding.hurts, ["whoever the load balancer sends there: 2 of 4 tries at owa 10.0.0.30 (https)"]);
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
    for sample in 0..4 {
        match sample % 2 {
            0 => world.serve_sample("in", "10.0.0.30", MAIL, &good, sample),
            _ => world.fail_sample("in", "10.0.0.30", MAIL, TlsOutcome::Closed(Stage::Handshake), sample),
        }
    }
    assert_eq!(world.rules(), ["endpoint-unreachable"]);
    let finding = &world.judge().findings[0];
    assert_eq!((finding.subject.server.as_deref(), finding.obligations.len()), (Some("ex19-02"), 2));
    assert_eq!(finding.seen, ["connection refused: https 10.0.0.12:443"]);
    assert!(finding.hurts[0].ends_with("2 of 4 tries at owa 10.0.0.30 (https)"), "{:?}", finding.hurts);
    assert_eq!(finding.remedy.now, ["take ex19-02 out of the pool owa"]);
}

#[test]
fn a_dead_member_does_not_explain_a_balancer_that_lets_nobody_through() {
    let good = ROOT.issue(&[MAIL]);
    let mut world = pooled(&good, &good);
    world.forget("10.0.0.12");
    world.forget("10.0.0.30");
    world.fail("in", "10.0.0.12", MAIL, TlsOutcome::Refused);
    (0..4).for_each(|n| world.fail_sample("in", "10.0.0.30", MAIL, TlsOutcome::Timeout(Stage::Connect), n));
    assert_eq!(world.rules(), ["endpoint-unreachable", "endpoint-unreachable"]);
    world.forget("10.0.0.11");
    world.fail("in", "10.0.0.11", MAIL, TlsOutcome::Refused);
    assert_eq!(world.judge().findings.iter().map(|f| f.obligations.len()).max(), Some(2), "all members are silent");
}

#[test]
fn fewer_tries_than_the_plan_asks_leave_the_pool_open() {
    let good = ROOT.issue(&[MAIL]);
    let mut world = pooled(&good, &good);
    world.forget("10.0.0.30");
    (0..2).for_each(|n| world.serve_sample("in", "10.0.0.30", MAIL, &good, n));
    assert_eq!((world.rules(), world.verdict(2)), (vec!["evidence-missing".to_string()], Verdict::Unobserved));
    assert_eq!(world.judge().findings[0].title, "2 of 4 tries at owa seen");
}
