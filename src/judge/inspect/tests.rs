use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use super::*;
use crate::model::finding::Severity;
use crate::model::name::Name;

struct World {
    root: Vec<u8>,
    middle: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = dated();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn dated() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params
}

impl World {
    fn new() -> Self {
        let (root_key, middle_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root = authority("Root").self_signed(&root_key).unwrap().der().to_vec();
        let above = Issuer::new(authority("Root"), root_key);
        let middle = authority("Middle").signed_by(&middle_key, &above).unwrap().der().to_vec();
        Self { root, middle, issuer: Issuer::new(authority("Middle"), middle_key) }
    }

    fn leaf(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = dated();
        params.subject_alt_names = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())
            .unwrap()
            .subject_alt_names;
        change(&mut params);
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().der().to_vec()
    }

    /// What is said of a chain that an endpoint serves, worst first.
    fn told(&self, chain: &[&[u8]], names: &[&str], host: Option<&str>, now: &str) -> Inspected {
        let (anchors, broken) = Anchors::new(&[Arc::from(self.root.as_slice())]);
        assert!(broken.is_empty());
        let names: Vec<Reference> = names.iter().map(|n| reference(n)).collect();
        let asked = Asked { anchors: Some(&anchors), known: &[], names: &names, now: now.parse().unwrap() };
        let met = Met { address: None, service: "https:443".into(), way: "", sni: None, version: None, cipher: None };
        let chain = chain.iter().map(|der| Arc::from(*der)).collect();
        inspect(Look { endpoint: Some(met), chain, host: host.map(reference), ..Look::default() }, &asked)
    }
}

fn reference(text: &str) -> Reference {
    text.parse().map_or_else(|_| Reference::Name(Name::parse(text).unwrap()), Reference::Address)
}

const NOW: &str = "2026-06-01T00:00:00Z";

fn rules(item: &Inspected) -> Vec<&'static str> {
    item.remarks.iter().filter(|r| r.severity == Severity::Error).map(|r| r.rule.unwrap_or("-")).collect()
}

#[test]
fn a_right_chain_has_nothing_said_of_it() {
    let world = World::new();
    let leaf = world.leaf(&["mail.example.com", "*.apps.example.com", "192.0.2.1"], |_| {});
    let item = world.told(&[&leaf, &world.middle], &[], Some("mail.example.com"), NOW);
    assert_eq!(item.remarks, []);
    let names = ["a.apps.example.com", "192.0.2.1", "192.0.2.2", "a.b.apps.example.com", "apps.example.com"];
    let item = world.told(&[&leaf, &world.middle], &names, None, NOW);
    let covered: Vec<_> = item.covers.iter().map(|c| c.by.as_deref().unwrap_or("-")).collect();
    assert_eq!(covered, ["*.apps.example.com", "192.0.2.1", "-", "-", "-"]);
    assert!(item.is_lacking());
}

#[test]
fn each_fault_of_a_chain_is_called_by_its_rule() {
    let world = World::new();
    let name = "mail.example.com";
    let leaf = world.leaf(&[name], |_| {});
    let for_clients = world.leaf(&[name], |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let nameless = world.leaf(&[], |p| p.distinguished_name.push(DnType::CommonName, name));
    let own_key = KeyPair::generate().unwrap();
    let mut params = dated();
    params.distinguished_name.push(DnType::CommonName, "TRAEFIK DEFAULT CERT");
    params.subject_alt_names = CertificateParams::new(vec!["x.traefik.default".to_string()]).unwrap().subject_alt_names;
    let traefik = params.self_signed(&own_key).unwrap().der().to_vec();
    let (leaf, middle) = (leaf.as_slice(), world.middle.as_slice());
    for (chain, host, now, want) in [
        (&[leaf, middle][..], name, "2028-01-01T00:00:00Z", &["certificate-not-currently-valid"][..]),
        (&[leaf, middle], name, "2025-01-01T00:00:00Z", &["certificate-not-currently-valid"]),
        (&[leaf], name, NOW, &["untrusted-issuer-for-view"]),
        (&[&for_clients, middle], name, NOW, &["eku-missing-serverauth"]),
        (&[&nameless, middle], name, NOW, &["cn-only-certificate", "endpoint-serves-wrong-certificate"]),
        (&[leaf, middle], "other.example.com", NOW, &["endpoint-serves-wrong-certificate"]),
        (
            &[&traefik],
            name,
            NOW,
            &["default-certificate-served", "endpoint-serves-wrong-certificate", "untrusted-issuer-for-view"],
        ),
        (&[b"rubbish"], name, NOW, &["-"]),
    ] {
        let item = world.told(chain, &[], Some(host), now);
        let mut found = rules(&item);
        found.dedup();
        assert_eq!(found, want, "{:?}", item.remarks);
    }
}

#[test]
fn order_and_superfluous_roots_are_said_and_weigh_little() {
    let world = World::new();
    let leaf = world.leaf(&["mail.example.com"], |_| {});
    let said = |chain: &[&[u8]]| {
        let item = world.told(chain, &[], None, NOW);
        assert_eq!(rules(&item), Vec::<&str>::new());
        item.remarks.iter().map(|r| r.message.clone()).collect::<Vec<_>>().join("; ")
    };
    assert!(said(&[&leaf, &world.middle, &world.root]).starts_with("the root is sent too"));
    assert!(said(&[&leaf, &world.root, &world.middle]).contains("not in the order"));
    assert!(said(&[&leaf, &leaf, &world.middle]).contains("not in the order"));
}

#[test]
fn a_file_says_which_certificate_is_the_servers_and_whether_the_key_is_its() {
    let world = World::new();
    let leaf = world.leaf(&["mail.example.com"], |_| {});
    let chain: Vec<Arc<[u8]>> = [&world.root, &world.middle, &leaf].map(|d| Arc::from(d.as_slice())).to_vec();
    let (anchors, _) = Anchors::new(&[Arc::from(world.root.as_slice())]);
    let names = [reference("mail.example.com")];
    let asked = Asked { anchors: Some(&anchors), known: &[], names: &names, now: NOW.parse().unwrap() };
    let key =
        |of: &[u8]| PrivateKey { kind: None, encrypted: false, spki_sha256: Some(pki::facts(of).unwrap().spki_sha256) };
    let look = |key| Look { kind: "pem", chain: chain.clone(), key, ..Look::default() };
    let item = inspect(look(Some(key(&leaf))), &asked);
    assert_eq!((item.leaf, item.is_lacking()), (Some(2), false));
    assert_eq!(item.private_key.unwrap().matches, Some(true));
    let stranger = world.leaf(&["a.example"], |_| {});
    let item = inspect(look(Some(key(&stranger))), &asked);
    assert_eq!(item.private_key.as_ref().unwrap().matches, Some(false));
    assert!(item.remarks.iter().any(|r| r.severity == Severity::Error && r.message.contains("private key")));
    let bundle = Look { kind: "pem", chain: vec![chain[0].clone(), chain[1].clone()], ..Look::default() };
    let asked = Asked { names: &[], ..asked };
    assert_eq!(inspect(bundle, &asked).remarks, [], "a bundle of anchors is no server's");
}
