//! Keys and certificates as files, for the daemons that read them so: by openssl(1), on the server itself. What is in use
//! is not touched before its successor is complete.

use super::act::{CertificateAct, Donor};
use super::quote::posix;
use super::script::Script;
use super::{exchange_2003, words};
use crate::model::name::Name;
use crate::model::text::escape;

/// The certificate with its intermediates, in order.
pub(super) const CHAIN: &str = "/etc/ssl/coexist/fullchain.pem";
/// Its key.
pub(super) const KEY: &str = "/etc/ssl/coexist/privkey.pem";
/// Both in one file, for those who want them so.
pub(super) const BOTH: &str = "/etc/ssl/coexist/both.pem";

/// What is done about certificates. `bound` is how the product takes files into use; it reads them again.
pub(super) fn scripts(server: &str, act: &CertificateAct, bound: Vec<Script>) -> Vec<Script> {
    match act {
        CertificateAct::Order { names, issuer } => order(server, names, issuer.as_deref()),
        CertificateAct::Rekey { thumbprint, names } => {
            [order(server, names, None), vec![super::exchange::rekeyed(thumbprint)]].concat()
        }
        CertificateAct::Complete => complete(server),
        CertificateAct::Export { .. } => vec![
            Script::words([format!(
                "on {}, make a PFX of the certificate with its intermediates and its key (asks for a password; \
                 for Windows Server 2016 and older add -legacy):",
                escape(server)
            )]),
            Script::sh([format!("openssl pkcs12 -export -in {CHAIN} -inkey {KEY} -out coexist.pfx")]),
        ],
        CertificateAct::Import { from, .. } => import(server, from),
        CertificateAct::Bind { .. } => bound,
        CertificateAct::DeleteCopies => {
            vec![on(server), Script::sh(["rm -f coexist.pfx"])]
        }
        CertificateAct::Retire { thumbprint } => vec![Script::words([format!(
            "on {}: delete the files of {} and of its key, once nothing names them",
            escape(server),
            escape(thumbprint)
        )])],
    }
}

fn on(server: &str) -> Script {
    Script::words([format!("on {}, as root:", escape(server))])
}

/// A new key beside the one in use, and its request (openssl-req(1); -addext from 1.1.1 on).
fn order(server: &str, names: &[Name], issuer: Option<&str>) -> Vec<Script> {
    let subject = names.iter().find(|n| n.as_str().len() <= 64);
    let subject = subject.map_or("/".to_string(), |n| format!("/CN={n}"));
    let all = names.iter().map(|n| format!("DNS:{n}")).collect::<Vec<_>>().join(",");
    let request = format!(
        "openssl req -new -newkey rsa:2048 -nodes -keyout {KEY}.new -out coexist.csr -subj {} -addext {}",
        posix(&subject),
        posix(&format!("subjectAltName={all}"))
    );
    let to = issuer.map_or("the authority".into(), escape);
    vec![
        on(server),
        Script::sh(["mkdir -p -m 700 /etc/ssl/coexist".to_string(), request]),
        Script::words([format!("send coexist.csr to {to}")]),
    ]
}

/// The issued certificate and the new key take the place of the old ones, if they belong together.
fn complete(server: &str) -> Vec<Script> {
    vec![
        Script::words([format!(
            "on {}, as root, put what was issued, then its intermediates, into {CHAIN}.new, then:",
            escape(server)
        )]),
        Script::sh([format!(
            r#"[ "$(openssl x509 -in {CHAIN}.new -noout -pubkey)" = "$(openssl pkey -in {KEY}.new -pubout)" ] &&"#
        ) + &format!(" mv {KEY}.new {KEY} && mv {CHAIN}.new {CHAIN}")]),
    ]
}

/// From a server with a Windows store by a PFX; between two that have files, the files.
fn import(server: &str, from: &Option<Donor>) -> Vec<Script> {
    let (source, to) = (words::source(from), escape(server));
    if !from.as_ref().is_some_and(|donor| donor.product.has_windows_store()) {
        return vec![Script::words([format!(
            "copy the certificate with its intermediates (full chain) and its key from {source} to {to}, \
             as {CHAIN} and {KEY}, which only root may read"
        )])];
    }
    vec![
        Script::words([format!("copy the PFX file from {source} to coexist.pfx on {to}, and there, as root:")]),
        Script::sh([
            "mkdir -p -m 700 /etc/ssl/coexist".to_string(),
            format!("(umask 077; openssl pkcs12 -in coexist.pfx -nocerts -nodes -out {KEY})"),
            format!("openssl pkcs12 -in coexist.pfx -clcerts -nokeys -out {CHAIN}"),
            format!("openssl pkcs12 -in coexist.pfx -cacerts -nokeys >>{CHAIN}"),
        ]),
    ]
}

/// The words of an export for a server with a Windows store and no shell.
pub(super) fn console(server: &str, thumbprint: &str) -> Vec<Script> {
    vec![Script::words([exchange_2003::export(&escape(server), thumbprint)])]
}
