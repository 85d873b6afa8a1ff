//! A name is written so that it cannot match, or otherwise than it is compared.

use std::collections::{BTreeMap, BTreeSet};

use super::lacking;
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Key, Whose};
use crate::judge::in_use::{InUse, called};
use crate::judge::wording;
use crate::model::certificate::{BlobId, CertificateFacts};
use crate::model::finding::Severity;
use crate::model::name::Name;
use crate::model::plan::{CertificateSource, NameId};
use crate::model::source::{Span, Syntax};
use crate::model::text::escape;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "idn-or-syntax",
    family: "certificate",
    severity: Severity::Error,
    summary: "a name in a certificate is no host name as clients compare it, or the plan writes one in another form",
    citation: "RFC 5280 sections 4.2.1.6 and 7.2; RFC 5890; CA/Browser Forum Baseline Requirements 7.1.2.7.12",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A certificate's subjectAltName has an entry that no client matches: letters beyond ASCII instead of the A-label (xn--...), a
final dot, a blank, a label of more than 63 characters, more than 253 in all. If it would be a name that the plan wants, were
it written right, it is an error; else a note, for the entry is merely useless. A commonName of more than 64 characters is a
warning: strict readers refuse the whole certificate. And a note, where the plan itself writes a name in capitals, with a
final dot or with other letters than A-labels: it is compared in the other form, which the note prints.

# Why it matters

Such a name looks right to everybody who reads the certificate. Clients compare octets.

# Example

    subjectAltName: dNSName m\u{fc}nchen.example.com     clients ask for xn--mnchen-3ya.example.com

# Cure

Order again with the name in the form that the finding prints: A-labels in lower case, without a final dot.

# References

RFC 5280 sections 4.2.1.6 and 7.2, appendix A (ub-common-name); RFC 5890 section 2.3.2.1; CA/Browser Forum Baseline
Requirements 7.1.2.7.12 and 7.1.4.3
";

/// Of each certificate: what hurts, the rest, and the commonName. Of the plan: what it writes otherwise.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let bad: Vec<(&InUse, &CertificateFacts)> =
        context.in_use().filter(|(_, f)| f.dns_ids.iter().any(|d| is_malformed(d)) || !long(f).is_empty()).collect();
    let wanted = if bad.is_empty() { BTreeMap::new() } else { lacked(context) };
    for (used, facts) in bad {
        let of_leaf = wanted.get(&used.leaf);
        let hurts = |d: &str| meant(d).and_then(|n| of_leaf?.get(&n).copied());
        let malformed = facts.dns_ids.iter().filter(|d| is_malformed(d));
        let (wrong, idle): (Vec<&String>, Vec<&String>) = malformed.partition(|d| hurts(d).is_some());
        let names: BTreeSet<NameId> = wrong.iter().filter_map(|d| hurts(d)).collect();
        entries(context, (used, facts), &wrong, Severity::Error, &names, drafts);
        entries(context, (used, facts), &idle, Severity::Info, &BTreeSet::new(), drafts);
        common_names(context, (used, facts), drafts);
    }
    drafts.extend(written(context));
}

/// True if no client matches an entry, whatever it asks for. Underscores do match.
pub(super) fn is_malformed(dns_id: &str) -> bool {
    !dns_id.is_ascii() || dns_id.ends_with('.') || Name::parse_owner(&dns_id.replace('_', "x")).is_err()
}

/// The name that was meant.
fn meant(dns_id: &str) -> Option<String> {
    Name::parse(dns_id.trim()).ok().map(|n| n.to_string())
}

fn long(facts: &CertificateFacts) -> Vec<&String> {
    facts.common_names.iter().filter(|cn| cn.chars().count() > 64).collect()
}

/// The names that each leaf lacks.
fn lacked(context: &Context) -> BTreeMap<BlobId, BTreeMap<String, NameId>> {
    let mut out: BTreeMap<BlobId, BTreeMap<String, NameId>> = BTreeMap::new();
    for item in context.items() {
        let name = item.obligation.name;
        if let Some((Whose::Leaf(leaf), _)) = lacking::lacking(context.case, &item) {
            out.entry(leaf).or_default().insert(context.case.plan.name(name).name.to_string(), name);
        }
    }
    out
}

