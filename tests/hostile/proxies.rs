//! Proxies that stall, flood, break off and speak something else: each leaves its own view unseen, and nothing else.

use std::net::{Ipv4Addr, SocketAddr};

use coexist::model::finding::{ClaimKind, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::datagrams::{self, record, reply};
use crate::servers::{BUFFERS, Counter, drips, floods, leave, says, tcp};
use crate::verdicts::run;

/// A proxy and what its connections end with.
struct Hostile {
    view: String,
    scheme: &'static str,
    at: SocketAddr,
    ends: &'static str,
}

/// A proxy that lets us in and is asked for the endpoint, and then does something.
async fn asked<F>(scheme: &'static str, then: impl Fn(TcpStream) -> F + Clone + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    tcp(move |mut stream| {
        let then = then.clone();
        async move {
            let mut heard = [0; 1024];
            let answers: &[&[u8]] = if scheme == "http" { &[] } else { &[&[5, 0]] };
            for answer in answers {
                let _ = stream.read(&mut heard).await;
                let _ = stream.write_all(answer).await;
            }
            let _ = stream.read(&mut heard).await;
            then(stream).await;
        }
    })
    .await
}

const GO: [(&str, &[u8]); 2] = [("http", b"HTTP/1.1 200 OK\r\n\r\n"), ("socks5", &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])];

async fn proxies(written: &Counter) -> Vec<Hostile> {
    let mut all = Vec::new();
    for (scheme, go) in GO {
        let mut add =
            |label: &str, at, ends| all.push(Hostile { view: format!("external-{scheme}-{label}"), scheme, at, ends });
        add("gone", tcp(|stream| async move { drop(stream) }).await, "the proxy hung up");
        add("rubbish", says((128..=255).cycle().take(9000).collect(), true).await, "the proxy speaks another protocol");
        add("ssh", says(b"SSH-2.0-x\x1b[31m\r\n".to_vec(), true).await, "the proxy speaks another protocol");
        let silent = if scheme == "http" { "no word in time" } else { "the proxy does not answer in time" };
        add("silent", says(vec![], true).await, silent);
        add(
            "slow",
            asked(scheme, move |mut s| async move { drips(&mut s, go).await }).await,
            if scheme == "http" { "the proxy does not answer" } else { "no word in time" },
        );
        let counter = written.clone();
        let nul = tcp(move |mut stream| {
            let counter = counter.clone();
            async move { floods(&mut stream, b"", b"\0", &counter).await }
        });
        add("nul", nul.await, "the proxy speaks another protocol");
        let counter = written.clone();
        let behind = asked(scheme, move |mut stream| {
            let counter = counter.clone();
            async move { floods(&mut stream, go, b"chatter ", &counter).await }
        });
        add("chatter", behind.await, "not TLS");
        let ahead = asked(scheme, move |mut stream| async move {
            let _ = stream.write_all(go).await;
            leave(&mut stream).await;
        });
        add("nothing", ahead.await, "no answer in time during the TLS handshake");
    }
    for (label, begin, again) in [
        ("header", &b"HTTP/1.1 200 OK\r\nA: "[..], &b"a"[..]),
        ("headers", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        ("patience", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let counter = written.clone();
        let endless = asked("http", move |mut stream| {
            let counter = counter.clone();
            async move { floods(&mut stream, begin, again, &counter).await }
        });
        let view = format!("external-http-endless-{label}");
        all.push(Hostile { view, scheme: "http", at: endless.await, ends: "the proxy sends too much" });
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_is_none_leaves_its_view_unseen_and_nothing_else() {
    let authority = Authority::new();
    let written = Counter::default();
    let hostile = proxies(&written).await;
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(authority.issue(vec![]).server(&rustls::version::TLS13)));
    let healthy = tcp(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                leave(&mut tls).await;
            }
        }
    })
    .await;
    let resolver = |address: Ipv4Addr| {
        datagrams::resolver(move |query| {
            let records = if query.is_for_a() { vec![record(address)] } else { vec![] };
            vec![reply(query, &records)]
        })
    };
    let inside = resolver([10, 1, 0, 1].into()).await;
    let outside = resolver([203, 0, 113, 1].into()).await;
    let mut plan = String::from(
        "title = \"hostile proxies\"\ntimeout = \"1s\"\n[views.internal]\nresolvers = [\"10.0.0.53\"]\ntrust = [\"root.pem\"]\n\
         [certificates.any]\nnames = [\"*.domain.com\"]\n\
         [servers.web]\naddress = { internal = \"10.1.0.1\", external = \"203.0.113.1\" }\n\
         [internet]\n\"www.domain.com\" = \"web\"\n",
    );
    for Hostile { view, scheme, at, .. } in &hostile {
        plan.push_str(&format!(
            "[views.{view}]\nresolvers = [\"203.0.113.53\"]\ntrust = [\"root.pem\"]\nproxy = \"{scheme}://{at}\"\n"
        ));
    }
    let detours = [format!("10.0.0.53:53:{inside}"), format!("203.0.113.53:53:{outside}"), format!(":443:{healthy}")];
    let ended = run(&plan, authority.der(), &detours).await;
    for Hostile { view, ends, .. } in &hostile {
        let of_view =
            |run: &str| ended.recording.runs.get(run).is_some_and(|r| r.proxy.is_some() && *r.stands_in[0] == **view);
        let outcomes = ended.outcomes(of_view);
        assert!(!outcomes.is_empty() && outcomes.iter().all(|o| o.starts_with(ends)), "{view}: {outcomes:?}");
    }
    let due = |kind: ClaimKind| ended.judgement.obligations.iter().filter(move |o| o.due && o.kind == kind);
    // Clients inside meet the server itself.
    ended.is_healthy(&due(ClaimKind::Tls).collect::<Vec<_>>()).unwrap();
    let outer: Vec<_> = due(ClaimKind::Path).collect();
    assert_eq!(outer.len(), hostile.len());
    for judged in outer {
        // What a proxy lets through counts as the endpoint's.
        let chatter = judged.about.view.as_deref().is_some_and(|v| v.ends_with("chatter"));
        let wanted = if chatter { Verdict::Fail } else { Verdict::Unobserved };
        assert_eq!(judged.verdict, wanted, "{judged:?}");
    }
    assert!(written.get() < hostile.len() * BUFFERS, "{} bytes were taken", written.get());
}
