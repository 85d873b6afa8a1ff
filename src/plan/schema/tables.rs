//! The further tables: waivers, the calendar, zones, mail, the cutover, severities, inventories.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::shapes::*;

/// A fault that is known and accepted.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Waiver {
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
pub(super) struct PhaseDates {
    /// Its first day.
    from: Option<Date>,
    /// Its last day.
    until: Option<Date>,
}

/// A zone and who serves it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Zone {
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
pub(super) struct Mail {
    /// Its MX targets, also by phase.
    mx: Option<ByPhase<OneOrMany<String>>>,
    /// How its clients find autodiscover: a name, `srv`, or false.
    autodiscover: Option<Autodiscover>,
    /// The MTA-STS policy that it enforces: for how long senders keep it, or that and its patterns. Its hosts are those of
    /// `mx`.
    mta_sts: Option<MtaSts>,
    /// By which name its servers greet others in EHLO.
    helo: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum MtaSts {
    MaxAge(Duration),
    Policy(MtaStsPolicy),
}

/// An enforced MTA-STS policy.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MtaStsPolicy {
    /// For how long senders keep it.
    max_age: Duration,
    /// Its patterns, in every phase.
    mx: Option<OneOrMany<String>>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Autodiscover {
    Name(String),
    None(bool),
}

/// How a change is made.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Cutover {
    /// TTL to lower to before a flip. Default: 5m.
    low_ttl: Option<Duration>,
    /// Time until all authoritative servers hold a change. Default: 15m inside, 5m outside.
    propagation: Option<ByView<Duration>>,
    /// How far beyond a TTL a cache may go. Default: 0s.
    slack: Option<Duration>,
    /// How wrong clocks of clients and servers may be, before or after. Default: the slack.
    clock_error: Option<Duration>,
    /// For how long clients use a URL that they were told before (Outlook asks Autodiscover again then). Default: 1h.
    cached_urls: Option<Duration>,
    /// Longest acceptable way back. Default: 30m.
    rollback_budget: Option<Duration>,
    /// When each view flipped into the phase where it stands.
    flipped: Option<ByView<Date>>,
    /// When changes may be made, in all views or in each: ["Mon-Thu 20:00-06:00"]. Default: at any time.
    windows: Option<ByView<OneOrMany<String>>>,
    /// The Strict-Transport-Security header that sites send, by host name: "max-age=31536000; includeSubDomains".
    hsts: Option<BTreeMap<String, String>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Severity {
    Off,
    Info,
    Warning,
    Error,
}

/// What was exported from the servers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Inventory {
    /// Files by server.
    files: Option<BTreeMap<String, OneOrMany<String>>>,
}
