//! Literals for shells. A control character cannot be quoted in every shell and has no place in a value: it is shown as
//! an escape, which makes the value wrong and harmless.

use crate::model::text::escape;

/// A PowerShell literal, as an argument: as it is if it is a word of harmless characters only, else in single quotes. What
/// begins with a digit could be a number (`1e3`, `10kb`).
pub fn powershell(value: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-' | '\\' | '/');
    let is_word = value.starts_with(|c: char| c.is_ascii_alphabetic()) && value.chars().all(harmless);
    if is_word { value.into() } else { string(value) }
}

/// A PowerShell string in single quotes, in which nothing is expanded; good in an expression too.
pub(super) fn string(value: &str) -> String {
    format!("'{}'", doubled(&escape(value)))
}

/// A POSIX shell literal: as it is if it is made of harmless characters only, else in single quotes.
pub fn posix(value: &str) -> String {
    let value = escape(value);
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-' | '/' | '=' | ',' | '@');
    // An empty word disappears, one that begins with `-` is an option, and zsh takes `=word` for a program's path.
    if !value.is_empty() && !value.starts_with(['-', '=']) && value.chars().all(harmless) {
        value
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

/// A basic string of TOML, in double quotes.
pub fn toml(value: &str) -> String {
    // What escaping makes of a control character has backslashes of its own: the value is wrong, and harmless.
    format!("\"{}\"", escape(value).replace('\\', r"\\").replace('"', r#"\""#))
}

/// PowerShell ends a single-quoted string at any of its five single quotes (about_Quoting_Rules); doubled, each stands
/// for itself.
fn doubled(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    for c in value.chars() {
        out.push(c);
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powershell_values_stay_one_literal() {
        for (value, want) in [
            ("EX19-02", "EX19-02"),
            ("mail.domain.com", "mail.domain.com"),
            (r"\\EX01\C$\x.pfx", r"'\\EX01\C$\x.pfx'"),
            ("", "''"),
            ("-Confirm", "'-Confirm'"),
            ("10kb", "'10kb'"),
            ("a b", "'a b'"),
            ("a;b", "'a;b'"),
            ("$(calc)", "'$(calc)'"),
            ("it's", "'it''s'"),
            ("\u{2018}\u{2019}\u{201a}\u{201b}", "'\u{2018}\u{2018}\u{2019}\u{2019}\u{201a}\u{201a}\u{201b}\u{201b}'"),
            ("*.domain.com", "'*.domain.com'"),
            ("münchen", "'münchen'"),
        ] {
            assert_eq!(powershell(value), want);
        }
    }

    #[test]
    fn posix_values_stay_one_word() {
        for (value, want) in [
            ("/etc/ssl/a.pem", "/etc/ssl/a.pem"),
            ("", "''"),
            ("-rf", "'-rf'"),
            ("~root", "'~root'"),
            ("=ls", "'=ls'"),
            ("it's", r"'it'\''s'"),
            ("$(id)`id`", "'$(id)`id`'"),
            (r"a\b", r"'a\b'"),
        ] {
            assert_eq!(posix(value), want);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_brings_a_line_or_ends_its_quotes(value: String) {
            let powershells = ["'", "\u{2018}", "\u{2019}", "\u{201a}", "\u{201b}"].map(|q| (q, q.repeat(2)));
            let posixs = [("'", r"'\''".to_string())];
            for (literal, quotes) in [(powershell(&value), &powershells[..]), (posix(&value), &posixs[..])] {
                let ends_a_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
                let lines = literal.chars().filter(|c| ends_a_line(*c)).count();
                proptest::prop_assert_eq!(lines, 0);
                if let Some(inside) = literal.strip_prefix('\'').and_then(|l| l.strip_suffix('\'')) {
                    // As each shell reads it: what stands for a quote goes first, and no quote may be left.
                    let rest = quotes.iter().fold(inside.to_string(), |rest, (_, written)| rest.replace(written, ""));
                    let ends = quotes.iter().any(|(quote, _)| rest.contains(quote));
                    proptest::prop_assert!(!ends, "{literal}");
                }
            }
        }
    }
}
