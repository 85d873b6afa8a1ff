//! Rules about certificates themselves: their names, dates, keys and issuers.

mod certificate_file_part_unread;
mod certificate_not_currently_valid;
mod clientauth_ending;
mod cn_only_certificate;
mod eku_missing_serverauth;
mod expires_inside_phase;
mod files;
mod idn_or_syntax;
mod intranet_name_in_public_certificate;
mod key_on_retired_node;
pub(in super::super) mod lacking;
mod legacy_os_cannot_use_certificate;
mod mtls_clientauth_missing;
mod pfx_too_new_for_target;
mod private_key_in_certificate_file;
mod renewal_inside_coexistence;
mod replaced;
mod replacement_drops_name;
mod san_count_over_limit;
mod san_missing_name;
mod san_near_miss;
mod signature_does_not_verify;
mod superfluous_san;
mod uncertifiable_name;
mod validity_exceeds_limit;
pub(in super::super) mod weak_key_or_signature;
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
    Rule { info: &pfx_too_new_for_target::INFO, check: pfx_too_new_for_target::check },
    Rule { info: &mtls_clientauth_missing::INFO, check: mtls_clientauth_missing::check },
    Rule { info: &san_near_miss::INFO, check: san_near_miss::check },
    Rule { info: &idn_or_syntax::INFO, check: idn_or_syntax::check },
    Rule { info: &uncertifiable_name::INFO, check: uncertifiable_name::check },
    Rule { info: &certificate_not_currently_valid::INFO, check: certificate_not_currently_valid::check },
    Rule { info: &expires_inside_phase::INFO, check: expires_inside_phase::check },
    Rule { info: &renewal_inside_coexistence::INFO, check: renewal_inside_coexistence::check },
    Rule { info: &weak_key_or_signature::INFO, check: weak_key_or_signature::check },
    Rule { info: &eku_missing_serverauth::INFO, check: eku_missing_serverauth::check },
    Rule { info: &validity_exceeds_limit::INFO, check: validity_exceeds_limit::check },
    Rule { info: &clientauth_ending::INFO, check: clientauth_ending::check },
    Rule { info: &san_count_over_limit::INFO, check: san_count_over_limit::check },
    Rule { info: &intranet_name_in_public_certificate::INFO, check: intranet_name_in_public_certificate::check },
    Rule { info: &signature_does_not_verify::INFO, check: signature_does_not_verify::check },
    Rule { info: &private_key_in_certificate_file::INFO, check: private_key_in_certificate_file::check },
    Rule { info: &certificate_file_part_unread::INFO, check: certificate_file_part_unread::check },
    Rule { info: &key_on_retired_node::INFO, check: key_on_retired_node::check },
    Rule { info: &superfluous_san::INFO, check: superfluous_san::check },
];
