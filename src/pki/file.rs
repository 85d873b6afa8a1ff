//! Files of certificates, as people have them.

use std::fmt;

use super::pfx::{self, Lock};
use super::{armor, content, facts, pkcs7};
use crate::model::pfx::PfxFacts;

/// More certificates than any file of them should hold; what follows is left out and said.
const LIMIT: usize = 1000;

/// What a file of certificates holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileContent {
    /// DER of the certificates, in the file's order.
    pub certificates: Vec<Vec<u8>>,
    /// What else is to be said: a private key in it, parts that could not be read.
    pub notes: Vec<String>,
    /// Those of the notes that tell of certificates that may be in the file and were not read.
    pub lost: Vec<String>,
    /// How a PFX file is protected; `None` of any other.
    pub pfx: Option<PfxFacts>,
}

/// Why a file of certificates gave none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// What it holds instead.
    Nothing(String),
    /// It is a PFX file, so protected, which was not opened.
    Locked(PfxFacts, Lock),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(instead) => f.write_str(instead),
            Self::Locked(_, lock) => write!(f, "a PKCS#12 (PFX) file: {lock}"),
        }
    }
}

/// As [`read_file_with`], of a file that nobody has a password for.
///
/// # Errors
/// There is no certificate that can be read in it.
pub fn read_file(bytes: &[u8]) -> Result<FileContent, Unread> {
    read_file_with(bytes, &[])
}

/// Reads PEM (any number, with text around), DER, PKCS#7 and PFX; a byte order mark, CRLF and UTF-16 are read too. A PFX
/// file is opened with the first of the passwords that fits, or without any. The error says what the file holds instead.
///
/// # Errors
/// There is no certificate that can be read in it.
pub fn read_file_with(bytes: &[u8], passwords: &[&str]) -> Result<FileContent, Unread> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Unread::Nothing("an empty file".into()));
    }
    if content::of_der(bytes) == Some(content::Kind::Pfx)
        && let Some(facts) = pfx::facts(bytes)
    {
        return pfx_file(bytes, facts, passwords);
    }
    if let Some(file) = der_file(bytes) {
        return file.map_err(Unread::Nothing);
    }
    let text = armor::text(bytes);
    let blocks = armor::blocks(&text);
    match blocks.as_slice() {
        [] => bare_base64(&text).ok_or_else(|| Unread::Nothing(content::of_text(bytes, &text))),
        // As a text: of such a block nothing else comes along.
        [Ok(only)] if content::of_label(&only.label) == content::Kind::Pfx => match pfx::facts(&only.der) {
            Some(facts) => pfx_file(&only.der, facts, passwords),
            None => Err(Unread::Nothing(content::Kind::Pfx.instead())),
        },
        _ => from_blocks(blocks, text.matches("-----BEGIN").count()).map_err(Unread::Nothing),
    }
}

fn pfx_file(bytes: &[u8], facts: PfxFacts, passwords: &[&str]) -> Result<FileContent, Unread> {
    let opened = match pfx::open(bytes, passwords) {
        Ok(opened) => opened,
        Err(Lock::Empty) => return Err(Unread::Nothing("a PKCS#12 (PFX) file without a certificate".into())),
        Err(lock) => return Err(Unread::Locked(facts, lock)),
    };
    let mut file = FileContent::default();
    for (i, der) in opened.certificates.iter().enumerate() {
        file.add(der, i + 1);
        if file.is_full() {
            break;
        }
    }
    // A key that a password locks is what such files are for.
    file.notes.extend(opened.bares_key.then(|| content::PRIVATE_KEY_UNLOCKED.to_string()));
    let file = file.finish(&[]).map_err(Unread::Nothing)?;
    Ok(FileContent { pfx: Some(facts), ..file })
}

