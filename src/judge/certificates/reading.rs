//! Every certificate of a recording, read once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use super::Certificate;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::observation::{FileOutcome, Outcome, Recording};
use crate::model::tls::TlsOutcome;
use crate::{parallel, pki};

fn chains(recording: &Recording) -> impl Iterator<Item = &[BlobId]> {
    // Of what was seen alike in a row, the first tells it all.
    let runs = recording.observations.as_slice().chunk_by(|a, b| Arc::ptr_eq(&a.outcome, &b.outcome));
    runs.filter_map(<[_]>::first).filter_map(|o| match &*o.outcome {
        Outcome::Tls(TlsOutcome::Certificate(served)) => Some(served.chain.as_slice()),
        Outcome::File(FileOutcome::Certificates { chain, .. }) => Some(chain.as_slice()),
        _ => None,
    })
}

/// The chains of a recording, and what each of their certificates says, sorted by the ids.
pub(super) fn read_all(recording: &Recording) -> (HashSet<&[BlobId]>, Vec<(BlobId, Certificate)>) {
    let chains: HashSet<&[BlobId]> = chains(recording).collect();
    let mut ids: Vec<BlobId> = chains.iter().copied().flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let certificate = |common: &mut Common, i: usize| {
        let mut facts = read(recording, &ids[i]);
        facts.iter_mut().for_each(|facts| common.share(facts));
        (ids[i], Certificate { facts, presented: OnceLock::new() })
    };
    let all = parallel::runs(ids.len(), Common::default, certificate);
    (chains, all)
}

/// What many certificates have alike, kept once.
#[derive(Default)]
struct Common {
    texts: HashSet<Arc<str>>,
    names: HashSet<Arc<[u8]>>,
}

impl Common {
    fn share(&mut self, facts: &mut CertificateFacts) {
        keep(&mut self.names, &mut facts.issuer_der);
        [&mut facts.issuer, &mut facts.key, &mut facts.signature]
            .into_iter()
            .for_each(|text| keep(&mut self.texts, text));
    }
}

/// Takes what is known where it is the same.
fn keep<T: Eq + Hash + ?Sized>(known: &mut HashSet<Arc<T>>, one: &mut Arc<T>) {
    match known.get(one) {
        Some(same) => *one = same.clone(),
        None => _ = known.insert(one.clone()),
    }
}

fn read(recording: &Recording, id: &BlobId) -> Result<CertificateFacts, String> {
    let der = recording.blobs.get(id).ok_or("not in the recording")?;
    let facts = pki::facts(der).map_err(|e| e.0)?;
    // A recording may come from anywhere; what it calls a certificate must be that certificate.
    if facts.sha256 == *id { Ok(facts) } else { Err("the recording has other bytes under its digest".into()) }
}
