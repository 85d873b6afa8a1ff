//! Judgements made by hand: the two screens to aim at, and the pieces that tests put together.

use std::sync::Arc;

use crate::model::finding::{
    ClaimKind, Counts, Finding, Judged, Judgement, Remedy, ResolversSeen, RunOutcome, SeenFrom, Severity, Subject,
    Verdict, WaivedBy,
};
use crate::model::obligation::ObligationId;
use crate::model::policy::Scope;
use crate::model::source::Place;
use ClaimKind::{Dns, Path, San, Tls};
use Verdict::{Fail, Pass, Unobserved};

/// Nothing due, nothing found.
pub(super) fn judgement() -> Judgement {
    Judgement {
        plan: "plan.toml".into(),
        scope: Scope::All,
        now: "2026-11-21T21:04:00Z".parse().unwrap(),
        asked: "coexistence".into(),
        outcome: RunOutcome::Pass,
        counts: Counts::default(),
        partial: false,
        seen_from: SeenFrom::default(),
        obligations: Vec::new(),
        findings: Vec::new(),
        not_looked_at: Vec::new(),
    }
}

pub(super) fn finding(rule: &'static str, severity: Severity) -> Finding {
    Finding {
        rule,
        severity,
        title: String::new(),
        subject: Subject::default(),
        expected: Vec::new(),
        seen: Vec::new(),
        hurts: Vec::new(),
        remedy: Remedy::default(),
        at: None,
        evidence: Vec::new(),
        obligations: Vec::new(),
        open_question: false,
        waived: None,
        caused_by: None,
    }
}

/// An open question.
pub(super) fn open(title: &str) -> Finding {
    Finding { title: title.into(), open_question: true, ..finding("evidence-missing", Severity::Warning) }
}

/// An obligation that is due; an empty text is none.
pub(super) fn judged(kind: ClaimKind, name: &str, view: &str, server: &str, verdict: Verdict, cell: &str) -> Judged {
    let some = |text: &str| (!text.is_empty()).then(|| text.into());
    let before = format!("{kind:?}/{view}{server}/").to_lowercase();
    Judged {
        id: ObligationId { around: Arc::new((before, String::new())), name: name.into() },
        kind,
        about: Subject { view: some(view), server: some(server), ..Subject::default() }.into(),
        phases: vec!["coexistence".into()].into(),
        due: true,
        verdict,
        cell: cell.into(),
    }
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|l| l.to_string()).collect()
}

fn at(file: &str, line: usize, column: usize) -> Option<Place> {
    Some(Place { file: file.into(), line, column, pointer: None })
}

fn resolvers(view: &str, answered: usize, declared: usize) -> ResolversSeen {
    ResolversSeen { view: view.into(), answered, declared }
}

/// As [`judged`], at a service.
fn at_service(service: &str, mut judged: Judged) -> Judged {
    Arc::make_mut(&mut judged.id.around).1 = format!("/{service}");
    Arc::make_mut(&mut judged.about).service = Some(service.into());
    judged
}

fn balanced_obligations() -> Vec<Judged> {
    let mut all = Vec::new();
    for (name, services) in
        [("mail", &["IIS:443", "SMTP:25", "IMAP:143", "POP:110"][..]), ("autodiscover", &["IIS:443"])]
    {
        let name = &format!("{name}.exchangeservergeek.com");
        all.push(judged(San, name, "", "", Pass, ""));
        all.extend(["internal", "external"].map(|view| judged(Dns, name, view, "", Pass, "")));
        for (kind, view, server, verdict, cell) in [
            (Tls, "", "ex19-01", Pass, ""),
            (Tls, "", "ex19-02", Fail, ""),
            (Path, "internal", "owa", Fail, "2 of 4"),
            (Path, "external", "owa", Unobserved, ""),
        ] {
            let one = |service: &&str| at_service(service, judged(kind, name, view, server, verdict, cell));
            all.extend(services.iter().map(one));
        }
    }
    all
}

