//! What a plan means: every default made explicit.

use super::*;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::{Autodiscover, CertId, MatchMode, Members, PoolTls, Target, ViewKind, Wanted};
use crate::model::source::Span;

fn plan(text: &str) -> Plan {
    read("p.toml", text).map_err(|e| told(&e)).unwrap()
}

/// A name's targets: a line for each view, a word for each phase.
fn wanted(plan: &Plan, name: &str) -> Vec<String> {
    let name = plan.names.iter().find(|n| n.name.as_str() == name).unwrap();
    let cell = |wanted: &Wanted| match wanted {
        Wanted::Unconstrained => "?".to_string(),
        Wanted::Absent => "absent".to_string(),
        Wanted::Forbidden => "forbidden".to_string(),
        Wanted::Targets(ids) => ids.iter().map(|t| &**plan.target_label(*t)).collect::<Vec<_>>().join("+"),
    };
    let row = |id| Phase::ALL.map(|p| cell(name.wanted(id, p))).join(" ");
    plan.view_ids().map(|id| format!("{}: {}", plan.view(id).label, row(id))).collect()
}

/// Two views, three servers, and what is added.
fn with(names: &str) -> Plan {
    plan(&format!(
        "[views.internal]\nresolvers = \"10.0.0.53\"\n[views.external]\nresolvers = \"9.9.9.9\"\n\
         [servers.a]\naddress = \"192.0.2.1\"\n[servers.b]\naddress = \"192.0.2.2\"\n[servers.m]\nhost = \"m.example\"\n{names}\n"
    ))
}

#[test]
fn the_readers_plan_means_what_the_article_says() {
    let text = include_str!("../../../plans/exchange-2003-to-2010.toml");
    let plan = plan(text);
    for (name, inside, outside) in [
        ("serverexchange2010.domain.com", "ex2010 ex2010 ex2010", "forbidden forbidden forbidden"),
        ("mail.domain.com", "ex2003-fe ex2010 ex2010", "ex2003-fe ex2010 ex2010"),
        ("autodiscover.domain.com", "? ex2010 ex2010", "? ex2010 ex2010"),
        ("legacy.mail.domain.com", "? ex2003-fe absent", "? ex2003-fe absent"),
        ("legacy.serverexchange2003.domain.com", "? ex2003-fe absent", "? ? ?"),
    ] {
        assert_eq!(wanted(&plan, name), [format!("internal: {inside}"), format!("external: {outside}")], "{name}");
    }
    assert_eq!(plan.standing, [Moment::Steady(Phase::Coexistence); 2]);
    assert_eq!(plan.cutover.propagation, [900, 300]);
    assert_eq!(plan.phases[&Phase::Coexistence].until.unwrap().to_string(), "2027-04-01T00:00:00Z");
    let order: Vec<_> = plan.names.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(order[..2], ["serverexchange2010.domain.com", "mail.domain.com"]);
    let fe = plan.servers[1].certificate.as_ref().unwrap();
    let picked = Phase::ALL.map(|p| fe.pick("IIS", p).to_vec());
    assert_eq!(picked, [vec![CertId(0)], vec![CertId(1)], vec![CertId(1)]]);
}

