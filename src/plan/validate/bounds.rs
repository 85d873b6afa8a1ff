//! How large a plan may grow in what it demands: a small file can multiply views by names by servers by services.

use super::reader::Reader;
use crate::model::phase::Phase;
use crate::model::plan::{Plan, PlannedName, PoolTls, Target, Wanted};
use crate::model::source::Span;
use crate::plan::error::PlanError;

/// Entries of a table under the user's own keys.
pub(super) const ENTRIES: usize = 20_000;
/// Names of a table of names.
pub(super) const NAMES: usize = 100_000;
/// Views.
pub(super) const VIEWS: usize = 64;
/// Items of a list.
pub(super) const ITEMS: usize = 1_000;
/// Targets by name, view and phase; and endpoints by name.
const DEMANDS: usize = 1_000_000;

/// The items up to a limit; more are a mistake.
pub(super) fn bounded<'n, T>(reader: &Reader, items: &'n [T], most: usize, span: Span, what: &str) -> &'n [T] {
    if items.len() > most {
        let label = format!("{} {what}, at most {most} are read", items.len());
        reader.note::<()>(PlanError::at(span, "too many", label));
    }
    &items[..items.len().min(most)]
}

/// How many targets a name has over all views and phases.
pub(super) fn targets(name: &PlannedName) -> usize {
    let cells = name.wanted.iter().flatten();
    cells.map(|wanted| if let Wanted::Targets(t) = &wanted.value { t.len() } else { 0 }).sum()
}

/// True as long as there are no more than are read; the first beyond is a mistake.
pub(super) fn within(reader: &Reader, demands: usize, span: Span) -> bool {
    if demands > DEMANDS {
        let label = format!("from here on: more than {DEMANDS} looks for names at their servers");
        reader.note::<()>(PlanError::at(span, "the plan asks for too much", label).help("split it into several plans"));
    }
    demands <= DEMANDS
}

/// True if all names together lead to no more endpoints than are read.
pub(super) fn endpoints(reader: &Reader, plan: &Plan) -> bool {
    let servers: Vec<usize> = plan.servers.iter().map(|s| s.services.len().max(1)).collect();
    let of_pool = |pool: &crate::model::plan::Pool, phase| {
        let members: usize = pool.servers(phase).iter().map(|m| servers[m.0]).sum();
        let own = pool.services.as_ref().map_or(1, Vec::len);
        own + if pool.tls == PoolTls::Offload && pool.services.is_some() { 0 } else { members }
    };
    let pools = Phase::ALL.map(|phase| plan.pools.iter().map(|p| of_pool(p, phase)).collect::<Vec<_>>());
    let of = |target: &Target, phase: Phase| match target {
        Target::Server(id) => servers[id.0],
        Target::Pool(id) => pools[phase as usize][id.0],
    };
    let mut sum = 0usize;
    plan.names.iter().all(|name| {
        for (phase, wanted) in name.wanted.iter().flat_map(|phases| Phase::ALL.into_iter().zip(phases)) {
            if let Wanted::Targets(targets) = &wanted.value {
                sum = targets.iter().fold(sum, |sum, t| sum.saturating_add(of(t, phase)));
            }
        }
        within(reader, sum, name.span)
    })
}
