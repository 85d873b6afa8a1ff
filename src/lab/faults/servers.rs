//! Faults of servers: what they show, and whether they answer at all.

use super::super::certificates::{Issue, IssueId};
use super::super::machines::{Door, Machine, MachineId, Machines, Manner};
use super::super::old_tls::Age;
use super::super::world::World;
use crate::model::plan::{PoolId, ServerId, Target};
use crate::model::service::Way;

fn labels(world: &World, fits: impl Fn(MachineId, &Machine) -> bool) -> Vec<String> {
    let machines = world.planned().iter().enumerate();
    machines.filter(|(i, m)| !m.doors.is_empty() && fits(*i, m)).map(|(_, m)| m.label.to_string()).collect()
}

fn change(world: &mut World, server: &str, change: impl Fn(&mut Door)) {
    let machine = world.machines.iter_mut().find(|m| *m.label == *server && !m.doors.is_empty());
    machine.into_iter().flat_map(|m| m.doors.values_mut()).for_each(change);
}

/// Shows a certificate that a fault invents.
fn show(world: &mut World, server: &str, issue: Issue) {
    world.issues.push(issue);
    let id = world.issues.len() - 1;
    change(world, server, |door| door.show_only(id));
}

pub(super) fn anyhow(_: &World) -> Vec<String> {
    vec![String::new()]
}

pub(super) fn all(world: &World) -> Vec<String> {
    labels(world, |_, _| true)
}

pub(super) fn show_default(world: &mut World, server: &str) {
    show(world, server, Issue::out_of_box(server));
}

pub(super) fn show_default_without_sni(world: &mut World, server: &str) {
    world.issues.push(Issue::out_of_box(server));
    let id = world.issues.len() - 1;
    change(world, server, |door| door.default = id);
}

pub(super) fn show_other(world: &mut World, server: &str) {
    show(world, server, Issue::new("other", vec!["www.unrelated.example".into()]));
}

pub(super) fn drop_intermediate(world: &mut World, server: &str) {
    change(world, server, |door| door.whole_chain = false);
}

pub(super) fn take_wrong_key(world: &mut World, server: &str) {
    change(world, server, |door| door.wrong_key = true);
}

/// What a port showed in the phase before, if that was another certificate.
fn old(world: &World, machine: MachineId, door: &Door) -> Option<IssueId> {
    let target = match machine.checked_sub(world.plan.servers.len()) {
        None => Target::Server(ServerId(machine)),
        Some(pool) => Target::Pool(PoolId(pool)),
    };
    let phase = world.latest().previous()?;
    let mut issues = world.issues.clone();
    let mut machines = Machines { plan: &world.plan, latest: phase, declared: &world.declared, issues: &mut issues };
    let before = machines.door(target, door.word, door.way, phase, &mut Some(door.default));
    (before.default != door.default).then_some(before.default)
}

pub(super) fn with_old(world: &World) -> Vec<String> {
    labels(world, |i, m| m.doors.values().any(|d| old(world, i, d).is_some()))
}

pub(super) fn show_old(world: &mut World, server: &str) {
    leave(world, server, |_| true);
}

pub(super) fn words(world: &World) -> Vec<String> {
    let mut out = Vec::new();
    for machine in world.planned() {
        let mut words: Vec<_> = machine.doors.values().map(|d| d.word).collect();
        words.sort();
        words.dedup();
        if words.len() > 1 {
            out.extend(words.iter().map(|w| format!("{}/{w}", machine.label)));
        }
    }
    out
}

pub(super) fn leave_behind(world: &mut World, argument: &str) {
    let Some((server, word)) = argument.rsplit_once('/') else { return };
    if leave(world, server, |door| door.word == word) == 0 {
        world.issues.push(Issue::out_of_box(server));
        let id = world.issues.len() - 1;
        change(world, server, |door| {
            if door.word == word {
                door.show_only(id);
            }
        });
    }
}

/// Leaves the old certificate at the ports that are meant; returns at how many there was one.
fn leave(world: &mut World, server: &str, meant: impl Fn(&Door) -> bool) -> usize {
    let mut changes = Vec::new();
    for (i, machine) in world.machines.iter().enumerate().filter(|(_, m)| *m.label == *server) {
        for (port, door) in machine.doors.iter().filter(|(_, d)| meant(d)) {
            changes.extend(old(world, i, door).map(|issue| (i, *port, issue)));
        }
    }
    for (machine, port, issue) in &changes {
        if let Some(door) = world.machines[*machine].doors.get_mut(port) {
            door.show_only(*issue);
        }
    }
    changes.len()
}

pub(super) fn ports(world: &World) -> Vec<String> {
    let of = |m: &Machine| m.doors.keys().map(|port| format!("{}/{port}", m.label)).collect::<Vec<_>>();
    world.planned().iter().flat_map(of).collect()
}

pub(super) fn close_port(world: &mut World, argument: &str) {
    set_port(world, argument, Manner::Closed);
}

pub(super) fn silence_port(world: &mut World, argument: &str) {
    set_port(world, argument, Manner::Silent);
}

fn set_port(world: &mut World, argument: &str, manner: Manner) {
    let Some((server, port)) = argument.rsplit_once('/') else { return };
    for machine in world.machines.iter_mut().filter(|m| *m.label == *server) {
        if let Some(door) = port.parse().ok().and_then(|p: u16| machine.doors.get_mut(&p)) {
            door.manner = manner;
        }
    }
}

pub(super) fn shut_down(world: &mut World, server: &str) {
    change(world, server, |door| door.manner = Manner::Closed);
}

pub(super) fn with_implicit(world: &World) -> Vec<String> {
    labels(world, |_, m| m.doors.values().any(|d| d.way == Way::Implicit))
}

pub(super) fn speak_http(world: &mut World, server: &str) {
    change(world, server, |door| {
        if door.way == Way::Implicit {
            door.manner = Manner::PlainHttp;
        }
    });
}

pub(super) fn speak_old_tls(world: &mut World, server: &str) {
    change(world, server, |door| door.manner = Manner::Old(Age::Tls10));
}

pub(super) fn speak_old_suites(world: &mut World, server: &str) {
    change(world, server, |door| door.manner = Manner::Old(Age::PlainRsa));
}

pub(super) fn refuse_handshakes(world: &mut World, server: &str) {
    change(world, server, |door| door.manner = Manner::Old(Age::Unknown));
}

pub(super) fn with_starttls(world: &World) -> Vec<String> {
    labels(world, |_, m| m.doors.values().any(|d| d.way != Way::Implicit))
}

pub(super) fn hide_starttls(world: &mut World, server: &str) {
    set_starttls(world, server, Manner::StarttlsMissing);
}

pub(super) fn refuse_starttls(world: &mut World, server: &str) {
    set_starttls(world, server, Manner::StarttlsRefused);
}

pub(super) fn inject(world: &mut World, server: &str) {
    set_starttls(world, server, Manner::StarttlsInjected);
}

fn set_starttls(world: &mut World, server: &str, manner: Manner) {
    change(world, server, |door| {
        if door.way != Way::Implicit {
            door.manner = manner;
        }
    });
}

pub(super) fn inspect(world: &mut World, _: &str) {
    world.inspected = true;
}
