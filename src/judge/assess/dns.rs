//! What a view's resolvers answer, held against what is wanted. A and AAAA are one answer: clients use both.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use smallvec::SmallVec;

use super::super::case::{Case, Suspicion};
use super::super::evidence::{Found, Look, Outdated};
use super::super::order::KnownName;
use super::super::problem::{DnsFault, Fault, Problem};
use super::super::truth::{self, Expectation, Truth};
use super::right::{self, Right, is_mixed, is_right};
use super::{Assessment, Cell, problem, truth_of};
use crate::model::dns::{DnsOutcome, RecordType, Reply};
use crate::model::name::Name;
use crate::model::obligation::DnsExpectation;
use crate::model::phase::Moment;
use crate::model::plan::{NameId, ViewId};

/// What one resolver said of a name.
pub(in super::super) struct Heard<'a> {
    /// The outcomes for A and AAAA, each with its observation; several where vantages differ.
    pub(in super::super) outcomes: SmallVec<[(RecordType, Look, &'a DnsOutcome); 2]>,
    /// Where a type was not asked at all: `None`, or at a time that does not count.
    missing: SmallVec<[Option<Outdated>; 2]>,
}

impl Heard<'_> {
    /// The addresses of all answers.
    pub(in super::super) fn addresses(&self) -> BTreeSet<IpAddr> {
        let replies = self.outcomes.iter().filter_map(|(_, _, o)| match o {
            DnsOutcome::Answer(reply) => Some(reply),
            _ => None,
        });
        replies.flat_map(|r| r.addresses.iter().map(|a| a.address)).collect()
    }

    /// Why the answer is half known, if a type was not asked or its outcome is no word about the name.
    pub(in super::super) fn unknown(&self) -> Option<DnsFault> {
        let silent = self.outcomes.iter().find(|(_, _, o)| o.reply().is_none());
        let missing = self.missing.iter().min().map(|m| m.map_or(DnsFault::NotAsked, DnsFault::Stale));
        silent.map(|(_, _, o)| DnsFault::Silent { word: o.to_string() }).or(missing)
    }

    /// The outcomes in words.
    pub(super) fn words(&self) -> String {
        self.outcomes.iter().map(|(_, _, o)| o.to_string()).collect::<Vec<_>>().join(", ")
    }

    fn looks(&self) -> Vec<Look> {
        self.outcomes.iter().map(|(_, look, _)| *look).collect()
    }

    /// True if an answer's alias chain shows a name.
    fn shows(&self, alias: &Name) -> bool {
        self.outcomes.iter().filter_map(|(_, _, o)| o.reply()).any(|r| shows(r, alias))
    }

    /// The answers that have addresses.
    fn answers(&self) -> impl Iterator<Item = &Reply> {
        let replies = self.outcomes.iter().filter_map(|(_, _, o)| match o {
            DnsOutcome::Answer(reply) => Some(reply),
            _ => None,
        });
        replies.filter(|r| !r.addresses.is_empty())
    }

    /// The addresses to which an alias to the host led.
    fn behind(&self, host: &Name) -> impl Iterator<Item = IpAddr> {
        self.answers().filter(|r| shows(r, host)).flat_map(|r| r.addresses.iter().map(|a| a.address))
    }
}

fn given(reply: &Reply) -> BTreeSet<IpAddr> {
    reply.addresses.iter().map(|a| a.address).collect()
}

fn shows(reply: &Reply, alias: &Name) -> bool {
    let same = |text: &str| text.trim_end_matches('.').eq_ignore_ascii_case(alias.as_str());
    reply.chain.iter().any(|link| same(&link.target))
}

/// Asks the evidence what a resolver said. Where one vantage got an answer, the silence of another says nothing.
pub(in super::super) fn hear<'a>(case: &Case<'a>, name: &Name, view: ViewId, resolver: usize) -> Heard<'a> {
    hear_known(case, case.evidence.name(name), view, resolver)
}

/// As [`hear`], of a name of the plan.
pub(in super::super) fn hear_planned<'a>(case: &Case<'a>, name: NameId, view: ViewId, resolver: usize) -> Heard<'a> {
    hear_known(case, case.known(name), view, resolver)
}

