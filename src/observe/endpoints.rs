//! The endpoints of a run, each once, whatever number of asks want it. Pure.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::model::observation::TlsProbe;
use crate::model::probes::TlsAsk;

/// Equal looks at one endpoint, whatever the plan says.
const SAMPLES: u32 = 1000;

/// The endpoints of a run, each once: how many samples were asked for.
#[derive(Default)]
pub struct Endpoints {
    samples: HashMap<(Option<Arc<str>>, TlsProbe), u32>,
}

impl Endpoints {
    /// Adds an endpoint, once for each way to it; the samples that are new: the larger number of samples wins.
    pub fn add(&mut self, ask: &TlsAsk) -> Range<u32> {
        let samples = ask.samples.clamp(1, SAMPLES);
        let known = self.samples.entry((ask.manners.via.clone(), ask.probe.clone())).or_default();
        let new = *known..samples.max(*known);
        *known = new.end;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::probes::Manners;
    use crate::model::service::Way;

    fn ask(port: u16, samples: u32) -> TlsAsk {
        let manners = Arc::new(Manners { per_host: 1, ehlo: "x".into(), ..Manners::default() });
        let probe = TlsProbe { address: ([127, 0, 0, 1], port).into(), way: Way::Implicit, sni: None, face: None };
        TlsAsk { probe, samples, manners }
    }

    #[test]
    fn the_larger_number_of_samples_wins_and_nothing_is_asked_twice() {
        let mut endpoints = Endpoints::default();
        assert_eq!(endpoints.add(&ask(443, 2)), 0..2);
        assert_eq!(endpoints.add(&ask(443, 5)), 2..5);
        assert!(endpoints.add(&ask(443, 3)).is_empty());
        assert_eq!(endpoints.add(&ask(25, 0)), 0..1);
        assert_eq!(endpoints.add(&ask(26, u32::MAX)), 0..SAMPLES);
    }
}
