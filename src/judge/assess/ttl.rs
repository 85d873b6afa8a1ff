//! TTLs that must be low before a flip.

use super::super::case::{Case, Suspicion};
use super::super::problem::{DnsFault, Fault};
use super::dns::{Heard, Word, combine, hear_planned};
use super::{Assessment, Cell, problem};
use crate::model::plan::{NameId, ViewId};

/// Judges the TTL of each link and address. A cache's remaining TTL is at most the zone's, so one above the bound fails;
/// one below it passes, though the zone's may be higher: only an authoritative server could tell.
pub(super) fn lowered(case: &Case, name: NameId, view: ViewId, at_most: u32, suspicion: &Suspicion) -> Assessment {
    let word = |resolver: usize| {
        let heard = hear_planned(case, name, view, resolver);
        let highest = highest(&heard);
        let fault = match &highest {
            _ if suspicion.resolvers.contains(&(view, resolver)) => Some(DnsFault::Intercepted),
            Some((ttl, owner)) if *ttl > at_most => {
                Some(DnsFault::TtlTooHigh { owner: owner.clone(), ttl: *ttl, at_most })
            }
            Some(_) => heard.unknown(),
            None => Some(heard.unknown().unwrap_or(DnsFault::Silent { word: heard.words() })),
        };
        let looks: Vec<_> = heard.outcomes.iter().map(|(_, look, _)| *look).collect();
        let problems = fault.map(|f| problem(Fault::Dns(view, resolver, f), &looks)).into_iter().collect();
        let cell = highest.map(|(ttl, _)| Cell::Text(format!("{ttl} s").into()));
        Word { problems, cell: cell.unwrap_or_default() }
    };
    combine((0..case.plan.view(view).resolvers.len()).map(word))
}

/// The highest TTL of the answers, and whose it is.
fn highest(heard: &Heard) -> Option<(u32, String)> {
    let replies = heard.outcomes.iter().filter_map(|(_, _, o)| o.reply());
    let ttls = replies.flat_map(|r| {
        let links = r.chain.iter().map(|l| (l.ttl, l.owner.clone()));
        links.chain(r.addresses.iter().map(|a| (a.ttl, a.address.to_string())))
    });
    ttls.max()
}
