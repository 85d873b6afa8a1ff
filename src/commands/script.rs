//! What is printed: lines, and what reads them.

use crate::model::finding::TYPED;

/// Lines that are typed, pasted or done in one place, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Who reads them.
    pub language: Language,
    /// The lines; none holds a line break.
    pub lines: Vec<String>,
}

/// Who reads a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// A person.
    Words,
    /// Windows PowerShell or the Exchange Management Shell.
    PowerShell,
    /// A POSIX shell.
    Sh,
    /// The Windows command prompt; PowerShell reads these lines alike.
    Cmd,
    /// A master file (RFC 1035 section 5).
    ZoneFile,
    /// nginx's configuration.
    Nginx,
    /// HAProxy's configuration.
    Haproxy,
    /// Apache's configuration.
    Apache,
    /// Dovecot's configuration.
    Dovecot,
    /// A policy file of certreq.
    Inf,
    /// JSON.
    Json,
    /// YAML, of which we write only what is JSON too, but for indentation.
    Yaml,
}

impl Language {
    /// A short name, as a code block of Markdown wants it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Words => "text",
            Self::PowerShell => "powershell",
            Self::Sh => "sh",
            Self::Cmd => "bat",
            Self::ZoneFile => "zone",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache",
            Self::Dovecot => "dovecot",
            Self::Inf => "ini",
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }
}

impl Script {
    /// A script of these lines.
    pub(super) fn new<T: Into<String>>(language: Language, lines: impl IntoIterator<Item = T>) -> Self {
        Self { language, lines: lines.into_iter().map(Into::into).collect() }
    }

    /// Words for a person.
    pub(super) fn words<T: Into<String>>(lines: impl IntoIterator<Item = T>) -> Self {
        Self::new(Language::Words, lines)
    }

    /// For PowerShell.
    pub(super) fn powershell<T: Into<String>>(lines: impl IntoIterator<Item = T>) -> Self {
        Self::new(Language::PowerShell, lines)
    }

    /// For a POSIX shell.
    pub(super) fn sh<T: Into<String>>(lines: impl IntoIterator<Item = T>) -> Self {
        Self::new(Language::Sh, lines)
    }

    /// True if a person reads it.
    pub fn is_words(&self) -> bool {
        self.language == Language::Words
    }
}

/// The scripts as lines of a remedy: what is to be typed begins with [`TYPED`].
pub fn lines(scripts: &[Script]) -> Vec<String> {
    let mark = |s: &Script| if s.is_words() { "" } else { TYPED };
    scripts.iter().flat_map(|s| s.lines.iter().map(move |line| format!("{}{line}", mark(s)))).collect()
}
