//! Looks at endpoints and files: the observer of `check`, with questions that were typed instead of planned.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::target::Target;
use crate::cli::args::InspectArgs;
use crate::cli::limits;
use crate::judge::Look;
use crate::model::certificate::BlobId;
use crate::model::inspection::{InspectError, Met, Reference};
use crate::model::name::Name;
use crate::model::observation::{DialMap, Outcome, Probe, TlsProbe};
use crate::model::probes::{Door, Manners, Probes, TlsAsk};
use crate::model::service::Service;
use crate::model::tls::{Face, TlsOutcome};
use crate::observe::{self, Options, Secret, Seen, file};
use crate::pki::{self, Lock, Unread};

/// Connections at once to one host, and in all.
const PER_HOST: u32 = 8;
const IN_FLIGHT: usize = 64;

/// A target with what is known of it before anything is dialled.
enum Plan {
    /// A file, already read.
    Read(Look),
    /// An endpoint to dial.
    Dial(Look, TlsProbe),
}

/// Looks at every target; in their order, each service and each address of a host on its own. A server that has an RSA and
/// an ECDSA certificate is looked at in both.
pub async fn all(args: &InspectArgs, targets: &[Target], password: Option<&Secret>) -> Vec<Look> {
    let mut addresses = HashMap::new();
    for target in targets {
        if let Target::Host(host @ Reference::Name(name), services) = target
            && !addresses.contains_key(name)
            && services.iter().any(|s| detoured(args, host, s).is_none())
        {
            addresses.insert(name.clone(), observe::lookup(name.as_str(), args.timeout).await);
        }
    }
    let typed = args.targets.iter().zip(targets);
    let plans: Vec<Plan> =
        typed.flat_map(|(source, target)| plans(args, source, target, &addresses, password)).collect();
    let (mut outcomes, blobs) = dial(args, &plans).await;
    let finish = |plan: Plan| match plan {
        Plan::Read(look) => vec![look],
        Plan::Dial(look, probe) => {
            let unseen = || TlsOutcome::CannotLook("it was not dialled".into());
            let outcome = outcomes.entry(probe.clone()).or_insert_with(unseen).clone();
            let shown = std::iter::once(outcome.clone()).chain(beside(&outcomes, &probe, &outcome));
            shown.map(|outcome| met(look.clone(), outcome, &blobs)).collect()
        }
    };
    plans.into_iter().flat_map(finish).collect()
}

/// What a server that has a certificate of the other kind of key showed when it was asked for that.
fn beside(outcomes: &HashMap<TlsProbe, TlsOutcome>, probe: &TlsProbe, first: &TlsOutcome) -> Option<TlsOutcome> {
    let leaf = |outcome: &TlsOutcome| match outcome {
        TlsOutcome::Certificate(served) => served.chain.first().copied(),
        _ => None,
    };
    let faces = [Face::Rsa, Face::Ecdsa].map(|face| TlsProbe { face: Some(face), ..probe.clone() });
    let mut shown = faces.iter().filter_map(|face| outcomes.get(face));
    // Some show the one that they have, whatever is asked.
    shown.find(|other| leaf(other).is_some() && leaf(other) != leaf(first)).cloned()
}

type Addresses = HashMap<Name, Result<Vec<IpAddr>, String>>;

fn plans(
    args: &InspectArgs,
    source: &str,
    target: &Target,
    addresses: &Addresses,
    password: Option<&Secret>,
) -> Vec<Plan> {
    match target {
        Target::File(path) => vec![Plan::Read(read(source, path, password))],
        Target::Host(host, services) => {
            services.iter().flat_map(|service| endpoints(args, source, host, service, addresses)).collect()
        }
    }
}

/// Where a detour leads to that names an address; then nobody has to be asked for the host's.
fn detoured(args: &InspectArgs, host: &Reference, service: &Service) -> Option<SocketAddr> {
    let Reference::Name(name) = host else { return None };
    let fits = args.connect_to.iter().find(|d| {
        let named = d.host.as_deref().is_none_or(|h| h.trim_end_matches('.').eq_ignore_ascii_case(name.as_str()));
        named && d.port.is_none_or(|p| p == service.port)
    })?;
    Some(SocketAddr::new(fits.address?, fits.to_port.unwrap_or(service.port)))
}

