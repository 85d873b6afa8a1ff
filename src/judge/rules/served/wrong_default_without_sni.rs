//! Clients that send no server name meet another certificate.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::judge::RuleInfo;
use crate::judge::asked;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::{Found, Look};
use crate::judge::truth::{self, Expectation, Truth};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::finding::Severity;
use crate::model::obligation::{Claim, Obligation};
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{NameId, Target, ViewId};
use crate::model::policy::Scope;
use crate::model::service::Service;
use crate::model::tls::TlsOutcome;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "wrong-default-without-sni",
    family: "served",
    severity: Severity::Warning,
    summary: "clients that send no server name meet a certificate that does not cover theirs",
    citation: "RFC 6066 section 3; ingress-nginx, Default SSL Certificate",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A view of the plan has clients that send no server name (`without-sni = true`). An endpoint that is right for all who
send one shows those clients a certificate that does not cover the name, or none.

# Why it matters

Internet Explorer on Windows XP, old phones, scanners, health checks of balancers and some mail servers send no name.
They get the fallback of the listener: on IIS the binding without a host name, on ingress controllers a fake certificate.

# Example

    10.0.0.10:443 asked for mail.domain.com      CN=mail.domain.com
    10.0.0.10:443 asked for nobody               CN=EX2010, self-signed

# Cure

Set the certificate as the listener's default: on IIS a binding to the address without a host name and without \"Require
Server Name Indication\"; on nginx `default_server`; on an ingress controller its default certificate.

# References

RFC 6066 section 3; https://kubernetes.github.io/ingress-nginx/user-guide/tls/#default-ssl-certificate
";

/// What such clients meet instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Met {
    /// This leaf, which does not cover the name.
    Leaf(BlobId),
    /// No certificate at all.
    Nothing,
    /// Nobody looked, or what was seen is no word about it.
    Unknown,
}

/// What is said together.
#[derive(Default)]
struct Group {
    names: BTreeSet<NameId>,
    at: BTreeSet<SocketAddr>,
    looks: BTreeSet<Look>,
    obligations: BTreeSet<usize>,
}

/// One finding per server or pool and certificate; what was not looked at is an open question.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    if case.policy.scope == Scope::Files || !case.plan.views.iter().any(|v| v.without_sni) {
        return;
    }
    let mut groups: BTreeMap<(Target, Met, Option<usize>), Group> = BTreeMap::new();
    for (index, obligation) in asked::endpoints(case) {
        // What is wrong or unknown for those who send a name is told already.
        if !concerns(case, index) || context.assessed[index].truth != Truth::Pass {
            continue;
        }
        let Some((target, service, view)) = whom(obligation) else { continue };
        let name = obligation.name;
        let waiver = context.waiver(INFO.name, &asked::labels(case.plan, obligation, &[]));
        for at in addresses(case, obligation, service) {
            for (met, looks) in met(case, at, service, name, view) {
                let group = groups.entry((target, met, waiver)).or_default();
                group.names.insert(name);
                group.at.insert(at);
                group.looks.extend(looks);
                group.obligations.insert(index);
            }
        }
    }
    drafts.extend(groups.into_iter().map(|((target, met, waiver), group)| draft(case, target, met, waiver, &group)));
}

/// True if clients that send no name are among those whom the obligation is due for.
fn concerns(case: &Case, index: usize) -> bool {
    case.views(index).into_iter().any(|v| case.plan.view(v).without_sni)
}

/// Who answers, at which service; the view whose way it is.
fn whom(obligation: &Obligation) -> Option<(Target, &Service, Option<ViewId>)> {
    match &*obligation.claim {
        Claim::Serves { server, service, .. } => Some((Target::Server(*server), service, None)),
        Claim::Path { target, service, view, .. } => Some((*target, service, Some(*view))),
        _ => None,
    }
}

