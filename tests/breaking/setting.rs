//! A plan at a moment, and what can be broken there.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

use coexist::lab::World;
use coexist::model::finding::Judgement;
use coexist::model::phase::{Moment, Phase};
use coexist::model::plan::{CertificateChoice, CertificateSource, MatchMode, Plan, ViewId};
use serde::Deserialize;

use crate::format::{Scenario, root};
use crate::run;

/// `settings.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    setting: Vec<Entry>,
}

/// A plan and its moments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    plan: String,
    moments: Vec<String>,
    #[serde(default)]
    edits: Vec<(String, String)>,
}

/// A plan at a moment.
pub struct Setting {
    plan: String,
    edits: Vec<(String, String)>,
    /// As `settings.toml` has it.
    pub moment: String,
    /// Everything that can be broken, as the lab reads it.
    pub faults: Vec<String>,
    pools: Vec<String>,
}

/// Every setting.
pub fn settings() -> Vec<Setting> {
    let text = fs::read_to_string(root().join("tests/breaking/settings.toml")).expect("the settings");
    let file: File = toml::from_str(&text).expect("plans and moments");
    let all = file.setting.into_iter().flat_map(|entry| {
        let Entry { plan, moments, edits } = entry;
        moments.into_iter().map(move |moment| Setting {
            plan: plan.clone(),
            edits: edits.clone(),
            moment,
            faults: Vec::new(),
            pools: Vec::new(),
        })
    });
    all.map(|setting| Setting { faults: setting.world().breakable(), pools: setting.pools(), ..setting }).collect()
}

impl Setting {
    fn scenario(&self, faults: &[&String]) -> Scenario {
        let ask = match self.moment.split_once('>') {
            Some((_, to)) => format!("ready-for = {to:?}"),
            None => format!("phase = {:?}", self.moment),
        };
        let (title, plan) = (self.to_string(), &self.plan);
        let text = format!("title = {title:?}\nplan = {plan:?}\n{ask}\nfaults = {faults:?}\noutcome = \"\"\n");
        let scenario: Scenario = toml::from_str(&text).expect("a scenario");
        Scenario { edits: self.edits.clone(), ..scenario }
    }

    fn load(&self) -> Plan {
        run::load(&self.scenario(&[])).unwrap_or_else(|e| panic!("{self}: {e}"))
    }

    fn pools(&self) -> Vec<String> {
        self.load().pools.iter().map(|p| p.label.to_string()).collect()
    }

    /// The clean world.
    fn world(&self) -> World {
        let (scenario, loaded) = (self.scenario(&[]), self.load());
        let policy = run::policy(&scenario, &loaded).unwrap_or_else(|e| panic!("{self}: {e}"));
        World::of(&loaded, run::moment(&scenario, &policy, &loaded).unwrap_or_else(|e| panic!("{self}: {e}")))
    }

    /// The judgement of the world with some faults.
    pub async fn play(&self, faults: &[&String]) -> Judgement {
        run::play(&self.scenario(faults)).await.unwrap_or_else(|e| panic!("{self}: {faults:?}: {e}"))
    }

    /// True of a way through a balancer: whom of its members the samples meet is chance, and the members are asked each.
    pub fn is_sampled(&self, obligation: &str) -> bool {
        let target = obligation.strip_prefix("path/").and_then(|rest| rest.split('/').nth(1));
        target.is_some_and(|t| self.pools.iter().any(|p| p == t))
    }

    /// True if a server that still shows its old certificate shows one that is as right by the plan, which lists names and
    /// no very certificate (`match`): the old one has each name of the new one too.
    pub fn is_as_right(&self, fault: &str) -> bool {
        let Some(server) = fault.strip_prefix("old-certificate:") else { return false };
        let (scenario, plan) = (self.scenario(&[]), self.load());
        let policy = run::policy(&scenario, &plan).unwrap_or_else(|e| panic!("{self}: {e}"));
        let (Moment::Steady(phase), Some(server)) =
            (policy.moment(&plan, ViewId(0)), plan.servers.iter().find(|s| *s.label == *server))
        else {
            return false;
        };
        let by_name = plan.names.iter().any(|n| n.certificate.is_some());
        let picked = |phase| server.certificate.as_ref().and_then(|choice| names(&plan, choice, phase));
        match (phase.previous().and_then(picked), picked(phase)) {
            (Some(old), Some(new)) => !by_name && new.is_subset(&old),
            _ => false,
        }
    }

    /// True if each of two faults breaks something also where the other one has, in either order to the same end.
    pub fn go_together(&self, a: &str, b: &str) -> bool {
        let broken = |faults: &[&str]| {
            let mut world = self.world();
            let all = faults.iter().try_for_each(|f| world.break_with(f));
            all.is_ok().then(|| format!("{world:?}"))
        };
        let (ab, ba) = (broken(&[a, b]), broken(&[b, a]));
        ab.is_some() && ab == ba && ab != broken(&[a]) && ab != broken(&[b])
    }
}

/// The names of what all services of a server show, if only names are planned.
fn names(plan: &Plan, choice: &CertificateChoice, phase: Phase) -> Option<BTreeSet<String>> {
    let by_word = choice.parts.iter().any(|part| part.word.is_some());
    let [certificate] = choice.pick("", phase) else { return None };
    let certificate = plan.certificate(*certificate);
    match &certificate.source {
        CertificateSource::Names(all) if !by_word && certificate.match_mode == MatchMode::Names => {
            Some(all.iter().map(|n| n.value.to_string()).collect())
        }
        _ => None,
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edited = if self.edits.is_empty() { "" } else { ", edited," };
        write!(f, "{}{edited} at {}", self.plan, self.moment)
    }
}
