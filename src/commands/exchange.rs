//! Bringing a certificate to a server and into use there, by product. A line is a command, or words where a product has
//! none. Passwords are asked for by the command itself and never stand in it.

use super::powershell;
use super::product::Product;
use crate::model::text::escape;

/// Asked for at the prompt; the user name is not used.
const PASSWORD: &str = "-Password (Get-Credential pfx).Password";

/// A server that has a certificate with its key: its label and, if the plan says it, its product.
#[derive(Clone, Copy, Debug)]
pub struct Donor<'a> {
    /// The label.
    pub label: &'a str,
    /// The product's word.
    pub product: Option<&'a str>,
}

/// Lines that bring the certificate with this thumbprint, and its key, from one server to another and into use there.
/// `services` are the plan's words; without `from` the certificate comes from a file or store that is not known here.
pub fn install(
    product: Option<&str>,
    from: Option<Donor<'_>>,
    to: &str,
    thumbprint: &str,
    services: &[&str],
) -> Vec<String> {
    let source = from.map_or("the server that has it with its key", |donor| donor.label);
    let target = Product::of(product);
    if let Some(lines) = from.and_then(|donor| from_elsewhere(donor, target, to, thumbprint)) {
        return [lines, enable(product, to, thumbprint, services)].concat();
    }
    let mut lines = match (target, from.map(|donor| donor.label)) {
        (Product::Exchange2016, Some(from)) => by_file_data(from, to, thumbprint),
        (Product::Exchange2013, Some(from)) => by_file_name(from, to, thumbprint),
        (Product::Exchange2010, Some(from)) => by_set_content(from, to, thumbprint),
        (Product::Exchange2007, _) => by_path(source, to, thumbprint),
        (Product::Exchange2003, _) => by_console(source, to, thumbprint),
        (Product::Windows, _) => by_store(source, to, thumbprint),
        (Product::Nginx | Product::Apache | Product::Haproxy | Product::Postfix | Product::Dovecot, _) => {
            let (source, to) = (escape(source), escape(to));
            vec![format!("copy the certificate with its intermediates (full chain) and its key from {source} to {to}")]
        }
        _ => vec![format!("on {}: import {} with its key from {}", escape(to), escape(thumbprint), escape(source))],
    };
    lines.extend(enable(product, to, thumbprint, services));
    lines
}

/// Lines that put a certificate that is already on the server into use there.
pub fn enable(product: Option<&str>, server: &str, thumbprint: &str, services: &[&str]) -> Vec<String> {
    let (on, words) = (powershell(server), exchange_services(services));
    let thumb = powershell(thumbprint);
    let line = match Product::of(product) {
        Product::Exchange2016 | Product::Exchange2013 | Product::Exchange2010 => {
            typed!("Enable-ExchangeCertificate -Server {on} -Thumbprint {thumb} -Services {words}")
        }
        // Exchange 2007 has no -Server here: it is typed on the server itself.
        Product::Exchange2007 => typed!("Enable-ExchangeCertificate -Thumbprint {thumb} -Services {words}"),
        Product::Exchange2003 => {
            let shown = (escape(server), escape(thumbprint));
            return vec![
                format!(
                    "on {}: IIS Manager, Default Web Site, Properties, Directory Security, Server Certificate",
                    shown.0
                ),
                format!("choose \"Replace the current certificate\", then {}", shown.1),
            ];
        }
        Product::Windows => typed!("(Get-WebBinding -Protocol https).AddSslCertificate({}, 'My')", quoted(thumbprint)),
        Product::Nginx => return served("ssl_certificate = the full chain", "nginx -t && nginx -s reload"),
        Product::Apache => {
            return served("SSLCertificateFile = the full chain", "apachectl configtest && apachectl graceful");
        }
        Product::Haproxy => {
            let reload = "haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy";
            return served("crt = one file with the full chain and the key", reload);
        }
        Product::Postfix => {
            return served("smtpd_tls_chain_files = the key, then the full chain", "postfix check && postfix reload");
        }
        Product::Dovecot => {
            let set = "ssl_cert (from 2.4: ssl_server_cert_file) = the full chain";
            return served(set, "doveconf -n >/dev/null && doveadm reload");
        }
        Product::WindowsDns | Product::Bind | Product::Unknown => {
            let list = services.iter().map(|s| escape(s)).collect::<Vec<_>>().join(", ");
            format!("put {} into use on {} for {list}", escape(thumbprint), escape(server))
        }
    };
    vec![line]
}

fn served(set: &str, reload: &str) -> Vec<String> {
    vec![format!("in its configuration: {set}"), typed!("{reload}")]
}

