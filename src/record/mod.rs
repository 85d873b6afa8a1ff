//! Recordings on disk: versioned JSON Lines of three kinds: a run, a blob, an observation.
//!
//! ```text
//! {"run":{"id":"…","format":1,…}}
//! {"blob":{"sha256":"<hex>","der":"<base64>"}}
//! {"observation":{…}}
//! ```
//!
//! A run stands before its observations, and a certificate before the first observation that refers to it, so that a
//! recording that was cut off can be read as far as it goes.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::model::certificate::BlobId;
use crate::model::observation::{Observation, Run};

pub use read::{RecordError, read};
pub use write::Writer;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Run(Run),
    Blob(Blob),
    Observation(Observation),
}

/// A certificate: its DER in base64, and the digest of it.
#[derive(Serialize, Deserialize)]
struct Blob {
    sha256: BlobId,
    der: String,
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::SocketAddr;
    use std::sync::Arc;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::model::dane::Tlsa;
    use crate::model::dns::{
        AddressRecord, DnsOutcome, Link, NamedServer, RecordType, Referral, Reply, ResolverAddr, Soa,
    };
    use crate::model::http::{HttpHead, HttpOutcome, HttpProbe, Page};
    use crate::model::name::Name;
    use crate::model::observation::{DnsProbe, FORMAT, FileOutcome, MINOR, Outcome, Probe, Recording, TlsProbe};
    use crate::model::pfx::{Age, PfxFacts, Protection};
    use crate::model::proxy::ProxyFault;
    use crate::model::records::{DataRecord, RecordData};
    use crate::model::rrsig::{Rrsig, Signed};
    use crate::model::service::{Protocol, Way};
    use crate::model::svcb::Svcb;
    use crate::model::tls::{ClientAuth, Face, Possession, Served, Stage, TlsOutcome};
    use crate::pki;

    fn write(recording: &Recording) -> Vec<u8> {
        let mut bytes = Vec::new();
        for run in recording.runs.values() {
            let mut writer = Writer::new(&mut bytes, run).unwrap();
            for (id, der) in &recording.blobs {
                writer.blob(*id, der).unwrap();
            }
            for observation in recording.observations.iter().filter(|o| o.run == run.id) {
                writer.observation(observation).unwrap();
            }
            writer.finish().unwrap();
        }
        bytes
    }

