//! The run itself: limits of the machine, Ctrl-C, full disks, closed pipes, clocks, and aliases that never end.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Child;
use std::time::Duration;

use coexist::cli::{Place, Sources, examine};
use coexist::model::observation::{Detour, DialMap, Observation, Outcome, Recording};
use coexist::model::policy::Policy;
use coexist::model::probes::Vantage;
use coexist::model::tls::TlsOutcome;
use coexist::record;
use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{Name, RData, Record};
use jiff::Timestamp;

use crate::{Folder, finish, places};

/// A server that reads the client's first message, says that it does not like it, and closes.
fn disliking() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            // TLS 1.2, alert, fatal, handshake_failure
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]);
        }
    });
    port
}

/// A plan of some servers at 10.0.0.1 and on, each with its name and that many ports; nobody answers its resolver.
fn plan(servers: usize, ports: usize) -> String {
    let mut text = "per-host = 64\nretry = 0\n[views.internal]\nresolvers = [\"127.0.0.1:1\"]\n".to_string();
    let services: Vec<String> = (0..ports).map(|i| format!("\"tls:{}\"", 10_000 + i)).collect();
    text += "[certificates.c]\nnames = [\"*.example.com\"]\n";
    for i in 1..=servers {
        text += &format!("[servers.s{i}]\naddress = \"10.0.0.{i}\"\nservices = [{}]\n", services.join(","));
    }
    text += "[internet]\n";
    (1..=servers).for_each(|i| text += &format!("\"n{i}.example.com\" = \"s{i}\"\n"));
    text
}

fn recorded(folder: &Folder) -> Recording {
    record::read(std::fs::read(folder.path("r.jsonl")).unwrap().as_slice()).unwrap()
}

/// What became of connections, counted by their words.
fn outcomes(recording: &Recording) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for observation in &recording.observations {
        if let Outcome::Tls(outcome) = &*observation.outcome {
            *counts.entry(outcome.to_string()).or_insert(0) += 1;
        }
    }
    counts
}

/// No limit of this machine is taken for a fault of a server: each of 10,000 says what it has to say.
#[cfg(unix)]
#[test]
fn ten_thousand_endpoints_are_looked_at_with_256_files() {
    let folder = Folder::new();
    folder.file("plan.toml", plan(10, 1_000));
    let elsewhere: Vec<String> = (1..=10).map(|i| format!("10.0.0.{i}::127.0.0.1:{}", disliking())).collect();
    let mut args = vec!["check", "plan.toml", "--from", "internal", "--concurrency", "1000", "--timeout", "60s"];
    args.extend(["--record", "r.jsonl", "--output", "report.txt"]);
    elsewhere.iter().for_each(|e| args.extend(["--connect-to", e]));
    let said = finish(folder.shell("ulimit -n 256", &args, "")).code(3);
    assert!(said.err.contains("in flight at once, not 1000"), "{}", said.err);
    let alert = TlsOutcome::Alert("handshake_failure".into()).to_string();
    assert_eq!(outcomes(&recorded(&folder)), BTreeMap::from([(alert, 10_000)]));
}

/// Where only the soft limit is small, it is raised, and nothing has to be said.
#[cfg(unix)]
#[test]
fn a_small_soft_limit_is_raised() {
    let folder = Folder::new();
    folder.file("plan.toml", plan(2, 200));
    let elsewhere = [1, 2].map(|i| format!("10.0.0.{i}::127.0.0.1:{}", disliking()));
    let mut args = vec!["check", "plan.toml", "--from", "internal", "--timeout", "60s", "--record", "r.jsonl"];
    elsewhere.iter().for_each(|e| args.extend(["--connect-to", e]));
    let said = finish(folder.shell("ulimit -S -n 64", &args, ""));
    assert!(!said.err.contains("in flight"), "{}", said.err);
    assert_eq!(outcomes(&recorded(&folder)).into_values().collect::<Vec<_>>(), [400]);
}

