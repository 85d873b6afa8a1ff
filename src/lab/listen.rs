//! A listener of the lab: so many connections at once, each with a limited life.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The longest life of a connection.
const LIFE: Duration = Duration::from_secs(60);
/// Connections to one listener at once.
const MAX_CONNECTIONS: usize = 256;

/// Takes connections until it is aborted.
pub(super) async fn serve<F>(listener: TcpListener, answer: impl Fn(TcpStream) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors, say: the next client may have more luck.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let answered = answer(stream);
        connections.spawn(async move {
            let _ = tokio::time::timeout(LIFE, answered).await;
            drop(permit);
        });
    }
}
