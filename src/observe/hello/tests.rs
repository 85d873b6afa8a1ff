//! The reader against servers of bytes: right ones in every cut, and wrong ones.

use super::offer::{SSL3, TLS10, TLS12};
use super::*;
use crate::observe::testbed::identity;
use crate::observe::tls::{CERTIFICATES, LIMIT};

const AES128_SHA: u16 = 0x002f;
const ECDHE_RSA_GCM: u16 = 0xc02f;

fn offered(version: Version) -> Offer {
    Offer { version, sni: Some("mail.domain.com".into()), face: None, random: [1; 32] }
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1][..], &u16::try_from(content.len()).unwrap().to_be_bytes(), content].concat()
}

fn length(n: usize) -> [u8; 3] {
    let [_, a, b, c] = u32::try_from(n).unwrap().to_be_bytes();
    [a, b, c]
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &length(body.len()), body].concat()
}

fn hello(version: Version, suite: u16) -> Vec<u8> {
    let body = [&version.to_be_bytes()[..], &[2; 32], &[0], &suite.to_be_bytes(), &[0]].concat();
    message(2, &body)
}

fn certificate(chain: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|der| [&length(der.len())[..], der].concat()).collect();
    message(11, &[&length(list.len())[..], &list].concat())
}

fn done() -> Vec<u8> {
    message(14, &[])
}

/// The messages of a plain server of TLS 1.0.
fn messages() -> Vec<u8> {
    [hello(TLS10, AES128_SHA), certificate(&[vec![0x30, 0], vec![0x30, 1, 0]]), done()].concat()
}

/// Feeds pieces until something else than more is wanted.
fn feed<'a>(version: Version, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Step, Reader) {
    let mut reader = Reader::new(offered(version));
    for piece in pieces {
        match reader.receive(piece) {
            Step::NeedMore => {}
            step => return (step, reader),
        }
    }
    (Step::NeedMore, reader)
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn read(version: Version, bytes: &[u8]) -> Result<Glance, TlsOutcome> {
    let (step, reader) = feed(version, [bytes]);
    finish(reader, step, &provider())
}

#[test]
fn the_chain_is_read_however_it_is_cut() {
    let messages = messages();
    let whole = read(TLS12, &record(22, &messages)).unwrap();
    assert_eq!(whole.chain, [vec![0x30, 0], vec![0x30, 1, 0]]);
    assert_eq!((whole.version, whole.suite, &whole.ended), ("TLS 1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", &None));
    assert!(!whole.is_current && matches!(whole.possession, Possession::NotProved(_)));
    for size in 1..messages.len() {
        let fragments: Vec<u8> = messages.chunks(size).flat_map(|c| record(22, c)).collect();
        assert_eq!(read(TLS12, &fragments), Ok(whole.clone()), "records of {size}");
        let stream = record(22, &messages);
        let (step, reader) = feed(TLS12, stream.chunks(size));
        assert_eq!(finish(reader, step, &provider()), Ok(whole.clone()), "segments of {size}");
    }
}

#[test]
fn the_limits_of_a_record_are_kept() {
    let leaf = vec![0x30; 18_000];
    let large = [hello(TLS10, AES128_SHA), certificate(&[leaf])].concat();
    let (first, rest) = large.split_at(18_000);
    let full = [record(22, &hello(TLS10, AES128_SHA)), record(22, &vec![99; 18_432])].concat();
    assert!(matches!(read(TLS12, &full), Err(TlsOutcome::TooLarge(what)) if what.contains("message")), "{full:?}");
    let glance = read(TLS12, &[record(22, first), record(22, rest), record(22, &done())].concat()).unwrap();
    assert_eq!(glance.chain[0].len(), 18_000);
    let over = [&[22, 3, 1][..], &18_433u16.to_be_bytes()].concat();
    assert_eq!(read(TLS12, &over), Err(TlsOutcome::TooLarge("a TLS record of 18433 bytes".into())));
    let few = [record(22, &[]).repeat(32), record(22, &messages())].concat();
    assert!(read(TLS12, &few).is_ok());
    let many = [record(22, &[]).repeat(33), record(22, &messages())].concat();
    assert_eq!(read(TLS12, &many), Err(TlsOutcome::Protocol("empty TLS records without end".into())));
}

