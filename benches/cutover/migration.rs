//! The text of a migration of some size: pairs of an old and a new server, each with its share of the names.

use std::fmt::Write as _;

/// One name in so many is an alias of the name before it.
const ALIASES: usize = 10;

/// So many names over so many pairs of servers, as two views see them. Each pair has a certificate of its own names, and a
/// legacy name to which the new server sends those whom the old one still serves; TTLs of half of the names are known.
pub fn text(names: usize, pairs: usize) -> String {
    let mut text = String::from(
        "title = \"a bench\"\n[views.internal]\nresolvers = [\"10.0.0.53\"]\n\
         [views.external]\nresolvers = [\"192.0.2.53\"]\n[cutover]\nlow-ttl = \"5m\"\npropagation = \"15m\"\n",
    );
    for pair in 0..pairs {
        let [high, low] = (pair as u16).to_be_bytes();
        let own: Vec<String> = (pair..names).step_by(pairs).map(|n| format!("\"{}\"", name(n))).collect();
        let own = own.join(", ");
        let legacy = legacy(pair);
        let _ = write!(
            text,
            "[certificates.old{pair}]\nnames = [{own}]\n\
             [certificates.new{pair}]\nnames = [{own}, \"{legacy}\"]\n\
             [servers.old{pair}]\naddress = {{ internal = \"10.1.{high}.{low}\", external = \"20.1.{high}.{low}\" }}\n\
             certificate = {{ before = \"old{pair}\", coexistence = \"new{pair}\" }}\n\
             [servers.new{pair}]\naddress = {{ internal = \"10.2.{high}.{low}\", external = \"20.2.{high}.{low}\" }}\n\
             certificate = \"new{pair}\"\nredirects = [\"{legacy}\"]\n"
        );
    }
    text.push_str("[internet]\n");
    for n in 0..names {
        let pair = n % pairs;
        let ttl = if n % 2 == 0 { ", ttl-before = \"4h\"" } else { "" };
        let host = n.checked_sub(pairs).filter(|_| is_alias(n, pairs));
        let alias = host.map(|h| format!(", cname = \"{}\"", name(h))).unwrap_or_default();
        let _ =
            writeln!(text, "\"{}\" = {{ before = \"old{pair}\", coexistence = \"new{pair}\"{ttl}{alias} }}", name(n));
    }
    text.push_str("[legacy]\n");
    for pair in 0..pairs {
        let _ = writeln!(text, "\"{}\" = \"old{pair}\"", legacy(pair));
    }
    text
}

/// True of a name that is an alias of another one of the same servers.
pub fn is_alias(n: usize, pairs: usize) -> bool {
    (n / pairs) % ALIASES == ALIASES - 1
}

/// A name.
pub fn name(n: usize) -> String {
    format!("host-{n}.example.com")
}

/// The legacy name of a pair.
pub fn legacy(pair: usize) -> String {
    format!("legacy-{pair}.example.com")
}
