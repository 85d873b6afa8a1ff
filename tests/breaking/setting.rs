//! A plan at a moment, and what can be broken there.

use std::fmt;
use std::fs;

use coexist::lab::World;
use coexist::model::finding::Judgement;
use coexist::model::phase::{Moment, Phase};
use coexist::model::plan::ViewId;
use coexist::model::policy::{Ask, Policy};
use coexist::plan;

use crate::format::{Scenario, root};
use crate::run;

/// The plans, each with the moments in which its clean world shows nothing wrong: phases, and eves after a `>`.
const SETTINGS: &[(&str, &[&str])] = &[
    ("exchange-2003-to-2010.toml", &["before", "coexistence", "after", "before..coexistence", "before>coexistence"]),
    ("exchange-2010-to-2016.toml", &["before", "coexistence", "after"]),
    ("exchange-2019-load-balanced.toml", &["coexistence"]),
    ("kubernetes-ingress-to-gateway.toml", &["before", "coexistence"]),
    ("mail-host-move.toml", &["before", "coexistence"]),
];

/// A plan at a moment.
pub struct Setting {
    plan: &'static str,
    moment: &'static str,
    /// Everything that can be broken, as the lab reads it.
    pub faults: Vec<String>,
}

/// Every setting.
pub fn settings() -> Vec<Setting> {
    let pairs = SETTINGS.iter().flat_map(|(plan, moments)| moments.iter().map(|m| (*plan, *m)));
    pairs.map(|(plan, moment)| Setting { plan, moment, faults: world(plan, moment).breakable() }).collect()
}

fn world(plan: &str, moment: &str) -> World {
    let text = fs::read(root().join("plans").join(plan)).expect("a plan");
    let loaded = plan::load(plan, &text, &|_| Ok(())).expect("a valid plan");
    let ask = match moment.split_once('>') {
        Some((_, to)) => Ask::ReadyFor(Phase::of_word(to).expect("a phase")),
        None => Ask::Phase(Moment::parse(moment).expect("a moment")),
    };
    World::of(&loaded, Policy { ask, ..Policy::default() }.moment(&loaded, ViewId(0)))
}

impl Setting {
    /// The judgement of the world with some faults.
    pub async fn play(&self, faults: &[&String]) -> Judgement {
        let ask = match self.moment.split_once('>') {
            Some((_, to)) => format!("ready-for = \"{to}\""),
            None => format!("phase = \"{}\"", self.moment),
        };
        let text =
            format!("title = \"{self}\"\nplan = \"{}\"\n{ask}\nfaults = {faults:?}\noutcome = \"\"\n", self.plan);
        let scenario: Scenario = toml::from_str(&text).expect("a scenario");
        run::play(&scenario).await.unwrap_or_else(|e| panic!("{self}: {faults:?}: {e}"))
    }

    /// True if each of two faults breaks something also where the other one has, in either order to the same end.
    pub fn go_together(&self, a: &str, b: &str) -> bool {
        let broken = |faults: &[&str]| {
            let mut world = world(self.plan, self.moment);
            let all = faults.iter().try_for_each(|f| world.break_with(f));
            all.is_ok().then(|| format!("{world:?}"))
        };
        let (ab, ba) = (broken(&[a, b]), broken(&[b, a]));
        ab.is_some() && ab == ba && ab != broken(&[a]) && ab != broken(&[b])
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.plan, self.moment)
    }
}
