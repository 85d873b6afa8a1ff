//! Records of other types than addresses, as messages carry them.

use hickory_resolver::proto::rr::{self, RData, Record};

use super::wire::{soa, text};
use crate::model::dns::RecordType;
use crate::model::records::{DataRecord, RecordData, escape_octets};

/// Records of one answer that are kept. More are no zone but somebody who fills memories.
const RECORDS: usize = 256;

/// The type as it is asked for.
pub fn wire_type(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Caa => rr::RecordType::CAA,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Ns => rr::RecordType::NS,
        RecordType::Soa => rr::RecordType::SOA,
        RecordType::Srv => rr::RecordType::SRV,
        RecordType::Txt => rr::RecordType::TXT,
    }
}

/// The records of one type at a name, sorted, each once with its smallest TTL; none of types of addresses.
pub fn records(answers: &[&Record], owner: &rr::Name, kind: RecordType) -> Result<Vec<DataRecord>, String> {
    if RecordType::ALL.contains(&kind) {
        return Ok(Vec::new());
    }
    let own = answers.iter().filter(|r| r.name == *owner && r.record_type() == wire_type(kind));
    let mut out: Vec<DataRecord> = Vec::new();
    for record in own {
        if out.len() == RECORDS {
            return Err(format!("more than {RECORDS} records of type {kind}"));
        }
        out.extend(data(record).map(|data| DataRecord { data, ttl: record.ttl }));
    }
    out.sort();
    out.dedup_by(|later, first| later.data == first.data);
    Ok(out)
}

fn data(record: &Record) -> Option<RecordData> {
    Some(match &record.data {
        RData::CAA(caa) => RecordData::Caa {
            flags: caa.flags(),
            tag: escape_octets(caa.tag.to_ascii_lowercase().as_bytes()),
            value: escape_octets(&caa.value),
        },
        RData::CNAME(target) => RecordData::Cname(text(&target.0)),
        RData::MX(mx) => RecordData::Mx { preference: mx.preference, exchange: text(&mx.exchange) },
        RData::NS(host) => RecordData::Ns(text(&host.0)),
        RData::SOA(_) => RecordData::Soa(soa(record)?),
        RData::SRV(srv) => {
            RecordData::Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: text(&srv.target) }
        }
        RData::TXT(txt) => RecordData::Txt(escape_octets(&txt.txt_data.concat())),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{CNAME, MX, SRV, TXT};

    use super::super::wire::{Question, Read};
    use super::*;
    use crate::model::dns::{DnsOutcome, Reply};
    use crate::model::name::Name;

    fn name(text: &str) -> rr::Name {
        rr::Name::from_ascii(text).unwrap()
    }

    fn record(owner: &str, ttl: u32, data: RData) -> Record {
        Record::from_rdata(name(owner), ttl, data)
    }

    fn outcome(kind: RecordType, answers: Vec<Record>) -> DnsOutcome {
        let question = Question::new(&Name::parse("domain.com").unwrap(), kind, true).unwrap();
        let mut message: Message = question.message().into_response();
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

    #[test]
    fn an_answer_without_end_is_malformed() {
        let many = (0..=256).map(|n| record("domain.com.", 60, RData::MX(MX::new(n, name("a.domain.com.")))));
        assert!(matches!(outcome(RecordType::Mx, many.collect()), DnsOutcome::Malformed(_)));
    }
}
