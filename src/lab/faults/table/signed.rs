//! Faults of DNSSEC.

use super::super::{FaultInfo, signed};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "ds-of-old-key",
        "zone",
        "the parent's DS is of a key that the zone no longer has, and resolvers outside validate",
        signed::zones,
        signed::keep_old_ds,
    ),
    FaultInfo::new(
        "signatures-expired",
        "zone",
        "the zone's signatures have expired, and resolvers outside validate",
        signed::zones,
        signed::break_signatures,
    ),
    FaultInfo::new(
        "unsigned-inside",
        "zone",
        "the zone is signed outside and not inside, and resolvers inside validate",
        signed::split_zones,
        signed::leave_inside_unsigned,
    ),
];
