//! A table without borders that never cuts a word: too wide, it breaks into blocks of columns, each with the first
//! column again; where even one column does not fit beside the first, each row becomes a small list.

use std::ops::Range;

use comfy_table::{ContentArrangement, Table, presets};

use super::escaped::shown;
use super::wrap::{columns, flow, hang};

/// Blanks between two columns.
const GAP: usize = 2;

/// A table of at most `width` columns of the terminal, its lines ended; texts are escaped. A row that is shorter than the
/// headers is filled with nothing. A line is longer only if one word is.
pub fn grid(headers: &[String], rows: &[Vec<String>], width: usize) -> String {
    lines(headers, rows, width, &str::to_string).into_iter().map(|line| line + "\n").collect()
}

/// As [`grid`], as lines, each cell but those of the first column painted.
pub(super) fn lines(
    headers: &[String],
    rows: &[Vec<String>],
    width: usize,
    paint: &dyn Fn(&str) -> String,
) -> Vec<String> {
    let headers = trimmed(headers, headers.len());
    let rows: Vec<_> = rows.iter().map(|row| trimmed(row, headers.len())).collect();
    match blocks(&widths(&headers, &rows), width) {
        Some(blocks) => {
            let of = |block: &Range<usize>| block_lines(&headers, &rows, block.clone(), paint);
            blocks.iter().map(of).collect::<Vec<_>>().join(&String::new())
        }
        None => {
            let items = rows.iter().flat_map(|row| list(&headers, row, width));
            headers.iter().take(1).flat_map(|first| hang("", first, 3, width)).chain(items).collect()
        }
    }
}

fn trimmed(cells: &[String], count: usize) -> Vec<String> {
    (0..count).map(|i| cells.get(i).map(|cell| shown(cell.trim())).unwrap_or_default()).collect()
}

fn widths(headers: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |i: usize| rows.iter().map(|row| columns(&row[i])).max().unwrap_or(0);
    headers.iter().enumerate().map(|(i, header)| columns(header).max(widest(i))).collect()
}

/// The columns behind the first, shared out to blocks that fit; `None` if one does not fit even alone.
fn blocks(widths: &[usize], width: usize) -> Option<Vec<Range<usize>>> {
    // comfy-table counts columns in 16 bits
    let width = width.min(10_000);
    let first = *widths.first().filter(|first| **first <= width)?;
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut used = first;
    for (i, wide) in widths.iter().enumerate().skip(1) {
        if first + GAP + wide > width {
            return None;
        }
        match blocks.last_mut().filter(|_| used + GAP + wide <= width) {
            Some(block) => {
                block.end = i + 1;
                used += GAP + wide;
            }
            None => {
                blocks.push(i..i + 1);
                used = first + GAP + wide;
            }
        }
    }
    Some(if blocks.is_empty() { vec![Range { start: 1, end: 1 }] } else { blocks })
}

fn block_lines(
    headers: &[String],
    rows: &[Vec<String>],
    block: Range<usize>,
    paint: &dyn Fn(&str) -> String,
) -> Vec<String> {
    let cells = |row: &[String]| row.iter().take(1).chain(&row[block.clone()]).cloned().collect::<Vec<_>>();
    let rows: Vec<_> = rows.iter().map(|row| cells(row)).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(cells(headers)).add_rows(rows.clone());
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, GAP as u16));
    });
    let mut lines = table.lines().map(|line| line.trim_end_matches(' ').to_string());
    let header = lines.next();
    let painted = lines.zip(&rows).map(|(line, row)| painted(&line, row, paint));
    header.into_iter().chain(painted).collect()
}

/// The line with its cells behind the first painted: comfy-table would count the escapes as columns.
fn painted(line: &str, row: &[String], paint: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    for (i, cell) in row.iter().enumerate() {
        let text = rest.trim_start_matches(' ');
        out.push_str(&rest[..rest.len() - text.len()]);
        let Some(behind) = text.strip_prefix(cell.as_str()) else {
            return out + text;
        };
        match i {
            0 => out.push_str(cell),
            _ if cell.is_empty() => {}
            _ => out.push_str(&paint(cell)),
        }
        rest = behind;
    }
    out + rest
}

/// A row as its name and, below, each further cell behind its header.
fn list(headers: &[String], row: &[String], width: usize) -> Vec<String> {
    let name = row.iter().take(1).flat_map(|name| hang("", name, 3, width));
    let parts: Vec<_> = headers.iter().zip(row).skip(1).map(|(header, cell)| format!("{header}: {cell}")).collect();
    let below = if parts.is_empty() { Vec::new() } else { flow("   ", &parts, 3, 3, width) };
    name.chain(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| w.to_string()).collect()
    }

    #[test]
    fn a_table_that_is_too_wide_breaks_into_blocks_and_then_into_lists() {
        let headers = texts(&["name", "SAN", "DNS int"]);
        let rows = [texts(&["mail", "ok", "X NXDOMAIN"]), texts(&["legacy.mail", "ok"])];
        assert_eq!(
            grid(&headers, &rows, 80),
            "name         SAN  DNS int\nmail         ok   X NXDOMAIN\nlegacy.mail  ok\n"
        );
        assert_eq!(
            grid(&headers, &rows, 25),
            "name         SAN\nmail         ok\nlegacy.mail  ok\n\n\
             name         DNS int\nmail         X NXDOMAIN\nlegacy.mail\n"
        );
        assert_eq!(
            grid(&headers, &rows, 20),
            "name\nmail\n   SAN: ok\n   DNS int: X\n   NXDOMAIN\nlegacy.mail\n   SAN: ok\n   DNS int:\n"
        );
    }

    #[test]
    fn one_column_and_none_are_tables_too() {
        assert_eq!(grid(&texts(&["name"]), &[texts(&["mail", "surplus"])], 80), "name\nmail\n");
        assert_eq!(grid(&[], &[texts(&["mail"])], 80), "");
    }

    #[test]
    fn wide_characters_keep_the_columns_straight() {
        let rows = [texts(&["日本", "ok"]), texts(&["a", "ok"])];
        assert_eq!(grid(&texts(&["n", "SAN"]), &rows, 80), "n     SAN\n日本  ok\na     ok\n");
    }

    #[test]
    fn cells_are_painted_where_they_stand() {
        let rows = [texts(&["ok", "", "ok"])];
        let painted = lines(&texts(&["n", "a", "b"]), &rows, 80, &|cell| format!("<{cell}>"));
        assert_eq!(painted[1], "ok     <ok>");
    }
}
