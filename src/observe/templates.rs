//! "The addresses that DNS gives for this name in this view": kept until every resolver of the view has spoken. Pure.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::model::dns::DnsOutcome;
use crate::model::name::Name;
use crate::model::observation::{DnsProbe, TlsProbe};
use crate::model::probes::{Probes, Template, TlsAsk};

/// Addresses of one name that are dialled. More are no server farm but a resolver that lies; those left out stay
/// unobserved, which is never a pass.
const ADDRESSES: usize = 256;

/// Templates that wait for DNS, by view and name.
pub struct Templates<'a> {
    gates: HashMap<(Arc<str>, Name), Gate<'a>>,
}

#[derive(Default)]
struct Gate<'a> {
    /// Questions that are still open.
    open: usize,
    addresses: BTreeSet<IpAddr>,
    templates: Vec<&'a Template>,
}

impl<'a> Templates<'a> {
    /// The templates of a run. One whose name nobody asks for gives nothing.
    pub fn new(probes: &'a Probes) -> Self {
        let mut gates: HashMap<_, Gate> = HashMap::new();
        for template in &probes.templates {
            gates.entry((template.view.clone(), template.name.probe())).or_default().templates.push(template);
        }
        for ask in &probes.dns {
            if let Some(gate) = gates.get_mut(&key(&ask.probe)) {
                gate.open += 1;
            }
        }
        Self { gates }
    }

    /// Takes a question's outcome; the connections to make, once it was the last one of its view and name.
    pub fn take(&mut self, probe: &DnsProbe, outcome: &DnsOutcome) -> Vec<TlsAsk> {
        let key = key(probe);
        let Some(gate) = self.gates.get_mut(&key) else { return Vec::new() };
        if let DnsOutcome::Answer(reply) = outcome {
            gate.addresses.extend(reply.addresses.iter().map(|a| a.address));
        }
        gate.open = gate.open.saturating_sub(1);
        match gate.open {
            0 => self.gates.remove(&key).map(Gate::expand).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

impl Gate<'_> {
    fn expand(self) -> Vec<TlsAsk> {
        let reached = |t: &Template| {
            let addresses = self.addresses.iter().filter(|a| t.reach.allows(**a)).take(ADDRESSES);
            addresses.map(|a| ask(t, *a)).collect::<Vec<_>>()
        };
        self.templates.iter().flat_map(|t| reached(t)).collect()
    }
}

fn ask(template: &Template, address: IpAddr) -> TlsAsk {
    let probe = TlsProbe {
        address: SocketAddr::new(address, template.port),
        way: template.way,
        sni: Some(template.name.clone()),
        face: None,
    };
    TlsAsk { probe, samples: template.samples, manners: template.manners.clone() }
}

fn key(probe: &DnsProbe) -> (Arc<str>, Name) {
    (probe.view.clone(), probe.name.probe())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dns::{AddressRecord, RecordType, Reply, ResolverAddr};
    use crate::model::plan::ViewKind;
    use crate::model::probes::{DnsAsk, Manners, Reach};
    use crate::model::service::Way;

    fn question(resolver: &str, kind: RecordType) -> DnsProbe {
        let name = Name::parse("mail.domain.com").unwrap();
        DnsProbe {
            view: "external".into(),
            resolver: ResolverAddr::parse(resolver).unwrap().into(),
            name,
            kind,
            unchecked: false,
            direct: false,
        }
    }

    fn answer(addresses: &[&str]) -> DnsOutcome {
        let record = |a: &&str| AddressRecord { address: a.parse().unwrap(), ttl: 60 };
        DnsOutcome::Answer(Reply { addresses: addresses.iter().map(record).collect(), ..Reply::default() })
    }

    #[test]
    fn a_template_waits_for_every_question_and_takes_what_is_reached() {
        let manners = Arc::new(Manners { per_host: 1, ehlo: "x".into(), ..Manners::default() });
        let template = Template {
            view: "external".into(),
            name: Name::parse("mail.domain.com").unwrap(),
            port: 443,
            way: Way::Implicit,
            reach: Reach { networks: None, kind: ViewKind::External },
            samples: 2,
            manners,
        };
        let asked = [("9.9.9.9", RecordType::A), ("9.9.9.9", RecordType::Aaaa), ("8.8.8.8", RecordType::A)];
        let dns = asked.map(|(r, k)| DnsAsk { probe: question(r, k), timeout_ms: None }).to_vec();
        let probes = Probes { dns, templates: vec![template], ..Probes::default() };
        let mut templates = Templates::new(&probes);
        assert!(templates.take(&probes.dns[0].probe, &answer(&["203.0.113.9", "10.0.0.1"])).is_empty());
        assert!(templates.take(&probes.dns[1].probe, &DnsOutcome::Timeout).is_empty());
        let found = templates.take(&probes.dns[2].probe, &answer(&["203.0.113.10", "203.0.113.9"]));
        let shown: Vec<_> = found.iter().map(|a| (a.probe.address.to_string(), a.samples)).collect();
        assert_eq!(shown, [("203.0.113.9:443".to_string(), 2), ("203.0.113.10:443".to_string(), 2)]);
        assert!(templates.take(&probes.dns[2].probe, &answer(&["203.0.113.11"])).is_empty());
    }
}
