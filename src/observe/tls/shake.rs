//! The handshake on a connection, with the goodbye in the same write as its last message.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ProtocolVersion;
use rustls::client::ClientConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

use super::capture::Capture;
use super::wire::Wire;

/// How long the word of a server is waited for that was shown a client certificate, or told that there is none.
const REACTION: Duration = Duration::from_secs(1);

/// Shakes hands and says goodbye, in the words of the protocol within and in those of TLS, so that servers log no broken
/// connection. With TLS 1.3 a server speaks of a client certificate only after the handshake (RFC 8446 section 4.4.2.4): if it
/// asked for one, its next word is waited for.
pub async fn shake_hands(
    tls: &mut ClientConnection,
    wire: &mut Wire,
    capture: &Capture,
    farewell: &[u8],
) -> io::Result<()> {
    let met = poll_fn(|cx| turn(tls, &mut Blocking { wire: &mut *wire, cx }, capture, farewell)).await?;
    if met == Met::Asked {
        let listened = poll_fn(|cx| listen(tls, &mut Blocking { wire: &mut *wire, cx }));
        if let Ok(word) = timeout(REACTION, listened).await {
            word?;
        }
        return poll_fn(|cx| Poll::Ready(part(tls, &mut Blocking { wire: &mut *wire, cx }, farewell))).await;
    }
    Ok(())
}

/// How a handshake is left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Met {
    /// With a goodbye.
    Parted,
    /// The server's word about the client certificate is yet to come.
    Asked,
}

fn turn(
    tls: &mut ClientConnection,
    wire: &mut Blocking<'_, '_>,
    capture: &Capture,
    farewell: &[u8],
) -> Poll<io::Result<Met>> {
    loop {
        // It may be complete already: who waited may have been interrupted.
        if !tls.is_handshaking() {
            let is_later = tls.protocol_version() == Some(ProtocolVersion::TLSv1_3) && capture.is_asked();
            return match is_later {
                false => Poll::Ready(part(tls, wire, farewell).map(|()| Met::Parted)),
                true => write(tls, wire).unwrap_or(Poll::Ready(Ok(Met::Asked))),
            };
        }
        if let Some(stop) = write(tls, wire) {
            return stop;
        }
        if let Some(stop) = read(tls, wire) {
            return stop;
        }
    }
}

/// Sends the rest of the handshake, and takes the server's next word: a ticket, say, or an alert.
fn listen(tls: &mut ClientConnection, wire: &mut Blocking<'_, '_>) -> Poll<io::Result<()>> {
    if let Some(stop) = write(tls, wire) {
        return stop;
    }
    read(tls, wire).unwrap_or(Poll::Ready(Ok(())))
}

/// Writes what there is; says so if it has to wait, or cannot.
fn write<T>(tls: &mut ClientConnection, wire: &mut Blocking<'_, '_>) -> Option<Poll<io::Result<T>>> {
    while tls.wants_write() {
        match tls.write_tls(wire) {
            Ok(0) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Some(Poll::Pending),
            Err(e) => return Some(Poll::Ready(Err(e))),
        }
    }
    None
}

/// Reads once; says so if it has to wait, or cannot.
fn read<T>(tls: &mut ClientConnection, wire: &mut Blocking<'_, '_>) -> Option<Poll<io::Result<T>>> {
    match tls.read_tls(wire) {
        Ok(0) => return Some(Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()))),
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Some(Poll::Pending),
        Err(e) => return Some(Poll::Ready(Err(e))),
    }
    if let Err(e) = tls.process_new_packets() {
        // The alert that says why: as far as it goes.
        let _ = tls.write_tls(wire);
        return Some(Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, e))));
    }
    None
}

/// The facts are known: what the system does not take at once is not waited for, and whether the goodbye arrives does not
/// matter. Our last message does: a server that hung up before it did not complete the handshake.
fn part(tls: &mut ClientConnection, wire: &mut Blocking<'_, '_>, farewell: &[u8]) -> io::Result<()> {
    let owes = tls.wants_write();
    // It is kept by the library, which has room for so much.
    let _ = tls.writer().write_all(farewell);
    tls.send_close_notify();
    while tls.wants_write() {
        match tls.write_tls(wire) {
            Ok(n) if n > 0 => {}
            Err(e) if owes && e.kind() != io::ErrorKind::WouldBlock => return Err(e),
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// A connection as the library wants it: what would wait is an error, and wakes the task later.
struct Blocking<'a, 'b> {
    wire: &'a mut Wire,
    cx: &'a mut Context<'b>,
}

fn now<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Read for Blocking<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        now(Pin::new(&mut *self.wire).poll_read(self.cx, &mut buffer))?;
        Ok(buffer.filled().len())
    }
}

impl Write for Blocking<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.wire).poll_write(self.cx, bytes))
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        now(Pin::new(&mut *self.wire).poll_write_vectored(self.cx, pieces))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