/// What kind of file it is, told by its content: `der`, `pem`, `pkcs7`, `pkcs12`, or `other`. `key`, `request` ... for DER
/// that is no certificate.
pub fn file_kind(bytes: &[u8]) -> &'static str {
    if let Some(kind) = content::of_der(bytes) {
        return kind.word();
    }
    let text = armor::text(bytes);
    match armor::blocks(&text).as_slice() {
        [] if bare_base64(&text).is_some() => "pem",
        [] => "other",
        [Ok(only)] if matches!(content::of_label(&only.label), content::Kind::Pkcs7 | content::Kind::Pfx) => {
            content::of_label(&only.label).word()
        }
        _ => "pem",
    }
}

/// `None` if the file is not DER at all.
fn der_file(bytes: &[u8]) -> Option<Result<FileContent, String>> {
    let kind = content::of_der(bytes)?;
    let mut file = FileContent::default();
    let mut rest = bytes;
    if kind == content::Kind::Certificate {
        while let Some((element, after)) = super::der::first(rest) {
            file.add(element.whole, file.certificates.len() + 1);
            rest = after;
            if file.is_full() {
                break;
            }
        }
        if !rest.iter().all(u8::is_ascii_whitespace) {
            file.lose(format!("{} bytes after the certificate could not be read", rest.len()));
        }
    }
    let read = kind == content::Kind::Pkcs7 && file.unpack(bytes);
    Some(file.finish(if read { &[] } else { std::slice::from_ref(&kind) }))
}

fn from_blocks(blocks: Vec<Result<armor::Block, String>>, begun: usize) -> Result<FileContent, String> {
    let mut file = FileContent::default();
    let mut others = Vec::new();
    if blocks.len() != begun {
        file.lose(format!("{begun} parts begin in the file, {} could be told apart", blocks.len()));
    }
    for (i, block) in blocks.into_iter().enumerate() {
        match block {
            Err(damage) => file.lose(format!("part {} is damaged: {damage}", i + 1)),
            Ok(block) => match content::of_label(&block.label) {
                // `certutil -encode` labels a bundle as a certificate.
                content::Kind::Certificate if content::of_der(&block.der) == Some(content::Kind::Pkcs7) => {
                    if !file.unpack(&block.der) {
                        others.push(content::Kind::Pkcs7);
                    }
                }
                content::Kind::Pkcs7 if file.unpack(&block.der) => {}
                content::Kind::Certificate => file.add(leading(&block), i + 1),
                other => others.push(other),
            },
        }
        if file.is_full() {
            break;
        }
    }
    file.finish(&others)
}

/// OpenSSL's `TRUSTED CERTIFICATE` has trust settings after the certificate.
fn leading(block: &armor::Block) -> &[u8] {
    match (block.label.as_str(), super::der::first(&block.der)) {
        ("TRUSTED CERTIFICATE", Some((element, _))) => element.whole,
        _ => &block.der,
    }
}

/// A certificate whose BEGIN and END lines were lost.
fn bare_base64(text: &str) -> Option<FileContent> {
    let der = armor::base64(text).ok()?;
    facts(&der).ok()?;
    Some(FileContent {
        certificates: vec![der],
        notes: vec!["the BEGIN and END lines are missing".into()],
        ..FileContent::default()
    })
}

impl FileContent {
    fn add(&mut self, der: &[u8], part: usize) {
        match facts(der) {
            Ok(_) => self.certificates.push(der.to_vec()),
            Err(e) => self.lose(format!("part {part} cannot be read: {e}")),
        }
    }

    /// Takes the certificates of a PKCS#7 bundle; false if it cannot be read.
    fn unpack(&mut self, bundle: &[u8]) -> bool {
        let Some(certificates) = pkcs7::certificates(bundle) else { return false };
        for (i, der) in certificates.into_iter().enumerate() {
            self.add(der, i + 1);
            if self.is_full() {
                break;
            }
        }
        true
    }

    fn lose(&mut self, note: String) {
        self.lost.push(note.clone());
        self.notes.push(note);
    }

