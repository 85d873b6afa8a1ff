//! A view's name server: answers from what holds now.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Header, Metadata, ResponseCode};
use hickory_server::proto::rr::rdata::svcb::{IpHint, SVCB, SvcParamKey, SvcParamValue};
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, HTTPS, MX, SOA, SRV, TLSA};
use hickory_server::proto::rr::{Name as WireName, RData, Record};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::UdpSocket;

use super::Scene;
use super::credentials::Issued;
use crate::model::cutover::{CacheKey, CacheKind, Datum, RecordSet, Timeline, World, ZoneFacts};
use crate::model::name::Name;
use crate::model::plan::ViewId;

/// Links of a CNAME chain that are followed.
const LINKS: usize = 16;

/// A name server that runs until it is dropped.
pub(super) struct NameServer {
    pub address: SocketAddr,
    _server: Server<Handler>,
}

impl NameServer {
    /// Starts a view's name server on loopback.
    pub async fn start(timeline: &Timeline, view: ViewId, scene: Scene, issued: Arc<Issued>) -> io::Result<Self> {
        let zones = timeline.zones.iter().filter(|z| z.view == view).cloned().collect();
        let handler = Handler { scene, issued, view, zones, negative_ttl: timeline.negative_ttl };
        let socket = UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let mut server = Server::new(handler);
        server.register_socket(socket);
        Ok(Self { address, _server: server })
    }
}

struct Handler {
    scene: Scene,
    issued: Arc<Issued>,
    view: ViewId,
    zones: Vec<ZoneFacts>,
    negative_ttl: u32,
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut out: R) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.authoritative = true;
        let (answers, authority) = match request.request_info() {
            Ok(asked) => {
                let kind = kind_of(<&str>::from(asked.query.query_type()));
                let name = WireName::from(asked.query.name()).to_ascii();
                self.answer(&name, kind, &mut metadata)
            }
            Err(_) => {
                metadata.response_code = ResponseCode::FormErr;
                (Vec::new(), None)
            }
        };
        let response = MessageResponseBuilder::from_message_request(request);
        let response = response.build(metadata, answers.iter(), [], authority.iter(), []);
        let failed = ResponseInfo::from(Header { metadata, counts: Default::default() });
        out.send_response(response).await.unwrap_or(failed)
    }
}

impl Handler {
    fn answer(&self, name: &str, kind: Option<CacheKind>, metadata: &mut Metadata) -> (Vec<Record>, Option<Record>) {
        let world = self.scene.read().unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::new();
        let Ok(mut at) = Name::parse_owner(name) else {
            metadata.response_code = ResponseCode::NXDomain;
            return (answers, self.soa(name));
        };
        for _ in 0..LINKS {
            let owner = self.stands_for(&world, &at);
            let set = |kind| {
                let owner = owner.clone()?;
                world.records.get(&CacheKey { view: self.view, owner, kind })
            };
            if let Some(alias) = set(CacheKind::Cname) {
                answers.extend(self.records(&at, CacheKind::Cname, alias));
                match alias.data.first() {
                    Some(Datum::Host(target)) => at = target.clone(),
                    _ => return (answers, None),
                }
                continue;
            }
            if let Some((kind, found)) = kind.and_then(|k| Some((k, set(k)?))) {
                answers.extend(self.records(&at, kind, found));
                return (answers, None);
            }
            if owner.is_none() {
                metadata.response_code = ResponseCode::NXDomain;
            }
            break;
        }
        (answers, self.soa(at.as_str()))
    }

    /// The owner whose records answer for a name: itself, or a wildcard (RFC 4592); `None`: it does not exist.
    fn stands_for(&self, world: &World, name: &Name) -> Option<Name> {
        let is_apex = |n: &str| self.zones.iter().any(|z| z.apex.as_str() == n);
        let exists = |n: &str| {
            let mut owners = world.records.keys().filter(|k| k.view == self.view && k.kind.is_dns());
            is_apex(n) || owners.any(|k| k.owner.is_under(n))
        };
        if exists(name.as_str()) {
            return Some(name.clone());
        }
        let up = |n: &str| n.split_once('.').map(|(_, rest)| rest.to_string());
        let encloser = std::iter::successors(up(name.as_str()), |n| up(n)).find(|n| exists(n))?;
        let wildcard = Name::parse_owner(&format!("*.{encloser}")).ok()?;
        world.records.keys().any(|k| k.view == self.view && k.owner == wildcard).then_some(wildcard)
    }

