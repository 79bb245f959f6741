//! The names of accounts, from `accounts.json` to what people read: by the built tool, and by the function's own process.

use std::path::Path;

use serde_json::{Value, json};

#[cfg(feature = "aws")]
use crate::docs::keys;
use crate::golden::http::{Asked, service};
use crate::golden::runtime::Function;
use crate::support::{file, offlimits, run};

const ACCOUNTS: &str = r#"{
  "111122223333": { "name": "production", "unit": "Workloads/Prod" },
  "444455556666": { "name": "playground", "unit": "Sandbox" }
}"#;

const RULES: &str = r#"{
  "channels": {
    "prod": { "type": "sns", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:prod", "units": ["Workloads"] },
    "play": { "type": "sns", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:play", "account_names": ["playground"] }
  },
  "rules": [
    { "id": "STOP", "title": "stopped in {account_name|account}", "severity": "low", "when": { "event": { "is": "StopLogging" } } },
    { "id": "PROD", "title": "prod", "severity": "low", "when": { "event": { "is": "DeleteTrail" }, "ou": "^Workloads/" } }
  ]
}"#;

/// An event of EventBridge: its envelope names `envelope`, the caller is of `caller`, and the record names `recipient`.
fn event(name: &str, (envelope, caller, recipient): (&str, &str, Option<&str>)) -> Value {
    let mut detail = json!({
        "eventVersion": "1.08", "eventID": format!("{name}-{envelope}"), "eventTime": "2026-11-28T10:00:00Z",
        "eventName": name, "eventSource": "cloudtrail.amazonaws.com", "awsRegion": "eu-west-1",
        "userIdentity": { "type": "IAMUser", "userName": "ann", "accountId": caller },
    });
    if let Some(recipient) = recipient {
        detail["recipientAccountId"] = json!(recipient);
    }
    json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail", "account": envelope, "detail": detail })
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "accounts.json", ACCOUNTS);
    file(folder.path(), "rules.json", RULES);
    folder
}

fn replayed(folder: &Path, event: &Value) -> Vec<Value> {
    let (rules, event) = (folder.join("rules.json"), file(folder, "event.json", event.to_string()));
    let arguments = ["replay", event.to_str().unwrap(), "--format", "jsonl", "--rules", rules.to_str().unwrap()];
    let done = run(offlimits(arguments));
    assert_eq!(done.code, Some(0), "{}", done.shown());
    done.findings()
}

#[test]
fn a_finding_tells_the_name_and_goes_to_the_channels_of_its_unit() {
    let folder = folder();
    let prod = ("111122223333", "444455556666", Some("111122223333"));
    let [found] = &replayed(folder.path(), &event("StopLogging", prod))[..] else { panic!() };
    assert_eq!((&found["title"], &found["account_name"]), (&json!("stopped in production"), &json!("production")));
    assert_eq!((&found["unit"], &found["caller_account"]), (&json!("Workloads/Prod"), &json!("444455556666")));
    assert_eq!(found["channels"], json!(["prod"]));
    assert!(found["sentence"].as_str().unwrap().ends_with(" in eu-west-1 of production: allowed"), "{found}");
    let play = ("444455556666", "444455556666", Some("444455556666"));
    let [found] = &replayed(folder.path(), &event("StopLogging", play))[..] else { panic!() };
    assert_eq!((&found["channels"], &found["caller_account"]), (&json!(["play"]), &Value::Null));
    assert!(replayed(folder.path(), &event("DeleteTrail", play)).is_empty());
    assert_eq!(replayed(folder.path(), &event("DeleteTrail", prod)).len(), 1);
    let unknown = ("777788889999", "777788889999", None);
    let [found] = &replayed(folder.path(), &event("StopLogging", unknown))[..] else { panic!() };
    assert_eq!((&found["title"], &found["channels"]), (&json!("stopped in 777788889999"), &json!([])));
}

#[test]
fn a_record_without_an_account_has_that_of_its_envelope_and_keeps_its_id() {
    let folder = folder();
    let in_envelope = event("StopLogging", ("111122223333", "444455556666", None));
    let [found] = &replayed(folder.path(), &in_envelope)[..] else { panic!() };
    assert_eq!((&found["account"], &found["account_name"]), (&json!("111122223333"), &json!("production")));
    let [alone] = &replayed(folder.path(), &in_envelope["detail"])[..] else { panic!() };
    assert_eq!((&alone["account"], &alone["finding"]), (&json!("444455556666"), &found["finding"]));
}

