//! The matrix: names down, what is due of them across; only what is due enters.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ink::Ink;
use super::names::{common_domain, short};
use super::table;
use super::wrap::hang;
use crate::model::finding::{ClaimKind, Judged, Judgement, Verdict};

/// Rows beyond which those that pass wholly are folded into one line.
const FOLD_OVER: usize = 20;

/// The lines of the matrix; none if nothing is due.
pub(super) fn lines(j: &Judgement, width: usize, verbose: bool, ink: Ink) -> Vec<String> {
    let matrix = Matrix::of(j);
    let folds = !verbose && matrix.names.len() > FOLD_OVER;
    let (folded, shown): (Vec<_>, Vec<_>) = (0..matrix.names.len()).partition(|row| folds && matrix.passes(*row));
    let mut lines = match shown.is_empty() {
        true => Vec::new(),
        false => matrix.table(&shown, width, verbose, ink),
    };
    if !folded.is_empty() {
        let and = if shown.is_empty() { "" } else { "and " };
        let text = match folded.len() {
            1 => format!("… {and}1 name passes everything (-v shows it)"),
            n => format!("… {and}{n} names pass everything (-v shows them)"),
        };
        lines.extend(hang("", &text, 3, width));
    }
    lines
}

/// The mark of a verdict.
pub(super) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "ok",
        Verdict::Fail => "X",
        Verdict::Warn => "!",
        Verdict::Unobserved => "?",
        Verdict::Waived => "~",
        Verdict::NotApplicable | Verdict::NotInForce => "-",
    }
}

/// A column, in the order in which they stand: the numbers are places in the plan's order of servers, pools and views.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Column {
    San,
    Dns(usize),
    Ttl(usize),
    Server(usize),
    Path(usize),
    Pool(usize, usize),
}

struct Matrix<'a> {
    names: Vec<&'a str>,
    columns: BTreeMap<Column, String>,
    cells: HashMap<(usize, Column), Vec<&'a Judged>>,
}

impl<'a> Matrix<'a> {
    fn of(j: &'a Judgement) -> Self {
        let mut heads = Heads::of(j);
        let mut matrix = Self { names: Vec::new(), columns: BTreeMap::new(), cells: HashMap::new() };
        let mut rows = HashMap::new();
        for judged in j.obligations.iter().filter(|o| o.due) {
            let name = &*judged.id.name;
            let row = *rows.entry(name).or_insert_with(|| {
                matrix.names.push(name);
                matrix.names.len() - 1
            });
            let (column, head) = heads.column(judged);
            matrix.columns.entry(column.clone()).or_insert(head);
            matrix.cells.entry((row, column)).or_default().push(judged);
        }
        matrix
    }

    /// True if nothing in the row is anything but passed.
    fn passes(&self, row: usize) -> bool {
        self.columns.keys().flat_map(|c| self.cell(row, c)).all(|o| matches!(rank(o.verdict), 0 | 1))
    }

    fn cell<'s>(&'s self, row: usize, column: &Column) -> &'s [&'a Judged] {
        self.cells.get(&(row, column.clone())).map(Vec::as_slice).unwrap_or_default()
    }

    fn manner(&self, column: &Column, verbose: bool) -> Manner<'a> {
        let cells = (0..self.names.len()).map(|row| self.cell(row, column));
        let usual = (matches!(column, Column::Dns(_)) && !verbose).then(|| usual(cells.clone().flatten().copied()));
        Manner { counts: cells.into_iter().any(|cell| applicable(cell).len() > 1), usual: usual.flatten() }
    }

    fn table(&self, rows: &[usize], width: usize, verbose: bool, ink: Ink) -> Vec<String> {
        let domain = common_domain(&self.names);
        let first = domain.map_or("name".into(), |domain| format!("name ({domain})"));
        let headers: Vec<_> = std::iter::once(first).chain(self.columns.values().cloned()).collect();
        let manners: Vec<_> = self.columns.keys().map(|column| (column, self.manner(column, verbose))).collect();
        let row = |row: &usize| -> Vec<String> {
            let cells = manners.iter().map(|(column, manner)| text(self.cell(*row, column), *manner));
            std::iter::once(short(self.names[*row], domain)).chain(cells).collect()
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        table::lines(&headers, &rows, width, &|cell| ink.mark(cell))
    }
}

