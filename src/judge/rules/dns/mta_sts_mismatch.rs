//! The MTA-STS policy of a mail domain does not fit its mail hosts, or cannot be had.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::judge::RuleInfo;
use crate::judge::beside::{self, outward, told};
use crate::judge::draft::{Context, Draft};
use crate::judge::evidence::{Found, Look};
use crate::judge::wording;
use crate::model::certificate::BlobId;
use crate::model::dns::RecordType;
use crate::model::finding::{Severity, TYPED};
use crate::model::http::{HttpOutcome, HttpProbe, Page};
use crate::model::mta_sts::{self, Mode, Policy, Record};
use crate::model::name::Name;
use crate::model::observation::{Probe, TlsProbe};
use crate::model::plan::{MailDomain, ViewId};
use crate::model::questions;
use crate::model::records::RecordData;
use crate::model::service::Way;
use crate::model::tls::TlsOutcome;

/// What is known of the rule.
pub(super) const INFO: RuleInfo = RuleInfo {
    name: "mta-sts-mismatch",
    family: "dns",
    severity: Severity::Error,
    summary: "a mail domain's MTA-STS policy does not list a host that takes its mail, or cannot be had",
    citation: "RFC 8461 sections 3.1, 3.2, 3.3 and 4.1",
    page: PAGE,
};

const PAGE: &str = "\
# What it means

The domain has a record at _mta-sts that says that there is a policy, and the policy at
https://mta-sts.DOMAIN/.well-known/mta-sts.txt does not list (itself or by `*.`) a host that the plan names in `mx` for this
phase: an error if its mode is `enforce`, a warning if it is `testing`. As warnings: the record is void (several of them, or
without an id); the host mta-sts.DOMAIN does not exist, or shows a certificate that is not for it or not trusted; the policy is
no policy, or the server answers with another status than 200 (redirects are not followed).

The policy is asked for at every address of its host, if the run stands in the view in which the world outside is seen; up to
64 KiB are read. That the id changes together with the policy cannot be seen in one run.

# Why it matters

Senders that keep to MTA-STS (Gmail, Exchange Online, many others) do not deliver to a host that the policy does not list, and
they keep a policy for weeks. A new MX that was not listed before mail goes there gets none of theirs; it comes back to its
senders after days.

# Example

    expected  mx: mail2.example.org in the policy of example.org
    seen      mode enforce, mx: mail.example.org

# Cure

List the new host beside the old one, then change the id in the record, wait until its TTL is over, and only then change MX.
Take the old host out when no MX leads to it any more.

# References

RFC 8461 sections 3 (record and policy), 4.1 (which hosts fit), 5 (modes) and 8.2 (changing hosts)
";

/// What a domain says of MTA-STS in a view.
struct Said<'c, 'a> {
    context: &'c Context<'a>,
    mail: &'a MailDomain,
    index: usize,
    view: ViewId,
    host: Name,
    /// The record and who gave it.
    record: Vec<String>,
    looks: BTreeSet<Look>,
}

/// What came of asking for the policy.
#[derive(Default)]
struct Answers<'a> {
    policies: Vec<(SocketAddr, &'a str)>,
    /// Words that are no policy.
    refused: BTreeSet<String>,
    looks: BTreeSet<Look>,
    /// True if something was asked and nothing came.
    silent: bool,
}

/// One finding per domain, view and fault.
pub(super) fn check(context: &Context, drafts: &mut Vec<Draft>) {
    for (index, mail) in context.case.plan.mail.iter().enumerate() {
        for view in outward(context.case) {
            match record(context, index, mail, view) {
                Some((Record::Id(_), said)) => said.policy(drafts),
                Some((Record::Void(why), said)) => drafts.push(said.void(why)),
                _ => {}
            }
        }
    }
}

