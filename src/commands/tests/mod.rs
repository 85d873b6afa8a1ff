//! What is printed is what the shells read, whatever a plan says.

mod config;
mod golden;
#[cfg(unix)]
mod posix;
mod powershell;
mod remedies;
mod samples;

use proptest::prelude::*;

use super::*;

/// What stands for a hostile text in a script that shows how an unbroken one is built; it needs quotes everywhere.
const TAME: &str = "zz 1";

/// Texts made of what shells, DNS and JSON read as something else, and of what looks like it.
fn hostile() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "'",
        "\"",
        "`",
        "$",
        "(",
        ")",
        "${IFS}",
        "$(touch owned)",
        "`touch owned`",
        ";",
        "&",
        "|",
        "<",
        ">",
        "{",
        "}",
        "[",
        "]",
        "*",
        "?",
        "~",
        "#",
        "%",
        "!",
        "^",
        "\\",
        ",",
        "=",
        "@",
        "-",
        "--",
        " ",
        ".",
        ":",
        "/",
        "\\(",
        "\u{2018}",
        "\u{2019}",
        "\u{201a}",
        "\u{201b}",
        "\u{201c}",
        "\u{201d}",
        "\u{2013}",
        "\u{2014}",
        "\u{a0}",
        "\u{ff07}",
        "é",
        "a",
        "Z",
        "0",
        "'; Remove-Item x; '",
        "' || touch owned #",
        "\"; touch owned; \"",
        "%COMSPEC%",
        "$env:x",
        "-Force",
    ];
    let part = prop::sample::select(PARTS).prop_map(str::to_string);
    let some = prop::collection::vec(part, 1..8).prop_map(|parts| parts.concat());
    prop_oneof![4 => some, 1 => any::<String>()]
}

/// The scripts of all products for all acts, told apart by product and act.
type All = Vec<(Product, usize, Vec<Script>)>;

/// With this text in place of every text.
fn scripts(text: &str) -> All {
    let acts = samples::filled(text);
    let of = |product: &Product| {
        acts.iter().enumerate().map(|(i, act)| (*product, i, for_act(*product, act))).collect::<Vec<_>>()
    };
    Product::ALL.iter().flat_map(of).collect()
}

/// Those of the tame text, made once.
fn tame() -> &'static All {
    static ALL: std::sync::LazyLock<All> = std::sync::LazyLock::new(|| scripts(TAME));
    &ALL
}

/// Lines of a language that a text changes, with those that stand there for the tame one. A refused script has none.
fn changed<'a>(text: &str, all: &'a All, language: Language) -> Vec<(&'a str, &'static str)> {
    fn lines(scripts: &[Script], language: Language) -> Vec<&str> {
        let of = scripts.iter().filter(|s| s.language == language);
        of.flat_map(|s| s.lines.iter().map(String::as_str)).collect()
    }
    // Where only plain words are typed, the tame text is refused too.
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c));
    let pairs = all.iter().zip(tame()).flat_map(|((product, i, hostile), (_, _, tame))| {
        let (hostile, tame) = (lines(hostile, language), lines(tame, language));
        let as_long = hostile.len() == tame.len() || hostile.is_empty() || plain && tame.is_empty();
        assert!(as_long, "{product:?} {i}: {hostile:?} {tame:?}");
        hostile.into_iter().zip(tame)
    });
    pairs.filter(|(hostile, tame)| hostile != tame).collect()
}

/// What a text may be written as within an argument: as it is, as in a string of a master file, as in one of JSON, as
/// octets of a record of unknown type.
fn written(text: &str) -> [String; 4] {
    let within = |quoted: String| quoted[1..quoted.len() - 1].to_string();
    let zone = Rdata::Txt(text.into()).to_string();
    let json = serde_json::to_string(text).unwrap();
    [text.into(), within(zone), within(json), data_encoding::HEXLOWER.encode(text.as_bytes())]
}

/// True if a value read from the hostile script is that of the tame one with the text in its place.
fn is_same(hostile: &str, tame: &str, text: &str) -> bool {
    let both = written(text).into_iter().zip(written(TAME));
    hostile == tame || both.into_iter().any(|(text, tame_text)| tame.replace(&tame_text, &text) == hostile)
}
