//! The names of a plan, and what is wanted of them.

use std::sync::Arc;

use super::{ByView, CertificateChoice, Target, ViewId};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::service::Service;
use crate::model::source::{Located, Span};

/// The table of the plan in which a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Names for clients inside.
    Intranet,
    /// Names for clients everywhere.
    Internet,
    /// Names for what stays on the old servers.
    Legacy,
}

impl Table {
    /// The word of the plan file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intranet => "intranet",
            Self::Internet => "internet",
            Self::Legacy => "legacy",
        }
    }
}

/// What a view's clients should find under a name in a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing is said.
    Unconstrained,
    /// It must not resolve: declared `"absent"`, or retired.
    Absent,
    /// It must not resolve because it is a name for inside only.
    Forbidden,
    /// It leads to these; the RRset is the union of their addresses.
    Targets(Arc<[Target]>),
}

/// A name of the plan.
#[derive(Clone, Debug)]
pub struct PlannedName {
    /// The name; may be a wildcard.
    pub name: Name,
    /// Its table.
    pub table: Table,
    /// What is wanted, by [`ViewId`] and [`Phase`] as index; each with the place that says so.
    pub wanted: ByView<[Located<Wanted>; 3]>,
    /// The services at which it is asked, where the plan or the table narrows them; `None` means all of its server.
    pub services: Option<Box<[Service]>>,
    /// Its own certificates, before those of its servers.
    pub certificate: Option<Box<CertificateChoice>>,
    /// Planned TTL in seconds.
    pub ttl: Option<Located<u32>>,
    /// TTL before it is lowered, in seconds.
    pub ttl_before: Option<Located<u32>>,
    /// The alias that DNS must show.
    pub cname: Option<Box<Located<Name>>>,
    /// True if any non-empty part of the RRset is right, because a global balancer picks.
    pub answers_any: bool,
    /// The place of the name itself.
    pub span: Span,
}

impl PlannedName {
    /// What a view's clients should find in a phase.
    pub fn wanted(&self, view: ViewId, phase: Phase) -> &Wanted {
        &self.wanted[view.0][phase as usize].value
    }
}
