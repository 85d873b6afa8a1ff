//! Probes → observations. Infallible as a whole: the world's faults are outcomes.
#![allow(
    clippy::disallowed_methods,
    reason = "sockets, their limits in time and the plan's files belong to this stage"
)]

mod crew;
mod dial;
mod dns;
mod endpoints;
pub mod file;
mod hosts;
mod jobs;
mod lanes;
mod preamble;
mod schedule;
mod templates;
#[cfg(test)]
mod testbed;
mod tls;
mod trust;
mod vantage;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::model::certificate::BlobId;
use crate::model::observation::{DialMap, Observation};
use crate::model::probes::Probes;

pub use trust::anchors;
pub use vantage::local_address;

/// Reads a file that the plan refers to, by its path as written.
pub type ReadFile<'a> = &'a (dyn Fn(&str) -> io::Result<Vec<u8>> + Sync);

/// How a run observes.
pub struct Options<'a> {
    /// The run's id, for its observations.
    pub run: Arc<str>,
    /// Limit of a query with its retransmissions, or of a connection, where the plan says nothing nearer.
    pub timeout: Duration,
    /// Connections in flight, and as many questions, over all resolvers.
    pub concurrency: usize,
    /// Where to dial instead.
    pub dial: DialMap,
    /// How files are read.
    pub read_file: ReadFile<'a>,
    /// The trust anchors of each view (DER), against which resolvers by TLS and HTTPS are authenticated.
    pub anchors: BTreeMap<Arc<str>, Vec<Arc<[u8]>>>,
}

/// What an observer hands out as it goes. It is used up at once, never kept in numbers: its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Seen {
    /// A certificate, before the first observation that refers to it.
    Blob(BlobId, Arc<[u8]>),
    /// An observation.
    Observation(Observation),
}

/// Looks at everything, concurrently within the bounds, and hands out what is seen as it comes.
///
/// It ends by itself: every question and every connection has its limit of time. To stop earlier, drop the future.
pub async fn observe(probes: &Probes, options: &Options<'_>, sink: &mut (dyn FnMut(Seen) + Send)) {
    schedule::Schedule::new(probes, options).run(sink).await;
}

#[cfg(test)]
mod tests {
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
        Manners { timeout_ms: None, retry, per_host, ehlo: "probe.example".into() }
    }

    fn question(name: Name, kind: RecordType) -> DnsAsk {
        let resolver = ResolverAddr::parse(RESOLVER).unwrap();
        DnsAsk { probe: DnsProbe { view: "internal".into(), resolver, name, kind }, timeout_ms: None }
    }

    fn endpoint(address: SocketAddr, sni: &str, samples: u32, manners: Manners) -> TlsAsk {
        TlsAsk { probe: TlsProbe { address, way: Way::Implicit, sni: Some(name(sni)) }, samples, manners }
    }

    fn options(limit: u64, detours: &[String]) -> Options<'static> {
        Options {
            run: "run".into(),
            timeout: Duration::from_millis(limit),
            concurrency: 64,
            dial: DialMap(detours.iter().map(|d| Detour::parse(d).unwrap()).collect()),
            read_file: &|_| Err(io::ErrorKind::NotFound.into()),
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
            .filter_map(|o| match &o.outcome {
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
            manners: manners(0, 2),
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
        let first =
            all.iter().position(|s| matches!(s, Seen::Observation(Observation { outcome: Outcome::Tls(_), .. })));
        assert!(blobs == 1 && blob < first.unwrap());
        for observation in observations(&all) {
            assert_eq!(observation.at.subsec_nanosecond(), 0);
            match &observation.outcome {
                Outcome::Dns(_) => assert_eq!(observation.dialled, Some(resolver)),
                Outcome::Tls(t) => assert!(matches!(t, TlsOutcome::Certificate(_)) && observation.dialled.is_none()),
                Outcome::File(f) => assert!(matches!(f, FileOutcome::Unreadable(_))),
            }
        }
        assert_eq!(observations(&all).len(), 2 + 3 + 1);
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
            observations(&all).iter().filter(|o| o.outcome == want).count()
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
        let answered = |o: &&&Observation| matches!(o.outcome, Outcome::Dns(DnsOutcome::Answer(_)));
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
        let server = testbed::tcp(move |count, stream| {
            let acceptor = tokio_rustls::TlsAcceptor::from(config.clone());
            async move {
                if count >= 2 {
                    let _ = acceptor.accept(stream).await.unwrap().read(&mut [0; 16]).await;
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
        assert_eq!((observation.attempt, observation.dialled), (2, Some(server)));
        let Probe::Tls(probe) = &observation.probe else { panic!() };
        assert_eq!(probe.address, logical);
    }

    #[tokio::test]
    async fn a_run_without_probes_ends() {
        let calls = Mutex::new(0);
        observe(&Probes::default(), &options(100, &[]), &mut |_| *calls.lock().unwrap() += 1).await;
        assert_eq!(*calls.lock().unwrap(), 0);
    }
}
