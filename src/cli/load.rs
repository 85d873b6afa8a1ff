//! Reading plans and the files beside them.

use std::io;
use std::path::{Path, PathBuf};

use super::{Trouble, output};
use crate::model::cutover::Runbook;
use crate::model::plan::{CertificateSource, Plan, TrustSource};
use crate::observe::{client, file};
use crate::plan::{self, FileCheck};

/// Reads a plan whose files must be there.
pub fn plan(path: &Path) -> Result<Plan, Trouble> {
    let beside = Beside::of(path);
    let plan = read(path, &|name| beside.check(name))?;
    let read = |name: &str| beside.read(name);
    for client in plan.client_certificates() {
        if let Err(why) = client::identity(client, &read) {
            let place = plan.source.place(client.key.span);
            let trouble = format!("{}:{}:{}: client certificate: {why}", place.file, place.line, place.column);
            return Err(
                Trouble::new(trouble).help("`file` is the certificate with its chain, `key` its own key in PEM")
            );
        }
    }
    Ok(plan)
}

/// Reads a plan whose files are not asked for: what they held stands in a recording.
pub fn plan_alone(path: &Path) -> Result<Plan, Trouble> {
    read(path, &|_| Ok(()))
}

/// Reads a runbook, whose steps name things of a plan.
pub fn runbook(path: &Path, of: &Plan) -> Result<Runbook, Trouble> {
    let shown = path.display().to_string();
    let bytes = file::read_bounded(path, plan::MAX_BYTES).map_err(|e| Trouble::new(format!("{shown}: {e}")))?;
    plan::runbook(&shown, &bytes, of).map_err(|errors| told(&shown, &errors))
}

fn told(shown: &str, errors: &plan::PlanErrors) -> Trouble {
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    output::tell(&plan::render_errors(errors, colour));
    Trouble::new(format!("{shown}: nothing was looked at"))
}

fn read(path: &Path, check: FileCheck) -> Result<Plan, Trouble> {
    let shown = path.display().to_string();
    let bytes = file::read_bounded(path, plan::MAX_BYTES)
        .map_err(|e| Trouble::new(format!("{shown}: {e}")).help("`coexist init` writes a plan to start from"))?;
    plan::load(&shown, &bytes, check).map_err(|errors| told(&shown, &errors))
}

/// The files that a plan refers to, by their paths as it writes them. Keys are none of them: nothing of a key is recorded.
pub fn names(plan: &Plan) -> impl Iterator<Item = &String> {
    let trust = plan.views.iter().flat_map(|v| &v.trust).filter_map(|t| match &t.value {
        TrustSource::File(name) => Some(name),
        TrustSource::Public | TrustSource::System => None,
    });
    let certificates = plan.certificates.iter().filter_map(|c| match &c.source {
        CertificateSource::File(name) => Some(&name.value),
        _ => None,
    });
    let clients = plan.client_certificates().into_iter().map(|c| &c.file.value);
    let inventory = plan.inventory.values().flatten().map(|f| &f.value);
    trust.chain(certificates).chain(clients).chain(inventory)
}

/// The files beside a plan that it refers to.
pub fn files(plan: &Plan, path: &Path) -> Vec<PathBuf> {
    let Beside(folder) = Beside::of(path);
    let keys = plan.client_certificates().into_iter().map(|c| &c.key.value);
    names(plan).chain(keys).map(|name| folder.join(name)).collect()
}

/// The folder that holds a plan: relative paths in the plan start there.
#[derive(Clone, Debug)]
pub struct Beside(PathBuf);

impl Beside {
    /// The folder of a plan file.
    pub fn of(plan: &Path) -> Self {
        Self(plan.parent().map(Path::to_path_buf).unwrap_or_default())
    }

    /// Reads a file by its path as the plan writes it.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        file::read(&self.0.join(name))
    }

    fn check(&self, name: &str) -> Result<(), String> {
        file::check(&self.0.join(name)).map_err(|e| e.to_string())
    }
}
