//! What the Exchange Management Shell of several versions has in common. Cmdlets and their parameters: Microsoft,
//! Exchange PowerShell reference, each cmdlet's page with the versions that each parameter applies to.

use super::act::{Donor, MailWay};
use super::quote::{powershell, string};
use super::script::{Language, Script};
use crate::model::name::Name;
use crate::model::text::escape;

/// Asked for at the prompt; the user name is not used.
pub(super) const PASSWORD: &str = "-Password (Get-Credential pfx).Password";

/// A file on the system drive of a server, as a string of PowerShell: only administrators reach it.
pub(super) fn file(server: &str, file: &str) -> String {
    string(&format!(r"\\{server}\C$\{file}"))
}

/// The PFX of the certificate on its way, on the server that wrote it.
pub(super) fn pfx(server: &str) -> String {
    file(server, "coexist.pfx")
}

/// Where an import reads from: the donor's own file, or one that is to be copied to the target first.
pub(super) fn copied(from: &Option<Donor>, to: &str) -> (Vec<Script>, String) {
    match from {
        Some(donor) if donor.product.has_exchange_shell() => (Vec::new(), pfx(&donor.server)),
        _ => {
            let source = super::words::source(from);
            let copy = format!(r"copy the PFX file from {source} to C:\coexist.pfx on {}", escape(to));
            (vec![Script::words([copy])], pfx(to))
        }
    }
}

/// The parameters of a request: the common name where it fits (X.520 allows 64 characters), and every name.
pub(super) fn request(names: &[Name]) -> String {
    let subject = names.iter().find(|n| n.as_str().len() <= 64);
    let subject = subject.map(|n| format!(" -SubjectName {}", string(&format!("CN={n}")))).unwrap_or_default();
    let all = names.iter().map(|n| powershell(n.as_str())).collect::<Vec<_>>().join(",");
    format!("-GenerateRequest{subject} -DomainName {all} -PrivateKeyExportable $true -KeySize 2048")
}

/// What follows a request.
pub(super) fn sent(server: &str, issuer: Option<&str>) -> Script {
    let to = issuer.map_or("the authority".into(), escape);
    let server = escape(server);
    Script::words([format!(
        r"send C:\coexist.req on {server} to {to}; what it issues goes to C:\coexist.cer on {server}, where its key is"
    )])
}

/// What follows the request of a new key.
pub(super) fn rekeyed(thumbprint: &str) -> Script {
    Script::words([format!(
        "until every server has the new certificate, {} stays in use: do not let it be revoked before",
        escape(thumbprint)
    )])
}

/// `Enable-ExchangeCertificate`, from 2010 on from any server. Its question about the default SMTP certificate is left
/// to the administrator.
pub(super) fn bind(server: &str, thumbprint: &str, services: &[String]) -> String {
    let (server, thumb) = (powershell(server), powershell(thumbprint));
    format!("Enable-ExchangeCertificate -Server {server} -Thumbprint {thumb} -Services {}", assignments(services))
}

/// `Enable-ExchangeCertificate -Services`, from the plan's words.
pub(super) fn assignments(services: &[String]) -> String {
    let wanted: Vec<&str> = services.iter().filter_map(|s| assignment(s)).collect();
    let each = ["IIS", "SMTP", "IMAP", "POP"].into_iter().filter(|s| wanted.contains(s)).collect::<Vec<_>>();
    if each.is_empty() { "IIS".into() } else { each.join(",") }
}

fn assignment(word: &str) -> Option<&'static str> {
    match word.split_once(':').map_or(word, |(word, _)| word) {
        "IIS" | "https" | "tls" => Some("IIS"),
        "SMTP" | "smtp" | "submission" | "smtps" | "submissions" => Some("SMTP"),
        "IMAP" | "imap" | "imaps" => Some("IMAP"),
        "POP" | "pop3" | "pop3s" => Some("POP"),
        _ => None,
    }
}

/// Restarts what holds the services; `transport` is the service that takes mail from clients and from outside.
pub(super) fn restart(server: &str, services: &[String], transport: &str) -> Vec<Script> {
    let assigned = assignments(services);
    let each = assigned.split(',').map(|service| match service {
        "SMTP" => format!("Restart-Service {transport}"),
        "IMAP" => "Restart-Service MSExchangeIMAP4".into(),
        "POP" => "Restart-Service MSExchangePOP3".into(),
        _ => "iisreset /noforce".to_string(),
    });
    vec![there(server, "in an elevated PowerShell"), Script::powershell(each)]
}

/// Where the next script is typed.
pub(super) fn there(server: &str, place: &str) -> Script {
    Script::words([format!("on {}, {place}:", escape(server))])
}

/// The pin of a connector, which is issuer and subject, not a thumbprint (Set-ReceiveConnector, Set-SendConnector:
/// TlsCertificateName, from 2013 on).
pub(super) fn pin(server: &str, connector: &str, way: MailWay, thumbprint: &str) -> Vec<Script> {
    let set = match way {
        MailWay::Receive => format!("Set-ReceiveConnector {}", powershell(&format!(r"{server}\{connector}"))),
        MailWay::Send => format!("Set-SendConnector {}", powershell(connector)),
    };
    vec![Script::powershell([
        format!("$t = Get-ExchangeCertificate -Server {} -Thumbprint {}", powershell(server), powershell(thumbprint)),
        format!("{set} -TlsCertificateName \"<I>$($t.Issuer)<S>$($t.Subject)\""),
    ])]
}

