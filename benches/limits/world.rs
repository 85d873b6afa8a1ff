//! What is measured against: many names, each with a certificate of its own, behind a few addresses.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use data_encoding::HEXLOWER;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;

use crate::dialogue::{self, Dialogue};
use crate::server;
use crate::tls::{FLIGHT, Target};

/// Names, certificates and the servers that show them.
pub struct World {
    /// The names.
    pub names: Vec<String>,
    /// Their certificates, in the same order.
    pub leaves: Vec<CertificateDer<'static>>,
    /// The root that issued them.
    pub root: CertificateDer<'static>,
    /// Where what is served.
    pub at: server::Addresses,
    servers: Child,
}

impl World {
    /// Makes the certificates and starts the servers.
    pub fn start(count: usize) -> Self {
        let root_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the bench's root");
        let root = params.self_signed(&root_key).expect("a root").der().clone();
        let issuer = Issuer::new(params, root_key);
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = (0..count).map(name).collect();
        let leaf = |name: &String| {
            let mut params = CertificateParams::new(vec![name.clone()]).expect("a name that a certificate can hold");
            params.distinguished_name.push(DnType::CommonName, name.as_str());
            params.signed_by(&key, &issuer).expect("a certificate").der().clone()
        };
        let leaves: Vec<_> = names.iter().map(leaf).collect();
        let (servers, at) = start(&key, &leaves);
        Self { names, leaves, root, at, servers }
    }

    /// TLS at once.
    pub fn tls(&self) -> Target {
        Target { address: self.at.tls, dialogue: None }
    }

    /// TLS after a dialogue, of each kind.
    pub fn upgraded(&self) -> [Target; 3] {
        let target = |(dialogue, address): (&'static Dialogue, _)| Target { address, dialogue: Some(dialogue) };
        let [one, two, three] = &dialogue::ALL;
        let [a, b, c] = self.at.upgraded;
        [(one, a), (two, b), (three, c)].map(target)
    }

    /// TLS after a while.
    pub fn far(&self) -> Target {
        Target { address: self.at.far, dialogue: None }
    }

    /// A plan in which every name leads to one server, which takes as many connections at once as the bare loop makes.
    pub fn plan(&self, names: &[String]) -> String {
        let [inside, outside] = self.at.dns;
        let mut text = format!(
            "per-host = {FLIGHT}\n[views.internal]\nresolvers = [\"{inside}\"]\n[views.external]\nresolvers = [\"{outside}\"]\n\
             [servers.all]\naddress = \"127.0.0.1\"\n[internet]\n"
        );
        for name in names {
            let _ = writeln!(text, "\"{name}\" = \"all\"");
        }
        text
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.servers.kill();
        let _ = self.servers.wait();
    }
}

/// The name by its number.
pub fn name(number: usize) -> String {
    format!("host-{number}.example.com")
}

/// This program.
pub fn itself() -> PathBuf {
    std::env::current_exe().expect("this program's own path")
}

/// Starts the servers in a process of their own, which ends with this one: it reads what this one holds open.
fn start(key: &KeyPair, leaves: &[CertificateDer<'_>]) -> (Child, server::Addresses) {
    let mut command = Command::new(itself());
    command.arg(server::WORD).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("this very program");
    let mut to = child.stdin.take().expect("a pipe");
    let ders = std::iter::once(key.serialized_der()).chain(leaves.iter().map(|l| l.as_ref()));
    let lines: String = ders.map(|der| HEXLOWER.encode(der) + "\n").collect();
    to.write_all(format!("{lines}\n").as_bytes()).expect("servers that listen");
    child.stdin = Some(to);
    let mut line = String::new();
    let from = child.stdout.take().expect("a pipe");
    BufReader::new(from).read_line(&mut line).expect("servers that start");
    let all: Vec<SocketAddr> = line.split_whitespace().map(|a| a.parse().expect("an address")).collect();
    let [tls, smtp, imap, pop3, old, far, silent, deaf, one, two]: [SocketAddr; 10] =
        all.try_into().expect("ten addresses");
    (child, server::Addresses { tls, upgraded: [smtp, imap, pop3], old, far, silent, deaf, dns: [one, two] })
}
