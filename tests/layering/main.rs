//! The law of imports (see the front page of the library), read from the source itself.
#![allow(clippy::disallowed_methods, reason = "a test may open the source that it reads")]

mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::{Named, paths};

/// Each part of the library and the parts that it may import.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &["model"]),
    ("pki", &["pki", "model"]),
    ("commands", &["commands", "model"]),
    ("plan", &["plan", "pki", "commands", "parallel", "model"]),
    ("observe", &["observe", "pki", "commands", "model"]),
    ("import", &["import", "model"]),
    ("record", &["record", "pki", "commands", "model"]),
    ("judge", &["judge", "pki", "commands", "parallel", "model"]),
    ("cutover", &["cutover", "pki", "commands", "parallel", "model"]),
    ("report", &["report", "pki", "commands", "model"]),
    ("checker", &["checker", "pki", "parallel", "model"]),
    ("lab", &["lab", "pki", "commands", "model"]),
    ("rehearse", &["rehearse", "checker", "lab", "observe", "pki", "parallel", "model"]),
    (
        "cli",
        &[
            "cli", "rehearse", "plan", "observe", "import", "record", "judge", "cutover", "checker", "report", "lab",
            "pki", "commands", "model",
        ],
    ),
];

/// What only some parts may touch: the beginning of a path, and where it may stand. A part that ends in `.rs` is a file.
const CONFINED: &[(&str, &[&str])] = &[
    ("tokio::net", &["observe", "lab", "rehearse"]),
    ("tokio", &["observe", "lab", "cli", "rehearse"]),
    ("std::net::TcpStream", &["observe", "lab"]),
    ("std::net::TcpListener", &["observe", "lab"]),
    ("std::net::UdpSocket", &["observe", "lab"]),
    ("std::net::ToSocketAddrs", &[]),
    ("async", &["observe", "lab", "cli", "rehearse"]),
    ("await", &["observe", "lab", "cli", "rehearse"]),
    ("std::fs", &["observe/file.rs", "cli"]),
    ("tokio::fs", &["observe/file.rs", "cli"]),
    ("std::env", &["cli"]),
    ("std::process", &["cli", "main.rs"]),
    ("std::io::stdout", &["cli"]),
    ("std::io::stderr", &["cli"]),
    ("std::io::stdin", &["cli"]),
    ("std::time::SystemTime", &["observe", "lab", "cli"]),
    ("std::time::Instant", &["observe", "lab", "cli", "rehearse"]),
    ("tokio::time", &["observe", "lab", "cli", "rehearse"]),
    ("jiff::Timestamp::now", &["observe", "lab", "cli", "rehearse"]),
    ("Timestamp::now", &["observe", "lab", "cli", "rehearse"]),
    ("Zoned::now", &["observe", "lab", "cli"]),
    ("clap", &["cli"]),
    ("println", &["cli"]),
    ("eprintln", &["cli"]),
];

#[test]
fn every_file_keeps_the_law() {
    let files: Vec<(PathBuf, String)> = sources().into_iter().map(|f| (f.clone(), read(&f))).collect();
    let of_tests: Vec<_> = files.iter().flat_map(|(file, text)| test_modules(file, text)).collect();
    let mut faults = Vec::new();
    for (file, text) in &files {
        let is_test = of_tests.iter().any(|m| file.with_extension("").starts_with(m));
        let end = if is_test { 0 } else { shipped_lines(text) };
        faults.extend(faults_of(file, text, end));
    }
    assert!(files.len() > 20, "only {} files were found", files.len());
    assert!(faults.is_empty(), "the law of imports (src/lib.rs) is broken:\n{}", faults.join("\n"));
}

#[test]
fn every_part_of_the_library_has_its_line_in_the_law() {
    let mut parts: Vec<_> = sources().iter().map(|f| part(f)).filter(|p| !p.ends_with(".rs")).collect();
    parts.dedup();
    let mut known: Vec<_> = IMPORTS.iter().map(|(p, _)| p.to_string()).collect();
    known.sort();
    assert_eq!(parts, known);
}

#[test]
fn a_breach_is_seen_however_it_is_written() {
    for (file, text) in [
        ("observe/dns.rs", "use crate::judge::judge;"),
        ("observe/dns.rs", "use crate::{model::dns, record::Writer};"),
        ("observe/dns.rs", "fn f() { super::super::plan::load() }"),
        ("observe/mod.rs", "use super::plan;"),
        ("model/name.rs", "use crate::pki::facts;"),
        ("judge/mod.rs", "use std::{fs, io};"),
        ("observe/dial.rs", "use std::fs as files;"),
        ("judge/rules/dns.rs", "async fn f() {}"),
        ("cli/check.rs", "use tokio::{net::TcpStream, runtime};"),
        ("report/json.rs", "println!(\"{}\", 1)"),
        ("judge/mod.rs", "let now = jiff::Timestamp::now();"),
    ] {
        assert_eq!(faults_of(Path::new(file), text, usize::MAX).len(), 1, "{file}: {text}");
    }
    for (file, text) in [
        ("observe/dns.rs", "use super::dial; // crate::judge"),
        ("observe/file.rs", "use std::fs;"),
        ("cli/check.rs", "use crate::{judge, observe}; async fn f() {}"),
        ("judge/mod.rs", "use crate::model::plan::Plan; /// [`crate::report`]\nuse crate::pki;"),
        ("lib.rs", "pub mod judge;"),
    ] {
        assert_eq!(faults_of(Path::new(file), text, usize::MAX), Vec::<String>::new(), "{file}");
    }
}

