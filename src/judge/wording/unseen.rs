//! Why nothing can be told of an endpoint that was asked, and what to do next.

use super::{again, endpoint_fault, leaf, met_at, or_at_once, outcomes};
use crate::commands;
use crate::judge::case::Case;
use crate::judge::draft::Item;
use crate::judge::problem::{EndpointFault, Spot};
use crate::model::certificate::BlobId;
use crate::model::finding::TYPED;
use crate::model::proxy::ProxyFault;
use crate::model::service::{Protocol, Way};
use crate::model::tls::{Stage, TlsOutcome};

/// Why; what is said together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::judge) enum Unseen {
    /// It takes the connection and says nothing.
    SilentBeforeTls,
    /// It does not answer the handshake.
    SilentInTls,
    /// It refuses the handshake.
    Alert(String),
    /// It says to try later.
    TryLater,
    /// It sends more than is read.
    TooLarge,
    /// It breaks the protocol.
    Protocol,
    /// It speaks an older version of TLS, and showed no certificate to an older hello either.
    OldVersion,
    /// It is this machine that cannot look: why.
    Here(String),
    /// The proxy that was to lead there did not: which, and what became of it.
    Proxy(String, ProxyFault),
    /// The recording does not have the whole chain.
    NotRecorded,
    /// A certificate was served, and then the handshake failed: why.
    Unfinished(BlobId, String),
    /// A balanced address was tried so often, of how often.
    FewSamples(usize, usize),
}

/// Why nothing can be told of an item's endpoint; `None` if that is not its problem.
pub(in crate::judge) fn unseen(case: &Case, item: &Item) -> Option<Unseen> {
    match endpoint_fault(item)?.1 {
        EndpointFault::Unfinished { leaf, why } => Some(Unseen::Unfinished(*leaf, why.clone())),
        EndpointFault::FewSamples { seen, of } => Some(Unseen::FewSamples(*seen, *of)),
        EndpointFault::BelowFloor { unseen: true, .. } => Some(Unseen::OldVersion),
        EndpointFault::CouldNotLook => {
            let look = item.problem.looks.first();
            let proxy = look.and_then(|l| case.evidence.run(*l)?.proxy.clone()).unwrap_or_default();
            Some(look.and_then(|l| case.evidence.tls(*l)).map_or(Unseen::NotRecorded, |o| of_outcome(o, proxy)))
        }
        _ => None,
    }
}

fn of_outcome(outcome: &TlsOutcome, proxy: String) -> Unseen {
    match outcome {
        TlsOutcome::Timeout(Stage::Handshake) | TlsOutcome::GivenUp(Stage::Handshake) => Unseen::SilentInTls,
        TlsOutcome::Timeout(Stage::Connect | Stage::Dialogue) | TlsOutcome::GivenUp(_) => Unseen::SilentBeforeTls,
        TlsOutcome::Alert(alert) => Unseen::Alert(alert.clone()),
        TlsOutcome::TryLater(_) => Unseen::TryLater,
        TlsOutcome::TooLarge(_) => Unseen::TooLarge,
        TlsOutcome::CannotLook(why) => Unseen::Here(why.clone()),
        TlsOutcome::Proxy(fault) => Unseen::Proxy(proxy, fault.clone()),
        TlsOutcome::Certificate(_) => Unseen::NotRecorded,
        TlsOutcome::OldVersion(_) => Unseen::OldVersion,
        TlsOutcome::Refused
        | TlsOutcome::Closed(_)
        | TlsOutcome::Unreachable(_)
        | TlsOutcome::NotTls(_)
        | TlsOutcome::NotThisProtocol(_)
        | TlsOutcome::StarttlsNotOffered
        | TlsOutcome::StarttlsRefused(_)
        | TlsOutcome::BytesAfterGoAhead(_)
        | TlsOutcome::Protocol(_) => Unseen::Protocol,
    }
}

impl Unseen {
    /// The headline.
    pub(in crate::judge) fn title(&self, case: &Case, who: &str) -> String {
        match self {
            Self::SilentBeforeTls => format!("{who} takes the connection and says nothing"),
            Self::SilentInTls => format!("{who} does not answer the TLS handshake in time"),
            Self::Alert(alert) => format!("{who} refuses the handshake before it shows a certificate: {alert}"),
            Self::TryLater => format!("{who} says to try later"),
            Self::TooLarge => format!("{who} sends more than any server needs to"),
            Self::Protocol => format!("{who} speaks no TLS that this release understands"),
            Self::OldVersion => format!("the certificate of {who} is not known: it shows it to no hello, old or new"),
            Self::Here(_) => format!("{who} cannot be looked at from this machine"),
            Self::Proxy(proxy, fault) => format!("through {proxy}: {fault}"),
            Self::NotRecorded => format!("the chain that {who} serves is not wholly recorded"),
            Self::Unfinished(id, why) => {
                let subject = case.certificates.facts(*id).map_or("a certificate", |f| &f.subject);
                format!("{who} served {subject}, but the handshake did not finish: {why}")
            }
            Self::FewSamples(seen, of) => format!("{seen} of {of} tries at {who} seen"),
        }
    }

