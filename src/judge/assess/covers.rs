//! A declared certificate covers a name.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::super::case::Case;
use super::super::certificates::Content;
use super::super::evidence::Found;
use super::super::problem::{CertificateFault, Fault, Problem};
use super::{Assessment, Cell, problem};
use crate::model::certificate::BlobId;
use crate::model::name::Name;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{CertId, CertificateSource, NameId, ServerId};
use crate::model::tls::TlsOutcome;
use crate::pki::{OutOfDate, Untrusted};

/// Judges the certificate's identifiers, dates and thumbprint, and whether a self-signed one is trusted where it is used.
pub(super) fn covers(case: &Case, index: usize, name: NameId, certificate: CertId) -> Assessment {
    let declared = case.plan.certificate(certificate);
    // A wildcard of the plan wants that very wildcard.
    let reference = case.plan.name(name).name.clone();
    let problems = match (&declared.source, case.certificates.content(certificate)) {
        (CertificateSource::Names(names), _) => {
            let mismatch = case.certificates.identify_planned(certificate, names, &reference).err();
            mismatch
                .map(|why| fault(certificate, CertificateFault::Uncovered { leaf: None, why }))
                .into_iter()
                .collect()
        }
        (CertificateSource::From(server), _) => match seen_at(case, *server, &reference.probe()) {
            leaves if leaves.is_empty() => {
                let why = format!("{} was not seen to serve one for {reference}", case.plan.server(*server).label);
                vec![fault(certificate, CertificateFault::Unknown(why))]
            }
            leaves => leaves.iter().flat_map(|leaf| of_leaf(case, index, certificate, *leaf, &reference)).collect(),
        },
        (_, Content::Leaves(leaves)) => {
            leaves.iter().flat_map(|(leaf, _)| of_leaf(case, index, certificate, *leaf, &reference)).collect()
        }
        (_, Content::Unknown(why)) => vec![fault(certificate, CertificateFault::Unknown(why.clone()))],
        (_, Content::Planned) => vec![fault(certificate, CertificateFault::Unknown("not issued yet".into()))],
    };
    let cell = problems.first().map_or("", |p| cell(&p.fault, case.now));
    Assessment::of(problems, Cell::Word(cell))
}

fn of_leaf(case: &Case, index: usize, certificate: CertId, leaf: BlobId, reference: &Name) -> Vec<Problem> {
    let facts = match case.certificates.facts(leaf) {
        Ok(facts) => facts,
        Err(why) => return vec![fault(certificate, CertificateFault::Unknown(format!("cannot be read: {why}")))],
    };
    let mut out = Vec::new();
    if let Some(Err(why)) = case.certificates.identify(leaf, reference) {
        out.push(fault(certificate, CertificateFault::Uncovered { leaf: Some(leaf), why }));
    }
    let declared = case.plan.certificate(certificate);
    if declared.thumbprint.as_ref().is_some_and(|t| !t.value.is_of(facts)) {
        out.push(fault(certificate, CertificateFault::OtherThumbprint { leaf }));
    }
    if case.now < facts.not_before || case.now > facts.not_after {
        let (not_before, not_after) = (facts.not_before, facts.not_after);
        let date = OutOfDate {
            position: Some(0),
            is_anchor: false,
            subject: facts.subject.to_string(),
            not_before,
            not_after,
        };
        out.push(fault(certificate, CertificateFault::OutOfDate { leaf, date }));
    }
    if facts.is_self_issued() {
        out.extend(self_signed(case, index, certificate, leaf));
    }
    out
}

/// A file often holds the leaf without its chain; only of a self-signed one it can be said that the view distrusts it.
fn self_signed(case: &Case, index: usize, certificate: CertId, leaf: BlobId) -> Vec<Problem> {
    let Content::Leaves(leaves) = case.certificates.content(certificate) else { return Vec::new() };
    let Some((_, chain)) = leaves.iter().find(|(l, _)| *l == leaf) else { return Vec::new() };
    let distrusts = |view: &crate::model::plan::ViewId| {
        let path = case.certificates.declared_path(chain, *view);
        path.is_some_and(|p| p.untrusted == Some(Untrusted::SelfSigned))
            && case.certificates.trust_errors(*view).is_empty()
    };
    let views = case.views(index).into_iter().filter(distrusts);
    views.map(|view| fault(certificate, CertificateFault::SelfSigned { leaf, view })).collect()
}

/// What a server was seen to serve for a name at its first service.
fn seen_at(case: &Case, server: ServerId, name: &Name) -> Vec<BlobId> {
    let declared = case.plan.server(server);
    let Some(service) = declared.services.first().map(|s| &s.value) else { return Vec::new() };
    let mut out = Vec::new();
    for address in declared.own_addresses(&case.plan.views) {
        let address = SocketAddr::new(address, service.port);
        let probe = Probe::Tls(TlsProbe { address, way: service.way, sni: Some(name.clone()), face: None });
        let Found::Fresh(looks) = case.evidence.find(&probe, |_| true) else { continue };
        for look in looks {
            if let Some(TlsOutcome::Certificate(served)) = case.evidence.tls(look) {
                out.extend(served.chain.first().copied().filter(|leaf| !out.contains(leaf)));
            }
        }
    }
    out
}

fn fault(certificate: CertId, fault: CertificateFault) -> Problem {
    problem(Fault::Certificate(certificate, fault), &[])
}

fn cell(fault: &Fault, now: Timestamp) -> &'static str {
    match fault {
        Fault::Certificate(_, CertificateFault::Uncovered { .. }) => "missing",
        Fault::Certificate(_, CertificateFault::OutOfDate { date, .. }) if now < date.not_before => "not valid yet",
        Fault::Certificate(_, CertificateFault::OutOfDate { .. }) => "out of date",
        Fault::Certificate(_, CertificateFault::SelfSigned { .. }) => "self-signed",
        Fault::Certificate(_, CertificateFault::OtherThumbprint { .. }) => "other cert",
        _ => "",
    }
}