#[test]
fn tests_are_told_from_what_is_shipped() {
    let inline = "use std::io;\n#[cfg(test)]\nmod golden;\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    assert_eq!(shipped_lines(inline), 5);
    assert_eq!(faults_of(Path::new("report/mod.rs"), inline, 5), Vec::<String>::new());
    assert_eq!(test_modules(Path::new("report/mod.rs"), inline), [Path::new("report/golden")]);
    assert_eq!(test_modules(Path::new("report/text.rs"), inline), [Path::new("report/text/golden")]);
    assert_eq!(shipped_lines("fn f() {}\n"), usize::MAX);
}

/// What a file does that it may not, a line each. Tests, after the lines that are shipped, may open files and the like,
/// but import no more than the rest.
fn faults_of(file: &Path, text: &str, shipped: usize) -> Vec<String> {
    let part = part(file);
    let allowed = IMPORTS.iter().find(|(p, _)| *p == part).map_or(&[][..], |(_, allowed)| allowed);
    let mut faults = Vec::new();
    for named in paths(text) {
        let at = format!("  src/{}:{}", file.display(), named.line);
        if let Some(import) = imported(file, &named).filter(|i| !allowed.contains(&i.as_str())) {
            faults.push(format!("{at}: `{}`: {part} may not import {import}", named.path));
        } else if let Some((thing, _)) = confined(file, &part, &named).filter(|_| named.line <= shipped) {
            faults.push(format!("{at}: `{}`: {thing} may not stand here", named.path));
        }
    }
    faults
}

/// The lines before the file's tests.
fn shipped_lines(text: &str) -> usize {
    let mut lines = text.lines().enumerate().skip_while(|(_, l)| *l != "#[cfg(test)]");
    let inline = |l: &str| l.starts_with("mod ") && l.ends_with('{');
    lines.find(|(_, l)| inline(l)).map_or(usize::MAX, |(i, _)| i)
}

/// The modules that a file declares for tests only, as paths without an extension.
fn test_modules(file: &Path, text: &str) -> Vec<PathBuf> {
    let folder =
        if file.ends_with("mod.rs") { file.parent().unwrap_or(file).to_path_buf() } else { file.with_extension("") };
    let lines: Vec<_> = text.lines().collect();
    let declared = lines.windows(2).filter(|w| w[0] == "#[cfg(test)]");
    let names = declared.filter_map(|w| w[1].strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| folder.join(name)).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(root().join(file)).expect("a source file can be read")
}

/// The part of the library that a path leads into, if it begins at the crate or climbs up to it.
fn imported(file: &Path, named: &Named) -> Option<String> {
    let mut words = named.path.split("::");
    let climbs = named.path.split("::").take_while(|w| *w == "super").count();
    let target = match named.path.split("::").next() {
        Some("crate") => words.nth(1),
        Some("super") if climbs >= depth(file) => words.nth(climbs),
        _ => None,
    }?;
    IMPORTS.iter().any(|(p, _)| *p == target).then(|| target.to_string())
}

/// How many times `super` has to be said in a file's outermost module to stand in the crate.
fn depth(file: &Path) -> usize {
    let components = file.components().count();
    if file.ends_with("mod.rs") { components - 1 } else { components }
}

/// The line of [`CONFINED`] that a path breaks.
fn confined(file: &Path, part: &str, named: &Named) -> Option<&'static (&'static str, &'static [&'static str])> {
    let begins = |thing: &str| named.path == thing || named.path.starts_with(&format!("{thing}::"));
    CONFINED.iter().find(|(thing, places)| begins(thing) && !places.iter().any(|p| *p == part || file == Path::new(p)))
}

/// `observe` for `observe/dns.rs`; the file itself for those at the top.
fn part(file: &Path) -> String {
    file.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned()).unwrap_or_default()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file, relative to `src`, sorted.
fn sources() -> Vec<PathBuf> {
    let mut folders = vec![root()];
    let mut out = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the source can be read") {
            let path = entry.expect("an entry can be read").path();
            match path.extension() {
                Some(e) if e == "rs" => out.push(path.strip_prefix(root()).expect("below src").to_path_buf()),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    out.sort();
    out
}
