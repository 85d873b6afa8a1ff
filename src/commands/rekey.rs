//! Bringing the right key to a server that serves a certificate without it.

use super::act::{Act, CertificateAct, Donor};
use super::product::Product;
use super::quote::powershell;
use super::remedy::install;
use super::script::{Script, lines};
use super::{for_act, refusal};
use crate::model::text::escape;

/// Lines that give a server the key of a certificate that it has already. To import the certificate once more changes
/// nothing there: Windows keeps the one that it has, with the key that it has. Without `from` nobody is known to hold the
/// key, and a new one is the only way.
pub fn rekey(product: Product, from: Option<Donor>, to: &str, thumbprint: &str, services: &[&str]) -> Vec<String> {
    let mut out = lines(&at_home(product, to, thumbprint));
    match from {
        Some(donor) => out.extend(from_donor(product, donor, to, thumbprint, services)),
        None => out.push(format!(
            "if nobody has the key any more: order a new certificate, its request made on {}",
            escape(to)
        )),
    }
    out
}

/// The key may be there and only not belong together any more.
fn at_home(product: Product, to: &str, thumbprint: &str) -> Vec<Script> {
    let on = escape(to);
    if product.has_windows_store() && refusal::plain(thumbprint, "is no thumbprint").is_ok() {
        let words =
            format!("on {on}, as administrator: join the certificate with its own key again, if the key is there:");
        let join = format!("certutil -repairstore my {}", powershell(thumbprint));
        return vec![Script::words([words]), Script::powershell([join])];
    }
    if product.has_files() {
        let words = format!("on {on}: these print the same, or the key in use is another certificate's:");
        let print = ["openssl x509 -in fullchain.pem -noout -pubkey", "openssl pkey -in privkey.pem -pubout"];
        return vec![Script::words([words]), Script::sh(print)];
    }
    vec![Script::words([format!(
        "on {on}: put the private key that belongs to the certificate in the place of the one in use"
    )])]
}

/// The certificate is taken away first, where its store would keep it with the wrong key.
fn from_donor(product: Product, from: Donor, to: &str, thumbprint: &str, services: &[&str]) -> Vec<String> {
    let donor = escape(&from.server);
    let mut out = Vec::new();
    if product.has_windows_store() {
        out.push(format!("else take it away there, and bring it with its key from {donor}, which holds it:"));
        let retire = CertificateAct::Retire { thumbprint: thumbprint.into() };
        out.extend(lines(&for_act(product, &Act::Certificate { server: to.into(), act: retire })));
    } else {
        out.push(format!("{donor} holds the right key:"));
    }
    out.extend(install(product, Some(from), to, thumbprint, services));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const THUMB: &str = "32F8BFDF1266C29F7A7E18D2694EA6FAFC150348";

    #[test]
    fn what_is_there_with_the_wrong_key_goes_before_the_right_one_comes() {
        let donor = Donor { server: "ex19-01".into(), product: Product::Exchange2016 };
        let lines = rekey(Product::Exchange2016, Some(donor), "ex19-02", THUMB, &["IIS:443"]);
        let place = |word: &str| lines.iter().position(|l| l.contains(word));
        assert!(place("certutil -repairstore my") < place("Remove-ExchangeCertificate -Server ex19-02"), "{lines:?}");
        assert!(place("Remove-ExchangeCertificate") < place("Import-ExchangeCertificate -Server ex19-02"), "{lines:?}");
        assert!(place("Import-ExchangeCertificate") < place("Enable-ExchangeCertificate"), "{lines:?}");
    }

    #[test]
    fn without_a_server_that_holds_the_key_a_new_one_is_ordered() {
        for product in [Product::Exchange2016, Product::Nginx, Product::Other] {
            let lines = rekey(product, None, "one", THUMB, &["https:443"]);
            assert!(lines.last().is_some_and(|l| l.contains("order a new certificate")), "{lines:?}");
            assert!(!lines.iter().any(|l| l.contains("Import-")), "{lines:?}");
        }
        let nginx = rekey(Product::Nginx, None, "one", THUMB, &[]);
        assert!(nginx.iter().any(|l| l.contains("openssl pkey")), "{nginx:?}");
    }
}
