//! What each fault may be called.

use std::collections::BTreeMap;
use std::fs;

use coexist::model::finding::{ClaimKind, Finding, Judgement, Severity};
use serde::Deserialize;

use crate::format::root;
use crate::{causes, shown};

/// The rules of each fault.
pub struct Oracle(BTreeMap<String, Entry>);

/// What is said of a fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    /// The rules that may speak of it as a cause; at least one of them must.
    finds: Vec<String>,
    /// Rules that may speak beside them.
    #[serde(default)]
    beside: Vec<String>,
    /// True if it hurts nobody even where it is due: another name or address does the same.
    #[serde(default)]
    may_be_harmless: bool,
    /// Moments in which what it brings about is as right as what was there.
    #[serde(default)]
    harmless_at: Vec<String>,
    /// True if it is as right as anything where nothing that is due says what DNS is to answer for the name.
    #[serde(default)]
    where_dns_is_due: bool,
    /// Of a fault of a domain: the types of the records that show it, where they can be learned.
    #[serde(default)]
    hangs_on: Vec<String>,
    /// Faults of the same view, or all that stands in its DNS, that nobody can see beside it.
    #[serde(default)]
    hides: Hides,
}

/// What a fault hides.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Hides {
    /// Every answer of its view.
    View(bool),
    /// These faults.
    Faults(Vec<String>),
    #[default]
    Nothing,
}

/// The fault's name, without what it breaks.
pub fn name(fault: &str) -> &str {
    fault.split(':').next().unwrap_or(fault)
}

impl Oracle {
    /// From `oracle.toml`.
    pub fn read() -> Self {
        let text = fs::read_to_string(root().join("tests/breaking/oracle.toml")).expect("the oracle");
        Self(toml::from_str(&text).expect("what each fault may be called"))
    }

    /// The faults that it knows.
    pub fn faults(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// True if by its nature one of two faults hides the other: no probe can tell that both are there.
    pub fn conceals(&self, one: &str, other: &str) -> bool {
        match &self.0[name(one)].hides {
            Hides::Faults(faults) => faults.iter().any(|f| f == name(other)),
            Hides::View(true) => is_of_zone(other) || view(one).is_none_or(|v| view(other) == Some(v)),
            Hides::View(false) | Hides::Nothing => false,
        }
    }

    /// True if a fault of a domain hangs on records that nobody can learn because of another fault of their view, and the
    /// judgement says so of these very records.
    pub fn is_said_to_be_open(&self, fault: &str, other: &str, judgement: &Judgement) -> bool {
        let (Some((_, domain)), Some(view)) = (fault.split_once(':'), view(other)) else { return false };
        let is_silent = matches!(self.0[name(other)].hides, Hides::View(true));
        let begin = format!("could not tell what {view} has for ");
        let questions = judgement.not_looked_at.iter().filter_map(|line| line.strip_prefix(&begin));
        // That nobody can ask for CAA is a finding of its own, since authorities cannot either.
        let is_found = |kind: &String| {
            kind == "CAA"
                && judgement.findings.iter().any(|f| f.rule == "caa-or-dcv-lookup-fails" && concerns(f, domain))
        };
        let is_asked = |kind: &String| questions.clone().any(|q| asks(q, kind, domain)) || is_found(kind);
        is_silent && self.0[name(fault)].hangs_on.iter().any(is_asked)
    }

    /// What is amiss if a fault was not found: no finding of its rules is about what it broke. Where nothing that is due
    /// is about that, nobody is hurt.
    pub fn misses(&self, fault: &str, moment: &str, judgement: &Judgement) -> impl Iterator<Item = String> {
        let entry = &self.0[name(fault)];
        let is_harmless = entry.may_be_harmless || entry.harmless_at.iter().any(|m| m == moment);
        let speaks = |f: &&Finding| f.severity > Severity::Info && entry.finds.iter().any(|r| r == f.rule);
        let found: Vec<&Finding> = judgement.findings.iter().filter(speaks).collect();
        let what = fault.split_once(':').map(|(_, what)| what).unwrap_or_default();
        let is_due = judgement.obligations.iter().any(|o| match names_a_certificate(fault) {
            true => o.due && o.id.to_string().starts_with(&format!("san/{what}/")),
            false => {
                o.due
                    && concerns(o, what)
                    && (!entry.where_dns_is_due || matches!(o.kind, ClaimKind::Dns | ClaimKind::Ttl))
            }
        });
        let told = match is_due && !is_harmless {
            true if found.is_empty() => Some(format!("{fault} is not found among {:?}", all(judgement))),
            // Which certificate it was is told by its thumbprint.
            true if !names_a_certificate(fault) && !found.iter().any(|f| concerns(f, what)) => {
                Some(format!("{fault} is found elsewhere: {:?}", found.iter().map(|f| shown(f)).collect::<Vec<_>>()))
            }
            _ => None,
        };
        told.into_iter()
    }

    /// Causes that none of the faults can have.
    pub fn strangers(&self, faults: &[&String], judgement: &Judgement) -> impl Iterator<Item = String> {
        let entries: Vec<&Entry> = faults.iter().map(|f| &self.0[name(f)]).collect();
        let fits = |rule: &str| entries.iter().any(|e| e.finds.iter().chain(&e.beside).any(|r| r == rule));
        let wrong: Vec<_> =
            causes(judgement).filter(|f| !fits(f.rule)).map(|f| format!("not so: {}", shown(f))).collect();
        wrong.into_iter()
    }
}

/// True if what is wrong with a certificate is not met in an obligation of a server that shows an older one instead.
pub fn is_out_of_use(fault: &str, other: &str, obligation: &str) -> bool {
    let server = other.strip_prefix("old-certificate:");
    names_a_certificate(fault) && server.is_some_and(|s| obligation.split('/').any(|part| part == s))
}

/// The view that a fault is about: `view` or `view/name`.
fn view(fault: &str) -> Option<&str> {
    let info = coexist::lab::faults().iter().find(|f| f.name == name(fault))?;
    info.argument.filter(|a| a.starts_with("view"))?;
    fault.split_once(':')?.1.split('/').next()
}

/// True of what stands at a zone and at its parent: where no resolver of a view answers, nobody knows whom to ask.
fn is_of_zone(fault: &str) -> bool {
    coexist::lab::faults().iter().any(|f| f.name == name(fault) && f.argument == Some("zone"))
}

/// True if a list of questions, as `A/AAAA of www.domain.com and MX of domain.com`, has a type at the domain or below it,
/// or if it is a long one, of which the end is only counted.
fn asks(questions: &str, kind: &str, domain: &str) -> bool {
    let words: Vec<&str> = questions.split([' ', ',']).collect();
    let is_it = |owner: &str| owner.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let is_named = |w: &[&str]| w[1] == "of" && w[0].split('/').any(|k| k == kind) && is_it(w[2]);
    questions.ends_with(" more") || words.windows(3).any(is_named)
}

fn all(judgement: &Judgement) -> Vec<&str> {
    judgement.findings.iter().map(|f| f.rule).collect()
}

fn names_a_certificate(fault: &str) -> bool {
    let info = coexist::lab::faults().iter().find(|f| f.name == name(fault));
    info.is_some_and(|f| f.argument == Some("certificate"))
}

/// True if it speaks of each part of what was broken: in its subject, its words, or what it concerns.
fn concerns(what_is_said: &impl std::fmt::Debug, what: &str) -> bool {
    let text = format!("{what_is_said:?}");
    what.split('/').all(|part| text.contains(part))
}
