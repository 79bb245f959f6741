//! Archives: what `backtest`, `diff` and `explain` make of folders of log files, large, damaged and interrupted ones too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::{self, Run};

/// A call of this number: every tenth is off limits.
fn record(number: usize) -> Value {
    let name = if number.is_multiple_of(10) { "StopLogging" } else { "DescribeTrails" };
    json!({
        "eventVersion": "1.08", "eventID": format!("00000000-0000-4000-8000-{number:012}"), "eventName": name,
        "eventSource": "cloudtrail.amazonaws.com", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
        "eventTime": format!("2025-03-{:02}T10:{:02}:00Z", 1 + number / 1000 % 28, number / 10 % 60),
        "sourceIPAddress": format!("192.0.2.{}", number % 3),
        "userIdentity": { "type": "IAMUser", "userName": format!("user{}", number % 4), "accountId": "111122223333" },
    })
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn log_file(numbers: impl Iterator<Item = usize>) -> String {
    json!({ "Records": numbers.map(record).collect::<Vec<_>>() }).to_string()
}

/// A rule for `StopLogging`, with `more` keys.
fn rules(folder: &Path, name: &str, more: &Value) -> PathBuf {
    let mut rule = json!({
        "id": "stopped", "title": "{event} by {actor}", "severity": "high",
        "when": { "service": { "is": "cloudtrail.amazonaws.com" }, "event": { "is": "StopLogging" } },
    });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let rules = json!({ "channels": { "soc": { "type": "slack" }, "topic": { "type": "sns", "min_severity": "extreme" } }, "rules": [rule] });
    support::file(folder, name, rules.to_string())
}

/// 12 files of 100 records in CloudTrail's layout, one of them damaged, one not CloudTrail's, one of several members.
fn archive(folder: &Path) -> PathBuf {
    let root = folder.join("AWSLogs");
    for file in 0..12 {
        let day = root.join(format!("111122223333/CloudTrail/eu-west-1/2025/03/{:02}", 1 + file / 3));
        std::fs::create_dir_all(&day).unwrap();
        let name = format!("111122223333_CloudTrail_eu-west-1_202503{:02}T{file:02}00Z_x.json.gz", 1 + file / 3);
        let numbers = file * 100..(file + 1) * 100;
        let mut bytes = gzip(log_file(numbers.clone()));
        match file {
            3 => bytes.truncate(bytes.len() / 2),
            5 => bytes = gzip(r#"{"digestStartTime":"2025-03-02T10:00:00Z"}"#),
            7 => bytes = numbers.flat_map(|number| gzip(format!("{}\n", record(number)))).collect(),
            _ => {}
        }
        std::fs::write(day.join(name), bytes).unwrap();
    }
    root
}

fn backtest(rules: &Path, paths: &[&Path], options: &[&str]) -> Run {
    let mut command = support::offlimits(["backtest", "--rules"]);
    command.arg(rules).args(paths).args(options);
    support::run(command)
}

#[test]
fn an_archive_is_read_in_order_and_what_is_damaged_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, root) = (rules(folder.path(), "rules.json", &json!({})), archive(folder.path()));
    let run = backtest(&rules, &[&root], &["--format", "jsonl"]);
    assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
    // Ten files of a hundred records, and what is intact of one that breaks off; of them each tenth is found. The order is
    // that of files and records.
    let broken = root.join("111122223333/CloudTrail/eu-west-1/2025/03/02");
    let broken = std::fs::read(broken.join("111122223333_CloudTrail_eu-west-1_20250302T0300Z_x.json.gz")).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&*broken).read_to_end(&mut text).unwrap_err();
    let intact = String::from_utf8_lossy(&text).matches("\"}},").count() as u64;
    assert!((10..100).contains(&intact));
    let found: Vec<(String, u64)> = run
        .findings()
        .iter()
        .map(|line| (line["event_id"].as_str().unwrap().to_owned(), line["index"].as_u64().unwrap()))
        .collect();
    let numbers = (0..1200_u64).step_by(10).filter(|number| number / 100 != 5 && !(300 + intact..400).contains(number));
    let expected: Vec<(String, u64)> =
        numbers.map(|number| (format!("00000000-0000-4000-8000-{number:012}"), number % 100)).collect();
    assert_eq!(found, expected);
    assert!(run.stderr.contains("T0300Z_x.json.gz") && run.stderr.contains("ignored"), "{}", run.shown());
    let (findings, records) = (found.len(), format!("1,{intact:03} records"));
    let sentence = format!("{findings} findings in {records} from 12 files, 1 ignored, 1 unreadable");
    assert!(run.stderr.contains(&sentence), "{}", run.stderr);
    assert!(run.stderr.contains("its gzip data breaks off"), "{}", run.stderr);
    for threads in ["1", "2", "7"] {
        let again = backtest(&rules, &[&root], &["--format", "jsonl", "--threads", threads]);
        assert_eq!((again.stdout, again.stderr), (run.stdout.clone(), run.stderr.clone()), "{threads} threads");
    }
}

