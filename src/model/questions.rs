//! Questions that no obligation demands and some rules ask: mail, records, zones, wildcards, who may issue. Which of them
//! belong to a plan is told here, for those who ask and for the judge, who says which were not answered.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use sha2::{Digest, Sha256};

use super::delegation;
use super::dns::{RecordType, ResolverAddr};
use super::mail_hosts::{SMTP, mail_hosts, new_senders, reverse, tlsa_owner};
use super::mta_sts;
use super::name::Name;
use super::phase::{Moment, Phase};
use super::plan::{
    Autodiscover, Certificate, CertificateSource, NameId, Plan, PlannedName, PlannedRecord, ViewId, ViewKind, Wanted,
};
use super::policy::Policy;
use super::signed;

/// Domains whose wildcards are looked for, at most.
pub const WILDCARDS: usize = 64;

/// Names whose CAA records are asked for in a view, at most.
pub const CAA_NAMES: usize = 256;

/// Addresses from which mail comes whose names are asked for in a view, at most.
pub const SENDERS: usize = 64;

/// What a question is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// MX, SPF and MTA-STS of `[mail]`, the hosts and their TLSA, and names of senders.
    Mail,
    /// Where clients look for autodiscover.
    Autodiscover,
    /// `[records]`.
    Records,
    /// DNS wildcards above the plan's names.
    Wildcards,
    /// Internal zones that hide what stands outside.
    Shadows,
    /// The servers of `[zones]`.
    Authoritatives,
    /// The zones above those of `[zones]`, whose servers say who serves these.
    Delegations,
    /// Who may issue what is to be ordered.
    Caa,
    /// The DS records of the plan's zones.
    Signed,
    /// Names of which the plan says nothing before the transition that is due.
    Ahead,
}

impl Topic {
    /// What it is for, in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mail => "MX, SPF, MTA-STS, TLSA and PTR of [mail]",
            Self::Autodiscover => "where clients look for autodiscover",
            Self::Records => "[records]",
            Self::Wildcards => "DNS wildcards",
            Self::Shadows => "internal zones that hide public names",
            Self::Authoritatives => "the servers of [zones]",
            Self::Delegations => "what the parents of [zones] say of their servers",
            Self::Caa => "CAA records",
            Self::Signed => "DNSSEC of the plan's zones",
            Self::Ahead => "names of which nothing is said before the transition",
        }
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// What it is for.
    pub topic: Topic,
    /// The view.
    pub view: ViewId,
    /// The server that is asked; `None`: all resolvers of the view.
    pub server: Option<ResolverAddr>,
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub kind: RecordType,
}

/// The questions of a plan under a policy, each once for its topic, in a fixed order.
pub fn questions(plan: &Plan, policy: &Policy) -> Vec<Question> {
    if !policy.asks_beside() {
        return Vec::new();
    }
    let mut all = Questions { plan, out: BTreeSet::new() };
    all.mail();
    all.autodiscover();
    all.records();
    all.wildcards();
    all.shadows();
    all.authoritatives();
    all.caa();
    all.signed();
    for (view, zone) in delegation::zones(plan, |v| policy.looks_at(v)) {
        let above = delegation::parent_of(&zone.apex);
        above.iter().for_each(|above| all.ask(Topic::Delegations, view, above, &[RecordType::Ns]));
    }
    for (name, view) in ahead(plan, policy) {
        all.ask(Topic::Ahead, view, &plan.name(name).name.probe(), &RecordType::ALL);
    }
    let asked = |q: &Question| policy.views.as_ref().is_none_or(|views| views.contains(&q.view));
    all.out.into_iter().filter(asked).collect()
}

struct Questions<'a> {
    plan: &'a Plan,
    out: BTreeSet<Question>,
}

