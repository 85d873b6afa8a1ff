//! Lines of at most so many columns, broken at blanks and never inside a word.

use unicode_width::UnicodeWidthStr;

/// Columns of a terminal that a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The text behind a prefix, wrapped; further lines are indented by `indent` blanks. A word wider than the line stands
/// on a line of its own, unless the prefix takes no more room than the indentation. Blanks between words stay as they
/// are unless a line ends there.
pub(super) fn hang(prefix: &str, text: &str, indent: usize, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = prefix.to_string();
    let mut used = columns(prefix);
    let mut bare = true;
    for (gap, word) in words(text) {
        let wide = columns(word);
        if used + gap + wide > width && (!bare || used > indent) {
            let full = std::mem::replace(&mut line, " ".repeat(indent));
            lines.push(full.trim_end_matches(' ').to_string());
            used = indent;
        } else {
            line.push_str(&" ".repeat(gap));
            used += gap;
        }
        line.push_str(word);
        used += wide;
        bare = false;
    }
    lines.push(line.trim_end_matches(' ').to_string());
    lines
}

/// Each word with the number of blanks before it.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut gap = 0;
    text.split(' ').enumerate().filter_map(move |(i, word)| {
        gap += usize::from(i > 0);
        (!word.is_empty()).then(|| (std::mem::take(&mut gap), word))
    })
}

/// Parts that are broken inside only if one alone is wider than the line, `gap` blanks between them.
pub(super) fn flow(prefix: &str, parts: &[String], gap: usize, indent: usize, width: usize) -> Vec<String> {
    let mut lines = vec![prefix.to_string()];
    let mut bare = true;
    for part in parts {
        let line = lines.last().map(String::as_str).unwrap_or_default();
        let sep = if bare { 0 } else { gap };
        let start = match bare || columns(line) + sep + columns(part) <= width {
            true => lines.pop().unwrap_or_default() + &" ".repeat(sep),
            false => " ".repeat(indent),
        };
        lines.extend(hang(&start, part, indent, width));
        bare = false;
    }
    lines
}

/// Two texts on one line, the second ending at column `width`; `None` if less than three blanks would be between them.
pub(super) fn apart(left: &str, right: &str, width: usize) -> Option<String> {
    let gap = width.checked_sub(columns(left) + columns(right)).filter(|gap| *gap >= 3)?;
    Some(format!("{left}{}{right}", " ".repeat(gap)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_only_and_keep_inner_blanks() {
        assert_eq!(
            hang("   seen  ", "0F5D  CN=EX19-02 self", 9, 22),
            ["   seen  0F5D", "         CN=EX19-02", "         self"]
        );
        assert_eq!(hang("", "a  b", 2, 80), ["a  b"]);
        assert_eq!(hang("x ", "", 2, 80), ["x"]);
        assert_eq!(hang("a ", "abcdefghij kl", 2, 8), ["a abcdefghij", "  kl"]);
        assert_eq!(hang("cure ", "abcdefghij kl", 2, 8), ["cure", "  abcdefghij", "  kl"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(hang("", "日本 日本 日本", 0, 9), ["日本 日本", "日本"]);
    }

    #[test]
    fn parts_stay_whole_while_they_fit() {
        let parts = ["3 could not tell".to_string(), "1 waived".to_string()];
        assert_eq!(flow("GO  ", &parts, 3, 4, 20), ["GO  3 could not tell", "    1 waived"]);
        assert_eq!(flow("GO  ", &parts, 3, 4, 80), ["GO  3 could not tell   1 waived"]);
        assert_eq!(flow("GO  ", &parts, 3, 4, 12), ["GO  3 could", "    not tell", "    1 waived"]);
    }

    #[test]
    fn what_does_not_fit_beside_is_not_put_there() {
        assert_eq!(apart("GO", "exit 0", 12).as_deref(), Some("GO    exit 0"));
        assert_eq!(apart("GO", "exit 0", 10), None);
        assert_eq!(apart("GO", "exit 0", 0), None);
    }
}
