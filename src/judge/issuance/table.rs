//! What public authorities may issue, and what they do issue: dated, each row with its source and the day on which it was
//! last compared with it.

use jiff::Timestamp;

const DAY: i64 = 86_400;

/// From an instant on, so many days.
struct From {
    /// Seconds since 1970, at midnight UTC.
    second: i64,
    days: i64,
}

const fn from(year: i64, month: i64, day: i64, days: i64) -> From {
    From { second: midnight(year, month, day), days }
}

/// Midnight UTC of a day, in seconds since 1970 (proleptic Gregorian calendar).
const fn midnight(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y / 400;
    let of_era = y - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_cycle = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_cycle - 719_468) * DAY
}

/// The longest lifetime of a subscriber certificate by its notBefore.
/// Source: CA/Browser Forum Baseline Requirements 6.3.2 (version 2.2.6; ballots 193, SC31 and SC081v3 brought the rows).
/// Verified 2026-11-22.
const LIMITS: &[From] = &[
    from(2018, 3, 1, 825),
    from(2020, 9, 1, 398),
    from(2026, 3, 15, 200),
    from(2027, 3, 15, 100),
    from(2029, 3, 15, 47),
];

/// Lifetimes of Let's Encrypt's default profile by the day of issue.
/// Source: letsencrypt.org/docs/profiles and letsencrypt.org/2025/12/02/from-90-to-45. Verified 2026-11-22.
const LETS_ENCRYPT: &[From] = &[from(2015, 9, 14, 90), from(2027, 2, 10, 64), from(2028, 2, 16, 45)];

/// The last day after which no certificate that Chrome is to trust may be for clients too.
/// Source: Chrome Root Program Policy 1.8. Verified 2026-11-22.
pub(in crate::judge) const CHROME_CLIENT_AUTH_END: i64 = midnight(2027, 3, 15);

/// Names in one certificate where neither the plan nor a table says how many its authority takes: each of the common ones
/// takes as many. Source: letsencrypt.org/docs/profiles (classic). Verified 2026-11-22.
pub(in crate::judge) const DEFAULT_MAX_NAMES: u32 = 100;

/// A public authority whose own rules are known.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::judge) struct Brand {
    /// Its name.
    pub(in crate::judge) name: &'static str,
    /// What it is called in CAA records and plans, in lower case.
    words: &'static [&'static str],
    /// Organisations in the issuer names of its certificates.
    organisations: &'static [&'static str],
    /// How many names it puts into one certificate.
    pub(in crate::judge) max_names: Option<u32>,
    /// Midnight of the day from which it issues nothing for clients any more, in seconds since 1970.
    pub(in crate::judge) client_auth_end: Option<i64>,
    /// True if its certificates are shorter than the limit: see [`LETS_ENCRYPT`].
    is_short: bool,
}

const fn brand(
    name: &'static str,
    words: &'static [&'static str],
    organisations: &'static [&'static str],
    max_names: Option<u32>,
    client_auth_end: Option<i64>,
) -> Brand {
    Brand { name, words, organisations, max_names, client_auth_end, is_short: false }
}

/// The words are those of the CCADB's list of CAA identifiers and the names that people use. Verified 2026-11-22.
/// max_names: Let's Encrypt: letsencrypt.org/docs/profiles (classic; 25 with tlsserver and shortlived, to be said by
/// `max-names`). DigiCert: tbs-certificates.co.uk/FAQ/en/san_certificats_verisign.html (the common name and 249 more).
/// client_auth_end: Let's Encrypt: the same page (tlsclient). DigiCert: knowledge.digicert.com ALERT53 (2026-03-03).
/// Sectigo: its announcement of April 2026, by comparecheapssl.com/?p=12632 (its own FAQ, sectigo.com/
/// faq-client-authentication-eku-deprecation, still had 2026-05-15; shop.trustico.com, too, says February 2027). Compared
/// again on 2026-11-29.
static BRANDS: &[Brand] = &[
    Brand {
        is_short: true,
        ..brand(
            "Let's Encrypt",
            &["letsencrypt.org", "let's encrypt", "letsencrypt"],
            &["Let's Encrypt"],
            Some(100),
            Some(midnight(2026, 7, 8)),
        )
    },
    brand(
        "DigiCert",
        &["digicert.com", "digicert", "geotrust.com", "geotrust", "thawte.com", "thawte", "rapidssl.com", "rapidssl"],
        &["DigiCert Inc", "DigiCert, Inc.", "GeoTrust Inc.", "thawte, Inc."],
        Some(250),
        Some(midnight(2027, 3, 1)),
    ),
    brand(
        "Sectigo",
        &["sectigo.com", "sectigo", "comodoca.com", "comodo.com", "comodo", "usertrust.com", "trust-provider.com"],
        &["Sectigo Limited", "COMODO CA Limited", "The USERTRUST Network"],
        None,
        Some(midnight(2027, 2, 10)),
    ),
    brand("GlobalSign", &["globalsign.com", "globalsign"], &["GlobalSign nv-sa"], None, None),
    brand(
        "GoDaddy",
        &["godaddy.com", "godaddy", "starfieldtech.com", "starfield"],
        &["GoDaddy.com, Inc.", "Starfield Technologies, Inc."],
        None,
        None,
    ),
    brand("Entrust", &["entrust.net", "entrust"], &["Entrust, Inc.", "Entrust Limited"], None, None),
    brand("Google Trust Services", &["pki.goog", "google trust services"], &["Google Trust Services"], None, None),
    brand("Amazon", &["amazontrust.com", "amazon.com", "awstrust.com", "amazonaws.com"], &["Amazon"], None, None),
    brand("SSL.com", &["ssl.com"], &["SSL Corporation", "SSL Corp"], None, None),
    brand("IdenTrust", &["identrust.com", "identrust"], &["IdenTrust"], None, None),
    brand("ZeroSSL", &["zerossl.com", "zerossl"], &["ZeroSSL"], None, None),
    brand("Buypass", &["buypass.com", "buypass.no", "buypass"], &["Buypass AS-983163327"], None, None),
    brand("Actalis", &["actalis.it", "actalis"], &["Actalis S.p.A."], None, None),
    brand("Certum", &["certum.pl", "certum.eu", "certum"], &["Asseco Data Systems S.A."], None, None),
    brand("HARICA", &["harica.gr", "harica"], &["Hellenic Academic and Research Institutions CA"], None, None),
    brand("SwissSign", &["swisssign.com", "swisssign"], &["SwissSign AG"], None, None),
    brand("D-Trust", &["d-trust.net", "d-trust", "dtrust.de"], &["D-Trust GmbH"], None, None),
];

