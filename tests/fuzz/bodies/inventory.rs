//! Any bytes as an export of an administrator's shell.

use coexist::import::exchange_certificates;

pub fn body(data: &[u8]) {
    match exchange_certificates(data) {
        Ok(held) => assert!((1..=10_000).contains(&held.len())),
        Err(why) => assert!(!why.0.is_empty() && why.0.len() < 500 && !why.0.contains(char::is_control), "{why:?}"),
    }
}
