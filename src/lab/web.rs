//! What a lab's web server answers to a question for `/`, and for an MTA-STS policy.

use crate::model::http::Page;

/// Where it sends who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Leads {
    /// To an application of its own, as Exchange does.
    #[default]
    Inside,
    /// To where it was asked.
    Same,
    /// To this address.
    To(String),
}

/// A web site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Web {
    pub leads: Leads,
    /// Strict-Transport-Security.
    pub hsts: Option<&'static str>,
    /// Its MTA-STS policy.
    pub policy: Option<String>,
}

impl Web {
    /// The answer to who asked for a page of this host.
    pub fn page(&self, host: &str, page: Page) -> String {
        match (page, &self.policy) {
            (Page::Root, _) => self.answer(host),
            (Page::MtaSts, Some(policy)) => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n";
                format!("{head}Content-Length: {}\r\n\r\n{policy}", policy.len())
            }
            (Page::MtaSts, None) => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into(),
        }
    }

    /// The head of the answer to who asked for `/` at this host.
    fn answer(&self, host: &str) -> String {
        let location = match &self.leads {
            Leads::Inside => "/owa/".to_string(),
            Leads::Same => format!("https://{host}/"),
            Leads::To(url) => url.clone(),
        };
        let hsts = self.hsts.map(|h| format!("Strict-Transport-Security: {h}\r\n")).unwrap_or_default();
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n{hsts}Content-Length: 0\r\nConnection: close\r\n\r\n")
    }
}
