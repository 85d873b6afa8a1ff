//! A true handshake that goes wrong at one octet of what the server sends: it stalls there, hangs up, or flips a bit.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use coexist::model::finding::Verdict;
use coexist::model::observation::{Outcome, Probe};
use coexist::model::tls::{Possession, TlsOutcome};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::authority::{Authority, Identity};
use crate::farm::{self, ANYTHING, End, NO_PASS};
use crate::servers::{leave, tcp};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    Stall,
    Close,
    Flip,
}

/// What was sent of a handshake.
pub struct Sent {
    /// Octets.
    pub count: usize,
    /// Whether all was sent that there was to send.
    pub whole: bool,
}

/// Plays a server's side until the octet at which it breaks; which one, the server name says: `h17.domain.com`.
pub async fn play(stream: &mut TcpStream, config: Arc<ServerConfig>, how: Break, at: usize) -> Option<Sent> {
    let mut tls = ServerConnection::new(config).unwrap();
    let (mut sent, mut at) = (0, Some(at).filter(|at| *at != usize::MAX));
    let mut asks_by_name = at.is_none();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).await.ok().filter(|n| *n > 0);
        let Some(length) = length else { return Some(Sent { count: sent, whole: !tls.is_handshaking() }) };
        let mut come = &buffer[..length];
        while !come.is_empty() {
            tls.read_tls(&mut come).ok()?;
            tls.process_new_packets().ok()?;
        }
        if asks_by_name && let Some(name) = tls.server_name() {
            at = name.split('.').next().and_then(|label| label.strip_prefix('h')).and_then(|n| n.parse().ok());
            asks_by_name = false;
        }
        let mut flight = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut flight).unwrap();
        }
        let here = at.and_then(|at| at.checked_sub(sent)).filter(|here| *here < flight.len());
        match (how, here) {
            (Break::Flip, Some(here)) => flight[here] ^= 1,
            (_, Some(here)) => flight.truncate(here),
            (_, None) => {}
        }
        stream.write_all(&flight).await.ok()?;
        sent += flight.len();
        match (how, here) {
            (Break::Close, Some(_)) => return None,
            (Break::Stall, Some(_)) => {
                leave(stream).await;
                return None;
            }
            _ => {}
        }
        // What a client says after the handshake is of no interest.
        let _ = io::copy(&mut tls.reader().take(0), &mut io::sink());
    }
}

/// The length of all that a server sends in a handshake of a version, and the octets at which it is to break: all of the
/// records' heads and messages' beginnings, and a few of all that lies between.
async fn octets(identity: &Identity, version: &'static SupportedProtocolVersion) -> BTreeSet<usize> {
    let config = Arc::new(identity.server(version));
    let (to, from) = tokio::sync::oneshot::channel();
    let to = std::sync::Mutex::new(Some(to));
    let address = tcp(move |mut stream| {
        let (config, to) = (config.clone(), to.lock().unwrap().take());
        async move {
            if let (Some(sent), Some(to)) = (play(&mut stream, config, Break::Stall, 1 << 20).await, to) {
                let _ = to.send(sent);
            }
        }
    })
    .await;
    let client = tokio_rustls::TlsConnector::from(Arc::new(client(identity)));
    let stream = TcpStream::connect(address).await.unwrap();
    let mut tls = client.connect("h.domain.com".try_into().unwrap(), stream).await.unwrap();
    tls.shutdown().await.unwrap();
    drop(tls);
    let Sent { count, whole } = from.await.unwrap();
    // Signatures by ECDSA differ in length by a few octets.
    let last = count - 8;
    assert!(whole && count > 500, "{count}");
    (0..140).step_by(4).chain((140..last).step_by(13)).chain(count - 24..last).collect()
}

fn client(identity: &Identity) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(identity.chain()[1].clone()).unwrap();
    // The suite decides how long the server's last message is: ours is the short one, too.
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|s| s.suite().as_str().is_some_and(|name| name.contains("AES_128")));
    let builder =
        rustls::ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(roots).with_no_client_auth()
}

/// Breaks at each octet, each with a name of its own, and judges all of it in one run.
async fn broken(version: &'static SupportedProtocolVersion, how: Break) {
    let authority = Authority::new();
    let identity = authority.issue(vec![authority.der().into()]);
    let octets = octets(&identity, version).await;
    let config = Arc::new(identity.server(version));
    let address = tcp(move |mut stream| {
        let config = config.clone();
        async move {
            let _ = play(&mut stream, config, how, usize::MAX).await;
        }
    })
    .await;
    // What a flipped bit does is looked at below.
    let outcome = |at: &usize| match how {
        Break::Flip => End::new(&format!("h{at}"), address, "", ANYTHING),
        _ => End::new(&format!("h{at}"), address, "", NO_PASS),
    };
    let ended = farm::judge(&authority, octets.iter().map(outcome).collect()).await;
    let leaf = coexist::pki::blob_id(&identity.chain()[0]);
    for at in &octets {
        let name = format!("h{at}.domain.com");
        let passes = ended
            .about(&name)
            .iter()
            .any(|o| o.verdict == Verdict::Pass && o.kind != coexist::model::finding::ClaimKind::Dns);
        let mut looks = ended
            .recording
            .observations
            .iter()
            .filter(|o| matches!(&o.probe, Probe::Tls(p) if p.sni.as_ref().is_some_and(|n| n.as_str() == name)));
        let is_true = looks.all(|o| match &*o.outcome {
            Outcome::Tls(TlsOutcome::Certificate(s)) => {
                s.chain[0] == leaf && s.possession == Possession::Proved && s.ended.is_none()
            }
            _ => false,
        });
        assert!(!passes || (how == Break::Flip && is_true), "{how:?} at {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stalls_at_any_octet_is_no_pass() {
    broken(&rustls::version::TLS13, Break::Stall).await;
    broken(&rustls::version::TLS12, Break::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_up_at_any_octet_is_no_pass() {
    broken(&rustls::version::TLS13, Break::Close).await;
    broken(&rustls::version::TLS12, Break::Close).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_anywhere_shows_nothing_but_the_truth() {
    broken(&rustls::version::TLS13, Break::Flip).await;
    broken(&rustls::version::TLS12, Break::Flip).await;
}
