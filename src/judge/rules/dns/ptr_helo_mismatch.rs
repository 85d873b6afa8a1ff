//! The address of a new mail server has no name that leads back to it, or another than the server says.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward, told};
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::Look;
use crate::judge::wording;
use crate::model::dns::RecordType;
use crate::model::finding::{Severity, TYPED};
use crate::model::mail_hosts::{self, Sender};
use crate::model::name::Name;
use crate::model::phase::{Moment, Phase};
use crate::model::plan::ViewId;
use crate::model::records::RecordData;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "ptr-helo-mismatch",
    family: "dns",
    severity: Severity::Info,
    summary: "a new mail server's address has no PTR whose name leads back to it, or another name than EHLO says",
    citation: "RFC 1912 section 2.1; RFC 5321 section 4.1.4",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A server that speaks SMTP takes the place of another in this phase, and its public address has no PTR record, or none whose
name has that address in turn; or `helo` of `[mail]` says by which name the server greets others, and no PTR that leads back
has that name. Looked at are the addresses of servers that mail names lead to in the phase, and not in the one before.

# Why it matters

Many receivers refuse mail, or take it for junk, if the address of its sender has no name or the name does not lead back to
the address. The record is written by whoever has the address (the provider), which takes days: ask before the move.

# Example

    expected  9.100.51.198.in-addr.arpa PTR mail.example.org
    seen      9-100-51-198.pool.provider.example from 9.9.9.9, which has no address 198.51.100.9

# Cure

Have the provider of the address set its PTR to the name that the server says in EHLO, and give that name the address. If the
server does not send by itself, but through a relay, waive this rule on it.

# References

RFC 1912 section 2.1 (PTR and A agree); RFC 5321 section 4.1.4 (EHLO); RFC 8601 section 3 (iprev)
";

/// What is known of an address's names.
enum Names {
    /// Nobody answered, or not everything.
    Unknown,
    /// One leads back, and is the one that the server says.
    Right,
    /// There is none.
    Nothing,
    /// There are some, and none leads back.
    Astray(BTreeSet<String>),
    /// Some lead back, and none is what the server says.
    Other(BTreeSet<String>),
}

/// One finding per address and view.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for view in outward(context.case) {
        let Some((from, to)) = change(context, view) else { continue };
        for sender in mail_hosts::new_senders(context.case.plan, view, from, to) {
            let (names, looks) = names(context, view, sender.address);
            match names {
                Names::Unknown | Names::Right => {}
                wrong => drafts.push(draft(context, view, &sender, &wrong, looks)),
            }
        }
    }
}

fn change(context: &Context, view: ViewId) -> Option<(Phase, Phase)> {
    match context.case.policy.moment(context.case.plan, view) {
        Moment::Transition(from, to) | Moment::Ready(from, to) => Some((from, to)),
        Moment::Steady(phase) => Some((phase.previous()?, phase)),
    }
}

/// The names that servers of the plan say in EHLO, as far as it says.
fn said<'a>(context: &Context<'a>) -> BTreeSet<&'a str> {
    context.case.plan.mail.iter().filter_map(|m| m.helo.as_ref()).map(|h| h.value.as_str()).collect()
}

fn names(context: &Context, view: ViewId, address: IpAddr) -> (Names, BTreeSet<Look>) {
    let Some(reverse) = mail_hosts::reverse(address) else { return (Names::Unknown, BTreeSet::new()) };
    let told = told(context, view, &reverse, RecordType::Ptr);
    let mut looks: BTreeSet<Look> = told.looks().collect();
    if !told.is_known() {
        return (Names::Unknown, looks);
    }
    let records = told.replies().flat_map(|(_, reply)| &reply.records);
    let all: BTreeSet<String> = records.filter_map(|r| ptr(&r.data)).map(str::to_string).collect();
    let (mut back, mut is_open) = (BTreeSet::new(), false);
    for name in &all {
        let Ok(host) = Name::parse_owner(name) else { continue };
        let host = beside::host(context, view, &host);
        is_open |= host.addresses.is_empty() && !host.is_absent;
        if host.addresses.contains(&address) {
            back.insert(name.clone());
        }
        looks.extend(host.looks);
    }
    let said = said(context);
    let names = match (all.is_empty(), back.is_empty()) {
        (true, _) => Names::Nothing,
        (false, true) if is_open => Names::Unknown,
        (false, true) => Names::Astray(all),
        (false, false) if said.is_empty() || back.iter().any(|n| said.contains(n.as_str())) => Names::Right,
        (false, false) => Names::Other(back),
    };
    (names, looks)
}

fn ptr(data: &RecordData) -> Option<&str> {
    match data {
        RecordData::Ptr(name) => Some(name),
        _ => None,
    }
}

fn draft(context: &Context, view: ViewId, sender: &Sender, names: &Names, looks: BTreeSet<Look>) -> Draft {
    let plan = context.case.plan;
    let address = sender.address.to_string();
    let label = plan.target_label(sender.target);
    let mut draft = beside::draft(context, &INFO, (&address, Some(view)), plan.view(view).span, &[label]);
    draft.subject.name = None;
    draft.subject.server = Some(label.to_string());
    draft.subject.address = Some(address.clone());
    let listed = |all: &BTreeSet<String>| wording::list(all.iter().map(String::as_str));
    draft.title = match names {
        Names::Astray(all) => format!("{address} ({label}) is called {}, which does not lead back to it", listed(all)),
        Names::Other(all) => format!("{address} ({label}) is called {}, and says another name in EHLO", listed(all)),
        _ => format!("{address} ({label}) has no name in DNS"),
    };
    let said = said(context);
    let wanted = match (said.first(), names) {
        (Some(name), _) => (*name).to_string(),
        (None, Names::Astray(all)) => all.first().cloned().unwrap_or_default(),
        _ => sender.name.to_string(),
    };
    let reverse = mail_hosts::reverse(sender.address).map(|n| n.to_string()).unwrap_or_default();
    draft.expected = vec![format!("{reverse} PTR {wanted}, and {wanted} has the address {address}")];
    draft.seen = match names {
        Names::Astray(all) | Names::Other(all) => vec![format!("{reverse} PTR {}", listed(all))],
        _ => vec![format!("no PTR of {reverse}")],
    };
    draft.hurts = vec![format!("whoever gets mail from {address}: it is refused by some, or taken for junk")];
    draft.remedy.cure = vec![
        format!("let the provider of {address} write:"),
        format!("{TYPED}{reverse}. 3600 IN PTR {wanted}."),
        format!("and give {wanted} the address {address}, if it has it not"),
        format!("if {label} does not send by itself, waive {} on it", INFO.name),
    ];
    draft.looks = looks;
    draft
}
