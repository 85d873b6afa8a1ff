//! The JSON Schema of the plan file, for editors and generators. It mirrors the keys of [`super::keys`]; a test holds
//! the two against each other. What needs the whole plan at hand (labels, views) is left to the reader.

#![allow(dead_code, reason = "the structs are read by the schema's derive only")]

mod shapes;
mod tables;
mod targets;
mod views;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use shapes::{ByView, Moment, OneOrMany, Phases};
use tables::{Cutover, Inventory, Mail, PhaseDates, Severity, Waiver, Zone};
use targets::{Certificate, NameValue, Pool, Server};
use views::{Settings, View};

/// The schema, as draft 2020-12.
pub(super) fn schema() -> serde_json::Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Plan>();
    schema.to_value()
}

/// Who serves which name, for whom, before, during and after.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case", title = "coexist plan")]
struct Plan {
    /// Where this schema is, for editors of JSON.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// What the plan is called.
    title: Option<String>,
    /// Where we stand: `before`, `coexistence`, `after`, a change such as `before..coexistence`, or one of these by view.
    /// Default: coexistence.
    phase: Option<ByView<Moment>>,
    /// Who asks: a view is a set of resolvers and the clients behind them.
    views: BTreeMap<String, View>,
    /// The certificates.
    certificates: Option<BTreeMap<String, Certificate>>,
    /// The servers.
    servers: Option<BTreeMap<String, Server>>,
    /// The load-balanced pools.
    pools: Option<BTreeMap<String, Pool>>,
    /// Names for clients inside: they must not resolve outside.
    intranet: Option<BTreeMap<String, NameValue>>,
    /// Names for clients everywhere.
    internet: Option<BTreeMap<String, NameValue>>,
    /// Names for what stays on the old servers while both run.
    legacy: Option<BTreeMap<String, NameValue>>,
    /// Faults that are known and accepted.
    waivers: Option<Vec<Waiver>>,
    /// When the phases begin and end.
    phases: Option<Phases<PhaseDates>>,
    /// Where the zone cuts are, and who serves them.
    zones: Option<BTreeMap<String, Zone>>,
    /// Mail domains.
    mail: Option<BTreeMap<String, Mail>>,
    /// Anything else that clients depend on: `"OWNER TYPE"` and its values.
    records: Option<BTreeMap<String, ByView<OneOrMany<String>>>>,
    /// How a change is made.
    cutover: Option<Cutover>,
    /// Rules whose severity is changed.
    severity: Option<BTreeMap<String, Severity>>,
    /// What was exported from the servers.
    inventory: Option<Inventory>,
    #[schemars(flatten)]
    settings: Settings,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::plan::keys::{self, Keys};

    fn properties(schema: &Value) -> BTreeSet<&str> {
        schema["properties"].as_object().map(|o| o.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    #[test]
    fn every_key_of_the_reader_is_in_the_schema_and_the_other_way_round() {
        let schema = schema();
        let tables: &[(&str, Keys)] = &[
            ("View", keys::VIEW),
            ("Certificate", keys::CERTIFICATE),
            ("Server", keys::SERVER),
            ("Pool", keys::POOL),
            ("Name", keys::NAME),
            ("Waiver", keys::WAIVER),
            ("PhaseDates", keys::PHASE),
            ("Zone", keys::ZONE),
            ("Mail", keys::MAIL),
            ("MtaStsPolicy", keys::MTA_STS),
            ("Cutover", keys::CUTOVER),
            ("Inventory", keys::INVENTORY),
            ("TimeoutParts", keys::TIMEOUT),
            ("ClientCertificate", keys::CLIENT_CERTIFICATE),
        ];
        let of = |keys: Keys| keys.iter().flat_map(|g| g.iter().copied()).collect::<BTreeSet<_>>();
        assert_eq!(properties(&schema), of(keys::PLAN));
        for (name, keys) in tables {
            assert_eq!(properties(&schema["$defs"][name]), of(keys), "{name}");
        }
        let defs = schema["$defs"].as_object().unwrap().iter();
        let closed = defs.filter(|(_, def)| !properties(def).is_empty());
        for (name, def) in closed {
            assert_eq!(def["additionalProperties"], Value::Bool(false), "{name} lets unknown keys pass");
            let known = tables.iter().any(|(n, _)| n == name) || of(keys::PHASE_TABLE) == properties(def);
            assert!(known, "{name} is not held against the reader");
        }
        assert!(
            schema["additionalProperties"] == Value::Bool(false)
                || schema["unevaluatedProperties"] == Value::Bool(false)
        );
    }
}
