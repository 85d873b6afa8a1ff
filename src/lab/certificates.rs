//! Which certificates the world holds: those that the plan declares, and those that its faults invent.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{CertId, CertificateSource, NameId, Plan, PoolId, ServerId, Target, ViewId, Wanted};

/// Index of a certificate in [`super::World::issues`].
pub(super) type IssueId = usize;

/// A certificate that is made when the world starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issue {
    /// The plan's label, or what a fault calls it.
    pub label: Arc<str>,
    pub common_name: Option<String>,
    /// dNSName entries; with no `address` either, there is no subjectAltName extension.
    pub names: Vec<String>,
    /// An iPAddress entry.
    pub address: Option<IpAddr>,
    pub dates: Dates,
    pub issuer: Issuer,
    pub make: Make,
}

/// What is wrong with a certificate itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// Nothing.
    Good,
    /// It is for clients only.
    ForClients,
    /// Its key is of RSA 1024.
    WeakKey,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dates {
    Current,
    Over,
    Ahead,
    /// It expires within days.
    Soon,
    /// For longer than any public authority may give.
    Long,
}

/// Who issues a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issuer {
    /// The lab's authority, by its intermediate.
    Lab,
    /// An authority that nobody trusts.
    Stranger,
    /// Self-signed.
    Itself,
}

impl Issue {
    /// A current certificate of the lab's authority.
    pub fn new(label: &str, names: Vec<String>) -> Self {
        // X.520 limits a common name to 64 characters.
        let common_name = names.iter().find(|n| n.len() <= 64).cloned().or_else(|| Some(cut(label)));
        Self {
            label: label.into(),
            common_name,
            names,
            address: None,
            dates: Dates::Current,
            issuer: Issuer::Lab,
            make: Make::Good,
        }
    }

    /// What a product makes of itself at installation.
    pub fn out_of_box(label: &str) -> Self {
        let names = Name::parse(label).map(|n| vec![n.to_string()]).unwrap_or_default();
        let common_name = Some(cut(label));
        Self { common_name, issuer: Issuer::Itself, ..Self::new(label, names) }
    }

    /// True if the certificate covers the name; a planned wildcard is covered by the same wildcard only.
    pub fn covers(&self, name: &str) -> bool {
        let parent = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        self.names.iter().any(|n| n == name || parent.as_ref() == Some(n))
    }
}

fn cut(label: &str) -> String {
    label.chars().take(64).collect()
}

/// The names and targets of a plan, as the servers see them.
pub(super) struct Uses<'a>(pub &'a Plan);

