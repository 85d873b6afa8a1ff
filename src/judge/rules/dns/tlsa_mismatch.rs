//! The TLSA records of a host do not fit what its servers show.

use std::collections::{BTreeMap, BTreeSet};

use super::dane::{self, Fit, Link};
use super::dnssec;
use crate::judge::RuleInfo;
use crate::judge::beside::{self, Told, asks, outward, told};
use crate::judge::draft::{Context, Draft, Key};
use crate::judge::evidence::Look;
use crate::judge::problem::Culprit;
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::dane::Tlsa;
use crate::model::dns::{DnsOutcome, RecordType};
use crate::model::finding::{Severity, TYPED};
use crate::model::mail_hosts::{MailHost, SMTP, listed_ports, mail_hosts, other_ports, tlsa_owner};
use crate::model::name::Name;
use crate::model::obligation::Claim;
use crate::model::plan::{NameId, Target, ViewId};
use crate::model::records::RecordData;
use crate::model::tls::TlsOutcome;
use crate::pki;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "tlsa-mismatch",
    family: "dns",
    severity: Severity::Error,
    summary: "a host has TLSA records for a port, and none fits the certificate that one of its servers shows there",
    citation: "RFC 7672 sections 2.2 and 3.1; RFC 7671 section 5; RFC 6698 sections 2.1 and 3",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

A name of the plan has TLSA records for a port (_25._tcp), and a server of the plan shows a certificate there that none of them
fits: neither its own certificate or key (usage 3) nor an authority that signed it and is sent along (usage 2). Selectors 0 and
1 and matching types 0, 1 and 2 are compared. Each server is held against the records, also an old one that clients still reach.
An error, too: the records cannot be had (SERVFAIL) while the same resolver calls the host's addresses authentic (the AD bit).

Asked for are the records at port 25 of hosts that the plan names in `mx`; where there are some, those of the other ports at
which the plan has services there (submission at 587 and 465, IMAP); and those that [records] lists, whatever the port.

As warnings: no record fits, and the zone is not signed (its parent has no DS), so that everybody ignores them all; or it is a
port whose clients hardly check (other than SMTP, submission and XMPP); or all records are of a kind that clients do not use
(usages 0 and 1 at ports of mail among them), so that TLS is demanded and nobody authenticated.

Names and dates of certificates have rules of their own. Hosts of others are not looked at. No signature of a record is verified
here: a pass says that the records fit, not that a client may believe them.

# Why it matters

Senders that check DANE (Postfix, Exchange Online, many providers) do not deliver to a server that fits no record: mail waits
for days and then bounces, while all others still get through. A certificate that was renewed with a new key, and a new
server with a key of its own, are what breaks it; caches keep the old records for their TTL. So do relays that hand their mail to
a smarthost at 587 or 465 (Postfix), and XMPP servers.

# Example

    expected  _25._tcp.mail.example.org TLSA 3 1 1 8cf1...
    seen      3 1 1 0b9f... from 9.9.9.9

# Cure

Publish a record for every key that is shown, the old and the new, wait for the TTL of the old set, and only then put the new
key or server to use. Delete the old record when its key is shown nowhere any more.

# References

RFC 7672 (DANE for SMTP) sections 2.2, 3.1 and 3.1.3; RFC 7671 sections 4, 5 and 8.1 (rollover); RFC 6698; RFC 7673 (services
that SRV records name)
";

/// Ports whose clients are known to check: SMTP (RFC 7672), submission by relays, XMPP (RFC 7673 section 5).
const CHECKED: [u16; 5] = [SMTP, 465, 587, 5222, 5269];

/// The records of a host as some resolvers of a view gave them.
struct Rrset<'a> {
    records: BTreeSet<&'a Tlsa>,
    told: Told<'a>,
}

/// A certificate that some record set does not fit, and where it is shown.
#[derive(Default)]
struct Unfit<'a> {
    culprits: BTreeSet<Culprit>,
    views: BTreeSet<ViewId>,
    obligations: BTreeSet<usize>,
    looks: BTreeSet<Look>,
    seen: BTreeSet<String>,
    records: BTreeSet<&'a Tlsa>,
}

