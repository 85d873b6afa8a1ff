//! Where a key can be exported, and what is done where it cannot.

use coexist::import;
use coexist::model::plan::ServerId;

use super::*;

/// One server has the certificate, the other is to get it.
const PLAN: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.san]
thumbprint = "B26C3C9B30A2A7371767275043816466CB921738"
KEYS
[certificates.old]
names = ["mail.domain.com"]
[servers.ex1]
address = "10.0.0.1"
product = "exchange-2016"
certificate = "san"
[servers.ex2]
address = "10.0.0.2"
product = "exchange-2016"
certificate = { before = "old", coexistence = "san" }
[internet]
"mail.domain.com" = { before = "ex1", coexistence = "ex2", ttl-before = "1h" }
"#;

fn made(keys: &str) -> Planned {
    before_to_coexistence(&with(PLAN, &[("KEYS", keys)]))
}

fn says_unknown(planned: &Planned) -> bool {
    planned.unknown.iter().any(|u| u.starts_with("whether the key of san can be exported"))
}

#[test]
fn the_export_comes_from_a_server_that_gives_the_key_away() {
    for keys in ["key-exportable = true", "key-exportable = [\"ex1\"]", "key-exportable = \"ex1\""] {
        let planned = made(keys);
        let export = steps(&planned, StepKind::ExportCertificate)[0].1;
        assert_eq!(&*export.what, "san with its key from ex1");
        assert!(!says_unknown(&planned), "{:?}", planned.unknown);
        assert!(steps(&planned, StepKind::Rekey).is_empty());
    }
    assert!(says_unknown(&made("")));
}

#[test]
fn a_server_that_is_said_to_have_the_key_needs_no_import() {
    let planned = made("key-exportable = \"ex2\"");
    assert!(steps(&planned, StepKind::ImportCertificate).is_empty());
    assert!(steps(&planned, StepKind::BindCertificate).iter().any(|(_, s)| s.what.contains("ex2")));
}

#[test]
fn where_no_server_gives_it_away_all_get_a_new_key() {
    let text = with(PLAN, &[("thumbprint = \"B26C3C9B30A2A7371767275043816466CB921738\"", "file = \"san.pem\"")]);
    let planned = before_to_coexistence(&with(&text, &[("KEYS", "key-exportable = false")]));
    let of = |kind| steps(&planned, kind).first().map(|(i, _)| *i);
    let (rekey, complete) = (of(StepKind::Rekey).unwrap(), of(StepKind::CompleteRequest).unwrap());
    let (export, bind) = (of(StepKind::ExportCertificate).unwrap(), of(StepKind::BindCertificate).unwrap());
    assert!(rekey < complete && complete < export && export < bind);
    let step = &planned.timeline.steps[rekey];
    assert!(step.commands.iter().flat_map(|s| &s.lines).any(|l| l.contains("New-ExchangeCertificate")));
    // Who has the old certificate gets the new one too.
    let bound: Vec<&str> = planned.timeline.steps[bind].places.iter().map(|p| &**p).collect();
    assert_eq!(bound, ["ex1", "ex2"]);
    assert!(planned.unknown.iter().any(|u| u.contains("pin")));
    assert!(!says_unknown(&planned));
    let last = carried_out(&planned.timeline);
    let labels = last.serving.values().flat_map(|s| &s.default).map(|c| &*planned.timeline.credentials[*c].label);
    assert!(labels.into_iter().all(|l| l == "san-new-key"));
}

#[test]
fn a_new_key_is_proved_as_any_other_change() {
    let text =
        with(PLAN, &[("thumbprint = \"B26C3C9B30A2A7371767275043816466CB921738\"", "names = [\"mail.domain.com\"]")]);
    let planned = before_to_coexistence(&with(&text, &[("KEYS", "key-exportable = false")]));
    assert!(!steps(&planned, StepKind::Rekey).is_empty());
    assert_safe(&planned, "a new key");
}

