//! A certification authority of the test's own: a root, an intermediate, and what they issue.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

/// A certificate with its key, as files hold them.
#[derive(Clone)]
pub struct Identity {
    /// PEM of the end-entity certificate alone.
    pub leaf: String,
    /// PEM of the end-entity certificate and the intermediate.
    pub chain: String,
    /// PEM of the key (PKCS#8).
    pub key: String,
}

/// What an end-entity certificate says.
pub struct Leaf<'a> {
    /// Subject commonName.
    pub common_name: &'a str,
    /// dNSName entries; empty leaves the extension out.
    pub names: &'a [&'a str],
    /// Days from now at which it begins and ends.
    pub days: (i64, i64),
}

/// A root, its intermediate, and the root's PEM.
pub struct Authority {
    /// PEM of the root.
    pub root: String,
    intermediate: Issuer<'static, KeyPair>,
    intermediate_pem: String,
}

impl<'a> Leaf<'a> {
    /// A certificate for these names, valid now.
    pub fn of(names: &'a [&'a str]) -> Self {
        Self { common_name: names.first().copied().unwrap_or("nobody"), names, days: (-30, 60) }
    }

    fn params(&self) -> CertificateParams {
        let names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names that a certificate can hold");
        params.distinguished_name = distinguished(self.common_name);
        (params.not_before, params.not_after) = (in_days(self.days.0), in_days(self.days.1));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params
    }

    /// As an installation program makes it: signed with its own key.
    pub fn self_signed(&self) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let leaf = self.params().self_signed(&key).expect("a certificate").pem();
        Identity { chain: leaf.clone(), leaf, key: key.serialize_pem() }
    }
}

impl Authority {
    /// A new authority.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority(&format!("{name} Root"));
        let root = params.self_signed(&key).expect("a root").pem();
        let issuer = Issuer::new(params, key);

        let key = KeyPair::generate().expect("a key");
        let params = authority(&format!("{name} Issuing"));
        let intermediate_pem = params.signed_by(&key, &issuer).expect("an intermediate").pem();
        Self { root, intermediate: Issuer::new(params, key), intermediate_pem }
    }

    /// Issues a certificate with a new ECDSA key.
    pub fn issue(&self, leaf: &Leaf) -> Identity {
        self.issue_for(leaf, &KeyPair::generate().expect("a key"))
    }

    /// Issues a certificate with a new RSA key, as most mail servers have it.
    pub fn issue_rsa(&self, leaf: &Leaf) -> Identity {
        let out = Command::new("openssl").args(["genpkey", "-quiet", "-algorithm", "RSA"]).output().expect("openssl");
        let pem = String::from_utf8(out.stdout).expect("PEM");
        self.issue_for(leaf, &KeyPair::from_pem(&pem).expect("an RSA key"))
    }

    /// Issues a certificate for a client.
    pub fn issue_client(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = Leaf { common_name: name, names: &[], days: (-30, 60) }.params();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = params.signed_by(&key, &self.intermediate).expect("a certificate").pem();
        Identity { chain: format!("{leaf}{}", self.intermediate_pem), leaf, key: key.serialize_pem() }
    }

    fn issue_for(&self, leaf: &Leaf, key: &KeyPair) -> Identity {
        let leaf = leaf.params().signed_by(key, &self.intermediate).expect("a certificate").pem();
        Identity { chain: format!("{leaf}{}", self.intermediate_pem), leaf, key: key.serialize_pem() }
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (in_days(-300), in_days(3000));
    params
}

fn distinguished(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn in_days(days: i64) -> OffsetDateTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(now as i64) + Duration::days(days)
}
