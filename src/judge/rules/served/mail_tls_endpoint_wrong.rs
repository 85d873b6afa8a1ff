//! Mail services of a server do not serve what its other services do.

use std::collections::{BTreeMap, BTreeSet};

use super::super::certificate::lacking;
use super::default_certificate_served::pools;
use crate::commands;
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::cure;
use crate::judge::draft::{Context, Draft, Item, Key};
use crate::judge::problem::{Culprit, EndpointFault, Fault};
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, ServerId, Target};
use crate::model::service::{Protocol, Service, Way};
use crate::model::tls::{Stage, TlsOutcome};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "mail-tls-endpoint-wrong",
    family: "served",
    severity: Severity::Error,
    summary: "a server's mail services do not serve the certificate that its other services have",
    citation: "RFC 8314 section 3; RFC 3207; Microsoft, Assign certificates to Exchange Server services",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

SMTP, IMAP or POP of a server serve another certificate, or none, while other services of the same server are right: the
certificate is there, and these services do not use it. Exchange assigns a certificate to each service; elsewhere each
daemon loads a copy of its own. If all of a server's services are wrong, or its web service is, other rules speak.

# Why it matters

Whoever looks with a browser sees a good server. Mail clients warn, and partners that demand STARTTLS stop delivering:
after a renewal, sometimes weeks later, when the old certificate expires.

# Example

    ex19-02: IIS serves the new certificate, IMAP and POP the one of the installation

Get-ExchangeCertificate shows `...WS..` at the new certificate: web and SMTP, but neither I nor P. Or Dovecot still has
the old file in memory, while nginx was reloaded.

# Cure

Assign the certificate to the services that the finding lists, or reload the daemon. If STARTTLS is not offered on
Exchange, see event 12014: a connector's TlsCertificateName names a certificate that is gone.

# References

RFC 8314 section 3; RFC 3207 section 4; RFC 2595;
https://learn.microsoft.com/exchange/architecture/client-access/assign-certificates-to-services;
https://learn.microsoft.com/exchange/troubleshoot/email-delivery/cannot-receive-mail-with-new-certificate
";

/// Ports at which mail speaks TLS at once (RFC 8314 section 7.3).
const IMPLICIT: &[u16] = &[465, 993, 995];

/// True for the services of mail.
pub(super) fn is_mail(service: &Service) -> bool {
    match service.way {
        Way::Starttls(Protocol::Smtp | Protocol::Imap | Protocol::Pop3) => true,
        Way::Starttls(_) => false,
        Way::Implicit => {
            const WORDS: &[&str] = &["smtps", "submissions", "imaps", "pop3s", "SMTP", "IMAP", "POP"];
            WORDS.contains(&service.word) || IMPLICIT.contains(&service.port)
        }
    }
}

/// Servers of which mail services are wrong and nothing else is, each with the leaves that its right services serve.
pub(super) struct OnlyMail {
    right: BTreeMap<ServerId, BTreeSet<BlobId>>,
    /// The certificates that the plan wants at those.
    wanted: BTreeMap<ServerId, BTreeSet<CertId>>,
    /// Ports at which a server itself listens and shows no certificate.
    mute: BTreeSet<(ServerId, u16)>,
}

impl OnlyMail {
    /// Looks at all that is due of each server itself.
    pub(super) fn of(context: &Context) -> Self {
        let case = context.case;
        // Each service once, however many names are asked for there.
        let mut services: BTreeMap<ServerId, Vec<(&Service, Truth)>> = BTreeMap::new();
        for (i, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
            if let Claim::Serves { server, service, .. } = &*obligation.claim {
                let (said, of_server) = ((service, context.assessed[i].truth), services.entry(*server).or_default());
                if !of_server.contains(&said) {
                    of_server.push(said);
                }
            }
        }
        let leaves = |(server, services): (ServerId, Vec<(&Service, Truth)>)| {
            let fails = |s: &Service| services.iter().any(|(o, t)| o.port == s.port && *t == Truth::Fail);
            let well = services.iter().filter(|(s, t)| *t == Truth::Pass && !fails(s));
            let right: BTreeSet<BlobId> = well.flat_map(|(s, _)| case.certificates.served_at(server, s)).collect();
            let only_mail = services.iter().all(|(s, truth)| *truth != Truth::Fail || is_mail(s));
            // Where there is a web service it must be right; else some mail service.
            let web = services.iter().any(|(s, _)| !is_mail(s));
            let is_web_right = services.iter().any(|(s, t)| !is_mail(s) && *t == Truth::Pass);
            (only_mail && !right.is_empty() && (!web || is_web_right)).then_some((server, right))
        };
        let right: BTreeMap<_, _> = services.into_iter().filter_map(leaves).collect();
        Self { right, wanted: wanted(context), mute: mute(context) }
    }

    /// True unless the plan wants a certificate of its own at a service: then that one is wrong, and not where it is used.
    fn is_shared(&self, server: ServerId, certificates: &[CertId]) -> bool {
        let wanted = self.wanted.get(&server);
        certificates.is_empty() || wanted.is_some_and(|w| w.is_empty() || certificates.iter().any(|c| w.contains(c)))
    }

