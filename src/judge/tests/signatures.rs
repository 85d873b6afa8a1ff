//! The signatures of zones: by whom, of what, until when.

use jiff::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::dnssec::{ZONE, key, reply, told};
use super::*;
use crate::judge::world::SEEN;
use crate::model::dns::Reply;
use crate::model::dnssec::Dnskey;
use crate::model::name::Name;
use crate::model::observation::Probe;
use crate::model::plan::ViewId;
use crate::model::records::{DataRecord, RecordData};
use crate::model::rrsig::{Rrsig, Signed};
use crate::pki::Rrset;

impl World {
    /// Takes back what resolvers said that were told not to validate.
    fn unsay_unchecked(&mut self, view: ViewId, name: &str, kind: RecordType) {
        let label = self.plan.view(view).label.clone();
        let is = |p: &crate::model::observation::DnsProbe| {
            p.unchecked && p.view == label && p.name.as_str() == name && p.kind == kind
        };
        self.recording.observations.retain(|o| !matches!(&o.probe, Probe::Dns(p) if is(p)));
    }
}

/// A pair of keys, and the key as the zone has it.
fn pair(seed: u8) -> (Ed25519KeyPair, Dnskey) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let key = pair.public_key().as_ref().to_vec();
    (pair, Dnskey { flags: 257, protocol: 3, algorithm: 15, key })
}

const DAY: i64 = 86_400;

/// Signs an RRset of the zone for some days around the time of the looks.
fn sign(seed: u8, kind: RecordType, rdata: &[Vec<u8>], days: (i64, i64)) -> Rrsig {
    let ((pair, key), zone) = (pair(seed), Name::parse(ZONE).unwrap());
    let at = |days: i64| (SEEN.parse::<Timestamp>().unwrap().as_second() + days * DAY) as u32;
    let mut rrsig = Rrsig {
        covers: kind,
        algorithm: 15,
        labels: 2,
        original_ttl: 3600,
        expiration: at(days.1),
        inception: at(days.0),
        key_tag: key.tag(),
        signer: ZONE.into(),
        signature: Vec::new(),
    };
    let signed = Rrset::new(&zone, kind, rdata.to_vec()).signed(&rrsig).unwrap();
    rrsig.signature = pair.sign(&signed).as_ref().to_vec();
    rrsig
}

fn with_signatures(outcome: DnsOutcome, signatures: Vec<Rrsig>, soa: &[u8]) -> DnsOutcome {
    let DnsOutcome::Answer(reply) = outcome else { panic!() };
    let signed = Signed { signatures, soa: soa.to_vec() };
    DnsOutcome::Answer(Reply { signed: Some(signed.into()), ..reply })
}

/// What the SOA is in canonical form; nothing here looks into it.
const SOA: &[u8] = b"soa";

/// The zone with a key in the DS and another beside it, with these signatures by keys and for days, in both views but for the
/// internal one's days.
struct Signatures {
    of_keys: Vec<(u8, (i64, i64))>,
    of_soa: Vec<(u8, (i64, i64))>,
}

fn good() -> Signatures {
    Signatures { of_keys: vec![(1, (-7, 7))], of_soa: vec![(2, (-7, 7))] }
}

impl Signatures {
    fn given(&self) -> [(RecordType, DnsOutcome); 2] {
        let keys = [pair(1).1, pair(2).1];
        let rdata = keys.each_ref().map(Dnskey::octets).to_vec();
        let of = |all: &[(u8, (i64, i64))], kind, rdata: &[Vec<u8>]| -> Vec<Rrsig> {
            all.iter().map(|(seed, days)| sign(*seed, kind, rdata, *days)).collect()
        };
        let head = crate::model::dns::Soa { zone: ZONE.into(), primary: "ns".into(), serial: 1, ttl: 60, minimum: 60 };
        let soa = reply(vec![RecordData::Soa(head)]);
        let of_soa = of(&self.of_soa, RecordType::Soa, &[SOA.to_vec()]);
        let of_keys = of(&self.of_keys, RecordType::Dnskey, &rdata);
        [
            (RecordType::Dnskey, with_signatures(reply(keys.map(RecordData::Dnskey).to_vec()), of_keys, &[])),
            (RecordType::Soa, with_signatures(soa, of_soa, SOA)),
        ]
    }