#[test]
fn what_is_too_large_is_not_taken() {
    let first = record(22, &hello(TLS10, AES128_SHA));
    let chain = |n: usize| certificate(&vec![vec![0x30, 0]; n]);
    let of = |messages: &[u8]| {
        let records: Vec<u8> = messages.chunks(16_384).flat_map(|c| record(22, c)).collect();
        read(TLS12, &[&first[..], &records, &record(22, &done())].concat())
    };
    assert_eq!(of(&chain(CERTIFICATES)).unwrap().chain.len(), CERTIFICATES);
    let long = of(&chain(CERTIFICATES + 1));
    assert_eq!(long, Err(TlsOutcome::TooLarge("a chain of more than 100 certificates".into())));
    let huge = [&[11][..], &length(10 * 1024 * 1024 + 6), &length(10 * 1024 * 1024 + 3)].concat();
    assert_eq!(of(&huge), Err(TlsOutcome::TooLarge("a handshake message of 10485766 bytes".into())));
    let much = of(&certificate(&[vec![0x30; LIMIT - 100]]));
    assert_eq!(much, Err(TlsOutcome::TooLarge(format!("more than {LIMIT} bytes in the clear"))));
}

#[test]
fn an_alert_ends_it_and_what_came_before_is_kept() {
    let alert = record(21, &[2, 40]);
    assert_eq!(read(TLS12, &alert), Err(TlsOutcome::Alert("handshake_failure".into())));
    assert_eq!(read(TLS12, &record(21, &[1, 0])), Err(TlsOutcome::Alert("close_notify".into())));
    let (head, tail) = (hello(TLS10, AES128_SHA), certificate(&[vec![0x30, 0]]));
    let before = [record(22, &head), alert.clone()].concat();
    assert_eq!(read(TLS12, &before), Err(TlsOutcome::Alert("handshake_failure".into())));
    let after = read(TLS12, &[record(22, &[head, tail].concat()), alert].concat()).unwrap();
    assert_eq!((after.chain.len(), after.ended.as_deref()), (1, Some("alert handshake_failure")));
    let warned = [record(21, &[1, 112]), record(22, &messages())].concat();
    assert!(read(TLS12, &warned).is_ok(), "a warning does not end it");
    assert!(matches!(read(TLS12, &record(21, &[1, 112]).repeat(9)), Err(TlsOutcome::Alert(_))));
    assert!(matches!(read(TLS12, &record(21, &[2])), Err(TlsOutcome::Protocol(_))));
}

#[test]
fn a_server_may_choose_only_what_was_on_offer() {
    let chosen = |offered, version, suite| read(offered, &record(22, &hello(version, suite)));
    let wrong = |outcome| match outcome {
        Err(TlsOutcome::Protocol(words)) => words,
        other => panic!("{other:?}"),
    };
    assert_eq!(wrong(chosen(TLS10, TLS12, AES128_SHA)), "TLS 1.2 chosen where TLS 1.0 was the most on offer");
    assert_eq!(wrong(chosen(TLS12, 0x0304, AES128_SHA)), "version 0x0304 chosen where TLS 1.2 was the most on offer");
    assert_eq!(wrong(chosen(SSL3, 0x0002, AES128_SHA)), "version 0x0002 chosen where SSL 3.0 was the most on offer");
    assert_eq!(wrong(chosen(TLS12, TLS12, 0x1301)), "cipher suite 0x1301 chosen, which was not on offer");
    assert_eq!(wrong(chosen(TLS10, TLS10, ECDHE_RSA_GCM)), "cipher suite 0xc02f chosen, which was not on offer");
    assert_eq!(chosen(TLS12, SSL3, 0x0005), Err(TlsOutcome::Closed(Stage::Handshake)), "downwards is right");
    let face = Offer { face: Some(Face::Ecdsa), ..offered(TLS12) };
    assert!(matches!(Reader::new(face).receive(&record(22, &hello(TLS12, ECDHE_RSA_GCM))), Step::Done(_)));
}

