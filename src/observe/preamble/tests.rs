//! Dialogues against transcripts, and against bytes that are none.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::observe::file;

const FOLDER: &str = "tests/transcripts";
const CAPTURED: &str = "tests/transcripts/captured";

/// Every protocol.
const ALL: [Word; 10] = [
    Word::Smtp,
    Word::Imap,
    Word::Pop3,
    Word::Ldap,
    Word::Ftp,
    Word::Xmpp,
    Word::XmppServer,
    Word::Sieve,
    Word::Postgres,
    Word::Rdp,
];

/// A transcript. Those in `captured` were taken down from the servers that their heads name (`tests/interop/services`
/// writes them, and holds them true); the others are what an RFC allows and no server can be brought to say. `C:` and `S:` lines, `c:` and `s:` bytes as they stand with `\\xNN` for those that cannot be shown, and
/// after `=` how it ends.
struct Transcript {
    file: String,
    captured: bool,
    protocol: Word,
    lines: Vec<(bool, Vec<u8>)>,
    end: String,
}

fn transcripts() -> Vec<Transcript> {
    let all = [FOLDER, CAPTURED].map(file::folder).concat();
    all.iter().filter(|path| path.extension().is_some_and(|e| e == "txt")).map(|path| transcript(path)).collect()
}

fn transcript(path: &Path) -> Transcript {
    let stem = path.file_stem().unwrap().to_str().unwrap().to_string();
    let protocol = match stem.split('-').next().unwrap() {
        "smtp" => Word::Smtp,
        "imap" => Word::Imap,
        "pop3" => Word::Pop3,
        "ldap" => Word::Ldap,
        "ftp" => Word::Ftp,
        "xmpp" if stem.starts_with("xmpp-server-") => Word::XmppServer,
        "xmpp" => Word::Xmpp,
        "sieve" => Word::Sieve,
        "postgres" => Word::Postgres,
        "rdp" => Word::Rdp,
        other => panic!("{other}: no such protocol"),
    };
    let text = String::from_utf8(file::read(path).unwrap()).unwrap();
    let (mut lines, mut end) = (Vec::new(), String::new());
    for line in text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        match line.split_at(2) {
            (who @ ("C:" | "S:"), rest) => {
                let line = format!("{}\r\n", rest.strip_prefix(' ').unwrap_or(rest));
                lines.push((who == "C:", line.into_bytes()));
            }
            (who @ ("c:" | "s:"), rest) => lines.push((who == "c:", unescaped(rest.trim_start()))),
            ("= ", rest) => end = rest.to_string(),
            _ => panic!("{stem}: {line}"),
        }
    }
    Transcript { file: stem, captured: path.parent().is_some_and(|p| p.ends_with(CAPTURED)), protocol, lines, end }
}

/// `\\x30` is a byte; the others are as they stand.
fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap());
        out.extend(&part.as_bytes()[2..]);
    }
    out
}

fn shown(step: &Step) -> String {
    match step {
        Step::GoAhead => "go ahead".into(),
        Step::Done(outcome) => outcome.to_string(),
        other => panic!("the dialogue goes on: {other:?}"),
    }
}

/// Gives the server's lines in pieces of a size, those between two of the client's together.
fn play(transcript: &Transcript, piece: usize) -> String {
    let said = transcript.lines.iter().filter(|(ours, _)| *ours).map(|(_, line)| String::from_utf8_lossy(line));
    let ehlo = said.filter_map(|l| Some(l.strip_prefix("EHLO ")?.trim_end().to_string())).next().unwrap_or_default();
    let mut dialogue = of(transcript.protocol, &ehlo, "mail.domain.com");
    let mut step = dialogue.begin();
    for group in transcript.lines.chunk_by(|a, b| a.0 == b.0) {
        let bytes: Vec<u8> = group.iter().flat_map(|(_, line)| line.clone()).collect();
        if group[0].0 {
            assert_eq!(step, Step::Send(bytes), "{}", transcript.file);
            step = Step::NeedMore;
            continue;
        }
        for bytes in bytes.chunks(piece) {
            if step == Step::NeedMore {
                step = dialogue.receive(bytes);
            }
        }
    }
    shown(&step)
}