impl Questions<'_> {
    fn ask(&mut self, topic: Topic, view: ViewId, name: &Name, kinds: &[RecordType]) {
        let question = |kind: &RecordType| Question { topic, view, server: None, name: name.clone(), kind: *kind };
        self.out.extend(kinds.iter().map(question));
    }

    fn mail(&mut self) {
        for mail in &self.plan.mail {
            for view in outward(self.plan) {
                self.ask(Topic::Mail, view, &mail.domain, &[RecordType::Mx, RecordType::Txt]);
                mta_sts::owner(&mail.domain).iter().for_each(|o| self.ask(Topic::Mail, view, o, &[RecordType::Txt]));
                mta_sts::host(&mail.domain).iter().for_each(|h| self.ask(Topic::Mail, view, h, &RecordType::ALL));
                for target in mail.mx.iter().flatten().flatten() {
                    self.ask(Topic::Mail, view, &target.value, &RecordType::ALL);
                }
            }
        }
        self.senders();
        for view in outward(self.plan) {
            for host in mail_hosts(self.plan, view) {
                if let Some(owner) = tlsa_owner(&self.plan.name(host.name).name, SMTP) {
                    self.ask(Topic::Mail, view, &owner, &[RecordType::Tlsa]);
                }
            }
        }
    }

    /// The names of the addresses from which mail comes after a change, and those that servers say.
    fn senders(&mut self) {
        let plan = self.plan;
        for view in outward(plan).into_iter().filter(|_| !plan.mail.is_empty()) {
            let changes = Phase::ALL.into_iter().filter_map(|to| Some((to.previous()?, to)));
            let new: Vec<_> = changes.flat_map(|(from, to)| new_senders(plan, view, from, to)).collect();
            for owner in new.iter().take(SENDERS).filter_map(|s| reverse(s.address)) {
                self.ask(Topic::Mail, view, &owner, &[RecordType::Ptr]);
            }
            for helo in plan.mail.iter().filter_map(|m| m.helo.as_ref()).filter(|_| !new.is_empty()) {
                self.ask(Topic::Mail, view, &helo.value, &RecordType::ALL);
            }
        }
    }

    fn autodiscover(&mut self) {
        for candidates in candidates(self.plan) {
            for view in self.plan.view_ids() {
                self.ask(Topic::Autodiscover, view, &candidates.srv, &[RecordType::Srv]);
                for name in &candidates.names {
                    self.ask(Topic::Autodiscover, view, name, &RecordType::ALL);
                }
            }
        }
    }

    fn records(&mut self) {
        for record in &self.plan.records {
            let Some(kind) = RecordType::of_word(&record.kind) else { continue };
            for view in record_views(self.plan, record) {
                self.ask(Topic::Records, view, &record.owner, &[kind]);
            }
        }
    }

    fn wildcards(&mut self) {
        let (label, parents) = (unlikely_label(self.plan), parents(self.plan));
        let nowhere = Name::parse(&format!("{label}.invalid")).ok();
        for view in self.plan.view_ids().filter(|_| !parents.is_empty()) {
            let below = parents.iter().take(WILDCARDS).filter_map(|p| Name::parse(&format!("{label}.{p}")).ok());
            below.for_each(|name| self.ask(Topic::Wildcards, view, &name, &RecordType::ALL));
            nowhere.iter().for_each(|name| self.ask(Topic::Wildcards, view, name, &[RecordType::A]));
        }
    }

    fn shadows(&mut self) {
        let declared = Declared::of(self.plan);
        let both =
            [ViewKind::Internal, ViewKind::External].iter().all(|k| self.plan.views.iter().any(|v| v.kind == *k));
        for domain in domains(self.plan).into_iter().filter(|_| both) {
            for view in self.plan.view_ids() {
                self.ask(Topic::Shadows, view, &domain, &[RecordType::Soa]);
                for name in public_names(self.plan, &declared, &domain) {
                    self.ask(Topic::Shadows, view, &name, &RecordType::ALL);
                }
            }
        }
    }

    fn authoritatives(&mut self) {
        for zone in self.plan.zones.iter().filter(|z| z.servers.len() > 1) {
            let Some(view) = zone.views.first().copied() else { continue };
            let deep = self.plan.settings.authoritative || self.plan.view(view).settings.authoritative;
            for server in &zone.servers {
                let question = |name: &Name, kind| Question {
                    topic: Topic::Authoritatives,
                    view,
                    server: Some(server.value.clone()),
                    name: name.clone(),
                    kind,
                };
                self.out
                    .extend([RecordType::Soa, RecordType::Ns, RecordType::Mx].map(|kind| question(&zone.apex, kind)));
                let names = self.plan.names.iter().filter(|n| deep && n.name.is_under(zone.apex.as_str()));
                self.out.extend(names.flat_map(|n| RecordType::ALL.map(|kind| question(&n.name.probe(), kind))));
            }
        }
    }

    /// The parent says whether a zone is signed; its keys are asked for where it does.
    fn signed(&mut self) {
        for zone in signed::zones(self.plan) {
            for view in outward(self.plan) {
                self.ask(Topic::Signed, view, &zone, &[RecordType::Ds]);
            }
        }
    }

    fn caa(&mut self) {
        let names = |c: &Certificate| {
            // An authority by its name only may be one's own: public ones certify public names.
            let by_domain = outside_issuer(c).is_some_and(|issuer| issuer.contains('.'));
            let names = ordered_names(c).into_iter();
            names
                .filter(|n| by_domain || psl::suffix(n.as_str().as_bytes()).is_some_and(|s| s.is_known()))
                .collect::<Vec<_>>()
        };
        let orders = self.plan.certificates.iter().filter(|c| outside_issuer(c).is_some());
        let names: BTreeSet<Name> = orders.flat_map(names).flat_map(|n| caa_owners(&n)).collect();
        for view in outward(self.plan) {
            for name in names.iter().take(CAA_NAMES) {
                self.ask(Topic::Caa, view, name, &[RecordType::Caa]);
            }
        }
    }
}

