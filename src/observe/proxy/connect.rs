//! HTTP CONNECT (RFC 9110 section 9.3.6): the header is read and nothing behind it, for there the endpoint may speak already.

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::{broken, words};
use crate::model::proxy::ProxyFault;
use crate::model::tls::{Stage, TlsOutcome};

/// Octets of all headers that are read of a proxy.
const HEADERS: usize = 16 * 1024;
/// First octets that are kept of what is no HTTP.
const KEPT: usize = 64;
/// Octets that are looked at in one go.
const PIECE: usize = 2048;
/// How an answer begins.
const BEGIN: &[u8] = b"HTTP/";

/// Asks for `host:port`.
pub(super) async fn lead(
    mut tcp: TcpStream,
    target: &str,
    credentials: Option<(&str, &str)>,
    deadline: Instant,
) -> Result<TcpStream, TlsOutcome> {
    let request = request(target, credentials);
    let mut reply = Reply::default();
    let asked = async {
        tcp.write_all(request.as_bytes()).await.map_err(|e| broken(&e))?;
        header(&mut tcp, &mut reply).await
    };
    let answered = timeout_at(deadline, asked).await;
    match answered {
        Ok(Ok(header)) => verdict(&header, credentials).map(|()| tcp),
        Ok(Err(fault)) => Err(TlsOutcome::Proxy(fault)),
        Err(_) if reply.read > 0 => Err(TlsOutcome::Proxy(ProxyFault::Silent)),
        Err(_) => Err(TlsOutcome::Proxy(ProxyFault::NoWord)),
    }
}

fn request(target: &str, credentials: Option<(&str, &str)>) -> Zeroizing<String> {
    let authorization = Zeroizing::new(match credentials {
        Some((user, password)) => format!("Proxy-Authorization: Basic {}\r\n", *Zeroizing::new(basic(user, password))),
        None => String::new(),
    });
    Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", *authorization))
}

/// User and password as HTTP sends them (RFC 7617).
pub(super) fn basic(user: &str, password: &str) -> String {
    let both = Zeroizing::new(format!("{user}:{password}"));
    BASE64.encode(both.as_bytes())
}

/// Reads up to the end of the header of a final answer.
async fn header(tcp: &mut TcpStream, reply: &mut Reply) -> Result<String, ProxyFault> {
    let mut buffer = [0; PIECE];
    loop {
        let seen = match tcp.peek(&mut buffer).await.map_err(|e| broken(&e))? {
            0 => return Err(ProxyFault::Closed),
            n => buffer.get(..n).unwrap_or_default(),
        };
        let (taken, step) = reply.take(seen);
        let mine = buffer.get_mut(..taken).unwrap_or_default();
        tcp.read_exact(mine).await.map_err(|e| broken(&e))?;
        match step {
            Step::More => {}
            Step::Header(header) => return Ok(header),
            Step::Fault(fault) => return Err(fault),
        }
    }
}

/// An answer as it comes: bytes in, its header out.
#[derive(Debug, Default)]
pub struct Reply {
    header: Vec<u8>,
    read: usize,
}

/// What came of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More are wanted.
    More,
    /// The header of a final answer.
    Header(String),
    /// This leads nowhere.
    Fault(ProxyFault),
}

impl Reply {
    /// Takes what came; says how many of these bytes belong to the answer, and what it comes to.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Step) {
        for (at, byte) in bytes.iter().enumerate() {
            self.header.push(*byte);
            self.read += 1;
            if self.read > HEADERS {
                return (at + 1, Step::Fault(ProxyFault::TooLarge(format!("headers of more than {HEADERS} bytes"))));
            }
            if self.header.len() <= BEGIN.len() && !BEGIN.starts_with(&self.header) {
                return (at + 1, self.foreign(bytes.get(at + 1..).unwrap_or_default()));
            }
            if self.header.ends_with(b"\r\n\r\n") || self.header.ends_with(b"\n\n") {
                let header = String::from_utf8_lossy(&std::mem::take(&mut self.header)).into_owned();
                match status(&header) {
                    // Informational answers come before the final one (RFC 9110 section 15.2).
                    Some(100..=199) => {}
                    Some(_) => return (at + 1, Step::Header(header)),
                    None => {
                        self.header = header.into_bytes();
                        return (at + 1, self.foreign(&[]));
                    }
                }
            }
        }
        (bytes.len(), Step::More)
    }

    /// As [`Reply::take`], with what the final answer says.
    pub fn outcome(&mut self, bytes: &[u8]) -> (usize, Option<Result<(), TlsOutcome>>) {
        let (taken, step) = self.take(bytes);
        let outcome = match step {
            Step::More => None,
            Step::Header(header) => Some(verdict(&header, None)),
            Step::Fault(fault) => Some(Err(TlsOutcome::Proxy(fault))),
        };
        (taken, outcome)
    }

    fn foreign(&self, rest: &[u8]) -> Step {
        let kept = self.header.iter().chain(rest).take(KEPT).copied().collect();
        Step::Fault(ProxyFault::NotThisProtocol(kept))
    }
}

