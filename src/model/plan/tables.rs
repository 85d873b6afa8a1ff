//! The plan's further tables: waivers, the calendar, zones, mail, records, the cutover, settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{ViewId, Window};
use crate::model::dns::ResolverAddr;
use crate::model::http::Hsts;
use crate::model::name::Name;
use crate::model::source::{Located, Span};

/// An accepted fault.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// The rule.
    pub rule: Located<String>,
    /// A name, server, pool, certificate or view; `None` waives the rule everywhere.
    pub on: Option<Located<String>>,
    /// Why.
    pub reason: Located<String>,
    /// The first instant at which it no longer holds (the day after `until`, UTC); `None` holds for ever.
    pub until: Option<Located<Timestamp>>,
    /// The place of the whole waiver.
    pub span: Span,
}

/// The calendar of a phase: from the first instant, until just before the second.
#[derive(Clone, Copy, Debug, Default)]
pub struct PhaseDates {
    /// First instant.
    pub from: Option<Timestamp>,
    /// First instant after it (the day after `until`, UTC).
    pub until: Option<Timestamp>,
    /// The place.
    pub span: Span,
}

/// A zone and who serves it.
#[derive(Clone, Debug)]
pub struct Zone {
    /// The zone's apex.
    pub apex: Name,
    /// The views in which it is served so.
    pub views: Vec<ViewId>,
    /// Its authoritative servers.
    pub servers: Vec<Located<ResolverAddr>>,
    /// The product that serves it.
    pub product: Option<String>,
    /// The apex's place.
    pub span: Span,
}

/// A mail domain.
#[derive(Clone, Debug)]
pub struct MailDomain {
    /// The domain.
    pub domain: Name,
    /// Its MX targets in each phase, by [`Phase`](crate::model::phase::Phase) as index; `None` where nothing is said.
    pub mx: [Option<Vec<Located<Name>>>; 3],
    /// How its clients find autodiscover.
    pub autodiscover: Autodiscover,
    /// Its policy of which hosts may take its mail, where it enforces one.
    pub mta_sts: Option<MtaSts>,
    /// By which name its servers greet others in EHLO.
    pub helo: Option<Located<Name>>,
    /// The domain's place.
    pub span: Span,
}

/// An MTA-STS policy that is enforced (RFC 8461).
#[derive(Clone, Debug)]
pub struct MtaSts {
    /// For how many seconds senders keep it.
    pub max_age: Located<u32>,
    /// Its patterns in every phase; what takes mail in a phase and fits none of them stands in it too.
    pub mx: Vec<Located<Name>>,
}

/// How a mail domain's clients find autodiscover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Autodiscover {
    /// Not said.
    Unsaid,
    /// Under this name.
    Name(Located<Name>),
    /// By the SRV record `_autodiscover._tcp`.
    Srv,
    /// Not at all.
    None,
}

/// A record that clients depend on, its values as written.
#[derive(Clone, Debug)]
pub struct PlannedRecord {
    /// Owner.
    pub owner: Name,
    /// Type, in capitals.
    pub kind: String,
    /// Values by [`ViewId`]; `None` where nothing is said.
    pub values: Vec<Option<Vec<String>>>,
    /// The place.
    pub span: Span,
}

/// Settings of the cutover; durations in seconds.
#[derive(Clone, Debug, Default)]
pub struct Cutover {
    /// TTL to lower to before a flip.
    pub low_ttl: u32,
    /// Time until all authoritative servers of a view hold a change, by [`ViewId`].
    pub propagation: Vec<u32>,
    /// How far beyond a TTL a cache may go.
    pub slack: u32,
    /// How wrong clocks of clients and servers may be, before or after.
    pub clock_error: u32,
    /// For how long clients use a URL that they were told and are told no longer; `None` is the usual time.
    pub cached_urls: Option<u32>,
    /// Longest acceptable way back.
    pub rollback_budget: u32,
    /// When each view flipped into the phase where it stands, by [`ViewId`].
    pub flipped: Vec<Option<Timestamp>>,
    /// When changes may be made, by [`ViewId`]; empty: at any time. What belongs to no view keeps to those of all.
    pub windows: Vec<Vec<Located<Window>>>,
    /// What sites, of the plan or not, make browsers remember.
    pub hsts: BTreeMap<Name, Located<Hsts>>,
}

/// A certificate that is shown to endpoints that ask for one, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The file of the certificate with its chain, its path as written.
    pub file: Located<String>,
    /// The file of the key in PEM.
    pub key: Located<String>,
}

/// Limits of the parts of a connection in milliseconds; `None`: that of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The TCP connection, through a proxy too.
    pub connect_ms: Option<u64>,
    /// The dialogue before TLS.
    pub dialogue_ms: Option<u64>,
    /// The TLS handshake.
    pub handshake_ms: Option<u64>,
}

/// Settings that can be given for the plan or nearer; here with every default made explicit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often a balanced address is asked.
    pub samples: u32,
    /// Connections at once to one address.
    pub per_host: u32,
    /// Limit of one query with its retransmissions, or of one connection with its handshake, in milliseconds;
    /// `None`: the command line's.
    pub timeout_ms: Option<u64>,
    /// Limits of the parts of a connection, where the plan tells them apart.
    pub parts: Parts,
    /// Further tries after a failed connection.
    pub retry: u32,
    /// The endpoint demands client certificates.
    pub mtls: bool,
    /// What is shown to an endpoint that asks for a client certificate.
    pub client_certificate: Option<Arc<ClientCertificate>>,
    /// The name said in EHLO.
    pub ehlo: String,
    /// Name of the environment variable that holds a password (PFX, proxy).
    pub password_env: Option<String>,
    /// Ask the authoritative servers too.
    pub authoritative: bool,
    /// Oldest evidence that counts, in seconds.
    pub max_age: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            samples: 4,
            per_host: 16,
            timeout_ms: None,
            parts: Parts::default(),
            retry: 0,
            mtls: false,
            client_certificate: None,
            ehlo: "coexist.invalid".into(),
            password_env: None,
            authoritative: false,
            max_age: 24 * 3600,
        }
    }
}
