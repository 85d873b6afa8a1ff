//! Certificates that products come with. Each row says where it is documented.

use crate::model::certificate::CertificateFacts;

/// How a row is recognised.
enum Mark {
    /// It is self-issued, and the subject's commonName is this: an authority would not have put it there.
    Cn(&'static str),
    /// It is self-issued, and the subject's commonName begins so.
    CnPrefix(&'static str),
    /// The issuer, as text, holds this.
    Issuer(&'static str),
}

/// Product, mark, source.
const TABLE: &[(&str, Mark, &str)] = &[
    ("IIS Web Management Service", Mark::CnPrefix("WMSvc-"), "created by the IIS Management Service role"),
    ("Exchange's internal certificate", Mark::Cn("Microsoft Exchange"), "created by Exchange setup"),
    (
        "Exchange's OAuth certificate",
        Mark::Cn("Microsoft Exchange Server Auth Certificate"),
        "created by Exchange setup, not for clients",
    ),
    (
        "ingress-nginx",
        Mark::Cn("Kubernetes Ingress Controller Fake Certificate"),
        "kubernetes.github.io/ingress-nginx, Default SSL Certificate",
    ),
    ("Traefik", Mark::Cn("TRAEFIK DEFAULT CERT"), "doc.traefik.io, TLS, Default Certificate"),
    ("Plesk", Mark::Cn("Plesk"), "the control panel's default certificate"),
    ("FortiGate", Mark::Issuer("Fortinet"), "the factory certificate of FortiOS"),
    ("FortiGate", Mark::CnPrefix("FortiGate"), "the factory certificate of FortiOS"),
    ("SonicWall", Mark::Issuer("SonicWALL"), "the factory certificate of SonicOS"),
    ("F5 BIG-IP", Mark::Cn("localhost.localdomain"), "the default.crt of BIG-IP and of many distributions"),
    ("a fresh installation", Mark::Cn("localhost"), "made by installers for tests"),
    ("OpenSSL's example", Mark::Issuer("Internet Widgits"), "the default organisation of openssl req"),
    ("Synology", Mark::Cn("synology.com"), "the factory certificate of DSM"),
    ("QNAP", Mark::Cn("QNAP NAS"), "the factory certificate of QTS"),
    ("Proxmox", Mark::Issuer("Proxmox Virtual Environment"), "the cluster's own authority"),
    ("Dovecot", Mark::Cn("imap.example.com"), "dovecot's mkcert.sh"),
];

/// Made by whatever set the server up.
pub(super) const SETUP: &str = "the server's setup";

/// The product whose out-of-box certificate this is, for a server of this label.
pub(super) fn product(facts: &CertificateFacts, label: &str) -> Option<&'static str> {
    let cn = |test: &dyn Fn(&str) -> bool| facts.is_self_issued() && facts.common_names.iter().any(|c| test(c));
    let fits = |mark: &Mark| match mark {
        Mark::Cn(want) => cn(&|c| c.eq_ignore_ascii_case(want)),
        Mark::CnPrefix(want) => cn(&|c| c.get(..want.len()).is_some_and(|p| p.eq_ignore_ascii_case(want))),
        Mark::Issuer(want) => facts.issuer.contains(want),
    };
    let listed = TABLE.iter().find(|(_, mark, _)| fits(mark)).map(|(product, _, _)| *product);
    listed.or_else(|| is_host(facts, label).then_some(SETUP))
}

/// Self-signed for the bare host name: what Exchange, Windows, Debian's ssl-cert ("snakeoil") and cPanel make by
/// themselves.
fn is_host(facts: &CertificateFacts, label: &str) -> bool {
    let host = |c: &String| {
        let first = c.split('.').next().unwrap_or_default();
        !c.is_empty() && !c.contains('*') && (!c.contains('.') || first.eq_ignore_ascii_case(label))
    };
    let hosts = match facts.common_names.is_empty() {
        true => facts.dns_ids.first().is_some_and(host),
        false => facts.common_names.iter().any(host),
    };
    facts.is_self_issued() && hosts
}
