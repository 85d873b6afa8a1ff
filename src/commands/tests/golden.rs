//! What each product says to every act, held against a file in tests/golden/commands (written anew with
//! `COEXIST_BLESS=1`).
#![allow(clippy::disallowed_methods, reason = "a test reads and, when asked, writes the golden files")]

use std::fmt::Write;
use std::path::Path;

use super::samples;
use crate::commands::*;

fn shown(product: Product, acts: &[Act]) -> String {
    let mut out = String::new();
    for act in acts {
        let _ = writeln!(out, "# {}", words::of(act).join("\n# "));
        for script in for_act(product, act) {
            let _ = writeln!(out, "[{}]", script.language.word());
            script.lines.iter().for_each(|line| {
                let _ = writeln!(out, "{line}");
            });
        }
        out.push('\n');
    }
    out
}

fn golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/commands").join(file);
    if std::env::var_os("COEXIST_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(text, want, "differs from {file}; COEXIST_BLESS=1 writes it anew");
}

#[test]
fn each_server_says_what_to_type() {
    for (word, label) in [
        ("exchange-2003", "EX2003-FE"),
        ("exchange-2007", "EX07"),
        ("exchange-2010", "EX10"),
        ("exchange-2013", "EX13"),
        ("exchange-2016-before-cu23", "EX16"),
        ("exchange-2016", "EX16"),
        ("windows-2003", "WEB03"),
        ("iis", "WEB"),
        ("nginx", "web"),
        ("apache", "web"),
        ("haproxy", "lb"),
        ("postfix", "mx"),
        ("dovecot", "imap"),
        ("kubernetes", "gateway"),
        ("f5", "lb"),
    ] {
        golden(&format!("{word}.txt"), &shown(Product::of(Some(word)), &samples::on_server(label)));
    }
}

#[test]
fn each_dns_server_says_what_to_type() {
    for (word, server) in [
        ("windows-dns", "dc1"),
        ("bind", "10.0.0.53"),
        ("nsd", "10.0.0.53"),
        ("knot", "10.0.0.53"),
        ("powerdns", "10.0.0.53"),
        ("windows-dns-before-2012", "dc1"),
        ("route53", "10.0.0.53"),
        ("azure-dns", "10.0.0.53"),
        ("cloudflare", "10.0.0.53"),
    ] {
        golden(&format!("{word}.txt"), &shown(Product::of(Some(word)), &samples::in_zone(server)));
    }
}

#[test]
fn what_no_product_differs_in_is_said_by_all() {
    golden("anywhere.txt", &shown(Product::Other, &samples::anywhere()));
    for product in Product::ALL {
        for act in samples::anywhere() {
            assert_eq!(for_act(*product, &act), for_act(Product::Other, &act), "{product:?} {act:?}");
        }
    }
}

#[test]
fn nothing_is_ever_left_unsaid() {
    let all = [samples::on_server("a"), samples::in_zone("b"), samples::anywhere()].concat();
    for product in Product::ALL {
        for act in &all {
            let scripts = for_act(*product, act);
            assert!(!scripts.is_empty(), "{product:?} has nothing to say to {act:?}");
            for script in &scripts {
                assert!(!script.lines.is_empty(), "{product:?} {act:?}");
                let ends_a_line = |line: &String| line.contains(['\n', '\r', '\0']);
                assert!(!script.lines.iter().any(ends_a_line), "{product:?} {act:?}");
            }
        }
    }
}
