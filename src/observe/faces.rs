//! Servers that have a certificate of the other kind of key, of which nobody told: what to ask for besides. Pure.

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::model::certificate::BlobId;
use crate::model::probes::{Door, Probes, TlsAsk};
use crate::model::tls::{Face, TlsOutcome};
use crate::pki;

/// Certificates of one endpoint of which it is asked whether there is another beside them. A server that has two for one
/// name mostly has two for every name; one that has a certificate for each of a thousand names is not asked twice for all.
const ASKED: usize = 4;

/// What endpoints showed so far.
pub struct Faces<'a> {
    probes: &'a Probes,
    doors: HashMap<&'a Door, Shown>,
}

#[derive(Default)]
struct Shown {
    leaves: SmallVec<[BlobId; ASKED]>,
    /// It has certificates of both kinds, and every name is asked for.
    is_double: bool,
}

impl<'a> Faces<'a> {
    /// Nothing so far.
    pub fn new(probes: &'a Probes) -> Self {
        Self { probes, doors: HashMap::new() }
    }

    /// Takes what a connection showed, with the chain that came; gives the connections that follow from it.
    pub fn take(&mut self, ask: &TlsAsk, outcome: &TlsOutcome, chain: &[(BlobId, Vec<u8>)]) -> Vec<TlsAsk> {
        let (TlsOutcome::Certificate(_), Some((id, leaf)), Some(_)) = (outcome, chain.first(), &ask.probe.sni) else {
            return Vec::new();
        };
        let Some(door) = self.probes.faces.get(&Door::of(ask)) else { return Vec::new() };
        let shown = self.doors.entry(door).or_default();
        match ask.probe.face {
            None if shown.is_double || shown.leaves.len() == ASKED || shown.leaves.contains(id) => Vec::new(),
            None => {
                shown.leaves.push(*id);
                face_of(leaf).map(|face| asked(ask, face.other())).into_iter().collect()
            }
            // Some show the one that they have, whatever is asked.
            Some(face) if shown.is_double || face_of(leaf) != Some(face) => Vec::new(),
            Some(face) => {
                shown.is_double = true;
                let there = |a: &&TlsAsk| a.probe.face.is_none() && a.probe.sni.is_some() && Door::of(a) == *door;
                self.probes.tls.iter().filter(there).map(|a| asked(a, face)).collect()
            }
        }
    }
}

fn asked(ask: &TlsAsk, face: Face) -> TlsAsk {
    let mut ask = TlsAsk { samples: 1, ..ask.clone() };
    ask.probe.face = Some(face);
    ask
}

fn face_of(der: &[u8]) -> Option<Face> {
    Face::of_key(&pki::facts(der).ok()?.key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::name::Name;
    use crate::model::observation::TlsProbe;
    use crate::model::probes::Manners;
    use crate::model::service::Way;
    use crate::model::tls::{Possession, Served};
    use crate::observe::testbed::identity;

    fn ask(name: &str) -> TlsAsk {
        let sni = Name::parse(name).ok();
        let probe = TlsProbe { address: ([10, 0, 0, 1], 443).into(), way: Way::Implicit, sni, face: None };
        TlsAsk { probe, samples: 3, manners: Manners::default().into() }
    }

    fn probes(names: &[&str]) -> Probes {
        let tls: Vec<_> = names.iter().map(|n| ask(n)).collect();
        let faces = tls.iter().map(Door::of).collect();
        Probes { tls, faces, ..Probes::default() }
    }

    fn chain(der: Vec<u8>) -> (TlsOutcome, Vec<(BlobId, Vec<u8>)>) {
        let id = pki::blob_id(&der);
        let served = Served {
            chain: vec![id],
            possession: Possession::Proved,
            version: None,
            cipher: None,
            client: None,
            ended: None,
            declined: None,
        };
        (TlsOutcome::Certificate(served), vec![(id, der)])
    }

    /// A certificate with an ECDSA key.
    fn ecdsa(name: &str) -> (TlsOutcome, Vec<(BlobId, Vec<u8>)>) {
        chain(identity(name).certificate.to_vec())
    }

    fn words(asks: &[TlsAsk]) -> Vec<String> {
        let word = |a: &TlsAsk| Some(format!("{} {} x {}", a.probe.sni.as_ref()?, a.probe.face?, a.samples));
        asks.iter().filter_map(word).collect()
    }

    #[test]
    fn each_of_the_first_certificates_is_asked_for_its_other_once() {
        let names = ["a.example", "b.example", "c.example", "d.example", "e.example"];
        let probes = probes(&names);
        let mut faces = Faces::new(&probes);
        let shared = ecdsa("a.example");
        assert_eq!(words(&faces.take(&probes.tls[0], &shared.0, &shared.1)), ["a.example RSA x 1"]);
        assert_eq!(words(&faces.take(&probes.tls[1], &shared.0, &shared.1)), [""; 0], "the same certificate");
        let asked = names.iter().zip(&probes.tls).flat_map(|(name, ask)| {
            let own = ecdsa(name);
            words(&faces.take(ask, &own.0, &own.1))
        });
        assert_eq!(asked.count(), ASKED - 1);
    }

    #[test]
    fn where_there_is_another_every_name_is_asked_for_it() {
        let probes = probes(&["a.example", "b.example"]);
        let mut faces = Faces::new(&probes);
        let own = ecdsa("a.example");
        let beside = faces.take(&probes.tls[0], &own.0, &own.1);
        let same = &own;
        assert_eq!(words(&faces.take(&beside[0], &same.0, &same.1)), [""; 0], "it shows the one that it has");
        let rsa = chain(RSA.clone());
        assert_eq!(words(&faces.take(&beside[0], &rsa.0, &rsa.1)), ["a.example RSA x 1", "b.example RSA x 1"]);
        assert_eq!(words(&faces.take(&beside[0], &rsa.0, &rsa.1)), [""; 0], "once");
        assert_eq!(words(&faces.take(&probes.tls[1], &own.0, &own.1)), [""; 0]);
    }

    #[test]
    fn nothing_is_asked_where_nobody_wants_it_or_nothing_came() {
        let mut probes = probes(&["a.example"]);
        let (outcome, chain) = ecdsa("a.example");
        let refused = TlsOutcome::Refused;
        assert!(Faces::new(&probes).take(&probes.tls[0], &refused, &[]).is_empty());
        let mut bare = ask("a.example");
        bare.probe.sni = None;
        assert!(Faces::new(&probes).take(&bare, &outcome, &chain).is_empty());
        probes.faces = BTreeSet::new();
        assert!(Faces::new(&probes).take(&probes.tls[0], &outcome, &chain).is_empty());
    }

    static RSA: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        const LEAF: &str = include_str!("../judge/tests/fixtures/leaf-below-weak.pem");
        let base64: String = LEAF.lines().filter(|l| !l.starts_with("-----")).collect();
        data_encoding::BASE64.decode(base64.as_bytes()).unwrap_or_default()
    });
}
