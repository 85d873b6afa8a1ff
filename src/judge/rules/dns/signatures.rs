//! Whether a zone's signatures verify, as one resolver gave them: those of its keys by a key that a DS names, those of its SOA
//! and of its names' addresses by any of its keys (RFC 4035 sections 5.2 and 5.3).
//!
//! What counts is the time of the look: signatures are made anew all the time, and what was given then was to hold then.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::judge::beside::{Word, told_unchecked};
use crate::judge::draft::Context;
use crate::judge::wording;
use crate::model::dns::{RecordType, Reply};
use crate::model::dnssec::{Dnskey, Ds};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::rrsig::{Rrsig, Span};
use crate::model::signed;
use crate::pki::{Rrset, Verified};

/// Signatures of one RRset that are verified. A zone needs one; who has many keys of one tag wants to keep us busy
/// (CVE-2023-50387).
const TRIES: usize = 16;

/// What is wrong with the signatures of an RRset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flaw {
    /// They were over since.
    Over(Timestamp),
    /// They hold from then on only.
    Ahead(Timestamp),
    /// They are not of these records, or of that key.
    Forged,
    /// There is none by such a key.
    Missing,
}

/// Why nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// The resolver gives none, or was not asked for any.
    NotGiven,
    /// An algorithm, or a size of its keys, that is not verified here.
    Algorithm(u8),
    /// More than are tried.
    TooMany,
}

/// What signatures come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    Verified,
    /// Of the RRset of a type.
    Flawed(RecordType, Flaw),
    Unknown(Doubt),
}

/// What a resolver's signatures of a zone come to, and the words about its SOA and names that count besides those about its
/// keys.
pub(super) struct Seal<'a> {
    pub(super) worth: Worth,
    pub(super) words: Vec<Word<'a>>,
    /// Names whose signatures are flawed, if it is those.
    pub(super) names: BTreeSet<Name>,
}

impl<'a> Seal<'a> {
    fn new(worth: Worth, word: Option<Word<'a>>) -> Self {
        Self { worth, words: word.into_iter().collect(), names: BTreeSet::new() }
    }
}

/// Looks at the signatures that came with a zone's keys, of which a DS names one, at those of its SOA, and of its names.
pub(super) fn seal<'a>(context: &Context<'a>, at: (ViewId, &Name), ds: &[&Ds], told: (&Word, &[&Dnskey])) -> Seal<'a> {
    let apex = apex(context, at, ds, told);
    match apex.worth {
        Worth::Flawed(..) => apex,
        Worth::Verified | Worth::Unknown(_) => of_names(context, at, told).unwrap_or(apex),
    }
}

/// As [`seal`], but for the names.
pub(super) fn apex<'a>(
    context: &Context<'a>,
    (view, zone): (ViewId, &Name),
    ds: &[&Ds],
    (word, keys): (&Word, &[&Dnskey]),
) -> Seal<'a> {
    let evidence = &context.case.evidence;
    let named: Vec<&Dnskey> = keys.iter().copied().filter(|k| ds.iter().any(|ds| ds.is_of(zone, k))).collect();
    let all = || keys.iter().map(|k| k.octets());
    let of_keys = word.outcome.reply().map(|reply| {
        let set = Rrset::new(zone, RecordType::Dnskey, all());
        worth(RecordType::Dnskey, &set, zone, reply, &named, evidence.look(word.look).at)
    });
    let of_keys = of_keys.unwrap_or(Worth::Unknown(Doubt::NotGiven));
    if of_keys != Worth::Verified {
        return Seal::new(of_keys, None);
    }
    let told = told_unchecked(context, view, zone, RecordType::Soa).0;
    let of_soa = told.into_iter().filter(|w| w.resolver == word.resolver).filter_map(|soa| {
        let reply = soa.outcome.reply()?;
        let octets = reply.signed.as_ref().map(|s| s.soa.clone()).filter(|octets| !octets.is_empty())?;
        let set = Rrset::new(zone, RecordType::Soa, [octets]);
        Some((worth(RecordType::Soa, &set, zone, reply, keys, evidence.look(soa.look).at), soa))
    });
    // What is wrong at one time is wrong.
    let worst = of_soa.max_by_key(|(worth, _)| (matches!(worth, Worth::Flawed(..)), *worth));
    match worst {
        Some((worth, soa)) => Seal::new(worth, Some(soa)),
        None => Seal::new(Worth::Unknown(Doubt::NotGiven), None),
    }
}

