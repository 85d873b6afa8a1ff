//! Proxies: microsocks (SOCKS5) and tinyproxy (HTTP CONNECT), with a password and without, in front of a view.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use crate::certificates::Leaf;
use crate::daemon::{Daemon, Ready, free_port};
use crate::haproxy;
use crate::old_tls::Place;
use crate::run::{Report, check_as};
use crate::web;
use crate::world::{Running, World};

/// Who we are: SOCKS5 takes any characters, tinyproxy's configuration few.
const SOCKS: (&str, &str) = ("al@ice", "S3cret:of the bastion");
const HTTP: (&str, &str) = ("alice", "S3cret_of-the.bastion");

/// A password that nobody wants.
const UNUSED: &str = "nobody-wants-it";

/// Where a proxy listens unless a test wants it elsewhere.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 84, 1));

/// A proxy that is to be started.
#[derive(Clone, Copy)]
pub struct Proxy {
    scheme: &'static str,
    ip: IpAddr,
    with_password: bool,
    /// The one port to which tinyproxy leads.
    port: Option<u16>,
}

impl Proxy {
    pub fn of(scheme: &'static str) -> Self {
        Self { scheme, ip: HERE, with_password: false, port: None }
    }

    fn with_password(self) -> Self {
        Self { with_password: true, ..self }
    }

    fn credentials(&self) -> (&'static str, &'static str) {
        if self.scheme == "http" { HTTP } else { SOCKS }
    }

    /// Starts it.
    pub fn start(&self, folder: &Path) -> (Daemon, SocketAddr) {
        let at = SocketAddr::new(self.ip, free_port(self.ip));
        let daemon = match self.scheme {
            "http" => self.tinyproxy(folder, at),
            _ => self.microsocks(folder, at),
        };
        (daemon, at)
    }

    fn microsocks(&self, folder: &Path, at: SocketAddr) -> Daemon {
        let mut command = Command::new("microsocks");
        command.args(["-i", &at.ip().to_string(), "-p", &at.port().to_string()]);
        if self.with_password {
            let (user, password) = self.credentials();
            command.args(["-u", user, "-P", password]);
        }
        Daemon::start("microsocks", &mut command, folder, &Ready::Listens(&[at]))
    }

    fn tinyproxy(&self, folder: &Path, at: SocketAddr) -> Daemon {
        let mut config =
            format!("Listen {}\nPort {}\nTimeout 60\nMaxClients 200\nLogLevel Connect\n", at.ip(), at.port());
        if self.with_password {
            let (user, password) = self.credentials();
            config.push_str(&format!("BasicAuth {user} {password}\n"));
        }
        config.extend(self.port.map(|p| format!("ConnectPort {p}\n")));
        let file = folder.join("tinyproxy.conf");
        fs::write(&file, config).expect("a configuration can be written");
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(file);
        Daemon::start("tinyproxy", &mut command, folder, &Ready::Listens(&[at]))
    }

    /// What the plan says of it.
    pub fn line(&self, at: SocketAddr) -> String {
        let scheme = self.scheme;
        match self.with_password {
            false => format!("proxy = \"{scheme}://{at}\"\n"),
            true => {
                let user = self.credentials().0.replace('@', "%40");
                format!("proxy = \"{scheme}://{user}@{at}\"\npassword-env = \"BASTION\"\n")
            }
        }
    }
}

/// A running world in which the external view has a proxy.
struct Behind {
    world: Running,
    proxy: Option<Daemon>,
    at: SocketAddr,
}

impl Behind {
    fn start(world: World, proxy: Proxy) -> Self {
        let world = world.start();
        let (daemon, at) = proxy.start(world.folder.path());
        let path = world.folder.path().join("plan.toml");
        let plan = fs::read_to_string(&path).expect("the plan");
        let view = "[views.external]\n";
        fs::write(&path, plan.replacen(view, &format!("{view}{}", proxy.line(at)), 1)).expect("a plan can be written");
        Self { world, proxy: Some(daemon), at }
    }

    /// Looks with this password in the environment; all is recorded, and no password is found in anything written.
    fn check(&self, password: &str) -> Report {
        let report = check_as(&self.world, &[("BASTION", password)], &["--record", "seen.jsonl", "-v"]);
        let recorded = fs::read_to_string(self.world.folder.path().join("seen.jsonl")).expect("a recording");
        for text in [&report.text, &recorded, &report.errors] {
            assert!(!text.contains(password) && !text.contains(SOCKS.0) && !text.contains(HTTP.0), "{text}");
        }
        assert!(recorded.contains(&format!("{}\"", self.at)), "the recording says by which way");
        report
    }
}

