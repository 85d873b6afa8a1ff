//! Signs that something between us and the world answers in its place: a resolver that is intercepted, a proxy that
//! breaks TLS open. What it touches is unobserved, for neither a pass nor a failure would be the clients'.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::assess::{Assessment, answers, hear_planned};
use super::beside::told_by;
use super::case::{Case, Suspicion};
use super::evidence::Found;
use super::one_answer;
use super::truth::Truth;
use crate::model::certificate::BlobId;
use crate::model::dns::{RecordType, Transport};
use crate::model::mta_sts;
use crate::model::name::Name;
use crate::model::obligation::{Claim, DnsExpectation, Obligation};
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{CertId, NameId, ServerId, ViewId, ViewKind};
use crate::model::probes::is_private;
use crate::model::questions;
use crate::model::service::Way;
use crate::model::tls::TlsOutcome;
use crate::pki::{PathFacts, Untrusted};

/// How many names or servers must agree before anything is suspected.
const SEVERAL: usize = 2;

/// Looks for all kinds of interception in what is due.
pub(super) fn suspect(case: &Case, assessed: &[Assessment]) -> Suspicion {
    let portal = one_answer::portal(case);
    let resolvers = resolvers(case, assessed).into_iter().chain(portal.resolvers).collect();
    Suspicion { resolvers, liars: liars(case), leaves: leaves(case), one_answer: portal.addresses }
}

/// Resolvers that give an address to a name below `invalid`, which never exists (RFC 6761 section 6.4).
fn liars(case: &Case) -> BTreeSet<(ViewId, usize)> {
    let nowhere = Name::parse(&format!("{}.invalid", questions::unlikely_label(case.plan)));
    let Ok(nowhere) = nowhere else { return BTreeSet::new() };
    let lies = |view: ViewId, resolver: &crate::model::plan::View, index: usize| {
        let declared = resolver.resolvers.get(index).map(|r| &r.value);
        let told = declared.map(|r| told_by(case, view, r, &nowhere, RecordType::A)).unwrap_or_default();
        told.replies().any(|(_, r)| !r.addresses.is_empty())
    };
    let of = |view: ViewId| {
        let declared = case.plan.view(view);
        (0..declared.resolvers.len()).filter(move |i| lies(view, declared, *i)).map(move |i| (view, i))
    };
    case.plan.view_ids().flat_map(of).collect()
}

/// Plain resolvers of external views that give several names what is right inside and wrong outside, and not once an
/// answer that only the outside has, while no encrypted resolver of the view says the same.
fn resolvers(case: &Case, assessed: &[Assessment]) -> BTreeSet<(ViewId, usize)> {
    let mut out = BTreeSet::new();
    let external = case.plan.view_ids().filter(|v| case.plan.view(*v).kind == ViewKind::External);
    for view in external {
        for index in 0..case.plan.view(view).resolvers.len() {
            if !is_encrypted(case, view, index) && is_intercepted(case, view, index, due_names(case, assessed, view)) {
                out.insert((view, index));
            }
        }
    }
    out
}

type Wanted<'a> = (NameId, &'a DnsExpectation);

fn due_names<'a>(case: &'a Case, assessed: &'a [Assessment], view: ViewId) -> impl Iterator<Item = Wanted<'a>> {
    let due = case.obligations.iter().zip(assessed).enumerate().filter(|(i, _)| case.is_due(*i));
    let wanted = due.filter_map(move |(_, (o, a))| match &*o.claim {
        Claim::Resolves { view: v, expected } if *v == view && a.truth != Truth::Unobserved => {
            Some((o.name, &**expected))
        }
        _ => None,
    });
    wanted.filter(|(_, e)| e.like.is_empty() && !e.present.is_empty())
}

pub(super) fn is_encrypted(case: &Case, view: ViewId, index: usize) -> bool {
    let resolver = case.plan.view(view).resolvers.get(index);
    resolver.is_some_and(|r| matches!(r.value.transport, Transport::Tls | Transport::Https(_)))
}

fn is_intercepted<'a>(case: &Case, view: ViewId, index: usize, names: impl Iterator<Item = Wanted<'a>>) -> bool {
    let mut odd: Vec<(NameId, BTreeSet<IpAddr>)> = Vec::new();
    for (name, expected) in names {
        let given = hear_planned(case, name, view, index).addresses();
        let right: BTreeSet<IpAddr> = expected.present.iter().flat_map(|p| p.addresses.iter().copied()).collect();
        if given.is_empty() || right.iter().any(|a| is_private(*a)) {
            continue;
        }
        let inside = inside(case, &case.plan.name(name).name.probe());
        if given.is_subset(&right) {
            // An answer that only the outside has: the resolver is heard.
            if !given.is_subset(&inside) {
                return false;
            }
        } else if (given.iter().all(|a| is_private(*a)) || given == inside)
            && is_inside_only(case, name, &given, &right)
        {
            odd.push((name, given));
        }
    }
    let confirmed = |(name, given): &(NameId, BTreeSet<IpAddr>)| {
        let encrypted = (0..case.plan.view(view).resolvers.len()).filter(|i| is_encrypted(case, view, *i));
        encrypted.into_iter().any(|i| hear_planned(case, *name, view, i).addresses() == *given)
    };
    odd.len() >= SEVERAL && !odd.iter().any(confirmed)
}

