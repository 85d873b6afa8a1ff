//! A captive portal: one address for every name, and a page that asks for a login behind every port.

use coexist::model::finding::{ClaimKind, RunOutcome, Verdict};

use crate::authority::Authority;
use crate::datagrams::{self, record, reply};
use crate::servers::says;
use crate::verdicts::run;

const PLAN: &str = r#"
title = "a guest's network"
[views.internal]
resolvers = ["10.0.0.53"]
trust = ["root.pem"]
[views.external]
resolvers = ["9.9.9.9", "1.1.1.1"]
trust = ["root.pem"]
[certificates.any]
names = ["mail.domain.com", "www.domain.com", "owa.domain.com"]
[servers.mail]
address = { internal = "10.0.0.10", external = "203.0.113.10" }
services = ["https", "smtp"]
timeout = "500ms"                  # the page waits for the client, and the client for a greeting
[servers.www]
address = { internal = "10.0.0.20", external = "203.0.113.20" }
[internet]
"mail.domain.com" = "mail"
"www.domain.com" = "www"
[intranet]
"owa.domain.com" = "mail"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_captive_portal_nothing_passes_and_one_thing_is_suspected() {
    let portal = [198, 18, 0, 1].into();
    let resolver = datagrams::resolver(move |query| {
        let records = if query.is_for_a() { vec![record(portal)] } else { vec![] };
        vec![reply(query, &records)]
    })
    .await;
    let page = b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n";
    let page = says(page.to_vec(), false).await;
    let mut detours: Vec<String> =
        ["10.0.0.53", "9.9.9.9", "1.1.1.1"].iter().map(|r| format!("{r}:53:127.0.0.1:{}", resolver.port())).collect();
    detours.push(format!("::127.0.0.1:{}", page.port()));
    let ended = run(PLAN, Authority::new().der(), &detours).await;
    let judgement = &ended.judgement;
    assert_eq!(judgement.outcome, RunOutcome::Fail);
    for judged in judgement.obligations.iter().filter(|o| o.due && o.kind != ClaimKind::San) {
        ended.rules_against(&[judged]).unwrap();
        if judged.kind == ClaimKind::Dns {
            assert_eq!(judged.verdict, Verdict::Unobserved, "{judged:?}");
        }
    }
    let suspected: Vec<_> = judgement.findings.iter().filter(|f| f.rule == "dns-interception-suspected").collect();
    assert_eq!(suspected.len(), 2, "one for each view");
    assert!(suspected.iter().all(|f| f.seen[0].starts_with("198.18.0.1 for every name")), "{suspected:#?}");
    assert!(!judgement.findings.iter().any(|f| f.rule == "resolves-to-unexpected-target"));
}