    fn world(&self, inside: &Self) -> World {
        let mut world = simple();
        let ds = pair(1).1.ds(&Name::parse(ZONE).unwrap()).unwrap();
        world.say_of(EXTERNAL, ZONE, RecordType::Ds, &reply(vec![RecordData::Ds(ds)]));
        for (view, signatures) in [(EXTERNAL, self), (INTERNAL, inside)] {
            for (kind, outcome) in signatures.given() {
                world.say_unchecked(view, ZONE, kind, &outcome);
            }
        }
        world
    }
}

fn open(world: &World) -> Vec<String> {
    world.judge().not_looked_at.into_iter().filter(|l| l.contains("signatures of")).collect()
}

#[test]
fn signatures_hold_by_the_right_key_at_the_time_of_the_look() {
    let none = Vec::<String>::new();
    let well = good().world(&good());
    assert_eq!((told(&well), open(&well)), (none.clone(), none.clone()));
    let (keys, zone) = ("the signatures of the keys of domain.com", "the signatures of domain.com");
    let over = (-9, -2);
    for (of_keys, of_soa, want) in [
        (vec![(1, over)], vec![(2, over)], format!("{keys} have expired")),
        (vec![(1, (2, 9))], vec![(2, (-7, 7))], format!("{keys} are not valid yet")),
        (vec![(2, (-7, 7))], vec![(2, (-7, 7))], format!("{keys} are missing")),
        (vec![(1, (-7, 7))], vec![(1, over), (2, over)], format!("{zone} have expired")),
        (vec![(1, (-7, 7))], vec![(2, (2, 9))], format!("{zone} are not valid yet")),
        (vec![(1, (-7, 7))], vec![(3, (-7, 7))], format!("{zone} are missing")),
    ] {
        let world = Signatures { of_keys, of_soa }.world(&good());
        assert_eq!(told(&world), [format!("error ds-dnskey-mismatch: {want}")]);
        assert_eq!(world.judge().outcome, RunOutcome::Fail);
    }
    // One that holds is enough, whatever stands beside it.
    let beside = Signatures { of_keys: vec![(1, over), (1, (-7, 7))], of_soa: vec![(1, (-7, 7)), (2, over)] };
    assert_eq!(told(&beside.world(&good())), none);
}

#[test]
fn signatures_of_something_else_do_not_verify() {
    for (kind, want) in [
        (RecordType::Dnskey, "error ds-dnskey-mismatch: the signatures of the keys of domain.com do not verify"),
        (RecordType::Soa, "error ds-dnskey-mismatch: the signatures of domain.com do not verify"),
    ] {
        let mut world = good().world(&good());
        let (_, DnsOutcome::Answer(given)) = good().given().into_iter().find(|(k, _)| *k == kind).unwrap() else {
            panic!()
        };
        let mut signatures = given.signed.clone().unwrap().signatures;
        signatures[0].signature[5] ^= 1;
        world.unsay_unchecked(EXTERNAL, ZONE, kind);
        let soa = &given.signed.as_ref().unwrap().soa;
        let forged = with_signatures(DnsOutcome::Answer(given.clone()), signatures, soa);
        world.say_unchecked(EXTERNAL, ZONE, kind, &forged);
        assert_eq!(told(&world), [want]);
    }
}

