//! Bytes → text: what editors and PowerShell write is read, not refused.

use super::MAX_BYTES;
use super::error::PlanError;
use crate::model::source::Span;

/// What a file is meant to be.
#[derive(Clone, Copy)]
pub(super) enum Meant {
    Plan,
    Runbook,
}

impl Meant {
    fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Runbook => "runbook",
        }
    }

    /// Why nothing can be done with an empty one, and what to do.
    fn empty(self) -> (&'static str, &'static str) {
        match self {
            Self::Plan => ("nothing is declared", "`coexist init` prints a commented plan to start from"),
            Self::Runbook => (
                "no steps",
                "it says `from` and `to`, and a `[[steps]]` for each thing that is done: `coexist cutover PLAN --from before --to coexistence` lists what is to be done",
            ),
        }
    }
}

/// The text of a plan or runbook without its byte order mark. With an error comes as much of the text as could be read,
/// for the error to point into.
pub(super) fn text(bytes: &[u8], meant: Meant) -> (String, Option<PlanError>) {
    let word = meant.word();
    if bytes.len() as u64 > MAX_BYTES {
        let label = format!("{} bytes, at most {MAX_BYTES} are read", bytes.len());
        return (String::new(), Some(PlanError::at(Span::default(), format!("the {word} is too large"), label)));
    }
    if let Some(error) = private_key(bytes, word) {
        return (String::new(), Some(error));
    }
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Without a mark: a plan begins with ASCII, whose other half is zero.
        [1..=0xff, 0, 1..=0xff, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, 1..=0xff, 0, 1..=0xff, ..] => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    };
    match text {
        Ok(text) if text.trim().is_empty() => {
            let (label, help) = meant.empty();
            let error = PlanError::at(Span::default(), format!("the {word} is empty"), label).help(help);
            (text, Some(error))
        }
        Ok(text) => (text, None),
        Err(text) => bad_at_end(text, word),
    }
}

/// The text, or as much of it as is text.
type Decoded = Result<String, String>;

fn utf8(bytes: &[u8]) -> Decoded {
    std::str::from_utf8(bytes)
        .map(str::to_string)
        .map_err(|e| String::from_utf8_lossy(bytes.get(..e.valid_up_to()).unwrap_or_default()).into_owned())
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Decoded {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    for unit in char::decode_utf16(pairs.iter().map(|pair| read(*pair))) {
        match unit {
            Ok(c) => text.push(c),
            Err(_) => return Err(text),
        }
    }
    if rest.is_empty() { Ok(text) } else { Err(text) }
}

/// A key given by mistake for a plan, or pasted into one: mistakes are shown with their line, and a key never.
fn private_key(bytes: &[u8], word: &str) -> Option<PlanError> {
    let ascii: Vec<u8> = bytes.iter().copied().filter(|b| *b != 0).collect();
    let holds = |what: &[u8]| ascii.windows(what.len()).any(|w| w == what);
    let found = holds(b"PRIVATE KEY-----") || holds(b"PuTTY-User-Key-File");
    found.then(|| {
        let title = format!("a private key, where a {word} should be");
        PlanError::at(Span::default(), title, "the file is not shown")
            .help("a plan names certificate files; a private key is never needed")
    })
}

/// What follows is not shown: it may be anything.
fn bad_at_end(mut text: String, word: &str) -> (String, Option<PlanError>) {
    let at = text.len();
    text.push(char::REPLACEMENT_CHARACTER);
    let span = Span::new(at, text.len());
    let title = format!("the {word} is not text");
    let error =
        PlanError::at(span, title, "neither UTF-8 nor UTF-16 with a byte order mark").help("save the file as UTF-8");
    (text, Some(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_and_powershell_write_is_read() {
        let utf16 = |bytes: fn(u16) -> [u8; 2]| "\u{feff}a = 1\r\n".encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        for bytes in
            [b"a = 1\r\n".to_vec(), b"\xef\xbb\xbfa = 1\r\n".to_vec(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]
        {
            assert_eq!(text(&bytes, Meant::Plan), ("a = 1\r\n".to_string(), None), "{bytes:x?}");
        }
        for bytes in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
            assert_eq!(text(&bytes[2..], Meant::Plan), ("a = 1\r\n".to_string(), None), "without a mark: {bytes:x?}");
        }
    }

    #[test]
    fn what_is_no_text_says_so_at_its_place() {
        for (bytes, title, span) in [
            (&b""[..], "the plan is empty", (0, 0)),
            (b"\xef\xbb\xbf \n", "the plan is empty", (0, 0)),
            (b"ab\xff\xfe", "the plan is not text", (2, 5)),
            (b"\xff\xfea\0\0\xd8", "the plan is not text", (1, 4)),
            (b"\xff\xfea\0b", "the plan is not text", (1, 4)),
        ] {
            let error = text(bytes, Meant::Plan).1.unwrap();
            assert_eq!((error.title.as_str(), (error.span.start(), error.span.end())), (title, span), "{bytes:x?}");
        }
        assert_eq!(text(&vec![b'#'; MAX_BYTES as usize + 1], Meant::Plan).1.unwrap().title, "the plan is too large");
    }

    #[test]
    fn a_runbook_is_called_one() {
        let told = |bytes: &[u8]| text(bytes, Meant::Runbook).1.unwrap();
        assert_eq!(told(b" \n").title, "the runbook is empty");
        assert!(told(b"").help.unwrap().contains("[[steps]]"));
        assert_eq!(told(b"\xff").title, "the runbook is not text");
        assert_eq!(told(b"-----BEGIN PRIVATE KEY-----").title, "a private key, where a runbook should be");
    }
}