/// What is wrong with the signatures of a zone's names, if anything is; the first flaw, and every name that has it. Nothing
/// is known of one without a signature by the zone: it may lie in another zone, or the resolver gives none.
fn of_names<'a>(
    context: &Context<'a>,
    (view, zone): (ViewId, &Name),
    (word, keys): (&Word, &[&Dnskey]),
) -> Option<Seal<'a>> {
    let mut seal: Option<Seal> = None;
    for name in signed::names(context.case.plan, view, zone) {
        for kind in RecordType::ALL {
            let told = told_unchecked(context, view, &name, kind).0;
            for said in told.into_iter().filter(|w| w.resolver == word.resolver) {
                let Some(flaw) = of_name(context, zone, (&name, kind), &said, keys) else { continue };
                let seal = seal.get_or_insert_with(|| Seal::new(Worth::Flawed(kind, flaw), None));
                if seal.worth == Worth::Flawed(kind, flaw) {
                    seal.words.push(said);
                    seal.names.insert(name.clone());
                }
            }
        }
    }
    seal
}

fn of_name(
    context: &Context,
    zone: &Name,
    (name, kind): (&Name, RecordType),
    said: &Word,
    keys: &[&Dnskey],
) -> Option<Flaw> {
    let reply = said.outcome.reply()?;
    let is_signed = reply.signed.as_ref()?.signatures.iter().any(|s| s.signer == zone.as_str());
    let end = match reply.chain.last() {
        Some(link) => Name::parse_owner(&link.target).ok()?,
        None => name.clone(),
    };
    let octets = reply.addresses.iter().map(|a| match a.address {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    });
    let set = Rrset::new(&end, kind, octets);
    let worth = || worth(kind, &set, zone, reply, keys, context.case.evidence.look(said.look).at);
    match is_signed.then(worth)? {
        // By a key that is not there: the one or the other is older, and caches may mix them.
        Worth::Flawed(_, Flaw::Missing) | Worth::Verified | Worth::Unknown(_) => None,
        Worth::Flawed(_, flaw) => Some(flaw),
    }
}

/// What the signatures of an RRset come to, if one of these keys must have made one.
fn worth(kind: RecordType, set: &Rrset, zone: &Name, reply: &Reply, keys: &[&Dnskey], at: Timestamp) -> Worth {
    // Some resolvers copy the bit that asks for signatures, and leave them out.
    let given = reply.signed.as_ref().filter(|s| reply.authoritative || !s.signatures.is_empty());
    let Some(signed) = given else { return Worth::Unknown(Doubt::NotGiven) };
    let made = |s: &Rrsig, key: &Dnskey| s.algorithm == key.algorithm && s.key_tag == key.tag();
    let (mut flaws, mut unable, mut tries) = (Vec::new(), None, 0);
    for signature in signed.signatures.iter().filter(|s| s.signer == zone.as_str()) {
        for key in keys.iter().filter(|key| made(signature, key)) {
            // Times first, for they cost nothing.
            match signature.span(at) {
                Span::Over(end) => flaws.push(Flaw::Over(end)),
                Span::Ahead(begin) => flaws.push(Flaw::Ahead(begin)),
                Span::Within if tries == TRIES => return Worth::Unknown(Doubt::TooMany),
                Span::Within => {
                    tries += 1;
                    match set.verify(zone, signature, key) {
                        Verified::Yes => return Worth::Verified,
                        Verified::No => flaws.push(Flaw::Forged),
                        Verified::Unable => unable = Some(key.algorithm),
                    }
                }
            }
        }
    }
    // A key whose signature nobody here can verify may hold all the same.
    match unable {
        Some(algorithm) => Worth::Unknown(Doubt::Algorithm(algorithm)),
        None => Worth::Flawed(kind, nearest(&flaws)),
    }
}

/// The flaw that is nearest to being none: the last end, the first beginning.
fn nearest(flaws: &[Flaw]) -> Flaw {
    let over = flaws.iter().filter(|f| matches!(f, Flaw::Over(_))).max();
    over.or_else(|| flaws.iter().min()).copied().unwrap_or(Flaw::Missing)
}

impl Flaw {
    /// Goes on after "the signatures of the zone".
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Over(_) => "have expired",
            Self::Ahead(_) => "are not valid yet",
            Self::Forged => "do not verify",
            Self::Missing => "are missing",
        }
    }

    /// What was seen of an RRset: `DNSKEY`, `SOA`, `www.example.org A`.
    pub(super) fn line(self, set: &str) -> String {
        match self {
            Self::Over(end) => format!("RRSIG of {set} until {}", wording::minute(end)),
            Self::Ahead(begin) => format!("RRSIG of {set} from {} on", wording::minute(begin)),
            Self::Forged => format!("RRSIG of {set} that does not verify"),
            Self::Missing if set == "DNSKEY" => "no RRSIG of DNSKEY by a key that a DS names".into(),
            Self::Missing => format!("no RRSIG of {set} by a key of the zone"),
        }
    }
}

impl Doubt {
    /// Why, in brackets.
    pub(super) fn why(self) -> String {
        match self {
            Self::NotGiven => "no RRSIG came".into(),
            Self::Algorithm(16) => "algorithm 16 is not verified here".into(),
            Self::Algorithm(n) => format!("keys of algorithm {n} of this size are not verified here"),
            Self::TooMany => "more keys and signatures of one tag than are tried".into(),
        }
    }
}
