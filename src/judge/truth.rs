//! The truth table: each outcome × each expectation → holds, does not hold, or could not tell.

use crate::model::dns::DnsOutcome;
use crate::model::tls::{Possession, Served, Stage, TlsOutcome};

/// What is hoped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// There must be an answer; what it says is compared after.
    Present,
    /// There must be none.
    Absent,
    /// Both are right.
    Either,
    /// Nothing is hoped for.
    Unconstrained,
}

/// What an outcome says of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    /// It holds.
    Pass,
    /// It could not be told. Never a pass.
    Unobserved,
    /// It does not hold.
    Fail,
}

/// What an outcome is, whatever was hoped for.
enum Kind {
    There,
    NotThere,
    /// Broken for every client, but it does not prove an absence.
    Broken,
    /// Says nothing of what a client meets.
    Silent,
}

use Expectation::{Absent, Either, Present, Unconstrained};
use Truth::{Fail, Pass, Unobserved};

fn table(kind: Kind, expectation: Expectation) -> Truth {
    match (kind, expectation) {
        (_, Unconstrained) => Pass,
        (Kind::There, Present | Either) => Pass,
        (Kind::There, Absent) => Fail,
        (Kind::NotThere, Present) => Fail,
        (Kind::NotThere, Absent | Either) => Pass,
        (Kind::Broken, Present) => Fail,
        (Kind::Broken, Absent | Either) => Unobserved,
        (Kind::Silent, Present | Absent | Either) => Unobserved,
    }
}

/// What a query's outcome says of an expectation. SERVFAIL fails what must resolve, since every client of that resolver
/// meets it; REFUSED may be about us and is no word about the name.
pub(super) fn dns(outcome: &DnsOutcome, expectation: Expectation) -> Truth {
    let kind = match outcome {
        DnsOutcome::Answer(_) => Kind::There,
        DnsOutcome::NoData(_) | DnsOutcome::NxDomain(_) => Kind::NotThere,
        DnsOutcome::ServFail => Kind::Broken,
        // Whoever is asked next may say anything.
        DnsOutcome::Referral(_)
        | DnsOutcome::Refused
        | DnsOutcome::Code(_)
        | DnsOutcome::Timeout
        | DnsOutcome::Unreachable(_)
        | DnsOutcome::Malformed(_)
        | DnsOutcome::GivenUp => Kind::Silent,
    };
    table(kind, expectation)
}

/// What a connection's outcome says of an expectation. An endpoint that must serve and to which no connection can be
/// made, or which speaks no TLS there, hurts clients too. What stops in the handshake may be about us: a server that
/// declined a hello of every version, or wants a client certificate, is not judged by that.
pub(super) fn tls(outcome: &TlsOutcome, expectation: Expectation) -> Truth {
    let kind = match outcome {
        TlsOutcome::Certificate(_) => Kind::There,
        TlsOutcome::Refused
        | TlsOutcome::Unreachable(_)
        | TlsOutcome::NotTls(_)
        | TlsOutcome::NotThisProtocol(_)
        | TlsOutcome::StarttlsNotOffered
        | TlsOutcome::StarttlsRefused(_)
        | TlsOutcome::BytesAfterGoAhead(_)
        | TlsOutcome::Timeout(Stage::Connect)
        | TlsOutcome::GivenUp(Stage::Connect)
        // IIS without a certificate hangs up in the handshake.
        | TlsOutcome::Closed(_) => Kind::Broken,
        TlsOutcome::Alert(alert) if refuses_the_name(alert) => Kind::Broken,
        TlsOutcome::Timeout(Stage::Dialogue | Stage::Handshake)
        | TlsOutcome::GivenUp(Stage::Dialogue | Stage::Handshake)
        | TlsOutcome::Alert(_)
        | TlsOutcome::TryLater(_)
        | TlsOutcome::TooLarge(_)
        | TlsOutcome::OldVersion(_)
        | TlsOutcome::Protocol(_)
        | TlsOutcome::CannotLook(_)
        // What a proxy says of itself is no word about the endpoint.
        | TlsOutcome::Proxy(_) => Kind::Silent,
    };
    table(kind, expectation)
}

/// What a handshake says of the server's holding the key of its certificate. One that was finished, or should have been,
/// tells; of the clear part of an older one it is asked no more than what that can show, which the report says: the
/// certificate is judged like any other.
pub(super) fn possession(served: &Served) -> Truth {
    match (&served.possession, &served.ended, &served.declined) {
        (Possession::Failed(_), _, _) => Fail,
        (_, Some(_), _) => Unobserved,
        (Possession::Proved, None, _) => Pass,
        (Possession::NotProved(_), None, Some(_)) => Pass,
        (Possession::NotProved(_), None, None) => Unobserved,
    }
}

