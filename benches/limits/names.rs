//! The bare coverage loops: parse each certificate and match its name; or look names up in an index.

use std::collections::HashSet;

use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;

use crate::world::World;

/// How many certificates cover their name.
pub fn all(world: &World) -> usize {
    let covers = |(leaf, name): (&rustls::pki_types::CertificateDer<'_>, &String)| {
        let leaf = ParsedCertificate::try_from(leaf).expect("a certificate");
        let reference = ServerName::try_from(name.as_str()).expect("a name");
        verify_server_name(&leaf, &reference).is_ok()
    };
    world.leaves.iter().zip(&world.names).filter(|pair| covers(*pair)).count()
}

/// Every presented name, and what follows the `*.` of every presented wildcard.
pub struct Index {
    exact: HashSet<String>,
    wild: HashSet<String>,
}

impl Index {
    /// Of all certificates.
    pub fn of(world: &World) -> Self {
        let mut index = Self { exact: HashSet::new(), wild: HashSet::new() };
        for leaf in &world.leaves {
            let (_, parsed) = x509_parser::parse_x509_certificate(leaf).expect("a certificate");
            let san = parsed.subject_alternative_name().expect("one at most").expect("one");
            for name in &san.value.general_names {
                let x509_parser::extensions::GeneralName::DNSName(name) = name else { continue };
                match name.strip_prefix("*.") {
                    Some(base) => index.wild.insert(base.to_ascii_lowercase()),
                    None => index.exact.insert(name.to_ascii_lowercase()),
                };
            }
        }
        index
    }

    /// How many names are covered.
    pub fn covered(&self, world: &World) -> usize {
        let parent = |name: &str| name.split_once('.').is_some_and(|(_, parent)| self.wild.contains(parent));
        world.names.iter().filter(|name| self.exact.contains(*name) || parent(name)).count()
    }
}
