//! A resolver of a view: UDP and TCP, TLS (RFC 7858) or HTTPS (RFC 8484), each on loopback.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Edns, Header, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA, CAA, CNAME, MX, NS, NULL, PTR, SOA, SRV, TLSA, TXT};
use hickory_server::proto::rr::{DNSClass, Name, RData, Record};
use hickory_server::proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use jiff::Timestamp;
use rustls::server::ResolvesServerCert;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use super::delegations::{self, Cut};
use super::world::Mood;
use super::zone::{Answer, Ending, Zone};
use crate::model::dns::{RecordType, Transport};
use crate::model::records::{DataRecord, RecordData};
use crate::model::svcb::Svcb;

/// A port of this machine, chosen by the system.
pub(super) const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// How long a client may keep a connection without a word.
const IDLE: Duration = Duration::from_secs(30);
/// Answers that wait to be sent on a connection.
const QUEUE: usize = 64;
/// Tries to find a port that is free for UDP and TCP.
const PORT_TRIES: usize = 32;

/// A resolver that runs until it is dropped.
pub(super) struct Resolver {
    pub address: SocketAddr,
    _server: Option<Server<Handler>>,
    _tasks: JoinSet<()>,
}

impl Resolver {
    /// Starts a resolver; TLS and HTTPS authenticate themselves with `keys`.
    pub async fn start(
        zone: Arc<Zone>,
        mood: Mood,
        transport: &Transport,
        keys: Arc<dyn ResolvesServerCert>,
    ) -> io::Result<Self> {
        if mood == Mood::Garbles {
            return garbler().await;
        }
        let mut server = Server::new(Handler { zone, mood });
        let address = match transport {
            Transport::Udp | Transport::Tcp => {
                let (udp, tcp) = pair().await?;
                let address = tcp.local_addr()?;
                server.register_socket(udp);
                server.register_listener(tcp, IDLE, QUEUE);
                address
            }
            Transport::Tls => {
                let tcp = TcpListener::bind(ANYWHERE).await?;
                let address = tcp.local_addr()?;
                server.register_tls_listener(tcp, IDLE, keys)?;
                address
            }
            Transport::Https(path) => {
                let tcp = TcpListener::bind(ANYWHERE).await?;
                let address = tcp.local_addr()?;
                server.register_https_listener(tcp, IDLE, keys, None, path.clone())?;
                address
            }
        };
        Ok(Self { address, _server: Some(server), _tasks: JoinSet::new() })
    }
}

/// The same port for UDP and TCP.
async fn pair() -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = None;
    for _ in 0..PORT_TRIES {
        let tcp = TcpListener::bind(ANYWHERE).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

/// Sends what is no DNS message, over both.
async fn garbler() -> io::Result<Resolver> {
    const NOISE: &[u8] = b"\x00\x05HELLO, I am no DNS server\r\n";
    let (udp, tcp) = pair().await?;
    let address = tcp.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((_, from)) = udp.recv_from(&mut buffer).await {
            let _ = udp.send_to(NOISE, from).await;
        }
    });
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let _ = stream.write_all(NOISE).await;
        }
    });
    Ok(Resolver { address, _server: None, _tasks: tasks })
}

struct Handler {
    zone: Arc<Zone>,
    mood: Mood,
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut out: R) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.recursion_available = true;
        let said = match self.mood {
            Mood::Silent => return info(metadata),
            Mood::Truncates if request.protocol() == Protocol::Udp => {
                metadata.truncation = true;
                Said::default()
            }
            Mood::Refuses => code(&mut metadata, ResponseCode::Refused),
            Mood::Fails => code(&mut metadata, ResponseCode::ServFail),
            _ => self.answer(request, &mut metadata),
        };
        let mut builder = MessageResponseBuilder::from_message_request(request);
        let edns = request.edns.as_ref().filter(|e| e.flags().dnssec_ok).map(|asked| {
            let mut edns = Edns::new();
            edns.set_dnssec_ok(true).set_max_payload(asked.max_payload());
            edns
        });
        if let Some(edns) = &edns {
            builder.edns(edns);
        }
        let response =
            builder.build(metadata, said.answers.iter(), said.servers.iter(), said.soa.iter(), said.glue.iter());
        out.send_response(response).await.unwrap_or_else(|_| info(metadata))
    }
}

