//! Client certificates: who demands them, and what that looks like to one who has none.

use crate::model::plan::{Plan, Target};
use crate::model::tls::{ClientAuth, Served};

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

/// True if a handshake's end is what one meets whose client certificate is missing, or not to the server's liking: the alerts
/// of RFC 8446 section 6.2 and RFC 5246 section 7.2.2, or a closed connection, as IIS does it.
pub(super) fn ends_for_it(served: &Served) -> bool {
    const MISSING: &[&str] = &[
        "alert certificate_required",
        "alert handshake_failure",
        "alert bad_certificate",
        "alert certificate_unknown",
        "alert access_denied",
        "closed by the server",
    ];
    const DISLIKED: &[&str] = &[
        "alert unsupported_certificate",
        "alert certificate_revoked",
        "alert certificate_expired",
        "alert unknown_ca",
        "alert decrypt_error",
    ];
    let Some(ended) = served.ended.as_deref() else { return false };
    MISSING.contains(&ended) || (served.client == Some(ClientAuth::Shown) && DISLIKED.contains(&ended))
}