/// Before 2013 a connector has no pin.
pub(super) fn unpinned(server: &str, connector: &str, thumbprint: &str) -> Vec<Script> {
    vec![Script::words([format!(
        "on {}: this version pins no certificate to a connector: it takes the newest for SMTP that covers the FQDN of \
         the connector \"{}\"; give that FQDN a name that {} covers",
        escape(server),
        escape(connector),
        escape(thumbprint)
    )])]
}

/// What is shown of a certificate that is installed.
pub(super) const SHOWN: &str =
    "Format-List Subject,CertificateDomains,Thumbprint,Services,Status,NotAfter,HasPrivateKey,PrivateKeyExportable";

/// Whether, and for what, a certificate is in use, from 2010 on from any server.
pub(super) fn installed(server: &str, thumbprint: &str) -> Vec<Script> {
    let (server, thumb) = (powershell(server), powershell(thumbprint));
    vec![Script::powershell([format!("Get-ExchangeCertificate -Server {server} -Thumbprint {thumb} | {SHOWN}")])]
}

/// Takes a certificate off a server, from 2010 on from any; it asks before it does.
pub(super) fn retire(server: &str, thumbprint: &str) -> Vec<Script> {
    let (server, thumb) = (powershell(server), powershell(thumbprint));
    vec![Script::powershell([format!("Remove-ExchangeCertificate -Server {server} -Thumbprint {thumb}")])]
}

/// Deletes the PFX on the server's system drive.
pub(super) fn delete_copies(server: &str) -> Vec<Script> {
    vec![Script::powershell([format!("Remove-Item {}", pfx(server))])]
}

/// Uninstalls; `setup` is the program and the folder where it lies.
pub(super) fn decommission(server: &str, setup: &str) -> Vec<Script> {
    let first = "move its mailboxes, public folders, address book generation and connectors to other servers first";
    vec![
        Script::words([format!("on {}: {first}; then, in an elevated PowerShell:", escape(server))]),
        Script::powershell([format!("& \"{setup}\" /mode:Uninstall")]),
    ]
}

/// A virtual directory: the cmdlet that sets it, its name in IIS, and the path of its address.
pub(super) type Directory = (&'static str, &'static str, &'static str);

/// Those that every version from 2007 on has.
pub(super) const DIRECTORIES: [Directory; 4] = [
    ("Set-OwaVirtualDirectory", "owa", "/owa"),
    ("Set-WebServicesVirtualDirectory", "EWS", "/EWS/Exchange.asmx"),
    ("Set-OabVirtualDirectory", "OAB", "/OAB"),
    ("Set-ActiveSyncVirtualDirectory", "Microsoft-Server-ActiveSync", "/Microsoft-Server-ActiveSync"),
];

/// The control panel, from 2010 on.
pub(super) const ECP: Directory = ("Set-EcpVirtualDirectory", "ecp", "/ecp");

/// MAPI over HTTP, from 2013 SP1 on.
pub(super) const MAPI: Directory = ("Set-MapiVirtualDirectory", "mapi", "/mapi");

/// The addresses of virtual directories in the default web site.
pub(super) fn directories<'a>(
    server: &str,
    all: impl IntoIterator<Item = &'a Directory>,
    internal: Option<&Name>,
    external: Option<&Name>,
) -> Vec<String> {
    let url = |parameter: &str, host: Option<&Name>, path: &str| {
        host.map(|host| format!(" {parameter} {}", string(&format!("https://{host}{path}")))).unwrap_or_default()
    };
    if internal.is_none() && external.is_none() {
        return Vec::new();
    }
    let line = |(cmdlet, name, path): &Directory| {
        let identity = string(&format!(r"{server}\{name} (Default Web Site)"));
        format!("{cmdlet} {identity}{}{}", url("-InternalUrl", internal, path), url("-ExternalUrl", external, path))
    };
    all.into_iter().map(line).collect()
}

/// The service connection point: `cmdlet` is Set-ClientAccessServer, from 2016 on Set-ClientAccessService.
pub(super) fn connection_point(cmdlet: &str, server: &str, host: Option<&Name>) -> Option<String> {
    let uri = string(&format!("https://{}/Autodiscover/Autodiscover.xml", host?));
    Some(format!("{cmdlet} {} -AutoDiscoverServiceInternalUri {uri}", powershell(server)))
}

/// Outlook Anywhere of 2007 and 2010, which know one host.
pub(super) fn outlook_anywhere(server: &str, external: Option<&Name>) -> Option<String> {
    let host = powershell(external?.as_str());
    Some(format!("Set-OutlookAnywhere {} -ExternalHostname {host}", string(&rpc(server))))
}

/// Outlook Anywhere from 2013 on: a host for each side. With a host it wants the way of logging in; the present one stays.
pub(super) fn outlook_anywhere_2013(server: &str, internal: Option<&Name>, external: Option<&Name>) -> Option<String> {
    let identity = string(&rpc(server));
    let inside = internal
        .map(|host| format!(" -InternalHostname {} -InternalClientsRequireSsl $true", powershell(host.as_str())));
    let outside = external.map(|host| {
        let host = powershell(host.as_str());
        let login = format!("(Get-OutlookAnywhere {identity}).ExternalClientAuthenticationMethod");
        format!(
            " -ExternalHostname {host} -ExternalClientsRequireSsl $true -ExternalClientAuthenticationMethod {login}"
        )
    });
    let parts: String = [inside, outside].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("Set-OutlookAnywhere {identity}{parts}"))
}

fn rpc(server: &str) -> String {
    format!(r"{server}\Rpc (Default Web Site)")
}

/// A script of PowerShell, or nothing where there are no lines.
pub(super) fn typed(lines: Vec<String>) -> Vec<Script> {
    if lines.is_empty() { Vec::new() } else { vec![Script::new(Language::PowerShell, lines)] }
}
