//! A wildcard certificate is meant for POP or IMAP of an Exchange.

use std::collections::{BTreeMap, BTreeSet};

use super::replaced;
use crate::commands;
use crate::judge::RuleInfo;
use crate::judge::asked;
use crate::judge::draft::{Context, Draft};
use crate::judge::truth::Truth;
use crate::model::finding::{Severity, TYPED};
use crate::model::obligation::Claim;
use crate::model::plan::{CertId, NameId, Server, ServerId};
use crate::model::service::{Protocol, Service, Way};
use crate::pki;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "wildcard-in-pop-imap",
    family: "certificate",
    severity: Severity::Warning,
    summary: "a wildcard certificate is meant for POP or IMAP of an Exchange, which takes none by assignment",
    citation: "Microsoft, Assign certificates to Exchange Server services; KB948896",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate that the plan has for POP or IMAP of an Exchange server covers the name by a wildcard only.
Enable-ExchangeCertificate does not assign such a certificate to these two services. Where all of them were seen to serve
it, the rule says nothing.

# Why it matters

The certificate is imported and assigned to the web and to SMTP, and POP and IMAP go on with the one of the
installation: mail clients warn, though the browser does not.

# Example

    [certificates.wild]
    names = [\"*.contoso.com\"]
    [servers.ex19]
    product = \"exchange-2019\"
    services = [\"IIS\", \"IMAP\"]
    certificate = \"wild\"

# Cure

Name the host for each of the two services, then restart them:

    Set-ImapSettings -Server EX19 -X509CertificateName mail.contoso.com
    Set-PopSettings -Server EX19 -X509CertificateName mail.contoso.com

Or order a certificate that lists the name.

# References

https://learn.microsoft.com/exchange/architecture/client-access/assign-certificates-to-services; KB948896
";

/// What is said together: a server and a certificate.
#[derive(Default)]
struct Group {
    names: BTreeSet<NameId>,
    imap: bool,
    pop: bool,
    obligations: BTreeSet<usize>,
}

/// One finding per server and certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let mut groups: BTreeMap<(ServerId, CertId, Option<usize>), Group> = BTreeMap::new();
    for (index, obligation) in asked::endpoints(case) {
        let (name, Claim::Serves { server, service, certificates }) = (obligation.name, &*obligation.claim) else {
            continue;
        };
        if !takes_assignments(case.plan.server(*server)) || !(is_imap(service) || is_pop(service)) {
            continue;
        }
        for certificate in certificates.iter().filter(|c| is_wild(context, **c, name)) {
            let labels = asked::labels(case.plan, obligation, &[*certificate]);
            let key = (*server, *certificate, context.waiver(INFO.name, &labels));
            let group = groups.entry(key).or_default();
            group.names.insert(name);
            group.obligations.insert(index);
            group.imap |= is_imap(service);
            group.pop |= is_pop(service);
        }
    }
    // Whoever serves it has found the way already.
    let works = |g: &Group| g.obligations.iter().all(|i| case.is_due(*i) && context.assessed[*i].truth == Truth::Pass);
    let groups = groups.into_iter().filter(|(_, g)| !works(g));
    drafts.extend(groups.map(|((server, certificate, waiver), g)| draft(context, server, certificate, waiver, &g)));
}

/// Exchange from 2007 on has certificates assigned to services.
fn takes_assignments(server: &Server) -> bool {
    server.is_exchange() && server.product.as_ref().is_some_and(|p| p.value != "exchange-2003")
}

fn is_imap(service: &Service) -> bool {
    matches!(service.word, "IMAP" | "imap" | "imaps") || service.way == Way::Starttls(Protocol::Imap)
}

fn is_pop(service: &Service) -> bool {
    matches!(service.word, "POP" | "pop3" | "pop3s") || service.way == Way::Starttls(Protocol::Pop3)
}

/// True if nothing but a wildcard of the certificate covers the name.
fn is_wild(context: &Context, certificate: CertId, name: NameId) -> bool {
    let name = context.case.plan.name(name).name.probe();
    let wild = |whose| {
        let ids = replaced::identifiers(context.case, whose);
        let listed = ids.iter().any(|id| id == name.as_str());
        !listed && pki::identify_among(ids.iter().map(String::as_str), &name).is_ok_and(|m| m.wildcard)
    };
    replaced::successors(context.case, certificate).into_iter().any(wild)
}

fn draft(context: &Context, server: ServerId, certificate: CertId, waiver: Option<usize>, group: &Group) -> Draft {
    let plan = context.case.plan;
    let (who, declared) = (&plan.server(server).label, plan.certificate(certificate));
    let words = match (group.pop, group.imap) {
        (true, true) => "POP and IMAP",
        (true, false) => "POP",
        _ => "IMAP",
    };
    let name = group.names.first().map_or_else(String::new, |n| plan.name(*n).name.probe().to_string());
    let title =
        format!("certificate \"{}\" is a wildcard, which cannot be assigned to {words} of {who}", declared.label);
    let mut draft = Draft::plain(&INFO, title);
    draft.waiver = waiver;
    draft.subject.server = Some(who.to_string());
    draft.subject.certificate = Some(declared.label.to_string());
    draft.expected = vec![format!("a certificate that lists {name}, or X509CertificateName set to it")];
    let ids = replaced::successors(context.case, certificate).into_iter();
    draft.seen =
        ids.map(|whose| format!("its names: {}", replaced::identifiers(context.case, whose).join(", "))).collect();
    draft.hurts = vec![format!("mail clients of {who}: {words} may go on with the certificate of the installation")];
    let set = |service: &str| {
        let (on, host) = (commands::powershell(who), commands::powershell(&name));
        format!("{TYPED}Set-{service}Settings -Server {on} -X509CertificateName {host}")
    };
    draft.remedy.cure.extend(group.imap.then(|| set("Imap")));
    draft.remedy.cure.extend(group.pop.then(|| set("Pop")));
    draft.remedy.cure.push(format!("then restart {words} on {who}; or order a certificate that lists {name}"));
    draft.at = Some(plan.server(server).certificate.as_ref().map_or(declared.span, |c| c.span));
    draft.obligations = group.obligations.iter().copied().filter(|i| context.case.is_due(*i)).collect();
    draft
}
