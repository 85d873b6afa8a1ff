//! Which certificates take the place of which, where, and what they drop.

mod changes;

pub(super) use changes::ends;

use std::collections::{BTreeMap, BTreeSet};

use super::san_near_miss;
use crate::judge::case::Case;
use crate::judge::certificates::Content;
use crate::judge::draft::Whose;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::name::Name;
use crate::model::obligation::{Claim, Obligation};
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{CertId, CertificateSource, NameId, Target, Wanted};
use crate::model::service::Service;
use crate::pki;

/// A certificate that takes the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Replacement {
    /// What stands there now, or stood there before.
    pub(super) present: Whose,
    /// What the plan puts in its place.
    pub(super) successor: CertId,
}

/// What a replacement drops at a target.
#[derive(Clone, Debug, Default)]
pub(super) struct Dropped {
    /// Identifiers that nothing makes up for.
    pub(super) lost: BTreeSet<String>,
    /// Names of the plan among them.
    pub(super) planned: BTreeSet<NameId>,
    /// Wildcards under which every planned name stays covered.
    pub(super) wild: BTreeSet<String>,
}

impl Dropped {
    fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.wild.is_empty()
    }
}

/// One change of certificates of a service of a target.
struct Change {
    target: Target,
    service: Service,
    /// Under which name, where it has a certificate of its own; `None` is what the target serves otherwise.
    name: Option<NameId>,
    from: Phase,
    to: Phase,
    /// True unless the change is over: what is served then is the successor.
    ahead: bool,
}

/// Everything that replacements drop in the steps that touch the moment that is asked about.
pub(super) fn dropped(case: &Case) -> BTreeMap<(Replacement, Target), Dropped> {
    let mut out: BTreeMap<(Replacement, Target), Dropped> = BTreeMap::new();
    for change in changes::changes(case) {
        for replacement in change.replacements(case) {
            let dropped = change.dropped(case, replacement);
            if !dropped.is_empty() {
                let all = out.entry((replacement, change.target)).or_default();
                all.lost.extend(dropped.lost);
                all.planned.extend(dropped.planned);
                all.wild.extend(dropped.wild);
            }
        }
    }
    out
}

impl Change {
    fn chosen(&self, case: &Case, phase: Phase) -> Vec<CertId> {
        match self.name {
            Some(name) => case.plan.certificates_for(name, self.target, self.service.word, phase),
            None => self.by_target(case, phase).to_vec(),
        }
    }

