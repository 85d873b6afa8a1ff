//! `Get-ExchangeCertificate`, as `ConvertTo-Json` or `Format-List *` print it, in the encodings that PowerShell writes.

use std::collections::HashSet;

use serde_json::Value;

use crate::model::certificate::Thumbprint;
use crate::model::inventory::HeldCertificate;

/// Certificates of one server, at most: a store has some dozens.
const MOST: usize = 10_000;

/// Why a text is no inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// The certificates of one server's inventory, in its order. PowerShell's shells print booleans as `True` and `False`
/// whatever the language.
///
/// # Errors
/// A text without any thumbprint, and JSON that is none.
pub fn exchange_certificates(bytes: &[u8]) -> Result<Vec<HeldCertificate>, Unreadable> {
    let text = decoded(bytes);
    let all = match text.trim_start().starts_with(['[', '{']) {
        true => of_json(&text)?,
        false => of_list(&text),
    };
    match all.is_empty() {
        true => Err(Unreadable(
            "no certificate in it; expected what `Get-ExchangeCertificate -Server NAME | ConvertTo-Json` prints, or `| Format-List *`"
                .into(),
        )),
        false => Ok(all),
    }
}

/// Text of UTF-16 and UTF-8 with their marks; of another code page what is ASCII, as all that is read is.
fn decoded(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| read(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn of_json(text: &str) -> Result<Vec<HeldCertificate>, Unreadable> {
    let value: Value = serde_json::from_str(text).map_err(|e| Unreadable(format!("no JSON: {e}")))?;
    let items = match &value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let held = |item: &Value| {
        let is = |key: &str| item.get(key).and_then(Value::as_bool);
        held(item.get("Thumbprint")?.as_str()?, is("HasPrivateKey"), is("PrivateKeyExportable"))
    };
    Ok(items.iter().filter_map(held).take(MOST).collect())
}

/// `Key : value`; a key that comes again begins the next certificate.
fn of_list(text: &str) -> Vec<HeldCertificate> {
    let (mut out, mut open) = (Vec::new(), Open::default());
    for line in text.lines() {
        // Lines that go on with the value above are indented.
        let Some((key, value)) = line.split_once(':').filter(|_| !line.starts_with([' ', '\t'])) else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if open.keys.contains(key) {
            out.extend(std::mem::take(&mut open).held());
        }
        open.keys.insert(key.to_string());
        match key {
            "Thumbprint" => open.thumbprint = value.to_string(),
            "HasPrivateKey" => open.has_key = truth(value),
            "PrivateKeyExportable" => open.exportable = truth(value),
            _ => {}
        }
        if out.len() >= MOST {
            return out;
        }
    }
    out.extend(open.held());
    out
}

#[derive(Default)]
struct Open {
    keys: HashSet<String>,
    thumbprint: String,
    has_key: Option<bool>,
    exportable: Option<bool>,
}

impl Open {
    fn held(self) -> Option<HeldCertificate> {
        held(&self.thumbprint, self.has_key, self.exportable)
    }
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

fn held(thumbprint: &str, has_key: Option<bool>, exportable: Option<bool>) -> Option<HeldCertificate> {
    let exportable = if has_key == Some(false) { Some(false) } else { exportable };
    Some(HeldCertificate { thumbprint: Thumbprint::parse(thumbprint)?, exportable })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "B26C3C9B30A2A7371767275043816466CB921738";
    const OTHER: &str = "32F8BFDF1266C29F7A7E18D2694EA6FAFC150348";

    fn read(bytes: &[u8]) -> Vec<(String, Option<bool>)> {
        let all = exchange_certificates(bytes).unwrap();
        all.into_iter().map(|h| (h.thumbprint.to_string(), h.exportable)).collect()
    }

    #[test]
    fn lists_are_read_in_every_encoding_that_powershell_writes() {
        let text = format!(
            "\r\nCertificateDomains   : {{mail.domain.com,\r\n                       legacy.mail.domain.com : x}}\r\n\
             HasPrivateKey        : True\r\nPrivateKeyExportable : False\r\nThumbprint           : {ONE}\r\n\r\n\r\n\
             CertificateDomains   : {{ex19-01}}\r\nHasPrivateKey        : True\r\nPrivateKeyExportable : True\r\n\
             Thumbprint           : {OTHER}\r\n\r\n"
        );
        let wanted = vec![(ONE.to_string(), Some(false)), (OTHER.to_string(), Some(true))];
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in
            [text.as_bytes(), &[&[0xff, 0xfe][..], &utf16].concat(), &[b"\xef\xbb\xbf", text.as_bytes()].concat()]
        {
            assert_eq!(read(bytes), wanted);
        }
    }

    #[test]
    fn json_is_one_certificate_or_many() {
        let one = format!(r#"{{"Thumbprint":"{ONE}","HasPrivateKey":true,"PrivateKeyExportable":true,"Services":27}}"#);
        assert_eq!(read(one.as_bytes()), [(ONE.to_string(), Some(true))]);
        let without_key = format!(r#"{{"Thumbprint":"{OTHER}","HasPrivateKey":false,"PrivateKeyExportable":true}}"#);
        let unsaid = format!(r#"{{"Thumbprint":"{OTHER}"}}"#);
        assert_eq!(
            read(format!("[{one},{without_key},{unsaid},7]").as_bytes()),
            [(ONE.to_string(), Some(true)), (OTHER.to_string(), Some(false)), (OTHER.to_string(), None)]
        );
    }

    #[test]
    fn what_is_no_inventory_says_what_was_expected() {
        for text in ["", "Thumbprint  Services  Subject\n----------  --------  -------\n", "[]", "Thumbprint : B26C"] {
            assert!(exchange_certificates(text.as_bytes()).is_err_and(|e| e.0.contains("Format-List *")), "{text}");
        }
        assert!(exchange_certificates(b"[{").is_err_and(|e| e.0.starts_with("no JSON")));
        assert!(exchange_certificates(&[b'['; 100_000]).is_err());
    }

    #[test]
    fn keys_without_end_take_no_time_without_end() {
        let keys: String = (0..300_000).map(|n| format!("k{n}:\n")).collect();
        assert_eq!(read(format!("{keys}Thumbprint : {ONE}\n").as_bytes()), [(ONE.to_string(), None)]);
        let many = format!("Thumbprint : {ONE}\n").repeat(MOST + 2);
        assert_eq!(read(many.as_bytes()).len(), MOST);
    }
}
