//! A client: looks names up through a cache, connects, looks at the certificate, follows a redirect.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name as WireName, RData, RecordType};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::credentials::Issued;
use super::servers::Servers;
use crate::model::cutover::{CacheKind, ClientPath, HarmClass, NodeId, Timeline};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::service::Way;
use crate::pki;

/// Enough for any machine: everything is on loopback.
const PATIENCE: Duration = Duration::from_secs(20);
/// Links of a CNAME chain that are followed.
const LINKS: usize = 16;

/// What a resolver remembers: each RRset, and each absence, until some moment.
#[derive(Default)]
pub(super) struct Cache(HashMap<(Name, CacheKind), (Kept, i64)>);

#[derive(Clone, Debug)]
enum Kept {
    Addresses(Vec<IpAddr>),
    Hosts(Vec<Name>),
    Alias(Name),
    Nothing,
}

/// Where a path leads.
#[derive(Default)]
pub(super) struct Found {
    /// Addresses, each with the name that the client has in mind.
    pub addresses: BTreeSet<(IpAddr, Name)>,
    /// Some name on the way is believed not to exist.
    pub nowhere: bool,
}

/// What a client met.
#[derive(Clone)]
pub(super) enum Met {
    /// A right certificate.
    Well,
    /// A right certificate, and a redirect.
    Sent(Name),
    /// Harm, in words that go on after the server's label.
    Harm(HarmClass, String),
}

/// A client with its cache at one moment.
pub(super) struct Client<'a> {
    pub timeline: &'a Timeline,
    pub name_server: SocketAddr,
    pub cache: &'a mut Cache,
    pub millis: i64,
}

impl Client<'_> {
    /// Looks up all that a path needs; how many questions that took.
    pub async fn fill(&mut self, path: &ClientPath) -> usize {
        self.led(path).await.1
    }

    /// Where a path leads, and how many questions it took to know.
    pub async fn led(&mut self, path: &ClientPath) -> (Found, usize) {
        let (mut found, mut asked) = (Found::default(), 0);
        let hosts = match path.entry {
            CacheKind::Mx | CacheKind::Srv => match self.look_up(path.view, &path.name, path.entry, &mut asked).await {
                Kept::Hosts(hosts) => hosts,
                _ => {
                    found.nowhere = true;
                    Vec::new()
                }
            },
            _ => vec![path.name.clone()],
        };
        for host in hosts {
            let mut none = 0;
            for kind in [CacheKind::A, CacheKind::Aaaa] {
                match self.look_up(path.view, &host, kind, &mut asked).await {
                    Kept::Addresses(all) => found.addresses.extend(all.into_iter().map(|a| (a, host.clone()))),
                    _ => none += 1,
                }
            }
            found.nowhere |= none == 2;
        }
        (found, asked)
    }

    async fn look_up(&mut self, view: ViewId, name: &Name, kind: CacheKind, asked: &mut usize) -> Kept {
        let mut at = name.clone();
        for _ in 0..LINKS {
            if let Some(kept) = self.remembered(&at, kind) {
                return kept;
            }
            match self.remembered(&at, CacheKind::Cname) {
                Some(Kept::Alias(target)) => at = target,
                _ => {
                    *asked += 1;
                    if self.ask(view, &at, kind).await.is_err() {
                        return Kept::Nothing;
                    }
                    if let Some(kept) = self.remembered(&at, kind) {
                        return kept;
                    }
                }
            }
        }
        Kept::Nothing
    }

    fn remembered(&self, name: &Name, kind: CacheKind) -> Option<Kept> {
        let (kept, until) = self.cache.0.get(&(name.clone(), kind))?;
        (self.millis < *until).then(|| kept.clone())
    }

    /// Asks the view's name server and remembers every RRset of the answer, each for its own time.
    async fn ask(&mut self, view: ViewId, name: &Name, kind: CacheKind) -> io::Result<()> {
        let answer = exchange(self.name_server, name, kind).await?;
        let mut sets: HashMap<(Name, CacheKind), (Kept, u32)> = HashMap::new();
        for record in &answer.answers {
            let Some((owner, kind, kept)) = read(&record.name, &record.data) else { continue };
            match sets.get_mut(&(owner.clone(), kind)) {
                Some((Kept::Addresses(all), _)) => {
                    if let Kept::Addresses(more) = kept {
                        all.extend(more);
                    }
                }
                Some((Kept::Hosts(all), _)) => {
                    if let Kept::Hosts(more) = kept {
                        all.extend(more);
                    }
                }
                _ => drop(sets.insert((owner, kind), (kept, record.ttl))),
            }
        }
        // What the chain's end lacks is absent for as long as the SOA says (RFC 2308).
        let mut end = name.clone();
        while let Some((Kept::Alias(target), _)) = sets.get(&(end.clone(), CacheKind::Cname)) {
            end = target.clone();
        }
        if !sets.contains_key(&(end.clone(), kind)) {
            let soa = answer.authorities.first().map_or(0, |r| r.ttl);
            sets.insert((end, kind), (Kept::Nothing, soa));
        }
        let floor = self.timeline.views.get(view.0).map_or(0, |v| v.floor);
        for (key, (kept, ttl)) in sets {
            let hold = i64::from(ttl.max(floor)) + i64::from(self.timeline.slack);
            // What lives for no time is good for the question that brought it.
            self.cache.0.insert(key, (kept, self.millis + (hold * 1000).max(1)));
        }
        Ok(())
    }
}

