//! A server with two certificates, of which most clients see one: OpenSSL with an RSA and an ECDSA key.

use crate::certificates::Leaf;
use crate::old_tls::Place;
use crate::run::Report;

const NAME: &str = "legacy.example.com";
const OTHER: &str = "other.example.com";

const PLAN: &str = r#"
[views.internal]
resolvers = ["127.0.0.1:9"]
trust = ["root.pem"]
reaches = ["10.0.0.0/8"]
[certificates.rsa]
file = "plan-rsa-leaf.pem"
[certificates.ecdsa]
file = "plan-ecdsa-leaf.pem"
[servers.old]
address = "10.0.3.10"
certificate = ["rsa", "ecdsa"]
[internet]
"legacy.example.com" = "old"
"#;

/// Looks at a server whose RSA certificate, and whose ECDSA certificate if it has one, are for these names.
fn report(rsa: &str, ecdsa: Option<&str>, more: &[&str]) -> Report {
    let place = Place::of(PLAN);
    place.show("plan-rsa-", &place.authority.issue_rsa(&Leaf::of(&[NAME])));
    place.show("plan-ecdsa-", &place.authority.issue(&Leaf::of(&[NAME])));
    place.show("", &place.authority.issue_rsa(&Leaf::of(&[rsa])));
    let second = ["-dcert", "ecdsa-leaf.pem", "-dkey", "ecdsa-key.pem", "-dcert_chain", "ecdsa-chain.pem"];
    if let Some(name) = ecdsa {
        place.show("ecdsa-", &place.authority.issue(&Leaf::of(&[name])));
    }
    let second = if ecdsa.is_some() { &second[..] } else { &[] };
    place.openssl(&[more, second].concat())
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn both_certificates_of_a_server_are_looked_at() {
    for version in ["-tls1_2", "-tls1_3"] {
        let both = report(NAME, Some(NAME), &[version]);
        assert_eq!((both.causes(), both.status), (vec![], 0), "{}", both.text);
        // The one that clients prefer hides the other.
        for (rsa, ecdsa, face) in [(OTHER, NAME, "(RSA)"), (NAME, OTHER, "(ECDSA)")] {
            let wrong = report(rsa, Some(ecdsa), &[version]);
            assert_eq!(wrong.causes(), ["endpoint-serves-wrong-certificate old"], "{}", wrong.text);
            assert!(wrong.text.contains(face), "{}", wrong.text);
        }
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_listed_certificate_that_is_not_served_is_missed() {
    for more in [&["-tls1_2"][..], &["-tls1_3"], &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]] {
        let lacking = report(NAME, None, more);
        let mut want = vec!["endpoint-serves-wrong-certificate old".to_string()];
        want.extend((more.len() > 1).then(|| "tls-version-below-floor old".to_string()));
        assert_eq!((lacking.causes(), lacking.open_questions()), (want, vec![]), "{}", lacking.text);
        assert!(lacking.text.contains("old does not serve its ECDSA certificate"), "{}", lacking.text);
    }
}