/// Names that a transition leads somewhere, and of which the plan says nothing until then, with the views.
pub fn ahead(plan: &Plan, policy: &Policy) -> Vec<(NameId, ViewId)> {
    let in_transition = plan.view_ids().filter_map(|view| match policy.moment(plan, view) {
        Moment::Transition(first, second) => Some((view, first, second)),
        Moment::Steady(_) | Moment::Ready(..) => None,
    });
    let mut out = Vec::new();
    for (view, first, second) in in_transition {
        let is = |name: &NameId| {
            let wanted = |phase| plan.name(*name).wanted(view, phase);
            *wanted(first) == Wanted::Unconstrained && matches!(wanted(second), Wanted::Targets(_))
        };
        out.extend((0..plan.names.len()).map(NameId).filter(is).map(|name| (name, view)));
    }
    out
}

/// The views in which the world outside is seen: the external ones, or all where there is none.
pub fn outward(plan: &Plan) -> Vec<ViewId> {
    let outside: Vec<ViewId> = plan.view_ids().filter(|v| plan.view(*v).kind == ViewKind::External).collect();
    if outside.is_empty() { plan.view_ids().collect() } else { outside }
}

/// Where the clients of a mail domain look for autodiscover besides the names that the plan declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// Index into [`Plan::mail`].
    pub mail: usize,
    /// Names that are asked by HTTPS: the domain itself, and `autodiscover.` below it.
    pub names: Vec<Name>,
    /// The owner of the SRV record.
    pub srv: Name,
}

/// The candidates of each mail domain whose clients use autodiscover. A name that leads to servers of the plan is judged
/// there.
pub fn candidates(plan: &Plan) -> Vec<Candidates> {
    let declared = Declared::of(plan);
    let exchange = plan
        .servers
        .iter()
        .any(|s| s.is_exchange() && s.product.as_ref().is_some_and(|p| !p.value.starts_with("exchange-2003")));
    let of = |(mail, domain): (usize, &super::plan::MailDomain)| {
        let used = match domain.autodiscover {
            Autodiscover::None => false,
            Autodiscover::Unsaid => exchange,
            Autodiscover::Name(_) | Autodiscover::Srv => true,
        };
        let texts = [domain.domain.to_string(), format!("autodiscover.{}", domain.domain)];
        let names = texts.iter().filter_map(|n| Name::parse(n).ok()).filter(|n| !declared.has(n));
        let srv = Name::parse_owner(&format!("_autodiscover._tcp.{}", domain.domain)).ok().filter(|_| used)?;
        Some(Candidates { mail, names: names.collect(), srv })
    };
    plan.mail.iter().enumerate().filter_map(of).collect()
}

/// The names that the plan declares, for questions about many.
pub struct Declared<'a> {
    plan: &'a Plan,
    /// Made once somebody asks.
    names: OnceCell<HashSet<&'a Name>>,
}

impl<'a> Declared<'a> {
    /// Those of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        Self { plan, names: OnceCell::new() }
    }

    /// True if the plan declares the name.
    pub fn has(&self, name: &Name) -> bool {
        self.names.get_or_init(|| self.plan.names.iter().map(|n| &n.name).collect()).contains(name)
    }
}

/// The views in which a record is wanted. What the world outside asks for (mail, texts, who may issue) and the plan says
/// for all views alike is wanted where the world outside is seen: an internal zone need not repeat it.
pub fn record_views(plan: &Plan, record: &PlannedRecord) -> Vec<ViewId> {
    let alike = record.values.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
    let given = |v: &ViewId| record.values.get(v.0).is_some_and(Option::is_some);
    match alike && matches!(record.kind.as_str(), "CAA" | "MX" | "TLSA" | "TXT") {
        true => outward(plan).into_iter().filter(given).collect(),
        false => plan.view_ids().filter(given).collect(),
    }
}

/// A label that nobody has: made of the plan's text, so equal on every machine.
pub fn unlikely_label(plan: &Plan) -> String {
    let mut hex = data_encoding::HEXLOWER.encode(&Sha256::digest(plan.source.text.as_bytes()));
    hex.truncate(12);
    format!("coexist-{hex}")
}

