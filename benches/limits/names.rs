//! The bare coverage loop: parse each certificate, match its name.

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
