//! MTA-STS policies as recordings show them (RFC 8461): what senders are told today, and what they may keep of before.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::history::Ways;
use super::policies::{self, exchanges};
use super::records::Sets;
use super::seen::{Seen, SeenSet};
use crate::model::cutover::{CacheKey, CacheKind, Datum, Past, RecordSet};
use crate::model::http::{HttpHead, Page};
use crate::model::mta_sts::{self, Mode, Policy, Record};
use crate::model::name::Name;
use crate::model::plan::{MailDomain, ViewId};
use crate::model::questions;

/// What was seen of a domain's policy.
struct Looks {
    /// In the order of time; `None` where nothing is enforced.
    policies: Vec<(Timestamp, Option<RecordSet>)>,
}

impl Looks {
    /// `None` if nobody got a word.
    fn of(seen: &Seen, view: ViewId, domain: &Name) -> Option<Self> {
        let host = mta_sts::host(domain)?;
        let read = |(at, head): &(Timestamp, &HttpHead)| Some((*at, enforced(head)?));
        let pages = seen.pages(Page::MtaSts).filter(|(name, ..)| **name == host);
        let mut policies: Vec<_> = pages.flat_map(|(_, _, looks)| looks.iter().filter_map(read)).collect();
        policies.sort_by_key(|(at, _)| *at);
        let texts = mta_sts::owner(domain).and_then(|owner| seen.texts(view, &owner));
        if let Some((at, texts)) = texts
            && !matches!(Record::of(texts), Record::Id(_))
        {
            // No sender asks for a policy of which no record tells.
            policies.push((at, None));
        }
        (!policies.is_empty()).then_some(Self { policies })
    }

    /// What is enforced, and the first look from which on all showed the same.
    fn newest(&self) -> (Option<&RecordSet>, Option<Timestamp>) {
        let newest = self.policies.last().and_then(|(_, policy)| policy.as_ref());
        let same = self.policies.iter().rev().take_while(|(_, policy)| policy.as_ref() == newest);
        (newest, same.last().map(|(at, _)| *at))
    }

    /// Policies that were replaced, and when they were seen to be.
    fn replaced(&self) -> impl Iterator<Item = (&RecordSet, Timestamp)> {
        self.policies.windows(2).filter_map(|pair| match pair {
            [(_, Some(old)), (at, new)] if new.as_ref() != Some(old) => Some((old, *at)),
            _ => None,
        })
    }
}

/// The policy that an answer gives; `Some(None)` if it enforces nothing, `None` if it is no policy.
fn enforced(head: &HttpHead) -> Option<Option<RecordSet>> {
    let policy = Policy::parse(head.body.as_deref().filter(|_| head.status == 200)?).ok()?;
    let patterns = policy.mx.iter().filter_map(|p| Name::parse(p).ok()).map(Datum::Host);
    Some((policy.mode == Mode::Enforce).then(|| RecordSet { ttl: policy.max_age, data: patterns.collect() }))
}

/// What is known beside the policies that the plan declares.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) shown: Vec<(CacheKey, SeenSet)>,
    pub(super) past: Vec<Past>,
    pub(super) told: BTreeSet<String>,
}

/// Takes the policies that were seen in place of those that the plan has. `declared` follows where the plan does not
/// contradict.
pub(super) fn take(ways: &Ways, declared: &mut Sets, now: &mut Sets, goal: &mut Sets) -> Taken {
    let mut taken = Taken::default();
    for view in questions::outward(ways.plan) {
        for mail in &ways.plan.mail {
            let key = CacheKey { view, owner: mail.domain.clone(), kind: CacheKind::MtaSts };
            let Some(looks) = Looks::of(ways.seen, view, &mail.domain) else { continue };
            let (newest, since) = looks.newest();
            for (old, at) in looks.replaced() {
                let until = ways.until(view, Some(at));
                taken.past.push(Past { key: key.clone(), answer: Some(old.clone()), until });
            }
            let label = &ways.plan.view(view).label;
            taken.told.extend(conflict(mail, newest).map(|what| format!("{what} (seen in {label})")));
            match newest {
                Some(set) => {
                    goal.insert(key.clone(), wanted(ways, mail, view, &set.data));
                    now.insert(key.clone(), set.data.clone());
                    if conflict(mail, newest).is_none() {
                        declared.insert(key.clone(), set.data.clone());
                    }
                    let (authoritative, at_least) = (Some(set.ttl), set.ttl);
                    taken.shown.push((key, SeenSet { data: set.data.clone(), authoritative, at_least, since }));
                }
                None => {
                    goal.remove(&key);
                    if let (Some(data), Some(policy)) = (now.remove(&key), &mail.mta_sts) {
                        let answer = Some(RecordSet { ttl: policy.max_age.value, data });
                        taken.past.push(Past { key, answer, until: ways.until(view, since) });
                    }
                }
            }
        }
    }
    taken
}

/// The patterns of the end: those of the plan, else those that were seen, without hosts that take no mail any more; and what
/// takes mail then and fits none.
fn wanted(ways: &Ways, mail: &MailDomain, view: ViewId, seen: &BTreeSet<Datum>) -> BTreeSet<Datum> {
    let declared = mail.mta_sts.iter().flat_map(|p| &p.mx).map(|p| Datum::Host(p.value.clone()));
    let declared: BTreeSet<Datum> = declared.collect();
    let stays = |d: &&Datum| match d {
        Datum::Host(host) => {
            let was = exchanges(mail, ways.from[view.0]).any(|h| h == host);
            !was || exchanges(mail, ways.to).any(|h| h == host)
        }
        _ => true,
    };
    let given = if declared.is_empty() { seen.iter().filter(stays).cloned().collect() } else { declared };
    policies::with_exchanges(given, mail, ways.to)
}

/// Where the plan says of a policy what was seen to be otherwise.
fn conflict(mail: &MailDomain, seen: Option<&RecordSet>) -> Option<String> {
    let policy = mail.mta_sts.as_ref()?;
    let domain = &mail.domain;
    let said: BTreeSet<Datum> = policy.mx.iter().map(|p| Datum::Host(p.value.clone())).collect();
    let differs = match seen {
        None => format!("the plan has an MTA-STS policy of {domain}, and none is enforced"),
        Some(set) if !said.is_empty() && said != set.data => {
            let (said, seen) = (super::words::data(&said), super::words::data(&set.data));
            format!("the plan has an MTA-STS policy of {domain} that allows {said}, and it allows {seen}")
        }
        Some(set) if set.ttl != policy.max_age.value => {
            let (said, seen) = (policy.max_age.value, set.ttl);
            format!("the plan has an MTA-STS policy of {domain} with max-age {said}, and it has {seen}")
        }
        Some(_) => return None,
    };
    Some(format!("{differs}; taken as seen, and what the plan has as kept by senders"))
}