#[test]
fn part_of_an_archive_is_chosen_by_the_names_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, root) = (rules(folder.path(), "rules.json", &json!({})), archive(folder.path()));
    for (options, records) in [
        (&["--since", "2025-03-03"][..], 600),
        (&["--since", "2025-03-03", "--until", "2025-03-03"], 300),
        (
            &["--since", "2025-03-03", "--account", "111122223333", "--region", "us-east-1", "--region", "eu-west-1"],
            600,
        ),
    ] {
        let options = [options, &["--format", "json"]].concat();
        let run = backtest(&rules, &[&root], &options);
        assert_eq!(run.code, Some(0), "{options:?}: {}", run.shown());
        assert_eq!(run.findings()[0]["records"], records, "{options:?}");
    }
    // A figure of nothing is no answer: whoever asks wrongly must not take it for one.
    for (options, reason) in [
        (&["--region", "us-east-1"][..], "error: nothing was read: no file is of these days, accounts and regions"),
        (&["--since", "2025-03-04", "--until", "2025-03-03"], "error: nothing was read: --since is after --until"),
        (&["--since", "3 March"], "not a day"),
        (&["--account", "1111-2222-3333"], "not an account: write its twelve digits"),
        (&["--region", "EU-WEST-1"], "not a region: write it as eu-west-1"),
    ] {
        let run = backtest(&rules, &[&root], &[options, &["--max-per-day", "9"]].concat());
        assert!(run.code == Some(2) && run.stderr.contains(reason), "{options:?}: {}", run.shown());
    }
    // What is not named as CloudTrail's files are cannot be chosen among.
    let file = support::file(folder.path(), "log.json.gz", gzip(log_file(0..10)));
    let run = backtest(&rules, &[&file], &["--region", "us-east-1"]);
    assert!(run.code == Some(0) && run.stderr.contains("read whole, for it is not named as"), "{}", run.shown());
    assert!(!backtest(&rules, &[&file], &[]).stderr.contains("read whole"));
}