/// Domains with a record, of whose policy nothing could be learned.
pub(in crate::judge) fn unknown(context: &Context) -> Vec<String> {
    let mut out = Vec::new();
    for (index, mail) in context.case.plan.mail.iter().enumerate() {
        for view in outward(context.case) {
            let Some((Record::Id(_), said)) = record(context, index, mail, view) else { continue };
            let (known, answers) = (beside::host(context, view, &said.host), said.answers());
            if !known.is_absent && answers.policies.is_empty() && answers.refused.is_empty() {
                let label = wording::view(context.case.plan, view);
                let why = if answers.silent { "no answer" } else { "asked from there only" };
                out.push(format!("what the MTA-STS policy of {} lists in {label} ({why})", mail.domain));
            }
        }
    }
    out
}

/// The record, as the first resolver that has one gives it; where they differ, one is older.
fn record<'c, 'a>(
    context: &'c Context<'a>,
    index: usize,
    mail: &'a MailDomain,
    view: ViewId,
) -> Option<(Record, Said<'c, 'a>)> {
    let (owner, host) = (mta_sts::owner(&mail.domain)?, mta_sts::host(&mail.domain)?);
    for word in told(context, view, &owner, RecordType::Txt).0 {
        let Some(reply) = word.outcome.reply() else { continue };
        let texts: Vec<&str> = reply.records.iter().filter_map(|r| text(&r.data)).collect();
        let record = Record::of(texts.iter().copied());
        if record != Record::Nothing {
            let line = format!("{owner} TXT {} from {}", word.outcome, word.resolver);
            let looks = [word.look].into();
            return Some((record, Said { context, mail, index, view, host, record: vec![line], looks }));
        }
    }
    None
}

fn text(data: &RecordData) -> Option<&str> {
    match data {
        RecordData::Txt(text) => Some(text),
        _ => None,
    }
}