/// The status code of an answer's first line.
fn status(header: &str) -> Option<u16> {
    let line = header.lines().next()?;
    let code = line.split(' ').nth(1)?;
    (code.len() == 3).then(|| code.parse().ok())?.filter(|c| (100..600).contains(c))
}

/// What an answer says. Where it tells why it got no connection, that is the endpoint's word; else it is the proxy's.
fn verdict(header: &str, credentials: Option<(&str, &str)>) -> Result<(), TlsOutcome> {
    let code = status(header).unwrap_or_default();
    let line = header.lines().next().and_then(|l| l.split_once(' ')).map_or("", |(_, rest)| rest.trim());
    let words = |text: &str| words(text, credentials);
    let says = || TlsOutcome::Unreachable(format!("the proxy says: {}", words(line)));
    Err(match code {
        200..=299 => return Ok(()),
        // RFC 9110 section 15.5.8; tinyproxy says 401 to a wrong password.
        401 | 407 => {
            let offers = fields(header, "proxy-authenticate").filter_map(|f| f.split_whitespace().next());
            let offers: Vec<&str> = offers.collect();
            TlsOutcome::Proxy(ProxyFault::Authentication(words(&format!("{line} ({})", offers.join(", ")))))
        }
        403 => TlsOutcome::Proxy(ProxyFault::NotAllowed(words(line))),
        _ => match cause(header) {
            Some(Cause::Refused) => TlsOutcome::Refused,
            Some(Cause::Silent) => TlsOutcome::Timeout(Stage::Connect),
            Some(Cause::Closed) => TlsOutcome::Closed(Stage::Connect),
            Some(Cause::Unreachable) => says(),
            Some(Cause::Prohibited) => TlsOutcome::Proxy(ProxyFault::NotAllowed(words(line))),
            None if code == 504 => TlsOutcome::Timeout(Stage::Connect),
            // tinyproxy's only word for an endpoint to which it gets no connection.
            None if line.eq_ignore_ascii_case("500 Unable to connect") => says(),
            None => TlsOutcome::Proxy(ProxyFault::Failed(words(line))),
        },
    })
}

/// Why a proxy got no connection.
enum Cause {
    Refused,
    Silent,
    Closed,
    Unreachable,
    Prohibited,
}

/// The errors of RFC 9209 section 2.3 that speak of the endpoint, and Squid's own header, which has the system's number.
fn cause(header: &str) -> Option<Cause> {
    let by_error = |word: &str| match word {
        "connection_refused" => Some(Cause::Refused),
        "connection_timeout" => Some(Cause::Silent),
        "connection_terminated" => Some(Cause::Closed),
        "destination_unavailable" | "destination_ip_unroutable" => Some(Cause::Unreachable),
        "destination_ip_prohibited" => Some(Cause::Prohibited),
        _ => None,
    };
    let errors = fields(header, "proxy-status").flat_map(|f| f.split([';', ',']));
    let named = errors.filter_map(|p| p.trim().strip_prefix("error=")).find_map(by_error);
    let squid = || match fields(header, "x-squid-error").find_map(|f| f.strip_prefix("ERR_CONNECT_FAIL"))?.trim() {
        // ECONNREFUSED and ETIMEDOUT of Linux, the BSDs and Solaris.
        "111" | "61" | "146" => Some(Cause::Refused),
        "110" | "60" | "145" => Some(Cause::Silent),
        _ => Some(Cause::Unreachable),
    };
    named.or_else(squid)
}

