//! A hostile world on loopback: servers that lie, stall, flood and break off. Each gets a clear outcome or a finding; what
//! is healthy in the same run is judged all the same; nothing passes falsely, and time and memory are bounded.
// Helpers are not marked as tests, so that clippy's exception for tests does not reach them.
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "a test may look at the clock")]

mod authority;
mod clear;
mod datagrams;
mod farm;
mod flight;
mod policies;
mod portal;
mod proxies;
mod resolvers;
mod servers;
mod signed;
mod starttls;
mod tls;
mod verdicts;
