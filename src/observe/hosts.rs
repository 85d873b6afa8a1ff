//! What a run has learned of the addresses that it connects to. Pure.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::jobs::Start;
use crate::model::tls::{Stage, TlsOutcome};

/// Connections without an answer to TCP after which an address that gave nothing else is not tried again.
const UNCONNECTED: u32 = 3;

/// Connections on which it was waited in vain after which an address that gave nothing else is not tried again.
const UNHEARD: u32 = 16;

/// Tries that are made again because others were under way to the same address when they were refused.
const CROWDED: u32 = 5;

/// Refusals without a crowd after which an address that serves others is believed whatever it refuses.
const ALONE: u32 = 3;

/// The addresses of a run.
#[derive(Default)]
pub struct Hosts {
    hosts: HashMap<SocketAddr, Host>,
}

#[derive(Default)]
struct Host {
    /// Something was heard of it, if only a refusal.
    speaks: bool,
    /// A connection got through.
    serves: bool,
    /// Refusals without a crowd.
    alone: u32,
    unconnected: u32,
    unheard: u32,
    /// Where the last one that was not heard of was.
    stage: Option<Stage>,
    epoch: u32,
}

/// What follows from an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    Same,
    /// It got through: the address may bear more.
    Through,
    /// It was refused in a crowd: once more, later. `narrow` if nobody else of that crowd has said so.
    Crowded { narrow: bool },
    /// It was refused without a crowd: refusals do not come of the crowd.
    Alone,
}

impl Hosts {
    /// How often an address was found crowded.
    pub fn epoch(&self, address: SocketAddr) -> u32 {
        self.hosts.get(&address).map_or(0, |h| h.epoch)
    }

    /// What every further connection to this address would come to, where nothing but silence was ever met: to wait as
    /// long again for each name of a dead server would tell nothing, late.
    pub fn foregone(&self, address: SocketAddr) -> Option<TlsOutcome> {
        let host = self.hosts.get(&address).filter(|h| !h.speaks)?;
        match (host.unconnected, host.unheard) {
            (UNCONNECTED.., 0) => Some(TlsOutcome::GivenUp(Stage::Connect)),
            (_, UNHEARD..) => host.stage.map(TlsOutcome::GivenUp),
            _ => None,
        }
    }

    /// Takes the outcome of a connection, how that began, and how often it was made again already.
    pub fn take(&mut self, address: SocketAddr, outcome: &TlsOutcome, start: Start, again: u32) -> Turn {
        let host = self.hosts.entry(address).or_default();
        match outcome {
            TlsOutcome::Timeout(Stage::Connect) => host.unconnected += 1,
            TlsOutcome::Timeout(stage) => {
                host.unheard += 1;
                host.stage = Some(*stage);
            }
            TlsOutcome::CannotLook(_) | TlsOutcome::Unreachable(_) => {}
            _ => host.speaks = true,
        }
        match outcome {
            TlsOutcome::Certificate(_) => {
                host.serves = true;
                Turn::Through
            }
            TlsOutcome::Refused | TlsOutcome::Closed(_) | TlsOutcome::TryLater(_) => host.refused(start, again),
            _ => Turn::Same,
        }
    }
}

impl Host {
    /// A port that is closed for everybody is not crowded; a server that hangs up on some names is not either.
    fn refused(&mut self, start: Start, again: u32) -> Turn {
        let is_believed = self.alone >= if self.serves { ALONE } else { 1 };
        match start.others {
            _ if is_believed || again >= CROWDED => Turn::Same,
            0 => {
                self.alone += 1;
                Turn::Alone
            }
            _ => {
                let narrow = start.epoch == self.epoch;
                self.epoch += u32::from(narrow);
                Turn::Crowded { narrow }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tls::{Possession, Served};

    fn address() -> SocketAddr {
        "10.0.0.10:443".parse().unwrap()
    }

    fn start(others: usize, epoch: u32) -> Start {
        Start { epoch, others }
    }

    fn certificate() -> TlsOutcome {
        let possession = Possession::Proved;
        TlsOutcome::Certificate(Served {
            chain: vec![],
            possession,
            version: None,
            cipher: None,
            client: None,
            ended: None,
            declined: None,
        })
    }

    #[test]
    fn an_address_that_never_spoke_is_left() {
        for (stage, enough) in [(Stage::Connect, UNCONNECTED), (Stage::Handshake, UNHEARD)] {
            let mut hosts = Hosts::default();
            let timeout = TlsOutcome::Timeout(stage);
            for _ in 0..enough {
                assert_eq!(hosts.foregone(address()), None);
                assert_eq!(hosts.take(address(), &timeout, start(9, 0), 0), Turn::Same);
            }
            assert_eq!(hosts.foregone(address()), Some(TlsOutcome::GivenUp(stage)));
            assert_eq!(hosts.foregone("10.0.0.10:25".parse().unwrap()), None);
            // One that was still under way.
            hosts.take(address(), &certificate(), start(0, 0), 0);
            assert_eq!(hosts.foregone(address()), None);
        }
    }

    #[test]
    fn refusals_in_a_crowd_narrow_once_for_all_of_it() {
        let mut hosts = Hosts::default();
        let refused = |hosts: &mut Hosts, others, epoch, again| {
            hosts.take(address(), &TlsOutcome::Refused, start(others, epoch), again)
        };
        assert_eq!(refused(&mut hosts, 9, 0, 0), Turn::Crowded { narrow: true });
        assert_eq!(refused(&mut hosts, 8, 0, 0), Turn::Crowded { narrow: false });
        assert_eq!(hosts.take(address(), &certificate(), start(9, 0), 0), Turn::Through);
        assert_eq!(refused(&mut hosts, 4, 1, 1), Turn::Crowded { narrow: true });
        assert_eq!(refused(&mut hosts, 9, 2, CROWDED), Turn::Same, "often enough");
        assert_eq!(hosts.epoch(address()), 2);
        (0..ALONE).for_each(|_| assert_eq!(refused(&mut hosts, 0, 2, 2), Turn::Alone));
        assert_eq!(refused(&mut hosts, 9, 2, 0), Turn::Same, "it hangs up on some names");
    }

    #[test]
    fn a_port_that_is_closed_is_believed_once_it_refused_one_alone() {
        let mut hosts = Hosts::default();
        let mut refused = |others| hosts.take(address(), &TlsOutcome::Refused, start(others, 0), 0);
        assert_eq!(refused(9), Turn::Crowded { narrow: true });
        assert_eq!(refused(0), Turn::Alone);
        assert_eq!(refused(9), Turn::Same);
    }
}
