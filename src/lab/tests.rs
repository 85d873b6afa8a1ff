//! Worlds that run, as bare clients meet them: whole, and with each fault.

use super::client::{doh, dot, https, in_clear, starttls, tcp, udp, udp_in_vain};
use super::{Lab, World, example};
use crate::model::certificate::Thumbprint;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::Plan;
use crate::model::source::Located;
use hickory_resolver::proto::rr::RecordType::{A, AAAA};

const READY: Moment = Moment::Ready(Phase::Before, Phase::Coexistence);
const COEXISTENCE: Moment = Moment::Steady(Phase::Coexistence);
const SAN: &str = "CN=serverexchange2010.domain.com by CN=Coexist Lab Issuing CA";
const EX19: &str = "CN=mail.exchangeservergeek.com by CN=Coexist Lab Issuing CA";
const SMTP: &[(&str, &str)] = &[("EHLO me", "250 8BITMIME"), ("STARTTLS", "220 2.0.0")];
const IMAP: &[(&str, &str)] = &[("a STARTTLS", "a OK")];
const POP3: &[(&str, &str)] = &[("STLS", "+OK begin")];

async fn lab(plan: &Plan, moment: Moment, faults: &[&str]) -> Lab {
    let mut world = World::of(plan, moment);
    faults.iter().for_each(|f| world.break_with(f).unwrap());
    Lab::start(&world).await.unwrap()
}

#[tokio::test]
async fn in_a_clean_world_each_view_is_told_its_own_addresses() {
    let lab = lab(&example::exchange_2003(), COEXISTENCE, &[]).await;
    for (resolver, name, kind, want) in [
        ("10.0.0.53:53", "mail.domain.com.", A, "NOERROR mail.domain.com. 300 A 10.0.0.10"),
        ("10.0.0.54:53", "MAIL.domain.com.", A, "NOERROR mail.domain.com. 300 A 10.0.0.10"),
        ("9.9.9.9:53", "mail.domain.com.", A, "NOERROR mail.domain.com. 300 A 203.0.113.10"),
        ("9.9.9.9:53", "mail.domain.com.", AAAA, "NOERROR soa domain.com. 300"),
        ("9.9.9.9:53", "serverexchange2010.domain.com.", A, "NXDOMAIN soa domain.com. 300"),
        ("10.0.0.53:53", "nobody.example.", A, "NXDOMAIN soa nobody.example. 300"),
        ("10.0.0.53:53", "legacy.mail.domain.com.", A, "NOERROR legacy.mail.domain.com. 300 A 10.0.0.3"),
    ] {
        assert_eq!(udp(&lab, resolver, name, kind).await, want, "{resolver} {name}");
    }
    assert_eq!(tcp(&lab, "9.9.9.9:53", "mail.domain.com.").await, "NOERROR mail.domain.com. 300 A 203.0.113.10");
    assert_eq!(dot(&lab, "9.9.9.9:853", "mail.domain.com.").await, "NOERROR mail.domain.com. 300 A 203.0.113.10");
    let told = doh(&lab, "1.1.1.1:443", "/dns-query", "mail.domain.com.").await;
    assert_eq!(told, "NOERROR mail.domain.com. 300 A 203.0.113.10");
}

#[tokio::test]
async fn in_a_clean_world_a_strict_client_is_content_everywhere() {
    let lab = lab(&example::exchange_2003(), COEXISTENCE, &[]).await;
    for address in ["10.0.0.10:443", "203.0.113.10:443", "10.0.0.10:993"] {
        for name in ["mail.domain.com", "autodiscover.domain.com", "serverexchange2010.domain.com"] {
            assert_eq!(https(&lab, address, name).await, SAN, "{address} {name}");
        }
    }
    // Caches still send clients of the primary name to the old server.
    for name in ["mail.domain.com", "legacy.mail.domain.com", "legacy.serverexchange2003.domain.com"] {
        assert_eq!(https(&lab, "203.0.113.3:443", name).await, SAN, "{name}");
    }
    for (address, said) in [("10.0.0.10:25", SMTP), ("10.0.0.10:587", SMTP), ("10.0.0.10:143", IMAP)] {
        assert_eq!(starttls(&lab, address, "mail.domain.com", said).await, SAN, "{address}");
    }
}

