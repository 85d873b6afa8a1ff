//! Runs against servers on loopback.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::testbed::{Serves, answer, identity};
use super::*;
use crate::model::dns::{DnsOutcome, RecordType, ResolverAddr};
use crate::model::name::Name;
use crate::model::observation::{Detour, DnsProbe, FileOutcome, Outcome, Probe, TlsProbe};
use crate::model::plan::ViewKind;
use crate::model::probes::{DnsAsk, Manners, Reach, Template, TlsAsk};
use crate::model::service::Way;
use crate::model::tls::{Stage, TlsOutcome};

const RESOLVER: &str = "10.0.0.53";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn manners(retry: u32, per_host: u32) -> Manners {
    Manners { retry, per_host, ehlo: "probe.example".into(), ..Manners::default() }
}

fn question(name: Name, kind: RecordType) -> DnsAsk {
    let resolver = ResolverAddr::parse(RESOLVER).unwrap();
    DnsAsk {
        probe: DnsProbe {
            view: "internal".into(),
            resolver: resolver.into(),
            name,
            kind,
            unchecked: false,
            direct: false,
        },
        timeout_ms: None,
    }
}

fn endpoint(address: SocketAddr, sni: &str, samples: u32, manners: Manners) -> TlsAsk {
    TlsAsk {
        probe: TlsProbe { address, way: Way::Implicit, sni: Some(name(sni)), face: None },
        samples,
        manners: manners.into(),
    }
}

fn options(limit: u64, detours: &[String]) -> Options<'static> {
    Options {
        run: "run".into(),
        timeout: Duration::from_millis(limit),
        concurrency: 64,
        dial: DialMap(detours.iter().map(|d| Detour::parse(d).unwrap()).collect()),
        passwords: Default::default(),
        read_file: &|_| Err(io::ErrorKind::NotFound.into()),
        routes: BTreeMap::new(),
        anchors: BTreeMap::new(),
    }
}

async fn seen(probes: &Probes, options: &Options<'_>) -> Vec<Seen> {
    let mut all = Vec::new();
    observe(probes, options, &mut |seen| all.push(seen)).await;
    all
}

fn observations(seen: &[Seen]) -> Vec<&Observation> {
    seen.iter().filter_map(|s| if let Seen::Observation(o) = s { Some(o) } else { None }).collect()
}

fn tls_outcomes(seen: &[Seen]) -> Vec<(&Observation, &TlsOutcome)> {
    observations(seen)
        .into_iter()
        .filter_map(|o| match &*o.outcome {
            Outcome::Tls(outcome) => Some((o, outcome)),
            _ => None,
        })
        .collect()
}

/// The whole way: addresses from DNS, each looked at once whoever asks; blobs before what refers to them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_dns_gives_is_looked_at_once() {
    let resolver = testbed::udp(|_, query| vec![answer(&query)]).await;
    let own = identity("mail.domain.com");
    let serves = Serves::new(vec![own.certificate], &own.key);
    let server = testbed::tls_server(testbed::tls(serves.clone())).await;
    let asked = name("mail.domain.com");
    let template = Template {
        view: "internal".into(),
        name: asked.clone(),
        port: server.port(),
        way: Way::Implicit,
        reach: Reach { networks: None, kind: ViewKind::Internal },
        samples: 3,
        manners: manners(0, 2).into(),
    };
    let probes = Probes {
        dns: RecordType::ALL.map(|kind| question(asked.clone(), kind)).to_vec(),
        tls: vec![endpoint(server, "mail.domain.com", 2, manners(0, 2))],
        templates: vec![template],
        files: ["gone.pem".to_string()].into(),
        ..Probes::default()
    };
    let all = seen(&probes, &options(20_000, &[format!("10.0.0.53:53:127.0.0.1:{}", resolver.port())])).await;
    let samples: Vec<_> = tls_outcomes(&all).iter().map(|(o, _)| o.sample).collect();
    assert_eq!((samples.len(), samples.iter().max()), (3, Some(&2)));
    assert_eq!(serves.asked.lock().unwrap().len(), 3);
    let blobs = all.iter().filter(|s| matches!(s, Seen::Blob(..))).count();
    let blob = all.iter().position(|s| matches!(s, Seen::Blob(..))).unwrap();
    let first = all.iter().position(|s| matches!(s, Seen::Observation(o) if matches!(*o.outcome, Outcome::Tls(_))));
    assert!(blobs == 1 && blob < first.unwrap());
    for observation in observations(&all) {
        assert_eq!(observation.at.subsec_nanosecond(), 0);
        match &*observation.outcome {
            Outcome::Dns(_) => assert_eq!(observation.dialled.as_deref(), Some(&resolver)),
            Outcome::Tls(t) => assert!(matches!(t, TlsOutcome::Certificate(_)) && observation.dialled.is_none()),
            Outcome::File(f) => assert!(matches!(f, FileOutcome::Unreadable(_))),
            Outcome::Http(h) => panic!("{h:?}"),
        }
    }
    assert_eq!(observations(&all).len(), 2 + 3 + 1);
}

