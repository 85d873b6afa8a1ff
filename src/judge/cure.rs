//! What to do about a server that does not serve what it should, in the words of its product.

use std::collections::BTreeSet;

use super::case::Case;
use super::draft::Item;
use super::wording;
use crate::commands::powershell;
use crate::model::certificate::BlobId;
use crate::model::plan::{CertId, CertificateSource, ServerId, Target};

/// How to bring a wanted certificate onto a target, for the services of some problems.
pub(super) fn install(case: &Case, target: Option<Target>, items: &[Item]) -> Vec<String> {
    let wanted = wording::wanted_by(items);
    let certificates: Vec<CertId> = wanted.iter().copied().collect();
    let good = good_leaf(case, &certificates, &wording::names(items));
    let Some(target) = target else { return vec![let_dns_lead_elsewhere()] };
    let label = case.plan.target_label(target);
    let product = wording::product(case.plan, target).unwrap_or_default();
    let from = good.and_then(|leaf| source(case, leaf, target));
    let what = good.map_or_else(|| described(case, &certificates, items), |leaf| thumbprint(case, leaf));
    if product == "exchange-2003" {
        return exchange_2003(&what, label, from);
    }
    if product.starts_with("exchange-") {
        return exchange(&what, good.is_some(), label, from, &wording::services(items));
    }
    match product {
        "nginx" => vec![
            format!("on {label}: ssl_certificate = {what} with its intermediates, in every server block of these names"),
            "nginx -t && nginx -s reload".into(),
        ],
        "postfix" | "dovecot" => {
            vec![format!("on {label}: install {what} with its intermediates"), format!("systemctl reload {product}")]
        }
        _ => vec![format!("on {label}: install {what} with its intermediates and bind it to {}", ports(items))],
    }
}

fn let_dns_lead_elsewhere() -> String {
    "no target of the plan has this address: correct the record, or the plan".into()
}

fn ports(items: &[Item]) -> String {
    wording::list(wording::services(items))
}

/// A known leaf of the wanted certificates that covers the names.
fn good_leaf(case: &Case, wanted: &[CertId], names: &[crate::model::plan::NameId]) -> Option<BlobId> {
    let covers = |leaf: &BlobId| {
        let name = |n| case.plan.name(n).name.probe();
        names.iter().all(|n| matches!(case.certificates.identify(*leaf, &name(*n)), Some(Ok(_))))
    };
    let declared = case.certificates.leaves(wanted);
    // Where only names are planned, what another server already serves may be it.
    let seen = || {
        let servers = (0..case.plan.servers.len()).map(ServerId);
        let leaves: BTreeSet<BlobId> =
            servers.flat_map(|s| case.certificates.served_by(s).into_iter().flatten().copied()).collect();
        leaves.into_iter().filter(|l| case.certificates.declared(case.plan, *l).is_some_and(|c| wanted.contains(&c)))
    };
    declared.into_iter().find(|l| covers(l)).or_else(|| seen().find(|l| covers(l)))
}

/// Another server from which it can be copied.
fn source<'a>(case: &'a Case, leaf: BlobId, target: Target) -> Option<&'a str> {
    let servers = (0..case.plan.servers.len()).map(ServerId).filter(|s| Target::Server(*s) != target);
    let serves = |s: &ServerId| case.certificates.served_by(*s).is_some_and(|leaves| leaves.contains(&leaf));
    servers.into_iter().find(serves).map(|s| case.plan.server(s).label.as_ref())
}

fn thumbprint(case: &Case, leaf: BlobId) -> String {
    case.certificates.facts(leaf).map_or_else(|_| leaf.to_string(), |f| f.thumbprint())
}

fn described(case: &Case, wanted: &[CertId], items: &[Item]) -> String {
    match wanted {
        [] => format!("a certificate for {}", wording::name_list(case.plan, &wording::names(items))),
        [one, ..] => {
            let declared = case.plan.certificate(*one);
            let ordered = matches!(declared.source, CertificateSource::Names(_));
            let thumbprint = declared.thumbprint.as_ref().map(|t| format!(" {}", t.value)).unwrap_or_default();
            format!("certificate \"{}\"{thumbprint}{}", declared.label, if ordered { " once it is issued" } else { "" })
        }
    }
}

fn exchange_2003(what: &str, label: &str, from: Option<&str>) -> Vec<String> {
    let export = from.map_or(String::new(), |s| format!(" exported with its key from {s}"));
    vec![
        format!("on {label}: mmc, Certificates (Computer account), Personal, Import {what}{export}"),
        "IIS, Web site, Directory Security, Server Certificate, Replace the current certificate".into(),
    ]
}

fn exchange(what: &str, known: bool, label: &str, from: Option<&str>, words: &[&'static str]) -> Vec<String> {
    let server = powershell(&label.to_uppercase());
    let import = match from {
        Some(from) => format!("import {what} from {from} with -PrivateKeyExportable $true, then"),
        None => format!("Import-ExchangeCertificate -Server {server} {what} with -PrivateKeyExportable $true, then"),
    };
    let thumbprint = if known { what.to_string() } else { "THUMBPRINT".into() };
    let services = slots(words);
    vec![import, format!("Enable-ExchangeCertificate -Server {server} -Thumbprint {thumbprint} -Services {services}")]
}

/// The service slots of Exchange that serve these words.
fn slots(words: &[&'static str]) -> String {
    let slot = |w: &&'static str| match *w {
        "IIS" | "https" => Some("IIS"),
        "SMTP" | "smtp" | "submission" | "smtps" | "submissions" => Some("SMTP"),
        "IMAP" | "imap" | "imaps" => Some("IMAP"),
        "POP" | "pop3" | "pop3s" => Some("POP"),
        _ => None,
    };
    let mut out: Vec<&str> = Vec::new();
    words.iter().filter_map(slot).for_each(|s| {
        if !out.contains(&s) {
            out.push(s);
        }
    });
    if out.is_empty() { "IIS".into() } else { out.join(",") }
}
