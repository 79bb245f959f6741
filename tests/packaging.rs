//! `offlimits package`, and what an installed tool brings along.

use std::fs;
use std::path::{Path, PathBuf};

use offlimits::ruleset::RuleSet;
use offlimits::ruleset::format::FORMAT;
use sha2::{Digest, Sha256};

use crate::support::{Run, file, offlimits, repository, run};

const RULES: &str = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"event":{"is":"StopLogging"}}}]}"#;

/// The head of a program for Linux on x86-64, and the mark of the format that it reads, which is all that is looked at.
fn program(machine: u8) -> Vec<u8> {
    let mut head = unmarked(machine);
    head.extend(format!("\0offlimits reads rules of format {FORMAT}\n\0").bytes());
    head
}

/// A function of before there were marks.
fn unmarked(machine: u8) -> Vec<u8> {
    let mut head = vec![0_u8; 64];
    head[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    head[18] = machine;
    head
}

/// Runs it in a folder that holds rules.json and a bootstrap; gives the folder of the package.
fn package(folder: &Path, more: &[&str]) -> (Run, PathBuf) {
    let output = folder.join("out/package");
    let mut command = offlimits(["package", "--function", "bootstrap", "--output", "out/package"]);
    command.args(more).current_dir(folder);
    (run(command), output)
}

fn folder(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "rules.json", rules);
    file(folder.path(), "bootstrap", program(62));
    folder
}

#[test]
fn rules_stand_beside_the_function_and_the_parameter_says_what_it_is_for() {
    let folder = folder(RULES);
    let sum = Sha256::digest(program(62)).iter().fold(String::new(), |sum, byte| sum + &format!("{byte:02X}"));
    let (done, output) = package(
        folder.path(),
        &[
            "--sha256",
            &format!("{sum}  bootstrap"),
            "--architecture",
            "x86_64",
            "--parameters",
            "sam/architecture.yaml",
        ],
    );
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(fs::read(output.join("bootstrap")).unwrap(), program(62));
    let bundle = fs::read_to_string(output.join("rules.json")).unwrap();
    assert_eq!(bundle, RULES.replacen('{', &format!("{{\"needs\":{FORMAT},"), 1));
    // What the format is, is no part of which rules these are.
    let digest = |rules: &str| RuleSet::compile(rules).unwrap().rules.digest().clone();
    assert_eq!(digest(&bundle), digest(RULES));
    assert!(output.join("rules.index").exists());
    let parameters = fs::read_to_string(folder.path().join("sam/architecture.yaml")).unwrap();
    assert_eq!(parameters, "Architecture: x86_64\n");
    assert!(done.stderr.contains("of different versions"), "{}", done.stderr);
    // The databases of addresses go along, and go again.
    for there in [true, false] {
        for database in ["countries.mmdb", "networks.mmdb"] {
            let path = folder.path().join(database);
            if there {
                fs::write(&path, "x").unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            assert_eq!(package(folder.path(), &[]).0.code, Some(0));
            assert_eq!(output.join(database).exists(), there);
        }
    }
}

#[test]
fn what_is_refused_leaves_nothing() {
    /// The rules, options, the program, the exit code, and what is said.
    type Case = (&'static str, &'static [&'static str], Vec<u8>, i32, &'static str);
    let wrong = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"evnt":"x"}}]}"#;
    let older = "\0offlimits reads rules of format 1\n";
    let cases: [Case; 8] = [
        (RULES, &["--sha256", "00"], program(62), 1, "it is not what was released"),
        (RULES, &["--architecture", "arm64"], program(62), 1, "is for x86_64, and not for arm64"),
        (RULES, &[], program(40), 1, "a processor that Lambda does not have"),
        (RULES, &[], b"MZ".to_vec(), 1, "is not a program for Linux"),
        (RULES, &[], b"PK\x05\x06".to_vec(), 1, "the zip archive is damaged"),
        (wrong, &[], program(62), 1, "evnt"),
        (RULES, &[], unmarked(62), 1, "reads rules of format 1, and this tool writes format 4"),
        (RULES, &[], [unmarked(62), older.into()].concat(), 1, "take a function of this version or a later one"),
    ];
    for (rules, more, program, code, expected) in cases {
        let folder = folder(rules);
        file(folder.path(), "bootstrap", program);
        let (done, output) = package(folder.path(), more);
        assert_eq!(done.code, Some(code), "{expected}: {}", done.stderr);
        assert!(done.stderr.contains(expected), "{}", done.stderr);
        assert!(!output.exists(), "{expected}");
    }
    let folder = folder(RULES);
    fs::remove_file(folder.path().join("bootstrap")).unwrap();
    assert_eq!(package(folder.path(), &[]).0.code, Some(2));
}

