//! The plans that are shipped.

use super::*;

/// Every file of plans/ with its name.
pub(super) fn shipped() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let toml = paths.filter(|p| p.extension().is_some_and(|e| e == "toml"));
    let mut all: Vec<_> = toml
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn every_plan_loads_and_needs_no_file() {
    let all = shipped();
    assert!(all.len() >= 2, "{}", all.len());
    for (file, text) in all {
        let plan = load(&file, text.as_bytes(), &|_| Err("there is none".into()));
        assert_eq!(plan.err().map(|e| told(&e)), None, "{file}");
    }
}
