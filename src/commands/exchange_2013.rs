//! Exchange 2013, and 2016 and 2019 before the cumulative updates of the first half of 2022 (CU23, CU12): certificate
//! cmdlets read and write files by UNC path themselves.

use super::act::{Act, CertificateAct, Look, ServerAct};
use super::exchange::{
    DIRECTORIES, Directory, ECP, MAPI, PASSWORD, bind, connection_point, copied, decommission, delete_copies,
    directories, file, installed, outlook_anywhere_2013, pfx, pin, rekeyed, request, restart, retire, sent, typed,
};
use super::quote::powershell;
use super::script::Script;
use super::{Scripts, words, zone_file};
use crate::commands::product::Product;
use crate::model::name::Name;
use crate::model::text::escape;

pub(super) fn scripts(product: Product, act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { server, act: step } => certificate(server, step),
        Act::Server { server, act: step } => at_server(product, act, server, step),
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
            "Import-ExchangeCertificate -Server {on} -FileName {}",
            file(server, "coexist.cer")
        )])],
        CertificateAct::Export { thumbprint } => vec![Script::powershell([format!(
            "Export-ExchangeCertificate -Server {on} -Thumbprint {} -FileName {} -BinaryEncoded {PASSWORD}",
            powershell(thumbprint),
            pfx(server)
        )])],
        CertificateAct::Import { from, .. } => {
            let (copy, file) = copied(from, server);
            let import = format!(
                "Import-ExchangeCertificate -Server {on} -FileName {file} {PASSWORD} -PrivateKeyExportable $true"
            );
            [copy, vec![Script::powershell([import])]].concat()
        }
        CertificateAct::Bind { thumbprint, services } => {
            vec![Script::powershell([bind(server, thumbprint, services)])]
        }
        CertificateAct::DeleteCopies => delete_copies(server),
        CertificateAct::Retire { thumbprint } => retire(server, thumbprint),
    }
}

fn order(server: &str, names: &[Name]) -> Script {
    let request = request(names);
    let to = file(server, "coexist.req");
    Script::powershell([format!("New-ExchangeCertificate -Server {} {request} -RequestFile {to}", powershell(server))])
}

/// What the versions from 2013 on have in common beside certificates.
pub(super) fn at_server(product: Product, whole: &Act, server: &str, act: &ServerAct) -> Vec<Script> {
    match act {
        ServerAct::Restart { services } => restart(server, services, "MSExchangeFrontEndTransport,MSExchangeTransport"),
        ServerAct::PinConnector { connector, way, thumbprint } => pin(server, connector, *way, thumbprint),
        ServerAct::TakeOut { node, .. } => typed(vec![
            state(&node.label, "HubTransport", "Draining"),
            state(&node.label, "ServerWideOffline", "Inactive"),
        ]),
        ServerAct::PutBack { node, .. } => {
            typed(vec![state(&node.label, "ServerWideOffline", "Active"), state(&node.label, "HubTransport", "Active")])
        }
        ServerAct::SetUrls { internal, external, connection_point: point } => {
            // Exchange 2016 renamed the cmdlet (Set-ClientAccessService).
            let cmdlet = match product {
                Product::Exchange2013 => "Set-ClientAccessServer",
                _ => "Set-ClientAccessService",
            };
            let all: Vec<&Directory> = DIRECTORIES.iter().chain([&ECP, &MAPI]).collect();
            let mut lines = directories(server, all, internal.as_ref(), external.as_ref());
            lines.extend(outlook_anywhere_2013(server, internal.as_ref(), external.as_ref()));
            lines.extend(connection_point(cmdlet, server, point.as_ref()));
            typed(lines)
        }
        ServerAct::SetRedirect { .. } => vec![Script::words([format!(
            "on {}: nothing to set: it proxies for 2010 and later, and sends users of 2007 to the addresses that the \
             2007 servers tell: set those",
            escape(server)
        )])],
        ServerAct::Decommission => decommission(server, r"$env:ExchangeInstallPath\bin\Setup.exe"),
        ServerAct::Publish { .. } | ServerAct::Unpublish { .. } | ServerAct::ChangeMembers { .. } => {
            words::script(whole)
        }
    }
}

/// A balancer that asks the health pages takes the node out by itself (Set-ServerComponentState, from 2013 on).
fn state(node: &str, component: &str, state: &str) -> String {
    let node = powershell(node);
    format!("Set-ServerComponentState {node} -Component {component} -State {state} -Requester Maintenance")
}
