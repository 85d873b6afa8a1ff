//! Members of pools change their certificate one after the other, addresses lead to other servers, mail goes to other hosts.

use coexist::model::cutover::Change;

use super::*;

const POOL: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[views.external]
resolvers = ["9.9.9.9"]
[certificates.old]
names = ["mail.domain.com"]
[certificates.new]
names = ["mail.domain.com", "smtp.domain.com", "legacy.mail.domain.com"]
[servers.ex1]
address = { internal = "10.0.0.11" }
product = "exchange-2016"
services = ["IIS", "SMTP"]
certificate = { before = "old", coexistence = "new" }
[servers.ex2]
address = { internal = "10.0.0.12" }
product = "exchange-2016"
services = ["IIS", "SMTP"]
certificate = { before = "old", coexistence = "new" }
[servers.older]
address = { internal = "10.0.0.3", external = "203.0.113.3" }
certificate = "new"
[pools.owa]
address = { internal = "10.0.0.30", external = "203.0.113.30" }
members = ["ex1", "ex2"]
[internet]
"mail.domain.com" = { server = "owa", ttl-before = "1h" }
"smtp.domain.com" = { coexistence = "owa" }
[legacy]
"legacy.mail.domain.com" = "older"
"#;

/// The kinds of the steps that are about a server.
fn about(planned: &Planned, server: &str) -> Vec<StepKind> {
    let kinds = [StepKind::TakeOutOfRotation, StepKind::BindCertificate, StepKind::PutIntoRotation];
    let of = |s: &&Step| kinds.contains(&s.kind) && s.places.iter().any(|p| &**p == server);
    planned.timeline.steps.iter().filter(of).map(|s| s.kind).collect()
}

#[test]
fn members_leave_the_pool_one_by_one_while_their_certificate_changes() {
    let planned = before_to_coexistence(POOL);
    carried_out(&planned.timeline);
    assert_safe(&planned, "a pool");
    let once = [StepKind::TakeOutOfRotation, StepKind::BindCertificate, StepKind::PutIntoRotation];
    assert_eq!((about(&planned, "ex1"), about(&planned, "ex2")), (once.to_vec(), once.to_vec()));
    let mut world = planned.timeline.world.clone();
    for step in &planned.timeline.steps {
        step.changes.iter().for_each(|c| world.apply(c));
        assert!(world.routes.values().all(|nodes| !nodes.is_empty()), "somebody always answers: {}", step.what);
        if step.kind == StepKind::BindCertificate {
            for change in &step.changes {
                let Change::Serving { node, .. } = change else { panic!("{change:?}") };
                assert!(world.routes.iter().all(|(_, nodes)| nodes.len() == 1 || !nodes.contains(node)));
            }
        }
    }
}

#[test]
fn a_member_is_taken_out_on_itself_and_at_the_balancer_and_can_go_back() {
    let planned = before_to_coexistence(POOL);
    let (_, out) = steps(&planned, StepKind::TakeOutOfRotation)[0];
    let lines: Vec<&String> = out.commands.iter().flat_map(|s| &s.lines).collect();
    assert!(lines.iter().any(|l| l.contains("ServerWideOffline") && l.contains("Inactive")), "{lines:?}");
    assert!(lines.iter().any(|l| l.starts_with("at owa: no new connections to ex1")), "{lines:?}");
    let undo = out.undo.as_ref().unwrap();
    assert!(undo.commands.iter().flat_map(|s| &s.lines).any(|l| l.starts_with("at owa: new connections to ex1")));
    assert!(undo.settles > 0 && out.verify.is_some());
}

#[test]
fn what_is_broken_today_is_no_safe_place_to_start_from() {
    let planned = before_to_coexistence(&with(
        POOL,
        &[("[certificates.old]\nnames = [\"mail.domain.com\"]", "[certificates.old]\nnames = [\"ex1.domain.local\"]")],
    ));
    // Today's certificate covers nothing: nobody can plan that away without harm, and the proof says so.
    assert_eq!(checker::prove(&planned.timeline).verdict, Verdict::Harm);
}