async fn exchange(server: SocketAddr, name: &Name, kind: CacheKind) -> io::Result<Message> {
    let kind = match kind {
        CacheKind::A => RecordType::A,
        CacheKind::Aaaa => RecordType::AAAA,
        CacheKind::Mx => RecordType::MX,
        _ => RecordType::SRV,
    };
    let mut message = Message::query();
    let id = message.metadata.id;
    let wire = WireName::from_ascii(format!("{name}.")).map_err(io::Error::other)?;
    message.add_query(Query::query(wire, kind));
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.connect(server).await?;
    socket.send(&message.to_vec().map_err(io::Error::other)?).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = timeout(PATIENCE, socket.recv(&mut buffer)).await??;
        let answer = Message::from_vec(&buffer[..length]).map_err(io::Error::other)?;
        if answer.metadata.id == id {
            return Ok(answer);
        }
    }
}

fn read(owner: &WireName, data: &RData) -> Option<(Name, CacheKind, Kept)> {
    let name = |wire: &WireName| Name::parse_owner(&wire.to_ascii()).ok();
    let (kind, kept) = match data {
        RData::A(a) => (CacheKind::A, Kept::Addresses(vec![a.0.into()])),
        RData::AAAA(a) => (CacheKind::Aaaa, Kept::Addresses(vec![a.0.into()])),
        RData::CNAME(target) => (CacheKind::Cname, Kept::Alias(name(&target.0)?)),
        RData::MX(mx) => (CacheKind::Mx, Kept::Hosts(vec![name(&mx.exchange)?])),
        RData::SRV(srv) => (CacheKind::Srv, Kept::Hosts(vec![name(&srv.target)?])),
        _ => return None,
    };
    Some((name(owner)?, kind, kept))
}

/// True if clients of the path speak HTTP.
pub(super) fn is_web(path: &ClientPath) -> bool {
    path.entry == CacheKind::A && path.service.way == Way::Implicit && matches!(path.service.word, "https" | "IIS")
}