fn hear_known<'a>(case: &Case<'a>, name: Option<KnownName>, view: ViewId, resolver: usize) -> Heard<'a> {
    let mut heard = Heard { outcomes: SmallVec::new(), missing: SmallVec::new() };
    for kind in RecordType::ALL {
        match case.evidence.known(case.resolver(view, resolver), name, kind as u32, |_| true) {
            Found::Fresh(looks) => {
                let begin = heard.outcomes.len();
                heard.outcomes.extend(looks.into_iter().filter_map(|l| Some((kind, l, case.evidence.dns(l)?))));
                let is_word = |o: &(RecordType, Look, &DnsOutcome)| o.2.reply().is_some();
                if heard.outcomes[begin..].iter().any(is_word) {
                    heard.outcomes.retain(|o| o.0 != kind || is_word(o));
                }
            }
            Found::Stale(why) => heard.missing.push(Some(why)),
            Found::Nothing => heard.missing.push(None),
        }
    }
    heard
}

/// The view's resolvers that are believed.
fn believed(case: &Case, view: ViewId, suspicion: &Suspicion) -> impl Iterator<Item = usize> {
    let resolvers = 0..case.plan.view(view).resolvers.len();
    resolvers.filter(move |r| !suspicion.resolvers.contains(&(view, *r)))
}

/// Every address that the view's believed resolvers gave for a name.
pub(in super::super) fn answers(case: &Case, name: &Name, view: ViewId, suspicion: &Suspicion) -> BTreeSet<IpAddr> {
    believed(case, view, suspicion).flat_map(|r| hear(case, name, view, r).addresses()).collect()
}

/// As [`answers`], of a name of the plan, without those addresses that it is known to have.
pub(super) fn answers_beyond(
    case: &Case,
    name: NameId,
    view: ViewId,
    suspicion: &Suspicion,
    known: &[IpAddr],
) -> BTreeSet<IpAddr> {
    let mut out = BTreeSet::new();
    for resolver in believed(case, view, suspicion) {
        for reply in hear_planned(case, name, view, resolver).answers() {
            out.extend(reply.addresses.iter().map(|a| a.address).filter(|a| !known.contains(a)));
        }
    }
    out
}

/// Judges what every resolver of the view answers for a name.
pub(super) fn resolves(
    case: &Case,
    name: NameId,
    view: ViewId,
    expected: &DnsExpectation,
    suspicion: &Suspicion,
) -> Assessment {
    let asked = Asked { case, name, view, expected, rights: OnceCell::new(), suspicion };
    combine((0..case.plan.view(view).resolvers.len()).map(|r| asked.resolver(r)))
}

/// What one resolver says of an obligation, with what stands in the matrix.
pub(super) struct Word {
    pub(super) problems: Vec<Problem>,
    pub(super) cell: Cell,
}

/// Any resolver's fault fails; else one that is right passes, and the silent ones are named beside; else nobody knows.
pub(super) fn combine(words: impl Iterator<Item = Word>) -> Assessment {
    let (mut passes, mut fails, mut open) = (None, None, None);
    let mut problems = Vec::new();
    for word in words {
        let first = match truth_of(&word.problems) {
            Truth::Pass => &mut passes,
            Truth::Fail => &mut fails,
            Truth::Unobserved => &mut open,
        };
        first.get_or_insert(word.cell);
        problems.extend(word.problems);
    }
    let (truth, cell) = match (fails, passes, open) {
        (Some(cell), _, _) => (Truth::Fail, cell),
        (None, Some(cell), _) => (Truth::Pass, cell),
        (None, None, cell) => (Truth::Unobserved, cell.unwrap_or_default()),
    };
    Assessment { truth, ..Assessment::of(problems, cell) }
}

struct Asked<'a, 'c> {
    case: &'a Case<'c>,
    name: NameId,
    view: ViewId,
    expected: &'a DnsExpectation,
    rights: OnceCell<Vec<Right>>,
    suspicion: &'a Suspicion,
}

impl Asked<'_, '_> {
    fn resolver(&self, index: usize) -> Word {
        let heard = hear_planned(self.case, self.name, self.view, index);
        let fault = match self.suspicion.resolvers.contains(&(self.view, index)) {
            true => Some(DnsFault::Intercepted),
            false if self.is_plainly_right(&heard) => {
                return Word { problems: Vec::new(), cell: Cell::of(self.only().iter()) };
            }
            false => self.fault(&heard, index),
        };
        let cell = cell(&heard, fault.as_ref());
        let problems = fault.map(|f| problem(Fault::Dns(self.view, index, f), &heard.looks()));
        Word { problems: problems.into_iter().collect(), cell }
    }

