//! What became of a cutover that was played.

use super::Second;
use super::proof::HarmClass;
use crate::model::phase::Phase;

/// A rehearsal, as reports tell it.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// The plan's file, as it was named.
    pub plan: String,
    /// The phase that is left.
    pub from: Phase,
    /// The phase that is wanted.
    pub to: Phase,
    /// The step that was broken, counted from 1, and how: `left out`.
    pub broken: Option<(usize, &'static str)>,
    /// How many steps were done before one turned back, if one did.
    pub undone_after: Option<usize>,
    /// Steps that were done.
    pub steps: usize,
    /// Client paths that the proof looks at.
    pub paths: usize,
    /// Client paths that somebody went.
    pub paths_played: usize,
    /// Clients that came; of those that go the same way at the same moment one connects for all.
    pub tries: usize,
    /// Connections that were made.
    pub connections: usize,
    /// Questions that name servers answered, and those who give the policies of mail domains.
    pub questions: usize,
    /// Moments at which clients came.
    pub moments: usize,
    /// Clients that were hurt.
    pub failed: usize,
    /// For each path and class the first.
    pub failures: Vec<MetHarm>,
    /// The classes that were met.
    pub met: Vec<HarmClass>,
    /// The classes that the proof predicts.
    pub predicted: Vec<HarmClass>,
    /// What the proof looks at and the play leaves out.
    pub not_played: Vec<String>,
}

/// A client that was hurt.
#[derive(Clone, Debug)]
pub struct MetHarm {
    /// How.
    pub class: HarmClass,
    /// When, by the play's clock.
    pub at: Second,
    /// The step that was being carried out or was carried out last, counted from 1.
    pub step: Option<usize>,
    /// True if it was being undone.
    pub undoing: bool,
    /// Whose client.
    pub view: String,
    /// The name that it began with.
    pub name: String,
    /// The service word and port.
    pub service: String,
    /// What happened.
    pub words: String,
}

impl Rehearsed {
    /// True if clients met what the proof predicts, class by class.
    pub fn agrees(&self) -> bool {
        self.met == self.predicted
    }
}
