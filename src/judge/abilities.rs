//! What old products cannot do, whatever their administrators wish.

use crate::model::plan::Server;

/// What a product can do at most.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Abilities {
    /// The product's word in a plan.
    pub(super) product: &'static str,
    /// What it runs on.
    pub(super) system: &'static str,
    /// Its best version of TLS.
    pub(super) tls: &'static str,
    /// What it needs before it takes certificates that are signed with SHA-2.
    pub(super) sha2: &'static str,
}

/// Windows Server 2003: TLS 1.0 at most (Microsoft, Support for TLS 1.1 and 1.2 begins with Windows 7 and Server 2008 R2:
/// Protocols in TLS/SSL, Schannel SSP); no ECDSA, as elliptic curves came with CNG in Windows Vista and Server 2008
/// (Microsoft, CNG features); no RSASSA-PSS in certificates for the same reason; SHA-2 by KB968730, which replaces
/// KB938397 (both for SP2; Microsoft, Windows PKI blog 2010-09-30, SHA2 and Windows: these two numbers alone were compared
/// with a stored copy of it, on 2026-11-29).
const WINDOWS_2003: Abilities =
    Abilities { product: "windows-2003", system: "Windows Server 2003", tls: "TLS 1.0", sha2: "KB968730 (with SP2)" };

/// Exchange 2003 runs on Windows Server 2000 and 2003 only (Microsoft, Exchange Server supportability matrix); ISA Server
/// up to 2006 on the same.
pub(super) const TABLE: &[Abilities] = &[
    WINDOWS_2003,
    Abilities { product: "exchange-2003", ..WINDOWS_2003 },
    Abilities { product: "isa", ..WINDOWS_2003 },
];

/// What a server can do at most, if its product is one of the old ones.
pub(super) fn of(server: &Server) -> Option<&'static Abilities> {
    let product = server.product.as_ref()?.value.as_str();
    TABLE.iter().find(|a| a.product == product)
}

/// What a product reads of PFX files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PfxReader {
    /// The newest Windows that it runs on.
    pub(super) system: &'static str,
    /// True if that reads PBES2 and MACs of SHA-2.
    pub(super) reads_pbes2: bool,
}

/// The newest Windows that each product runs on (Microsoft, Exchange Server supportability matrix; Forefront TMG 2010 system
/// requirements). Windows Server 2016 and older read PFX files of 3DES and SHA-1 only, which Windows Server 2019 and later
/// offer beside AES-256 and SHA-256 (Microsoft, Export-PfxCertificate, -CryptoAlgorithmOption; the versions were compared
/// on 2026-11-30 with Trustico, Exporting a PFX file with AES or 3DES encryption). Of `wap`, `adfs` and `iis` nobody knows what
/// they run on.
const WINDOWS: &[(&str, &str)] = &[
    ("windows-2003", "Windows Server 2003"),
    ("windows-2008", "Windows Server 2008"),
    ("windows-2008r2", "Windows Server 2008 R2"),
    ("windows-2012", "Windows Server 2012"),
    ("windows-2012r2", "Windows Server 2012 R2"),
    ("windows-2016", "Windows Server 2016"),
    ("isa", "Windows Server 2003"),
    ("tmg", "Windows Server 2008 R2"),
    ("exchange-2003", "Windows Server 2003"),
    ("exchange-2007", "Windows Server 2008 R2"),
    ("exchange-2010", "Windows Server 2012 R2"),
    ("exchange-2013", "Windows Server 2012 R2"),
    ("exchange-2016", "Windows Server 2016"),
];
const WINDOWS_OF_TODAY: &[(&str, &str)] = &[
    ("windows-2019", "Windows Server 2019"),
    ("windows-2022", "Windows Server 2022"),
    ("windows-2025", "Windows Server 2025"),
    ("exchange-2019", "Windows Server 2025"),
    ("exchange-se", "Windows Server 2025"),
];

/// What a server reads of PFX files, if its product is known to run on Windows.
pub(super) fn pfx(server: &Server) -> Option<PfxReader> {
    let word = server.product.as_ref()?.value.as_str();
    // `exchange-2016-before-cu23` is an Exchange 2016 all the same.
    let product = word.split_once("-before-").map_or(word, |(product, _)| product);
    let of = |table: &[(&str, &'static str)], reads_pbes2| {
        let (_, system) = table.iter().find(|(known, _)| *known == product)?;
        Some(PfxReader { system, reads_pbes2 })
    };
    of(WINDOWS, false).or_else(|| of(WINDOWS_OF_TODAY, true))
}

/// True if a server's product is known to speak TLS 1.2, once that is turned on: Windows from Server 2008 R2 on, where it is
/// off until 2012 (Microsoft, Protocols in TLS/SSL, Schannel SSP); Exchange from 2010 SP3 RU19, 2013 CU19 and 2016 CU8 on
/// (Exchange team blog, TLS guidance, part 1). Server 2008 has it only with SP2 and KB4019276 (Microsoft, Update to add support
/// for TLS 1.1 and TLS 1.2 in Windows Server 2008 SP2), of which nobody knows. On 2026-11-29 the builds of Exchange and 2008 R2's
/// default were compared with what risual.com/2018/06/11/tls-guidance-office-365-exchange retells of the post, no more.
pub(super) fn can_speak_tls_1_2(server: &Server) -> bool {
    const ABLE: [&str; 10] = [
        "exchange-2010",
        "exchange-2013",
        "exchange-2016",
        "exchange-2019",
        "exchange-se",
        "nginx",
        "apache",
        "haproxy",
        "postfix",
        "dovecot",
    ];
    let word = server.product.as_ref().map(|p| p.value.as_str()).unwrap_or_default();
    // `exchange-2016-before-cu23` is an Exchange 2016 all the same.
    let product = word.split_once("-before-").map_or(word, |(product, _)| product);
    ABLE.contains(&product) || word.starts_with("windows-20") && of(server).is_none() && word != "windows-2008"
}
