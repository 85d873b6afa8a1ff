//! Passwords: they stand in the environment, never in a plan nor on a command line.

use std::env::VarError;

use crate::model::plan::{CertificateSource, Plan};
use crate::observe::Secret;
use crate::observe::file::{FilePassword, Passwords};

/// Of one file, which several certificates may name; each is tried.
const MOST: usize = 4;

/// What a variable of the environment holds, or what is wrong with it.
pub fn variable(name: &str) -> Result<Secret, &'static str> {
    match std::env::var(name) {
        Ok(text) => Ok(Secret::new(text)),
        Err(VarError::NotPresent) => Err("is not set"),
        Err(VarError::NotUnicode(_)) => Err("is no text"),
    }
}

/// Those of the plan's certificate files, each file's own or else the plan's. Of files that need none, none is missed.
pub fn of(plan: &Plan) -> Passwords {
    let mut out = Passwords::new();
    for certificate in &plan.certificates {
        let CertificateSource::File(path) = &certificate.source else { continue };
        let Some(name) = certificate.password_env.as_ref().or(plan.settings.password_env.as_ref()) else { continue };
        let known = out.entry(path.value.clone()).or_default();
        if known.len() < MOST && known.iter().all(|password| password.variable != *name) {
            known.push(FilePassword { variable: name.clone(), value: variable(name) });
        }
    }
    out
}
