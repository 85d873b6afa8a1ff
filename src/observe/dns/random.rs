//! Random numbers, taken from the system in handfuls.

use super::Failure;

/// Numbers of one handful.
const HANDFUL: usize = 64;

/// Unpredictable numbers (RFC 5452 section 9.2), each given out once.
#[derive(Default)]
pub struct Random {
    left: Vec<u32>,
}

impl Random {
    /// The next number.
    pub fn next(&mut self) -> Result<u32, Failure> {
        if self.left.is_empty() {
            let mut bytes = [0; 4 * HANDFUL];
            getrandom::fill(&mut bytes).map_err(|e| Failure::Unreachable(format!("no random numbers: {e}")))?;
            self.left.extend(bytes.chunks_exact(4).map(|b| b.iter().fold(0, |n, byte| n << 8 | u32::from(*byte))));
        }
        self.left.pop().ok_or(Failure::Timeout)
    }
}
