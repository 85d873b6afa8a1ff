//! What was exported from servers by their own tools.

use std::collections::BTreeMap;

use super::certificate::Thumbprint;
use super::plan::ServerId;

/// A certificate in a server's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCertificate {
    /// Which one.
    pub thumbprint: Thumbprint,
    /// Whether its key can be exported; `None` if that is not said. A certificate without a key there has none to export.
    pub exportable: Option<bool>,
}

/// The certificates of each server of which there is an inventory.
pub type Inventory = BTreeMap<ServerId, Vec<HeldCertificate>>;
