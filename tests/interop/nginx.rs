//! nginx: web servers at addresses of their own, and an address in front that hands connections on, TLS untouched.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::certificates::Identity;
use crate::daemon::{Daemon, Ready};

/// A web server: where it listens and what it serves, whatever name is asked for.
pub struct Site {
    /// Its address.
    pub at: SocketAddr,
    /// Its certificate.
    pub identity: Identity,
}

/// An address in front of others; each connection goes to the next of them.
pub struct Front {
    /// Its address.
    pub at: SocketAddr,
    /// The addresses behind it.
    pub members: Vec<SocketAddr>,
}

/// Starts one nginx that is all of them.
pub fn start(folder: &Path, sites: &[Site], front: &Front) -> Daemon {
    let folder = folder.join("nginx");
    fs::create_dir(&folder).expect("a folder");
    let mut servers = String::new();
    for (i, site) in sites.iter().enumerate() {
        fs::write(folder.join(format!("{i}.pem")), &site.identity.chain).expect("a chain can be written");
        fs::write(folder.join(format!("{i}.key")), &site.identity.key).expect("a key can be written");
        let _ = writeln!(
            servers,
            "  server {{ listen {} ssl; ssl_certificate {i}.pem; ssl_certificate_key {i}.key; return 204; }}",
            site.at
        );
    }
    let members: String = front.members.iter().map(|m| format!("server {m}; ")).collect();
    let path = folder.display();
    let config = format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n\
         daemon off; worker_processes 1; user root; pid {path}/nginx.pid; error_log stderr;\n\
         events {{ }}\n\
         http {{\n  access_log off;\n  client_body_temp_path {path}/t1; proxy_temp_path {path}/t2;\n  \
         fastcgi_temp_path {path}/t3; uwsgi_temp_path {path}/t4; scgi_temp_path {path}/t5;\n{servers}}}\n\
         stream {{ upstream members {{ {members}}} server {{ listen {}; proxy_pass members; }} }}\n",
        front.at
    );
    fs::write(folder.join("nginx.conf"), config).expect("a configuration can be written");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&folder).args(["-e", "stderr", "-c"]).arg(folder.join("nginx.conf"));
    let listening: Vec<_> = sites.iter().map(|s| s.at).chain([front.at]).collect();
    Daemon::start("nginx", &mut command, &folder, &Ready::Listens(&listening))
}
