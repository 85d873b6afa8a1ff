//! What a checker says of a timeline.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::facts::{CacheKey, NodeId};
use super::{ClientPath, Second};
use crate::model::name::Name;

/// How a client can be hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HarmClass {
    /// The certificate is for other names.
    WrongName,
    /// The certificate leads to no anchor that the client trusts, or TLSA does not allow it.
    Untrusted,
    /// The certificate is not valid at that time.
    Expired,
    /// Nothing listens where the client is led.
    NothingListens,
    /// A cache says that the name does not exist.
    BelievedAbsent,
    /// A server sends the client to a name that leads to that server again.
    RedirectLoop,
}

impl HarmClass {
    /// All, in the order of the enumeration.
    pub const ALL: [HarmClass; 6] = {
        use HarmClass::*;
        [WrongName, Untrusted, Expired, NothingListens, BelievedAbsent, RedirectLoop]
    };

    /// Its word, in kebab case.
    pub fn word(self) -> &'static str {
        match self {
            Self::WrongName => "wrong-name",
            Self::Untrusted => "untrusted",
            Self::Expired => "expired",
            Self::NothingListens => "nothing-listens",
            Self::BelievedAbsent => "believed-absent",
            Self::RedirectLoop => "redirect-loop",
        }
    }
}

/// An answer that a cache returns in a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedAnswer {
    /// What was asked.
    pub key: CacheKey,
    /// The answer in words: addresses, hosts, or `absent`.
    pub answer: String,
    /// Index of the step that replaces it; `None` for what authoritative servers still answer, or what was replaced
    /// before second 0.
    pub replaced_by: Option<usize>,
    /// The first second at which no cache returns it any more, in the execution that is told; `None` while it is
    /// authoritative.
    pub kept_until: Option<Second>,
}

/// One execution of the steps in which a client is hurt, as short as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// How.
    pub class: HarmClass,
    /// Who.
    pub path: ClientPath,
    /// Index of the step during or after which; `None` before the first.
    pub step: Option<usize>,
    /// True if the step has ended by then, false while it is being carried out.
    pub after_step: bool,
    /// Set if the step is being undone, not done: how many steps had been done before one turned back.
    pub undoing: Option<usize>,
    /// The first second at which it can happen.
    pub at: Second,
    /// The answers that lead there, in their order.
    pub answers: Vec<CachedAnswer>,
    /// The address that is dialled; `None` if there is none.
    pub address: Option<IpAddr>,
    /// Who answers there.
    pub node: Option<NodeId>,
    /// The certificate that is served: index into the credentials.
    pub credential: Option<usize>,
    /// The name that the client has in mind: that of the path, or where a redirect or MX leads.
    pub reference: Name,
    /// The server whose redirect sent the client, if any did.
    pub redirected_by: Option<NodeId>,
    /// All of it in one sentence, without clock times.
    pub words: Arc<str>,
}

/// Until when everything must be done, because a certificate ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Index into the credentials.
    pub credential: usize,
    /// The first instant after its validity by the clock of some client, which may be ahead.
    pub at: Timestamp,
    /// Index of the step that takes the certificate out of every client's reach; `None`: it is in use at the end too.
    pub until_step: Option<usize>,
}

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No execution hurts anybody.
    Safe,
    /// Nothing is known that hurts, and not everything is known.
    CouldNotTell,
    /// Some execution hurts somebody.
    Harm,
}

/// The proof, or what stands against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The verdict.
    pub verdict: Verdict,
    /// How many client paths were followed.
    pub paths: usize,
    /// Through how many intervals: between steps, and while each is carried out.
    pub intervals: usize,
    /// How many ways back were followed: each prefix of the steps, and then its undoing.
    pub ways_back: usize,
    /// By how many seconds caches may go further beyond their times, and clocks be further wrong, than the timeline says,
    /// and all this still holds; `None` without bound.
    pub spare: Option<u32>,
    /// For each class of harm the shortest witness, the earliest first.
    pub harms: Vec<Witness>,
    /// Client paths that are hurt, by class as in [`HarmClass::ALL`].
    pub hurt: [usize; 6],
    /// What could not be known, one line each, sorted.
    pub unknown: Vec<String>,
    /// Deadlines, the earliest first.
    pub deadlines: Vec<Deadline>,
    /// Steps whose old value is not what holds when they start: index, and what is wrong.
    pub misfits: Vec<(usize, String)>,
}

/// A step that stands elsewhere or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// The step starts so many seconds later, and with it all that follow.
    Later {
        /// Index of the step.
        step: usize,
        /// Seconds.
        by: u32,
    },
    /// Once the step is undone, so many seconds more pass before the one in front of it is.
    Settle {
        /// Index of the step.
        step: usize,
        /// Seconds.
        by: u32,
    },
    /// The step is done before another.
    Before {
        /// Index of the step.
        step: usize,
        /// Index of the other.
        other: usize,
    },
    /// A node serves another certificate before a step.
    Serve {
        /// Index of the step before which.
        before: usize,
        /// Who.
        node: NodeId,
        /// At which port.
        port: u16,
        /// Which: index into the credentials.
        credential: usize,
    },
    /// The step is left out.
    Without {
        /// Index of the step.
        step: usize,
    },
}

/// The smallest change that makes a runbook safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    /// What to change; more than one where several waits are too short.
    pub moves: Vec<Moved>,
}
