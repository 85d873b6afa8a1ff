//! `coexist inspect`: endpoints and files as they are, without a plan.

mod look;
mod target;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::InspectArgs;
use super::examine::to_the_second;
use super::output::{self, Screen};
use super::{Trouble, passwords, plans};
use crate::judge::{self, Asked};
use crate::model::inspection::{Inspection, Reference};
use crate::model::plan::TrustSource;
use crate::model::text::shown;
use crate::observe::{self, Secret, file};
use crate::pki::{self, Anchors};
use crate::report;
use target::Target;

/// Looks at everything, judges it, and tells.
pub fn run(args: InspectArgs) -> Result<u8, Trouble> {
    let names = args.names.iter().map(|n| target::reference(n).map_err(|why| Trouble::new(format!("--for {why}"))));
    let names: Vec<Reference> = names.collect::<Result<_, _>>()?;
    let targets = args.targets.iter().map(|t| Target::parse(t).map_err(|why| Trouble::new(format!("{t}: {why}"))));
    let targets: Vec<Target> = targets.collect::<Result<_, _>>()?;
    let files: Vec<_> =
        targets.iter().filter_map(|t| if let Target::File(f) = t { Some(f.clone()) } else { None }).collect();
    output::spare(&[args.output.output.as_deref()], &[files, args.ca.iter().map(Into::into).collect()].concat())?;
    let (trust, mut known) = trust(&args.ca)?;
    let (anchors, broken) = Anchors::new(&trust);
    // Of the machine's own store nobody here is in charge.
    broken.iter().filter(|_| !args.ca.is_empty()).for_each(|why| output::tell(&shown(&format!("warning: {why}"))));

    let password = password(&args)?;
    let looks = plans::runtime()?.block_on(look::all(&args, &targets, password.as_ref()));
    // What one server sends helps to name what another does not.
    known.extend(looks.iter().flat_map(|l| l.chain.iter().skip(1).cloned()));
    let now = args.at.unwrap_or_else(|| to_the_second(Timestamp::now()));
    let asked = Asked { anchors: (!anchors.is_empty()).then_some(&anchors), known: &known, names: &names, now };
    let items = looks.into_iter().map(|look| judge::inspect(look, &asked)).collect();
    let words = if args.ca.is_empty() { vec!["system".to_string()] } else { args.ca.clone() };
    let seen = Inspection { now, trust: words, items };
    Screen::open(&args.output)?
        .write(|format, style, out| report::inspect::render(&seen, judge::uncovered, format, style, out))?;
    Ok(report::inspect::exit_status(&seen))
}

/// What opens PFX files.
fn password(args: &InspectArgs) -> Result<Option<Secret>, Trouble> {
    let Some(name) = &args.password_env else { return Ok(None) };
    let trouble = |what| {
        let trouble = Trouble::new(format!("--password-env: the variable {name} {what}"));
        trouble.help("it wants the name of an environment variable that holds the password, never the password itself")
    };
    passwords::variable(name).map(Some).map_err(trouble)
}

type Ders = Vec<Arc<[u8]>>;

/// The trust anchors, and further intermediates. Where a file has roots, what is not self-issued in it is no anchor: a server
/// has to send it.
fn trust(sources: &[String]) -> Result<(Ders, Ders), Trouble> {
    let mut trust = Vec::new();
    let mut known = Vec::new();
    let sources = if sources.is_empty() { vec!["system".to_string()] } else { sources.to_vec() };
    for word in sources {
        let source = match word.as_str() {
            "system" => TrustSource::System,
            "public" => TrustSource::Public,
            _ => TrustSource::File(word),
        };
        let read = |name: &str| file::read(Path::new(name));
        let (found, errors) = observe::anchors(std::slice::from_ref(&source), &read);
        if let (TrustSource::File(_), true, Some(why)) = (&source, found.is_empty(), errors.first()) {
            return Err(Trouble::new(format!("--ca {why}")));
        }
        errors.iter().for_each(|why| output::tell(&shown(&format!("warning: {why}"))));
        let is_root = |der: &Arc<[u8]>| pki::facts(der).is_ok_and(|f| f.is_self_issued());
        let (roots, others): (Ders, Ders) = found.into_iter().partition(is_root);
        match (roots.is_empty(), source) {
            (false, TrustSource::File(_)) => {
                trust.extend(roots);
                known.extend(others);
            }
            _ => trust.extend(roots.into_iter().chain(others)),
        }
    }
    Ok((trust, known))
}
