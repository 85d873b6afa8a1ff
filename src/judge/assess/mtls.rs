//! Client certificates: who demands them, and what that looks like to one who has none.

use crate::model::plan::{Plan, Target};

/// True if the plan says that a target, or a member of the pool, demands client certificates.
pub(super) fn demands_client_certificates(plan: &Plan, target: Target) -> bool {
    match target {
        Target::Server(server) => plan.server(server).settings.mtls,
        Target::Pool(pool) => {
            let pool = plan.pool(pool);
            pool.settings.mtls || pool.all_members().iter().any(|m| plan.server(*m).settings.mtls)
        }
    }
}

/// True if a handshake's end is what one meets who was asked for a certificate and has none: the alerts of RFC 8446
/// section 6.2 and RFC 5246 section 7.4.6, or a closed connection, as IIS does it.
pub(super) fn demands_a_client_certificate(ended: &str) -> bool {
    const ENDS: &[&str] = &[
        "alert certificate_required",
        "alert handshake_failure",
        "alert bad_certificate",
        "alert certificate_unknown",
        "alert access_denied",
        "closed by the server",
    ];
    ENDS.contains(&ended)
}
