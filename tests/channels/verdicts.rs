//! Each documented reply of each vendor, and what it means.

use std::time::Duration;

use offlimits::alert::{Alert, AlertKind};
use offlimits::channel::{Body, HttpRequest, Method, Reply, Request, Verdict};
use offlimits::ids::AlertId;
use offlimits::ruleset::RuleSet;
use serde_json::json;

use super::alerts::{Sums, findings, rules};
use super::exchange::{channel, drive};
use super::samples::{StatusOrCode, credentials, http, sample, samples, with_type};

fn body(name: &str, of: AlertKind<'_>) -> Body {
    let (_, finding) = findings().remove(1);
    let id = AlertId::new("r", "", &finding.id);
    channel(&rules("t", "d"), name).channel.render(&Alert::alone(&finding, &id, of))
}

fn told(verdict: Verdict) -> String {
    match verdict {
        Verdict::Delivered { receipt } => format!("delivered {}", receipt.unwrap_or_default()).trim_end().to_owned(),
        Verdict::Retry { after: Some(wait), .. } => format!("retry in {}", wait.as_secs()),
        Verdict::Retry { after: None, .. } => "retry".to_owned(),
        Verdict::Refused { .. } => "refused".to_owned(),
        Verdict::Rejected { .. } => "rejected".to_owned(),
    }
}

/// What every vendor means by these.
const COMMON: [(u16, &str, &str); 13] = [
    (429, "", "retry in 3"),
    (408, "", "retry in 3"),
    (500, "", "retry in 3"),
    (502, "<html>", "retry in 3"),
    (503, "", "retry in 3"),
    (504, "", "retry in 3"),
    (301, "", "refused"),
    (302, "", "refused"),
    (307, "", "refused"),
    (401, "", "refused"),
    (403, "<html>", "refused"),
    (404, "", "refused"),
    (407, "", "refused"),
];

#[test]
fn each_documented_reply_means_what_its_vendor_says() {
    let rules = rules("t", "d");
    let (secret, (_, finding)) = (credentials(), findings().remove(1));
    let id = AlertId::new("r", "", &finding.id);
    for (channel_type, sample) in samples() {
        let name = channel_type.name();
        let channel = channel(&rules, name);
        let alert = Alert::alone(&finding, &id, AlertKind::First);
        let body = channel.channel.render(&alert);
        // What the reply to the request that carries the alert means. All replies of HTTP ask for three seconds.
        let verdict = |reply| {
            let replies = [sample.lead_up(), vec![reply]].concat();
            told(drive(channel, &body, &secret, &replies).unwrap().1.unwrap())
        };
        for (reply, body, expected) in &sample.replies {
            let (said, reply) = match reply {
                StatusOrCode::Status(status) => (status.to_string(), http(*status, body)),
                StatusOrCode::Code(code) if code == "Published" => (code.clone(), Reply::Published("id".to_owned())),
                StatusOrCode::Code(code) => (code.clone(), Reply::SnsFault(code.clone())),
            };
            assert_eq!(verdict(reply), *expected, "{name}: {said} {body}");
        }
        if sample.replies.iter().any(|(reply, ..)| matches!(reply, StatusOrCode::Status(_))) {
            for (status, body, expected) in COMMON {
                assert_eq!(verdict(http(status, body)), expected, "{name}: {status} {body}");
            }
        }
        for reason in ["timeout", "cannot connect", "the connection broke"] {
            assert_eq!(verdict(Reply::Unreachable(reason)), "retry", "{name}: {reason}");
        }
        for meaning in ["delivered", "rejected"] {
            let has = sample.replies.iter().any(|(.., expected)| expected.starts_with(meaning));
            assert!(has, "tests/channels/{name}.json has no reply that means {meaning}");
        }
    }
}

/// A request's method and path.
fn path(request: &Request) -> String {
    match request {
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
    }
}

/// The methods and paths of an exchange, and how it ended.
fn walk(name: &str, of: AlertKind<'_>, secret: &str, replies: &[Reply]) -> (Vec<String>, String) {
    let rules = rules("t", "d");
    let (requests, verdict) = drive(channel(&rules, name), &body(name, of), secret, replies).unwrap();
    (requests.iter().map(path).collect(), verdict.map(told).unwrap_or_default())
}