    fn merged(a: &Recording, b: &Recording) -> Recording {
        let mut all = a.clone();
        all.merge(b.clone());
        all
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(recording in recording("r1")) {
            prop_assert_eq!(read(write(&recording).as_slice()).unwrap(), recording);
        }

        #[test]
        fn merging_is_a_set_union(a in recording("r1"), b in recording("r2"), c in recording("r3")) {
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&a, &a), a.clone());
            let together = merged(&a, &b);
            prop_assert_eq!(read(write(&together).as_slice()).unwrap(), together);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = read(bytes.as_slice());
        }
    }

    /// Certificates of no meaning; the recording does not look into them.
    fn ders() -> [(BlobId, Arc<[u8]>); 2] {
        [&b"one"[..], &b"two"[..]].map(|der| (pki::blob_id(der), der.into()))
    }

    fn recording(run: &'static str) -> impl Strategy<Value = Recording> {
        prop::collection::btree_set(observation(run), 0..8).prop_map(move |observations: BTreeSet<_>| Recording {
            runs: BTreeMap::from([(run.into(), a_run(run))]),
            blobs: ders().into_iter().collect(),
            observations: observations.into_iter().collect(),
        })
    }

    fn a_run(id: &str) -> Run {
        Run {
            id: id.into(),
            format: FORMAT,
            minor: MINOR,
            tool: "coexist 0.1.0".into(),
            plan: pki::blob_id(b"plan"),
            files: BTreeMap::from([("san.pem".to_string(), pki::blob_id(b"file"))]),
            stands_in: vec!["internal".into()],
            proxy: None,
            address: Some([10, 0, 0, 77].into()),
            connect_to: vec!["::127.0.0.1:".into()],
            started: Timestamp::UNIX_EPOCH,
            anchors: BTreeMap::from([("internal".into(), ders().map(|(id, _)| id).to_vec())]),
            trust_errors: BTreeMap::from([("external".into(), vec!["root.pem: gone".into()])]),
        }
    }

    fn observation(run: &'static str) -> impl Strategy<Value = Observation> {
        (look(), 0..3u32, 0..3u32, any::<Option<(u8, u16)>>(), 0..4_000_000_000i64).prop_map(
            move |((probe, outcome), sample, attempt, dialled, at)| Observation {
                probe,
                run: run.into(),
                sample,
                attempt,
                dialled: dialled.map(|(last, port)| Box::new(SocketAddr::from(([127, 0, 0, last], port)))),
                at: Timestamp::from_second(at).unwrap(),
                outcome: outcome.into(),
            },
        )
    }

    fn look() -> impl Strategy<Value = (Probe, Outcome)> {
        prop_oneof![
            (".*", file()).prop_map(|(path, outcome)| (Probe::File(path), Outcome::File(outcome))),
            (dns_probe(), dns()).prop_map(|(probe, outcome)| (Probe::Dns(probe), Outcome::Dns(outcome))),
            (tls_probe(), tls()).prop_map(|(probe, outcome)| (Probe::Tls(probe), Outcome::Tls(outcome))),
            (http_probe(), http()).prop_map(|(probe, outcome)| (Probe::Http(probe), Outcome::Http(outcome))),
        ]
    }

    fn chain() -> impl Strategy<Value = Vec<BlobId>> {
        prop::collection::vec(prop::sample::select(ders().map(|(id, _)| id).to_vec()), 0..3)
    }

    fn file() -> impl Strategy<Value = FileOutcome> {
        prop_oneof![
            (chain(), prop::collection::vec(".*", 0..2), prop::option::of(pfx()))
                .prop_map(|(chain, notes, pfx)| FileOutcome::Certificates { chain, notes, pfx }),
            (pfx(), ".*").prop_map(|(pfx, why)| FileOutcome::Locked { pfx, why }),
            ".*".prop_map(FileOutcome::NoCertificate),
            ".*".prop_map(FileOutcome::Unreadable),
        ]
    }

    fn pfx() -> impl Strategy<Value = PfxFacts> {
        let ages = prop::sample::select(vec![Age::Sha1, Age::Pbes2, Age::Pbmac1, Age::Other]);
        let way = (ages, ".*").prop_map(|(age, words)| Protection { age, words });
        (prop::collection::vec(way.clone(), 0..3), prop::option::of(way))
            .prop_map(|(encryption, mac)| PfxFacts { encryption, mac })
    }

    fn name() -> impl Strategy<Value = Name> {
        prop::sample::select(vec!["mail.domain.com", "*.apps.example", "_sip._tcp.domain.com"])
            .prop_map(|text| Name::parse_owner(text).unwrap())
    }

    fn dns_probe() -> impl Strategy<Value = DnsProbe> {
        let resolvers = vec!["10.0.0.53", "tcp://10.0.0.53", "tls://[2620:fe::fe]", "https://1.1.1.1/dns-query"];
        (prop::sample::select(resolvers), name(), any::<[bool; 3]>()).prop_map(
            |(resolver, name, [v4, unchecked, direct])| DnsProbe {
                view: "internal".into(),
                resolver: ResolverAddr::parse(resolver).unwrap().into(),
                name,
                kind: if v4 { RecordType::A } else { RecordType::Mx },
                unchecked,
                direct,
            },
        )
    }

    fn referral() -> impl Strategy<Value = Referral> {
        let address = (any::<u32>(), any::<u32>())
            .prop_map(|(ip, ttl)| AddressRecord { address: std::net::Ipv4Addr::from(ip).into(), ttl });
        let server = (".*", any::<u32>(), prop::collection::vec(address, 0..3))
            .prop_map(|(name, ttl, addresses)| NamedServer { name, ttl, addresses });
        (".*", prop::collection::vec(server, 1..3)).prop_map(|(zone, servers)| Referral { zone, servers })
    }

    fn reply() -> impl Strategy<Value = Reply> {
        let link = (".*", ".*", any::<u32>()).prop_map(|(owner, target, ttl)| Link { owner, target, ttl });
        let address = (any::<u128>(), any::<u32>())
            .prop_map(|(ip, ttl)| AddressRecord { address: std::net::Ipv6Addr::from(ip).into(), ttl });
        let soa = (".*", ".*", any::<[u32; 3]>()).prop_map(|(zone, primary, [serial, ttl, minimum])| Soa {
            zone,
            primary,
            serial,
            ttl,
            minimum,
        });
        let links = prop::collection::vec(link, 0..3);
        let addresses = prop::collection::vec(address, 0..3);
        let data = prop_oneof![
            ".*".prop_map(RecordData::Txt),
            (any::<[u8; 3]>(), proptest::collection::vec(any::<u8>(), 1..70)).prop_map(
                |([usage, selector, matching], association)| RecordData::Tlsa(Tlsa {
                    usage,
                    selector,
                    matching,
                    association
                })
            ),
            (any::<u16>(), ".*").prop_map(|(preference, exchange)| RecordData::Mx { preference, exchange }),
            (any::<u16>(), ".*", proptest::collection::vec((any::<u16>(), ".*"), 0..4))
                .prop_map(|(priority, target, parameters)| RecordData::Https(Svcb { priority, target, parameters })),
            (any::<u8>(), ".*", ".*").prop_map(|(flags, tag, value)| RecordData::Caa { flags, tag, value }),
        ];
        let record = (data, any::<u32>()).prop_map(|(data, ttl)| DataRecord { data, ttl });
        let records = prop::collection::vec(record, 0..3);
        let parts = (links, addresses, records, prop::option::of(soa), prop::option::of(signed()), any::<[bool; 3]>());
        parts.prop_map(|(chain, addresses, records, soa, signed, bits)| Reply {
            chain,
            addresses,
            records,
            soa: soa.map(Box::new),
            signed: signed.map(Box::new),
            authoritative: bits[0],
            authenticated: bits[1],
            after_truncation: bits[2],
        })
    }

    fn signed() -> impl Strategy<Value = Signed> {
        let octets = || prop::collection::vec(any::<u8>(), 0..70);
        let rrsig = (any::<[u8; 2]>(), any::<[u32; 3]>(), any::<u16>(), ".*", octets()).prop_map(
            |([algorithm, labels], [original_ttl, expiration, inception], key_tag, signer, signature)| Rrsig {
                covers: RecordType::Soa,
                algorithm,
                labels,
                original_ttl,
                expiration,
                inception,
                key_tag,
                signer,
                signature,
            },
        );
        (prop::collection::vec(rrsig, 0..3), octets()).prop_map(|(signatures, soa)| Signed { signatures, soa })
    }

    fn http_probe() -> impl Strategy<Value = HttpProbe> {
        tls_probe().prop_map(|p| HttpProbe {
            address: p.address,
            page: if p.sni.is_some() { Page::Root } else { Page::MtaSts },
            name: p.sni.unwrap_or_else(|| Name::parse("a.example").unwrap()),
        })
    }

    fn http() -> impl Strategy<Value = HttpOutcome> {
        let head = (any::<u16>(), any::<Option<String>>(), any::<Option<String>>(), any::<Option<String>>());
        prop_oneof![
            head.prop_map(|(status, location, hsts, body)| {
                HttpOutcome::Head(HttpHead { status, location, hsts, body: body.map(Into::into) })
            }),
            ".*".prop_map(HttpOutcome::NoTls),
            ".*".prop_map(HttpOutcome::NotHttp),
            Just(HttpOutcome::Closed),
            Just(HttpOutcome::Timeout),
            Just(HttpOutcome::TooLarge),
        ]
    }

    fn dns() -> impl Strategy<Value = DnsOutcome> {
        prop_oneof![
            reply().prop_map(DnsOutcome::Answer),
            reply().prop_map(DnsOutcome::NoData),
            reply().prop_map(DnsOutcome::NxDomain),
            referral().prop_map(DnsOutcome::Referral),
            Just(DnsOutcome::Refused),
            Just(DnsOutcome::ServFail),
            any::<u16>().prop_map(DnsOutcome::Code),
            Just(DnsOutcome::Timeout),
            ".*".prop_map(DnsOutcome::Unreachable),
            ".*".prop_map(DnsOutcome::Malformed),
            Just(DnsOutcome::GivenUp),
        ]
    }

    fn tls_probe() -> impl Strategy<Value = TlsProbe> {
        let ways = vec![Way::Implicit, Way::Starttls(Protocol::Smtp), Way::Starttls(Protocol::Rdp)];
        let faces = prop::sample::select(vec![None, Some(Face::Rsa), Some(Face::Ecdsa)]);
        (any::<(u32, u16)>(), prop::sample::select(ways), prop::option::of(name()), faces).prop_map(
            |((ip, port), way, sni, face)| TlsProbe {
                address: (std::net::Ipv4Addr::from(ip), port).into(),
                way,
                sni,
                face,
            },
        )
    }

    fn served() -> impl Strategy<Value = Served> {
        let possession = prop_oneof![
            Just(Possession::Proved),
            ".*".prop_map(Possession::NotProved),
            ".*".prop_map(Possession::Failed),
        ];
        let words = || prop::option::of(".*".prop_map(Arc::from));
        let ended = prop::option::of(".*".prop_map(Box::<str>::from));
        let declined = prop::sample::select(vec![None, Some(TlsOutcome::Alert("x".into())), Some(TlsOutcome::Refused)]);
        (chain(), possession, words(), words(), ended, declined).prop_map(
            |(chain, possession, version, cipher, ended, declined)| Served {
                chain,
                possession,
                version,
                cipher,
                client: ended.as_ref().map(|e| if e.len() > 9 { ClientAuth::Shown } else { ClientAuth::Asked }),
                ended,
                declined: declined.map(Box::new),
            },
        )
    }

    fn tls() -> impl Strategy<Value = TlsOutcome> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..9);
        let stage = || prop::sample::select(vec![Stage::Connect, Stage::Dialogue, Stage::Handshake]);
        prop_oneof![
            served().prop_map(TlsOutcome::Certificate),
            ".*".prop_map(TlsOutcome::Alert),
            Just(TlsOutcome::Refused),
            stage().prop_map(TlsOutcome::Closed),
            stage().prop_map(TlsOutcome::Timeout),
            stage().prop_map(TlsOutcome::GivenUp),
            bytes().prop_map(TlsOutcome::NotTls),
            bytes().prop_map(TlsOutcome::NotThisProtocol),
            Just(TlsOutcome::StarttlsNotOffered),
            ".*".prop_map(TlsOutcome::StarttlsRefused),
            bytes().prop_map(TlsOutcome::BytesAfterGoAhead),
            ".*".prop_map(TlsOutcome::CannotLook),
            bytes().prop_map(|b| TlsOutcome::Proxy(ProxyFault::NotThisProtocol(b))),
            ".*".prop_map(|words| TlsOutcome::Proxy(ProxyFault::Authentication(words))),
            Just(TlsOutcome::Proxy(ProxyFault::NoWord)),
        ]
    }
}
