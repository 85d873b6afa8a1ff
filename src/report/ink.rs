//! Colour, always beside a mark that says the same in black and white.

use anstyle::{AnsiColor, Style};

/// Paints, or does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink(pub bool);

impl Ink {
    /// The text in the colour of the mark that it begins with: `X` red, `!` and `?` yellow, `ok` green, `-` and `~` dim.
    pub(super) fn mark(self, text: &str) -> String {
        self.paint(style_of(text), text)
    }

    /// The line, its first word or words painted as a mark or verdict.
    pub(super) fn begin(self, line: String, begin: &str) -> String {
        match line.strip_prefix(begin) {
            Some(rest) if self.0 => format!("{}{rest}", self.paint(style_of(begin), begin)),
            _ => line,
        }
    }

    fn paint(self, style: Style, text: &str) -> String {
        match self.0 && style != Style::new() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }
}

fn style_of(text: &str) -> Style {
    let colour = |c: AnsiColor| Style::new().fg_color(Some(c.into()));
    let word = text.split(' ').next().unwrap_or_default();
    match word {
        "PLAN" if text.contains("NOT") => colour(AnsiColor::Red).bold(),
        "PLAN" => colour(AnsiColor::Green).bold(),
        "NOT" => colour(AnsiColor::Red).bold(),
        "SAFE" | "NOTHING" => colour(AnsiColor::Green).bold(),
        "NO-GO" => colour(AnsiColor::Red).bold(),
        "GO" => colour(AnsiColor::Green).bold(),
        "COULD" | "INTERRUPTED" => colour(AnsiColor::Yellow).bold(),
        "ok" | "absent," => colour(AnsiColor::Green),
        _ if word.starts_with('X') => colour(AnsiColor::Red),
        _ if word.starts_with(['!', '?']) => colour(AnsiColor::Yellow),
        _ if word.starts_with(['-', '~']) => Style::new().dimmed(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_painted_only_if_colour_is_wanted() {
        assert_eq!(Ink(false).mark("X 0/4"), "X 0/4");
        assert_eq!(Ink(true).mark("X 0/4"), "\x1b[31mX 0/4\x1b[0m");
        assert_eq!(Ink(true).mark("i3"), "i3");
        assert_eq!(Ink(true).begin("GO  before".into(), "GO"), "\x1b[1m\x1b[32mGO\x1b[0m  before");
    }
}
