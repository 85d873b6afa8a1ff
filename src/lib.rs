//! Checks, while old and new servers run side by side, that every name is covered by a certificate, resolves for the
//! clients that use it, and is served with the right certificate by each server behind it.
//!
//! A plan says what should be true; observers write down what is; one pure judge compares the two; reports read the
//! judge's word.
//!
//! ```text
//! plan.toml ─load→ Plan ─expand→ Obligations ─probes→ {Probe} ─observe→ Recording (vantage A)
//!                        │                                             Recording (vantage B, C …)
//!                        │                                                  └─merge→ Evidence
//!                        └───────────── judge(Obligations, Evidence, Policy, now) → Judgement
//!                                                              ├─ render → text | json
//!                 Plan, Recording ─plan a cutover→ Timeline ───────┴─ render → text | json
//! ```
//!
//! # The law of imports
//!
//! Arrows go down only; a stage never imports another stage; stages meet in [`cli`] and exchange [`model`] types.
//! `tests/layering` reads the source and fails on an import that breaks this.
//!
//! ```text
//!  cli        knows everybody; clock, environment, stdout and exit live here
//!  rehearse   plays a cutover with real sockets: above the stages, below cli
//!  plan  observe  import  record  judge  cutover  checker  report  lab      stages: never import each other
//!  pki  commands  parallel                        pure trades, used by several stages
//!  model      nouns: no I/O, no async, no clock, no command line, no colour
//! ```
//!
//! Sockets live in [`observe`], [`lab`] and [`rehearse`] only, and `async` there and in [`cli`], which drives them. Files
//! are opened in [`cli`] and `observe::file` only.

pub mod checker;
pub mod cli;
pub mod commands;
pub mod cutover;
pub mod import;
pub mod judge;
pub mod lab;
pub mod model;
pub mod observe;
mod parallel;
pub mod pki;
pub mod plan;
pub mod record;
pub mod rehearse;
pub mod report;
