//! Certification authority authorization: what an authority finds when it is asked for a certificate (RFC 8659).

use std::collections::BTreeSet;

use crate::judge::beside::{Told, outward, told};
use crate::judge::draft::Context;
use crate::judge::issuance::{self, Brand};
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::name::Name;
use crate::model::observation::Probe;
use crate::model::plan::{Certificate, ViewId};
use crate::model::policy::Scope;
use crate::model::questions;
use crate::model::records::RecordData;

/// What stands nearest to a name.
pub(super) enum Nearest<'a> {
    /// Nothing as far as one looks: anybody may issue.
    Nothing,
    /// These records of this owner, as one resolver gave them.
    Records(Name, BTreeSet<&'a RecordData>, Told<'a>),
    /// The question at this owner fails, though the resolvers speak otherwise.
    Fails(Name, Told<'a>),
    /// It was not told.
    Unknown,
}

/// Authorities that the plan names in a way that no table knows, though CAA records of a name to be ordered say who may
/// issue: whether they may cannot be told. The issuer and the certificate's label, each once.
pub(in crate::judge) fn unnamed<'a>(context: &Context<'a>) -> BTreeSet<(&'a str, &'a str)> {
    let (plan, views) = (context.case.plan, outward(context.case));
    let speak = |name: &Name| match context.case.policy.scope {
        Scope::All => views.iter().any(|v| !matches!(nearest(context, *v, name), Nearest::Nothing | Nearest::Unknown)),
        Scope::Files => {
            let owners = questions::caa_owners(name);
            plan.records.iter().any(|r| r.kind == "CAA" && owners.contains(&r.owner))
        }
    };
    let unknown = |c: &'a Certificate| {
        let issuer = questions::outside_issuer(c).filter(|i| issuance::caa_domain(i).is_none())?;
        questions::ordered_names(c).iter().any(speak).then_some((issuer, &*c.label))
    };
    plan.certificates.iter().filter_map(unknown).collect()
}

/// Climbs from the name upwards to the first RRset (RFC 8659 section 3). Where resolvers differ, any answer counts.
pub(super) fn nearest<'a>(context: &Context<'a>, view: ViewId, name: &Name) -> Nearest<'a> {
    for owner in questions::caa_owners(name) {
        let told = told(context, view, &owner, RecordType::Caa);
        let found = told.replies().map(|(w, _)| w.records().unwrap_or_default()).find(|r| !r.is_empty());
        match (found, told.is_known()) {
            (Some(records), _) => return Nearest::Records(owner, records, told),
            (None, true) => {}
            (None, false) if fails(context, view, &told) => return Nearest::Fails(owner, told),
            (None, false) => return Nearest::Unknown,
        }
    }
    Nearest::Nothing
}

/// SERVFAIL, or silence from a resolver that answers other questions.
fn fails(context: &Context, view: ViewId, told: &Told) -> bool {
    told.0.iter().any(|w| match w.outcome {
        DnsOutcome::ServFail => true,
        DnsOutcome::Timeout => speaks(context, view, &w.resolver),
        _ => false,
    })
}

fn speaks(context: &Context, view: ViewId, resolver: &str) -> bool {
    let label = &context.case.plan.view(view).label;
    let evidence = context.case.evidence;
    evidence.looks().any(|(look, o)| {
        matches!(&o.probe, Probe::Dns(p) if p.view == *label && p.resolver.to_string() == resolver)
            && evidence.is_fresh(look)
            && evidence.dns(look).is_some_and(|o| o.reply().is_some())
    })
}

/// Why an issuer may not issue for a name; `None` if it may (RFC 8659 sections 4.2 and 4.3).
pub(super) fn forbids(records: &BTreeSet<&RecordData>, issuer: &str, is_wildcard: bool) -> Option<&'static str> {
    let with = |wanted: &str| -> Vec<&str> {
        let values = records.iter().filter_map(|r| match r {
            RecordData::Caa { tag, value, .. } if tag == wanted => Some(value.as_str()),
            _ => None,
        });
        values.collect()
    };
    let known = ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];
    let critical = |r: &&RecordData| matches!(r, RecordData::Caa { flags, tag, .. } if flags & 0x80 != 0 && !known.contains(&tag.as_str()));
    if records.iter().any(critical) {
        return Some("a critical property that authorities need not know");
    }
    let wild = with("issuewild");
    let values = if is_wildcard && !wild.is_empty() { wild } else { with("issue") };
    let brand = Brand::of_word(issuer);
    let allows = |value: &&str| {
        let word = value.split(';').next().unwrap_or_default().trim();
        word.eq_ignore_ascii_case(issuer) || (brand.is_some() && Brand::of_word(word) == brand)
    };
    (!values.is_empty() && !values.iter().any(allows)).then_some("other issuers only")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(records: &[&str], wildcard: bool) -> bool {
        let records: Vec<RecordData> = records.iter().map(|r| RecordData::parse(RecordType::Caa, r).unwrap()).collect();
        forbids(&records.iter().collect(), "letsencrypt.org", wildcard).is_none()
    }

    #[test]
    fn an_authority_has_several_words() {
        let is_allowed = |issuer: &str, record: &str| {
            let record = RecordData::parse(RecordType::Caa, &format!("0 issue \"{record}\"")).unwrap();
            forbids(&BTreeSet::from([&record]), issuer, false).is_none()
        };
        assert!(is_allowed("amazon.com", "amazonaws.com"));
        assert!(is_allowed("geotrust.com", "digicert.com"));
        assert!(is_allowed("sectigo.com", "comodoca.com"));
        assert!(is_allowed("www.digicert.com", "digicert.com"));
        assert!(!is_allowed("digicert.com", "sectigo.com"));
        assert!(!is_allowed("one.example", "two.example"), "unknown ones are compared as text");
    }

    /// (records, a host name is allowed, a wildcard is allowed)
    #[test]
    fn who_may_issue() {
        for (records, name, wildcard) in [
            (&["0 issue \"letsencrypt.org\""][..], true, true),
            (&["0 issue \"digicert.com\""], false, false),
            (&["0 issue \"digicert.com\"", "0 issue \"LetsEncrypt.org; accounturi=https://x/1\""], true, true),
            (&["0 issue \";\""], false, false),
            (&["0 issue \"\""], false, false),
            (&["0 issuewild \";\""], true, false),
            (&["0 issue \";\"", "0 issuewild \"letsencrypt.org\""], false, true),
            (&["0 iodef \"mailto:a@example.com\""], true, true),
            (&["128 tbs \"x\"", "0 issue \"letsencrypt.org\""], false, false),
            (&["0 tbs \"x\"", "0 issue \"letsencrypt.org\""], true, true),
            (&["0 issue \"notletsencrypt.org\""], false, false),
        ] {
            assert_eq!((is_allowed(records, false), is_allowed(records, true)), (name, wildcard), "{records:?}");
        }
    }
}