/// True if the plan wants these addresses inside, and others outside: without split DNS nothing tells the two apart.
fn is_inside_only(case: &Case, name: NameId, given: &BTreeSet<IpAddr>, outside: &BTreeSet<IpAddr>) -> bool {
    let wanted = |o: &Obligation| match &*o.claim {
        Claim::Resolves { view, expected } if o.name == name => {
            let moment = case.policy.moment(case.plan, *view);
            let holds = o.holds.iter().any(|(v, moments)| v == view && moments.contains(moment));
            let internal = case.plan.view(*view).kind == ViewKind::Internal;
            (internal && holds).then(|| expected.present.iter().flat_map(|p| p.addresses.iter().copied()).collect())
        }
        _ => None,
    };
    let inside: Vec<BTreeSet<IpAddr>> = case.obligations.iter().filter_map(wanted).collect();
    inside.iter().any(|set| given.is_subset(set) && set != outside)
}

/// What the internal views' resolvers answer.
fn inside(case: &Case, name: &Name) -> BTreeSet<IpAddr> {
    let internal = case.plan.view_ids().filter(|v| case.plan.view(*v).kind == ViewKind::Internal);
    internal.flat_map(|v| answers(case, name, v, &Suspicion::default())).collect()
}

/// Where a leaf was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Server(ServerId),
    /// The site with the MTA-STS policy of a mail domain, at an address that no server of the plan has.
    Site(IpAddr),
}

/// A leaf as one endpoint served it for a name.
#[derive(Clone)]
struct Met {
    place: Place,
    /// What the plan has for it; it has nothing for a site.
    certificate: Option<CertId>,
    name: Name,
    leaf: BlobId,
    issuer: Arc<[u8]>,
}

/// Leaves of one issuer that neither the plan nor any view's trust knows, at several servers. Where a declared certificate
/// is known, its issuer is the plan's, and the servers must have nothing else in common. Where only names are planned,
/// the sign is a leaf of its own for each name: one planned certificate that shows as several, or servers that have
/// nothing in common but that. A web site of somebody else with such a leaf is as good as another server.
fn leaves(case: &Case) -> BTreeSet<BlobId> {
    let strange = strange(case);
    if strange.is_empty() {
        return BTreeSet::new();
    }
    let mut by_issuer: BTreeMap<(bool, Arc<[u8]>), Vec<Met>> = BTreeMap::new();
    for (_, obligation) in case.obligations.iter().enumerate().filter(|(i, _)| case.is_due(*i)) {
        let (name, Claim::Serves { server, certificates, .. }) = (obligation.name, &*obligation.claim) else {
            continue;
        };
        let declared = case.certificates.leaves(certificates);
        let Some(certificate) = certificates.first() else { continue };
        for met in met(case, &strange, *server, *certificate, &case.plan.name(name).name.probe()) {
            if is_unplanned(case, &met, &declared) {
                by_issuer.entry((declared.is_empty(), met.issuer.clone())).or_default().push(met);
            }
        }
    }
    let sites = sites(case);
    for ((_, issuer), all) in &mut by_issuer {
        all.extend(sites.iter().filter(|m| m.issuer == *issuer).cloned());
    }
    let suspected = |(planned_only, all): &(bool, Vec<Met>)| {
        let places: BTreeSet<Place> = all.iter().map(|m| m.place).collect();
        let leaves: BTreeSet<BlobId> = all.iter().map(|m| m.leaf).collect();
        places.len() >= SEVERAL
            && leaves.len() >= SEVERAL
            && (is_minted(all) || (!are_one_pool(case, &places) && (!planned_only || is_one_each(all))))
    };
    let groups = by_issuer.into_iter().map(|((planned_only, _), all)| (planned_only, all));
    groups.filter(suspected).flat_map(|(_, all)| all).map(|m| m.leaf).collect()
}

/// True if each leaf showed for one name only.
fn is_one_each(all: &[Met]) -> bool {
    let mut names: BTreeMap<BlobId, BTreeSet<&Name>> = BTreeMap::new();
    for met in all {
        names.entry(met.leaf).or_default().insert(&met.name);
    }
    names.values().all(|n| n.len() == 1)
}

/// True if one declared certificate showed as several leaves at one server.
fn is_minted(all: &[Met]) -> bool {
    let mut leaves: BTreeMap<(Place, CertId), BTreeSet<BlobId>> = BTreeMap::new();
    for met in all {
        met.certificate.iter().for_each(|c| _ = leaves.entry((met.place, *c)).or_default().insert(met.leaf));
    }
    leaves.values().any(|l| l.len() >= SEVERAL)
}