    fn rights(&self) -> &[Right] {
        self.rights.get_or_init(|| right::rights(self.case.plan, self.name, self.view, self.expected))
    }

    /// The addresses that are right, where there is one alternative.
    fn only(&self) -> &[IpAddr] {
        match self.expected.present.as_slice() {
            [only] => &only.addresses,
            _ => &[],
        }
    }

    /// True if every answer says what is wanted and nothing else, where one thing only is wanted: the most frequent case by
    /// far, in which [`Asked::fault`] finds nothing.
    fn is_plainly_right(&self, heard: &Heard) -> bool {
        let DnsExpectation { absent, present, like, part, cname, .. } = self.expected;
        let is_simple = like.is_empty() && !part && cname.is_none() && heard.missing.is_empty();
        let is_one = if *absent { present.is_empty() } else { present.len() == 1 };
        let is_whole = RecordType::ALL.iter().all(|kind| heard.outcomes.iter().any(|o| o.0 == *kind));
        if !is_simple || !is_one || !is_whole {
            return false;
        }
        let wanted = |kind: RecordType| self.only().iter().copied().filter(move |a| kind.holds(*a));
        let says = |(kind, _, outcome): &(RecordType, Look, &DnsOutcome)| match outcome {
            DnsOutcome::Answer(reply) => {
                wanted(*kind).next().is_some() && wanted(*kind).eq(reply.addresses.iter().map(|a| a.address))
            }
            DnsOutcome::NoData(_) | DnsOutcome::NxDomain(_) => wanted(*kind).next().is_none(),
            _ => false,
        };
        heard.outcomes.iter().all(says)
    }

    fn fault(&self, heard: &Heard, index: usize) -> Option<DnsFault> {
        let (expected, addresses) = (self.expected, heard.addresses());
        let wanted = !expected.present.is_empty() || !expected.like.is_empty();
        if addresses.is_empty() && wanted {
            // The alias is there and its target is not, or nothing is.
            let dangles = expected.like.iter().any(|host| heard.shows(host));
            if dangles || (!expected.absent && (expected.part || !expected.like.is_empty())) {
                return nothing(heard);
            }
        }
        if !addresses.is_empty() && !wanted && expected.absent {
            return Some(DnsFault::Unwanted { addresses, forbidden: expected.forbidden });
        }
        let hosts = self.hosts(heard, index);
        if addresses.iter().any(|a| !self.allowed(*a) && !hosts.has(*a)) {
            return hosts.unknown().or(Some(DnsFault::Unexpected { addresses }));
        }
        // On the eve a record that is to be flipped may be old or new, but nothing is cached yet that could mix them.
        let is_eve = matches!(self.case.policy.moment(self.case.plan, self.view), Moment::Ready(..));
        if is_eve && heard.answers().any(|r| is_mixed(self.rights(), &given(r), &hosts.known)) {
            return hosts.unknown().or(Some(DnsFault::Unexpected { addresses }));
        }
        let is_right = is_right(self.rights(), &addresses, &hosts.known, expected.part);
        self.by_table(heard, is_right)
            .or_else(|| match (addresses.is_empty(), is_right) {
                (true, _) if wanted && !expected.absent => nothing(heard),
                (true, _) | (false, true) => None,
                (false, false) => hosts.unknown().or(Some(DnsFault::Unexpected { addresses })),
            })
            .or_else(|| self.alias(heard))
    }

    /// What the truth table says of each type. Where one vantage heard the right answer and another none, the name is
    /// unresolved there; it leads nowhere else.
    fn by_table(&self, heard: &Heard, is_right: bool) -> Option<DnsFault> {
        let addresses = heard.addresses();
        let resolves = !addresses.is_empty();
        let judged = heard.outcomes.iter().map(|(kind, _, o)| (truth::dns(o, self.kind(*kind, resolves)), *o));
        let worst = judged.max_by_key(|(truth, _)| *truth);
        match worst {
            Some((Truth::Fail, _)) if resolves && !is_right => Some(DnsFault::Unexpected { addresses }),
            Some((Truth::Fail, o)) => Some(unresolved(o)),
            Some((Truth::Unobserved, o)) => Some(DnsFault::Silent { word: o.to_string() }),
            Some((Truth::Pass, _)) | None => self.open(heard),
        }
    }