/// `Enable-ExchangeCertificate -Services`, from the plan's words.
fn exchange_services(services: &[&str]) -> String {
    let of = |word: &str| match word.split_once(':').map_or(word, |(word, _)| word) {
        "IIS" | "https" | "tls" => Some("IIS"),
        "SMTP" | "smtp" | "submission" | "smtps" | "submissions" => Some("SMTP"),
        "IMAP" | "imap" | "imaps" => Some("IMAP"),
        "POP" | "pop3" | "pop3s" => Some("POP"),
        _ => None,
    };
    let wanted: Vec<&str> = services.iter().filter_map(|s| of(s)).collect();
    let each = ["IIS", "SMTP", "IMAP", "POP"].into_iter().filter(|s| wanted.contains(s)).collect::<Vec<_>>();
    if each.is_empty() { "IIS".into() } else { each.join(",") }
}

/// Onto an Exchange from a server whose shell has no cmdlet that exports: by a file.
fn from_elsewhere(donor: Donor<'_>, target: Product, to: &str, thumbprint: &str) -> Option<Vec<String>> {
    let import = import_file(target, to)?;
    let (from, thumb) = (escape(donor.label), escape(thumbprint));
    let export = match Product::of(donor.product) {
        Product::Exchange2007 | Product::Exchange2010 | Product::Exchange2013 | Product::Exchange2016 => return None,
        Product::Nginx | Product::Apache | Product::Haproxy | Product::Postfix | Product::Dovecot | Product::Bind => {
            vec![
                format!(
                    "on {from}, make a PFX of the certificate with its intermediates and its key (asks for a password):"
                ),
                typed!("openssl pkcs12 -export -in fullchain.pem -inkey privkey.pem -out coexist.pfx"),
            ]
        }
        Product::Exchange2003 | Product::Windows | Product::WindowsDns | Product::Unknown => vec![format!(
            "on {from}: mmc, Certificates (Computer account), Personal: {thumb}, All Tasks, Export, with the private key (PFX)"
        )],
    };
    let copy =
        format!(r"copy the file to C:\coexist.pfx on {}, and there, in the Exchange Management Shell:", escape(to));
    let remove = typed!(r"Remove-Item C:\coexist.pfx");
    Some([export, vec![copy, import, remove]].concat())
}

/// Reads a PFX into an Exchange; `None` for what is no Exchange that has the cmdlet.
fn import_file(target: Product, to: &str) -> Option<String> {
    let server = powershell(to);
    let file = match target {
        Product::Exchange2016 => format!(r"-Server {server} -FileData ([IO.File]::ReadAllBytes('C:\coexist.pfx'))"),
        Product::Exchange2013 => {
            format!("-Server {server} -FileName {}", powershell(&format!(r"\\{to}\C$\coexist.pfx")))
        }
        Product::Exchange2010 => format!(
            r"-Server {server} -FileData ([Byte[]]$(Get-Content -Path C:\coexist.pfx -Encoding Byte -ReadCount 0))"
        ),
        Product::Exchange2007 => {
            return Some(typed!(
                r"Import-ExchangeCertificate -Path C:\coexist.pfx {PASSWORD} -PrivateKeyExportable:$true"
            ));
        }
        _ => return None,
    };
    Some(typed!("Import-ExchangeCertificate {file} {PASSWORD} -PrivateKeyExportable $true"))
}

/// 2016 from the first-half update of 2022 on: no path parameters any more.
fn by_file_data(from: &str, to: &str, thumbprint: &str) -> Vec<String> {
    let (source, target, thumb) = (powershell(from), powershell(to), powershell(thumbprint));
    vec![
        typed!("$c = Export-ExchangeCertificate -Server {source} -Thumbprint {thumb} -BinaryEncoded {PASSWORD}"),
        typed!(
            "Import-ExchangeCertificate -Server {target} -FileData $c.FileData {PASSWORD} -PrivateKeyExportable $true"
        ),
    ]
}

fn by_file_name(from: &str, to: &str, thumbprint: &str) -> Vec<String> {
    let (source, target, thumb) = (powershell(from), powershell(to), powershell(thumbprint));
    let file = powershell(&format!(r"\\{from}\C$\coexist.pfx"));
    vec![
        typed!(
            "Export-ExchangeCertificate -Server {source} -Thumbprint {thumb} -FileName {file} -BinaryEncoded {PASSWORD}"
        ),
        typed!("Import-ExchangeCertificate -Server {target} -FileName {file} {PASSWORD} -PrivateKeyExportable $true"),
        typed!("Remove-Item {file}"),
    ]
}

