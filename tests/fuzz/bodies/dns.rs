//! Any bytes as the answer to a question.

use coexist::model::dns::{DnsOutcome, RecordType, Reply};
use coexist::model::dnssec::Dnskey;
use coexist::model::name::Name;
use coexist::model::records::RecordData;
use coexist::observe::fuzzing::dns_outcome;
use coexist::pki::Rrset;
use jiff::Timestamp;

pub fn body(data: &[u8]) {
    let name = Name::parse("mail.domain.com").expect("a name");
    for kind in RecordType::ALL {
        for stream in [false, true] {
            match dns_outcome(&name, kind, data, stream) {
                Some(DnsOutcome::Answer(reply)) => {
                    assert!(!reply.addresses.is_empty() && reply.chain.len() <= 16);
                    assert!(reply.addresses.iter().all(|a| a.address.is_ipv4() == (kind == RecordType::A)));
                }
                Some(DnsOutcome::NoData(reply) | DnsOutcome::NxDomain(reply)) => assert!(reply.addresses.is_empty()),
                Some(DnsOutcome::Referral(referral)) => {
                    let is_above = |zone: &str| zone == "." || name.as_str() == zone || name.is_under(zone);
                    assert!(is_above(&referral.zone) && !referral.servers.is_empty());
                    assert!(!referral.to_string().contains(char::is_control));
                }
                Some(other) => assert!(!other.to_string().is_empty()),
                None => {}
            }
        }
    }
    use RecordType::{Caa, Dnskey, Ds, Https, Mx, Soa, Tlsa, Txt};
    for kind in [Tlsa, Ds, Dnskey, Soa, Https, Mx, Txt, Caa] {
        if let Some(DnsOutcome::Answer(reply)) = dns_outcome(&name, kind, data, true) {
            assert!(!reply.records.is_empty() && reply.addresses.is_empty());
            let signed = reply.signed.iter().flat_map(|s| &s.signatures);
            assert!(signed.clone().all(|s| s.covers == kind && !s.signer.contains(char::is_control)));
            verify(&name, kind, &reply);
            assert!(
                reply.records.iter().all(|r| r.data.kind() == kind && !r.data.to_string().contains(char::is_control))
            );
        }
    }
}

/// Any signature, over any keys, by any of them.
fn verify(zone: &Name, kind: RecordType, reply: &Reply) {
    let keys =
        reply.records.iter().filter_map(|r| if let RecordData::Dnskey(key) = &r.data { Some(key) } else { None });
    let set = Rrset::new(zone, kind, keys.clone().map(Dnskey::octets));
    let now = Timestamp::from_second(1_790_000_000).expect("a time");
    for signature in reply.signed.iter().flat_map(|s| &s.signatures).take(4) {
        signature.span(now);
        keys.clone().take(4).for_each(|key| {
            set.verify(zone, signature, key);
        });
    }
}
