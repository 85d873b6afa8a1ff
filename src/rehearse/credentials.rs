//! The certificates of a play: one authority for each set of views that trusts it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use crate::model::cutover::{Credential, Timeline};
use crate::model::plan::ViewId;
use crate::pki;

/// Seconds of a year.
const YEAR: i64 = 365 * 86_400;

/// Every certificate with its key, and the anchors of each view.
pub(super) struct Issued {
    /// By credential.
    pub keys: Vec<Arc<CertifiedKey>>,
    /// DER of the authorities that a view's clients trust.
    pub anchors: BTreeMap<ViewId, Vec<CertificateDer<'static>>>,
    /// Of whoever gives policies.
    pub policies: Arc<CertifiedKey>,
    /// The instant of the play's second 0.
    pub zero: Timestamp,
}

impl Issued {
    /// Issues all certificates of a timeline.
    pub fn of(timeline: &Timeline) -> io::Result<Self> {
        let zero = timeline.zero.unwrap_or_else(Timestamp::now);
        let everybody: BTreeSet<ViewId> = (0..timeline.views.len()).map(ViewId).collect();
        let mut authorities: BTreeMap<BTreeSet<ViewId>, CertifiedIssuer<'static, KeyPair>> = BTreeMap::new();
        let mut keys = Vec::new();
        for credential in &timeline.credentials {
            // What nobody could tell is taken for good: the proof says that it is open.
            let trusted = credential.trusted.clone().unwrap_or_else(|| everybody.clone());
            if !authorities.contains_key(&trusted) {
                authorities.insert(trusted.clone(), authority(zero)?);
            }
            let Some(authority) = authorities.get(&trusted) else { continue };
            keys.push(issue(timeline, credential, authority, zero)?);
        }
        let policies = authority(zero).and_then(|by| issue(timeline, &unseen(), &by, zero))?;
        let mut anchors: BTreeMap<ViewId, Vec<CertificateDer<'static>>> = BTreeMap::new();
        for (views, authority) in &authorities {
            for view in views {
                anchors.entry(*view).or_default().push(authority.der().clone());
            }
        }
        Ok(Self { keys, anchors, policies, zero })
    }

    /// What TLSA records say of a credential's key: its SHA-256.
    pub fn association(&self, credential: usize) -> Option<Vec<u8>> {
        pki::association(self.keys.get(credential)?.cert.first()?, 1, 1)
    }

    /// The instant of a moment.
    pub fn at(&self, millis: i64) -> Timestamp {
        self.zero.checked_add(jiff::SignedDuration::from_millis(millis)).unwrap_or(self.zero)
    }
}

/// A certificate of which nothing is known.
fn unseen() -> Credential {
    Credential { label: "".into(), names: None, valid_from: None, valid_until: None, trusted: None }
}

fn authority(zero: Timestamp) -> io::Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date(zero.as_second() - YEAR);
    params.not_after = date(zero.as_second() + 20 * YEAR);
    let key = KeyPair::generate().map_err(io::Error::other)?;
    CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)
}

fn issue(
    timeline: &Timeline,
    credential: &Credential,
    authority: &CertifiedIssuer<'static, KeyPair>,
    zero: Timestamp,
) -> io::Result<Arc<CertifiedKey>> {
    let mut params = CertificateParams::default();
    let unseen = || timeline.paths.iter().map(|p| p.name.to_string()).collect();
    let names: Vec<String> = credential.names.clone().unwrap_or_else(unseen);
    let dns = |name: String| name.try_into().ok().map(SanType::DnsName);
    params.subject_alt_names = names.into_iter().filter_map(dns).collect();
    let from = credential.valid_from.map_or(zero.as_second() - YEAR / 12, Timestamp::as_second);
    params.not_before = date(from);
    params.not_after = date(credential.valid_until.map_or(zero.as_second() + YEAR, |until| until.as_second() - 1));
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = params.signed_by(&key, authority).map_err(io::Error::other)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    let signing = rustls::crypto::ring::sign::any_supported_type(&private).map_err(io::Error::other)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing)))
}

fn date(second: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
