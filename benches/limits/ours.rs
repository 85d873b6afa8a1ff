//! The same work, done by the library.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use coexist::cli::{self, Sources, examine};
use coexist::model::certificate::{BlobId, CertificateFacts};
use coexist::model::dns::{DnsOutcome, RecordType, ResolverAddr};
use coexist::model::finding::{Judgement, RunOutcome};
use coexist::model::name::Name;
use coexist::model::observation::{Detour, DialMap, DnsProbe, Observation, Outcome, Probe, Recording, TlsProbe};
use coexist::model::plan::Plan;
use coexist::model::policy::Policy;
use coexist::model::probes::{DnsAsk, Manners, Probes, TlsAsk, Vantage};
use coexist::model::service::Way;
use coexist::model::tls::{Possession, Stage, TlsOutcome};
use coexist::observe::Seen;
use coexist::{judge, pki, plan};
use jiff::Timestamp;

use crate::tls::{FLIGHT, Target};
use crate::world::World;

/// Looks at every name over TLS and notes every fact; how many are all right.
pub async fn tls(world: &World, target: Target) -> usize {
    let way = target.dialogue.map_or(Way::Implicit, |d| Way::Starttls(d.protocol));
    let manners = Arc::new(Manners { per_host: FLIGHT as u32, ehlo: "coexist.invalid".into(), ..Manners::default() });
    let ask = |name: &String| TlsAsk {
        probe: TlsProbe { address: target.address, way, sni: Name::parse(name).ok(), face: None },
        samples: 1,
        manners: manners.clone(),
    };
    let probes = Probes { tls: world.names.iter().map(ask).collect(), ..Probes::default() };
    let (anchors, _) = pki::Anchors::new(&[Arc::from(world.root.as_ref())]);
    // Facts are noted while others are looked for, as the bare loop does.
    let (to, seen) = mpsc::channel();
    let right = tokio::task::spawn_blocking(move || count_right(&seen, &anchors));
    let watch = &mut |seen: &Seen| to.send(seen.clone()).expect("somebody who listens");
    watch_look(&plan_of(world, &world.names[..1]), &probes, &Place::of(world), watch).await;
    drop(to);
    right.await.expect("a count")
}

fn count_right(seen: &mpsc::Receiver<Seen>, anchors: &pki::Anchors) -> usize {
    let mut blobs = BTreeMap::new();
    let mut right = 0;
    for seen in seen {
        match seen {
            Seen::Blob(id, der) => drop(blobs.insert(id, der)),
            Seen::Observation(observation) => right += usize::from(is_right(&observation, &blobs, anchors)),
        }
    }
    right
}

fn is_right(observation: &Observation, blobs: &BTreeMap<BlobId, Arc<[u8]>>, anchors: &pki::Anchors) -> bool {
    let (Probe::Tls(probe), Outcome::Tls(TlsOutcome::Certificate(served))) =
        (&observation.probe, &*observation.outcome)
    else {
        return false;
    };
    let read = |der| pki::Read { der, facts: pki::facts(der).map(Cow::Owned).map_err(|e| e.0) };
    let chain: Vec<_> = served.chain.iter().map(|id| read(&blobs[id])).collect();
    let path = pki::path_of(&chain, anchors, &[], Timestamp::now());
    let facts = chain[0].facts.as_ref().expect("a certificate");
    let covers = probe.sni.as_ref().is_some_and(|name| pki::identify(facts, name).is_ok());
    served.possession == Possession::Proved && covers && path.untrusted.is_none() && path.dates.is_empty()
}

