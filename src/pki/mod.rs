//! Bytes → facts: certificates, files of certificates, identity matching, certification paths. Pure.

use crate::model::certificate::BlobId;

mod armor;
mod association;
mod ber;
mod content;
mod der;
mod distinguished_name;
mod facts;
mod file;
mod identity;
mod path;
mod pfx;
mod pkcs7;
mod presented;
mod private_key;
mod rrset;
mod shape;

pub use association::association;
pub use content::is_about_key;
pub use facts::{FactsError, facts};
pub use file::{FileContent, Unread, file_kind, read_file, read_file_with};
pub use identity::{identify, identify_among};
pub use path::{Anchors, OutOfDate, PathFacts, Read, Untrusted, is_signed_by, path, path_of};
pub use pfx::{Lock, pfx_of};
pub use presented::Presented;
pub use private_key::{PrivateKey, private_key, private_key_with};
pub use rrset::{Rrset, Verified};

/// The name of a blob.
pub fn blob_id(der: &[u8]) -> BlobId {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    BlobId(std::array::from_fn(|i| digest.as_ref()[i]))
}
