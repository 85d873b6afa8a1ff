//! Exchange 2016 from CU23 and 2019 from CU12 on (the updates of the first half of 2022), and Subscription Edition: no
//! certificate cmdlet takes a path any more (Export-ExchangeCertificate, Import-ExchangeCertificate: FileName "available
//! only before" them).

use super::act::{Act, CertificateAct, Look};
use super::exchange::{PASSWORD, bind, copied, delete_copies, file, installed, pfx, rekeyed, request, retire, sent};
use super::exchange_2013::at_server;
use super::quote::powershell;
use super::script::Script;
use super::{Scripts, zone_file};
use crate::commands::product::Product;
use crate::model::name::Name;

pub(super) fn scripts(act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { server, act: step } => certificate(server, step),
        Act::Server { server, act: step } => at_server(Product::Exchange2016, act, server, step),
        Act::Look(Look::Installed { server, thumbprint }) => installed(server, thumbprint),
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => return zone_file::scripts(Product::Other, act),
    })
}

fn certificate(server: &str, act: &CertificateAct) -> Vec<Script> {
    let on = powershell(server);
    match act {
        CertificateAct::Order { names, issuer } => vec![order(server, names), sent(server, issuer.as_deref())],
        CertificateAct::Rekey { thumbprint, names } => {
            vec![order(server, names), sent(server, None), rekeyed(thumbprint)]
        }
        CertificateAct::Complete => vec![Script::powershell([format!(
            "Import-ExchangeCertificate -Server {on} -FileData {}",
            read(&file(server, "coexist.cer"))
        )])],
        CertificateAct::Export { thumbprint } => vec![Script::powershell([
            export(server, thumbprint),
            format!("[IO.File]::WriteAllBytes({}, $c.FileData)", pfx(server)),
        ])],
        CertificateAct::Import { from, .. } => {
            let (copy, file) = copied(from, server);
            [copy, vec![Script::powershell([import(server, &read(&file))])]].concat()
        }
        CertificateAct::Bind { thumbprint, services } => {
            vec![Script::powershell([bind(server, thumbprint, services)])]
        }
        CertificateAct::DeleteCopies => delete_copies(server),
        CertificateAct::Retire { thumbprint } => retire(server, thumbprint),
    }
}

/// From one server to another in one shell: the key lies in no file.
pub(super) fn hand_over(from: &str, to: &str, thumbprint: &str) -> Vec<Script> {
    vec![Script::powershell([export(from, thumbprint), import(to, "$c.FileData")])]
}

fn export(server: &str, thumbprint: &str) -> String {
    let (server, thumb) = (powershell(server), powershell(thumbprint));
    format!("$c = Export-ExchangeCertificate -Server {server} -Thumbprint {thumb} -BinaryEncoded {PASSWORD}")
}

fn import(server: &str, octets: &str) -> String {
    let server = powershell(server);
    format!("Import-ExchangeCertificate -Server {server} -FileData {octets} {PASSWORD} -PrivateKeyExportable $true")
}

fn read(file: &str) -> String {
    format!("([IO.File]::ReadAllBytes({file}))")
}

fn order(server: &str, names: &[Name]) -> Script {
    Script::powershell([
        format!("$r = New-ExchangeCertificate -Server {} {}", powershell(server), request(names)),
        format!("[IO.File]::WriteAllText({}, $r)", file(server, "coexist.req")),
    ])
}
