//! Servers of bytes that decline a current client, each in its way.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::model::name::Name;
use crate::model::probes::Manners;
use crate::model::service::Protocol;
use crate::model::tls::{Possession, Served};
use crate::observe::deadline::Limits;
use crate::observe::testbed;

/// ServerHello of a version with AES128-SHA, a chain of one (no certificate, which nobody here minds), ServerHelloDone.
fn flight(minor: u8) -> Vec<u8> {
    let hello = [&[2, 0, 0, 38, 3, minor][..], &[2; 32], &[0, 0, 0x2f, 0]].concat();
    let messages = [&hello[..], &[11, 0, 0, 8, 0, 0, 5, 0, 0, 2, 0x30, 0], &[14, 0, 0, 0]].concat();
    [&[22, 3, minor, 0, u8::try_from(messages.len()).unwrap()][..], &messages].concat()
}

/// What a server does with a hello, by its best version's minor number; 4 is a current client.
#[derive(Clone, Copy)]
enum Does {
    Alerts(u8),
    HangsUp,
    Waits,
    Serves(u8),
    /// Goes on byte by byte, each after so many milliseconds.
    Drips(u64),
}

type Seen = Arc<Mutex<Vec<u8>>>;

/// The best version of a hello: a current client names 1.3 in an extension (43).
fn best(hello: &[u8]) -> u8 {
    let is_current = hello.windows(4).any(|w| w[..2] == [0, 43] && w[2] == 0);
    if is_current { 4 } else { hello[10] }
}

/// A server that does this, and notes the versions asked for and, at last, 99 for a goodbye.
async fn server(starttls: bool, does: fn(u8) -> Does) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let noted = seen.clone();
    let address = testbed::tcp(move |_, mut stream| {
        let seen = noted.clone();
        async move {
            if starttls {
                let mut buffer = [0; 512];
                for reply in [&b"220 ready\r\n"[..], b"250-hello\r\n250 STARTTLS\r\n", b"220 go\r\n"] {
                    stream.write_all(reply).await.unwrap();
                    if !reply.ends_with(b"go\r\n") {
                        assert!(stream.read(&mut buffer).await.unwrap() > 0);
                    }
                }
            }
            let mut hello = [0; 2048];
            let n = stream.read(&mut hello).await.unwrap_or(0);
            let version = best(&hello[..n]);
            seen.lock().unwrap().push(version);
            match does(version) {
                Does::Alerts(alert) => stream.write_all(&[21, 3, 1, 0, 2, 2, alert]).await.unwrap(),
                Does::HangsUp => return,
                Does::Waits => pending().await,
                Does::Serves(minor) => stream.write_all(&flight(minor)).await.unwrap(),
                Does::Drips(pause) => {
                    for byte in flight(1) {
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                        if stream.write_all(&[byte]).await.is_err() {
                            return;
                        }
                    }
                }
            }
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            if rest.get(..3) == Some(&[21, 3, 1]) && rest[3..] == [0, 2, 1, 0] {
                seen.lock().unwrap().push(99);
            }
        }
    })
    .await;
    (address, seen)
}

async fn look(address: SocketAddr, way: Way, limit: u64) -> TlsOutcome {
    let sni = Some(Name::parse("mail.domain.com").unwrap());
    let probe = TlsProbe { address, way, sni, face: None };
    let manners = Manners { timeout_ms: Some(limit), ..Manners::default() };
    let deadline = Limits::of(&manners, Duration::ZERO).begin();
    let line = Line { to: address, route: None, ehlo: "probe.example", client: None };
    Handshakes::new().unwrap().look(&probe, &line, deadline).await.0
}

fn served(outcome: TlsOutcome) -> Served {
    match outcome {
        TlsOutcome::Certificate(served) => served,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_declines_is_asked_in_its_own_way_and_left_with_a_word() {
    for (starttls, way) in [(false, Way::Implicit), (true, Way::Starttls(Protocol::Smtp))] {
        let does = |version| if version > 3 { Does::Alerts(70) } else { Does::Serves(1) };
        let (address, seen) = server(starttls, does).await;
        let served = served(look(address, way, 20_000).await);
        assert_eq!((served.chain.len(), served.version.as_deref()), (1, Some("TLS 1.0")));
        assert_eq!(served.cipher.as_deref(), Some("TLS_RSA_WITH_AES_128_CBC_SHA"));
        assert_eq!(served.declined, Some(Box::new(TlsOutcome::Alert("protocol_version".into()))));
        assert!(served.ended.is_none() && matches!(served.possession, Possession::NotProved(_)));
        for _ in 0..100 {
            if seen.lock().unwrap().len() == 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(*seen.lock().unwrap(), [4, 3, 99]);
    }
}

#[tokio::test]
async fn hellos_become_older_while_nobody_answers_them() {
    let (address, seen) = server(false, |version| if version > 0 { Does::HangsUp } else { Does::Serves(0) }).await;
    let served = served(look(address, Way::Implicit, 20_000).await);
    assert_eq!(served.version.as_deref(), Some("SSL 3.0"));
    assert_eq!(served.declined, Some(Box::new(TlsOutcome::Closed(Stage::Handshake))));
    assert_eq!(seen.lock().unwrap()[..4], [4, 3, 1, 0]);
}

#[tokio::test]
async fn a_server_that_chose_an_old_version_at_once_is_read_to_the_end() {
    let (address, _) = server(false, |_| Does::Serves(2)).await;
    let served = served(look(address, Way::Implicit, 20_000).await);
    assert_eq!(served.version.as_deref(), Some("TLS 1.1"));
    assert_eq!(served.declined, Some(Box::new(TlsOutcome::OldVersion("TLS 1.1".into()))));
}

#[tokio::test]
async fn a_refusal_that_has_nothing_to_do_with_age_is_believed() {
    let (address, seen) = server(false, |_| Does::Alerts(112)).await;
    assert_eq!(look(address, Way::Implicit, 20_000).await, TlsOutcome::Alert("unrecognized_name".into()));
    assert_eq!(*seen.lock().unwrap(), [4]);
}

#[tokio::test]
async fn who_is_silent_is_asked_in_an_older_way_before_the_time_is_over() {
    let (address, seen) = server(false, |version| if version > 1 { Does::Waits } else { Does::Serves(1) }).await;
    let served = served(look(address, Way::Implicit, 3_000).await);
    assert_eq!(served.declined, Some(Box::new(TlsOutcome::Timeout(Stage::Handshake))));
    assert_eq!(seen.lock().unwrap()[..3], [4, 3, 1]);
}

#[tokio::test]
async fn one_deadline_is_over_all_of_it() {
    let slow = |version| if version > 3 { Does::Alerts(70) } else { Does::Drips(100) };
    for does in [slow, |_| Does::Waits] {
        let (address, _) = server(false, does).await;
        let begun = Instant::now();
        let outcome = look(address, Way::Implicit, 1_000).await;
        assert!(!matches!(outcome, TlsOutcome::Certificate(_)), "{outcome:?}");
        assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
    }
    let (address, _) = server(false, |version| if version > 3 { Does::Alerts(70) } else { Does::Drips(5) }).await;
    assert_eq!(served(look(address, Way::Implicit, 20_000).await).ended, None, "slow is not silent");
}
