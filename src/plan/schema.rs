//! The JSON Schema of the plan file, for editors and generators. It mirrors the keys of [`super::keys`]; a test holds
//! the two against each other. What needs the whole plan at hand (labels, views) is left to the reader.

#![allow(dead_code, reason = "the structs are read by the schema's derive only")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use super::keys;

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

/// Settings of the plan, a view, a server or a pool; the nearest counts.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
struct Settings {
    /// How often a balanced address is asked. Default: 4.
    #[schemars(range(min = 1, max = 1000))]
    samples: Option<u32>,
    /// Connections at once to one address. Default: 16.
    #[schemars(range(min = 1, max = 1000))]
    per_host: Option<u32>,
    /// Limit of one query or connection, 100ms to 10m. Default: that of the command line.
    timeout: Option<Duration>,
    /// Further tries after a failed connection. Default: 0.
    #[schemars(range(max = 10))]
    retry: Option<u32>,
    /// The endpoint demands client certificates.
    mtls: Option<bool>,
    /// The name said in EHLO.
    ehlo: Option<String>,
    /// The environment variable that holds a password.
    password_env: Option<String>,
    /// Ask the authoritative servers, too.
    authoritative: Option<bool>,
    /// Oldest evidence that counts. Default: 24h.
    max_age: Option<Duration>,
}

/// Who asks.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct View {
    /// Inside or outside; needed where the label does not begin with such a word.
    kind: Option<ViewKind>,
    /// Whom its clients ask: `10.0.0.53`, `8.8.8.8:53`, `tcp://…`, `tls://9.9.9.9`, `https://1.1.1.1/dns-query`.
    resolvers: OneOrMany<String>,
    /// What its clients trust: `public`, `system` or files. Default: public.
    trust: Option<OneOrMany<String>>,
    /// Networks that its clients can reach.
    reaches: Option<OneOrMany<String>>,
    /// A way to stand in this view: `socks5://USER@HOST:PORT` (told the address), `socks5h://…` (told the name, which the
    /// proxy resolves) or `http://…` (CONNECT); the password is in `password-env`.
    proxy: Option<String>,
    /// Clients that send no SNI exist.
    without_sni: Option<bool>,
    #[schemars(flatten)]
    settings: Settings,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum ViewKind {
    Internal,
    External,
}

/// A certificate: a file, a thumbprint, what a server serves, or the names of one that is not ordered yet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Certificate {
    /// A file beside the plan, without the key.
    file: Option<String>,
    /// SHA-1 or SHA-256 in hex: that very certificate.
    thumbprint: Option<String>,
    /// What this server serves.
    from: Option<String>,
    /// Not ordered yet: its names.
    names: Option<OneOrMany<String>>,
    /// Not ordered yet: from whom.
    issuer: Option<String>,
    /// Not ordered yet: how many names one certificate may have.
    #[schemars(range(min = 1, max = 100_000))]
    max_names: Option<u32>,
    /// How a served certificate is held against it: it must cover the names and be trusted, or be that very one.
    r#match: Option<Match>,
    /// The environment variable that holds the password of a PFX.
    password_env: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Match {
    Names,
    Leaf,
}

/// A server: its addresses, or somebody else's host.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Server {
    /// Its addresses: one, a list, or by view.
    address: Option<ByView<OneOrMany<String>>>,
    /// Somebody else's: a name agrees when it resolves to what this host resolves to.
    host: Option<String>,
    /// Service words: `IIS`, `SMTP`, `https`, `https:8443`, `tls:8444` … Default: https.
    services: Option<OneOrMany<String>>,
    /// What it is: what it can do, and what to type on it.
    product: Option<Product>,
    /// Its certificates.
    certificate: Option<Choice>,
    /// Names that it sends its users to.
    redirects: Option<OneOrMany<String>>,
    #[schemars(flatten)]
    settings: Settings,
}

/// Servers behind one address, or DNS round robin.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Pool {
    /// The balancer's addresses; none for DNS round robin.
    address: Option<ByView<OneOrMany<String>>>,
    /// Its servers, also by phase; `opaque` if they cannot be asked.
    members: ByPhase<OneOrMany<String>>,
    /// Where TLS ends. Default: passthrough.
    tls: Option<PoolTls>,
    /// For a bridge: the members must serve a covering certificate, too.
    verify: Option<bool>,
    /// The balancer's own services. Default: those of its members.
    services: Option<OneOrMany<String>>,
    /// The balancer's own certificates. Default: those of its members.
    certificate: Option<Choice>,
    #[schemars(flatten)]
    settings: Settings,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum PoolTls {
    Passthrough,
    Bridge,
    Offload,
}

/// Where a name leads: a target, a target by view, or a table.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum NameValue {
    Target(OneOrMany<String>),
    Table(Box<Name>),
    ByView(ViewTable<OneOrMany<String>>),
}

