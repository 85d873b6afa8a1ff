//! Addresses that DNS gives beside those of the plan.

use std::net::IpAddr;

use super::super::case::Case;
use super::super::problem::Culprit;
use super::dns::answers_beyond;
use super::endpoint::Asked;
use crate::model::plan::{ViewId, ViewKind};

/// Addresses beside the target's that are judged each for itself; as many as are dialled. More are a lie, and one for all.
const STRANGERS: usize = 256;

/// The target's addresses, and those that DNS gave in the view and that no other target of the name is judged by; and the
/// first of the latter beyond those that are looked at.
pub(super) fn all_addresses(
    case: &Case,
    asked: &Asked,
    view: ViewId,
    addresses: &[IpAddr],
) -> (Vec<IpAddr>, Option<IpAddr>) {
    let mut all = addresses.to_vec();
    let claimed = |a: &IpAddr| {
        case.is_claimed(asked.name, view, asked.service.port, asked.service.way, *a) || is_own(case, view, *a)
    };
    let given = answers_beyond(case, asked.name, view, asked.suspicion, addresses);
    // Somebody else's host is not ours to judge; whether DNS leads to it is said elsewhere.
    let theirs = |a: &IpAddr| case.leads_to_host(asked.name, view) && case.owner(view, *a).is_none();
    let mut others = given.into_iter().filter(|a| !claimed(a) && !theirs(a));
    all.extend(others.by_ref().take(STRANGERS));
    all.sort_unstable();
    all.dedup();
    (all, others.next())
}

/// True if the address is some server's own, judged there: at home a server's clients meet it at its own address.
fn is_own(case: &Case, view: ViewId, address: IpAddr) -> bool {
    let home = case.plan.views.iter().position(|v| v.kind == ViewKind::Internal).unwrap_or(0);
    view.0 == home && case.is_own(address)
}

/// Whose an address is that DNS gave beside the target's.
pub(super) fn stranger(case: &Case, view: ViewId, address: IpAddr) -> Culprit {
    case.owner(view, address).map_or(Culprit::Stranger(address), Culprit::Planned)
}
