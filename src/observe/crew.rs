//! Connections that wait, run and are done: those who make them take the next one themselves, and hand in what they saw
//! in batches, so that nobody has to be woken for each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::hosts::{Hosts, Turn};
use super::jobs::{Bearer, Job, Start, connection};
use super::lanes::Lanes;
use super::proxy::Silences;
use super::tls::{Handshakes, Look};

/// Looks that are collected before they are handed in.
const BATCH: usize = 32;

/// Looks that nobody fetched, after which no more connections are made.
const FULL: usize = 8 * BATCH;

/// The longest that a look waits to be handed in, while others go on.
pub const PATIENCE: Duration = Duration::from_millis(20);

/// A connection that was made.
pub struct Done {
    /// Which.
    pub job: Job,
    /// What it showed.
    pub look: Look,
}

/// Those who make connections.
pub struct Crew {
    shared: Arc<Shared>,
    most: usize,
    workers: JoinSet<()>,
}

struct Shared {
    handshakes: Result<Handshakes, rustls::Error>,
    timeout: Duration,
    state: Mutex<State>,
    news: Notify,
}

struct State {
    waiting: Lanes<Bearer, Job>,
    hosts: Hosts,
    proxies: Silences,
    workers: usize,
    done: Vec<Done>,
}

impl Crew {
    /// Nobody yet, and at most so many at once; `timeout` limits a try where the plan does not.
    pub fn new(most: usize, timeout: Duration) -> Self {
        let state = State {
            waiting: Lanes::new(),
            hosts: Hosts::default(),
            proxies: Silences::default(),
            workers: 0,
            done: Vec::new(),
        };
        let shared = Shared { handshakes: Handshakes::new(), timeout, state: Mutex::new(state), news: Notify::new() };
        Self { shared: Arc::new(shared), most: most.max(1), workers: JoinSet::new() }
    }

    /// Queues a connection.
    pub fn push(&self, job: Job) {
        self.shared.lock().push(job);
    }

    /// Sets those to work for whom there is work.
    pub fn fill(&mut self) {
        let mut state = self.shared.lock();
        while let Some(ended) = self.workers.try_join_next() {
            // A fault of ours outside of any look: who waits for this one would wait for ever.
            state.workers -= usize::from(ended.is_err());
        }
        while state.workers < self.most
            && state.done.len() < FULL
            && let Some(job) = state.next()
        {
            state.workers += 1;
            self.workers.spawn(work(self.shared.clone(), Box::new(job)));
        }
        // Those whose outcome was known before.
        if state.workers == 0 && !state.done.is_empty() {
            self.shared.news.notify_one();
        }
    }

    /// Takes what is done.
    pub fn take(&self) -> Vec<Done> {
        std::mem::take(&mut self.shared.lock().done)
    }

    /// True if nobody works and nothing waits to be taken.
    pub fn is_idle(&self) -> bool {
        let state = self.shared.lock();
        state.workers == 0 && state.done.is_empty()
    }

    /// Waits until there is something worth taking.
    pub async fn news(&self) {
        let _ = tokio::time::timeout(PATIENCE, self.shared.news.notified()).await;
    }
}

/// Jobs are boxed, or every future on the way would carry the room for them.
async fn work(shared: Arc<Shared>, mut job: Box<Job>) {
    loop {
        let look = connection(&mut job, &shared.handshakes, shared.timeout).await;
        let (more, is_news) = shared.lock().hand_in(*job, look);
        if is_news {
            shared.news.notify_one();
        }
        match more {
            Some(more) => *job = more,
            None => return,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, job: Job) {
        self.waiting.push(&job.bearer(), job.cap(), job);
    }

    /// The next connection to make. Those whose outcome is known before are done without.
    fn next(&mut self) -> Option<Job> {
        loop {
            let (host, mut job) = self.waiting.next()?;
            let foregone = match &job.route {
                Some(route) => self.proxies.foregone(&route.run),
                None => self.hosts.foregone(job.to),
            };
            match foregone {
                None => {
                    let others = self.waiting.running(&host).saturating_sub(1);
                    job.start = Start { epoch: self.hosts.epoch(job.to), others };
                    return Some(job);
                }
                Some(outcome) => {
                    self.waiting.done(&host);
                    self.done.push(Done { job, look: (outcome, Vec::new()) });
                }
            }
        }
    }

    /// Takes a look; gives the next connection to make, if any, and whether there is something to be fetched.
    fn hand_in(&mut self, mut job: Job, look: Look) -> (Option<Job>, bool) {
        let host = job.bearer();
        let others = self.waiting.running(&host).saturating_sub(1);
        job.start.others = job.start.others.max(others);
        let turn = match &job.route {
            // What an endpoint does to a crowd is not known where all come from the proxy.
            Some(route) => {
                self.proxies.take(&route.run, &look.0);
                Turn::Same
            }
            // Who hangs up on what it does not have is no crowded host.
            None if job.is_beside => Turn::Same,
            None => self.hosts.take(job.to, &look.0, job.start, job.again),
        };
        self.waiting.done(&host);
        match turn {
            Turn::Crowded { narrow: true } if job.ask.samples > 1 => {
                self.waiting.narrow(&host);
                self.done.push(Done { job, look });
            }
            // Behind a balancer it may be one member that refuses: to ask again would hide it behind another.
            Turn::Crowded { .. } if job.ask.samples > 1 => self.done.push(Done { job, look }),
            Turn::Crowded { narrow } => {
                if narrow {
                    self.waiting.narrow(&host);
                }
                job.again += 1;
                job.attempt += 1;
                self.push(job);
            }
            turn => {
                match turn {
                    Turn::Through => self.waiting.widen(&host),
                    Turn::Alone => self.waiting.restore(&host),
                    _ => {}
                }
                self.done.push(Done { job, look });
            }
        }
        let next = if self.done.len() < FULL { self.next() } else { None };
        self.workers -= usize::from(next.is_none());
        (next, self.workers == 0 || self.done.len() >= BATCH)
    }
}