fn endpoints(
    args: &InspectArgs,
    source: &str,
    host: &Reference,
    service: &Service,
    addresses: &Addresses,
) -> Vec<Plan> {
    let sni = match (args.no_sni, &args.sni, host) {
        (true, ..) | (false, None, Reference::Address(_)) => None,
        (false, Some(name), _) | (false, None, Reference::Name(name)) => Some(name.clone()),
    };
    let look = |address: Option<SocketAddr>| Look {
        source: source.to_string(),
        kind: "endpoint",
        endpoint: Some(Met {
            address: address.map(|a| a.to_string()),
            service: format!("{}:{}", service.word, service.port),
            way: service.way.word(),
            sni: sni.as_ref().map(ToString::to_string),
            version: None,
            cipher: None,
        }),
        host: Some(args.sni.clone().map_or_else(|| host.clone(), Reference::Name)),
        ..Look::default()
    };
    let map = DialMap(args.connect_to.clone());
    let found: Vec<SocketAddr> = match (detoured(args, host, service), host) {
        (Some(to), _) => vec![to],
        (None, Reference::Address(address)) => vec![map.resolve(SocketAddr::new(*address, service.port), None)],
        (None, Reference::Name(name)) => match addresses.get(name) {
            Some(Ok(found)) => {
                let to = |a: &IpAddr| map.resolve(SocketAddr::new(*a, service.port), Some(name));
                found.iter().map(to).collect()
            }
            Some(Err(why)) => return vec![Plan::Read(Look { error: Some(error("lookup", why)), ..look(None) })],
            None => return Vec::new(),
        },
    };
    let dial = |to: SocketAddr| {
        Plan::Dial(look(Some(to)), TlsProbe { address: to, way: service.way, sni: sni.clone(), face: None })
    };
    found.into_iter().map(dial).collect()
}

type Seens = (HashMap<TlsProbe, TlsOutcome>, HashMap<BlobId, Arc<[u8]>>);

/// Dials everything, each endpoint once, and where a certificate came once more for one of the other kind of key.
async fn dial(args: &InspectArgs, plans: &[Plan]) -> Seens {
    let manners = Manners { per_host: PER_HOST, ehlo: "coexist.invalid".into(), ..Manners::default() };
    let manners = Arc::new(manners);
    let ask = |plan: &Plan| match plan {
        Plan::Dial(_, probe) => Some(TlsAsk { probe: probe.clone(), samples: 1, manners: manners.clone() }),
        Plan::Read(_) => None,
    };
    let tls: Vec<TlsAsk> = plans.iter().filter_map(ask).collect();
    let probes = Probes { faces: tls.iter().map(Door::of).collect(), tls, ..Probes::default() };
    let options = Options {
        run: "inspect".into(),
        timeout: args.timeout,
        concurrency: limits::in_flight(IN_FLIGHT, 0),
        // Where to dial is known already.
        dial: DialMap::default(),
        read_file: &|_| Err(ErrorKind::NotFound.into()),
        passwords: Default::default(),
        routes: Default::default(),
        anchors: Default::default(),
    };
    let (mut outcomes, mut blobs) = (HashMap::new(), HashMap::new());
    observe::observe(&probes, &options, &mut |seen| match seen {
        Seen::Blob(id, der) => {
            blobs.insert(id, der);
        }
        Seen::Observation(o) => {
            if let (Probe::Tls(probe), Outcome::Tls(outcome)) = (o.probe, Arc::unwrap_or_clone(o.outcome)) {
                outcomes.insert(probe, outcome);
            }
        }
    })
    .await;
    (outcomes, blobs)
}

/// What an endpoint showed.
fn met(look: Look, outcome: TlsOutcome, blobs: &HashMap<BlobId, Arc<[u8]>>) -> Look {
    let words = outcome.to_string();
    match outcome {
        TlsOutcome::Certificate(served) => {
            let text = |t: &Option<Arc<str>>| t.as_deref().map(String::from);
            let endpoint =
                look.endpoint.map(|met| Met { version: text(&served.version), cipher: text(&served.cipher), ..met });
            let chain = served.chain.iter().filter_map(|id| blobs.get(id).cloned()).collect();
            Look { endpoint, chain, served: Some(served), ..look }
        }
        other => Look { error: Some(error(&word(&other), &words)), ..look },
    }
}

/// The outcome's word in recordings.
fn word(outcome: &TlsOutcome) -> String {
    match serde_json::to_value(outcome) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => "unknown".into(),
    }
}

fn error(kind: &str, message: &str) -> InspectError {
    InspectError { kind: kind.into(), message: message.into() }
}

/// Reads a file.
fn read(source: &str, path: &Path, password: Option<&Secret>) -> Look {
    let look = Look { source: source.to_string(), kind: "file", ..Look::default() };
    let passwords: Vec<&str> = password.into_iter().map(Secret::text).collect();
    let bytes = match file::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(e) => {
            let kind = if e.kind() == ErrorKind::NotFound { "not-found" } else { "unreadable" };
            let message = if e.kind() == ErrorKind::NotFound { "there is no such file".into() } else { e.to_string() };
            return Look { error: Some(error(kind, &message)), ..look };
        }
    };
    let look = Look { kind: pki::file_kind(&bytes), key: pki::private_key_with(&bytes, &passwords), ..look };
    match pki::read_file_with(&bytes, &passwords) {
        Ok(content) => {
            let chain = content.certificates.into_iter().map(Arc::from).collect();
            Look { chain, notes: content.notes, pfx: content.pfx, ..look }
        }
        Err(Unread::Nothing(what)) => {
            Look { error: Some(error("no-certificate", &format!("no certificate can be read: {what}"))), ..look }
        }
        Err(Unread::Locked(pfx, lock)) => {
            let cure = match lock {
                Lock::NoPassword => ": --password-env VARIABLE names the environment variable that holds it",
                _ => "",
            };
            Look { pfx: Some(pfx), error: Some(error("locked", &format!("{lock}{cure}"))), ..look }
        }
    }
}