/// Where a limit is met all the same, since others opened files meanwhile, sockets are waited for.
#[cfg(unix)]
#[test]
fn sockets_that_may_not_be_opened_yet_are_waited_for() {
    let mut command = std::process::Command::new("sh");
    let inner = "run::three_hundred_at_once_with_forty_files";
    command.args(["-c", "ulimit -n 40; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", inner]).env("COEXIST_PORT", disliking().to_string());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let said = finish(command);
    assert!(said.status == Some(0) && said.out.contains("1 passed"), "{}", said.all());
}

#[tokio::test]
#[ignore = "run by another test, with a small limit"]
async fn three_hundred_at_once_with_forty_files() {
    let port = std::env::var("COEXIST_PORT").expect("the port of a server in another process");
    let plan = coexist::plan::load("plan.toml", plan(3, 100).as_bytes(), &|_| Ok(())).unwrap();
    let vantage = Vantage { stands_in: plan.view_ids().collect(), ..Vantage::default() };
    let probes = coexist::plan::probes(&plan, &coexist::plan::expand(&plan), &vantage, &Policy::default());
    let elsewhere = (1..=3).map(|i| Detour::parse(&format!("10.0.0.{i}::127.0.0.1:{port}")).unwrap());
    let place = Place {
        vantage: &vantage,
        sources: &Sources::World(&BTreeMap::new(), &[]),
        dial: DialMap(elsewhere.collect()),
        ways: Vec::new(),
        timeout: Duration::from_secs(6),
        concurrency: 300,
        now: Timestamp::now(),
    };
    let recording = examine(&plan, &probes, &place, &mut |_| {}).await.unwrap();
    let alert = TlsOutcome::Alert("handshake_failure".into()).to_string();
    assert_eq!(outcomes(&recording), BTreeMap::from([(alert, 300)]));
}

/// A server that says no to its first connection and nothing at all to the second, which tells when that has come: one
/// address, one connection at once, so that the first has been seen by then.
struct Stalling {
    port: u16,
    stalls: std::sync::mpsc::Receiver<std::net::TcpStream>,
}

fn stalling() -> Stalling {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, stalls) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let _ = first.read(&mut [0; 4096]);
        // After an alert another hello would be tried.
        let _ = first.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        drop(first);
        listener.incoming().flatten().for_each(|stream| tell.send(stream).unwrap());
    });
    Stalling { port, stalls }
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn after_ctrl_c_what_was_seen_is_written_and_the_report_says_incomplete() {
    for format in ["text", "json"] {
        let (folder, server) = (Folder::new(), stalling());
        folder.file("plan.toml", plan(1, 20).replace("per-host = 64", "per-host = 1"));
        let elsewhere = format!("10.0.0.1::127.0.0.1:{}", server.port);
        let args = ["check", "plan.toml", "--from", "internal", "--timeout", "10m", "--record", "r.jsonl"];
        let child = folder.command(&[&args[..], &["--connect-to", &elsewhere, "--format", format]].concat()).spawn();
        let child = child.unwrap();
        let _held = server.stalls.recv_timeout(crate::PATIENCE).unwrap();
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(130), "{out}");
        match format {
            "text" => assert!(
                out.starts_with("INTERRUPTED") && out.contains("incomplete") && out.contains("exit 130"),
                "{out}"
            ),
            _ => {
                let report: serde_json::Value = serde_json::from_str(&out).unwrap();
                assert_eq!((&report["outcome"], &report["exit_status"]), (&"interrupted".into(), &130.into()));
            }
        }
        let seen = recorded(&folder);
        assert_eq!(outcomes(&seen).into_values().sum::<usize>(), 1, "{:?}", outcomes(&seen));
        let again = folder.run(&["judge", "plan.toml", "r.jsonl"]);
        // The one that was seen is wrong, and all others are open.
        assert_eq!(again.status, Some(1), "{}", again.all());
        assert!(again.all().contains("20 could not tell"), "{}", again.all());
    }
}