#[test]
fn the_summary_counts_and_plays_throttling_back() {
    let folder = tempfile::tempdir().unwrap();
    let throttled = json!({ "throttle": { "window": "15m", "by": ["actor"] } });
    let rules = rules(folder.path(), "rules.json", &throttled);
    // 50 findings in 50 minutes, by user0 and user2 in turn, twice over: CloudTrail delivers some records twice.
    let file = support::file(folder.path(), "log.json.gz", gzip(log_file((0..500).chain(0..500))));
    let run = backtest(&rules, &[&file], &["--format", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    let summary = &run.findings()[0];
    assert_eq!(
        (&summary["records"], &summary["findings"], &summary["repeats"]),
        (&json!(1000), &json!(50), &json!(50))
    );
    // Each actor's windows open at minutes 0 or 1, then at every sixteenth; the last one holds nothing back.
    let rule = &summary["rules"][0];
    assert_eq!((&rule["alerts"], &rule["held_back"], &rule["roll_ups"]), (&json!(8), &json!(42), &json!(6)), "{rule}");
    let channels = summary["channels"].as_array().unwrap();
    assert_eq!((&channels[0]["alerts"], &channels[0]["roll_ups"]), (&json!(8), &json!(6)));
    // The other channel takes what is extreme only.
    assert_eq!((&channels[1]["findings"], &channels[1]["alerts"]), (&json!(0), &json!(0)));
    assert_eq!(summary["actors"]["names"][0], json!({ "name": "user0", "findings": 25 }));
    assert_eq!(summary["worst_day"], json!({ "day": "2025-03-01", "count": 14 }));
    let human = backtest(&rules, &[&file], &[]);
    assert!(human.stdout.starts_with("50 findings in 1,000 records from 1 file, on 2025-03-01\n"), "{}", human.stdout);
    for (most, code) in [("14", 0), ("13", 1)] {
        let run = backtest(&rules, &[&file], &["--max-per-day", most]);
        assert_eq!(run.code, Some(code), "{}", run.shown());
        assert_eq!(run.stderr.contains("2025-03-01 has 14 messages"), code == 1, "{}", run.shown());
    }
}

/// 200 findings in one minute: the function sends 60 of them and a digest, and so says every form of the summary.
#[test]
fn the_storm_guard_is_played_back_and_every_form_tells_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let at = |number: usize, time: &str| {
        let mut record = record(10 * number);
        record["eventTime"] = json!(time);
        record
    };
    let mut records: Vec<Value> = (0..200).map(|n| at(n, &format!("2025-03-01T10:00:{:02}Z", n % 60))).collect();
    // Other calls, which only the staged rule finds: of one call there is one message.
    records.extend((300..500).map(|n| at(n, &format!("2025-03-01T10:00:{:02}Z", n % 60))));
    records.push(at(200, "2025-03-01T23:58:00Z"));
    records.push(at(201, "2025-03-01T23:59:00Z"));
    let file = support::file(folder.path(), "log.json", json!({ "Records": records }).to_string());
    let rules_of = |staged: &str| {
        let rule = |id: &str, mode: &str, severity: &str, event_id: &str, throttle: Value| {
            json!({ "id": id, "title": "t", "severity": severity, "mode": mode, "throttle": throttle,
                "when": { "event": { "is": "StopLogging" }, "eventID": event_id } })
        };
        let (storm, pair, other) = ("0000[01]..0$", "0000(2000|2010)$", "0000[34]..0$");
        json!({ "channels": { "soc": { "type": "slack" }, "all": { "type": "sns", "max_per_minute": 10_000 } }, "rules": [
            rule("storm", "alert", "high", storm, json!("off")), rule("pair", "alert", "high", pair, json!({ "window": "5m", "by": ["event"] })),
            rule("staged", staged, "low", other, json!("off")),
        ] })
    };
    let (rules, without) = (rules_of("stage").to_string(), rules_of("off").to_string());
    let (rules, without) =
        (support::file(folder.path(), "rules.json", rules), support::file(folder.path(), "without.json", without));

    let run = backtest(&rules, &[&file], &["--format", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    let summary = &run.findings()[0];
    let figures = |of: &Value| {
        ["messages", "alerts", "held_back", "digested", "roll_ups", "digests"].map(|key| of[key].as_u64().unwrap())
    };
    // Soc: 60 of the storm and its digest, one of the pair and its roll-up. The other has all of the storm.
    let (soc, all) = ([63, 61, 1, 140, 1, 1], [202, 201, 1, 0, 1, 0]);
    assert_eq!(summary["channels"].as_array().unwrap().iter().map(figures).collect::<Vec<_>>(), [all, soc]);
    assert_eq!(figures(summary), [265, 262, 2, 140, 2, 1]);
    let sums =
        ["staged", "unrouted", "below_threshold", "routed", "findings"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!(sums, [200, 0, 0, 202, 402]);
    // The roll-up of the pair falls on the next day, on which nothing is found.
    let days = summary["days"].as_array().unwrap();
    let days: Vec<_> = days.iter().map(|day| (&day["day"], &day["findings"], &day["messages"])).collect();
    let (first, second) = (json!("2025-03-01"), json!("2025-03-02"));
    assert_eq!(days, [(&first, &json!(402), &json!(263)), (&second, &json!(0), &json!(2))]);
    assert_eq!(summary["worst_day"], json!({ "day": "2025-03-01", "count": 263 }));
    // The staged rule would send as much again, and no digest less: its severity is counted apart.
    assert_eq!(summary["if_staged_alerted"]["worst_day"], json!({ "day": "2025-03-01", "count": 263 + 60 + 200 }));
    let by_rule = |id: &str| summary["rules"].as_array().unwrap().iter().find(|line| line["rule"] == id).unwrap();
    assert_eq!(figures(by_rule("staged")), [260, 260, 0, 140, 0, 0]);
    assert_eq!(figures(by_rule("storm")), [260, 260, 0, 140, 0, 0]);

    let page = folder.path().join("report.html");
    let human = backtest(&rules, &[&file], &["--report", page.to_str().unwrap()]);
    let parts = "262 alerts + 2 roll-ups + 1 digest";
    assert!(human.stdout.contains(&format!("265 messages = {parts}\n")), "{}", human.stdout);
    assert!(human.stdout.contains("if the staged rules alerted: 525 messages, at most 523 on one day, 2025-03-01\n"));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&format!("<span class=\"value\">265</span> <span class=\"note\">{parts}</span>")), "{page}");
    let soc = r#"<th scope="row">soc</th><td class="number">202</td><td class="number">63</td><td class="number">61</td><td class="number">1</td>"#;
    assert!(page.contains(soc), "{page}");

    // A gate in CI is closed before a staged rule goes live.
    for (rules, most, code) in [(&rules, "523", 0), (&rules, "522", 1), (&without, "263", 0), (&without, "262", 1)] {
        let run = backtest(rules, &[&file], &["--max-per-day", most]);
        assert_eq!(run.code, Some(code), "{most}: {}", run.shown());
    }
}

/// More than is held in memory, in each form that can be cut, with a damaged record in the middle.
#[test]
fn large_files_are_read_a_part_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path(), "rules.json", &json!({}));
    let record = record(10).to_string();
    let filler = format!(r#"{{"eventName":"Get","eventSource":"x","note":"{}é\\\"{{["}}"#, "x".repeat(100_000));
    let count = 34 * 1024 * 1024 / filler.len();
    for (name, separator, (head, tail)) in
        [("records.json.gz", ",", ("{\"Records\":[", "]}")), ("lines.jsonl", "\n", ("", "\n"))]
    {
        let mut text = format!("{head}{record}");
        for number in 0..count {
            write!(text, "{separator}{}", if number == count / 2 { "{\"eventName\":oops}" } else { &filler }).unwrap();
        }
        write!(text, "{separator}{record}{tail}").unwrap();
        let bytes = if separator == "," { gzip(&text) } else { text.into_bytes() };
        let file = support::file(folder.path(), name, bytes);
        let mut command = support::offlimits(["backtest", "--format", "jsonl", "--rules"]);
        command.arg(&rules).arg(&file);
        let run = support::run_within(6 * support::PATIENCE, command);
        assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{name}: {}", run.shown());
        let found: Vec<u64> = run.findings().iter().map(|line| line["index"].as_u64().unwrap()).collect();
        // The damaged one is no record, and has no number.
        assert_eq!(found, [0, count as u64], "{name}");
        assert_eq!(run.stderr.matches("error: cannot read").count(), 1, "{name}: {}", run.shown());
        let line = format!("{name}:{}: not JSON", count / 2 + 2);
        assert!(separator == "," || run.stderr.contains(&line), "{name}: {}", run.shown());
    }
    // Log files one after the other, as zcat prints them.
    let list = format!("{{\"Records\":[{record},{}{record}]}}", format!("{filler},").repeat(60));
    let file = support::file(folder.path(), "several.json", list.repeat(3));
    let run = backtest(&rules, &[&file], &["--format", "jsonl"]);
    let found: Vec<u64> = run.findings().iter().map(|line| line["index"].as_u64().unwrap()).collect();
    assert_eq!((run.code, found), (Some(0), vec![0, 61, 62, 123, 124, 185]), "{}", run.shown());
}

/// Ctrl-C while a file is being read: that file is finished, no other is begun, and what is said leads on to the rest.
#[cfg(unix)]
#[test]
fn an_interrupted_run_tells_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path(), "rules.json", &json!({}));
    let file = |name: &str, numbers| support::file(folder.path(), name, log_file(numbers));
    let (first, last) = (file("1.json", 0..50), file("3.json", 100..150));
    let pipe = folder.path().join("2's.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = support::offlimits(["backtest", "--format", "jsonl", "--threads", "1", "--rules"]);
    command.arg(&rules).args([&first, &pipe, &last]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // Opening the pipe waits until the other side has it open: the first file is done by then. A tool that has failed never
    // opens it, and so a thread waits, which this one need not join.
    let (opened, opening) = std::sync::mpsc::channel();
    let end = pipe.clone();
    std::thread::spawn(move || opened.send(std::fs::OpenOptions::new().write(true).open(end)));
    let mut writer = opening.recv_timeout(support::STANDSTILL).expect("the second file is opened").unwrap();
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    std::thread::sleep(Duration::from_millis(300));
    writer.write_all(log_file(50..100).as_bytes()).unwrap();
    drop(writer);
    let deadline = Instant::now() + support::STANDSTILL;
    let output = child.wait_with_output().unwrap();
    assert!(Instant::now() < deadline);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert_eq!(stdout.lines().count(), 10, "{stderr}");
    assert!(stderr.contains("--resume-after '") && stderr.contains(r"2'\''s.json'"), "{stderr}");

    // It goes on after that file, which need not be opened again.
    let name = pipe.to_str().unwrap();
    let run = backtest(&rules, &[&first, &pipe, &last], &["--format", "jsonl", "--resume-after", name]);
    let indices: Vec<Value> = run.findings().iter().map(|line| line["index"].clone()).collect();
    assert_eq!((run.code, indices), (Some(0), vec![json!(0), json!(10), json!(20), json!(30), json!(40)]));
    let wrong = backtest(&rules, &[&first], &["--resume-after", "nowhere.json"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("nowhere.json"), "{}", wrong.shown());
}

/// Ctrl-C in the middle of one large file ends soon, and says how much of it the figures are of.
#[cfg(unix)]
#[test]
fn an_interrupted_run_does_not_finish_a_large_file() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path(), "rules.json", &json!({}));
    let pipe = folder.path().join("large.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = support::offlimits(["backtest", "--format", "json", "--rules"]);
    command.arg(&rules).arg(&pipe).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let id = child.id().to_string();
    let end = pipe.clone();
    // It never ends by itself: whoever reads it to its end waits for ever.
    let writing = std::thread::spawn(move || {
        let mut file = std::fs::OpenOptions::new().write(true).open(end).unwrap();
        let filler = format!("{{\"eventName\":\"Get\",\"eventSource\":\"x\",\"note\":\"{}\"}}\n", "x".repeat(100_000));
        let (begun, mut lines) = (Instant::now(), 0_u64);
        while begun.elapsed() < support::STANDSTILL && file.write_all(filler.as_bytes()).is_ok() {
            lines += 1;
            // More than is held of a file before its first part is read.
            if lines == 500 {
                let kill = std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
                assert!(kill.success());
            }
        }
        begun.elapsed()
    });
    let output = child.wait_with_output().unwrap();
    assert!(writing.join().unwrap() < support::STANDSTILL);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary["records"].as_u64().unwrap() >= 300, "{summary}");
    let told = format!("the figures are those of the first {} records of {}", summary["records"], pipe.display());
    assert!(stderr.contains(&told) && stderr.contains("run the same command again"), "{stderr}");
}

