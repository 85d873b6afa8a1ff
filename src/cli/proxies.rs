//! Proxies as the plan declares them and the command line changes them, and their passwords.

use super::args::LookArgs;
use super::{Trouble, ask, passwords};
use crate::model::plan::{Plan, ViewId};
use crate::model::probes::Probes;
use crate::model::proxy::Proxy;
use crate::observe::Secret;

/// A view and the proxy that leads into it.
#[derive(Clone, Debug)]
pub struct Way {
    /// The view.
    pub view: ViewId,
    /// The proxy.
    pub proxy: Proxy,
    /// Its password, if it wants one.
    pub password: Option<Secret>,
}

/// `VIEW=URL`, or `VIEW=direct` for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    view: String,
    proxy: Option<Proxy>,
}

impl Override {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (view, url) = text.split_once('=').ok_or("wanted VIEW=URL, or VIEW=direct")?;
        let proxy = match url {
            "direct" => None,
            url => Some(Proxy::parse(url).map_err(|e| format!("{e}; {}", e.help()))?),
        };
        Ok(Self { view: view.into(), proxy })
    }
}

/// The views that are reached through a proxy, in the plan's order; no password is looked for yet.
pub fn ways(args: &LookArgs, plan: &Plan) -> Result<Vec<Way>, Trouble> {
    for change in &args.proxy {
        if !plan.views.iter().any(|v| *v.label == *change.view) {
            return Err(ask::no_view(plan, &change.view));
        }
    }
    let of = |view: ViewId| {
        let declared = plan.view(view);
        let changed = args.proxy.iter().rev().find(|o| *o.view == *declared.label);
        let proxy = match changed {
            Some(change) => change.proxy.clone(),
            None => declared.proxy.as_ref().map(|p| p.value.clone()),
        };
        proxy.map(|proxy| Way { view, proxy, password: None })
    };
    Ok(plan.view_ids().filter_map(of).collect())
}

/// Those through which something is looked at, each with its password out of the environment.
pub fn opened(ways: Vec<Way>, plan: &Plan, probes: &Probes) -> Result<Vec<Way>, Trouble> {
    let is_used = |w: &Way| {
        let label = Some(&plan.view(w.view).label);
        label.is_some_and(|label| probes.led.contains(label))
            || probes.tls.iter().any(|a| a.manners.via.as_ref() == label)
            || probes.http.iter().any(|a| a.via.as_ref() == label)
            || probes.templates.iter().any(|t| t.manners.via.as_ref() == label)
            || probes.follow.iter().any(|f| f.tls.as_ref().is_some_and(|(_, m)| m.via.as_ref() == label))
    };
    let open = |way: Way| Ok(Way { password: password(&way, plan)?, ..way });
    ways.into_iter().filter(is_used).map(open).collect()
}

fn password(way: &Way, plan: &Plan) -> Result<Option<Secret>, Trouble> {
    if way.proxy.user.is_none() {
        return Ok(None);
    }
    let view = plan.view(way.view);
    let whom = format!("the proxy of {} ({})", view.label, way.proxy);
    let Some(variable) = &view.settings.password_env else {
        return Err(Trouble::new(format!("{whom} has a user and no password"))
            .help("`password-env` in the plan names the variable that holds it"));
    };
    let trouble = |what: &str| {
        Trouble::new(format!("{whom}: the variable {variable} {what}"))
            .help("it is to hold the password alone; the user stands in the URL")
    };
    let secret = passwords::variable(variable).map_err(trouble)?;
    match secret.is_unfit() {
        true => Err(trouble("is empty, of several lines or longer than 255 bytes")),
        false => Ok(Some(secret)),
    }
}
