//! What was answered to the questions that no obligation demands, and which of them were not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::case::Case;
use super::draft::{Context, Draft};
use super::evidence::{Found, Look};
use super::{RuleInfo, wording};
use crate::model::dns::{DnsOutcome, RecordType, Reply, ResolverAddr};
use crate::model::finding::Subject;
use crate::model::name::Name;
use crate::model::plan::{ViewId, ViewKind, Wanted};
use crate::model::policy::{Policy, Scope};
use crate::model::questions::{self, Question, Topic};
use crate::model::records::RecordData;
use crate::model::source::Span;

/// One resolver's word.
#[derive(Clone)]
pub(super) struct Word<'a> {
    pub(super) resolver: String,
    pub(super) look: Look,
    pub(super) outcome: &'a DnsOutcome,
}

impl<'a> Word<'a> {
    /// The records of an answer; none of a negative one; `None` where it is no word about the name.
    pub(super) fn records(&self) -> Option<BTreeSet<&'a RecordData>> {
        self.outcome.reply().map(|r| r.records.iter().map(|r| &r.data).collect())
    }
}

/// What the believed resolvers of a view said.
#[derive(Clone, Default)]
pub(super) struct Told<'a>(pub(super) Vec<Word<'a>>);

impl<'a> Told<'a> {
    /// Those that are a word about the name.
    pub(super) fn replies(&self) -> impl Iterator<Item = (&Word<'a>, &'a Reply)> {
        self.0.iter().filter_map(|w| Some((w, w.outcome.reply()?)))
    }

    /// True if anybody said something about the name.
    pub(super) fn is_known(&self) -> bool {
        self.replies().next().is_some()
    }

    /// The observations.
    pub(super) fn looks(&self) -> impl Iterator<Item = Look> + '_ {
        self.0.iter().map(|w| w.look)
    }

    /// What was said, each once.
    pub(super) fn lines(&self) -> Vec<String> {
        said(&self.0)
    }
}

/// What was said and by whom, the same words together.
pub(super) fn said(words: &[Word]) -> Vec<String> {
    let mut by_word: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for word in words {
        by_word.entry(word.outcome.to_string()).or_default().insert(&word.resolver);
    }
    wording::cut(
        by_word.iter().map(|(word, who)| format!("{word} from {}", wording::list(who.iter().copied()))).collect(),
    )
}

/// True if the questions about a view are asked at all.
pub(super) fn asks(case: &Case, view: ViewId) -> bool {
    case.policy.asks_beside() && case.policy.views.as_ref().is_none_or(|views| views.contains(&view))
}

/// The views that are asked about, of those in which the world outside is seen.
pub(super) fn outward(case: &Case) -> Vec<ViewId> {
    questions::outward(case.plan).into_iter().filter(|v| asks(case, *v)).collect()
}

/// What the view's resolvers said of a type at a name, but for those that are suspected to be somebody else, and those
/// that have an answer for what cannot exist.
pub(super) fn told<'a>(context: &Context<'a>, view: ViewId, name: &Name, kind: RecordType) -> Told<'a> {
    Told(believed(context, view).flat_map(|r| told_by(context.case, view, r, name, kind).0).collect())
}

/// The view's resolvers that are.
pub(super) fn believed<'a>(context: &Context<'a>, view: ViewId) -> impl Iterator<Item = &'a ResolverAddr> {
    let suspicion = context.suspicion;
    let resolvers = context.case.plan.view(view).resolvers.iter().enumerate();
    let is_believed =
        move |i: &usize| !suspicion.resolvers.contains(&(view, *i)) && !suspicion.liars.contains(&(view, *i));
    resolvers.filter(move |(i, _)| is_believed(i)).map(|(_, r)| &r.value)
}

/// What one server said.
pub(super) fn told_by<'a>(
    case: &Case<'a>,
    view: ViewId,
    server: &ResolverAddr,
    name: &Name,
    kind: RecordType,
) -> Told<'a> {
    words_of(case, server, case.evidence.question(&case.plan.view(view).label, server, name, kind))
}

/// What a server of a zone said, by TCP where it was asked through a proxy.
pub(super) fn told_by_server<'a>(
    case: &Case<'a>,
    view: ViewId,
    server: &ResolverAddr,
    name: &Name,
    kind: RecordType,
) -> Told<'a> {
    let told = told_by(case, view, server, name, kind);
    if told.0.is_empty() { told_by(case, view, &server.by_stream(), name, kind) } else { told }
}

