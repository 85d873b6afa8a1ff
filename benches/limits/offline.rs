//! Coverage where one certificate has many names and as many names are not in it: each with the reason.

use std::collections::HashSet;

use coexist::model::identity::Mismatch;
use coexist::model::name::Name;
use coexist::pki::{self, Presented};
use rcgen::{CertificateParams, KeyPair};

use crate::measure::Measure;

/// Names of the certificate.
const SANS: usize = 1000;

/// Looks up every name of a certificate and as many others, in a bare index and in the library's.
pub fn compare<'a>(measure: &impl Fn(&'a str, &'a str, usize) -> Measure<'a>) {
    let presented: Vec<String> = (0..SANS).map(|i| format!("mail-{i}.example.com")).collect();
    let others = (0..SANS).map(|i| format!("web-{i}.example.com"));
    let all: Vec<String> = presented.iter().cloned().chain(others).collect();
    let names: Vec<Name> = all.iter().map(|n| Name::parse(n).expect("a name")).collect();
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(presented.clone()).expect("names that a certificate can hold");
    let facts = pki::facts(params.self_signed(&key).expect("a certificate").der()).expect("facts");
    let (bare, ready) = (presented.into_iter().collect::<HashSet<_>>(), Presented::of(&facts));
    let times = 200_000 / all.len();
    let right = |(i, name): (usize, &Name)| match ready.identify(name) {
        Ok(_) => i < SANS,
        Err(Mismatch::NotPresented) => i >= SANS,
        Err(_) => false,
    };
    measure("coverage, 1,000 SANs, half lacking, names/s", "5 M/s", all.len() * times).compare(
        || (0..times).map(|_| all.iter().enumerate().filter(|(i, n)| bare.contains(*n) == (*i < SANS)).count()).sum(),
        || (0..times).map(|_| names.iter().enumerate().filter(|n| right(*n)).count()).sum(),
    );
}
