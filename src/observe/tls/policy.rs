//! The page of a web site as far as it is small: its head, and what comes after it, read to its end.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::http::{self, Parsed};
use crate::model::http::{HttpHead, HttpOutcome};
use crate::model::mta_sts::POLICY;

/// Octets of head and body together that are read of any server; chunks have heads of their own.
const WHOLE: usize = 2 * POLICY;

/// Reads an answer to its end; the server was told to close the connection behind it. A body that is cut off is none.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> HttpOutcome {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        // A connection that breaks off is told from one that ends by the length that the head or the chunks say.
        let read = stream.read(&mut piece).await.unwrap_or(0);
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        match whole(&bytes, read == 0) {
            Some(outcome) => return outcome,
            None if read == 0 => return HttpOutcome::Closed,
            None if bytes.len() > WHOLE => return HttpOutcome::TooLarge,
            None => {}
        }
    }
}

/// The answer, once it is whole: as its head says, or with the end of the connection.
pub(in crate::observe) fn whole(bytes: &[u8], at_end: bool) -> Option<HttpOutcome> {
    let (head, length) = match http::parse(bytes) {
        Parsed::Done(HttpOutcome::Head(head), length) => (head, length),
        Parsed::Done(other, _) => return Some(other),
        Parsed::More if bytes.len() > http::HEAD => return Some(HttpOutcome::TooLarge),
        Parsed::More => return None,
    };
    let rest = bytes.get(length..).unwrap_or_default();
    let body = match http::field(bytes, "transfer-encoding") {
        Some(coding) if coding.to_ascii_lowercase().contains("chunked") => chunks(rest)?,
        _ => match http::field(bytes, "content-length").and_then(|n| n.trim().parse::<usize>().ok()) {
            Some(length) if length > POLICY => return Some(HttpOutcome::TooLarge),
            Some(length) => rest.get(..length)?.to_vec(),
            None if at_end => rest.to_vec(),
            None => return None,
        },
    };
    if body.len() > POLICY {
        return Some(HttpOutcome::TooLarge);
    }
    Some(HttpOutcome::Head(HttpHead { body: Some(String::from_utf8_lossy(&body).into()), ..head }))
}

/// RFC 9112 section 7.1; `None` if the last one has not come, or what comes is none.
fn chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((head, size))) = httparse::parse_chunk_size(rest) else { return None };
        let size = usize::try_from(size).ok().filter(|size| *size <= WHOLE)?;
        if size == 0 {
            return Some(out);
        }
        out.extend_from_slice(rest.get(head..head.checked_add(size)?)?);
        rest = rest.get(head + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(bytes: &[u8]) -> Result<String, HttpOutcome> {
        match read(&mut &*bytes).await {
            HttpOutcome::Head(head) => Ok(head.body.map(String::from).unwrap_or_default()),
            other => Err(other),
        }
    }

    #[tokio::test]
    async fn a_body_ends_as_the_head_says() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more",
            "HTTP/1.1 200 OK\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        ] {
            assert_eq!(body(answer.as_bytes()).await.as_deref(), Ok("hello"), "{answer}");
        }
        assert_eq!(body(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.as_deref(), Ok(""));
    }

    #[tokio::test]
    async fn a_hostile_body_is_bounded_and_none() {
        for cut in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx",
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"",
        ] {
            assert_eq!(body(cut).await, Err(HttpOutcome::Closed), "{}", String::from_utf8_lossy(cut));
        }
        let large = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; POLICY + 1]].concat();
        assert_eq!(body(&large).await, Err(HttpOutcome::TooLarge));
        let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 4 * WHOLE]].concat();
        assert_eq!(body(&endless).await, Err(HttpOutcome::TooLarge));
        let head = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; 2 * http::HEAD]].concat();
        assert_eq!(body(&head).await, Err(HttpOutcome::TooLarge));
        let said = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", u64::MAX);
        assert_eq!(body(said.as_bytes()).await, Err(HttpOutcome::TooLarge));
        assert!(matches!(body(b"220 mail ESMTP\r\n").await, Err(HttpOutcome::NotHttp(_))));
        let mut flipped = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n".to_vec();
        for at in 0..flipped.len() {
            flipped[at] ^= 0xff;
            let _ = body(&flipped).await;
            flipped[at] ^= 0xff;
        }
    }
}