/// One connection at once: when the second comes, the first has been seen, if nobody has fetched it yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_is_handed_out_when_the_run_is_dropped() {
    let (tell, mut second) = tokio::sync::mpsc::channel(1);
    let server = testbed::tcp(move |number, mut stream| {
        let tell = tell.clone();
        async move {
            if number == 0 {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &[21, 3, 3, 0, 2, 2, 49]).await;
            } else {
                let _ = tell.send(stream).await;
            }
        }
    })
    .await;
    let tls = (0..2).map(|i| endpoint(server, &format!("h{i}.domain.com"), 1, manners(0, 1))).collect();
    let (probes, mut all) = (Probes { tls, ..Probes::default() }, Vec::new());
    let options = options(60_000, &[]);
    {
        let mut sink = |seen| all.push(seen);
        tokio::select! {
            () = observe(&probes, &options, &mut sink) => panic!("it ended"),
            stream = second.recv() => assert!(stream.is_some()),
        }
    }
    assert_eq!(tls_outcomes(&all).len(), 1, "{all:?}");
}

#[tokio::test]
async fn a_silent_resolver_is_left_for_the_run() {
    let silent = testbed::udp(|_, _| vec![]).await;
    let dns: Vec<_> = (0..100).map(|i| question(name(&format!("h{i}.domain.com")), RecordType::A)).collect();
    let probes = Probes { dns, ..Probes::default() };
    let begun = Instant::now();
    let all = seen(&probes, &options(200, &[format!("10.0.0.53:53:127.0.0.1:{}", silent.port())])).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "a hundred limits would be twenty seconds");
    let count = |want: DnsOutcome| {
        let want = Outcome::Dns(want);
        observations(&all).iter().filter(|o| *o.outcome == want).count()
    };
    let (timeouts, given_up) = (count(DnsOutcome::Timeout), count(DnsOutcome::GivenUp));
    assert!((3..=20).contains(&timeouts) && timeouts + given_up == 100, "{timeouts} {given_up}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_questions_are_all_answered() {
    let resolver = testbed::udp(|_, query| vec![answer(&query)]).await;
    let dns: Vec<_> = (0..2000).map(|i| question(name(&format!("h{i}.domain.com")), RecordType::A)).collect();
    let probes = Probes { dns, ..Probes::default() };
    let all = seen(&probes, &options(20_000, &[format!("10.0.0.53:53:127.0.0.1:{}", resolver.port())])).await;
    let answered = |o: &&&Observation| matches!(*o.outcome, Outcome::Dns(DnsOutcome::Answer(_)));
    assert_eq!(observations(&all).iter().filter(answered).count(), 2000);
}

/// Counts who is connected at once; silent, so that each stays until its limit.
async fn crowd(listeners: &[&str]) -> (Vec<SocketAddr>, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut addresses = Vec::new();
    for host in listeners {
        let listener = TcpListener::bind((*host, 0)).await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        let (now, most) = (now.clone(), most.clone());
        let play = move |_, mut stream: TcpStream| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // the client's hello, then its leaving
                while stream.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {}
                now.fetch_sub(1, Ordering::SeqCst);
            }
        };
        tokio::spawn(testbed::serve(listener, play));
    }
    (addresses, most)
}

