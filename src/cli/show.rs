//! `coexist show`: who serves which name, for whom, in which phase.

use std::fmt::Write;

use super::args::ShowArgs;
use super::{Trouble, load, nearest, output};
use crate::model::name::Name;
use crate::model::obligation::{Claim, Obligation};
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{NameId, Plan, ViewId, Wanted};
use crate::model::text::{escape, shown};
use crate::plan;
use crate::report;

/// Shows all names, or one.
pub fn run(args: ShowArgs) -> Result<u8, Trouble> {
    let plan = load::plan(&args.plan)?;
    let text = match &args.name {
        None => all(&plan),
        Some(name) => one(&plan, find(&plan, name)?),
    };
    // Labels and titles are the plan's, and it may be anybody's.
    output::print(&text.lines().map(|line| shown(line) + "\n").collect::<String>())?;
    Ok(report::PASS)
}

fn find(plan: &Plan, text: &str) -> Result<NameId, Trouble> {
    let wanted = Name::parse(text).map_err(|e| Trouble::new(format!("`{}`: {e}", escape(text))))?;
    let found = plan.names.iter().position(|n| n.name == wanted).map(NameId);
    found.ok_or_else(|| {
        let trouble = Trouble::new(format!("the plan has no name `{wanted}`"));
        match nearest(wanted.as_str(), plan.names.iter().map(|n| n.name.as_str())) {
            Some(near) => trouble.help(format!("did you mean `{near}`?")),
            None => trouble.help(format!("`coexist show {}` lists its names", plan.source.file)),
        }
    })
}

/// A line for each view under a line for each name, in columns that all names share.
fn all(plan: &Plan) -> String {
    let mut head = vec![String::new()];
    head.extend(Phase::ALL.iter().map(|p| p.word().to_string()));
    let ids: Vec<NameId> = (0..plan.names.len()).map(NameId).collect();
    let rows: Vec<Vec<String>> = ids.iter().flat_map(|id| plan.view_ids().map(|view| row(plan, *id, view))).collect();
    let grid = report::grid(&head, &rows, usize::MAX);
    if grid.lines().any(|line| line.chars().count() + 2 > output::columns()) {
        return format!("{}{}{}\n", title(plan), list(plan, &ids), stands(plan));
    }
    let mut lines = grid.lines();
    let mut out = format!("{}  {}\n", title(plan), lines.next().unwrap_or_default().trim_end());
    for id in ids {
        let _ = writeln!(out, "{} ({})", plan.name(id).name, plan.name(id).table.word());
        for line in lines.by_ref().take(plan.views.len()) {
            let _ = writeln!(out, "  {}", line.trim_end());
        }
    }
    out + &stands(plan) + "\n"
}

/// As [`all`], a line for each phase, where the columns would not fit.
fn list(plan: &Plan, ids: &[NameId]) -> String {
    let width = plan.views.iter().map(|v| v.label.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for id in ids {
        let _ = writeln!(out, "{} ({})", plan.name(*id).name, plan.name(*id).table.word());
        for view in plan.view_ids() {
            for phase in Phase::ALL {
                let label = if phase == Phase::Before { &*plan.view(view).label } else { "" };
                let _ = writeln!(out, "  {label:width$}  {:11}  {}", phase.word(), cell(plan, *id, view, phase));
            }
        }
    }
    out
}

fn row(plan: &Plan, id: NameId, view: ViewId) -> Vec<String> {
    let cells = Phase::ALL.iter().map(|p| cell(plan, id, view, *p));
    std::iter::once(plan.view(view).label.to_string()).chain(cells).collect()
}

fn title(plan: &Plan) -> String {
    if plan.title.is_empty() { String::new() } else { format!("{}\n\n", escape(&plan.title)) }
}

/// Where each view stands.
fn stands(plan: &Plan) -> String {
    let each: Vec<String> =
        plan.view_ids().map(|v| format!("{} in {}", plan.view(v).label, plan.standing[v.0])).collect();
    format!("\nstands: {}\n- nothing is said; absent: it must not resolve", each.join(", "))
}

fn cell(plan: &Plan, id: NameId, view: ViewId, phase: Phase) -> String {
    match plan.name(id).wanted(view, phase) {
        Wanted::Unconstrained => "-".into(),
        Wanted::Absent | Wanted::Forbidden => "absent".into(),
        Wanted::Targets(targets) => {
            let each = targets.iter().map(|t| {
                let addresses: Vec<String> =
                    plan.target_addresses(*t, view, phase).iter().map(ToString::to_string).collect();
                format!("{} {}", plan.target_label(*t), addresses.join(" ")).trim_end().to_string()
            });
            each.collect::<Vec<_>>().join(" + ")
        }
    }
}

fn one(plan: &Plan, id: NameId) -> String {
    let name = plan.name(id);
    let obligations = plan::expand(plan);
    let mut out = format!("{}  ({})\n", name.name, name.table.word());
    for view in plan.view_ids() {
        let v = plan.view(view);
        let _ = writeln!(out, "\n{} (stands in {})", v.label, plan.standing[view.0]);
        for phase in Phase::ALL {
            let here = plan.standing[view.0] == Moment::Steady(phase);
            let mark = if here { '*' } else { ' ' };
            let _ = writeln!(out, " {mark} {:12} {}", phase.word(), cell(plan, id, view, phase));
            for line in asked_at(plan, &obligations, id, view, phase) {
                let _ = writeln!(out, "                  {line}");
            }
        }
    }
    out
}

/// Where the name is asked over TLS in a phase, and which certificate is wanted there.
fn asked_at(plan: &Plan, obligations: &[Obligation], id: NameId, view: ViewId, phase: Phase) -> Vec<String> {
    let holds = |o: &&Obligation| {
        o.name == id && o.holds.iter().any(|(v, moments)| *v == view && moments.contains(Moment::Steady(phase)))
    };
    let mut lines: Vec<String> = Vec::new();
    for obligation in obligations.iter().filter(holds) {
        let (label, service, certificates) = match &*obligation.claim {
            Claim::Serves { server, service, certificates, .. } => (&plan.server(*server).label, service, certificates),
            Claim::Path { target, service, certificates, .. } => (plan.target_label(*target), service, certificates),
            _ => continue,
        };
        let wanted: Vec<&str> = certificates.iter().map(|c| &*plan.certificate(*c).label).collect();
        let wanted = if wanted.is_empty() { "any that covers it".to_string() } else { wanted.join(" or ") };
        let drain = if obligation.drain.is_some() { "  until caches have drained" } else { "" };
        let line = format!("{label} {} {service}  certificate: {wanted}{drain}", service.word);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
