//! A right plan, one thing broken: exactly this mistake. The cases stand in mistakes.txt and mistakes-json.txt.
#![allow(clippy::disallowed_methods, reason = "a test may open the files that it reads")]

use super::*;

const PLAN: &str = r#"title = "domain.com"
phase = "coexistence"
[views.internal]
resolvers = ["10.0.0.53"]
[views.external]
resolvers = ["9.9.9.9"]
[certificates.old]
names = ["mail.domain.com"]
[certificates.san]
file = "san.pem"
[servers.ex2010]
address = { internal = "10.0.0.10", external = "203.0.113.10" }
services = ["IIS", "SMTP"]
certificate = "san"
[servers.ex2003]
address = { internal = "10.0.0.3", external = "203.0.113.3" }
product = "exchange-2003"
certificate = { before = "old", coexistence = "san" }
[pools.farm]
address = { internal = "10.0.0.30" }
members = ["ex2010"]
[intranet]
"in.domain.com" = "farm"
[internet]
"mail.domain.com" = { before = "ex2003", coexistence = "ex2010" }
[legacy]
"legacy.domain.com" = { server = "ex2003", audience = "inside" }
"#;

/// The same plan, as a program writes it.
const PLAN_JSON: &str = r#"{
  "phase": "coexistence",
  "views": {
    "internal": {"resolvers": ["10.0.0.53"]},
    "external": {"resolvers": ["9.9.9.9"]}
  },
  "certificates": {"old": {"names": ["mail.domain.com"]}, "san": {"file": "san.pem"}},
  "servers": {
    "ex2010": {"address": {"internal": "10.0.0.10", "external": "203.0.113.10"}, "certificate": "san"},
    "ex2003": {"address": "10.0.0.3", "certificate": {"before": "old", "coexistence": "san"}}
  },
  "pools": {"farm": {"address": {"internal": "10.0.0.30"}, "members": ["ex2010"]}},
  "intranet": {"in.domain.com": "farm"},
  "internet": {"mail.domain.com": {"before": "ex2003", "coexistence": "ex2010"}},
  "phases": {"coexistence": {"from": "2026-12-01", "until": "2027-03-31"}}
}
"#;

/// The cases with what is told now, in the form of their file.
fn retold(file: &str, plan: &str, text: &str) -> String {
    assert_eq!(mistakes(file, plan), Vec::<String>::new());
    let blocks = text.trim_end().split("\n\n");
    let told = blocks.map(|block| if block.starts_with('#') { block.to_string() } else { case(file, plan, block) });
    told.collect::<Vec<_>>().join("\n\n") + "\n"
}

fn case(file: &str, plan: &str, block: &str) -> String {
    let lines = |mark: &str| {
        let marked = block.lines().filter_map(|l| l.strip_prefix(mark));
        marked.map(|l| format!("{}\n", l.strip_prefix(' ').unwrap_or(l))).collect::<String>()
    };
    let (out, new) = (lines("-"), lines("+"));
    let broken = match (out.as_str(), new.as_str()) {
        ("", new) => format!("{plan}{new}"),
        // A whole line goes with its end.
        (out, "") => plan.replacen(out, "", 1),
        (out, new) => plan.replacen(out.trim_end(), new.trim_end(), 1),
    };
    assert_ne!(broken, plan, "the plan has no {out}");
    let told = mistakes(file, &broken);
    assert!(!told.is_empty(), "nothing is told of {new}");
    let marked = block.lines().filter(|l| l.starts_with(['-', '+'])).map(str::to_string);
    marked.chain(told).collect::<Vec<_>>().join("\n")
}

/// `SNAPSHOTS=overwrite` writes the file anew.
fn hold(file: &str, plan: &str, cases: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/plan/tests").join(cases);
    let now = retold(file, plan, &std::fs::read_to_string(&path).unwrap());
    let kept = snapbox::Data::read_from(&path, None).raw();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(snapbox::Data::text(now).raw(), kept);
}

#[test]
fn each_mistake_is_told_with_its_place() {
    hold("p.toml", PLAN, "mistakes.txt");
}

#[test]
fn each_mistake_in_json_is_told_with_its_pointer() {
    hold("p.json", PLAN_JSON, "mistakes-json.txt");
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    let all = PLAN
        .replace("phase = \"coexistence\"", "phase = \"coexistance\"")
        .replace("resolvers = [\"9.9.9.9\"]", "resolvers = [\"9.9.9\"]")
        .replace("certificate = \"san\"", "certificate = \"sam\"")
        .replace("\"in.domain.com\" = \"farm\"", "\"in.domain.com\" = farm")
        .replace("members = [\"ex2010\"]", "members = [\"farm\"]")
        + "[severity]\na = \"of\"\n";
    let titles: Vec<_> = read("p.toml", &all).err().unwrap().errors.into_iter().map(|e| e.title).collect();
    assert_eq!(
        titles,
        [
            "no such phase `coexistance`",
            "not a resolver",
            "`farm` is a pool, too",
            "string without quotes",
            "`of` is not a severity"
        ]
    );
}

#[test]
fn files_are_asked_for_once_and_missing_ones_told() {
    let asked = std::cell::RefCell::new(Vec::new());
    let check = |path: &str| {
        asked.borrow_mut().push(path.to_string());
        Err("no such file or directory".to_string())
    };
    let text = PLAN.replace("[\"9.9.9.9\"]", "[\"9.9.9.9\"]\ntrust = [\"system\", 'ca\\root.cer', \"san.pem\"]");
    let errors = load("p.toml", text.as_bytes(), &check).err().unwrap();
    assert_eq!(
        told(&errors),
        [
            "7:20 cannot read `ca\\root.cer` | no such file or directory | `/` separates folders on every system",
            "7:35 cannot read `san.pem` | no such file or directory",
            "11:8 cannot read `san.pem` | no such file or directory",
        ]
    );
    assert_eq!(*asked.borrow(), ["ca\\root.cer", "san.pem"]);
}

#[test]
fn a_plan_needs_views_and_names() {
    assert_eq!(
        mistakes("p.toml", "title = \"x\"\n"),
        [
            "1:1 no views | nobody asks: expected at least one view with its resolvers | [views.internal] with resolvers = [\"10.0.0.53\"]",
            "1:12 no names | expected names under [intranet], [internet] or [legacy] | [internet]\n\"mail.domain.com\" = \"a server\"",
        ]
    );
    assert_eq!(mistakes("p.json", "[]"), ["1:1  wrong type | expected the plan: a table, found a list"]);
}

#[test]
fn a_mistake_in_json_is_shown_with_its_pointer() {
    let errors =
        read("p.json", &PLAN_JSON.replace("\"certificate\": \"san\"", "\"certificate\": \"sam\"")).err().unwrap();
    let shown = render_errors(&errors, false);
    assert!(shown.contains("no such certificate `sam`") && shown.contains("p.json:9:"), "{shown}");
    assert!(shown.contains("note: at /servers/ex2010/certificate\n"), "{shown}");
    assert!(shown.contains("help: did you mean `san`?"), "{shown}");
}