/// Whoever reads the findings stops early: the verdict and the report are those of the whole run all the same.
#[test]
fn a_reader_that_stops_early_changes_neither_the_exit_code_nor_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path(), "rules.json", &json!({}));
    let file = support::file(folder.path(), "log.json", log_file(0..20_000));
    let report = support::file(folder.path(), "report.html", "an older one");
    for (most, code) in [("1", 1), ("100000", 0)] {
        let mut command = support::offlimits(["backtest", "--format", "jsonl", "--max-per-day", most, "--rules"]);
        command.arg(&rules).arg(&file).arg("--report").arg(&report).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with('{'), "{line}");
        // Nobody reads on.
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{most}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read_to_string(&report).unwrap().contains("</html>"));
    }
    // A report that cannot be made leaves the older one as it was.
    let run = backtest(&rules, &[&folder.path().join("none.json")], &["--report", report.to_str().unwrap()]);
    assert_eq!(run.code, Some(2), "{}", run.shown());
    assert!(std::fs::read_to_string(&report).unwrap().contains("</html>"));
}

#[test]
fn a_diff_tells_what_a_change_of_rules_adds_and_removes() {
    let folder = tempfile::tempdir().unwrap();
    let file = support::file(folder.path(), "log.json", log_file(0..500));
    let user0 = json!({ "actor": { "is": "user0" } });
    let old = rules(folder.path(), "old.json", &json!({ "unless": [{ "when": user0, "reason": "x" }] }));
    let extreme = json!([{ "severity": "extreme", "when": { "source_ip": { "is": "192.0.2.1" } } }]);
    let user2 = json!({ "actor": { "is": "user2" }, "source_ip": { "is": "192.0.2.0" } });
    let changes = json!({ "unless": [{ "when": user2, "reason": "y" }], "severity_when": extreme });
    let new = rules(folder.path(), "new.json", &changes);
    let diff = |options: &[&str]| {
        let mut command = support::offlimits(["diff"]);
        command.args([&old, &new, &file]).args(options);
        support::run(command)
    };
    let run = diff(&["--format", "jsonl"]);
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in run.findings() {
        let key = |key: &str| line[key].as_str().unwrap().to_owned();
        *counts.entry((key("change"), key("actor"))).or_default() += 1;
        if line["change"] == "changed" {
            assert_eq!(line["was"], json!({ "severity": "high", "channels": ["soc"], "mode": "alert" }));
            assert_eq!((&line["severity"], &line["channels"]), (&json!("extreme"), &json!(["soc", "topic"])));
        }
    }
    // user0 called at 0, 20, …; user2 at 10, 30, …, from 192.0.2.1 each third time and from 192.0.2.0 another third.
    let expected = [("added", "user0", 25), ("changed", "user2", 9), ("removed", "user2", 8)];
    assert_eq!(counts, expected.map(|(change, actor, count)| ((change.into(), actor.into()), count)).into());
    let human = diff(&[]).stdout;
    assert!(
        human.contains("\n25 findings added, 8 removed, 9 changed, 8 as before in 500 records from 1 file\n"),
        "{human}"
    );
    // The first of them are listed, and all of them where that is asked for.
    assert!(
        human.contains("~ high -> extreme  StopLogging by user2") && human.contains("and 22 more: --all lists them"),
        "{human}"
    );
    assert!(!diff(&["--all"]).stdout.contains("--all lists them"));
    // Of those 42, the extreme go to both channels: the 9 that are changed, and 8 of user0's.
    assert_eq!((diff(&["--max-per-day", "59"]).code, diff(&["--max-per-day", "58"]).code), (Some(0), Some(1)));
}