/// Finds the column of an obligation, and its head.
struct Heads<'a> {
    views: Vec<&'a str>,
    labels: Vec<&'a str>,
    /// Labels of servers: who has obligations of its own. A path to another label leads to a pool.
    servers: BTreeSet<&'a str>,
}

impl<'a> Heads<'a> {
    fn of(j: &'a Judgement) -> Self {
        let own = j.obligations.iter().filter(|o| o.kind == ClaimKind::Tls);
        Self {
            views: j.seen_from.resolvers.iter().map(|r| r.view.as_str()).collect(),
            labels: Vec::new(),
            servers: own.filter_map(|o| o.about.server.as_deref()).collect(),
        }
    }

    fn column(&mut self, judged: &'a Judged) -> (Column, String) {
        let view = judged.about.view.as_deref().unwrap_or("any view");
        let label = judged.about.server.as_deref();
        let head = |word: &str| format!("{word} {}", short_view(view));
        match (judged.kind, label.filter(|label| !self.servers.contains(label))) {
            (ClaimKind::San, _) => (Column::San, "SAN".into()),
            (ClaimKind::Dns, _) => (Column::Dns(place(&mut self.views, view)), head("DNS")),
            (ClaimKind::Ttl, _) => (Column::Ttl(place(&mut self.views, view)), head("TTL")),
            (ClaimKind::Tls, _) => {
                let label = label.unwrap_or("server");
                (Column::Server(place(&mut self.labels, label)), label.to_string())
            }
            (ClaimKind::Path, None) => (Column::Path(place(&mut self.views, view)), head("path")),
            (ClaimKind::Path, Some(pool)) => {
                (Column::Pool(place(&mut self.labels, pool), place(&mut self.views, view)), head(pool))
            }
        }
    }
}

/// The place of a text in a list, to whose end it is put if it is new.
fn place<'a>(list: &mut Vec<&'a str>, text: &'a str) -> usize {
    list.iter().position(|t| *t == text).unwrap_or_else(|| {
        list.push(text);
        list.len() - 1
    })
}

fn short_view(view: &str) -> &str {
    match view {
        "internal" => "int",
        "external" => "ext",
        other => other,
    }
}

/// How bad a verdict is; 0 and 1 need no attention.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NotApplicable | Verdict::NotInForce => 0,
        Verdict::Pass => 1,
        Verdict::Waived => 2,
        Verdict::Warn => 3,
        Verdict::Unobserved => 4,
        Verdict::Fail => 5,
    }
}

fn applicable<'a>(cell: &[&'a Judged]) -> Vec<&'a Judged> {
    cell.iter().copied().filter(|o| rank(o.verdict) > 0).collect()
}

/// How the cells of a column speak.
#[derive(Clone, Copy, Debug, Default)]
struct Manner<'a> {
    /// By numbers, since somewhere in the column stands more than one obligation.
    counts: bool,
    /// What goes without saying where it passes.
    usual: Option<&'a str>,
}

/// What more of those that pass say than anything else. What differs is telling: the address of a legacy name among those
/// of the new servers.
fn usual<'a>(cells: impl Iterator<Item = &'a Judged>) -> Option<&'a str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for judged in cells.filter(|o| o.verdict == Verdict::Pass && &*o.cell != ABSENT) {
        *counts.entry(&judged.cell).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    let mut usual = counts.into_iter().filter(|(_, n)| *n == most).map(|(cell, _)| cell);
    usual.next().filter(|_| usual.next().is_none())
}

/// What the judge says of a name that rightly does not resolve.
const ABSENT: &str = "absent";

