//! The queues: whether each is there, and what waits in it for how long.

use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::ApiService;
use crate::cli::doctor::asker::Metric;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::Stack;
use crate::cli::words::counted;

pub(super) const CHECKS: &[&Check] = &[&MISSING, &DEAD_LETTERS, &FAILED_EVENTS, &UNDELIVERED_EVENTS, &REDELIVERY_AGE];

static MISSING: Check =
    Check { code: "queue-missing", summary: "A queue of the stack is gone.", asks: &["sqs:GetQueueAttributes"] };

/// What is asked to learn what waits in a queue, and for how long.
const WAITING: &[&str] = &["sqs:GetQueueAttributes", "cloudwatch:GetMetricStatistics"];

static DEAD_LETTERS: Check =
    Check { code: "dead-letters", summary: "Alerts lie in DeadLetters that no channel has taken.", asks: WAITING };

static FAILED_EVENTS: Check = Check {
    code: "failed-events",
    summary: "Events lie in FailedEvents that the function failed on three times.",
    asks: WAITING,
};

static UNDELIVERED_EVENTS: Check = Check {
    code: "undelivered-events",
    summary: "Events lie in UndeliveredEvents that EventBridge could not hand to the function.",
    asks: WAITING,
};

static REDELIVERY_AGE: Check = Check {
    code: "redelivery-age",
    summary: "A message has been waiting in Redelivery for more than half an hour: nobody takes what is there.",
    asks: WAITING,
};

/// Each queue's name, its output, and what is found where something waits in it.
const QUEUES: [(&str, &str, &Check); 4] = [
    ("DeadLetters", "DeadLettersUrl", &DEAD_LETTERS),
    ("FailedEvents", "FailedEventsUrl", &FAILED_EVENTS),
    ("UndeliveredEvents", "UndeliveredEventsUrl", &UNDELIVERED_EVENTS),
    ("Redelivery", "RedeliveryUrl", &REDELIVERY_AGE),
];

/// Seconds that a message may wait in Redelivery, as its alarm has it.
const LONG: f64 = 1800.0;
/// How long back an age is looked for: CloudWatch has one every few minutes.
const LATELY: Duration = Duration::from_mins(15);

pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, notes: &mut Notes) {
    for (queue, output, check) in QUEUES {
        let url = stack.output(output);
        if !url.is_empty() {
            look_at(stack, (queue, url), check, notes).await;
        }
    }
}

async fn look_at(stack: &Stack<'_>, (queue, url): (&str, &str), check: &Check, notes: &mut Notes) {
    let (name, region) = (stack.name, stack.region());
    let attributes = json!(["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]);
    let input = json!({"QueueUrl": url, "AttributeNames": attributes});
    let answer = match notes.told(stack.asker.json(&ApiService::SQS, "GetQueueAttributes", input).await) {
        Told::There(answer) => answer,
        Told::Missing => {
            let message = format!("the queue {queue} is gone");
            notes.find(&MISSING, url, message, Remedy::new().anew(name, region));
            return;
        }
        Told::Unknown => return,
    };
    let number = |attribute: &str| -> u64 {
        let number = answer.pointer(&format!("/Attributes/{attribute}")).and_then(Value::as_str);
        number.and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    let waiting = number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesNotVisible");
    if waiting == 0 {
        return;
    }
    let dimension = ("QueueName", url.rsplit('/').next().unwrap_or_default());
    let metric =
        Metric { namespace: "AWS/SQS", name: "ApproximateAgeOfOldestMessage", dimension, statistic: "Maximum" };
    let age = notes.there(stack.asker.metric(metric, LATELY).await).flatten();
    let since =
        age.map(|seconds| format!(", the oldest for {}", counted(minutes(seconds), "minute"))).unwrap_or_default();
    let message = format!("in the queue {queue} {} waiting{since}", are(waiting));
    // In Redelivery what waits is on its way, unless it waits for long.
    if queue != "Redelivery" {
        let shown = Remedy::new().make("dead-letters", name, region, &format!("QUEUES={queue}"));
        notes.find(check, url, message, shown.make("redrive", name, region, &format!("QUEUES={queue}")));
    } else if age.is_some_and(|seconds| seconds > LONG) {
        let mapping = stack.output("RedeliveryMapping");
        let words = ["lambda", "update-event-source-mapping", "--uuid", mapping, "--enabled"];
        notes.find(check, url, message, Remedy::new().aws(region, words).make("test-alert", name, region, ""));
    }
}

/// `1 message is`, `2 messages are`
fn are(number: u64) -> String {
    format!("{} {}", counted(number, "message"), if number == 1 { "is" } else { "are" })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an age is small, and not below zero")]
fn minutes(seconds: f64) -> u64 {
    (seconds.max(0.0) / 60.0) as u64
}
