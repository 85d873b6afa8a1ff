//! BIND 9 with a view for the clients inside and one for those outside.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use crate::daemon::{Daemon, Ready, free_port};

/// What a view answers: by zone and owner (relative to the zone), its address. A zone without records cannot be loaded, so
/// that its names give SERVFAIL.
pub type Zones = BTreeMap<&'static str, BTreeMap<&'static str, Ipv4Addr>>;

/// The running servers and where each view is asked.
pub struct Bind {
    /// By view: where it is asked.
    pub at: BTreeMap<&'static str, SocketAddr>,
    _daemons: Vec<Daemon>,
}

/// An address for each view of one server, as tests/run lends them to loopback: BIND listens only at addresses that an
/// interface really has.
pub const OWN: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 53, 52), Ipv4Addr::new(127, 0, 53, 53)];

/// Starts one server that tells its views by the address that is asked; where loopback has no address for each, one
/// server per view. A view may refuse every question; `lines` are further lines in each zone's file of a view.
pub fn start(
    folder: &Path,
    views: &BTreeMap<&'static str, Zones>,
    refuses: Option<&str>,
    lines: &dyn Fn(&str) -> String,
) -> Bind {
    let together = has_own();
    let ips = if together { OWN } else { [Ipv4Addr::LOCALHOST; 2] };
    let socket = |ip: Ipv4Addr| SocketAddr::new(ip.into(), free_port(ip.into()));
    let at: BTreeMap<_, _> = views.keys().copied().zip(ips.map(socket)).collect();
    let parts: Vec<Vec<&'static str>> = match together {
        true => vec![views.keys().copied().collect()],
        false => views.keys().map(|v| vec![*v]).collect(),
    };
    let daemons = parts.iter().map(|part| start_one(folder, part, views, &at, refuses, lines)).collect();
    Bind { at, _daemons: daemons }
}

/// True if loopback has an address for each view.
pub fn has_own() -> bool {
    OWN.into_iter().all(has)
}

/// True if loopback has the address.
fn has(address: Ipv4Addr) -> bool {
    let shown = Command::new("ip").args(["-o", "addr", "show", "dev", "lo"]).output();
    shown.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains(&format!(" {address}/32 ")))
}

fn start_one(
    folder: &Path,
    part: &[&'static str],
    views: &BTreeMap<&'static str, Zones>,
    at: &BTreeMap<&'static str, SocketAddr>,
    refuses: Option<&str>,
    lines: &dyn Fn(&str) -> String,
) -> Daemon {
    let folder = folder.join(format!("bind-{}", part.join("-")));
    fs::create_dir(&folder).expect("a folder");
    let mut config = options(&folder);
    for view in part {
        let clients = if refuses == Some(*view) { "none" } else { "any" };
        let ip = at[view].ip();
        let _ = writeln!(config, "view {view} {{ match-destinations {{ {ip}; }}; allow-query {{ {clients}; }};");
        for (zone, records) in &views[view] {
            let file = format!("{view}.{zone}.zone");
            let _ = writeln!(config, "  zone \"{zone}\" {{ type primary; file \"{file}\"; }};");
            if !records.is_empty() {
                fs::write(folder.join(file), zone_file(records) + &lines(view)).expect("a zone file can be written");
            }
        }
        config.push_str("};\n");
    }
    let listen: String =
        part.iter().fold(String::new(), |s, v| s + &format!("listen-on port {} {{ {}; }}; ", at[v].port(), at[v].ip()));
    fs::write(folder.join("named.conf"), config.replace("@LISTEN@", &listen)).expect("a configuration can be written");
    // A copy, since AppArmor's profile of /usr/sbin/named keeps it out of folders like this one.
    let program = folder.join("named");
    fs::copy("/usr/sbin/named", &program).expect("BIND is installed: run tests/run");
    let mut command = Command::new(program);
    command.args(["-g", "-4", "-n", "1", "-c"]).arg(folder.join("named.conf"));
    Daemon::start("named", &mut command, &folder, &Ready::Says(" running\n"))
}

fn options(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "options {{ directory \"{folder}\"; pid-file \"{folder}/named.pid\"; session-keyfile \"{folder}/session.key\";\n\
         @LISTEN@listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; }};\n\
         controls {{ }};\n"
    )
}

fn zone_file(records: &BTreeMap<&str, Ipv4Addr>) -> String {
    let mut text = String::from("$TTL 300\n@ SOA ns admin 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n");
    for (owner, address) in records {
        let _ = writeln!(text, "{owner} A {address}");
    }
    text
}