    /// What is hoped for of one type: present where every right answer has an address of it, absent where none has.
    fn kind(&self, kind: RecordType, resolves: bool) -> Expectation {
        let sets = self.expected.present.iter().map(|p| p.addresses.iter().any(|a| kind.holds(*a)));
        let has: Vec<bool> = sets.collect();
        let loose = self.expected.part || self.expected.absent || !self.expected.like.is_empty();
        match (has.iter().all(|h| *h), has.iter().any(|h| *h)) {
            _ if has.is_empty() && self.expected.like.is_empty() => match self.expected.absent {
                true => Expectation::Absent,
                false => Expectation::Unconstrained,
            },
            _ if loose => Expectation::Either,
            (true, _) => Expectation::Present,
            (false, false) if resolves => Expectation::Absent,
            // Without any address the other type's absence says it.
            (false, false) | (false, true) => Expectation::Either,
        }
    }

    /// A type that was not asked leaves the answer half known.
    fn open(&self, heard: &Heard) -> Option<DnsFault> {
        heard.missing.iter().min().map(|m| m.map_or(DnsFault::NotAsked, DnsFault::Stale))
    }

    fn allowed(&self, address: IpAddr) -> bool {
        self.expected.present.iter().any(|p| p.addresses.contains(&address))
    }

    /// Every answer must show it: clients ask for both types.
    fn alias(&self, heard: &Heard) -> Option<DnsFault> {
        let alias = self.expected.cname.as_ref()?;
        heard.answers().any(|r| !shows(r, alias)).then(|| DnsFault::NoAlias { alias: alias.clone() })
    }

    /// What the others' hosts resolve to in this view: this resolver's word too, for such answers vary, and what an
    /// alias to the host led to.
    fn hosts(&self, heard: &Heard, index: usize) -> Hosts {
        let of = |host: &Name| {
            let mut found = hear(self.case, host, self.view, index).addresses();
            found.extend(answers(self.case, host, self.view, self.suspicion));
            found.extend(heard.behind(host));
            (host.clone(), found)
        };
        Hosts { known: self.expected.like.iter().map(of).collect() }
    }
}

/// Others' hosts and their addresses; none where nobody knows.
struct Hosts {
    known: BTreeMap<Name, BTreeSet<IpAddr>>,
}

impl Hosts {
    fn has(&self, address: IpAddr) -> bool {
        self.known.values().any(|set| set.contains(&address))
    }

    fn unknown(&self) -> Option<DnsFault> {
        let unknown = self.known.iter().find(|(_, set)| set.is_empty());
        unknown.map(|(host, _)| DnsFault::LikeUnknown { host: host.clone() })
    }
}

/// A name without any address. NXDOMAIN speaks of every type (RFC 8020); the rest only if no type is left open.
fn nothing(heard: &Heard) -> Option<DnsFault> {
    let outcomes = || heard.outcomes.iter().map(|(_, _, o)| *o);
    let is_open = |o: &&DnsOutcome| o.reply().is_none() && **o != DnsOutcome::ServFail;
    let gone = outcomes().find(|o| matches!(o, DnsOutcome::NxDomain(_)));
    let missing = heard.missing.iter().min().map(|m| m.map_or(DnsFault::NotAsked, DnsFault::Stale));
    gone.map(unresolved)
        .or_else(|| outcomes().find(is_open).map(|o| DnsFault::Silent { word: o.to_string() }))
        .or(missing)
        .or_else(|| outcomes().next().map(unresolved))
        .or(Some(DnsFault::NotAsked))
}

fn unresolved(outcome: &DnsOutcome) -> DnsFault {
    let chain = outcome.reply().map_or(&[][..], |r| &r.chain);
    let dangling = chain.first().zip(chain.last()).map(|(first, last)| (first.owner.clone(), last.target.clone()));
    DnsFault::Unresolved { word: outcome.to_string(), dangling }
}

fn cell(heard: &Heard, fault: Option<&DnsFault>) -> Cell {
    match fault {
        Some(DnsFault::Unresolved { word, .. }) => Cell::Text(word.as_str().into()),
        Some(fault) if Fault::Dns(ViewId(0), 0, fault.clone()).is_open() => Cell::default(),
        _ => Cell::of(heard.addresses().iter()),
    }
}
