//! `offlimits send` against stand-ins of the vendors on this machine: what it says of each end, how it ends, and that no credential is
//! shown. `tests/stack/test_send.py` has TLS and SNS.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use offlimits::channel::{ContentType, HttpRequest, Method};
use offlimits::secret::Secret;
use serde_json::{Value, json};

use crate::delivery::vendors::{Desk, Way, url, ways};
use crate::golden::http::{Asked, service};
use crate::support::{Run, file, offlimits, run};

const RULES: &str = r#"{"channels":{"soc":{"type":"slack"},"desk":{"type":"zendesk","subdomain":"acme"},"topic":{"type":"sns"},
    "pager":{"type":"pagerduty"}},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#;
/// What must not be seen.
const SECRET: &str = "s3cret-0123456789";

fn folder(secret: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "rules.json", RULES);
    let secret = file(folder.path(), "secret.json", secret.to_string());
    private(&secret, 0o600);
    folder
}

fn private(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs it in a folder; whatever it says, it shows no secret.
fn send(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = offlimits(["send"]);
    command.args(arguments).current_dir(folder);
    for variable in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy", "AWS_PROFILE"]
    {
        command.env_remove(variable);
    }
    let done = run(command);
    assert!(!format!("{}{}", done.stdout, done.stderr).contains(SECRET), "{}{}", done.stdout, done.stderr);
    done
}

fn webhook(url: &str) -> Value {
    json!({ "soc": { "webhook_url": format!("{url}/services/T/B/{SECRET}") } })
}

/// What was asked over the wire, as the stand-ins of vendors take it.
fn as_sent(asked: &Asked) -> HttpRequest {
    let headers = ["authorization", "idempotency-key", "webhook-id"];
    let sent = |name: &'static str| Some((name, Secret::new(asked.headers.get(name)?.clone())));
    HttpRequest {
        method: match asked.method.as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            method => panic!("{method}"),
        },
        url: Secret::new(format!("http://localhost{}", asked.path)),
        headers: headers.into_iter().filter_map(sent).collect(),
        content: Some((ContentType::Json, Secret::new(asked.body.clone()))),
    }
}

/// Every channel that is reached over HTTP, each met by its vendor's stand-in: what is looked for is not there, and what is written is taken.
#[test]
fn each_vendor_takes_the_test_alert_and_says_what_it_calls_it() {
    let mut receipts = 0;
    for Way { name, settings, credentials } in ways().into_iter().filter(|way| way.settings["type"] != "sns") {
        let channel_type = settings["type"].as_str().unwrap().to_owned();
        let (desk, of_desk) = (Mutex::<Desk>::default(), channel_type.clone());
        let (at, asked) = service(move |asked| {
            let answered = desk.lock().unwrap().answer(&of_desk, &as_sent(asked));
            (answered.status, answered.body)
        });
        let folder = tempfile::tempdir().unwrap();
        let rules = json!({
            "channels": { &name: settings },
            "rules": [{ "id": "R", "title": "t", "severity": "low", "when": { "event": "x" } }],
        });
        file(folder.path(), "rules.json", rules.to_string());
        let secret = json!({ &name: credentials }).to_string().replace(&url(&name), &format!("{at}/{name}"));
        private(&file(folder.path(), "secret.json", secret), 0o600);
        let done = send(folder.path(), &["--channel", &name, "--secret", "secret.json"]);
        let said = format!("{name} ({channel_type}): delivered");
        let receipt =
            done.stdout.strip_prefix(&said).unwrap_or_else(|| panic!("{name}: {}{}", done.stdout, done.stderr));
        assert!(done.code == Some(0) && (receipt == "\n" || receipt.starts_with(", as ")), "{name}: {receipt}");
        receipts += usize::from(receipt != "\n");
        let asked = asked.lock().unwrap();
        assert!(asked.last().unwrap().body.contains("TEST: offlimits can reach this channel"), "{name}");
    }
    assert!(receipts >= 4);
}

#[test]
fn an_alert_that_is_taken_is_marked_as_a_test_and_said_to_be_delivered() {
    let (url, asked) = service(|_| (200, "ok".to_owned()));
    let folder = folder(&webhook(&url));
    let done = send(folder.path(), &["--channel", "soc", "--secret", "secret.json"]);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "soc (slack): delivered\n", ""));
    let asked = asked.lock().unwrap();
    assert_eq!((asked.len(), asked[0].path.as_str()), (1, "/services/T/B/s3cret-0123456789"));
    assert!(asked[0].body.contains("TEST: offlimits can reach this channel"), "{}", asked[0].body);
}

