//! Certificates of which only the names are planned: which of them a served one is likest.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::name::Name;
use crate::model::plan::{CertId, CertificateSource, Plan};

/// Planned certificates by their names.
pub(super) struct Planned<'a> {
    by_name: HashMap<&'a str, Vec<CertId>>,
    /// How many names each has.
    sizes: BTreeMap<CertId, usize>,
}

impl<'a> Planned<'a> {
    /// Those of a plan.
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut this = Self { by_name: HashMap::new(), sizes: BTreeMap::new() };
        for (i, certificate) in plan.certificates.iter().enumerate() {
            let CertificateSource::Names(names) = &certificate.source else { continue };
            let names: BTreeSet<&str> = names.iter().map(|n| n.value.as_str()).collect();
            this.sizes.insert(CertId(i), names.len());
            names.into_iter().for_each(|name| this.by_name.entry(name).or_default().push(CertId(i)));
        }
        this
    }

    /// The one that shares most of its names with these; of equals the one declared first.
    pub(super) fn likest<'p>(&self, presented: &'p [String]) -> Option<CertId> {
        // What is written so that no client matches it, with a final dot, say, still tells what was meant.
        let read = |d: &str| Name::parse(d.trim()).map_or_else(|_| d.to_ascii_lowercase(), |n| n.to_string());
        let meant = |d: &'p String| match self.by_name.contains_key(d.as_str()) {
            true => Cow::Borrowed(d.as_str()),
            false => Cow::Owned(read(d)),
        };
        let mut presented: Vec<Cow<'p, str>> = presented.iter().map(meant).collect();
        presented.sort_unstable();
        presented.dedup();
        let mut shared: BTreeMap<CertId, usize> = BTreeMap::new();
        for certificate in presented.iter().filter_map(|name| self.by_name.get(&**name)).flatten() {
            *shared.entry(*certificate).or_default() += 1;
        }
        let likeness = |(certificate, shared): (CertId, usize)| {
            let all = self.sizes.get(&certificate).copied().unwrap_or_default() + presented.len() - shared;
            (shared * 1000 / all.max(1), Reverse(certificate))
        };
        shared.into_iter().map(likeness).max().map(|(_, Reverse(certificate))| certificate)
    }
}
