//! The public names that a reverse proxy accepts.

use crate::model::name::Name;
use crate::model::source::{Located, Span};

/// A list of public names, as a publishing rule, a listener or `server_name` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Names, and wildcards: `*.example.com`.
    pub names: Vec<Located<Name>>,
    /// The place of the whole list.
    pub span: Span,
}

/// Products whose `*.` stands for any number of labels: nginx (server_name: "an asterisk can match several name parts"),
/// Apache (ServerAlias: any string), Envoy (domains: any prefix) and the Gateway API (HTTPRoute hostnames). Elsewhere, in Kubernetes'
/// Ingress for one, it stands for one.
const DEEP: &[&str] = &["nginx", "apache", "envoy", "envoy-gateway", "nginx-gateway"];

/// True if a wildcard stands for any number of labels with this product.
pub(super) fn reads_deep(product: Option<&str>) -> bool {
    product.is_some_and(|product| DEEP.contains(&product))
}

impl Published {
    /// True if a name is accepted. A wildcard stands for one label, or, `deep`, for any number of them; never for none.
    pub fn accepts(&self, name: &Name, deep: bool) -> bool {
        let below = |pattern: &str| {
            let labels = name.as_str().strip_suffix(pattern.strip_prefix('*')?)?;
            Some(!labels.is_empty() && (deep || !labels.contains('.')))
        };
        let fits = |pattern: &Name| pattern == name || (pattern.is_wildcard() && below(pattern.as_str()) == Some(true));
        self.names.iter().any(|pattern| fits(&pattern.value))
    }

    /// True if the name itself stands in the list.
    pub fn lists(&self, name: &Name) -> bool {
        self.names.iter().any(|listed| listed.value == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_as_deep_as_the_product_reads_them() {
        let of = |text: &str| Located::new(Name::parse(text).unwrap(), Span::default());
        let names = vec![of("mail.example.com"), of("*.apps.example.com")];
        let published = Published { names, span: Span::default() };
        for (name, shallow, deep) in [
            ("mail.example.com", true, true),
            ("Mail.Example.com.", true, true),
            ("autodiscover.example.com", false, false),
            ("a.apps.example.com", true, true),
            ("b.a.apps.example.com", false, true),
            ("apps.example.com", false, false),
            ("xapps.example.com", false, false),
            ("*.apps.example.com", true, true),
            ("*.a.apps.example.com", false, true),
            ("*.example.com", false, false),
        ] {
            let name = Name::parse(name).unwrap();
            assert_eq!((published.accepts(&name, false), published.accepts(&name, true)), (shallow, deep), "{name}");
        }
        assert!(!published.lists(&Name::parse("a.apps.example.com").unwrap()));
        assert!(reads_deep(Some("nginx")) && !reads_deep(Some("tmg")) && !reads_deep(None));
    }
}
