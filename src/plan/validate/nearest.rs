//! The nearest of some words, for "did you mean".

/// Longer words are not compared: nobody mistypes them, and the comparison is quadratic.
const LONGEST: usize = 80;

/// The word that a mistyped one most likely stands for.
pub(super) fn nearest<'w>(text: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if text.len() > LONGEST {
        return None;
    }
    let lower = text.to_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&lower, &word.to_lowercase());
    let near = words.into_iter().filter(|w| w.len() <= LONGEST).map(|w| (distance(w), w)).min_by_key(|(d, _)| *d);
    near.filter(|(d, word)| *d <= 1.max(text.chars().count().min(word.chars().count()) / 3)).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        let words = ["ex2010", "ex2003-fe", "https", "IIS", "coexistence"];
        for (text, want) in [
            ("ex2100", Some("ex2010")),
            ("ex2003fe", Some("ex2003-fe")),
            ("iis", Some("IIS")),
            ("htps", Some("https")),
            ("coexistance", Some("coexistence")),
            ("postfix", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, words), want, "{text}");
        }
        assert_eq!(nearest(&"a".repeat(1 << 20), words), None);
    }
}
