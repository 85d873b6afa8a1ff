//! Hostile text from certificates, servers, resolvers, recordings, plans and command lines: whatever the program writes,
//! nothing in it steers a terminal or a build server.

use std::net::TcpListener;

use std::io::{BufRead, BufReader, Write};

use crate::{Folder, places};

/// What steers terminals, editors, build servers and pages, each followed by a mark that shows that it was told.
const HOSTILE: &[&str] = &[
    "\x1b[2J\x1b]0;pwned\x07",
    "\u{9b}31mpwned\u{85}\u{7f}",
    "\u{202e}moc.live\u{2066}pwned\u{2069}",
    "\u{200b}\u{feff}\u{ad}\u{2028}\u{e0041}pwned",
    "\n::error file=a,line=1::pwned",
    "\r\n::stop-commands::pwned",
    "\n##[error]pwned\n##vso[task.setvariable variable=a]pwned",
    "<script>alert('pwned')</script> | [a](javascript:pwned) `**pwned**` ]]>&amp;",
    "\0\t\x08pwned",
];

/// Fails if a text that the program wrote has anything in it that steers.
#[track_caller]
pub fn harmless(text: &str, what: &str) {
    let steers = |c: &char| match *c {
        '\n' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_control(),
    };
    assert_eq!(text.chars().find(steers), None, "{what}:\n{text:?}");
    let command = |line: &&str| {
        let begins = line.trim_start().strip_prefix("::");
        begins.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())) || line.contains("##[")
    };
    assert_eq!(text.lines().find(command), None, "{what}:\n{text}");
    assert!(!text.contains("##vso["), "{what}:\n{text}");
}

/// All of it in one.
fn everything() -> String {
    HOSTILE.join(" ")
}

/// Judges a recording in every format and at every length, and gives what was said.
#[track_caller]
fn judged(place: &str, folder: &Folder) -> String {
    let mut all = String::new();
    for options in [&["--verbose"][..], &[], &["--quiet"], &["--format", "json"]] {
        let said = folder.run(&[&["judge", "plan.toml", "r.jsonl"], options].concat());
        assert!(matches!(said.status, Some(0 | 1 | 3)), "{place}: {}", said.all());
        harmless(&said.all(), &format!("{place} {options:?}"));
        if options.contains(&"json") {
            serde_json::from_str::<serde_json::Value>(&said.out).unwrap();
        }
        all.push_str(&said.all());
    }
    all
}

/// Where nothing shows the text, nothing is said of it; everywhere else it is told, escaped.
const NOT_SHOWN: &[&str] = &["version"];

#[test]
fn hostile_text_in_any_place_of_a_recording_is_escaped_on_every_screen() {
    let folder = Folder::new();
    folder.file("plan.toml", places::recorded().0);
    for (place, recording) in places::all(&everything()) {
        let bytes = places::written(&recording);
        harmless(&String::from_utf8(bytes.clone()).unwrap(), &format!("the recording with {place}"));
        folder.file("r.jsonl", bytes);
        let shown = judged(place, &folder).contains("pwned");
        assert_eq!(shown, !NOT_SHOWN.contains(&place), "{place}: is it told?");
    }
}

#[test]
fn hostile_names_in_certificate_files_are_escaped_on_every_screen() {
    for (place, der) in places::certificates(&everything()) {
        let folder = Folder::new();
        folder.file("plan.toml", crate::PLAN).file("root.pem", &der).file("mail.pem", &der);
        for options in [&["--verbose"][..], &["--format", "json"]] {
            let said = folder.run(&[&["lint", "plan.toml"], options].concat());
            assert_eq!(said.status, Some(1), "{place}: {}", said.all());
            harmless(&said.all(), place);
            // Of a file it is not told who issued it.
            assert_eq!(said.all().contains("pwned"), place != "issuer", "{place}: {}", said.all());
        }
    }
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f")
}

/// The plan's own texts, which may be anybody's: titles, reasons, paths and labels.
#[test]
fn hostile_text_in_a_plan_is_escaped_on_every_screen() {
    let folder = Folder::new();
    let label = "a##[error]<b>**pwned**<!--|&amp;";
    let text = crate::PLAN
        .replace("\"a title\"", &quoted(&everything()))
        .replace("servers.mail", &format!("servers.{}", quoted(label)))
        .replace("= \"mail\"", &format!("= {}", quoted(label)))
        .replace("certificates.mail", &format!("certificates.{}", quoted(label)))
        .replace("[views.internal]", &format!("[views.{}]\nkind = \"internal\"", quoted(label)))
        .replace("file = \"mail.pem\"", "names = [\"mail.example.com\"]")
        .replace("trust = [\"root.pem\"]\n", "");
    let waiver = format!(
        "[[waivers]]\nrule = \"san-missing-name\"\non = \"mail.example.com\"\nreason = {}\n",
        quoted(&everything())
    );
    folder.file("plan.toml", format!("{text}\n{waiver}"));
    for args in [
        &["show", "plan.toml"][..],
        &["show", "plan.toml", "mail.example.com"],
        &["lint", "plan.toml", "--verbose"],
        &["lint", "plan.toml", "--format", "json"],
        &["check", "plan.toml", "--dry-run", "--connect-to", "::127.0.0.1:1"],
        &["check", "plan.toml", "--verbose", "--timeout", "100ms", "--connect-to", "::127.0.0.1:1"],
    ] {
        let said = folder.run(args);
        assert!(said.status != Some(2) && said.all().contains("pwned"), "{args:?}: {}", said.all());
        harmless(&said.all(), &format!("{args:?}"));
    }
}