    fn records(&self, owner: &Name, kind: CacheKind, set: &RecordSet) -> Vec<Record> {
        let Some(name) = absolute(owner.as_str()) else { return Vec::new() };
        let data: Vec<RData> = match kind {
            CacheKind::Https => hints(set),
            _ => set.data.iter().filter_map(|datum| self.data(kind, datum)).collect(),
        };
        data.into_iter().map(|data| Record::from_rdata(name.clone(), set.ttl, data)).collect()
    }

    fn data(&self, kind: CacheKind, datum: &Datum) -> Option<RData> {
        Some(match (kind, datum) {
            (CacheKind::A, Datum::Address(IpAddr::V4(a))) => RData::A(A(*a)),
            (CacheKind::Aaaa, Datum::Address(IpAddr::V6(a))) => RData::AAAA(AAAA(*a)),
            (CacheKind::Cname, Datum::Host(host)) => RData::CNAME(CNAME(absolute(host.as_str())?)),
            (CacheKind::Mx, Datum::Host(host)) => RData::MX(MX::new(10, absolute(host.as_str())?)),
            (CacheKind::Srv, Datum::Host(host)) => RData::SRV(SRV::new(0, 0, 443, absolute(host.as_str())?)),
            // The key of the end entity, as its SHA-256 (RFC 7671 section 5.1).
            (CacheKind::Tlsa, Datum::Certificate(index)) => {
                RData::TLSA(TLSA::new(3.into(), 1.into(), 1.into(), self.issued.association(*index)?))
            }
            _ => return None,
        })
    }

    /// Its two numbers say how long the absence may be kept (RFC 2308 section 3).
    fn soa(&self, name: &str) -> Option<Record> {
        let holds = |z: &&ZoneFacts| Name::parse_owner(name).is_ok_and(|n| n.is_under(z.apex.as_str()));
        let zone = self.zones.iter().filter(holds).max_by_key(|z| z.apex.as_str().len());
        let ttl = zone.map_or(self.negative_ttl, |z| z.negative_ttl);
        let apex = absolute(zone.map_or(name, |z| z.apex.as_str()))?;
        let data = SOA::new(apex.clone(), apex.clone(), 1, 900, 600, 86_400, ttl);
        Some(Record::from_rdata(apex, ttl, RData::SOA(data)))
    }
}

/// Kinds that the play asks for.
fn kind_of(word: &str) -> Option<CacheKind> {
    use CacheKind::{A, Aaaa, Https, Mx, Srv, Tlsa};
    [A, Aaaa, Mx, Srv, Https, Tlsa].into_iter().find(|k| k.word() == word)
}

/// Addresses stand as hints at the owner itself, whose target is "."; each other host has a record of its own (RFC 9460).
fn hints(set: &RecordSet) -> Vec<RData> {
    let addresses: Vec<IpAddr> = set.data.iter().filter_map(address).collect();
    let v4: Vec<A> = addresses.iter().filter_map(|a| if let IpAddr::V4(a) = a { Some(A(*a)) } else { None }).collect();
    let v6: Vec<AAAA> =
        addresses.iter().filter_map(|a| if let IpAddr::V6(a) = a { Some(AAAA(*a)) } else { None }).collect();
    let mut params = Vec::new();
    if !v4.is_empty() {
        params.push((SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(v4))));
    }
    if !v6.is_empty() {
        params.push((SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(IpHint(v6))));
    }
    let own = (!addresses.is_empty()).then(|| RData::HTTPS(HTTPS(SVCB::new(1, WireName::root(), params))));
    let host = |datum: &Datum| match datum {
        Datum::Host(host) => Some(RData::HTTPS(HTTPS(SVCB::new(2, absolute(host.as_str())?, Vec::new())))),
        _ => None,
    };
    own.into_iter().chain(set.data.iter().filter_map(host)).collect()
}

fn address(datum: &Datum) -> Option<IpAddr> {
    match datum {
        Datum::Address(address) => Some(*address),
        _ => None,
    }
}

fn absolute(name: &str) -> Option<WireName> {
    WireName::from_ascii(format!("{name}.")).ok()
}
