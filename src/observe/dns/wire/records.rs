//! Records of other types than addresses.

use super::answer::soa;
use super::message::{Data, Record};
use super::name::WireName;
use crate::model::dns::RecordType;
use crate::model::records::{DataRecord, RecordData};

/// Records of one answer that are kept. More are no zone but somebody who fills memories.
pub(super) const RECORDS: usize = 256;

/// The records of one type at a name, sorted, each once with its smallest TTL; none of types of addresses.
pub fn records(answers: &[Record], owner: &WireName, kind: RecordType) -> Result<Vec<DataRecord>, String> {
    if RecordType::ALL.contains(&kind) {
        return Ok(Vec::new());
    }
    let mut out: Vec<DataRecord> = Vec::new();
    for record in answers.iter().filter(|r| r.owner == *owner) {
        let Some(data) = data(record).filter(|d| d.kind() == kind) else { continue };
        if out.len() == RECORDS {
            return Err(format!("more than {RECORDS} records of type {kind}"));
        }
        out.push(DataRecord { data, ttl: record.ttl });
    }
    out.sort();
    out.dedup_by(|later, first| later.data == first.data);
    Ok(out)
}

fn data(record: &Record) -> Option<RecordData> {
    match &record.data {
        Data::Record(data) => Some(data.clone()),
        Data::Alias(target) => Some(RecordData::Cname(target.text())),
        Data::Soa { .. } => Some(RecordData::Soa(soa(record)?)),
        Data::Address(_) | Data::Signature(_) | Data::Opt(..) | Data::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{CNAME, MX, NULL, SRV, TXT};
    use hickory_resolver::proto::rr::{self, RData, Record};

    use super::super::{Question, Read};
    use super::RecordType;
    use crate::model::dns::{DnsOutcome, Reply};
    use crate::model::name::Name;

    fn name(text: &str) -> rr::Name {
        rr::Name::from_ascii(text).unwrap()
    }

    fn record(owner: &str, ttl: u32, data: RData) -> Record {
        Record::from_rdata(name(owner), ttl, data)
    }

    fn outcome(kind: RecordType, answers: Vec<Record>) -> DnsOutcome {
        let question = Question::new(&Name::parse("domain.com").unwrap(), kind, true, false).unwrap();
        let mut message: Message = question.message().unwrap().into_response();
        message.metadata.response_code = ResponseCode::NoError;
        message.metadata.recursion_available = true;
        message.answers = answers;
        match question.read(&message.to_vec().unwrap(), false, false) {
            Read::Outcome(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn shown(kind: RecordType, answers: Vec<Record>) -> String {
        outcome(kind, answers).to_string()
    }

    #[test]
    fn records_are_typed_sorted_and_stand_once() {
        let mx = |ttl, preference, host: &str| record("Domain.com.", ttl, RData::MX(MX::new(preference, name(host))));
        let answers = vec![mx(300, 20, "b.domain.com."), mx(300, 10, "A.domain.com."), mx(20, 10, "a.domain.com.")];
        let DnsOutcome::Answer(Reply { records, .. }) = outcome(RecordType::Mx, answers) else { panic!() };
        let shown: Vec<String> = records.iter().map(|r| format!("{} {}", r.ttl, r.data)).collect();
        assert_eq!(shown, ["20 10 a.domain.com.", "300 20 b.domain.com."]);
    }

    #[test]
    fn what_was_not_asked_for_is_no_answer() {
        let txt = record("domain.com.", 60, RData::TXT(TXT::new(vec!["x".into()])));
        let other = record("other.com.", 60, RData::MX(MX::new(1, name("a.domain.com."))));
        assert_eq!(shown(RecordType::Mx, vec![txt, other]), "NODATA");
    }

    #[test]
    fn an_alias_is_followed_unless_it_is_asked_for() {
        let alias = || record("domain.com.", 60, RData::CNAME(CNAME(name("front.domain.com."))));
        let srv = record("front.domain.com.", 60, RData::SRV(SRV::new(0, 1, 443, name("."))));
        assert_eq!(shown(RecordType::Srv, vec![alias(), srv]), "0 1 443 .");
        assert_eq!(shown(RecordType::Cname, vec![alias()]), "front.domain.com.");
    }

    #[test]
    fn texts_are_joined_and_escaped() {
        let txt = TXT::new(vec!["v=spf1 ".into(), "-all\u{1b}[31m".into()]);
        assert_eq!(
            shown(RecordType::Txt, vec![record("domain.com.", 60, RData::TXT(txt))]),
            "\"v=spf1 -all\\027[31m\""
        );
    }

    fn raw(kind: RecordType, octets: &[u8]) -> DnsOutcome {
        let code = kind.number().into();
        let data = RData::Unknown { code, rdata: NULL::with(octets.to_vec()) };
        outcome(kind, vec![record("domain.com.", 60, data)])
    }

    #[test]
    fn keys_and_their_digests_are_read_octet_by_octet() {
        for (kind, octets, want) in [
            (RecordType::Tlsa, &[3, 1, 1, 0xab, 0xcd][..], "3 1 1 abcd"),
            (
                RecordType::Https,
                &[0, 1, 0, 0, 1, 0, 3, 2, b'h', b'2', 0, 4, 0, 4, 192, 0, 2, 1][..],
                "1 . alpn=h2 ipv4hint=192.0.2.1",
            ),
            (RecordType::Https, &[0, 0, 3, b'C', b'd', b'n', 0][..], "0 cdn."),
            (RecordType::Ds, &[0xec, 0x45, 5, 1, 0x2b, 0xb1], "60485 5 1 2bb1"),
            (RecordType::Dnskey, &[1, 1, 3, 13, 1, 2, 3], "257 3 13 AQID"),
            // Nothing behind the numbers is no record that anything fits, and none that breaks the reader.
            (RecordType::Tlsa, &[3, 1, 1], "3 1 1 "),
            (RecordType::Ds, &[0, 1, 2, 3], "1 2 3 "),
        ] {
            assert_eq!(raw(kind, octets).to_string(), want, "{kind}");
        }
        for (kind, length) in [(RecordType::Tlsa, 3), (RecordType::Ds, 4), (RecordType::Dnskey, 4)] {
            for short in 1..length {
                assert!(matches!(raw(kind, &vec![1; short]), DnsOutcome::Malformed(_)), "{kind} {short}");
            }
        }
    }

    #[test]
    fn an_answer_without_end_is_malformed() {
        let many = (0..=256).map(|n| record("domain.com.", 60, RData::MX(MX::new(n, name("a.domain.com.")))));
        assert!(matches!(outcome(RecordType::Mx, many.collect()), DnsOutcome::Malformed(_)));
    }
}
