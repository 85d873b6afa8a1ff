//! Questions into bytes, bytes into outcomes. Pure.

mod answer;
mod question;
#[cfg(test)]
mod tests;

pub use answer::Read;
pub use question::{Fit, Question};
