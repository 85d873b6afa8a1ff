//! judge(plan, obligations, evidence, policy, now) → judgement. Pure and synchronous: same input, same bytes out.

use jiff::Timestamp;

use crate::model::finding::{Judgement, Severity};
use crate::model::obligation::Obligation;
use crate::model::observation::Recording;
use crate::model::plan::Plan;
use crate::model::policy::Policy;

/// What is known of a rule without running it.
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
    todo!()
}

/// Judges.
pub fn judge(
    _plan: &Plan,
    _obligations: &[Obligation],
    _evidence: &Recording,
    _policy: &Policy,
    _now: Timestamp,
) -> Judgement {
    todo!()
}
