//! Lines of text as host names and as presented identifiers; the first is the reference identifier.

use coexist::model::name::Name;
use coexist::pki::identify_among;

pub fn body(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for line in text.lines() {
        for name in [Name::parse(line), Name::parse_owner(line)].into_iter().flatten() {
            let shown = name.as_str();
            assert!(
                shown.len() <= 253 && shown.is_ascii() && !shown.bytes().any(|b| b.is_ascii_uppercase()),
                "{shown}"
            );
            assert_eq!(Name::parse_owner(shown).as_ref(), Ok(&name));
        }
    }
    let mut lines = text.lines();
    let Some(Ok(reference)) = lines.next().map(Name::parse) else { return };
    if let Ok(matched) = identify_among(lines, &reference) {
        let (presented, wanted) = (matched.presented.to_ascii_lowercase(), reference.as_str());
        let by_wildcard = presented.strip_prefix("*.").is_some_and(|base| reference.parent() == Some(base));
        assert!(presented == wanted || (by_wildcard && matched.wildcard), "{presented} for {wanted}");
    }
}
