//! The out-of-box certificates that are known, and what they are recognised by.
//!
//! A row is taken in only if what it looks for is written by the product itself and by nobody for a service of his own. Each
//! demands that the certificate is self-issued, or an issuer that no client trusts. Sources: vendors' pages and programs, and
//! certificates as scanners and administrators show them; compared on 2026-11-29.

/// Something by which a certificate is recognised.
pub(super) enum Mark {
    /// Subject and issuer are the same name.
    SelfIssued,
    /// The subject's commonName is this.
    Cn(&'static str),
    /// The subject's commonName begins so.
    CnPrefix(&'static str),
    /// The subject has this attribute: `O=Plesk`.
    Subject(&'static str),
    /// The subject has an attribute that begins so.
    SubjectPrefix(&'static str),
    /// The subject has this attribute, the commonName following it: `E=ssl@HOST`.
    SubjectOfCn(&'static str),
    /// The issuer has this attribute.
    Issuer(&'static str),
    /// The issuer has an attribute that begins so.
    IssuerPrefix(&'static str),
}

/// A product's certificate.
pub(super) struct Row {
    /// Whose.
    pub(super) product: &'static str,
    /// All of them are found on it.
    pub(super) marks: &'static [Mark],
    /// Where that is written.
    #[allow(dead_code, reason = "for who reads the table; a test demands it")]
    pub(super) source: &'static str,
}

const fn row(product: &'static str, marks: &'static [Mark], source: &'static str) -> Row {
    Row { product, marks, source }
}

use Mark::{Cn, CnPrefix, Issuer, IssuerPrefix, SelfIssued, Subject, SubjectOfCn, SubjectPrefix};

/// Every row; the first that fits is taken.
pub(super) const TABLE: &[Row] = &[
    // Windows and Exchange. Exchange's own certificate and that of Remote Desktop are for the host's name: see `host`.
    row(
        "IIS Web Management Service",
        &[SelfIssued, CnPrefix("WMSvc-")],
        "learn.microsoft.com: Exchange, Certificate procedures (WMSVC); WMSvc-SHA2-HOST as nmap's ssl-cert shows it on 8172",
    ),
    row(
        "Exchange (OAuth, not for clients)",
        &[SelfIssued, Cn("Microsoft Exchange Server Auth Certificate")],
        "learn.microsoft.com: Digital certificates and encryption in Exchange Server, Default certificates",
    ),
    row(
        "IIS Express",
        &[SelfIssued, Cn("localhost-iisexpress")],
        "blogs.iis.net: WebMatrix, default self-signed certificate",
    ),
    // Balancers and gateways
    row(
        "ingress-nginx",
        &[SelfIssued, Cn("Kubernetes Ingress Controller Fake Certificate")],
        "kubernetes.github.io/ingress-nginx/user-guide/tls: Default SSL Certificate",
    ),
    row("Traefik", &[SelfIssued, Cn("TRAEFIK DEFAULT CERT")], "doc.traefik.io: TLS, Default Certificate"),
    row(
        "Caddy's local authority",
        &[IssuerPrefix("CN=Caddy Local Authority")],
        "caddyserver.com/docs/automatic-https: Local HTTPS",
    ),
    row(
        "NetScaler",
        &[SelfIssued, CnPrefix("default "), Subject("OU=NS Internal")],
        "docs.netscaler.com: ns-server-certificate (O=Citrix ANG, OU=NS Internal, CN=default XXXXXX)",
    ),
    // Distributions of Linux, and what is installed from them. Debian's snakeoil, which Postfix and Dovecot take there, is
    // for the host's name.
    row(
        "Fedora's and Red Hat's mod_ssl",
        &[Subject("O=Unspecified"), Issuer("O=Unspecified"), IssuerPrefix("OU=ca-")],
        "httpd-init.service: sscg's service certificate",
    ),
    row(
        "mod_ssl, BIG-IP and others of that time",
        &[SelfIssued, Subject("O=SomeOrganization"), Subject("OU=SomeOrganizationalUnit")],
        "the post-install script of mod_ssl (CentOS 5 to 7); BIG-IP's default.crt is made the same way",
    ),
    row(
        "a fresh installation",
        &[SelfIssued, Cn("localhost.localdomain")],
        "my.f5.com: BIG-IP's default.crt; ESX installer",
    ),
    row(
        "a fresh installation",
        &[SelfIssued, Cn("localhost")],
        "installers of many products; DirectAdmin, mkcert scripts",
    ),
    row(
        "OpenSSL's example",
        &[SelfIssued, Subject("O=Internet Widgits Pty Ltd")],
        "openssl.cnf: 0.organizationName_default",
    ),
    row(
        "Dovecot's mkcert.sh",
        &[SelfIssued, Cn("imap.example.com"), Subject("OU=IMAP server")],
        "dovecot: doc/dovecot-openssl.cnf",
    ),
    // Control panels
    row(
        "Plesk",
        &[SelfIssued, Cn("Plesk"), Subject("O=Plesk")],
        "docs.plesk.com: the default certificate (CN=Plesk, O=Plesk)",
    ),
    row("Plesk", &[SelfIssued, Cn("plesk")], "Parallels Plesk before 12: CN=plesk"),
    row(
        "cPanel and WHM",
        &[SelfIssued, SubjectOfCn("E=ssl@")],
        "docs.cpanel.net: Manage Service SSL Certificates (self-signed, ssl@HOST)",
    ),
    row("Webmin", &[SelfIssued, Cn("*"), SubjectPrefix("O=Webmin Webserver on ")], "webmin: setup.pl, miniserv.pem"),
    // Firewalls
    row(
        "FortiGate",
        &[Subject("O=Fortinet"), Issuer("O=Fortinet")],
        "docs.fortinet.com: administration guide, Using the default certificate; Fortinet_Factory",
    ),
    row(
        "SonicWall",
        &[SelfIssued, Subject("O=HTTPS Management Certificate for SonicWALL (self-signed)")],
        "SonicOS: the management certificate (CN=192.168.168.168)",
    ),
    row(
        "WatchGuard",
        &[Subject("OU=Fireware"), Issuer("OU=Fireware")],
        "watchguard.com: Fireware help, About Certificates (CN=Fireware web CA)",
    ),
    row(
        "pfSense",
        &[SelfIssued, CnPrefix("pfSense-")],
        "docs.netgate.com: webConfigurator self-signed certificate (CN=pfSense-ID)",
    ),
    row(
        "OPNsense",
        &[SelfIssued, Subject("O=OPNsense self-signed web certificate")],
        "opnsense/core: plugins.inc.d/webgui.inc",
    ),
    row(
        "Cisco IOS",
        &[SelfIssued, CnPrefix("IOS-Self-Signed-Certificate-")],
        "cisco.com: Persistent Self-Signed Certificates",
    ),
    // Machines and their storage
    row(
        "Synology",
        &[Subject("O=Synology Inc."), Issuer("O=Synology Inc.")],
        "DSM's factory certificate (CN=synology.com by Synology Inc. CA)",
    ),
    row("QNAP", &[SelfIssued, Cn("QNAP NAS")], "QTS's factory certificate (CN=QNAP NAS, O=QNAP Systems Inc)"),
    row("UniFi", &[SelfIssued, Cn("UniFi")], "UniFi Network's keystore (CN=UniFi, O=Ubiquiti Inc.)"),
    row(
        "Proxmox",
        &[Issuer("CN=Proxmox Virtual Environment")],
        "pve.proxmox.com: Certificate Management, the cluster's CA",
    ),
    row("VMware's installer", &[Issuer("O=VMware Installer")], "ESX and its appliances before VMCA"),
    row(
        "vSphere's VMCA",
        &[Issuer("OU=VMware Engineering")],
        "techdocs.broadcom.com: vSphere Certificate Management, VMCA's root (OU=VMware Engineering)",
    ),
    row(
        "HPE iLO",
        &[IssuerPrefix("CN=Default Issuer (Do not trust)")],
        "HPE iLO user guide: default self-signed certificate",
    ),
    row("HP iLO", &[IssuerPrefix("CN=iLO Default Issuer (Do not trust)")], "HPE iLO user guide: default certificate"),
    row("Jetty's example", &[SelfIssued, Cn("jetty.eclipse.org")], "jetty.org: Configuring SSL, the example keystore"),
];