/// The load-balanced pool with the odd node.
pub(super) fn balanced() -> Judgement {
    let obligations = balanced_obligations();
    let failed = obligations.iter().filter(|o| o.verdict == Fail).map(|o| o.id.to_string().into()).collect();
    let cause = Finding {
        title: "ex19-02 still serves its out-of-box certificate (IIS SMTP IMAP POP)".into(),
        subject: Subject { server: Some("ex19-02".into()), certificate: Some("mail".into()), ..Subject::default() },
        expected: texts(&[
            "B26C3C9B30A2A7371767275043816466CB921738  CN=mail.exchangeservergeek.com",
            "(certificate \"mail\"; ex19-01 serves it on all 4)",
        ]),
        seen: texts(&[
            "0F5D41B7C2A96E83D10457BB9E62A8C3714D09FE  CN=EX19-02, self-signed",
            "10.0.0.12:443  :25 STARTTLS  :143 STARTTLS  :110 STLS",
        ]),
        hurts: texts(&["whoever the load balancer sends there: 2 of 4 tries at owa 10.0.0.30:443"]),
        remedy: Remedy {
            now: texts(&["take ex19-02 out of the pool"]),
            cure: texts(&[
                "import B26C... from ex19-01 with -PrivateKeyExportable $true, then",
                "Enable-ExchangeCertificate -Server EX19-02 -Thumbprint B26C... -Services IIS,SMTP,IMAP,POP",
            ]),
            next: Vec::new(),
        },
        at: at("exchange-2019.toml", 14, 12),
        evidence: texts(&["tls/10.0.0.12:443/mail.exchangeservergeek.com"]),
        obligations: failed,
        ..finding("default-certificate-served", Severity::Error)
    };
    let next = r"on a phone hotspot: .\coexist.exe check .\exchange-2019.toml --from external --record out.jsonl";
    let question = Finding {
        remedy: Remedy { next: texts(&[next]), ..Remedy::default() },
        ..open("5 external paths to 203.0.113.30 (NAT or firewall not proved)")
    };
    let follows =
        |rule, title: &str| Finding { title: title.into(), caused_by: Some(0), ..finding(rule, Severity::Error) };
    Judgement {
        outcome: RunOutcome::Fail,
        counts: Counts { passed: 11, failed: 10, warned: 0, unobserved: 5, waived: 0 },
        seen_from: SeenFrom {
            stands_in: texts(&["internal"]),
            addresses: vec!["10.0.0.77".parse().unwrap()],
            resolvers: vec![resolvers("internal", 2, 2), resolvers("external", 3, 3)],
            paths_not_seen: texts(&["external"]),
            ..SeenFrom::default()
        },
        obligations,
        findings: vec![
            cause,
            question,
            follows("pool-certificate-divergence", "the members of owa serve different certificates"),
            follows("untrusted-issuer-for-view", "clients of internal do not trust CN=EX19-02"),
        ],
        not_looked_at: texts(&["587, 993, 995 (not in the plan)", "whether the key is exportable (no inventory)"]),
        ..judgement()
    }
}

fn legacy_obligations() -> Vec<Judged> {
    let mut all = Vec::new();
    for (name, internal, external, server, tls, path) in [
        ("mail", "10.0.0.10", (Pass, "203.0.113.10"), "ex2010", "", true),
        ("autodiscover", "10.0.0.10", (Pass, "203.0.113.10"), "ex2010", "", true),
        ("serverexchange2010", "10.0.0.10", (Pass, "absent"), "ex2010", "", false),
        ("legacy.mail", "10.0.0.3", (Fail, "NXDOMAIN"), "ex2003-fe", "~TLS1.0", true),
        ("legacy.serverexchange2003", "10.0.0.3", (Pass, "absent"), "ex2003-fe", "~TLS1.0", false),
    ] {
        let name = &format!("{name}.domain.com");
        all.push(judged(San, name, "", "", Pass, ""));
        all.push(judged(Dns, name, "internal", "", Pass, internal));
        all.push(judged(Dns, name, "external", "", external.0, external.1));
        all.push(judged(Tls, name, "", server, Pass, tls));
        all.extend(path.then(|| judged(Path, name, "external", server, Unobserved, "")));
    }
    let mut old = judged(Tls, "mail.domain.com", "", "ex2003-fe", Fail, "");
    (old.due, old.phases) = (false, texts(&["before"]).into());
    all.push(old);
    all
}

/// The legacy name that exists inside only.
pub(super) fn legacy() -> Judgement {
    let cause = Finding {
        title: "legacy.mail.domain.com exists inside only".into(),
        subject: Subject {
            name: Some("legacy.mail.domain.com".into()),
            view: Some("external".into()),
            ..Subject::default()
        },
        expected: texts(&["external: A 203.0.113.3 (ex2003-fe)"]),
        seen: texts(&["NXDOMAIN from 9.9.9.9, 1.1.1.1 and 8.8.8.8, 21:04; authority SOA ns1.domain.com"]),
        hurts: texts(&["users outside whose mailbox is still on 2003: ex2010 redirects them to a name not found"]),
        remedy: Remedy {
            cure: texts(&[
                "public zone: legacy.mail.domain.com. 300 IN A 203.0.113.3",
                "caches may say \"absent\" for 20 min more (negative TTL 900 s + 5 min propagation)",
            ]),
            ..Remedy::default()
        },
        at: at("domain.com.toml", 41, 1),
        obligations: vec!["dns/external/legacy.mail.domain.com".into()],
        ..finding("legacy-name-single-view", Severity::Error)
    };
    let waived = Finding {
        title: "on ex2003-fe (both names)".into(),
        waived: Some(WaivedBy { reason: "browsers refuse TLS 1.0".into(), until: Some("2027-03-31".into()) }),
        ..finding("tls-version-below-floor", Severity::Error)
    };
    Judgement {
        outcome: RunOutcome::Fail,
        counts: Counts { passed: 19, failed: 1, warned: 0, unobserved: 3, waived: 1 },
        seen_from: SeenFrom {
            stands_in: texts(&["internal"]),
            resolvers: vec![resolvers("internal", 2, 2), resolvers("external", 3, 3)],
            paths_not_seen: texts(&["external"]),
            ..SeenFrom::default()
        },
        obligations: legacy_obligations(),
        findings: vec![cause, waived, open("3 external paths; next: check --from external (phone hotspot)")],
        ..judgement()
    }
}
