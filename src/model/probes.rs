//! What a run is to look at, and from where: obligations turned into questions, without what is hoped for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::delegation::Delegation;
use super::dns::RecordType;
use super::http::HttpProbe;
use super::name::Name;
use super::observation::{DnsProbe, TlsProbe};
use super::plan::{ClientCertificate, Parts, View, ViewId, ViewKind};
use super::proxy::ProxyKind;
use super::service::Way;

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// The views in which it stands itself.
    pub stands_in: Vec<ViewId>,
    /// The views in which it stands through their proxies.
    pub through: BTreeMap<ViewId, ProxyKind>,
    /// This machine's address, as far as it is known.
    pub address: Option<IpAddr>,
}

/// Everything that a run looks at. Equal questions stand in it once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Certificate files, by their paths as the plan writes them.
    pub files: BTreeSet<String>,
    /// Questions to resolvers, in the order in which they are asked.
    pub dns: Vec<DnsAsk>,
    /// Views, by their labels, whose resolvers are asked through the views' proxies, if they are asked over TCP, TLS or HTTPS.
    pub led: BTreeSet<Arc<str>>,
    /// Connections to addresses that the plan gives.
    pub tls: Vec<TlsAsk>,
    /// Endpoints that may have a certificate of the other kind of key than they show: where one came, they are asked for
    /// the other.
    pub faces: BTreeSet<Door>,
    /// Connections to the addresses that DNS gives.
    pub templates: Vec<Template>,
    /// Questions to web sites.
    pub http: Vec<HttpAsk>,
    /// Hosts that answers name, to be looked up too.
    pub follow: Vec<Follow>,
    /// What is asked only where something else is there.
    pub further: Vec<Further>,
    /// Zones of whose servers the parents are asked.
    pub delegations: Vec<Delegation>,
    /// Policies of mail domains.
    pub policies: Vec<PolicyAsk>,
    /// What is not looked at from here, and why: a line each for `--dry-run` and `-v`.
    pub skipped: Vec<String>,
}

impl Probes {
    /// How many observations come of them at least, unless the run is cut short.
    pub fn count(&self) -> usize {
        self.dns.len() + self.files.len() + self.http.len() + self.tls.iter().map(|t| t.samples as usize).sum::<usize>()
    }
}

/// A question to a resolver and how to ask it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAsk {
    /// The question.
    pub probe: DnsProbe,
    /// Limit for all tries together in milliseconds; `None` is the command line's.
    pub timeout_ms: Option<u64>,
}

/// A connection and how to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsAsk {
    /// The connection.
    pub probe: TlsProbe,
    /// How often it is made.
    pub samples: u32,
    /// How. Shared, for most endpoints are asked alike.
    pub manners: Arc<Manners>,
}

/// An endpoint, whatever name is asked for there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Door {
    /// The label of the view through whose proxy it is reached; `None` is from here.
    pub via: Option<Arc<str>>,
    /// The logical address.
    pub address: SocketAddr,
    /// How TLS begins.
    pub way: Way,
}

impl Door {
    /// Where a connection is made.
    pub fn of(ask: &TlsAsk) -> Self {
        Self { via: ask.manners.via.clone(), address: ask.probe.address, way: ask.probe.way }
    }
}

/// A question to a web site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAsk {
    /// The question.
    pub probe: HttpProbe,
    /// The label of the view through whose proxy it is asked; `None` is from here.
    pub via: Option<Arc<str>>,
    /// Limit for the connection and the answer in milliseconds; `None` is the command line's.
    pub timeout_ms: Option<u64>,
}

/// "The addresses that this name has in this view": expanded by the observer once DNS has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The label of the view whose answers count.
    pub view: Arc<str>,
    /// The name that is looked up and sent as SNI.
    pub name: Name,
    /// TCP port.
    pub port: u16,
    /// How TLS begins.
    pub way: Way,
    /// Which addresses may be dialled from here.
    pub reach: Reach,
    /// How often each address is asked.
    pub samples: u32,
    /// How. Shared, for most endpoints are asked alike.
    pub manners: Arc<Manners>,
}

