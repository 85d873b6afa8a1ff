//! What runs when: questions, connections and files at once, within the bounds.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::sign::CertifiedKey;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;

use super::crew::{Crew, Done};
use super::dns::{Answers, Ask, Asker, Line};
use super::endpoints::Endpoints;
use super::faces::Faces;
use super::jobs::{FAULT, Job, Start};
use super::templates::Templates;
use super::{Options, Seen, client, file};
use crate::model::certificate::BlobId;
use crate::model::dns::{DnsOutcome, ResolverAddr, Transport};
use crate::model::observation::{DnsProbe, Observation, Outcome, Probe};
use crate::model::plan::ClientCertificate;
use crate::model::probes::{Probes, TlsAsk};

/// Batches of answers that wait to be handed out.
const BATCHES: usize = 16;

/// A sink as [`super::observe`] is given it.
type Sink<'a> = &'a mut (dyn FnMut(Seen) + Send);

/// A run.
pub struct Schedule<'a> {
    probes: &'a Probes,
    options: &'a Options<'a>,
    resolvers: Vec<Asked<'a>>,
    /// Questions that have no answer yet, by their places in the probes.
    open: Vec<Option<usize>>,
    crew: Crew,
    endpoints: Endpoints,
    faces: Faces<'a>,
    templates: Templates<'a>,
    blobs: HashSet<BlobId>,
    clients: Vec<Client>,
}

/// A client certificate of the plan, and what its files hold.
type Client = (Arc<ClientCertificate>, Result<Arc<CertifiedKey>, String>);

/// A resolver of a view.
struct Asked<'a> {
    addr: &'a ResolverAddr,
    view: &'a Arc<str>,
    line: Line,
    asks: VecDeque<Ask>,
}

impl<'a> Schedule<'a> {
    /// A run that has not begun.
    pub fn new(probes: &'a Probes, options: &'a Options<'a>) -> Self {
        let mut schedule = Self {
            probes,
            options,
            resolvers: Vec::new(),
            open: Vec::with_capacity(probes.dns.len()),
            crew: Crew::new(options.concurrency, options.timeout),
            endpoints: Endpoints::default(),
            faces: Faces::new(probes),
            templates: Templates::new(probes),
            blobs: HashSet::new(),
            clients: Vec::new(),
        };
        schedule.queue_questions();
        schedule.resolvers.iter_mut().for_each(|r| r.asks.shrink_to_fit());
        probes.tls.iter().for_each(|ask| schedule.queue_connections(ask, false));
        schedule
    }

    /// Runs to the end. Files are read between, while the network is waited for. What was seen is handed out even if this
    /// is dropped before its end.
    pub async fn run(mut self, sink: Sink<'_>) {
        let (answers, _askers) = self.ask();
        let mut run = Running { schedule: self, answers, sink };
        let (mut files, mut asking) = (run.schedule.probes.files.iter(), true);
        loop {
            run.schedule.crew.fill();
            let working = !run.schedule.crew.is_idle();
            if let Some(path) = files.next() {
                run.schedule.look_into_file(path, run.sink);
                tokio::task::yield_now().await;
                run.hand_out_what_is_there();
            } else if asking || working {
                tokio::select! {
                    batch = run.answers.recv(), if asking => match batch {
                        Some((resolver, batch)) => run.schedule.hand_out_answers(resolver, batch, run.sink),
                        None => {
                            asking = false;
                            run.schedule.hand_out_open_questions(run.sink);
                        }
                    },
                    () = run.schedule.crew.news(), if working => {}
                }
            } else {
                return;
            }
            run.schedule.hand_out_looks(run.sink);
        }
    }

    /// Sets an asker to work for each resolver; they share the places.
    fn ask(&mut self) -> (Receiver<(usize, Answers)>, JoinSet<()>) {
        let (out, answers) = mpsc::channel(BATCHES);
        let mut askers = JoinSet::new();
        let wide = self.options.concurrency / self.resolvers.len().max(1);
        for (number, asked) in self.resolvers.iter_mut().enumerate() {
            let anchors = self.options.anchors.get(asked.view).map(Vec::as_slice).unwrap_or_default();
            let asks = std::mem::take(&mut asked.asks);
            askers.spawn(Asker::new(asked.addr, &asked.line, anchors, asks, wide).run(out.clone(), number));
        }
        (answers, askers)
    }

    fn queue_questions(&mut self) {
        let mut known: HashMap<(&Arc<str>, &ResolverAddr), usize> = HashMap::new();
        for (number, ask) in self.probes.dns.iter().enumerate() {
            let (view, addr) = (&ask.probe.view, &ask.probe.resolver);
            let resolver = *known.entry((view, addr)).or_insert_with(|| {
                let peer = self.options.dial.resolve(addr.addr, None);
                let is_led = addr.transport != Transport::Udp && self.probes.led.contains(view);
                let route = self.options.routes.get(view).filter(|_| is_led).cloned();
                self.resolvers.push(Asked { addr, view, line: Line { peer, route }, asks: VecDeque::new() });
                self.resolvers.len() - 1
            });
            self.open.push(Some(resolver));
            let limit = limit(ask.timeout_ms, self.options.timeout);
            if let Some(asked) = self.resolvers.get_mut(resolver) {
                let DnsProbe { name, kind, unchecked, direct, .. } = &ask.probe;
                let (name, kind, unchecked, direct) = (name.clone(), *kind, *unchecked, *direct);
                asked.asks.push_back(Ask { number, name, kind, unchecked, direct, limit });
            }
        }
    }

