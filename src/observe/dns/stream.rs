//! Questions over a stream, many at once on one connection: TCP (RFC 7766) and TLS (RFC 7858), each message behind its
//! length in two octets.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::wire::{Fit, Question};
use super::{Failure, Line};
use crate::observe::dial::{self, Fault};

/// Questions in flight on one connection; servers close on those who send more than they read.
const WINDOW: usize = 64;

/// A resolver asked over TCP or TLS.
pub struct Stream {
    line: Line,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    current: tokio::sync::Mutex<Option<Arc<Connection>>>,
    window: Semaphore,
}

struct Connection {
    outbox: mpsc::Sender<Vec<u8>>,
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Default)]
struct Shared {
    table: Mutex<Table>,
    /// Whether this connection has ever given an answer.
    answered: AtomicBool,
}

#[derive(Default)]
struct Table {
    /// Why nothing more comes, once the connection is over.
    over: Option<String>,
    waiting: HashMap<u16, Waiting>,
}

struct Waiting {
    question: Arc<Question>,
    answer: oneshot::Sender<Vec<u8>>,
}

/// A connection as TCP or TLS makes it.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Stream {
    /// A resolver; nothing is opened yet. With `tls`, the server has to prove the name given.
    pub fn new(line: Line, tls: Option<(Arc<ClientConfig>, ServerName<'static>)>) -> Self {
        Self { line, tls, current: tokio::sync::Mutex::default(), window: Semaphore::new(WINDOW) }
    }

    /// Asks and waits for the answer, without a limit of its own. A connection that closes after it has answered others is opened again: servers may
    /// close whenever they like (RFC 7766 section 6.2.3).
    pub async fn ask(&self, question: &Arc<Question>) -> Result<Vec<u8>, Failure> {
        let _place = self.window.acquire().await.map_err(|_| Failure::Timeout)?;
        loop {
            let connection = self.connection().await?;
            match connection.ask(question).await? {
                Ok(answer) => return Ok(answer),
                Err(_) if connection.shared.answered.load(Ordering::Relaxed) => {}
                Err(why) => return Err(Failure::Unreachable(why)),
            }
        }
    }

    async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(connection) if lock(&connection.shared).over.is_none() => Ok(connection.clone()),
            // Boxed: done once, and large, and every question would carry the room for it.
            _ => Ok(current.insert(Arc::new(Box::pin(self.open()).await?)).clone()),
        }
    }

    async fn open(&self) -> Result<Connection, Failure> {
        let tcp = self.line.connect().await.map_err(|e| Failure::of(&e))?;
        let io: Box<dyn Duplex> = match &self.tls {
            None => Box::new(tcp),
            Some((config, name)) => {
                let tls = TlsConnector::from(config.clone()).connect(name.clone(), tcp).await;
                Box::new(tls.map_err(|e| Failure::of(&e))?)
            }
        };
        let (reader, writer) = tokio::io::split(io);
        let (outbox, letters) = mpsc::channel(WINDOW);
        let shared = Arc::new(Shared::default());
        let tasks = [tokio::spawn(write(writer, letters, shared.clone())), tokio::spawn(read(reader, shared.clone()))];
        Ok(Connection { outbox, shared, tasks })
    }
}

impl Connection {
    /// The answer, or why the connection was over before it came.
    async fn ask(&self, question: &Arc<Question>) -> Result<Result<Vec<u8>, String>, Failure> {
        let (answer, receiver) = oneshot::channel();
        let id = match self.enter(question, answer)? {
            Ok(id) => id,
            Err(why) => return Ok(Err(why)),
        };
        let _entry = Entry { shared: &self.shared, id };
        let message = question.with_id(id);
        let mut letter = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
        letter.extend(message);
        // A failure to send is seen by the reader too, which ends what waits.
        let _ = self.outbox.send(letter).await;
        match receiver.await {
            Ok(answer) => Ok(Ok(answer)),
            Err(_) => Ok(Err(lock(&self.shared).over.clone().unwrap_or_default())),
        }
    }

    fn enter(
        &self,
        question: &Arc<Question>,
        answer: oneshot::Sender<Vec<u8>>,
    ) -> Result<Result<u16, String>, Failure> {
        let mut table = lock(&self.shared);
        if let Some(why) = &table.over {
            return Ok(Err(why.clone()));
        }
        let mut id = super::random_id()?;
        while table.waiting.contains_key(&id) {
            id = super::random_id()?;
        }
        table.waiting.insert(id, Waiting { question: question.clone(), answer });
        Ok(Ok(id))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// An entry in the table of ids, taken out again whatever becomes of the question.
struct Entry<'a> {
    shared: &'a Shared,
    id: u16,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        lock(self.shared).waiting.remove(&self.id);
    }
}

async fn write(mut io: WriteHalf<Box<dyn Duplex>>, mut letters: mpsc::Receiver<Vec<u8>>, shared: Arc<Shared>) {
    while let Some(letter) = letters.recv().await {
        let sent = async {
            io.write_all(&letter).await?;
            io.flush().await
        };
        if let Err(e) = sent.await {
            drop(shared.close(&e));
            return;
        }
    }
}

async fn read(mut io: ReadHalf<Box<dyn Duplex>>, shared: Arc<Shared>) {
    loop {
        match message(&mut io).await {
            Ok(message) => shared.deliver(message),
            Err(e) => return shared.end(&e),
        }
    }
}

async fn message(io: &mut ReadHalf<Box<dyn Duplex>>) -> io::Result<Vec<u8>> {
    let length = io.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    io.read_exact(&mut message).await?;
    Ok(message)
}

impl Shared {
    fn deliver(&self, message: Vec<u8>) {
        let &[high, low, ..] = message.as_slice() else { return };
        let id = u16::from_be_bytes([high, low]);
        let mut table = lock(self);
        if table.waiting.get(&id).is_some_and(|w| w.question.fit(&message) == Fit::Answer)
            && let Some(found) = table.waiting.remove(&id)
        {
            self.answered.store(true, Ordering::Relaxed);
            let _ = found.answer.send(message);
        }
    }

    /// Says why nothing more can be asked; what the server sent before is still read.
    fn close(&self, error: &io::Error) -> MutexGuard<'_, Table> {
        let mut table = lock(self);
        // A server that leaves is seen as an end, a reset or a broken pipe, as it happens.
        let why = match dial::fault(error) {
            Fault::Closed => "closed without an answer".to_string(),
            _ => error.to_string(),
        };
        table.over.get_or_insert(why);
        table
    }

    /// Says why the connection is over; those who wait see their senders dropped.
    fn end(&self, error: &io::Error) {
        self.close(error).waiting.clear();
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Table> {
    shared.table.lock().unwrap_or_else(PoisonError::into_inner)
}
