//! A certificate is to be installed from a PFX file that a server's system cannot read.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands;
use crate::judge::RuleInfo;
use crate::judge::abilities::{self, PfxReader};
use crate::judge::asked;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::{Severity, TYPED};
use crate::model::obligation::Claim;
use crate::model::pfx::{Age, PfxFacts};
use crate::model::plan::{CertId, CertificateSource, ServerId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "pfx-too-new-for-target",
    family: "certificate",
    severity: Severity::Error,
    summary: "a PFX file is encrypted in a way that a server which is to import it cannot read",
    citation: "Microsoft, Export-PfxCertificate, -CryptoAlgorithmOption; openssl-pkcs12(1), -legacy; RFC 7292 appendix C",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The plan takes a certificate from a PFX file and has it on a server whose system does not read the file's encryption. How
a PFX is encrypted, and how its integrity is protected (its MAC), can be read without its password. Files of AES (PBES2) or
with a MAC of SHA-2 are not read by Windows Server 2016 and older, and so by no Exchange up to 2016. What `product` a server
has says which system that is; a server that already serves the certificate needs no import, and nothing is said of it. A
MAC of PBMAC1, which came in 2024, is told as a warning for newer systems.

# Why it matters

OpenSSL 3, and the export dialogue of newer Windows where AES256-SHA256 is chosen, write such files. The import on the old
server ends with \"The password you entered is incorrect\", whatever the password, in the night of the cutover.

# Example

    [certificates.san]
    file = \"san.pfx\"              # openssl pkcs12 -export, of OpenSSL 3
    [servers.ex2016]
    product = \"exchange-2016\"
    certificate = \"san\"

# Cure

Write the file anew with 3DES and SHA-1, which every Windows reads, under a long random password, and delete it after the
import: this encryption is old. On Windows, from a store that has the key exportable:

    Export-PfxCertificate -CryptoAlgorithmOption TripleDES_SHA1 ...

With OpenSSL: `openssl pkcs12 -export -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1 ...`, or shorter `-legacy`.

# References

Microsoft, Export-PfxCertificate (-CryptoAlgorithmOption TripleDES_SHA1, AES256_SHA256); openssl-pkcs12(1): -legacy, -certpbe,
-keypbe, -macalg; RFC 7292 appendix C (PKCS #12); RFC 8018 (PBES2); RFC 9579 (PBMAC1)
";

/// What a system makes of a file; the worse is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Nobody knows.
    Unknown,
    /// It cannot be read.
    Never,
}

/// Servers that are to have a certificate, and what wants it there.
type Wanted = BTreeMap<(CertId, Option<usize>), (BTreeSet<ServerId>, BTreeSet<usize>)>;

/// One finding per certificate.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    for ((certificate, waiver), (servers, obligations)) in wanted(context) {
        let Some((path, pfx)) = pfx(case, certificate) else { continue };
        let readers = servers.into_iter().filter_map(|s| Some((s, abilities::pfx(case.plan.server(s))?)));
        let mut by_use: BTreeMap<Use, Vec<(ServerId, PfxReader)>> = BTreeMap::new();
        for (server, reader) in readers {
            if let Some(how) = hindrance(pfx, reader) {
                by_use.entry(how).or_default().push((server, reader));
            }
        }
        for (how, servers) in by_use {
            let mut draft = draft(case, certificate, path, pfx, how, &servers);
            draft.waiver = waiver;
            draft.obligations = obligations.iter().copied().filter(|i| case.is_due(*i)).collect();
            drafts.push(draft);
        }
    }
}

/// Where certificates from PFX files are to be, and were not seen to be.
fn wanted(context: &Context) -> Wanted {
    let case = context.case;
    let mut out = Wanted::new();
    for (index, obligation) in asked::endpoints(case) {
        let Claim::Serves { server, certificates, .. } = &*obligation.claim else { continue };
        for certificate in certificates.iter().filter(|c| pfx(case, **c).is_some()) {
            let leaves = case.certificates.leaves(&[*certificate]);
            if leaves.is_empty() || !leaves.iter().all(|leaf| case.certificates.serves(*server, *leaf)) {
                let waiver = context.waiver(INFO.name, &asked::labels(case.plan, obligation, &[*certificate]));
                let (servers, obligations) = out.entry((*certificate, waiver)).or_default();
                servers.insert(*server);
                obligations.insert(index);
            }
        }
    }
    out
}

fn pfx<'a>(case: &Case<'a>, certificate: CertId) -> Option<(&'a str, &'a PfxFacts)> {
    let CertificateSource::File(path) = &case.plan.certificate(certificate).source else { return None };
    Some((&path.value, case.certificates.pfx(&path.value)?))
}

/// What keeps a system from reading a file.
fn hindrance(pfx: &PfxFacts, reader: PfxReader) -> Option<Use> {
    let each = pfx.all().filter_map(|protection| match (protection.age, reader.reads_pbes2) {
        (Age::Sha1, _) | (Age::Pbes2, true) => None,
        (Age::Pbes2 | Age::Pbmac1, false) => Some(Use::Never),
        (Age::Pbmac1, true) | (Age::Other, _) => Some(Use::Unknown),
    });
    each.max()
}

