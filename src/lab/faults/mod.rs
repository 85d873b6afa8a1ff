//! Named faults: each breaks one thing in a [`World`].

mod aliases;
mod answers;
mod certificates;
mod delegations;
mod names;
mod proxies;
mod records;
mod resolvers;
mod servers;
mod signed;
mod table;
mod web;

use super::world::World;
use table::FAULTS;

/// A fault that breaks one thing.
#[derive(Clone, Copy)]
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

/// Every fault.
pub fn faults() -> &'static [FaultInfo] {
    &FAULTS
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
        for plan in [example::exchange_2003(), example::exchange_2019(), example::mail_host(), example::led()] {
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