impl<'a> Said<'_, 'a> {
    fn draft(&self, title: String, labels: &[&str]) -> Draft {
        let (domain, view) = (self.mail.domain.as_str(), Some(self.view));
        let labels: Vec<&str> = labels.iter().copied().chain([self.host.as_str()]).collect();
        let mut draft = beside::draft(self.context, &INFO, (domain, view), self.mail.span, &labels);
        draft.severity = Severity::Warning;
        draft.title = title;
        draft.seen = self.record.clone();
        draft.looks = self.looks.clone();
        draft.hurts =
            vec![format!("whoever writes to {domain}: without a policy mail may be read and turned aside on its way")];
        draft
    }

    fn void(&self, why: &str) -> Draft {
        let domain = &self.mail.domain;
        let mut draft = self.draft(format!("senders take the MTA-STS record of {domain} for none: {why}"), &[]);
        draft.expected = vec![format!("one record _mta-sts.{domain} TXT \"v=STSv1; id=...\"")];
        draft.remedy.cure = self.publish("write this record and no other of its kind:");
        draft
    }

    /// The record with an id that was not there before: the time that is judged.
    fn publish(&self, first: &str) -> Vec<String> {
        let plan = self.context.case.plan;
        let id = self.context.case.now.strftime("%Y%m%d%H%M%S");
        let zone = super::zone_word(self.context.case, self.view);
        let (domain, ttl) = (&self.mail.domain, plan.cutover.low_ttl);
        vec![format!("{zone}, {first}"), format!("{TYPED}_mta-sts.{domain}. {ttl} IN TXT \"v=STSv1; id={id}\"")]
    }

    fn policy(&self, drafts: &mut Vec<Draft>) {
        let known = beside::host(self.context, self.view, &self.host);
        if known.is_absent {
            drafts.push(self.absent(&known));
            return;
        }
        drafts.extend(self.certificate(&known));
        let answers = self.answers();
        let mut refused = answers.refused.clone();
        let mut faults: BTreeMap<(Mode, Vec<String>), (Policy, BTreeSet<SocketAddr>)> = BTreeMap::new();
        for (address, body) in &answers.policies {
            match Policy::parse(body) {
                Ok(policy) => {
                    let lacking = self.lacking(&policy);
                    if policy.mode != Mode::None && !lacking.is_empty() {
                        faults
                            .entry((policy.mode, lacking))
                            .or_insert_with(|| (policy, BTreeSet::new()))
                            .1
                            .insert(*address);
                    }
                }
                Err(why) => {
                    refused.insert(format!("{address}: no policy: {why}"));
                }
            }
        }
        if !refused.is_empty() {
            drafts.push(self.refused(refused, &answers.looks));
        }
        for ((_, lacking), (policy, at)) in faults {
            drafts.push(self.lacks(&lacking, &policy, &at, &answers.looks));
        }
    }

    /// What was answered at each address of the policy's host, over connections that this run may judge.
    fn answers(&self) -> Answers<'a> {
        let case = self.context.case;
        let mut out = Answers::default();
        for address in beside::host(self.context, self.view, &self.host).addresses {
            let address = SocketAddr::new(address, 443);
            let probe = Probe::Http(HttpProbe { address, name: self.host.clone(), page: Page::MtaSts });
            let Found::Fresh(looks) = case.evidence.find(&probe, |_| true) else { continue };
            for look in looks {
                match case.evidence.http(look) {
                    Some(HttpOutcome::Head(head)) if head.status == 200 => {
                        out.policies.push((address, head.body.as_deref().unwrap_or_default()));
                    }
                    Some(HttpOutcome::Head(head)) => {
                        out.refused.insert(format!("{address}: status {}", head.status));
                    }
                    Some(other @ (HttpOutcome::NotHttp(_) | HttpOutcome::TooLarge)) => {
                        out.refused.insert(format!("{address}: {other}"));
                    }
                    _ => out.silent = true,
                }
                out.looks.insert(look);
            }
        }
        out
    }

    /// The hosts of the phase, or while it changes of both, that the policy does not list.
    fn lacking(&self, policy: &Policy) -> Vec<String> {
        let case = self.context.case;
        let wanted = questions::mx_wanted(case.plan, case.policy, self.view, self.index);
        let hosts: BTreeSet<&str> = wanted.into_iter().flatten().map(|h| h.value.as_str()).collect();
        hosts.into_iter().filter(|h| !policy.lists(h)).map(str::to_string).collect()
    }

    fn lacks(&self, lacking: &[String], policy: &Policy, at: &BTreeSet<SocketAddr>, looks: &BTreeSet<Look>) -> Draft {
        let domain = &self.mail.domain;
        let listed = wording::list(lacking.iter().map(String::as_str));
        let labels: Vec<&str> = lacking.iter().map(String::as_str).collect();
        let mut draft = self.draft(format!("the MTA-STS policy of {domain} does not list {listed}"), &labels);
        let (mode, verb) = match policy.mode {
            Mode::Enforce => ("enforce", "do not deliver there, and mail comes back after days"),
            _ => ("testing", "report it, and will not deliver there once the mode is enforce"),
        };
        if policy.mode == Mode::Enforce {
            draft.severity = INFO.severity;
        }
        draft.expected = lacking.iter().map(|h| format!("mx: {h} in the policy of {domain}")).collect();
        let mx = policy.mx.iter().map(|m| format!("mx: {m}"));
        let places: Vec<String> = at.iter().map(ToString::to_string).collect();
        let from = wording::list(places.iter().map(String::as_str));
        draft.seen.push(format!("mode: {mode}, from {from}"));
        draft.seen.extend(wording::cut(mx.collect()));
        draft.hurts = vec![format!("senders to {domain} that keep to MTA-STS: they {verb}")];
        let first = format!("in https://{}/.well-known/mta-sts.txt:", self.host);
        draft.remedy.cure = [first].into_iter().chain(lacking.iter().map(|h| format!("{TYPED}mx: {h}"))).collect();
        draft.remedy.cure.extend(self.publish("then, so that senders fetch it anew:"));
        draft.remedy.cure.push("wait for the TTL of the old record before mail goes to the host".into());
        draft.looks.extend(looks);
        draft
    }

    fn refused(&self, refused: BTreeSet<String>, looks: &BTreeSet<Look>) -> Draft {
        let domain = &self.mail.domain;
        let mut draft = self.draft(format!("the MTA-STS policy of {domain} cannot be had"), &[]);
        draft.expected = vec![format!("https://{}/.well-known/mta-sts.txt: status 200 and a policy", self.host)];
        draft.seen.extend(wording::cut(refused.into_iter().collect()));
        draft.remedy.cure = vec![
            format!("serve the policy at https://{}/.well-known/mta-sts.txt, without a redirect", self.host),
            format!("or give MTA-STS up: mode none first, and delete _mta-sts.{domain} when max_age is over"),
        ];
        draft.looks.extend(looks);
        draft
    }

    fn absent(&self, known: &beside::Host) -> Draft {
        let domain = &self.mail.domain;
        let title = format!("{domain} says that it has an MTA-STS policy, and {} does not exist", self.host);
        let mut draft = self.draft(title, &[]);
        draft.expected = vec![format!("{} has an address", self.host)];
        draft.seen.extend(known.said.iter().cloned());
        draft.remedy.cure = vec![format!("give {} an address and the policy, or delete _mta-sts.{domain}", self.host)];
        draft.looks.extend(&known.looks);
        draft
    }

    /// Whether senders accept the certificate of the policy's host (RFC 8461 section 3.3); a name of the plan is judged as
    /// such, and behind a proxy that shows its own nobody knows.
    fn certificate(&self, known: &beside::Host) -> Option<Draft> {
        let case = self.context.case;
        let is_planned = case.plan.names.iter().any(|n| n.name == self.host);
        if is_planned || !self.context.suspicion.leaves.is_empty() {
            return None;
        }
        let (mut seen, mut looks) = (BTreeSet::new(), BTreeSet::new());
        for address in &known.addresses {
            let address = SocketAddr::new(*address, 443);
            let probe = TlsProbe { address, way: Way::Implicit, sni: Some(self.host.clone()), face: None };
            let label = &case.plan.view(self.view).label;
            let found = case.evidence.find(&Probe::Tls(probe), |run| run.stands_in.contains(label));
            let Found::Fresh(all) = found else { continue };
            for look in all {
                let Some(TlsOutcome::Certificate(served)) = case.evidence.tls(look) else { continue };
                let Some(leaf) = served.chain.first() else { continue };
                let Some(why) = self.refusal(*leaf, &served.chain) else { continue };
                seen.insert(format!("{} at {address}: {why}", wording::leaf(case, *leaf)));
                looks.insert(look);
            }
        }
        if seen.is_empty() {
            return None;
        }
        let title = format!("senders do not accept the certificate of {}", self.host);
        let mut draft = self.draft(title, &[]);
        draft.expected = vec![format!("a trusted certificate for {}", self.host)];
        draft.seen.extend(wording::cut(seen.into_iter().collect()));
        draft.remedy.cure = vec![format!("install a certificate for {} there", self.host)];
        draft.looks.extend(looks);
        Some(draft)
    }

    /// Why senders do not accept a certificate of the policy's host; `None` if they do, or nobody knows.
    fn refusal(&self, leaf: BlobId, chain: &'a [BlobId]) -> Option<String> {
        let certificates = &self.context.case.certificates;
        if let Some(Err(why)) = certificates.identify(leaf, &self.host) {
            return Some(wording::mismatch(&why));
        }
        match certificates.path(chain, self.view)? {
            path if path.untrusted.is_some() => Some("no trusted authority issued it".into()),
            path if !path.dates.is_empty() => Some("it is outside its dates".into()),
            _ => None,
        }
    }
}
