//! What a scenario file says: a plan, what is broken in its world, and exactly what is to be found.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The story in a line.
    pub title: String,
    /// A file of plans/, or of this folder's plans/.
    pub plan: String,
    /// Replacements in the plan's text, in their order; each old text stands in it exactly once.
    #[serde(default)]
    pub edits: Vec<(String, String)>,
    /// A phase or a transition to judge, instead of the plan's.
    pub phase: Option<String>,
    /// The phase whose eve is judged.
    pub ready_for: Option<String>,
    /// The moment in which the lab's world is, where that is not the moment that is judged.
    pub world: Option<String>,
    /// The views in which the run stands; all by default.
    pub from: Option<Vec<String>>,
    /// The views that are asked about; all by default.
    pub view: Option<Vec<String>>,
    /// Faults of the lab.
    #[serde(default)]
    pub faults: Vec<String>,
    /// An earlier run, whose recording is judged together with this one's.
    pub earlier: Option<Earlier>,
    /// When it is judged: RFC 3339; now by default.
    pub at: Option<String>,
    /// What the run comes to: `pass`, `fail` or `incomplete`.
    pub outcome: String,
    /// The causes, neither more nor fewer.
    #[serde(default)]
    pub expect: Vec<Expected>,
    /// The rules of the open questions, neither more nor fewer; a rule as often as it is asked.
    #[serde(default)]
    pub open: Vec<String>,
    /// The rules of waived findings, neither more nor fewer.
    #[serde(default)]
    pub waived: Vec<String>,
    /// Rules that must be among the consequences.
    #[serde(default)]
    pub also: Vec<String>,
    /// Rules that have something to judge here and find nothing.
    #[serde(default)]
    pub passes: Vec<String>,
}

/// A run in the same plan's world, some time ago, when other things were broken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// How many hours ago.
    pub hours: i64,
    /// Faults of the lab at that time.
    #[serde(default)]
    pub faults: Vec<String>,
}

/// A cause; what is not said may be anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The rule.
    pub rule: String,
    /// Its weight.
    #[serde(default = "error")]
    pub severity: String,
    /// The subject's parts.
    pub name: Option<String>,
    /// A view's label.
    pub view: Option<String>,
    /// A server's or pool's label.
    pub server: Option<String>,
    /// An address.
    pub address: Option<String>,
    /// `IIS:443`.
    pub service: Option<String>,
    /// A certificate's label.
    pub certificate: Option<String>,
}

fn error() -> String {
    "error".into()
}

/// Every scenario with its file's name, sorted by it.
pub fn all() -> Vec<(String, Scenario)> {
    let folder = root().join("tests/scenarios");
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of the scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = fs::read_to_string(&path).expect("a scenario can be read");
            let scenario = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            out.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), scenario));
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}