/// The sections of a message.
#[derive(Default)]
struct Said {
    answers: Vec<Record>,
    soa: Option<Record>,
    /// Of another zone, to whom is referred, and their addresses.
    servers: Vec<Record>,
    glue: Vec<Record>,
}

impl Handler {
    fn answer(&self, request: &Request, metadata: &mut Metadata) -> Said {
        let Ok(asked) = request.request_info() else { return code(metadata, ResponseCode::FormErr) };
        if metadata.op_code != OpCode::Query || asked.query.query_class() != DNSClass::IN {
            return code(metadata, ResponseCode::NotImp);
        }
        let kind = RecordType::of_word(<&str>::from(asked.query.query_type()));
        let name = Name::from(asked.query.name()).to_ascii();
        // The parent has the DS, and signs it.
        if !request.metadata.checking_disabled && kind != Some(RecordType::Ds) && self.zone.is_bogus(&name) {
            return code(metadata, ResponseCode::ServFail);
        }
        if let Some((zone, cut)) = self.zone.cut(&name).filter(|_| kind != Some(RecordType::Ds)) {
            metadata.recursion_available = false;
            return refer(zone, cut);
        }
        let answer = self.zone.answer(&name, kind);
        match answer.ending {
            Ending::Fails => return code(metadata, ResponseCode::ServFail),
            Ending::NxDomain => metadata.response_code = ResponseCode::NXDomain,
            Ending::Found | Ending::NoData | Ending::Circle => {}
        }
        metadata.authoritative = true;
        let soa = match answer.ending {
            Ending::Found | Ending::Circle => None,
            _ => soa(&answer.apex, &self.zone),
        };
        let mut answers = records(&answer);
        if request.edns.as_ref().is_some_and(|e| e.flags().dnssec_ok) {
            answers.extend(kind.and_then(|kind| self.signature(&answers, kind)));
        }
        Said { answers, soa, ..Said::default() }
    }

    /// The signature of an answer's RRset, at the end of its chain.
    fn signature(&self, answers: &[Record], kind: RecordType) -> Option<Record> {
        let last = answers.last()?;
        let of_set = answers.iter().filter(|r| r.name == last.name && u16::from(r.record_type()) == kind.number());
        let rdata: Vec<Vec<u8>> = of_set.map(|r| canonical(&r.data)).collect::<Option<_>>()?;
        let owner = last.name.to_ascii();
        let owner = owner.trim_end_matches('.');
        let rrsig = self.zone.signature(owner, kind, (rdata, last.ttl), Timestamp::now())?;
        let octets = [rrsig.head()?, rrsig.signature].concat();
        Some(Record::from_rdata(last.name.clone(), last.ttl, unknown(46, octets)))
    }
}

/// To the servers of a zone below (RFC 1034 section 4.3.2, step 3b).
fn refer(zone: &str, cut: &Cut) -> Said {
    let servers = cut.iter().filter_map(|(host, _)| {
        Some(Record::from_rdata(absolute(zone)?, delegations::TTL, RData::NS(NS(absolute(host)?))))
    });
    let glue = cut.iter().flat_map(|(host, all)| all.iter().map(move |a| (host, *a)));
    let glue = glue.filter_map(|(host, a)| Some(Record::from_rdata(absolute(host)?, delegations::TTL, address(a))));
    Said { servers: servers.collect(), glue: glue.collect(), ..Said::default() }
}

fn address(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(a) => RData::A(A(a)),
        IpAddr::V6(a) => RData::AAAA(AAAA(a)),
    }
}

fn code(metadata: &mut Metadata, code: ResponseCode) -> Said {
    metadata.response_code = code;
    Said::default()
}

fn info(metadata: Metadata) -> ResponseInfo {
    ResponseInfo::from(Header { metadata, counts: Default::default() })
}

fn absolute(name: &str) -> Option<Name> {
    match name {
        "." => Some(Name::root()),
        name => Name::from_ascii(format!("{name}.")).ok(),
    }
}

