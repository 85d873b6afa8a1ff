//! What to type, per product: printed, never run. Values come from plans and certificates: they are quoted for the shell
//! that they are meant for.

/// A PowerShell literal: as it is if it is made of harmless characters only, else in single quotes.
pub fn powershell(_value: &str) -> String {
    todo!()
}
