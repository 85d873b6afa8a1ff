//! What is to be done: on a server, in a zone, at a device. Whoever plans says it with these; the products say how it is
//! typed. Fields are owned and plain, and texts may be hostile.

use std::net::{IpAddr, SocketAddr};

use super::product::Product;
use super::rdata::Rdata;
use crate::model::name::Name;
use crate::model::service::{Protocol, Way};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Something about a certificate or its key, on a server.
    Certificate {
        /// The server's label.
        server: String,
        /// What.
        act: CertificateAct,
    },
    /// Something else on a server, or at a balancer or proxy.
    Server {
        /// The label of the server, balancer or proxy where it is done.
        server: String,
        /// What.
        act: ServerAct,
    },
    /// A change in a zone.
    Zone {
        /// Which zone.
        zone: ZonePlace,
        /// What.
        act: ZoneAct,
    },
    /// A NAT rule or a virtual address leads elsewhere. No product is known that would be told the same way as another.
    Repoint {
        /// What is re-pointed, as an administrator would call it: `203.0.113.10:443`.
        what: String,
        /// Where it leads now.
        from: IpAddr,
        /// Where it is to lead.
        to: IpAddr,
    },
    /// A look that verifies; nothing is changed.
    Look(Look),
}

/// Something about a certificate or its key. Thumbprints are SHA-1 in hexadecimal digits, as Windows shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateAct {
    /// Make a key and a request for a certificate.
    Order {
        /// Every name that it is to cover, the first also as common name.
        names: Vec<Name>,
        /// Who is to issue it, in words.
        issuer: Option<String>,
    },
    /// Join what the authority issued with the key of the request, on the server that requested.
    Complete,
    /// Write the certificate with its key into a file.
    Export {
        /// Which certificate.
        thumbprint: String,
    },
    /// Read it from the file that another server wrote.
    Import {
        /// Which certificate.
        thumbprint: String,
        /// Where it comes from; `None` is not known.
        from: Option<Donor>,
    },
    /// Put a certificate that is on the server into use.
    Bind {
        /// Which certificate.
        thumbprint: String,
        /// The services, in the plan's words.
        services: Vec<String>,
    },
    /// A new key and a new certificate for the same names.
    Rekey {
        /// Which certificate is replaced.
        thumbprint: String,
        /// The names.
        names: Vec<Name>,
    },
    /// Delete the file that the export left behind.
    DeleteCopies,
    /// Take a certificate that nothing uses any more off the server, with its key.
    Retire {
        /// Which certificate.
        thumbprint: String,
    },
}

/// A server that has a certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Donor {
    /// The label.
    pub server: String,
    /// What it is.
    pub product: Product,
}

/// Something on a server, a balancer or a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerAct {
    /// Let services take up what was changed.
    Restart {
        /// The services, in the plan's words.
        services: Vec<String>,
    },
    /// Let a mail connector use this certificate.
    PinConnector {
        /// The connector's name, without its server.
        connector: String,
        /// Which way its mail goes.
        way: MailWay,
        /// Which certificate.
        thumbprint: String,
    },
    /// No new connections to a node. Done on the node itself, or at the balancer.
    TakeOut {
        /// The node.
        node: Member,
        /// The pool that it is a member of.
        pool: Option<String>,
    },
    /// New connections to the node again.
    PutBack {
        /// The node.
        node: Member,
        /// The pool.
        pool: Option<String>,
    },
    /// Accept a name in front, and hand its clients on.
    Publish {
        /// The name.
        name: Name,
        /// Who is behind.
        members: Vec<Member>,
    },
    /// Accept a name no longer.
    Unpublish {
        /// The name.
        name: Name,
    },
    /// The addresses that the server tells its clients.
    SetUrls {
        /// The host that clients inside are told; `None` leaves it.
        internal: Option<Name>,
        /// The host that clients outside are told; `None` leaves it.
        external: Option<Name>,
        /// The host of the service connection point, which clients inside the domain ask first; `None` leaves it.
        connection_point: Option<Name>,
    },
    /// Where users of the older servers are sent.
    SetRedirect {
        /// The legacy host; `None` ends the redirect.
        host: Option<Name>,
    },
    /// Who is in a pool.
    ChangeMembers {
        /// The pool's label.
        pool: String,
        /// New members.
        add: Vec<Member>,
        /// Members that leave.
        remove: Vec<Member>,
    },
    /// Take the server out of the world.
    Decommission,
}

/// A member of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its label.
    pub label: String,
    /// Where it listens.
    pub at: SocketAddr,
}

/// Which way a connector's mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailWay {
    /// A receive connector, which belongs to a server.
    Receive,
    /// A send connector, which belongs to the organization.
    Send,
}

/// A zone as the clients of a view see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonePlace {
    /// Its apex; `None` is not known.
    pub apex: Option<Name>,
    /// The authoritative server to talk to: an address, with a port or without, or a label.
    pub server: Option<String>,
    /// The view's label.
    pub view: Option<String>,
    /// True if the view's clients are inside.
    pub internal: bool,
}