/// Every form in which a cutover is written: also the commands that are to be copied from it.
const CUTOVERS: &[&[&str]] = &[
    &["--format", "text", "--verbose"],
    &["--format", "text", "--quiet"],
    &["--format", "json"],
    &["--format", "markdown"],
    &["--format", "html"],
    &["--format", "ical", "--start", "2026-12-01 20:00", "--time-zone", "UTC"],
];

/// Plans the cutover in some forms, and gives what was said.
#[track_caller]
fn planned(what: &str, folder: &Folder, files: &[&str], forms: &[&[&str]]) -> String {
    let mut all = String::new();
    for form in forms {
        let said = folder.run(&[&["cutover"], files, &["--from", "before", "--to", "coexistence"], form].concat());
        assert!(matches!(said.status, Some(0 | 1 | 3)), "{what} {form:?}: {}", said.all());
        // A calendar has lines that end in CR LF and are folded (RFC 5545 section 3.1).
        let shown = said.all().replace("\r\n ", "").replace("\r\n", "\n");
        harmless(&shown, &format!("{what} {form:?}"));
        for markup in markup(form) {
            let text = outside_of_fences(&said.out);
            assert!(!text.contains(markup), "{what} {form:?}: {markup}:\n{text}");
        }
        all.push_str(&shown);
    }
    all
}

/// What is no text in a form, if it stands there as it came.
fn markup(form: &[&str]) -> &'static [&'static str] {
    match form {
        [_, "html", ..] => &["<script", "<b>", "<!--"],
        [_, "markdown", ..] => &["<script", "<b>", "<!--", " **pwned**", "[a]("],
        _ => &[],
    }
}

/// Markdown without its blocks of code, in which everything is text.
fn outside_of_fences(text: &str) -> String {
    let mut is_code = false;
    let is_text = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        is_code ^= fence;
        !fence && !is_code
    };
    text.lines().filter(is_text).collect::<Vec<_>>().join("\n")
}

#[test]
fn hostile_text_in_a_plan_is_escaped_in_every_form_of_a_cutover() {
    let folder = Folder::new();
    let label = quoted("a##[error]<b>**pwned**<!--|&amp;");
    let title = quoted(&everything());
    folder.file(
        "plan.toml",
        format!(
            r#"
title = {title}
[views.{label}]
kind = "external"
resolvers = ["127.0.0.1:1"]
[certificates.{label}]
names = ["mail.example.com"]
[servers.{label}]
address = "127.0.0.1"
certificate = {label}
product = "nginx"
[servers.new]
address = "127.0.0.2"
certificate = {label}
product = "haproxy"
[internet]
"mail.example.com" = {{ before = {label}, coexistence = "new" }}
"#
        ),
    );
    assert!(planned("the plan", &folder, &["plan.toml"], CUTOVERS).contains("pwned"));
    let said = folder.run(&["rehearse", "plan.toml", "--from", "before", "--to", "coexistence"]).code(0);
    harmless(&said.all(), "the rehearsal");
}

#[test]
fn hostile_text_in_a_recording_is_escaped_in_every_form_of_a_cutover() {
    let folder = Folder::new();
    folder.file("plan.toml", places::recorded().0);
    for (place, recording) in places::all(&everything()) {
        folder.file("r.jsonl", places::written(&recording));
        planned(place, &folder, &["plan.toml", "r.jsonl"], &[CUTOVERS[0], CUTOVERS[2], CUTOVERS[3]]);
    }
}

#[test]
fn hostile_text_in_a_runbook_is_escaped() {
    let folder = Folder::new();
    let plan = crate::PLAN.replace("file = \"mail.pem\"", "names = [\"mail.example.com\"]");
    folder.file("plan.toml", plan.replace("trust = [\"root.pem\"]\n", ""));
    let (from, text) = ("from = \"before\"\nto = \"coexistence\"\n", quoted(&everything()));
    for steps in [
        format!("[[steps]]\nid = {text}\ndo = \"flip\"\nnames = \"mail.example.com\""),
        format!("[[steps]]\ndo = {text}"),
        format!("[[steps]]\ndo = \"flip\"\nnames = {text}"),
        format!("[[steps]]\ndo = \"gate\"\nafter = {text}"),
        format!("[[steps]]\ndo = \"gate\"\nat = {text}"),
        format!("[[steps]]\ndo = \"gate\"\n{text} = 1"),
    ] {
        folder.file("runbook.toml", format!("{from}{steps}\n"));
        let said = folder.run(&["cutover", "plan.toml", "--check", "runbook.toml", "--verbose"]);
        assert_eq!(said.status, Some(2), "{steps}: {}", said.all());
        harmless(&said.all(), &steps);
    }
}

