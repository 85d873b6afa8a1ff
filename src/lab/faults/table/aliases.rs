//! Faults of aliases.

use super::super::{FaultInfo, aliases, names};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "alias-loop",
        "view/name",
        "the name is an alias that leads in a circle",
        names::resolving,
        aliases::in_a_circle,
    ),
    FaultInfo::new(
        "long-alias-chain",
        "view/name",
        "the name leads to its addresses through nine aliases",
        aliases::resolving,
        aliases::the_long_way,
    ),
    FaultInfo::new(
        "alias-at-apex",
        "view/name",
        "the name is a zone's apex or a mail domain, and an alias",
        aliases::apexes,
        aliases::at_apex,
    ),
];