    /// What the target serves under names that have none of their own.
    fn by_target<'c>(&self, case: &'c Case, phase: Phase) -> &'c [CertId] {
        let choice = match self.target {
            Target::Server(id) => case.plan.server(id).certificate.as_ref(),
            Target::Pool(id) => case.plan.pool(id).certificate.as_ref(),
        };
        choice.map_or(&[], |c| c.pick(self.service.word, phase))
    }

    fn replacements(&self, case: &Case) -> BTreeSet<Replacement> {
        let (old, new) = (&self.chosen(case, self.from), &self.chosen(case, self.to));
        let served: Vec<BlobId> = match self.target {
            Target::Server(id) if self.ahead => case.certificates.served_at(id, &self.service),
            _ => Vec::new(),
        };
        let mut out = BTreeSet::new();
        for successor in new {
            let is_next =
                |leaf: &&BlobId| is_next(case, **leaf, *successor, old == new) && self.is_relied_on(case, **leaf);
            let seen = served.iter().filter(is_next).map(|leaf| Whose::Leaf(*leaf));
            let declared = old.iter().filter(|c| !new.contains(c)).flat_map(|c| declared(case, *c, &served));
            out.extend(seen.chain(declared).map(|present| Replacement { present, successor: *successor }));
        }
        out
    }

    /// True if a served leaf covers what the plan leads here now, or if nothing yet, then: one that is itself wrong here is
    /// not what users have, and its other names are slips or a stranger's.
    fn is_relied_on(&self, case: &Case, leaf: BlobId) -> bool {
        let due = |phase| {
            let holds = move |o: &&Obligation| o.holds.iter().any(|(_, set)| set.contains(Moment::Steady(phase)));
            let here = |o: &Obligation| match &*o.claim {
                Claim::Serves { server, service, .. } if o.drain.is_none() => {
                    (Target::Server(*server) == self.target && *service == self.service).then_some(o.name)
                }
                _ => None,
            };
            case.obligations.iter().filter(holds).filter_map(here).collect::<BTreeSet<NameId>>()
        };
        let now = due(self.from);
        let here = if now.is_empty() { due(self.to) } else { now };
        let meant = |n: &&NameId| match self.name {
            Some(name) => name == **n,
            None => self.own(case, **n, self.from).is_empty(),
        };
        let names: Vec<&NameId> = here.iter().filter(meant).collect();
        let covers =
            |n: &NameId| !matches!(case.certificates.identify(leaf, &case.plan.name(*n).name.probe()), Some(Err(_)));
        names.len() >= here.len().min(1) && names.into_iter().all(covers)
    }

    /// A name's own certificates here.
    fn own<'c>(&self, case: &'c Case, name: NameId, phase: Phase) -> &'c [CertId] {
        case.plan.name(name).certificate.as_ref().map_or(&[], |c| c.pick(self.service.word, phase))
    }

    /// True if what the target serves otherwise covers an identifier once one name's certificate has changed.
    fn is_covered_beside(&self, case: &Case, id: &str) -> bool {
        let others = (0..case.plan.names.len()).map(NameId).filter(|n| self.leads(case, *n, self.to));
        let own = others.flat_map(|n| self.own(case, n, self.to)).copied();
        let mut all = self.by_target(case, self.to).iter().copied().chain(own);
        self.name.is_some() && all.any(|c| !successors(case, c).is_empty() && covers(case, c, id))
    }

    fn dropped(&self, case: &Case, replacement: Replacement) -> Dropped {
        let facts = match replacement.present {
            Whose::Leaf(leaf) => case.certificates.facts(leaf).ok(),
            Whose::Planned(_) => None,
        };
        let mut out = Dropped::default();
        let before = identifiers(case, replacement.present);
        for id in &before {
            // A slip was nobody's name.
            let is_slip = || san_near_miss::meant(case.plan, id, &before).is_some();
            let lost = !covers(case, replacement.successor, id) && !self.is_covered_beside(case, id) && !is_slip();
            match id.strip_prefix("*.") {
                _ if !lost || facts.is_some_and(|f| self.is_own_host(case, f, id)) => {}
                Some(base) => self.drop_wildcard(case, replacement.successor, id, base, &mut out),
                None => self.drop_name(case, id, &mut out),
            }
        }
        let addresses = facts.filter(|f| !f.is_self_issued()).map_or(&[][..], |f| &f.ip_ids);
        out.lost
            .extend(addresses.iter().map(|a| a.to_string()).filter(|a| !has_address(case, replacement.successor, a)));
        out
    }

    /// A name that is not planned may be used by anybody; one that is planned, as the plan says.
    fn drop_name(&self, case: &Case, id: &str, out: &mut Dropped) {
        let planned = case.plan.names.iter().position(|n| n.name.as_str() == id).map(NameId);
        if planned.is_none_or(|name| self.is_used(case, name)) {
            out.lost.insert(id.to_string());
            out.planned.extend(planned);
        }
    }

    /// What nobody planned may be used under a wildcard, too; but where every planned name is covered otherwise, the
    /// wildcard was probably only a way to cover these.
    fn drop_wildcard(&self, case: &Case, successor: CertId, id: &str, base: &str, out: &mut Dropped) {
        let under = |n: &NameId| {
            let name = &case.plan.name(*n).name;
            name.as_str() == id || (!name.is_wildcard() && name.parent() == Some(base))
        };
        let planned: Vec<NameId> = (0..case.plan.names.len()).map(NameId).filter(under).collect();
        let covered = |n: &NameId| covers(case, successor, case.plan.name(*n).name.as_str()) || !self.is_used(case, *n);
        if !planned.is_empty() && planned.iter().all(covered) {
            out.wild.insert(id.to_string());
            return;
        }
        let lost: Vec<NameId> = planned.into_iter().filter(|n| !covered(n)).collect();
        out.lost.insert(id.to_string());
        out.lost.extend(lost.iter().map(|n| case.plan.name(*n).name.to_string()));
        out.planned.extend(lost);
    }

    /// True if the plan leads the name to this target in one of the two phases, does not retire it in the later one, and
    /// has no certificate of its own for it there.
    fn is_used(&self, case: &Case, name: NameId) -> bool {
        let (plan, planned) = (case.plan, case.plan.name(name));
        let ends = |v| matches!(planned.wanted(v, self.to), Wanted::Absent | Wanted::Forbidden);
        let is_retired = plan.view_ids().all(ends);
        let is_covered = self.own(case, name, self.to).iter().any(|c| covers(case, *c, planned.name.as_str()));
        (self.leads(case, name, self.from) || self.leads(case, name, self.to)) && !is_retired && !is_covered
    }

    /// True if the plan leads the name to this target in a phase, for some view.
    fn leads(&self, case: &Case, name: NameId, phase: Phase) -> bool {
        let plan = case.plan;
        let here = |target: &Target| match (*target, self.target) {
            (Target::Pool(pool), Target::Server(server)) => plan.pool(pool).all_members().contains(&server),
            (one, other) => one == other,
        };
        plan.view_ids().any(|v| match plan.name(name).wanted(v, phase) {
            Wanted::Targets(targets) => targets.iter().any(here),
            _ => false,
        })
    }

    /// What a server made for itself has its host's own names, which no user was told.
    fn is_own_host(&self, case: &Case, facts: &CertificateFacts, id: &str) -> bool {
        let first = |text: &str| text.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let label = case.plan.target_label(self.target);
        let hosts = facts.common_names.iter().map(|cn| first(cn)).chain([first(label)]);
        facts.is_self_issued() && hosts.into_iter().any(|host| host == first(id))
    }
}

