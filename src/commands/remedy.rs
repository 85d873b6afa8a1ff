//! What to type to mend a finding: acts put together, as lines of a remedy.

use std::net::IpAddr;

use super::act::{Act, CertificateAct, Donor, ZonePlace};
use super::product::Product;
use super::rdata::Rdata;
use super::script::{Script, lines};
use super::{bind, exchange_2016, for_act, refusal, windows_dns, zone_file};
use crate::model::finding::TYPED;
use crate::model::name::Name;

/// Lines that bring the certificate with this thumbprint, and its key, from one server to another and into use there.
/// `services` are the plan's words; without `from` the certificate comes from a file or store that is not known here.
pub fn install(product: Product, from: Option<Donor>, to: &str, thumbprint: &str, services: &[&str]) -> Vec<String> {
    let act = |server: &str, act: CertificateAct| Act::Certificate { server: server.into(), act };
    let thumb = || thumbprint.to_string();
    let bind = act(to, CertificateAct::Bind { thumbprint: thumb(), services: owned(services) });
    let import = act(to, CertificateAct::Import { thumbprint: thumb(), from: from.clone() });
    let both = (product, from.as_ref().map(|d| d.product));
    let scripts: Vec<Script> = match (both, &from) {
        // In one shell, by no file.
        ((Product::Exchange2016, Some(Product::Exchange2016)), Some(donor)) => {
            let export = act(&donor.server, CertificateAct::Export { thumbprint: thumb() });
            match [&export, &import].into_iter().find_map(refusal::unsafe_text) {
                Some(refusal) => refusal::in_words(&import, &refusal),
                None => exchange_2016::hand_over(&donor.server, to, thumbprint),
            }
        }
        (_, Some(donor)) if by_file(product, donor.product) => {
            let export = act(&donor.server, CertificateAct::Export { thumbprint: thumb() });
            // A shell that reads the donor's own file makes no copy.
            let reads_there =
                donor.product.has_exchange_shell() && product.has_exchange_shell() && product != Product::Exchange2007;
            let holders = [(donor.product, donor.server.as_str()), (product, to)];
            let holders = holders.iter().take(if reads_there { 1 } else { 2 });
            let delete = holders.flat_map(|(p, s)| for_act(*p, &act(s, CertificateAct::DeleteCopies)));
            [for_act(donor.product, &export), for_act(product, &import), delete.collect()].concat()
        }
        _ => for_act(product, &import),
    };
    lines(&[scripts, for_act(product, &bind)].concat())
}

/// True if the certificate travels as a PFX between these two: one of them at least has the Windows store.
fn by_file(to: Product, from: Product) -> bool {
    let known = |product: Product| product.has_windows_store() || product.has_files();
    known(to) && known(from) && (to.has_windows_store() || from.has_windows_store())
}

/// Lines that put a certificate that is already on the server into use there.
pub fn enable(product: Product, server: &str, thumbprint: &str, services: &[&str]) -> Vec<String> {
    let bind = CertificateAct::Bind { thumbprint: thumbprint.into(), services: owned(services) };
    lines(&for_act(product, &Act::Certificate { server: server.into(), act: bind }))
}

fn owned(services: &[&str]) -> Vec<String> {
    services.iter().map(ToString::to_string).collect()
}

/// A zone file's line (RFC 1035 section 5.1): `legacy.mail.domain.com. 300 IN A 203.0.113.3`. `ttl` in seconds.
pub fn zone_line(name: &Name, ttl: u32, address: IpAddr) -> String {
    zone_file::line(name, ttl, &address.into())
}

/// A line that adds an address to a zone: typed where the product that serves the zone is known, else the line for the
/// zone file. `server` is the DNS server to talk to.
pub fn add_record(
    product: Product,
    zone: Option<&Name>,
    server: Option<&str>,
    name: &Name,
    ttl: u32,
    address: IpAddr,
) -> Vec<String> {
    let place = ZonePlace { apex: zone.cloned(), server: server.map(Into::into), view: None, internal: true };
    let value: Rdata = address.into();
    let line = match (product, zone) {
        (Product::WindowsDns, Some(apex)) => windows_dns::add_line(&place, apex, name, ttl, &value).ok(),
        (Product::Bind, Some(_)) => bind::nsupdate(&place, &bind::added(name, ttl, &[value])).ok(),
        _ => None,
    };
    vec![line.map_or_else(|| zone_line(name, ttl, address), |line| format!("{TYPED}{line}"))]
}
