//! A proxy that takes down what passes, until TLS begins or somebody takes leave.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Who said something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    Client,
    Server,
}

/// What was said, in its order; closed when nothing more belongs to it.
#[derive(Default)]
struct Said {
    parts: Vec<(Who, Vec<u8>)>,
    closed: bool,
}

/// A proxy in front of a server, for one connection.
pub struct Tee {
    /// Where it listens.
    pub at: SocketAddr,
    said: Arc<Mutex<Said>>,
}

impl Tee {
    /// In front of a server.
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let said = Arc::<Mutex<Said>>::default();
        let taken = said.clone();
        thread::spawn(move || {
            let (client, _) = listener.accept().expect("a client");
            let server = TcpStream::connect(server).expect("a server");
            let copy = |stream: &TcpStream| stream.try_clone().expect("a handle");
            let (from, to, too) = (copy(&client), copy(&server), taken.clone());
            thread::spawn(move || {
                hand_on(Who::Client, from, to, &too);
                too.lock().expect("no panic").closed = true;
            });
            hand_on(Who::Server, server, client, &taken);
        });
        Self { at, said }
    }

    /// What was said before TLS, each side's words together until the other speaks.
    pub fn said(&self) -> Vec<(Who, Vec<u8>)> {
        self.said.lock().expect("no panic").parts.clone()
    }
}

/// Hands on what comes, and takes it down before.
fn hand_on(who: Who, mut from: TcpStream, mut to: TcpStream, said: &Mutex<Said>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        said.lock().expect("no panic").take(who, &buffer[..n]);
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

impl Said {
    fn take(&mut self, who: Who, bytes: &[u8]) {
        self.closed |= who == Who::Client && (bytes.starts_with(&[22, 3]) || bytes == b"QUIT\r\n");
        match self.parts.last_mut() {
            _ if self.closed => {}
            Some((last, all)) if *last == who => all.extend(bytes),
            _ => self.parts.push((who, bytes.to_vec())),
        }
    }
}
