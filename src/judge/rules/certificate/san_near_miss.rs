//! A name that is missing stands on the certificate with a slip of the pen.

use std::collections::{BTreeMap, BTreeSet};

use super::idn_or_syntax::is_malformed;
use super::lacking::{self, presented};
use crate::judge::RuleInfo;
use crate::judge::draft::{Context, Draft, Item, Key, Whose};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::identity::Mismatch;
use crate::model::name::Name;
use crate::model::plan::{NameId, Plan};
use crate::pki;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "san-near-miss",
    family: "certificate",
    severity: Severity::Warning,
    summary: "a name that is missing on a certificate differs by a letter or two from one that is on it",
    citation: "RFC 9525 section 6.3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The certificate lacks a name that the plan wants, and has one that differs from it by one or two letters that are wrong,
missing, superfluous or swapped, and that no table of the plan knows. Names that differ in digits only are not compared:
mail1 and mail2 are two hosts.

# Why it matters

The eye reads over it: autdiscover.domain.com looks right in every list. Clients compare letter by letter.

# Example

    [internet]
    \"autodiscover.domain.com\" = \"ex2010\"

with a certificate for mail.domain.com and autdiscover.domain.com.

# Cure

Order again with the name as clients use it; or, if the plan has the slip, correct it there.

# References

RFC 9525 section 6.3; https://serverfault.com/questions/627870
";

/// As many letters may differ.
const FAR: usize = 2;
/// Pairs of names that are compared, at most: a certificate may come from anybody and hold thousands.
const PAIRS: usize = 1_000_000;

/// One finding per certificate; what lacks the name has a finding of its own.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let near = slips(context);
    if near.is_empty() {
        return;
    }
    let slip = |item: &Item| {
        let (whose, _) = lacking::lacking(context.case, item)?;
        near.get(&(whose, item.obligation.name)).map(|found| (whose, found.clone()))
    };
    for (((whose, found), waiver), items) in context.group(&INFO, slip) {
        drafts.push(draft(context, whose, &found, waiver, &items));
    }
}

/// Of each name that a certificate lacks, the one on it that looks like it, if there is one.
pub(super) fn slips(context: &Context) -> BTreeMap<(Whose, NameId), String> {
    let case = context.case;
    let planned: BTreeSet<&str> = case.plan.names.iter().map(|n| n.name.as_str()).collect();
    let mut left = PAIRS;
    let mut out: BTreeMap<(Whose, NameId), Option<String>> = BTreeMap::new();
    for item in context.items() {
        if let Some((whose, Mismatch::NotPresented)) = lacking::lacking(case, &item) {
            let name = item.obligation.name;
            let wanted = case.plan.name(name).name.as_str();
            let near = || {
                let presented = presented(case, whose);
                left = left.checked_sub(presented.len())?;
                nearest(&presented, wanted, &planned)
            };
            out.entry((whose, name)).or_insert_with(near);
        }
    }
    out.into_iter().filter_map(|(key, found)| Some((key, found?))).collect()
}

/// The name among those presented that a slip of the pen makes of the wanted one.
fn nearest(presented: &[String], wanted: &str, planned: &BTreeSet<&str>) -> Option<String> {
    let lower = presented.iter().filter(|p| !is_malformed(p)).map(|p| p.to_ascii_lowercase());
    let near = lower.filter(|p| !planned.contains(p.as_str()) && is_slip(p, wanted));
    near.min_by_key(|p| (strsim::damerau_levenshtein(p, wanted), p.clone()))
}

/// The planned name that the certificate lacks and that an identifier on it was probably meant to be. Of many names in a
/// large plan nothing is said.
pub(super) fn meant<'a>(plan: &'a Plan, id: &str, presented: &[String]) -> Option<&'a str> {
    let is_planned = || plan.names.iter().any(|n| n.name.as_str() == id);
    if plan.names.len().saturating_mul(presented.len()) > PAIRS || is_malformed(id) || is_planned() {
        return None;
    }
    let lacks = |name: &Name| pki::identify_among(presented.iter().map(String::as_str), name).is_err();
    let mut near = plan.names.iter().map(|n| &n.name).filter(|n| is_slip(id, n.as_str()));
    near.find(|n| lacks(n)).map(Name::as_str)
}

fn is_slip(presented: &str, wanted: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    presented.len().abs_diff(wanted.len()) <= FAR
        && spread(presented, wanted) <= 2 * FAR
        && letters(presented) != letters(wanted)
        && (1..=FAR).contains(&strsim::damerau_levenshtein(presented, wanted))
}

/// How many letters one of them has and the other has not, whatever their order: a bound that costs little.
fn spread(one: &str, other: &str) -> usize {
    let mut count = [0_i32; 256];
    one.bytes().for_each(|b| count[usize::from(b)] += 1);
    other.bytes().for_each(|b| count[usize::from(b)] -= 1);
    count.iter().map(|n| n.unsigned_abs() as usize).sum()
}

fn draft(context: &Context, whose: Whose, found: &str, waiver: Option<usize>, items: &[Item]) -> Draft {
    let plan = context.case.plan;
    let names = wording::names(items);
    let listed = wording::name_list(plan, &names);
    let mut draft = Draft::of(context, &INFO, items, waiver);
    draft.title = format!("the certificate has {found}, which looks like a slip for {listed}");
    draft.expected = vec![format!("{listed}, letter by letter")];
    draft.seen = match whose {
        Whose::Leaf(leaf) => vec![wording::leaf(context.case, leaf), format!("on it: {found}")],
        Whose::Planned(_) => vec![format!("planned: {found}")],
    };
    draft.hurts = vec![format!("clients that ask for {listed}: name mismatch")];
    draft.remedy.cure = vec![match whose {
        Whose::Leaf(_) => format!("order again with {listed} instead of {found}"),
        Whose::Planned(_) => format!("write {listed} instead of {found} in `names`"),
    }];
    if let Whose::Planned(c) = whose {
        draft.subject.certificate = Some(plan.certificate(c).label.to_string());
        draft.at = Some(plan.certificate(c).span);
    }
    draft.keys = names.iter().map(|n| Key::Uncovered(whose, *n)).collect();
    draft
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_or_two_letters_and_no_number() {
        for (presented, wanted, slip) in [
            ("autdiscover.domain.com", "autodiscover.domain.com", true),
            ("autodicsover.domain.com", "autodiscover.domain.com", true),
            ("mail.domian.com", "mail.domain.com", true),
            ("mial.domain.co", "mail.domain.com", true),
            ("webmail.domain.com", "mail.domain.com", false),
            ("mail1.domain.com", "mail2.domain.com", false),
            ("mail.domain.com", "mail2.domain.com", false),
            ("mail.domain.com", "mail.domain.com", false),
        ] {
            assert_eq!(is_slip(presented, wanted), slip, "{presented} {wanted}");
        }
    }
}
