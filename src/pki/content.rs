//! What a file or a PEM block holds, told by its content and label, never by a file's name.

use super::der::{self, BIT_STRING, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};
use crate::model::text::escape;

/// What is said of a private key beside a certificate.
const PRIVATE_KEY: &str = "the file holds a private key; only the certificate is needed";

/// What is said of a private key in a PFX file that anybody can open.
pub(super) const PRIVATE_KEY_UNLOCKED: &str = "the file holds a private key that no password locks";

/// True if a note on a file of certificates says that there is a private key in it.
pub fn is_about_key(note: &str) -> bool {
    [PRIVATE_KEY, PRIVATE_KEY_UNLOCKED].contains(&note)
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Certificate,
    PrivateKey,
    Pfx,
    Pkcs7,
    Request,
    PublicKey,
    RevocationList,
    Parameters,
    Other(String),
}

impl Kind {
    /// A word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Certificate => "der",
            Self::PrivateKey => "key",
            Self::Pfx => "pkcs12",
            Self::Pkcs7 => "pkcs7",
            Self::Request => "request",
            Self::PublicKey => "public-key",
            Self::RevocationList => "crl",
            Self::Parameters | Self::Other(_) => "other",
        }
    }

    /// Said when there is no certificate beside it.
    pub fn instead(&self) -> String {
        match self {
            Self::Certificate => "a certificate",
            Self::PrivateKey => "a private key, and no certificate; only the certificate is needed",
            Self::Pfx => "a PKCS#12 (PFX) file that is damaged: export it again, or the certificate as .cer or PEM",
            Self::Pkcs7 => "a PKCS#7 (.p7b) bundle that cannot be read: export the certificate as .cer or PEM",
            Self::Request => "a certificate request (CSR), not a certificate; not read by this release",
            Self::PublicKey => "a public key, not a certificate",
            Self::RevocationList => "a certificate revocation list, not a certificate",
            Self::Parameters => "key parameters, not a certificate",
            Self::Other(label) => return format!("a part `{}`, not a certificate", escape(label)),
        }
        .to_string()
    }

    /// True of what may hold certificates that are not read.
    pub fn holds_certificates(&self) -> bool {
        matches!(self, Self::Certificate | Self::Pfx | Self::Pkcs7 | Self::Other(_))
    }

    /// Said when there is a certificate beside it; `None` for what may well stand there.
    pub fn beside(&self) -> Option<String> {
        let words = match self {
            Self::Certificate | Self::Parameters => return None,
            Self::PrivateKey => PRIVATE_KEY,
            Self::Pfx | Self::Pkcs7 => "a PKCS#7 or PKCS#12 part could not be read",
            Self::Request => "a certificate request (CSR) in the file is not read",
            Self::PublicKey => "a public key in the file is not read",
            Self::RevocationList => "a certificate revocation list in the file is not read",
            Self::Other(label) => return Some(format!("a part `{}` is not read", escape(label))),
        };
        Some(words.to_string())
    }
}

/// By PEM label (RFC 7468, and what OpenSSL, OpenSSH and Windows write).
pub(super) fn of_label(label: &str) -> Kind {
    match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "X.509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Kind::Certificate,
        "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => Kind::Pkcs7,
        "PKCS12" => Kind::Pfx,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Kind::Request,
        "X509 CRL" | "CRL" => Kind::RevocationList,
        "DH PARAMETERS" | "EC PARAMETERS" | "X9.42 DH PARAMETERS" => Kind::Parameters,
        _ if label.ends_with("PRIVATE KEY") => Kind::PrivateKey,
        _ if label.ends_with("PUBLIC KEY") => Kind::PublicKey,
        _ => Kind::Other(label.to_string()),
    }
}

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

/// By the outermost shape of DER (and of BER with indefinite length, as some PFX and PKCS#7 have it); `None` if it is
/// neither.
pub(super) fn of_der(bytes: &[u8]) -> Option<Kind> {
    if let Some(inner) = bytes.strip_prefix(&[SEQUENCE, 0x80]) {
        return match inner {
            [INTEGER, 1, 3, ..] => Some(Kind::Pfx),
            [OID, ..] => Some(Kind::Pkcs7),
            _ => None,
        };
    }
    let (outer, _) = der::first(bytes).filter(|(e, _)| e.tag == SEQUENCE)?;
    let parts: Vec<Element<'_>> = der::elements(outer.content).collect::<Option<_>>()?;
    of_parts(&parts)
}

fn of_parts(parts: &[Element<'_>]) -> Option<Kind> {
    let tags: Vec<u8> = parts.iter().take(3).map(|p| p.tag).collect();
    let first = parts.first().map_or(&[][..], |p| p.content);
    let kind = match tags.as_slice() {
        [OID, ..] if first == SIGNED_DATA => Kind::Pkcs7,
        [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] if first == [3] => Kind::Pfx,
        // PKCS#8, PKCS#1, SEC 1, and PKCS#8 encrypted
        [INTEGER, SEQUENCE, OCTET_STRING] | [INTEGER, INTEGER, INTEGER] => Kind::PrivateKey,
        [INTEGER, OCTET_STRING, ..] | [SEQUENCE, OCTET_STRING] => Kind::PrivateKey,
        [SEQUENCE, BIT_STRING] | [INTEGER, INTEGER] => Kind::PublicKey,
        [SEQUENCE, SEQUENCE, BIT_STRING] => of_signed(first),
        _ => return None,
    };
    Some(kind)
}

/// Certificate, request (RFC 2986) and revocation list are all signed the same way; they differ inside.
fn of_signed(content: &[u8]) -> Kind {
    let tags: Vec<u8> = der::elements(content).take(4).map(|e| e.map_or(0, |e| e.tag)).collect();
    match tags.as_slice() {
        [INTEGER, SEQUENCE, SEQUENCE, 0xa0] | [INTEGER, SEQUENCE, SEQUENCE] => Kind::Request,
        [SEQUENCE, SEQUENCE, 0x17 | 0x18, ..] | [INTEGER, SEQUENCE, SEQUENCE, 0x17 | 0x18] => Kind::RevocationList,
        _ => Kind::Certificate,
    }
}

/// For a file that is neither DER nor PEM: what it looks like.
pub(super) fn of_text(bytes: &[u8], text: &str) -> String {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let words = match bytes {
        [0xfe, 0xed, 0xfe, 0xed, ..] => "a Java key store (JKS): export the certificate as PEM",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive",
        _ if start.starts_with('<') => "HTML or XML, not a certificate",
        _ if start.starts_with("ssh-") || start.starts_with("ecdsa-sha2-") => {
            "an OpenSSH public key, not a certificate"
        }
        _ if start.starts_with("PuTTY-User-Key-File") => "a private key (PuTTY), and no certificate",
        _ if text.contains("-----BEGIN") => "a damaged BEGIN line, and no certificate",
        _ if bytes.starts_with(&[SEQUENCE]) => "DER of an unknown kind, cut short or damaged",
        _ if bytes.iter().any(|b| *b < b'\t') => "binary data that is no certificate",
        _ => "text without a certificate",
    };
    words.to_string()
}
