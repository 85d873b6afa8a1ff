//! Rules about names for what stays on the old servers.

mod legacy_equals_primary_target;
mod legacy_name_single_view;
mod legacy_name_uncovered;
mod legacy_residue;
mod redirect_target_single_url;

use super::Rule;

pub(super) use legacy_residue::is_residue;

/// The rules of this family.
pub(super) const RULES: &[Rule] = &[
    Rule { info: &legacy_name_uncovered::INFO, check: legacy_name_uncovered::check },
    Rule { info: &legacy_name_single_view::INFO, check: legacy_name_single_view::check },
    Rule { info: &legacy_equals_primary_target::INFO, check: legacy_equals_primary_target::check },
    Rule { info: &redirect_target_single_url::INFO, check: redirect_target_single_url::check },
    Rule { info: &legacy_residue::INFO, check: legacy_residue::check },
];