fn by_set_content(from: &str, to: &str, thumbprint: &str) -> Vec<String> {
    let (source, target, thumb) = (powershell(from), powershell(to), powershell(thumbprint));
    let file = powershell(&format!(r"\\{from}\C$\coexist.pfx"));
    let read = format!("([Byte[]]$(Get-Content -Path {file} -Encoding Byte -ReadCount 0))");
    vec![
        typed!("$f = Export-ExchangeCertificate -Server {source} -Thumbprint {thumb} -BinaryEncoded:$true {PASSWORD}"),
        typed!("Set-Content -Path {file} -Value $f.FileData -Encoding Byte"),
        typed!("Import-ExchangeCertificate -Server {target} -FileData {read} {PASSWORD} -PrivateKeyExportable $true"),
        typed!("Remove-Item {file}"),
    ]
}

/// 2007 works on the server where it is typed only.
fn by_path(from: &str, to: &str, thumbprint: &str) -> Vec<String> {
    let thumb = powershell(thumbprint);
    vec![
        format!("on {}:", escape(from)),
        typed!(r"Export-ExchangeCertificate -Thumbprint {thumb} -BinaryEncoded:$true -Path C:\coexist.pfx {PASSWORD}"),
        format!("copy the file to {}, and there:", escape(to)),
        typed!(r"Import-ExchangeCertificate -Path C:\coexist.pfx {PASSWORD} -PrivateKeyExportable:$true"),
    ]
}

fn by_console(from: &str, to: &str, thumbprint: &str) -> Vec<String> {
    let (from, to, thumb) = (escape(from), escape(to), escape(thumbprint));
    vec![
        format!("export {thumb} with its key from {from} as a PFX that Windows Server 2003 reads (3DES, not AES)"),
        format!("on {to}: mmc, Certificates (Computer account), Personal, Import"),
    ]
}

fn by_store(from: &str, to: &str, thumbprint: &str) -> Vec<String> {
    vec![
        format!(
            "export {} with its key from {} as C:\\coexist.pfx on {}, and there:",
            escape(thumbprint),
            escape(from),
            escape(to)
        ),
        typed!(
            r"Import-PfxCertificate -FilePath C:\coexist.pfx -CertStoreLocation Cert:\LocalMachine\My -Exportable {PASSWORD}"
        ),
    ]
}

