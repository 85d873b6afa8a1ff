//! Why a reference identifier is or is not among a certificate's presented identifiers (RFC 9525).

use serde::Serialize;

/// The presented identifier that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// As the certificate has it.
    pub presented: String,
    /// True if it matched by its wildcard.
    pub wildcard: bool,
}

/// Why no presented identifier matched; the most telling reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Mismatch {
    /// The certificate has no subjectAltName, or none with a DNS-ID; the subject's commonName is not a presented
    /// identifier (RFC 9525 section 2).
    NoDnsId {
        /// True if a commonName would have matched.
        common_name: bool,
    },
    /// There are DNS-IDs, but only a commonName would have matched.
    CommonNameOnly {
        /// That commonName.
        common_name: String,
    },
    /// A wildcard would match if `*` stood for more or fewer labels than one (RFC 9525 section 6.3).
    WildcardDepth {
        /// That DNS-ID.
        presented: String,
    },
    /// The reference is an IP address that stands only in a dNSName.
    IpInDnsId {
        /// That DNS-ID.
        presented: String,
    },
    /// Nothing comes near.
    NotPresented,
}
