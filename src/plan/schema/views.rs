//! Who asks, and the settings that may stand anywhere.

use schemars::JsonSchema;

use super::shapes::{Duration, OneOrMany};

/// Settings of the plan, a view, a server or a pool; the nearest counts.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Settings {
    /// How often a balanced address is asked. Default: 4.
    #[schemars(range(min = 1, max = 1000))]
    samples: Option<u32>,
    /// Connections at once to one address. Default: 16.
    #[schemars(range(min = 1, max = 1000))]
    per_host: Option<u32>,
    /// Limit of one query or connection, 100ms to 10m, or of the parts of a connection. Default: that of the command line.
    timeout: Option<Timeout>,
    /// Further tries after a failed connection. Default: 0.
    #[schemars(range(max = 10))]
    retry: Option<u32>,
    /// The endpoint demands client certificates.
    mtls: Option<bool>,
    /// What is shown to an endpoint that asks for a client certificate; `mtls` goes without saying.
    client_certificate: Option<ClientCertificate>,
    /// The name said in EHLO.
    ehlo: Option<String>,
    /// The environment variable that holds a password.
    password_env: Option<String>,
    /// Ask the authoritative servers, too.
    authoritative: Option<bool>,
    /// Oldest evidence that counts. Default: 24h.
    max_age: Option<Duration>,
}

/// A client certificate and its key.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ClientCertificate {
    /// The certificate with its chain, in PEM or DER.
    file: String,
    /// The key in PEM, without a password. It is never recorded or shown.
    key: String,
}

/// A limit of the whole, or of each part.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Timeout {
    Whole(Duration),
    Parts(TimeoutParts),
}

/// Limits of the parts of a connection; what is not said has the limit of the whole.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TimeoutParts {
    /// The TCP connection, through a proxy too.
    connect: Option<Duration>,
    /// The dialogue before TLS.
    dialogue: Option<Duration>,
    /// The TLS handshake.
    handshake: Option<Duration>,
}

/// Who asks.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct View {
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
pub(super) enum ViewKind {
    Internal,
    External,
}
