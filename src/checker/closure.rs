//! Clients of a view who begin with one name, and all that they can ever depend on, over all states.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;

use super::answers::{Question, Reply};
use super::asked::Asked;
use super::deadlines;
use super::history::{History, Values, hosts, parents};
use super::words;
use crate::model::cutover::{CacheKind, ClientPath, Datum, NodeId, Second, Timeline};
use crate::model::name::Name;
use crate::model::plan::ViewId;
use crate::model::service::Way;
use crate::pki;

/// The paths that begin with the same question.
pub(super) struct Group<'a> {
    pub view: ViewId,
    pub name: &'a Name,
    pub entry: CacheKind,
    /// Indices into the timeline's paths.
    pub paths: Vec<usize>,
}

/// Paths that begin with the same question, in the order of the first of each.
pub(super) fn groups(timeline: &Timeline) -> Vec<Group<'_>> {
    let mut at: HashMap<(ViewId, &Name, CacheKind), usize> = HashMap::with_capacity(timeline.paths.len());
    let mut groups: Vec<Group> = Vec::new();
    for (i, path) in timeline.paths.iter().enumerate() {
        let group = *at.entry((path.view, &path.name, path.entry)).or_insert_with(|| {
            groups.push(Group { view: path.view, name: &path.name, entry: path.entry, paths: Vec::new() });
            groups.len() - 1
        });
        groups[group].paths.push(i);
    }
    groups
}

/// True of clients that a redirect can send elsewhere.
pub(super) fn is_web(path: &ClientPath) -> bool {
    path.entry == CacheKind::A && path.service.way == Way::Implicit && matches!(path.service.word, "https" | "IIS")
}

/// Who answers at an address, over all states.
type Route<'h, 'a> = Option<&'h Values<&'a BTreeSet<NodeId>>>;

/// All that a group's clients can ever depend on.
pub(super) struct Closure<'h, 'a> {
    /// By kind and name.
    pub asked: Vec<Asked<'a>>,
    /// By address.
    routes: Vec<(IpAddr, Route<'h, 'a>)>,
    /// Whether clients use the name, where anything says so.
    pub used: Option<&'h Values<bool>>,
    /// The steps that may change anything for them, in their order.
    pub steps: Vec<usize>,
    /// True if some server sends clients to the name at any time.
    pub is_redirect_target: bool,
    /// True if some of the paths are of web clients.
    pub is_web: bool,
    /// Whether a certificate that they may meet covers a name that they may have in mind; by both.
    covers: Vec<(usize, &'a Name, bool)>,
    /// The first instant after second 0 at which a certificate that they may meet begins or ends: then they are hurt by the
    /// mere passing of time.
    pub turns: Option<Timestamp>,
    /// The seconds after second 0 at which one ends.
    pub ends: BTreeSet<Second>,
}

impl<'h, 'a> Closure<'h, 'a> {
    pub fn of(timeline: &'a Timeline, history: &'h History<'a>, group: &Group<'a>, is_redirect_target: bool) -> Self {
        let used = history.used(group.view, group.name);
        let is_web = group.paths.iter().any(|p| is_web(&timeline.paths[*p]));
        let mut closing = Closing { timeline, history, group, asked: Vec::new(), addresses: BTreeSet::new() };
        closing.close();
        let mut steps: Vec<usize> = closing.asked.iter().flat_map(|a| a.steps.iter().copied()).collect();
        steps.extend(used.into_iter().flat_map(Values::steps));
        let references = closing.references();
        let mut met: BTreeSet<(usize, &'a Name)> = BTreeSet::new();
        let routes: Vec<(IpAddr, Route)> =
            closing.addresses.iter().map(|a| (*a, history.route(group.view, *a))).collect();
        for route in routes.iter().filter_map(|(_, route)| *route) {
            steps.extend(route.steps());
            for node in route.all().copied().flatten() {
                closing.serving(*node, &references, &mut steps, &mut met);
            }
        }
        steps.sort_unstable();
        steps.dedup();
        let turns = met.iter().filter_map(|(c, _)| turns(timeline, *c)).min();
        let ends = met.iter().filter_map(|(c, _)| ends(timeline, *c)).collect();
        let covers = met.into_iter().map(|(c, name)| (c, name, covers(timeline, c, name))).collect();
        Self { asked: closing.asked, routes, used, steps, is_redirect_target, is_web, covers, turns, ends }
    }

    /// Adds steps that change something for others on whom they depend.
    pub fn depends(&mut self, steps: &[usize]) {
        self.steps.extend(steps);
        self.steps.sort_unstable();
        self.steps.dedup();
    }

    /// A question that some answer leads to.
    pub fn find(&self, name: &Name, kind: CacheKind) -> Option<&Asked<'a>> {
        let at = place(&self.asked, name, kind).ok()?;
        self.asked.get(at)
    }

    /// Who answers at an address; `None` if nobody ever does.
    pub fn route(&self, address: IpAddr) -> Route<'h, 'a> {
        let at = self.routes.binary_search_by(|(a, _)| a.cmp(&address)).ok()?;
        self.routes[at].1
    }

    /// Every node that any answer ever leads to; some more than once.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        let routes = self.routes.iter().filter_map(|(_, route)| *route);
        routes.flat_map(|route| route.all().copied().flatten().copied())
    }

