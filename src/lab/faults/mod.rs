//! Named faults: each breaks one thing in a [`World`].

mod certificates;
mod names;
mod resolvers;
mod servers;

use super::world::World;

/// A fault that breaks one thing.
pub struct FaultInfo {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// What its argument is (`server`, `name`, `view` ...), if it takes one after a colon.
    pub argument: Option<&'static str>,
    /// One line.
    pub summary: &'static str,
    /// The arguments that it can take in a world; for a fault without one, an empty text where it can be done at all.
    choices: fn(&World) -> Vec<String>,
    /// Breaks the thing; the argument is one of the choices.
    apply: fn(&mut World, &str),
}

impl FaultInfo {
    const fn new(
        name: &'static str,
        argument: &'static str,
        summary: &'static str,
        choices: fn(&World) -> Vec<String>,
        apply: fn(&mut World, &str),
    ) -> Self {
        let argument = if argument.is_empty() { None } else { Some(argument) };
        Self { name, argument, summary, choices, apply }
    }
}

const FAULTS: &[FaultInfo] = &[
    // servers
    FaultInfo::new(
        "default-certificate",
        "server",
        "the server still shows its self-signed out-of-box certificate at every service",
        servers::all,
        servers::show_default,
    ),
    FaultInfo::new(
        "old-certificate",
        "server",
        "the server still shows the certificate of the phase before at every service",
        servers::with_old,
        servers::show_old,
    ),
    FaultInfo::new(
        "service-left-behind",
        "server/service",
        "one service of the server still shows the old certificate, or the out-of-box one if there was none",
        servers::words,
        servers::leave_behind,
    ),
    FaultInfo::new(
        "other-certificate",
        "server",
        "the server shows a valid, trusted certificate for somebody else's name",
        servers::all,
        servers::show_other,
    ),
    FaultInfo::new(
        "missing-intermediate",
        "server",
        "the server does not send the intermediate certificate",
        servers::all,
        servers::drop_intermediate,
    ),
    FaultInfo::new(
        "wrong-key",
        "server",
        "the server's private key is not that of its certificate",
        servers::all,
        servers::take_wrong_key,
    ),
    FaultInfo::new("port-closed", "server/port", "nobody listens at the port", servers::ports, servers::close_port),
    FaultInfo::new(
        "port-silent",
        "server/port",
        "the port takes connections and never says a word",
        servers::ports,
        servers::silence_port,
    ),
    FaultInfo::new(
        "server-down",
        "server",
        "nobody listens at any port of the server",
        servers::all,
        servers::shut_down,
    ),
    FaultInfo::new(
        "plain-http",
        "server",
        "the ports for implicit TLS speak HTTP in the clear",
        servers::with_implicit,
        servers::speak_http,
    ),
    FaultInfo::new(
        "starttls-missing",
        "server",
        "the server does not offer STARTTLS",
        servers::with_starttls,
        servers::hide_starttls,
    ),
    FaultInfo::new(
        "starttls-refused",
        "server",
        "the server offers STARTTLS and then refuses it",
        servers::with_starttls,
        servers::refuse_starttls,
    ),
    FaultInfo::new(
        "tls-interception",
        "",
        "a proxy in the way shows certificates of its own, all from one unplanned issuer",
        servers::anyhow,
        servers::inspect,
    ),
    // certificates
    FaultInfo::new(
        "wildcard-certificate",
        "certificate",
        "the certificate is a wildcard for the domain instead of listing its names",
        certificates::not_wild,
        certificates::make_wild,
    ),
    FaultInfo::new(
        "name-missing",
        "name",
        "the certificates in use were issued without the name",
        certificates::names,
        certificates::leave_name_out,
    ),
    FaultInfo::new(
        "cn-only",
        "certificate",
        "the certificate has its name in the subject only, without a subjectAltName",
        certificates::in_use,
        certificates::keep_common_name_only,
    ),
    FaultInfo::new(
        "expired",
        "certificate",
        "the certificate expired yesterday",
        certificates::in_use,
        certificates::expire,
    ),
    FaultInfo::new(
        "not-yet-valid",
        "certificate",
        "the certificate is valid from tomorrow",
        certificates::in_use,
        certificates::postpone,
    ),
    FaultInfo::new(
        "untrusted-issuer",
        "certificate",
        "the certificate was issued by an authority that nobody trusts",
        certificates::in_use,
        certificates::issue_elsewhere,
    ),
    FaultInfo::new(
        "expired-root",
        "",
        "the trust anchor itself expired yesterday",
        certificates::anyhow,
        certificates::expire_root,
    ),
    // names
    FaultInfo::new("unresolved", "view/name", "the name does not exist in the view", names::resolving, names::remove),
    FaultInfo::new(
        "nodata",
        "view/name",
        "the name exists in the view, without an address",
        names::resolving,
        names::empty,
    ),
    FaultInfo::new("servfail", "view/name", "the view's resolvers fail for the name", names::resolving, names::fail),
    FaultInfo::new(
        "dangling-alias",
        "view/name",
        "the name is an alias of one that does not exist",
        names::resolving,
        names::dangle,
    ),
    FaultInfo::new(
        "wrong-target",
        "view/name",
        "the name leads to another server of the plan",
        names::misleadable,
        names::mislead,
    ),
    FaultInfo::new(
        "stray-aaaa",
        "view/name",
        "a forgotten AAAA record stands beside the right addresses",
        names::with_addresses,
        names::add_stray,
    ),
    FaultInfo::new(
        "legacy-inside-only",
        "name",
        "the legacy name exists in internal views only",
        names::legacy_both_sides,
        names::keep_inside,
    ),
    FaultInfo::new(
        "legacy-equals-primary",
        "name",
        "the legacy name leads to the new servers, where the primary name leads",
        names::legacy_apart,
        names::join_primary,
    ),
    FaultInfo::new(
        "intranet-leak",
        "name",
        "the name for inside resolves outside too",
        names::forbidden_outside,
        names::leak,
    ),
    FaultInfo::new(
        "ttl-not-lowered",
        "name",
        "the records that are about to change still have their long TTL",
        names::flipping,
        names::keep_long_ttl,
    ),
    // resolvers
    FaultInfo::new(
        "resolver-silent",
        "view",
        "no resolver of the view answers",
        resolvers::views,
        resolvers::silence_all,
    ),
    FaultInfo::new(
        "one-resolver-silent",
        "view",
        "one of the view's resolvers does not answer",
        resolvers::views_with_several,
        resolvers::silence_one,
    ),
    FaultInfo::new(
        "resolver-refuses",
        "view",
        "the view's resolvers refuse every question",
        resolvers::views,
        resolvers::refuse,
    ),
    FaultInfo::new(
        "resolver-fails",
        "view",
        "the view's resolvers answer SERVFAIL to every question",
        resolvers::views,
        resolvers::fail,
    ),
    FaultInfo::new(
        "resolver-garbles",
        "view",
        "what the view's resolvers send is no DNS message",
        resolvers::views_in_clear,
        resolvers::garble,
    ),
    FaultInfo::new(
        "truncation",
        "view",
        "every answer of the view's resolvers over UDP is truncated",
        resolvers::views_in_clear,
        resolvers::truncate,
    ),
    FaultInfo::new(
        "dns-interception",
        "",
        "somebody in the way answers external questions in the clear with the internal view",
        resolvers::two_sides,
        resolvers::intercept,
    ),
];

