//! A web site's redirects lead where they should not.

use std::collections::{BTreeMap, BTreeSet};

use super::web::{self, Answer, Destination};
use crate::judge::RuleInfo;
use crate::judge::case::Case;
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::http::HttpOutcome;
use crate::model::name::Name;
use crate::model::plan::{NameId, ServerId};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "redirect-behaviour",
    family: "served",
    severity: Severity::Warning,
    summary: "a web site redirects into the clear, in a circle, or to a host that the plan does not know",
    citation: "RFC 9110 sections 10.2.2 and 15.4; RFC 6797 section 7.2",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A server whose redirects the plan declares (`redirects`), or that has legacy names while another server does, was asked for
`/` over TLS under each of its names. It answered with a redirect that leads into the clear (http://), back to the same
address, in a circle between names, to a host of the plan's own domains that the plan does not have, or nowhere.

# Why it matters

Users follow a redirect without a choice. One into the clear can be changed by anybody on the way; a circle ends with the
browser's \"too many redirects\"; a host that the plan does not have is looked after by nobody: its name may be missing from
DNS outside or from the certificate, and users meet the error at the very moment of the move.

# Example

    seen  GET https://mail.domain.com/ at 10.0.0.10:443: 302, Location: http://legacy.mail.domain.com/exchange

# Cure

Set the redirect to https:// and the legacy name of the plan (`Set-OwaVirtualDirectory -Exchange2003Url`, the HTTP Redirect of
IIS, the balancer's rule), and end circles where they begin. A host that users are sent to belongs into the plan.

# References

RFC 9110 sections 10.2.2 (Location) and 15.4 (redirects); RFC 6797 section 7.2;
https://learn.microsoft.com/powershell/module/exchange/set-owavirtualdirectory
";

/// Where a redirect leads that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    /// Into the clear.
    Clear(Name),
    /// Back to where it came from.
    Same,
    /// To a name whose site leads back.
    Circle(Name),
    /// To a host of an own domain that the plan does not have.
    Unplanned(Name),
    /// To no address at all.
    Nowhere,
    /// No answer could be had.
    Unseen(String),
}

/// What is said together.
#[derive(Default)]
struct Group {
    names: BTreeSet<NameId>,
    seen: BTreeSet<String>,
    looks: BTreeSet<Look>,
    obligations: BTreeSet<usize>,
}

/// One finding per server and destination.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let answers = web::answers(context);
    let mut groups: BTreeMap<(ServerId, Wrong, Option<usize>), Group> = BTreeMap::new();
    for answer in &answers {
        let Some(wrong) = wrong(context.case, answer, &answers) else { continue };
        let waiver = context.waiver(INFO.name, &context.labels_of(&context.case.obligations[answer.obligation]));
        let group = groups.entry((answer.server, wrong, waiver)).or_default();
        group.names.insert(answer.name);
        group.seen.insert(web::said(context.case, answer));
        group.looks.insert(answer.look);
        group.obligations.insert(answer.obligation);
    }
    drafts.extend(
        groups.into_iter().map(|((server, wrong, waiver), group)| draft(context.case, server, &wrong, waiver, group)),
    );
}

fn wrong(case: &Case, answer: &Answer, all: &[Answer]) -> Option<Wrong> {
    let head = match answer.outcome {
        HttpOutcome::Head(head) => head,
        other => return Some(Wrong::Unseen(other.to_string())),
    };
    if !head.is_redirect() {
        return None;
    }
    let Some(destination) = head.location.as_deref().and_then(web::destination) else { return Some(Wrong::Nowhere) };
    let own = &case.plan.name(answer.name).name;
    match destination {
        Destination::Here { path } if path == "/" => Some(Wrong::Same),
        Destination::Here { .. } => None,
        Destination::Host { secure: false, host, .. } => Some(Wrong::Clear(host)),
        Destination::Host { host, port, path, .. } if host == *own => {
            (path == "/" && port == answer.address.port()).then_some(Wrong::Same)
        }
        Destination::Host { host, path, .. } => {
            let back = |other: &&Answer| case.plan.name(other.name).name == host && path == "/" && leads_to(other, own);
            match all.iter().any(|a| back(&a)) {
                true => Some(Wrong::Circle(host)),
                false => (web::is_own(case.plan, &host) && !web::is_planned(case.plan, &host))
                    .then_some(Wrong::Unplanned(host)),
            }
        }
        Destination::Elsewhere => Some(Wrong::Nowhere),
    }
}

/// True if a name's site leads to the root of another's.
fn leads_to(answer: &Answer, name: &Name) -> bool {
    let HttpOutcome::Head(head) = answer.outcome else { return false };
    let to = head.location.as_deref().filter(|_| head.is_redirect()).and_then(web::destination);
    matches!(to, Some(Destination::Host { secure: true, host, path, .. }) if host == *name && path == "/")
}

fn draft(case: &Case, server: ServerId, wrong: &Wrong, waiver: Option<usize>, group: Group) -> Draft {
    let plan = case.plan;
    let who = &plan.server(server).label;
    let names: Vec<NameId> = group.names.iter().copied().collect();
    let listed = wording::name_list(plan, &names);
    let (title, hurts, cure) = match wrong {
        Wrong::Clear(host) => (
            format!("{who} redirects from https to http at {host}"),
            format!("users of {listed}: anybody on the way can change what they get"),
            format!("redirect to https://{host}"),
        ),
        Wrong::Same => (
            format!("{who} redirects / of {listed} to itself"),
            format!("users of {listed}: the browser gives up (too many redirects)"),
            format!("take the redirect away from the address that it leads to, on {who}"),
        ),
        Wrong::Circle(host) => (
            format!("{who} redirects {listed} to {host}, which redirects back"),
            format!("users of {listed} and {host}: the browser gives up (too many redirects)"),
            format!("end the circle: one of {listed} and {host} has to serve its users"),
        ),
        Wrong::Unplanned(host) => (
            format!("{who} redirects {listed} to {host}, which is no name of the plan"),
            format!("users of {listed}: nobody looks whether {host} resolves and has a certificate"),
            format!("add {host} to the plan, or redirect to a name that it has"),
        ),
        Wrong::Nowhere => (
            format!("{who} redirects {listed} nowhere"),
            format!("users of {listed}: an empty page or an error"),
            format!("give the redirect of {who} a Location with https:// and a host"),
        ),
        Wrong::Unseen(_) => (format!("where {who} redirects {listed} was not seen"), String::new(), String::new()),
    };
    let mut draft = Draft::plain(&INFO, title);
    draft.waiver = waiver;
    draft.subject.server = Some(who.to_string());
    if let [only] = names.as_slice() {
        draft.subject.name = Some(plan.name(*only).name.to_string());
    }
    draft.expected = vec!["a page, or a redirect to https:// and a host of the plan".into()];
    draft.seen = wording::cut(group.seen.into_iter().collect());
    draft.at = group.obligations.first().map(|i| case.obligations[*i].span);
    draft.looks = group.looks;
    draft.obligations = group.obligations;
    match wrong {
        Wrong::Unseen(_) => {
            draft.open_question = true;
            draft.remedy.next = vec![wording::again(case)];
        }
        _ => {
            draft.hurts = vec![hurts];
            draft.remedy.cure = vec![cure];
        }
    }
    draft
}
