//! Whether a TLSA record fits a chain, as clients hold them against each other (RFC 7671 section 5). Pure.

use crate::model::certificate::CertificateFacts;
use crate::model::dane::Tlsa;
use crate::pki;

/// Certificates of a chain that are looked at. Longer ones are no chain but somebody who plays for time.
const CHAIN: usize = 12;

/// A certificate of a chain: its bytes and what it says.
pub(super) type Link<'a> = (&'a [u8], &'a CertificateFacts);

/// Whether a record that is usable fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Yes,
    /// It is of an authority that was not served: of its bare key, or of a public one.
    Unknown,
    No,
}

/// Holds records against a chain, the end-entity certificate first: one that fits is enough (RFC 6698 section 2.1).
pub(super) fn fit(records: &[&Tlsa], chain: &[Link]) -> Fit {
    let chain = chain.get(..CHAIN).unwrap_or(chain);
    let path = path(chain);
    records.iter().map(|record| one(record, chain, &path)).min().unwrap_or(Fit::No)
}

fn one(record: &Tlsa, chain: &[Link], path: &[usize]) -> Fit {
    let is = |at: &usize| chain.get(*at).is_some_and(|(der, _)| associates(record, der));
    let yes = match record.usage {
        // DANE-EE: the server's own certificate or key, names and dates left aside (section 5.1).
        // PKIX-EE is that, and public authorities beside, which have rules of their own.
        3 | 1 => is(&0),
        // DANE-TA: an authority on the way, which may be the certificate itself if it is its own (section 5.2).
        2 | 0 => {
            let own = chain.first().is_some_and(|(_, facts)| facts.is_self_issued());
            path.iter().filter(|at| own || **at > 0).any(is)
        }
        _ => false,
    };
    match yes {
        true => Fit::Yes,
        // A public authority (PKIX-TA) is on the path, and need not be sent (RFC 7671 section 5.4).
        false if record.usage == 0 => Fit::Unknown,
        false if record.usage == 2 && record.matching == 0 => unsent(record, chain, path),
        false => Fit::No,
    }
}

fn associates(record: &Tlsa, der: &[u8]) -> bool {
    pki::association(der, record.selector, record.matching).is_some_and(|own| own == record.association)
}

/// An authority that stands in the record itself need not be sent (RFC 7671 section 5.2.2).
fn unsent(record: &Tlsa, chain: &[Link], path: &[usize]) -> Fit {
    if record.selector == 1 {
        return Fit::Unknown;
    }
    let signs = |at: &usize| chain.get(*at).and_then(|(der, _)| pki::is_signed_by(der, &record.association));
    if path.iter().any(|at| signs(at) == Some(true)) { Fit::Yes } else { Fit::No }
}

