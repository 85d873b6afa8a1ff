//! Proxies that never say a word are left, before every endpoint behind them has cost its time. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::proxy::ProxyFault;
use crate::model::tls::TlsOutcome;

/// Silences in a row, with no word ever, after which a proxy is left.
const ENOUGH: u32 = 8;

/// What is known of the proxies, by the runs that go through them.
#[derive(Debug, Default)]
pub struct Silences {
    /// `None` once it said anything.
    silent: HashMap<Arc<str>, Option<u32>>,
}

impl Silences {
    /// The outcome of a further look through a proxy, if it is known before.
    pub fn foregone(&self, run: &str) -> Option<TlsOutcome> {
        let silent = self.silent.get(run).copied().flatten()?;
        (silent >= ENOUGH).then_some(TlsOutcome::Proxy(ProxyFault::GivenUp))
    }

    /// Takes an outcome.
    pub fn take(&mut self, run: &Arc<str>, outcome: &TlsOutcome) {
        let entry = self.silent.entry(run.clone()).or_insert(Some(0));
        match outcome {
            TlsOutcome::Proxy(ProxyFault::Silent | ProxyFault::NoWord) => *entry = entry.map(|n| n + 1),
            TlsOutcome::CannotLook(_) | TlsOutcome::Proxy(ProxyFault::NotReached(_) | ProxyFault::GivenUp) => {}
            _ => *entry = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_never_spoke_is_left() {
        let (mut silences, run) = (Silences::default(), Arc::from("run"));
        for _ in 0..ENOUGH {
            assert_eq!(silences.foregone(&run), None);
            silences.take(&run, &TlsOutcome::Proxy(ProxyFault::Silent));
        }
        assert_eq!(silences.foregone(&run), Some(TlsOutcome::Proxy(ProxyFault::GivenUp)));
        assert_eq!(silences.foregone("other"), None);
        silences.take(&run, &TlsOutcome::Refused);
        silences.take(&run, &TlsOutcome::Proxy(ProxyFault::NoWord));
        assert_eq!(silences.foregone(&run), None);
    }
}
