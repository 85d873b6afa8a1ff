//! Times in words.

/// A span of seconds as people say it, in at most two units: `20 min`, `4 h 15 min`, `1 d`, `45 s`.
pub fn span(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let Some(first) = units.iter().position(|(unit, _)| seconds >= *unit) else { return "0 s".into() };
    let part = |i: usize| {
        let rest = if i == first { seconds } else { seconds % units[i - 1].0 };
        let (unit, word) = units[i];
        (rest / unit > 0).then(|| format!("{} {word}", rest / unit))
    };
    let parts: Vec<String> = (first..units.len().min(first + 2)).filter_map(part).collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_has_two_units_at_most() {
        let shown = [0, 45, 60, 1200, 15_300, 86_400, 90_061, 259_200].map(span);
        assert_eq!(shown, ["0 s", "45 s", "1 min", "20 min", "4 h 15 min", "1 d", "1 d 1 h", "3 d"]);
    }
}
