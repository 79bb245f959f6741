//! Drives a channel through an exchange with a vendor whose replies are written down.

use offlimits::alert::Alert;
use offlimits::channel::ConfiguredChannel;
use offlimits::channel::{Body, Exchange, ExchangeStep, Reply, Request, Verdict};
use offlimits::ruleset::RuleSet;
use offlimits::secret::{Credentials, Secret};

use super::samples::{credentials, sample};

/// The time of every exchange: 2026-01-10T11:32:44Z.
pub(crate) const NOW: u64 = 1_768_044_764;

pub(crate) fn channel<'r>(rules: &'r RuleSet, name: &str) -> &'r ConfiguredChannel {
    rules.channels().iter().find(|channel| channel.name == name).unwrap()
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

pub(crate) fn kind(channel: &ConfiguredChannel) -> &'static str {
    channel.channel.kind()
}

/// The requests that carry an alert: the one that posts it, or that which opens a ticket and that which comments on it.
pub(crate) fn requests(channel: &ConfiguredChannel, alert: &Alert<'_>) -> Vec<(&'static str, Request)> {
    let body = channel.channel.render(alert);
    let secret = credentials();
    let last = |replies: &[Reply]| drive(channel, &body, &secret, replies).unwrap().0.pop().unwrap();
    let sample = sample(kind(channel));
    match sample.lead_up_of_a_repeat() {
        Some(repeat) => vec![("open", last(&sample.lead_up())), ("comment", last(&repeat))],
        None => vec![("post", last(&sample.lead_up()))],
    }
}
