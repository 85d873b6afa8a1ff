//! The handshake on a connection, with the goodbye in the same write as its last message.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::client::ClientConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::Wire;

/// Shakes hands and says goodbye, so that servers log no broken connection.
pub async fn shake_hands(tls: &mut ClientConnection, wire: &mut Wire) -> io::Result<()> {
    poll_fn(|cx| turn(tls, &mut Blocking { wire: &mut *wire, cx })).await
}

fn turn(tls: &mut ClientConnection, wire: &mut Blocking<'_, '_>) -> Poll<io::Result<()>> {
    loop {
        while tls.wants_write() {
            match tls.write_tls(wire) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        match tls.read_tls(wire) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(e) => return Poll::Ready(Err(e)),
        }
        if let Err(e) = tls.process_new_packets() {
            // The alert that says why: as far as it goes.
            let _ = tls.write_tls(wire);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, e)));
        }
        if !tls.is_handshaking() {
            return Poll::Ready(part(tls, wire));
        }
    }
}

/// The facts are known: what the system does not take at once is not waited for, and whether the goodbye arrives does not
/// matter. Our last message does: a server that hung up before it did not complete the handshake.
fn part(tls: &mut ClientConnection, wire: &mut Blocking<'_, '_>) -> io::Result<()> {
    let owes = tls.wants_write();
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