#[test]
fn a_whole_exchange_is_made_and_its_receipt_is_told() {
    let (url, asked) = service(|asked| {
        let answer = match asked.path.as_str() {
            "/oauth/tokens" => json!({ "access_token": "t0ken", "expires_in": 300 }),
            path if path.starts_with("/api/v2/tickets.json?") => json!({ "tickets": [] }),
            _ => json!({ "ticket": { "id": 4711 } }),
        };
        (if asked.path == "/api/v2/tickets.json" { 201 } else { 200 }, answer.to_string())
    });
    let folder = folder(&json!({ "desk": { "client_id": "i", "client_secret": SECRET, "api_url": url } }));
    let done = send(folder.path(), &["--channel", "desk", "--secret", "secret.json"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "desk (zendesk): delivered, as 4711\n"), "{}", done.stderr);
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[test]
fn what_is_refused_rejected_or_not_taken_is_told_with_a_remedy() {
    for (status, answer, said, help) in [
        (403, "invalid_token", "refused: invalid_token", "docs/channels/slack.md"),
        (400, "invalid_blocks", "rejected: invalid_blocks", "dead letters"),
        (503, "", "not delivered: ", "would try again for a day"),
    ] {
        let (url, _) = service(move |_| (status, answer.to_owned()));
        let folder = folder(&webhook(&url));
        let done = send(folder.path(), &["--channel", "soc", "--secret", "secret.json", "--timeout", "1"]);
        assert_eq!(done.code, Some(1), "{}", done.stderr);
        assert!(done.stdout.contains(said) && done.stderr.contains(help), "{}{}", done.stdout, done.stderr);
    }
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        // Taken, and never answered.
        let kept: Vec<_> = listener.incoming().collect();
        drop(kept);
    });
    let folder = folder(&webhook(&url));
    let begun = Instant::now();
    let done = send(folder.path(), &["--channel", "soc", "--secret", "secret.json", "--timeout", "1"]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stdout.contains("not delivered: ") && done.stdout.contains("timeout"), "{}", done.stdout);
    assert!(begun.elapsed() < Duration::from_mins(5), "it is bounded");
}

#[test]
fn wrong_secrets_are_told_and_not_shown() {
    let key = json!({ "soc": { "webhok_url": format!("https://hooks.slack.com/services/{SECRET}") } });
    let elsewhere = json!({ "soc": { "webhook_url": format!("https://evil.example/{SECRET}") } });
    for (secret, code, said) in [
        (key.to_string(), 1, "\"webhok_url\" is a slip"),
        (elsewhere.to_string(), 1, "is not an https URL on hooks.slack.com"),
        (json!({ "other": {} }).to_string(), 1, "no \"webhook_url\" or \"bot_token\" under \"soc\""),
        (format!("webhook_url={SECRET}"), 2, "the secret is not JSON"),
        (format!("[\"{SECRET}\"]"), 2, "not an object of channels"),
        (" ".repeat(70_000), 2, "more than the 65536 bytes"),
    ] {
        let folder = folder(&json!({}));
        file(folder.path(), "secret.json", secret);
        let done = send(folder.path(), &["--channel", "soc", "--secret", "secret.json"]);
        assert_eq!(done.code, Some(code), "{said}: {}", done.stderr);
        assert!(format!("{}{}", done.stdout, done.stderr).contains(said), "{said}: {}{}", done.stdout, done.stderr);
    }
}

#[test]
fn a_secret_that_others_may_read_is_warned_of() {
    let (url, _) = service(|_| (200, "ok".to_owned()));
    let folder = folder(&webhook(&url));
    private(&folder.path().join("secret.json"), 0o644);
    let done = send(folder.path(), &["--channel", "soc", "--secret", "secret.json"]);
    assert_eq!(done.code, Some(0));
    assert!(done.stderr.contains("warning: others on this machine may read secret.json: chmod 600"), "{}", done.stderr);
}

#[test]
fn a_secret_comes_from_stdin_too() {
    let (url, _) = service(|_| (200, "ok".to_owned()));
    let folder = folder(&json!({}));
    let given = file(folder.path(), "given.json", webhook(&url).to_string());
    let mut command = offlimits(["send", "--channel", "soc", "--secret", "-"]);
    command.current_dir(folder.path()).stdin(Stdio::from(std::fs::File::open(given).unwrap()));
    let done = run(command);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "soc (slack): delivered\n"), "{}", done.stderr);
}

#[test]
fn what_is_missing_is_said_before_anything_is_sent() {
    let folder = folder(&json!({}));
    for (arguments, said) in [
        (&["--channel", "soc"] as &[&str], "name a file that holds them with --secret"),
        (&["--channel", "sco", "--secret", "secret.json"], "the channels are soc, desk, topic and pager"),
        (&["--channel", "topic"], "name it with --topic ARN"),
        (&["--channel", "soc", "--secret", "nowhere.json"], "cannot read the secret"),
        (&["--channel", "soc", "--secret", "secret.json", "--timeout", "0"], "--timeout"),
    ] {
        let done = send(folder.path(), arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {}{}", done.stdout, done.stderr);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
    }
}