#[test]
fn each_cell_of_the_table_of_names() {
    for (text, inside, outside) in [
        ("[intranet]\n\"n.example\" = \"a\"", "a a a", "forbidden forbidden forbidden"),
        ("[intranet]\n\"n.example\" = { server = \"a\", leaks = \"allowed\" }", "a a a", "? ? ?"),
        (
            "[intranet]\n\"n.example\" = { before = \"a\", after = \"absent\" }",
            "a a absent",
            "forbidden forbidden forbidden",
        ),
        (
            "[intranet]\n\"n.example\" = { server = \"a\", audience = \"inside\" }",
            "a a a",
            "forbidden forbidden forbidden",
        ),
        ("[internet]\n\"n.example\" = \"a\"", "a a a", "a a a"),
        ("[internet]\n\"n.example\" = [\"a\", \"b\"]", "a+b a+b a+b", "a+b a+b a+b"),
        ("[internet]\n\"n.example\" = \"absent\"", "absent absent absent", "absent absent absent"),
        ("[internet]\n\"n.example\" = { coexistence = \"a\" }", "? a a", "? a a"),
        ("[internet]\n\"n.example\" = { after = \"a\" }", "? ? a", "? ? a"),
        (
            "[internet]\n\"n.example\" = { before = \"a\", coexistence = \"b\", after = \"absent\" }",
            "a b absent",
            "a b absent",
        ),
        ("[internet]\n\"n.example\" = { server = \"a\", audience = \"outside\" }", "? ? ?", "a a a"),
        ("[internet]\n\"n.example\" = { server = \"a\", audience = \"both\" }", "a a a", "a a a"),
        ("[internet]\n\"n.example\" = { internal = \"a\", external = \"b\" }", "a a a", "b b b"),
        ("[internet]\n\"n.example\" = { internal = \"a\", external = \"absent\" }", "a a a", "absent absent absent"),
        ("[internet.\"n.example\"]\nbefore = \"a\"\ncoexistence = { internal = \"b\" }", "a b b", "a a a"),
        ("[internet]\n\"n.example\" = { server = { internal = \"a\" }, audience = \"inside\" }", "a a a", "? ? ?"),
        ("[internet]\n\"n.example\" = \"m\"", "m m m", "m m m"),
        ("[legacy]\n\"n.example\" = \"a\"", "? a absent", "? a absent"),
        ("[legacy]\n\"n.example\" = { before = \"a\" }", "a a absent", "a a absent"),
        ("[legacy]\n\"n.example\" = { coexistence = \"a\", after = \"b\" }", "? a b", "? a b"),
        ("[legacy]\n\"n.example\" = { server = \"a\", audience = \"outside\" }", "? ? ?", "? a absent"),
        ("[legacy]\n\"N.Example.\" = \"a\"", "? a absent", "? a absent"),
    ] {
        let plan = with(text);
        assert_eq!(
            wanted(&plan, "n.example"),
            [format!("internal: {inside}"), format!("external: {outside}")],
            "{text}"
        );
    }
}

#[test]
fn each_wish_has_its_place() {
    let plan = with("[legacy]\n\"n.example\" = { server = \"a\", audience = \"inside\" }");
    let text = |span: Span| &plan.source.text[span.range()];
    let cells = plan.names[0].wanted.iter().map(|phases| phases.each_ref().map(|w| text(w.span)));
    assert_eq!(
        cells.collect::<Vec<_>>(),
        [["\"n.example\"", "\"a\"", "\"n.example\""], ["\"n.example\"", "\"n.example\"", "\"n.example\""]]
    );
}

#[test]
fn services_of_names_are_narrowed_for_autodiscover_and_legacy() {
    let plan = with(
        "[internet]\n\"mail.example\" = \"a\"\n\"autodiscover.example\" = \"a\"\n\"dns.example\" = { server = \"a\", services = [] }\n\
         [legacy]\n\"old.example\" = \"a\"",
    );
    let services = |name: &str| {
        let name = plan.names.iter().find(|n| n.name.as_str() == name).unwrap();
        name.services.as_ref().map(|s| s.iter().map(|s| s.port).collect::<Vec<_>>())
    };
    assert_eq!(services("mail.example"), None);
    assert_eq!(services("autodiscover.example"), Some(vec![443]));
    assert_eq!(services("old.example"), Some(vec![443]));
    assert_eq!(services("dns.example"), Some(vec![]));
    assert!(!plan.servers[0].services_given && plan.servers[0].services[0].value.port == 443);
    assert!(plan.servers[2].services.is_empty(), "what is not ours is looked up, not asked");
}

#[test]
fn settings_are_inherited_and_overridden() {
    let plan = plan(
        "timeout = 10\nsamples = 8\n[views.internal]\nresolvers = \"10.0.0.53\"\nretry = 2\n\
         [servers.a]\naddress = \"192.0.2.1\"\ntimeout = \"500ms\"\nmtls = true\nehlo = \"Probe.Example.\"\n\
         [pools.p]\naddress = \"192.0.2.9\"\nmembers = \"a\"\nsamples = 20\n[internet]\n\"n.example\" = \"p\"\n",
    );
    assert_eq!((plan.settings.timeout_ms, plan.settings.samples, plan.settings.retry), (Some(10_000), 8, 0));
    assert_eq!((plan.views[0].settings.retry, plan.views[0].settings.samples), (2, 8));
    let server = &plan.servers[0].settings;
    assert_eq!((server.timeout_ms, server.mtls, server.ehlo.as_str()), (Some(500), true, "probe.example"));
    assert_eq!((plan.pools[0].settings.samples, plan.pools[0].settings.timeout_ms), (20, Some(10_000)));
}

