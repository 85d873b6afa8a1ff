//! What to type, per product: printed, never run. Values come from plans and certificates: they are quoted for the shell
//! that they are meant for, and no value can bring a line of its own.

/// A line that is to be typed as it stands, marked so that no renderer breaks it.
macro_rules! typed {
    ($($part:tt)*) => { format!("{}{}", crate::model::finding::TYPED, format_args!($($part)*)) };
}

mod dns;
mod exchange;
mod product;
mod quote;

pub use dns::{add_record, zone_line};
pub use exchange::{Donor, enable, install};
pub use quote::{posix, powershell, toml};
