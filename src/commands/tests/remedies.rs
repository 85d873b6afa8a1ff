//! Acts put together for the cures of the judge.

use crate::commands::*;
use crate::model::finding::TYPED;
use crate::model::name::Name;

const T: &str = "B26C3C9B30A2A7371767275043816466CB921738";

fn installed(product: &str, donor: &str) -> String {
    let from = Donor { server: "EX19-01".into(), product: Product::of(Some(donor)) };
    let services = ["IIS", "SMTP", "IMAP", "POP"];
    install(Product::of(Some(product)), Some(from), "EX19-02", T, &services).join("\n").replace(T, "B26C")
}

#[test]
fn between_two_of_a_kind() {
    for (product, want) in [
        (
            "exchange-se",
            r"  $c = Export-ExchangeCertificate -Server EX19-01 -Thumbprint B26C -BinaryEncoded -Password (Get-Credential pfx).Password
  Import-ExchangeCertificate -Server EX19-02 -FileData $c.FileData -Password (Get-Credential pfx).Password -PrivateKeyExportable $true
  Enable-ExchangeCertificate -Server EX19-02 -Thumbprint B26C -Services IIS,SMTP,IMAP,POP",
        ),
        (
            "exchange-2013",
            r"  Export-ExchangeCertificate -Server EX19-01 -Thumbprint B26C -FileName '\\EX19-01\C$\coexist.pfx' -BinaryEncoded -Password (Get-Credential pfx).Password
  Import-ExchangeCertificate -Server EX19-02 -FileName '\\EX19-01\C$\coexist.pfx' -Password (Get-Credential pfx).Password -PrivateKeyExportable $true
  Remove-Item '\\EX19-01\C$\coexist.pfx'
  Enable-ExchangeCertificate -Server EX19-02 -Thumbprint B26C -Services IIS,SMTP,IMAP,POP",
        ),
        (
            "exchange-2007",
            r"on EX19-01, in the Exchange Management Shell:
  Export-ExchangeCertificate -Thumbprint B26C -BinaryEncoded:$true -Path C:\coexist.pfx -Password (Get-Credential pfx).Password
copy the PFX file from EX19-01 to C:\coexist.pfx on EX19-02, and there, in the Exchange Management Shell:
  Import-ExchangeCertificate -Path C:\coexist.pfx -Password (Get-Credential pfx).Password -PrivateKeyExportable:$true
on EX19-01, in the Exchange Management Shell:
  Remove-Item C:\coexist.pfx
on EX19-02, in the Exchange Management Shell:
  Remove-Item C:\coexist.pfx
on EX19-02, in the Exchange Management Shell:
  Enable-ExchangeCertificate -Thumbprint B26C -Services IIS,SMTP,IMAP,POP",
        ),
        (
            "nginx",
            "copy the certificate with its intermediates (full chain) and its key from EX19-01 to EX19-02, as /etc/ssl/coexist/fullchain.pem and /etc/ssl/coexist/privkey.pem, which only root may read
on EX19-02, in the server block of each name:
  ssl_certificate /etc/ssl/coexist/fullchain.pem;
  ssl_certificate_key /etc/ssl/coexist/privkey.pem;
  nginx -t && nginx -s reload",
        ),
        (
            "f5",
            "on EX19-02: import B26C with its key from EX19-01
on EX19-02: put B26C into use for IIS, SMTP, IMAP, POP",
        ),
    ] {
        assert_eq!(installed(product, product), want, "{product}");
    }
    assert_eq!(installed("exchange-2016", "exchange-se"), installed("exchange-2019", "exchange-2019"));
}

#[test]
fn a_donor_without_the_cmdlet_gives_a_file() {
    for (donor, first) in [("exchange-2003", "mmc, Cert"), ("windows-2016", "mmc, Cert"), ("nginx", "make a PFX")] {
        let lines = installed("exchange-2010", donor);
        assert!(lines.lines().next().unwrap().contains(first), "{lines}");
        assert!(!lines.contains("Export-ExchangeCertificate"), "{lines}");
        let typed = |want: &str| lines.lines().any(|l| l.starts_with(TYPED) && l.contains(want));
        assert!(typed("Import-ExchangeCertificate -Server EX19-02 -FileData") && typed("Enable-ExchangeCertificate"));
        assert!(typed(r"Remove-Item '\\EX19-02\C$\coexist.pfx'"), "{lines}");
    }
}

#[test]
fn what_cannot_be_typed_is_told() {
    let evil = "a'; Remove-Item C:\\ #\n$(calc)";
    for product in Product::ALL {
        let from = Donor { server: evil.into(), product: *product };
        for line in install(*product, Some(from), evil, evil, &[evil]) {
            assert!(!line.contains('\n') && !line.starts_with(TYPED), "{line}");
        }
    }
}

#[test]
fn an_address_is_added_in_one_line() {
    let (zone, name) = (Name::parse("domain.com").unwrap(), Name::parse("legacy.mail.domain.com").unwrap());
    let added = |product: &str, zone: Option<&Name>, server: &str| {
        add_record(Product::of(Some(product)), zone, Some(server), &name, 300, "10.0.0.3".parse().unwrap()).join("\n")
    };
    for (product, server, want) in [
        (
            "windows-dns",
            "dc1",
            "  Add-DnsServerResourceRecord -ComputerName dc1 -ZoneName domain.com -Name legacy.mail -A -IPv4Address 10.0.0.3 -TimeToLive 00:05:00",
        ),
        (
            "bind",
            "10.0.0.53",
            r"  printf '%s\n' 'server 10.0.0.53' 'zone domain.com' 'update add legacy.mail.domain.com. 300 A 10.0.0.3' send | nsupdate",
        ),
        ("bind", "10.0.0.53; x", "legacy.mail.domain.com. 300 IN A 10.0.0.3"),
        ("route53", "x", "legacy.mail.domain.com. 300 IN A 10.0.0.3"),
    ] {
        assert_eq!(added(product, Some(&zone), server), want);
    }
    assert_eq!(added("bind", None, "10.0.0.53"), "legacy.mail.domain.com. 300 IN A 10.0.0.3");
}