/// Every fault.
pub fn faults() -> &'static [FaultInfo] {
    FAULTS
}

impl World {
    /// Breaks one thing: `FAULT` or `FAULT:ARGUMENT`. The argument may be left out where there is only one choice.
    /// The error says what is wrong with the text, and what would be right.
    pub fn break_with(&mut self, fault: &str) -> Result<(), String> {
        let (name, argument) = match fault.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (fault, None),
        };
        let info = FAULTS.iter().find(|f| f.name == name).ok_or_else(|| unknown(name))?;
        let argument = info.choose(&(info.choices)(self), argument)?;
        (info.apply)(self, &argument);
        Ok(())
    }

    /// Everything that can be broken in this world, as [`World::break_with`] reads it.
    pub fn breakable(&self) -> Vec<String> {
        let spelt = |f: &FaultInfo, choice: &str| match f.argument {
            Some(_) => format!("{}:{choice}", f.name),
            None => f.name.to_string(),
        };
        FAULTS.iter().flat_map(|f| (f.choices)(self).iter().map(|c| spelt(f, c)).collect::<Vec<_>>()).collect()
    }
}

impl FaultInfo {
    fn choose(&self, choices: &[String], argument: Option<&str>) -> Result<String, String> {
        let name = self.name;
        match (self.argument, argument, choices) {
            (_, _, []) => Err(format!("nothing in this plan can be broken by `{name}` at this moment")),
            (None, Some(_), _) => Err(format!("`{name}` takes no argument")),
            (_, None, [only]) => Ok(only.clone()),
            (what, None, _) => {
                Err(format!("`{name}` wants a {} after a colon: {}", what.unwrap_or("choice"), listed(choices)))
            }
            (what, Some(text), _) => match choices.iter().find(|c| c.eq_ignore_ascii_case(text)) {
                Some(choice) => Ok(choice.clone()),
                None => Err(format!(
                    "`{text}` is no {} that `{name}` can break{}; there is: {}",
                    what.unwrap_or("choice"),
                    hint(text, choices.iter().map(String::as_str)),
                    listed(choices)
                )),
            },
        }
    }
}

