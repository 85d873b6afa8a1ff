//! The built binary against real servers: BIND 9, nginx, HAProxy, Postfix, Dovecot, proxies and others on loopback; and
//! what is printed for these and for Apache, given to them. No mock.
//!
//! `tests/run` installs them and runs these tests as root; nothing outside loopback is asked.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::panic,
    reason = "a test starts servers, writes their files, waits for them and shows their logs"
)]

mod bind;
mod certificates;
mod commands;
mod daemon;
mod delegation;
mod dns_proxies;
mod dnssec;
mod dovecot;
mod faces;
mod haproxy;
mod inspect;
mod mta_sts;
mod mtls;
mod nginx;
mod old_tls;
mod pfx;
mod postfix;
mod proxies;
mod recordings;
mod records;
mod run;
mod senders;
mod services;
mod split_dnssec;
mod tlsa;
mod verdicts;
mod web;
mod witness;
mod world;