#[test]
fn connectors_of_members_are_pinned_to_the_new_certificate() {
    let planned = before_to_coexistence(POOL);
    let (_, pin) = steps(&planned, StepKind::RepinConnector)[0];
    let lines: Vec<&String> = pin.commands.iter().flat_map(|s| &s.lines).collect();
    assert!(lines.iter().any(|l| l.contains(r"Set-ReceiveConnector 'ex1\Default Frontend ex1'")), "{lines:?}");
    assert!(lines.iter().any(|l| l.contains(r"'ex2\Client Frontend ex2'")), "{lines:?}");
    assert!(pin.verify.is_some());
    let undo = pin.undo.as_ref().unwrap();
    assert!(undo.commands.iter().flat_map(|s| &s.lines).any(|l| l.contains("THUMBPRINT-OF-old")), "{undo:?}");
}

const NAT: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[views.external]
resolvers = ["9.9.9.9"]
[certificates.all]
names = ["www.domain.com"]
[servers.old]
address = { internal = "10.0.0.3", external = "203.0.113.1" }
[servers.new]
address = { internal = "10.0.0.10", external = "203.0.113.1" }
[internet]
"www.domain.com" = { before = "old", coexistence = "new", ttl-before = "1h" }
"#;

#[test]
fn an_address_that_stays_is_led_to_another_server() {
    let planned = before_to_coexistence(NAT);
    carried_out(&planned.timeline);
    assert_safe(&planned, "NAT");
    let (at, nat) = steps(&planned, StepKind::RepointAddress)[0];
    let lines: Vec<&String> = nat.commands.iter().flat_map(|s| &s.lines).collect();
    assert_eq!(lines[0], "at the firewall or balancer: let 203.0.113.1 lead to 10.0.0.10 instead of 10.0.0.3");
    let undo = nat.undo.as_ref().unwrap();
    assert!(undo.commands.iter().flat_map(|s| &s.lines).any(|l| l.contains("lead to 10.0.0.3 instead of 10.0.0.10")));
    assert!(nat.verify.is_some() && planned.schedule[at].start > 0);
}

#[test]
fn pools_get_their_new_members_at_once_for_no_cache_stands_between() {
    let text = with(
        POOL,
        &[("members = [\"ex1\", \"ex2\"]", "members = { before = [\"ex1\"], coexistence = [\"ex1\", \"ex2\"] }")],
    );
    let planned = before_to_coexistence(&text);
    assert_safe(&planned, "a pool that grows");
    let (change, step) = steps(&planned, StepKind::ChangePoolMembers)[0];
    assert!(step.what.contains("ex1 -> ex1, ex2"), "{}", step.what);
    let bind = steps(&planned, StepKind::BindCertificate);
    assert!(bind.iter().all(|(i, _)| *i < change));
}

const MAIL: &str = r#"
[views.internet]
resolvers = ["9.9.9.9"]
[certificates.all]
names = ["mx1.example.org", "mx2.example.org"]
[servers.old]
address = "198.51.100.7"
services = ["smtp"]
[servers.new]
address = "198.51.100.9"
services = ["smtp"]
[internet]
"mx1.example.org" = { before = "old", coexistence = "old" }
"mx2.example.org" = { coexistence = "new" }
[zones."example.org"]
product = "bind"
servers = ["198.51.100.53"]
[mail."example.org"]
mx = { before = "mx1.example.org", coexistence = "mx2.example.org" }
[records]
"#;

#[test]
fn mail_goes_to_hosts_that_are_there() {
    let planned = before_to_coexistence(MAIL);
    carried_out(&planned.timeline);
    assert_safe(&planned, "MX");
    let (at, mx) = steps(&planned, StepKind::ChangeMx)[0];
    assert!(steps(&planned, StepKind::CreateRecord)[0].0 < at && mx.verify.is_some());
    let lines: Vec<&String> = mx.commands.iter().flat_map(|s| &s.lines).collect();
    assert!(lines[0].contains("example.org MX mx1.example.org -> mx2.example.org"), "in words: {lines:?}");
    assert!(mx.undo.as_ref().unwrap().settles > 0);
}

#[test]
fn preferences_that_stand_in_the_plan_are_typed() {
    let planned = before_to_coexistence(&format!("{MAIL}\"example.org MX\" = [\"10 mx1.example.org.\"]\n"));
    let (_, mx) = steps(&planned, StepKind::ChangeMx)[0];
    let lines: Vec<&String> = mx.commands.iter().flat_map(|s| &s.lines).collect();
    assert!(lines.iter().any(|l| l.contains("MX 10 mx2.example.org.")), "{lines:?}");
    assert!(mx.commands.iter().any(|s| &*s.shell != "words"));
}