/// What a channel's file says of whole exchanges.
#[test]
fn each_exchange_goes_as_its_channels_file_says() {
    let (_, finding) = findings().remove(1);
    let id = AlertId::new("r", "", &finding.id);
    let sums = Sums::of(&finding, 40);
    for (channel_type, sample) in samples() {
        for exchange in &sample.exchanges {
            let case = format!("{}: {}", channel_type.name(), exchange.what);
            let mut settings = sample.settings.as_object().unwrap().clone();
            settings.extend(exchange.settings.clone());
            settings.retain(|_, value| !value.is_null());
            let source = json!({
                "channels": { "c": with_type(channel_type, settings) },
                "rules": [{ "id": "r", "title": "t", "severity": "high", "when": { "event": { "is": "x" } } }]
            });
            let rules =
                RuleSet::compile(&source.to_string()).unwrap_or_else(|faults| panic!("{case}: {faults:?}")).rules;
            let channel = channel(&rules, "c");
            let [first, repeat, news, roll_up, ..] = sums.kinds();
            let kind = match exchange.kind.as_str() {
                "first" => first,
                "repeat" => repeat,
                "news" => news,
                "roll-up" => roll_up,
                other => panic!("{case}: {other}"),
            };
            let alert = Alert { receipt: exchange.receipt.as_deref(), ..Alert::alone(&finding, &id, kind) };
            let body = channel.channel.render(&alert);
            let replies: Vec<Reply> = exchange
                .replies
                .iter()
                .map(|(status, body)| http(*status, &body.replace("{key}", alert.key().as_str())))
                .collect();
            let credentials = exchange.credentials.as_ref().unwrap_or(&sample.credentials[0]);
            let (requests, verdict) =
                drive(channel, &body, &json!({ "c": credentials }).to_string(), &replies).unwrap();
            let made: Vec<String> = requests.iter().map(path).collect();
            let expected: Vec<String> =
                exchange.requests.iter().map(|request| request.replace("{alert}", id.as_str())).collect();
            let expected = expected.iter().map(|request| request.splitn(3, ' '));
            let places: Vec<String> =
                expected.clone().map(|parts| parts.take(2).collect::<Vec<_>>().join(" ")).collect();
            assert_eq!(made, places, "{case}");
            for (request, part) in requests.iter().zip(expected.map(|mut parts| parts.nth(2))) {
                let content = match request {
                    Request::Http(HttpRequest { content: Some((_, content)), .. }) => content.expose(),
                    _ => "",
                };
                assert!(part.is_none_or(|part| content.contains(part)), "{case}: {part:?} in {content}");
            }
            assert_eq!(verdict.map(told).unwrap_or_default(), exchange.verdict, "{case}");
        }
    }
}

