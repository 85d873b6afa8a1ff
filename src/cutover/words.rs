//! Values in words.

/// So many things are named; of more only the number is told.
const NAMED: usize = 3;

/// A list for one line.
pub(super) fn list<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    let mut all = all.into_iter();
    let named: Vec<String> = all.by_ref().take(NAMED).map(|t| t.to_string()).collect();
    // Words that nobody reads are not made where the number is known without.
    let more = match all.size_hint() {
        (least, Some(most)) if least == most => least,
        _ => all.count(),
    };
    match more {
        0 => named.join(", "),
        _ => format!("{} and {more} more", named.join(", ")),
    }
}

pub(super) use crate::model::cutover::{
    answer_words as answer, change_line, data_words as data, serving_words as serving,
};
