//! How old evidence may be.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::observation::Probe;
use crate::model::plan::Plan;

/// When a run began, seen from what is judged.
#[derive(Clone, Copy)]
pub(super) enum Age {
    /// After the time that is judged.
    Future,
    /// Before the newest run, by seconds; as much as nothing where no run counts.
    Past(i64),
}

/// How old evidence may be, in seconds: the plan's, and nearer of a view's resolvers and of a target's addresses.
pub(super) struct Ages<'a> {
    pub(super) plan: i64,
    /// The strictest of all.
    pub(super) least: i64,
    views: BTreeMap<&'a str, i64>,
    addresses: BTreeMap<IpAddr, i64>,
}

impl<'a> Ages<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut addresses: BTreeMap<IpAddr, i64> = BTreeMap::new();
        let servers = plan.servers.iter().map(|s| (&s.addresses, s.settings.max_age));
        let pools = plan.pools.iter().map(|p| (&p.addresses, p.settings.max_age));
        for (all, max_age) in servers.chain(pools) {
            for address in all.iter().flatten() {
                // Of several targets at one address the strictest counts.
                let age = addresses.entry(*address).or_insert(i64::from(max_age));
                *age = i64::from(max_age).min(*age);
            }
        }
        let views: BTreeMap<&str, i64> =
            plan.views.iter().map(|v| (&*v.label, i64::from(v.settings.max_age))).collect();
        let general = i64::from(plan.settings.max_age);
        let least = views.values().chain(addresses.values()).copied().min().map_or(general, |age| age.min(general));
        Self { plan: general, least, views, addresses }
    }

    /// How old what was seen of a probe may be.
    pub(super) fn max(&self, probe: &Probe) -> i64 {
        let nearer = match probe {
            Probe::File(_) => None,
            Probe::Dns(p) => self.views.get(&*p.view),
            Probe::Tls(p) => self.addresses.get(&p.address.ip()),
            Probe::Http(p) => self.addresses.get(&p.address.ip()),
        };
        nearer.copied().unwrap_or(self.plan)
    }
}
