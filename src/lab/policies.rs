//! MTA-STS in the world: where the plan lists the record, its host and policy are there too.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::certificates::Issue;
use super::machines::{Door, Machine, Manner};
use super::web::Web;
use super::world::World;
use super::zone::addresses;
use crate::model::mta_sts;
use crate::model::name::Name;
use crate::model::plan::{MailDomain, Plan};
use crate::model::service::Way;

/// Where policies are given (RFC 5737's TEST-NET-2), one address for each mail domain.
const FIRST: u8 = 200;
const HTTPS: u16 = 443;
/// For how long a policy may be kept.
pub(super) const WEEK: u32 = 604_800;

impl World {
    /// Gives each mail domain whose record the plan lists a host that has its policy: every MX of every phase, enforced.
    pub(super) fn with_policies(mut self) -> Self {
        for (index, mail) in declared(&self.plan) {
            let (Some(host), Ok(at)) = (mta_sts::host(&mail.domain), u8::try_from(index)) else { continue };
            let address = IpAddr::V4(Ipv4Addr::new(198, 51, 100, FIRST.saturating_add(at)));
            self.issues.push(Issue::new(host.as_str(), vec![host.to_string()]));
            let web = Web {
                policy: Some(policy(mail.mx.iter().flatten().flatten().map(|m| &m.value), WEEK)),
                ..Web::default()
            };
            let door = Door {
                word: "https",
                way: Way::Implicit,
                manner: Manner::Serves,
                by_name: BTreeMap::new(),
                default: self.issues.len() - 1,
                whole_chain: true,
                wrong_key: false,
                web,
            };
            self.machines.push(Machine { label: host.as_str().into(), doors: [(HTTPS, door)].into() });
            self.endpoints.insert(SocketAddr::new(address, HTTPS), vec![vec![self.machines.len() - 1]]);
            for view in &mut self.views {
                view.zone.entries.insert(host.to_string(), addresses(vec![address], 300));
            }
        }
        self
    }
}

/// Mail domains whose record the plan lists, and whose policy's host is no name of the plan.
fn declared(plan: &Plan) -> Vec<(usize, MailDomain)> {
    let is = |(_, mail): &(usize, &MailDomain)| {
        let host = mta_sts::host(&mail.domain);
        let listed =
            plan.records.iter().any(|r| r.kind == "TXT" && mta_sts::owner(&mail.domain).as_ref() == Some(&r.owner));
        listed && host.is_some_and(|h| !plan.names.iter().any(|n| n.name == h))
    };
    plan.mail.iter().enumerate().filter(is).map(|(i, mail)| (i, mail.clone())).collect()
}

/// A policy that lists these hosts, and may be kept for so many seconds.
pub(crate) fn policy<'a>(hosts: impl Iterator<Item = &'a Name>, max_age: u32) -> String {
    let mut all: Vec<&Name> = hosts.collect();
    all.sort();
    all.dedup();
    let mx: String = all.into_iter().map(|host| format!("mx: {host}\r\n")).collect();
    format!("version: STSv1\r\nmode: enforce\r\n{mx}max_age: {max_age}\r\n")
}
