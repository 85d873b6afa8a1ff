//! `[intranet]`, `[internet]` and `[legacy]`: a name and what stands beside its target.

use std::collections::HashMap;

use super::bounds;
use super::certificates::{Labels, choice};
use super::reader::{Fields, Reader};
use super::servers::{Known, services};
use super::wanted::{self, Audience, Given};
use crate::model::name::Name;
use crate::model::phase::Phase;
use crate::model::plan::{PlannedName, Table, Target};
use crate::model::service::{Service, services_of};
use crate::model::source::Located;
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::{self, Node};

const AUDIENCES: &[(&str, Audience)] =
    &[("inside", Audience::Inside), ("outside", Audience::Outside), ("both", Audience::Both)];
const ANSWERS: &[(&str, bool)] = &[("all", false), ("any", true)];
const LEAKS: &[(&str, bool)] = &[("forbidden", false), ("allowed", true)];
const TABLES: [Table; 3] = [Table::Intranet, Table::Internet, Table::Legacy];

/// Every name, in the order of the text.
pub(super) fn names(reader: &Reader, root: &Fields, known: &Known, targets: &Labels<Target>) -> Vec<PlannedName> {
    let key = |key: &str| is_key(key) || known.views.is_word(key);
    let (mut out, mut demands) = (Vec::new(), 0);
    for table in TABLES {
        for (text, node) in reader.entries(root.get(table.word()), "names", &key) {
            if let Some(name) = reader.host_name(Located::new(&text.value, text.span)) {
                let name = planned(reader, name, table, node, known, targets);
                demands += bounds::targets(&name);
                if !bounds::within(reader, demands, name.span) {
                    return out;
                }
                out.push(name);
            }
        }
    }
    out.shrink_to_fit();
    out.sort_by_key(|name| name.span);
    once(reader, &out);
    if out.is_empty() {
        let error = PlanError::at(reader.end(), "no names", "expected names under [intranet], [internet] or [legacy]");
        reader.missing::<()>(error.help("[internet]\n\"mail.domain.com\" = \"a server\""));
    }
    out
}

fn is_key(key: &str) -> bool {
    keys::NAME.iter().any(|group| group.contains(&key))
}

/// Names are one if they are equal after case, final dot and IDN.
fn once(reader: &Reader, names: &[PlannedName]) {
    let mut seen: HashMap<&Name, &PlannedName> = HashMap::new();
    for name in names {
        let Some(first) = seen.get(&name.name) else {
            seen.insert(&name.name, name);
            continue;
        };
        let title = match first.table == name.table {
            true => format!("name `{}` twice", name.name),
            false => format!("name `{}` in two tables", name.name),
        };
        let error = PlanError::at(name.span, title, format!("in [{}]", name.table.word()));
        let error = error.other(first.span, format!("first given here, in [{}]", first.table.word()));
        let help = reader.text(first.span) != reader.text(name.span);
        reader.note::<()>(error.maybe_help(help.then(|| "names are compared after case, final dot and IDN".into())));
    }
}

fn planned(
    reader: &Reader,
    name: Located<Name>,
    table: Table,
    node: &Node,
    known: &Known,
    targets: &Labels<Target>,
) -> PlannedName {
    let own = node.as_table().filter(|t| t.has_any(is_key) || !known.views.keyed(t));
    let fields = own.and_then(|t| own_keys(reader, t, known));
    let get = |key| fields.as_ref().and_then(|f| f.get(key));
    let told = own.is_some_and(|t| t.entries.iter().any(|(key, _)| !is_key(&key.text)));
    let given = match (&fields, own) {
        (Some(fields), _) => given(reader, &name, table, fields, told, known, targets),
        (None, Some(_)) => Given::default(),
        (None, None) => Given::always(table, wanted::per_view(reader, node, known, targets)),
    };
    let audience = get("audience").and_then(|n| Some(Located::new(reader.word(n, "an audience", AUDIENCES)?, n.span)));
    let leaks = get("leaks").and_then(|node| leaks(reader, table, node)).unwrap_or(false);
    let seconds = |key| get(key).and_then(|node| reader.seconds(node));
    PlannedName {
        wanted: wanted::resolve(reader, &name, table, known, audience, leaks, &given).into(),
        table,
        services: match get("services") {
            Some(node) => Some(services(reader, node).into_iter().map(|s| s.value).collect()),
            None => default_services(&name.value, table).map(Into::into),
        },
        certificate: get("certificate").map(|node| choice(reader, node, &known.certificates).into()),
        ttl: seconds("ttl"),
        ttl_before: seconds("ttl-before"),
        cname: get("cname").and_then(|node| reader.full_name(reader.string(node, "a host name")?)).map(Into::into),
        answers_any: get("answers")
            .and_then(|node| reader.word(node, "a value of `answers`", ANSWERS))
            .unwrap_or(false),
        span: name.span,
        name: name.value,
    }
}

/// Autodiscover and what stays on the old servers are asked at https only; all else at every service of its servers.
pub(super) fn default_services(name: &Name, table: Table) -> Option<Vec<Service>> {
    let https_only = table == Table::Legacy || name.as_str().starts_with("autodiscover.");
    https_only.then(|| services_of("https")).flatten()
}

/// The name's own keys; a view's label beside them belongs into a target.
fn own_keys<'n>(reader: &Reader, table: &'n raw::Table, known: &Known) -> Option<Fields<'n>> {
    let misplaced = table.entries.iter().filter(|(key, _)| !is_key(&key.text));
    for (key, _) in misplaced {
        if known.views.is_word(&key.text) {
            let title = format!("view `{}` beside other keys", key.text);
            let error = PlanError::at(key.span, title, "a target per view is a table of its own");
            reader.note::<()>(error.help("server = { internal = \"...\", external = \"...\" }"));
        } else {
            let views = known.views.all.iter().map(|v| &*v.label);
            let words = keys::NAME.iter().flat_map(|g| g.iter().copied()).chain(views);
            reader.unknown_key(key.span, &key.text, "a name", words);
        }
    }
    Some(Fields::of(table))
}

fn leaks(reader: &Reader, table: Table, node: &Node) -> Option<bool> {
    if table != Table::Intranet {
        let error = PlanError::at(node.span, "`leaks` of a name that resolves outside", "only for names of [intranet]");
        return reader.note(error);
    }
    reader.word(node, "a value of `leaks`", LEAKS)
}

/// What `server` or the phases say.
fn given(
    reader: &Reader,
    name: &Located<Name>,
    table: Table,
    fields: &Fields,
    told: bool,
    known: &Known,
    targets: &Labels<Target>,
) -> Given {
    let phases = Phase::ALL.map(|phase| fields.get(phase.word()));
    let first = phases.iter().flatten().next();
    match (fields.get("server"), first) {
        (Some(server), Some(phase)) => {
            let error = PlanError::at(phase.span, "`server` and a phase", "`server` is the target in all phases");
            reader.note::<()>(
                error
                    .other(server.span, "the target in all phases")
                    .help("write `before`, `coexistence` and `after` only"),
            );
            Given::default()
        }
        (Some(server), None) => Given::always(table, wanted::per_view(reader, server, known, targets)),
        // An unknown key, which has been told, may be the mistyped target.
        (None, None) if told => Given::default(),
        (None, None) => {
            let title = format!("nothing says where `{}` leads", name.value);
            let error = PlanError::at(name.span, title, "expected `server`, or targets by phase");
            reader.missing::<()>(error.help("\"absent\" is a target, too"));
            Given::default()
        }
        (None, Some(_)) => Given(phases.map(|node| node.map(|n| wanted::per_view(reader, n, known, targets)))),
    }
}
