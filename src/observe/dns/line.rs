//! How a resolver is reached that is asked over streams: from here, or through the proxy of its view.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::observe::dial;
use crate::observe::proxy::Route;

/// How long a proxy may take. Every question has a limit of its own, which is nearer: this one ends what nobody waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way to a resolver.
#[derive(Clone)]
pub struct Line {
    /// Where it is dialled.
    pub peer: SocketAddr,
    /// Through whom; `None` is from here.
    pub route: Option<Arc<Route>>,
}

impl Line {
    /// A connection.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        match &self.route {
            None => dial::connect(self.peer).await,
            Some(route) => {
                let led = route.lead(self.peer, Instant::now() + PATIENCE).await;
                led.map_err(|outcome| io::Error::other(format!("through its proxy: {outcome}")))
            }
        }
    }
}