/// What the view's resolvers said that were told not to validate.
pub(super) fn told_unchecked<'a>(context: &Context<'a>, view: ViewId, name: &Name, kind: RecordType) -> Told<'a> {
    let (case, v) = (context.case, context.case.plan.view(view));
    let of = |r: &ResolverAddr| words_of(case, r, case.evidence.unchecked(&v.label, r, name, kind)).0;
    Told(believed(context, view).flat_map(of).collect())
}

fn words_of<'a>(case: &Case<'a>, server: &ResolverAddr, found: Found) -> Told<'a> {
    let Found::Fresh(looks) = found else { return Told::default() };
    let words = looks.into_iter().filter_map(|look| {
        let outcome = case.evidence.dns(look)?;
        Some(Word { resolver: server.to_string(), look, outcome })
    });
    let all: Vec<Word> = words.collect();
    // Where one vantage got an answer, the silence of another says nothing.
    let answered = all.iter().any(|w| w.outcome.reply().is_some());
    Told(all.into_iter().filter(|w| !answered || w.outcome.reply().is_some()).collect())
}

/// What is known of a host's addresses in a view.
#[derive(Default)]
pub(super) struct Host {
    /// Its addresses; empty where it has none, or where that is not known.
    pub(super) addresses: BTreeSet<IpAddr>,
    /// The name that it is an alias of.
    pub(super) alias: Option<String>,
    /// True if it surely has no address.
    pub(super) is_absent: bool,
    /// What was said.
    pub(super) said: Vec<String>,
    /// The observations.
    pub(super) looks: BTreeSet<Look>,
}

/// Looks a host up in the evidence.
pub(super) fn host(context: &Context, view: ViewId, name: &Name) -> Host {
    let told = RecordType::ALL.map(|kind| told(context, view, name, kind));
    let replies = || told.iter().flat_map(Told::replies).map(|(_, r)| r);
    let addresses: BTreeSet<IpAddr> = replies().flat_map(|r| r.addresses.iter().map(|a| a.address)).collect();
    let gone = told.iter().flat_map(|t| &t.0).any(|w| matches!(w.outcome, DnsOutcome::NxDomain(_)));
    let words: Vec<Word> = told.iter().flat_map(|t| t.0.clone()).collect();
    Host {
        is_absent: addresses.is_empty() && (gone || told.iter().all(Told::is_known)),
        alias: replies().find_map(|r| r.chain.first()).map(|link| link.target.clone()),
        said: said(&words),
        looks: words.iter().map(|w| w.look).collect(),
        addresses,
    }
}

/// True if the plan says nothing yet of a name of its own at the moment that is due: it may not be there.
pub(super) fn is_unconstrained(case: &Case, view: ViewId, host: &str) -> bool {
    let (phase, _) = case.policy.moment(case.plan, view).phases();
    let name = case.plan.names.iter().find(|n| n.name.as_str() == host);
    name.is_some_and(|n| *n.wanted(view, phase) == Wanted::Unconstrained)
}

/// A finding about a domain or record in a view; what a waiver may say `on` are these and the further labels.
pub(super) fn draft(
    context: &Context,
    rule: &'static RuleInfo,
    (name, view): (&str, Option<ViewId>),
    at: Span,
    labels: &[&str],
) -> Draft {
    let mut draft = Draft::plain(rule, String::new());
    let view = view.map(|v| wording::view(context.case.plan, v));
    let on: BTreeSet<String> = labels.iter().copied().chain(view).chain([name]).map(str::to_string).collect();
    draft.subject = Subject { name: Some(name.to_string()), view: view.map(str::to_string), ..Subject::default() };
    draft.waiver = context.waiver(rule.name, &on);
    draft.at = Some(at);
    draft
}

