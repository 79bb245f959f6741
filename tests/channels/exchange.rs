//! Drives a channel through an exchange with a vendor whose replies are written down.

use std::time::Duration;

use offlimits::alert::Alert;
use offlimits::channel::ConfiguredChannel;
use offlimits::channel::{Body, Channel, Exchange, ExchangeStep, Reply, Request, Verdict};
use offlimits::ruleset::RuleSet;
use offlimits::secret::{Credentials, Secret};

/// Good credentials for every channel of [`super::alerts::rules`]; each holds `s3cret`.
pub(crate) const CREDENTIALS: &str = r#"{
    "soc": { "bot_token": "xoxb-s3cret" },
    "oncall": { "routing_key": "s3cret0123456789abcdef0123456789" },
    "desk": { "client_id": "offlimits", "client_secret": "s3cret" },
    "incidents": { "username": "offlimits", "password": "s3cret" },
    "room": { "webhook_url": "https://x.01.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/s3cret" },
    "siem": { "url": "https://siem.example.com/s3cret", "signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
              "conformity_token": "s3cret" }
}"#;

/// The time of every exchange: 2026-01-10T11:32:44Z.
pub(crate) const NOW: u64 = 1_768_044_764;

pub(crate) fn channel<'r>(rules: &'r RuleSet, name: &str) -> &'r ConfiguredChannel {
    rules.channels().iter().find(|channel| channel.name == name).unwrap()
}

pub(crate) fn http(status: u16, body: &str) -> Reply {
    Reply::Http { status, retry_after: Some(Duration::from_secs(3)), body: body.to_owned() }
}

/// Sends until the replies are used up: the requests, and the verdict if there was one.
pub(crate) fn drive(
    channel: &ConfiguredChannel,
    body: &Body,
    secret: &str,
    replies: &[Reply],
) -> Result<(Vec<Request>, Option<Verdict>), String> {
    let credentials = Credentials::parse(secret).unwrap();
    let mut script = replies.iter();
    let (mut token, mut replies, mut requests): (Option<Secret>, Vec<Reply>, Vec<Request>) = Default::default();
    loop {
        let credentials = credentials.for_channel(&channel.name);
        let exchange = Exchange { credentials, token: token.as_ref(), replies: &replies, now: NOW };
        match channel.channel.next(body, &exchange).map_err(|fault| fault.0)? {
            ExchangeStep::Judged(verdict) => return Ok((requests, Some(verdict))),
            ExchangeStep::Token(fresh) => {
                token = Some(fresh.secret);
                replies.clear();
            }
            ExchangeStep::Send(request) => {
                requests.push(request);
                match script.next() {
                    Some(reply) => replies.push(reply.clone()),
                    None => return Ok((requests, None)),
                }
            }
        }
    }
}

/// The replies with which a vendor leads up to the channel's last request, where nothing of the alert is there yet.
pub(crate) fn prelude(kind: &str) -> Vec<Reply> {
    let token = http(200, r#"{"access_token":"t0ken-s3cret","token_type":"bearer","expires_in":1800}"#);
    match kind {
        "zendesk" => vec![token, http(200, r#"{"tickets":[{"id":1,"status":"closed"}],"count":1}"#)],
        "servicenow" => vec![http(200, r#"{"result":[]}"#)],
        _ => Vec::new(),
    }
}

/// The same where a ticket is open.
pub(crate) fn prelude_of_a_repeat(kind: &str) -> Vec<Reply> {
    let mut replies = prelude(kind);
    replies.pop();
    replies.push(match kind {
        "zendesk" => http(200, r#"{"tickets":[{"id":35,"status":"open","description":"before"}],"count":1}"#),
        _ => http(
            200,
            r#"{"result":[{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC0010023","description":"before"}]}"#,
        ),
    });
    replies
}

pub(crate) fn kind(channel: &ConfiguredChannel) -> &'static str {
    let channel: &dyn Channel = channel.channel.as_ref();
    channel.kind()
}

/// The requests that carry an alert: what opens a ticket, and what comments on it.
pub(crate) fn requests(channel: &ConfiguredChannel, alert: &Alert<'_>) -> Vec<(&'static str, Request)> {
    let body = channel.channel.render(alert);
    let last = |replies| drive(channel, &body, CREDENTIALS, replies).unwrap().0.pop().unwrap();
    match kind(channel) {
        kind @ ("zendesk" | "servicenow") => {
            vec![("open", last(&prelude(kind))), ("comment", last(&prelude_of_a_repeat(kind)))]
        }
        _ => vec![("post", last(&[]))],
    }
}