#[test]
fn every_transcript_ends_as_it_says() {
    for transcript in transcripts() {
        assert_eq!(play(&transcript, usize::MAX), transcript.end, "{}", transcript.file);
        // Whoever looks byte by byte cannot know what stands behind.
        if transcript.end.contains("after the go-ahead") || transcript.file.ends_with("out-of-turn") {
            continue;
        }
        let (bytes, kind) = (play(&transcript, 1), transcript.end.split(" protocol: ").next().unwrap());
        assert!(bytes.starts_with(kind), "{} by bytes: {bytes}", transcript.file);
    }
}

#[test]
fn every_protocol_has_a_transcript_that_accepts_and_one_that_refuses() {
    let all = transcripts();
    let ends = |protocol, captured: bool| {
        let fits = move |t: &&Transcript| t.protocol == protocol && (t.captured || !captured);
        all.iter().filter(fits).map(|t| t.end.as_str()).collect::<Vec<_>>()
    };
    for protocol in ALL {
        assert!(ends(protocol, true).contains(&"go ahead"), "{protocol:?}");
        assert!(ends(protocol, true).iter().any(|e| e.starts_with("STARTTLS")), "{protocol:?}");
        assert!(ends(protocol, false).iter().any(|e| e.starts_with("STARTTLS refused")), "{protocol:?}");
    }
}

#[test]
fn what_a_server_sends_is_bounded() {
    let large = |bytes: &[u8]| {
        let step = of(Word::Smtp, "x", "y").receive(bytes);
        matches!(step, Step::Done(TlsOutcome::TooLarge(_)))
    };
    assert!(large(&[b'2'; LINE + 1]));
    assert!(large("220-a\r\n".repeat(LINES + 1).as_bytes()));
    assert!(large(&[b'2'; TOTAL + 1]));
    assert!(!large("220-a\r\n".repeat(LINES).as_bytes()));
}

fn protocols() -> impl Strategy<Value = Word> {
    prop::sample::select(ALL.to_vec())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(protocol in protocols(), pieces: Vec<Vec<u8>>) {
        let mut dialogue = of(protocol, "x", "y");
        for piece in pieces {
            match dialogue.receive(&piece) {
                Step::NeedMore | Step::Send(_) => {}
                Step::GoAhead => {
                    prop_assert!(matches!(protocol, Word::Ldap | Word::Postgres | Word::Rdp), "nothing was asked for");
                    break;
                }
                Step::Done(_) => break,
            }
        }
    }

    /// Whoever says everything at once, without listening, never gets a handshake.
    #[test]
    fn no_speech_without_listening_goes_ahead(protocol in protocols(), lines in prop::collection::vec(reply(), 1..12)) {
        let mut dialogue = of(protocol, "x", "y");
        prop_assert_ne!(dialogue.receive(lines.concat().as_bytes()), Step::GoAhead);
    }

    /// Whatever stands behind the go-ahead, TLS does not begin.
    #[test]
    fn bytes_behind_the_go_ahead_stop_it(rest in prop::collection::vec(any::<u8>(), 1..80)) {
        let mut dialogue = of(Word::Smtp, "x", "y");
        dialogue.receive(b"220 a\r\n");
        dialogue.receive(b"250-a\r\n250 STARTTLS\r\n");
        let step = dialogue.receive(&[b"220 go\r\n", &rest[..]].concat());
        prop_assert_eq!(step, Step::Done(TlsOutcome::BytesAfterGoAhead(kept(&rest))));
    }
}

fn reply() -> impl Strategy<Value = String> {
    let lines =
        ["220 go", "250-a", "250 STARTTLS", "* OK hi", "* CAPABILITY STARTTLS", "a1 OK", "a2 OK", "+OK", "STLS", "."];
    prop::sample::select(lines.to_vec()).prop_map(|l| format!("{l}\r\n"))
}