impl Brand {
    /// The authority that the plan's `issuer` names; `None` if it is none of the public ones that are known.
    pub(in crate::judge) fn of_word(word: &str) -> Option<&'static Self> {
        let word = word.trim().trim_end_matches('.').to_lowercase().replace('\u{2019}', "'");
        let word = word.strip_prefix("www.").unwrap_or(&word);
        BRANDS.iter().find(|b| b.words.contains(&word))
    }

    /// The domain by which CAA records name it.
    pub(in crate::judge) fn caa_domain(&self) -> Option<&'static str> {
        self.words.iter().copied().find(|word| word.contains('.'))
    }

    /// The authority that an issuer's name is of. Only to be asked where a path to a public anchor is known: anybody may
    /// write a name.
    pub(in crate::judge) fn of_issuer(issuer: &str) -> Option<&'static Self> {
        let has = |o: &&str| issuer.contains(&format!("O={o}")) || issuer.contains(&format!("O=\"{o}\""));
        BRANDS.iter().find(|b| b.organisations.iter().any(has))
    }

    /// The longest lifetime in seconds of what it issues at an instant; `None` where no table says.
    pub(in crate::judge) fn lifetime_at(&self, issued: Timestamp) -> Option<i64> {
        let own = if self.is_short { row(LETS_ENCRYPT, issued) } else { None };
        own.into_iter().chain(limit_at(issued)).min()
    }
}

/// The longest lifetime in seconds that a public authority may give at an instant; `None` before the tables begin.
pub(in crate::judge) fn limit_at(not_before: Timestamp) -> Option<i64> {
    row(LIMITS, not_before)
}

fn row(rows: &[From], at: Timestamp) -> Option<i64> {
    rows.iter().rev().find(|r| r.second <= at.as_second()).map(|r| r.days * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_row_begins_at_midnight() {
        for (at, days) in [
            ("2018-02-28T23:59:59Z", None),
            ("2018-03-01T00:00:00Z", Some(825)),
            ("2020-08-31T23:59:59Z", Some(825)),
            ("2020-09-01T00:00:00Z", Some(398)),
            ("2026-03-14T23:59:59Z", Some(398)),
            ("2026-03-15T00:00:00Z", Some(200)),
            ("2027-03-14T23:59:59Z", Some(200)),
            ("2027-03-15T00:00:00Z", Some(100)),
            ("2029-03-14T23:59:59Z", Some(100)),
            ("2029-03-15T00:00:00Z", Some(47)),
        ] {
            assert_eq!(limit_at(time(at)), days.map(|d| d * DAY), "{at}");
        }
    }

    #[test]
    fn rows_stand_in_order_and_midnight_is_the_calendar_s() {
        for rows in [LIMITS, LETS_ENCRYPT] {
            assert!(rows.is_sorted_by_key(|r| r.second));
        }
        for (day, second) in [("2000-02-29", midnight(2000, 2, 29)), ("2027-03-15", CHROME_CLIENT_AUTH_END)] {
            assert_eq!(time(&format!("{day}T00:00:00Z")).as_second(), second);
        }
    }

    #[test]
    fn an_authority_is_known_by_its_words_and_nobody_else_is() {
        let name = |word: &str| Brand::of_word(word).map(|b| b.name);
        assert_eq!(name("letsencrypt.org"), Some("Let's Encrypt"));
        assert_eq!(name("Let\u{2019}s Encrypt"), Some("Let's Encrypt"));
        assert_eq!(name("DigiCert"), Some("DigiCert"));
        assert_eq!((name("our own CA"), name("corp-digicert.local"), name("")), (None, None, None));
        let issuer = |text: &str| Brand::of_issuer(text).map(|b| b.name);
        assert_eq!(issuer("CN=YR1, O=Let's Encrypt, C=US"), Some("Let's Encrypt"));
        assert_eq!(issuer("CN=Let's Encrypt Authority, O=Contoso"), None);
    }

    #[test]
    fn every_authority_has_a_domain_for_caa_records() {
        assert!(BRANDS.iter().all(|b| b.caa_domain().is_some()));
        assert_eq!(Brand::of_word("Let's Encrypt").and_then(Brand::caa_domain), Some("letsencrypt.org"));
    }

    #[test]
    fn the_shorter_of_two_lifetimes_counts() {
        let days = |word, at| Brand::of_word(word).and_then(|b| b.lifetime_at(time(at))).map(|s| s / DAY);
        assert_eq!(days("letsencrypt.org", "2026-11-22T00:00:00Z"), Some(90));
        assert_eq!(days("letsencrypt.org", "2028-02-16T00:00:00Z"), Some(45));
        assert_eq!(days("digicert.com", "2026-11-22T00:00:00Z"), Some(200));
    }
}