fn passes(world: World, proxy: Proxy) -> Behind {
    let behind = Behind::start(world, proxy);
    let report = behind.check(proxy.credentials().1);
    assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    let proxies = &report.json["seen_from"]["proxies"];
    assert_eq!(proxies[0]["proxy"], format!("{}://{}", proxy.scheme, behind.at), "{}", report.text);
    behind
}

/// Nothing fails, and what touches the proxy could not be told: for this reason.
fn cannot_tell(report: &Report, why: &str) {
    assert_eq!((report.status, report.causes()), (3, Vec::new()), "{}", report.text);
    let findings = report.json["findings"].as_array().expect("findings");
    let open: Vec<&str> =
        findings.iter().filter(|f| f["open_question"] == true).filter_map(|f| f["title"].as_str()).collect();
    assert!(open.iter().any(|title| title.contains("through") && title.contains(why)), "{open:?}");
    let passed = report.json["obligations"]
        .as_array()
        .expect("obligations")
        .iter()
        .any(|o| o["kind"] == "path" && o["subject"]["view"] == "external" && o["verdict"] == "pass");
    assert!(!passed, "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_clean_world_passes_through_each_proxy() {
    for scheme in ["socks5", "http"] {
        passes(World::clean(), Proxy::of(scheme));
        passes(World::clean(), Proxy::of(scheme).with_password());
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_wrong_password_is_the_proxys_word() {
    for scheme in ["socks5", "http"] {
        let behind = Behind::start(World::clean(), Proxy::of(scheme).with_password());
        let report = behind.check("another");
        cannot_tell(&report, "does not let us in");
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_dead_proxy_leaves_the_view_unseen() {
    for scheme in ["socks5", "http"] {
        let mut behind = Behind::start(World::clean(), Proxy::of(scheme));
        behind.proxy = None;
        cannot_tell(&behind.check(UNUSED), "cannot be reached (connection refused)");
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_proxy_of_another_kind_says_so() {
    let mut behind = Behind::start(World::clean(), Proxy::of("http"));
    let path = behind.world.folder.path().join("plan.toml");
    let plan = fs::read_to_string(&path).expect("the plan");
    fs::write(&path, plan.replace("http://", "socks5://")).expect("a plan can be written");
    // It waits for the end of a line of HTTP.
    cannot_tell(&behind.check(UNUSED), "the proxy does not answer in time");
    behind.proxy = None;
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_proxy_that_forbids_the_way_is_not_the_endpoints_fault() {
    let behind = Behind::start(World::clean(), Proxy { port: Some(1), ..Proxy::of("http") });
    cannot_tell(&behind.check(UNUSED), "does not allow it");
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn an_endpoint_that_refuses_the_proxy_is_unreachable() {
    for scheme in ["socks5", "http"] {
        let mut world = World::clean();
        world.closed = vec![("203.0.113.30", 443)];
        let report = Behind::start(world, Proxy::of(scheme)).check(UNUSED);
        assert_eq!(report.causes(), ["endpoint-unreachable old external"], "{}", report.text);
        assert_eq!(report.status, 1);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_wrong_certificate_behind_the_proxy_alone_is_found() {
    let mut world = World::clean();
    world.starttls = false;
    let report = Behind::start(world, Proxy::of("socks5")).check(UNUSED);
    assert_eq!(report.causes(), ["mail-tls-endpoint-wrong mail"], "{}", report.text);
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn endpoints_and_proxies_at_ipv6_addresses() {
    let ip = IpAddr::V6(Ipv6Addr::LOCALHOST);
    for scheme in ["socks5", "http"] {
        let mut behind = Behind::start(World::clean(), Proxy { ip, ..Proxy::of(scheme) });
        let outside = (IpAddr::from([203, 0, 113, 30]), 443);
        let old = behind.world.played[&outside];
        let at = SocketAddr::new(ip, free_port(ip));
        let _relay = haproxy::passes_on(behind.world.folder.path(), at, &[old]);
        behind.world.played.insert(outside, at);
        let report = behind.check(UNUSED);
        assert_eq!((report.status, report.causes()), (0, Vec::new()), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_command_line_changes_the_way() {
    let mut behind = Behind::start(World::clean(), Proxy::of("socks5"));
    behind.proxy = None;
    let direct = check_as(&behind.world, &[], &["--proxy", "external=direct"]);
    assert_eq!((direct.status, direct.causes()), (0, Vec::new()), "{}", direct.text);
    let (_other, at) = Proxy::of("http").start(behind.world.folder.path());
    let other = check_as(&behind.world, &[], &["--proxy", &format!("external=http://{at}")]);
    assert_eq!((other.status, other.causes()), (0, Vec::new()), "{}", other.text);
}

/// What a proxy has written down so far.
fn log(folder: &Path, proxy: Proxy) -> String {
    let name = if proxy.scheme == "http" { "tinyproxy.log" } else { "microsocks.log" };
    fs::read_to_string(folder.join(name)).expect("the proxy's log")
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_views_resolver_is_asked_through_its_proxy_unless_by_datagrams() {
    for scheme in ["socks5", "http"] {
        let proxy = Proxy::of(scheme);
        let resolver = |world: &Running| world.played[&(IpAddr::from([203, 0, 113, 53]), 53)].port().to_string();
        let datagrams = passes(World::clean(), proxy);
        let seen = log(datagrams.world.folder.path(), proxy);
        assert!(!seen.contains(&resolver(&datagrams.world)), "{seen}");
        let mut world = World::clean();
        world.plan = world.plan.replace("\"203.0.113.53\"", "\"tcp://203.0.113.53\"");
        let mut behind = passes(world, proxy);
        let seen = log(behind.world.folder.path(), proxy);
        assert!(seen.contains(&resolver(&behind.world)), "{seen}");
        behind.proxy = None;
        let report = behind.check(UNUSED);
        assert_eq!((report.status, report.causes()), (3, Vec::new()), "{}", report.text);
        assert!(report.text.contains("through its proxy"), "{}", report.text);
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn old_servers_are_read_in_the_clear_behind_a_proxy() {
    const NAME: &str = "legacy.example.com";
    for scheme in ["socks5", "http"] {
        for (names, more) in [([NAME], None), (["other.example.com"], Some("endpoint-serves-wrong-certificate old"))] {
            let place = Place::of(
                "[views.internal]\nresolvers = [\"127.0.0.1:9\"]\ntrust = [\"root.pem\"]\nreaches = [\"10.0.0.0/8\"]\n\
                 PROXY[servers.old]\naddress = \"10.0.3.10\"\n[internet]\n\"legacy.example.com\" = \"old\"\n",
            );
            place.show("", &place.authority.issue_rsa(&Leaf::of(&names)));
            let proxy = Proxy::of(scheme);
            let (_proxy, at) = proxy.start(place.path());
            let plan = fs::read_to_string(place.path().join("plan.toml")).expect("the plan");
            fs::write(place.path().join("plan.toml"), plan.replace("PROXY", &proxy.line(at))).expect("a plan");
            let report = place.openssl(&["-tls1", "-cipher", "ALL:@SECLEVEL=0"]);
            let mut causes: Vec<String> = more.into_iter().map(String::from).collect();
            causes.push("tls-version-below-floor old".into());
            assert_eq!((report.causes(), report.open_questions()), (causes, vec![]), "{}", report.text);
            let seen = log(place.path(), proxy);
            assert!(seen.matches("127.0.0.1").count() > 2, "each hello is a connection through the proxy: {seen}");
        }
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn web_sites_are_asked_through_the_proxy() {
    for scheme in ["socks5", "http"] {
        let proxy = Proxy::of(scheme);
        let there = web::behind(|folder| {
            let (daemon, at) = proxy.start(folder);
            (daemon, proxy.line(at))
        });
        let dead = web::behind(|folder| ((), proxy.line(proxy.start(folder).1)));
        // From here the site could be asked all the same: nobody does.
        for (report, is_seen) in [(there, true), (dead, false)] {
            let findings = report.json["findings"].as_array().expect("findings");
            let found = findings.iter().any(|f| f["rule"] == "redirect-behaviour" && f["open_question"] == false);
            assert_eq!((found, report.status), (is_seen, if is_seen { 0 } else { 3 }), "{}", report.text);
        }
    }
}
