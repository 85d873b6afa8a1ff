//! Faults of answers: addresses of another view or phase.

use super::super::{FaultInfo, answers};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "private-address-outside",
        "view/name",
        "the name has the private address of inside in a view outside",
        answers::private_inside,
        answers::publish_private,
    ),
    FaultInfo::new(
        "public-address-inside",
        "view/name",
        "the name has the public address of outside in a view inside",
        answers::public_outside,
        answers::hairpin,
    ),
    FaultInfo::new(
        "both-generations",
        "view/name",
        "the addresses of another phase stand beside the right ones",
        answers::with_other_generation,
        answers::mix,
    ),
    FaultInfo::new(
        "legacy-left-behind",
        "name",
        "the legacy name still resolves after the old servers are gone",
        answers::retired,
        answers::keep_retired,
    ),
];
