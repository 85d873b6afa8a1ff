//! IIS 7 and later: certreq(1) makes the request, the PKI module (Windows Server 2012 and later) and WebAdministration do
//! the rest. IIS 6 has words.

use super::act::{Act, CertificateAct, Look, ServerAct};
use super::exchange::there;
use super::exchange_2003;
use super::openssl::console;
use super::product::Product;
use super::quote::{powershell, string};
use super::script::{Language, Script};
use super::{Scripts, words, zone_file};
use crate::model::name::Name;
use crate::model::text::escape;

/// Asked for at the prompt; the user name is not used.
const PASSWORD: &str = "-Password (Get-Credential pfx).Password";

pub(super) fn scripts(product: Product, act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { .. } if product == Product::Iis6 => return exchange_2003::scripts(act),
        Act::Server { .. } if product == Product::Iis6 => words::script(act),
        Act::Certificate { server, act: step } => certificate(server, step),
        Act::Server { server, act: step } => at_server(act, server, step),
        Act::Look(Look::Installed { server, thumbprint }) => vec![
            elevated(server),
            Script::powershell([
                format!("Get-Item {} | Format-List Subject,DnsNameList,NotAfter,HasPrivateKey", stored(thumbprint)),
                "netsh http show sslcert".into(),
            ]),
        ],
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => return zone_file::scripts(Product::Other, act),
    })
}

fn elevated(server: &str) -> Script {
    there(server, "in an elevated PowerShell")
}

/// The certificate in the machine's store, as a path.
fn stored(thumbprint: &str) -> String {
    string(&format!(r"Cert:\LocalMachine\My\{thumbprint}"))
}

fn certificate(server: &str, act: &CertificateAct) -> Vec<Script> {
    match act {
        CertificateAct::Order { names, issuer } => order(server, names, issuer.as_deref()),
        CertificateAct::Rekey { thumbprint, names } => {
            [order(server, names, None), vec![super::exchange::rekeyed(thumbprint)]].concat()
        }
        CertificateAct::Complete => {
            vec![elevated(server), Script::powershell([r"certreq.exe -accept -machine C:\coexist.cer"])]
        }
        CertificateAct::Export { thumbprint } => console(server, thumbprint),
        CertificateAct::Import { from, .. } => vec![
            Script::words([format!(
                r"copy the PFX file from {} to C:\coexist.pfx on {}, and there, in an elevated PowerShell:",
                words::source(from),
                escape(server)
            )]),
            Script::powershell([format!(
                r"Import-PfxCertificate -FilePath C:\coexist.pfx -CertStoreLocation Cert:\LocalMachine\My -Exportable {PASSWORD}"
            )]),
        ],
        CertificateAct::Bind { thumbprint, .. } => vec![
            elevated(server),
            Script::powershell([
                "Import-Module WebAdministration".to_string(),
                format!("(Get-WebBinding -Protocol https).AddSslCertificate({}, 'My')", string(thumbprint)),
            ]),
        ],
        CertificateAct::DeleteCopies => {
            vec![elevated(server), Script::powershell([r"Remove-Item C:\coexist.pfx"])]
        }
        CertificateAct::Retire { thumbprint } => {
            vec![elevated(server), Script::powershell([format!("Remove-Item {} -DeleteKey", stored(thumbprint))])]
        }
    }
}

/// The policy file of certreq (Microsoft, certreq: NewRequest, Extensions): a key that TLS of every Windows can use.
fn order(server: &str, names: &[Name], issuer: Option<&str>) -> Vec<Script> {
    let subject = names.iter().find(|n| n.as_str().len() <= 64);
    let mut lines = vec![
        "[Version]".to_string(),
        "Signature=\"$Windows NT$\"".into(),
        "[NewRequest]".into(),
        subject.map_or("Subject=\"\"".to_string(), |n| format!("Subject=\"CN={n}\"")),
        "KeyLength=2048".into(),
        "KeySpec=1".into(),
        "KeyUsage=0xA0".into(),
        "MachineKeySet=TRUE".into(),
        "Exportable=TRUE".into(),
        "ProviderName=\"Microsoft RSA SChannel Cryptographic Provider\"".into(),
        "ProviderType=12".into(),
        "RequestType=PKCS10".into(),
        "HashAlgorithm=SHA256".into(),
        "[Extensions]".into(),
        "2.5.29.17=\"{text}\"".into(),
    ];
    lines.extend(names.iter().map(|n| format!("_continue_=\"dns={n}&\"")));
    let to = issuer.map_or("the authority".into(), escape);
    vec![
        Script::words([format!(r"on {}, as C:\coexist.inf:", escape(server))]),
        Script::new(Language::Inf, lines),
        elevated(server),
        Script::powershell([r"certreq.exe -new -machine C:\coexist.inf C:\coexist.req"]),
        Script::words([format!(r"send C:\coexist.req to {to}; what it issues goes to C:\coexist.cer on this server")]),
    ]
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Vec<Script> {
    match act {
        ServerAct::Restart { .. } => vec![elevated(server), Script::powershell(["iisreset /noforce"])],
        ServerAct::SetRedirect { host } => vec![elevated(server), Script::powershell(redirect(host.as_ref()))],
        ServerAct::Publish { name, .. } => vec![
            elevated(server),
            Script::powershell([
                "Import-Module WebAdministration".to_string(),
                format!(
                    "New-WebBinding -Name 'Default Web Site' -Protocol https -Port 443 -SslFlags 1 -HostHeader {}",
                    powershell(name.as_str())
                ),
            ]),
            words::script(whole).remove(0),
        ],
        ServerAct::Unpublish { name } => vec![
            elevated(server),
            Script::powershell([
                "Import-Module WebAdministration".to_string(),
                format!("Remove-WebBinding -Name 'Default Web Site' -HostHeader {}", powershell(name.as_str())),
            ]),
        ],
        ServerAct::PinConnector { .. }
        | ServerAct::TakeOut { .. }
        | ServerAct::PutBack { .. }
        | ServerAct::SetUrls { .. }
        | ServerAct::ChangeMembers { .. }
        | ServerAct::Decommission => words::script(whole),
    }
}

/// The redirect of the default web site (configuration element httpRedirect).
fn redirect(host: Option<&Name>) -> Vec<String> {
    let set = |property: &str, value: &str| {
        format!(
            "Set-WebConfigurationProperty -PSPath 'IIS:\\Sites\\Default Web Site' -Filter system.webServer/httpRedirect \
             -Name {property} -Value {value}"
        )
    };
    let module = "Import-Module WebAdministration".to_string();
    match host {
        Some(host) => {
            let to = string(&format!("https://{host}/"));
            vec![module, set("destination", &to), set("httpResponseStatus", "Found"), set("enabled", "$true")]
        }
        None => vec![module, set("enabled", "$false")],
    }
}