/// True if a leaf that is served is to be followed by a declared certificate. Where no change is declared, only a file
/// that was issued later says that there will be one.
fn is_next(case: &Case, leaf: BlobId, successor: CertId, same: bool) -> bool {
    let issued = |id: BlobId| case.certificates.facts(id).ok().map(|f| f.not_before);
    match case.certificates.content(successor) {
        Content::Leaves(leaves) if leaves.iter().any(|(id, _)| *id == leaf) => false,
        Content::Leaves(leaves) => !same || leaves.iter().all(|(id, _)| issued(*id) > issued(leaf)),
        Content::Planned => !same && !is_issue_of(case, leaf, successor),
        Content::Unknown(_) => false,
    }
}

/// True if a leaf can be what was ordered under these names: it has them all, and no more than an authority adds by
/// itself.
fn is_issue_of(case: &Case, leaf: BlobId, certificate: CertId) -> bool {
    let ordered = identifiers(case, Whose::Planned(certificate));
    let issued = identifiers(case, Whose::Leaf(leaf));
    let added = |id: &String| id.strip_prefix("www.").is_some_and(|base| ordered.iter().any(|o| o == base));
    ordered.iter().all(|o| issued.contains(o)) && issued.iter().all(|id| ordered.contains(id) || added(id))
}

/// What a declared certificate is: its leaves; its planned names only until somebody is seen to serve it.
fn declared(case: &Case, certificate: CertId, served: &[BlobId]) -> Vec<Whose> {
    match case.certificates.content(certificate) {
        Content::Leaves(leaves) => leaves.iter().map(|(leaf, _)| Whose::Leaf(*leaf)).collect(),
        Content::Planned if served.iter().any(|l| case.certificates.declared(*l) == Some(certificate)) => Vec::new(),
        Content::Planned => vec![Whose::Planned(certificate)],
        Content::Unknown(_) => Vec::new(),
    }
}

/// The DNS-IDs, in lower case.
pub(super) fn identifiers(case: &Case, whose: Whose) -> Vec<String> {
    match whose {
        Whose::Leaf(leaf) => case
            .certificates
            .facts(leaf)
            .map_or_else(|_| Vec::new(), |f| f.dns_ids.iter().map(|id| lower(id)).collect()),
        Whose::Planned(c) => match &case.plan.certificate(c).source {
            CertificateSource::Names(names) => names.iter().map(|n| n.value.to_string()).collect(),
            _ => Vec::new(),
        },
    }
}

fn lower(id: &str) -> String {
    id.trim_end_matches('.').to_ascii_lowercase()
}

/// True if every leaf that a declared certificate stands for covers an identifier; what is no name is compared as text.
fn covers(case: &Case, certificate: CertId, id: &str) -> bool {
    let by = |whose: Whose| {
        let presented = identifiers(case, whose);
        match Name::parse(id) {
            Ok(name) => pki::identify_among(presented.iter().map(String::as_str), &name).is_ok(),
            Err(_) => presented.iter().any(|p| p == id),
        }
    };
    let all = successors(case, certificate);
    all.is_empty() || all.into_iter().all(by)
}

/// What a declared certificate stands for, as far as it is known.
pub(super) fn successors(case: &Case, certificate: CertId) -> Vec<Whose> {
    declared(case, certificate, &[])
}

fn has_address(case: &Case, certificate: CertId, address: &str) -> bool {
    let has = |leaf: BlobId| {
        let facts = case.certificates.facts(leaf);
        facts.is_ok_and(|f| f.ip_ids.iter().any(|a| a.to_string() == address))
    };
    successors(case, certificate).into_iter().all(|whose| matches!(whose, Whose::Leaf(leaf) if has(leaf)))
}
