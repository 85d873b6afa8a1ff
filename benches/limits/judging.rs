//! Expanding and judging a large plan without a network: ten observations of each name, made in memory.
//!
//! Each size is a process of its own, so that its peak of memory is its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use coexist::model::certificate::BlobId;
use coexist::model::dns::{AddressRecord, DnsOutcome, RecordType, Reply};
use coexist::model::finding::RunOutcome;
use coexist::model::observation::{FORMAT, MINOR, Observation, Outcome, Probe, Recording, Run};
use coexist::model::plan::Plan;
use coexist::model::policy::Policy;
use coexist::model::probes::{Probes, Vantage};
use coexist::model::tls::{Possession, Served, TlsOutcome};
use coexist::{judge, pki, plan};
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::measure::{heading, row};
use crate::world::{itself, name};

/// The word on the command line that makes this program judge so many names and tell of it.
pub const WORD: &str = "judging";

/// Observations of each name: A and AAAA of two resolvers in two views, and an address in each view.
const EACH: usize = 10;

/// Names of one certificate.
const SANS: usize = 100;

/// Names of one server.
const HOSTED: usize = 1000;

/// Rate and memory at two sizes, which tell whether both grow with the plan and no faster.
pub fn all(sizes: [usize; 2]) {
    let [small, large] = sizes.map(judged);
    for (size, judged) in sizes.into_iter().zip([&small, &large]) {
        let rate = (size * EACH) as f64 / judged.took.as_secs_f64();
        row(&format!("expand and judge {size} names x {EACH}, /s"), "1 M/s", "", &format!("{rate:.0}"), "");
        if let Some(memory) = judged.memory {
            let goal = format!("{:.1} GiB", size as f64 / 1e5);
            row("peak memory of that", &goal, "", &format!("{:.2} GiB", memory as f64 / GIB), "");
        }
    }
    let (longer, larger) = (large.took.as_secs_f64() / small.took.as_secs_f64(), sizes[1] as f64 / sizes[0] as f64);
    row(
        &format!("time, {larger} times as many names"),
        &format!("{:.1}", larger * 1.05),
        "",
        "",
        &format!("{longer:.1}"),
    );
}

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

struct Judged {
    took: Duration,
    /// Bytes, where the system tells.
    memory: Option<u64>,
}

fn judged(size: usize) -> Judged {
    let mut command = Command::new(itself());
    command.args([WORD, &size.to_string()]).stderr(Stdio::inherit());
    let out = command.output().expect("this very program");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|n| n.parse().expect("numbers"));
    Judged { took: Duration::from_micros(numbers.next().expect("a time")), memory: numbers.next() }
}

/// Judges so many names; prints microseconds, and the peak of memory in bytes. Each stage's time goes to stderr on
/// request. Without a number, prints the rows of both sizes.
pub fn run(words: &[String]) {
    let Some(count) = words.first().and_then(|w| w.parse().ok()) else {
        heading();
        return all([10_000, 100_000]);
    };
    let mut clock = Clock { last: Instant::now(), tell: words.iter().any(|w| w == "tell") };
    let issued = issued(count);
    let text = text(count);
    clock.lap("made");
    let plan = plan::load("bench.toml", text.as_bytes(), &|_| Ok(())).map_err(|e| e.errors).expect("a plan");
    drop(text);
    clock.lap("load");
    let policy = Policy::default();
    let vantage = Vantage { stands_in: plan.view_ids().collect(), ..Vantage::default() };
    let probes = plan::probes(&plan, &plan::expand(&plan), &vantage, &policy);
    clock.lap("expand and probes");
    let (mut recording, seen) = seen(&plan, &probes, &issued);
    drop((probes, issued));
    // Some questions stand beside the names.
    assert!((count * EACH..count * EACH + count / 10).contains(&seen.len()), "{}", seen.len());
    clock.lap("looked");
    let start = Instant::now();
    recording.observations.extend(seen);
    clock.lap("recorded");
    let obligations = plan::expand(&plan);
    clock.lap("expanded");
    let judgement = judge::judge(&plan, &obligations, &recording, &policy, now());
    clock.lap("judged");
    let took = start.elapsed();
    assert_eq!(judgement.outcome, RunOutcome::Pass, "{:?}", judgement.findings.first());
    println!("{} {}", took.as_micros(), peak().map(|b| b.to_string()).unwrap_or_default());
}

struct Clock {
    last: Instant,
    tell: bool,
}

impl Clock {
    fn lap(&mut self, what: &str) {
        if self.tell {
            let memory = peak().unwrap_or_default() / 1_000_000;
            eprintln!("{what:<20} {:>8.1} ms, peak {memory} MB", self.last.elapsed().as_secs_f64() * 1e3);
        }
        self.last = Instant::now();
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).expect("a time")
}

