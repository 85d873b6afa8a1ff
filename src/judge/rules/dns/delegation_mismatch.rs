//! A zone's parent leads to other servers than those that have the zone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::delegation::{self, Faults, Glue, Seen};
use crate::judge::RuleInfo;
use crate::judge::beside;
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::problem::{DnsFault, Fault};
use crate::judge::wording;
use crate::model::finding::Severity;
use crate::model::name::Name;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "delegation-mismatch",
    family: "dns",
    severity: Severity::Warning,
    summary: "a zone's parent names other servers or addresses than the zone, or servers that do not have it",
    citation: "RFC 1034 sections 4.2.2 and 5.3.3; RFC 9471; RFC 1912 sections 2.3 and 2.8",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The zone above a zone of [zones] (`org` for `example.org`) tells resolvers which servers to ask: names (NS) and, for servers
that lie in the zone itself, addresses (glue). They are not what the zone itself has: a server is named that the zone does not
name, or the other way round; a glue address is not the server's; or a server that is named does not have the zone (it refuses,
refers to others, or answers out of a cache); or its name lies elsewhere, where no glue leads to it, and has no address.

Asked are the parent's servers, three at most, for a referral; then the servers that they name, 13 at most at 16 addresses, for
NS and their own addresses; all of them without recursion, from the view outside that the zone stands in, where the run stands
there, by TCP where it does so through the view's proxy. The view's resolvers say where the parent's servers are, unless [zones] has the parent too. A server that does not
answer at all, and one elsewhere whose address the resolver fails to give, is \"could not tell\". A parent that has both zones on its servers answers out of the lower one, and leads nowhere
else.

# Why it matters

The parent's word changes on another clock than the zone: at the registrar, or in the zone above. Whoever starts at the top, as
every resolver does once its cache is empty, asks the servers that the parent names: old ones that still have old records, or
machines that are gone. Whoever registers the domain of a server that is gone may answer for the zone. It works for some and fails for others, and once the last right server leaves, for all.

# Example

    expected  org: glue of ns1.example.org is 198.51.100.53
    seen      192.0.2.53 from the servers of org; 198.51.100.53 from the zone

# Cure

Bring the name servers and their addresses (host objects, glue) at the registrar, or the NS and A records in the zone above, to
what the zone has; or mend the zone's own NS records if it is they that are old. Let old servers answer until the TTL of the
parent's records is over, two days for many.

# References

RFC 1034 sections 4.2.2 (the parent's copy) and 5.3.3; RFC 9471 (glue); RFC 1912 sections 2.3 and 2.8 (glue, lame servers);
RFC 2181 section 5.4.1 (whose word counts more)
";

/// One finding per zone.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for seen in delegation::all(context) {
        let faults = seen.faults();
        if !faults.is_empty() {
            drafts.push(draft(&seen, &faults));
        }
    }
}

fn draft(seen: &Seen, faults: &Faults) -> Draft {
    let (zone, parent) = (&seen.zone.apex, seen.parent());
    let mut draft = beside::draft(seen.context, &INFO, (zone.as_str(), Some(seen.view)), seen.zone.span, &[]);
    draft.title = title(zone, &parent, faults);
    draft.expected = expected(seen, faults);
    draft.seen = wording::cut(said(seen, faults));
    draft.hurts = vec![format!("resolvers that start at {parent}: for some of them {zone} is old, slow or not there")];
    draft.remedy.cure = cure(seen, faults);
    for heard in seen
        .way
        .above
        .iter()
        .chain(seen.way.below.iter().map(|b| &b.heard))
        .chain(&seen.way.hosts)
        .chain(&seen.way.elsewhere)
    {
        draft.looks.extend(seen.looks(heard));
    }
    if seen.is_dead() {
        draft.hurts =
            vec![format!("resolvers that start at {parent}: they find no name of {zone}, once caches are empty")];
        fails_for_it(seen, &mut draft);
    }
    draft
}

