//! judge(plan, obligations, evidence, policy, now) → judgement. Pure and synchronous: same input, same bytes out.
//!
//! ```text
//! Recording ─evidence, certificates→ Case ─assess (truth)→ Assessments ─rules→ Drafts ─cause, waive→ Judgement
//! ```
//!
//! `assess` finds every problem of every obligation; a rule speaks of some kinds of problems and groups them by what is
//! to be mended; `cause` folds consequences under their cause; `verdict` counts.

mod abilities;
mod ages;
mod asked;
mod assess;
mod beside;
mod case;
mod cause;
mod certificates;
mod cure;
mod draft;
mod evidence;
mod in_use;
mod inspect;
mod issuance;
mod not_looked_at;
mod one_answer;
mod order;
mod out_of_box;
mod paths;
mod planned;
mod problem;
mod rules;
mod seen_from;
mod suspicion;
#[cfg(test)]
mod tests;
mod truth;
mod verdict;
mod waive;
mod wording;
#[cfg(test)]
mod world;

use jiff::Timestamp;

pub use inspect::{Asked, Look, inspect, uncovered};

use crate::model::finding::{Judgement, Severity};
use crate::model::obligation::{Claim, Obligation};
use crate::model::observation::Recording;
use crate::model::plan::Plan;
use crate::model::policy::Policy;
use crate::parallel;

use case::{Case, Suspicion};
use certificates::Certificates;
use draft::{Context, Draft};
use evidence::Evidence;

/// Rules about fewer obligations than this are not worth a thread.
const FEW: usize = 256;

/// What is known of a rule without running it.
#[derive(Debug)]
pub struct RuleInfo {
    /// Its name, stable once released.
    pub name: &'static str,
    /// Its family: the folder it stands in.
    pub family: &'static str,
    /// Its weight, unless the plan changes it.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// Where it comes from: an RFC's section, a vendor's page.
    pub citation: &'static str,
    /// The page that `coexist explain` prints: the sections What it means, Why it matters, Example, Cure, References.
    pub page: &'static str,
}

/// Every rule, in the order of their families.
pub fn rules() -> Vec<&'static RuleInfo> {
    rules::all().map(|r| r.info).collect()
}

/// Judges.
pub fn judge(
    plan: &Plan,
    obligations: &[Obligation],
    evidence: &Recording,
    policy: &Policy,
    now: Timestamp,
) -> Judgement {
    let index = Evidence::new(evidence, now, plan);
    let certificates = Certificates::new(plan, &index, evidence, now);
    let case = Case::new(plan, obligations, policy, &index, &certificates, now);
    let (assessed, suspicion) = assess_all(&case);
    let mut context = Context::new(&case, &assessed, &suspicion);
    let drafts = drafts(&context);
    context.forget_uses();
    verdict::judgement(&context, drafts)
}

/// What every rule says, in their order. The last one looks at what the others said.
fn drafts(context: &Context) -> Vec<Draft> {
    let all: Vec<_> = rules::all().collect();
    let Some((last, others)) = all.split_last() else { return Vec::new() };
    let said = |rule: usize| {
        let mut drafts = Vec::new();
        (others[rule].check)(context, &mut drafts);
        drafts
    };
    let mut drafts: Vec<Draft> = match context.case.obligations.len() {
        0..FEW => (0..others.len()).flat_map(said).collect(),
        _ => parallel::tasks(others.len(), said).into_iter().flatten().collect(),
    };
    (last.check)(context, &mut drafts);
    drafts
}

/// Judges every obligation; again those that a suspicion touches.
fn assess_all(case: &Case) -> (Vec<assess::Assessment>, Suspicion) {
    let believed = Suspicion::default();
    let count = case.obligations.len();
    let assessed = parallel::each(count, |i| assess::assess(case, i, &believed));
    let suspicion = suspicion::suspect(case, &assessed);
    if suspicion == believed {
        return (assessed, suspicion);
    }
    let again = parallel::each(count, |i| match *case.obligations[i].claim {
        Claim::Covers { .. } => assessed[i].clone(),
        _ => assess::assess(case, i, &suspicion),
    });
    (again, suspicion)
}
