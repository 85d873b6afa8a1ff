//! What is printed for a product, given to the product: its own checker takes the configuration, its zone changes.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use coexist::commands::{
    Act, CertificateAct, Language, Member, Product, Rdata, Script, ServerAct, ZoneAct, ZonePlace, for_act,
};
use coexist::model::name::Name;
use tempfile::TempDir;

use crate::certificates::{Authority, Leaf};
use crate::daemon::{Daemon, Ready, free_port};

/// Where the printed commands keep certificates.
const THERE: &str = "/etc/ssl/coexist";

/// A folder with a certificate in place of [`THERE`].
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let identity = Authority::new("Commands").issue(&Leaf::of(&["mail.domain.com"]));
    fs::write(folder.path().join("fullchain.pem"), &identity.chain).expect("a chain can be written");
    fs::write(folder.path().join("privkey.pem"), &identity.key).expect("a key can be written");
    fs::write(folder.path().join("both.pem"), identity.chain + &identity.key).expect("both can be written");
    folder
}

fn name(text: &str) -> Name {
    Name::parse_owner(text).expect("a name")
}

fn member(label: &str, at: &str) -> Member {
    Member { label: label.into(), at: at.parse().expect("an address and a port") }
}

fn at_server(act: ServerAct) -> Act {
    Act::Server { server: "web".into(), act }
}

fn publish(text: &str) -> Act {
    let members = vec![member("ex1", "10.0.0.10:443"), member("ex2", "[2001:db8::11]:443")];
    at_server(ServerAct::Publish { name: name(text), members })
}

fn bind() -> Act {
    let act = CertificateAct::Bind { thumbprint: "AB".into(), services: vec!["https".into()] };
    Act::Certificate { server: "web".into(), act }
}

fn redirect() -> Act {
    at_server(ServerAct::SetRedirect { host: Some(name("legacy.mail.domain.com")) })
}

fn members() -> Act {
    at_server(ServerAct::ChangeMembers {
        pool: "owa".into(),
        add: vec![member("ex3", "10.0.0.12:443"), member("ex4", "[2001:db8::12]:443")],
        remove: vec![member("fe", "10.0.0.3:443")],
    })
}

fn take_out() -> Act {
    at_server(ServerAct::TakeOut { node: member("ex1", "10.0.0.10:443"), pool: Some("owa".into()) })
}

/// What is printed in a language, a text for each script, with the certificates of this folder.
fn printed(product: Product, act: &Act, language: Language, folder: &Path) -> Vec<String> {
    let of = |script: Script| script.lines.join("\n").replace(THERE, &folder.display().to_string());
    let scripts = for_act(product, act).into_iter().filter(|s| s.language == language);
    let texts: Vec<String> = scripts.map(of).collect();
    assert!(!texts.is_empty(), "{product:?} prints nothing of that kind for {act:?}");
    texts
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}; run tests/run"))
}

/// A checker's word on a configuration.
fn accepts(command: &mut Command, config: &str) {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{config}");
}

#[test]
#[ignore = "needs nginx: tests/run"]
fn nginx_takes_its_lines() {
    let folder = folder();
    let path = folder.path();
    let of = |act: &Act| printed(Product::Nginx, act, Language::Nginx, path).concat();
    let config = format!(
        "pid {}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\nupstream owa {{ {} {} }}\n{}\n{}\n\
         server {{ listen 127.0.0.1:8443 ssl;\n{}\nlocation / {{ {} }} }} }}\n",
        path.display(),
        of(&members()),
        of(&take_out()),
        of(&publish("mail.domain.com")),
        of(&publish("*.apps.domain.com")),
        of(&bind()),
        of(&redirect()),
    );
    let config = config.replace("listen 443", "listen 127.0.0.1:8444");
    fs::write(path.join("nginx.conf"), &config).expect("a configuration can be written");
    accepts(Command::new("nginx").args(["-t", "-e", "stderr", "-c"]).arg(path.join("nginx.conf")), &config);
}

#[test]
#[ignore = "needs HAProxy: tests/run"]
fn haproxy_takes_its_lines() {
    let folder = folder();
    let path = folder.path();
    let of = |act: &Act| printed(Product::Haproxy, act, Language::Haproxy, path);
    let (exact, wild) = (of(&publish("mail.domain.com")), of(&publish("*.apps.domain.com")));
    let config = format!(
        "defaults\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n\
         frontend tls\n    mode tcp\n    bind 127.0.0.1:8443\n{}\n{}\n{}\n{}\n\
         frontend web\n    mode http\n{}\n    default_backend owa\n\
         backend owa\n    mode http\n{}\n{}\n",
        exact[0],
        wild[0].lines().last().unwrap_or_default(),
        exact[1],
        wild[1],
        of(&bind()).concat(),
        of(&members()).concat(),
        of(&redirect()).concat(),
    );
    fs::write(path.join("haproxy.cfg"), &config).expect("a configuration can be written");
    accepts(Command::new("haproxy").args(["-c", "-f"]).arg(path.join("haproxy.cfg")), &config);
}

