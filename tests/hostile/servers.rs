//! TCP servers that do one thing to everybody who comes.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What one server or proxy may get rid of before its client has had enough: the limit, and what the system takes off its
/// hands.
pub const BUFFERS: usize = 16 << 20;

/// How much a server could write before its client left, and what it read.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// Adds.
    pub fn add(&self, count: usize) {
        self.0.fetch_add(count, Ordering::SeqCst);
    }

    /// All so far.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Listens, and plays the same to each connection.
pub async fn tcp<F>(play: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, play));
    address
}

/// As [`tcp`], on a listener that stands already.
pub async fn serve<F>(listener: TcpListener, play: impl Fn(TcpStream) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        tokio::spawn(play(stream));
    }
}

/// Waits until the client has gone; how much it said meanwhile.
pub async fn leave(stream: &mut (impl AsyncRead + Unpin)) -> usize {
    let (mut buffer, mut said) = ([0; 4096], 0);
    while let Ok(n) = stream.read(&mut buffer).await {
        match n {
            0 => break,
            n => said += n,
        }
    }
    said
}

/// Says something at once, or after the client's first word, and no more.
pub async fn says(bytes: Vec<u8>, first: bool) -> SocketAddr {
    tcp(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            if !first {
                let _ = stream.read(&mut [0; 4096]).await;
            }
            let _ = stream.write_all(&bytes).await;
            leave(&mut stream).await;
        }
    })
    .await
}

/// Says something, then the same again without end, until nobody listens.
pub async fn floods(stream: &mut (impl AsyncWrite + Unpin), begin: &[u8], again: &[u8], counter: &Counter) {
    let many = again.repeat(4096 / again.len() + 1);
    if stream.write_all(begin).await.is_err() {
        return;
    }
    while let Ok(n) = stream.write(&many).await {
        counter.add(n);
    }
}

/// Says one byte a second.
pub async fn drips(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    for byte in bytes {
        let written = async {
            stream.write_all(&[*byte]).await?;
            stream.flush().await
        };
        if written.await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
