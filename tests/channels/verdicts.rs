//! Each documented reply of each vendor, and what it means.

use std::time::Duration;

use offlimits::alert::{Alert, AlertKind};
use offlimits::channel::{Body, HttpRequest, Method, Reply, Request, Verdict};
use offlimits::ids::AlertId;

use super::alerts::{findings, rules};
use super::exchange::{CREDENTIALS, channel, drive, http, kind, prelude, prelude_of_a_repeat};

fn body(name: &str, of: AlertKind<'_>) -> Body {
    let (_, finding) = findings().remove(1);
    let id = AlertId::new("r", "", &finding.id);
    channel(&rules("t", "d"), name).channel.render(&Alert { finding: &finding, id: &id, kind: of, receipt: None })
}

/// What the reply to the request that carries the alert means. All replies of HTTP ask for three seconds.
fn verdict(name: &str, reply: Reply) -> String {
    let rules = rules("t", "d");
    let channel = channel(&rules, name);
    let mut replies = prelude(kind(channel));
    replies.push(reply);
    told(drive(channel, &body(name, AlertKind::First), CREDENTIALS, &replies).unwrap().1.unwrap())
}

fn told(verdict: Verdict) -> String {
    match verdict {
        Verdict::Delivered { receipt } => format!("delivered {}", receipt.unwrap_or_default()).trim_end().to_owned(),
        Verdict::Retry { after: Some(wait), .. } => format!("retry in {}", wait.as_secs()),
        Verdict::Retry { after: None, .. } => "retry".to_owned(),
        Verdict::Rejected { credential: true, .. } => "credential".to_owned(),
        Verdict::Rejected { credential: false, .. } => "rejected".to_owned(),
    }
}

fn table(name: &str, rows: &[(u16, &str, &str)]) {
    for (status, body, expected) in rows {
        assert_eq!(verdict(name, http(*status, body)), *expected, "{name}: {status} {body}");
    }
    for reason in ["timeout", "cannot connect", "the connection broke"] {
        assert_eq!(verdict(name, Reply::Unreachable(reason)), "retry", "{name}: {reason}");
    }
}

/// What every vendor means by these.
const COMMON: [(u16, &str, &str); 9] = [
    (429, "", "retry in 3"),
    (408, "", "retry in 3"),
    (500, "", "retry in 3"),
    (502, "<html>", "retry in 3"),
    (503, "", "retry in 3"),
    (504, "", "retry in 3"),
    (301, "", "rejected"),
    (302, "", "rejected"),
    (307, "", "rejected"),
];