#[test]
#[ignore = "needs Apache: tests/run"]
fn apache_takes_its_lines() {
    let folder = folder();
    let path = folder.path();
    let of = |act: &Act| printed(Product::Apache, act, Language::Apache, path).concat();
    let modules = [
        "mpm_event",
        "authz_core",
        "socache_shmcb",
        "slotmem_shm",
        "proxy",
        "proxy_http",
        "proxy_balancer",
        "lbmethod_byrequests",
        "alias",
        "ssl",
    ];
    let modules = modules.map(|m| format!("LoadModule {m}_module modules/mod_{m}.so\n")).concat();
    let config = format!(
        "ServerRoot /usr/lib/apache2\nServerName web\nPidFile {0}/pid\nErrorLog {0}/log\n{modules}\
         Listen 127.0.0.1:8443\n<Proxy balancer://owa>\n{1}\n{2}\n</Proxy>\n{3}\n{4}\n\
         <VirtualHost *:443>\nServerName other\nSSLEngine on\n{5}\n{6}\n</VirtualHost>\n",
        path.display(),
        of(&members()),
        of(&take_out()),
        of(&publish("mail.domain.com")),
        of(&publish("*.apps.domain.com")),
        of(&bind()),
        of(&redirect()),
    );
    fs::write(path.join("apache.conf"), &config).expect("a configuration can be written");
    accepts(Command::new("apache2").args(["-t", "-f"]).arg(path.join("apache.conf")), &config);
}

#[test]
#[ignore = "needs Postfix: tests/run"]
fn postfix_takes_its_command() {
    let folder = folder();
    let path = folder.path();
    for part in ["queue", "data"] {
        fs::create_dir(path.join(part)).expect("a folder");
    }
    let own =
        format!("compatibility_level = 3.6\nqueue_directory = {0}/queue\ndata_directory = {0}/data\n", path.display());
    fs::write(path.join("main.cf"), own).expect("main.cf can be written");
    fs::write(path.join("master.cf"), "").expect("master.cf can be written");
    let command = printed(Product::Postfix, &bind(), Language::Sh, path).concat();
    let (set, check) = command.split_once('\n').expect("two lines");
    assert!(check.starts_with("postfix check && "), "{check}");
    accepts(Command::new("sh").args(["-c", set]).env("MAIL_CONFIG", path), set);
    let shown = run(Command::new("postconf").arg("-c").arg(path).args(["-h", "smtpd_tls_chain_files"]));
    let want = format!("{0}/privkey.pem, {0}/fullchain.pem", path.display());
    assert_eq!(String::from_utf8_lossy(&shown.stdout).trim(), want);
    accepts(Command::new("postfix").arg("-c").arg(path).arg("check"), set);
}

#[test]
#[ignore = "needs Dovecot: tests/run"]
fn dovecot_takes_its_lines() {
    let folder = folder();
    let path = folder.path();
    let version = run(Command::new("dovecot").arg("--version"));
    let old = String::from_utf8_lossy(&version.stdout).starts_with("2.3");
    let config = printed(Product::Dovecot, &bind(), Language::Dovecot, path).swap_remove(usize::from(old));
    fs::write(path.join("dovecot.conf"), &config).expect("a configuration can be written");
    accepts(Command::new("doveconf").arg("-c").arg(path.join("dovecot.conf")).arg("ssl"), &config);
    let shown = run(Command::new("doveconf").arg("-n").arg("-c").arg(path.join("dovecot.conf")));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("fullchain.pem"), "{config}");
}

