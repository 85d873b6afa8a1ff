//! The same work, done by the library.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use coexist::cli::{Place, Sources, examine};
use coexist::model::dns::{DnsOutcome, RecordType, ResolverAddr};
use coexist::model::finding::RunOutcome;
use coexist::model::name::Name;
use coexist::model::observation::{Detour, DialMap, DnsProbe, Observation, Outcome, Probe, Recording, TlsProbe};
use coexist::model::plan::Plan;
use coexist::model::policy::Policy;
use coexist::model::probes::{DnsAsk, Manners, Probes, TlsAsk, Vantage};
use coexist::model::service::Way;
use coexist::model::tls::{Possession, TlsOutcome};
use coexist::{judge, pki, plan};
use jiff::Timestamp;

use crate::tls::FLIGHT;
use crate::world::World;

/// Looks at every name over TLS and notes every fact; how many are all right.
pub async fn tls(world: &World) -> usize {
    let manners = Manners { timeout_ms: None, retry: 0, per_host: FLIGHT as u32, ehlo: "coexist.invalid".into() };
    let ask = |name: &String| TlsAsk {
        probe: TlsProbe { address: world.tls, way: Way::Implicit, sni: Name::parse(name).ok() },
        samples: 1,
        manners: manners.clone(),
    };
    let probes = Probes { tls: world.names.iter().map(ask).collect(), ..Probes::default() };
    let seen = look(&plan_of(world, &world.names[..1]), &probes, world).await;
    let (anchors, _) = pki::Anchors::new(&[Arc::from(world.root.as_ref())]);
    seen.observations.iter().filter(|o| is_right(o, &seen, &anchors)).count()
}

fn is_right(observation: &Observation, seen: &Recording, anchors: &pki::Anchors) -> bool {
    let (Probe::Tls(probe), Outcome::Tls(TlsOutcome::Certificate(served))) = (&observation.probe, &observation.outcome)
    else {
        return false;
    };
    let chain: Vec<_> = served.chain.iter().map(|id| seen.blobs[id].clone()).collect();
    let facts = pki::facts(&chain[0]).expect("a certificate");
    let path = pki::path(&chain, anchors, &[], Timestamp::now());
    let covers = probe.sni.as_ref().is_some_and(|name| pki::identify(&facts, name).is_ok());
    served.possession == Possession::Proved && covers && path.untrusted.is_none() && path.dates.is_empty()
}

/// Asks every resolver its half of A and AAAA for every name; how many names got an address.
pub async fn dns(world: &World) -> usize {
    let half = world.names.len().div_ceil(2);
    let ask = |(i, name): (usize, &String), kind| DnsAsk {
        probe: DnsProbe {
            view: "internal".into(),
            resolver: ResolverAddr::parse(&world.dns[i / half].to_string()).expect("a resolver"),
            name: Name::parse(name).expect("a name"),
            kind,
        },
        timeout_ms: None,
    };
    let asks = world.names.iter().enumerate().flat_map(|n| RecordType::ALL.map(|kind| ask(n, kind)));
    let probes = Probes { dns: asks.collect(), ..Probes::default() };
    let seen = look(&plan_of(world, &world.names[..1]), &probes, world).await;
    let answered = |o: &&Observation| matches!(&o.outcome, Outcome::Dns(DnsOutcome::Answer(_)));
    seen.observations.iter().filter(answered).count()
}

/// How many certificates cover their name.
pub fn coverage(world: &World) -> usize {
    let covers = |(leaf, name): (&rustls::pki_types::CertificateDer<'_>, &String)| {
        let facts = pki::facts(leaf).expect("a certificate");
        pki::identify(&facts, &Name::parse(name).expect("a name")).is_ok()
    };
    world.leaves.iter().zip(&world.names).filter(|pair| covers(*pair)).count()
}

/// From the plan's text to a judgement that passes.
pub async fn whole(world: &World) {
    let plan = plan_of(world, &world.names);
    let policy = Policy::default();
    let obligations = plan::expand(&plan);
    let probes = plan::probes(&plan, &obligations, &vantage(&plan), &policy);
    let evidence = look(&plan, &probes, world).await;
    let judgement = judge::judge(&plan, &obligations, &evidence, &policy, Timestamp::now());
    assert_eq!(judgement.outcome, RunOutcome::Pass, "{:?}", judgement.findings.first());
}

/// A plan in which every name leads to one server.
fn plan_of(world: &World, names: &[String]) -> Plan {
    let [inside, outside] = world.dns;
    let mut text = format!(
        "[views.internal]\nresolvers = [\"{inside}\"]\n[views.external]\nresolvers = [\"{outside}\"]\n\
         [servers.all]\naddress = \"127.0.0.1\"\n[internet]\n"
    );
    for name in names {
        let _ = writeln!(text, "\"{name}\" = \"all\"");
    }
    plan::load("bench.toml", text.as_bytes(), &|_| Ok(())).expect("a plan")
}

/// Looks, with the bench's root as everybody's trust.
async fn look(plan: &Plan, probes: &Probes, world: &World) -> Recording {
    let vantage = vantage(plan);
    let anchors = [Arc::from(world.root.as_ref())];
    let detour = Detour::parse(&format!(":443:{}", world.tls)).expect("a detour");
    let place = Place {
        vantage: &vantage,
        sources: &Sources::World(&BTreeMap::new(), &anchors),
        dial: DialMap(vec![detour]),
        timeout: Duration::from_secs(5),
        concurrency: FLIGHT,
        now: Timestamp::now(),
    };
    examine(plan, probes, &place, &mut |_| {}).await.expect("random numbers")
}

fn vantage(plan: &Plan) -> Vantage {
    Vantage { stands_in: plan.view_ids().collect(), address: None }
}
