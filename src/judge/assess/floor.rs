//! The least version of TLS that current clients speak, and who does not reach it.

use crate::judge::abilities;
use crate::judge::problem::{Culprit, EndpointFault};
use crate::model::plan::{Plan, Target};
use crate::model::tls::{Served, Stage, TlsOutcome};

/// True for the versions before TLS 1.2 (RFC 8996), as observers name them.
pub(super) fn is_old(version: &str) -> bool {
    version.starts_with("SSL ") || matches!(version, "TLS 1.0" | "TLS 1.1")
}

/// What the version and suite of a handshake say, where they are too old. A current client got none there only if it was
/// declined: what a recording calls old beside a whole handshake was another observer's.
pub(super) fn of_served(served: &Served) -> Option<EndpointFault> {
    let version = served.version.as_deref().filter(|v| is_old(v)).map(str::to_string);
    match (version, &served.declined, &served.cipher) {
        (Some(version), _, _) => Some(EndpointFault::BelowFloor { version: Some(version), unseen: false }),
        (None, Some(_), Some(suite)) => Some(EndpointFault::OldSuites { suite: suite.to_string() }),
        (None, Some(_), None) => Some(EndpointFault::OldSuites { suite: "an unknown suite".into() }),
        (None, None, _) => None,
    }
}

/// True if an outcome without a certificate says that the server speaks none of TLS 1.2 and 1.3. A server that refuses the handshake says so
/// only if the plan calls it a product that speaks none: else it may refuse for another reason.
pub(super) fn is_below(plan: &Plan, culprit: Culprit, outcome: &TlsOutcome) -> bool {
    match outcome {
        TlsOutcome::OldVersion(_) => true,
        TlsOutcome::Alert(alert) if alert == "protocol_version" => true,
        TlsOutcome::Alert(alert) if matches!(alert.as_str(), "handshake_failure" | "insufficient_security") => {
            is_old_product(plan, culprit)
        }
        // Windows Server 2003 finds no cipher suite that it knows, and hangs up.
        TlsOutcome::Closed(Stage::Handshake) => is_old_product(plan, culprit),
        _ => false,
    }
}

/// The version that the server chose, where it chose one.
pub(super) fn version(outcome: &TlsOutcome) -> Option<String> {
    match outcome {
        TlsOutcome::OldVersion(version) => Some(version.clone()),
        _ => None,
    }
}

fn is_old_product(plan: &Plan, culprit: Culprit) -> bool {
    match culprit {
        Culprit::Planned(Target::Server(server)) => abilities::of(plan.server(server)).is_some(),
        Culprit::Planned(Target::Pool(_)) | Culprit::Stranger(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_tls_1_2_are_old() {
        for (version, old) in [
            ("SSL 3.0", true),
            ("TLS 1.0", true),
            ("TLS 1.1", true),
            ("TLS 1.2", false),
            ("TLS 1.3", false),
            ("", false),
        ] {
            assert_eq!(is_old(version), old, "{version}");
        }
    }
}
