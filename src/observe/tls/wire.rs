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

    /// The connection itself.
    pub fn into_inner(self) -> TcpStream {
        self.inner
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
        if self.is_too_much() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let new = buf.filled().get(before..).unwrap_or_default();
        let room = KEPT.saturating_sub(self.first.len()).min(new.len());
        self.received = self.received.saturating_add(new.len());
        self.first.extend_from_slice(new.get(..room).unwrap_or_default());
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::observe::testbed;

    #[tokio::test]
    async fn what_is_received_is_kept_in_part_and_bounded_as_a_whole() {
        let peer = testbed::tcp(|_, mut stream| async move {
            let _ = stream.write_all(&vec![7; 4 * LIMIT]).await;
        })
        .await;
        let mut wire = Wire::new(TcpStream::connect(peer).await.unwrap());
        let mut total = 0;
        let error = loop {
            match wire.read(&mut [0; 4096]).await {
                Ok(length) => total += length,
                Err(e) => break e,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(wire.is_too_much() && total <= LIMIT + 4096, "{total}");
        assert_eq!(wire.first(), [7; KEPT]);
    }
}