#[tokio::test]
async fn before_the_first_flip_the_old_server_has_its_single_name() {
    let lab = lab(&example::exchange_2003(), Moment::Steady(Phase::Before), &[]).await;
    let text = https(&lab, "10.0.0.3:443", "mail.domain.com").await;
    assert_eq!(text, "CN=mail.domain.com by CN=Coexist Lab Issuing CA");
    assert!(https(&lab, "10.0.0.3:443", "legacy.mail.domain.com").await.contains("not valid for name"));
    // The legacy name is not there yet, nor anything below the primary one.
    let text = udp(&lab, "10.0.0.53:53", "legacy.mail.domain.com.", A).await;
    assert_eq!(text, "NXDOMAIN soa domain.com. 300");
}

#[tokio::test]
async fn on_the_eve_the_new_names_exist_and_what_flips_has_a_low_ttl() {
    let lab = lab(&example::exchange_2003(), READY, &[]).await;
    for (name, want) in [
        ("mail.domain.com.", "NOERROR mail.domain.com. 60 A 10.0.0.3"),
        ("legacy.mail.domain.com.", "NOERROR legacy.mail.domain.com. 300 A 10.0.0.3"),
        ("autodiscover.domain.com.", "NOERROR autodiscover.domain.com. 300 A 10.0.0.10"),
    ] {
        assert_eq!(udp(&lab, "10.0.0.53:53", name, A).await, want);
    }
    for (address, name) in [
        ("10.0.0.3:443", "mail.domain.com"),
        ("10.0.0.3:443", "legacy.mail.domain.com"),
        ("10.0.0.10:443", "mail.domain.com"),
    ] {
        assert_eq!(https(&lab, address, name).await, SAN, "{address} {name}");
    }
}

#[tokio::test]
async fn a_pool_sends_each_client_to_every_member_in_turn() {
    let lab = lab(&example::exchange_2019(), COEXISTENCE, &["default-certificate:ex19-02"]).await;
    for name in ["mail.exchangeservergeek.com", "autodiscover.exchangeservergeek.com"] {
        for address in ["10.0.0.30:443", "203.0.113.30:443"] {
            let mut good = 0;
            for _ in 0..4 {
                good += usize::from(https(&lab, address, name).await == EX19);
            }
            assert_eq!(good, 2, "{address} {name}");
        }
        assert_eq!(https(&lab, "10.0.0.11:443", name).await, EX19);
        assert!(https(&lab, "10.0.0.12:443", name).await.contains("invalid peer certificate"));
    }
    let pop = starttls(&lab, "10.0.0.11:110", "mail.exchangeservergeek.com", POP3).await;
    assert_eq!(pop, EX19);
}

#[tokio::test]
async fn each_fault_of_a_server_or_certificate_is_met_by_a_strict_client() {
    let plan = example::exchange_2003();
    for (fault, moment, address, name, want) in [
        ("default-certificate:ex2003-fe", READY, "10.0.0.3:443", "mail.domain.com", "invalid peer certificate"),
        ("old-certificate:ex2003-fe", READY, "10.0.0.3:443", "legacy.mail.domain.com", "not valid for name"),
        ("old-certificate:ex2003-fe", READY, "10.0.0.3:443", "mail.domain.com", "CN=mail.domain.com by"),
        ("other-certificate:ex2010", READY, "10.0.0.10:443", "mail.domain.com", "not valid for name"),
        ("missing-intermediate:ex2010", READY, "203.0.113.10:443", "mail.domain.com", "UnknownIssuer"),
        ("wrong-key:ex2010", READY, "10.0.0.10:443", "mail.domain.com", "BadSignature"),
        ("port-closed:ex2010/443", READY, "10.0.0.10:443", "mail.domain.com", "refused"),
        ("port-closed:ex2010/443", READY, "10.0.0.10:993", "mail.domain.com", SAN),
        ("server-down:ex2010", READY, "203.0.113.10:993", "mail.domain.com", "refused"),
        ("tls-interception", READY, "10.0.0.10:443", "mail.domain.com", "UnknownIssuer"),
        ("wildcard-certificate:san", READY, "10.0.0.10:443", "mail.domain.com", "CN=*.domain.com by"),
        ("wildcard-certificate:san", READY, "10.0.0.3:443", "legacy.mail.domain.com", "not valid for name"),
        ("name-missing:autodiscover.domain.com", READY, "10.0.0.10:443", "autodiscover.domain.com", "not valid for"),
        ("name-missing:autodiscover.domain.com", READY, "10.0.0.10:443", "mail.domain.com", SAN),
        ("cn-only:san", READY, "10.0.0.10:443", "serverexchange2010.domain.com", "not valid for name"),
        ("expired:san", READY, "10.0.0.10:443", "mail.domain.com", "expired"),
        ("not-yet-valid:san", READY, "10.0.0.10:443", "mail.domain.com", "not valid yet"),
        ("untrusted-issuer:san", READY, "10.0.0.10:443", "mail.domain.com", "UnknownIssuer"),
        ("service-left-behind:ex2010/IMAP", READY, "10.0.0.10:443", "mail.domain.com", SAN),
        ("service-left-behind:ex2010/IMAP", READY, "10.0.0.10:993", "mail.domain.com", "invalid peer certificate"),
    ] {
        let met = https(&lab(&plan, moment, &[fault]).await, address, name).await;
        assert!(met.contains(want), "{fault} at {address}: {met}");
    }
}

