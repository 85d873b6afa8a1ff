//! A plan of any bytes, as TOML and as JSON: read, told its mistakes, and if it is right, expanded.

use coexist::model::policy::Policy;
use coexist::model::probes::Vantage;
use coexist::plan;

pub fn body(data: &[u8]) {
    for file in ["p.toml", "p.json"] {
        match plan::load(file, data, &|_| Ok(())) {
            Ok(plan) => {
                let obligations = plan::expand(&plan);
                let vantage = Vantage { stands_in: plan.view_ids().collect(), ..Vantage::default() };
                let probes = plan::probes(&plan, &obligations, &vantage, &Policy::default());
                assert!(obligations.len() < 1 << 24 && probes.tls.len() < 1 << 24);
            }
            Err(errors) => {
                assert!(!errors.errors.is_empty());
                let told = plan::render_errors(&errors, false);
                assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
            }
        }
    }
}