/// The text of a cell: the worst verdict's mark, then how many pass where the column counts, else what is telling.
fn text(cell: &[&Judged], manner: Manner<'_>) -> String {
    let Manner { counts, usual } = manner;
    let cell = applicable(cell);
    let Some(worst) = cell.iter().max_by_key(|o| rank(o.verdict)) else { return "-".into() };
    let passed = cell.iter().filter(|o| o.verdict == Verdict::Pass).count();
    let tally = format!("{passed}/{}", cell.len());
    let same = cell.iter().all(|o| (o.verdict, &o.cell) == (worst.verdict, &worst.cell));
    match (worst.verdict, &*worst.cell) {
        (Verdict::Pass, _) if counts => format!("ok {tally}"),
        (Verdict::Pass, ABSENT) => "absent, ok".into(),
        (Verdict::Pass, telling) if usual == Some(telling) => "ok".into(),
        (verdict, "") if same && (!counts || verdict == Verdict::Unobserved) => mark(verdict).into(),
        // What is accepted is the version alone: the certificate is right.
        (Verdict::Waived, telling) if same && is_version(telling) => format!("ok ~{telling}"),
        (Verdict::Waived, telling) if same => format!("~{telling}"),
        (verdict, telling) if same && !(counts && worst.kind == ClaimKind::Tls) => {
            format!("{} {telling}", mark(verdict))
        }
        (Verdict::Unobserved, _) if passed == 0 => "?".into(),
        (verdict, _) => format!("{} {tally}", mark(verdict)),
    }
}