#[tokio::test]
async fn an_expired_root_looks_good_to_a_client_that_reads_no_dates_of_anchors() {
    let lab = lab(&example::exchange_2003(), COEXISTENCE, &["expired-root"]).await;
    assert_eq!(https(&lab, "10.0.0.10:443", "mail.domain.com").await, SAN);
    let anchors = lab.anchors();
    let (_, root) = x509_parser::parse_x509_certificate(&anchors[0]).unwrap();
    assert!(!root.validity().is_valid());
}

#[tokio::test]
async fn services_that_do_not_speak_tls_say_what_they_say() {
    let plan = example::exchange_2003();
    let missing = lab(&plan, COEXISTENCE, &["starttls-missing:ex2010"]).await;
    assert!(starttls(&missing, "10.0.0.10:25", "mail.domain.com", SMTP).await.starts_with("502"));
    assert_eq!(https(&missing, "10.0.0.10:443", "mail.domain.com").await, SAN);
    let refused = lab(&plan, COEXISTENCE, &["starttls-refused:ex2010"]).await;
    assert!(starttls(&refused, "10.0.0.10:25", "mail.domain.com", SMTP).await.starts_with("454"));
    let injected = lab(&plan, COEXISTENCE, &["starttls-injection:ex2010"]).await;
    let said = [("EHLO me", "250 8BITMIME"), ("STARTTLS", "250 2.0.0 ok")];
    assert_eq!(starttls(&injected, "10.0.0.10:25", "mail.domain.com", &said).await, SAN, "who is lax goes on");
    let plain = lab(&plan, COEXISTENCE, &["plain-http:ex2010"]).await;
    assert!(in_clear(&plain, "10.0.0.10:443", false).await.starts_with("HTTP/1.1 400"));
    let silent = lab(&plan, COEXISTENCE, &["port-silent:ex2010/443"]).await;
    assert_eq!(in_clear(&silent, "10.0.0.10:443", true).await, "silence");
}

