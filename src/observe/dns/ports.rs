//! The sockets of one resolver that is asked over UDP, each on a port of its own.
//!
//! A connected socket is told when the port is closed, and takes datagrams from its peer only.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{Interest, ReadBuf, Ready};
use tokio::net::UdpSocket;

use super::Failure;
use super::random::Random;

/// Sockets of one resolver, so that an answer has to guess the port too (RFC 5452 section 9.2).
pub const SOCKETS: usize = 4;

/// A socket and an id.
pub type Key = (usize, u16);

/// How a socket is opened.
type Open = Box<dyn FnMut(SocketAddr) -> io::Result<UdpSocket> + Send>;

/// The sockets of one resolver; those that are closed are opened when they are wanted.
pub struct Ports {
    peer: SocketAddr,
    open: Open,
    ports: [Option<Port>; SOCKETS],
    random: Random,
}

/// An open socket.
struct Port {
    io: Arc<UdpSocket>,
    /// Those who wait for datagrams are not woken by an ICMP error: it does not make a socket readable.
    error: BoxFuture<'static, io::Result<Ready>>,
}

impl Ports {
    /// Those to a peer; nothing is opened yet.
    pub fn new(peer: SocketAddr) -> Self {
        Self::opened_by(peer, Box::new(open))
    }

    fn opened_by(peer: SocketAddr, open: Open) -> Self {
        Self { peer, open, ports: Default::default(), random: Random::default() }
    }

    /// A random socket, opened if it is not, and a random id that is not in use on it.
    pub fn free(&mut self, cx: &mut Context<'_>, is_used: impl Fn(&Key) -> bool) -> Result<Key, Failure> {
        loop {
            let random = self.random.next()?;
            let socket = self.opened(cx, (random >> 16) as usize % SOCKETS).map_err(|e| failure(&e))?;
            let key = (socket, (random & 0xffff) as u16);
            if !is_used(&key) {
                return Ok(key);
            }
        }
    }

    /// A socket, or one that is open where no other can be opened.
    fn opened(&mut self, cx: &mut Context<'_>, socket: usize) -> io::Result<usize> {
        let Some(place @ None) = self.ports.get_mut(socket) else { return Ok(socket) };
        match (self.open)(self.peer) {
            Ok(io) => {
                place.insert(Port::new(io)).watch(cx);
                Ok(socket)
            }
            Err(e) => self.ports.iter().position(Option::is_some).ok_or(e),
        }
    }

    /// Sends a datagram.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, socket: usize, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.ports.get(socket) {
            Some(Some(port)) => port.io.poll_send(cx, bytes),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Receives a datagram, or what the system has to say of those that were sent.
    pub fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        socket: usize,
        datagram: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.ports.get_mut(socket) {
            Some(Some(port)) => port.poll_receive(cx, datagram),
            _ => Poll::Pending,
        }
    }

    /// Closes a socket; it is opened again, on another port, when it is wanted.
    pub fn close(&mut self, socket: usize) {
        if let Some(place) = self.ports.get_mut(socket) {
            *place = None;
        }
    }
}

impl Port {
    fn new(io: UdpSocket) -> Self {
        let io = Arc::new(io);
        Self { error: wait_for_error(io.clone()), io }
    }

    /// Sees to it that whoever asks is woken by whatever comes from now on.
    fn watch(&mut self, cx: &mut Context<'_>) {
        if self.io.poll_recv_ready(cx).is_ready() || self.error.poll_unpin(cx).is_ready() {
            self.error = wait_for_error(self.io.clone());
            cx.waker().wake_by_ref();
        }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, datagram: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let received = self.io.poll_recv(cx, datagram);
        if received.is_ready() {
            return received;
        }
        while self.error.poll_unpin(cx).is_ready() {
            self.error = wait_for_error(self.io.clone());
            if let Some(error) = self.io.take_error()? {
                return Poll::Ready(Err(error));
            }
            // A datagram that was sent took it.
            let none = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.io.try_io(Interest::ERROR, none);
        }
        Poll::Pending
    }
}

fn wait_for_error(io: Arc<UdpSocket>) -> BoxFuture<'static, io::Result<Ready>> {
    async move { io.ready(Interest::ERROR).await }.boxed()
}

fn open(peer: SocketAddr) -> io::Result<UdpSocket> {
    let local: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let io = std::net::UdpSocket::bind(local)?;
    io.connect(peer)?;
    io.set_nonblocking(true)?;
    UdpSocket::from_std(io)
}

/// Windows calls a closed port a reset (WSAECONNRESET).
pub fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionReset => Failure::of(&io::ErrorKind::ConnectionRefused.into()),
        _ => Failure::of(error),
    }
}

#[cfg(test)]
impl Ports {
    /// Those of which only some can be opened, by how many times it was tried before.
    pub fn limited(peer: SocketAddr, may: fn(usize) -> bool) -> Self {
        let too_many = if cfg!(windows) { 10024 } else { 24 };
        let mut tried = 0;
        let limited = move |peer| {
            tried += 1;
            if may(tried - 1) { open(peer) } else { Err(io::Error::from_raw_os_error(too_many)) }
        };
        Self::opened_by(peer, Box::new(limited))
    }
}
