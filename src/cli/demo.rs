//! `coexist demo`: the true check against an embedded world, first broken, then mended.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{DemoArgs, FormatArg};
use super::check::judge_now;
use super::examine::{Place, Sources, examine};
use super::output::Screen;
use super::{Trouble, nearest, output, plans};
use crate::lab::{self, Lab, World};
use crate::model::finding::{Judgement, RunOutcome};
use crate::model::phase::{Moment, Phase};
use crate::model::plan::Plan;
use crate::model::policy::{Ask, Policy};
use crate::model::probes::Vantage;
use crate::plan;
use crate::report;

/// A worked cutover and what went wrong in it.
struct Scenario {
    name: &'static str,
    file: &'static str,
    plan: &'static str,
    ask: Ask,
    faults: &'static [&'static str],
    story: &'static str,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "exchange-2003-to-2010",
        file: "plans/exchange-2003-to-2010.toml",
        plan: include_str!("../../plans/exchange-2003-to-2010.toml"),
        ask: Ask::Standing,
        faults: &["legacy-inside-only:legacy.mail.domain.com", "old-certificate:ex2003-fe", "old-tls:ex2003-fe"],
        story: "The legacy name was added to the internal zone only, and IIS on the 2003 front end is still bound to its \
                old certificate. It speaks TLS 1.0, which browsers refuse.",
    },
    Scenario {
        name: "exchange-2003-to-2010-eve",
        file: "plans/exchange-2003-to-2010.toml",
        plan: include_str!("../../plans/exchange-2003-to-2010.toml"),
        ask: Ask::Phase(Moment::Ready(Phase::Before, Phase::Coexistence)),
        faults: &["old-certificate:ex2003-fe", "ttl-not-lowered:mail.domain.com"],
        story: "The evening before the flip (--ready-for coexistence): the new certificate was imported on the 2003 front \
                end, but never put into use, and the TTL of mail.domain.com is still an hour.",
    },
    Scenario {
        name: "exchange-2019-load-balanced",
        file: "plans/exchange-2019-load-balanced.toml",
        plan: include_str!("../../plans/exchange-2019-load-balanced.toml"),
        ask: Ask::Standing,
        faults: &["default-certificate:ex19-02"],
        story: "The certificate was requested and completed on EX19-01; EX19-02, behind the same load balancer, still \
                serves its out-of-box certificate.",
    },
    Scenario {
        name: "mail-host-move",
        file: "plans/mail-host-move.toml",
        plan: include_str!("../../plans/mail-host-move.toml"),
        ask: Ask::Phase(Moment::Steady(Phase::Coexistence)),
        faults: &["mx-elsewhere:example.org"],
        story: "The mail host has moved (--phase coexistence), but the domain's MX leads to a host that the plan does not \
                have.",
    },
];

/// Plays one scenario, or all; exit status 0 when every world went as designed.
pub fn run(args: DemoArgs) -> Result<u8, Trouble> {
    if args.list {
        return list().map(|()| report::PASS);
    }
    let scenarios: Vec<&Scenario> = match &args.scenario {
        None if !args.fault.is_empty() => {
            return Err(Trouble::new("--fault needs a scenario").help("`coexist demo --list` lists them"));
        }
        None => SCENARIOS.iter().collect(),
        Some(name) => vec![find(name)?],
    };
    let mut screen = Screen::open(&args.output)?;
    let mut told = Vec::new();
    let runtime = plans::runtime()?;
    let mut as_designed = true;
    for scenario in scenarios {
        as_designed &= runtime.block_on(play(scenario, &args, &mut screen, &mut told))?;
    }
    if args.output.format == FormatArg::Json {
        screen.reports(&told, true)?;
    }
    Ok(if as_designed { report::PASS } else { report::FINDING })
}

fn find(name: &str) -> Result<&'static Scenario, Trouble> {
    SCENARIOS.iter().find(|s| s.name == name).ok_or_else(|| {
        let trouble = Trouble::new(format!("there is no scenario `{name}`"));
        match nearest(name, SCENARIOS.iter().map(|s| s.name)) {
            Some(near) => trouble.help(format!("did you mean `{near}`?")),
            None => trouble.help("`coexist demo --list` lists them"),
        }
    })
}