/// The largest memory of this process so far in bytes, where the system tells of it alone.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Two views with two resolvers each; servers that many names share, and certificates.
fn text(count: usize) -> String {
    let mut text = String::from(
        "[views.internal]\nresolvers = [\"10.0.0.53\", \"10.0.0.54\"]\n\
         [views.external]\nresolvers = [\"192.0.2.53\", \"192.0.2.54\"]\n",
    );
    for i in 0..count.div_ceil(HOSTED) {
        let [inside, outside] = addresses(i);
        let _ = writeln!(text, "[servers.s{i}]\naddress = {{ internal = \"{inside}\", external = \"{outside}\" }}");
    }
    for i in 0..count.div_ceil(SANS) {
        let names: Vec<String> = (i * SANS..count.min((i + 1) * SANS)).map(|n| format!("\"{}\"", name(n))).collect();
        let _ = writeln!(text, "[certificates.c{i}]\nnames = [{}]", names.join(", "));
    }
    text.push_str("[internet]\n");
    for i in 0..count {
        let _ = writeln!(text, "\"{}\" = {{ server = \"s{}\", certificate = \"c{}\" }}", name(i), i / HOSTED, i / SANS);
    }
    text
}

/// Of a server: inside and outside.
fn addresses(server: usize) -> [IpAddr; 2] {
    let [high, low] = (server as u16).to_be_bytes();
    [[10, 1, high, low], [20, high, low, 1]].map(IpAddr::from)
}

/// What an authority issued: the root, and a certificate for each run of names.
struct Issued {
    root: Arc<[u8]>,
    leaves: Vec<(BlobId, Arc<[u8]>)>,
}

fn issued(count: usize) -> Issued {
    let root_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "the bench's root");
    let root = Arc::from(params.self_signed(&root_key).expect("a root").der().as_ref());
    let issuer = Issuer::new(params, root_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = |i: usize| {
        let names: Vec<String> = (i * SANS..count.min((i + 1) * SANS)).map(name).collect();
        let params = CertificateParams::new(names).expect("names that a certificate can hold");
        let der: Arc<[u8]> = Arc::from(params.signed_by(&key, &issuer).expect("a certificate").der().as_ref());
        (pki::blob_id(&der), der)
    };
    Issued { root, leaves: (0..count.div_ceil(SANS)).map(leaf).collect() }
}

/// A recording with its run and certificates, and what is seen when all is as planned.
fn seen(plan: &Plan, probes: &Probes, issued: &Issued) -> (Recording, Vec<Observation>) {
    let root = pki::blob_id(&issued.root);
    let labels: Vec<Arc<str>> = plan.views.iter().map(|v| v.label.clone()).collect();
    let run = Run {
        id: "bench".into(),
        format: FORMAT,
        minor: MINOR,
        tool: String::new(),
        plan: pki::blob_id(plan.source.text.as_bytes()),
        files: BTreeMap::new(),
        stands_in: labels.clone(),
        proxy: None,
        address: None,
        connect_to: Vec::new(),
        started: now(),
        anchors: labels.into_iter().map(|l| (l, vec![root])).collect(),
        trust_errors: BTreeMap::new(),
    };
    let id = run.id.clone();
    let at = |probe, outcome| Observation {
        probe,
        run: id.clone(),
        sample: 0,
        attempt: 0,
        dialled: None,
        at: run.started,
        outcome: Arc::new(outcome),
    };
    let dns = probes.dns.iter().map(|ask| {
        let outside = usize::from(&*ask.probe.view == "external");
        let outcome = match (number(ask.probe.name.as_str()), ask.probe.kind) {
            (Some(number), RecordType::A) => {
                let address = addresses(number / HOSTED)[outside];
                let addresses = vec![AddressRecord { address, ttl: 300 }];
                DnsOutcome::Answer(Reply { addresses, ..Reply::default() })
            }
            (Some(_), _) => DnsOutcome::NoData(Reply::default()),
            // What is asked beside the names of the plan.
            (None, _) => DnsOutcome::NxDomain(Reply::default()),
        };
        at(Probe::Dns(ask.probe.clone()), Outcome::Dns(outcome))
    });
    let tls = probes.tls.iter().map(|ask| {
        let leaf = number(ask.probe.sni.as_ref().expect("a name").as_str()).expect("a name of the plan") / SANS;
        let served = Served {
            chain: vec![issued.leaves[leaf].0],
            possession: Possession::Proved,
            version: Some("TLS 1.3".into()),
            cipher: Some("TLS13_AES_256_GCM_SHA384".into()),
            client: None,
            ended: None,
            declined: None,
        };
        at(Probe::Tls(ask.probe.clone()), Outcome::Tls(TlsOutcome::Certificate(served)))
    });
    let seen: Vec<Observation> = dns.chain(tls).collect();
    let runs = BTreeMap::from([(run.id.clone(), run)]);
    let blobs = issued.leaves.iter().cloned().chain([(root, issued.root.clone())]).collect();
    (Recording { runs, blobs, ..Recording::default() }, seen)
}

/// The number of a name of the plan.
fn number(name: &str) -> Option<usize> {
    name.strip_prefix("host-")?.split('.').next()?.parse().ok()
}