#[test]
fn views_say_their_kind_by_label_or_key() {
    let text = ["intranet", "LAN-berlin", "public_dns", "outside"]
        .map(|label| format!("[views.{label}]\nresolvers = \"10.0.0.53\"\n"))
        .concat();
    let plan = plan(&format!(
        "{text}[views.vpn]\nkind = \"internal\"\nresolvers = \"10.0.0.53\"\n[servers.a]\n\
         address = {{ internal = \"10.0.0.1\", vpn = \"10.9.0.1\", external = \"192.0.2.1\" }}\n[internet]\n\"n.example\" = \"a\"\n"
    ));
    let kinds: Vec<_> = plan.views.iter().map(|v| v.kind).collect();
    let (i, e) = (ViewKind::Internal, ViewKind::External);
    assert_eq!(kinds, [i, i, e, e, i]);
    let seen: Vec<_> = plan.servers[0].addresses.iter().map(|a| a[0].to_string()).collect();
    assert_eq!(seen, ["10.0.0.1", "10.0.0.1", "192.0.2.1", "192.0.2.1", "10.9.0.1"]);
}

#[test]
fn members_keep_until_the_next_phase_that_is_given() {
    let plan = with(
        "[pools.p]\naddress = \"192.0.2.9\"\nmembers = { before = \"a\", after = [\"a\", \"b\"] }\ntls = \"bridge\"\nverify = true\n\
         [pools.q]\naddress = \"192.0.2.8\"\nmembers = \"opaque\"\n[internet]\n\"n.example\" = [\"p\", \"q\"]",
    );
    let counts = Phase::ALL.map(|p| plan.pools[0].servers(p).len());
    assert_eq!((counts, plan.pools[0].tls, plan.pools[0].verify), ([1, 1, 2], PoolTls::Bridge, true));
    assert_eq!(plan.pools[1].members, [Members::Opaque, Members::Opaque, Members::Opaque]);
}

#[test]
fn a_choice_of_certificates_is_narrowed_by_phase_and_service() {
    let plan = with(
        "[certificates.x]\nnames = \"n.example\"\n[certificates.y]\nthumbprint = \"B26C3C9B30A2A7371767275043816466CB921738\"\n\
         [servers.c]\naddress = \"192.0.2.3\"\nservices = [\"IIS\", \"SMTP\"]\n\
         certificate = { IIS = { before = \"x\", after = \"y\" }, SMTP = [\"x\", \"y\"] }\n[internet]\n\"n.example\" = \"c\"",
    );
    let choice = plan.servers[3].certificate.as_ref().unwrap();
    let iis = Phase::ALL.map(|p| choice.pick("IIS", p).iter().map(|c| c.0).collect::<Vec<_>>());
    assert_eq!(iis, [vec![0], vec![0], vec![1]]);
    assert_eq!(choice.pick("SMTP", Phase::Before), [CertId(0), CertId(1)]);
    let modes: Vec<_> = plan.certificates.iter().map(|c| c.match_mode).collect();
    assert_eq!(modes, [MatchMode::Names, MatchMode::Leaf]);
}