    /// Notes are bounded too: nobody reads a thousand of them.
    fn is_full(&mut self) -> bool {
        let full = self.certificates.len() >= LIMIT || self.notes.len() >= LIMIT;
        if full {
            self.lose(format!("only the first {LIMIT} certificates are read"));
        }
        full
    }

    /// Says what else is in the file, or, without a certificate, what it is instead.
    fn finish(mut self, others: &[content::Kind]) -> Result<Self, String> {
        let mut seen: Vec<content::Kind> = Vec::new();
        for kind in others.iter().filter(|k| **k != content::Kind::Certificate) {
            if !seen.contains(kind) {
                seen.push(kind.clone());
            }
        }
        if self.certificates.is_empty() {
            let kinds: Vec<String> = seen.iter().map(content::Kind::instead).collect();
            let mut words = [kinds, self.notes].concat();
            words.truncate(4);
            return Err(if words.is_empty() { "no certificate in it".into() } else { words.join("; ") });
        }
        self.lost.extend(seen.iter().filter(|k| k.holds_certificates()).filter_map(content::Kind::beside));
        self.notes.extend(seen.iter().filter_map(content::Kind::beside));
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    fn pem_and_key(name: &str) -> (String, Vec<u8>, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_string()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), certificate.der().to_vec(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_is_found_in_whatever_it_is_wrapped() {
        let (pem, der, _) = pem_and_key("a.example.com");
        let utf16 = |unit: fn(u16) -> [u8; 2]| pem.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let trusted = [&der[..], &[0x30, 3, 2, 1, 5]].concat();
        let trusted = data_encoding::BASE64.encode(&trusted);
        for (what, bytes) in [
            ("der", der.clone()),
            ("pem", pem.clone().into_bytes()),
            ("crlf", pem.replace('\n', "\r\n").into_bytes()),
            ("utf-8 bom", format!("\u{feff}{pem}").into_bytes()),
            ("utf-16 le", utf16(u16::to_le_bytes)),
            ("utf-16 be bom", [&[0xfe, 0xff][..], &utf16(u16::to_be_bytes)].concat()),
            ("utf-16 le bom", [&[0xff, 0xfe][..], &utf16(u16::to_le_bytes)].concat()),
            ("indented", pem.replace('\n', "\n    ").into_bytes()),
            ("latin-1 text around", [b"Bag Attributes\n  M\xfcller\n", pem.as_bytes(), b"\xe4\n"].concat()),
            ("one line", pem.replace('\n', "").into_bytes()),
            ("old label", pem.replace("CERTIFICATE", "X509 CERTIFICATE").into_bytes()),
            (
                "trusted",
                format!("-----BEGIN TRUSTED CERTIFICATE-----\n{trusted}\n-----END TRUSTED CERTIFICATE-----")
                    .into_bytes(),
            ),
        ] {
            let file = read_file(&bytes).unwrap();
            assert_eq!((file.certificates.as_slice(), file.notes.as_slice()), (&[der.clone()][..], &[][..]), "{what}");
        }
    }

    #[test]
    fn a_chain_keeps_its_order_and_every_byte_order_mark_is_skipped() {
        let (a, a_der, _) = pem_and_key("a.example.com");
        let (b, b_der, _) = pem_and_key("b.example.com");
        let glued = format!("\u{feff}{}\u{feff}{b}", a.trim_end());
        assert_eq!(read_file(glued.as_bytes()).unwrap().certificates, [a_der.clone(), b_der.clone()]);
        assert_eq!(read_file(&[a_der.clone(), b_der.clone()].concat()).unwrap().certificates, [a_der, b_der]);
    }

    #[test]
    fn a_private_key_is_named_and_never_shown() {
        let (pem, _, key) = pem_and_key("a.example.com");
        let file = read_file(format!("{key}{pem}").as_bytes()).unwrap();
        assert_eq!(file.certificates.len(), 1);
        assert_eq!(file.notes, ["the file holds a private key; only the certificate is needed"]);
        let alone = read_file(key.as_bytes()).unwrap_err();
        let alone = alone.to_string();
        assert_eq!(alone, "a private key, and no certificate; only the certificate is needed");
        assert!(!key.lines().any(|line| alone.contains(line)));
    }

    #[test]
    fn parts_that_cannot_be_read_are_named_beside_those_that_can() {
        let (pem, der, _) = pem_and_key("a.example.com");
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        let file = read_file(format!("{broken}{no_certificate}{pem}").as_bytes()).unwrap();
        assert_eq!(file.certificates, std::slice::from_ref(&der));
        assert_eq!(file.notes.len(), 2, "{:?}", file.notes);
        assert_eq!(file.notes[0], "part 1 is damaged: it is not base64");
        let cut = &pem[..pem.len() / 2];
        assert_eq!(
            read_file(format!("{pem}{cut}").as_bytes()).unwrap().notes,
            ["part 2 is damaged: its END line is missing"]
        );
        let trailing = read_file(&[&der[..], b"\x01\x02\x03"].concat()).unwrap();
        assert_eq!(trailing.notes.len(), 1, "{:?}", trailing.notes);
        let bare = read_file(data_encoding::BASE64.encode(&der).as_bytes()).unwrap();
        assert_eq!((bare.certificates.len(), bare.notes.len()), (1, 1));
    }

    #[test]
    fn what_is_no_certificate_is_called_what_it_is() {
        let (pem, der, key) = pem_and_key("a.example.com");
        let key_der = KeyPair::from_pem(&key).unwrap().serialize_der();
        let request = CertificateParams::new(vec!["a.example.com".to_string()]).unwrap();
        let request = request.serialize_request(&KeyPair::from_pem(&key).unwrap()).unwrap();
        let public =
            crate::pki::der::sequence(&der).and_then(|c| crate::pki::der::elements(c[0].content).nth(6)).flatten();
        let labelled = |label: &str| pem.replace("CERTIFICATE", label).into_bytes();
        for (bytes, want) in [
            (b" \r\n".to_vec(), "an empty file"),
            (key_der, "a private key"),
            (request.der().to_vec(), "a certificate request"),
            (request.pem().unwrap().into_bytes(), "a certificate request"),
            (public.unwrap().whole.to_vec(), "a public key"),
            (labelled("PKCS7"), "a PKCS#7"),
            (labelled("X509 CRL"), "a certificate revocation list"),
            (labelled("OPENSSH PRIVATE KEY"), "a private key"),
            (labelled("WHATEVER"), "a part `WHATEVER`"),
            (b"\x30\x80\x02\x01\x03\x30\x80".to_vec(), "a PKCS#12 (PFX) file"),
            (b"\x30\x08\x02\x01\x03\x30\x03\x06\x01\x2a".to_vec(), "a PKCS#12 (PFX) file"),
            (b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02".to_vec(), "a PKCS#7"),
            (b"<!DOCTYPE html>".to_vec(), "HTML or XML"),
            (b"ssh-ed25519 AAAA".to_vec(), "an OpenSSH public key"),
            (b"hello".to_vec(), "text without a certificate"),
            (b"\x9e\x02\xff\x07".to_vec(), "binary data"),
            (der[..der.len() - 1].to_vec(), "DER of an unknown kind, cut short"),
            (b"-----BEGIN CERTIFICATE----".to_vec(), "part 1 is damaged"),
        ] {
            let error = read_file(&bytes).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error} is not {want}");
        }
    }

    #[test]
    fn a_file_of_too_many_certificates_is_cut_and_says_so() {
        let (pem, ..) = pem_and_key("a.example.com");
        let file = read_file(pem.repeat(LIMIT + 1).as_bytes()).unwrap();
        assert_eq!((file.certificates.len(), file.notes.len()), (LIMIT, 1));
    }
}
