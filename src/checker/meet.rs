//! Who answers at an address, and whether what is served there is right.

use super::answers::Reply;
use super::course::Slot;
use super::follow::{Arrival, Follower};
use super::words;
use crate::model::cutover::{CacheKind, ClientPath, Datum, HarmClass, NodeId, Second, Serving};
use crate::model::name::Name;
use crate::pki;

/// What a client meets.
pub(super) struct Meeting {
    pub node: Option<NodeId>,
    pub credential: Option<usize>,
    pub trouble: Trouble,
}

/// Whether it hurts.
pub(super) enum Trouble {
    /// It does not.
    None,
    /// Nobody can tell: why.
    Unknown(String),
    /// It does, with so much slack.
    Harm(HarmClass, Second),
}

impl Meeting {
    /// Nobody is met.
    pub fn nobody() -> Self {
        Self { node: None, credential: None, trouble: Trouble::None }
    }

    fn hurts(node: Option<NodeId>, credential: Option<usize>, class: HarmClass) -> Self {
        Self { node, credential, trouble: Trouble::Harm(class, 0) }
    }
}

/// All that a client of a path may meet at an arrival in a slot.
pub(super) fn meet(follower: &Follower, slot: Slot, path: usize, arrival: &Arrival) -> Vec<Meeting> {
    let mut out: Vec<Meeting> = mail_policy(follower, slot, arrival).into_iter().collect();
    let route = follower.history.route(follower.group.view, arrival.address);
    let Some(route) = route else {
        out.push(Meeting::hurts(None, None, HarmClass::NothingListens));
        return out;
    };
    for state in follower.states(slot) {
        let nodes = route.at(state);
        if nodes.is_empty() {
            out.push(Meeting::hurts(None, None, HarmClass::NothingListens));
        }
        nodes.iter().for_each(|node| at_node(follower, slot, path, arrival, *node, &mut out));
    }
    out
}

fn at_node(follower: &Follower, slot: Slot, path: usize, arrival: &Arrival, node: NodeId, out: &mut Vec<Meeting>) {
    let path = &follower.timeline.paths[path];
    let served = follower.history.serving(node, path.service.port);
    for state in follower.states(slot) {
        match served.and_then(|s| *s.at(state)) {
            None => out.push(Meeting::hurts(Some(node), None, HarmClass::NothingListens)),
            Some(serving) => presented(follower, slot, path, arrival, (node, serving), out),
        }
    }
}

fn presented(
    follower: &Follower,
    slot: Slot,
    path: &ClientPath,
    arrival: &Arrival,
    (node, serving): (NodeId, &Serving),
    out: &mut Vec<Meeting>,
) {
    let credentials = serving.for_name(path.sni.then_some(&arrival.reference));
    if credentials.is_empty() {
        let trouble = Trouble::Unknown(words::unseen(follower.timeline, node, &path.service));
        out.push(Meeting { node: Some(node), credential: None, trouble });
    }
    for credential in credentials {
        let trouble = judged(follower, slot, path, arrival, *credential);
        out.push(Meeting { node: Some(node), credential: Some(*credential), trouble });
    }
}

/// One certificate against one reference identifier, for the clients of one view, at the slot's beginning.
fn judged(follower: &Follower, slot: Slot, path: &ClientPath, arrival: &Arrival, index: usize) -> Trouble {
    let timeline = follower.timeline;
    let Some(credential) = timeline.credentials.get(index) else {
        return Trouble::Unknown(format!("certificate {index} is not known"));
    };
    let Some(names) = &credential.names else {
        return Trouble::Unknown(words::names_unknown(&credential.label));
    };
    if pki::identify_among(names.iter().map(String::as_str), &arrival.reference).is_err() {
        return Trouble::Harm(HarmClass::WrongName, 0);
    }
    let now = timeline.at(follower.course.earliest(slot));
    let is_over = credential.valid_until.zip(now).is_some_and(|(until, now)| until <= now);
    let is_early = credential.valid_from.zip(now).is_some_and(|(from, now)| now < from);
    if is_over || is_early {
        return Trouble::Harm(HarmClass::Expired, 0);
    }
    match &credential.trusted {
        None => Trouble::Unknown(words::trust_unknown(&credential.label)),
        Some(views) if !views.contains(&path.view) => Trouble::Harm(HarmClass::Untrusted, 0),
        Some(_) => match forbidden(follower, slot, path, &arrival.reference, index) {
            Some(costs) => Trouble::Harm(HarmClass::Untrusted, costs),
            None => Trouble::None,
        },
    }
}

/// The least cost at which a TLSA RRset is in a cache that does not allow the certificate (RFC 7672 section 2.2).
fn forbidden(
    follower: &Follower,
    slot: Slot,
    path: &ClientPath,
    reference: &Name,
    credential: usize,
) -> Option<Second> {
    if path.entry != CacheKind::Mx {
        return None;
    }
    let owner = words::tlsa_owner(reference, path.service.port)?;
    let against = |reply: &Reply| match reply {
        Reply::Data(data, _) => !data.contains(&Datum::Certificate(credential)),
        _ => false,
    };
    let all = follower.possible(&owner, CacheKind::Tlsa, slot).into_iter().filter(|p| against(&p.reply));
    all.map(|p| p.costs).min()
}

/// A host that takes mail and stands in no pattern of a policy that is in a cache (RFC 8461 section 4.1).
fn mail_policy(follower: &Follower, slot: Slot, arrival: &Arrival) -> Option<Meeting> {
    if follower.group.entry != CacheKind::Mx {
        return None;
    }
    let allows = |data: &std::collections::BTreeSet<Datum>| {
        let patterns = data.iter().filter_map(|d| match d {
            Datum::Host(host) => Some(host.as_str()),
            _ => None,
        });
        pki::identify_among(patterns, &arrival.reference).is_ok()
    };
    let against = |reply: &Reply| matches!(reply, Reply::Data(data, _) if !allows(data));
    let all = follower.possible(&follower.group.name, CacheKind::MtaSts, slot);
    let costs = all.into_iter().filter(|p| against(&p.reply)).map(|p| p.costs).min()?;
    Some(Meeting { node: None, credential: None, trouble: Trouble::Harm(HarmClass::WrongName, costs) })
}