fn title(zone: &Name, parent: &str, faults: &Faults) -> String {
    let list = |hosts: &BTreeSet<&str>| wording::list(hosts.iter().copied());
    match (&faults.extra, &faults.missing, faults.glue.as_slice(), faults.lame.as_slice()) {
        (extra, missing, _, _) if !extra.is_empty() && !missing.is_empty() => {
            format!("{parent} names other servers for {zone} than the zone does")
        }
        (extra, _, _, _) if !extra.is_empty() => {
            format!("{parent} names {} for {zone}, and the zone does not", list(extra))
        }
        (_, missing, _, _) if !missing.is_empty() => format!("{parent} does not name {} for {zone}", list(missing)),
        (_, _, [glue, ..], _) if glue.stale.is_empty() => format!("{parent} has no address of {}", glue.host),
        (_, _, [glue, ..], _) => format!("{parent} has a wrong address of {}", glue.host),
        (_, _, _, [lame, ..]) => {
            format!("{}, which {parent} names for {zone}, does not have the zone", names(&lame.hosts))
        }
        _ => match faults.nameless.as_slice() {
            [gone, ..] => format!("{}, which {parent} names for {zone}, has no address", gone.host),
            [] => format!("{parent} and {zone} differ"),
        },
    }
}

fn names(hosts: &BTreeSet<Name>) -> String {
    wording::list(hosts.iter().map(Name::as_str))
}

fn addresses(all: &BTreeSet<IpAddr>) -> String {
    let words: Vec<String> = all.iter().map(IpAddr::to_string).collect();
    wording::list(words.iter().map(String::as_str))
}

fn differs(faults: &Faults) -> bool {
    !faults.extra.is_empty() || !faults.missing.is_empty()
}

fn expected(seen: &Seen, faults: &Faults) -> Vec<String> {
    let (zone, parent) = (&seen.zone.apex, seen.parent());
    let ns = differs(faults).then(|| format!("the same NS of {zone} at {parent} and in the zone"));
    let glue = faults.glue.iter().map(|g| match g.right.is_empty() {
        true => format!("{parent}: no server {}, which has no address", g.host),
        false => format!("{parent}: glue of {} is {}", g.host, addresses(&g.right)),
    });
    let lame = faults.lame.iter().filter(|l| !is_told(faults, l)).map(|l| format!("{zone} from {}", l.server));
    let nameless = nameless(faults).map(|n| format!("an address of {}", n.host));
    wording::cut(ns.into_iter().chain(glue).chain(lame).chain(nameless).collect())
}

fn said(seen: &Seen, faults: &Faults) -> Vec<String> {
    let (zone, parent) = (&seen.zone.apex, seen.parent());
    let mut out = Vec::new();
    if differs(faults) {
        let by_parent = wording::list(seen.way.named(zone).into_keys());
        out.push(format!("NS {by_parent} from the servers of {parent}"));
        let of = |below: &crate::model::delegation::Below| {
            Some(format!("NS {} from {}", wording::list(below.servers()?), below.heard.probe.resolver))
        };
        out.extend(seen.way.having().filter_map(of));
    }
    let named = seen.way.named(zone);
    for glue in &faults.glue {
        let given = named.get(glue.host.as_str()).filter(|g| !g.is_empty()).map_or("none".into(), addresses);
        let right = if glue.right.is_empty() { "none".into() } else { addresses(&glue.right) };
        out.push(format!("glue of {}: {given} from the servers of {parent}; {right} from the zone", glue.host));
    }
    out.extend(faults.lame.iter().map(|l| format!("{} from {} ({})", l.word, l.server, names(&l.hosts))));
    out.extend(faults.nameless.iter().map(|n| n.word.clone()));
    out
}

