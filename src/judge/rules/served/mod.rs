//! Rules about what endpoints serve.

mod chain_incomplete;
mod default_certificate_served;
mod endpoint_serves_wrong_certificate;
mod endpoint_unreachable;
mod extended_protection_mismatch;
mod hsts_covers_legacy;
mod mail_tls_endpoint_wrong;
pub(in crate::judge) mod modern_clients_cannot_connect;
mod pool_certificate_divergence;
mod redirect_behaviour;
mod starttls_injection;
mod tls_interception_suspected;
mod tls_version_below_floor;
mod untrusted_issuer_for_view;
mod web;
mod wrong_default_without_sni;

use super::Rule;

pub(super) use endpoint_serves_wrong_certificate::astray_keys;

/// The rules of this family.
pub(super) const RULES: &[Rule] = &[
    Rule { info: &endpoint_serves_wrong_certificate::INFO, check: endpoint_serves_wrong_certificate::check },
    Rule { info: &pool_certificate_divergence::INFO, check: pool_certificate_divergence::check },
    Rule { info: &default_certificate_served::INFO, check: default_certificate_served::check },
    Rule { info: &untrusted_issuer_for_view::INFO, check: untrusted_issuer_for_view::check },
    Rule { info: &chain_incomplete::INFO, check: chain_incomplete::check },
    Rule { info: &mail_tls_endpoint_wrong::INFO, check: mail_tls_endpoint_wrong::check },
    Rule { info: &endpoint_unreachable::INFO, check: endpoint_unreachable::check },
    Rule { info: &starttls_injection::INFO, check: starttls_injection::check },
    Rule { info: &tls_version_below_floor::INFO, check: tls_version_below_floor::check },
    Rule { info: &modern_clients_cannot_connect::INFO, check: modern_clients_cannot_connect::check },
    Rule { info: &extended_protection_mismatch::INFO, check: extended_protection_mismatch::check },
    Rule { info: &wrong_default_without_sni::INFO, check: wrong_default_without_sni::check },
    Rule { info: &redirect_behaviour::INFO, check: redirect_behaviour::check },
    Rule { info: &hsts_covers_legacy::INFO, check: hsts_covers_legacy::check },
    Rule { info: &tls_interception_suspected::INFO, check: tls_interception_suspected::check },
];
