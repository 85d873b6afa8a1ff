//! A site tells browsers to take nothing but clean HTTPS below its name, and a name there is not clean.

use std::collections::{BTreeMap, BTreeSet};

use super::web::{self, Answer};
use crate::judge::RuleInfo;
use crate::judge::asked;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::truth::Truth;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::http::{HttpOutcome, is_web};
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, ServerId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "hsts-covers-legacy",
    family: "served",
    severity: Severity::Warning,
    summary: "a site's HSTS covers a name below it whose HTTPS is not clean",
    citation: "RFC 6797 sections 6.1.2, 8.2 and 8.4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A name answers over a right certificate with `Strict-Transport-Security: max-age=...; includeSubDomains`. The plan has a name
below it, a legacy name as a rule, that fails at an https endpoint: a wrong certificate, none, or no TLS.

# Why it matters

A browser that has once seen the header demands HTTPS without any error for the name and all below it until max-age is over.
There is no way round: the warning page has no button to go on. Users of the old server under legacy.mail.domain.com are shut
out because they once opened mail.domain.com, and taking the header away does not help those who have seen it.

# Example

    seen  GET https://mail.domain.com/ at 10.0.0.10:443: max-age=31536000; includeSubDomains
          legacy.mail.domain.com: ex2003-fe serves a certificate that is not right for it

# Cure

Give the name below a right certificate before the header is sent; until then send it without includeSubDomains, or with
max-age=0, which makes browsers forget it.

# References

RFC 6797 sections 6.1.1 (max-age), 6.1.2 (includeSubDomains), 8.4 (errors), 12.1 (no user recourse)
";

/// What is said together.
#[derive(Default)]
struct Group {
    seen: BTreeSet<String>,
    below: BTreeSet<NameId>,
    looks: BTreeSet<Look>,
    obligations: BTreeSet<usize>,
    age: u64,
}

/// One finding per name that sends the header, and its server.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let (case, plan) = (context.case, context.case.plan);
    let broken = broken(context);
    let mut groups: BTreeMap<(NameId, ServerId, Option<usize>), Group> = BTreeMap::new();
    for answer in &web::answers(context) {
        let Some((age, header)) = header(answer) else { continue };
        let parent = plan.name(answer.name).name.as_str();
        let is_below = |name: &NameId| *name != answer.name && plan.name(*name).name.is_under(parent);
        for (name, obligations) in broken.iter().filter(|(name, _)| is_below(name)) {
            let on = [parent, plan.name(*name).name.as_str(), &plan.server(answer.server).label];
            let key = (answer.name, answer.server, context.waiver_on(&INFO, &on));
            let group = groups.entry(key).or_default();
            group.seen.insert(format!("GET https://{parent}/ at {}: {header}", answer.address));
            group.below.insert(*name);
            group.looks.insert(answer.look);
            group.obligations.extend(obligations);
            group.age = group.age.max(age);
        }
    }
    drafts.extend(groups.into_iter().map(|(key, group)| draft(case, key, group)));
}

fn header<'a>(answer: &Answer<'a>) -> Option<(u64, &'a str)> {
    match answer.outcome {
        HttpOutcome::Head(head) => Some((head.includes_subdomains()?, head.hsts.as_deref()?)),
        _ => None,
    }
}

/// Names that fail at an https endpoint, and the obligations that say so.
fn broken(context: &Context) -> BTreeMap<NameId, BTreeSet<usize>> {
    let mut out: BTreeMap<NameId, BTreeSet<usize>> = BTreeMap::new();
    for (index, obligation) in asked::endpoints(context.case) {
        let (Claim::Serves { service, .. } | Claim::Path { service, .. }) = &*obligation.claim else {
            continue;
        };
        if is_web(service) && context.assessed[index].truth == Truth::Fail {
            out.entry(obligation.name).or_default().insert(index);
        }
    }
    out
}

fn draft(case: &Case, (name, server, waiver): (NameId, ServerId, Option<usize>), group: Group) -> Draft {
    let plan = case.plan;
    let (parent, who) = (&plan.name(name).name, &plan.server(server).label);
    let below: Vec<NameId> = group.below.iter().copied().collect();
    let listed = wording::name_list(plan, &below);
    let age = wording::duration(i64::try_from(group.age).unwrap_or(i64::MAX));
    let title = format!("browsers that have seen {parent} shut their users out of {listed}");
    let mut draft = Draft::plain(&INFO, title);
    draft.waiver = waiver;
    draft.subject.server = Some(who.to_string());
    draft.subject.name = Some(parent.to_string());
    draft.expected = vec![format!("clean HTTPS at {listed}, or no includeSubDomains at {parent}")];
    draft.seen = wording::cut(group.seen.into_iter().collect());
    draft.hurts =
        vec![format!("users of {listed} who opened {parent} before: an error page without a way on, up to {age} long")];
    draft.remedy.now = vec![format!("send max-age=0 at {parent}, so that browsers forget it")];
    draft.remedy.cure = vec![format!("mend {listed} first, then send includeSubDomains at {parent} again")];
    draft.at = group.obligations.first().map(|i| case.obligations[*i].span);
    draft.looks = group.looks;
    draft.obligations = group.obligations;
    draft
}
