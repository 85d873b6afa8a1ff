//! Values in words.

/// So many things are named; of more only the number is told.
const NAMED: usize = 3;

/// A list for one line.
pub(super) fn list<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|t| t.to_string()).collect();
    match all.len() {
        0..=NAMED => all.join(", "),
        n => format!("{} and {} more", all[..NAMED].join(", "), n - NAMED),
    }
}

pub(super) use crate::model::cutover::{
    answer_words as answer, change_line, data_words as data, serving_words as serving,
};