/// The questions that nobody answered, a line for each view.
pub(super) fn unanswered(context: &Context) -> Vec<String> {
    let case = context.case;
    let all = questions::questions(case.plan, case.policy);
    // Older recordings know nothing of wildcards; no plan speaks of them. Of DNSSEC its rules speak.
    let of_wild = all.iter().filter(|q| q.topic == Topic::Wildcards && is_asked(case, q));
    let wild: BTreeSet<RecordType> = of_wild.map(|q| q.kind).collect();
    let open =
        all.iter().filter(|q| (q.topic != Topic::Wildcards || wild.contains(&q.kind)) && !is_answered(context, q));
    let open = open.filter(|q| q.topic != Topic::Signed || is_asked(case, q));
    // Its rule says what is not known.
    let open = open.filter(|q| q.topic != Topic::Delegations);
    let mut kinds: BTreeMap<(ViewId, String), BTreeSet<RecordType>> = BTreeMap::new();
    for question in open.filter(|q| !q.name.is_under("invalid")) {
        let at = question.server.as_ref().map(|s| format!(" at {s}")).unwrap_or_default();
        kinds.entry((question.view, format!("{}{at}", question.name))).or_default().insert(question.kind);
    }
    let mut by_view: BTreeMap<ViewId, Vec<String>> = BTreeMap::new();
    for ((view, at), kinds) in kinds {
        let kinds: Vec<&str> = kinds.iter().map(|k| k.word()).collect();
        by_view.entry(view).or_default().push(format!("{} of {at}", kinds.join("/")));
    }
    let line = |(view, words): (&ViewId, &Vec<String>)| {
        let list = wording::list(words.iter().map(String::as_str));
        format!("could not tell what {} has for {list}", wording::view(case.plan, *view))
    };
    by_view.iter().map(line).chain(liars(context)).chain(left_out(case)).chain(left_aside(case)).collect()
}

/// Resolvers from which nobody learns what does not exist.
fn liars(context: &Context) -> Vec<String> {
    let plan = context.case.plan;
    let lies = context.suspicion.liars.iter().filter(|(v, _)| asks(context.case, *v));
    lies.map(|(view, index)| {
        let resolver = wording::resolver(plan, *view, *index);
        format!("what does not exist in {}: {resolver} gives any name an address", wording::view(plan, *view))
    })
    .collect()
}

fn words<'a>(context: &Context<'a>, question: &Question) -> Told<'a> {
    match &question.server {
        Some(server) => told_by_server(context.case, question.view, server, &question.name, question.kind),
        None => told(context, question.view, &question.name, question.kind),
    }
}

fn is_asked(case: &Case, question: &Question) -> bool {
    let resolvers = &case.plan.view(question.view).resolvers;
    resolvers.iter().any(|r| !told_by(case, question.view, &r.value, &question.name, question.kind).0.is_empty())
}

/// A failure of CAA has a rule that speaks of it.
fn is_answered(context: &Context, question: &Question) -> bool {
    let told = words(context, question);
    let fails = || told.0.iter().any(|w| *w.outcome == DnsOutcome::ServFail);
    told.is_known() || (question.topic == Topic::Caa && fails())
}

/// What a narrower run does not ask of all that the plan would.
fn left_aside(case: &Case) -> Option<String> {
    if !case.policy.is_narrowed() || case.policy.scope != Scope::All {
        return None;
    }
    let whole = Policy { views: None, only: Vec::new(), ..case.policy.clone() };
    let topics = |policy: &Policy| -> BTreeSet<Topic> {
        questions::questions(case.plan, policy).into_iter().map(|q| q.topic).collect()
    };
    let (all, mut kept) = (topics(&whole), topics(case.policy));
    let sides: BTreeSet<ViewKind> =
        case.plan.view_ids().filter(|v| asks(case, *v)).map(|v| case.plan.view(v).kind).collect();
    if sides.len() < 2 {
        kept.remove(&Topic::Shadows);
    }
    let words: Vec<&str> = all.difference(&kept).map(|topic| topic.word()).collect();
    let flags = [(!case.policy.only.is_empty(), "--only"), (case.policy.views.is_some(), "--view")];
    let flags: Vec<&str> = flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag).collect();
    (!words.is_empty()).then(|| format!("{} (left out by {})", wording::list(words), flags.join(" and ")))
}

/// What is above the bounds.
fn left_out(case: &Case) -> Option<String> {
    let more = questions::parents(case.plan).len().saturating_sub(questions::WILDCARDS);
    (more > 0 && case.policy.asks_beside())
        .then(|| format!("DNS wildcards of {}", wording::count(more, "further domain", "further domains")))
}
