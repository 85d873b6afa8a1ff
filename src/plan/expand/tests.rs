//! Each test reads the ids of what is due at a moment: they say all that matters.
#![allow(clippy::disallowed_methods, reason = "a test reads the plans of the repository")]

use super::expand;
use crate::model::obligation::{Claim, Obligation};
use crate::model::phase::{Moment, Phase};
use crate::model::plan::Plan;
use crate::model::policy::{Ask, Policy};
use crate::plan::load;

use Moment::{Steady, Transition};
use Phase::{After, Before, Coexistence};

fn plan(text: &str) -> Plan {
    load("plan.toml", text.as_bytes(), &|_| Ok(())).unwrap_or_else(|e| panic!("{:#?}", e.errors))
}

const WORLD: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[views.external]
resolvers = ["9.9.9.9"]
[servers.old]
address = { internal = "10.0.0.3", external = "203.0.113.3" }
[servers.new]
address = { internal = "10.0.0.10", external = "203.0.113.10" }
services = ["IIS", "imaps"]
"#;

fn due<'a>(plan: &Plan, all: &'a [Obligation], ask: Ask) -> Vec<&'a Obligation> {
    let policy = Policy { ask, ..Policy::default() };
    all.iter().filter(|o| policy.asks_for(plan, o)).collect()
}

fn ids(names: &str, ask: Ask) -> Vec<String> {
    let plan = plan(&format!("{WORLD}{names}"));
    texts(&plan, &due(&plan, &expand(&plan), ask))
}

fn texts(plan: &Plan, all: &[&Obligation]) -> Vec<String> {
    all.iter().map(|o| o.id(plan).to_string()).collect()
}

#[test]
fn a_name_that_moves_is_asked_of_its_target_in_every_view_and_of_the_old_one_until_it_has_drained() {
    let names = "[internet]\n\"mail.domain.com\" = { before = \"old\", coexistence = \"new\" }";
    assert_eq!(
        ids(names, Ask::Phase(Steady(Before))),
        [
            "dns/internal/mail.domain.com@before",
            "dns/external/mail.domain.com@before",
            "tls/old/https:443/mail.domain.com",
            "path/external/old/https:443/mail.domain.com",
        ]
    );
    assert_eq!(
        ids(names, Ask::Phase(Steady(Coexistence))),
        [
            "dns/internal/mail.domain.com@coexistence,after",
            "dns/external/mail.domain.com@coexistence,after",
            "tls/new/IIS:443/mail.domain.com",
            "tls/new/imaps:993/mail.domain.com",
            "tls/old/https:443/mail.domain.com/draining",
            "path/external/new/IIS:443/mail.domain.com",
            "path/external/new/imaps:993/mail.domain.com",
            "path/external/old/https:443/mail.domain.com/draining",
        ]
    );
}