/// Connects to a node, and says what a client of the path makes of it.
pub(super) async fn connect(
    servers: &Servers,
    issued: &Issued,
    timeline: &Timeline,
    path: &ClientPath,
    (node, reference): (NodeId, &Name),
    millis: i64,
) -> Met {
    let port = path.service.port;
    let refuses = || Met::Harm(HarmClass::NothingListens, format!("does not listen at :{port}"));
    let Some(address) = servers.address(node, port) else { return refuses() };
    let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(address)).await else { return refuses() };
    match timeout(PATIENCE, shake(stream, path, reference)).await {
        Ok(Ok((chain, sent))) => match judge(issued, timeline, path, reference, &chain, millis) {
            Some((class, words)) => Met::Harm(class, words),
            None => sent.map_or(Met::Well, Met::Sent),
        },
        _ => refuses(),
    }
}

type Chain = Vec<CertificateDer<'static>>;

/// A full handshake, and for web clients a GET: the chain, and where the server sends them.
async fn shake(stream: TcpStream, path: &ClientPath, reference: &Name) -> io::Result<(Chain, Option<Name>)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let seen = Arc::new(Seen { chain: Mutex::default(), algorithms: provider.signature_verification_algorithms });
    let mut config = client(provider, seen.clone())?;
    config.enable_sni = path.sni;
    config.resumption = rustls::client::Resumption::disabled();
    let name = ServerName::try_from(reference.to_string()).map_err(io::Error::other)?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let mut sent = None;
    if is_web(path) {
        stream.write_all(format!("GET / HTTP/1.1\r\nHost: {reference}\r\n\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        let _ = (&mut stream).take(4096).read_to_end(&mut head).await;
        sent = location(&head);
    }
    let _ = stream.shutdown().await;
    let chain = seen.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((chain, sent))
}

fn location(head: &[u8]) -> Option<Name> {
    let text = std::str::from_utf8(head).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("Location: https://"))?;
    Name::parse(line.trim_end_matches('/')).ok()
}

fn client(provider: Arc<CryptoProvider>, seen: Arc<Seen>) -> io::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(seen).with_no_client_auth())
}

/// Name, then dates, then trust, at the play's time.
fn judge(
    issued: &Issued,
    timeline: &Timeline,
    path: &ClientPath,
    reference: &Name,
    chain: &[CertificateDer<'static>],
    millis: i64,
) -> Option<(HarmClass, String)> {
    let served = chain.first().and_then(|leaf| issued.keys.iter().position(|k| k.cert.first() == Some(leaf)));
    let label = served.and_then(|i| timeline.credentials.get(i)).map_or("a certificate", |c| &*c.label);
    let Some(facts) = chain.first().and_then(|leaf| pki::facts(leaf).ok()) else {
        return Some((HarmClass::Untrusted, "shows no certificate".into()));
    };
    if pki::identify(&facts, reference).is_err() {
        return Some((HarmClass::WrongName, format!("shows \"{label}\", which is not for {reference}")));
    }
    let now = issued.at(millis);
    if now < facts.not_before || facts.not_after < now {
        return Some((HarmClass::Expired, format!("shows \"{label}\", which is not valid at that time")));
    }
    match is_trusted(issued, path.view, &chain[0], now) {
        true => None,
        false => Some((HarmClass::Untrusted, format!("shows \"{label}\", which this client does not trust"))),
    }
}

fn is_trusted(issued: &Issued, view: ViewId, leaf: &CertificateDer<'_>, now: jiff::Timestamp) -> bool {
    let anchors: Vec<_> = issued.anchors.get(&view).into_iter().flatten().collect();
    let anchors: Vec<_> = anchors.into_iter().filter_map(|der| webpki::anchor_from_trusted_cert(der).ok()).collect();
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let usage = webpki::KeyUsage::server_auth();
    webpki::EndEntityCert::try_from(leaf)
        .and_then(|ee| ee.verify_for_usage(algorithms.all, &anchors, &[], at, usage, None, None).map(|_| ()))
        .is_ok()
}

/// Takes every chain, and keeps it.
#[derive(Debug)]
struct Seen {
    chain: Mutex<Chain>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = vec![leaf.clone().into_owned()];
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
