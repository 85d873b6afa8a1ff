use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use rcgen::*;

use super::{Anchors, PathFacts, Untrusted, path};
use crate::pki::{facts, read_file};

type Der = Arc<[u8]>;

/// A certification authority, or an intermediate one.
struct Ca {
    der: Der,
    issuer: Issuer<'static, KeyPair>,
}

const NOW: &str = "2026-11-22T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn years(params: &mut CertificateParams, from: i32, until: i32) {
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
}

fn params(name: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    years(&mut params, from, until);
    params
}

fn ca_params(name: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = params(name, from, until);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn der(certificate: &Certificate) -> Der {
    Der::from(certificate.der().as_ref())
}

fn root_with(params: CertificateParams) -> Ca {
    let key = KeyPair::generate().unwrap();
    Ca { der: der(&params.self_signed(&key).unwrap()), issuer: Issuer::new(params, key) }
}

fn root(name: &str) -> Ca {
    root_with(ca_params(name, 2020, 2040))
}

fn leaf_params(from: i32, until: i32) -> CertificateParams {
    let mut params = params("mail.example.com", from, until);
    params.subject_alt_names = vec![SanType::DnsName("mail.example.com".try_into().unwrap())];
    params
}

impl Ca {
    fn sub_with(&self, params: CertificateParams) -> Ca {
        let key = KeyPair::generate().unwrap();
        Ca { der: der(&params.signed_by(&key, &self.issuer).unwrap()), issuer: Issuer::new(params, key) }
    }

    fn sub(&self, name: &str) -> Ca {
        self.sub_with(ca_params(name, 2020, 2040))
    }

    fn issue(&self, params: &CertificateParams) -> Der {
        der(&params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap())
    }

    fn leaf(&self) -> Der {
        self.issue(&leaf_params(2026, 2027))
    }
}

fn anchors(ders: &[&Der]) -> Anchors {
    let (anchors, broken) = Anchors::new(&ders.iter().map(|d| (*d).clone()).collect::<Vec<_>>());
    assert!(broken.is_empty(), "{broken:?}");
    anchors
}

fn judged(chain: &[&Der], anchor: &[&Der], known: &[&Der]) -> PathFacts {
    let owned = |ders: &[&Der]| ders.iter().map(|d| (*d).clone()).collect::<Vec<_>>();
    path(&owned(chain), &anchors(anchor), &owned(known), now())
}

/// Positions and subjects of what is out of date.
fn dates(facts: &PathFacts) -> Vec<(Option<usize>, &str)> {
    facts.dates.iter().map(|d| (d.position, d.subject.as_str())).collect()
}

fn invalid(facts: &PathFacts) -> &str {
    match &facts.untrusted {
        Some(Untrusted::Weak(words) | Untrusted::Purpose(words) | Untrusted::Invalid(words)) => words,
        other => panic!("{other:?}"),
    }
}

fn good() -> PathFacts {
    PathFacts::default()
}

fn unknown(issuer: &str) -> Option<Untrusted> {
    Some(Untrusted::UnknownIssuer { issuer: issuer.into() })
}

#[test]
fn a_chain_leads_to_its_anchor_in_any_order_and_with_more_than_is_needed() {
    let (root, other) = (root("Root"), root("Other"));
    let a = root.sub("A");
    let b = a.sub("B");
    let leaf = b.leaf();
    let garbage = Der::from(&b"\x30\x03\x02\x01\x05"[..]);
    for chain in [
        vec![&leaf, &b.der, &a.der],
        vec![&leaf, &a.der, &b.der],
        vec![&leaf, &b.der, &a.der, &root.der],
        vec![&leaf, &other.der, &garbage, &a.der, &leaf, &b.der, &b.der],
    ] {
        assert_eq!(judged(&chain, &[&other.der, &root.der], &[]), good());
    }
    assert_eq!(judged(&[&b.leaf()], &[&b.der], &[]), good(), "an intermediate may be the anchor");
}

#[test]
fn an_unknown_issuer_is_named_as_far_as_the_chain_can_be_followed() {
    let (root, other) = (root("Root"), root("Other"));
    let a = root.sub("A");
    let leaf = a.leaf();
    assert_eq!(judged(&[&leaf], &[&other.der], &[]).untrusted, unknown("CN=A"));
    assert_eq!(judged(&[&leaf, &a.der], &[&other.der], &[]).untrusted, unknown("CN=Root"));
    assert_eq!(judged(&[&leaf, &a.der, &root.der], &[&other.der], &[&other.der]).untrusted, unknown("CN=Root"));
    assert_eq!(judged(&[&leaf, &a.der], &[], &[]).untrusted, unknown("CN=Root"));
}

#[test]
fn a_missing_intermediate_is_told_from_an_unknown_issuer() {
    let root = root("Root");
    let a = root.sub("A");
    let b = a.sub("B");
    let leaf = b.leaf();
    let missing = |subject: &str| Some(Untrusted::MissingIntermediate { subject: subject.into() });
    assert_eq!(judged(&[&leaf], &[&root.der], &[&a.der, &b.der]).untrusted, missing("CN=B"));
    assert_eq!(judged(&[&leaf, &b.der], &[&root.der], &[&a.der, &b.der]).untrusted, missing("CN=A"));
    assert_eq!(judged(&[&leaf], &[&root.der], &[&a.der]).untrusted, unknown("CN=B"));
    assert_eq!(
        judged(&[&leaf], &[], &[&a.der, &b.der, &root.der]).untrusted,
        unknown("CN=Root"),
        "what is known is not trusted"
    );
}

#[test]
fn dates_are_told_apart_from_trust() {
    let root = root("Root");
    let a = root.sub("A");
    let expired = a.issue(&leaf_params(2024, 2025));
    let future = a.issue(&leaf_params(2027, 2028));
    for leaf in [&expired, &future] {
        let facts = judged(&[leaf, &a.der], &[&root.der], &[]);
        assert_eq!((&facts.untrusted, dates(&facts)), (&None, vec![(Some(0), "CN=mail.example.com")]));
        let both = judged(&[leaf, &a.der], &[], &[]);
        assert_eq!((&both.untrusted, dates(&both)), (&unknown("CN=Root"), vec![(Some(0), "CN=mail.example.com")]));
    }
    let missing = judged(&[&expired], &[&root.der], &[&a.der]);
    assert_eq!(missing.untrusted, Some(Untrusted::MissingIntermediate { subject: "CN=A".into() }));
    assert_eq!(dates(&missing).len(), 1);
}

#[test]
fn an_expired_intermediate_is_named_by_its_place_sent_or_not() {
    let root = root("Root");
    let old = root.sub_with(ca_params("Old", 2020, 2025));
    let leaf = old.issue(&leaf_params(2024, 2027));
    let sent = judged(&[&leaf, &root.der, &old.der], &[&root.der], &[]);
    assert_eq!((&sent.untrusted, dates(&sent)), (&None, vec![(Some(2), "CN=Old")]));
    let unsent = judged(&[&leaf], &[&root.der], &[&old.der]);
    assert_eq!(dates(&unsent), [(None, "CN=Old")]);
}

#[test]
fn certificates_that_were_never_valid_together_say_dates_and_trust() {
    let (root, other, twin) = (root("Root"), root("Other"), root("Root"));
    let old = root.sub_with(ca_params("Old", 2020, 2022));
    let leaf = old.issue(&leaf_params(2024, 2027));
    let facts = judged(&[&leaf, &old.der], &[&root.der], &[]);
    assert_eq!((&facts.untrusted, dates(&facts)), (&None, vec![(Some(1), "CN=Old")]));
    let facts = judged(&[&leaf, &old.der], &[&other.der], &[]);
    assert_eq!((&facts.untrusted, dates(&facts)), (&unknown("CN=Root"), vec![(Some(1), "CN=Old")]));
    let facts = judged(&[&leaf, &old.der], &[&twin.der], &[]);
    assert!(invalid(&facts).starts_with("CN=Old is not signed by the known CN=Root"), "{facts:?}");
}

#[test]
fn an_expired_trust_anchor_is_seen() {
    let key = KeyPair::generate().unwrap();
    let of_years = |from, until| der(&ca_params("Root", from, until).self_signed(&key).unwrap());
    let (old, renewed) = (of_years(2010, 2025), of_years(2020, 2040));
    let root = Ca {
        der: old.clone(),
        issuer: Issuer::new(ca_params("Root", 2010, 2025), KeyPair::try_from(key.serialize_der()).unwrap()),
    };
    let leaf = root.leaf();
    let facts = judged(&[&leaf], &[&old], &[]);
    assert_eq!((&facts.untrusted, dates(&facts)), (&None, vec![(None, "CN=Root")]));
    assert_eq!(judged(&[&leaf], &[&old, &renewed], &[]), good(), "the renewed root has the same key");
    assert_eq!(judged(&[&leaf], &[&renewed, &old], &[]), good());
}

#[test]
fn a_way_that_holds_is_taken_before_an_expired_one() {
    let (new, old) = (root("New"), root_with(ca_params("Old", 2010, 2025)));
    let key = KeyPair::generate().unwrap();
    let cross = |by: &Ca| der(&ca_params("A", 2020, 2040).signed_by(&key, &by.issuer).unwrap());
    let (by_old, by_new) = (cross(&old), cross(&new));
    let a = Ca {
        der: by_new.clone(),
        issuer: Issuer::new(ca_params("A", 2020, 2040), KeyPair::try_from(key.serialize_der()).unwrap()),
    };
    let leaf = a.leaf();
    assert_eq!(judged(&[&leaf, &by_old, &by_new], &[&old.der, &new.der], &[]), good());
    let sent_old = judged(&[&leaf, &by_old], &[&old.der, &new.der], &[&by_new]);
    assert_eq!((&sent_old.untrusted, dates(&sent_old)), (&None, vec![(None, "CN=Old")]));
}

#[test]
fn a_self_signed_certificate_is_trusted_where_it_is_pinned() {
    let key = KeyPair::generate().unwrap();
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = leaf_params(2026, 2027);
        params.is_ca = is_ca;
        let pinned = der(&params.self_signed(&key).unwrap());
        assert_eq!(judged(&[&pinned], &[&pinned], &[]), good());
        years(&mut params, 2020, 2025);
        let expired = der(&params.self_signed(&key).unwrap());
        assert_eq!(dates(&judged(&[&expired], &[&expired], &[])).len(), 1);
        let other = judged(&[&expired], &[&pinned], &[]);
        assert_eq!(
            (&other.untrusted, dates(&other).len()),
            (&Some(Untrusted::SelfSigned), 1),
            "another certificate of that key"
        );
    }
}