/// Leaves of issuers that nobody knows; where all is well there are none, and nothing more is to be looked at.
fn strange(case: &Case) -> BTreeMap<ServerId, Vec<BlobId>> {
    let mut out = BTreeMap::new();
    let mut known: BTreeMap<BlobId, bool> = BTreeMap::new();
    for server in (0..case.plan.servers.len()).map(ServerId) {
        let mut is_strange = |leaf: &BlobId| *known.entry(*leaf).or_insert_with(|| is_strange(case, *leaf));
        let leaves: Vec<BlobId> = case.certificates.served_by(server).filter(|leaf| is_strange(leaf)).collect();
        if !leaves.is_empty() {
            out.insert(server, leaves);
        }
    }
    out
}

fn is_strange(case: &Case, leaf: BlobId) -> bool {
    case.certificates.facts(leaf).is_ok_and(|f| !f.is_self_issued()) && !has_known_issuer(case, leaf)
}

/// Covering leaves of issuers that nobody knows that somebody else's sites showed: those with the MTA-STS policies.
fn sites(case: &Case) -> Vec<Met> {
    let hosts: BTreeSet<Name> = case.plan.mail.iter().filter_map(|m| mta_sts::host(&m.domain)).collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    let planned: BTreeSet<IpAddr> =
        case.plan.servers.iter().flat_map(|s| s.addresses.iter().flatten().copied()).collect();
    let mut out = Vec::new();
    for (probe, looks) in case.evidence.probes() {
        let Probe::Tls(TlsProbe { address, way: Way::Implicit, sni: Some(host), face: None }) = probe else { continue };
        if !hosts.contains(host) || planned.contains(&address.ip()) {
            continue;
        }
        let Found::Fresh(all) = case.evidence.seen_at(looks) else { continue };
        for look in all {
            let Some(TlsOutcome::Certificate(served)) = case.evidence.tls(look) else { continue };
            let Some(leaf) = served.chain.first().copied().filter(|leaf| is_strange(case, *leaf)) else { continue };
            let covers = matches!(case.certificates.identify(leaf, host), Some(Ok(_)));
            if let (true, Ok(facts)) = (covers, case.certificates.facts(leaf)) {
                let (place, issuer) = (Place::Site(address.ip()), facts.issuer_der.clone());
                out.push(Met { place, certificate: None, name: host.clone(), leaf, issuer });
            }
        }
    }
    out
}

/// Covering leaves of issuers that nobody knows that a server's addresses served for a name.
fn met(
    case: &Case,
    strange: &BTreeMap<ServerId, Vec<BlobId>>,
    server: ServerId,
    certificate: CertId,
    name: &Name,
) -> Vec<Met> {
    let mut out = Vec::new();
    for leaf in strange.get(&server).into_iter().flatten().copied() {
        let covers = matches!(case.certificates.identify(leaf, name), Some(Ok(_)));
        if let (true, Ok(facts)) = (covers, case.certificates.facts(leaf)) {
            let (place, certificate) = (Place::Server(server), Some(certificate));
            out.push(Met { place, certificate, name: name.clone(), leaf, issuer: facts.issuer_der.clone() });
        }
    }
    out
}

fn is_unplanned(case: &Case, met: &Met, declared: &[BlobId]) -> bool {
    let known = |leaf: &BlobId| case.certificates.facts(*leaf).is_ok_and(|f| f.issuer_der == met.issuer);
    !declared.contains(&met.leaf) && !declared.iter().any(known)
}

/// True if a leaf leads to an anchor of some view, be it over an intermediate that was not sent, or that clients refuse for
/// what the leaf is: an authority that is trusted anywhere is no proxy's. Where no view's anchors are known, nothing can be said.
fn has_known_issuer(case: &Case, leaf: BlobId) -> bool {
    let Some(chain) = case.certificates.chain_of(leaf) else { return false };
    let mut paths = case.plan.view_ids().filter_map(|v| case.certificates.path(chain, v)).peekable();
    let leads = |path: Arc<PathFacts>| match path.untrusted {
        None | Some(Untrusted::MissingIntermediate { .. } | Untrusted::Weak(_) | Untrusted::Purpose(_)) => true,
        Some(Untrusted::SelfSigned | Untrusted::UnknownIssuer { .. } | Untrusted::Invalid(_)) => false,
    };
    paths.peek().is_none() || paths.any(leads)
}

/// The nodes of one pool may well have certificates of one new issuer.
fn are_one_pool(case: &Case, places: &BTreeSet<Place>) -> bool {
    let phases = crate::model::phase::Phase::ALL;
    let is_node = |pool: &crate::model::plan::Pool, place: &Place| match place {
        Place::Server(server) => phases.iter().any(|f| pool.servers(*f).contains(server)),
        Place::Site(_) => false,
    };
    let holds = |pool: &crate::model::plan::Pool| places.iter().all(|place| is_node(pool, place));
    case.plan.pools.iter().any(holds)
}
