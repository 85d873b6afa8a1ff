//! Web servers that are to give MTA-STS policies, and give something else; a mail domain each, all in one run.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use coexist::model::observation::{Outcome, Probe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::datagrams::{self, Query, owned, record, reply};
use crate::servers::{BUFFERS, Counter, drips, floods, leave, tcp};
use crate::verdicts::{Ended, run};

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mail.domain.com\nmax_age: 86400\n";

/// What a server says behind the question.
enum Play {
    Says(Vec<u8>),
    Floods(&'static str, &'static str),
    Drips(&'static str),
}

/// A server, what its outcome begins with, and whether its domain is spoken of.
struct End(&'static str, Play, &'static str, bool);

fn ends() -> Vec<End> {
    use Play::{Drips, Floods, Says};
    let says = |text: String| Says(text.into_bytes());
    let page = |body: &str| says(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let crowd = format!("version: STSv1\nmode: enforce\nmax_age: 1\n{}", "mx: a.example\n".repeat(4000));
    let steering = format!("{POLICY}mx: \x1b[2J\u{202e}\n::error::x: y\n").replace("mx: mail", "mx: male");
    vec![
        End("right", page(POLICY), "status 200", false),
        End("crowd", page(&crowd), "status 200", true),
        End("steering", page(&steering), "status 200", true),
        End("octets", Says([&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[0xff; 9000]].concat()), "status 200", true),
        End(
            "claims-more",
            says(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", u64::MAX)),
            "an answer that",
            true,
        ),
        End("cut-off", says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nversion".into()), "closed", false),
        End(
            "redirects",
            says("HTTP/1.1 301 \r\nLocation: https://a.example/\r\nContent-Length: 0\r\n\r\n".into()),
            "status 301",
            true,
        ),
        End("no-http", says("220 mail\x1b[2J ESMTP\r\n".into()), "no HTTP", true),
        End("endless-head", Floods("HTTP/1.1 200 OK\r\nX: ", "a"), "an answer that", true),
        End("endless-fields", Floods("HTTP/1.1 200 OK\r\n", "A: b\r\n"), "an answer that", true),
        End("endless-body", Floods("HTTP/1.1 200 OK\r\n\r\n", POLICY), "an answer that", true),
        End(
            "endless-chunks",
            Floods("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"),
            "an answer that",
            true,
        ),
        End("slow", Drips("HTTP/1.1 200 OK\r\n\r\nversion: STSv1 and so on"), "no answer in time", false),
    ]
}

async fn server(authority: &Authority, play: Play, written: Counter) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(authority.issue(vec![]).server(&rustls::version::TLS13)));
    let play = Arc::new(play);
    tcp(move |stream| {
        let (acceptor, play, written) = (acceptor.clone(), play.clone(), written.clone());
        async move {
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            // Who only looks at the certificate asks nothing.
            if tls.read(&mut [0; 4096]).await.unwrap_or(0) == 0 {
                return;
            }
            match &*play {
                Play::Says(bytes) => {
                    let _ = tls.write_all(bytes).await;
                    let _ = tls.shutdown().await;
                    leave(&mut tls).await;
                }
                Play::Floods(begin, again) => floods(&mut tls, begin.as_bytes(), again.as_bytes(), &written).await,
                Play::Drips(text) => drips(&mut tls, text.as_bytes()).await,
            }
        }
    })
    .await
}

fn logical(index: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(203, 0, 113, 20).to_bits() + index as u32)
}

/// Every domain has the record; its host has an address of its own.
fn answer(query: &Query, labels: &[&str]) -> Vec<u8> {
    let name = query.name().to_ascii_lowercase();
    let place = labels.iter().position(|l| name == format!("mta-sts.{l}.domain.com"));
    match query.kind() {
        1 if name == "mail.domain.com" => reply(query, &[record(Ipv4Addr::new(203, 0, 113, 10))]),
        1 if place.is_some() => reply(query, &[record(logical(place.unwrap()))]),
        16 if name.starts_with("_mta-sts.") => reply(query, &[owned(&datagrams::ASKED, 16, b"\x0ev=STSv1; id=1;")]),
        1 | 28 if name == "mail.domain.com" || place.is_some() => reply(query, &[]),
        _ => query.answer(datagrams::NXDOMAIN, 0, &[]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_that_are_none_are_told_in_time() {
    let (authority, written) = (Authority::new(), Counter::default());
    let labels: Vec<&'static str> = ends().iter().map(|end| end.0).collect();
    let known = labels.clone();
    let resolver = datagrams::resolver(move |q| vec![answer(q, &known)]).await;
    let mut plan = "timeout = \"5s\"\n[views.external]\nresolvers = [\"9.9.9.9\"]\ntrust = [\"root.pem\"]\n\
        [certificates.any]\nnames = [\"*.domain.com\"]\n[servers.mail]\naddress = \"203.0.113.10\"\n\
        [internet]\n\"mail.domain.com\" = \"mail\"\n"
        .to_string();
    let mut detours = vec![format!("9.9.9.9:53:127.0.0.1:{}", resolver.port())];
    let mut expected = Vec::new();
    for (i, End(label, play, outcome, told)) in ends().into_iter().enumerate() {
        plan.push_str(&format!("[mail.\"{label}.domain.com\"]\nmx = \"mail.domain.com\"\n"));
        let server = server(&authority, play, written.clone()).await;
        detours.push(format!("{}:443:127.0.0.1:{}", logical(i), server.port()));
        expected.push((label, outcome, told));
    }
    let ended = run(&plan, authority.der(), &detours).await;
    let wrong: Vec<String> = expected.iter().filter_map(|e| is_as_expected(&ended, e).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(written.get() < 4 * BUFFERS, "{} bytes were taken", written.get());
}

fn is_as_expected(ended: &Ended, (label, outcome, told): &(&str, &str, bool)) -> Result<(), String> {
    let (host, domain) = (format!("mta-sts.{label}.domain.com"), format!("{label}.domain.com"));
    let of = |probe: &Probe| matches!(probe, Probe::Http(p) if p.name.as_str() == host);
    let seen: Vec<String> = ended.recording.observations.iter().filter(|o| of(&o.probe)).map(shown).collect();
    if seen.is_empty() || !seen.iter().all(|s| s.starts_with(outcome)) {
        return Err(format!("{label}: {seen:?}"));
    }
    // The certificate is for none of these hosts, which is a finding of its own.
    let about = ended.judgement.findings.iter().filter(|f| f.rule == "mta-sts-mismatch" && f.title.contains(&domain));
    let of_policy = about.filter(|f| !f.title.contains("certificate")).count();
    let is_open = ended.judgement.not_looked_at.iter().any(|line| line.contains(&domain));
    match (of_policy, *told, *outcome) {
        (1, true, _) | (0, false, "status 200") => Ok(()),
        (0, false, _) if is_open => Ok(()),
        found => Err(format!("{label}: {found:?}, {:?}", ended.judgement.not_looked_at)),
    }
}

fn shown(observation: &coexist::model::observation::Observation) -> String {
    if let Outcome::Http(http) = &*observation.outcome { http.to_string() } else { String::new() }
}