    /// The server whose mail service, and nothing else, is what is wrong.
    pub(super) fn culprit(&self, case: &Case, item: &Item) -> Option<ServerId> {
        let (spot, fault) = wording::endpoint_fault(item)?;
        let Culprit::Planned(Target::Server(server)) = spot.culprit else { return None };
        let right = self.right.get(&server)?;
        let is_mail = match &*item.obligation.claim {
            Claim::Serves { service, certificates, .. } | Claim::Path { service, certificates, .. } => {
                is_mail(service) && self.is_shared(server, certificates)
            }
            _ => false,
        };
        let is_wrong = match fault {
            EndpointFault::NoTls => self.mute.contains(&(server, spot.address.port())),
            EndpointFault::WrongName { leaf, .. }
            | EndpointFault::WrongLeaf { leaf }
            | EndpointFault::WrongKey { leaf, .. }
            | EndpointFault::Unreadable { leaf, .. }
            | EndpointFault::OutOfDate { leaf, .. }
            | EndpointFault::Untrusted { leaf, .. } => !right.contains(leaf) && lacking::lacking(case, item).is_none(),
            _ => false,
        };
        (is_mail && is_wrong).then_some(server)
    }
}

/// The certificates that the plan wants at the services of each server that are right.
fn wanted(context: &Context) -> BTreeMap<ServerId, BTreeSet<CertId>> {
    let mut out: BTreeMap<ServerId, BTreeSet<CertId>> = BTreeMap::new();
    let due = context.case.obligations.iter().enumerate().filter(|(i, _)| context.case.is_due(*i));
    for (_, obligation) in due.filter(|(i, _)| context.assessed[*i].truth == Truth::Pass) {
        if let Claim::Serves { server, certificates, .. } = &*obligation.claim {
            out.entry(*server).or_default().extend(certificates.iter());
        }
    }
    out
}

fn mute(context: &Context) -> BTreeSet<(ServerId, u16)> {
    let port = |item: Item| match (wording::endpoint_fault(&item)?, &*item.obligation.claim) {
        ((spot, EndpointFault::NoTls), Claim::Serves { server, .. }) => {
            let says = |l: &_| context.case.evidence.tls(*l).is_some_and(is_mute);
            item.problem.looks.iter().any(says).then_some((*server, spot.address.port()))
        }
        _ => None,
    };
    context.items().filter_map(port).collect()
}

/// The listener is there and has no certificate to show. What does not listen, or speaks something else, is another fault.
fn is_mute(outcome: &TlsOutcome) -> bool {
    use TlsOutcome as T;
    matches!(outcome, T::StarttlsNotOffered | T::StarttlsRefused(_) | T::Closed(Stage::Handshake))
}

/// One finding per server, with all its wrong mail services.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let only = OnlyMail::of(context);
    let groups = context.group(&INFO, |item| only.culprit(context.case, item));
    drafts.extend(groups.into_iter().map(|((server, waiver), items)| draft(context, &only, server, waiver, &items)));
}

fn draft(context: &Context, only: &OnlyMail, server: ServerId, waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let who = plan.server(server).label.to_string();
    let target = Target::Server(server);
    let words = wording::services(items);
    let (mute, wrong): (Vec<Item>, Vec<Item>) =
        items.iter().copied().partition(|i| matches!(i.problem.fault, Fault::Endpoint(_, EndpointFault::NoTls)));
    let mut draft = Draft::of(context, &INFO, items, waiver);
    let listed = wording::list(words.iter().copied());
    draft.title = match (wrong.is_empty(), mute.is_empty()) {
        (true, _) => format!("{who} shows no certificate at {listed}; its other services have one"),
        (false, true) => format!("{who} serves another certificate at {listed} than at its other services"),
        (false, false) => format!("{who} serves another certificate, or none, at {listed} than at its other services"),
    };
    draft.expected = wording::wanted_at(case, Some(target), items);
    let leaves: BTreeSet<BlobId> = wrong.iter().filter_map(|i| wording::endpoint_fault(i)?.1.leaf()).collect();
    draft.seen = leaves.iter().map(|leaf| wording::leaf(case, *leaf)).collect();
    draft.seen.extend(wording::spots(&wrong));
    // What was met behind a balancer follows from what its member does.
    let at_home: Vec<Item> = mute.iter().filter(|i| !is_by_balancer(i)).copied().collect();
    draft.seen.extend(wording::outcomes(case, &at_home));
    draft.hurts = wording::tries(case, items, context.assessed);
    draft.hurts.push(format!("mail clients and partners of {who} at {}", wording::services_at(items)));
    let culprit = Culprit::Planned(target);
    draft.remedy.now = pools(context, culprit).map(|pool| format!("take {who} out of the pool {pool}")).collect();
    draft.remedy.cure = cures(case, only, server, items, &mute);
    draft.keys = leaves.into_iter().map(|leaf| Key::Served(culprit, leaf)).collect();
    draft
}

fn is_by_balancer(item: &Item) -> bool {
    wording::endpoint_fault(item).is_some_and(|(spot, _)| wording::is_by_balancer(item, spot))
}

/// The certificate is on the server already, if another of its services serves it.
fn cures(case: &Case, only: &OnlyMail, server: ServerId, items: &[Item], mute: &[Item]) -> Vec<String> {
    let (plan, target) = (case.plan, Target::Server(server));
    let product = commands::Product::of(wording::product(plan, target));
    let names: Vec<_> = wording::names(items).into_iter().map(|n| plan.name(n).name.probe()).collect();
    let covers = |leaf: &&BlobId| names.iter().all(|n| matches!(case.certificates.identify(**leaf, n), Some(Ok(_))));
    let there = only.right.get(&server).into_iter().flatten().find(covers);
    let mut out = match there.and_then(|leaf| case.certificates.facts(*leaf).ok()) {
        Some(facts) => {
            let words = wording::services(items);
            commands::enable(product, &plan.server(server).label, &facts.thumbprint(), &words)
        }
        None => cure::install(case, Some(target), items),
    };
    if !mute.is_empty() && plan.server(server).is_exchange() {
        out.push(
            "if STARTTLS is still not offered: event 12014 names the connector whose TlsCertificateName is wrong"
                .into(),
        );
    }
    out
}