/// Every write fails, as on a disk without room.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_is_never_a_pass() {
    let folder = Folder::new();
    let (plan, recording) = places::recorded();
    folder.file("plan.toml", &plan).file("r.jsonl", places::written(&recording));
    let root = crate::certificates::Authority::new().root.pem();
    let trust = "[views.internal]\ntrust = [\"root.pem\"]";
    folder.file("small.toml", self::plan(1, 1).replace("[views.internal]", trust)).file("root.pem", root);
    let full = std::io::Error::from_raw_os_error(28).to_string();
    for args in [
        &["judge", "plan.toml", "r.jsonl", "--output", "/dev/full"][..],
        &["lint", "plan.toml", "--output", "/dev/full", "--format", "json"],
        &["check", "small.toml", "--timeout", "100ms", "--connect-to", "::127.0.0.1:1", "--output", "/dev/full"],
        &["check", "small.toml", "--timeout", "100ms", "--connect-to", "::127.0.0.1:1", "--record", "/dev/full"],
    ] {
        let said = folder.run(args).code(2);
        assert!(said.err.contains(&full), "{args:?}: {}", said.err);
        // A recording that is not whole does not keep the verdict back.
        assert_eq!(said.out.contains("exit"), args.contains(&"--record"), "{args:?}: {}", said.out);
    }
    for args in
        [&["judge", "plan.toml", "r.jsonl"][..], &["show", "plan.toml"], &["explain"], &["schema"], &["init", "-"]]
    {
        let said = finish(folder.shell("", args, ">/dev/full")).code(2);
        assert!(said.err.contains(&full), "{args:?}: {}", said.err);
    }
    // Whom nobody can be told anything, the status tells.
    assert_eq!(finish(folder.shell("", &["lint", "none.toml"], "2>/dev/full")).status, Some(2));
    assert_eq!(finish(folder.shell("", &["lint", "r.jsonl"], "2>/dev/full")).status, Some(2));
    assert_eq!(finish(folder.shell("", &["chek"], "2>/dev/full")).status, Some(2));
}

/// Whoever reads has enough after a line, or has never read at all: no panic, and the verdict stands in the status.
#[cfg(unix)]
#[test]
fn who_reads_no_further_is_no_fault() {
    let folder = Folder::new();
    let (plan, recording) = places::recorded();
    folder.file("plan.toml", &plan).file("r.jsonl", places::written(&recording));
    for (args, status) in [
        (&["judge", "plan.toml", "r.jsonl", "--verbose"][..], 1),
        (&["judge", "plan.toml", "r.jsonl", "--format", "json"], 1),
        (&["show", "plan.toml"], 0),
        (&["explain"], 0),
        (&["--help"], 0),
        (&["schema"], 0),
    ] {
        // The reader goes before a word is written.
        let mut child = folder.command(args).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(status), ""), "{args:?}");
        let said = finish(folder.shell("", args, ">&-"));
        assert!(said.status == Some(status) && !said.err.contains("panicked"), "{args:?}: {}", said.err);
    }
    let mut child = folder.command(&["lint", "none.toml"]).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

/// The recording as if the clock had shown other times: of the run, and of what was seen.
fn at(started: &str, seen: &str) -> Recording {
    let (_, mut recording) = places::recorded();
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    recording.runs.values_mut().for_each(|run| run.started = time(started));
    let observations = recording.observations.iter().enumerate();
    // Every other, as if it had been set in between.
    let moved = observations.map(|(i, o)| Observation { at: if i % 2 == 0 { time(seen) } else { o.at }, ..o.clone() });
    recording.observations = moved.collect();
    recording
}

#[test]
fn a_clock_that_was_set_changes_no_verdict_and_panics_nowhere() {
    let folder = Folder::new();
    let (plan, recording) = places::recorded();
    folder.file("plan.toml", &plan).file("r.jsonl", places::written(&recording));
    let verdicts = |file: &str, options: &[&str]| {
        let said = folder.run(&[&["judge", "plan.toml", file, "--format", "json"], options].concat());
        assert!(matches!(said.status, Some(1 | 3)), "{file} {options:?}: {}", said.all());
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let list = report["obligations"].as_array().unwrap().clone();
        list.iter().map(|o| format!("{} {}", o["id"], o["verdict"])).collect::<Vec<_>>()
    };
    let right = verdicts("r.jsonl", &[]);
    // Set back, or on, while it ran: what was seen counts as seen.
    for seen in ["2026-11-22T11:00:00Z", "2026-11-20T00:00:00Z", "2026-11-22T12:30:00Z"] {
        folder.file("moved.jsonl", places::written(&at("2026-11-22T11:56:54Z", seen)));
        assert_eq!(verdicts("moved.jsonl", &[]), right, "{seen}");
    }
    // Far off, of the run too: no panic, and as broken as before.
    for time in ["-009999-01-02T01:59:59Z", "1970-01-01T00:00:00Z", "9999-12-30T22:00:00Z"] {
        for started in [time, "2026-11-22T11:56:54Z"] {
            folder.file("moved.jsonl", places::written(&at(started, time)));
            verdicts("moved.jsonl", &[]);
            verdicts("moved.jsonl", &[&format!("--at={time}")]);
        }
        verdicts("r.jsonl", &[&format!("--at={time}")]);
    }
}

