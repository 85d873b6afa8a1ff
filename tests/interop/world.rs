//! A small company in the middle of a move: two new web servers behind an address in front, an old web server that keeps
//! its users under a legacy name, a mail server; two views of DNS. Tests take the clean world and break one thing.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::bind::{self, Bind, Zones};
use crate::certificates::{Authority, Identity, Leaf};
use crate::daemon::{Daemon, free_port};
use crate::dovecot::{self, Dovecot};
use crate::nginx::{self, Front, Site};
use crate::postfix::{self, Postfix};

/// The names of the new web servers; the old one has to serve them too while both run.
pub const WEB: [&str; 5] =
    ["www.example.com", "autodiscover.example.com", "shop.example.net", "wiki.example.com", "legacy.www.example.com"];

/// A world before it is started.
pub struct World {
    /// The authority that everybody trusts.
    pub authority: Authority,
    /// The plan's text.
    pub plan: String,
    /// The certificate files of the plan, by name: `web` and `mail`.
    pub files: BTreeMap<&'static str, String>,
    /// What DNS says, by view.
    pub views: BTreeMap<&'static str, Zones>,
    /// What `web-1`, `web-2`, `old` and `mail` serve; `imaps` if that differs from `mail`.
    pub serves: BTreeMap<&'static str, Identity>,
    /// Further lines of every zone.
    pub lines: String,
    /// The view whose server refuses every question.
    pub refuses: Option<&'static str>,
    /// Whether Postfix offers STARTTLS.
    pub starttls: bool,
    /// Logical addresses at which nothing shall listen, though the plan says so.
    pub closed: Vec<(&'static str, u16)>,
}

/// A world that runs.
pub struct Running {
    /// Where each logical address is played.
    pub played: BTreeMap<(IpAddr, u16), SocketAddr>,
    _bind: Bind,
    _daemons: Vec<Daemon>,
    /// The folder with the plan and its files; the last to go, since servers stop by the process ids that stand in it.
    pub folder: TempDir,
}

impl World {
    /// Everything is as the plan says.
    pub fn clean() -> Self {
        let authority = Authority::new("Interop");
        let web = authority.issue(&Leaf::of(&WEB));
        let mail = authority.issue_rsa(&Leaf::of(&["mail.example.com"]));
        let serves = [("web-1", &web), ("web-2", &web), ("old", &web), ("mail", &mail)];
        Self {
            plan: include_str!("plan.toml").to_string(),
            files: [("web", web.leaf.clone()), ("mail", mail.leaf.clone())].into(),
            views: [("internal", zones([0, 0])), ("external", zones([203, 113]))].into(),
            serves: serves.map(|(label, identity)| (label, identity.clone())).into(),
            lines: String::new(),
            refuses: None,
            starttls: true,
            closed: Vec::new(),
            authority,
        }
    }

    /// Lets all web servers serve this certificate, which the plan declares too.
    pub fn web_certificate(&mut self, identity: &Identity) {
        self.files.insert("web", identity.leaf.clone());
        for label in ["web-1", "web-2", "old"] {
            self.serves.insert(label, identity.clone());
        }
    }

    /// Lets one server serve this, whatever the plan says.
    pub fn serve(&mut self, label: &'static str, identity: Identity) {
        self.serves.insert(label, identity);
    }

    /// Lets a view answer for a name of example.com with this address.
    pub fn answer(&mut self, view: &str, owner: &'static str, address: [u8; 4]) {
        self.zone(view, "example.com").insert(owner, address.into());
    }

    /// Takes a name of example.com out of a view.
    pub fn forget(&mut self, view: &str, owner: &str) {
        self.zone(view, "example.com").remove(owner);
    }

    /// Takes a zone's file away, so that the view's server fails for all its names.
    pub fn lose_zone(&mut self, view: &str, zone: &str) {
        self.zone(view, zone).clear();
    }

    fn zone(&mut self, view: &str, zone: &str) -> &mut BTreeMap<&'static str, Ipv4Addr> {
        self.views.get_mut(view).and_then(|v| v.get_mut(zone)).expect("a zone of the clean world")
    }

    /// Starts every server.
    pub fn start(self) -> Running {
        let folder = TempDir::new().expect("a folder");
        // Servers that give up root's rights must be able to search it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode can be set");
        self.write_files(folder.path());
        let bind = bind::start(folder.path(), &self.views, self.refuses, &|_| self.lines.clone());
        let web = Web::choose();
        let mail: [SocketAddr; 6] = [25, 587, 143, 993, 110, 995].map(|_| listen([127, 0, 82, 10]));
        let mut played = web.played();
        for (port, at) in [25, 587, 143, 993, 110, 995].into_iter().zip(mail) {
            for ip in [[10, 0, 2, 10], [203, 0, 113, 20]] {
                played.insert((Ipv4Addr::from(ip).into(), port), at);
            }
        }
        played.insert((Ipv4Addr::new(10, 0, 0, 53).into(), 53), bind.at["internal"]);
        played.insert((Ipv4Addr::new(203, 0, 113, 53).into(), 53), bind.at["external"]);
        for (ip, port) in &self.closed {
            let ip: IpAddr = ip.parse().expect("an address");
            played.insert((ip, *port), listen([127, 0, 83, 1]));
        }
        let daemons = self.start_servers(folder.path(), &web, mail);
        Running { played, _bind: bind, _daemons: daemons, folder }
    }