#[test]
fn slack() {
    table("soc", &COMMON);
    table(
        "soc",
        &[
            (200, "ok", "delivered"),
            (200, r#"{"ok":true,"ts":"1503435956.000247"}"#, "delivered 1503435956.000247"),
            (200, r#"{"ok":false,"error":"ratelimited"}"#, "retry in 3"),
            (200, r#"{"ok":false,"error":"internal_error"}"#, "retry in 3"),
            (200, r#"{"ok":false,"error":"fatal_error"}"#, "retry in 3"),
            (200, r#"{"ok":false,"error":"channel_not_found"}"#, "rejected"),
            (200, r#"{"ok":false,"error":"not_in_channel"}"#, "rejected"),
            (200, r#"{"ok":false,"error":"msg_blocks_too_long"}"#, "rejected"),
            (200, r#"{"ok":false,"error":"invalid_auth"}"#, "credential"),
            (200, r#"{"ok":false,"error":"token_revoked"}"#, "credential"),
            (200, r#"{"ok":false,"error":"account_inactive"}"#, "credential"),
            (200, "<html>a proxy's page</html>", "rejected"),
            (400, "invalid_payload", "rejected"),
            (400, "invalid_blocks", "rejected"),
            (400, "no_text", "rejected"),
            (403, "action_prohibited", "rejected"),
            (403, "invalid_token", "credential"),
            (404, "channel_not_found", "rejected"),
            (404, "no_service", "credential"),
            (410, "channel_is_archived", "rejected"),
        ],
    );
}

#[test]
fn pagerduty() {
    table("oncall", &COMMON);
    table(
        "oncall",
        &[
            (202, r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#, "delivered"),
            (400, r#"{"status":"invalid event","errors":["'payload.severity' is invalid"]}"#, "rejected"),
            (400, r#"{"status":"invalid event","message":"Invalid routing key","errors":[]}"#, "credential"),
            (403, "", "credential"),
            (413, "", "rejected"),
        ],
    );
}

#[test]
fn zendesk() {
    table("desk", &COMMON);
    table(
        "desk",
        &[
            (201, r#"{"ticket":{"id":35436},"audit":{}}"#, "delivered 35436"),
            (200, r#"{"ticket":{"id":35436}}"#, "delivered 35436"),
            (201, "not JSON", "delivered"),
            (400, "", "rejected"),
            (401, r#"{"error":"invalid_token"}"#, "credential"),
            (403, r#"{"error":"Forbidden"}"#, "credential"),
            (404, "", "credential"),
            (409, "", "rejected"),
            (413, "", "rejected"),
            (422, r#"{"error":"RecordInvalid","details":{}}"#, "rejected"),
            (429, "text, not JSON", "retry in 3"),
        ],
    );
}

#[test]
fn servicenow() {
    table("incidents", &COMMON);
    let failure = r#"{"error":{"message":"m","detail":"d"},"status":"failure"}"#;
    table(
        "incidents",
        &[
            (
                201,
                r#"{"result":{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC0010002"}}"#,
                "delivered INC0010002",
            ),
            (400, failure, "rejected"),
            (401, failure, "credential"),
            (403, failure, "credential"),
            (404, failure, "credential"),
        ],
    );
}

#[test]
fn teams() {
    table("room", &COMMON);
    table(
        "room",
        &[
            (202, "", "delivered"),
            (200, "1", "delivered"),
            (400, "", "rejected"),
            (401, "", "credential"),
            (404, "", "credential"),
            (410, "", "credential"),
            (413, "", "rejected"),
        ],
    );
}

#[test]
fn webhook() {
    table("siem", &COMMON);
    table(
        "siem",
        &[
            (200, "", "delivered"),
            (204, "", "delivered"),
            (400, "", "rejected"),
            (401, "", "credential"),
            (410, "", "credential"),
            (425, "", "retry in 3"),
        ],
    );
}

#[test]
fn sns() {
    assert_eq!(verdict("topic", Reply::Published("id".to_owned())), "delivered");
    assert_eq!(verdict("topic", Reply::Unreachable("timeout")), "retry");
    let table = [
        (
            "retry",
            &[
                "InternalError",
                "InternalFailure",
                "KMSThrottling",
                "Throttling",
                "ThrottlingException",
                "ServiceUnavailable",
            ][..],
        ),
        (
            "rejected",
            &[
                "InvalidParameter",
                "InvalidParameterValue",
                "AuthorizationError",
                "NotFound",
                "KMSAccessDenied",
                "KMSDisabled",
                "KMSInvalidState",
                "KMSNotFound",
                "KMSOptInRequired",
                "EndpointDisabled",
                "PlatformApplicationDisabled",
                "InvalidSecurity",
                "ValidationException",
            ],
        ),
    ];
    for (expected, codes) in table {
        for code in codes {
            assert_eq!(verdict("topic", Reply::SnsFault((*code).to_owned())), expected, "{code}");
        }
    }
}

/// The methods and paths of an exchange, and how it ended.
fn walk(name: &str, of: AlertKind<'_>, secret: &str, replies: &[Reply]) -> (Vec<String>, String) {
    let rules = rules("t", "d");
    let (requests, verdict) = drive(channel(&rules, name), &body(name, of), secret, replies).unwrap();
    let path = |request: &Request| match request {
        Request::Http(HttpRequest { method, url, .. }) => {
            let path = url.expose().split('?').next().unwrap().splitn(4, '/').nth(3).unwrap().to_owned();
            let method = match method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Put => "PUT",
                Method::Patch => "PATCH",
            };
            format!("{method} {path}")
        }
        Request::Sns { .. } => "publish".to_owned(),
    };
    (requests.iter().map(path).collect(), verdict.map(told).unwrap_or_default())
}

#[test]
fn a_ticket_is_opened_once_and_then_commented_on() {
    let created = http(201, r#"{"ticket":{"id":7}}"#);
    let open = ["POST oauth/tokens", "GET api/v2/tickets.json", "POST api/v2/tickets.json"];
    let mut replies = prelude("zendesk");
    replies.push(created.clone());
    let (requests, verdict) = walk("desk", AlertKind::First, CREDENTIALS, &replies);
    assert_eq!((requests, verdict.as_str()), (open.map(str::to_owned).to_vec(), "delivered 7"));

    // A repeat finds it.
    let mut replies = prelude_of_a_repeat("zendesk");
    replies.push(http(200, r#"{"ticket":{"id":35}}"#));
    let (requests, verdict) = walk("desk", AlertKind::Repeat, CREDENTIALS, &replies);
    assert_eq!((requests[2].as_str(), verdict.as_str()), ("PUT api/v2/tickets/35.json", "delivered 35"));

    // Somebody closed it between the search and the comment.
    replies.pop();
    replies.extend([http(422, r#"{"error":"RecordInvalid"}"#), created]);
    let (requests, verdict) = walk("desk", AlertKind::Repeat, CREDENTIALS, &replies);
    assert_eq!(
        (requests.len(), requests[3].as_str(), verdict.as_str()),
        (4, "POST api/v2/tickets.json", "delivered 7")
    );

    // The answer to an earlier attempt was lost: the ticket is ours, and nothing is written twice.
    let Body::Ticket { key, .. } = body("desk", AlertKind::First) else { panic!("no ticket") };
    let mut replies = prelude("zendesk");
    replies.pop();
    replies.push(http(200, &format!(r#"{{"tickets":[{{"id":35,"status":"new","description":"… message {key}"}}]}}"#)));
    let (requests, verdict) = walk("desk", AlertKind::First, CREDENTIALS, &replies);
    assert_eq!((requests.len(), verdict.as_str()), (2, "delivered 35"));

    // The API token of old needs no other.
    let legacy = r#"{"desk":{"email":"a@example.com","api_token":"s3cret"}}"#;
    let (requests, _) = walk("desk", AlertKind::First, legacy, &[http(200, r#"{"tickets":[]}"#)]);
    assert_eq!(requests, ["GET api/v2/tickets.json", "POST api/v2/tickets.json"]);
}

#[test]
fn an_incident_is_opened_once_and_then_noted_on() {
    let mut replies = prelude_of_a_repeat("servicenow");
    replies.push(http(200, r#"{"result":{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC0010023"}}"#));
    let (requests, verdict) = walk("incidents", AlertKind::Repeat, CREDENTIALS, &replies);
    assert_eq!(
        requests,
        ["GET api/now/table/incident", "PATCH api/now/table/incident/9d385017c611228701d22104cc95c371"]
    );
    assert_eq!(verdict, "delivered INC0010023");
    let Body::Ticket { key, .. } = body("incidents", AlertKind::First) else { panic!("no incident") };
    let ours = format!(
        r#"{{"result":[{{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC1","description":"… message {key}"}}]}}"#
    );
    assert_eq!(walk("incidents", AlertKind::First, CREDENTIALS, &[http(200, &ours)]).1, "delivered INC1");
    // What is no answer of ServiceNow's is no reason to open a second incident.
    for answer in ["", "<html>", r#"{"result":[{"sys_id":"../../x"}]}"#, r#"{"result":{}}"#] {
        assert_eq!(walk("incidents", AlertKind::First, CREDENTIALS, &[http(200, answer)]).1, "retry", "{answer}");
    }
    let oauth = r#"{"incidents":{"client_id":"i","client_secret":"s"}}"#;
    let (requests, _) = walk("incidents", AlertKind::First, oauth, &prelude("zendesk")[..1]);
    assert_eq!(requests, ["POST oauth_token.do", "GET api/now/table/incident"]);
}

#[test]
fn a_search_that_fails_says_what_a_failed_delivery_says() {
    for (name, first) in [("desk", prelude("zendesk").remove(0)), ("incidents", http(0, ""))] {
        for (status, expected) in [(429, "retry in 3"), (503, "retry in 3"), (401, "credential"), (400, "rejected")] {
            let replies = if name == "desk" { vec![first.clone(), http(status, "")] } else { vec![http(status, "")] };
            assert_eq!(walk(name, AlertKind::First, CREDENTIALS, &replies).1, expected, "{name}: {status}");
        }
    }
    // So does a token that is not given.
    for (reply, expected) in [
        (http(401, r#"{"error":"invalid_client"}"#), "credential"),
        (http(429, ""), "retry in 3"),
        (Reply::Unreachable("timeout"), "retry"),
    ] {
        assert_eq!(walk("desk", AlertKind::First, CREDENTIALS, &[reply]).1, expected);
    }
}

#[test]
fn a_wait_is_told_as_it_was_asked_for() {
    let reply = Reply::Http { status: 429, retry_after: Some(Duration::from_millis(1500)), body: String::new() };
    let rules = rules("t", "d");
    let (_, verdict) = drive(channel(&rules, "siem"), &body("siem", AlertKind::First), CREDENTIALS, &[reply]).unwrap();
    assert_eq!(
        verdict,
        Some(Verdict::Retry { after: Some(Duration::from_millis(1500)), reason: "HTTP 429".to_owned() })
    );
}