#[tokio::test]
async fn each_fault_of_a_name_is_told_by_the_view_s_resolvers() {
    let plan = example::exchange_2003();
    let (inside, outside) = ("10.0.0.53:53", "9.9.9.9:53");
    for (fault, resolver, name, want) in [
        ("unresolved:external/autodiscover.domain.com", outside, "autodiscover.domain.com.", "NXDOMAIN soa"),
        ("unresolved:external/autodiscover.domain.com", inside, "autodiscover.domain.com.", "NOERROR auto"),
        // A name lies below it, so that it still exists (RFC 8020).
        ("unresolved:external/mail.domain.com", outside, "mail.domain.com.", "NOERROR soa"),
        ("nodata:external/autodiscover.domain.com", outside, "autodiscover.domain.com.", "NOERROR soa"),
        ("servfail:internal/mail.domain.com", inside, "mail.domain.com.", "SERVFAIL"),
        ("dangling-alias:internal/mail.domain.com", inside, "mail.domain.com.", "NXDOMAIN mail.domain.com. 300 CNAME"),
        ("wrong-target:external/mail.domain.com", outside, "mail.domain.com.", "300 A 203.0.113.3"),
        ("legacy-inside-only", outside, "legacy.mail.domain.com.", "NXDOMAIN"),
        ("legacy-inside-only", inside, "legacy.mail.domain.com.", "300 A 10.0.0.3"),
        ("legacy-equals-primary:legacy.mail.domain.com", outside, "legacy.mail.domain.com.", "300 A 203.0.113.10"),
        ("intranet-leak:serverexchange2010.domain.com", outside, "serverexchange2010.domain.com.", "A 10.0.0.10"),
        ("dns-interception", outside, "mail.domain.com.", "300 A 10.0.0.10"),
        ("one-resolver-silent:internal", "10.0.0.54:53", "mail.domain.com.", "NOERROR mail"),
        ("resolver-refuses:external", outside, "mail.domain.com.", "REFUSED"),
        ("resolver-fails:external", outside, "mail.domain.com.", "SERVFAIL"),
        ("resolver-garbles:internal", inside, "mail.domain.com.", "no DNS message"),
        ("truncation:internal", inside, "mail.domain.com.", "truncated"),
    ] {
        let told = udp(&lab(&plan, COEXISTENCE, &[fault]).await, resolver, name, A).await;
        assert!(told.contains(want), "{fault} at {resolver}: {told}");
    }
    let silent = lab(&plan, COEXISTENCE, &["resolver-silent:internal"]).await;
    assert_eq!(udp_in_vain(&silent, "10.0.0.54:53", "mail.domain.com.").await, "silence");
    let one_silent = lab(&plan, COEXISTENCE, &["one-resolver-silent:internal"]).await;
    assert_eq!(udp_in_vain(&one_silent, inside, "mail.domain.com.").await, "silence");
    let stray = lab(&plan, COEXISTENCE, &["stray-aaaa:internal/mail.domain.com"]).await;
    assert!(udp(&stray, inside, "mail.domain.com.", AAAA).await.ends_with("AAAA 2001:db8:dead::1"));
    assert!(udp(&stray, inside, "mail.domain.com.", A).await.ends_with("A 10.0.0.10"));
    assert!(https(&stray, "[2001:db8:dead::1]:443", "mail.domain.com").await.contains("refused"));
    let long = lab(&plan, READY, &["ttl-not-lowered:mail.domain.com"]).await;
    assert!(udp(&long, inside, "mail.domain.com.", A).await.contains(" 3600 A 10.0.0.3"));
}

#[tokio::test]
async fn interception_reaches_only_what_is_asked_in_the_clear() {
    let lab = lab(&example::exchange_2003(), COEXISTENCE, &["dns-interception"]).await;
    assert!(dot(&lab, "9.9.9.9:853", "mail.domain.com.").await.ends_with("A 203.0.113.10"));
}

#[tokio::test]
async fn a_truncated_answer_is_whole_over_tcp() {
    let lab = lab(&example::exchange_2003(), COEXISTENCE, &["truncation:internal"]).await;
    assert!(tcp(&lab, "10.0.0.53:53", "mail.domain.com.").await.ends_with("A 10.0.0.10"));
}

#[tokio::test]
async fn the_plan_s_files_are_there_and_nothing_leaves_the_machine() {
    let mut plan = example::exchange_2003();
    let lab = lab(&plan, COEXISTENCE, &[]).await;
    let files = lab.files();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["corp-root.pem", "mail-2003.cer", "san-2010.pem"]);
    assert!(files["corp-root.pem"].starts_with(b"-----BEGIN CERTIFICATE-----\n"));
    assert!(https(&lab, "192.0.2.1:443", "mail.domain.com").await.contains("refused"));

    let declared = Thumbprint::parse("B26C3C9B30A2A7371767275043816466CB921738").unwrap();
    plan.certificates[1].thumbprint = Some(Located::new(declared, Default::default()));
    lab.adopt_thumbprints(&mut plan);
    assert!(plan.certificates[1].thumbprint.as_ref().is_some_and(|t| t.value != declared));
}

#[tokio::test]
async fn what_would_mix_two_views_is_refused() {
    let mut plan = example::exchange_2019();
    plan.views[1].resolvers[0].value.addr = "10.0.0.53:53".parse().unwrap();
    let error = Lab::start(&World::of(&plan, COEXISTENCE)).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the lab cannot play resolver `10.0.0.53`: views `internal` and `external` both ask it, and it cannot tell \
         them apart"
    );
    plan.views[1].resolvers[0].value.addr = "10.0.0.30:443".parse().unwrap();
    let error = Lab::start(&World::of(&plan, COEXISTENCE)).await.err().unwrap();
    assert!(error.to_string().ends_with("a server of the plan is there"), "{error}");
}

#[tokio::test]
async fn a_world_that_is_dropped_is_gone() {
    let plan = example::exchange_2019();
    let lab = lab(&plan, COEXISTENCE, &[]).await;
    let to = lab.dial_map().resolve("10.0.0.11:443".parse().unwrap(), None);
    drop(lab);
    tokio::task::yield_now().await;
    assert!(tokio::net::TcpStream::connect(to).await.is_err());
}
