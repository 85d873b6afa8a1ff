//! Lines of text as records of a zone file, of every type that is read so: what is read is written as it was.

use coexist::model::dns::RecordType;
use coexist::model::name::Name;
use coexist::model::records::RecordData;

const WORDS: [&str; 9] = ["CAA", "CNAME", "DNSKEY", "DS", "MX", "NS", "PTR", "SRV", "TLSA"];

pub fn body(data: &[u8]) {
    let zone = Name::parse("domain.com").expect("a name");
    for line in String::from_utf8_lossy(data).lines() {
        let (word, text) = line.split_once(' ').unwrap_or((line, ""));
        let named = RecordType::of_word(word);
        for kind in WORDS.iter().filter_map(|word| RecordType::of_word(word)).filter(|k| named.is_none_or(|n| n == *k))
        {
            let Some(read) = RecordData::parse(kind, text) else { continue };
            assert_eq!(read.kind(), kind);
            if let RecordData::Dnskey(key) = &read {
                let ds = key.ds(&zone).expect("SHA-256 is known");
                assert_eq!((ds.key_tag, ds.digest.len()), (key.tag(), 32));
            }
            if matches!(read, RecordData::Dnskey(_) | RecordData::Ds(_) | RecordData::Tlsa(_)) {
                assert_eq!(RecordData::parse(kind, &read.to_string()), Some(read), "{line:?}");
            }
        }
    }
}