/// The certificate itself and those of the chain that stand behind it, each having signed one that does.
fn path(chain: &[Link]) -> Vec<usize> {
    let mut path: Vec<usize> = (0..chain.len().min(1)).collect();
    let mut next = 0;
    while let Some((der, facts)) = path.get(next).and_then(|at| chain.get(*at)) {
        next += 1;
        for (at, (issuer, about)) in chain.iter().enumerate() {
            let named = facts.names_as_issuer(about) && !path.contains(&at);
            if named && pki::is_signed_by(der, issuer) == Some(true) {
                path.push(at);
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    type Ca = (Vec<u8>, Issuer<'static, KeyPair>);

    fn authority(name: &str, by: Option<&Ca>) -> Ca {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = match by {
            Some((_, issuer)) => params.signed_by(&key, issuer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        (certificate.der().to_vec(), Issuer::new(params, key))
    }

    fn leaf(by: &Ca) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["mail.example.org".to_string()]).unwrap();
        params.signed_by(&key, &by.1).unwrap().der().to_vec()
    }

    fn record(usage: u8, selector: u8, matching: u8, of: &[u8]) -> Tlsa {
        let association = pki::association(of, selector, matching).unwrap();
        Tlsa { usage, selector, matching, association }
    }

    fn fits(records: &[Tlsa], chain: &[&[u8]]) -> Fit {
        let facts: Vec<CertificateFacts> = chain.iter().map(|der| pki::facts(der).unwrap()).collect();
        let links: Vec<Link> = chain.iter().copied().zip(&facts).collect();
        fit(&records.iter().collect::<Vec<_>>(), &links)
    }

    #[test]
    fn every_selector_and_matching_type_finds_the_certificate_itself() {
        let ca = authority("CA", None);
        let (own, other) = (leaf(&ca), leaf(&ca));
        for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
            let right = record(3, selector, matching, &own);
            let alone = std::slice::from_ref(&right);
            assert_eq!(fits(alone, &[&own, &ca.0]), Fit::Yes, "{right}");
            assert_eq!(fits(alone, &[&other, &ca.0]), Fit::No, "{right}");
            assert_eq!(fits(&[record(3, selector, matching, &other), right], &[&own]), Fit::Yes);
        }
        assert_eq!(fits(&[], &[&own]), Fit::No);
        assert_eq!(fits(&[record(3, 1, 1, &own)], &[]), Fit::No);
    }

    #[test]
    fn an_authority_counts_if_it_signed_what_is_served() {
        let root = authority("Root", None);
        let (middle, stranger) = (authority("Middle", Some(&root)), authority("Middle", Some(&root)));
        let own = leaf(&middle);
        let whole: &[&[u8]] = &[&own, &middle.0, &root.0];
        assert_eq!(fits(&[record(2, 0, 1, &middle.0)], whole), Fit::Yes);
        assert_eq!(fits(&[record(2, 1, 1, &root.0)], whole), Fit::Yes);
        assert_eq!(fits(&[record(2, 1, 1, &root.0)], &[&own, &root.0, &middle.0]), Fit::Yes, "in any order");
        assert_eq!(fits(&[record(2, 1, 1, &root.0)], &[&own, &middle.0]), Fit::No, "it has to be sent");
        assert_eq!(fits(&[record(2, 1, 1, &stranger.0)], &[&own, &stranger.0]), Fit::No, "it signed nothing here");
        assert_eq!(fits(&[record(2, 1, 1, &own)], whole), Fit::No, "it is no authority");
        assert_eq!(fits(&[record(3, 1, 1, &middle.0)], whole), Fit::No, "it is not the server's own");
    }

    #[test]
    fn an_authority_that_stands_in_the_record_need_not_be_sent() {
        let root = authority("Root", None);
        let middle = authority("Middle", Some(&root));
        let own = leaf(&middle);
        assert_eq!(fits(&[record(2, 0, 0, &root.0)], &[&own, &middle.0]), Fit::Yes);
        assert_eq!(fits(&[record(2, 0, 0, &root.0)], &[&own]), Fit::No);
        assert_eq!(fits(&[record(2, 1, 0, &root.0)], &[&own, &middle.0]), Fit::Unknown);
        assert_eq!(fits(&[record(2, 1, 1, &authority("Own", None).0)], &[&own]), Fit::No);
        let alone = authority("Alone", None);
        assert_eq!(fits(&[record(2, 1, 1, &alone.0)], &[&alone.0]), Fit::Yes, "its own authority");
    }

    #[test]
    fn a_chain_without_end_takes_no_time_without_end() {
        let root = authority("Root", None);
        let own = leaf(&root);
        let many: Vec<&[u8]> =
            std::iter::once(own.as_slice()).chain(std::iter::repeat_n(root.0.as_slice(), 100)).collect();
        assert_eq!(fits(&[record(2, 1, 1, &root.0)], &many), Fit::Yes);
        let circle = [own.as_slice(), &root.0, &root.0];
        assert_eq!(fits(&[record(2, 0, 0, &own)], &circle), Fit::No);
    }
}