#[test]
fn a_name_that_is_its_own_issuer_is_not_self_signed_for_that() {
    let root = root("mail.example.com");
    let leaf = root.leaf();
    assert_eq!(judged(&[&leaf], &[&root.der], &[]), good());
    assert_eq!(judged(&[&leaf], &[], &[]).untrusted, unknown("CN=mail.example.com"));
}

#[test]
fn an_issuer_of_the_same_name_with_another_key_is_not_the_issuer() {
    let (root, twin) = (root("Root"), root("Root"));
    let facts = judged(&[&root.leaf()], &[&twin.der], &[]);
    assert!(invalid(&facts).starts_with("CN=mail.example.com is not signed by the known CN=Root"), "{facts:?}");
    assert_eq!(judged(&[&root.leaf()], &[&twin.der, &root.der], &[]), good());
}

#[test]
fn what_rfc_5280_forbids_is_said() {
    let root = root("Root");
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = leaf_params(2026, 2027);
        change(&mut params);
        root.issue(&params)
    };
    let ca = with(&|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let client = with(&|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let not_ca = root.sub_with(params("Not a CA", 2020, 2040));
    let mut names = ca_params("Names", 2020, 2040);
    let permitted = vec![GeneralSubtree::DnsName("example.net".into())];
    names.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: vec![] });
    let names = root.sub_with(names);
    for (chain, want) in [
        (vec![ca], "the server's certificate is a CA certificate"),
        (vec![client], "the extended key usage does not allow server authentication"),
        (vec![not_ca.leaf(), not_ca.der.clone()], "a certificate on the way is not a CA's"),
        (vec![names.leaf(), names.der.clone()], "a name in the certificate is outside"),
    ] {
        let facts = judged(&chain.iter().collect::<Vec<_>>(), &[&root.der], &[]);
        assert!(invalid(&facts).starts_with(want), "{facts:?} is not {want}");
    }
    let server = with(&|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert_eq!(judged(&[&server], &[&root.der], &[]), good());
}

