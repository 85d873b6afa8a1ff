#![no_main]

#[path = "../bodies/plan.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::body(data));