fn unknown(name: &str) -> String {
    format!("there is no fault `{name}`{}", hint(name, FAULTS.iter().map(|f| f.name)))
}

fn hint<'a>(text: &str, among: impl Iterator<Item = &'a str>) -> String {
    let near = among.map(|c| (strsim::damerau_levenshtein(text, c), c)).min();
    match near {
        Some((distance, choice)) if distance <= 2 + text.len() / 4 => format!(", did you mean `{choice}`?"),
        _ => String::new(),
    }
}

fn listed(choices: &[String]) -> String {
    const SHOWN: usize = 12;
    let more = choices.len().saturating_sub(SHOWN);
    let mut text = choices.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use crate::model::phase::{Moment, Phase};

    fn world() -> World {
        World::of(&example::exchange_2003(), Moment::Steady(Phase::Coexistence))
    }

    #[test]
    fn a_text_that_is_no_fault_is_answered_with_what_would_be() {
        for (fault, want) in [
            (
                "default-certifcate:ex2010",
                "there is no fault `default-certifcate`, did you mean `default-certificate`?",
            ),
            ("default-certificate", "`default-certificate` wants a server after a colon: ex2010, ex2003-fe"),
            (
                "default-certificate:ex2003",
                "`ex2003` is no server that `default-certificate` can break, did you mean `ex2010`?; there is: \
                 ex2010, ex2003-fe",
            ),
            ("tls-interception:x", "`tls-interception` takes no argument"),
            ("ttl-not-lowered", "nothing in this plan can be broken by `ttl-not-lowered` at this moment"),
        ] {
            assert_eq!(world().break_with(fault).unwrap_err(), want);
        }
    }

    #[test]
    fn the_only_choice_need_not_be_named() {
        let mut world = world();
        world.break_with("old-certificate").unwrap();
        assert!(world.machines[1].doors[&443].by_name.is_empty());
    }

    #[test]
    fn every_fault_breaks_something_in_one_of_the_worlds_and_only_once_each() {
        let mut seen = std::collections::BTreeSet::new();
        for plan in [example::exchange_2003(), example::exchange_2019()] {
            for moment in Moment::ALL {
                let clean = World::of(&plan, moment);
                for fault in clean.breakable() {
                    let mut broken = clean.clone();
                    broken.break_with(&fault).unwrap();
                    assert_ne!(format!("{broken:?}"), format!("{clean:?}"), "{fault} at {moment}");
                    seen.insert(fault.split(':').next().unwrap().to_string());
                }
            }
        }
        let all: std::collections::BTreeSet<_> = FAULTS.iter().map(|f| f.name.to_string()).collect();
        assert_eq!(seen, all);
    }
}
