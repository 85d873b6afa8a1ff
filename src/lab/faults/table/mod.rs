//! Every fault, by what it breaks.

mod aliases;
mod answers;
mod certificates;
mod delegations;
mod names;
mod proxies;
mod records;
mod resolvers;
mod servers;
mod signed;

use std::sync::LazyLock;

use super::FaultInfo;

/// All, in the order in which they are listed.
pub(super) static FAULTS: LazyLock<Vec<FaultInfo>> = LazyLock::new(|| {
    [
        servers::FAULTS,
        certificates::FAULTS,
        names::FAULTS,
        records::FAULTS,
        answers::FAULTS,
        aliases::FAULTS,
        resolvers::FAULTS,
        proxies::FAULTS,
        signed::FAULTS,
        delegations::FAULTS,
    ]
    .concat()
});
