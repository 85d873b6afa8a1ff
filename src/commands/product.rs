//! Products by the plan's words.

/// What is typed differs by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Exchange 2003: no shell.
    Exchange2003,
    /// Exchange 2007.
    Exchange2007,
    /// Exchange 2010.
    Exchange2010,
    /// Exchange 2013.
    Exchange2013,
    /// Exchange 2016 before CU23 and 2019 before CU12, the cumulative updates of the first half of 2022.
    Exchange2016Before,
    /// Exchange 2016 and 2019 from those updates on, and Subscription Edition.
    Exchange2016,
    /// IIS 6, on Windows Server 2003: no shell.
    Iis6,
    /// IIS 7 and later.
    Iis,
    /// nginx.
    Nginx,
    /// Apache's httpd.
    Apache,
    /// HAProxy.
    Haproxy,
    /// Postfix.
    Postfix,
    /// Dovecot.
    Dovecot,
    /// DNS of Windows Server 2012 and later.
    WindowsDns,
    /// DNS of Windows Server 2003 to 2008 R2.
    WindowsDnsBefore2012,
    /// BIND 9.
    Bind,
    /// Servers that read master files.
    Nsd,
    /// Knot DNS.
    Knot,
    /// PowerDNS.
    PowerDns,
    /// Amazon Route 53.
    Route53,
    /// Azure DNS.
    AzureDns,
    /// Cloudflare.
    Cloudflare,
    /// Kubernetes, whatever answers for its Gateway or Ingress.
    Kubernetes,
    /// Everything else.
    Other,
}

impl Product {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Exchange2003,
        Self::Exchange2007,
        Self::Exchange2010,
        Self::Exchange2013,
        Self::Exchange2016Before,
        Self::Exchange2016,
        Self::Iis6,
        Self::Iis,
        Self::Nginx,
        Self::Apache,
        Self::Haproxy,
        Self::Postfix,
        Self::Dovecot,
        Self::WindowsDns,
        Self::WindowsDnsBefore2012,
        Self::Bind,
        Self::Nsd,
        Self::Knot,
        Self::PowerDns,
        Self::Route53,
        Self::AzureDns,
        Self::Cloudflare,
        Self::Kubernetes,
        Self::Other,
    ];

    /// By the word of a plan; what is not known is [`Product::Other`].
    pub fn of(word: Option<&str>) -> Self {
        match word.unwrap_or_default().to_ascii_lowercase().as_str() {
            "exchange-2003" => Self::Exchange2003,
            "exchange-2007" => Self::Exchange2007,
            "exchange-2010" => Self::Exchange2010,
            "exchange-2013" => Self::Exchange2013,
            "exchange-2016-before-cu23" | "exchange-2019-before-cu12" => Self::Exchange2016Before,
            "exchange-2016" | "exchange-2019" | "exchange-se" => Self::Exchange2016,
            "windows-2003" => Self::Iis6,
            "windows-2008" | "windows-2008r2" | "windows-2012" | "windows-2012r2" | "windows-2016" | "windows-2019"
            | "windows-2022" | "windows-2025" | "iis" => Self::Iis,
            "nginx" => Self::Nginx,
            "apache" => Self::Apache,
            "haproxy" => Self::Haproxy,
            "postfix" => Self::Postfix,
            "dovecot" => Self::Dovecot,
            "windows-dns" => Self::WindowsDns,
            "windows-dns-before-2012" => Self::WindowsDnsBefore2012,
            "bind" => Self::Bind,
            "nsd" => Self::Nsd,
            "knot" => Self::Knot,
            "powerdns" => Self::PowerDns,
            "route53" => Self::Route53,
            "azure-dns" => Self::AzureDns,
            "cloudflare" => Self::Cloudflare,
            "kubernetes" | "ingress-nginx" | "envoy-gateway" | "nginx-gateway" => Self::Kubernetes,
            _ => Self::Other,
        }
    }

    /// True if it has the Exchange Management Shell.
    pub(super) fn has_exchange_shell(self) -> bool {
        matches!(
            self,
            Self::Exchange2007
                | Self::Exchange2010
                | Self::Exchange2013
                | Self::Exchange2016Before
                | Self::Exchange2016
        )
    }

    /// True if keys lie in the Windows certificate store.
    pub(super) fn has_windows_store(self) -> bool {
        self.has_exchange_shell() || matches!(self, Self::Exchange2003 | Self::Iis6 | Self::Iis)
    }

    /// True if keys lie in files that the product reads.
    pub(super) fn has_files(self) -> bool {
        matches!(self, Self::Nginx | Self::Apache | Self::Haproxy | Self::Postfix | Self::Dovecot)
    }
}