/// One finding per host and certificate; one for records that nobody can use, or have.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    let plan = context.case.plan;
    let mut hosts: BTreeMap<(NameId, u16), BTreeSet<ViewId>> = BTreeMap::new();
    let mut of: BTreeMap<NameId, usize> = BTreeMap::new();
    for view in outward(context.case) {
        for MailHost { mail, name } in mail_hosts(plan, view) {
            let ports = other_ports(plan, view, name).into_iter().chain([SMTP]);
            ports.for_each(|port| _ = hosts.entry((name, port)).or_default().insert(view));
            of.entry(name).or_insert(mail);
        }
    }
    for view in plan.view_ids().filter(|v| asks(context.case, *v)) {
        listed_ports(plan, view).into_iter().for_each(|at| _ = hosts.entry(at).or_default().insert(view));
    }
    for ((host, port), views) in hosts {
        let Some(owner) = tlsa_owner(&plan.name(host).name, port) else { continue };
        let at = Host { context, host, port, owner, mail: of.get(&host).copied() };
        let mut unfit: BTreeMap<BlobId, Unfit> = BTreeMap::new();
        for view in views {
            drafts.extend(at.fails(view));
            for set in rrsets(context, view, &at.owner) {
                let usable: Vec<&Tlsa> = set.records.iter().copied().filter(|r| r.unusable(port).is_none()).collect();
                match usable.is_empty() {
                    true => drafts.push(at.useless(view, &set)),
                    false => at.hold(view, &set, &usable, &mut unfit),
                }
            }
        }
        drafts.extend(unfit.into_iter().flat_map(|(leaf, unfit)| at.unfit(leaf, &unfit)));
    }
}

/// What the resolvers of a view have, the same sets together; where there are none, nobody demands anything.
fn rrsets<'a>(context: &Context<'a>, view: ViewId, owner: &Name) -> Vec<Rrset<'a>> {
    let mut sets: Vec<Rrset> = Vec::new();
    for word in told(context, view, owner, RecordType::Tlsa).0 {
        let Some(reply) = word.outcome.reply() else { continue };
        let records: BTreeSet<&Tlsa> = reply.records.iter().filter_map(|r| tlsa(&r.data)).collect();
        match sets.iter_mut().find(|s| s.records == records) {
            Some(set) => set.told.0.push(word),
            None if records.is_empty() => {}
            None => sets.push(Rrset { records, told: Told(vec![word]) }),
        }
    }
    sets
}

fn tlsa(data: &RecordData) -> Option<&Tlsa> {
    match data {
        RecordData::Tlsa(tlsa) => Some(tlsa),
        _ => None,
    }
}

/// A host whose records are looked at.
struct Host<'c, 'a> {
    context: &'c Context<'a>,
    host: NameId,
    port: u16,
    owner: Name,
    mail: Option<usize>,
}

