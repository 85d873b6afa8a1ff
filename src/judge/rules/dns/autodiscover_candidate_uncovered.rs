//! Where Outlook looks for autodiscover, somebody shows a certificate for other names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::judge::RuleInfo;
use crate::judge::beside::{self, asks, told};
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::evidence::{Found, Look};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::dns::RecordType;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::ViewId;
use crate::model::questions::{self, Candidates};
use crate::model::records::RecordData;
use crate::model::service::Way;
use crate::model::tls::TlsOutcome;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "autodiscover-candidate-uncovered",
    family: "dns",
    severity: Severity::Error,
    summary: "a place where clients look for autodiscover answers with a certificate for other names",
    citation: "MS-OXDISCO section 3.1.5; RFC 9525 section 6",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

Clients of a mail domain look for their settings at https://DOMAIN/, https://autodiscover.DOMAIN/ and at the target of
_autodiscover._tcp.DOMAIN, in this order. One of these that the plan does not declare as a name answers TLS with a
certificate that does not cover the name. Names of the plan are judged at their servers.

# Why it matters

A candidate that is absent is passed over. One that answers with the wrong certificate makes Outlook stop and warn, inside
too, since it asks all in parallel. Often it is the company's web site at a hoster, or a DNS wildcard.

# Example

    expected  https://domain.com/ shows a certificate for domain.com, or does not answer
    seen      CN=*.hoster.example at 198.51.100.80:443

# Cure

Give the web site a certificate for the name, take HTTPS away there, or delete the record or wildcard.

# References

MS-OXDISCO; https://learn.microsoft.com/exchange/architecture/client-access/autodiscover
";

/// A candidate that shows a wrong leaf: where, and in which views.
#[derive(Default)]
struct Met {
    views: BTreeSet<ViewId>,
    at: BTreeSet<SocketAddr>,
    looks: BTreeSet<Look>,
}

impl Met {
    fn add(&mut self, other: Self) {
        self.views.extend(other.views);
        self.at.extend(other.at);
        self.looks.extend(other.looks);
    }
}

/// One finding per candidate and leaf.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for candidates in questions::candidates(context.case.plan) {
        let domain = context.case.plan.mail.get(candidates.mail).map_or("", |m| m.domain.as_str());
        let mut all: BTreeMap<(Name, BlobId, Option<usize>), Met> = BTreeMap::new();
        for view in context.case.plan.view_ids().filter(|v| asks(context.case, *v)) {
            for (name, port) in places(context, &candidates, view) {
                let mut met = BTreeMap::new();
                for address in beside::host(context, view, &name).addresses {
                    look(context, view, &name, SocketAddr::new(address, port), &mut met);
                }
                // A waiver of one view says nothing of another.
                let labels = [name.as_str(), domain, wording::view(context.case.plan, view)];
                let waiver = context.waiver_on(&INFO, &labels);
                met.into_iter().for_each(|((n, leaf), m)| all.entry((n, leaf, waiver)).or_default().add(m));
            }
        }
        drafts.extend(all.iter().map(|((name, leaf, _), met)| draft(context, &candidates, name, *leaf, met)));
    }
}

/// The undeclared names and the SRV record's targets, each with its port.
fn places(context: &Context, candidates: &Candidates, view: ViewId) -> BTreeSet<(Name, u16)> {
    let mut out: BTreeSet<(Name, u16)> = candidates.names.iter().map(|n| (n.clone(), 443)).collect();
    let declared = questions::Declared::of(context.case.plan);
    let srv = told(context, view, &candidates.srv, RecordType::Srv);
    for record in srv.replies().flat_map(|(_, r)| &r.records) {
        let RecordData::Srv { target, port, .. } = &record.data else { continue };
        let name = Name::parse(target).ok().filter(|n| !declared.has(n));
        out.extend(name.map(|n| (n, *port)));
    }
    out
}

/// What runs that stood in the view were shown. What does not answer TLS is passed over by clients too.
fn look(context: &Context, view: ViewId, name: &Name, address: SocketAddr, met: &mut BTreeMap<(Name, BlobId), Met>) {
    let case = context.case;
    let label = &case.plan.view(view).label;
    let probe = Probe::Tls(TlsProbe { address, way: Way::Implicit, sni: Some(name.clone()), face: None });
    let Found::Fresh(looks) = case.evidence.find(&probe, |run| run.stands_in.contains(label)) else { return };
    for look in looks {
        let Some(TlsOutcome::Certificate(served)) = case.evidence.tls(look) else { continue };
        let Some(leaf) = served.chain.first().copied().filter(|l| !context.suspicion.leaves.contains(l)) else {
            continue;
        };
        if matches!(case.certificates.identify(leaf, name), Some(Err(_))) {
            let entry = met.entry((name.clone(), leaf)).or_default();
            entry.views.insert(view);
            entry.at.insert(address);
            entry.looks.insert(look);
        }
    }
}

fn draft(context: &Context, candidates: &Candidates, name: &Name, leaf: BlobId, met: &Met) -> Draft {
    let (case, plan) = (context.case, context.case.plan);
    let mail = plan.mail.get(candidates.mail);
    let domain = mail.map_or("", |m| m.domain.as_str());
    let view = if met.views.len() == 1 { met.views.first().copied() } else { None };
    let labels: Vec<&str> = met.views.iter().map(|v| wording::view(plan, *v)).chain([domain]).collect();
    let mut draft =
        beside::draft(context, &INFO, (name.as_str(), view), mail.map(|m| m.span).unwrap_or_default(), &labels);
    let views = wording::view_list(plan, met.views.iter().copied());
    let at: Vec<String> = met.at.iter().map(ToString::to_string).collect();
    let at = wording::list(at.iter().map(String::as_str));
    draft.title = format!("https://{name}/ answers autodiscover's clients with a certificate for other names");
    draft.expected = vec![format!("a certificate for {name}, or no answer")];
    draft.seen = vec![wording::leaf(case, leaf), format!("at {at}")];
    draft.hurts = vec![format!("Outlook in {views}: it looks there for settings of {domain}, stops and warns")];
    draft.remedy.cure = vec![
        format!("at {at}: install a certificate for {name}, or close the port"),
        format!("or delete the record of {name}, if nobody needs it"),
    ];
    draft.looks = met.looks.clone();
    draft.keys = met.views.iter().map(|v| Key::Candidate(candidates.mail, *v)).collect();
    draft
}