#[test]
#[ignore = "needs openssl: tests/run"]
fn openssl_makes_the_request_and_takes_only_its_own_certificate() {
    let folder = folder();
    let path = folder.path();
    let certificate = |act| Act::Certificate { server: "web".into(), act };
    let names = ["mail.domain.com", "autodiscover.domain.com", "*.apps.domain.com"].map(name).to_vec();
    let order = certificate(CertificateAct::Order { names, issuer: None });
    let script = printed(Product::Nginx, &order, Language::Sh, path).concat();
    accepts(Command::new("sh").args(["-ec", &script]).current_dir(path), &script);
    let shown = run(Command::new("openssl").args(["req", "-in", "coexist.csr", "-noout", "-text"]).current_dir(path));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for want in ["DNS:mail.domain.com, DNS:autodiscover.domain.com, DNS:*.apps.domain.com", "CN = mail.domain.com"] {
        assert!(shown.contains(want), "{shown}");
    }
    // What was issued for another key leaves everything as it was.
    let complete = printed(Product::Nginx, &certificate(CertificateAct::Complete), Language::Sh, path).concat();
    let key = fs::read_to_string(path.join("privkey.pem")).expect("a key");
    fs::copy(path.join("fullchain.pem"), path.join("fullchain.pem.new")).expect("a copy");
    assert!(!run(Command::new("sh").args(["-c", &complete])).status.success());
    assert_eq!(fs::read_to_string(path.join("privkey.pem")).expect("a key"), key);
    // What was issued for the request takes its place.
    let issue = "openssl req -x509 -in coexist.csr -key privkey.pem.new -days 9 -out fullchain.pem.new";
    accepts(Command::new("sh").args(["-c", issue]).current_dir(path), issue);
    let new = fs::read_to_string(path.join("privkey.pem.new")).expect("a key");
    accepts(Command::new("sh").args(["-c", &complete]), &complete);
    assert_eq!(fs::read_to_string(path.join("privkey.pem")).expect("a key"), new);
}

/// A zone that takes updates, at a port of its own.
fn updatable(path: &Path) -> (Daemon, SocketAddr) {
    let at = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), free_port(Ipv4Addr::LOCALHOST.into()));
    let zone = "$TTL 3600\n@ SOA ns admin 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\nmail A 10.0.0.3\nmail AAAA 2001:db8::3\n\
                www CNAME old\nold A 10.0.0.3\n";
    fs::write(path.join("domain.com.zone"), zone).expect("a zone file can be written");
    let config = format!(
        "options {{ directory \"{0}\"; pid-file \"{0}/pid\"; session-keyfile \"{0}/session.key\"; recursion no;\n\
         listen-on port {1} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no; }};\ncontrols {{ }};\n\
         zone \"domain.com\" {{ type primary; file \"domain.com.zone\"; allow-update {{ 127.0.0.1; }}; }};\n",
        path.display(),
        at.port()
    );
    fs::write(path.join("named.conf"), config).expect("a configuration can be written");
    // A copy, since AppArmor's profile of /usr/sbin/named keeps it out of folders like this one.
    let program = path.join("named");
    fs::copy("/usr/sbin/named", &program).expect("BIND is installed: run tests/run");
    let mut command = Command::new(program);
    command.args(["-g", "-4", "-n", "1", "-c"]).arg(path.join("named.conf"));
    (Daemon::start("named", &mut command, path, &Ready::Says(" running\n")), at)
}