fn draft(
    case: &Case,
    certificate: CertId,
    path: &str,
    pfx: &PfxFacts,
    how: Use,
    servers: &[(ServerId, PfxReader)],
) -> Draft {
    let plan = case.plan;
    let label = |server: &ServerId| plan.server(*server).label.to_string();
    let all: Vec<String> = servers.iter().map(|(server, _)| label(server)).collect();
    let whom = wording::list(all.iter().map(String::as_str));
    let mut draft = Draft::plain(
        &INFO,
        match how {
            Use::Never => format!("{path} is encrypted in a way that {whom} cannot read"),
            Use::Unknown => format!("{path} is encrypted in a way that {whom} may not read"),
        },
    );
    draft.severity = if how == Use::Never { Severity::Error } else { Severity::Warning };
    draft.subject.server = all.first().filter(|_| all.len() == 1).cloned();
    draft.subject.certificate = Some(plan.certificate(certificate).label.to_string());
    draft.expected = vec![match how {
        Use::Never => "3DES with SHA-1 and a MAC of SHA-1, which every Windows reads".into(),
        Use::Unknown => "AES with PBES2, or 3DES with SHA-1; a MAC of SHA-2 or SHA-1".into(),
    }];
    draft.seen = vec![format!("{path}: {pfx}")];
    draft.seen.extend(wording::cut(servers.iter().map(|(server, reader)| on(case, *server, *reader)).collect()));
    draft.hurts = vec![format!("whoever imports it on {whom}: it says that the password is incorrect, whatever it is")];
    draft.remedy.cure = cure(case, certificate, path);
    draft.at = Some(plan.certificate(certificate).span);
    draft
}

fn on(case: &Case, server: ServerId, reader: PfxReader) -> String {
    let server = case.plan.server(server);
    let product = server.product.as_ref().map(|p| p.value.as_str()).unwrap_or_default();
    let age = if reader.reads_pbes2 { "" } else { " at most" };
    if product.starts_with("windows-") {
        return format!("{} is {}", server.label, reader.system);
    }
    format!("{} is {product}, on {}{age}", server.label, reader.system)
}

/// OpenSSL cannot read key and certificates from one pipe: what lies there in between is deleted.
fn cure(case: &Case, certificate: CertId, path: &str) -> Vec<String> {
    let leaves = case.certificates.leaves(&[certificate]);
    let mut lines = vec!["write the file anew with 3DES and SHA-1, and delete it after the import:".to_string()];
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let (from, between, to) = (path.to_string(), format!("{stem}-open.pem"), format!("{stem}-3des.pfx"));
    let [from, between, to] = [from, between, to].map(|file| commands::posix(&file));
    lines.extend([
        format!("{TYPED}(umask 077; openssl pkcs12 -in {from} -nodes -out {between})"),
        format!(
            "{TYPED}openssl pkcs12 -export -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1 -in {between} -out {to}"
        ),
        format!("{TYPED}rm -f {between}"),
    ]);
    if let Some(facts) = leaves.first().and_then(|leaf| case.certificates.facts(*leaf).ok()) {
        let store = commands::powershell(&format!(r"Cert:\LocalMachine\My\{}", facts.thumbprint()));
        let to = commands::powershell(&format!("{stem}-3des.pfx"));
        lines.push("or on a Windows that has it with its key exportable:".into());
        lines.push(format!(
            "{TYPED}Export-PfxCertificate -Cert {store} -FilePath {to} -Password (Get-Credential pfx).Password -CryptoAlgorithmOption TripleDES_SHA1"
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pfx::Protection;

    fn pfx(encryption: &[Age], mac: Option<Age>) -> PfxFacts {
        let way = |age: &Age| Protection { age: *age, words: String::new() };
        PfxFacts { encryption: encryption.iter().map(way).collect(), mac: mac.as_ref().map(way) }
    }

    #[test]
    fn what_a_system_reads_is_told_by_encryption_and_mac() {
        let old = PfxReader { system: "Windows Server 2016", reads_pbes2: false };
        let new = PfxReader { system: "Windows Server 2019", reads_pbes2: true };
        for (file, on_old, on_new) in [
            (pfx(&[Age::Sha1], Some(Age::Sha1)), None, None),
            (pfx(&[], None), None, None),
            (pfx(&[Age::Pbes2], Some(Age::Pbes2)), Some(Use::Never), None),
            (pfx(&[Age::Sha1], Some(Age::Pbes2)), Some(Use::Never), None),
            (pfx(&[Age::Sha1, Age::Pbes2], Some(Age::Sha1)), Some(Use::Never), None),
            (pfx(&[Age::Pbes2], Some(Age::Pbmac1)), Some(Use::Never), Some(Use::Unknown)),
            (pfx(&[Age::Other], Some(Age::Sha1)), Some(Use::Unknown), Some(Use::Unknown)),
        ] {
            assert_eq!((hindrance(&file, old), hindrance(&file, new)), (on_old, on_new), "{file:?}");
        }
    }
}
