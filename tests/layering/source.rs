//! Rust source, read just far enough to know which paths it names.

/// One path of a source file, as `tokio::net::TcpStream`, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The path; a single word for keywords, macros and plain identifiers.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Colons,
    Open,
    Close,
    Comma,
    Other,
}

/// Every path that the source names, groups (`use a::{b, c}`) written out. Comments and literals name nothing.
pub fn paths(source: &str) -> Vec<Named> {
    let tokens = tokens(&blank(source));
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = match &tokens[at].0 {
            Token::Word(_) => tree(&tokens, at, "", &mut out),
            _ => at + 1,
        };
    }
    out
}

/// Reads `a::b`, `a::{…}` or `a`, and returns the index after it.
fn tree(tokens: &[(Token, usize)], mut at: usize, prefix: &str, out: &mut Vec<Named>) -> usize {
    let line = tokens[at].1;
    let mut path = prefix.to_string();
    while let Some((Token::Word(word), _)) = tokens.get(at) {
        path = if path.is_empty() { word.clone() } else { format!("{path}::{word}") };
        at += 1;
        match (tokens.get(at).map(|t| &t.0), tokens.get(at + 1).map(|t| &t.0)) {
            (Some(Token::Colons), Some(Token::Word(_))) => at += 1,
            (Some(Token::Colons), Some(Token::Open)) => return group(tokens, at + 2, &path, out),
            _ => break,
        }
    }
    out.push(Named { path, line });
    at
}

/// Reads the rest of `{a, b::c}`.
fn group(tokens: &[(Token, usize)], mut at: usize, prefix: &str, out: &mut Vec<Named>) -> usize {
    while let Some((token, _)) = tokens.get(at) {
        at = match token {
            Token::Close => return at + 1,
            Token::Word(_) => tree(tokens, at, prefix, out),
            _ => at + 1,
        };
    }
    at
}

fn tokens(source: &str) -> Vec<(Token, usize)> {
    let mut out = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let (token, len) = match c {
            _ if word > 0 => (Some(Token::Word(rest[..word].to_string())), word),
            ':' if rest.starts_with("::") => (Some(Token::Colons), 2),
            '{' => (Some(Token::Open), 1),
            '}' => (Some(Token::Close), 1),
            ',' => (Some(Token::Comma), 1),
            c if c.is_whitespace() => (None, c.len_utf8()),
            c => (Some(Token::Other), c.len_utf8()),
        };
        line += usize::from(c == '\n');
        out.extend(token.map(|t| (t, line)));
        rest = &rest[len..];
    }
    out
}

/// The source with comments and the insides of literals turned into blanks; lines stay where they are.
fn blank(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let len = skipped(rest, out.chars().next_back());
        match len {
            0 => out.push(c),
            len => out.extend(rest[..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
        }
        rest = &rest[len.max(c.len_utf8())..];
    }
    out
}

/// Bytes of the comment or literal that begins here; 0 if none does.
fn skipped(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| !in_word);
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        rest.find("*/").map_or(rest.len(), |i| i + 2)
    } else if rest.starts_with('"') {
        quoted(rest, '"')
    } else if let Some(raw) = raw.filter(|r| r.trim_start_matches('#').starts_with('"')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let body = &raw[hashes + 1..];
        rest.len() - body.len() + body.find(&end).map_or(body.len(), |i| i + end.len())
    } else if rest.starts_with('\'') && is_char(rest) {
        quoted(rest, '\'')
    } else {
        0
    }
}

/// A quote begins a character, not a lifetime, if another closes it after one character or an escape.
fn is_char(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    matches!((chars.next(), chars.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return i + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn groups_are_written_out_and_literals_name_nothing() {
    let source = r####"
        use crate::{model::{dns, tls::Served}, pki};
        // use crate::judge;
        /* crate::report */
        const A: &str = "crate::lab"; const B: char = '"'; const C: &str = r#"crate::"plan"#; fn f<'a>() {}
        std::fs::read(x)"####;
    let found = paths(source);
    let shown: Vec<_> = found.iter().filter(|n| n.path.contains("::")).map(|n| (n.path.as_str(), n.line)).collect();
    assert_eq!(
        shown,
        [("crate::model::dns", 2), ("crate::model::tls::Served", 2), ("crate::pki", 2), ("std::fs::read", 6)]
    );
}