/// Asks every resolver its half of A and AAAA for every name; how many answers were right.
pub async fn dns(world: &World) -> usize {
    let half = world.names.len().div_ceil(2);
    let view: Arc<str> = "internal".into();
    let resolvers = world.at.dns.map(|at| Arc::new(ResolverAddr::parse(&at.to_string()).expect("a resolver")));
    let ask = |(i, name): (usize, &String), kind| DnsAsk {
        probe: DnsProbe {
            view: view.clone(),
            resolver: resolvers[i / half].clone(),
            name: Name::parse(name).expect("a name"),
            kind,
            unchecked: false,
            direct: false,
        },
        timeout_ms: None,
    };
    let asks = world.names.iter().enumerate().flat_map(|n| RecordType::ALL.map(|kind| ask(n, kind)));
    let probes = Probes { dns: asks.collect(), ..Probes::default() };
    let seen = look(&plan_of(world, &world.names[..1]), &probes, &Place::of(world)).await;
    let right = |o: &&Observation| {
        let is = |kind| matches!(&o.probe, Probe::Dns(p) if p.kind == kind);
        match &*o.outcome {
            Outcome::Dns(DnsOutcome::Answer(_)) => is(RecordType::A),
            Outcome::Dns(DnsOutcome::NoData(_)) => is(RecordType::Aaaa),
            _ => false,
        }
    };
    seen.observations.iter().filter(right).count()
}

/// How many certificates cover their name.
pub fn coverage(world: &World) -> usize {
    let covers = |(leaf, name): (&rustls::pki_types::CertificateDer<'_>, &String)| {
        let facts = pki::facts(leaf).expect("a certificate");
        pki::identify(&facts, &Name::parse(name).expect("a name")).is_ok()
    };
    world.leaves.iter().zip(&world.names).filter(|pair| covers(*pair)).count()
}

/// Each certificate's facts.
pub fn facts(world: &World) -> Vec<CertificateFacts> {
    world.leaves.iter().map(|leaf| pki::facts(leaf).expect("a certificate")).collect()
}

/// Each name, as the library has it.
pub fn names(world: &World) -> Vec<Name> {
    world.names.iter().map(|name| Name::parse(name).expect("a name")).collect()
}

/// How many of these certificates cover their name.
pub fn matched(facts: &[CertificateFacts], names: &[Name]) -> usize {
    facts.iter().zip(names).filter(|(facts, name)| pki::identify(facts, name).is_ok()).count()
}

/// From the plan's text to a judgement that passes.
pub async fn whole(world: &World) {
    let (judgement, _) = examined(&plan_of(world, &world.names), &Place::of(world)).await;
    assert_eq!(judgement.outcome, RunOutcome::Pass, "{:?}", judgement.findings.first());
}

/// A run in which some servers never answer, each with an address and a name of its own.
pub struct Trouble {
    /// What they do, for the table.
    pub what: String,
    /// The limit of a connection.
    pub timeout: Duration,
    /// How far a connection comes.
    stage: Stage,
    /// Where each is dialled.
    at: Vec<SocketAddr>,
    /// First names of which the plan does not speak.
    left_out: usize,
}

impl Trouble {
    /// One name of a hundred: its server takes connections and says nothing.
    pub fn silent(world: &World) -> Self {
        let count = (world.names.len() / 100).clamp(1, 200);
        let what = format!("{count} of them never answer, timeout t");
        Self {
            what,
            timeout: Duration::from_secs(2),
            stage: Stage::Handshake,
            at: vec![world.at.silent; count],
            left_out: 0,
        }
    }

    /// The same names without those that never answer: nobody asks for them.
    pub fn none(trouble: &Self) -> Self {
        Self { what: String::new(), at: Vec::new(), left_out: trouble.at.len(), ..*trouble }
    }

    /// A plan in which the first names have servers of this kind, or are left out, and how it is looked at.
    fn within(&self, world: &World) -> (Plan, Place) {
        let mut text = world.plan(&world.names[self.left_out..]);
        let mut place = Place { timeout: self.timeout, ..Place::of(world) };
        for (i, at) in self.at.iter().enumerate() {
            let address = format!("127.0.1.{}", i + 1);
            let to = |server: &str| format!("\"{}\" = \"{server}\"", world.names[i]);
            text = text.replace(&to("all"), &to(&format!("s{i}")));
            text.insert_str(0, &format!("servers.s{i}.address = \"{address}\"\n"));
            place.dial.push(format!("{address}:443:{at}"));
        }
        (load(&text), place)
    }