fn records(answer: &Answer) -> Vec<Record> {
    let link = |(owner, target, ttl): &(String, String, u32)| {
        Some(Record::from_rdata(absolute(owner)?, *ttl, RData::CNAME(CNAME(absolute(target)?))))
    };
    let address =
        |(owner, a, ttl): &(String, IpAddr, u32)| Some(Record::from_rdata(absolute(owner)?, *ttl, address(*a)));
    let other = |(owner, record): &(String, DataRecord)| {
        Some(Record::from_rdata(absolute(owner)?, record.ttl, data(&record.data)?))
    };
    let found = answer.links.iter().filter_map(link).chain(answer.addresses.iter().filter_map(address));
    found.chain(answer.records.iter().filter_map(other)).collect()
}

/// A record of another type than addresses as hickory has it.
fn data(data: &RecordData) -> Option<RData> {
    Some(match data {
        RecordData::Caa { flags, tag, value } => {
            let mut caa = CAA::new_issue(flags & 0x80 != 0, None, Vec::new());
            caa.reserved_flags = flags & 0x7f;
            (caa.tag, caa.value) = (tag.clone(), value.clone().into_bytes());
            RData::CAA(caa)
        }
        RecordData::Cname(target) => RData::CNAME(CNAME(absolute(target)?)),
        RecordData::Dnskey(key) => unknown(48, key.octets()),
        RecordData::Ds(ds) => unknown(43, ds.octets()),
        RecordData::Https(https) => unknown(65, svcb(https)?),
        RecordData::Mx { preference, exchange } => RData::MX(MX::new(*preference, absolute(exchange)?)),
        RecordData::Ns(host) => RData::NS(NS(absolute(host)?)),
        RecordData::Ptr(name) => RData::PTR(PTR(absolute(name)?)),
        RecordData::Soa(soa) => head(&soa.zone, soa.serial, soa.minimum)?,
        RecordData::Srv { priority, weight, port, target } => {
            RData::SRV(SRV::new(*priority, *weight, *port, absolute(target)?))
        }
        RecordData::Tlsa(t) => {
            RData::TLSA(TLSA::new(t.usage.into(), t.selector.into(), t.matching.into(), t.association.clone()))
        }
        // A string of a TXT record has at most 255 octets.
        RecordData::Txt(text) => {
            let strings = text.as_bytes().chunks(255).map(|c| String::from_utf8_lossy(c).into_owned());
            RData::TXT(TXT::new(strings.collect()))
        }
    })
}

/// RFC 9460 section 2.2; the target is not compressed.
fn svcb(record: &Svcb) -> Option<Vec<u8>> {
    let mut out = record.priority.to_be_bytes().to_vec();
    for label in record.target.split('.').filter(|l| !l.is_empty()) {
        out.push(u8::try_from(label.len()).ok()?);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    for (key, value) in record.octets()? {
        out.extend(key.to_be_bytes());
        out.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
        out.extend(value);
    }
    Some(out)
}

/// As it is signed (RFC 4034 section 6.2).
fn canonical(data: &RData) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = BinEncoder::new(&mut out);
    encoder.set_name_encoding(NameEncoding::UncompressedLowercase);
    data.emit(&mut encoder).ok()?;
    Some(out)
}

/// A record of a type that the library knows by its number only.
fn unknown(code: u16, octets: Vec<u8>) -> RData {
    RData::Unknown { code: code.into(), rdata: NULL::with(octets) }
}

/// The SOA that says how long the absence may be cached (RFC 2308 section 3).
fn soa(apex: &str, zone: &Zone) -> Option<Record> {
    Some(Record::from_rdata(absolute(apex)?, zone.negative_ttl, head(apex, zone.serial, zone.negative_ttl)?))
}

fn head(apex: &str, serial: u32, minimum: u32) -> Option<RData> {
    let (primary, contact) = (absolute(&format!("ns1.{apex}"))?, absolute(&format!("hostmaster.{apex}"))?);
    Some(RData::SOA(SOA::new(primary, contact, serial, 900, 600, 86_400, minimum)))
}
