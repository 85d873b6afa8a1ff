//! Whom obligations and findings are about.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use crate::judge::assess::Cell;
use crate::judge::case::Case;
use crate::judge::draft::Item;
use crate::judge::evidence::Look;
use crate::judge::problem::{Culprit, Fault, Spot};
use crate::model::finding::{ClaimKind, Subject};
use crate::model::obligation::{Claim, Obligation};
use crate::model::plan::ViewId;
use crate::model::service::Service;

/// The kind of an obligation.
pub(in crate::judge) fn kind(claim: &Claim) -> ClaimKind {
    match claim {
        Claim::Covers { .. } => ClaimKind::San,
        Claim::Resolves { .. } => ClaimKind::Dns,
        Claim::Lowered { .. } => ClaimKind::Ttl,
        Claim::Serves { .. } => ClaimKind::Tls,
        Claim::Path { .. } => ClaimKind::Path,
    }
}

/// So many cells are compared one by one.
const FEW: usize = 8;

/// Words that many obligations share, each made once.
#[derive(Default)]
pub(in crate::judge) struct Shared {
    services: BTreeMap<(&'static str, u16), Arc<str>>,
    addresses: BTreeMap<IpAddr, Arc<str>>,
    words: BTreeMap<Box<str>, Arc<str>>,
    /// The first of these: a plan's names mostly have the same few.
    cells: Vec<(Cell, Arc<str>)>,
    /// By the claim, which the names of one server share.
    subjects: HashMap<*const Claim, Arc<Subject<Arc<str>>>>,
}

impl Shared {
    fn service(&mut self, service: &Service) -> Option<Arc<str>> {
        let word = || format!("{}:{}", service.word, service.port).into();
        Some(self.services.entry((service.word, service.port)).or_insert_with(word).clone())
    }

    fn only(&mut self, addresses: &[IpAddr]) -> Option<Arc<str>> {
        match addresses {
            [only] => Some(self.address(*only)),
            _ => None,
        }
    }

    fn address(&mut self, address: IpAddr) -> Arc<str> {
        self.addresses.entry(address).or_insert_with(|| address.to_string().into()).clone()
    }

    /// What stands in a cell.
    pub(in crate::judge) fn cell(&mut self, cell: &Cell) -> Arc<str> {
        if let Some((_, text)) = self.cells.iter().find(|(known, _)| known == cell) {
            return text.clone();
        }
        let text = self.text(cell);
        if self.cells.len() < FEW {
            self.cells.push((cell.clone(), text.clone()));
        }
        text
    }

    fn text(&mut self, cell: &Cell) -> Arc<str> {
        if let Cell::Answer(only, 0) = cell {
            return self.address(*only);
        }
        let text = cell.text();
        match self.words.get(&*text) {
            Some(word) => word.clone(),
            None => self.words.entry((*text).into()).or_insert_with(|| (*text).into()).clone(),
        }
    }
}

/// What an obligation is about beside its name.
pub(in crate::judge) fn about(case: &Case, obligation: usize, shared: &mut Shared) -> Arc<Subject<Arc<str>>> {
    let claim = &case.obligations[obligation].claim;
    if let Some(known) = shared.subjects.get(&Arc::as_ptr(claim)) {
        return known.clone();
    }
    let subject = Arc::new(without_name(case, claim, shared));
    shared.subjects.insert(Arc::as_ptr(claim), subject.clone());
    subject
}

fn without_name(case: &Case, claim: &Claim, shared: &mut Shared) -> Subject<Arc<str>> {
    let plan = case.plan;
    let view = |v: &ViewId| Some(plan.view(*v).label.clone());
    let blank = Subject::default();
    match claim {
        Claim::Covers { certificate, .. } => {
            Subject { certificate: Some(plan.certificate(*certificate).label.clone()), ..blank }
        }
        Claim::Resolves { view: v, .. } | Claim::Lowered { view: v, .. } => Subject { view: view(v), ..blank },
        Claim::Serves { server, service, .. } => Subject {
            server: Some(plan.server(*server).label.clone()),
            service: shared.service(service),
            address: shared.only(case.own_addresses(*server)),
            ..blank
        },
        Claim::Path { view: v, target, service, addresses, .. } => Subject {
            view: view(v),
            server: Some(plan.target_label(*target).clone()),
            service: shared.service(service),
            address: shared.only(addresses),
            vantage: view(v),
            ..blank
        },
    }
}

fn one(addresses: Vec<IpAddr>) -> Option<String> {
    match addresses.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    }
}

/// What the subjects of several obligations have in common.
pub(in crate::judge) fn common_subject(case: &Case, obligations: &BTreeSet<usize>, items: &[Item]) -> Subject {
    let mut shared = Shared::default();
    let of = |i: &usize| {
        let Obligation { name, demand, .. } = &case.obligations[*i];
        Subject { name: Some(case.plan.name(*name).name.shared()), ..without_name(case, &demand.claim, &mut shared) }
    };
    let subjects: Vec<Subject<Arc<str>>> = obligations.iter().map(of).collect();
    let common = |field: fn(&Subject<Arc<str>>) -> &Option<Arc<str>>| {
        let mut all = subjects.iter().map(field);
        let first = all.next()?.as_deref()?;
        all.all(|v| v.as_deref() == Some(first)).then(|| first.to_string())
    };
    let vantages: BTreeSet<Option<String>> =
        items.iter().flat_map(|i| &i.problem.looks).map(|l| vantage(case, *l)).collect();
    let mut out = Subject {
        name: common(|s| &s.name),
        view: common(|s| &s.view),
        server: common(|s| &s.server),
        address: common(|s| &s.address),
        service: common(|s| &s.service),
        vantage: if vantages.len() == 1 { vantages.into_iter().next().flatten() } else { None },
        certificate: common(|s| &s.certificate),
    };
    endpoint_subject(case, items, &mut out);
    out
}

/// Endpoint findings are about their culprit, and about the address where it was met if there is one only.
fn endpoint_subject(case: &Case, items: &[Item], out: &mut Subject) {
    let spots: Option<Vec<&Spot>> = items
        .iter()
        .map(|i| match &i.problem.fault {
            Fault::Endpoint(spot, _) => Some(spot),
            _ => None,
        })
        .collect();
    let Some(spots) = spots.filter(|s| !s.is_empty()) else { return };
    let culprits: BTreeSet<Culprit> = spots.iter().map(|s| s.culprit).collect();
    let addresses: BTreeSet<IpAddr> = spots.iter().map(|s| s.address.ip()).collect();
    out.server = match (culprits.len(), culprits.first()) {
        (1, Some(Culprit::Planned(target))) => Some(case.plan.target_label(*target).to_string()),
        _ => None,
    };
    out.address = one(addresses.into_iter().collect());
}

/// The view in which an observation's run stood, if it was one.
fn vantage(case: &Case, look: Look) -> Option<String> {
    match case.evidence.run(look)?.stands_in.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    }
}
