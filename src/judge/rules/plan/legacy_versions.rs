//! Which pairs of Exchange versions need a legacy name while both run.

use crate::model::plan::Plan;

/// Versions of the servers whose redirected users need a name of their own: 2010 cannot proxy for 2003 and 2007, 2013
/// cannot for 2007.
const NEEDED: &[(&str, &str)] =
    &[("exchange-2003", "exchange-2010"), ("exchange-2007", "exchange-2010"), ("exchange-2007", "exchange-2013")];

/// Newer versions proxy to the older ones by their server names.
const PROXIES: &[&str] = &["exchange-2010", "exchange-2013", "exchange-2016", "exchange-2019", "exchange-se"];

/// A pair of the plan's products that needs a legacy name.
pub(super) fn needed(plan: &Plan) -> Option<(&'static str, &'static str)> {
    NEEDED.iter().copied().find(|(old, new)| has(plan, old) && has(plan, new))
}

/// True if all Exchange versions of the plan proxy for each other, and there are several.
pub(super) fn is_superfluous(plan: &Plan) -> bool {
    let exchange = plan.servers.iter().filter(|s| s.is_exchange()).filter_map(|s| s.product.as_ref());
    let products: Vec<&str> = exchange.map(|p| p.value.as_str()).collect();
    let several = products.iter().any(|p| Some(p) != products.first());
    several && products.iter().all(|p| PROXIES.iter().any(|known| is(p, known)))
}

fn has(plan: &Plan, product: &str) -> bool {
    plan.servers.iter().any(|s| s.product.as_ref().is_some_and(|p| is(&p.value, product)))
}

/// `exchange-2019` and `exchange-2019-cu14` are one product.
fn is(product: &str, known: &str) -> bool {
    product.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