    fn write_files(&self, folder: &Path) {
        fs::write(folder.join("plan.toml"), &self.plan).expect("a plan can be written");
        fs::write(folder.join("root.pem"), &self.authority.root).expect("a root can be written");
        for (label, pem) in &self.files {
            fs::write(folder.join(format!("{label}.pem")), pem).expect("a certificate can be written");
        }
    }

    fn start_servers(&self, folder: &Path, web: &Web, mail: [SocketAddr; 6]) -> Vec<Daemon> {
        let site = |label: &str, at| Site { at, identity: self.serves[label].clone() };
        let sites = [site("web-1", web.nodes[0]), site("web-2", web.nodes[1]), site("old", web.old)];
        let front = Front { at: web.front, members: web.nodes.to_vec() };
        let [smtp, submission, imap, imaps, pop3, pop3s] = mail;
        let identity = &self.serves["mail"];
        let post = Postfix { at: [smtp, submission], identity: self.starttls.then_some(identity), settings: "" };
        let mut boxes = vec![("imap", imap), ("pop3", pop3), ("pop3s", pop3s)];
        let mut daemons = Vec::new();
        match self.serves.get("imaps") {
            None => boxes.push(("imaps", imaps)),
            // One Dovecot has one certificate for all its ports.
            other => {
                let old = Dovecot { at: &[("imaps", imaps)], identity: other };
                daemons.push(dovecot::start(folder, "dovecot-old", &old));
            }
        }
        daemons.push(dovecot::start(folder, "dovecot", &Dovecot { at: &boxes, identity: Some(identity) }));
        daemons.push(nginx::start(folder, &sites, &front));
        daemons.push(postfix::start(folder, &post));
        daemons
    }
}

impl Running {
    /// DNS alone.
    pub fn of_dns(folder: TempDir, bind: Bind, closed: &[(&str, u16)]) -> Self {
        let mut played = BTreeMap::new();
        for (ip, at) in [([10, 0, 0, 53], "internal"), ([203, 0, 113, 53], "external")] {
            played.insert((Ipv4Addr::from(ip).into(), 53), bind.at[at]);
        }
        for (ip, port) in closed {
            played.insert((ip.parse().expect("an address"), *port), listen([127, 0, 83, 1]));
        }
        Self { played, _bind: bind, _daemons: Vec::new(), folder }
    }
}

/// Where the web servers listen.
struct Web {
    nodes: [SocketAddr; 2],
    front: SocketAddr,
    old: SocketAddr,
}

impl Web {
    fn choose() -> Self {
        Self {
            nodes: [listen([127, 0, 81, 11]), listen([127, 0, 81, 12])],
            front: listen([127, 0, 81, 10]),
            old: listen([127, 0, 81, 30]),
        }
    }

    fn played(&self) -> BTreeMap<(IpAddr, u16), SocketAddr> {
        let pairs = [
            ([10, 0, 1, 11], self.nodes[0]),
            ([10, 0, 1, 12], self.nodes[1]),
            ([10, 0, 1, 10], self.front),
            ([203, 0, 113, 10], self.front),
            ([10, 0, 3, 10], self.old),
            ([203, 0, 113, 30], self.old),
        ];
        pairs.into_iter().map(|(ip, at)| ((Ipv4Addr::from(ip).into(), 443), at)).collect()
    }
}

fn listen(ip: [u8; 4]) -> SocketAddr {
    let ip = IpAddr::from(ip);
    SocketAddr::new(ip, free_port(ip))
}

/// The zones as a view sees them: inside, private addresses and one name more.
fn zones(view: [u8; 2]) -> Zones {
    let inside = view == [0, 0];
    let at = |inner: [u8; 4], outer: u8| Ipv4Addr::from(if inside { inner } else { [203, 0, 113, outer] });
    let (web, old, mail) = (at([10, 0, 1, 10], 10), at([10, 0, 3, 10], 30), at([10, 0, 2, 10], 20));
    let mut company: BTreeMap<_, _> = [("www", web), ("autodiscover", web), ("legacy.www", old), ("mail", mail)].into();
    if inside {
        company.insert("wiki", web);
    }
    [("example.com", company), ("example.net", [("shop", web)].into())].into()
}
