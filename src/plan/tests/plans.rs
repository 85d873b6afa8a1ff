//! The plans that are shipped.
#![allow(clippy::disallowed_methods, reason = "a test may open the files that it reads")]

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

/// A plan's text as JSON: dates become strings.
pub(super) fn as_json(text: &str) -> serde_json::Value {
    fn value(toml: toml::Value) -> serde_json::Value {
        match toml {
            toml::Value::String(s) => s.into(),
            toml::Value::Integer(i) => i.into(),
            toml::Value::Float(f) => f.into(),
            toml::Value::Boolean(b) => b.into(),
            toml::Value::Datetime(d) => d.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(value).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(k, v)| (k, value(v))).collect(),
        }
    }
    value(toml::from_str(text).unwrap())
}

fn schema_errors(plan: &serde_json::Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    validator.iter_errors(plan).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn every_plan_agrees_with_the_schema_and_means_the_same_in_json() {
    let with_template = shipped().into_iter().chain([("template.toml".into(), template().to_string())]);
    for (file, text) in with_template {
        let json = as_json(&text);
        assert_eq!(schema_errors(&json), Vec::<String>::new(), "{file}");
        let from_json = read("p.json", &serde_json::to_string_pretty(&json).unwrap());
        let from_json = from_json.map_err(|e| told(&e)).unwrap();
        let from_toml = read(&file, &text).map_err(|e| told(&e)).unwrap();
        assert_eq!(without_places(&from_json), without_places(&from_toml), "{file}");
    }
}

/// What a plan says of its names, without their places and in a fixed order.
fn without_places(plan: &Plan) -> Vec<String> {
    let name = |n: &crate::model::plan::PlannedName| {
        let cell = |w: &crate::model::source::Located<crate::model::plan::Wanted>| match &w.value {
            crate::model::plan::Wanted::Targets(ids) => {
                ids.iter().map(|t| plan.target_label(*t).to_string()).collect::<Vec<_>>().join("+")
            }
            other => format!("{other:?}"),
        };
        let views =
            n.wanted.iter().zip(&plan.views).map(|(w, v)| format!("{}: {}", v.label, w.each_ref().map(cell).join(" ")));
        let mut views: Vec<_> = views.collect();
        views.sort();
        format!("{} {} {:?} {views:?}", n.table.word(), n.name, n.services)
    };
    let mut all: Vec<_> = plan.names.iter().map(name).collect();
    all.sort();
    all
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let plan = as_json(&shipped()[0].1);
    for (place, key) in
        [("", "titel"), ("/views/internal", "resolver"), ("/cutover", "slak"), ("/certificates/san", "fil")]
    {
        let mut broken = plan.clone();
        broken.pointer_mut(place).unwrap()[key] = "x".into();
        assert_ne!(schema_errors(&broken), Vec::<String>::new(), "{place}/{key}");
        assert_ne!(mistakes("p.json", &broken.to_string()), Vec::<String>::new(), "{place}/{key}");
    }
}

#[test]
fn the_template_loads_as_it_is_and_says_what_to_fill() {
    assert_eq!(mistakes("plan.toml", template()), Vec::<String>::new());
    assert!(template().matches("TODO").count() > 5);
    assert!(template().is_ascii() && !template().contains('\r'));
}

#[test]
fn every_plan_loads_and_needs_no_file() {
    let all = shipped();
    assert!(all.len() >= 7, "{}", all.len());
    for (file, text) in all {
        let plan = load(&file, text.as_bytes(), &|_| Err("there is none".into()));
        assert_eq!(plan.err().map(|e| told(&e)), None, "{file}");
    }
}
