//! Products by the plan's words.

/// What is typed differs by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Exchange2003,
    Exchange2007,
    Exchange2010,
    Exchange2013,
    /// 2016, 2019 and Subscription Edition.
    Exchange2016,
    /// Windows Server with IIS, 2012 and later.
    Windows,
    Nginx,
    Apache,
    Haproxy,
    Postfix,
    Dovecot,
    WindowsDns,
    Bind,
    Unknown,
}

impl Product {
    /// By the word of a plan; what is not known is [`Product::Unknown`].
    pub fn of(word: Option<&str>) -> Self {
        match word.unwrap_or_default().to_ascii_lowercase().as_str() {
            "exchange-2003" => Self::Exchange2003,
            "exchange-2007" => Self::Exchange2007,
            "exchange-2010" => Self::Exchange2010,
            "exchange-2013" => Self::Exchange2013,
            "exchange-2016" | "exchange-2019" | "exchange-se" => Self::Exchange2016,
            "windows-dns" => Self::WindowsDns,
            "windows-2012" | "windows-2012r2" | "windows-2016" | "windows-2019" | "windows-2022" | "windows-2025"
            | "iis" => Self::Windows,
            "nginx" => Self::Nginx,
            "apache" | "httpd" => Self::Apache,
            "haproxy" => Self::Haproxy,
            "postfix" => Self::Postfix,
            "dovecot" => Self::Dovecot,
            "bind" | "bind9" | "named" => Self::Bind,
            _ => Self::Unknown,
        }
    }
}