#[test]
fn what_nobody_can_verify_is_neither_good_nor_bad() {
    let changed = |kind: RecordType, change: &dyn Fn(&mut Reply)| {
        let mut world = good().world(&good());
        let (_, DnsOutcome::Answer(mut given)) = good().given().into_iter().find(|(k, _)| *k == kind).unwrap() else {
            panic!()
        };
        change(&mut given);
        world.unsay_unchecked(EXTERNAL, ZONE, kind);
        world.say_unchecked(EXTERNAL, ZONE, kind, &DnsOutcome::Answer(given));
        assert_eq!(told(&world), Vec::<String>::new());
        assert_eq!(world.judge().outcome, RunOutcome::Pass);
        open(&world)
    };
    let line = |why: &str| [format!("could not tell whether the signatures of domain.com verify in external ({why})")];
    for kind in [RecordType::Dnskey, RecordType::Soa] {
        let strip = |reply: &mut Reply| reply.signed.as_mut().unwrap().signatures.clear();
        assert_eq!(changed(kind, &strip), line("no RRSIG came"), "{kind}: left out on the way");
        assert_eq!(changed(kind, &|reply| reply.signed = None), line("no RRSIG came"), "{kind}");
    }
    assert_eq!(
        changed(RecordType::Soa, &|reply| reply.signed.as_mut().unwrap().soa.clear()),
        line("no RRSIG came"),
        "a recording that was cut short"
    );
    // Many signatures of one tag (CVE-2023-50387); one of them may hold.
    let crowd = |reply: &mut Reply| {
        let all = &mut reply.signed.as_mut().unwrap().signatures;
        let (last, mut forged) = (all[0].clone(), all[0].clone());
        forged.signature[5] ^= 1;
        *all = vec![forged; 200];
        all.push(last);
    };
    let too_many = "more keys and signatures of one tag than are tried";
    for kind in [RecordType::Dnskey, RecordType::Soa] {
        assert_eq!(changed(kind, &crowd), line(too_many), "{kind}");
    }
}

#[test]
fn keys_that_nobody_signed_spoil_those_that_are() {
    let mut world = good().world(&good());
    let (_, DnsOutcome::Answer(mut given)) =
        good().given().into_iter().find(|(k, _)| *k == RecordType::Dnskey).unwrap()
    else {
        panic!()
    };
    given.records.extend((0..100).map(|n| DataRecord { data: RecordData::Dnskey(key(n)), ttl: 60 }));
    world.unsay_unchecked(EXTERNAL, ZONE, RecordType::Dnskey);
    world.say_unchecked(EXTERNAL, ZONE, RecordType::Dnskey, &DnsOutcome::Answer(given));
    assert_eq!(told(&world), ["error ds-dnskey-mismatch: the signatures of the keys of domain.com do not verify"]);
}

#[test]
fn an_algorithm_that_is_not_verified_here_is_no_failure() {
    let mut world = simple();
    let key = Dnskey { flags: 257, protocol: 3, algorithm: 16, key: vec![7; 57] };
    let zone = Name::parse(ZONE).unwrap();
    world.say_of(EXTERNAL, ZONE, RecordType::Ds, &reply(vec![RecordData::Ds(key.ds(&zone).unwrap())]));
    let mut rrsig = sign(1, RecordType::Dnskey, &[], (-7, 7));
    (rrsig.algorithm, rrsig.key_tag) = (16, key.tag());
    let given = |rrsig: &Rrsig| with_signatures(reply(vec![RecordData::Dnskey(key.clone())]), vec![rrsig.clone()], &[]);
    world.say_unchecked(EXTERNAL, ZONE, RecordType::Dnskey, &given(&rrsig));
    assert_eq!(told(&world), Vec::<String>::new());
    let line =
        "could not tell whether the signatures of domain.com verify in external (algorithm 16 is not verified here)";
    assert_eq!(open(&world), [line]);
    // But that it is over can be read.
    rrsig.expiration = rrsig.inception + 1;
    world.unsay_unchecked(EXTERNAL, ZONE, RecordType::Dnskey);
    world.say_unchecked(EXTERNAL, ZONE, RecordType::Dnskey, &given(&rrsig));
    assert_eq!(told(&world), ["error ds-dnskey-mismatch: the signatures of the keys of domain.com have expired"]);
}

