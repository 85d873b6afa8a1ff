//! What values look like wherever they stand.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::plan::keys;

/// One, or a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// The same for all views, or by view label or kind.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum ByView<T> {
    Same(T),
    ByView(BTreeMap<String, T>),
}

/// By view label or kind.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct ViewTable<T>(BTreeMap<String, T>);

/// The same in all phases, or by phase.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum ByPhase<T> {
    Same(T),
    ByPhase(Phases<T>),
}

/// By phase.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Phases<T> {
    before: Option<T>,
    coexistence: Option<T>,
    after: Option<T>,
}

/// A duration such as `90s`, `5m`, `1h30m` or `1d`, or whole seconds.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Duration {
    Text(#[schemars(regex(pattern = r"^(\d+(ms|s|m|h|d|w))+$"))] String),
    Seconds(#[schemars(range(min = 0))] i64),
}

/// A date such as `2027-03-31`, or an instant such as `2026-11-21T22:00:00Z`.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Date(#[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}([Tt ].+)?$"))] String);

/// A phase, or a change between two.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Moment(
    #[schemars(regex(
        pattern = r"^(before|coexistence|after|before\.\.coexistence|coexistence\.\.after|before\.\.after)$"
    ))]
    String,
);

/// A product word.
pub(super) struct Product;

impl JsonSchema for Product {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Product".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": keys::PRODUCTS })
    }
}
