//! Inventories that users have already: text of an administrator's shell → what servers hold. Pure; what it reads may be
//! anything.

mod exchange_certificates;

pub use exchange_certificates::{Unreadable, exchange_certificates};
