//! Whether a certificate is of a public authority, decided in one place, and what public authorities may issue.
//!
//! It is, if its chain leads to an anchor of the public program, as a view that trusts nothing else recorded it; or, where
//! it is not ordered yet, if the plan's `issuer` is a public authority. Else nobody knows, and no rule says anything.

mod names;
mod table;

use super::case::Case;
use super::certificates::Content;
use super::in_use::InUse;
use crate::model::certificate::BlobId;
use crate::model::name::Name;
use crate::model::plan::{CertId, CertificateSource, TrustSource, ViewId};
use crate::pki::Untrusted;

pub(super) use names::{Uncertifiable, uncertifiable};
pub(super) use table::{Brand, CHROME_CLIENT_AUTH_END, DEFAULT_MAX_NAMES, limit_at};

/// A public authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Public {
    /// Which one, if its rules are in the tables.
    pub(super) brand: Option<&'static Brand>,
}

/// The public authority of a declared certificate; `None` if it is of another one, or nobody knows.
pub(super) fn of_declared(case: &Case, certificate: CertId) -> Option<Public> {
    match (&case.plan.certificate(certificate).source, case.certificates.content(certificate)) {
        (CertificateSource::Names(_), _) => ordered(case, certificate),
        (_, Content::Leaves(leaves)) => leaves.iter().find_map(|(_, chain)| of_chain(case, chain, &None)),
        (_, Content::Planned | Content::Unknown(_)) => None,
    }
}

/// As [`of_declared`], of a leaf in use. Where the plan knows names only, what is served is of the planned authority if it
/// says so itself.
pub(super) fn of_used(case: &Case, used: &InUse) -> Option<Public> {
    let planned = |c: &&CertId| matches!(case.plan.certificate(**c).source, CertificateSource::Names(_));
    let issuer = case.certificates.facts(used.leaf).ok().and_then(|f| Brand::of_issuer(&f.issuer));
    match used.certificates.iter().find(planned) {
        Some(certificate) => ordered(case, *certificate).filter(|public| public.brand == issuer),
        None => of_chain(case, used.chain(), &used.filed),
    }
}

/// The public authority from which a certificate is to be ordered.
fn ordered(case: &Case, certificate: CertId) -> Option<Public> {
    let issuer = case.plan.certificate(certificate).issuer.as_ref()?;
    Brand::of_word(&issuer.value).map(|brand| Public { brand: Some(brand) })
}

/// The domain by which CAA records name an authority that the plan names by that or otherwise; `None` if none is known.
pub(super) fn caa_domain(issuer: &str) -> Option<&str> {
    match issuer.contains('.') && Name::parse(issuer).is_ok() {
        true => Some(issuer),
        false => Brand::of_word(issuer).and_then(Brand::caa_domain),
    }
}

fn of_chain(case: &Case, chain: &[BlobId], other: &Option<Vec<BlobId>>) -> Option<Public> {
    let chains = [Some(chain), other.as_deref()];
    let leads = |view: &ViewId| chains.iter().flatten().any(|chain| leads(case, chain, *view));
    case.plan.view_ids().filter(|v| is_public(case, *v)).find(leads)?;
    let issuer = case.certificates.facts(*chain.first()?).ok().map(|f| &*f.issuer)?;
    Some(Public { brand: Brand::of_issuer(issuer) })
}

fn leads(case: &Case, chain: &[BlobId], view: ViewId) -> bool {
    let path = case.certificates.declared_path(chain, view);
    let known = |u: &Untrusted| matches!(u, Untrusted::MissingIntermediate { .. } | Untrusted::Weak(_));
    path.is_some_and(|p| p.untrusted.as_ref().is_none_or(known))
}

/// True if a view's clients trust the public program and nothing else.
pub(super) fn is_public(case: &Case, view: ViewId) -> bool {
    let trust = &case.plan.view(view).trust;
    !trust.is_empty() && trust.iter().all(|t| t.value == TrustSource::Public)
}