#[test]
fn the_further_tables_are_read() {
    let plan = with(
        "[internet]\n\"n.example\" = { server = \"a\", ttl = \"5m\", ttl-before = 3600, cname = \"c.example.\", answers = \"any\" }\n\
         [zones.\"example\"]\nviews = [\"external\"]\nservers = [\"tcp://192.0.2.53\"]\nproduct = \"bind\"\n\
         [mail.\"example\"]\nmx = { coexistence = \"n.example\" }\nautodiscover = \"srv\"\n\
         helo = \"Out.example.\"\nmta-sts = { max-age = \"7d\", mx = \"*.example\" }\n[mail.\"other.example\"]\nmta-sts = \"1d\"\n\
         [records]\n\"_x._tcp.example srv\" = { internal = \"0 0 443 n.example.\" }\n\
         [cutover]\nlow-ttl = 60\npropagation = { external = \"1h\" }\nflipped = { internal = 2026-11-21T22:00:00+01:00, external = \"2026-11-22\" }\n\
         [severity]\nsuperfluous-san = \"off\"\nsan-missing-name = \"warning\"\n[inventory]\nfiles = { a = \"a.json\" }\n\
         [[waivers]]\nrule = \"r\"\non = \"N.example\"\nreason = \"why\"\nuntil = \"2027-03-31\"",
    );
    let name = &plan.names[0];
    assert_eq!((name.ttl.unwrap().value, name.ttl_before.unwrap().value, name.answers_any), (300, 3600, true));
    assert_eq!(name.cname.as_ref().unwrap().value.as_str(), "c.example");
    assert_eq!(
        (plan.zones[0].views.len(), plan.zones[0].servers[0].value.to_string().as_str()),
        (1, "tcp://192.0.2.53")
    );
    assert_eq!(plan.mail[0].mx.each_ref().map(|mx| mx.as_ref().map(Vec::len)), [None, Some(1), Some(1)]);
    assert_eq!(plan.mail[0].autodiscover, Autodiscover::Srv);
    let helo = plan.mail.iter().map(|m| m.helo.as_ref().map(|h| h.value.as_str()));
    assert_eq!(helo.collect::<Vec<_>>(), [Some("out.example"), None], "in lower case, without the final dot");
    let policies = plan.mail.iter().map(|m| m.mta_sts.as_ref().map(|p| (p.max_age.value, p.mx.len())));
    assert_eq!(policies.collect::<Vec<_>>(), [Some((604_800, 1)), Some((86_400, 0))]);
    assert_eq!((plan.records[0].kind.as_str(), plan.records[0].values[1].as_ref()), ("SRV", None));
    assert_eq!((plan.cutover.low_ttl, &plan.cutover.propagation[..]), (60, &[900, 3600][..]));
    let flipped: Vec<_> = plan.cutover.flipped.iter().map(|t| t.unwrap().to_string()).collect();
    assert_eq!(flipped, ["2026-11-21T21:00:00Z", "2026-11-22T00:00:00Z"]);
    assert_eq!(plan.severity["superfluous-san"].value, None);
    assert_eq!(plan.inventory.values().next().unwrap()[0].value, "a.json");
    let waiver = &plan.waivers[0];
    assert_eq!(waiver.on.as_ref().unwrap().value, "n.example");
    assert_eq!(waiver.until.unwrap().value.to_string(), "2027-04-01T00:00:00Z");
}

#[test]
fn views_can_stand_in_different_phases() {
    let plan = plan(
        "phase = { internal = \"coexistence\", external = \"before..coexistence\" }\n[views.internal]\nresolvers = \"10.0.0.53\"\n\
         [views.external]\nresolvers = \"9.9.9.9\"\n[servers.a]\naddress = \"192.0.2.1\"\n[internet]\n\"n.example\" = \"a\"\n",
    );
    let moments = [Moment::Steady(Phase::Coexistence), Moment::Transition(Phase::Before, Phase::Coexistence)];
    assert_eq!(plan.standing, moments);
    assert!(
        matches!(plan.names[0].wanted(crate::model::plan::ViewId(0), Phase::Before), Wanted::Targets(t) if matches!(t[..], [Target::Server(_)]))
    );
}

#[test]
fn a_waiver_may_name_what_only_a_certificate_has_where_the_rule_speaks_of_that() {
    let text = |rule: &str| {
        format!(
            "[views.internal]\nresolvers = \"10.0.0.53\"\n[servers.a]\naddress = \"192.0.2.1\"\n\
             [internet]\n\"n.example\" = \"a\"\n\
             [[waivers]]\nrule = \"{rule}\"\non = \"*.Old.example\"\nreason = \"why\""
        )
    };
    let on = |plan: &Plan| plan.waivers[0].on.as_ref().unwrap().value.clone();
    assert_eq!(on(&plan(&text("replacement-drops-name"))), "*.old.example");
    assert!(read("p.toml", &text("san-missing-name")).is_err());
}
