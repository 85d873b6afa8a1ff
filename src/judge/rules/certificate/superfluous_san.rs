//! A certificate has a name that nothing in the plan wants.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use super::idn_or_syntax::is_malformed;
use super::lacking;
use crate::judge::RuleInfo;
use crate::judge::certificates::Content;
use crate::judge::draft::{Context, Draft};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{Autodiscover, CertId, CertificateSource, Plan};

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "superfluous-san",
    family: "certificate",
    severity: Severity::Info,
    summary: "a certificate has a name that nothing in the plan wants",
    citation: "Microsoft, Digital certificates and encryption in Exchange Server",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate has all names that the plan wants on it, and one or more that no table of the plan knows: neither as a
name, nor as an alias, a mail domain's host or a redirect. A wildcard that covers a name of the plan is wanted; so is the
bare domain beside its www. name, which authorities add by themselves.

# Why it matters

It does no harm. But either the plan forgets a name that somebody still uses, and then nothing of it is looked at; or it is
one more name to validate at each renewal, shown to everybody in the certificate, and gone at the next cutover.

# Example

    certificate for mail.domain.com, autodiscover.domain.com, owa.domain.com
    no owa.domain.com in the plan

# Cure

If clients still use it, add it to the plan. Else leave it out at the next renewal.

# References

https://learn.microsoft.com/exchange/architecture/client-access/certificates
";

/// One finding per declared certificate that lacks nothing.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let case = context.case;
    let all: Vec<CertId> = (0..case.plan.certificates.len()).map(CertId).collect();
    let known = Known::of(case.plan);
    for certificate in all {
        let strange = strange(context, certificate, &known);
        let superfluous: Vec<&str> = strange.iter().filter(|p| !known.wants(p)).map(String::as_str).collect();
        if superfluous.is_empty() || is_lacking(context, certificate) {
            continue;
        }
        let listed = wording::list(superfluous.iter().copied());
        let label = &case.plan.certificate(certificate).label;
        for (waiver, obligations) in context.by_waiver(&INFO, context.covers(certificate), &[certificate]) {
            let mut draft = Draft::about_declared(context, &INFO, certificate, waiver, obligations);
            draft.title = format!("certificate \"{label}\" has {listed}, which nothing in the plan wants");
            draft.expected = vec!["names of the plan only".into()];
            draft.seen = superfluous.iter().map(|s| (*s).to_string()).collect();
            draft.seen = wording::cut(draft.seen);
            draft.hurts = vec!["nobody, unless clients use it: then the plan forgets it".into()];
            draft.remedy.cure =
                vec![format!("leave {listed} out at the next renewal; or add it to the plan, if clients use it")];
            drafts.push(draft);
        }
    }
}

/// The names of a declared certificate that are none of the plan's as they stand there, as far as they are host names; what
/// is malformed has a rule of its own.
fn strange(context: &Context, certificate: CertId, known: &Known) -> BTreeSet<String> {
    let case = context.case;
    let is_strange = |name: &str| !known.names.contains(name);
    match (&case.plan.certificate(certificate).source, case.certificates.content(certificate)) {
        (CertificateSource::Names(names), _) => {
            names.iter().map(|n| &n.value).filter(|n| is_strange(n.as_str())).map(ToString::to_string).collect()
        }
        (_, Content::Leaves(leaves)) => {
            let facts = leaves.iter().filter_map(|(leaf, _)| case.certificates.facts(*leaf).ok());
            let names = facts.flat_map(|f| &f.dns_ids).filter(|d| is_strange(d) && !is_malformed(d));
            names.filter_map(|d| Name::parse(d).ok()).map(|n| n.to_string()).collect()
        }
        (_, Content::Planned | Content::Unknown(_)) => BTreeSet::new(),
    }
}

/// What the plan knows of names.
struct Known<'a> {
    plan: &'a Plan,
    /// The names of its tables, and those that it speaks of otherwise.
    names: HashSet<&'a str>,
    /// What they say of others; asked for where a name is not among them.
    around: OnceCell<Around<'a>>,
}

/// What names say of others.
#[derive(Default)]
struct Around<'a> {
    /// What stands after the first label of each.
    parents: HashSet<&'a str>,
    /// What stands after the star of each wildcard.
    wild: HashSet<&'a str>,
    /// Every domain above or at a name.
    domains: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut names = spoken_of(plan);
        names.extend(plan.names.iter().map(|n| n.name.as_str()));
        Self { plan, names, around: OnceCell::new() }
    }

    fn wants(&self, presented: &str) -> bool {
        self.names.contains(presented) || self.names.contains(twin(presented).as_str()) || self.is_around(presented)
    }

    fn is_around(&self, presented: &str) -> bool {
        let around = self.around.get_or_init(|| Around::of(self.plan));
        let below = |prefix: &str, of: &HashSet<&str>| presented.strip_prefix(prefix).is_some_and(|d| of.contains(d));
        let parent = presented.split_once('.').map(|(_, rest)| rest);
        below("*.", &around.parents)
            || parent.is_some_and(|p| around.wild.contains(p))
            // Outlook asks for it by itself.
            || below("autodiscover.", &around.domains)
    }
}

/// With `www.` in front, or without it.
fn twin(name: &str) -> String {
    name.strip_prefix("www.").map_or_else(|| format!("www.{name}"), str::to_string)
}

impl<'a> Around<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut this = Self::default();
        for name in plan.names.iter().map(|n| &n.name) {
            let parent = name.parent();
            if name.is_wildcard() {
                this.wild.extend(parent)
            } else {
                this.parents.extend(parent)
            }
            let mut domain = Some(name.as_str());
            // Once a domain is there, all above it are.
            while let Some(here) = domain.filter(|d| this.domains.insert(d)) {
                domain = here.split_once('.').map(|(_, rest)| rest);
            }
        }
        this
    }
}

/// Names that are wanted beside those of the tables.
fn spoken_of(plan: &Plan) -> HashSet<&str> {
    let mut out = HashSet::new();
    out.extend(plan.names.iter().filter_map(|n| n.cname.as_ref()).map(|c| c.value.as_str()));
    out.extend(plan.servers.iter().flat_map(|s| &s.redirects).map(|r| r.value.as_str()));
    out.extend(plan.servers.iter().filter_map(|s| s.host.as_ref()).map(|h| h.value.as_str()));
    for mail in &plan.mail {
        out.insert(mail.domain.as_str());
        out.extend(mail.mx.iter().flatten().flatten().map(|mx| mx.value.as_str()));
        if let Autodiscover::Name(name) = &mail.autodiscover {
            out.insert(name.value.as_str());
        }
    }
    let records = plan.records.iter().flat_map(|r| r.values.iter().flatten().flatten());
    out.extend(records.flat_map(|text| text.split_whitespace()).map(|word| word.trim_end_matches('.')));
    out
}

fn is_lacking(context: &Context, certificate: CertId) -> bool {
    let due = context.covers(certificate);
    due.into_iter().any(|i| context.assessed[i].problems.iter().any(|p| lacking::is_uncovered(&p.fault)))
}
