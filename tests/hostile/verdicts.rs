//! A run over a plan, from the probes to the report, and what may be asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use coexist::cli::{Place, Sources, Way, examine};
use coexist::model::finding::{ClaimKind, Judged, Judgement, RunOutcome, Verdict};
use coexist::model::observation::{Detour, DialMap, Observation, Outcome, Probe, Recording};
use coexist::model::policy::Policy;
use coexist::model::probes::Vantage;
use coexist::report::{Format, Style, render};
use coexist::{judge, plan, record};
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// The limit of each question and connection, where nothing nearer is said: no machine is so busy that what is healthy
/// does not answer within it.
const LIMIT: Duration = Duration::from_secs(20);

/// The limit of those that do not answer, as the plan says it.
const SHORT: &str = "timeout = \"500ms\"\n";

/// What the plan says of a limit, by the outcome that is expected: those that stall, and those that may, are not waited for.
pub fn timeout(outcome: &str) -> &'static str {
    if outcome.is_empty() || outcome.starts_with("no answer in time") { SHORT } else { "" }
}

/// How long a whole run may take on a busy machine; limits that added up would take longer.
const PATIENCE: Duration = Duration::from_secs(45);

/// Runs at once: each opens two sockets for a connection, and a process may not have many.
static ROOM: Semaphore = Semaphore::const_new(2);

/// A run that has ended.
pub struct Ended {
    /// What was seen.
    pub recording: Recording,
    /// What is said of it.
    pub judgement: Judgement,
}

/// Looks from all views, through the proxies that the plan has, and judges; everything that no detour knows ends at a closed port. `root` is `root.pem`, DER.
pub async fn run(text: &str, root: Vec<u8>, detours: &[String]) -> Ended {
    let plan = plan::load("plan.toml", text.as_bytes(), &|_| Ok(()));
    let plan = plan.map_err(|e| plan::render_errors(&e, false)).unwrap();
    // Bound, so that nobody else gets the port, and not listening.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = closed.local_addr().unwrap().port();
    let all = detours.iter().cloned().chain([format!("::127.0.0.1:{port}")]);
    let way = |view| Some(Way { view, proxy: plan.view(view).proxy.as_ref()?.value.clone(), password: None });
    let ways: Vec<Way> = plan.view_ids().filter_map(way).collect();
    let through: BTreeMap<_, _> = ways.iter().map(|w| (w.view, w.proxy.kind)).collect();
    let stands_in = plan.view_ids().filter(|v| !through.contains_key(v)).collect();
    let vantage = Vantage { stands_in, through, address: None };
    let policy = Policy::default();
    let obligations = plan::expand(&plan);
    let probes = plan::probes(&plan, &obligations, &vantage, &policy);
    let place = Place {
        vantage: &vantage,
        sources: &Sources::World(&BTreeMap::from([("root.pem".to_string(), root)]), &[]),
        dial: DialMap(all.map(|d| Detour::parse(&d).unwrap()).collect()),
        ways,
        timeout: LIMIT,
        concurrency: 64,
        now: Timestamp::now(),
    };
    let _room = ROOM.acquire().await.unwrap();
    let begun = Instant::now();
    let recording = examine(&plan, &probes, &place, &mut |_| {}).await.unwrap();
    let judgement = judge::judge(&plan, &obligations, &recording, &policy, Timestamp::now());
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let ended = Ended { recording, judgement };
    ended.is_shown_in_every_format();
    ended.survives_a_file();
    ended
}

impl Ended {
    /// The obligations that need the network, about a name or about a view.
    pub fn about(&self, subject: &str) -> Vec<&Judged> {
        let is = |part: Option<&str>| part == Some(subject);
        let all = self.judgement.obligations.iter().filter(|o| o.due && o.kind != ClaimKind::San);
        all.filter(|o| is(Some(&o.id.name)) || is(o.about.view.as_deref())).collect()
    }

