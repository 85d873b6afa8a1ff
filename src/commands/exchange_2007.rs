//! Exchange 2007: certificate cmdlets know no other server and files by path only.

use super::act::{Act, CertificateAct, Look, ServerAct};
use super::exchange::{
    DIRECTORIES, Directory, PASSWORD, SHOWN, assignments, connection_point, decommission, directories,
    outlook_anywhere, rekeyed, request, restart, sent, there, typed, unpinned,
};
use super::quote::powershell;
use super::script::Script;
use super::{Scripts, words, zone_file};
use crate::commands::product::Product;
use crate::model::name::Name;
use crate::model::text::escape;

/// Unified messaging has an address of its own in this version only.
const UM: Directory = ("Set-UMVirtualDirectory", "UnifiedMessaging", "/UnifiedMessaging/Service.asmx");

pub(super) fn scripts(act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { server, act: step } => certificate(server, step),
        Act::Server { server, act: step } => at_server(act, server, step),
        Act::Look(Look::Installed { server, thumbprint }) => {
            on(server, format!("Get-ExchangeCertificate -Thumbprint {} | {SHOWN}", powershell(thumbprint)))
        }
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => return zone_file::scripts(Product::Other, act),
    })
}

/// A command of the server's own shell.
fn on(server: &str, line: String) -> Vec<Script> {
    vec![there(server, "in the Exchange Management Shell"), Script::powershell([line])]
}

fn certificate(server: &str, act: &CertificateAct) -> Vec<Script> {
    let thumb = |thumbprint: &str| powershell(thumbprint);
    match act {
        CertificateAct::Order { names, issuer } => {
            [order(server, names), vec![sent(server, issuer.as_deref())]].concat()
        }
        CertificateAct::Rekey { thumbprint, names } => {
            [order(server, names), vec![sent(server, None), rekeyed(thumbprint)]].concat()
        }
        CertificateAct::Complete => on(server, r"Import-ExchangeCertificate -Path C:\coexist.cer".into()),
        CertificateAct::Export { thumbprint } => on(
            server,
            format!(
                r"Export-ExchangeCertificate -Thumbprint {} -BinaryEncoded:$true -Path C:\coexist.pfx {PASSWORD}",
                thumb(thumbprint)
            ),
        ),
        CertificateAct::Import { from, .. } => vec![
            Script::words([format!(
                r"copy the PFX file from {} to C:\coexist.pfx on {}, and there, in the Exchange Management Shell:",
                words::source(from),
                escape(server)
            )]),
            Script::powershell([format!(
                r"Import-ExchangeCertificate -Path C:\coexist.pfx {PASSWORD} -PrivateKeyExportable:$true"
            )]),
        ],
        CertificateAct::Bind { thumbprint, services } => on(
            server,
            format!("Enable-ExchangeCertificate -Thumbprint {} -Services {}", thumb(thumbprint), assignments(services)),
        ),
        CertificateAct::DeleteCopies => on(server, r"Remove-Item C:\coexist.pfx".into()),
        CertificateAct::Retire { thumbprint } => {
            on(server, format!("Remove-ExchangeCertificate -Thumbprint {}", thumb(thumbprint)))
        }
    }
}

fn order(server: &str, names: &[Name]) -> Vec<Script> {
    on(server, format!(r"New-ExchangeCertificate {} -Path C:\coexist.req", request(names)))
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Vec<Script> {
    match act {
        ServerAct::Restart { services } => restart(server, services, "MSExchangeTransport"),
        ServerAct::PinConnector { connector, thumbprint, .. } => unpinned(server, connector, thumbprint),
        ServerAct::SetUrls { internal, external, connection_point: point } => {
            let mut lines = directories(server, DIRECTORIES.iter().chain([&UM]), internal.as_ref(), external.as_ref());
            lines.extend(outlook_anywhere(server, external.as_ref()));
            lines.extend(connection_point("Set-ClientAccessServer", server, point.as_ref()));
            typed(lines)
        }
        ServerAct::Decommission => decommission(server, r"$env:ProgramFiles\Microsoft\Exchange Server\bin\Setup.com"),
        ServerAct::SetRedirect { .. }
        | ServerAct::TakeOut { .. }
        | ServerAct::PutBack { .. }
        | ServerAct::Publish { .. }
        | ServerAct::Unpublish { .. }
        | ServerAct::ChangeMembers { .. } => words::script(whole),
    }
}
