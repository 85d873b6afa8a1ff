//! Certificates, servers and pools, and the names that lead to them.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::shapes::*;
use super::views::Settings;

/// A certificate: a file, a thumbprint, what a server serves, or the names of one that is not ordered yet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Certificate {
    /// A file beside the plan: PEM, DER or PKCS#7 without the key, or PFX.
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
    /// The servers from which its key can be exported; true: all that have it, false: none. Default: not known.
    key_exportable: Option<KeyExportable>,
    /// The environment variable that holds the password of a PFX; the password itself does not belong in a plan.
    password_env: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum KeyExportable {
    From(OneOrMany<String>),
    Everywhere(bool),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Match {
    Names,
    Leaf,
}

/// A server: its addresses, or somebody else's host.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Server {
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
    /// Of a reverse proxy: the public names that it accepts, `*.` before a domain for those below it; all are, if not given.
    publishes: Option<OneOrMany<String>>,
    #[schemars(flatten)]
    settings: Settings,
}

/// Servers behind one address, or DNS round robin.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Pool {
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
    /// The public names that it accepts, `*.` before a domain for those below it; all are, if not given.
    publishes: Option<OneOrMany<String>>,
    #[schemars(flatten)]
    settings: Settings,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum PoolTls {
    Passthrough,
    Bridge,
    Offload,
}

/// Where a name leads: a target, a target by view, or a table.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum NameValue {
    Target(OneOrMany<String>),
    Table(Box<Name>),
    ByView(ViewTable<OneOrMany<String>>),
}

/// Where a name leads and what stands beside it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Name {
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
pub(super) enum Audience {
    Inside,
    Outside,
    Both,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Answers {
    All,
    Any,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Leaks {
    Forbidden,
    Allowed,
}

/// A certificate's label, a list of them, or one of these by phase, by service word, or both within each other.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Choice {
    Labels(OneOrMany<String>),
    Narrowed(BTreeMap<String, Choice>),
}
