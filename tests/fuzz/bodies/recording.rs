//! A recording of any bytes: read, written and read again, judged, and told.

use std::sync::OnceLock;

use coexist::model::plan::Plan;
use coexist::model::policy::Policy;
use coexist::report::{Format, Style, render};
use coexist::{judge, plan, record};

const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.mail]
file = "mail.pem"
[servers.mail]
address = "10.0.0.1"
[internet]
"mail.example.com" = "mail"
"#;

fn planned() -> &'static Plan {
    static PLANNED: OnceLock<Plan> = OnceLock::new();
    PLANNED.get_or_init(|| plan::load("p.toml", PLAN.as_bytes(), &|_| Ok(())).expect("a right plan"))
}

pub fn body(data: &[u8]) {
    let Ok(recording) = record::read(data) else { return };
    if let (1, Some(run)) = (recording.runs.len(), recording.runs.values().next()) {
        let mut bytes = Vec::new();
        let mut writer = record::Writer::new(&mut bytes, run).expect("memory");
        recording.blobs.iter().for_each(|(id, der)| writer.blob(*id, der).expect("memory"));
        recording.observations.iter().for_each(|o| writer.observation(o).expect("memory"));
        writer.finish().expect("memory");
        assert_eq!(record::read(bytes.as_slice()).expect("what was written"), recording);
    }
    let now = recording.runs.values().map(|r| r.started).max().unwrap_or_default();
    let judgement = judge::judge(planned(), &plan::expand(planned()), &recording, &Policy::default(), now);
    for format in Format::ALL {
        let mut told = Vec::new();
        render(&judgement, format, Style { verbose: true, ..Style::default() }, &mut told).expect("memory");
        let told = String::from_utf8(told).expect("a report is text");
        assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
    }
}
