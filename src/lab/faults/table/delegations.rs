//! Faults of delegations.

use super::super::{FaultInfo, delegations};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "parent-names-former-server",
        "zone",
        "the zone above names a server of the former hoster, in the place of the zone's last one",
        delegations::zones,
        delegations::name_former_server,
    ),
    FaultInfo::new(
        "glue-of-old-address",
        "zone",
        "the zone above has the address that the zone's first server once had",
        delegations::zones,
        delegations::keep_old_glue,
    ),
    FaultInfo::new(
        "delegated-server-without-address",
        "zone",
        "zone and zone above name a server of a hoster who is gone, and no address is known of it",
        delegations::zones,
        delegations::name_server_of_nowhere,
    ),
    FaultInfo::new(
        "delegated-hoster-refuses",
        "zone",
        "zone and zone above name a server of a hoster who does not have the zone",
        delegations::zones,
        delegations::let_hoster_refuse,
    ),
    FaultInfo::new(
        "delegated-server-refuses",
        "zone",
        "the last server that the zone above names does not have the zone",
        delegations::with_several,
        delegations::let_last_refuse,
    ),
];
