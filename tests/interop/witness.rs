//! The worlds themselves, seen by dig and openssl: what they say holds before any word of ours is believed.

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};

use crate::certificates::Leaf;
use crate::world::{Running, World};

#[test]
#[ignore = "needs real servers: run tests/run"]
fn the_clean_world_is_clean() {
    let world = World::clean().start();
    for (view, resolver) in [("internal", "10.0.0.53"), ("external", "203.0.113.53")] {
        let inside = view == "internal";
        assert_eq!(dig(&world, resolver, "www.example.com"), if inside { "10.0.1.10" } else { "203.0.113.10" });
        assert_eq!(dig(&world, resolver, "legacy.www.example.com"), if inside { "10.0.3.10" } else { "203.0.113.30" });
        assert_eq!(dig(&world, resolver, "wiki.example.com"), if inside { "10.0.1.10" } else { "NXDOMAIN" });
        assert_eq!(dig(&world, resolver, "shop.example.net"), if inside { "10.0.1.10" } else { "203.0.113.10" });
    }
    for ip in ["10.0.1.11", "10.0.1.12", "10.0.1.10", "203.0.113.10", "10.0.3.10", "203.0.113.30"] {
        assert_eq!(openssl(&world, ip, 443, "www.example.com", &[]), Ok(()), "{ip}");
    }
    for (port, starttls) in [(25, "smtp"), (587, "smtp"), (143, "imap"), (110, "pop3")] {
        let seen = openssl(&world, "10.0.2.10", port, "mail.example.com", &["-starttls", starttls]);
        assert_eq!(seen, Ok(()), "{port}");
    }
    for port in [993, 995] {
        assert_eq!(openssl(&world, "10.0.2.10", port, "mail.example.com", &[]), Ok(()), "{port}");
    }
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn a_broken_world_is_broken_where_it_should_be() {
    let mut world = World::clean();
    world.lose_zone("external", "example.net");
    world.serve("web-2", Leaf::of(&["web-2"]).self_signed());
    world.starttls = false;
    let running = world.start();
    assert_eq!(dig(&running, "203.0.113.53", "shop.example.net"), "SERVFAIL");
    assert_eq!(dig(&running, "10.0.0.53", "shop.example.net"), "10.0.1.10");
    assert_eq!(openssl(&running, "10.0.1.11", 443, "www.example.com", &[]), Ok(()));
    assert!(openssl(&running, "10.0.1.12", 443, "www.example.com", &[]).is_err());
    let through_the_front: Vec<_> =
        (0..4).map(|_| openssl(&running, "10.0.1.10", 443, "www.example.com", &[]).is_ok()).collect();
    assert_eq!(through_the_front.iter().filter(|ok| **ok).count(), 2, "{through_the_front:?}");
    assert!(openssl(&running, "10.0.2.10", 25, "mail.example.com", &["-starttls", "smtp"]).is_err());
}

#[test]
#[ignore = "needs real servers: run tests/run"]
fn nothing_is_left_behind() {
    let world = World::clean().start();
    let (folder, played) = (world.folder.path().to_path_buf(), world.played.clone());
    drop(world);
    for at in played.values() {
        let still = std::net::TcpStream::connect(at);
        assert!(still.is_err(), "somebody still listens at {at}");
    }
    assert!(!folder.exists());
}

/// The first address, or the response code where there is none.
fn dig(world: &Running, resolver: &str, name: &str) -> String {
    let at = played(world, resolver, 53);
    let out = Command::new("dig")
        .args([&format!("@{}", at.ip()), "-p", &at.port().to_string(), "+noall", "+comments", "+answer", name, "A"])
        .output()
        .expect("dig is installed: run tests/run");
    let text = String::from_utf8_lossy(&out.stdout);
    let address = text.lines().filter(|l| !l.starts_with(';')).find_map(|l| l.split_whitespace().nth(4));
    let status = || text.split("status: ").nth(1).and_then(|s| s.split(',').next());
    address.or_else(status).unwrap_or(&text).to_string()
}

/// Whether openssl finds a trusted chain that covers the name.
fn openssl(world: &Running, ip: &str, port: u16, name: &str, more: &[&str]) -> Result<(), String> {
    let at = played(world, ip, port);
    let out = Command::new("openssl")
        .args(["s_client", "-connect", &at.to_string(), "-servername", name, "-verify_hostname", name])
        .args(["-verify_return_error", "-brief", "-no-CAstore", "-no-CApath", "-CAfile"])
        .arg(world.folder.path().join("root.pem"))
        .args(more)
        .stdin(Stdio::null())
        .output()
        .expect("openssl is installed: run tests/run");
    if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}

fn played(world: &Running, ip: &str, port: u16) -> SocketAddr {
    let ip: IpAddr = ip.parse().expect("an address");
    world.played[&(ip, port)]
}
