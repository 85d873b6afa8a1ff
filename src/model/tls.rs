//! TLS endpoints as they are observed.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::certificate::BlobId;
use super::proxy::ProxyFault;

/// Whether the server proved that it holds the certificate's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Possession {
    /// The handshake signature was verified.
    Proved,
    /// The handshake ended before it could be: why.
    NotProved(String),
    /// The signature is wrong: the key is not the certificate's.
    Failed(String),
}

/// One of the certificates of a server that has one for each kind of key: the one it shows to whoever takes no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// With an RSA key.
    Rsa,
    /// With an ECDSA key.
    Ecdsa,
}

impl Face {
    /// The face that a key makes, by its words: `RSA 2048`, `EC P-256`.
    pub fn of_key(key: &str) -> Option<Self> {
        match key.split(' ').next() {
            Some("RSA" | "RSA-PSS") => Some(Self::Rsa),
            Some("EC") => Some(Self::Ecdsa),
            _ => None,
        }
    }

    /// The one that is hidden where this one is shown.
    pub fn other(self) -> Self {
        match self {
            Self::Rsa => Self::Ecdsa,
            Self::Ecdsa => Self::Rsa,
        }
    }
}

impl fmt::Display for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::Ecdsa => "ECDSA",
        })
    }
}

/// Where in a connection something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The TCP connection.
    Connect,
    /// The dialogue before TLS.
    Dialogue,
    /// The TLS handshake.
    Handshake,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Dialogue => "the dialogue before TLS",
            Self::Handshake => "the TLS handshake",
        })
    }
}

/// What became of the server's wish for a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// It asked for one, and we had none.
    Asked,
    /// It asked for one and was shown the plan's. Unless the handshake [ended](Served::ended) so, nothing was said against it.
    Shown,
}

/// A chain and how the handshake went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Served {
    /// The certificates in the order in which they were served; the first is the end-entity certificate.
    pub chain: Vec<BlobId>,
    /// Proof of possession.
    pub possession: Possession,
    /// Protocol version, `TLS 1.3`. Shared, as the suite: few are spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Arc<str>>,
    /// Cipher suite by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<Arc<str>>,
    /// Whether the server asked for a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientAuth>,
    /// What ended the handshake after the certificate had come, if it did not complete (an alert, say).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Box<str>>,
    /// What a current client came to, which speaks TLS 1.2 with ephemeral keys and authenticated encryption, or 1.3: the
    /// chain was then read from the clear part of an older handshake, which was not finished. `None`: that client got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Box<TlsOutcome>>,
}

/// What became of a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsOutcome {
    /// A chain was served.
    Certificate(Served),
    /// An alert before any certificate: its name.
    Alert(String),
    /// TCP: connection refused.
    Refused,
    /// Closed or reset by the peer.
    Closed(Stage),
    /// Silence until the time was over.
    Timeout(Stage),
    /// Not dialled any more, since the address had been nothing but silent at this stage, again and again.
    GivenUp(Stage),
    /// No way to it: the system's words.
    Unreachable(String),
    /// The first bytes are not TLS; they are kept.
    NotTls(#[serde(with = "hex_bytes")] Vec<u8>),
    /// The dialogue is not the protocol that was expected; the first bytes are kept.
    NotThisProtocol(#[serde(with = "hex_bytes")] Vec<u8>),
    /// The server does not offer to upgrade.
    StarttlsNotOffered,
    /// The server refused to upgrade: its words.
    StarttlsRefused(String),
    /// The server said to try later: its words.
    TryLater(String),
    /// Bytes after the go-ahead and before TLS: command injection is possible (RFC 3207 section 6).
    BytesAfterGoAhead(#[serde(with = "hex_bytes")] Vec<u8>),
    /// More than is read of any server: what was too large.
    TooLarge(String),
    /// The server chose a version before TLS 1.2, which is all that this release speaks beside 1.3: `TLS 1.0`.
    OldVersion(String),
    /// The peer broke the protocol: the library's words.
    Protocol(String),
    /// This release cannot look: why.
    CannotLook(String),
    /// The proxy in between did not lead there, which says nothing of the endpoint.
    Proxy(ProxyFault),
}

impl fmt::Display for TlsOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use super::text::escape_bytes;
        match self {
            Self::Certificate(_) => f.write_str("a certificate"),
            Self::Alert(alert) => write!(f, "TLS alert before a certificate: {alert}"),
            Self::Refused => f.write_str("connection refused"),
            Self::Closed(stage) => write!(f, "closed during {stage}"),
            Self::Timeout(stage) => write!(f, "no answer in time during {stage}"),
            Self::GivenUp(stage) => write!(f, "not dialled any more, after silence during {stage}"),
            Self::Unreachable(why) => write!(f, "unreachable ({why})"),
            Self::NotTls(bytes) => write!(f, "not TLS: \"{}\"", escape_bytes(bytes, 40)),
            Self::NotThisProtocol(bytes) => write!(f, "another protocol: \"{}\"", escape_bytes(bytes, 40)),
            Self::StarttlsNotOffered => f.write_str("STARTTLS not offered"),
            Self::StarttlsRefused(words) => write!(f, "STARTTLS refused: \"{words}\""),
            Self::TryLater(words) => write!(f, "try later: \"{words}\""),
            Self::BytesAfterGoAhead(bytes) => {
                write!(f, "bytes after the go-ahead, before TLS: \"{}\"", escape_bytes(bytes, 40))
            }
            Self::TooLarge(what) => write!(f, "too large: {what}"),
            Self::OldVersion(version) => write!(f, "an old version: {version}"),
            Self::Protocol(why) => write!(f, "TLS failed: {why}"),
            Self::CannotLook(why) => write!(f, "cannot look: {why}"),
            Self::Proxy(fault) => write!(f, "{fault}"),
        }
    }
}

pub(super) mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&data_encoding::HEXLOWER.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}