    /// A hundred addresses that drop packets.
    pub fn deaf(world: &World) -> Self {
        let count = 100.min(world.names.len() / 2) as u8;
        let at = |i| SocketAddr::from(([127, 0, 2, i], world.at.deaf.port()));
        let what = format!("{count} addresses drop packets, timeout t");
        Self {
            what,
            timeout: Duration::from_secs(2),
            stage: Stage::Connect,
            at: (1..=count).map(at).collect(),
            left_out: 0,
        }
    }
}

/// As [`whole`], with servers that never answer: the judgement does not pass, and each of them is seen.
pub async fn troubled(world: &World, trouble: &Trouble) {
    let (plan, place) = trouble.within(world);
    let (judgement, seen) = examined(&plan, &place).await;
    let timeout = Outcome::Tls(TlsOutcome::Timeout(trouble.stage));
    assert_eq!(seen.observations.iter().filter(|o| *o.outcome == timeout).count(), trouble.at.len());
    assert_ne!(judgement.outcome, RunOutcome::Pass);
}

/// How long it takes until everybody else's certificate was seen.
pub async fn last_of_others(world: &World, trouble: &Trouble) -> Duration {
    let (plan, place) = trouble.within(world);
    let probes = plan::probes(&plan, &plan::expand(&plan), &vantage(&plan), &Policy::default());
    let out = trouble.at.len().max(trouble.left_out);
    let (start, mut last, mut seen) = (Instant::now(), Duration::ZERO, BTreeSet::new());
    let watch = &mut |s: &Seen| {
        let Seen::Observation(observation) = s else { return };
        let (Probe::Tls(probe), Outcome::Tls(TlsOutcome::Certificate(_))) = (&observation.probe, &*observation.outcome)
        else {
            return;
        };
        // DNS leads those names to the server of all.
        let name = probe.sni.as_ref().map(ToString::to_string);
        if let Some(name) = name.filter(|name| !world.names[..out].contains(name))
            && seen.insert(name)
        {
            last = start.elapsed();
        }
    };
    watch_look(&plan, &probes, &place, watch).await;
    assert_eq!(seen.len(), world.names.len() - out, "not all others were seen");
    last
}

async fn examined(plan: &Plan, place: &Place) -> (Judgement, Recording) {
    let policy = Policy::default();
    let obligations = plan::expand(plan);
    let probes = plan::probes(plan, &obligations, &vantage(plan), &policy);
    let evidence = look(plan, &probes, place).await;
    let judgement = judge::judge(plan, &obligations, &evidence, &policy, Timestamp::now());
    (judgement, evidence)
}

fn plan_of(world: &World, names: &[String]) -> Plan {
    load(&world.plan(names))
}

fn load(text: &str) -> Plan {
    plan::load("bench.toml", text.as_bytes(), &|_| Ok(())).expect("a plan")
}

/// How it is looked.
struct Place {
    /// The bench's root is everybody's trust.
    anchors: [Arc<[u8]>; 1],
    dial: Vec<String>,
    timeout: Duration,
}

impl Place {
    fn of(world: &World) -> Self {
        let dial = vec![format!("127.0.0.1:443:{}", world.at.tls)];
        Self { anchors: [Arc::from(world.root.as_ref())], dial, timeout: Duration::from_secs(5) }
    }
}

async fn look(plan: &Plan, probes: &Probes, place: &Place) -> Recording {
    watch_look(plan, probes, place, &mut |_| {}).await
}

async fn watch_look(plan: &Plan, probes: &Probes, place: &Place, watch: &mut (dyn FnMut(&Seen) + Send)) -> Recording {
    let detours = place.dial.iter().map(|d| Detour::parse(d).expect("a detour"));
    let vantage = vantage(plan);
    let place = cli::Place {
        vantage: &vantage,
        sources: &Sources::World(&BTreeMap::new(), &place.anchors),
        dial: DialMap(detours.collect()),
        ways: Vec::new(),
        timeout: place.timeout,
        concurrency: FLIGHT,
        now: Timestamp::now(),
    };
    examine(plan, probes, &place, watch).await.expect("random numbers")
}

fn vantage(plan: &Plan) -> Vantage {
    Vantage { stands_in: plan.view_ids().collect(), ..Vantage::default() }
}