#[test]
fn an_expired_certificate_that_breaks_a_rule_says_both() {
    let root = root("Root");
    let mut params = leaf_params(2024, 2025);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let facts = judged(&[&root.issue(&params)], &[&root.der], &[]);
    assert!(invalid(&facts).starts_with("the extended key usage"));
    assert_eq!(dates(&facts).len(), 1);
}

#[test]
fn ways_are_bounded_in_length_and_number() {
    let (root, twin) = (root("Root"), root("Twin"));
    let mut subs = vec![root.sub("1")];
    for n in 2..=7 {
        subs.push(subs[n - 2].sub(&n.to_string()));
    }
    let chain = |n: usize| {
        let leaf = subs[n - 1].leaf();
        let ders: Vec<Der> = [leaf].into_iter().chain(subs[..n].iter().map(|s| s.der.clone())).collect();
        judged(&ders.iter().collect::<Vec<_>>(), &[&root.der], &[])
    };
    assert_eq!(chain(6), good());
    assert!(invalid(&chain(7)).contains("more than 6 intermediate"));
    // Thirty certificates that each could have issued each: the walk ends, and finds no anchor.
    let twins: Vec<Ca> = (0..30).map(|_| root_with(ca_params("Twin", 2020, 2040))).collect();
    let leaf = twins[0].leaf();
    let ders: Vec<&Der> = [&leaf].into_iter().chain(twins.iter().map(|t| &t.der)).collect();
    assert!(judged(&ders, &[&root.der], &[]).untrusted.is_some());
    assert!(judged(&ders, &[&twin.der], &[]).untrusted.is_some());
}

