//! The embedded world, made from a plan: an authoritative DNS server per view, TLS and STARTTLS servers for each server
//! and pool member on loopback with certificates of a certification authority made at the start, and named faults.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::model::observation::DialMap;
use crate::model::phase::Moment;
use crate::model::plan::Plan;

/// A fault that breaks one thing.
pub struct FaultInfo {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// What its argument is (`server`, `name`, `view` ...), if it takes one after a colon.
    pub argument: Option<&'static str>,
    /// One line.
    pub summary: &'static str,
}

/// A description of a world, before it is started: who answers what, who serves what.
pub struct World {}

/// A world that runs; it ends when this is dropped.
pub struct Lab {}

/// Every fault.
pub fn faults() -> &'static [FaultInfo] {
    todo!()
}

impl World {
    /// The world in which everything is as the plan wants it in a moment.
    pub fn of(_plan: &Plan, _moment: Moment) -> Self {
        todo!()
    }

    /// Breaks one thing: `FAULT` or `FAULT:ARGUMENT`. The error says what is wrong with the text.
    pub fn break_with(&mut self, _fault: &str) -> Result<(), String> {
        todo!()
    }
}

impl Lab {
    /// Starts the world's servers on loopback, port 0. Must be called inside a tokio runtime.
    pub async fn start(_world: &World) -> io::Result<Lab> {
        todo!()
    }

    /// Leads from each logical address and port to the server that plays it.
    pub fn dial_map(&self) -> DialMap {
        todo!()
    }

    /// The files that the plan refers to (certificates, trust), by their paths as written.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        todo!()
    }

    /// The trust anchors (DER) that stand for `public` and `system`.
    pub fn anchors(&self) -> Vec<Arc<[u8]>> {
        todo!()
    }
}
