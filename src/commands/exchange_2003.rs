//! Exchange 2003: no shell of its own; words for the consoles. What an import needs: Windows Server 2003 reads PFX files
//! in 3DES only.

use super::act::{Act, CertificateAct, Look, ServerAct};
use super::script::Script;
use super::{Scripts, words, zone_file};
use crate::commands::product::Product;
use crate::model::text::escape;

pub(super) fn scripts(act: &Act) -> Scripts {
    Ok(match act {
        Act::Certificate { server, act: step } => vec![Script::words(certificate(act, &escape(server), step))],
        Act::Server { server, act: step } => vec![Script::words(at_server(act, &escape(server), step))],
        Act::Look(Look::Installed { server, thumbprint }) => vec![Script::words([format!(
            "on {}: mmc, Certificates (Computer account), Personal: {} is there, \"You have a private key\"",
            escape(server),
            escape(thumbprint)
        )])],
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => return zone_file::scripts(Product::Other, act),
    })
}

fn certificate(whole: &Act, server: &str, act: &CertificateAct) -> Vec<String> {
    match act {
        // The wizard of IIS 6 asks for one name only: a request with several is made elsewhere.
        CertificateAct::Order { .. } | CertificateAct::Rekey { .. } => {
            let mut lines = words::of(whole);
            lines.push("IIS 6 cannot ask for several names: make key and request on another server".into());
            lines
        }
        CertificateAct::Complete => vec![format!(
            "on {server}: IIS Manager, Default Web Site, Properties, Directory Security, Server Certificate: process the pending request"
        )],
        CertificateAct::Export { thumbprint } => vec![export(server, thumbprint)],
        CertificateAct::Import { thumbprint, from } => vec![
            format!(
                "export {} with its key from {} as a PFX that Windows Server 2003 reads (3DES, not AES)",
                escape(thumbprint),
                words::source(from)
            ),
            format!("on {server}: mmc, Certificates (Computer account), Personal, Import"),
        ],
        CertificateAct::Bind { thumbprint, .. } => vec![
            format!("on {server}: IIS Manager, Default Web Site, Properties, Directory Security, Server Certificate"),
            format!("choose \"Replace the current certificate\", then {}", escape(thumbprint)),
        ],
        CertificateAct::DeleteCopies => {
            vec![format!("on {server}: delete the PFX file, past the Recycle Bin, and every copy of it")]
        }
        CertificateAct::Retire { thumbprint } => vec![format!(
            "on {server}: mmc, Certificates (Computer account), Personal: delete {}, once nothing uses it",
            escape(thumbprint)
        )],
    }
}

/// The Certificates console of a server without a cmdlet that exports.
pub(super) fn export(server: &str, thumbprint: &str) -> String {
    format!(
        "on {server}: mmc, Certificates (Computer account), Personal: {}, All Tasks, Export, with the private key (PFX)",
        escape(thumbprint)
    )
}

fn at_server(whole: &Act, server: &str, act: &ServerAct) -> Vec<String> {
    match act {
        ServerAct::Restart { .. } => vec![format!(
            "on {server}: Services: restart World Wide Web Publishing, Simple Mail Transfer Protocol, and IMAP4 and POP3 where they run"
        )],
        ServerAct::PinConnector { connector, thumbprint, .. } => vec![format!(
            "on {server}: Exchange System Manager, Servers, Protocols, SMTP, the virtual server of \"{}\", Properties, Access, Certificate: {}",
            escape(connector),
            escape(thumbprint)
        )],
        ServerAct::SetUrls { .. } => vec![format!(
            "on {server}: nothing to set: Exchange 2003 tells its clients no addresses; they use what they were given"
        )],
        ServerAct::SetRedirect { .. } => {
            vec![format!("on {server}: nothing to set: the newer servers send their users here, not this one")]
        }
        ServerAct::Decommission => vec![format!(
            "on {server}: Exchange System Manager: move mailboxes, public folders, connectors and the routing group master first; \
             then Add or Remove Programs, Microsoft Exchange, Remove"
        )],
        ServerAct::TakeOut { .. }
        | ServerAct::PutBack { .. }
        | ServerAct::Publish { .. }
        | ServerAct::Unpublish { .. }
        | ServerAct::ChangeMembers { .. } => words::of(whole),
    }
}