#[test]
fn a_thumbprint_in_the_plan_is_the_old_ones() {
    let planned = made("key-exportable = false");
    assert!(planned.unknown.iter().any(|u| u.contains("the thumbprint of san in the plan is the old one's")));
}

#[test]
fn an_inventory_tells_who_gives_the_key_away() {
    let read = read(&with(PLAN, &[("KEYS", "")]));
    for (exportable, kind) in [("True", StepKind::ExportCertificate), ("False", StepKind::Rekey)] {
        let text = format!(
            "HasPrivateKey : True\r\nPrivateKeyExportable : {exportable}\r\nThumbprint : B26C3C9B30A2A7371767275043816466CB921738\r\n"
        );
        let held = import::exchange_certificates(text.as_bytes()).unwrap();
        let inventory = Inventory::from([(ServerId(0), held)]);
        let recording = Recording::default();
        let ask = Ask { inventory: &inventory, ..ask(&read, &recording, Phase::Before, Phase::Coexistence) };
        let planned = plan(&ask).unwrap();
        assert!(!steps(&planned, kind).is_empty(), "{exportable}");
        assert_eq!(steps(&planned, StepKind::Rekey).is_empty(), exportable == "True");
        assert!(!says_unknown(&planned));
    }
}

#[test]
fn a_key_that_is_a_file_can_be_copied() {
    let planned = before_to_coexistence(&with(PLAN, &[("KEYS", "")]).replace("exchange-2016", "nginx"));
    assert!(!says_unknown(&planned), "{:?}", planned.unknown);
}

#[test]
fn what_is_said_wrongly_is_an_error_at_its_place() {
    for (keys, word) in [
        ("key-exportable = \"ex3\"", "no such server `ex3`"),
        ("key-exportable = []", "no server"),
        ("key-exportable = 7", "servers that give the key away, true or false"),
    ] {
        let text = with(PLAN, &[("KEYS", keys)]);
        let errors = coexist::plan::load("plan.toml", text.as_bytes(), &|_| Ok(())).unwrap_err();
        let shown = coexist::plan::render_errors(&errors, false);
        assert!(shown.contains(word) && shown.contains("plan.toml:6:"), "{shown}");
    }
}

#[test]
fn the_old_key_leaves_the_servers_once_none_serves_it() {
    let text =
        with(PLAN, &[("thumbprint = \"B26C3C9B30A2A7371767275043816466CB921738\"", "names = [\"mail.domain.com\"]")]);
    let planned = before_to_coexistence(&with(&text, &[("KEYS", "key-exportable = false")]));
    let (at, retire) = *steps(&planned, StepKind::RetireCertificate).last().unwrap();
    assert_eq!(&*retire.what, "the old key of san on ex1");
    assert!(!retire.reversible && steps(&planned, StepKind::BindCertificate).iter().all(|(i, _)| *i < at));
    assert!(retire.commands.iter().flat_map(|s| &s.lines).any(|l| l.contains("Remove-ExchangeCertificate")));
}

#[test]
fn the_plans_inventory_is_read_and_what_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = with(PLAN, &[("KEYS", "")]) + "[inventory]\nfiles = { ex1 = \"ex1.json\" }\n";
    std::fs::write(folder.path().join("plan.toml"), text).unwrap();
    let run = |inventory: &str| {
        std::fs::write(folder.path().join("ex1.json"), inventory).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_coexist"));
        command.args(["cutover", "plan.toml", "--from", "before", "--to", "coexistence", "--format", "json"]);
        let output = command.current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let held = |exportable: bool| {
        format!(
            r#"[{{"Thumbprint":"B26C3C9B30A2A7371767275043816466CB921738","HasPrivateKey":true,"PrivateKeyExportable":{exportable}}}]"#
        )
    };
    assert!(run(&held(true)).contains("\"kind\": \"export-certificate\""));
    assert!(run(&held(false)).contains("\"kind\": \"rekey\""));
    let said = run("Thumbprint  Services  Subject");
    assert!(
        said.contains("what ex1.json says: no certificate in it") && said.contains("its inventory could not be read")
    );
}