/// A label that is typed, and stands in ids, has nothing in it that cannot be seen.
#[test]
fn a_label_that_cannot_be_read_is_no_label() {
    let folder = Folder::new();
    for bad in ["a\u{202e}b", "a\u{200b}b", "a\u{ad}b", "\u{e0041}", "a\u{9b}b"] {
        folder.file("plan.toml", crate::PLAN.replace("servers.mail", &format!("servers.{}", quoted(bad))));
        let said = folder.run(&["lint", "plan.toml"]).code(2);
        assert!(said.err.contains("not a label"), "{}", said.err);
        harmless(&said.all(), bad);
    }
}

/// What a file says on the way to an error, and what the user typed.
#[test]
fn hostile_text_in_errors_is_escaped() {
    let folder = Folder::new();
    let bad = everything().replace('\0', "");
    let run = "{\"run\":{\"id\":\"r\",\"format\":1,\"tool\":\"t\",\"plan\":\"0\"}}";
    folder.file(
        "plan.toml",
        crate::PLAN.replace("file = \"mail.pem\"", "names = []").replace("trust = [\"root.pem\"]", ""),
    );
    for (i, line) in [
        format!("{{{}:1}}\n", quoted(&bad)),
        format!("{{\"run\":{{{}:1}}}}\n", quoted(&bad)),
        format!("{run}\n{{\"observation\":{{\"run\":{}}}}}\n", quoted(&bad)),
        format!("{{\"blob\":{{\"sha256\":{0},\"der\":{0}}}}}\n", quoted(&bad)),
        bad.clone(),
    ]
    .iter()
    .enumerate()
    {
        folder.file("r.jsonl", line);
        let said = folder.run(&["judge", "plan.toml", "r.jsonl"]).code(2);
        harmless(&said.all(), &format!("line {i}"));
    }
    for args in [
        &[&*bad][..],
        &["lint", &bad],
        &["check", &bad],
        &["judge", "plan.toml", &bad],
        &["show", "plan.toml", &bad],
        &["explain", &bad],
        &["demo", &bad],
        &["demo", "exchange-2003-to-2010", "--fault", &bad],
        &["check", "plan.toml", "--view", &bad],
        &["check", "plan.toml", "--only", &bad],
        &["check", "plan.toml", "--connect-to", &bad],
        &["check", "plan.toml", "--at", &bad],
        &["lint", "plan.toml", "--format", &bad],
        &["lint", "plan.toml", "--output", &format!("there/is/none/{bad}")],
    ] {
        let said = folder.run(args);
        assert_eq!(said.status, Some(2), "{args:?}: {}", said.all());
        harmless(&said.all(), &format!("{args:?}"));
    }
}

/// The whole way, from a server's banner to the screen and the recording.
#[test]
fn a_hostile_banner_is_escaped_on_the_screen_and_in_the_recording() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let line = everything().replace('\n', "\r");
            let _ = stream.write_all(format!("220 {line}\r\n").as_bytes());
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let _ = reader.read_line(&mut String::new());
            let _ = stream.write_all(format!("250-{line}\r\n250 STARTTLS\r\n").as_bytes());
            let _ = reader.read_line(&mut String::new());
            let _ = stream.write_all(format!("554 {line}\r\n").as_bytes());
            let _ = reader.read_line(&mut String::new());
        }
    });
    let folder = Folder::new();
    let plan = crate::PLAN.replace("[servers.mail]", "[servers.mail]\nservices = [\"smtp\"]");
    folder.file(
        "plan.toml",
        plan.replace("file = \"mail.pem\"", "names = [\"mail.example.com\"]").replace("trust = [\"root.pem\"]", ""),
    );
    let detour = format!("127.0.0.1:25:127.0.0.1:{port}");
    for format in ["text", "json"] {
        let args = ["check", "plan.toml", "--verbose", "--timeout", "20s", "--record", "r.jsonl"];
        let said =
            folder.run(&[&args[..], &["--from", "internal", "--connect-to", &detour, "--format", format]].concat());
        assert!(matches!(said.status, Some(1 | 3)) && said.out.contains("pwned"), "{}", said.all());
        harmless(&said.all(), format);
        harmless(&std::fs::read_to_string(folder.path("r.jsonl")).unwrap(), "the recording");
    }
}
