//! The obligations of all names of which the plan says the same. A large plan says few different things of many names: what
//! is demanded is worked out once for each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::demands::Demand;
use crate::model::obligation::{self, Drain, Obligation};
use crate::model::phase::{Moment, MomentSet, Phase};
use crate::model::plan::{NameId, Plan, PlannedName, ViewId};
use crate::model::source::{Located, Span};

/// The TTL that an old answer is taken to have had where the plan does not say `ttl-before`: a day, the longest in common
/// use. The planned `ttl` says nothing of the record that was there before.
const UNKNOWN_TTL: u32 = 86_400;

/// The place that says so.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// This one, for all names.
    Of(Span),
    /// Where the name has its targets in a view and phase.
    Wanted(ViewId, Phase),
}

/// The obligations of a name, the name left out.
pub(super) struct Pattern {
    rows: Vec<Row>,
}

/// An obligation without its name.
struct Row {
    demand: Arc<obligation::Demand>,
    origin: Origin,
}

/// True if the plan demands the same of both names.
pub(super) fn are_alike(a: &PlannedName, b: &PlannedName) -> bool {
    let value = |v: &Option<Located<u32>>| v.as_ref().map(|v| v.value);
    (a.table, a.answers_any) == (b.table, b.answers_any)
        && (value(&a.ttl), value(&a.ttl_before)) == (value(&b.ttl), value(&b.ttl_before))
        && a.services == b.services
        && a.certificate.as_ref().map(|c| &c.parts) == b.certificate.as_ref().map(|c| &c.parts)
        && a.cname.as_ref().map(|c| &c.value) == b.cname.as_ref().map(|c| &c.value)
        && a.wanted.iter().flatten().zip(b.wanted.iter().flatten()).all(|(a, b)| a.value == b.value)
}

impl Pattern {
    /// That of some demands, sorted, and of a name that has them.
    pub(super) fn of(plan: &Plan, name: &PlannedName, demands: Vec<Demand>) -> Self {
        let ids = ids(plan, &demands);
        let row = |(demand, around): (Demand, (String, String))| Row {
            origin: demand.origin,
            demand: Arc::new(obligation::Demand {
                around: around.into(),
                drain: demand.key.is_draining().then(|| Drain { hold: hold(plan, name, &demand.holds) }),
                holds: demand.holds.into(),
                claim: demand.key.claim().into(),
            }),
        };
        Self { rows: demands.into_iter().zip(ids).map(row).collect() }
    }

    /// The obligations of one of the names.
    pub(super) fn oblige(&self, plan: &Plan, id: NameId, out: &mut Vec<Obligation>) {
        let name = plan.name(id);
        let span = |row: &Row| match row.origin {
            Origin::Of(span) => span,
            Origin::Wanted(view, phase) => name.wanted[view.0][phase as usize].span,
        };
        out.extend(self.rows.iter().map(|row| Obligation { demand: row.demand.clone(), name: id, span: span(row) }));
    }

    /// How many obligations each name has.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// What stands before and behind the name in each id, so that no two are the same.
fn ids(plan: &Plan, demands: &[Demand]) -> Vec<(String, String)> {
    let bases: Vec<(String, &str)> = demands.iter().map(|d| d.key.id(plan)).collect();
    let mut count: BTreeMap<&(String, &str), usize> = BTreeMap::new();
    bases.iter().for_each(|b| *count.entry(b).or_default() += 1);
    let mut earlier: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut out = Vec::with_capacity(bases.len());
    for (base, demand) in bases.iter().zip(demands) {
        let mut behind = base.1.to_string();
        if count.get(base) != Some(&1) {
            behind.push('@');
            behind.push_str(&moments(demand));
        }
        // A round robin whose members change has two address sets in the moment of the change.
        let nth = earlier.entry((base.0.clone(), behind.clone())).or_default();
        *nth += 1;
        if *nth > 1 {
            behind.push_str(&format!("#{nth}"));
        }
        out.push((base.0.clone(), behind));
    }
    out
}

/// The moments in words; the changes between phases only where no steady phase tells the obligation from its siblings.
fn moments(demand: &Demand) -> String {
    let all = demand.holds.iter().fold(MomentSet::EMPTY, |all, (_, moments)| all.union(*moments));
    let words = |steady: bool| -> Vec<String> {
        let wanted = all.iter().filter(|m| matches!(m, Moment::Steady(_)) == steady);
        wanted.map(|m| m.to_string().replace(' ', ":")).collect()
    };
    let phases = words(true);
    if phases.is_empty() { words(false).join(",") } else { phases.join(",") }
}

/// How long after the flip a cache may hold the old answer, as far as the plan says.
fn hold(plan: &Plan, name: &PlannedName, holds: &[(ViewId, MomentSet)]) -> u32 {
    let declared = name.ttl_before.as_ref().map(|t| t.value.max(name.ttl.as_ref().map_or(0, |t| t.value)));
    let propagation = holds.iter().filter_map(|(v, _)| plan.cutover.propagation.get(v.0)).max().copied().unwrap_or(0);
    declared.unwrap_or(UNKNOWN_TTL).saturating_add(propagation).saturating_add(plan.cutover.slack)
}
