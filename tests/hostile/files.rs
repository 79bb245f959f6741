//! Files, folders and streams.

use std::path::Path;

use serde_json::{Value, json};

use super::make::{gzip, gzip_bomb, log_file, rules, spliced, start_instances, with};
use crate::support;

/// The line that could not be read is told by its number in the file.
#[test]
fn a_bad_line_is_named_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let record = start_instances().to_string();
    let file = support::file(folder.path(), "trail.jsonl", format!("{record}\n\n{record}\n{{oops\n{record}\n"));
    let run = support::replay(&[&file], &rules(folder.path()));
    assert_eq!(run.code, Some(2), "{}", run.shown());
    assert!(run.stderr.contains("trail.jsonl:4"), "{}", run.shown());
    assert_eq!(run.findings().len(), 3);
}

/// Runs `replay` with no more than 2 GiB of address space: who swallows a bomb whole is ended by a failed allocation.
#[cfg(unix)]
fn replay_in_little_memory(file: &Path, rules: &Path) -> support::Run {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 2097152 && exec \"$0\" replay --format jsonl --rules \"$1\" \"$2\""]);
    command.arg(env!("CARGO_BIN_EXE_offlimits")).arg(rules).arg(file);
    support::run(command)
}

#[cfg(unix)]
#[test]
fn bombs_are_capped() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let record = start_instances().to_string();
    let string = spliced("\"").split_at(spliced("\"").find("\"userAgent\":\"").unwrap() + 13).0.to_owned();
    for (name, bytes) in [
        ("zeros.gz", gzip_bomb(b"", 0, 1024)),
        ("zeros-in-members.gz", gzip_bomb(b"", 0, 64).repeat(16)),
        ("record-and-spaces.gz", gzip_bomb(record.as_bytes(), b' ', 300)),
        ("string-without-end.gz", gzip_bomb(string.as_bytes(), b'a', 300)),
        ("brackets.gz", gzip_bomb(b"", b'[', 300)),
    ] {
        let file = support::file(folder.path(), name, &bytes);
        let run = replay_in_little_memory(&file, &rules);
        assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{name}: {}", run.shown());
        assert!(run.stderr.contains(name), "{name}: {}", run.shown());
        assert_eq!(run.stdout, "", "{name}");
    }
    // A device that never ends is a bomb, too.
    let run = replay_in_little_memory(Path::new("/dev/zero"), &rules);
    assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
    assert!(run.stderr.contains("/dev/zero"), "{}", run.shown());
}

/// What fits under the cap is read, however well it was compressed.
#[test]
fn a_large_file_below_the_cap_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = gzip_bomb(start_instances().to_string().as_bytes(), b'\n', 40);
    let file = support::file(folder.path(), "large.json.gz", bytes);
    let run = support::replay(&[&file], &rules(folder.path()));
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    assert_eq!(run.findings().len(), 1);
}

/// Of several inputs each readable one is processed, and each other one named.
#[test]
fn what_is_no_file_is_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let good = support::file(folder.path(), "good.json", start_instances().to_string());
    let bad = support::file(folder.path(), "bad.json", "{");
    let empty = folder.path().join("empty-folder");
    std::fs::create_dir(&empty).unwrap();
    let missing = folder.path().join("missing.json");
    let run = support::replay(&[&missing, &good, &empty, &bad, &good], &rules);
    assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
    assert_eq!(run.findings().len(), 2);
    for name in ["missing.json", "bad.json", "empty-folder"] {
        assert!(run.stderr.contains(name), "{name}: {}", run.shown());
    }
}

