//! Rules about certificates themselves: their names and dates.

mod certificate_not_currently_valid;
mod cn_only_certificate;
pub(in super::super) mod lacking;
mod legacy_os_cannot_use_certificate;
mod mtls_clientauth_missing;
mod replaced;
mod replacement_drops_name;
mod san_missing_name;
mod wildcard_depth_mismatch;
mod wildcard_in_pop_imap;

use super::Rule;

/// The rules of this family.
pub(super) const RULES: &[Rule] = &[
    Rule { info: &san_missing_name::INFO, check: san_missing_name::check },
    Rule { info: &wildcard_depth_mismatch::INFO, check: wildcard_depth_mismatch::check },
    Rule { info: &cn_only_certificate::INFO, check: cn_only_certificate::check },
    Rule { info: &replacement_drops_name::INFO, check: replacement_drops_name::check },
    Rule { info: &wildcard_in_pop_imap::INFO, check: wildcard_in_pop_imap::check },
    Rule { info: &legacy_os_cannot_use_certificate::INFO, check: legacy_os_cannot_use_certificate::check },
    Rule { info: &mtls_clientauth_missing::INFO, check: mtls_clientauth_missing::check },
    Rule { info: &certificate_not_currently_valid::INFO, check: certificate_not_currently_valid::check },
];
