//! What runs when: questions, connections and files at once, within the bounds.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::dns::{Resolver, Silence, Turn};
use super::endpoints::Endpoints;
use super::jobs::{Done, connection, question};
use super::lanes::Lanes;
use super::templates::Templates;
use super::tls::{Handshakes, Look};
use super::{Options, Seen, file};
use crate::model::certificate::BlobId;
use crate::model::dns::{DnsOutcome, ResolverAddr};
use crate::model::observation::{Observation, Outcome, Probe};
use crate::model::probes::{Probes, TlsAsk};

/// Questions to a resolver at once until it has answered one: a silent one shall not fill all places.
const UNPROVEN: usize = 16;

/// A sink as [`super::observe`] is given it.
type Sink<'a> = &'a mut (dyn FnMut(Seen) + Send);

/// A run.
pub struct Schedule<'a> {
    probes: &'a Probes,
    options: &'a Options<'a>,
    handshakes: Arc<Result<Handshakes, rustls::Error>>,
    resolvers: Vec<Asked>,
    questions: Lanes<usize, usize>,
    connections: Lanes<IpAddr, (usize, u32)>,
    endpoints: Endpoints,
    templates: Templates<'a>,
    running: JoinSet<Done>,
    blobs: HashSet<BlobId>,
    questions_first: bool,
}

/// A resolver of a view.
struct Asked {
    resolver: Arc<Resolver>,
    peer: SocketAddr,
    silence: Silence,
    left: bool,
}

impl<'a> Schedule<'a> {
    /// A run that has not begun.
    pub fn new(probes: &'a Probes, options: &'a Options<'a>) -> Self {
        let mut schedule = Self {
            probes,
            options,
            handshakes: Arc::new(Handshakes::new()),
            resolvers: Vec::new(),
            questions: Lanes::new(),
            connections: Lanes::new(),
            endpoints: Endpoints::default(),
            templates: Templates::new(probes),
            running: JoinSet::new(),
            blobs: HashSet::new(),
            questions_first: false,
        };
        schedule.queue_questions();
        probes.tls.iter().for_each(|ask| schedule.queue_connections(ask));
        schedule
    }

    /// Runs to the end. Files are read between, while the network is waited for.
    pub async fn run(mut self, sink: Sink<'_>) {
        let mut files = self.probes.files.iter();
        loop {
            self.fill();
            let done = match files.next() {
                Some(path) => {
                    self.look_into_file(path, sink);
                    tokio::task::yield_now().await;
                    self.running.try_join_next()
                }
                None => match self.running.join_next().await {
                    None => return,
                    done => done,
                },
            };
            if let Some(Ok(done)) = done {
                self.take(done, sink);
            }
            while let Some(Ok(done)) = self.running.try_join_next() {
                self.take(done, sink);
            }
        }
    }

    fn queue_questions(&mut self) {
        let mut lanes: HashMap<(&Arc<str>, &ResolverAddr), usize> = HashMap::new();
        for (index, ask) in self.probes.dns.iter().enumerate() {
            let (view, addr) = (&ask.probe.view, &ask.probe.resolver);
            let lane = *lanes.entry((view, addr)).or_insert_with(|| {
                let anchors = self.options.anchors.get(view).map(Vec::as_slice).unwrap_or_default();
                self.resolvers.push(Asked::new(addr, self.options.dial.resolve(addr.addr, None), anchors));
                self.resolvers.len() - 1
            });
            self.questions.push(&lane, UNPROVEN, index);
        }
    }

    /// Queues the looks at an endpoint that nobody asked for before: one handshake per address, way, SNI and sample.
    fn queue_connections(&mut self, ask: &TlsAsk) {
        let (endpoint, samples) = self.endpoints.add(ask);
        let cap = usize::try_from(ask.manners.per_host).unwrap_or(usize::MAX);
        for sample in samples {
            self.connections.push(&ask.probe.address.ip(), cap, (endpoint, sample));
        }
    }

    /// Starts jobs while there are places. Questions and connections take turns, so that neither waits for the other.
    fn fill(&mut self) {
        while self.running.len() < self.options.concurrency.max(1) {
            self.questions_first = !self.questions_first;
            let started = match self.questions_first {
                true => self.start_question() || self.start_connection(),
                false => self.start_connection() || self.start_question(),
            };
            if !started {
                return;
            }
        }
    }

    fn start_question(&mut self) -> bool {
        let Some((lane, index)) = self.questions.next() else { return false };
        let (Some(asked), Some(ask)) = (self.resolvers.get(lane), self.probes.dns.get(index)) else { return false };
        let limit = limit(ask.timeout_ms, self.options.timeout);
        self.running.spawn(question(lane, index, asked.resolver.clone(), ask.clone(), limit));
        true
    }

