//! What stands in the matrix.

use crate::judge::assess::Cell;
use crate::judge::case::Case;
use crate::judge::problem::{EndpointFault, Fault, Problem};
use crate::model::tls::TlsOutcome;
use crate::pki::Untrusted;

/// The word for a problem.
pub(super) fn of(case: &Case, problem: &Problem) -> Cell {
    use EndpointFault as E;
    let Fault::Endpoint(_, fault) = &problem.fault else { return Cell::default() };
    let word = match fault {
        // `TLS1.0`: one word, as it stands beside the marks of the matrix.
        E::BelowFloor { version: Some(version), unseen: false } => return Cell::Text(version.replace(' ', "").into()),
        E::NoTls => match problem.looks.first().and_then(|l| case.evidence.tls(*l)) {
            Some(TlsOutcome::Refused) => "refused",
            Some(TlsOutcome::Closed(_)) => "closed",
            Some(TlsOutcome::Timeout(_)) => "timeout",
            Some(TlsOutcome::StarttlsNotOffered | TlsOutcome::StarttlsRefused(_)) => "no STARTTLS",
            Some(TlsOutcome::NotTls(_) | TlsOutcome::NotThisProtocol(_)) => "not TLS",
            _ => "no TLS",
        },
        E::Injected => "injected",
        E::WrongName { .. } => "wrong name",
        E::WrongLeaf { .. } => "other cert",
        E::WrongKey { .. } => "wrong key",
        E::Unreadable { .. } => "unreadable",
        E::OutOfDate { date, .. } if case.now < date.not_before => "not valid yet",
        E::OutOfDate { .. } => "out of date",
        E::Untrusted { why: Untrusted::MissingIntermediate { .. }, .. } => "chain",
        E::Untrusted { .. } => "untrusted",
        E::BelowFloor { .. } => "old TLS",
        E::OldSuites { .. } => "old ciphers",
        E::NoFace { .. } => "missing",
        E::CouldNotLook | E::Unfinished { .. } | E::FewSamples { .. } | E::Unseen | E::Stale(_) => "",
        E::NotStanding | E::NoAnchors { .. } | E::Intercepted { .. } => "",
    };
    Cell::Word(word)
}
