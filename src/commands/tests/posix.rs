//! Lines for a POSIX shell, given to real ones: each must parse, and each word must come out as one argument, unchanged.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test runs the shells and writes in a folder of its own"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::{changed, hostile, is_same, scripts};
use crate::commands::Language;

/// Prints its arguments instead of what a command would do: no program is found, so that each line's commands come here.
const STUB: &str = r#"
command_not_found_handle() { builtin printf '%s\0' "$@" $'\1' >>"$SEEN"; }
printf() { command_not_found_handle printf "$@"; }
echo() { command_not_found_handle echo "$@"; }
"#;

/// Every command of the lines, line by line, as its arguments.
fn commands(lines: &[&str], folder: &Path) -> Vec<Vec<String>> {
    let seen = folder.join("seen");
    fs::write(&seen, "").unwrap();
    let mut script = STUB.to_string();
    for line in lines {
        // Redirections are done by the shell itself.
        let line = line.replace("/etc/ssl/coexist", "etc");
        // In its own shell, so that no line can change what the next one sees; after it, a mark.
        script.push_str(&format!("( {line}\n) </dev/null >out 2>err; command_not_found_handle '\u{2}line'\n"));
    }
    fs::write(folder.join("script"), script).unwrap();
    fs::create_dir_all(folder.join("etc")).unwrap();
    let mut bash = Command::new("/bin/bash");
    bash.args(["--norc", "--noprofile", "script"]).current_dir(folder).env_clear();
    let status = bash.env("PATH", "/nonexistent").env("SEEN", &seen).output().unwrap();
    let errors = String::from_utf8_lossy(&status.stderr).into_owned();
    assert!(status.status.success() && errors.is_empty(), "{errors}");
    let text = String::from_utf8(fs::read(&seen).unwrap()).unwrap();
    text.split("\u{1}\0").map(|c| c.split_terminator('\0').map(String::from).collect()).collect()
}

fn parses(shell: &str, line: &str) -> bool {
    Command::new(shell).args(["-n", "-c", line]).status().unwrap().success()
}

/// Commands of a pipeline run at the same time, in no order.
fn by_line(all: Vec<Vec<String>>) -> Vec<Vec<Vec<String>>> {
    let mut lines = vec![Vec::new()];
    for command in all {
        match command.first().map(String::as_str) {
            Some("\u{2}line") => lines.push(Vec::new()),
            _ => lines.last_mut().unwrap().push(command),
        }
    }
    lines.iter_mut().for_each(|line| line.sort_by_key(|c| (c.first().cloned(), c.len())));
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn every_value_comes_out_as_one_argument(text in hostile()) {
        let all = scripts(&text);
        let pairs = changed(&text, &all, Language::Sh);
        let folder = tempfile::tempdir().unwrap();
        let run = |lines: Vec<&str>| by_line(commands(&lines, folder.path()));
        let seen = run(pairs.iter().map(|(h, _)| *h).collect());
        let want = run(pairs.iter().map(|(_, t)| *t).collect());
        prop_assert_eq!(seen.len(), want.len());
        for (i, (seen, want)) in seen.iter().zip(&want).enumerate() {
            let line = pairs.get(i).map_or("", |(line, _)| line);
            prop_assert_eq!(seen.len(), want.len(), "{}", line);
            for (seen, want) in seen.iter().zip(want) {
                prop_assert_eq!(seen.len(), want.len(), "{} {:?} {:?}", line, seen, want);
                for (seen, want) in seen.iter().zip(want) {
                    prop_assert!(is_same(seen, want, &text), "{:?}\n{:?}\n{:?}\n{}", text, seen, want, line);
                }
            }
        }
        prop_assert!(!folder.path().join("owned").exists());
    }
}

#[test]
fn every_line_is_read_by_every_shell() {
    let all = scripts("web01").into_iter().chain(scripts("it's $(touch owned)"));
    let scripts = all.flat_map(|(_, _, scripts)| scripts).filter(|s| s.language == Language::Sh);
    let lines: std::collections::BTreeSet<String> = scripts.flat_map(|s| s.lines).collect();
    assert!(lines.len() > 50, "{}", lines.len());
    for line in &lines {
        for shell in ["/bin/sh", "/bin/bash"] {
            assert!(parses(shell, line), "{shell} does not read {line}");
        }
    }
}

#[test]
fn some_hostile_values_are_typed() {
    let typed = |text: &str| changed(text, &scripts(text), Language::Sh).len();
    assert!(typed("it's; $(id) \\ \"x\"") >= 9);
    // What cannot be typed as it is, is not.
    assert_eq!((typed("a\nb"), typed("a\0b"), typed("a\u{202e}b")), (0, 0, 0));
}