    fn start_connection(&mut self) -> bool {
        let Some((_, (endpoint, sample))) = self.connections.next() else { return false };
        let Some(ask) = self.endpoints.asks.get(endpoint).cloned() else { return false };
        let limit = limit(ask.manners.timeout_ms, self.options.timeout);
        let to = self.options.dial.resolve(ask.probe.address, ask.probe.sni.as_ref());
        self.running.spawn(connection(endpoint, sample, self.handshakes.clone(), ask, to, limit));
        true
    }

    fn take(&mut self, done: Done, sink: Sink<'_>) {
        match done {
            Done::Question { lane, ask, asked, answered, outcome } => {
                self.questions.done(&lane);
                let turn = self.resolvers.get_mut(lane).map_or(Turn::Same, |r| r.take(&outcome, asked, answered));
                self.hand_out_answer(lane, ask, outcome, sink);
                match turn {
                    Turn::Same => {}
                    Turn::Speaks => self.questions.widen(&lane),
                    Turn::Left => {
                        for ask in self.questions.clear(&lane) {
                            self.hand_out_answer(lane, ask, DnsOutcome::GivenUp, sink);
                        }
                    }
                }
            }
            Done::Connection { endpoint, sample, attempt, look } => {
                self.hand_out_look(endpoint, sample, attempt, look, sink);
            }
        }
    }

    fn hand_out_answer(&mut self, lane: usize, ask: usize, outcome: DnsOutcome, sink: Sink<'_>) {
        let (Some(asked), Some(ask)) = (self.resolvers.get(lane), self.probes.dns.get(ask)) else { return };
        let dialled = (asked.peer != ask.probe.resolver.addr).then_some(asked.peer);
        for connection in self.templates.take(&ask.probe, &outcome) {
            self.queue_connections(&connection);
        }
        let seen = self.observation(Probe::Dns(ask.probe.clone()), dialled, Outcome::Dns(outcome));
        sink(Seen::Observation(seen));
    }

    fn hand_out_look(&mut self, endpoint: usize, sample: u32, attempt: u32, look: Look, sink: Sink<'_>) {
        let Some(probe) = self.endpoints.asks.get(endpoint).map(|ask| ask.probe.clone()) else { return };
        self.connections.done(&probe.address.ip());
        let to = self.options.dial.resolve(probe.address, probe.sni.as_ref());
        let dialled = (to != probe.address).then_some(to);
        let (outcome, blobs) = look;
        self.hand_out_blobs(blobs, sink);
        let seen = self.observation(Probe::Tls(probe), dialled, Outcome::Tls(outcome));
        sink(Seen::Observation(Observation { sample, attempt, ..seen }));
    }

    fn look_into_file(&mut self, path: &str, sink: Sink<'_>) {
        let (outcome, blobs) = file::look(path, self.options.read_file);
        self.hand_out_blobs(blobs, sink);
        sink(Seen::Observation(self.observation(Probe::File(path.into()), None, Outcome::File(outcome))));
    }

    /// Hands out each certificate once in a run.
    fn hand_out_blobs(&mut self, blobs: Vec<(BlobId, impl Into<Arc<[u8]>>)>, sink: Sink<'_>) {
        for (id, der) in blobs {
            if self.blobs.insert(id) {
                sink(Seen::Blob(id, der.into()));
            }
        }
    }

    fn observation(&self, probe: Probe, dialled: Option<SocketAddr>, outcome: Outcome) -> Observation {
        Observation { probe, run: self.options.run.clone(), sample: 0, attempt: 0, dialled, at: now(), outcome }
    }
}

impl Asked {
    fn new(addr: &ResolverAddr, peer: SocketAddr, anchors: &[Arc<[u8]>]) -> Self {
        let resolver = Arc::new(Resolver::new(addr, peer, anchors));
        Self { resolver, peer, silence: Silence::default(), left: false }
    }

    /// A resolver is left once; those questions that were under way then may still be answered.
    fn take(&mut self, outcome: &DnsOutcome, asked: Instant, answered: Instant) -> Turn {
        let turn = self.silence.take(outcome, asked, answered);
        match turn {
            Turn::Left if self.left => Turn::Same,
            Turn::Left => {
                self.left = true;
                turn
            }
            _ => turn,
        }
    }
}

fn limit(milliseconds: Option<u64>, default: Duration) -> Duration {
    milliseconds.map_or(default, Duration::from_millis).max(Duration::from_millis(1))
}

/// The time, to the second.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
