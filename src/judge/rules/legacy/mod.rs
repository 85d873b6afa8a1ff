//! Rules about names for what stays on the old servers.

mod legacy_equals_primary_target;
mod legacy_name_single_view;
mod legacy_name_uncovered;

use super::Rule;

/// The rules of this family.
pub(super) const RULES: &[Rule] = &[
    Rule { info: &legacy_name_uncovered::INFO, check: legacy_name_uncovered::check },
    Rule { info: &legacy_name_single_view::INFO, check: legacy_name_single_view::check },
    Rule { info: &legacy_equals_primary_target::INFO, check: legacy_equals_primary_target::check },
];
