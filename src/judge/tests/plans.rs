//! Plans that do not fit together.

use super::*;

fn products(products: &[&str], legacy: bool) -> Vec<String> {
    let mut world = World::empty();
    world.policy.scope = Scope::Files;
    for (i, product) in products.iter().enumerate() {
        let server = world.server(product, &format!("10.0.0.{i}"), "");
        world.plan.servers[server.0].product = Some(Located::new(product.to_string(), Span::default()));
    }
    if legacy {
        let old = Target::Server(crate::model::plan::ServerId(0));
        world.name(Table::Legacy, "legacy.domain.com", old);
    }
    world.judge().findings.iter().map(|f| format!("{} {}", f.severity, f.rule)).collect()
}

#[test]
fn versions_that_redirect_need_a_legacy_name() {
    assert_eq!(products(&["exchange-2003", "exchange-2010"], false), ["error plan-inconsistent"]);
    assert_eq!(products(&["exchange-2003", "exchange-2010"], true), [""; 0]);
    assert_eq!(products(&["exchange-2010", "exchange-2016-cu23"], true), ["warning plan-inconsistent"]);
    assert_eq!(products(&["exchange-2010", "exchange-2016"], false), [""; 0]);
}

#[test]
fn an_exchange_domain_needs_autodiscover() {
    let rules = broken(|w| {
        w.plan.servers[0].product = Some(Located::new("exchange-2016".into(), Span::default()));
    });
    assert_eq!(rules, ["plan-inconsistent"]);
}

#[test]
fn an_unknown_rule_has_a_hint() {
    let mut world = simple();
    world.waive("endpoint-unreachabel", None, None);
    let finding = world.judge().findings.remove(0);
    assert_eq!(
        (finding.rule, finding.remedy.cure[0].as_str()),
        ("plan-inconsistent", "did you mean endpoint-unreachable?")
    );
}

#[test]
fn rules_of_later_releases_may_be_waived_already() {
    let mut world = simple();
    world.waive("connector-pin-stale", Some("ex2010"), None);
    assert_eq!(world.rules(), [""; 0]);
    assert!(world.judge().not_looked_at.iter().any(|l| l.contains("connector-pin-stale")));
}
