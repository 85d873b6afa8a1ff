//! The lab's certification authorities, made at the start, and what they issue (RFC 5280).

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, PublicKeyData, SanType, SignatureAlgorithm,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use time::{Duration, OffsetDateTime};

use super::certificates::{Dates, Issue, Issuer, Make};
use super::world::FileFault;
use crate::pki;

type Ca = CertifiedIssuer<'static, KeyPair>;

/// Days for which certificates are valid, unless the plan's calendar asks for more: fewer than any public authority may give.
const DAYS: i64 = 40;
/// Days by which they outlive the plan's calendar.
const MARGIN: i64 = 45;
/// Leaves that a proxy in the way makes up, at most.
const MAX_FORGED: usize = 1024;

/// The authorities of a world.
pub(super) struct Authority {
    root: Ca,
    intermediate: Ca,
    /// Of the intermediate's name, with another key.
    namesake: Ca,
    stranger: Ca,
    now: OffsetDateTime,
    until: OffsetDateTime,
}

/// A public key of RSA 1024, to which nobody has the private one: no library that is used here makes such a small one, and
/// none lets a client look whether the server has it.
struct SmallKey;

/// RSAPublicKey (RFC 8017 appendix A.1.1): a modulus of 1024 bits, the exponent 65537.
static SMALL_KEY: [u8; 140] = {
    let mut der = [0xb5; 140];
    let head = [0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00];
    let tail = [0x02, 0x03, 0x01, 0x00, 0x01];
    let mut i = 0;
    while i < head.len() {
        der[i] = head[i];
        i += 1;
    }
    i = 0;
    while i < tail.len() {
        der[135 + i] = tail[i];
        i += 1;
    }
    der
};