impl<'a> Host<'_, 'a> {
    fn name(&self) -> &'a Name {
        &self.context.case.plan.name(self.host).name
    }

    /// Whose mail it takes, else its own name.
    fn domain(&self) -> &'a str {
        let mail = self.mail.and_then(|m| self.context.case.plan.mail.get(m));
        mail.map_or(self.name().as_str(), |m| m.domain.as_str())
    }

    /// Holds a record set against every chain that clients of the view may be shown.
    fn hold(&self, view: ViewId, set: &Rrset<'a>, usable: &[&'a Tlsa], unfit: &mut BTreeMap<BlobId, Unfit<'a>>) {
        let case = self.context.case;
        for (index, look, culprit) in self.met(view) {
            let Some(TlsOutcome::Certificate(served)) = case.evidence.tls(look) else { continue };
            let link = |id: &BlobId| Some((case.certificates.der(*id)?, case.certificates.facts(*id).ok()?));
            let chain: Vec<Link> = served.chain.iter().map_while(link).collect();
            let Some(leaf) = served.chain.first().filter(|_| !chain.is_empty()) else { continue };
            if dane::fit(usable, &chain) != Fit::No || self.context.suspicion.leaves.contains(leaf) {
                continue;
            }
            let unfit = unfit.entry(*leaf).or_default();
            unfit.culprits.insert(culprit);
            unfit.views.insert(view);
            unfit.obligations.insert(index);
            unfit.looks.extend(set.told.looks().chain([look]));
            unfit.seen.extend(set.told.lines());
            unfit.records.extend(&set.records);
        }
    }

    /// What was met where a sender comes who follows the host in this view.
    fn met(&self, view: ViewId) -> Vec<(usize, Look, Culprit)> {
        let case = self.context.case;
        let concerns = |(i, o): &(usize, &crate::model::obligation::Obligation)| match &*o.claim {
            Claim::Serves { service, .. } => {
                o.name == self.host && service.port == self.port && case.is_due(*i) && case.views(*i).contains(&view)
            }
            Claim::Path { service, view: of, .. } => {
                (o.name, *of) == (self.host, view) && service.port == self.port && case.is_due(*i)
            }
            _ => false,
        };
        let due = case.obligations.iter().enumerate().filter(concerns);
        let planned = |culprit: &Culprit| matches!(culprit, Culprit::Planned(_));
        let met = due.flat_map(|(i, _)| self.context.assessed[i].met.iter().map(move |m| (i, m.look, m.culprit)));
        met.filter(|(_, _, culprit)| planned(culprit)).collect()
    }

    /// A finding for each waiver that accepts a part of it.
    fn unfit(&self, leaf: BlobId, unfit: &Unfit) -> Vec<Draft> {
        let mut groups: BTreeMap<Option<usize>, BTreeSet<Culprit>> = BTreeMap::new();
        for culprit in &unfit.culprits {
            let who = wording::culprit(self.context.case.plan, *culprit);
            let mut labels = vec![self.name().as_str(), self.owner.as_str(), self.domain(), who.as_str()];
            labels.extend(unfit.views.iter().map(|v| wording::view(self.context.case.plan, *v)));
            groups.entry(self.context.waiver_on(&INFO, &labels)).or_default().insert(*culprit);
        }
        groups.into_iter().map(|(waiver, culprits)| self.draft(leaf, unfit, waiver, &culprits)).collect()
    }

    fn draft(&self, leaf: BlobId, unfit: &Unfit, waiver: Option<usize>, culprits: &BTreeSet<Culprit>) -> Draft {
        let (case, plan) = (self.context.case, self.context.case.plan);
        let mut draft = self.plain(unfit.views.iter().copied());
        draft.waiver = waiver;
        let who: Vec<String> = culprits.iter().map(|c| wording::culprit(plan, *c)).collect();
        let listed = wording::list(who.iter().map(String::as_str));
        let verb = if who.len() == 1 { "shows" } else { "show" };
        draft.title = format!("no TLSA record of {} fits what {listed} {verb} at port {}", self.name(), self.port);
        if let ([only], [Culprit::Planned(Target::Server(_) | Target::Pool(_))]) =
            (who.as_slice(), culprits.iter().collect::<Vec<_>>().as_slice())
        {
            draft.subject.server = Some(only.clone());
        }
        let right = self.right(leaf);
        draft.expected = right.iter().map(|r| format!("{} TLSA {r}", self.owner)).collect();
        draft.seen = wording::cut(unfit.seen.iter().cloned().collect());
        draft.seen.push(format!("{}, shown by {listed}", wording::leaf(case, leaf)));
        draft.hurts = vec![self.hurts()];
        if !CHECKED.contains(&self.port) {
            draft.severity = Severity::Warning;
        }
        if unfit.views.iter().all(|v| dnssec::is_unsigned(self.context, *v, self.name())) {
            draft.severity = Severity::Warning;
            draft.hurts = vec![format!(
                "nobody as long as the zone of {} is not signed, as it is now: clients ignore the records",
                self.name()
            )];
        }
        let ttl = plan.cutover.low_ttl;
        let line = |r: &Tlsa| format!("{TYPED}{}. {ttl} IN TLSA {r}", self.owner);
        let zone = unfit.views.first().map(|v| super::zone_word(case, *v)).unwrap_or_default();
        draft.remedy.cure = std::iter::once(format!("{zone}, beside the records of other keys that are in use:"))
            .chain(right.iter().map(line))
            .collect();
        draft.remedy.cure.extend(self.idle(unfit.records.iter().copied()));
        draft.keys = culprits.iter().map(|c| Key::Served(*c, leaf)).collect();
        draft.obligations = unfit.obligations.clone();
        draft.looks = unfit.looks.clone();
        draft
    }

    /// The record to publish: of the key, which outlives a renewal that keeps it (RFC 7671 section 5.1).
    fn right(&self, leaf: BlobId) -> Option<Tlsa> {
        let association = pki::association(self.context.case.certificates.der(leaf)?, 1, 1)?;
        Some(Tlsa { usage: 3, selector: 1, matching: 1, association })
    }

    /// What stands there for nothing.
    fn idle<'r>(&self, records: impl Iterator<Item = &'r Tlsa>) -> Option<String> {
        let idle: Vec<String> = records.filter(|r| r.unusable(self.port).is_some()).map(Tlsa::to_string).collect();
        (!idle.is_empty())
            .then(|| format!("delete what no client uses: {}", wording::list(idle.iter().map(String::as_str))))
    }

    fn hurts(&self) -> String {
        let (domain, port) = (self.domain(), self.port);
        match port {
            SMTP => {
                format!(
                    "whoever writes to {domain} and checks DANE, where the zone is signed: mail waits, then bounces"
                )
            }
            _ => format!(
                "clients of {} at port {port} that check DANE, where the zone is signed: they do not go on",
                self.name()
            ),
        }
    }

    fn plain(&self, views: impl Iterator<Item = ViewId> + Clone) -> Draft {
        let plan = self.context.case.plan;
        let only = { views.clone() }.next().filter(|_| views.clone().count() == 1);
        let labels: Vec<&str> =
            views.map(|v| wording::view(plan, v)).chain([self.owner.as_str(), self.domain()]).collect();
        let span = plan.name(self.host).span;
        beside::draft(self.context, &INFO, (self.name().as_str(), only), span, &labels)
    }

    /// A set that has records and none of use.
    fn useless(&self, view: ViewId, set: &Rrset) -> Draft {
        let mut draft = self.plain([view].into_iter());
        draft.severity = Severity::Warning;
        draft.title = format!("clients can use none of the TLSA records of {} for port {}", self.name(), self.port);
        let leaves: BTreeSet<BlobId> = self.leaves(view);
        let right: BTreeSet<Tlsa> = leaves.iter().filter_map(|leaf| self.right(*leaf)).collect();
        draft.expected = match right.is_empty() {
            true => vec!["TLSA records of usage 3 or 2".into()],
            false => right.iter().map(|r| format!("{} TLSA {r}", self.owner)).collect(),
        };
        let why = |r: &&Tlsa| format!("{r} ({})", r.unusable(self.port).unwrap_or_default());
        draft.seen = wording::cut(set.records.iter().map(why).collect());
        draft.hurts =
            vec![format!("whoever checks the records of {}: TLS is demanded, no matter with whom", self.owner)];
        let ttl = self.context.case.plan.cutover.low_ttl;
        let line = |r: &Tlsa| format!("{TYPED}{}. {ttl} IN TLSA {r}", self.owner);
        let zone = super::zone_word(self.context.case, view);
        draft.remedy.cure =
            std::iter::once(format!("{zone}, in the place of those:")).chain(right.iter().map(line)).collect();
        if right.is_empty() {
            draft.remedy.cure =
                vec![format!("{zone}: replace them by records \"3 1 1\" of the keys in use, or delete them")];
        }
        draft.looks = set.told.looks().collect();
        draft
    }

    fn leaves(&self, view: ViewId) -> BTreeSet<BlobId> {
        let case = self.context.case;
        let leaf = |(_, look, _): (usize, Look, Culprit)| match case.evidence.tls(look) {
            Some(TlsOutcome::Certificate(served)) => served.chain.first().copied(),
            _ => None,
        };
        self.met(view).into_iter().filter_map(leaf).collect()
    }

    /// A resolver that vouches for the host's addresses and fails for its TLSA: senders must take that for an attack
    /// (RFC 7672 section 2.1.2).
    fn fails(&self, view: ViewId) -> Option<Draft> {
        let told_of = |kind| told(self.context, view, self.name(), kind);
        let vouched = RecordType::ALL.map(told_of);
        let is_signed = |resolver: &str| {
            let words = vouched.iter().flat_map(Told::replies);
            words.into_iter().any(|(w, reply)| w.resolver == resolver && reply.authenticated)
        };
        let failing = told(self.context, view, &self.owner, RecordType::Tlsa).0.into_iter();
        let failing: Vec<_> =
            failing.filter(|w| *w.outcome == DnsOutcome::ServFail && is_signed(&w.resolver)).collect();
        if failing.is_empty() {
            return None;
        }
        let failing = Told(failing);
        let mut draft = self.plain([view].into_iter());
        draft.title = format!("the addresses of {} are called authentic, and its TLSA cannot be had", self.name());
        draft.expected = vec![format!("{} TLSA: records, or a signed denial", self.owner)];
        draft.seen = failing.lines();
        draft.hurts = vec![self.hurts()];
        draft.remedy.cure = vec![format!(
            "let the servers of {} answer type TLSA (zone, DNSSEC, firewall); a signed NODATA will do",
            self.domain()
        )];
        draft.looks = failing.looks().collect();
        Some(draft)
    }
}
