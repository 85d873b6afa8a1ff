//! Presented identifiers made ready for many reference identifiers: a certificate with hundreds of names is asked for each
//! of them.

use std::collections::HashMap;

use super::identity::{explain, is_dns_id};
use crate::model::certificate::CertificateFacts;
use crate::model::identity::{Matched, Mismatch};
use crate::model::name::Name;

/// DNS-IDs by what they match. Says the same as [`super::identify`], without looking at each.
#[derive(Debug, Default)]
pub struct Presented {
    ids: Vec<String>,
    common_names: Vec<String>,
    /// The first place of each valid identifier, in lower case.
    exact: HashMap<Box<str>, usize>,
    /// The same of what follows the `*.` of each wildcard.
    wild: HashMap<Box<str>, usize>,
}

impl Presented {
    /// The identifiers of a certificate.
    pub fn of(certificate: &CertificateFacts) -> Self {
        let these = Self::among(certificate.dns_ids.iter().map(String::as_str));
        Self { common_names: certificate.common_names.to_vec(), ..these }
    }

    /// DNS-IDs without a certificate: what is not ordered yet.
    pub fn among<'a>(ids: impl Iterator<Item = &'a str>) -> Self {
        let mut these = Self { ids: ids.map(String::from).collect(), ..Self::default() };
        for (place, id) in these.ids.iter().enumerate().filter(|(_, id)| is_dns_id(id)) {
            let id = id.to_ascii_lowercase();
            if let Some(base) = id.strip_prefix("*.") {
                these.wild.entry(base.into()).or_insert(place);
            }
            these.exact.entry(id.into()).or_insert(place);
        }
        these
    }

    /// Whether they match a reference identifier (RFC 9525 section 6), as [`super::identify`] has it.
    ///
    /// # Errors
    /// The most telling reason why none does.
    pub fn identify(&self, reference: &Name) -> Result<Matched, Mismatch> {
        let matched = [self.exact.get(reference.as_str()), self.by_wildcard(reference)];
        match matched.into_iter().flatten().min().and_then(|place| self.ids.get(*place)) {
            Some(id) => Ok(Matched { presented: id.clone(), wildcard: id.starts_with("*.") }),
            None => Err(explain(self.nearest(reference), &self.common_names, reference)),
        }
    }

    fn by_wildcard(&self, reference: &Name) -> Option<&usize> {
        match reference.is_wildcard() || self.wild.is_empty() {
            true => None,
            false => self.wild.get(reference.parent()?),
        }
    }

    fn nearest(&self, reference: &Name) -> Mismatch {
        let deeper = match self.wild.is_empty() {
            true => None,
            false => endings(reference.as_str()).filter_map(|ending| self.wild.get(ending)).min(),
        };
        match deeper.and_then(|place| self.ids.get(*place)) {
            Some(id) => Mismatch::WildcardDepth { presented: id.clone() },
            None if self.ids.is_empty() => Mismatch::NoDnsId { common_name: false },
            None => Mismatch::NotPresented,
        }
    }
}

/// A name and everything above it.
fn endings(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |rest| rest.split_once('.').map(|(_, above)| above))
}

#[cfg(test)]
mod tests {
    use super::super::identify_among;
    use super::*;
    use proptest::prelude::*;

    fn labels(more: &'static str) -> impl Strategy<Value = String> {
        prop::collection::vec("(a|b|A|xn--a|1)", 1..4).prop_map(move |labels| format!("{more}{}", labels.join(".")))
    }

    fn presented() -> impl Strategy<Value = String> {
        prop_oneof![labels(""), labels("*."), "[a.*\0-]{0,6}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn it_says_what_looking_at_each_says(
            ids in prop::collection::vec(presented(), 0..9),
            reference in prop_oneof![labels(""), labels("*.")],
        ) {
            prop_assume!(Name::parse_owner(&reference).is_ok());
            let (reference, each) = (Name::parse_owner(&reference).unwrap(), || ids.iter().map(String::as_str));
            prop_assert_eq!(Presented::among(each()).identify(&reference), identify_among(each(), &reference));
        }
    }
}
