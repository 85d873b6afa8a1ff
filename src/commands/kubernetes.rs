//! Kubernetes: the certificate is a Secret of type kubernetes.io/tls; a Gateway's listener (Gateway API v1) names it, and an
//! HTTPRoute leads its host on. Who answers for the Gateway watches the Secret and needs no reload.

use super::act::{Act, CertificateAct, Look, Member, ServerAct};
use super::openssl::{self, CHAIN, KEY};
use super::product::Product;
use super::quote::posix;
use super::refusal::{Refusal, plain};
use super::script::{Language, Script};
use super::{Scripts, words, zone_file};
use crate::model::name::Name;
use crate::model::text::escape;

pub(super) fn scripts(act: &Act) -> Scripts {
    match act {
        Act::Certificate { server, act: step } => certificate(act, server, step),
        Act::Server { server, act: step } => at_gateway(act, server, step),
        Act::Look(Look::Installed { server, .. }) => Ok(vec![
            here(),
            Script::sh([format!(
                "kubectl get secret {} -o 'jsonpath={{.data.tls\\.crt}}' | base64 -d | \
                 openssl x509 -noout -subject -dates -ext subjectAltName -fingerprint -sha1",
                secret(server)?
            )]),
        ]),
        Act::Zone { .. } | Act::Repoint { .. } | Act::Look(_) => zone_file::scripts(Product::Other, act),
    }
}

fn here() -> Script {
    Script::words([
        "with kubectl in the namespace of the Gateway (kubectl config set-context --current --namespace=…):",
    ])
}

/// A label as a name of an object: lower-case letters, digits and hyphens (RFC 1123).
fn object(label: &str) -> Result<String, Refusal> {
    let name = plain(label, "is no name of an object in Kubernetes")?.to_ascii_lowercase();
    let fits = name.len() <= 50 && !name.contains('_') && !name.ends_with(['-', '.']) && !name.starts_with('.');
    if fits { Ok(name) } else { Err(Refusal::new(label, "is no name of an object in Kubernetes")) }
}

fn secret(label: &str) -> Result<String, Refusal> {
    Ok(format!("coexist-{}", object(label)?))
}

fn certificate(whole: &Act, server: &str, act: &CertificateAct) -> Scripts {
    let bound = vec![
        here(),
        Script::sh([format!(
            "kubectl create secret tls {} --cert={CHAIN} --key={KEY} --dry-run=client -o yaml | kubectl apply -f -",
            secret(server)?
        )]),
        Script::words(["the Gateway's listener names this Secret:"]),
        Script::new(Language::Yaml, certificate_refs(server)?),
    ];
    Ok(match act {
        // The files of whoever makes the Secret.
        CertificateAct::Order { .. }
        | CertificateAct::Rekey { .. }
        | CertificateAct::Complete
        | CertificateAct::Import { .. }
        | CertificateAct::DeleteCopies
        | CertificateAct::Bind { .. } => openssl::scripts("the machine with kubectl", act, bound),
        CertificateAct::Export { .. } => vec![
            here(),
            Script::sh([
                format!(
                    "kubectl get secret {} -o 'jsonpath={{.data.tls\\.crt}}' | base64 -d >fullchain.pem",
                    secret(server)?
                ),
                format!(
                    "(umask 077; kubectl get secret {} -o 'jsonpath={{.data.tls\\.key}}' | base64 -d >privkey.pem)",
                    secret(server)?
                ),
                "openssl pkcs12 -export -in fullchain.pem -inkey privkey.pem -out coexist.pfx".into(),
            ]),
        ],
        CertificateAct::Retire { .. } => {
            let delete = format!("kubectl delete secret {}", secret(server)?);
            [words::script(whole), vec![here(), Script::sh([delete])]].concat()
        }
    })
}

fn certificate_refs(server: &str) -> Result<Vec<String>, Refusal> {
    Ok(vec![
        "tls:".into(),
        "  mode: Terminate".into(),
        "  certificateRefs:".into(),
        "    - kind: Secret".into(),
        format!("      name: \"{}\"", secret(server)?),
    ])
}

fn at_gateway(whole: &Act, server: &str, act: &ServerAct) -> Scripts {
    Ok(match act {
        ServerAct::Publish { name, members } => published(server, name, members)?,
        ServerAct::Unpublish { name } => {
            let delete = format!("kubectl delete httproute {}", posix(&route(name)));
            [vec![here(), Script::sh([delete])], words::script(whole)].concat()
        }
        ServerAct::SetRedirect { host: Some(host) } => vec![
            Script::words([format!(
                "in the HTTPRoute whose users go to the older servers, behind {}:",
                escape(server)
            )]),
            Script::new(
                Language::Yaml,
                [
                    "filters:".to_string(),
                    "  - type: RequestRedirect".into(),
                    "    requestRedirect:".into(),
                    format!("      hostname: \"{host}\""),
                    "      statusCode: 302".into(),
                ],
            ),
        ],
        ServerAct::Restart { .. } => {
            vec![Script::words([format!("{}: nothing to restart: its controller watches the Secret", escape(server))])]
        }
        ServerAct::PinConnector { .. }
        | ServerAct::TakeOut { .. }
        | ServerAct::PutBack { .. }
        | ServerAct::SetUrls { .. }
        | ServerAct::SetRedirect { host: None }
        | ServerAct::ChangeMembers { .. }
        | ServerAct::Decommission => words::script(whole),
    })
}

/// `mail-domain-com`.
fn route(name: &Name) -> String {
    name.as_str().replace('*', "any").replace(['.', '_'], "-")
}

/// A listener for the name, and a route to Services that have the members' labels.
fn published(server: &str, name: &Name, members: &[Member]) -> Scripts {
    let route = route(name);
    let mut listener = vec![
        format!("- name: \"{route}\""),
        format!("  hostname: \"{name}\""),
        "  port: 443".into(),
        "  protocol: HTTPS".into(),
    ];
    listener.extend(certificate_refs(server)?.into_iter().map(|line| format!("  {line}")));
    let mut object_lines = vec![
        "apiVersion: gateway.networking.k8s.io/v1".to_string(),
        "kind: HTTPRoute".into(),
        "metadata:".into(),
        format!("  name: \"{route}\""),
        "spec:".into(),
        "  parentRefs:".into(),
        format!("    - name: \"{}\"", object(server)?),
        "  hostnames:".into(),
        format!("    - \"{name}\""),
        "  rules:".into(),
        "    - backendRefs:".into(),
    ];
    for member in members {
        object_lines.push(format!("        - name: \"{}\"", object(&member.label)?));
        object_lines.push(format!("          port: {}", member.at.port()));
    }
    Ok(vec![
        Script::words([format!("in the Gateway {}, under spec.listeners:", object(server)?)]),
        Script::new(Language::Yaml, listener),
        Script::words(["as route.yaml:"]),
        Script::new(Language::Yaml, object_lines),
        here(),
        Script::sh(["kubectl apply -f route.yaml"]),
    ])
}