fn list() -> Result<(), Trouble> {
    let mut text = String::from("scenarios\n");
    for s in SCENARIOS {
        text.push_str(&format!("  {}\n      {}\n      faults: {}\n", s.name, s.story, s.faults.join(", ")));
    }
    text.push_str("\nfaults for --fault\n");
    for f in lab::faults() {
        let argument = f.argument.map(|a| format!(":{}", a.to_uppercase())).unwrap_or_default();
        text.push_str(&format!("  {:38}{}\n", format!("{}{argument}", f.name), f.summary));
    }
    output::print(&text)
}

/// The broken world must show, the mended one must pass.
async fn play(
    scenario: &Scenario,
    args: &DemoArgs,
    screen: &mut Screen<'_>,
    told: &mut Vec<Judgement>,
) -> Result<bool, Trouble> {
    let plan = plan::load(scenario.file, scenario.plan.as_bytes(), &|_| Ok(()))
        .map_err(|e| Trouble::new(plan::render_errors(&e, false)))?;
    let faults: Vec<&str> = match args.fault.is_empty() {
        true => scenario.faults.to_vec(),
        false => args.fault.iter().map(String::as_str).collect(),
    };
    let broken = judged(&plan, scenario.ask, &faults).await?;
    let story = if args.fault.is_empty() { wrapped(scenario.story, screen.width()) } else { String::new() };
    screen.words(&format!("# {}: a broken world ({})\n{story}\n", scenario.name, faults.join(", ")))?;
    tell(args, screen, &broken)?;
    let mended = judged(&plan, scenario.ask, &[]).await?;
    screen.words(&format!("\n# {}: the same world, mended\n\n", scenario.name))?;
    tell(args, screen, &mended)?;
    let shows =
        !broken.findings.is_empty() || faults.iter().all(|f| HARMLESS.contains(&f.split(':').next().unwrap_or(f)));
    let as_designed = shows && mended.outcome == RunOutcome::Pass;
    screen.words(match as_designed {
        true => "\nboth worlds went as designed\n\n",
        false if shows => "\nthis did not go as designed: the mended world does not pass\n\n",
        false => {
            "\nthis did not go as designed: the fault was made, and no rule speaks of it in this plan at this moment\n\n"
        }
    })?;
    told.extend([broken, mended]);
    Ok(as_designed)
}

/// Faults that a good observer gets over without a word.
const HARMLESS: [&str; 1] = ["truncation"];

fn wrapped(story: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in story.split_whitespace() {
        if column > 0 && column + 1 + word.len() > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
    out
}

/// As text a world is told when it has been seen; as JSON all are told together.
fn tell(args: &DemoArgs, screen: &mut Screen<'_>, judgement: &Judgement) -> Result<(), Trouble> {
    match args.output.format {
        FormatArg::Text => screen.reports(std::slice::from_ref(judgement), false),
        FormatArg::Json => Ok(()),
    }
}

/// A run of the true check by a machine that stands in all views of the embedded world.
async fn judged(plan: &Plan, ask: Ask, faults: &[&str]) -> Result<Judgement, Trouble> {
    let policy = Policy { ask, ..Policy::default() };
    let mut world = World::at(plan, plan.view_ids().map(|view| policy.moment(plan, view)).collect());
    for fault in faults {
        world.break_with(fault).map_err(|e| Trouble::new(e).help("`coexist demo --list` lists the faults"))?;
    }
    let lab = Lab::start(&world).await.map_err(|e| Trouble::new(format!("the embedded world did not start: {e}")))?;
    let files = lab.files();
    let anchors: Vec<Arc<[u8]>> = lab.anchors();
    let vantage = Vantage { stands_in: plan.view_ids().collect(), ..Vantage::default() };
    let obligations = plan::expand(plan);
    let probes = plan::probes(plan, &obligations, &vantage, &policy);
    let place = Place {
        vantage: &vantage,
        sources: &Sources::World(&files, &anchors),
        dial: lab.dial_map(),
        ways: Vec::new(),
        timeout: Duration::from_secs(2),
        concurrency: 64,
        now: Timestamp::now(),
    };
    let recording = examine(plan, &probes, &place, &mut |_| {}).await?;
    let mut judgement = judge_now(plan, &obligations, &recording, &policy, None);
    without_detours(&mut judgement);
    Ok(judgement)
}

/// The embedded world is gone when its next commands are read: detours into it lead nowhere.
fn without_detours(judgement: &mut Judgement) {
    for line in judgement.findings.iter_mut().flat_map(|f| &mut f.remedy.next) {
        if let Some(detours) = line.find(" --connect-to ") {
            line.truncate(detours);
        }
    }
}
