//! The embedded world, made from a plan: a DNS server for each resolver of each view, TLS and STARTTLS servers for each
//! server and pool on loopback with certificates of a certification authority made at the start, and named faults that
//! break one thing each.
//!
//! [`World`] is data: who answers what, who serves what. [`Lab`] is a world that runs; [`Lab::dial_map`] leads to it,
//! and everything that it does not play ends at a closed port on loopback, so that nothing ever leaves the machine.
#![allow(
    clippy::disallowed_methods,
    reason = "the embedded world has a clock of its own: its certificates are valid today"
)]

mod authority;
mod certificates;
#[cfg(test)]
mod client;
mod delegations;
mod dialogue;
mod dns;
#[cfg(test)]
mod example;
mod faults;
mod frames;
mod listen;
mod machines;
mod old_tls;
mod policies;
mod proxies;
mod records;
mod signed;
mod start;
#[cfg(test)]
mod tests;
mod tls;
mod web;
mod world;
mod zone;

pub(crate) use dialogue::grant;
pub use faults::{FaultInfo, faults};
pub(crate) use policies::policy;
pub use start::Lab;
pub(crate) use tls::{Always, config};
pub use world::World;