/// For the argument of a method, which is an expression: a bare word would not be a string.
fn quoted(value: &str) -> String {
    let literal = powershell(value);
    if literal.starts_with('\'') { literal } else { format!("'{literal}'") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::TYPED;

    const T: &str = "B26C3C9B30A2A7371767275043816466CB921738";

    fn installed(product: &str) -> String {
        install(
            Some(product),
            Some(Donor { label: "EX19-01", product: Some(product) }),
            "EX19-02",
            T,
            &["IIS", "SMTP", "IMAP", "POP"],
        )
        .join("\n")
        .replace(T, "B26C")
        .replace(TYPED, "")
    }

    #[test]
    fn a_donor_without_the_cmdlet_gives_a_file() {
        for (donor, first) in
            [("exchange-2003", "on FE: mmc"), ("windows-2016", "on FE: mmc"), ("nginx", "on FE, make a PFX")]
        {
            let from = Donor { label: "FE", product: Some(donor) };
            let lines = install(Some("exchange-2010"), Some(from), "EX", T, &["IIS"]);
            assert!(lines[0].starts_with(first), "{lines:?}");
            assert!(lines.iter().all(|l| !l.contains("Export-ExchangeCertificate")), "{lines:?}");
            let typed = |want: &str| lines.iter().any(|l| l.starts_with(TYPED) && l.contains(want));
            assert!(typed("Import-ExchangeCertificate -Server EX -FileData") && typed("Enable-ExchangeCertificate"));
        }
    }

    #[test]
    fn every_exchange_says_what_to_type() {
        for (product, want) in [
            (
                "exchange-se",
                r"$c = Export-ExchangeCertificate -Server EX19-01 -Thumbprint B26C -BinaryEncoded -Password (Get-Credential pfx).Password
Import-ExchangeCertificate -Server EX19-02 -FileData $c.FileData -Password (Get-Credential pfx).Password -PrivateKeyExportable $true
Enable-ExchangeCertificate -Server EX19-02 -Thumbprint B26C -Services IIS,SMTP,IMAP,POP",
            ),
            (
                "exchange-2013",
                r"Export-ExchangeCertificate -Server EX19-01 -Thumbprint B26C -FileName '\\EX19-01\C$\coexist.pfx' -BinaryEncoded -Password (Get-Credential pfx).Password
Import-ExchangeCertificate -Server EX19-02 -FileName '\\EX19-01\C$\coexist.pfx' -Password (Get-Credential pfx).Password -PrivateKeyExportable $true
Remove-Item '\\EX19-01\C$\coexist.pfx'
Enable-ExchangeCertificate -Server EX19-02 -Thumbprint B26C -Services IIS,SMTP,IMAP,POP",
            ),
            (
                "exchange-2010",
                r"$f = Export-ExchangeCertificate -Server EX19-01 -Thumbprint B26C -BinaryEncoded:$true -Password (Get-Credential pfx).Password
Set-Content -Path '\\EX19-01\C$\coexist.pfx' -Value $f.FileData -Encoding Byte
Import-ExchangeCertificate -Server EX19-02 -FileData ([Byte[]]$(Get-Content -Path '\\EX19-01\C$\coexist.pfx' -Encoding Byte -ReadCount 0)) -Password (Get-Credential pfx).Password -PrivateKeyExportable $true
Remove-Item '\\EX19-01\C$\coexist.pfx'
Enable-ExchangeCertificate -Server EX19-02 -Thumbprint B26C -Services IIS,SMTP,IMAP,POP",
            ),
            (
                "exchange-2007",
                r"on EX19-01:
Export-ExchangeCertificate -Thumbprint B26C -BinaryEncoded:$true -Path C:\coexist.pfx -Password (Get-Credential pfx).Password
copy the file to EX19-02, and there:
Import-ExchangeCertificate -Path C:\coexist.pfx -Password (Get-Credential pfx).Password -PrivateKeyExportable:$true
Enable-ExchangeCertificate -Thumbprint B26C -Services IIS,SMTP,IMAP,POP",
            ),
            (
                "exchange-2003",
                "export B26C with its key from EX19-01 as a PFX that Windows Server 2003 reads (3DES, not AES)
on EX19-02: mmc, Certificates (Computer account), Personal, Import
on EX19-02: IIS Manager, Default Web Site, Properties, Directory Security, Server Certificate
choose \"Replace the current certificate\", then B26C",
            ),
        ] {
            assert_eq!(installed(product), want, "{product}");
        }
        assert_eq!(installed("exchange-2016"), installed("exchange-2019"));
    }

    #[test]
    fn every_other_product_says_what_to_do() {
        for (product, want) in [
            (
                "nginx",
                "copy the certificate with its intermediates (full chain) and its key from EX19-01 to EX19-02
in its configuration: ssl_certificate = the full chain
nginx -t && nginx -s reload",
            ),
            (
                "something",
                "on EX19-02: import B26C with its key from EX19-01
put B26C into use on EX19-02 for IIS, SMTP, IMAP, POP",
            ),
            (
                "windows-2016",
                r"export B26C with its key from EX19-01 as C:\coexist.pfx on EX19-02, and there:
Import-PfxCertificate -FilePath C:\coexist.pfx -CertStoreLocation Cert:\LocalMachine\My -Exportable -Password (Get-Credential pfx).Password
(Get-WebBinding -Protocol https).AddSslCertificate('B26C', 'My')",
            ),
        ] {
            assert_eq!(installed(product), want, "{product}");
        }
        let last = |product| enable(Some(product), "a", T, &[]).pop().unwrap_or_default().replace(TYPED, "");
        assert_eq!(last("apache"), "apachectl configtest && apachectl graceful");
        assert_eq!(last("haproxy"), "haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy");
        assert_eq!(last("postfix"), "postfix check && postfix reload");
        assert_eq!(last("dovecot"), "doveconf -n >/dev/null && doveadm reload");
    }

    #[test]
    fn what_is_to_be_typed_is_marked_and_words_are_not() {
        let lines = install(
            Some("exchange-2007"),
            Some(Donor { label: "a", product: Some("exchange-2007") }),
            "b",
            T,
            &["IIS"],
        );
        let typed: Vec<bool> = lines.iter().map(|l| l.starts_with(TYPED)).collect();
        assert_eq!(typed, [false, true, false, true, true]);
    }

    #[test]
    fn services_are_exchange_s_own_words() {
        for (words, want) in [
            (&["https"][..], "IIS"),
            (&["smtp", "https:8443", "submission"], "IIS,SMTP"),
            (&["POP", "imaps"], "IMAP,POP"),
            (&["ldaps"], "IIS"),
            (&[], "IIS"),
        ] {
            assert_eq!(exchange_services(words), want);
        }
    }

    #[test]
    fn no_value_brings_a_command_of_its_own() {
        let evil = "a'; Remove-Item C:\\ #\n$(calc)";
        for product in [
            "exchange-se",
            "exchange-2013",
            "exchange-2010",
            "exchange-2007",
            "exchange-2003",
            "windows-2016",
            "nginx",
            "",
        ] {
            for line in install(Some(product), Some(Donor { label: evil, product: Some(product) }), evil, evil, &[evil])
            {
                assert!(!line.contains('\n'), "{line}");
                if line.contains("-Thumbprint") {
                    assert!(line.contains(r"-Thumbprint 'a''; Remove-Item C:\ #\n$(calc)'"), "{line}");
                }
            }
        }
    }
}