/// "The hosts that the answers to this question name": the observer asks for their addresses, of the resolvers that named
/// them, unless they are asked for already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The label of the view whose answers count.
    pub view: Arc<str>,
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub kind: RecordType,
    /// Whether TLS is looked at too, at the port that a record names.
    pub tls: Option<(Reach, Arc<Manners>)>,
}

/// "Where this question is answered by records": the observer asks these too. A zone that has DS has keys; a mail host with
/// TLSA may have them for its other services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Further {
    /// The label of the view whose answers count.
    pub view: Arc<str>,
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub kind: RecordType,
    /// What is asked then.
    pub asks: Vec<DnsAsk>,
}

/// "The MTA-STS policy of this domain, if its record says that there is one": asked for at every address that the view's
/// answers give for its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAsk {
    /// The label of the view whose answers count.
    pub view: Arc<str>,
    /// Where the record stands.
    pub owner: Name,
    /// Who gives the policy.
    pub host: Name,
    /// Which addresses may be dialled from here.
    pub reach: Reach,
    /// The label of the view through whose proxy it is fetched; `None` is from here.
    pub via: Option<Arc<str>>,
    /// Limit for a connection and its answer in milliseconds; `None` is the command line's.
    pub timeout_ms: Option<u64>,
}

/// How connections to an endpoint are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// The label of the view through whose proxy they are made; `None` is from here.
    pub via: Option<Arc<str>>,
    /// Limit for one connection with its dialogue and handshake in milliseconds; `None` is the command line's.
    pub timeout_ms: Option<u64>,
    /// Limits of its parts.
    pub parts: Parts,
    /// Further tries after one that failed before a certificate came.
    pub retry: u32,
    /// Connections at once to one address.
    pub per_host: u32,
    /// What is shown to an endpoint that asks for a client certificate.
    pub client: Option<Arc<ClientCertificate>>,
    /// The name said in EHLO.
    pub ehlo: Arc<str>,
}

/// The networks that may be dialled by standing in a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The declared networks; `None` if none are declared.
    pub networks: Option<Vec<IpNet>>,
    /// Inside or outside.
    pub kind: ViewKind,
}

impl Reach {
    /// The reach of a view's clients.
    pub fn of(view: &View) -> Self {
        Self { networks: view.reaches.clone(), kind: view.kind }
    }

    /// True if the address may be dialled. Without declared networks, clients inside reach everything, and those outside
    /// no private address, where a stranger may live; this machine's loopback has no strangers.
    pub fn allows(&self, address: IpAddr) -> bool {
        match (&self.networks, self.kind) {
            (Some(networks), _) => networks.iter().any(|n| n.contains(&address)),
            (None, ViewKind::Internal) => true,
            (None, ViewKind::External) => address.is_loopback() || !is_private(address),
        }
    }
}

/// True for addresses that mean another machine in another network: RFC 1918, RFC 6598, RFC 4193, loopback, link-local,
/// unspecified.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            let shared = Ipv4Addr::new(100, 64, 0, 0).to_bits();
            a.is_private()
                || a.is_loopback()
                || a.is_link_local()
                || a.is_unspecified()
                || a.to_bits() & 0xffc0_0000 == shared
        }
        IpAddr::V6(a) => match a.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => a.is_loopback() || a.is_unspecified() || a.is_unique_local() || a.is_unicast_link_local(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for private in
            ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00::1", "::ffff:10.0.0.1"]
        {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["203.0.113.10", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn outside_reaches_no_private_address_unless_it_says_so() {
        let reach = |networks: Option<&str>, kind| Reach { networks: networks.map(|n| vec![n.parse().unwrap()]), kind };
        let ten = "10.0.0.10".parse().unwrap();
        assert!(reach(None, ViewKind::Internal).allows(ten));
        assert!(!reach(None, ViewKind::External).allows(ten));
        assert!(reach(Some("10.0.0.0/8"), ViewKind::External).allows(ten));
        assert!(!reach(Some("192.168.0.0/16"), ViewKind::Internal).allows(ten));
    }
}
