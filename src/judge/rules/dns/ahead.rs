//! Names of which the plan says nothing before the transition that is due: whatever answers until then is right, unless no
//! client can follow it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{deletions, in_zone, odd, zone_word};
use crate::judge::beside::{self, Host};
use crate::judge::case::Case;
use crate::judge::draft::Context;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, ViewId, Wanted};
use crate::model::questions;

/// What stands under such a name in a view.
pub(super) struct Ahead {
    pub(super) name: NameId,
    pub(super) view: ViewId,
    pub(super) host: Host,
}

/// Every such name in every view that is asked about; those that the plan demands something of at this moment all the
/// same have obligations of their own.
pub(super) fn ahead(context: &Context) -> Vec<Ahead> {
    let case = context.case;
    let all = questions::ahead(case.plan, case.policy);
    if all.is_empty() {
        return Vec::new();
    }
    let due = due(case);
    let open = all.into_iter().filter(|(n, v)| beside::asks(case, *v) && !due.contains(&(*n, *v)));
    let host = |(name, view): (NameId, ViewId)| {
        let host = beside::host(context, view, &case.plan.name(name).name.probe());
        Ahead { name, view, host }
    };
    open.map(host).collect()
}

fn due(case: &Case) -> BTreeSet<(NameId, ViewId)> {
    let of = |(i, o): (usize, &crate::model::obligation::Obligation)| match &*o.claim {
        Claim::Resolves { view, .. } if case.is_due(i) => Some((o.name, *view)),
        _ => None,
    };
    case.obligations.iter().enumerate().filter_map(of).collect()
}

impl Ahead {
    /// Addresses that no client of an external view can reach.
    pub(super) fn private(&self, case: &Case) -> BTreeSet<IpAddr> {
        let is_outside = case.plan.view(self.view).kind == crate::model::plan::ViewKind::External;
        let private = |a: &&IpAddr| is_outside && odd::is_private_for(case.plan, self.view, **a);
        self.host.addresses.iter().filter(private).copied().collect()
    }

    /// The alias that leads to nothing.
    pub(super) fn dangling(&self) -> Option<&str> {
        self.host.alias.as_deref().filter(|_| self.host.is_absent)
    }

    /// The records to delete, and those of the phase to come.
    pub(super) fn cure(&self, case: &Case, strays: &BTreeSet<IpAddr>) -> Vec<String> {
        let (plan, zone) = (case.plan, zone_word(case, self.view));
        let name = plan.name(self.name);
        let ttl = name.ttl.as_ref().map_or(plan.cutover.low_ttl, |t| t.value);
        let mut out = match &self.host.alias {
            Some(alias) => vec![format!("{zone}: delete {}. CNAME {}.", name.name, alias.trim_end_matches('.'))],
            None => deletions(case, self.name, self.view, strays),
        };
        let (_, second) = case.policy.moment(plan, self.view).phases();
        let targets = match second.map(|phase| (phase, name.wanted(self.view, phase))) {
            Some((phase, Wanted::Targets(targets))) => {
                targets.iter().flat_map(|t| plan.target_addresses(*t, self.view, phase)).collect()
            }
            _ => BTreeSet::new(),
        };
        for address in targets {
            super::add(case, self.view, &name.name, ttl, address).into_iter().for_each(|l| in_zone(&zone, l, &mut out));
        }
        out
    }
}
