//! Faults of names: what DNS has for them.

use super::super::{FaultInfo, names};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new("unresolved", "view/name", "the name does not exist in the view", names::resolving, names::remove),
    FaultInfo::new(
        "nodata",
        "view/name",
        "the name exists in the view, without an address",
        names::resolving,
        names::empty,
    ),
    FaultInfo::new("servfail", "view/name", "the view's resolvers fail for the name", names::resolving, names::fail),
    FaultInfo::new(
        "dangling-alias",
        "view/name",
        "the name is an alias of one that does not exist",
        names::resolving,
        names::dangle,
    ),
    FaultInfo::new(
        "wrong-target",
        "view/name",
        "the name leads to another server of the plan",
        names::misleadable,
        names::mislead,
    ),
    FaultInfo::new(
        "stray-aaaa",
        "view/name",
        "a forgotten AAAA record stands beside the right addresses",
        names::with_addresses,
        names::add_stray,
    ),
    FaultInfo::new(
        "legacy-inside-only",
        "name",
        "the legacy name exists in internal views only",
        names::legacy_both_sides,
        names::keep_inside,
    ),
    FaultInfo::new(
        "legacy-equals-primary",
        "name",
        "the legacy name leads to the new servers, where the primary name leads",
        names::legacy_apart,
        names::join_primary,
    ),
    FaultInfo::new(
        "intranet-leak",
        "name",
        "the name for inside resolves outside too",
        names::forbidden_outside,
        names::leak,
    ),
    FaultInfo::new(
        "ttl-not-lowered",
        "name",
        "the records that are about to change still have their long TTL",
        names::flipping,
        names::keep_long_ttl,
    ),
];
