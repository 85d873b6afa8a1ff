//! When to leave a resolver that does not answer.

use tokio::time::Instant;

use crate::model::dns::DnsOutcome;

/// Questions that time out before a resolver is left for the run.
const TIMEOUTS: u32 = 3;

/// What is known of a resolver's silence.
#[derive(Debug, Default)]
pub struct Silence {
    timeouts: u32,
    last_answer: Option<Instant>,
}

/// What a question's outcome changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    Same,
    /// The resolver has answered for the first time.
    Speaks,
    /// The resolver is left for the run.
    Left,
}

impl Silence {
    /// Takes a question's outcome. A timeout counts only if nothing at all was answered while the question was open:
    /// one broken zone among many questions does not make a resolver silent.
    pub fn take(&mut self, outcome: &DnsOutcome, asked: Instant, now: Instant) -> Turn {
        match outcome {
            DnsOutcome::Timeout if self.last_answer.is_none_or(|answer| answer < asked) => {
                self.timeouts += 1;
                if self.timeouts >= TIMEOUTS { Turn::Left } else { Turn::Same }
            }
            DnsOutcome::Timeout | DnsOutcome::Unreachable(_) | DnsOutcome::GivenUp => Turn::Same,
            _ => {
                self.timeouts = 0;
                match self.last_answer.replace(now) {
                    None => Turn::Speaks,
                    Some(_) => Turn::Same,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn three_timeouts_without_an_answer_are_silence() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut silence = Silence::default();
        let timeout = |s: &mut Silence, asked| s.take(&DnsOutcome::Timeout, at(asked), at(asked + 5));
        assert_eq!(timeout(&mut silence, 0), Turn::Same);
        assert_eq!(timeout(&mut silence, 0), Turn::Same);
        assert_eq!(silence.take(&DnsOutcome::ServFail, at(0), at(6)), Turn::Speaks);
        assert_eq!(silence.take(&DnsOutcome::Refused, at(0), at(6)), Turn::Same);
        // asked before the answer: the resolver was alive meanwhile
        (0..9).for_each(|_| assert_eq!(timeout(&mut silence, 5), Turn::Same));
        assert_eq!(timeout(&mut silence, 7), Turn::Same);
        assert_eq!(timeout(&mut silence, 7), Turn::Same);
        assert_eq!(timeout(&mut silence, 7), Turn::Left);
    }
}