    /// The rules that speak of it; what passes, or fails without a word, is an error.
    pub fn rules_against(&self, judged: &[&Judged]) -> Result<BTreeSet<&'static str>, String> {
        let mut rules = BTreeSet::new();
        for one in judged {
            let about =
                self.judgement.findings.iter().filter(|f| f.obligations.iter().any(|o| **o == *one.id.to_string()));
            let found: BTreeSet<_> = about.map(|f| f.rule).collect();
            if matches!(one.verdict, Verdict::Pass | Verdict::Warn) || found.is_empty() {
                return Err(format!("{one:?} with {found:?}"));
            }
            rules.extend(found);
        }
        match judged.is_empty() || self.judgement.outcome == RunOutcome::Pass {
            true => Err("the run passes".into()),
            false => Ok(rules),
        }
    }

    /// Whether everything about it passes; else what does not.
    pub fn is_healthy(&self, judged: &[&Judged]) -> Result<(), String> {
        let ill: Vec<_> = judged.iter().filter(|o| o.verdict != Verdict::Pass).collect();
        match judged.is_empty() || !ill.is_empty() {
            true => Err(format!("not healthy: {ill:?}")),
            false => Ok(()),
        }
    }

    /// The outcomes of a name's connections that take any key, in words.
    pub fn connections(&self, name: &str) -> Vec<String> {
        let of = |probe: &Probe| matches!(probe, Probe::Tls(p) if p.face.is_none() && p.sni.as_ref().is_some_and(|n| n.as_str() == name));
        let all = self.recording.observations.iter().filter(|o| of(&o.probe));
        all.map(|o| if let Outcome::Tls(t) = &*o.outcome { t.to_string() } else { String::new() }).collect()
    }

    /// The outcomes of the connections of some runs that take any key, in words.
    pub fn outcomes(&self, of: impl Fn(&str) -> bool) -> Vec<String> {
        let tls = |o: &Observation| match (&o.probe, &*o.outcome) {
            (Probe::Tls(p), Outcome::Tls(t)) if p.face.is_none() => Some(t.to_string()),
            _ => None,
        };
        self.recording.observations.iter().filter(|o| of(&o.run)).filter_map(tls).collect()
    }

    /// The outcomes of a view's questions for addresses of IPv4, in words.
    pub fn answers(&self, view: &str) -> Vec<String> {
        let of = |probe: &Probe| matches!(probe, Probe::Dns(p) if *p.view == *view && p.kind.to_string() == "A");
        let all = self.recording.observations.iter().filter(|o| of(&o.probe));
        all.map(|o| if let Outcome::Dns(d) = &*o.outcome { d.to_string() } else { String::new() }).collect()
    }

    /// Whatever was said can be written down, and is read again as it was.
    fn survives_a_file(&self) {
        let run = self.recording.runs.values().next().unwrap();
        let mut bytes = Vec::new();
        let mut writer = record::Writer::new(&mut bytes, run).unwrap();
        self.recording.runs.values().skip(1).for_each(|run| writer.run(run).unwrap());
        self.recording.blobs.iter().for_each(|(id, der)| writer.blob(*id, der).unwrap());
        self.recording.observations.iter().for_each(|o| writer.observation(o).unwrap());
        writer.finish().unwrap();
        let again = record::read(bytes.as_slice()).unwrap_or_else(|e| panic!("line {}: {}", e.line, e.message));
        assert_eq!(again.observations, self.recording.observations);
        assert_eq!(again.blobs, self.recording.blobs);
    }

    /// No format fails, and none is fed without bounds by what a server says.
    fn is_shown_in_every_format(&self) {
        for format in Format::ALL {
            let mut out = Vec::new();
            let style = Style { width: 80, colour: false, quiet: false, verbose: true };
            render(&self.judgement, format, style, &mut out).unwrap();
            assert!(out.len() < 4 << 20, "{format:?}: {} bytes", out.len());
            let text = String::from_utf8(out).unwrap();
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{format:?} shows a control character");
        }
    }
}