#[test]
fn messages_out_of_turn_end_it() {
    let (head, chain, end) = (hello(TLS10, AES128_SHA), certificate(&[vec![0x30, 0]]), done());
    for order in [
        vec![&chain],
        vec![&end],
        vec![&head, &end],
        vec![&head, &head],
        vec![&head, &message(20, &[0; 12])],
        vec![&head, &certificate(&[])],
        vec![&head, &certificate(&[vec![]])],
        vec![&message(2, &[3, 1])],
    ] {
        let messages: Vec<u8> = order.into_iter().flatten().copied().collect();
        let outcome = read(TLS12, &record(22, &messages));
        assert!(matches!(outcome, Err(TlsOutcome::Protocol(_))), "{outcome:?}");
    }
    let odd = [message(0, &[]), head, chain, message(22, &[1, 0, 0, 0]), message(13, &[1, 1, 0, 0]), end].concat();
    assert!(read(TLS12, &record(22, &odd)).is_ok(), "a stapled response and a demand are passed over");
}

#[test]
fn what_is_not_tls_is_kept() {
    assert_eq!(read(TLS12, b"HTTP/1.1 400"), Err(TlsOutcome::NotTls(b"HTTP/1.1 400".to_vec())));
    assert_eq!(read(TLS12, &[22, 9]), Err(TlsOutcome::NotTls(vec![22, 9])));
    let in_the_middle = [record(22, &hello(TLS10, AES128_SHA)), b"HTTP/1.1".to_vec()].concat();
    assert!(matches!(read(TLS12, &in_the_middle), Err(TlsOutcome::Protocol(_))));
    assert!(matches!(read(TLS12, &record(23, b"x")), Err(TlsOutcome::Protocol(_))));
    assert_eq!(read(TLS12, &[]), Err(TlsOutcome::Closed(Stage::Handshake)));
}

/// ServerKeyExchange of a server with an ECDSA key, signed as it should be, or over another random number.
fn key_exchange(key: &rustls::pki_types::PrivateKeyDer<'static>, group: u16, client: [u8; 32]) -> Vec<u8> {
    let key = rustls::crypto::ring::sign::any_ecdsa_type(key).unwrap();
    let parameters = [&[3][..], &group.to_be_bytes(), &[3, 4, 5, 6]].concat();
    let signer = key.choose_scheme(&[rustls::SignatureScheme::ECDSA_NISTP256_SHA256]).unwrap();
    let signature = signer.sign(&[&client[..], &[2; 32], &parameters].concat()).unwrap();
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    message(12, &[&parameters[..], &[4, 3], &length, &signature].concat())
}

#[test]
fn the_signed_parameters_of_tls_1_2_prove_possession() {
    let own = identity("mail.domain.com");
    let of = |suite, key, group, client| {
        let chain = certificate(&[own.certificate.to_vec()]);
        let all = [hello(TLS12, suite), chain, key_exchange(key, group, client), done()].concat();
        read(TLS12, &record(22, &all)).unwrap()
    };
    const CBC: u16 = 0xc009;
    let right = of(CBC, &own.key, 23, [1; 32]);
    assert_eq!((right.possession, right.is_current), (Possession::Proved, false));
    let other = identity("mail.domain.com");
    assert!(matches!(of(CBC, &other.key, 23, [1; 32]).possession, Possession::Failed(_)));
    assert!(matches!(of(CBC, &own.key, 23, [8; 32]).possession, Possession::Failed(_)), "another's signature again");
    const GCM: u16 = 0xc02b;
    assert!(of(GCM, &own.key, 23, [1; 32]).is_current, "a current client has that suite and group");
    assert!(!of(GCM, &own.key, 25, [1; 32]).is_current, "and not that group");
    let cut = record(22, &[hello(TLS12, GCM), certificate(&[own.certificate.to_vec()])].concat());
    assert!(read(TLS12, &cut).unwrap().is_current, "nobody knows");
}

#[test]
fn parameters_that_cannot_be_read_prove_nothing() {
    let chain = certificate(&[identity("mail.domain.com").certificate.to_vec()]);
    for body in [&[][..], &[3], &[3, 0, 23, 9], &[1, 0, 23, 1, 1, 4, 3, 0, 0], &[3, 0, 23, 1, 1, 4, 3, 0, 9, 0]] {
        let all = [hello(TLS12, 0xc009), chain.clone(), message(12, body), done()].concat();
        let glance = read(TLS12, &record(22, &all)).unwrap();
        assert!(matches!(glance.possession, Possession::NotProved(_)), "{body:?}");
    }
}
