//! Who answers at an address, and whether what is served there is right.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::course::Slot;
use super::deadlines;
use super::follow::Follower;
use super::history::hosts;
use super::led::Arrival;
use super::words::{self, Unseen};
use crate::model::cutover::{CacheKind, ClientPath, Datum, HarmClass, NodeId, Second, Serving};
use crate::model::name::Name;
use crate::pki;

/// What a client meets.
#[derive(Clone, Copy)]
pub(super) struct Meeting {
    pub node: Option<NodeId>,
    pub credential: Option<usize>,
    pub trouble: Trouble,
}

/// Whether it hurts.
#[derive(Clone, Copy)]
pub(super) enum Trouble {
    /// It does not.
    None,
    /// Nobody can tell: why.
    Unknown(Unseen),
    /// It does, with so much slack.
    Harm(HarmClass, Second),
}

impl Meeting {
    fn hurts(node: Option<NodeId>, credential: Option<usize>, class: HarmClass) -> Self {
        Self { node, credential, trouble: Trouble::Harm(class, 0) }
    }
}

/// Mostly one or two.
pub(super) type Meetings = SmallVec<[Meeting; 2]>;

/// All that a client of a path may meet at an arrival in a slot.
pub(super) fn meet(follower: &Follower, slot: Slot, path: usize, arrival: &Arrival) -> Meetings {
    let mut out: Meetings = mail_policy(follower, slot, arrival).into_iter().collect();
    let Some(route) = follower.closure.route(arrival.address) else {
        out.push(Meeting::hurts(None, None, HarmClass::NothingListens));
        return out;
    };
    for nodes in route.over(&follower.states(slot)) {
        if nodes.is_empty() {
            out.push(Meeting::hurts(None, None, HarmClass::NothingListens));
        }
        nodes.iter().for_each(|node| at_node(follower, slot, path, arrival, *node, &mut out));
    }
    out
}

fn at_node(follower: &Follower, slot: Slot, path: usize, arrival: &Arrival, node: NodeId, out: &mut Meetings) {
    let told = &follower.timeline.paths[path];
    let Some(served) = follower.history.serving(node, told.service.port) else {
        return out.push(Meeting::hurts(Some(node), None, HarmClass::NothingListens));
    };
    for serving in served.over(&follower.states(slot)) {
        match serving {
            None => out.push(Meeting::hurts(Some(node), None, HarmClass::NothingListens)),
            Some(serving) => presented(follower, slot, path, arrival, (node, serving), out),
        }
    }
}

fn presented(
    follower: &Follower,
    slot: Slot,
    index: usize,
    arrival: &Arrival,
    (node, serving): (NodeId, &Serving),
    out: &mut Meetings,
) {
    let path = &follower.timeline.paths[index];
    let credentials = serving.for_name(path.sni.then_some(arrival.reference));
    if credentials.is_empty() {
        let trouble = Trouble::Unknown(Unseen::Serving(node, path.service.port, index));
        out.push(Meeting { node: Some(node), credential: None, trouble });
    }
    for credential in credentials {
        let trouble = judged(follower, slot, path, arrival.reference, *credential);
        out.push(Meeting { node: Some(node), credential: Some(*credential), trouble });
        if becomes_untrusted(follower, slot, path, *credential, &trouble) {
            out.push(Meeting::hurts(Some(node), Some(*credential), HarmClass::Untrusted));
        }
    }
}

/// One certificate against one reference identifier, for the clients of one view, at the slot's beginning.
fn judged(follower: &Follower, slot: Slot, path: &ClientPath, reference: &Name, index: usize) -> Trouble {
    let timeline = follower.timeline;
    let Some(credential) = timeline.credentials.get(index) else {
        return Trouble::Unknown(Unseen::Credential(index));
    };
    if credential.names.is_none() {
        return Trouble::Unknown(Unseen::Names(index));
    }
    if !follower.closure.covers(index, reference) {
        return Trouble::Harm(HarmClass::WrongName, 0);
    }
    let now = timeline.at(follower.course.earliest(slot));
    let clocks = now.and_then(|now| deadlines::costs(timeline, credential, now));
    if clocks == Some(0) {
        return Trouble::Harm(HarmClass::Expired, 0);
    }
    match &credential.trusted {
        None => Trouble::Unknown(Unseen::Trust(index)),
        Some(views) if !views.contains(&path.view) => Trouble::Harm(HarmClass::Untrusted, 0),
        Some(_) => match forbidden(follower, slot, path, reference, index) {
            Some(costs) if clocks.is_none_or(|clocks| costs <= clocks) => Trouble::Harm(HarmClass::Untrusted, costs),
            _ => clocks.map_or(Trouble::None, |costs| Trouble::Harm(HarmClass::Expired, costs)),
        },
    }
}

/// True of a certificate that clients do not take yet, for it is not valid, and do not trust once it is.
fn becomes_untrusted(follower: &Follower, slot: Slot, path: &ClientPath, index: usize, trouble: &Trouble) -> bool {
    let timeline = follower.timeline;
    let Some(credential) = timeline.credentials.get(index) else { return false };
    let begins = deadlines::valid(timeline, credential).0;
    let is_early = begins.zip(timeline.at(follower.course.earliest(slot))).is_some_and(|(from, now)| now < from);
    let distrusted = credential.trusted.as_ref().is_some_and(|views| !views.contains(&path.view));
    matches!(trouble, Trouble::Harm(HarmClass::Expired, 0)) && is_early && distrusted
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
    let is_against = |data: &BTreeSet<Datum>| !data.contains(&Datum::Certificate(credential));
    least(follower, &owner, CacheKind::Tlsa, slot, is_against)
}

/// A host that takes mail and stands in no pattern of a policy that is in a cache (RFC 8461 section 4.1).
fn mail_policy(follower: &Follower, slot: Slot, arrival: &Arrival) -> Option<Meeting> {
    if follower.group.entry != CacheKind::Mx {
        return None;
    }
    let allows = |data: &BTreeSet<Datum>| pki::identify_among(hosts(data).map(Name::as_str), arrival.reference).is_ok();
    let costs = least(follower, follower.group.name, CacheKind::MtaSts, slot, |data| !allows(data))?;
    Some(Meeting { node: None, credential: None, trouble: Trouble::Harm(HarmClass::WrongName, costs) })
}

/// The least cost at which a cache returns data of some kind.
fn least(
    follower: &Follower,
    owner: &Name,
    kind: CacheKind,
    slot: Slot,
    is_meant: impl Fn(&BTreeSet<Datum>) -> bool,
) -> Option<Second> {
    let asked = follower.closure.find(owner, kind)?;
    let all = asked.possible(follower.course, slot).into_iter();
    all.filter(|p| p.reply.data().is_some_and(&is_meant)).map(|p| p.costs).min()
}
