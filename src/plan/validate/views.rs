//! `[views.*]`, and values that differ per view.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::bounds::{VIEWS, bounded};
use super::reader::{Fields, Reader};
use super::settings::settings;
use crate::model::dns::ResolverAddr;
use crate::model::plan::{Settings, TrustSource, View, ViewId, ViewKind};
use crate::model::proxy::Proxy;
use crate::model::source::Located;
use crate::plan::error::PlanError;
use crate::plan::keys;
use crate::plan::raw::{Node, Table};

const KINDS: &[(&str, ViewKind)] = &[("internal", ViewKind::Internal), ("external", ViewKind::External)];
/// Labels that say their kind themselves, alone or as the first word.
const INSIDE: &[&str] = &["internal", "intranet", "inside", "lan"];
const OUTSIDE: &[&str] = &["external", "internet", "outside", "public"];

/// The views, and whether each one's kind is known.
pub(super) fn views(reader: &Reader, node: Option<&Node>, plan: &Settings) -> (Vec<View>, bool) {
    let known = |key: &str| keys::VIEW.iter().any(|group| group.contains(&key));
    let entries = reader.labels(node, "views", &known);
    let span = node.map(|n| n.span).unwrap_or_default();
    let read =
        bounded(reader, &entries, VIEWS, span, "views").iter().map(|(label, node)| view(reader, label, node, plan));
    let (views, kinds): (Vec<View>, Vec<bool>) = read.unzip();
    if views.is_empty() {
        let error = PlanError::at(span, "no views", "nobody asks: expected at least one view with its resolvers");
        reader.missing::<()>(error.help("[views.internal] with resolvers = [\"10.0.0.53\"]"));
    }
    (views, kinds.into_iter().all(|known| known))
}

fn view(reader: &Reader, label: &Located<String>, node: &Node, plan: &Settings) -> (View, bool) {
    reserved(reader, label);
    let fields = reader.fields(node, "a view", keys::VIEW);
    let get = |key| fields.as_ref().and_then(|f| f.get(key));
    let kind = match get("kind") {
        Some(node) => reader.word(node, "a kind of view", KINDS),
        None => kind_of_label(reader, label),
    };
    let settings = fields.as_ref().map_or_else(|| plan.clone(), |f| settings(reader, f, plan));
    let view = View {
        label: Arc::from(label.value.as_str()),
        kind: kind.unwrap_or(ViewKind::Internal),
        resolvers: fields.as_ref().map(|f| resolvers(reader, f, label)).unwrap_or_default(),
        trust: get("trust").map_or_else(public, |node| trust(reader, node)),
        reaches: get("reaches").map(|node| reader.each(node, "a network", |text| network(reader, text))),
        proxy: get("proxy").and_then(|node| proxy(reader, node, &settings)),
        without_sni: get("without-sni").and_then(|node| reader.boolean(node)).unwrap_or(false),
        settings,
        span: label.span,
    };
    (view, kind.is_some())
}

/// A view's label stands as a key beside phases and a name's own keys, so it cannot be one of them.
fn reserved(reader: &Reader, label: &Located<String>) {
    if keys::NAME.iter().any(|group| group.contains(&label.value.as_str())) {
        let title = format!("a view cannot be called `{}`", label.value);
        reader.note::<()>(PlanError::at(label.span, title, "this is a key of names"));
    }
}

fn kind_of_label(reader: &Reader, label: &Located<String>) -> Option<ViewKind> {
    let lower = label.value.to_ascii_lowercase();
    let first = lower.split(['-', '_', '.', ' ']).next().unwrap_or_default();
    match first {
        word if INSIDE.contains(&word) => Some(ViewKind::Internal),
        word if OUTSIDE.contains(&word) => Some(ViewKind::External),
        _ => {
            let title = format!("is view `{}` inside or outside?", label.value);
            let error = PlanError::at(label.span, title, "expected `kind` in this view");
            reader.missing(error.help("kind = \"internal\" or kind = \"external\""))
        }
    }
}

fn resolvers(reader: &Reader, fields: &Fields, label: &Located<String>) -> Vec<Located<ResolverAddr>> {
    let Some(node) = fields.get("resolvers") else {
        let title = format!("view `{}` has no resolvers", label.value);
        let error = PlanError::at(label.span, title, "expected `resolvers`: whom its clients ask");
        return reader.missing(error.help("resolvers = [\"10.0.0.53\"]")).unwrap_or_default();
    };
    let found = reader.each(node, "a resolver", |text| resolver(reader, text));
    if reader.one_or_many(node).is_empty() {
        reader.note::<()>(PlanError::at(node.span, "no resolvers", "expected at least one"));
    }
    let mut seen = HashSet::new();
    for again in found.iter().filter(|r| !seen.insert(r.value.clone())) {
        reader.note::<()>(PlanError::at(again.span, format!("resolver `{}` twice", again.value), "given before"));
    }
    found
}

/// A resolver; also the authoritative servers of a zone are written so.
pub(super) fn resolver(reader: &Reader, text: Located<&str>) -> Option<Located<ResolverAddr>> {
    match ResolverAddr::parse(text.value.trim()) {
        Ok(resolver) => Some(Located::new(resolver, text.span)),
        Err(e) => {
            let error = PlanError::at(text.span, "not a resolver", e.to_string());
            reader.note(error.help("10.0.0.53, 8.8.8.8:53, tcp://…, tls://9.9.9.9 or https://1.1.1.1/dns-query"))
        }
    }
}

fn public() -> Vec<Located<TrustSource>> {
    vec![Located::new(TrustSource::Public, Default::default())]
}