/// The mark is in the function that is built, whatever the linker leaves out.
#[cfg(feature = "lambda")]
#[test]
fn the_function_that_is_built_tells_what_it_reads() {
    let folder = folder(RULES);
    fs::copy(env!("CARGO_BIN_EXE_bootstrap"), folder.path().join("bootstrap")).unwrap();
    let (done, output) = package(folder.path(), &[]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(output.exists() && !done.stderr.contains("different versions"), "{}", done.stderr);
}

/// A function says that rules are too new for it, and not that they are full of mistakes.
#[cfg(feature = "lambda")]
#[test]
fn a_function_refuses_newer_rules_at_its_start_and_reads_older_ones() {
    let start = |rules: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bootstrap"));
        // Nobody listens there: a function that has read its rules ends for want of Lambda.
        command.env("OFFLIMITS_RULES", file(folder.path(), "rules.json", rules));
        command.env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9").env("AWS_LAMBDA_FUNCTION_NAME", "offlimits");
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128").env("AWS_LAMBDA_FUNCTION_VERSION", "1");
        let done = run(command);
        assert_ne!(done.code, Some(0));
        done.stdout + &done.stderr
    };
    let newer = FORMAT + 1;
    let rules = RULES.replacen('{', &format!("{{\"needs\":{newer},\"nobody_knows\":1,"), 1);
    let said = start(&rules);
    assert!(said.contains("is too new for this function"), "{said}");
    assert!(
        said.contains(&format!("of format {newer}, and this version of offlimits reads rules of format {FORMAT}")),
        "{said}"
    );
    assert!(!said.contains("nobody_knows"), "{said}");
    let said = start(RULES);
    assert!(!said.contains("too new"), "{said}");
}

#[test]
fn rules_are_not_overwritten_by_their_own_bundle() {
    let folder = folder(RULES);
    let mut command = offlimits(["package", "--function", "bootstrap", "--output", "."]);
    command.current_dir(folder.path());
    let done = run(command);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert_eq!(fs::read_to_string(folder.path().join("rules.json")).unwrap(), RULES);
}

#[test]
fn an_installed_tool_has_the_packs_and_what_lies_beside_the_rules_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    file(
        folder.path(),
        "rules.json",
        r#"{"channels":{"topic":{"type":"sns"}},"include":["packs/cis-monitoring.json"]}"#,
    );
    let here = |arguments: &[&str]| {
        let mut command = offlimits(arguments);
        command.current_dir(folder.path());
        run(command)
    };
    let done = here(&["check"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("15 rules"), "{}", done.stderr);
    let tested = here(&["test"]);
    assert_eq!(tested.code, Some(0), "{}", tested.stderr);
    // The same bundle as with the repository's folder.
    let installed = here(&["bundle"]).stdout;
    fs::create_dir(folder.path().join("packs")).unwrap();
    fs::copy(repository("packs/cis-monitoring.json"), folder.path().join("packs/cis-monitoring.json")).unwrap();
    assert_eq!(here(&["bundle"]).stdout, installed);
    file(&folder.path().join("packs"), "cis-monitoring.json", RULES);
    assert!(here(&["check"]).stderr.contains("1 rule "), "the file counts");
    file(&folder.path().join("packs"), "cis-monitoring.json", "{");
    assert_eq!(here(&["check"]).code, Some(1), "a file that is wrong is not passed over");
}