fn addresses(case: &Case, obligation: &Obligation, service: &Service) -> Vec<SocketAddr> {
    let all = match &*obligation.claim {
        Claim::Serves { server, .. } => case.plan.server(*server).own_addresses(&case.plan.views),
        Claim::Path { addresses, .. } => addresses.to_vec(),
        _ => Vec::new(),
    };
    all.into_iter().map(|a| SocketAddr::new(a, service.port)).collect()
}

/// What is met without a name, as far as it is wrong or unknown.
fn met(case: &Case, at: SocketAddr, service: &Service, name: NameId, view: Option<ViewId>) -> BTreeMap<Met, Vec<Look>> {
    let probe = Probe::Tls(TlsProbe { address: at, way: service.way, sni: None, face: None });
    let label = view.map(|v| &case.plan.view(v).label);
    let mut out: BTreeMap<Met, Vec<Look>> = BTreeMap::new();
    match case.evidence.find(&probe, |run| label.is_none_or(|l| run.stands_in.contains(l))) {
        Found::Fresh(looks) => {
            for look in looks {
                if let Some(met) = case.evidence.tls(look).and_then(|o| of_outcome(case, o, name)) {
                    out.entry(met).or_default().push(look);
                }
            }
        }
        Found::Stale(_) | Found::Nothing => drop(out.insert(Met::Unknown, Vec::new())),
    }
    out
}

/// `None` if the certificate covers the name.
fn of_outcome(case: &Case, outcome: &TlsOutcome, name: NameId) -> Option<Met> {
    match (truth::tls(outcome, Expectation::Present), outcome) {
        (_, TlsOutcome::Certificate(served)) => {
            let leaf = served.chain.first().copied()?;
            let name = case.plan.name(name).name.probe();
            let covers = matches!(case.certificates.identify(leaf, &name), Some(Ok(_)));
            (!covers).then_some(Met::Leaf(leaf))
        }
        (Truth::Fail, _) => Some(Met::Nothing),
        // The handshake went well with a name, and is refused without one.
        (_, TlsOutcome::Alert(_)) => Some(Met::Nothing),
        _ => Some(Met::Unknown),
    }
}

fn draft(case: &Case, target: Target, met: Met, waiver: Option<usize>, group: &Group) -> Draft {
    let plan = case.plan;
    let who = plan.target_label(target);
    let names: Vec<NameId> = group.names.iter().copied().collect();
    let listed = wording::name_list(plan, &names);
    let at: Vec<String> = group.at.iter().map(SocketAddr::to_string).collect();
    let at = wording::list(at.iter().map(String::as_str));
    let mut draft = Draft::plain(&INFO, String::new());
    draft.waiver = waiver;
    draft.subject.server = Some(who.to_string());
    draft.looks = group.looks.clone();
    draft.obligations = group.obligations.clone();
    draft.at = group.obligations.first().map(|i| case.obligations[*i].span);
    draft.expected = vec![format!("without a server name, too: a certificate that covers {listed}")];
    draft.hurts = vec![format!("clients that send no server name: a warning or no connection at {at}")];
    draft.remedy.cure = vec![format!("make the certificate of {listed} the default of {who}'s listener at {at}")];
    match met {
        Met::Leaf(leaf) => {
            draft.title = format!("{who} shows clients without SNI another certificate");
            draft.seen = vec![wording::leaf(case, leaf), at];
        }
        Met::Nothing => {
            draft.title = format!("{who} shows clients without SNI no certificate");
            let words = group.looks.iter().filter_map(|l| case.evidence.tls(*l)).map(TlsOutcome::to_string);
            draft.seen = words.collect::<BTreeSet<_>>().into_iter().map(|word| format!("{word}: {at}")).collect();
        }
        Met::Unknown => {
            draft.title = format!("what {who} shows clients without SNI was not seen");
            draft.seen = vec![at];
            draft.open_question = true;
            draft.remedy = Default::default();
            draft.remedy.next = vec![wording::again(case)];
        }
    }
    draft
}
