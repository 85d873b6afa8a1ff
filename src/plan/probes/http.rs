//! Questions for `/`, where the plan speaks of redirects or of what a site makes browsers remember.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::Asker;
use crate::model::http::{HttpProbe, Page, is_declared, is_web};
use crate::model::obligation::{Claim, Obligation};
use crate::model::policy::{Policy, Scope};
use crate::model::probes::HttpAsk;

/// Every name at every server of which the plan says where its web site sends users, and every name of `[cutover] hsts`, at the
/// server's own addresses.
pub(super) fn ask(asker: &mut Asker<'_>, obligations: &[Obligation], policy: &Policy) {
    if policy.scope == Scope::Files {
        return;
    }
    let plan = asker.plan;
    let mut asked = BTreeSet::new();
    for obligation in obligations.iter().filter(|o| policy.asks_for(plan, o)) {
        let (name, Claim::Serves { server, service, .. }) = (obligation.name, &*obligation.claim) else { continue };
        let is_site = plan.cutover.hsts.contains_key(&plan.name(name).name);
        if !is_web(service) || !(is_site || is_declared(plan, *server)) {
            continue;
        }
        let addresses = plan.server(*server).own_addresses(&plan.views);
        let reached: Vec<_> = addresses.into_iter().filter_map(|a| Some((a, asker.way_to(a)?))).collect();
        for (address, via) in reached {
            let name = plan.name(name).name.probe();
            let probe = HttpProbe { address: SocketAddr::new(address, service.port), name, page: Page::Root };
            if asked.insert(probe.clone()) {
                let timeout_ms = plan.server(*server).settings.timeout_ms;
                asker.out.http.push(HttpAsk { probe, via, timeout_ms });
            }
        }
    }
}
