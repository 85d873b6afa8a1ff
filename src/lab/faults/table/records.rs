//! Faults of the records beside the names, and of zones.

use super::super::{FaultInfo, records};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "dns-wildcard",
        "view/domain",
        "a wildcard record answers for every name below the domain that has none",
        records::parents,
        records::add_wildcard,
    ),
    FaultInfo::new(
        "public-name-outside-only",
        "domain",
        "the internal zone of the domain lacks a name that exists outside",
        records::split_domains,
        records::hide_public_name,
    ),
    FaultInfo::new(
        "mx-alias",
        "domain",
        "a host that takes the domain's mail is an alias",
        records::mail_domains,
        records::make_mx_alias,
    ),
    FaultInfo::new(
        "mx-elsewhere",
        "domain",
        "a host that the plan does not have takes the domain's mail",
        records::mail_domains,
        records::lead_mail_elsewhere,
    ),
    FaultInfo::new(
        "mx-left-behind",
        "domain",
        "the MX hosts of an earlier phase were never deleted",
        records::with_retired_hosts,
        records::keep_retired_hosts,
    ),
    FaultInfo::new(
        "record-missing",
        "owner/type",
        "a record that the plan lists is not there",
        records::planned_records,
        records::drop_record,
    ),
    FaultInfo::new(
        "caa-other-issuer",
        "domain",
        "the domain's CAA record allows another authority only",
        records::ordered,
        records::allow_others_only,
    ),
    FaultInfo::new(
        "caa-servfail",
        "domain",
        "the resolvers fail for the domain's CAA records, and for nothing else",
        records::ordered,
        records::fail_caa,
    ),
    FaultInfo::new(
        "ptr-missing",
        "address",
        "the address of a new mail server has no name",
        records::senders,
        records::forget_name,
    ),
    FaultInfo::new(
        "mta-sts-lacks-host",
        "domain",
        "the MTA-STS policy of the domain lists another host than takes its mail",
        records::with_policies,
        records::list_others_only,
    ),
    FaultInfo::new(
        "mta-sts-without-policy",
        "domain",
        "the domain says that it has an MTA-STS policy, and its host answers 404",
        records::with_policies,
        records::take_policy_away,
    ),
    FaultInfo::new(
        "tlsa-of-old-key",
        "host",
        "the TLSA records of a mail host are of a key that its servers no longer have",
        records::with_keys,
        records::publish_old_key,
    ),
    FaultInfo::new(
        "zone-server-lags",
        "server",
        "one of the zone's servers still holds the zone of before the last change",
        records::zone_servers,
        records::let_lag,
    ),
    FaultInfo::new(
        "candidate-answers",
        "name",
        "a hoster's web site with its own certificate answers where clients look for autodiscover",
        records::candidates,
        records::put_web_site,
    ),
];