#[test]
fn explain_shows_the_nearest_misses_first_and_what_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let rule =
        |id: &str, when: Value| json!({ "id": id, "title": "t", "severity": "low", "when": when, "notify": ["soc"] });
    let mut excepted = rule("excepted", json!({ "event": "StopLogging" }));
    excepted["unless"] = json!([{ "when": { "user": { "is": "user0" } }, "reason": "he may" }]);
    let rules = json!({
        "channels": { "soc": { "type": "slack" }, "topic": { "type": "sns" } },
        "rules": [
            rule("two-away", json!({ "event": "x", "region": "y", "service": "cloudtrail" })),
            rule("one-away", json!([{ "event": "x", "region": "y" }, { "event": "Stop", "region": "us-east-1" }])),
            excepted,
            rule("hit", json!({ "event": "StopLogging", "requestParameters.name": { "exists": false } })),
        ],
    });
    let rules = support::file(folder.path(), "rules.json", rules.to_string());
    let file = support::file(folder.path(), "record.json", record(0).to_string());
    let explain = |options: &[&str]| {
        let mut command = support::offlimits(["explain", "--rules"]);
        command.arg(&rules).arg(&file).args(options);
        support::run(command)
    };
    let lines = explain(&["--format", "jsonl"]).findings();
    let order: Vec<(&str, &str, u64)> = lines
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap();
            (text("rule"), text("verdict"), line["failing"].as_u64().unwrap())
        })
        .collect();
    let expected = [("hit", "match", 0), ("excepted", "excepted", 0), ("one-away", "miss", 1), ("two-away", "miss", 2)];
    assert_eq!(order, expected);
    let cell = json!({ "field": "region", "condition": "\"us-east-1\"", "holds": false, "values": ["eu-west-1"], "places": [], "more": 0, "local": null });
    assert_eq!((&lines[2]["rows"][0]["row"], &lines[2]["rows"][0]["cells"][1]), (&json!(1), &cell));
    assert_eq!(lines[0]["channels"][1]["because"], "the rule's \"notify\" does not name it");

    let human = explain(&["--nearest", "1"]).stdout;
    let place = |text: &str| human.find(text).unwrap_or_else(|| panic!("{text}: {human}"));
    assert!(
        place("hit MATCHES by row 0, severity low")
            < place("excepted matches by row 0, and is allowed by exception 0: he may")
    );
    assert!(place("one-away does not match: 1 cell away") < place("1 other rule further from matching: --all"));
    assert!(!human.contains("two-away"), "{human}");
    assert!(explain(&["--all"]).stdout.contains("two-away does not match: 2 cells away"));

    // What the channel renders, and nothing else.
    let sent = explain(&["--channel", "soc"]);
    let compiled = offlimits::ruleset::RuleSet::compile(&std::fs::read_to_string(&rules).unwrap()).unwrap().rules;
    let raw =
        offlimits::cloudtrail::RawRecord { json: record(0).to_string(), index: 0, message_id: None, account: None };
    let finding = compiled.evaluate(&raw).unwrap().remove(0);
    let id = offlimits::ids::AlertId::new("hit", "", &finding.id);
    let kind = offlimits::alert::AlertKind::First;
    let alert = offlimits::alert::Alert::alone(&finding, &id, kind);
    let offlimits::channel::Body::Json { json, .. } = compiled.channels()[0].channel.render(&alert) else {
        panic!("Slack's message is JSON");
    };
    assert_eq!(sent.stdout, format!("{json}\n"));
    let refused = explain(&["--channel", "topic"]);
    assert_eq!((refused.stdout.as_str(), refused.code), ("", Some(0)));
    assert!(refused.stderr.contains("hit matches, and topic is not sent it"), "{}", refused.shown());
    assert_eq!(explain(&["--channel", "nobody"]).code, Some(2));
}