#[test]
fn a_copy_inside_is_told_apart_only_where_it_is_wrong_otherwise() {
    let over = || Signatures { of_keys: vec![(1, (-9, -2))], of_soa: vec![(2, (-9, -2))] };
    let inside = "warning split-view-dnssec-bogus: the signatures of the keys of domain.com have expired in internal";
    let outside = "error ds-dnskey-mismatch: the signatures of the keys of domain.com have expired";
    assert_eq!(told(&good().world(&over())), [inside]);
    assert_eq!(told(&over().world(&over())), [outside], "one cause");
    let ahead = Signatures { of_keys: vec![(1, (-7, 7))], of_soa: vec![(2, (2, 9))] };
    let other = "error ds-dnskey-mismatch: the signatures of domain.com are not valid yet";
    assert_eq!(told(&ahead.world(&over())), [other, inside], "two");
}

#[test]
fn a_zones_own_server_that_speaks_of_signatures_and_gives_none_has_none() {
    let mut world = good().world(&good());
    let (_, DnsOutcome::Answer(mut given)) = good().given()[0].clone() else { panic!() };
    given.signed.as_mut().unwrap().signatures.clear();
    given.authoritative = true;
    world.unsay_unchecked(EXTERNAL, ZONE, RecordType::Dnskey);
    world.say_unchecked(EXTERNAL, ZONE, RecordType::Dnskey, &DnsOutcome::Answer(given));
    assert_eq!(told(&world), ["error ds-dnskey-mismatch: the signatures of the keys of domain.com are missing"]);
}

/// The addresses of a name, signed for others or for other days.
fn signed_addresses(owner: &str, signs: &[&str], says: &[&str], days: (i64, i64)) -> DnsOutcome {
    let octets = |all: &[&str]| -> Vec<Vec<u8>> {
        all.iter().map(|a| a.parse::<std::net::Ipv4Addr>().unwrap().octets().to_vec()).collect()
    };
    let ((pair, key), owner) = (pair(2), Name::parse(owner).unwrap());
    let mut rrsig = sign(2, RecordType::A, &[], days);
    rrsig.labels = owner.labels().count() as u8;
    rrsig.key_tag = key.tag();
    let signed = Rrset::new(&owner, RecordType::A, octets(signs)).signed(&rrsig).unwrap();
    rrsig.signature = pair.sign(&signed).as_ref().to_vec();
    with_signatures(answer(RecordType::A, says, &[]), vec![rrsig], &[])
}

#[test]
fn the_addresses_of_names_are_signed_by_the_zone() {
    const OWN: &str = "203.0.113.10";
    let judged = |outcome: &DnsOutcome| {
        let mut world = good().world(&good());
        world.say_unchecked(EXTERNAL, MAIL, RecordType::A, outcome);
        (told(&world), world.judge().findings.into_iter().flat_map(|f| f.seen).collect::<Vec<_>>())
    };
    let (now, none) = ((-7, 7), Vec::<String>::new());
    assert_eq!(judged(&signed_addresses(MAIL, &[OWN], &[OWN], now)).0, none);
    let (found, seen) = judged(&signed_addresses(MAIL, &["203.0.113.9"], &[OWN], now));
    assert_eq!(found, ["error ds-dnskey-mismatch: the signatures of names of domain.com do not verify"]);
    let line = format!("RRSIG of {MAIL} A that does not verify from 1.1.1.1 and 9.9.9.9");
    assert!(seen.contains(&line), "{seen:?}");
    let (found, _) = judged(&signed_addresses(MAIL, &[OWN], &[OWN], (-9, -2)));
    assert_eq!(found, ["error ds-dnskey-mismatch: the signatures of names of domain.com have expired"]);
    // Who gives no signatures, or those of another zone or key, says nothing.
    let DnsOutcome::Answer(reply) = signed_addresses(MAIL, &[OWN], &[OWN], (-9, -2)) else { panic!() };
    let with = |change: &dyn Fn(&mut Signed)| {
        let mut reply = reply.clone();
        change(reply.signed.as_mut().unwrap());
        judged(&DnsOutcome::Answer(reply)).0
    };
    assert_eq!(with(&|s| s.signatures.clear()), none);
    assert_eq!(with(&|s| s.signatures[0].signer = "mail.domain.com".into()), none);
    assert_eq!(with(&|s| s.signatures[0].key_tag ^= 1), none);
}
