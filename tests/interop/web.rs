//! nginx as a web site that redirects its users and sends HSTS, beside an old one below it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::certificates::{Authority, Leaf};
use crate::daemon::{Daemon, Ready, free_port};
use crate::run::{Report, coexist};

const PLAN: &str = r#"
[views.internal]
resolvers = ["127.0.0.1:9"]
trust = ["root.pem"]
reaches = ["10.0.0.0/8"]
[certificates.both]
names = ["www.example.com", "legacy.www.example.com"]
[servers.new]
address = "10.0.1.10"
redirects = ["legacy.www.example.com"]
[servers.old]
address = "10.0.3.10"
[internet]
"www.example.com" = { before = "old", coexistence = "new" }
[legacy]
"legacy.www.example.com" = "old"
"#;

/// An nginx that answers so at its root, and what it serves.
pub fn nginx(folder: &Path, label: &str, at: SocketAddr, answer: &str) -> Daemon {
    let folder = folder.join(label);
    fs::create_dir(&folder).expect("a folder");
    let path = folder.display();
    let config = format!(
        "daemon off; worker_processes 1; user root; pid {path}/nginx.pid; error_log stderr;\nevents {{ }}\nhttp {{\n  \
         access_log off; client_body_temp_path {path}/t1; proxy_temp_path {path}/t2; fastcgi_temp_path {path}/t3;\n  \
         uwsgi_temp_path {path}/t4; scgi_temp_path {path}/t5;\n  server {{ listen {at} ssl;\n    \
         ssl_certificate {path}/../{label}.pem; ssl_certificate_key {path}/../{label}.key;\n    {answer} }}\n}}\n"
    );
    fs::write(folder.join("nginx.conf"), config).expect("a configuration can be written");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&folder).args(["-e", "stderr", "-c"]).arg(folder.join("nginx.conf"));
    Daemon::start("nginx", &mut command, &folder, &Ready::Listens(&[at]))
}

/// What is said of a new site that answers so, beside an old one that serves a certificate of these names.
fn report(answer: &str, old_names: &[&str]) -> Report {
    report_in(answer, old_names, |_| ((), String::new()))
}

/// What is said of a new site that redirects into the clear, where its view has a proxy: who stands there, and its line.
pub fn behind<D>(proxy: impl FnOnce(&Path) -> (D, String)) -> Report {
    report_in("return 301 http://legacy.www.example.com/exchange;", BOTH, proxy)
}

/// As [`report`], with another line in its view, and who stands behind it.
fn report_in<D>(answer: &str, old_names: &[&str], beside: impl FnOnce(&Path) -> (D, String)) -> Report {
    let folder = TempDir::new().expect("a folder");
    let (authority, path) = (Authority::new("Interop"), folder.path());
    let new = authority.issue(&Leaf::of(&["www.example.com", "legacy.www.example.com"]));
    let (_beside, line) = beside(path);
    let plan = PLAN.replacen("[views.internal]\n", &format!("[views.internal]\n{line}"), 1);
    let old = authority.issue(&Leaf::of(old_names));
    for (file, text) in [
        ("plan.toml", &plan),
        ("root.pem", &authority.root),
        ("new.pem", &new.chain),
        ("new.key", &new.key),
        ("old.pem", &old.chain),
        ("old.key", &old.key),
    ] {
        fs::write(path.join(file), text).expect("a file can be written");
    }
    let ip = Ipv4Addr::LOCALHOST.into();
    let [at_new, at_old] = [(), ()].map(|()| SocketAddr::new(ip, free_port(ip)));
    let _new = nginx(path, "new", at_new, answer);
    let _old = nginx(path, "old", at_old, "return 200 hello;");
    let detours = [format!("10.0.1.10:443:{at_new}"), format!("10.0.3.10:443:{at_old}")];
    let args = ["check", "plan.toml", "--only", "tls", "--format", "json", "--from", "internal"];
    let detours = detours.iter().flat_map(|d| ["--connect-to", d.as_str()]);
    Report::of(&coexist(path, &args.into_iter().chain(detours).collect::<Vec<_>>()))
}

const BOTH: &[&str] = &["www.example.com", "legacy.www.example.com"];

#[test]
#[ignore = "needs real servers: run tests/run"]
fn redirects_of_nginx_are_followed_by_the_eye() {
    for (answer, want) in [
        ("return 302 https://legacy.www.example.com/exchange;", None),
        ("return 302 /owa/;", None),
        ("return 200 hello;", None),
        ("return 301 http://legacy.www.example.com/exchange;", Some("redirects from https to http")),
        ("return 301 https://$host$request_uri;", Some("to itself")),
        ("return 302 https://legcy.www.example.com/;", Some("no name of the plan")),
    ] {
        let report = report(answer, BOTH);
        let title =
            report.json["findings"].as_array().expect("findings").iter().find(|f| f["rule"] == "redirect-behaviour");
        let title = title.map(|f| f["title"].as_str().unwrap_or_default().to_string());
        match (want, &title) {
            (None, None) => {}
            (Some(want), Some(title)) if title.contains(want) => {}
            _ => panic!("{answer}: {title:?}\n{}", report.text),
        }
        assert!(!report.text.contains("no web site was asked"), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn hsts_of_nginx_covers_the_old_name_below_it() {
    const HSTS: &str =
        "add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains\" always; return 200 hello;";
    let clean = report(HSTS, BOTH);
    assert_eq!((clean.causes(), clean.status), (Vec::new(), 0), "{}", clean.text);
    let broken = report(HSTS, &["www.example.com"]);
    assert!(broken.causes().contains(&"hsts-covers-legacy new".to_string()), "{}", broken.text);
    let bare = report("return 200 hello;", &["www.example.com"]);
    assert!(!bare.text.contains("hsts-covers-legacy"), "{}", bare.text);
}
