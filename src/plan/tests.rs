use super::*;

#[test]
fn every_plan_loads() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let plan = load(&path.to_string_lossy(), &std::fs::read(&path).unwrap(), &|_| Ok(()));
            assert!(plan.is_ok(), "{}: {:#?}", path.display(), plan.err().map(|e| e.errors));
            seen += 1;
        }
    }
    assert!(seen >= 2);
}
