//! Certification authorities of the tests, and what they issue.

use std::sync::{Arc, LazyLock};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// A chain as it is served, leaf first.
pub(in crate::judge) type Chain = Vec<Arc<[u8]>>;

/// A certification authority.
pub(in crate::judge) struct Authority {
    pub(in crate::judge) der: Arc<[u8]>,
    issuer: Issuer<'static, KeyPair>,
}

/// The authority that both views trust.
pub(in crate::judge) static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::new("Root"));
/// One that no view trusts.
pub(in crate::judge) static STRANGER: LazyLock<Authority> = LazyLock::new(|| Authority::new("Gateway CA"));

fn params(cn: &str, names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|n| n.to_string()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, cn);
    // Within what public authorities may give: 200 days.
    params.not_before = date_time_ymd(2026, 10, 1);
    params.not_after = date_time_ymd(2027, 4, 1);
    params
}

fn authority_params(cn: &str) -> CertificateParams {
    let mut params = params(cn, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}

impl Authority {
    fn new(cn: &str) -> Self {
        let (params, key) = (authority_params(cn), KeyPair::generate().unwrap());
        let der = Arc::from(params.self_signed(&key).unwrap().der().as_ref());
        Self { der, issuer: Issuer::new(params, key) }
    }

    /// An authority below this one.
    pub(in crate::judge) fn below(&self, cn: &str) -> Self {
        let (params, key) = (authority_params(cn), KeyPair::generate().unwrap());
        let der = Arc::from(params.signed_by(&key, &self.issuer).unwrap().der().as_ref());
        Self { der, issuer: Issuer::new(params, key) }
    }

    /// As a root of its own, with changes.
    pub(in crate::judge) fn root_with(cn: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (authority_params(cn), KeyPair::generate().unwrap());
        change(&mut params);
        let der = Arc::from(params.self_signed(&key).unwrap().der().as_ref());
        Self { der, issuer: Issuer::new(params, key) }
    }

    /// A certificate for names; the first is its commonName.
    pub(in crate::judge) fn issue(&self, names: &[&str]) -> Chain {
        self.sign(params(names[0], names))
    }

    /// As [`Authority::issue`], valid through the last day of a year.
    pub(in crate::judge) fn issue_until(&self, names: &[&str], year: i32) -> Chain {
        let mut params = params(names[0], names);
        params.not_before = date_time_ymd(year, 7, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        self.sign(params)
    }

    /// As [`Authority::issue`], valid from the first day of a year.
    pub(in crate::judge) fn issue_from(&self, names: &[&str], year: i32) -> Chain {
        let mut params = params(names[0], names);
        params.not_before = date_time_ymd(year, 1, 1);
        params.not_after = date_time_ymd(year, 6, 30);
        self.sign(params)
    }

    /// A certificate with a commonName and other names.
    pub(in crate::judge) fn issue_cn(&self, cn: &str, names: &[&str]) -> Chain {
        self.sign(params(cn, names))
    }

    /// As [`Authority::issue`], with changes.
    pub(in crate::judge) fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Chain {
        let mut params = params(names[0], names);
        change(&mut params);
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Chain {
        let key = KeyPair::generate().unwrap();
        vec![Arc::from(params.signed_by(&key, &self.issuer).unwrap().der().as_ref())]
    }
}

/// A self-signed certificate.
pub(in crate::judge) fn self_signed(cn: &str, names: &[&str]) -> Chain {
    let key = KeyPair::generate().unwrap();
    vec![Arc::from(params(cn, names).self_signed(&key).unwrap().der().as_ref())]
}
