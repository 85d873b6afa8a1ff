//! Exchange 2010: certificate cmdlets hand octets over; PowerShell writes and reads the files.

use super::act::{Act, CertificateAct, Look, ServerAct};
use super::exchange::{
    DIRECTORIES, ECP, PASSWORD, bind, connection_point, copied, decommission, delete_copies, directories, file,
    installed, outlook_anywhere, pfx, rekeyed, request, restart, retire, sent, typed, unpinned,
};
use super::quote::{powershell, string};
use super::script::Script;
use super::{Scripts, words, zone_file};
use crate::commands::product::Product;
use crate::model::name::Name;

pub(super) fn scripts(act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { server, act: step } => certificate(server, step),
        Act::Server { server, act: step } => at_server(act, server, step),
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
        CertificateAct::Complete => {
            let octets = read(&file(server, "coexist.cer"));
            vec![Script::powershell([format!("Import-ExchangeCertificate -Server {on} -FileData {octets}")])]
        }
        CertificateAct::Export { thumbprint } => vec![Script::powershell([
            format!(
                "$f = Export-ExchangeCertificate -Server {on} -Thumbprint {} -BinaryEncoded:$true {PASSWORD}",
                powershell(thumbprint)
            ),
            format!("Set-Content -Path {} -Value $f.FileData -Encoding Byte", pfx(server)),
        ])],
        CertificateAct::Import { from, .. } => {
            let (copy, file) = copied(from, server);
            let octets = read(&file);
            let import = format!(
                "Import-ExchangeCertificate -Server {on} -FileData {octets} {PASSWORD} -PrivateKeyExportable $true"
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

/// The octets of a file, as Import-ExchangeCertificate wants them.
fn read(file: &str) -> String {
    format!("([Byte[]]$(Get-Content -Path {file} -Encoding Byte -ReadCount 0))")
}

fn order(server: &str, names: &[Name]) -> Script {
    Script::powershell([
        format!("$r = New-ExchangeCertificate -Server {} {}", powershell(server), request(names)),
        format!("Set-Content -Path {} -Value $r", file(server, "coexist.req")),
    ])
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Vec<Script> {
    match act {
        ServerAct::Restart { services } => restart(server, services, "MSExchangeTransport"),
        ServerAct::PinConnector { connector, thumbprint, .. } => unpinned(server, connector, thumbprint),
        ServerAct::SetUrls { internal, external, connection_point: point } => {
            let all = DIRECTORIES.iter().chain([&ECP]);
            let mut lines = directories(server, all, internal.as_ref(), external.as_ref());
            lines.extend(outlook_anywhere(server, external.as_ref()));
            lines.extend(connection_point("Set-ClientAccessServer", server, point.as_ref()));
            typed(lines)
        }
        ServerAct::SetRedirect { host } => typed(vec![redirect(server, host.as_ref())]),
        ServerAct::Decommission => decommission(server, r"$env:ExchangeInstallPath\bin\Setup.com"),
        ServerAct::TakeOut { .. }
        | ServerAct::PutBack { .. }
        | ServerAct::Publish { .. }
        | ServerAct::Unpublish { .. }
        | ServerAct::ChangeMembers { .. } => words::script(whole),
    }
}

/// Where users whose mailboxes are on Exchange 2003 are sent. The path belongs to it (Set-OwaVirtualDirectory,
/// Exchange2003Url: "must include the virtual directory name"); 2010 is the only version that has it.
fn redirect(server: &str, host: Option<&Name>) -> String {
    let url = host.map_or("$null".into(), |host| string(&format!("https://{host}/exchange")));
    let identity = string(&format!(r"{server}\owa (Default Web Site)"));
    format!("Set-OwaVirtualDirectory {identity} -Exchange2003Url {url}")
}