/// What was seen later, by whichever clock, is no evidence of an earlier time.
#[test]
fn a_time_before_the_evidence_is_said_and_one_after_is_judged() {
    let folder = Folder::new();
    let (plan, recording) = places::recorded();
    folder.file("plan.toml", &plan).file("r.jsonl", places::written(&recording));
    let said = folder.run(&["judge", "plan.toml", "r.jsonl", "--at", "2026-11-01T00:00:00Z"]).code(3);
    assert!(said.out.contains("after the time that is"), "{}", said.out);
    let said = folder.run(&["judge", "plan.toml", "r.jsonl", "--at", "2030-01-01T00:00:00Z"]).code(1);
    assert!(said.out.contains("expired"), "{}", said.out);
}

/// A resolver for which every name is an alias of another, and that one of the first.
fn circling() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            let Ok(query) = Message::from_vec(&buffer[..n]) else { continue };
            let asked = query.queries[0].name().clone();
            let other = Name::from_ascii("other.example.com.").unwrap();
            let mut answer = query.clone().into_response();
            for (owner, target) in [(&asked, &other), (&other, &asked)] {
                answer.answers.push(Record::from_rdata(owner.clone(), 60, RData::CNAME(CNAME(target.clone()))));
            }
            let _ = socket.send_to(&answer.to_vec().unwrap(), from);
        }
    });
    port
}

#[test]
fn aliases_that_never_end_are_said_and_everything_else_is_judged() {
    let folder = Folder::new();
    let text = plan(2, 1).replace("127.0.0.1:1", &format!("127.0.0.1:{}", circling()));
    // The target is declared as an alias.
    let text = text.replace("= \"s1\"\n", "= { server = \"s1\", cname = \"other.example.com\" }\n");
    folder.file("plan.toml", text);
    let elsewhere = [1, 2].map(|i| format!("10.0.0.{i}:10000:127.0.0.1:{}", disliking()));
    let args = ["check", "plan.toml", "--from", "internal", "--verbose", "--timeout", "20s", "--record", "r.jsonl"];
    let args = [&args[..], &["--connect-to", &elsewhere[0], "--connect-to", &elsewhere[1]]].concat();
    let said = folder.run(&args).code(1);
    for name in ["n1", "n2"] {
        let circle = format!("cname-conflict   the alias {name}.example.com leads in a circle");
        assert!(said.out.contains(&circle), "{}", said.out);
    }
    assert!(!said.out.lines().any(|l| l.starts_with("ok dns/")), "{}", said.out);
    let alert = TlsOutcome::Alert("handshake_failure".into()).to_string();
    assert_eq!(outcomes(&recorded(&folder)), BTreeMap::from([(alert, 2)]));
    // In the plan: names that are each other's alias.
    let text = plan(2, 1)
        .replace("= \"s1\"\n", "= { server = \"s1\", cname = \"n2.example.com\" }\n")
        .replace("= \"s2\"\n", "= { server = \"s2\", cname = \"n1.example.com\" }\n");
    folder.file("circle.toml", text);
    for args in [&["lint", "circle.toml"][..], &["show", "circle.toml"], &["check", "circle.toml", "--dry-run"]] {
        let said = folder.run(args);
        assert!(matches!(said.status, Some(0..=2)) && !said.err.contains("panicked"), "{args:?}: {}", said.all());
    }
}