#[test]
fn mistakes_in_the_file_are_told_with_their_place() {
    let folder = folder();
    file(
        folder.path(),
        "accounts.json",
        "{\n  \"1111\": { \"name\": \"a\" },\n  \"111122223333\": { \"nmae\": \"b\" }\n}",
    );
    let rules = folder.path().join("rules.json");
    let done = run(offlimits(["check", rules.to_str().unwrap(), "--format", "json"]));
    assert_eq!(done.code, Some(1), "{}", done.shown());
    for part in ["accounts.json", "bad-account", "unknown-key", "missing-key", "twelve digits"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    std::fs::remove_file(folder.path().join("accounts.json")).unwrap();
    let done = run(offlimits(["check", rules.to_str().unwrap(), "--format", "json"]));
    assert_eq!((done.code, done.stdout.matches(r#""code": "no-accounts""#).count()), (Some(1), 4), "{}", done.stdout);
}

#[test]
fn an_empty_file_is_told_as_what_it_is() {
    let folder = folder();
    file(folder.path(), "accounts.json", " \n");
    let rules = folder.path().join("rules.json");
    let done = run(offlimits(["check", rules.to_str().unwrap()]));
    assert_eq!(done.code, Some(1), "{}", done.shown());
    assert!(done.stderr.contains("write an object with an account's id as each key"), "{}", done.stderr);
    let accounts = folder.path().join("accounts.json");
    assert!(done.stderr.contains(&format!("{}: 1 error", accounts.display())), "{}", done.stderr);
}

/// AWS, as far as a topic and an empty table need it.
fn aws(asked: &Asked) -> (u16, String) {
    let published = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    (200, if asked.operation.is_empty() { published.to_owned() } else { "{}".to_owned() })
}

#[test]
fn the_function_finds_the_names_in_its_package_and_misses_none_in_silence() {
    let (source, package) = (folder(), tempfile::tempdir().unwrap());
    let (rules, output) = (source.path().join("rules.json"), package.path().join("rules.json"));
    let done = run(offlimits(["bundle", rules.to_str().unwrap(), "--output", output.to_str().unwrap()]));
    assert_eq!(done.code, Some(0), "{}", done.shown());
    let copied = tempfile::tempdir().unwrap();
    for name in ["rules.json", "rules.index"] {
        std::fs::copy(package.path().join(name), copied.path().join(name)).unwrap();
    }
    let (url, asked) = service(aws);
    let mut function = Function::start_in(package, &[("AWS_ENDPOINT_URL", &url)]);
    let event = event("StopLogging", ("111122223333", "444455556666", None)).to_string();
    let (_, answer) = function.invoke(&event);
    assert_eq!(answer["deliveries"]["delivered"], json!(1), "{answer}");
    let asked = asked.lock().unwrap();
    let [publish] = &asked[..] else { panic!("{asked:?}") };
    assert!(publish.body.contains("%3Aprod&"), "{publish:?}");
    for part in ["production+%28111122223333%29", "Workloads%2FProd", "playground+%28444455556666%29"] {
        let spaced = part.replace('+', "%20");
        assert!(publish.body.contains(part) || publish.body.contains(&spaced), "{part}: {publish:?}");
    }
    // A package that has lost its table does not start: nobody would hear of production.
    let process = std::process::Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env_clear()
        .envs([("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"), ("AWS_LAMBDA_FUNCTION_NAME", "f")])
        .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"), ("AWS_LAMBDA_FUNCTION_VERSION", "1")])
        .env("LAMBDA_TASK_ROOT", copied.path())
        .output()
        .unwrap();
    let said = [process.stdout, process.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!process.status.success() && said.contains("no-accounts") && said.contains("are missing"), "{said}");
}

#[cfg(feature = "aws")]
mod organization {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// An organization of two units, one in the other, and three accounts, a page for each; the third request is one too many.
    fn organization(asked: &Asked, count: &AtomicUsize) -> (u16, String) {
        if count.fetch_add(1, Ordering::Relaxed) == 2 {
            let refused =
                json!({ "__type": "com.amazonaws.organizations#TooManyRequestsException", "Message": "slower" });
            return (400, refused.to_string());
        }
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let account = |id: &str, name: &str| json!({ "Id": id, "Name": name, "Status": "ACTIVE" });
        let answer = match (asked.operation.rsplit('.').next().unwrap(), body["ParentId"].as_str(), &body["NextToken"])
        {
            ("ListRoots", ..) => json!({ "Roots": [{ "Id": "r-1", "Name": "Root" }] }),
            ("ListOrganizationalUnitsForParent", Some("r-1"), _) => {
                json!({ "OrganizationalUnits": [{ "Id": "ou-1", "Name": "Workloads" }] })
            }
            ("ListOrganizationalUnitsForParent", Some("ou-1"), _) => {
                json!({ "OrganizationalUnits": [{ "Id": "ou-2", "Name": "Prod" }], "NextToken": null })
            }
            ("ListAccountsForParent", Some("r-1"), _) => {
                json!({ "Accounts": [account("000000000001", "root's\n\"own\"")] })
            }
            ("ListAccountsForParent", Some("ou-2"), Value::Null) => {
                json!({ "Accounts": [account("111122223333", "production")], "NextToken": "next" })
            }
            ("ListAccountsForParent", Some("ou-2"), token) => {
                assert_eq!(token, "next");
                json!({ "Accounts": [account("222233334444", "billing")] })
            }
            _ => json!({ "Accounts": [], "OrganizationalUnits": [] }),
        };
        (200, answer.to_string())
    }

    fn accounts(folder: &Path, url: &str, more: &[&str]) -> crate::support::Run {
        let mut command = offlimits(["accounts", "--format", "json"].iter().chain(more));
        command.current_dir(folder).env("AWS_ENDPOINT_URL", url).env_remove("AWS_PROFILE");
        command.envs([
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_REGION", "eu-west-1"),
        ]);
        run(command)
    }

    #[test]
    fn the_file_is_as_the_organization_is_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let count = AtomicUsize::new(0);
        let (url, _) = service(move |asked| organization(asked, &count));
        file(
            folder.path(),
            "accounts.json",
            r#"{ "111122223333": { "name": "our shop" }, "999999999999": { "name": "a partner's" } }"#,
        );
        let written = || std::fs::read_to_string(folder.path().join("accounts.json")).unwrap();
        let kept = accounts(folder.path(), &url, &["--keep"]);
        assert_eq!(kept.code, Some(0), "{}", kept.shown());
        let changes: Value = serde_json::from_str(&kept.stdout).unwrap();
        assert_eq!(changes["new"], json!(["000000000001", "222233334444"]), "{changes}");
        assert_eq!((&changes["accounts"], &changes["units"]), (&json!(4), &json!(2)));
        let document: Value = serde_json::from_str(&written()).unwrap();
        assert_eq!(document["111122223333"], json!({ "name": "our shop" }));
        let fresh = accounts(folder.path(), &url, &[]);
        assert_eq!(fresh.code, Some(0), "{}", fresh.shown());
        let changes: Value = serde_json::from_str(&fresh.stdout).unwrap();
        assert_eq!((&changes["changed"], &changes["gone"]), (&json!(["111122223333"]), &json!(["999999999999"])));
        assert_eq!(
            serde_json::from_str::<Value>(&written()).unwrap(),
            json!({
                "000000000001": { "name": "root's \"own\"" },
                "111122223333": { "name": "production", "unit": "Workloads/Prod" },
                "222233334444": { "name": "billing", "unit": "Workloads/Prod" },
            })
        );
        let page = keys::disagreements("accounts", &fresh.stdout);
        assert!(page.is_empty(), "mend the table of keys in docs/commands/accounts.md: {page:?}");
        // Whoever refuses in the middle changes nothing.
        let (refusing, asked) = service(|asked| {
            if asked.operation.ends_with("ListAccountsForParent") {
                return (400, json!({ "__type": "AccessDeniedException", "Message": "no" }).to_string());
            }
            organization(asked, &AtomicUsize::new(9))
        });
        let before = written();
        let refused = accounts(folder.path(), &refusing, &[]);
        assert_eq!((refused.code, written() == before), (Some(2), true), "{}", refused.shown());
        assert!(refused.stderr.contains("ListAccountsForParent: AccessDeniedException: no"), "{}", refused.shown());
        assert_eq!(asked.lock().unwrap().len(), 2);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "half a file is left");
        let nowhere = folder.path().join("no/such/folder.json");
        let unwritten = accounts(folder.path(), &url, &["--output", nowhere.to_str().unwrap()]);
        assert_eq!(unwritten.code, Some(2), "{}", unwritten.shown());
    }
}
