//! Rules about the plan itself, about what could not be told, and about waivers.

mod doh_bypass;
pub(in crate::judge) mod evidence_missing;
mod frontend_without_certificate;
mod legacy_versions;
mod plan_inconsistent;
mod published_name_missing;
mod waiver_expired;
mod waiver_matched_nothing;

use super::Rule;

/// The rules of this family. The last one looks at what all others said.
pub(super) const RULES: &[Rule] = &[
    Rule { info: &plan_inconsistent::INFO, check: plan_inconsistent::check },
    Rule { info: &frontend_without_certificate::INFO, check: frontend_without_certificate::check },
    Rule { info: &published_name_missing::INFO, check: published_name_missing::check },
    Rule { info: &doh_bypass::INFO, check: doh_bypass::check },
    Rule { info: &evidence_missing::INFO, check: evidence_missing::check },
    Rule { info: &waiver_expired::INFO, check: waiver_expired::check },
    Rule { info: &waiver_matched_nothing::INFO, check: waiver_matched_nothing::check },
];