    /// What was met, and where.
    pub(in crate::judge) fn seen(&self, case: &Case, items: &[Item]) -> Vec<String> {
        match self {
            Self::Unfinished(id, _) => [vec![leaf(case, *id)], met_at(items)].concat(),
            Self::FewSamples(..) | Self::NotRecorded => met_at(items),
            _ => outcomes(case, items),
        }
    }

    /// What to do, to learn more.
    pub(in crate::judge) fn next(&self, case: &Case, who: &str, items: &[Item]) -> Vec<String> {
        if *self == Self::OldVersion {
            return by_hand(case, who, items);
        }
        let words = match self {
            Self::SilentBeforeTls => {
                format!(
                    "see on {who} whether the service hangs or lacks workers; `timeout` waits longer for a slow one{}",
                    first_spot(items).map(|spot| or_at_once(spot.way, spot.address.port())).unwrap_or_default()
                )
            }
            Self::SilentInTls => {
                format!("see {who}'s log, and what inspects TLS on the way; `timeout` waits longer for a slow one")
            }
            Self::Alert(_) | Self::Protocol => {
                format!("see in {who}'s log why it refuses: it was asked in every version from SSL 3.0 to TLS 1.3")
            }
            Self::OldVersion => String::new(),
            Self::TryLater => format!(
                "wait some minutes (a limit of connections, a restart), then again; if it goes on, see {who}'s log: the \
                 certificate or its key may not be readable"
            ),
            Self::TooLarge => format!("see what answers at {who}: a chain has three or four certificates"),
            Self::Here(_) => format!("from a machine that has a way to {who}"),
            Self::Proxy(proxy, fault) => mend_proxy(proxy, fault),
            Self::NotRecorded | Self::FewSamples(..) => "look again".into(),
            Self::Unfinished(..) => {
                format!("see {who}'s log; if it demands client certificates, say `mtls = true` at it in the plan")
            }
        };
        vec![words, again(case)]
    }
}

/// What to do about a proxy.
fn mend_proxy(proxy: &str, fault: &ProxyFault) -> String {
    use ProxyFault as P;
    match fault {
        P::NotReached(_) | P::Silent | P::GivenUp => format!("see that {proxy} is up and can be reached from here"),
        P::Authentication(_) => {
            format!("see the user in the URL of {proxy}, and the variable that `password-env` names")
        }
        P::NotAllowed(_) => format!("let {proxy} lead there: its rules name ports or networks"),
        P::NoWord => format!("see from {proxy} whether it gets there; `timeout` waits longer for a slow one"),
        P::Closed | P::Failed(_) => format!("see the log of {proxy}"),
        P::NotThisProtocol(_) | P::TooLarge(_) => format!("see what listens at {proxy}, and its scheme in the plan"),
    }
}

/// How to see an old server's certificate: OpenSSL still speaks TLS 1.0 if it is told to.
fn by_hand(case: &Case, who: &str, items: &[Item]) -> Vec<String> {
    let mut out =
        vec![format!("look at the certificate of {who} by hand; OpenSSL still speaks TLS 1.0 if it is told to:")];
    let first = items.iter().find_map(|i| Some((endpoint_fault(i)?.0, i.obligation.name)));
    if let Some((spot, name)) = first {
        let name = commands::posix(case.plan.name(name).name.probe().as_str());
        let starttls = starttls(spot.way).map(|word| format!(" -starttls {word}")).unwrap_or_default();
        out.push(format!(
            "{TYPED}openssl s_client -connect {}{starttls} -servername {name} -tls1 -cipher ALL:@SECLEVEL=0 -showcerts",
            spot.address
        ));
    }
    out
}

fn first_spot<'a>(items: &[Item<'a>]) -> Option<&'a Spot> {
    items.iter().find_map(|i| Some(endpoint_fault(i)?.0))
}

fn starttls(way: Way) -> Option<&'static str> {
    match way {
        Way::Starttls(Protocol::Smtp) => Some("smtp"),
        Way::Starttls(Protocol::Imap) => Some("imap"),
        Way::Starttls(Protocol::Pop3) => Some("pop3"),
        Way::Starttls(Protocol::Ldap) => Some("ldap"),
        Way::Starttls(Protocol::Ftp) => Some("ftp"),
        Way::Starttls(Protocol::Xmpp) => Some("xmpp"),
        Way::Starttls(Protocol::XmppServer) => Some("xmpp-server"),
        Way::Starttls(Protocol::Sieve) => Some("sieve"),
        Way::Starttls(Protocol::Postgres) => Some("postgres"),
        Way::Starttls(Protocol::Rdp) | Way::Implicit => None,
    }
}
