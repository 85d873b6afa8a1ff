//! Servers that ask for a client certificate: nginx, which lets all in and then refuses in HTTP, and stunnel, which hangs up.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::certificates::{Authority, Identity};
use crate::daemon::{Daemon, Ready, free_port};
use crate::run::{Report, check, coexist};
use crate::world::{Running, World};

const OLD: [[u8; 4]; 2] = [[10, 0, 3, 10], [203, 0, 113, 30]];
const SERVER: &str = "[servers.old]\n";
const SHOWN: &str = "client-certificate = { file = \"client.pem\", key = \"client.key\" }\n";

/// A world whose old server says this of itself in the plan; with files for whom it is to be shown.
fn world(line: &str, client: impl FnOnce(&World) -> Identity) -> (Running, Identity, String) {
    let mut world = World::clean();
    world.plan = world.plan.replacen(SERVER, &format!("{SERVER}{line}"), 1);
    let (identity, root, client) = (world.serves["old"].clone(), world.authority.root.clone(), client(&world));
    let running = world.start();
    for (file, text) in [("client.pem", &client.chain), ("client.key", &client.key)] {
        fs::write(running.folder.path().join(file), text).expect("a file can be written");
    }
    (running, identity, root)
}

fn write(folder: &Path, identity: &Identity, root: &str) {
    for (file, text) in [("own.pem", identity.chain.as_str()), ("own.key", &identity.key), ("clients.pem", root)] {
        fs::write(folder.join(file), text).expect("a file can be written");
    }
}

fn elsewhere(world: &mut Running) -> SocketAddr {
    let ip = [127, 0, 86, 1].into();
    let at = SocketAddr::new(ip, free_port(ip));
    for ip in OLD {
        world.played.insert((ip.into(), 443), at);
    }
    at
}

/// An nginx that asks in this way.
fn nginx(world: &mut Running, identity: &Identity, root: &str, verify: &str) -> Daemon {
    let at = elsewhere(world);
    let folder = world.folder.path().join("asks");
    fs::create_dir(&folder).expect("a folder");
    write(&folder, identity, root);
    let path = folder.display();
    let config = format!(
        "daemon off; worker_processes 1; user root; pid {path}/nginx.pid; error_log stderr;\nevents {{ }}\n\
         http {{ access_log off; client_body_temp_path {path}/t1; proxy_temp_path {path}/t2;\n\
         fastcgi_temp_path {path}/t3; uwsgi_temp_path {path}/t4; scgi_temp_path {path}/t5;\n\
         server {{ listen {at} ssl; ssl_certificate own.pem; ssl_certificate_key own.key;\n\
         ssl_client_certificate clients.pem; ssl_verify_depth 3; ssl_verify_client {verify}; return 204; }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), config).expect("a configuration can be written");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&folder).args(["-e", "stderr", "-c"]).arg(folder.join("nginx.conf"));
    Daemon::start("nginx", &mut command, &folder, &Ready::Listens(&[at]))
}

/// A stunnel that takes only clients of this authority, and speaks this version of TLS at most.
fn stunnel(world: &mut Running, identity: &Identity, root: &str, version: &str) -> Daemon {
    let at = elsewhere(world);
    let folder = world.folder.path().join("asks");
    fs::create_dir(&folder).expect("a folder");
    write(&folder, identity, root);
    let (path, behind) = (folder.display(), world.played[&([10, 0, 2, 10].into(), 25)]);
    let config = format!(
        "foreground = yes\npid =\n[old]\naccept = {at}\nconnect = {behind}\ncert = {path}/own.pem\nkey = {path}/own.key\n\
         CAfile = {path}/clients.pem\nrequireCert = yes\nverifyChain = yes\nsslVersionMax = {version}\n"
    );
    fs::write(folder.join("stunnel.conf"), config).expect("a configuration can be written");
    let mut command = Command::new("stunnel");
    command.arg(folder.join("stunnel.conf"));
    Daemon::start("stunnel", &mut command, &folder, &Ready::Listens(&[at]))
}

fn ours(world: &World) -> Identity {
    world.authority.issue_client("probe")
}

/// Looks, and gives what the recording says of client certificates; no key is in it.
fn look(world: &Running) -> (Report, Vec<String>) {
    let report = check(world, &["--record", "seen.jsonl"]);
    let recorded = fs::read_to_string(world.folder.path().join("seen.jsonl")).expect("a recording");
    let key = fs::read_to_string(world.folder.path().join("client.key")).expect("a key");
    let secret = key.lines().nth(1).expect("a key's line");
    assert!(!recorded.contains(secret) && !report.text.contains(secret));
    let mut said: Vec<String> = recorded
        .lines()
        .filter_map(|line| line.split("\"client\":\"").nth(1)?.split('"').next().map(str::to_string))
        .collect();
    said.sort();
    said.dedup();
    (report, said)
}

fn passes(world: &Running, said: &str) -> Report {
    let (report, seen) = look(world);
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    assert_eq!(seen, [said], "{}", report.text);
    report
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn nginx_that_asks_is_judged_by_what_it_serves() {
    for verify in ["optional", "on"] {
        let (mut running, identity, root) = world("", ours);
        let _nginx = nginx(&mut running, &identity, &root, verify);
        passes(&running, "asked");
        let (mut running, identity, root) = world(SHOWN, ours);
        let _nginx = nginx(&mut running, &identity, &root, verify);
        passes(&running, "shown");
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_server_that_hangs_up_without_a_certificate() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let (mut running, identity, root) = world("", ours);
        let _stunnel = stunnel(&mut running, &identity, &root, version);
        let (report, _) = look(&running);
        assert_eq!((report.status, report.causes()), (3, Vec::new()), "{version} {}", report.text);
        assert!(report.text.contains("say `mtls = true`"), "{version} {}", report.text);

        let (mut running, identity, root) = world("mtls = true\n", ours);
        let _stunnel = stunnel(&mut running, &identity, &root, version);
        let report = passes(&running, "asked");
        assert!(report.text.contains("the plan has none to show"), "{version} {}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_plans_certificate_is_shown_and_taken_or_refused() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let (mut running, identity, root) = world(SHOWN, ours);
        let _stunnel = stunnel(&mut running, &identity, &root, version);
        let report = passes(&running, "shown");
        assert!(!report.text.contains("refused"), "{version} {}", report.text);

        let (mut running, identity, root) = world(SHOWN, |_| Authority::new("Stranger").issue_client("probe"));
        let _stunnel = stunnel(&mut running, &identity, &root, version);
        let report = passes(&running, "shown");
        assert!(report.text.contains("it refused client.pem (alert "), "{version} {}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_certificate_that_is_not_for_clients_is_found() {
    let (mut running, identity, root) = world(SHOWN, |w| w.serves["old"].clone());
    let _nginx = nginx(&mut running, &identity, &root, "optional");
    let (report, _) = look(&running);
    assert_eq!(report.causes(), ["mtls-clientauth-missing"], "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn another_key_is_an_error_before_anything_is_looked_at() {
    let (running, _, _) = world(SHOWN, |w| Identity { key: w.serves["old"].key.clone(), ..ours(w) });
    for command in ["lint", "check"] {
        let output = coexist(running.folder.path(), &[command, "plan.toml"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("client.key is not the key of client.pem"), "{said}");
    }
}