/// A row that can never match is a rule that watches over nothing: it is not deployed, unless its author says that they know.
#[test]
fn rules_that_can_never_match_are_not_packaged() {
    let of = |event: &str, more: &str| {
        format!(
            r#"{{"rules":[{{"id":"R","title":"t","severity":"low"{more},"when":{{"service":{{"is":"ec2.amazonaws.com"}},"event":{{"is":"StopInstances"}},{event}}}}}]}}"#
        )
    };
    let row = |when: &str, more: &str| {
        format!(r#"{{"rules":[{{"id":"R","title":"t","severity":"low"{more},"when":{{{when}}}}}]}}"#)
    };
    let allow = |lint: &str| format!(r#","allow":[{{"lint":"{lint}","reason":"we know"}}]"#);
    let ec2 = r#""service":{"is":"ec2.amazonaws.com"}"#;
    for (lint, when) in [
        ("unknown-event", format!(r#"{ec2},"event":{{"is":"StpInstances"}}"#)),
        ("unknown-service", r#""service":{"is":"cloudwatch.amazonaws.com"}"#.to_owned()),
        ("unknown-region", format!(r#"{ec2},"region":{{"is":"eu-wets-1"}}"#)),
        ("unknown-identity", format!(r#"{ec2},"identity":{{"is":"IAMuser"}}"#)),
        ("service-event-mismatch", format!(r#"{ec2},"event":{{"is":"CreateUser"}}"#)),
        (
            "recorded-otherwise",
            r#""service":{"is":"s3.amazonaws.com"},"event":{"is":"PutBucketLifecycleConfiguration"}"#.to_owned(),
        ),
        (
            "recorded-elsewhere",
            r#""service":{"is":"iam.amazonaws.com"},"event":{"is":"CreateUser"},"region":{"is":"eu-west-1"}"#
                .to_owned(),
        ),
        (
            "never-derived",
            format!(r#"{ec2},"event":{{"is":"CreateSecurityGroup"}},"opened_to_world":{{"exists":true}}"#),
        ),
        (
            "unknown-member",
            format!(r#"{ec2},"event":{{"is":"StopInstances"}},"requestParameters.instncesSet":{{"exists":true}}"#),
        ),
        ("member-case", format!(r#"{ec2},"userIdentity.username":{{"is":"mara"}}"#)),
        ("path-below-value", format!(r#"{ec2},"sourceIPAddress.ip":{{"is":"203.0.113.7"}}"#)),
        ("value-for-object", format!(r#"{ec2},"userIdentity":{{"is":"Root"}}"#)),
        (
            "rotated-columns",
            r#""eventName":"^(iam.amazonaws.com)","eventSource":"^(IAM).*","userIdentityType":"^(Delete).*""#
                .to_owned(),
        ),
        // Within an array's element, and as one of several names.
        ("unknown-event", format!(r#"{ec2},"event":["^StopInstances$","^StpInstances$"]"#)),
    ] {
        let folder = folder(&row(&when, ""));
        let (done, output) = package(folder.path(), &[]);
        assert_eq!(done.code, Some(1), "{lint}: {}", done.stderr);
        assert!(!output.exists(), "{lint}");
        for part in [
            format!("[{lint}] Error: "),
            format!("write \"allow\": [{{\"lint\": \"{lint}\", \"reason\": \"…\"}}] into the rule"),
            "error: nothing is packaged: ".to_owned(),
        ] {
            let told = done.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains(&part), "{part} in {}", done.stderr);
        }
        let bundled = |rules: &str| {
            let mut command = offlimits(["bundle", "--rules"]);
            command.arg(file(folder.path(), "rules.json", rules));
            let done = run(command);
            (done.code, done.stdout.is_empty())
        };
        assert_eq!(bundled(&row(&when, "")), (Some(1), true), "{lint}");
        assert_eq!(bundled(&row(&when, &allow(lint))), (Some(0), false), "{lint}");
        assert_eq!(bundled(&row(&when, r#","mode":"off""#)), (Some(0), false), "{lint}");
    }
    // What excludes something, or is excepted, keeps no rule from firing; nor does what the function may have been told to hear of.
    for (event, more) in [
        (r#""user":{"not":{"is":"x"}},"awsRegion":{"not":{"is":"eu-wets-1"}}"#, ""),
        (r#""userIdentity.username":{"exists":false}"#, ""),
        (r#""user":{"is":"x"}"#, r#","unless":[{"when":{"event":{"is":"StpInstances"}},"reason":"r"}]"#),
    ] {
        let folder = folder(&of(event, more));
        let (done, _) = package(folder.path(), &[]);
        assert_eq!(done.code, Some(0), "{event}: {}", done.stderr);
    }
    let reading = folder(&row(&format!(r#"{ec2},"event":{{"is":"DescribeInstances"}}"#), ""));
    let (done, output) = package(reading.path(), &[]);
    assert!(done.code == Some(0) && output.exists(), "{}", done.stderr);
    assert!(done.stderr.contains("[read-only-call] Warning"), "{}", done.stderr);
}

/// A rule of a pack is allowed where the pack is included.
#[test]
fn a_packs_rule_that_can_never_match_is_allowed_where_it_is_included() {
    let folder = folder(r#"{"include":["pack.json"]}"#);
    file(folder.path(), "pack.json", RULES.replace("StopLogging", "StpLogging"));
    let (done, _) = package(folder.path(), &[]);
    assert!(done.code == Some(1) && done.stderr.contains("the pack's overrides"), "{}", done.stderr);
    file(
        folder.path(),
        "rules.json",
        r#"{"include":[{"pack":"pack.json","overrides":{"R":{"allow":[{"lint":"unknown-event","reason":"new"}]}}}]}"#,
    );
    let (done, _) = package(folder.path(), &[]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}
