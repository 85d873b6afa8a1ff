//! The text of an administrator's own steps for a migration of some size.

use std::fmt::Write as _;

use super::migration::{is_alias, legacy, name};

/// A step for each name and each pair of servers, in the order of a careful hand: some 1,000 for 230 names over 10 pairs. With
/// `forgetful` one old server in four keeps its old certificate, which does not cover the legacy name.
pub fn text(names: usize, pairs: usize, forgetful: bool) -> String {
    let mut text = String::from("from = \"before\"\nto = \"coexistence\"\n");
    let mut step = |kind: &str, more: String| {
        let _ = writeln!(text, "[[steps]]\ndo = \"{kind}\"\n{more}");
    };
    for pair in (0..pairs).filter(|pair| !forgetful || pair % 4 != 0) {
        step("bind-certificate", format!("servers = \"old{pair}\""));
    }
    (0..pairs).for_each(|pair| step("bind-certificate", format!("servers = \"new{pair}\"")));
    (0..names).for_each(|n| step("lower-ttl", format!("names = \"{}\"\nid = \"low{n}\"", name(n))));
    (0..pairs).for_each(|pair| step("create-record", format!("names = \"{}\"\nid = \"legacy{pair}\"", legacy(pair))));
    for pair in 0..pairs {
        let waits = format!("after = \"legacy{pair}\"\nwait = \"4h\"");
        step("set-url", format!("names = \"{}\"\n{waits}", legacy(pair)));
        step("set-redirect", format!("servers = \"new{pair}\"\n{waits}"));
    }
    for view in ["internal", "external"] {
        for n in (0..names).filter(|n| !is_alias(*n, pairs)) {
            let waits = format!("after = \"low{n}\"\nwait = \"25h\"");
            step("flip", format!("names = \"{}\"\nviews = \"{view}\"\n{waits}", name(n)));
        }
    }
    (0..names).for_each(|n| step("raise-ttl", format!("names = \"{}\"\nttl = \"4h\"", name(n))));
    text
}
