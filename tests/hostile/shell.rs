//! Steps of what to do first, filled in from records that an attacker wrote, and read by a real shell.
//!
//! `OFFLIMITS_ROUNDS=1000000 cargo test --release --all-features --test integration hostile::shell` tries more values.

use std::fs;
use std::process::Command;

use offlimits::cloudtrail::RawRecord;
use offlimits::ruleset::RuleSet;
use serde_json::json;

use crate::support::choices::{Choices, seeds};

/// Values that are tried; `OFFLIMITS_ROUNDS` asks for more.
const ROUNDS: u64 = 20_000;

/// The words around the value, as whoever wrote the rule means them.
const AROUND: [&str; 6] = ["aws", "iam", "x", "--policy-document", r#"{"a":"b c $(id) `id` \ ; "}"#, "--user-name"];
const BEHIND: [&str; 2] = ["--status", "Inactive"];

fn rules() -> RuleSet {
    let run = r#"aws iam x --policy-document '{{"a":"b c $(id) `id` \ ; "}}' --user-name {requestParameters.x} --status Inactive"#;
    let step = json!({ "do": "Lock {requestParameters.x}", "run": run });
    let rule = json!({ "id": "R", "title": "t", "severity": "low", "when": { "event": "X" }, "respond": [step] });
    RuleSet::compile(&json!({ "rules": [rule] }).to_string()).unwrap().rules
}

/// What an attacker may call something: names as AWS takes them, with what a shell or the program behind it would act on.
fn value(choices: &mut Choices) -> String {
    const PIECES: [&str; 48] = [
        "a", "Z", "0", "admin", "-", "--", "=", "+", ",", ".", "@", "_", ":", "/", "//", "://", "file://", "https",
        " ", "\t", "\n", "\r", "\0", "'", "\"", "\\", "`", "$", "$(", ")", "${IFS}", ";", "|", "&", "<", ">", "*", "?",
        "[", "]", "{", "}", "~", "#", "!", "%", "é", "\u{202e}",
    ];
    // Half of them of what identifiers are made of, so that many commands are shown.
    let pieces = if choices.one_in(2) { &PIECES[..14] } else { &PIECES };
    (0..choices.below(6)).map(|_| choices.of(pieces)).collect()
}

#[test]
fn a_real_shell_reads_the_words_that_were_meant() {
    let rules = rules();
    // Whatever a command became, it would find no program.
    let (mut script, mut meant, mut tried) = ("PATH=\n".to_owned(), Vec::new(), 0);
    for seed in seeds(ROUNDS) {
        tried += 1;
        let value = value(&mut Choices::new(seed));
        let record = json!({ "eventName": "X", "requestParameters": { "x": value } }).to_string();
        let raw = RawRecord { json: record, index: 0, message_id: None, account: None };
        let findings = rules.evaluate(&raw).unwrap();
        let [step] = findings[0].steps.as_slice() else { panic!("one step: {findings:?}") };
        let Some(command) = &step.command else {
            assert!(step.text.contains("(no command: requestParameters.x "), "{value:?}: {step:?}");
            continue;
        };
        // The words of each, with their number before them: another word, or a command that is not there, would show.
        script.extend(["set -- ", command, "\nprintf '%s\\0' \"$#\" \"$@\"\n"]);
        let words = [&AROUND[..], &[value.as_str()], &BEHIND].concat();
        meant.push(format!("{}\0{}\0", words.len(), words.join("\0")));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("commands.sh");
    fs::write(&file, script).unwrap();
    let run = Command::new("sh").arg(&file).current_dir(folder.path()).output().unwrap();
    assert!(run.status.success() && run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(String::from_utf8(run.stdout).unwrap(), meant.concat());
    println!("{tried} values tried, {} commands shown, all of them the words that were meant", meant.len());
    assert!(meant.len() > usize::try_from(ROUNDS / 10).unwrap(), "only {} commands were shown", meant.len());
}