    /// Queues the looks at an endpoint that nobody asked for before: one handshake per address, way, SNI and sample.
    fn queue_connections(&mut self, ask: &TlsAsk, is_beside: bool) {
        let samples = self.endpoints.add(ask);
        let to = self.options.dial.resolve(ask.probe.address, ask.probe.sni.as_ref());
        let route = ask.manners.via.as_ref().and_then(|view| self.options.routes.get(view));
        if ask.manners.via.is_some() && route.is_none() {
            // From here it would be another way, and prove nothing of the view.
            return;
        }
        let client = ask.manners.client.as_ref().map(|files| self.client(files));
        for sample in samples {
            let (ask, route, client) = (ask.clone(), route.cloned(), client.clone());
            let start = Start::default();
            self.crew.push(Job { sample, attempt: 0, ask, to, route, client, start, again: 0, is_beside });
        }
    }

    /// A client certificate, read once.
    fn client(&mut self, files: &Arc<ClientCertificate>) -> Result<Arc<CertifiedKey>, String> {
        match self.clients.iter().find(|(known, _)| known == files) {
            Some((_, identity)) => identity.clone(),
            None => {
                let identity = client::identity(files, self.options.read_file);
                self.clients.push((files.clone(), identity.clone()));
                identity
            }
        }
    }

    fn hand_out_answers(&mut self, resolver: usize, answers: Answers, sink: Sink<'_>) {
        let Some(asked) = self.resolvers.get(resolver) else { return };
        let dialled = (asked.line.peer != asked.addr.addr).then_some(asked.line.peer);
        let run = asked.line.route.as_ref().map_or(&self.options.run, |route| &route.run).clone();
        for (number, outcome) in answers {
            let (Some(ask), Some(open)) = (self.probes.dns.get(number), self.open.get_mut(number)) else { continue };
            *open = None;
            for connection in self.templates.take(&ask.probe, &outcome) {
                self.queue_connections(&connection, false);
            }
            let seen = self.observation(Probe::Dns(ask.probe.clone()), dialled, Outcome::Dns(outcome));
            sink(Seen::Observation(Observation { run: run.clone(), ..seen }));
        }
    }

    /// Nobody works on these any more, which is a fault of ours: it says nothing of the resolver.
    fn hand_out_open_questions(&mut self, sink: Sink<'_>) {
        let open: Vec<_> = self.open.iter().enumerate().filter_map(|(n, resolver)| Some((n, (*resolver)?))).collect();
        for (number, resolver) in open {
            self.hand_out_answers(resolver, vec![(number, DnsOutcome::Malformed(FAULT.into()))], sink);
        }
    }

    fn hand_out_looks(&mut self, sink: Sink<'_>) {
        for Done { job, look: (outcome, blobs) } in self.crew.take() {
            for beside in self.faces.take(&job.ask, &outcome, &blobs) {
                self.queue_connections(&beside, true);
            }
            let probe = job.ask.probe;
            let dialled = (job.to != probe.address).then_some(job.to);
            self.hand_out_blobs(blobs, sink);
            let seen = self.observation(Probe::Tls(probe), dialled, Outcome::Tls(outcome));
            let run = job.route.map_or(seen.run.clone(), |route| route.run.clone());
            sink(Seen::Observation(Observation { run, sample: job.sample, attempt: job.attempt, ..seen }));
        }
    }

    fn look_into_file(&mut self, path: &str, sink: Sink<'_>) {
        let (outcome, blobs) = file::look(path, self.options.read_file, &self.options.passwords);
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
        let (dialled, outcome) = (dialled.map(Box::new), Arc::new(outcome));
        Observation { probe, run: self.options.run.clone(), sample: 0, attempt: 0, dialled, at: now(), outcome }
    }
}

/// A run under way.
struct Running<'a, 'b> {
    schedule: Schedule<'a>,
    answers: Receiver<(usize, Answers)>,
    sink: Sink<'b>,
}

impl Running<'_, '_> {
    fn hand_out_what_is_there(&mut self) {
        while let Ok((resolver, batch)) = self.answers.try_recv() {
            self.schedule.hand_out_answers(resolver, batch, self.sink);
        }
        self.schedule.hand_out_looks(self.sink);
    }
}

impl Drop for Running<'_, '_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.hand_out_what_is_there();
        }
    }
}

/// The limit of a question or a connection.
pub fn limit(milliseconds: Option<u64>, default: Duration) -> Duration {
    milliseconds.map_or(default, Duration::from_millis).max(Duration::from_millis(1))
}

/// The time, to the second.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
