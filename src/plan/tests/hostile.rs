//! Plans that want to do harm.

use proptest::prelude::*;

use super::*;

fn titles(file: &str, bytes: &[u8]) -> Vec<String> {
    let errors = load(file, bytes, &|_| Ok(())).err().unwrap();
    assert!(!render_errors(&errors, true).is_empty());
    errors.errors.into_iter().map(|e| e.title).collect()
}

#[test]
fn encodings_are_read_and_what_is_no_plan_is_refused() {
    let text = "[internet]\r\n\"a.example\" = \"absent\"\r\n[views.internal]\r\nresolvers = [\"10.0.0.53\"]\r\n";
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes(), utf16] {
        let plan = load("p.toml", &bytes, &|_| Ok(())).unwrap();
        assert_eq!(plan.source.text, text);
        assert_eq!(plan.source.place(plan.names[0].span).line, 2);
    }
    assert_eq!(titles("p.toml", b""), ["the plan is empty"]);
    assert_eq!(titles("p.json", b"  "), ["the plan is empty"]);
    assert_eq!(titles("p.toml", b"\xff"), ["the plan is not text"]);
    assert_eq!(titles("p.toml", &vec![b'\n'; 17 << 20]), ["the plan is too large"]);
}

#[test]
fn depth_does_not_reach_the_stack() {
    for open in ["[", "{", "{\"a\":", "[{\"a\":"] {
        assert_eq!(titles("p.json", open.repeat(100_000).as_bytes()), ["nested too deep"], "{open}");
    }
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("[{}]", vec!["a"; 100_000].join(".")),
        "[".repeat(100_000),
    ] {
        assert!(!titles("p.toml", text.as_bytes()).is_empty());
    }
}

#[test]
fn long_keys_large_numbers_and_zeros_are_mistakes_like_others() {
    let long = "k".repeat(1 << 20);
    assert!(titles("p.toml", format!("{long} = 1").as_bytes()).iter().any(|t| t.starts_with("unknown key")));
    assert!(titles("p.json", format!("{{\"{long}\": 1}}").as_bytes()).iter().any(|t| t.starts_with("unknown key")));
    let number = "9".repeat(100_000);
    assert!(titles("p.toml", format!("samples = {number}").as_bytes()).contains(&"number out of range".to_string()));
    assert!(
        titles("p.json", format!("{{\"samples\": {number}}}").as_bytes()).contains(&"number out of range".to_string())
    );
    assert!(!titles("p.toml", b"title = \"a\0b\"").is_empty());
    assert!(!titles("p.toml", b"\0").is_empty());
}

#[test]
fn many_mistakes_do_not_take_long() {
    let mut text = String::from("[views.internal]\nresolvers = [\"10.0.0.53\"]\n[internet]\n");
    for i in 0..5_000 {
        text.push_str(&format!("\"n{i}.example\" = \"server-{i}\"\n"));
    }
    for i in 0..5_000 {
        text.push_str(&format!("[servers.sever-{i}]\naddress = \"10.0.0.1\"\n"));
    }
    assert_eq!(titles("p.toml", text.as_bytes()).len(), 5_000);
}

#[test]
fn what_multiplies_is_bounded() {
    let many = |n: usize, one: &dyn Fn(usize) -> String| (0..n).map(one).collect::<Vec<_>>().join(",");
    let views = many(100, &|i| format!("\"lan-{i}\":{{\"resolvers\":\"10.0.0.53\"}}"));
    let servers = many(6_000, &|i| format!("\"s{i}\":{{\"address\":\"192.0.2.1\"}}"));
    let names = many(6_000, &|i| format!("\"n{i}.example\":\"s{i}\""));
    let text = format!("{{\"views\":{{{views}}},\"servers\":{{{servers}}},\"internet\":{{{names}}}}}");
    assert_eq!(titles("p.json", text.as_bytes()), ["too many", "the plan asks for too much"]);

    let one_view = "\"views\":{\"internal\":{\"resolvers\":\"10.0.0.53\"}}";
    let services = many(700, &|i| format!("\"tls:{}\"", i + 1));
    let servers = many(700, &|i| format!("\"s{i}\":{{\"address\":\"192.0.2.1\",\"services\":[{services}]}}"));
    let members = many(700, &|i| format!("\"s{i}\""));
    let text = format!(
        "{{{one_view},\"servers\":{{{servers}}},\"pools\":{{\"p\":{{\"members\":[{members}]}}}},\"internet\":{{\"n.example\":\"p\"}}}}"
    );
    assert_eq!(titles("p.json", text.as_bytes()), ["the plan asks for too much"]);

    let resolvers = many(1_001, &|i| format!("\"10.0.{}.{}\"", i / 250, i % 250));
    let text = format!(
        "{{\"views\":{{\"internal\":{{\"resolvers\":[{resolvers}]}}}},\"internet\":{{\"n.example\":\"absent\"}}}}"
    );
    assert_eq!(titles("p.json", text.as_bytes()), ["too many"]);
}

#[test]
fn a_duplicate_hides_no_other_mistake_in_its_line() {
    let text = "{\"views\":{\"internal\":{\"resolvers\":5}},\"samples\":1,\"samples\":2,\"internet\":{\"n.example\":\"absent\"}}";
    assert_eq!(titles("p.json", text.as_bytes()), ["wrong type", "duplicate key"]);
}

#[test]
fn long_keys_do_not_multiply_in_pointers() {
    let items = vec!["1"; 20_000].join(",");
    let text = format!("{{\"{}\": [{items}]}}", "k".repeat(100_000));
    let errors = load("p.json", text.as_bytes(), &|_| Ok(())).err().unwrap();
    assert!(errors.source.pointers.iter().map(|(_, p)| p.len()).sum::<usize>() <= 64 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_text_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), json in any::<bool>()) {
        let file = if json { "p.json" } else { "p.toml" };
        if let Err(errors) = load(file, &bytes, &|_| Ok(())) {
            render_errors(&errors, false);
        }
    }

    #[test]
    fn no_plan_with_a_piece_of_another_panics(at in 0usize..4000, length in 0usize..60, to in 0usize..4000, which in 0usize..20) {
        let all = plans::shipped();
        let (_, text) = &all[which % all.len()];
        let mut bytes = text.clone().into_bytes();
        let at = at % bytes.len();
        let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
        let to = to % bytes.len();
        bytes.splice(to..(to + length / 2).min(text.len()), piece);
        if let Err(errors) = load("p.toml", &bytes, &|_| Ok(())) {
            render_errors(&errors, true);
        }
    }

    #[test]
    fn no_json_of_plan_words_panics(words in proptest::collection::vec(0usize..20, 0..80)) {
        const PARTS: [&str; 20] = ["{", "}", "[", "]", ":", ",", "\"views\"", "\"internal\"", "\"resolvers\"", "\"10.0.0.53\"",
            "\"internet\"", "\"a.example\"", "\"servers\"", "1", "null", "true", "\"before\"", "\"certificate\"", "\"\\u0000\"", "1e999"];
        let text: String = words.iter().map(|w| PARTS[*w]).collect();
        if let Err(errors) = load("p.json", text.as_bytes(), &|_| Ok(())) {
            render_errors(&errors, false);
        }
    }
}