/// Where a name leads and what stands beside it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Name {
    /// The target in all phases: a server, a pool, a list of them, or `absent`.
    server: Option<ByView<OneOrMany<String>>>,
    /// The target before.
    before: Option<ByView<OneOrMany<String>>>,
    /// The target while both run.
    coexistence: Option<ByView<OneOrMany<String>>>,
    /// The target afterwards.
    after: Option<ByView<OneOrMany<String>>>,
    /// Whom the name is for.
    audience: Option<Audience>,
    /// The services at which it is asked.
    services: Option<OneOrMany<String>>,
    /// Its certificates, before those of its servers.
    certificate: Option<Choice>,
    /// Planned TTL.
    ttl: Option<Duration>,
    /// TTL before it is lowered.
    ttl_before: Option<Duration>,
    /// The alias that DNS must show.
    cname: Option<String>,
    /// Whether an answer holds all addresses, or any, as a global balancer picks.
    answers: Option<Answers>,
    /// Whether an intranet name may be seen outside.
    leaks: Option<Leaks>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Audience {
    Inside,
    Outside,
    Both,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Answers {
    All,
    Any,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Leaks {
    Forbidden,
    Allowed,
}

/// A certificate's label, a list of them, or one of these by phase, by service word, or both within each other.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Choice {
    Labels(OneOrMany<String>),
    Narrowed(BTreeMap<String, Choice>),
}

/// A fault that is known and accepted.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Waiver {
    /// The rule.
    rule: String,
    /// A name, server, pool, certificate or view; without it, everywhere.
    on: Option<String>,
    /// Why.
    reason: String,
    /// The last day on which it holds.
    until: Option<Date>,
}

/// When a phase begins and ends.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct PhaseDates {
    /// Its first day.
    from: Option<Date>,
    /// Its last day.
    until: Option<Date>,
}

/// A zone and who serves it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Zone {
    /// The views in which it is served so. Default: all.
    views: Option<OneOrMany<String>>,
    /// Its authoritative servers, written as resolvers are.
    servers: Option<OneOrMany<String>>,
    /// The product that serves it.
    product: Option<Product>,
}

/// A mail domain.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Mail {
    /// Its MX targets, also by phase.
    mx: Option<ByPhase<OneOrMany<String>>>,
    /// How its clients find autodiscover: a name, `srv`, or false.
    autodiscover: Option<Autodiscover>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Autodiscover {
    Name(String),
    None(bool),
}

/// How a change is made.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Cutover {
    /// TTL to lower to before a flip. Default: 5m.
    low_ttl: Option<Duration>,
    /// Time until all authoritative servers hold a change. Default: 15m inside, 5m outside.
    propagation: Option<ByView<Duration>>,
    /// How far beyond a TTL a cache may go. Default: 0s.
    slack: Option<Duration>,
    /// Longest acceptable way back. Default: 30m.
    rollback_budget: Option<Duration>,
    /// When each view flipped into the phase where it stands.
    flipped: Option<ByView<Date>>,
    /// When changes may be made.
    windows: Option<OneOrMany<String>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Severity {
    Off,
    Info,
    Warning,
    Error,
}

/// What was exported from the servers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Inventory {
    /// Files by server.
    files: Option<BTreeMap<String, OneOrMany<String>>>,
}

/// One, or a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// The same for all views, or by view label or kind.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum ByView<T> {
    Same(T),
    ByView(BTreeMap<String, T>),
}

/// By view label or kind.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct ViewTable<T>(BTreeMap<String, T>);

/// The same in all phases, or by phase.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum ByPhase<T> {
    Same(T),
    ByPhase(Phases<T>),
}

/// By phase.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Phases<T> {
    before: Option<T>,
    coexistence: Option<T>,
    after: Option<T>,
}

/// A duration such as `90s`, `5m`, `1h30m` or `1d`, or whole seconds.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Duration {
    Text(#[schemars(regex(pattern = r"^(\d+(ms|s|m|h|d|w))+$"))] String),
    Seconds(#[schemars(range(min = 0))] i64),
}

/// A date such as `2027-03-31`, or an instant such as `2026-11-21T22:00:00Z`.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Date(#[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}([Tt ].+)?$"))] String);

/// A phase, or a change between two.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Moment(
    #[schemars(regex(
        pattern = r"^(before|coexistence|after|before\.\.coexistence|coexistence\.\.after|before\.\.after)$"
    ))]
    String,
);

/// A product word.
struct Product;

impl JsonSchema for Product {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Product".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": keys::PRODUCTS })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::plan::keys::Keys;

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
            ("Cutover", keys::CUTOVER),
            ("Inventory", keys::INVENTORY),
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
