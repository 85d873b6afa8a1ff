//! Faults of certificates: what they were issued as.

use super::super::certificates::{Dates, Issue, Issuer, Make};
use super::super::world::{FileFault, World};
use super::super::zone::registrable;
use crate::model::plan::{CertificateSource, TrustSource};

/// Labels of the certificates of the lab's authority that are shown anywhere, if they fit.
fn shown(world: &World, fits: impl Fn(&Issue) -> bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for issue in world.shown().into_iter().map(|i| &world.issues[i]) {
        let label = issue.label.to_string();
        if issue.issuer == Issuer::Lab && fits(issue) && !out.contains(&label) {
            out.push(label);
        }
    }
    out
}

fn change(world: &mut World, label: &str, change: impl Fn(&mut Issue)) {
    let meant = |i: &&mut Issue| *i.label == *label && i.issuer == Issuer::Lab;
    world.issues.iter_mut().filter(meant).for_each(change);
}

pub(super) fn anyhow(_: &World) -> Vec<String> {
    vec![String::new()]
}

pub(super) fn in_use(world: &World) -> Vec<String> {
    shown(world, |_| true)
}

fn wild(issue: &Issue) -> Vec<String> {
    let mut names: Vec<String> = issue.names.iter().map(|n| format!("*.{}", registrable(n))).collect();
    names.sort();
    names.dedup();
    names
}

pub(super) fn not_wild(world: &World) -> Vec<String> {
    shown(world, |issue| wild(issue) != issue.names)
}

pub(super) fn make_wild(world: &mut World, label: &str) {
    change(world, label, |issue| {
        issue.names = wild(issue);
        issue.common_name = issue.names.first().filter(|n| n.len() <= 64).cloned();
    });
}

/// The plan's names that certificates in use list beside others.
pub(super) fn names(world: &World) -> Vec<String> {
    let shown = world.shown();
    let listed = |name: &str| shown.iter().any(|i| lists_among_others(&world.issues[*i], name));
    world.plan.names.iter().map(|n| n.name.to_string()).filter(|n| listed(n)).collect()
}

fn lists_among_others(issue: &Issue, name: &str) -> bool {
    issue.names.len() > 1 && issue.names.iter().any(|n| n == name)
}

pub(super) fn leave_name_out(world: &mut World, name: &str) {
    for issue in world.shown() {
        let issue = &mut world.issues[issue];
        if lists_among_others(issue, name) {
            issue.names.retain(|n| n != name);
            if issue.common_name.as_deref() == Some(name) {
                issue.common_name = issue.names.iter().find(|n| n.len() <= 64).cloned();
            }
        }
    }
}

pub(super) fn keep_common_name_only(world: &mut World, label: &str) {
    change(world, label, |issue| issue.names.clear());
}

pub(super) fn expire(world: &mut World, label: &str) {
    change(world, label, |issue| issue.dates = Dates::Over);
}

pub(super) fn postpone(world: &mut World, label: &str) {
    change(world, label, |issue| issue.dates = Dates::Ahead);
}

/// Certificates that the plan's calendar asks to last longer than some days.
pub(super) fn in_dated_phase(world: &World) -> Vec<String> {
    let dated = world.plan.phases.values().any(|dates| dates.until.is_some());
    if dated { in_use(world) } else { Vec::new() }
}

/// Certificates whose names are known from what they are, and not from the plan.
pub(super) fn declared(world: &World) -> Vec<String> {
    shown(world, |issue| is_declared(world, issue))
}

/// As [`declared`], where some clients know the public program only.
pub(super) fn public(world: &World) -> Vec<String> {
    let public = world.plan.views.iter().any(|v| v.trust.iter().all(|t| t.value == TrustSource::Public));
    if public { declared(world) } else { Vec::new() }
}

fn is_declared(world: &World, issue: &Issue) -> bool {
    let mut all = world.plan.certificates.iter().filter(|c| c.label == issue.label);
    all.any(|c| !matches!(c.source, CertificateSource::Names(_)))
}

pub(super) fn shorten(world: &mut World, label: &str) {
    change(world, label, |issue| issue.dates = Dates::Soon);
}

pub(super) fn lengthen(world: &mut World, label: &str) {
    change(world, label, |issue| issue.dates = Dates::Long);
}

pub(super) fn make_for_clients(world: &mut World, label: &str) {
    change(world, label, |issue| issue.make = Make::ForClients);
}

pub(super) fn weaken_key(world: &mut World, label: &str) {
    change(world, label, |issue| issue.make = Make::WeakKey);
}

/// Certificates whose first name leaves room for another letter.
pub(super) fn misspellable(world: &World) -> Vec<String> {
    shown(world, |issue| misspelt(issue).is_some())
}

/// The last name without a vowel, as a hurried hand writes it.
fn misspelt(issue: &Issue) -> Option<(usize, String)> {
    let (place, name) = issue.names.iter().enumerate().next_back()?;
    let vowel = name.find(['a', 'e', 'i', 'o', 'u'])?;
    let mut out = name.clone();
    out.remove(vowel);
    (issue.names.len() > 1 && !out.starts_with('.')).then_some((place, out))
}

pub(super) fn misspell(world: &mut World, label: &str) {
    change(world, label, |issue| {
        if let Some((place, name)) = misspelt(issue) {
            issue.names[place] = name;
            issue.common_name = issue.names.iter().find(|n| n.len() <= 64).cloned();
        }
    });
}

pub(super) fn end_with_dots(world: &mut World, label: &str) {
    change(world, label, |issue| issue.names.iter_mut().for_each(|n| n.push('.')));
}

pub(super) fn add_name(world: &mut World, label: &str) {
    change(world, label, |issue| issue.names.push("forgotten.example.com".into()));
}

pub(super) fn issue_elsewhere(world: &mut World, label: &str) {
    change(world, label, |issue| issue.issuer = Issuer::Stranger);
}

/// Certificates of which the plan names a file.
pub(super) fn filed(world: &World) -> Vec<String> {
    let with_file = world.plan.certificates.iter().filter(|c| matches!(c.source, CertificateSource::File(_)));
    with_file.map(|c| c.label.to_string()).collect()
}

pub(super) fn put_key_into_file(world: &mut World, label: &str) {
    world.files.insert(label.into(), FileFault::WithKey);
}

pub(super) fn put_namesake_into_file(world: &mut World, label: &str) {
    world.files.insert(label.into(), FileFault::OtherIntermediate);
}

pub(super) fn cut_file_off(world: &mut World, label: &str) {
    world.files.insert(label.into(), FileFault::CutOff);
}

pub(super) fn make_pfx(world: &mut World, label: &str) {
    world.files.insert(label.into(), FileFault::PfxOfToday);
}

pub(super) fn expire_root(world: &mut World, _: &str) {
    world.root_expired = true;
}