/// The answer of the server, a sorted line for each record: TTL, type, what it says.
fn asked(at: SocketAddr, owner: &str, kind: &str) -> Vec<String> {
    let port = at.port().to_string();
    let out =
        run(Command::new("dig").args(["@127.0.0.1", "-p", &port, "+noall", "+answer", "+norecurse", owner, kind]));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = |l: &str| {
        l.split_ascii_whitespace()
            .enumerate()
            .filter(|(i, _)| *i != 0 && *i != 2)
            .map(|(_, w)| w.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut lines: Vec<String> = text.lines().map(line).collect();
    lines.sort();
    lines
}

fn records(all: &[(&str, &str)]) -> Vec<Rdata> {
    all.iter().map(|(kind, text)| Rdata::parse(kind, text).expect("a record")).collect()
}

#[test]
#[ignore = "needs BIND: tests/run"]
fn nsupdate_changes_a_real_zone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_daemon, at) = updatable(folder.path());
    let zone = ZonePlace {
        apex: Some(name("domain.com")),
        server: Some(at.to_string()),
        view: Some("internal".into()),
        internal: true,
    };
    let done = |act: ZoneAct| {
        let act = Act::Zone { zone: zone.clone(), act };
        let script = for_act(Product::Bind, &act).into_iter().find(|s| s.language == Language::Sh).expect("a script");
        accepts(Command::new("sh").args(["-c", &script.lines.join("\n")]), &script.lines.join("\n"));
    };
    let (mail, old) = (name("mail.domain.com"), records(&[("A", "10.0.0.3"), ("AAAA", "2001:db8::3")]));
    done(ZoneAct::Ttl { owner: mail.clone(), ttl: 300, values: old.clone() });
    assert_eq!(asked(at, "mail.domain.com", "A"), ["300 A 10.0.0.3"]);
    assert_eq!(asked(at, "mail.domain.com", "AAAA"), ["300 AAAA 2001:db8::3"]);
    done(ZoneAct::Create { owner: name("legacy.mail.domain.com"), ttl: 300, values: old.clone() });
    assert_eq!(asked(at, "legacy.mail.domain.com", "A"), ["300 A 10.0.0.3"]);
    let new = records(&[("A", "10.0.0.10"), ("A", "10.0.0.11"), ("AAAA", "2001:db8::10")]);
    done(ZoneAct::Change { owner: mail.clone(), ttl: 60, old, new });
    assert_eq!(asked(at, "mail.domain.com", "A"), ["60 A 10.0.0.10", "60 A 10.0.0.11"]);
    assert_eq!(asked(at, "mail.domain.com", "AAAA"), ["60 AAAA 2001:db8::10"]);
    // From an alias to an address, in one message.
    let (from, to) = (records(&[("CNAME", "old.domain.com.")]), records(&[("A", "10.0.0.10")]));
    done(ZoneAct::Change { owner: name("www.domain.com"), ttl: 60, old: from, new: to });
    assert_eq!(asked(at, "www.domain.com", "A"), ["60 A 10.0.0.10"]);
    for (owner, kind, text, want) in [
        ("domain.com", "MX", "10 mail.domain.com.", "60 MX 10 mail.domain.com."),
        ("_autodiscover._tcp.domain.com", "SRV", "0 0 443 mail.domain.com.", "60 SRV 0 0 443 mail.domain.com."),
        ("_25._tcp.mail.domain.com", "TLSA", "3 1 1 abcd", "60 TLSA 3 1 1 ABCD"),
        ("domain.com", "CAA", "0 issue \"ca.example\"", "60 CAA 0 issue \"ca.example\""),
        ("*.apps.domain.com", "A", "10.0.0.10", "60 A 10.0.0.10"),
    ] {
        let values = records(&[(kind, text)]);
        done(ZoneAct::Create { owner: name(owner), ttl: 60, values: values.clone() });
        assert_eq!(asked(at, owner, kind), [want]);
        done(ZoneAct::Remove { owner: name(owner), values });
        assert!(asked(at, owner, kind).is_empty(), "{owner} {kind}");
    }
    // A text of all that could be read as something else comes out of the zone as it went in.
    let text = "v=spf1 it's \"quoted\" \\ ; send $(touch owned) `id` %s ( m\u{fc}nchen";
    done(ZoneAct::Create { owner: name("text.domain.com"), ttl: 60, values: vec![Rdata::Txt(text.into())] });
    let said = asked(at, "text.domain.com", "TXT");
    assert_eq!(said, [format!("60 TXT {}", Rdata::Txt(text.into()))]);
}

#[test]
#[ignore = "needs BIND: tests/run"]
fn named_checkzone_takes_the_lines_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let zone = |apex: &str| ZonePlace { apex: Some(name(apex)), server: None, view: None, internal: true };
    let long = format!("\"{}\"", "x".repeat(600));
    let acts = [
        ("mail.domain.com", vec![("A", "10.0.0.3"), ("AAAA", "2001:db8::3")]),
        ("domain.com", vec![("MX", "10 mail.domain.com."), ("CAA", "0 issue \"ca.example\""), ("TXT", "v=spf1 -all")]),
        ("_autodiscover._tcp.domain.com", vec![("SRV", "0 0 443 mail.domain.com.")]),
        ("_25._tcp.mail.domain.com", vec![("TLSA", "3 1 1 abcd")]),
        ("*.apps.domain.com", vec![("CNAME", "mail.domain.com.")]),
        ("text.domain.com", vec![("TXT", "it's \"quoted\" ; ( $INCLUDE /etc/passwd"), ("TXT", long.as_str())]),
    ];
    let create = Act::Zone { zone: zone("domain.com"), act: ZoneAct::CreateZone };
    let mut text = printed(Product::Bind, &create, Language::ZoneFile, folder.path()).concat()
        + "\nns.domain.com. 300 IN A 127.0.0.1\n";
    for (owner, values) in acts {
        let act = ZoneAct::Create { owner: name(owner), ttl: 300, values: records(&values) };
        let act = Act::Zone { zone: zone("domain.com"), act };
        text += &(printed(Product::Bind, &act, Language::ZoneFile, folder.path()).concat() + "\n");
    }
    let file = folder.path().join("zone");
    fs::write(&file, &text).expect("a zone file can be written");
    accepts(Command::new("named-checkzone").arg("domain.com").arg(&file), &text);
}