fn entries(
    context: &Context,
    (used, facts): (&InUse, &CertificateFacts),
    malformed: &[&String],
    severity: Severity,
    names: &BTreeSet<NameId>,
    drafts: &mut Vec<Draft>,
) {
    if malformed.is_empty() {
        return;
    }
    let listed = wording::list(malformed.iter().map(|d| d.as_str()));
    for (waiver, obligations) in context.by_waiver(&INFO, used.obligations.iter().copied(), &used.certificates) {
        let mut draft = Draft::about(context, &INFO, used, waiver, obligations);
        draft.severity = severity;
        draft.title = format!("{} has {listed} as a DNS name, which no client matches", called(context, used, facts));
        let right: Vec<String> = malformed.iter().filter_map(|d| meant(d)).collect();
        draft.expected = match right.is_empty() {
            true => vec!["host names: A-labels without a final dot, 63 characters a label, 253 in all".into()],
            false => vec![wording::list(right.iter().map(String::as_str))],
        };
        draft.seen.extend(wording::cut(malformed.iter().map(|d| (**d).clone()).collect()));
        let asked = wording::name_list(context.case.plan, &names.iter().copied().collect::<Vec<_>>());
        draft.hurts = vec![match names.is_empty() {
            true => "whoever was to match it: no client does".into(),
            false => format!("clients that ask for {asked}: name mismatch"),
        }];
        draft.remedy.cure = vec![match right.is_empty() {
            true => format!("leave {listed} out at the next renewal"),
            false => format!("order again with {} instead", wording::list(right.iter().map(String::as_str))),
        }];
        draft.keys = names.iter().map(|n| Key::Uncovered(Whose::Leaf(used.leaf), *n)).collect();
        drafts.push(draft);
    }
}

fn common_names(context: &Context, (used, facts): (&InUse, &CertificateFacts), drafts: &mut Vec<Draft>) {
    for name in long(facts) {
        for (waiver, obligations) in context.by_waiver(&INFO, used.obligations.iter().copied(), &used.certificates) {
            let mut draft = Draft::about(context, &INFO, used, waiver, obligations);
            let count = name.chars().count();
            draft.severity = Severity::Warning;
            draft.title = format!("the commonName of {} has {count} characters", called(context, used, facts));
            draft.expected = vec!["at most 64 characters, or no commonName".into()];
            draft.seen.push(name.clone());
            draft.hurts = vec!["strict readers: they refuse the whole certificate".into()];
            draft.remedy.cure = vec![
                "order again with a shorter name as commonName, or without one; the names stay in subjectAltName"
                    .into(),
            ];
            drafts.push(draft);
        }
    }
}

/// Names that the plan writes otherwise than they are compared; once each.
fn written(context: &Context) -> Vec<Draft> {
    let plan = context.case.plan;
    let of_certificates = plan.certificates.iter().flat_map(|c| match &c.source {
        CertificateSource::Names(names) => names.as_slice(),
        _ => &[],
    });
    let names = plan.names.iter().map(|n| (&n.name, n.span));
    let mut told = BTreeSet::new();
    let mut out = Vec::new();
    for (name, span) in names.chain(of_certificates.map(|n| (&n.value, n.span))) {
        let Some(text) = text(context, span).filter(|t| *t != name.as_str()) else { continue };
        if Name::parse(text).as_ref() != Ok(name) || !told.insert(text.to_string()) {
            continue;
        }
        let mut draft = Draft::plain(&INFO, format!("the plan writes {} for {name}", escape(text)));
        draft.severity = Severity::Info;
        draft.waiver = context.waiver(INFO.name, &BTreeSet::from([name.to_string()]));
        draft.subject.name = Some(name.to_string());
        draft.expected = vec![name.to_string()];
        draft.seen = vec![text.to_string()];
        draft.hurts = vec!["nobody: it is compared, and must be ordered, as the other form".into()];
        draft.remedy.cure = vec![format!("write {name}")];
        draft.at = Some(span);
        out.push(draft);
    }
    out
}

/// What stands in the plan at a place, without its quotes; `None` where escapes would have to be read first.
fn text<'a>(context: &Context<'a>, span: Span) -> Option<&'a str> {
    let source = &context.case.plan.source;
    let text = source.text.get(span.range())?;
    let quotes: &[char] = if source.syntax == Syntax::Json { &['"'] } else { &['"', '\''] };
    Some(text.trim_matches(quotes)).filter(|t| !t.contains(['\\', '"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_client_matches() {
        let long = format!("{}.example.com", "a".repeat(64));
        for (entry, malformed) in [
            ("mail.example.com", false),
            ("Mail.Example.COM", false),
            ("*.example.com", false),
            ("xn--mnchen-3ya.example.com", false),
            ("a_b.example.com", false),
            ("m\u{fc}nchen.example.com", true),
            ("mail.example.com.", true),
            ("mail .example.com", true),
            ("f*.example.com", true),
            ("https://mail.example.com", true),
            ("", true),
            (long.as_str(), true),
        ] {
            assert_eq!(is_malformed(entry), malformed, "{entry}");
        }
        assert_eq!(meant("M\u{fc}nchen.example.com."), Some("xn--mnchen-3ya.example.com".into()));
    }
}
