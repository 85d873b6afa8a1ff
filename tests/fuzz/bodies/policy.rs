//! Any bytes as a web server's answer with an MTA-STS policy, as the policy itself, and its lines as the texts of a domain.

use coexist::model::http::HttpOutcome;
use coexist::model::mta_sts::{MAX_AGE, POLICY, Policy, Record};
use coexist::observe::fuzzing::page;

pub fn body(data: &[u8]) {
    if let Some(HttpOutcome::Head(head)) = page(data) {
        let body = head.body.expect("a page that is read whole has a body");
        // What is no UTF-8 takes three octets for one.
        assert!(body.len() <= 3 * POLICY);
        read(&body);
    }
    let text = String::from_utf8_lossy(data);
    read(&text);
    let lines: Vec<&str> = text.lines().collect();
    match Record::of(lines.iter().copied()) {
        Record::Id(id) => {
            assert!((1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id:?}");
            assert_eq!(lines.iter().filter(|l| Record::of([**l]) != Record::Nothing).count(), 1);
        }
        Record::Nothing => assert!(lines.iter().all(|l| Record::of([*l]) == Record::Nothing)),
        Record::Void(_) => {}
    }
}

/// What is a policy lists its own hosts, none that are below them, and nothing if it has none.
fn read(text: &str) {
    let Ok(policy) = Policy::parse(text) else { return };
    assert!(policy.max_age <= MAX_AGE);
    for pattern in policy.mx.iter().filter(|p| !p.starts_with("*.") && !p.ends_with('.')) {
        assert!(policy.lists(pattern), "{pattern:?}");
    }
    assert!(!policy.mx.is_empty() || !policy.lists("mail.example"));
}
