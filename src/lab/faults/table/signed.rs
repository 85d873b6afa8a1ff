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
        "signatures-expired-unseen",
        "zone",
        "the zone's signatures have expired, and no resolver of the plan validates",
        signed::zones,
        signed::let_expire,
    ),
    FaultInfo::new(
        "record-signatures-expired",
        "zone",
        "the signatures of the zone's records have expired, not those of its keys, and nobody validates",
        signed::zones,
        signed::let_records_expire,
    ),
    FaultInfo::new(
        "signatures-ahead",
        "zone",
        "the zone's signatures are not valid yet, and no resolver validates",
        signed::zones,
        signed::sign_ahead,
    ),
    FaultInfo::new(
        "signatures-of-other-records",
        "zone",
        "the zone's records were changed after they were signed, and no resolver validates",
        signed::zones,
        signed::forge,
    ),
    FaultInfo::new(
        "addresses-changed-after-signing",
        "zone",
        "addresses were changed in the signed zone, which was not signed anew, and nobody validates",
        signed::zones,
        signed::forge_addresses,
    ),
    FaultInfo::new(
        "signatures-expired-inside",
        "zone",
        "the zone is signed outside and inside, and the signatures inside have expired",
        signed::split_zones,
        signed::let_expire_inside,
    ),
    FaultInfo::new(
        "unsigned-inside",
        "zone",
        "the zone is signed outside and not inside, and resolvers inside validate",
        signed::split_zones,
        signed::leave_inside_unsigned,
    ),
];