/// True for `TLS1.0` and its like, which the judge says where nothing else is wrong.
fn is_version(telling: &str) -> bool {
    telling.strip_prefix("TLS").or(telling.strip_prefix("SSL")).is_some_and(|rest| rest.starts_with(char::is_numeric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::ResolversSeen;
    use crate::report::samples::{judged, judgement};

    fn cell(kind: ClaimKind, counts: bool, verdicts: &[(Verdict, &str)]) -> String {
        let judged: Vec<_> = verdicts.iter().map(|(v, c)| judged(kind, "n", "", "", *v, c)).collect();
        text(&judged.iter().collect::<Vec<_>>(), Manner { counts, usual: None })
    }

    #[test]
    fn a_cell_shows_the_worst_and_what_is_telling() {
        use ClaimKind::{Dns, Path, Tls};
        use Verdict::{Fail, NotApplicable, Pass, Unobserved, Waived, Warn};
        for (kind, counts, verdicts, want) in [
            (Dns, false, vec![], "-"),
            (Dns, false, vec![(NotApplicable, "x")], "-"),
            (Dns, false, vec![(Pass, "")], "ok"),
            (Dns, false, vec![(Pass, "10.0.0.3")], "ok 10.0.0.3"),
            (Dns, false, vec![(Pass, "absent")], "absent, ok"),
            (Dns, false, vec![(Fail, "NXDOMAIN")], "X NXDOMAIN"),
            (Dns, false, vec![(Unobserved, "SERVFAIL")], "? SERVFAIL"),
            (Dns, false, vec![(Warn, "")], "!"),
            (Tls, false, vec![(Waived, "TLS1.0")], "ok ~TLS1.0"),
            (Tls, false, vec![(Waived, "other cert")], "~other cert"),
            (Tls, false, vec![(Waived, "")], "~"),
            (Tls, false, vec![(Fail, "expired")], "X expired"),
            (Tls, true, vec![(Pass, ""); 4], "ok 4/4"),
            (Tls, true, vec![(Pass, "")], "ok 1/1"),
            (Tls, true, vec![(Fail, "CN=a"), (Fail, "CN=a")], "X 0/2"),
            (Tls, true, vec![(Fail, "")], "X 0/1"),
            (Tls, true, vec![(Pass, ""), (Unobserved, "timeout")], "? 1/2"),
            (Tls, true, vec![(Unobserved, ""), (Fail, ""), (Pass, "")], "X 1/3"),
            (Tls, true, vec![(Unobserved, "a"), (Unobserved, "b")], "?"),
            (Tls, true, vec![(Waived, ""), (Pass, "")], "~ 1/2"),
            (Path, true, vec![(Fail, "2 of 4"); 4], "X 2 of 4"),
            (Path, true, vec![(Unobserved, ""); 4], "?"),
        ] {
            assert_eq!(cell(kind, counts, &verdicts), want, "{kind:?} {verdicts:?}");
        }
    }

    #[test]
    fn only_what_is_due_enters_and_passing_rows_fold_beyond_twenty() {
        let mut j = judgement();
        let row = |i, verdict| judged(ClaimKind::San, &format!("n{i}.domain.com"), "", "", verdict, "");
        j.obligations = (0..21).map(|i| row(i, if i == 7 { Verdict::Fail } else { Verdict::Pass })).collect();
        let mut later = judged(ClaimKind::Tls, "n99.domain.com", "", "new", Verdict::Fail, "");
        later.due = false;
        j.obligations.push(later);
        let shown = |j: &Judgement, verbose| lines(j, 80, verbose, Ink(false));
        assert_eq!(
            shown(&j, false),
            ["name (domain.com)  SAN", "n7                 X", "… and 20 names pass everything (-v shows them)"]
        );
        assert_eq!(shown(&j, true).len(), 22);
        j.obligations[7].verdict = Verdict::Pass;
        assert_eq!(shown(&j, false), ["… 21 names pass everything (-v shows them)"]);
        j.obligations.truncate(20);
        assert_eq!(shown(&j, false).len(), 21);
        j.obligations.clear();
        assert!(shown(&j, false).is_empty());
    }

    #[test]
    fn the_address_that_most_names_have_goes_without_saying() {
        let mut j = judgement();
        let dns = |name: &str, verdict, cell| judged(ClaimKind::Dns, name, "internal", "", verdict, cell);
        j.obligations = vec![
            dns("legacy.a.com", Verdict::Pass, "10.0.0.3"),
            dns("mail.a.com", Verdict::Pass, "10.0.0.10"),
            dns("web.a.com", Verdict::Pass, "10.0.0.10"),
            dns("gone.a.com", Verdict::Pass, "absent"),
            dns("wrong.a.com", Verdict::Fail, "10.0.0.10"),
        ];
        let cells = |j: &Judgement, verbose| -> Vec<String> {
            let lines = lines(j, 80, verbose, Ink(false));
            lines.iter().skip(1).map(|l| l.split_once("  ").unwrap().1.trim().to_string()).collect()
        };
        assert_eq!(cells(&j, false), ["ok 10.0.0.3", "ok", "ok", "absent, ok", "X 10.0.0.10"]);
        assert_eq!(cells(&j, true), ["ok 10.0.0.3", "ok 10.0.0.10", "ok 10.0.0.10", "absent, ok", "X 10.0.0.10"]);
        j.obligations.truncate(2);
        assert_eq!(cells(&j, false), ["ok 10.0.0.3", "ok 10.0.0.10"]);
    }

    #[test]
    fn what_was_not_seen_is_never_folded() {
        let mut j = judgement();
        let row = |i, verdict| judged(ClaimKind::San, &format!("n{i}.domain.com"), "", "", verdict, "");
        j.obligations = (0..21).map(|i| row(i, Verdict::Pass)).collect();
        for verdict in [Verdict::Unobserved, Verdict::Warn, Verdict::Waived, Verdict::Fail] {
            j.obligations[3].verdict = verdict;
            assert!(lines(&j, 80, false, Ink(false))[1].starts_with("n3 "), "{verdict:?}");
        }
    }

    #[test]
    fn columns_stand_in_the_order_of_views_and_servers() {
        let mut j = judgement();
        let view = |view: &str| ResolversSeen { view: view.into(), answered: 1, declared: 1 };
        j.seen_from.resolvers = ["internal", "external"].map(view).to_vec();
        let due = |kind, view, server| judged(kind, "mail.domain.com", view, server, Verdict::Pass, "");
        j.obligations = vec![
            due(ClaimKind::Path, "external", "owa"),
            due(ClaimKind::Path, "external", "ex1"),
            due(ClaimKind::Tls, "", "ex1"),
            due(ClaimKind::Ttl, "guests", ""),
            due(ClaimKind::Dns, "external", ""),
            due(ClaimKind::Dns, "internal", ""),
            due(ClaimKind::Path, "internal", "owa"),
            due(ClaimKind::San, "", ""),
        ];
        assert_eq!(
            lines(&j, 120, false, Ink(false))[0],
            "name (domain.com)  SAN  DNS int  DNS ext  TTL guests  ex1  path ext  owa int  owa ext"
        );
    }
}