#[test]
fn a_transition_lets_dns_answer_either_target_and_asks_the_servers_of_both() {
    let plan = plan(&format!("{WORLD}[internet]\n\"mail.domain.com\" = {{ before = \"old\", coexistence = \"new\" }}"));
    let all = expand(&plan);
    let due = due(&plan, &all, Ask::Phase(Transition(Before, Coexistence)));
    let sets: Vec<usize> = due
        .iter()
        .filter_map(|o| match &*o.claim {
            Claim::Resolves { expected, .. } => Some(expected.present.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sets, [2, 2]);
    let mut tls = texts(&plan, &due);
    tls.retain(|id| id.starts_with("tls/"));
    assert_eq!(
        tls,
        ["tls/old/https:443/mail.domain.com", "tls/new/IIS:443/mail.domain.com", "tls/new/imaps:993/mail.domain.com"]
    );
}

#[test]
fn the_eve_of_a_flip_lets_records_be_old_and_asks_for_all_that_they_will_lead_to() {
    let names = "[internet]\n\"mail.domain.com\" = { before = \"old\", coexistence = \"new\" }\n\
                 \"autodiscover.domain.com\" = { coexistence = \"new\" }\n\
                 [legacy]\n\"legacy.mail.domain.com\" = \"old\"";
    let got = ids(names, Ask::ReadyFor(Coexistence));
    // The default standing is the coexistence that is asked about: nothing is to be flipped any more.
    assert!(got.iter().any(|id| id.starts_with("dns/internal/mail.domain.com")), "{got:#?}");
    let eve = format!("phase = \"before\"\n{WORLD}{names}");
    let plan = plan(&eve);
    let all = expand(&plan);
    let got = texts(&plan, &due(&plan, &all, Ask::ReadyFor(Coexistence)));
    let flips = all.iter().find(|o| {
        let id = o.id(&plan).to_string();
        got.contains(&id) && id.starts_with("dns/internal/mail.domain.com")
    });
    let Some(Claim::Resolves { expected, .. }) = flips.map(|o| &*o.claim) else { panic!("{got:#?}") };
    assert_eq!(expected.present.len(), 2, "old or new, and nothing else");
    for wanted in [
        "ttl/internal/mail.domain.com",
        "ttl/external/mail.domain.com",
        "tls/old/https:443/mail.domain.com",
        "tls/new/IIS:443/mail.domain.com",
        "path/external/new/IIS:443/mail.domain.com",
        "tls/new/IIS:443/autodiscover.domain.com",
        "tls/old/https:443/legacy.mail.domain.com",
    ] {
        assert!(got.iter().any(|id| id == wanted), "{wanted} in {got:#?}");
    }
    for name in ["autodiscover", "legacy.mail"] {
        let dns = format!("dns/external/{name}.domain.com");
        assert!(got.iter().any(|id| id.starts_with(&dns)), "{dns} in {got:#?}");
    }
}

#[test]
fn intranet_names_are_forbidden_outside_and_retired_legacy_names_absent_everywhere() {
    let plan =
        plan(&format!("{WORLD}[intranet]\n\"host.domain.com\" = \"new\"\n[legacy]\n\"legacy.domain.com\" = \"old\""));
    let all = expand(&plan);
    let absent = |moment| {
        let due = due(&plan, &all, Ask::Phase(moment));
        let absent = |o: &&Obligation| match &*o.claim {
            Claim::Resolves { expected, .. } if expected.absent => Some((o.id(&plan).to_string(), expected.forbidden)),
            _ => None,
        };
        due.iter().filter_map(absent).collect::<Vec<_>>()
    };
    assert_eq!(absent(Steady(Coexistence)), [("dns/external/host.domain.com".to_string(), true)]);
    let after: Vec<(String, bool)> = absent(Steady(After));
    assert_eq!(after.len(), 3, "{after:#?}");
    assert!(after.iter().filter(|(id, _)| id.contains("legacy")).all(|(_, forbidden)| !forbidden));
}

#[test]
fn a_pool_is_asked_member_by_member_and_as_a_path_of_every_view() {
    let text = format!(
        "{WORLD}[pools.farm]\naddress = {{ internal = \"10.0.0.30\", external = \"203.0.113.30\" }}\n\
         members = [\"old\", \"new\"]\n[internet]\n\"app.domain.com\" = {{ server = \"farm\", services = [\"https\"] }}"
    );
    let plan = plan(&text);
    let all = expand(&plan);
    let got = texts(&plan, &due(&plan, &all, Ask::Standing));
    assert_eq!(
        got,
        [
            "dns/internal/app.domain.com",
            "dns/external/app.domain.com",
            "tls/old/https:443/app.domain.com",
            "tls/new/IIS:443/app.domain.com",
            "path/internal/farm/https:443/app.domain.com",
            "path/external/farm/https:443/app.domain.com",
        ]
    );
}

#[test]
fn a_re_pointed_nat_flips_no_record() {
    let text = "phase = \"before\"\n[views.internal]\nresolvers = [\"10.0.0.53\"]\n\
                [servers.old]\naddress = \"203.0.113.3\"\n[servers.new]\naddress = \"203.0.113.3\"\n\
                [internet]\n\"mail.domain.com\" = { before = \"old\", coexistence = \"new\" }";
    let plan = plan(text);
    let all = expand(&plan);
    let got = texts(&plan, &due(&plan, &all, Ask::ReadyFor(Coexistence)));
    assert!(got.iter().any(|id| id.starts_with("dns/internal/mail.domain.com")), "{got:#?}");
    assert!(!got.iter().any(|id| id.starts_with("ttl/")), "{got:#?}");
}

#[test]
fn a_pool_of_opaque_nodes_is_asked_at_https_unless_it_says_otherwise() {
    let text = format!(
        "{WORLD}[pools.cloud]\naddress = {{ internal = \"10.0.0.30\", external = \"203.0.113.30\" }}\n\
         members = \"opaque\"\n[internet]\n\"app.domain.com\" = \"cloud\""
    );
    let plan = plan(&text);
    let all = expand(&plan);
    let mut got = texts(&plan, &due(&plan, &all, Ask::Standing));
    got.retain(|id| id.starts_with("path"));
    assert_eq!(got, ["path/internal/cloud/https:443/app.domain.com", "path/external/cloud/https:443/app.domain.com"]);
}

#[test]
fn ids_are_unique_in_every_plan_of_the_repository() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/plans")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let plan = plan(&std::fs::read_to_string(&path).unwrap());
        let mut ids: Vec<_> = expand(&plan).into_iter().map(|o| o.id(&plan).to_string()).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{}", path.display());
    }
}

#[test]
fn each_kind_of_certificate_is_asked_for_where_several_are_listed() {
    use crate::model::policy::Policy;
    use crate::model::probes::Vantage;
    let lists = |list: &str, shown: &str| {
        let text = format!(
            "{WORLD}[certificates.a]\nnames = [\"mail.domain.com\"]\n[certificates.b]\nnames = [\"mail.domain.com\"]\n\
             [servers.two]\naddress = {{ internal = \"10.0.0.20\", external = \"203.0.113.20\" }}\n{list}\n[internet]\n\"mail.domain.com\" = \"two\"\n"
        );
        let plan = plan(&text);
        let vantage = Vantage { stands_in: plan.view_ids().collect(), ..Vantage::default() };
        let probes = crate::plan::probes(&plan, &expand(&plan), &vantage, &Policy::default());
        let word = |a: &crate::model::probes::TlsAsk| a.probe.face.map_or("any".to_string(), |f| f.to_string());
        let inside = probes.tls.iter().filter(|a| a.probe.address.to_string() == "10.0.0.20:443");
        let faces: Vec<_> = inside.map(word).collect();
        assert_eq!(faces.join(" "), shown, "{list}");
    };
    lists("certificate = \"a\"", "any");
    lists("certificate = [\"a\", \"b\"]", "any RSA ECDSA");
}