fn trust(reader: &Reader, node: &Node) -> Vec<Located<TrustSource>> {
    if reader.one_or_many(node).is_empty() {
        reader.note::<()>(PlanError::at(node.span, "nothing is trusted", "expected \"public\", \"system\" or a file"));
    }
    reader.each(node, "\"public\", \"system\" or a file", |text| {
        let source = match text.value {
            "public" => TrustSource::Public,
            "system" => TrustSource::System,
            word if !word.contains(['.', '/', '\\']) => {
                let hint = reader.hint(word, ["public", "system"]);
                return match hint {
                    Some(hint) => {
                        let error = PlanError::at(text.span, format!("no such trust `{word}`"), TRUST);
                        reader.note(error.help(hint))
                    }
                    None => reader.path(text).map(|path| Located::new(TrustSource::File(path.value), text.span)),
                };
            }
            _ => TrustSource::File(reader.path(text)?.value),
        };
        Some(Located::new(source, text.span))
    })
}

const TRUST: &str = "expected \"public\", \"system\" or a file";

fn network(reader: &Reader, text: Located<&str>) -> Option<IpNet> {
    let value = text.value.trim();
    let parsed = value.parse::<IpNet>().ok().or_else(|| value.parse::<IpAddr>().ok().map(IpNet::from));
    parsed.or_else(|| {
        let error = PlanError::at(text.span, "not a network", "expected an address and a prefix length");
        reader.note(error.help("such as 10.0.0.0/8 or 2001:db8::/32"))
    })
}

fn proxy(reader: &Reader, node: &Node, settings: &Settings) -> Option<Located<Proxy>> {
    let text = reader.line(node, "a proxy such as \"socks5://bastion.domain.com:1080\"")?;
    let proxy = match Proxy::parse(&text.value) {
        Ok(proxy) => proxy,
        Err(e) => return reader.note(PlanError::at(node.span, "not a proxy", e.to_string()).help(e.help())),
    };
    if proxy.user.is_some() && settings.password_env.is_none() {
        let error = PlanError::at(node.span, "a user without a password", "expected `password-env` in this view");
        return reader
            .note(error.help("password-env = \"BASTION_PASSWORD\" names the variable that holds the password"));
    }
    Some(Located::new(proxy, text.span))
}

/// The views of the plan, for values that differ by them.
pub(super) struct Views<'v> {
    pub(super) all: &'v [View],
    /// Some kind could not be told, so a word for a kind may mean more views than it seems.
    pub(super) kinds_known: bool,
}

impl Views<'_> {
    pub(super) fn ids(&self) -> impl Iterator<Item = ViewId> + use<> {
        (0..self.all.len()).map(ViewId)
    }

    /// The views that a word means: the one so labelled, or all of that kind.
    pub(super) fn of_word(&self, word: &str) -> Vec<ViewId> {
        let labelled = self.ids().find(|id| *self.all[id.0].label == *word);
        let kind = KINDS.iter().find(|(w, _)| *w == word).map(|(_, kind)| *kind);
        match labelled {
            Some(id) => vec![id],
            None => self.ids().filter(|id| Some(self.all[id.0].kind) == kind).collect(),
        }
    }

    /// True if the word is a view's label or a kind of view.
    pub(super) fn is_word(&self, word: &str) -> bool {
        KINDS.iter().any(|(w, _)| *w == word) || self.all.iter().any(|v| *v.label == *word)
    }

    /// True if some key of a table is a view's label or kind.
    pub(super) fn keyed(&self, table: &Table) -> bool {
        table.has_any(|key| self.is_word(key))
    }

    /// Notes that there is no such view.
    pub(super) fn unknown(&self, reader: &Reader, word: Located<&str>) {
        let labels = self.all.iter().map(|v| &*v.label);
        let is_kind = KINDS.iter().any(|(w, _)| *w == word.value);
        if is_kind && !self.kinds_known {
            return;
        }
        let hint = (!is_kind).then(|| reader.hint(word.value, labels.clone().chain(KINDS.iter().map(|(w, _)| *w))));
        let declared = labels.take(16).map(|l| format!("`{l}`")).collect::<Vec<_>>().join(", ");
        let help = hint.flatten().unwrap_or_else(|| format!("declared views: {declared}"));
        reader.missing::<()>(
            PlanError::at(word.span, format!("no such view `{}`", word.value), "not under [views]").help(help),
        );
    }

    /// A table by view label or kind: the value for each view, the label's before the kind's.
    pub(super) fn table<'n>(&self, reader: &Reader, table: &'n Table) -> Vec<Option<&'n Node>> {
        for (key, _) in table.entries.iter().filter(|(key, _)| !self.is_word(&key.text)) {
            self.unknown(reader, Located::new(&key.text, key.span));
        }
        for (key, _) in table.entries.iter().filter(|(key, _)| self.is_word(&key.text)) {
            if self.of_word(&key.text).is_empty() {
                self.unknown(reader, Located::new(&key.text, key.span));
            }
        }
        let kind_word = |view: &View| KINDS.iter().find(|(_, kind)| *kind == view.kind).map_or("", |(w, _)| *w);
        self.all.iter().map(|view| table.get(&view.label).or_else(|| table.get(kind_word(view)))).collect()
    }

    /// A value for all views, or a table by view: each view's, `None` where nothing is said of it.
    pub(super) fn each<'n>(&self, reader: &Reader, node: &'n Node) -> Vec<Option<&'n Node>> {
        match node.as_table() {
            Some(table) => self.table(reader, table),
            None => self.all.iter().map(|_| Some(node)).collect(),
        }
    }
}
