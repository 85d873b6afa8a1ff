//! What a proof says, in words without clock times.

use super::answers::Reply;
use crate::model::cutover::{Change, ClientPath, Datum, HarmClass, NodeId, Timeline, Witness};
use crate::model::name::Name;

/// A reply as an administrator reads it.
pub(super) fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Absent(_) => "absent".into(),
        Reply::Alias(target, _) => format!("alias of {}", target.as_str()),
        Reply::Data(data, _) => data.iter().map(datum).collect::<Vec<_>>().join(", "),
    }
}

fn datum(datum: &Datum) -> String {
    match datum {
        Datum::Address(address) => address.to_string(),
        Datum::Host(name) | Datum::Elsewhere(name) => name.as_str().into(),
        Datum::Certificate(index) => format!("certificate {index}"),
    }
}

/// Where TLSA records of a host and port stand (RFC 6698 section 3).
pub(super) fn tlsa_owner(host: &Name, port: u16) -> Option<Name> {
    Name::parse_owner(&format!("_{port}._tcp.{}", host.as_str())).ok()
}

/// What nobody could tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unseen {
    /// What a node serves at a port, to clients of the path of an index.
    Serving(NodeId, u16, usize),
    /// A certificate of an index that nothing else is said of.
    Credential(usize),
    /// A certificate's names.
    Names(usize),
    /// Who trusts a certificate.
    Trust(usize),
}

/// What nobody could tell, as an administrator reads it.
pub(super) fn unseen(timeline: &Timeline, what: Unseen) -> String {
    let label = |index: usize| timeline.credentials.get(index).map_or("", |c| &*c.label);
    match what {
        Unseen::Serving(node, _, path) => {
            let service = &timeline.paths[path].service;
            format!("what {} serves at {} {service}", timeline.node(node), service.word)
        }
        Unseen::Credential(index) => format!("certificate {index} is not known"),
        Unseen::Names(index) => format!("the names of certificate \"{}\"", label(index)),
        Unseen::Trust(index) => format!("whether clients trust certificate \"{}\"", label(index)),
    }
}

/// A change whose old value is not what holds.
pub(super) fn misfit(timeline: &Timeline, change: &Change) -> String {
    match change {
        Change::Records { key, .. } => {
            let view = timeline.view(key.view);
            format!(
                "the {} records of {} in view {view} are not what this step takes for old",
                key.kind.word(),
                key.owner.as_str()
            )
        }
        Change::Route { view, address, .. } => {
            format!("who answers at {address} in view {} is not who this step takes for old", timeline.view(*view))
        }
        Change::Serving { node, port, .. } => {
            format!("what {} serves at :{port} is not what this step takes for old", timeline.node(*node))
        }
        Change::Redirect { node, .. } => {
            format!("where {} sends its users is not where this step takes for old", timeline.node(*node))
        }
        Change::Used { view, name, .. } => {
            format!(
                "whether {} is used in view {} is known already before this step",
                name.as_str(),
                timeline.view(*view)
            )
        }
    }
}

/// A witness in one sentence.
pub(super) fn witness(timeline: &Timeline, witness: &Witness) -> String {
    let who = who(timeline, witness);
    let node = witness.node.map(|n| timeline.node(n)).unwrap_or_default();
    let at = witness.address.map(|a| a.to_string()).unwrap_or_default();
    let reference = witness.reference.as_str();
    let service = format!("{} {}", witness.path.service.word, witness.path.service);
    let label = witness.credential.and_then(|c| timeline.credentials.get(c)).map_or("", |c| &*c.label);
    let meets = match (witness.class, witness.credential) {
        (HarmClass::WrongName, None) => format!("finds that the mail policy does not name {reference}"),
        (HarmClass::WrongName, _) => {
            format!("meets {node} ({at}), which serves \"{label}\" at {service}: it does not cover {reference}")
        }
        (HarmClass::Untrusted, Some(credential)) if is_trusted(timeline, credential, &witness.path) => format!(
            "meets {node} ({at}), which serves \"{label}\" at {service}: the TLSA records that it knows do not allow that"
        ),
        (HarmClass::Untrusted, _) => {
            format!("meets {node} ({at}), which serves \"{label}\" at {service}: this client does not trust it")
        }
        (HarmClass::Expired, _) => {
            format!("meets {node} ({at}), which serves \"{label}\" at {service}: it is not valid at that time")
        }
        (HarmClass::NothingListens, _) if witness.node.is_none() => format!("is led to {at}, where nobody answers"),
        (HarmClass::NothingListens, _) => format!("is led to {node} ({at}), which does not listen at {service}"),
        (HarmClass::BelievedAbsent, _) => format!("is told that {reference} does not exist"),
        (HarmClass::RedirectLoop, _) => format!("is sent by {node} to {reference}, which leads to {node} again"),
    };
    format!("{who} {meets}")
}

/// True if the clients of a path trust a certificate by itself.
fn is_trusted(timeline: &Timeline, credential: usize, path: &ClientPath) -> bool {
    let trusted = timeline.credentials.get(credential).and_then(|c| c.trusted.as_ref());
    trusted.is_some_and(|views| views.contains(&path.view))
}

fn who(timeline: &Timeline, witness: &Witness) -> String {
    let path = &witness.path;
    let without_sni = if path.sni { "" } else { " without SNI" };
    let by_hsts = if path.by_hsts { " that remembers HSTS" } else { "" };
    let sent = witness.redirected_by.filter(|_| witness.class != HarmClass::RedirectLoop);
    let sent = sent.map(|n| format!(", sent by {},", timeline.node(n))).unwrap_or_default();
    let cached: Vec<String> = witness
        .answers
        .iter()
        .filter(|a| a.kept_until.is_some())
        .map(|a| format!("{} {} = {}", a.key.owner.as_str(), a.key.kind.word(), a.answer))
        .collect();
    let cached = match cached.is_empty() {
        true => String::new(),
        false => format!(" whose cache still says {}", cached.join(" and ")),
    };
    let (view, name) = (timeline.view(path.view), path.name.as_str());
    format!("a client of view {view}{without_sni}{by_hsts} for {name}{sent}{cached}")
}
