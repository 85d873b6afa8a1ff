//! A server speaks TLS 1.2 with cipher suites only that many current clients do not take.

use super::default_certificate_served::pools;
use super::endpoint_serves_wrong_certificate::astray_keys;
use super::tls_version_below_floor::waiver;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, target_of};
use crate::judge::problem::EndpointFault;
use crate::judge::wording;
use crate::model::finding::Severity;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "modern-clients-cannot-connect",
    family: "served",
    severity: Severity::Warning,
    summary: "a server speaks TLS 1.2 with cipher suites only that many current clients do not take",
    citation: "RFC 9325 sections 4.1 and 4.2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The server declined a client that takes ephemeral keys (ECDHE) with authenticated encryption (GCM, ChaCha20) only, and
answered an older one in TLS 1.2, with CBC, plain RSA key exchange or worse. Windows Server 2008 R2 to 2012 R2 with an RSA
certificate do that: their only ECDHE suites with GCM are for ECDSA certificates. The certificate is read from the clear
part of the older handshake and judged like any other.

# Why it matters

RFC 9325 recommends ECDHE with authenticated encryption alone, and strict libraries, mail servers and phones offer nothing
else: they are cut off before they see the certificate, and say \"handshake failure\". Browsers still take CBC and often
plain RSA, so that nobody at a desk notices. Where the server has RC4, 3DES or export suites only, browsers refuse too,
and this is an error.

# Example

    expected  TLS 1.2 with ECDHE and GCM, or TLS 1.3
    seen      TLS 1.2 with TLS_RSA_WITH_AES_128_CBC_SHA: IIS 10.0.0.13:443
              a current client: TLS alert before a certificate: handshake_failure

# Cure

Turn on ECDHE suites with GCM (nginx `ssl_ciphers`, Postfix `tls_high_cipherlist`, `openssl ciphers HIGH`). Windows has
them for RSA certificates from Windows Server 2016 on; before, an ECDSA certificate or a reverse proxy in front gives them.
If only old clients go there, accept it in the plan with a waiver that ends.

# References

RFC 9325 sections 4.1 and 4.2; RFC 5289;
https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-8-1
";

/// One finding per server.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let key = |item: &Item| match wording::endpoint_fault(item)? {
        (spot, EndpointFault::OldSuites { .. }) => Some(spot.culprit),
        _ => None,
    };
    for ((culprit, waived), items) in context.group(&INFO, key) {
        let (case, plan) = (context.case, context.case.plan);
        let who = wording::culprit(plan, culprit);
        let worst = items.iter().any(|i| suite(i).is_some_and(is_refused_by_browsers));
        let mut draft = Draft::of(context, &INFO, &items, waived);
        let names = wording::name_list(plan, &wording::names(&items));
        draft.title = format!("{who} speaks TLS 1.2 with old cipher suites only");
        draft.expected = vec!["TLS 1.2 with ECDHE and GCM, or TLS 1.3".into()];
        draft.seen = wording::negotiated(case, &items);
        draft.hurts = vec![match worst {
            true => format!("users of {names}: browsers refuse these suites, whatever the certificate"),
            false => format!(
                "users of {names} whose client takes authenticated encryption only; most browsers still connect"
            ),
        }];
        draft.severity = if worst { Severity::Error } else { INFO.severity };
        draft.keys.extend(astray_keys(&items));
        draft.remedy.now = pools(context, culprit).map(|pool| format!("take {who} out of the pool {pool}")).collect();
        let product = target_of(culprit).and_then(|target| wording::product(plan, target));
        draft.remedy.cure = cure(&who, product);
        draft.remedy.cure.push("or accept it until the server is retired; in the plan:".into());
        let why = format!("{who} has no ECDHE with GCM; retired soon");
        draft.remedy.cure.extend(waiver(case, INFO.name, &who, &why));
        drafts.push(draft);
    }
}

fn suite<'a>(item: &Item<'a>) -> Option<&'a str> {
    match wording::endpoint_fault(item)?.1 {
        EndpointFault::OldSuites { suite } => Some(suite),
        _ => None,
    }
}

/// RC4 (RFC 7465), 3DES, DES and export keys: taken out of browsers long ago.
pub(in crate::judge) fn is_refused_by_browsers(suite: &str) -> bool {
    ["_RC4_", "_3DES_", "_DES_", "_EXPORT", "_DSS_"].iter().any(|weak| suite.contains(weak))
}

/// Windows before Server 2016 cannot for an RSA certificate, whatever is turned on.
fn cure(who: &str, product: Option<&str>) -> Vec<String> {
    const OLD: [&str; 8] = [
        "windows-2008",
        "windows-2008r2",
        "windows-2012",
        "windows-2012r2",
        "exchange-2007",
        "exchange-2010",
        "exchange-2013",
        "tmg",
    ];
    match product.is_some_and(|p| OLD.contains(&p)) {
        true => vec![
            format!("give {who} an ECDSA certificate beside, for which its Windows has ECDHE with GCM"),
            format!("or put a reverse proxy with current suites in front of {who}, under the same names"),
        ],
        false => {
            vec![format!("turn on ECDHE suites with GCM on {who} (Windows: from Server 2016 on for RSA certificates)")]
        }
    }
}