/// True for the alert by which a server says that it does not serve the name that was asked for (RFC 6066 section 3),
/// in any spelling.
fn refuses_the_name(alert: &str) -> bool {
    let letters: String = alert.chars().filter(char::is_ascii_alphabetic).collect();
    matches!(letters.to_ascii_lowercase().as_str(), "unrecognizedname" | "unrecognisedname")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dns::{Referral, Reply};
    use crate::model::proxy::ProxyFault;
    use crate::model::tls::{Possession, Served};

    const ALL: [Expectation; 4] = [Present, Absent, Either, Unconstrained];
    const THERE: [Truth; 4] = [Pass, Fail, Pass, Pass];
    const NOT_THERE: [Truth; 4] = [Fail, Pass, Pass, Pass];
    const BROKEN: [Truth; 4] = [Fail, Unobserved, Unobserved, Pass];
    const SILENT: [Truth; 4] = [Unobserved, Unobserved, Unobserved, Pass];

    #[test]
    fn every_cell_of_dns() {
        let text = || "x".to_string();
        for (outcome, row) in [
            (DnsOutcome::Answer(Reply::default()), THERE),
            (DnsOutcome::NoData(Reply::default()), NOT_THERE),
            (DnsOutcome::NxDomain(Reply::default()), NOT_THERE),
            (DnsOutcome::ServFail, BROKEN),
            (DnsOutcome::Referral(Referral { zone: text(), servers: Vec::new() }), SILENT),
            (DnsOutcome::Refused, SILENT),
            (DnsOutcome::Code(9), SILENT),
            (DnsOutcome::Timeout, SILENT),
            (DnsOutcome::Unreachable(text()), SILENT),
            (DnsOutcome::Malformed(text()), SILENT),
            (DnsOutcome::GivenUp, SILENT),
        ] {
            assert_eq!(ALL.map(|e| dns(&outcome, e)), row, "{outcome:?}");
        }
    }

    #[test]
    fn every_cell_of_possession() {
        let text = || "x".to_string();
        let kinds = [Possession::Proved, Possession::NotProved(text()), Possession::Failed(text())];
        for (ended, declined, row) in [
            (false, false, [Pass, Unobserved, Fail]),
            (false, true, [Pass, Pass, Fail]),
            (true, false, [Unobserved, Unobserved, Fail]),
            (true, true, [Unobserved, Unobserved, Fail]),
        ] {
            for (possession, truth) in kinds.iter().zip(row) {
                let served = Served {
                    chain: Vec::new(),
                    possession: possession.clone(),
                    version: None,
                    cipher: None,
                    client: None,
                    ended: ended.then(|| "x".into()),
                    declined: declined.then(|| Box::new(TlsOutcome::Alert(text()))),
                };
                assert_eq!(super::possession(&served), truth, "{possession:?} {ended} {declined}");
            }
        }
    }

    #[test]
    fn every_cell_of_tls() {
        let text = || "x".to_string();
        let served = |possession| {
            TlsOutcome::Certificate(Served {
                chain: Vec::new(),
                possession,
                version: None,
                cipher: None,
                client: None,
                ended: None,
                declined: None,
            })
        };
        for (outcome, row) in [
            (served(Possession::Proved), THERE),
            (served(Possession::NotProved(text())), THERE),
            (served(Possession::Failed(text())), THERE),
            (TlsOutcome::Refused, BROKEN),
            (TlsOutcome::Unreachable(text()), BROKEN),
            (TlsOutcome::NotTls(vec![0]), BROKEN),
            (TlsOutcome::NotThisProtocol(vec![0]), BROKEN),
            (TlsOutcome::StarttlsNotOffered, BROKEN),
            (TlsOutcome::StarttlsRefused(text()), BROKEN),
            (TlsOutcome::BytesAfterGoAhead(vec![0]), BROKEN),
            (TlsOutcome::Timeout(Stage::Connect), BROKEN),
            (TlsOutcome::GivenUp(Stage::Connect), BROKEN),
            (TlsOutcome::GivenUp(Stage::Handshake), SILENT),
            (TlsOutcome::Closed(Stage::Connect), BROKEN),
            (TlsOutcome::Closed(Stage::Dialogue), BROKEN),
            (TlsOutcome::Closed(Stage::Handshake), BROKEN),
            (TlsOutcome::Alert("unrecognized_name".into()), BROKEN),
            (TlsOutcome::Alert("handshake_failure".into()), SILENT),
            (TlsOutcome::Alert("protocol_version".into()), SILENT),
            (TlsOutcome::Timeout(Stage::Dialogue), SILENT),
            (TlsOutcome::Timeout(Stage::Handshake), SILENT),
            (TlsOutcome::Alert(text()), SILENT),
            (TlsOutcome::TryLater(text()), SILENT),
            (TlsOutcome::TooLarge(text()), SILENT),
            (TlsOutcome::OldVersion(text()), SILENT),
            (TlsOutcome::Protocol(text()), SILENT),
            (TlsOutcome::CannotLook(text()), SILENT),
            (TlsOutcome::Proxy(ProxyFault::NotAllowed(text())), SILENT),
        ] {
            assert_eq!(ALL.map(|e| tls(&outcome, e)), row, "{outcome:?}");
        }
    }
}
