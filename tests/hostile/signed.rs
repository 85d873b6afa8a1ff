//! Zones whose parents and servers answer with as many keys, digests and associations as are read, made to be costly to compare.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::datagrams::{ASKED, Query, TRUNCATED, owned, record, reply};
use crate::resolvers::both;
use crate::servers::{leave, tcp};
use crate::verdicts::{Ended, run};

const PLAN: &str = "title = \"keys without measure\"\n\
    [views.external]\nresolvers = [\"9.9.9.9\"]\ntrust = [\"root.pem\"]\n\
    [certificates.any]\nnames = [\"*.domain.com\"]\n\
    [servers.exchanger]\naddress = \"203.0.113.10\"\nservices = [\"tls:25\"]\n\
    [internet]\n\"mail.domain.com\" = \"exchanger\"\n\
    [mail.\"domain.com\"]\nmx = \"mail.domain.com\"\n";

/// Records of a type at the name that was asked for, each drawn from its number.
fn many(query: &Query, count: u16, data: impl Fn([u8; 2]) -> Vec<u8>) -> Vec<u8> {
    let records: Vec<Vec<u8>> = (0..count).map(|n| owned(&ASKED, query.kind(), &data(n.to_be_bytes()))).collect();
    reply(query, &records)
}

/// Keys that differ and all have the same tag, since what one octet adds to its sum another takes away.
fn key([high, low]: [u8; 2]) -> Vec<u8> {
    let mut key = vec![1, 1, 3, 13];
    key.extend([high, 0, 255 - high, 0, low, 0, 255 - low, 0]);
    key.extend([7; 200]);
    key
}

fn tag(key: &[u8]) -> [u8; 2] {
    let sum = key.chunks(2).fold(0u32, |sum, pair| sum + u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    ((sum + (sum >> 16)) as u16).to_be_bytes()
}

fn answer(query: &Query, count: u16) -> Vec<u8> {
    let mail = query.name().eq_ignore_ascii_case("mail.domain.com");
    match query.kind() {
        1 if mail => reply(query, &[record(Ipv4Addr::new(203, 0, 113, 10))]),
        43 => many(query, count, |n| [&tag(&key(n))[..], &[13, 2], &[n, [9; 2]].concat().repeat(8)].concat()),
        48 => many(query, count, key),
        // An authority that is none, in full: a signature would have to be tried for each.
        52 => many(query, count, |n| [&[2, 0, 0][..], &n, &[0x30; 180]].concat()),
        _ => reply(query, &[]),
    }
}

async fn looked(count: u16) -> Ended {
    let authority = Authority::new();
    let acceptor = TlsAcceptor::from(Arc::new(authority.issue(vec![]).server(&rustls::version::TLS13)));
    let server = tcp(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                leave(&mut tls).await;
            }
        }
    })
    .await;
    let is_small = |q: &Query| !matches!(q.kind(), 43 | 48 | 52);
    let udp = move |q: &Query| if is_small(q) { answer(q, 0) } else { q.answer(TRUNCATED, 0, &[]) };
    let resolver = both(udp, move |q: &Query| answer(q, count)).await;
    let detours =
        [format!("9.9.9.9:53:127.0.0.1:{}", resolver.port()), format!("203.0.113.10:25:127.0.0.1:{}", server.port())];
    run(PLAN, authority.der(), &detours).await
}

fn rules(ended: &Ended) -> Vec<&'static str> {
    let rules = ended.judgement.findings.iter().map(|f| f.rule);
    rules.filter(|r| matches!(*r, "ds-dnskey-mismatch" | "tlsa-mismatch")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_digests_by_the_hundred_are_compared_in_time() {
    assert_eq!(tag(&key([0, 0])), tag(&key([0, 255])));
    let ended = looked(256).await;
    let mut rules = rules(&ended);
    rules.sort_unstable();
    assert_eq!(rules, ["ds-dnskey-mismatch", "tlsa-mismatch"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_are_kept_are_malformed_and_nothing_is_concluded() {
    let ended = looked(257).await;
    assert_eq!(rules(&ended), Vec::<&str>::new());
    assert!(
        ended.judgement.not_looked_at.iter().any(|l| l.contains("domain.com")),
        "{:?}",
        ended.judgement.not_looked_at
    );
}