/// The domains right above the plan's names, and the registrable ones, in the plan's order; not public suffixes, nor where
/// a wildcard is planned.
pub fn parents(plan: &Plan) -> Vec<Name> {
    let planned = plan.names.iter().map(|n| &n.name).chain(plan.records.iter().map(|r| &r.owner));
    let wild: BTreeSet<&str> = planned.filter(|n| n.is_wildcard()).filter_map(Name::parent).collect();
    let wanted = |n: &&PlannedName| n.wanted.iter().flatten().any(|w| w.value != Wanted::Unconstrained);
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    // Many names have few parents: each is looked at once.
    let mut above: BTreeSet<&str> = BTreeSet::new();
    let names = plan.names.iter().filter(wanted).map(|n| &n.name);
    let parents = names.filter_map(|n| Some((n, n.parent()?))).filter(|(_, p)| above.insert(p));
    let domains = parents.flat_map(|(n, p)| match psl::domain_str(p) {
        Some(domain) => [Some(domain), Some(p)],
        None => [psl::domain_str(n.as_str()), None],
    });
    let new = domains.flatten().filter(|p| !wild.contains(p) && seen.insert(p));
    new.filter_map(|p| Name::parse(p).ok()).collect()
}

/// The zones and mail domains of the plan, each once.
pub fn domains(plan: &Plan) -> Vec<Name> {
    let mut out: Vec<Name> = Vec::new();
    for name in plan.zones.iter().map(|z| &z.apex).chain(plan.mail.iter().map(|m| &m.domain)) {
        if !out.contains(name) {
            out.push(name.clone());
        }
    }
    out
}

/// Names that usually stand in a domain's public zone and that the plan does not declare: the domain itself, `www`,
/// `autodiscover`, and the hosts that take its mail.
pub fn public_names(plan: &Plan, declared: &Declared, domain: &Name) -> Vec<Name> {
    let usual = [domain.to_string(), format!("www.{domain}"), format!("autodiscover.{domain}")];
    let mx = plan.mail.iter().flat_map(|m| m.mx.iter().flatten().flatten()).map(|m| m.value.clone());
    let names = usual.iter().filter_map(|n| Name::parse(n).ok()).chain(mx.filter(|m| m.is_under(domain.as_str())));
    let mut out: Vec<Name> = Vec::new();
    names.filter(|n| !declared.has(n)).for_each(|n| {
        if !out.contains(&n) {
            out.push(n);
        }
    });
    out
}

/// The issuer of a certificate that is to be ordered, by its domain, as CAA records say it, or by its name; `None` where it
/// is a host of one's own domain.
pub fn outside_issuer(certificate: &Certificate) -> Option<&str> {
    let issuer = certificate.issuer.as_ref().map(|i| i.value.trim())?;
    let ordered = matches!(certificate.source, CertificateSource::Names(_));
    // A host below the domain of the names themselves is an authority of one's own.
    let domain = |name: &str| psl::domain_str(name).map(str::to_string);
    let own = |n: &Name| domain(n.as_str()).is_some_and(|d| Some(d) == domain(issuer));
    let is_own = ordered_names(certificate).iter().any(own);
    (ordered && !issuer.is_empty() && !is_own).then_some(issuer)
}

/// The names of a certificate that is to be ordered.
pub fn ordered_names(certificate: &Certificate) -> Vec<Name> {
    match &certificate.source {
        CertificateSource::Names(names) => names.iter().map(|n| n.value.clone()).collect(),
        _ => Vec::new(),
    }
}

/// Where an authority looks for CAA records of a name, nearest first (RFC 8659 section 3): the name without its `*.`, and
/// each domain above it, up to the registrable one.
pub fn caa_owners(name: &Name) -> Vec<Name> {
    let text = name.as_str();
    let mut at = text.strip_prefix("*.").unwrap_or(text);
    let mut out = Vec::new();
    loop {
        out.extend(Name::parse_owner(at).ok());
        match at.split_once('.') {
            Some((_, parent)) if psl::domain_str(parent).is_some() => at = parent,
            _ => return out,
        }
    }
}

/// The hosts that take a domain's mail, as they may stand at the moment that is due: those of its phase, and while it
/// changes, those of either.
pub fn mx_wanted<'a>(
    plan: &'a Plan,
    policy: &Policy,
    view: ViewId,
    mail: usize,
) -> Vec<&'a [super::source::Located<Name>]> {
    let (first, second) = policy.moment(plan, view).phases();
    let of = |phase: Phase| plan.mail.get(mail).and_then(|m| m.mx[phase as usize].as_deref());
    let mut out: Vec<_> = [Some(first), second].into_iter().flatten().filter_map(of).collect();
    if second.is_some() && of(first).is_none() {
        out.clear();
    }
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caa_is_looked_for_from_the_name_upwards() {
        let owners =
            |name: &str| caa_owners(&Name::parse(name).unwrap()).iter().map(Name::to_string).collect::<Vec<_>>();
        assert_eq!(owners("a.b.example.co.uk"), ["a.b.example.co.uk", "b.example.co.uk", "example.co.uk"]);
        assert_eq!(owners("*.apps.example.com"), ["apps.example.com", "example.com"]);
        assert_eq!(owners("example.com"), ["example.com"]);
    }
}