#[tokio::test]
async fn the_cap_of_an_address_holds() {
    let (addresses, most) = crowd(&["127.0.0.1"]).await;
    let tls = vec![endpoint(addresses[0], "mail.domain.com", 6, manners(0, 2))];
    let begun = Instant::now();
    let all = seen(&Probes { tls, ..Probes::default() }, &options(100, &[])).await;
    // Three rounds of two.
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert!(all.len() == 6 && most.load(Ordering::SeqCst) >= 2);
    assert!(tls_outcomes(&all).iter().all(|(_, t)| **t == TlsOutcome::Timeout(Stage::Handshake)));
}

#[tokio::test]
async fn the_cap_of_the_run_holds_and_hosts_do_not_wait_for_each_other() {
    let (addresses, most) = crowd(&["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]).await;
    let tls: Vec<_> = addresses.iter().map(|a| endpoint(*a, "mail.domain.com", 1, manners(0, 1))).collect();
    let probes = Probes { tls, ..Probes::default() };
    let three = Options { concurrency: 3, ..options(100, &[]) };
    let begun = Instant::now();
    assert_eq!(seen(&probes, &three).await.len(), 4);
    assert!(begun.elapsed() >= Duration::from_millis(200), "the fourth has to wait");
    assert!(most.load(Ordering::SeqCst) >= 3);
}

#[tokio::test]
async fn a_connection_that_failed_is_tried_again() {
    let own = identity("mail.domain.com");
    let config = testbed::tls(Serves::new(vec![own.certificate], &own.key));
    let server = testbed::tcp(move |count, mut stream| {
        let acceptor = tokio_rustls::TlsAcceptor::from(config.clone());
        async move {
            if count >= 2 {
                let _ = acceptor.accept(stream).await.unwrap().read(&mut [0; 16]).await;
            } else {
                // access_denied, which no server says for its age.
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &[21, 3, 3, 0, 2, 2, 49]).await;
            }
        }
    })
    .await;
    let logical = "10.0.0.10:443".parse().unwrap();
    let tls = vec![endpoint(logical, "mail.domain.com", 1, manners(2, 1))];
    let detour = format!("mail.domain.com:443:127.0.0.1:{}", server.port());
    let all = seen(&Probes { tls, ..Probes::default() }, &options(20_000, &[detour])).await;
    let (observation, outcome) = tls_outcomes(&all)[0];
    assert!(matches!(outcome, TlsOutcome::Certificate(_)), "{outcome:?}");
    assert_eq!((observation.attempt, observation.dialled.as_deref()), (2, Some(&server)));
    let Probe::Tls(probe) = &observation.probe else { panic!() };
    assert_eq!(probe.address, logical);
}

/// A server that bears six at once and hangs up on everybody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowded_server_is_asked_by_fewer_and_answers_all() {
    let own = identity("mail.domain.com");
    let config = testbed::tls(Serves::new(vec![own.certificate], &own.key));
    let (now, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = refused.clone();
    let server = testbed::tcp(move |_, stream| {
        let (acceptor, now, refused) = (tokio_rustls::TlsAcceptor::from(config.clone()), now.clone(), count.clone());
        async move {
            match now.fetch_add(1, Ordering::SeqCst) {
                0..6 => drop(acceptor.accept(stream).await),
                _ => drop((stream, refused.fetch_add(1, Ordering::SeqCst))),
            }
            now.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let tls = (0..60).map(|i| endpoint(server, &format!("h{i}.domain.com"), 1, manners(0, 16))).collect();
    let all = seen(&Probes { tls, ..Probes::default() }, &options(20_000, &[])).await;
    let outcomes = tls_outcomes(&all);
    assert_eq!(outcomes.len(), 60);
    assert!(outcomes.iter().all(|(_, t)| matches!(t, TlsOutcome::Certificate(_))), "{outcomes:?}");
    // Who hangs up is asked in an older way too before it is asked again.
    let tried_again: u32 = outcomes.iter().map(|(o, _)| o.attempt).sum();
    let refused = refused.load(Ordering::SeqCst);
    assert!(tried_again > 0 && (tried_again as usize) < refused, "{tried_again} {refused}");
}

/// Behind a balancer a refusal is one member's: the samples that met it say so.
#[tokio::test]
async fn samples_that_are_refused_are_not_asked_again() {
    let own = identity("mail.domain.com");
    let config = testbed::tls(Serves::new(vec![own.certificate], &own.key));
    let server = testbed::tcp(move |count, stream| {
        let acceptor = tokio_rustls::TlsAcceptor::from(config.clone());
        async move {
            match count % 2 {
                0 => drop(acceptor.accept(stream).await),
                _ => drop(stream),
            }
        }
    })
    .await;
    let tls = vec![endpoint(server, "mail.domain.com", 8, manners(0, 16))];
    let all = seen(&Probes { tls, ..Probes::default() }, &options(20_000, &[])).await;
    let outcomes = tls_outcomes(&all);
    let hung_up = outcomes.iter().filter(|(_, t)| matches!(t, TlsOutcome::Closed(_))).count();
    assert_eq!((outcomes.len(), hung_up), (8, 4));
    assert!(outcomes.iter().all(|(o, _)| o.attempt == 0));
}

#[tokio::test]
async fn a_closed_port_is_told_of_every_name_and_does_not_narrow_for_long() {
    let closed = testbed::nobody();
    let tls: Vec<_> = (0..200).map(|i| endpoint(closed, &format!("h{i}.domain.com"), 1, manners(0, 16))).collect();
    let all = seen(&Probes { tls, ..Probes::default() }, &options(20_000, &[])).await;
    let outcomes = tls_outcomes(&all);
    assert!(outcomes.len() == 200 && outcomes.iter().all(|(_, t)| **t == TlsOutcome::Refused));
    let tried_again: u32 = outcomes.iter().map(|(o, _)| o.attempt).sum();
    assert!(tried_again < 60, "{tried_again}");
}

/// Packets are dropped by a listener whose backlog is full (other systems refuse then); each name of it would wait for
/// itself otherwise.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_drops_packets_costs_one_limit_whatever_number_of_names_it_has() {
    let (listener, _full) = testbed::deaf().await;
    let address = listener.local_addr().unwrap();
    let tls: Vec<_> = (0..40).map(|i| endpoint(address, &format!("h{i}.domain.com"), 1, manners(0, 4))).collect();
    let begun = Instant::now();
    let is_silence =
        |t: &TlsOutcome| matches!(t, TlsOutcome::Timeout(Stage::Connect) | TlsOutcome::GivenUp(Stage::Connect));
    let all = seen(&Probes { tls, ..Probes::default() }, &options(500, &[])).await;
    assert!(begun.elapsed() < Duration::from_millis(2000), "ten limits would be five seconds");
    let outcomes = tls_outcomes(&all);
    assert!(outcomes.len() == 40 && outcomes.iter().all(|(_, t)| is_silence(t)));
}

/// Whoever stops listening leaves nothing behind: the ports are free again.
#[tokio::test]
async fn a_run_that_is_dropped_lets_go_of_its_sockets() {
    let (to, mut from) = tokio::sync::mpsc::unbounded_channel();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let resolver = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((_, client)) = socket.recv_from(&mut [0; 512]).await {
            to.send(client).unwrap();
        }
    });
    let probes = Probes { dns: vec![question(name("mail.domain.com"), RecordType::A)], ..Probes::default() };
    let options = options(20_000, &[format!("10.0.0.53:53:127.0.0.1:{}", resolver.port())]);
    let client = tokio::select! {
        _ = seen(&probes, &options) => panic!("nobody answers"),
        client = from.recv() => client.unwrap(),
    };
    // The task is told to end; it does at its next turn.
    while tokio::net::UdpSocket::bind(("0.0.0.0", client.port())).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_run_without_probes_ends() {
    let calls = Mutex::new(0);
    observe(&Probes::default(), &options(100, &[]), &mut |_| *calls.lock().unwrap() += 1).await;
    assert_eq!(*calls.lock().unwrap(), 0);
}
