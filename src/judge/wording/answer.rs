//! DNS in words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{list, view};
use crate::judge::case::Case;
use crate::judge::draft::Item;
use crate::judge::problem::Fault;
use crate::model::obligation::DnsExpectation;
use crate::model::plan::{Plan, ViewId};

/// What DNS should answer, a line per alternative.
pub(in crate::judge) fn dns_expected(plan: &Plan, view_id: ViewId, expected: &DnsExpectation) -> Vec<String> {
    let view = view(plan, view_id);
    let mut out: Vec<String> = Vec::new();
    for alternative in &expected.present {
        let of = |v4: bool| {
            let addresses: Vec<String> =
                alternative.addresses.iter().filter(|a| a.is_ipv4() == v4).map(IpAddr::to_string).collect();
            (!addresses.is_empty()).then(|| format!("{} {}", if v4 { "A" } else { "AAAA" }, addresses.join(", ")))
        };
        let records: Vec<String> = [true, false].into_iter().filter_map(of).collect();
        let targets: Vec<&str> = alternative.targets.iter().map(|t| plan.target_label(*t).as_ref()).collect();
        let any = if expected.part { "any of " } else { "" };
        out.push(format!("{view}: {any}{} ({})", records.join(" and "), list(targets)));
    }
    out.extend(expected.like.iter().map(|host| format!("{view}: what {host} resolves to")));
    if expected.absent {
        out.push(format!("{view}: no such name"));
    }
    if let Some(cname) = &expected.cname {
        out.push(format!("{view}: CNAME {cname}"));
    }
    out
}

/// The resolvers of DNS items: `9.9.9.9 and 1.1.1.1`.
pub(in crate::judge) fn resolvers(case: &Case, items: &[Item]) -> String {
    let mut seen: BTreeSet<(ViewId, usize)> = BTreeSet::new();
    for item in items {
        if let Fault::Dns(view, resolver, _) = &item.problem.fault {
            seen.insert((*view, *resolver));
        }
    }
    let words: Vec<String> = seen.iter().map(|(v, r)| resolver(case.plan, *v, *r)).collect();
    list(words.iter().map(String::as_str))
}

/// A resolver in words.
pub(in crate::judge) fn resolver(plan: &Plan, view: ViewId, index: usize) -> String {
    plan.view(view).resolvers.get(index).map_or_else(String::new, |r| r.value.to_string())
}
