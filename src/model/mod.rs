//! The vocabulary that the stages share: nouns without I/O, async, clock, command line or colour.
//!
//! Terms are those of RFC 9525 (identifiers), RFC 5280 (certificates, paths, trust anchors) and RFC 9499 (DNS).

pub mod certificate;
pub mod cutover;
pub mod dane;
pub mod delegation;
pub mod dns;
pub mod dnssec;
pub mod finding;
pub mod http;
pub mod identity;
pub mod inspection;
pub mod inventory;
pub mod mail_hosts;
pub mod mta_sts;
pub mod name;
pub mod obligation;
pub mod observation;
pub mod observations;
pub mod pfx;
pub mod phase;
pub mod plan;
pub mod policy;
pub mod probes;
pub mod proxy;
pub mod questions;
pub mod records;
pub mod resolver;
pub mod rrsig;
pub mod service;
pub mod signed;
pub mod source;
pub mod svcb;
pub mod text;
pub mod tls;
