//! An endpoint serves the certificate that its product came with.

use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::cure;
use crate::judge::draft::{Context, Draft, Item, Key, target_of};
use crate::judge::out_of_box::{self, OutOfBox};
use crate::judge::problem::{Culprit, EndpointFault};
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::obligation::Claim;
use crate::model::plan::{ServerId, Target};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "default-certificate-served",
    family: "served",
    severity: Severity::Error,
    summary: "a server still serves its out-of-box certificate",
    citation: "Microsoft, Exchange certificates: self-signed certificates; ingress-nginx, Default SSL Certificate",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The endpoint serves a certificate that the product made for itself: self-signed for the bare host name, WMSvc-...,
Microsoft Exchange, Kubernetes Ingress Controller Fake Certificate, TRAEFIK DEFAULT CERT, snakeoil and the like.

# Why it matters

Nobody trusts it and it has none of the names. It means that the right certificate was never imported there, or was
imported and never assigned to the service. Behind a load balancer it hurts every second user, and a single look from
outside may miss it.

# Example

    seen  0F5D...  CN=WMSvc-SHA2-EX19-02, self-signed
          the default of IIS Web Management Service: self-signed, CN=WMSvc-SHA2-EX19-02
          10.0.0.12  IIS :443  SMTP :25 STARTTLS  IMAP :143 STARTTLS  POP :110 STLS

Get-ExchangeCertificate on EX19-02 shows the right certificate without services (`.......`), or not at all.

# Cure

Take the server out of the pool. Import the right certificate with its key, assign it to the services, and look again.

# References

https://learn.microsoft.com/exchange/architecture/client-access/certificates (default certificates);
https://kubernetes.github.io/ingress-nginx/user-guide/tls/#default-ssl-certificate
";

/// One finding per server and default certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let key = |item: &Item| {
        let (spot, fault) = wording::endpoint_fault(item)?;
        let leaf = match fault {
            EndpointFault::WrongName { leaf, .. }
            | EndpointFault::WrongLeaf { leaf }
            | EndpointFault::Untrusted { leaf, .. }
            | EndpointFault::OutOfDate { leaf, .. } => *leaf,
            _ => return None,
        };
        out_of_box_at(context.case, spot.culprit, leaf).map(|found| (spot.culprit, leaf, found))
    };
    let groups = context.group(&INFO, key);
    drafts.extend(groups.into_iter().map(|((group, waiver), items)| draft(context, group, waiver, &items)));
}

/// Whose out-of-box certificate it is, unless the plan declares this very certificate.
fn out_of_box_at(case: &Case, culprit: Culprit, leaf: BlobId) -> Option<OutOfBox> {
    let facts = case.certificates.facts(leaf).ok().filter(|_| !case.certificates.is_known(leaf))?;
    out_of_box::recognise(facts, &wording::culprit(case.plan, culprit))
}

fn draft(context: &Context, group: (Culprit, BlobId, OutOfBox), waiver: Option<usize>, items: &[Item]) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let (culprit, leaf, found) = group;
    let who = wording::culprit(plan, culprit);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("{who} still serves its out-of-box certificate ({})", wording::services(items).join(" "));
    draft.expected = wording::wanted_at(case, target_of(culprit), items);
    if draft.expected.is_empty() {
        draft.expected.push(format!("a certificate that covers {}", wording::name_list(plan, &wording::names(items))));
    }
    draft.seen = vec![wording::leaf(case, leaf)];
    draft.seen.push(found.words());
    draft.seen.extend(wording::spots(items));
    draft.hurts = wording::tries(case, items, context.assessed);
    if draft.hurts.is_empty() {
        draft.hurts.push(format!("every client of {who}: nobody trusts this certificate"));
    }
    draft.remedy.now = pools(context, culprit).map(|pool| format!("take {who} out of the pool {pool}")).collect();
    draft.remedy.cure = cure::install(case, target_of(culprit), items);
    draft.keys.insert(Key::Served(culprit, leaf));
    draft
}

/// The pools out of which a culprit should be taken: those that have a member of which all that is due passes.
pub(super) fn pools<'a>(context: &'a Context, culprit: Culprit) -> impl Iterator<Item = &'a str> {
    let plan = context.case.plan;
    let out = move |pool: &&crate::model::plan::Pool| match culprit {
        Culprit::Planned(Target::Server(server)) => {
            let members = pool.all_members();
            members.contains(&server) && members.iter().any(|m| *m != server && is_well(context, *m))
        }
        _ => false,
    };
    plan.pools.iter().filter(out).map(|p| p.label.as_ref())
}

fn is_well(context: &Context, server: ServerId) -> bool {
    let case = context.case;
    let of = |i: &usize| matches!(*case.obligations[*i].claim, Claim::Serves { server: s, .. } if s == server);
    let mut due = (0..case.obligations.len()).filter(|i| case.is_due(*i)).filter(of).peekable();
    due.peek().is_some() && due.all(|i| context.assessed[i].truth == Truth::Pass)
}