    /// True if a certificate covers a name; both are met.
    pub fn covers(&self, credential: usize, reference: &Name) -> bool {
        let at = self.covers.binary_search_by(|(c, name, _)| (*c, *name).cmp(&(credential, reference)));
        at.is_ok_and(|at| self.covers[at].2)
    }
}

fn place(asked: &[Asked], name: &Name, kind: CacheKind) -> Result<usize, usize> {
    asked.binary_search_by(|a| (a.kind, &a.name).cmp(&(kind, name)))
}

fn covers(timeline: &Timeline, credential: usize, reference: &Name) -> bool {
    let names = timeline.credentials.get(credential).and_then(|c| c.names.as_ref());
    names.is_some_and(|all| pki::identify_among(all.iter().map(String::as_str), reference).is_ok())
}

fn turns(timeline: &Timeline, credential: usize) -> Option<Timestamp> {
    let (zero, credential) = (timeline.zero?, timeline.credentials.get(credential)?);
    let (from, until) = deadlines::valid(timeline, credential);
    from.into_iter().chain(until).filter(|at| zero < *at).min()
}

/// The second at which a certificate ends, by the clocks that are ahead.
fn ends(timeline: &Timeline, credential: usize) -> Option<Second> {
    let (zero, credential) = (timeline.zero?, timeline.credentials.get(credential)?);
    let end = deadlines::valid(timeline, credential).1?;
    Some(end.as_second() - zero.as_second()).filter(|second| *second > 0)
}

/// A closure that is being made.
struct Closing<'h, 'a, 'g> {
    timeline: &'a Timeline,
    history: &'h History<'a>,
    group: &'g Group<'a>,
    asked: Vec<Asked<'a>>,
    addresses: BTreeSet<IpAddr>,
}

impl<'a> Closing<'_, 'a, '_> {
    fn close(&mut self) {
        let mut open = self.entries();
        while let Some((name, kind)) = open.pop() {
            let Err(at) = place(&self.asked, &name, kind) else { continue };
            let (timeline, history, view) = (self.timeline, self.history, self.group.view);
            let asked = Asked::of(&Question { timeline, history, view, name: &name, kind });
            for reply in asked.ever() {
                self.open(kind, &reply, &mut open);
            }
            self.asked.insert(at, asked);
        }
    }

    /// What is asked first.
    fn entries(&self) -> Vec<(Name, CacheKind)> {
        let name = self.group.name;
        let mut open = vec![(name.clone(), self.group.entry)];
        match self.group.entry {
            CacheKind::A => open.extend([CacheKind::Aaaa, CacheKind::Https].map(|kind| (name.clone(), kind))),
            CacheKind::Mx => open.push((name.clone(), CacheKind::MtaSts)),
            _ => {}
        }
        if self.group.paths.iter().any(|p| self.timeline.paths[*p].by_hsts) {
            let above = std::iter::once(name.as_str()).chain(parents(name.as_str()));
            let owners = above.filter_map(|n| Name::parse_owner(n).ok());
            open.extend(owners.map(|owner| (owner, CacheKind::Hsts)));
        }
        open
    }

    /// What a reply leads to.
    fn open(&mut self, kind: CacheKind, reply: &Reply<'a>, open: &mut Vec<(Name, CacheKind)>) {
        let data = match reply {
            Reply::Alias(target, _) => return open.push(((*target).clone(), kind)),
            Reply::Absent(_) => return,
            Reply::Data(data, _) => *data,
        };
        self.addresses.extend(data.iter().filter_map(|datum| match datum {
            Datum::Address(address) => Some(*address),
            _ => None,
        }));
        if matches!(kind, CacheKind::Mx | CacheKind::Srv | CacheKind::Https) {
            for host in hosts(data) {
                open.extend([CacheKind::A, CacheKind::Aaaa].map(|kind| (host.clone(), kind)));
                if kind == CacheKind::Mx {
                    let owners = self.ports().into_iter().filter_map(|port| words::tlsa_owner(host, port));
                    open.extend(owners.map(|owner| (owner, CacheKind::Tlsa)));
                }
            }
        }
    }

    fn ports(&self) -> BTreeSet<u16> {
        self.group.paths.iter().map(|p| self.timeline.paths[*p].service.port).collect()
    }

    /// The names that clients may have in mind when they connect.
    fn references(&self) -> BTreeSet<&'a Name> {
        match self.group.entry {
            CacheKind::Mx | CacheKind::Srv => {
                let replies = self.asked.iter().filter(|a| a.kind == self.group.entry).flat_map(Asked::ever);
                replies.filter_map(|reply| reply.data()).flat_map(hosts).collect()
            }
            _ => BTreeSet::from([self.group.name]),
        }
    }

    /// What a node serves to them: the steps that change it, and the certificates.
    fn serving(
        &self,
        node: NodeId,
        references: &BTreeSet<&'a Name>,
        steps: &mut Vec<usize>,
        met: &mut BTreeSet<(usize, &'a Name)>,
    ) {
        for served in self.ports().iter().filter_map(|port| self.history.serving(node, *port)) {
            steps.extend(served.steps());
            for serving in served.all().copied().flatten() {
                for name in references {
                    let own = serving.by_name.get(*name).into_iter().flatten();
                    met.extend(serving.default.iter().chain(own).map(|c| (*c, *name)));
                }
            }
        }
    }
}
