//! Faults of the ways into views.

use super::super::{FaultInfo, proxies};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "proxy-dead",
        "view",
        "nobody listens where the view's proxy is to be",
        proxies::views,
        proxies::die,
    ),
    FaultInfo::new(
        "proxy-refuses",
        "view",
        "the view's proxy leads nobody to any endpoint",
        proxies::views,
        proxies::refuse,
    ),
];
