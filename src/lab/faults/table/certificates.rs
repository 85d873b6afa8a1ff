//! Faults of certificates: what they were issued as.

use super::super::{FaultInfo, certificates};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "wildcard-certificate",
        "certificate",
        "the certificate is a wildcard for the domain instead of listing its names",
        certificates::not_wild,
        certificates::make_wild,
    ),
    FaultInfo::new(
        "name-missing",
        "name",
        "the certificates in use were issued without the name",
        certificates::names,
        certificates::leave_name_out,
    ),
    FaultInfo::new(
        "cn-only",
        "certificate",
        "the certificate has its name in the subject only, without a subjectAltName",
        certificates::in_use,
        certificates::keep_common_name_only,
    ),
    FaultInfo::new(
        "expired",
        "certificate",
        "the certificate expired yesterday",
        certificates::in_use,
        certificates::expire,
    ),
    FaultInfo::new(
        "not-yet-valid",
        "certificate",
        "the certificate is valid from tomorrow",
        certificates::in_use,
        certificates::postpone,
    ),
    FaultInfo::new(
        "expires-soon",
        "certificate",
        "the certificate expires in three days, and the phase lasts longer",
        certificates::in_dated_phase,
        certificates::shorten,
    ),
    FaultInfo::new(
        "valid-too-long",
        "certificate",
        "the certificate is valid for ten years",
        certificates::public,
        certificates::lengthen,
    ),
    FaultInfo::new(
        "for-clients",
        "certificate",
        "the certificate's extended key usage allows clients only",
        certificates::in_use,
        certificates::make_for_clients,
    ),
    FaultInfo::new(
        "weak-key",
        "certificate",
        "the certificate's key is of RSA 1024",
        certificates::in_use,
        certificates::weaken_key,
    ),
    FaultInfo::new(
        "misspelt-name",
        "certificate",
        "a letter is missing in the last name of the certificate",
        certificates::misspellable,
        certificates::misspell,
    ),
    FaultInfo::new(
        "final-dot",
        "certificate",
        "every name of the certificate ends with a dot",
        certificates::in_use,
        certificates::end_with_dots,
    ),
    FaultInfo::new(
        "superfluous-name",
        "certificate",
        "the certificate has a name more that nothing wants",
        certificates::declared,
        certificates::add_name,
    ),
    FaultInfo::new(
        "untrusted-issuer",
        "certificate",
        "the certificate was issued by an authority that nobody trusts",
        certificates::in_use,
        certificates::issue_elsewhere,
    ),
    FaultInfo::new(
        "expired-root",
        "",
        "the trust anchor itself expired yesterday",
        certificates::anyhow,
        certificates::expire_root,
    ),
];
