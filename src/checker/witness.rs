//! One execution in which a client is hurt, as it is told.

use super::course::Slot;
use super::follow::{Here, KeptUrl};
use super::led::{Arrival, Nowhere};
use super::meet::{Meeting, Trouble};
use super::words;
use crate::model::cutover::{CacheKey, CacheKind, CachedAnswer, HarmClass, NodeId, Witness};

/// Nobody is met.
const NOBODY: Meeting = Meeting { node: None, credential: None, trouble: Trouble::None };

/// A client meets somebody, or nobody, where it is led.
pub(super) fn met(here: &Here, class: HarmClass, arrival: &Arrival, meeting: &Meeting) -> Witness {
    let mut witness = begun(here, class, meeting);
    witness.answers = here.led.answers(&arrival.way);
    witness.address = Some(arrival.address);
    witness.reference = arrival.reference.clone();
    told(here, witness)
}

/// A client is told that there is nothing.
pub(super) fn absent(here: &Here, none: &Nowhere, url: Option<KeptUrl>, by: Option<NodeId>) -> Witness {
    let mut witness = begun(here, HarmClass::BelievedAbsent, &NOBODY);
    witness.answers = url.map(|url| kept(here, url)).into_iter().chain(here.led.answers(&none.way)).collect();
    witness.reference = none.reference.clone();
    witness.redirected_by = by;
    told(here, witness)
}

/// A client is sent to a name that leads to the sender again.
pub(super) fn looped(here: &Here, node: NodeId) -> Witness {
    let mut witness = begun(here, HarmClass::RedirectLoop, &Meeting { node: Some(node), ..NOBODY });
    witness.redirected_by = Some(node);
    told(here, witness)
}

/// A URL that leads a client to a name.
fn kept(here: &Here, url: KeptUrl) -> CachedAnswer {
    let path = &here.follower.timeline.paths[here.path];
    CachedAnswer {
        key: CacheKey { view: path.view, owner: path.name.clone(), kind: CacheKind::Url },
        answer: "in use".into(),
        replaced_by: Some(url.told_until),
        kept_until: Some(url.until),
    }
}

fn begun(here: &Here, class: HarmClass, meeting: &Meeting) -> Witness {
    let course = here.follower.course;
    let path = here.follower.timeline.paths[here.path].clone();
    let stage = match here.slot {
        Slot::End => course.last(),
        _ => course.stage(here.slot),
    };
    Witness {
        class,
        reference: path.name.clone(),
        path,
        step: stage.map(|s| s.step),
        after_step: here.slot == Slot::End,
        undoing: course.turned_after(here.slot),
        at: course.earliest(here.slot),
        answers: Vec::new(),
        address: None,
        node: meeting.node,
        credential: meeting.credential,
        redirected_by: None,
        words: "".into(),
    }
}

fn told(here: &Here, mut witness: Witness) -> Witness {
    witness.words = words::witness(here.follower.timeline, &witness).into();
    witness
}
