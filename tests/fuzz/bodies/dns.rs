//! Any bytes as the answer to a question.

use coexist::model::dns::{DnsOutcome, RecordType};
use coexist::model::name::Name;
use coexist::observe::fuzzing::dns_outcome;

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
    use RecordType::{Caa, Dnskey, Ds, Https, Mx, Tlsa, Txt};
    for kind in [Tlsa, Ds, Dnskey, Https, Mx, Txt, Caa] {
        if let Some(DnsOutcome::Answer(reply)) = dns_outcome(&name, kind, data, true) {
            assert!(!reply.records.is_empty() && reply.addresses.is_empty());
            assert!(
                reply.records.iter().all(|r| r.data.kind() == kind && !r.data.to_string().contains(char::is_control))
            );
        }
    }
}
