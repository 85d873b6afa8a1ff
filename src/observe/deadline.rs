//! How long a connection may take: as a whole, and each of its parts.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::probes::Manners;
use crate::model::tls::Stage;

/// The least that a limit is.
const LEAST: Duration = Duration::from_millis(1);

/// Limits of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of all of it.
    pub whole: Duration,
    parts: [Option<Duration>; 3],
}

/// When a connection that has begun must be done.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
    parts: [Option<Duration>; 3],
}

impl Limits {
    /// As the plan says, or else the command line. Where parts have limits, the whole has what they come to together.
    pub fn of(manners: &Manners, default: Duration) -> Self {
        let whole = manners.timeout_ms.map_or(default, Duration::from_millis).max(LEAST);
        let given = manners.parts;
        let parts = [given.connect_ms, given.dialogue_ms, given.handshake_ms].map(|p| p.map(Duration::from_millis));
        match parts {
            [None, None, None] => Self { whole, parts },
            some => {
                Self { whole: some.iter().map(|p| p.unwrap_or(whole)).sum(), parts: some.map(|p| p.or(Some(whole))) }
            }
        }
    }

    /// Begins now.
    pub fn begin(&self) -> Deadline {
        Deadline { end: Instant::now() + self.whole, parts: self.parts }
    }
}

impl Deadline {
    /// True while there is time left at all.
    pub fn is_left(&self) -> bool {
        Instant::now() < self.end
    }

    /// When a part that begins now must be done.
    pub fn of(&self, stage: Stage) -> Instant {
        let [connect, dialogue, handshake] = self.parts;
        let part = match stage {
            Stage::Connect => connect,
            Stage::Dialogue => dialogue,
            Stage::Handshake => handshake,
        };
        part.map_or(self.end, |p| self.end.min(Instant::now() + p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Parts;

    #[test]
    fn a_part_has_its_own_limit_and_the_whole_what_they_come_to() {
        let second = Duration::from_secs(1);
        let manners = Manners { timeout_ms: Some(2000), ..Manners::default() };
        let whole = Limits::of(&manners, second);
        let left = |limits: Limits, stage| (limits.begin().of(stage) - Instant::now()).as_secs_f64();
        assert_eq!(whole.whole, 2 * second);
        assert!((1.8..=2.0).contains(&left(whole, Stage::Connect)));
        let parts = Parts { connect_ms: Some(500), dialogue_ms: None, handshake_ms: Some(3000) };
        let limits = Limits::of(&Manners { parts, ..manners }, second);
        assert_eq!(limits.whole, Duration::from_millis(5500));
        assert!((0.3..=0.5).contains(&left(limits, Stage::Connect)));
        assert!((1.8..=2.0).contains(&left(limits, Stage::Dialogue)));
        assert!((2.8..=3.0).contains(&left(limits, Stage::Handshake)));
        let over = Deadline { end: Instant::now(), ..limits.begin() };
        assert!(over.of(Stage::Handshake) <= Instant::now(), "the whole is over before the part");
    }
}
