//! The keys of the plan file, in one place: the reader refuses all others, and a test holds the schema against them.

/// Groups of keys that a table may have.
pub(super) type Keys = &'static [&'static [&'static str]];

/// Settings that can stand in the plan, a view, a server or a pool.
pub(super) const SETTINGS: &[&str] = &[
    "samples",
    "per-host",
    "timeout",
    "retry",
    "mtls",
    "client-certificate",
    "ehlo",
    "password-env",
    "authoritative",
    "max-age",
];
/// The parts of a connection that have limits of their own.
pub(super) const TIMEOUT: Keys = &[&["connect", "dialogue", "handshake"]];
/// What makes a client certificate.
pub(super) const CLIENT_CERTIFICATE: Keys = &[&["file", "key"]];
/// The three phases.
pub(super) const PHASES: &[&str] = &["before", "coexistence", "after"];

pub(super) const PLAN: Keys = &[
    &["title", "phase", "views", "certificates", "servers", "pools", "intranet", "internet", "legacy", "waivers"],
    // `$schema` is for editors of JSON.
    &["phases", "zones", "mail", "records", "cutover", "severity", "inventory", "$schema"],
    SETTINGS,
];
pub(super) const VIEW: Keys = &[&["kind", "resolvers", "trust", "reaches", "proxy", "without-sni"], SETTINGS];
pub(super) const CERTIFICATE: Keys =
    &[&["file", "thumbprint", "from", "names", "issuer", "max-names", "match", "password-env"], &["key-exportable"]];
pub(super) const SERVER: Keys =
    &[&["address", "host", "services", "product", "certificate", "redirects", "publishes"], SETTINGS];
pub(super) const POOL: Keys =
    &[&["address", "members", "tls", "verify", "services", "certificate", "publishes"], SETTINGS];
pub(super) const NAME: Keys =
    &[&["server"], PHASES, &["audience", "services", "certificate", "ttl", "ttl-before", "cname", "answers", "leaks"]];
pub(super) const WAIVER: Keys = &[&["rule", "on", "reason", "until"]];
pub(super) const PHASE_TABLE: Keys = &[PHASES];
pub(super) const PHASE: Keys = &[&["from", "until"]];
pub(super) const ZONE: Keys = &[&["views", "servers", "product"]];
pub(super) const MAIL: Keys = &[&["mx", "autodiscover", "mta-sts", "helo"]];
pub(super) const MTA_STS: Keys = &[&["max-age", "mx"]];
pub(super) const CUTOVER: Keys = &[&[
    "low-ttl",
    "propagation",
    "slack",
    "clock-error",
    "cached-urls",
    "rollback-budget",
    "flipped",
    "windows",
    "hsts",
]];
pub(super) const INVENTORY: Keys = &[&["files"]];

/// The products that are known: what they can do and what to type on them differs.
pub(super) const PRODUCTS: &[&str] = &[
    "exchange-2003",
    "exchange-2007",
    "exchange-2010",
    "exchange-2013",
    "exchange-2016-before-cu23",
    "exchange-2016",
    "exchange-2019-before-cu12",
    "exchange-2019",
    "exchange-se",
    "windows-2003",
    "windows-2008",
    "windows-2008r2",
    "windows-2012",
    "windows-2012r2",
    "windows-2016",
    "windows-2019",
    "windows-2022",
    "windows-2025",
    "iis",
    "adfs",
    "wap",
    "isa",
    "tmg",
    "nginx",
    "apache",
    "haproxy",
    "caddy",
    "envoy",
    "traefik",
    "ingress-nginx",
    "kubernetes",
    "envoy-gateway",
    "nginx-gateway",
    "f5",
    "netscaler",
    "kemp",
    "postfix",
    "exim",
    "sendmail",
    "dovecot",
    "cyrus",
    "windows-dns-before-2012",
    "windows-dns",
    "bind",
    "unbound",
    "nsd",
    "knot",
    "powerdns",
    "route53",
    "azure-dns",
    "cloudflare",
];
