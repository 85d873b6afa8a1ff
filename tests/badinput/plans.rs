//! Plans that are none, and plans that want to do harm.

use std::time::{Duration, Instant};

use crate::Folder;

/// What the commands that read a plan say of one file: each exit status 2, no panic, nothing on stdout.
#[track_caller]
fn refused(folder: &Folder, file: &str) -> String {
    let mut said = String::new();
    for args in [&["lint", file][..], &["check", file, "--dry-run"], &["show", file], &["judge", file, "r.jsonl"]] {
        let result = folder.run(args).code(2);
        assert_eq!(result.out, "", "{args:?}");
        said = result.err;
    }
    said
}

#[test]
fn what_is_no_plan_is_refused_by_what_it_is() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("folder.toml")).unwrap();
    folder.file("empty.toml", "").file("blank.json", " \r\n").file("binary.toml", b"title = \"\xff\xfe\x80\"\n");
    folder.file("elf.toml", b"\x7fELF\x02\x01\x01\0\0\0").file("half.toml", b"\xff\xfea\0b");
    for (file, want) in [
        ("empty.toml", "the plan is empty"),
        ("blank.json", "the plan is empty"),
        ("binary.toml", "the plan is not text"),
        ("half.toml", "the plan is not text"),
        ("elf.toml", "elf.toml:1:"),
        ("folder.toml", "it is a folder, not a file"),
        ("there-is-none.toml", "there-is-none.toml: "),
    ] {
        let said = refused(&folder, file);
        assert!(said.contains(want), "{file}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_device_are_refused_without_waiting() {
    let folder = Folder::new();
    folder.fifo("pipe.toml");
    for file in ["pipe.toml", "/dev/zero", "/dev/null"] {
        let said = refused(&folder, file);
        assert!(said.contains("it is not a regular file"), "{said}");
    }
}

#[test]
fn a_plan_of_100_mib_is_refused_by_its_size() {
    let folder = Folder::new();
    folder.sparse("large.toml", 100 << 20);
    let begun = Instant::now();
    let said = refused(&folder, "large.toml");
    assert!(said.contains("larger than 16 MiB"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

/// The limit is for the address space, of which threads reserve more than they use.
#[cfg(target_os = "linux")]
#[test]
fn a_plan_of_100_mib_takes_no_memory() {
    let folder = Folder::new();
    folder.sparse("large.toml", 100 << 20);
    let said = crate::finish(folder.shell("ulimit -v 90000", &["show", "large.toml"], "")).code(2);
    assert!(said.err.contains("larger than 16 MiB"), "{}", said.err);
}

/// A recording is bounded too, in all and in each line.
#[test]
fn a_recording_that_is_none_is_refused_in_time() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("folder.jsonl")).unwrap();
    folder.file("plan.toml", crate::PLAN).sparse("large.jsonl", 2 << 30).sparse("line.jsonl", 100 << 20);
    folder
        .file("empty.jsonl", "")
        .file("garbage.jsonl", b"\xff\xfe\0garbage\n")
        .file("deep.jsonl", "[".repeat(100_000));
    for (file, want) in [
        ("large.jsonl", "larger than 1024 MiB"),
        ("line.jsonl", "longer than 4 MiB"),
        ("empty.jsonl", "there is no run in this recording"),
        ("garbage.jsonl", "garbage.jsonl:1: "),
        ("deep.jsonl", "deep.jsonl:1: "),
        ("folder.jsonl", "it is a folder, not a file"),
        ("none.jsonl", "none.jsonl: "),
    ] {
        let said = folder.run(&["judge", "plan.toml", file]).code(2);
        assert!(said.err.contains(want) && said.err.len() < 2_000, "{file}: {}", said.err);
        let said = folder.run(&["check", "plan.toml", "--with", file]).code(2);
        assert!(said.out.is_empty(), "{file}: {}", said.out);
    }
}

#[test]
fn deep_nesting_is_a_mistake_like_others() {
    let folder = Folder::new();
    let deep = |open: &str| open.repeat(100_000);
    folder.file("list.json", deep("[")).file("object.json", deep("{\"a\":"));
    folder.file("list.toml", format!("a = {}", deep("["))).file("table.toml", format!("a = {}", deep("{a=")));
    folder.file("key.toml", format!("{}a = 1", deep("a."))).file("header.toml", format!("[{}a]", deep("a.")));
    for file in ["list.json", "object.json", "list.toml", "table.toml", "key.toml", "header.toml"] {
        let said = refused(&folder, file);
        assert!(said.contains(file) && said.len() < 20_000, "{file}: {} bytes", said.len());
    }
}

/// As many names as fit into a file that is read, each of nine letters and its server of one.
#[test]
fn a_million_names_are_more_than_are_read() {
    let folder = Folder::new();
    let servers =
        "\"servers\":{\"m\":{\"address\":\"10.0.0.1\"}},\"views\":{\"internal\":{\"resolvers\":\"10.0.0.53\"}}";
    let names: Vec<String> = (0..900_000).map(|i| format!("\"a{i:06}.c\":\"m\"")).collect();
    folder.file("names.json", format!("{{{servers},\"internet\":{{{}}}}}", names.join(",")));
    let said = folder.run(&["lint", "names.json"]).code(2);
    assert!(said.err.contains("900000 names, at most 100000 are read"), "{}", said.err);
    assert!(said.err.len() < 2_000, "{} bytes", said.err.len());
    let larger = format!("{{{servers},\"internet\":{{{}}}}}", vec![names.join(","); 2].join(","));
    folder.file("more.json", larger);
    let said = folder.run(&["lint", "more.json"]).code(2);
    assert!(said.err.contains("larger than 16 MiB"), "{}", said.err);
}

#[test]
fn control_characters_in_keys_and_values_are_mistakes_that_are_not_obeyed() {
    let folder = Folder::new();
    for (i, bad) in ["\\u001b[2J", "\\u009b31m", "\\u202e", "\\u0000", "\\n::error::x", "\\u200b"].iter().enumerate() {
        let toml = [
            format!("\"{bad}\" = 1\n"),
            format!("[views.\"{bad}\"]\nresolvers = [\"10.0.0.53\"]\n"),
            format!("[servers.\"a{bad}b\"]\naddress = \"{bad}\"\n"),
            format!("[internet]\n\"{bad}.example.com\" = \"{bad}\"\n"),
        ];
        for (j, text) in toml.iter().enumerate() {
            let file = format!("{i}-{j}.toml");
            folder.file(&file, text);
            crate::text::harmless(&refused(&folder, &file), &file);
        }
        let file = format!("{i}.json");
        folder.file(&file, format!("{{\"{bad}\":1,\"servers\":{{\"{bad}\":{{\"{bad}\":\"{bad}\"}}}}}}"));
        crate::text::harmless(&refused(&folder, &file), &file);
    }
    folder.file("raw.toml", b"title = \"a\x1b[2J\"\n\x07 = 1\n");
    crate::text::harmless(&refused(&folder, "raw.toml"), "raw.toml");
}

/// Mistakes are shown with their line; of a key, which somebody gave for the plan, none is.
#[test]
fn a_private_key_for_a_plan_is_never_shown() {
    let folder = Folder::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let utf16: Vec<u8> = key.serialize_pem().encode_utf16().flat_map(u16::to_le_bytes).collect();
    folder.file("key.toml", key.serialize_pem()).file("key.der", key.serialize_der()).file("utf16.toml", utf16);
    folder.file("pasted.toml", format!("title = \"\"\"\n{}\"\"\"\nwhat = 1\n", key.serialize_pem()));
    for file in ["key.toml", "pasted.toml", "utf16.toml", "key.der"] {
        let said = refused(&folder, file);
        assert!(file == "key.der" || said.contains("a private key, where a plan should be"), "{said}");
        crate::certificates::shows_nothing_of(&key, &said);
    }
    folder.file("plan.toml", crate::PLAN);
    for recording in ["key.toml", "key.der"] {
        let said = folder.run(&["judge", "plan.toml", recording]).code(2);
        crate::certificates::shows_nothing_of(&key, &said.err);
    }
}