impl Uses<'_> {
    /// The plan's certificates as they are to be issued, and the issue of each by [`CertId`]. Certificates in one file
    /// are one certificate.
    pub fn issues(&self) -> (Vec<Issue>, Vec<IssueId>) {
        let (mut issues, mut of, mut files) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (i, certificate) in self.0.certificates.iter().enumerate() {
            let names = match &certificate.source {
                CertificateSource::Names(names) => names.iter().map(|n| n.value.to_string()).collect(),
                _ => self.names_of(CertId(i)),
            };
            let file = match &certificate.source {
                CertificateSource::File(path) => Some(path.value.as_str()),
                _ => None,
            };
            let id = match file.and_then(|f| files.get(f)) {
                Some(id) => *id,
                None => {
                    issues.push(Issue::new(&certificate.label, Vec::new()));
                    issues.len() - 1
                }
            };
            files.extend(file.map(|f| (f, id)));
            let merged = merge(&issues[id].names, names);
            issues[id] = Issue::new(&issues[id].label.clone(), merged);
            of.push(id);
        }
        (issues, of)
    }

    /// Every name that is served with a certificate by any target in any phase.
    fn names_of(&self, certificate: CertId) -> Vec<String> {
        let uses = |n: NameId| {
            Phase::ALL.into_iter().any(|phase| {
                self.targets(n, phase).into_iter().any(|target| {
                    self.words(n, target).iter().any(|w| self.declared(n, target, w, phase).contains(&certificate))
                })
            })
        };
        let names = self.name_ids().filter(|n| uses(*n)).map(|n| self.0.name(n).name.to_string()).collect();
        merge(&[], names)
    }

    /// Every name that leads to a target in any phase, for a certificate that nobody declared.
    pub fn names_at(&self, target: Target) -> Vec<String> {
        let leads = |n: NameId| Phase::ALL.into_iter().any(|p| self.targets(n, p).contains(&target));
        merge(&[], self.name_ids().filter(|n| leads(*n)).map(|n| self.0.name(n).name.to_string()).collect())
    }

    pub fn name_ids(&self) -> impl Iterator<Item = NameId> + use<> {
        (0..self.0.names.len()).map(NameId)
    }

    /// The targets that a name leads to in any view in a phase, the members of its pools with them.
    pub fn targets(&self, name: NameId, phase: Phase) -> Vec<Target> {
        let mut out = Vec::new();
        for view in self.0.view_ids() {
            out.extend(self.targets_in(name, view, phase));
        }
        out.sort();
        out.dedup();
        out
    }

    fn targets_in(&self, name: NameId, view: ViewId, phase: Phase) -> Vec<Target> {
        let Wanted::Targets(targets) = self.0.name(name).wanted(view, phase) else { return Vec::new() };
        let mut out = targets.to_vec();
        for target in targets.iter() {
            if let Target::Pool(id) = target {
                out.extend(self.0.pool(*id).servers(phase).iter().map(|s| Target::Server(*s)));
            }
        }
        out
    }

    /// The service words at which a target is asked for a name.
    fn words(&self, name: NameId, target: Target) -> Vec<&'static str> {
        match &self.0.name(name).services {
            Some(services) => services.iter().map(|s| s.word).collect(),
            None => services_of(self.0, target).into_iter().map(|(_, word, _)| word).collect(),
        }
    }

    /// The certificates with which a target should serve a name: the nearest choice, then that of its pool or members,
    /// then what is declared to be the server's.
    pub fn declared(&self, name: NameId, target: Target, word: &str, phase: Phase) -> Vec<CertId> {
        let near = self.0.certificates_for(name, target, word, phase);
        if !near.is_empty() {
            return near;
        }
        let far = match target {
            Target::Server(id) => self.pools_of(id, phase).into_iter().map(Target::Pool).collect::<Vec<_>>(),
            Target::Pool(id) => self.0.pool(id).servers(phase).iter().map(|s| Target::Server(*s)).collect(),
        };
        let found = far.into_iter().map(|t| self.0.certificates_for(name, t, word, phase)).find(|c| !c.is_empty());
        found.unwrap_or_else(|| self.served_by(target))
    }

    fn pools_of(&self, server: ServerId, phase: Phase) -> Vec<PoolId> {
        let holds = |p: &PoolId| self.0.pool(*p).servers(phase).contains(&server);
        (0..self.0.pools.len()).map(PoolId).filter(holds).collect()
    }

    /// The certificates that are declared as what this server serves.
    pub fn served_by(&self, target: Target) -> Vec<CertId> {
        let is = |c: &CertId| match (&self.0.certificate(*c).source, target) {
            (CertificateSource::From(server), Target::Server(id)) => *server == id,
            _ => false,
        };
        (0..self.0.certificates.len()).map(CertId).filter(is).collect()
    }
}

/// The ports at which a target listens: port, word, way. A balancer's are its own, or those of its members.
pub(super) fn services_of(plan: &Plan, target: Target) -> Vec<(u16, &'static str, crate::model::service::Way)> {
    let of = |services: &[crate::model::source::Located<crate::model::service::Service>]| {
        services.iter().map(|s| (s.value.port, s.value.word, s.value.way)).collect::<Vec<_>>()
    };
    match target {
        Target::Server(id) => of(&plan.server(id).services),
        Target::Pool(id) => match &plan.pool(id).services {
            Some(services) => of(services),
            None => {
                let members = Phase::ALL.into_iter().flat_map(|p| plan.pool(id).servers(p));
                let mut out: Vec<_> = members.flat_map(|m| of(&plan.server(*m).services)).collect();
                out.sort();
                out.dedup_by_key(|(port, ..)| *port);
                out
            }
        },
    }
}

fn merge(old: &[String], new: Vec<String>) -> Vec<String> {
    let mut out = old.to_vec();
    for name in new {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_file_s_certificate_has_the_names_that_use_it() {
        let plan = example::exchange_2003();
        let (issues, of) = Uses(&plan).issues();
        assert_eq!(issues[of[0]].names, ["mail.domain.com"]);
        assert_eq!(
            issues[of[1]].names,
            [
                "serverexchange2010.domain.com",
                "mail.domain.com",
                "autodiscover.domain.com",
                "legacy.mail.domain.com",
                "legacy.serverexchange2003.domain.com"
            ]
        );
    }

    #[test]
    fn a_certificate_that_is_not_ordered_yet_has_the_declared_names() {
        let plan = example::exchange_2019();
        let (issues, _) = Uses(&plan).issues();
        assert_eq!(issues[0].names, ["mail.exchangeservergeek.com", "autodiscover.exchangeservergeek.com"]);
        assert_eq!(issues[0].common_name.as_deref(), Some("mail.exchangeservergeek.com"));
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let wildcard = Issue::new("w", vec!["*.domain.com".into()]);
        assert!(wildcard.covers("mail.domain.com") && wildcard.covers("*.domain.com"));
        assert!(!wildcard.covers("legacy.mail.domain.com") && !wildcard.covers("domain.com"));
    }

    #[test]
    fn a_long_name_never_becomes_a_common_name() {
        let long = format!("{}.example.com", "a".repeat(60));
        assert_eq!(Issue::new("san", vec![long]).common_name.as_deref(), Some("san"));
    }
}