/// What to change, and where: at the registrar, in a parent zone of one's own, or in the zone, if it is the parent that has
/// the servers of the plan.
fn cure(seen: &Seen, faults: &Faults) -> Vec<String> {
    let (zone, parent) = (&seen.zone.apex, seen.parent());
    let at_registrar = psl::suffix_str(&parent) == Some(parent.as_str());
    let place = if at_registrar { format!("at the registrar of {zone}:") } else { format!("in the zone {parent}:") };
    let mut lines = Vec::new();
    let mut in_zone = Vec::new();
    if is_planned(seen, faults) {
        in_zone.extend(faults.missing.iter().map(|host| format!("delete {zone}. NS {host}.")));
        in_zone.extend(faults.extra.iter().map(|host| format!("add {zone}. NS {host}.")));
    } else {
        lines.extend(faults.extra.iter().map(|host| format!("take out the name server {host}")));
        lines.extend(
            faults.missing.iter().map(|host| format!("add the name server {host}{}", with_address(seen, host))),
        );
    }
    lines.extend(faults.glue.iter().map(glue_line));
    let lame = faults.lame.iter().filter(|l| !is_told(faults, l));
    let lame = lame.map(|l| {
        format!("let {} ({}) serve {zone}, or take it out at {parent} and in the zone", names(&l.hosts), l.server)
    });
    let nameless = nameless(faults).map(|n| {
        format!(
            "give {} an address again, or take it out at {parent} and in the zone; see that its domain is still yours",
            n.host
        )
    });
    let waits = format!("let the old servers answer as well until the parent's NS are over: {}", rest(seen));
    let head = |place: String, lines: Vec<String>| match lines.is_empty() {
        true => Vec::new(),
        false => std::iter::once(place).chain(lines).collect::<Vec<_>>(),
    };
    let waits = (!lines.is_empty()).then_some(waits);
    let first = head(place, lines).into_iter().chain(head(format!("in the zone {zone}:"), in_zone));
    wording::cut(first.chain(lame).chain(nameless).chain(waits).collect())
}

/// True if the parent leads to nothing but servers of the plan, so that it is the zone's own records that are old.
fn is_planned(seen: &Seen, faults: &Faults) -> bool {
    let planned: BTreeSet<IpAddr> = seen.of.own.iter().map(|s| s.addr.ip()).collect();
    let mut delegated = seen.way.below.iter().filter(|b| !b.hosts.is_empty());
    !planned.is_empty()
        && differs(faults)
        && faults.glue.is_empty()
        && faults.lame.is_empty()
        && faults.nameless.is_empty()
        && delegated.all(|b| planned.contains(&b.heard.probe.resolver.addr.ip()))
}

/// A server in the zone needs its address at the parent.
fn with_address(seen: &Seen, host: &str) -> String {
    let host = Name::parse_owner(host).ok().filter(|h| seen.of.is_in_zone(h));
    let found = host.and_then(|h| seen.addresses(&h)).filter(|a| !a.is_empty());
    found.map(|a| format!(" with {}", addresses(&a))).unwrap_or_default()
}

fn glue_line(glue: &Glue) -> String {
    let host = &glue.host;
    match (glue.right.is_empty(), glue.stale.is_empty()) {
        (true, _) => format!("take out {host}, or give it an address in the zone"),
        (false, true) => format!("set the address of {host} (glue): {}", addresses(&glue.right)),
        (false, false) => {
            format!("set the address of {host} (glue): {}, not {}", addresses(&glue.right), addresses(&glue.stale))
        }
    }
}

/// True if what mends another fault mends this one.
fn is_told(faults: &Faults, lame: &delegation::Lame) -> bool {
    let is_stale = |host: &Name| {
        faults.glue.iter().any(|g| g.host == *host && g.stale.contains(&lame.server.addr.ip()))
            || faults.extra.contains(host.as_str())
    };
    lame.hosts.iter().all(is_stale)
}

/// The servers without an address that are not to be taken out anyway.
fn nameless<'f>(faults: &'f Faults) -> impl Iterator<Item = &'f delegation::Nameless> {
    faults.nameless.iter().filter(|n| !faults.extra.contains(n.host.as_str()))
}

/// How long caches may go on with what the parent says.
fn rest(seen: &Seen) -> String {
    let referrals = seen.way.above.iter().filter_map(|h| h.referral(&seen.zone.apex));
    let ttl = referrals.flat_map(|r| &r.servers).map(|s| s.ttl).max().unwrap_or_default();
    wording::duration(i64::from(ttl))
}

/// Names of the zone that resolvers do not find, where none of the servers that the parent names has it.
fn fails_for_it(seen: &Seen, draft: &mut Draft) {
    for item in seen.context.items() {
        let Fault::Dns(view, _, DnsFault::Unresolved { word, .. } | DnsFault::Silent { word }) = &item.problem.fault
        else {
            continue;
        };
        let name = item.obligation.name;
        let is_in_zone = seen.context.case.plan.name(name).name.is_under(seen.zone.apex.as_str());
        if *view == seen.view && is_in_zone && word.contains("SERVFAIL") {
            draft.keys.insert(Key::Dns(name, *view));
            draft.obligations.insert(item.index);
        }
    }
}