/// The values of a header field.
fn fields<'h>(header: &'h str, name: &'static str) -> impl Iterator<Item = &'h str> {
    let of = move |line: &'h str| line.split_once(':').filter(|(field, _)| field.eq_ignore_ascii_case(name));
    header.lines().skip(1).filter_map(of).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(header: &str) -> Result<(), TlsOutcome> {
        verdict(header, Some(("me", "secret")))
    }

    #[test]
    fn what_is_behind_the_header_is_left() {
        let mut reply = Reply::default();
        assert_eq!(reply.take(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200"), (37, Step::More));
        let (taken, step) = reply.take(b" OK\r\nVia: x\r\n\r\n220 mail ESMTP\r\n");
        assert_eq!((taken, step), (15, Step::Header("HTTP/1.0 200 OK\r\nVia: x\r\n\r\n".into())));
    }

    #[test]
    fn what_is_no_answer_is_kept_in_part() {
        let foreign = |bytes: &[u8]| Reply::default().take(bytes).1;
        assert_eq!(foreign(b"SSH-2.0-x"), Step::Fault(ProxyFault::NotThisProtocol(b"SSH-2.0-x".to_vec())));
        assert_eq!(foreign(b"HTTP/1.1\n\n"), Step::Fault(ProxyFault::NotThisProtocol(b"HTTP/1.1\n\n".to_vec())));
        assert!(matches!(foreign(&[b'a'; 99]), Step::Fault(ProxyFault::NotThisProtocol(kept)) if kept.len() == KEPT));
        let endless = [b"HTTP/1.1 200 OK\r\nA: ", &[b'a'; 2 * HEADERS][..]].concat();
        assert!(matches!(foreign(&endless), Step::Fault(ProxyFault::TooLarge(_))));
        let patience = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(HEADERS / 20);
        assert!(matches!(foreign(&patience), Step::Fault(ProxyFault::TooLarge(_))));
    }

    #[test]
    fn the_endpoints_word_is_told_from_the_proxys() {
        use ProxyFault as P;
        let proxy = |fault| Err(TlsOutcome::Proxy(fault));
        let squid =
            |n| said(&format!("HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL {n}\r\n\r\n"));
        let standard =
            |e| said(&format!("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: a.example; error={e}; x=1\r\n\r\n"));
        assert_eq!(said("HTTP/1.1 200 Connection established\r\nContent-Length: 9\r\n\r\n"), Ok(()));
        assert_eq!(squid(111), Err(TlsOutcome::Refused));
        assert_eq!(squid(110), Err(TlsOutcome::Timeout(Stage::Connect)));
        assert!(matches!(squid(113), Err(TlsOutcome::Unreachable(_))));
        assert_eq!(standard("connection_refused"), Err(TlsOutcome::Refused));
        assert_eq!(standard("connection_terminated"), Err(TlsOutcome::Closed(Stage::Connect)));
        assert_eq!(standard("destination_ip_prohibited"), proxy(P::NotAllowed("502 Bad Gateway".into())));
        assert_eq!(standard("dns_timeout"), proxy(P::Failed("502 Bad Gateway".into())));
        assert_eq!(said("HTTP/1.1 504 Gateway Timeout\r\n\r\n"), Err(TlsOutcome::Timeout(Stage::Connect)));
        let tiny = TlsOutcome::Unreachable("the proxy says: 500 Unable to connect".into());
        assert_eq!(said("HTTP/1.0 500 Unable to connect\r\n\r\n"), Err(tiny));
        assert_eq!(said("HTTP/1.0 403 Filtered\r\n\r\n"), proxy(P::NotAllowed("403 Filtered".into())));
        let wrong = "HTTP/1.0 401 Unauthorized\r\nProxy-Authenticate: Basic realm=\"tinyproxy\"\r\n\r\n";
        assert_eq!(said(wrong), proxy(P::Authentication("401 Unauthorized (Basic)".into())));
        let wants = "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
        assert_eq!(said(wants), proxy(P::Authentication("407 No (NTLM, Basic)".into())));
    }

    #[test]
    fn no_password_comes_back_in_words() {
        let echo = format!("HTTP/1.1 500 {} secret\r\n\r\n", basic("me", "secret"));
        assert_eq!(said(&echo), Err(TlsOutcome::Proxy(ProxyFault::Failed("500 *** ***".into()))));
        assert!(request("10.0.0.1:25", Some(("me", "secret"))).contains("Basic bWU6c2VjcmV0\r\n"));
        assert_eq!(*request("[::1]:25", None), "CONNECT [::1]:25 HTTP/1.1\r\nHost: [::1]:25\r\n\r\n");
    }
}
