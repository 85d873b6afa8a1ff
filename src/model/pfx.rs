//! How a PFX file (PKCS#12, RFC 7292) is protected: readable without its password.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What protects a PFX file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PfxFacts {
    /// How its parts are encrypted, each way once; empty if none is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encryption: Vec<Protection>,
    /// How its integrity is protected; `None` if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Protection>,
}

/// One way of protecting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Protection {
    /// How old a reader may be.
    pub age: Age,
    /// In words: `AES-256-CBC with PBES2`.
    pub words: String,
}

/// How old a reader of PFX files may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    /// PKCS#12's own way, with SHA-1: every reader since Windows 2000 (RFC 7292 appendices B and C).
    Sha1,
    /// PBES2 (RFC 8018), or a MAC of SHA-2: readers of about 2017 and later, on Windows.
    Pbes2,
    /// PBMAC1 (RFC 9579, of 2024).
    Pbmac1,
    /// Of another kind, which is not known here.
    Other,
}

impl PfxFacts {
    /// Everything that protects it.
    pub fn all(&self) -> impl Iterator<Item = &Protection> {
        self.encryption.iter().chain(&self.mac)
    }
}

impl fmt::Display for PfxFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.encryption.iter().map(|p| p.words.as_str()).collect();
        let encryption = if words.is_empty() { "not encrypted".into() } else { words.join(", ") };
        match &self.mac {
            Some(mac) => write!(f, "{encryption}; MAC {}", mac.words),
            None => write!(f, "{encryption}; no MAC"),
        }
    }
}
