//! A connection that keeps the first bytes received and bounds all of them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// First bytes that are kept.
const KEPT: usize = 64;

/// Bytes that are read of a server during its handshake. A chain has at most 64 KiB; framing, extensions and a stapled
/// response are small beside it.
pub const LIMIT: usize = 256 * 1024;

/// A TCP connection under TLS.
pub struct Wire {
    inner: TcpStream,
    first: Vec<u8>,
    received: usize,
}

impl Wire {
    /// Wraps a connection on which TLS begins now.
    pub fn new(inner: TcpStream) -> Self {
        Self { inner, first: Vec::new(), received: 0 }
    }

    /// The first bytes received.
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// True if the server sent more than is read of any server.
    pub fn is_too_much(&self) -> bool {
        self.received > LIMIT
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let new = buf.filled().get(before..).unwrap_or_default();
        let room = KEPT.saturating_sub(self.first.len()).min(new.len());
        self.received = self.received.saturating_add(new.len());
        self.first.extend_from_slice(new.get(..room).unwrap_or_default());
        match self.is_too_much() {
            true => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            false => polled,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
