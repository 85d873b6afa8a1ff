//! Declared certificates, and which of them is meant where.

use std::sync::Arc;

use super::{CertId, ServerId};
use crate::model::certificate::Thumbprint;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::source::{Located, Span};

/// How a served certificate is held against a declared one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchMode {
    /// It must cover the names and be trusted.
    Names,
    /// It must be that very certificate.
    Leaf,
}

/// Where a declared certificate's content is known from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// A file, its path as written.
    File(Located<String>),
    /// Only its thumbprint is known.
    Thumbprint,
    /// What that server serves.
    From(ServerId),
    /// Not ordered yet: the names that it shall have.
    Names(Vec<Located<Name>>),
}

/// Where a certificate's key can be exported from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyExportable {
    /// From every server that has it, or from none.
    Everywhere(bool),
    /// From these servers, which have it, and from no other.
    From(Vec<ServerId>),
}

/// A declared certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its label in the plan.
    pub label: Arc<str>,
    /// Where its content is known from.
    pub source: CertificateSource,
    /// The declared thumbprint.
    pub thumbprint: Option<Located<Thumbprint>>,
    /// For what is not ordered yet: from whom to order.
    pub issuer: Option<Located<String>>,
    /// For what is not ordered yet: how many names the issuer puts into one certificate.
    pub max_names: Option<Located<u32>>,
    /// How a served certificate is held against it.
    pub match_mode: MatchMode,
    /// Which servers give its key away; `None` where nothing is said.
    pub key_exportable: Option<Located<KeyExportable>>,
    /// Name of the environment variable that holds the password of a PFX.
    pub password_env: Option<String>,
    /// The label's place.
    pub span: Span,
}

/// A choice of certificates, narrowed by phase and service word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateChoice {
    /// The parts; for a phase and word the last part that applies counts, one that names the word before one that does not.
    pub parts: Vec<CertificatePart>,
    /// The place of the whole value.
    pub span: Span,
}

/// One part of a [`CertificateChoice`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatePart {
    /// From this phase on; `None` means always.
    pub from: Option<Phase>,
    /// For this service word only.
    pub word: Option<String>,
    /// The certificates; more than one for servers with an RSA and an ECDSA certificate.
    pub certificates: Vec<CertId>,
}

impl CertificateChoice {
    /// The certificates for a service word in a phase; empty if the choice says nothing of them.
    pub fn pick(&self, word: &str, phase: Phase) -> &[CertId] {
        let best = |named: bool| {
            self.parts
                .iter()
                .filter(|p| if named { p.word.as_deref() == Some(word) } else { p.word.is_none() })
                .filter(|p| p.from.is_none_or(|from| from <= phase))
                .max_by_key(|p| p.from)
        };
        best(true).or_else(|| best(false)).map_or(&[], |p| &p.certificates)
    }
}
