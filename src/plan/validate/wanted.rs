//! What each view's clients should find under a name in each phase, with every default made explicit.

use super::certificates::Labels;
use super::reader::Reader;
use super::servers::Known;
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{Table, Target, View, ViewKind, Wanted};
use crate::model::source::{Located, Span};
use crate::plan::error::PlanError;
use crate::plan::raw::Node;

const ABSENT: &str = "absent";

/// Whom a name is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Inside,
    Outside,
    Both,
}

/// A target by view; `None` where nothing is said.
pub(super) struct PerView {
    views: Vec<Option<Located<Wanted>>>,
    span: Span,
    /// The views stand in it by name.
    by_view: bool,
    /// Something in it could not be read: what is missing has been told.
    broken: bool,
}

/// Targets by phase, as far as they are given.
#[derive(Default)]
pub(super) struct Given(pub(super) [Option<PerView>; 3]);

impl Given {
    /// One target without phases: a legacy name is due in coexistence, the others always.
    pub(super) fn always(table: Table, target: PerView) -> Self {
        match table {
            Table::Legacy => Self([None, Some(target), None]),
            Table::Intranet | Table::Internet => Self([Some(target), None, None]),
        }
    }
}

/// Reads a target, or one per view.
pub(super) fn per_view(reader: &Reader, node: &Node, known: &Known, targets: &Labels<Target>) -> PerView {
    let mut broken = false;
    let mut read: Vec<(*const Node, Option<Located<Wanted>>)> = Vec::new();
    let mut one = |node: &Node| match read.iter().find(|(known, _)| std::ptr::eq(*known, node)) {
        Some((_, wanted)) => wanted.clone(),
        None => {
            let wanted = target(reader, node, targets).map(|w| Located::new(w, node.span));
            broken |= wanted.is_none();
            read.push((node, wanted.clone()));
            wanted
        }
    };
    let views = known.views.each(reader, node).into_iter().map(|node| node.and_then(&mut one)).collect();
    PerView { views, span: node.span, by_view: node.as_table().is_some(), broken }
}

/// A server, a pool, a list of them, or `"absent"`.
fn target(reader: &Reader, node: &Node, targets: &Labels<Target>) -> Option<Wanted> {
    if node.as_str() == Some(ABSENT) {
        return Some(Wanted::Absent);
    }
    let items = reader.one_or_many(node);
    let mut found: Vec<Target> = Vec::new();
    for item in items {
        let text = reader.string(item, "a server, a pool or \"absent\"")?;
        let target = one_target(reader, text, targets)?;
        if found.contains(&target) {
            return reader.note(PlanError::at(item.span, format!("target `{}` twice", text.value), "given before"));
        }
        found.push(target);
    }
    match found.is_empty() {
        true => reader.note(PlanError::at(node.span, "no target", "expected a server, a pool or \"absent\"")),
        false => Some(Wanted::Targets(found.into())),
    }
}

fn one_target(reader: &Reader, text: Located<&str>, targets: &Labels<Target>) -> Option<Target> {
    if text.value == ABSENT {
        return reader.note(PlanError::at(text.span, "absent, and yet a target", "\"absent\" stands alone"));
    }
    targets.get(text.value).copied().or_else(|| {
        let hint = reader.hint(text.value, targets.keys().map(String::as_str).chain([ABSENT]));
        let error = PlanError::at(
            text.span,
            format!("no such server or pool `{}`", text.value),
            "not under [servers] or [pools]",
        );
        reader.missing(error.maybe_help(hint))
    })
}

/// Why a view's clients are left out.
enum LeftOut {
    Forbidden,
    Leaking,
    Audience(Span),
}

fn left_out(view: &View, table: Table, audience: Option<Located<Audience>>, leaks: bool) -> Option<LeftOut> {
    match (table, view.kind, audience) {
        (Table::Intranet, ViewKind::External, _) if leaks => Some(LeftOut::Leaking),
        (Table::Intranet, ViewKind::External, _) => Some(LeftOut::Forbidden),
        (_, ViewKind::External, Some(Located { value: Audience::Inside, span }))
        | (_, ViewKind::Internal, Some(Located { value: Audience::Outside, span })) => Some(LeftOut::Audience(span)),
        _ => None,
    }
}

/// What is wanted by view and phase.
pub(super) fn resolve(
    reader: &Reader,
    name: &Located<Name>,
    table: Table,
    known: &Known,
    audience: Option<Located<Audience>>,
    leaks: bool,
    given: &Given,
) -> Vec<[Located<Wanted>; 3]> {
    if let Some(a) = audience.filter(|a| table == Table::Intranet && a.value != Audience::Inside) {
        let error = PlanError::at(a.span, "an intranet name for outside", "names of [intranet] are for inside only");
        reader.note::<()>(error.help("move the name to [internet]"));
    }
    let views = known.views.all.iter().enumerate();
    views
        .map(|(at, view)| match left_out(view, table, audience, leaks) {
            None => phases(reader, name, table, (at, view), given),
            Some(why) => {
                told_anyway(reader, (at, view), given, &why);
                let wanted = if matches!(why, LeftOut::Forbidden) { Wanted::Forbidden } else { Wanted::Unconstrained };
                std::array::from_fn(|_| Located::new(wanted.clone(), name.span))
            }
        })
        .collect()
}

/// A phase that is not given keeps the value of the phase before it; before the first, nothing is said. A legacy name is
/// gone afterwards, unless the plan says otherwise.
fn phases(
    reader: &Reader,
    name: &Located<Name>,
    table: Table,
    (at, view): (usize, &View),
    given: &Given,
) -> [Located<Wanted>; 3] {
    let mut now = Located::new(Wanted::Unconstrained, name.span);
    Phase::ALL.map(|phase| {
        match &given.0[phase as usize] {
            Some(target) => match &target.views[at] {
                Some(wanted) => now = wanted.clone(),
                None if now.value == Wanted::Unconstrained && !target.broken => {
                    now = Located::new(Wanted::Unconstrained, target.span);
                    nothing_said(reader, name, view, target.span);
                }
                None => {}
            },
            None if table == Table::Legacy && phase == Phase::After => now = Located::new(Wanted::Absent, name.span),
            None => {}
        }
        now.clone()
    })
}

fn nothing_said(reader: &Reader, name: &Located<Name>, view: &View, span: Span) {
    let title = format!("nothing is said of `{}` in view `{}`", name.value, view.label);
    let error = PlanError::at(span, title, format!("expected a target for `{}`, too", view.label));
    let narrow = match view.kind {
        ViewKind::External => "inside",
        ViewKind::Internal => "outside",
    };
    reader.note::<()>(error.help(format!("or narrow the name: audience = \"{narrow}\"")));
}

/// A target that is given by name for a view whose clients are left out contradicts the plan.
fn told_anyway(reader: &Reader, (at, view): (usize, &View), given: &Given, why: &LeftOut) {
    let by_view = given.0.iter().flatten().filter(|target| target.by_view);
    let told = by_view.filter_map(|t| t.views[at].as_ref()).find(|w| matches!(w.value, Wanted::Targets(_)));
    let Some(told) = told else { return };
    let title = format!("a target in view `{}`, which is left out", view.label);
    let error = match why {
        LeftOut::Forbidden => PlanError::at(told.span, title, "a name of [intranet] must not resolve here")
            .help("move the name to [internet], or say leaks = \"allowed\""),
        LeftOut::Audience(span) => {
            PlanError::at(told.span, title, "the name is not for these clients").other(*span, "left out here")
        }
        LeftOut::Leaking => return,
    };
    reader.note::<()>(error);
}
