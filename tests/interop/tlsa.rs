//! TLSA records in a zone of BIND against the certificate of a Postfix, the records made by openssl.

use std::process::{Command, Stdio};

use crate::certificates::{Identity, Leaf};
use crate::run::{Report, check};
use crate::world::World;

const MAIL: &str = "\n[mail.\"example.com\"]\nmx = [\"mail.example.com\"]\nautodiscover = false\n";

/// Looks at the clean world with these TLSA records of its mail host.
fn look(records: impl FnOnce(&World) -> Vec<String>) -> Report {
    let mut world = World::clean();
    let records: String = records(&world).iter().map(|r| format!("_25._tcp.mail TLSA {r}\n")).collect();
    world.plan.push_str(MAIL);
    world.lines = format!("@ MX 10 mail\n{records}");
    check(&world.start(), &[])
}

/// The digest of a certificate, or of its key, as openssl has it.
fn digest(identity: &Identity, of_key: bool, algorithm: &str) -> String {
    let der = match of_key {
        true => openssl(
            &["pkey", "-pubin", "-outform", "DER"],
            &openssl(&["x509", "-noout", "-pubkey"], identity.leaf.as_bytes()),
        ),
        false => openssl(&["x509", "-outform", "DER"], identity.leaf.as_bytes()),
    };
    let said = String::from_utf8(openssl(&["dgst", algorithm, "-r"], &der)).expect("a digest in words");
    said.split_whitespace().next().expect("a digest").to_string()
}

fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is installed: run tests/run");
    child.stdin.take().expect("a pipe").write_all(input).expect("openssl reads");
    let out = child.wait_with_output().expect("openssl ends");
    assert!(out.status.success(), "openssl {args:?}");
    out.stdout
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_record_of_the_key_or_the_certificate_fits() {
    for (record, of_key, algorithm) in
        [("3 1 1", true, "-sha256"), ("3 0 1", false, "-sha256"), ("3 1 2", true, "-sha512")]
    {
        let report = look(|w| vec![format!("{record} {}", digest(&w.serves["mail"], of_key, algorithm))]);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{record}: {}", report.text);
        assert!(!report.text.contains("could not tell what"), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_record_of_the_old_key_alone_fits_no_longer() {
    let other = |w: &World| w.authority.issue_rsa(&Leaf::of(&["mail.example.com"]));
    let report = look(|w| vec![format!("3 1 1 {}", digest(&other(w), true, "-sha256"))]);
    assert_eq!(report.causes(), ["tlsa-mismatch mail external"], "{}", report.text);
    assert_eq!(report.status, 0, "a warning: nobody signed the zone");
    let both = |w: &World| vec![other(w), w.serves["mail"].clone()];
    let report = look(|w| both(w).iter().map(|i| format!("3 1 1 {}", digest(i, true, "-sha256"))).collect());
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_printed_record_mends_it() {
    let right = std::cell::RefCell::new(String::new());
    let report = look(|w| {
        *right.borrow_mut() = digest(&w.serves["mail"], true, "-sha256");
        vec![format!("3 1 1 {}", "00".repeat(32))]
    });
    let line = format!("_25._tcp.mail.example.com. 300 IN TLSA 3 1 1 {}", right.borrow());
    assert!(report.text.contains(&line), "{line}: {}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn records_of_the_web_s_usages_are_of_no_use() {
    let report = look(|w| vec![format!("1 1 1 {}", digest(&w.serves["mail"], true, "-sha256"))]);
    assert_eq!(report.causes(), ["tlsa-mismatch mail.example.com external"], "{}", report.text);
    assert_eq!(report.status, 0, "a warning");
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn records_for_submission_are_held_against_submission() {
    let both = |at_submission: &dyn Fn(&World) -> String| {
        let mut world = World::clean();
        let own = digest(&world.serves["mail"], true, "-sha256");
        let other = at_submission(&world);
        world.plan.push_str(MAIL);
        world.lines = format!("@ MX 10 mail\n_25._tcp.mail TLSA 3 1 1 {own}\n_587._tcp.mail TLSA 3 1 1 {other}\n");
        check(&world.start(), &[])
    };
    let report = both(&|w| digest(&w.serves["mail"], true, "-sha256"));
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    let report = both(&|w| digest(&w.authority.issue_rsa(&Leaf::of(&["mail.example.com"])), true, "-sha256"));
    assert_eq!(report.causes(), ["tlsa-mismatch mail external"], "{}", report.text);
    assert!(report.text.contains("fits what mail shows at port 587"), "{}", report.text);
}
