//! What to type, per product: printed, never run. Values come from plans and certificates: they are quoted for the shell
//! that they are meant for, and no value can bring a line of its own. A value that could not be typed as it is is refused,
//! with words; what a product cannot do is said in words. No password and no key ever stands in a line.

mod act;
mod apache;
mod azure_dns;
mod bind;
mod cloudflare;
mod dovecot;
mod exchange;
mod exchange_2003;
mod exchange_2007;
mod exchange_2010;
mod exchange_2013;
mod exchange_2016;
mod haproxy;
mod iis;
mod kubernetes;
mod look;
mod nginx;
mod openssl;
mod postfix;
mod product;
mod quote;
mod rdata;
mod refusal;
mod rekey;
mod remedy;
mod route53;
mod script;
mod windows_dns;
mod windows_dns_before_2012;
mod words;
mod zone_file;

#[cfg(test)]
mod tests;

pub use act::{Act, CertificateAct, Donor, Look, MailWay, Member, ServerAct, ZoneAct, ZonePlace};
pub use product::Product;
pub use quote::{posix, powershell, toml};
pub use rdata::Rdata;
pub use rekey::rekey;
pub use remedy::{add_record, enable, install, zone_line};
pub use script::{Language, Script, lines};

use refusal::Refusal;

/// What a product says to type, or the value that it cannot type.
type Scripts = Result<Vec<Script>, Refusal>;

/// What to type, where this product is, to do this; in order, each script in one place. Never empty: where the product
/// has no command, or a value cannot be typed as it is, it is words.
pub fn for_act(product: Product, act: &Act) -> Vec<Script> {
    let scripts = match refusal::unsafe_text(act) {
        Some(refusal) => Err(refusal),
        None => of_product(product, act),
    };
    scripts.unwrap_or_else(|refusal| refusal::in_words(act, &refusal))
}

fn of_product(product: Product, act: &Act) -> Scripts {
    if let Act::Look(Look::Endpoint { at, way, name }) = act {
        return Ok(look::endpoint(*at, *way, name.as_ref()));
    }
    match product {
        Product::Exchange2003 => exchange_2003::scripts(act),
        Product::Exchange2007 => exchange_2007::scripts(act),
        Product::Exchange2010 => exchange_2010::scripts(act),
        Product::Exchange2013 | Product::Exchange2016Before => exchange_2013::scripts(product, act),
        Product::Exchange2016 => exchange_2016::scripts(act),
        Product::WindowsDns => windows_dns::scripts(act),
        Product::Bind => bind::scripts(act),
        Product::Iis6 | Product::Iis => iis::scripts(product, act),
        Product::Nginx => nginx::scripts(act),
        Product::Apache => apache::scripts(act),
        Product::Haproxy => haproxy::scripts(act),
        Product::Postfix => postfix::scripts(act),
        Product::Dovecot => dovecot::scripts(act),
        Product::WindowsDnsBefore2012 => windows_dns_before_2012::scripts(act),
        Product::Route53 => route53::scripts(act),
        Product::AzureDns => azure_dns::scripts(act),
        Product::Cloudflare => cloudflare::scripts(act),
        Product::Kubernetes => kubernetes::scripts(act),
        Product::Nsd | Product::Knot | Product::PowerDns | Product::Other => zone_file::scripts(product, act),
    }
}
