//! PEM (RFC 7468) as it is met: with text around and between, indented, glued together, in UTF-16.

/// A block: its label and what its base64 holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub label: String,
    pub der: Vec<u8>,
}

/// More blocks than any file of certificates holds; what follows is not read.
const LIMIT: usize = 4000;

/// The bytes as text: UTF-8 or UTF-16 (what PowerShell's `>` writes), with or without byte order mark. Text around the
/// blocks may be in any encoding; it is not read.
pub(super) fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => utf16(bytes, u16::from_le_bytes),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => utf16(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|c| unit([c[0], c[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Every block that begins in the text, or what is wrong with it. Blocks are found by their marks, not by lines: files
/// put together without a line end between them have END and BEGIN on one line.
pub(super) fn blocks(text: &str) -> Vec<Result<Block, String>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        if blocks.len() == LIMIT {
            break;
        }
        let body_end = after.find("-----END").unwrap_or(after.len());
        let next = after.find("-----BEGIN").unwrap_or(after.len());
        if body_end < next {
            blocks.push(block(&after[..body_end]));
            rest = &after[body_end..];
        } else {
            blocks.push(Err("its END line is missing".into()));
            rest = &after[next..];
        }
    }
    blocks
}

/// From after `-----BEGIN ` to before `-----END`.
fn block(text: &str) -> Result<Block, String> {
    let (label, body) = text.split_once("-----").ok_or("its BEGIN line is damaged")?;
    if label.len() > 64 || !label.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return Err("its BEGIN line is damaged".into());
    }
    let label = label.trim().to_string();
    // Keys are recognised by their label alone: what they hold is never looked at.
    let der = if label.contains("KEY") { Vec::new() } else { base64(without_headers(body))? };
    Ok(Block { label, der })
}

/// The label of the first private key in the text, and what stands between its lines.
pub(super) fn key(text: &str) -> Option<(String, String)> {
    text.split("-----BEGIN ").skip(1).take(LIMIT).find_map(|after| {
        let (label, body) = after.split_once("-----")?;
        let body = body.split("-----").next().unwrap_or_default();
        (label.len() <= 64 && label.trim().ends_with("PRIVATE KEY"))
            .then(|| (label.trim().to_string(), body.to_string()))
    })
}

/// What follows the headers that RFC 1421 section 4.6 allows before the base64, and the blank line that ends them.
fn without_headers(body: &str) -> &str {
    let trimmed = body.trim_start_matches(is_blank);
    if !trimmed.lines().next().unwrap_or_default().contains(':') {
        return body;
    }
    ["\r\n\r\n", "\n\n"].iter().filter_map(|end| trimmed.split_once(end)).map(|(_, rest)| rest).next().unwrap_or(body)
}

/// Base64 with blanks, line ends and byte order marks anywhere in it.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, String> {
    let packed: Vec<u8> = text.chars().filter(|c| !is_blank(*c)).map(|c| u8::try_from(c).unwrap_or(0)).collect();
    if packed.is_empty() {
        return Err("it is empty".into());
    }
    data_encoding::BASE64.decode(&packed).map_err(|_| "it is not base64".to_string())
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_however_they_are_glued_and_indented() {
        let block = |label: &str| Ok(Block { label: label.into(), der: vec![1, 2, 3] });
        for (text, want) in [
            ("-----BEGIN A-----\nAQID\n-----END A-----\n", vec![block("A")]),
            ("x\r\n  -----BEGIN A-----\r\n  AQ\r\n  ID\r\n  -----END A-----", vec![block("A")]),
            (
                "-----BEGIN A-----\nAQID\n-----END A----------BEGIN B-----\nAQID\n-----END B-----",
                vec![block("A"), block("B")],
            ),
            (
                "-----BEGIN A-----\nAQ\n-----BEGIN B-----\nAQID\n-----END B-----",
                vec![Err("its END line is missing".into()), block("B")],
            ),
            ("-----BEGIN A-----\nA!ID\n-----END A-----\n", vec![Err("it is not base64".into())]),
            ("-----BEGIN A-----\n-----END A-----\n", vec![Err("it is empty".into())]),
            ("no block", vec![]),
        ] {
            assert_eq!(blocks(text), want, "{text:?}");
        }
    }

    #[test]
    fn text_is_read_in_what_windows_writes() {
        let le: Vec<u8> = "-----".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "-----".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [&le, &be, &[&[0xff, 0xfe][..], &le].concat(), &[&[0xfe, 0xff][..], &be].concat()] {
            assert_eq!(text(bytes), "-----");
        }
    }
}