impl PublicKeyData for SmallKey {
    fn der_bytes(&self) -> &[u8] {
        &SMALL_KEY
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// A certificate with its key.
pub(super) struct Made {
    pub leaf: CertificateDer<'static>,
    /// What the server sends after it.
    pub tail: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
}

impl Made {
    /// What a server shows.
    pub fn shown(&self, whole_chain: bool, wrong_key: bool) -> io::Result<Arc<CertifiedKey>> {
        let tail = self.tail.iter().filter(|_| whole_chain);
        let chain = [&self.leaf].into_iter().chain(tail).cloned().collect();
        let key =
            if wrong_key { signing_key(&KeyPair::generate().map_err(io::Error::other)?)? } else { self.key.clone() };
        Ok(Arc::new(CertifiedKey::new(chain, key)))
    }

    /// The certificate and what comes after it, as a file.
    pub fn file(&self, fault: Option<FileFault>, authority: &Authority) -> Vec<u8> {
        match fault {
            Some(FileFault::PfxOfToday) => {
                pki::pfx_of([&self.leaf].into_iter().chain(&self.tail).map(|der| der.as_ref()))
            }
            _ => self.pem(fault, authority).into_bytes(),
        }
    }

    fn pem(&self, fault: Option<FileFault>, authority: &Authority) -> String {
        let whole: String = [&self.leaf].into_iter().chain(&self.tail).map(|der| pem(der)).collect();
        match fault {
            None | Some(FileFault::PfxOfToday) => whole,
            // A key's label is all that is looked at.
            Some(FileFault::WithKey) => whole + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            Some(FileFault::OtherIntermediate) => pem(&self.leaf) + &pem(authority.namesake.der()),
            Some(FileFault::CutOff) => whole.chars().take(whole.len() - 100).collect(),
        }
    }
}

impl Authority {
    /// Authorities whose certificates are valid now and until some time.
    pub fn new(now: Timestamp, until: Option<Timestamp>, root_expired: bool) -> io::Result<Self> {
        let now = OffsetDateTime::from_unix_timestamp(now.as_second()).map_err(io::Error::other)?;
        let needed = until.and_then(|u| OffsetDateTime::from_unix_timestamp(u.as_second()).ok());
        let until = needed.map_or(now, |u| u + Duration::days(MARGIN)).max(now + Duration::days(DAYS));
        let root_end = if root_expired { now - Duration::DAY } else { until + Duration::days(3650) };
        let root = self_signed("Coexist Lab Root", now, root_end)?;
        let params = authority_params("Coexist Lab Issuing CA", now, until + Duration::days(365));
        let namesake = Ca::signed_by(params.clone(), generate()?, &root).map_err(io::Error::other)?;
        let intermediate = Ca::signed_by(params, generate()?, &root).map_err(io::Error::other)?;
        let stranger = self_signed("Somebody Else's CA", now, until)?;
        Ok(Self { root, intermediate, namesake, stranger, now, until })
    }

    /// The trust anchor.
    pub fn root(&self) -> Arc<[u8]> {
        Arc::from(self.root.der().as_ref())
    }

    /// The trust anchor as PEM.
    pub fn root_pem(&self) -> String {
        pem(self.root.der())
    }

    /// Issues a certificate.
    pub fn issue(&self, issue: &Issue) -> io::Result<Made> {
        let key = generate()?;
        let mut params = leaf_params(issue.common_name.as_deref());
        let names = issue.names.iter().filter_map(|n| n.as_str().try_into().ok()).map(SanType::DnsName);
        params.subject_alt_names = names.chain(issue.address.map(SanType::IpAddress)).collect();
        (params.not_before, params.not_after) = self.dates(issue.dates);
        if issue.make == Make::ForClients {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        let (made, tail) = match issue.issuer {
            Issuer::Lab if issue.make == Make::WeakKey => {
                (params.signed_by(&SmallKey, &self.intermediate), vec![self.intermediate.der().clone()])
            }
            Issuer::Lab => (params.signed_by(&key, &self.intermediate), vec![self.intermediate.der().clone()]),
            Issuer::Stranger => (params.signed_by(&key, &self.stranger), Vec::new()),
            Issuer::Itself => {
                params.use_authority_key_identifier_extension = false;
                (params.self_signed(&key), Vec::new())
            }
        };
        let leaf = made.map_err(io::Error::other)?.der().clone();
        Ok(Made { leaf, tail, key: signing_key(&key)? })
    }

    fn dates(&self, dates: Dates) -> (OffsetDateTime, OffsetDateTime) {
        match dates {
            Dates::Current => (self.now - Duration::DAY, self.until),
            Dates::Over => (self.now - Duration::days(DAYS), self.now - Duration::DAY),
            Dates::Ahead => (self.now + Duration::DAY, self.until + Duration::DAY),
            Dates::Soon => (self.now - Duration::DAY, self.now + Duration::days(3)),
            Dates::Long => (self.now - Duration::DAY, self.now + Duration::days(3650)),
        }
    }

    /// A proxy that shows certificates of its own.
    pub fn inspector(&self) -> io::Result<Inspector> {
        let ca = self_signed("Web Gateway Inspection CA", self.now, self.until)?;
        Ok(Inspector { ca, now: self.now, forged: Mutex::default() })
    }
}

/// A proxy in the way: it makes up a certificate for whatever name it is asked for.
pub(super) struct Inspector {
    ca: Ca,
    now: OffsetDateTime,
    forged: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Inspector {
    /// The certificate for a name; for no name, one that names the proxy itself.
    pub fn forge(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = name.unwrap_or("gateway.invalid");
        let mut forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = forged.get(name) {
            return Some(key.clone());
        }
        let made = self.make(name).ok()?;
        if forged.len() < MAX_FORGED {
            forged.insert(name.to_string(), made.clone());
        }
        Some(made)
    }

    fn make(&self, name: &str) -> io::Result<Arc<CertifiedKey>> {
        let key = generate()?;
        let mut params = leaf_params(Some(name).filter(|n| n.len() <= 64));
        params.subject_alt_names = name.try_into().ok().map(SanType::DnsName).into_iter().collect();
        (params.not_before, params.not_after) = (self.now - Duration::DAY, self.now + Duration::days(7));
        let leaf = params.signed_by(&key, &self.ca).map_err(io::Error::other)?;
        let chain = vec![leaf.der().clone(), self.ca.der().clone()];
        Ok(Arc::new(CertifiedKey::new(chain, signing_key(&key)?)))
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inspector")
    }
}

fn generate() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn signing_key(key: &KeyPair) -> io::Result<Arc<dyn SigningKey>> {
    let der = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    rustls::crypto::ring::sign::any_supported_type(&der).map_err(io::Error::other)
}

fn self_signed(name: &str, now: OffsetDateTime, until: OffsetDateTime) -> io::Result<Ca> {
    Ca::self_signed(authority_params(name, now, until), generate()?).map_err(io::Error::other)
}

fn authority_params(name: &str, now: OffsetDateTime, until: OffsetDateTime) -> CertificateParams {
    let mut params = leaf_params(Some(name));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = Vec::new();
    (params.not_before, params.not_after) = (now - Duration::days(365), until);
    params
}

fn leaf_params(common_name: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = common_name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn pem(der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer, X509Certificate};

    fn authority() -> Authority {
        Authority::new("2026-11-21T00:00:00Z".parse().unwrap(), None, false).unwrap()
    }

    #[test]
    fn a_leaf_leads_to_the_root_by_the_intermediate() {
        let authority = authority();
        let made = authority.issue(&Issue::new("san", vec!["mail.domain.com".into(), "*.domain.com".into()])).unwrap();
        let (_, leaf) = X509Certificate::from_der(&made.leaf).unwrap();
        let (_, intermediate) = X509Certificate::from_der(&made.tail[0]).unwrap();
        let root = authority.root();
        let (_, root) = X509Certificate::from_der(&root).unwrap();
        assert_eq!(leaf.subject().to_string(), "CN=mail.domain.com");
        assert_eq!(leaf.subject_alternative_name().unwrap().unwrap().value.general_names.len(), 2);
        assert_eq!(leaf.issuer(), intermediate.subject());
        assert_eq!(intermediate.issuer(), root.subject());
        assert!(intermediate.is_ca() && root.is_ca() && !leaf.is_ca());
        assert_eq!(made.pem(None, &authority).matches("BEGIN CERTIFICATE").count(), 2);
        let pfx = made.file(Some(FileFault::PfxOfToday), &authority);
        assert_eq!(pki::read_file(&pfx).unwrap().certificates.len(), 2);
    }

    #[test]
    fn dates_are_as_asked_and_outlive_the_plan_s_calendar() {
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let until = "2027-04-01T00:00:00Z".parse().unwrap();
        let authority = Authority::new(now, Some(until), true).unwrap();
        let end = |der: &[u8]| X509Certificate::from_der(der).unwrap().1.validity().not_after.timestamp();
        let issue = |dates| authority.issue(&Issue { dates, ..Issue::new("x", vec!["a.example".into()]) }).unwrap();
        assert!(end(&issue(Dates::Current).leaf) > until.as_second());
        assert!(end(&issue(Dates::Over).leaf) < now.as_second());
        assert!(end(&authority.root()) < now.as_second());
        assert!(end(&issue(Dates::Soon).leaf) < until.as_second());
        let ahead = issue(Dates::Ahead).leaf;
        assert!(X509Certificate::from_der(&ahead).unwrap().1.validity().not_before.timestamp() > now.as_second());
    }

    #[test]
    fn a_weak_key_is_of_1024_bits() {
        let weak = Issue { make: Make::WeakKey, ..Issue::new("x", vec!["a.example".into()]) };
        let facts = pki::facts(&authority().issue(&weak).unwrap().leaf).unwrap();
        assert_eq!(&*facts.key, "RSA 1024");
    }

    #[test]
    fn an_out_of_box_certificate_is_self_signed() {
        let made = authority().issue(&Issue::out_of_box("ex19-02")).unwrap();
        let (_, leaf) = X509Certificate::from_der(&made.leaf).unwrap();
        assert_eq!(leaf.issuer(), leaf.subject());
        assert!(made.tail.is_empty());
    }
}