/// A folder that leads back into itself, and names that are no text.
#[cfg(unix)]
#[test]
fn folders_may_be_hostile_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let trail = folder.path().join("trail");
    std::fs::create_dir(&trail).unwrap();
    std::os::unix::fs::symlink(&trail, trail.join("again")).unwrap();
    std::os::unix::fs::symlink("nowhere", trail.join("dangling.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", trail.join("device.json")).unwrap();
    support::file(&trail, "new\nline \u{1b}[31m.json", start_instances().to_string());
    let no_text = trail.join(std::ffi::OsStr::from_bytes(b"no-text-\xff.json"));
    std::fs::write(&no_text, start_instances().to_string()).unwrap();
    let mut deep = trail.clone();
    for _ in 0..100 {
        deep.push("d");
    }
    std::fs::create_dir_all(&deep).unwrap();
    support::file(&deep, "deep.json", start_instances().to_string());
    support::file(&trail, "notes.txt", "not a log file");

    let run = support::replay(&[&trail], &rules);
    assert_eq!(run.misbehaviour(), None);
    assert_eq!(run.findings().len(), 3, "{}", run.shown());
    assert!(
        !run.stderr.contains('\u{1b}'),
        "no escape sequence of a file's name reaches the terminal: {:?}",
        run.shown()
    );
    // A folder is not a file of rules.
    let run = support::replay(&[&no_text], &trail);
    assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
    assert!(run.stderr.contains("trail"), "{}", run.shown());
}

/// What callers choose (names, agents, parameters) must not speak to the terminal of whoever reads the alert.
#[test]
fn no_control_characters_reach_people() {
    const EVIL: &str = "\u{1b}[2J\u{1b}]0;pwned\u{7}\r\nsecond line\u{202e}txt\u{0}\u{9b}31m";
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let fields = [
        "/userIdentity/userName",
        "/userIdentity/arn",
        "/userAgent",
        "/sourceIPAddress",
        "/awsRegion",
        "/errorCode",
        "/errorMessage",
        "/eventTime",
        "/eventID",
        "/recipientAccountId",
    ];
    let mut records: Vec<Value> = fields.iter().map(|field| with(field, json!(EVIL))).collect();
    records.push(with("/eventName", json!(format!("StartInstances{EVIL}"))));
    records.push(with("/eventSource", json!(format!("ec2.amazonaws.com{EVIL}"))));
    records.push(with("/requestParameters", json!({"instancesSet": {"items": [{"instanceId": EVIL}]}, EVIL: EVIL})));
    records.push(json!({"eventVersion": "1.11", "userIdentity": {"type": EVIL}, "eventName": EVIL}));
    let ignored = json!({"detail-type": EVIL, "source": EVIL, "detail": {}});
    let unknown = json!({EVIL: EVIL});
    records.extend([ignored, unknown]);
    let file = support::file(folder.path(), "evil.json", log_file(&records));
    for command in ["replay", "explain"] {
        let mut evil = support::offlimits([command, "--rules"]);
        evil.arg(&rules).arg(&file);
        let run = support::run(evil);
        assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{command}: {}", run.shown());
        for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            let odd = text.lines().find(|line| line.chars().any(|c| c.is_control() && c != '\t' || c == '\u{202e}'));
            assert_eq!(odd, None, "{command}: {stream}");
            assert!(
                !text.lines().any(|line| line.starts_with("second line")),
                "{command}: {stream}: a line was broken"
            );
        }
    }
}

/// `-` is stdin: it may be cut off, empty, or a bomb like any file.
#[test]
fn stdin_is_read_like_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    for (bytes, code, found) in [
        (start_instances().to_string().into_bytes(), 0, 1),
        (gzip(start_instances().to_string()), 0, 1),
        (b"{".to_vec(), 2, 0),
        (vec![0x1f], 2, 0),
        (gzip_bomb(b"", b' ', 300), 2, 0),
    ] {
        let file = support::file(folder.path(), "stdin", &bytes);
        let mut command = support::offlimits(["replay", "-", "--format", "jsonl", "--rules"]);
        command.arg(&rules).stdin(std::fs::File::open(file).unwrap());
        let run = support::run(command);
        assert_eq!((run.code, run.misbehaviour()), (Some(code), None), "{}", run.shown());
        assert_eq!(run.findings().len(), found);
        assert!(code == 0 || run.stderr.contains("stdin"), "{}", run.shown());
    }
}
