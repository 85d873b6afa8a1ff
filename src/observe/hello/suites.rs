//! The cipher suites that are offered to old servers, by the registry of IANA.

use crate::model::tls::Face;

/// How a suite agrees on keys, as far as the clear part of its handshake differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// By the certificate's RSA key; nothing is signed, and only who can decrypt holds the key.
    Rsa,
    /// Signed Diffie-Hellman parameters.
    Dhe,
    /// Signed elliptic curve parameters.
    Ecdhe,
    /// A weak RSA key, signed, for the export rules of the 1990s.
    Export,
}

/// A cipher suite.
#[derive(Debug)]
pub struct Suite {
    /// Its number.
    pub id: u16,
    /// Its name.
    pub name: &'static str,
    /// Its key exchange.
    pub exchange: Exchange,
    /// The kind of certificate that it takes; `None` is DSS, which nobody asks for alone.
    pub face: Option<Face>,
    /// It exists from TLS 1.2 on only.
    pub is_new: bool,
}

const fn suite(id: u16, name: &'static str, exchange: Exchange, face: Option<Face>, is_new: bool) -> Suite {
    Suite { id, name, exchange, face, is_new }
}

use Exchange::{Dhe, Ecdhe, Export, Rsa};
const RSA: Option<Face> = Some(Face::Rsa);
const ECDSA: Option<Face> = Some(Face::Ecdsa);

/// Best first, for servers that take the client's first: authenticated encryption, then CBC, 3DES, RC4, and what was broken
/// when it was made. Nothing is ever encrypted with them.
pub const SUITES: &[Suite] = &[
    suite(0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Ecdhe, ECDSA, true),
    suite(0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Ecdhe, ECDSA, true),
    suite(0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Ecdhe, RSA, true),
    suite(0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Ecdhe, RSA, true),
    suite(0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", Dhe, RSA, true),
    suite(0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Dhe, RSA, true),
    suite(0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Ecdhe, ECDSA, true),
    suite(0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Ecdhe, ECDSA, true),
    suite(0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", Ecdhe, RSA, true),
    suite(0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Ecdhe, RSA, true),
    suite(0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Ecdhe, ECDSA, false),
    suite(0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Ecdhe, ECDSA, false),
    suite(0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Ecdhe, RSA, false),
    suite(0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Ecdhe, RSA, false),
    suite(0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", Dhe, RSA, true),
    suite(0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", Dhe, RSA, true),
    suite(0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", Dhe, RSA, false),
    suite(0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", Dhe, RSA, false),
    suite(0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", Rsa, RSA, true),
    suite(0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", Rsa, RSA, true),
    suite(0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", Rsa, RSA, true),
    suite(0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", Rsa, RSA, true),
    suite(0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", Rsa, RSA, false),
    suite(0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", Rsa, RSA, false),
    suite(0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", Rsa, RSA, false),
    suite(0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", Ecdhe, ECDSA, false),
    suite(0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Ecdhe, RSA, false),
    suite(0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", Dhe, RSA, false),
    suite(0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", Rsa, RSA, false),
    suite(0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", Dhe, None, false),
    suite(0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", Dhe, None, false),
    suite(0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", Ecdhe, ECDSA, false),
    suite(0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", Ecdhe, RSA, false),
    suite(0x0005, "TLS_RSA_WITH_RC4_128_SHA", Rsa, RSA, false),
    suite(0x0004, "TLS_RSA_WITH_RC4_128_MD5", Rsa, RSA, false),
    suite(0x0009, "TLS_RSA_WITH_DES_CBC_SHA", Rsa, RSA, false),
    suite(0x0064, "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA", Export, RSA, false),
    suite(0x0062, "TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA", Export, RSA, false),
    suite(0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", Export, RSA, false),
    suite(0x0006, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", Export, RSA, false),
    suite(0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", Export, RSA, false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_what_its_name_says() {
        for suite in SUITES {
            let exchange = match suite.name {
                n if n.contains("EXPORT") => Export,
                n if n.starts_with("TLS_ECDHE_") => Ecdhe,
                n if n.starts_with("TLS_DHE_") => Dhe,
                _ => Rsa,
            };
            let face = match suite.name {
                n if n.contains("_ECDSA_") => ECDSA,
                n if n.contains("_RSA_") => RSA,
                _ => None,
            };
            // GCM and the SHA-2 MACs came with TLS 1.2 (RFC 5246, RFC 5288, RFC 5289).
            let is_new = suite.name.ends_with("_SHA256") || suite.name.ends_with("_SHA384");
            assert_eq!((suite.exchange, suite.face, suite.is_new), (exchange, face, is_new), "{}", suite.name);
            assert_eq!(SUITES.iter().filter(|s| s.id == suite.id || s.name == suite.name).count(), 1);
        }
    }

    #[test]
    fn numbers_and_names_are_those_of_the_library_where_it_knows_them() {
        let known = rustls::crypto::ring::default_provider().cipher_suites;
        let mut both = 0;
        for suite in SUITES {
            if let Some(theirs) = known.iter().find(|k| u16::from(k.suite()) == suite.id) {
                assert_eq!(theirs.suite().as_str(), Some(suite.name));
                both += 1;
            }
        }
        assert_eq!(both, 4);
    }
}