/// A change in a zone. TTLs are in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneAct {
    /// The zone itself: of one host only, inside (a pinpoint zone).
    CreateZone,
    /// Records where there were none of their type.
    Create {
        /// Their owner.
        owner: Name,
        /// Their TTL.
        ttl: u32,
        /// What they say.
        values: Vec<Rdata>,
    },
    /// Records in place of others, all types of them together: the flip.
    Change {
        /// Their owner.
        owner: Name,
        /// The TTL of the new ones.
        ttl: u32,
        /// What goes.
        old: Vec<Rdata>,
        /// What comes.
        new: Vec<Rdata>,
    },
    /// The same records with another TTL.
    Ttl {
        /// Their owner.
        owner: Name,
        /// The new TTL.
        ttl: u32,
        /// What they say.
        values: Vec<Rdata>,
    },
    /// Records gone.
    Remove {
        /// Their owner.
        owner: Name,
        /// What they say.
        values: Vec<Rdata>,
    },
}

/// What to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// What a server serves at an address for a name.
    Endpoint {
        /// The address and port.
        at: SocketAddr,
        /// How TLS begins.
        way: Way,
        /// The name that is asked for; `None` asks for none.
        name: Option<Name>,
    },
    /// What is installed on a server, and for what it is in use.
    Installed {
        /// The server's label.
        server: String,
        /// Which certificate.
        thumbprint: String,
    },
    /// What a name resolves to.
    Record {
        /// The zone.
        zone: ZonePlace,
        /// The owner.
        owner: Name,
        /// Types, as `A`.
        kinds: Vec<&'static str>,
    },
}

impl Act {
    /// Every text that a plan or the network could have written.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Certificate { server, act } => [vec![server.as_str()], act.texts()].concat(),
            Self::Server { server, act } => [vec![server.as_str()], act.texts()].concat(),
            Self::Zone { zone, act } => [zone.texts(), act.texts()].concat(),
            Self::Repoint { what, .. } => vec![what],
            Self::Look(Look::Endpoint { .. }) => Vec::new(),
            Self::Look(Look::Installed { server, thumbprint }) => vec![server, thumbprint],
            Self::Look(Look::Record { zone, .. }) => zone.texts(),
        }
    }
}

impl CertificateAct {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Order { issuer, .. } => issuer.iter().map(String::as_str).collect(),
            Self::Complete | Self::DeleteCopies => Vec::new(),
            Self::Export { thumbprint } | Self::Rekey { thumbprint, .. } | Self::Retire { thumbprint } => {
                vec![thumbprint]
            }
            Self::Import { thumbprint, from } => {
                std::iter::once(thumbprint.as_str()).chain(from.iter().map(|f| f.server.as_str())).collect()
            }
            Self::Bind { thumbprint, services } => {
                std::iter::once(thumbprint).chain(services).map(String::as_str).collect()
            }
        }
    }
}

impl ServerAct {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Restart { services } => services.iter().map(String::as_str).collect(),
            Self::PinConnector { connector, thumbprint, .. } => vec![connector, thumbprint],
            Self::TakeOut { node, pool } | Self::PutBack { node, pool } => {
                std::iter::once(&node.label).chain(pool).map(String::as_str).collect()
            }
            Self::Publish { members, .. } => members.iter().map(|m| m.label.as_str()).collect(),
            Self::ChangeMembers { pool, add, remove } => {
                let labels = add.iter().chain(remove).map(|m| &m.label);
                std::iter::once(pool).chain(labels).map(String::as_str).collect()
            }
            Self::Unpublish { .. } | Self::SetUrls { .. } | Self::SetRedirect { .. } | Self::Decommission => Vec::new(),
        }
    }
}

impl ZonePlace {
    /// The server's host, and its port if that is another than 53: a server with a port is an address.
    pub(super) fn host(&self) -> Option<(String, Option<u16>)> {
        let server = self.server.as_deref()?;
        Some(match server.parse::<SocketAddr>() {
            Ok(at) => (at.ip().to_string(), Some(at.port()).filter(|port| *port != 53)),
            Err(_) => (server.to_string(), None),
        })
    }

    fn texts(&self) -> Vec<&str> {
        self.server.iter().chain(&self.view).map(String::as_str).collect()
    }
}

impl ZoneAct {
    /// What the records say that it is about, old and new.
    pub(super) fn values(&self) -> Vec<&Rdata> {
        match self {
            Self::CreateZone => Vec::new(),
            Self::Create { values, .. } | Self::Ttl { values, .. } | Self::Remove { values, .. } => {
                values.iter().collect()
            }
            Self::Change { old, new, .. } => old.iter().chain(new).collect(),
        }
    }

    fn texts(&self) -> Vec<&str> {
        self.values().into_iter().flat_map(Rdata::texts).collect()
    }
}

/// The word that `openssl s_client -starttls` takes; `None` where TLS begins at once, an error where openssl cannot.
pub(super) fn starttls(way: Way) -> Result<Option<&'static str>, Protocol> {
    match way {
        Way::Implicit => Ok(None),
        Way::Starttls(Protocol::Smtp) => Ok(Some("smtp")),
        Way::Starttls(Protocol::Imap) => Ok(Some("imap")),
        Way::Starttls(Protocol::Pop3) => Ok(Some("pop3")),
        Way::Starttls(Protocol::Ldap) => Ok(Some("ldap")),
        Way::Starttls(Protocol::Ftp) => Ok(Some("ftp")),
        Way::Starttls(Protocol::Xmpp) => Ok(Some("xmpp")),
        Way::Starttls(Protocol::XmppServer) => Ok(Some("xmpp-server")),
        Way::Starttls(Protocol::Sieve) => Ok(Some("sieve")),
        Way::Starttls(Protocol::Postgres) => Ok(Some("postgres")),
        Way::Starttls(Protocol::Rdp) => Err(Protocol::Rdp),
    }
}