#[test]
fn a_ticket_is_opened_once_and_then_commented_on() {
    let created = http(201, r#"{"ticket":{"id":7}}"#);
    let open = ["POST oauth/tokens", "GET api/v2/tickets.json", "POST api/v2/tickets.json"];
    let mut replies = sample("zendesk").lead_up();
    replies.push(created.clone());
    let (requests, verdict) = walk("zendesk", AlertKind::First, &credentials(), &replies);
    assert_eq!((requests, verdict.as_str()), (open.map(str::to_owned).to_vec(), "delivered 7"));

    // A repeat finds it.
    let mut replies = sample("zendesk").lead_up_of_a_repeat().unwrap();
    replies.push(http(200, r#"{"ticket":{"id":35}}"#));
    let (requests, verdict) = walk("zendesk", AlertKind::Repeat, &credentials(), &replies);
    assert_eq!((requests[2].as_str(), verdict.as_str()), ("PUT api/v2/tickets/35.json", "delivered 35"));

    // Somebody closed it between the search and the comment.
    replies.pop();
    replies.extend([http(422, r#"{"error":"RecordInvalid"}"#), created]);
    let (requests, verdict) = walk("zendesk", AlertKind::Repeat, &credentials(), &replies);
    assert_eq!(
        (requests.len(), requests[3].as_str(), verdict.as_str()),
        (4, "POST api/v2/tickets.json", "delivered 7")
    );

    // The answer to an earlier attempt was lost: the ticket is ours, and nothing is written twice.
    let Body::Ticket { key, .. } = body("zendesk", AlertKind::First) else { panic!("no ticket") };
    let mut replies = sample("zendesk").lead_up();
    replies.pop();
    replies.push(http(200, &format!(r#"{{"tickets":[{{"id":35,"status":"new","description":"… message {key}"}}]}}"#)));
    let (requests, verdict) = walk("zendesk", AlertKind::First, &credentials(), &replies);
    assert_eq!((requests.len(), verdict.as_str()), (2, "delivered 35"));

    // The API token of old needs no other.
    let legacy = r#"{"zendesk":{"email":"a@example.com","api_token":"s3cret"}}"#;
    let (requests, _) = walk("zendesk", AlertKind::First, legacy, &[http(200, r#"{"tickets":[]}"#)]);
    assert_eq!(requests, ["GET api/v2/tickets.json", "POST api/v2/tickets.json"]);
}

#[test]
fn an_incident_is_opened_once_and_then_noted_on() {
    let mut replies = sample("servicenow").lead_up_of_a_repeat().unwrap();
    replies.push(http(200, r#"{"result":{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC0010023"}}"#));
    let (requests, verdict) = walk("servicenow", AlertKind::Repeat, &credentials(), &replies);
    assert_eq!(
        requests,
        ["GET api/now/table/incident", "PATCH api/now/table/incident/9d385017c611228701d22104cc95c371"]
    );
    assert_eq!(verdict, "delivered INC0010023");
    let Body::Ticket { key, .. } = body("servicenow", AlertKind::First) else { panic!("no incident") };
    let ours = format!(
        r#"{{"result":[{{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC1","description":"… message {key}"}}]}}"#
    );
    assert_eq!(walk("servicenow", AlertKind::First, &credentials(), &[http(200, &ours)]).1, "delivered INC1");
    // What is no answer of ServiceNow's is no reason to open a second incident.
    for answer in ["", "<html>", r#"{"result":[{"sys_id":"../../x"}]}"#, r#"{"result":{}}"#] {
        assert_eq!(walk("servicenow", AlertKind::First, &credentials(), &[http(200, answer)]).1, "retry", "{answer}");
    }
    let oauth = r#"{"servicenow":{"client_id":"i","client_secret":"s"}}"#;
    let (requests, _) = walk("servicenow", AlertKind::First, oauth, &sample("zendesk").lead_up()[..1]);
    assert_eq!(requests, ["POST oauth_token.do", "GET api/now/table/incident"]);
}

#[test]
fn a_search_that_fails_says_what_a_failed_delivery_says() {
    for (name, first) in [("zendesk", sample("zendesk").lead_up().remove(0)), ("servicenow", http(0, ""))] {
        for (status, expected) in [(429, "retry in 3"), (503, "retry in 3"), (401, "refused"), (400, "rejected")] {
            let replies =
                if name == "zendesk" { vec![first.clone(), http(status, "")] } else { vec![http(status, "")] };
            assert_eq!(walk(name, AlertKind::First, &credentials(), &replies).1, expected, "{name}: {status}");
        }
    }
    // So does a token that is not given.
    for (reply, expected) in [
        (http(401, r#"{"error":"invalid_client"}"#), "refused"),
        (http(429, ""), "retry in 3"),
        (Reply::Unreachable("timeout"), "retry"),
    ] {
        assert_eq!(walk("zendesk", AlertKind::First, &credentials(), &[reply]).1, expected);
    }
}

#[test]
fn a_wait_is_told_as_it_was_asked_for() {
    let reply = Reply::Http { status: 429, retry_after: Some(Duration::from_millis(1500)), body: String::new() };
    let rules = rules("t", "d");
    let (_, verdict) =
        drive(channel(&rules, "webhook"), &body("webhook", AlertKind::First), &credentials(), &[reply]).unwrap();
    assert_eq!(
        verdict,
        Some(Verdict::Retry { after: Some(Duration::from_millis(1500)), reason: "HTTP 429".to_owned() })
    );
}
