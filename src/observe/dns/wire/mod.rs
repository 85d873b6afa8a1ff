//! Questions into bytes, bytes into outcomes. Pure.

mod answer;
mod message;
mod name;
mod question;
mod records;
mod referral;
mod signatures;
#[cfg(test)]
mod tests;

pub use answer::Read;
pub use question::{Fit, Question};
