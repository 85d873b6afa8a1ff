//! The tree → a [`Plan`] that is always valid, or every mistake in it.

mod bounds;
mod certificates;
mod cross;
mod cutover;
mod labels;
mod names;
mod nearest;
mod pools;
mod reader;
mod runbook;
mod servers;
mod settings;
mod standing;
mod tables;
mod time;
mod views;
mod waivers;
mod wanted;

use std::collections::HashMap;

pub(super) use self::runbook::runbook;

use self::certificates::Labels;
use self::labels::Entry;
use self::reader::{Fields, Reader};
use self::servers::Known;
use self::views::Views;
use super::FileCheck;
use super::error::PlanError;
use super::keys::{self, Keys};
use super::raw::Node;
use crate::model::plan::{CertId, Plan, PoolId, ServerId, Settings, Target, View};
use crate::model::source::{Located, Source};

/// Validates a tree. `broken` says that it is only a part of the text: what is missing is then no mistake.
pub(super) fn plan(source: &Source, root: &Node, check: FileCheck, broken: bool) -> (Option<Plan>, Vec<PlanError>) {
    let reader = Reader::new(source, check, broken);
    let plan = reader.fields(root, "the plan", keys::PLAN).map(|fields| read(&reader, &fields));
    (plan, reader.into_errors())
}

fn read(reader: &Reader, root: &Fields) -> Plan {
    let settings = settings::settings(reader, root, &Settings::default());
    let (views, kinds_known) = views::views(reader, root.get("views"), &settings);
    let parts = Parts::of(reader, root);
    let known = Known {
        views: Views { all: &views, kinds_known },
        certificates: parts.certificate_labels(),
        settings: &settings,
    };
    let targets = parts.targets(reader);
    let servers = parts.server_labels();
    let mut doubt = Doubt::default();
    let plan = Plan {
        source: Source::default(),
        title: root.get("title").and_then(|n| reader.string(n, "a title")).map_or_else(String::new, |t| t.value.into()),
        standing: standing::standing(reader, root.get("phase"), &known.views),
        certificates: parts.certificates.iter().map(|e| certificates::certificate(reader, e, &servers)).collect(),
        servers: noted(reader, &parts.servers, &mut doubt.servers, |e| servers::server(reader, e, &known)),
        pools: noted(reader, &parts.pools, &mut doubt.pools, |e| pools::pool(reader, e, &known, &targets)),
        names: names::names(reader, root, &known, &targets),
        phases: standing::calendar(reader, root.get("phases")),
        zones: tables::zones(reader, root.get("zones"), &known.views),
        mail: tables::mail(reader, root.get("mail")),
        records: tables::records(reader, root.get("records"), &known.views),
        cutover: cutover::cutover(reader, root.get("cutover"), &known.views),
        severity: waivers::severity(reader, root.get("severity")),
        inventory: tables::inventory(reader, root.get("inventory"), &servers),
        waivers: Vec::new(),
        views: Vec::new(),
        settings: Settings::default(),
    };
    let mut plan = Plan { settings: settings.clone(), ..plan };
    plan.views = views;
    plan.waivers = waivers::waivers(reader, root.get("waivers"), &plan);
    if bounds::endpoints(reader, &plan) {
        cross::check(reader, &plan, &doubt);
    }
    plan
}

/// Reads entries, and keeps in mind which of them have a mistake.
fn noted<T>(reader: &Reader, entries: &[Entry], doubt: &mut Vec<bool>, read: impl Fn(&Entry) -> T) -> Vec<T> {
    let one = |entry: &Entry| {
        let before = reader.count();
        let value = read(entry);
        doubt.push(reader.count() > before);
        value
    };
    entries.iter().map(one).collect()
}

/// The servers and pools that have a mistake of their own: nothing further is concluded from them.
#[derive(Default)]
struct Doubt {
    servers: Vec<bool>,
    pools: Vec<bool>,
}

impl Doubt {
    fn of(&self, target: Target) -> bool {
        match target {
            Target::Server(id) => self.servers[id.0],
            Target::Pool(id) => self.pools[id.0],
        }
    }
}

/// What the user labels, before any of it is read: everything can refer to everything.
struct Parts<'n> {
    certificates: Vec<Entry<'n>>,
    servers: Vec<Entry<'n>>,
    pools: Vec<Entry<'n>>,
}

impl<'n> Parts<'n> {
    fn of(reader: &Reader, root: &Fields<'n>) -> Self {
        let labels = |key: &str, keys: Keys| {
            let known = |key: &str| keys.iter().any(|group| group.contains(&key));
            reader.labels(root.get(key), key, &known)
        };
        Self {
            certificates: labels("certificates", keys::CERTIFICATE),
            servers: labels("servers", keys::SERVER),
            pools: labels("pools", keys::POOL),
        }
    }

    fn certificate_labels(&self) -> Labels<CertId> {
        self.certificates.iter().enumerate().map(|(i, (label, _))| (label.value.clone(), CertId(i))).collect()
    }

    fn server_labels(&self) -> Labels<ServerId> {
        self.servers.iter().enumerate().map(|(i, (label, _))| (label.value.clone(), ServerId(i))).collect()
    }

    /// Servers and pools share their labels.
    fn targets(&self, reader: &Reader) -> Labels<Target> {
        let servers = self.servers.iter().enumerate().map(|(i, (label, _))| (label, Target::Server(ServerId(i))));
        let pools = self.pools.iter().enumerate().map(|(i, (label, _))| (label, Target::Pool(PoolId(i))));
        let mut out = HashMap::new();
        let mut seen: HashMap<&str, &Located<String>> = HashMap::new();
        for (label, target) in servers.chain(pools) {
            if label.value == "absent" {
                let error = PlanError::at(
                    label.span,
                    "nothing can be called `absent`",
                    "the word says that a name must not resolve",
                );
                reader.note::<()>(error);
            }
            if let Some(first) = seen.insert(&label.value, label) {
                let error = PlanError::at(
                    label.span,
                    format!("label `{}` twice", label.value),
                    "servers and pools share their labels",
                );
                reader.note::<()>(error.other(first.span, "first given here"));
            }
            out.entry(label.value.clone()).or_insert(target);
        }
        out
    }
}

/// The labels of some views, for hints.
fn view_labels(views: &[View]) -> impl Iterator<Item = &str> {
    views.iter().map(|view| &*view.label)
}
