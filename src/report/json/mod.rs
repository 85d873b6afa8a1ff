//! The report for programs. Its shapes are its own, so that the vocabulary can change without the format; the JSON
//! Schema is derived from them.

mod read;
mod shapes;
mod tame;

use std::io::{self, Write};

use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use crate::model::finding::Judgement;
use shapes::{Report, Reports};
pub(super) use tame::Tame;

/// The version of the JSON report that this release writes. Keys may be added within a version; none is changed or taken
/// away.
pub const FORMAT: u32 = 1;

/// Writes the report of one plan.
pub(super) fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    put(&Reports::One(Box::new(Report::of(judgement))), out)
}

/// Writes an array of reports.
pub(super) fn write_several(judgements: &[Judgement], out: &mut dyn Write) -> io::Result<()> {
    put(&Reports::Several(judgements.iter().map(Report::of).collect()), out)
}

/// Writes a shape as JSON that `cat` may show.
pub(super) fn put(reports: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut to = serde_json::Serializer::with_formatter(&mut *out, Tame(PrettyFormatter::new()));
    reports.serialize(&mut to)?;
    writeln!(out)
}

/// The JSON Schema (draft 2020-12) of the JSON report: of one plan, or an array of several.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Reports<'_>>().to_value()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::finding::{ClaimKind, RunOutcome, Severity, Verdict};
    use crate::report::samples::{balanced, finding, judged, judgement, legacy};

    fn parsed(judgements: &[Judgement]) -> Value {
        let mut out = Vec::new();
        match judgements {
            [one] => write(one, &mut out).unwrap(),
            several => write_several(several, &mut out).unwrap(),
        }
        assert!(out.ends_with(b"\n"));
        serde_json::from_slice(&out).unwrap()
    }

    /// A report in which each word of each vocabulary occurs.
    fn every_word(outcome: RunOutcome) -> Judgement {
        use Verdict::{Fail, NotApplicable, NotInForce, Pass, Unobserved, Waived, Warn};
        let mut j = Judgement { outcome, ..judgement() };
        let kinds = [ClaimKind::San, ClaimKind::Dns, ClaimKind::Tls, ClaimKind::Path, ClaimKind::Ttl];
        let verdicts = [Pass, Fail, Warn, Unobserved, Waived, NotApplicable, NotInForce];
        j.obligations = kinds.iter().map(|kind| judged(*kind, "a.b", "", "", Pass, "")).collect();
        j.obligations.extend(verdicts.iter().map(|verdict| judged(ClaimKind::San, "a.b", "", "", *verdict, "")));
        j.findings = [Severity::Info, Severity::Warning, Severity::Error].map(|s| finding("a-rule", s)).to_vec();
        j
    }

    #[test]
    fn reports_are_as_their_schema_says() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let outcomes =
            [RunOutcome::Pass, RunOutcome::Fail, RunOutcome::Incomplete, RunOutcome::Interrupted].map(every_word);
        for one in [balanced(), legacy(), judgement()].iter().chain(&outcomes) {
            let report = parsed(std::slice::from_ref(one));
            assert!(schema.is_valid(&report), "{:?}", schema.iter_errors(&report).map(|e| e.to_string()).next());
        }
        assert!(schema.is_valid(&parsed(&[balanced(), legacy()])));
        assert!(schema.is_valid(&parsed(&[])));
    }

    #[test]
    fn the_schema_refuses_what_is_no_report() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let good = parsed(&[balanced()]);
        for (key, value) in
            [("outcome", "ok".into()), ("format", 2.into()), ("counts", Value::Null), ("findings", Value::Null)]
        {
            let mut bad = good.clone();
            bad[key] = value;
            assert!(!schema.is_valid(&bad), "{key}");
        }
    }

    #[test]
    fn the_words_that_programs_read_are_fixed() {
        let report = parsed(&[every_word(RunOutcome::Incomplete)]);
        let all = |list: &str, key: &str| -> Vec<String> {
            report[list].as_array().unwrap().iter().map(|v| v[key].as_str().unwrap().to_string()).collect()
        };
        assert_eq!(all("obligations", "kind")[..5], ["san", "dns", "tls", "path", "ttl"]);
        let verdicts = ["pass", "fail", "warn", "unobserved", "waived", "not-applicable", "not-in-force"];
        assert_eq!(all("obligations", "verdict")[5..], verdicts);
        assert_eq!(all("findings", "severity"), ["info", "warning", "error"]);
        assert_eq!(
            (&report["format"], &report["outcome"], &report["exit_status"]),
            (&1.into(), &"incomplete".into(), &3.into())
        );
    }

    #[test]
    fn a_consequence_names_its_cause() {
        let report = parsed(&[balanced()]);
        let findings = report["findings"].as_array().unwrap();
        assert_eq!((&findings[0]["id"], &findings[0]["caused_by"]), (&"f1".into(), &Value::Null));
        assert_eq!(
            (&findings[2]["rule"], &findings[2]["caused_by"]),
            (&"pool-certificate-divergence".into(), &"f1".into())
        );
    }
}
