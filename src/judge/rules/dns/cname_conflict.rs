//! An alias that cannot stand, or leads nowhere.

mod planned;
mod seen;

use std::collections::BTreeSet;

use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::wording;
use crate::model::finding::{Severity, Subject};
use crate::model::plan::{NameId, ViewId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "cname-conflict",
    family: "dns",
    severity: Severity::Error,
    summary: "a CNAME leads nowhere, in a circle, too far, or stands where none can",
    citation: "RFC 1034 section 3.6.2; RFC 2181 section 10.1; RFC 1912 section 2.4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A name is an alias, and its chain of CNAMEs ends at a name without an address, comes back to where it was, or has more
than eight links. Or the alias stands at the top of a zone, or beside other records, where no CNAME can be. The plan
itself may say so: by `cname` or `host` that lead in a circle, or by `cname` for a zone's apex or a mail domain.

# Why it matters

Resolvers give up on circles and long chains, each after a number of its own, so that it works for some users only. A
CNAME at an apex hides the zone's SOA, NS and MX: mail for the domain is lost. An alias of somebody else's name that no
longer exists can be taken over by whoever registers that name.

# Example

    mail.domain.com.         CNAME  owa.domain.com.
    owa.domain.com.          CNAME  mail.domain.com.

# Cure

Let the alias lead to a name that has addresses, or replace it by A and AAAA records. At an apex use addresses, or what
the provider calls ALIAS or flattening; mind that a change of the target shows only when the provider looks again.

# References

RFC 1034 section 3.6.2 and section 5.2.2 (chains and loops); RFC 1912 section 2.4 and RFC 2181 section 10.1 (beside other
data); RFC 2181 section 10.3
";

/// Links of a chain that every resolver follows.
const LINKS: usize = 8;

/// The plan's own fault before what DNS says of the same name.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let planned = planned::drafts(context);
    let told: BTreeSet<Key> = planned.iter().flat_map(|d| d.keys.iter().copied()).collect();
    drafts.extend(planned);
    drafts.extend(seen::drafts(context, &told));
}

/// A finding about a name, in a view or in all.
fn draft(context: &Context, name: NameId, view: Option<ViewId>, title: String) -> Draft {
    let plan = context.case.plan;
    let mut draft = Draft::plain(&INFO, title);
    let name_text = plan.name(name).name.to_string();
    let view_text = view.map(|v| wording::view(plan, v).to_string());
    let on: BTreeSet<String> = [Some(name_text.clone()), view_text.clone()].into_iter().flatten().collect();
    draft.waiver = context.waiver(INFO.name, &on);
    draft.subject = Subject { name: Some(name_text), view: view_text, ..Subject::default() };
    draft.at = Some(plan.name(name).span);
    draft
}