#[test]
fn nothing_and_garbage_are_not_trusted() {
    let root = root("Root");
    assert_eq!(invalid(&judged(&[], &[&root.der], &[])), "there is no certificate");
    let garbage = Der::from(&b"garbage"[..]);
    assert!(invalid(&judged(&[&garbage], &[&root.der], &[])).starts_with("not a certificate"));
    let (anchors, broken) = Anchors::new(&[garbage, root.der.clone(), root.der.clone()]);
    assert_eq!((anchors.len(), broken.len()), (1, 1));
    assert!(broken[0].starts_with("trust anchor 1 of 3: not a certificate"), "{broken:?}");
}

/// rcgen on ring makes no such certificates: these come from OpenSSL and are valid for a hundred years from 2026-11-22.
#[test]
fn a_weak_signature_by_the_right_ca_is_told_from_the_wrong_ca() {
    let der = |pem: &str| Der::from(read_file(pem.as_bytes()).unwrap().certificates.remove(0));
    let (old, weak) = (der(include_str!("fixtures/old-ca.pem")), der(include_str!("fixtures/weak-ca.pem")));
    let (sha1, short) = (der(include_str!("fixtures/sha1-leaf.pem")), der(include_str!("fixtures/weak-leaf.pem")));
    let (v1, md5) = (der(include_str!("fixtures/v1-leaf.pem")), der(include_str!("fixtures/md5-leaf.pem")));
    let at = facts(&sha1).unwrap().not_before + 24.hours();
    let told = |leaf: &Der, anchor: &Der| path(std::slice::from_ref(leaf), &anchors(&[anchor]), &[], at);
    let words = |leaf: &Der, anchor: &Der| invalid(&told(leaf, anchor)).to_string();
    assert_eq!(
        words(&sha1, &old),
        "CN=mail.domain.com is signed with SHA-1, which clients no longer accept, by CN=Old CA, O=Domain"
    );
    assert!(words(&short, &weak).contains("CN=Weak CA, O=Domain, whose key (RSA 1024)"));
    assert!(words(&md5, &old).contains("is signed with md5WithRSAEncryption, which cannot be verified"));
    assert!(words(&v1, &old).contains("X.509 version 1"));
    assert_eq!(told(&sha1, &weak).untrusted, unknown("CN=Old CA, O=Domain"));
    assert_eq!(told(&v1, &v1), good(), "pinned, whatever its version");
    let late = path(std::slice::from_ref(&sha1), &anchors(&[&old]), &[], at + (200 * 365 * 24).hours());
    assert!(invalid(&late).contains("SHA-1"));
    assert_eq!(late.dates.len(), 2, "the certificate and its CA");
}

#[test]
fn every_public_root_can_be_an_anchor() {
    let roots: Vec<Der> = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|c| Der::from(c.as_ref())).collect();
    let (anchors, broken) = Anchors::new(&roots);
    assert_eq!((anchors.len(), broken), (roots.len(), vec![]));
}

#[test]
fn no_altered_byte_is_trusted() {
    let root = root("Root");
    let a = root.sub("A");
    let leaf = a.leaf();
    let anchors = anchors(&[&root.der]);
    for (place, whole) in [&leaf, &a.der].into_iter().enumerate() {
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x01;
            let mut chain = [leaf.clone(), a.der.clone()];
            chain[place] = Der::from(bytes);
            assert!(path(&chain, &anchors, &[], now()).untrusted.is_some(), "certificate {place}, byte {at}");
        }
    }
}
