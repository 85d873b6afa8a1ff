//! What is no shell: master files, JSON, YAML, and configuration files.

use proptest::prelude::*;
use saphyr::{LoadableYamlNode, Yaml};

use super::{All, TAME, changed, hostile, is_same, scripts, tame, written};
use crate::commands::Language;

/// The whole texts of a language.
fn texts(all: &All, language: Language) -> Vec<String> {
    let of = all.iter().flat_map(|(_, _, scripts)| scripts);
    of.filter(|s| s.language == language).map(|s| s.lines.join("\n")).collect()
}

/// Every string of a JSON value.
fn strings(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => out.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|v| strings(v, out)),
        serde_json::Value::Object(all) => all.values().for_each(|v| strings(v, out)),
        _ => {}
    }
}

fn json(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    strings(&serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}")), &mut out);
    out
}

#[test]
fn yaml_and_json_are_read() {
    let all = scripts("web01");
    let (yaml, batches) = (texts(&all, Language::Yaml), texts(&all, Language::Json));
    assert!(yaml.len() >= 4 && batches.len() >= 10, "{} {}", yaml.len(), batches.len());
    for text in &yaml {
        let read = Yaml::load_from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(read.len(), 1, "{text}");
    }
    for text in &batches {
        assert!(!json(text).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_value_leaves_its_string_of_json(text in hostile()) {
        let (hostile, tame) = (texts(&scripts(&text), Language::Json), texts(tame(), Language::Json));
        // What is refused is missing there.
        for (hostile, tame) in hostile.iter().zip(&tame).filter(|_| hostile.len() == tame.len()) {
            let (hostile, tame) = (json(hostile), json(tame));
            prop_assert_eq!(hostile.len(), tame.len());
            for (seen, want) in hostile.iter().zip(&tame) {
                prop_assert!(is_same(seen, want, &text), "{:?} {} {}", text, seen, want);
            }
        }
    }

    #[test]
    fn a_line_of_a_master_file_holds_one_record(text in hostile()) {
        for (line, tame) in changed(&text, &scripts(&text), Language::ZoneFile) {
            let zone = &written(&text)[1];
            // A name that a server could have stands in the head of its zone.
            let is_name = crate::model::name::Name::parse(&text).is_ok();
            prop_assert!(is_name || tame.replace(TAME, zone) == line, "{:?} {} {}", text, tame, line);
            prop_assert!(line.is_ascii());
        }
    }

    #[test]
    fn configuration_holds_plain_words_only(text in hostile()) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let all = scripts(&text);
        for language in [Language::Nginx, Language::Haproxy, Language::Apache, Language::Dovecot, Language::Inf, Language::Yaml] {
            for (hostile, tame) in changed(&text, &all, language) {
                prop_assert!(text.chars().all(plain), "{} {}", hostile, tame);
            }
        }
        for (line, _) in changed(&text, &all, Language::Cmd) {
            prop_assert!(!line.contains(['%', '!', '^', '&', '|', '<', '>', '$', '`', '\u{201c}', '\u{201d}']), "{}", line);
            prop_assert_eq!(line.matches('"').count() % 2, 0);
        }
    }
}
