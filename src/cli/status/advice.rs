//! What to do next, in one or two sentences: for a person who has been woken.

use super::outcome::{
    DEAD, DELIVERED, DIGESTED, DUPLICATE, FAILED, MERGED, OPEN, QUEUED, SENDING, SILENCED, THROTTLED,
};
use super::question::Subject;

/// A finding on a channel, as far as it matters for what to do.
pub(super) struct Delivery<'d> {
    pub(super) outcome: &'d str,
    pub(super) channel: &'d str,
    pub(super) alert: Option<&'d str>,
    pub(super) opener: Option<&'d str>,
    pub(super) receipt: Option<&'d str>,
    pub(super) roll_up_at: Option<&'d str>,
}

/// What follows for a finding that came to no channel.
pub(super) fn of_finding(outcome: &str, rule: Option<&str>) -> String {
    let rule = rule.unwrap_or("the rule");
    match outcome {
        "staged" => {
            format!("{rule} is staged: it is counted, and nobody is told. Set its `mode` to `alert` if they should be.")
        }
        "unrouted" => format!(
            "No channel takes it: `offlimits explain RECORD --rule {rule}` says of each why not (`notify`, `min_severity`, its filters)."
        ),
        "below_threshold" => {
            format!(
                "{rule} has a `threshold`, and by then it had not been reached. The alert comes with what reaches it."
            )
        }
        "self" => "The function made this call itself, on what is its own. There is nothing to do.".to_owned(),
        _ => "This version of offlimits does not know this outcome: use the version that is deployed.".to_owned(),
    }
}

/// What follows for a finding on a channel.
pub(super) fn of_delivery(delivery: &Delivery<'_>) -> String {
    let Delivery { outcome, channel, alert, opener, receipt, roll_up_at } = *delivery;
    let alert = alert.map_or_else(|| "the alert".to_owned(), |alert| format!("alert {alert}"));
    match outcome {
        DELIVERED => {
            let receipt = receipt.map(|receipt| format!(" (there: {receipt})")).unwrap_or_default();
            format!(
                "Look for {alert} in {channel}{receipt}. If nobody saw it: docs/no-alert.md, \"It was delivered, and nobody saw it\"."
            )
        }
        THROTTLED => {
            let first = opener.map(|opener| format!("`offlimits status {opener}` says what became of the alert's first finding. "));
            let sum = match roll_up_at {
                Some(at) => format!("The roll-up that counts this one was delivered at {at}."),
                None => "The roll-up that counts this one comes a minute after the rule's window has ended; on a channel with incidents, the next \
                          update lists it."
                    .to_owned(),
            };
            format!("It is a repeat, and was held back. {}{sum}", first.unwrap_or_default())
        }
        SILENCED => {
            let sum = roll_up_at.map_or_else(
                || "The roll-up that counts this one comes when the silence has ended: `offlimits silence list`.".to_owned(),
                |at| format!("The roll-up that counts this one was delivered at {at}."),
            );
            format!("Somebody has silenced its rule for some hours, and it was held back. {sum}")
        }
        DIGESTED => format!("More came in that minute than `max_per_minute` of {channel}: it is in the digest of the minute."),
        MERGED => {
            "It is told in the message of another finding of the same record, whatever becomes of that: ask by the record's `eventID`."
                .to_owned()
        }
        DUPLICATE => "It had been delivered before, or left to a sum: `--since 15d` shows when.".to_owned(),
        QUEUED => "It waits in the queue Redelivery, and is tried again for a day: after 30 seconds, later every hour. If the \
                   reason is something that you can mend (a credential, a permission), do. If the alarm …-redelivery-age rings, nobody \
                   takes it: docs/alarms.md."
            .to_owned(),
        DEAD => "It lies in the queue DeadLetters: `make dead-letters` shows it. Mend the channel, then `make redrive`; or send it to \
                 another: `make readdress`."
            .to_owned(),
        FAILED => "Neither the channel nor a queue took it. Lambda tries the event twice more; then it lies in FailedEvents: \
                   `make redrive` sends it through again."
            .to_owned(),
        SENDING => "Somebody is sending it at this moment: ask again in a minute.".to_owned(),
        OPEN => "It was begun, and nobody has said how it ended. It waits in the queue Redelivery, or lies in DeadLetters (`make \
                 dead-letters`), or Lambda tries the event again."
            .to_owned(),
        _ => "This version of offlimits does not know this outcome: use the version that is deployed.".to_owned(),
    }
}

/// What follows where neither the ledger nor the log has anything: how to find out whether it came, and what the rules say of it.
pub(super) fn of_nothing(subject: &Subject, stack: &str, region: &str, log_tells: Option<bool>) -> Vec<String> {
    let mut next = Vec::new();
    if log_tells == Some(false) {
        next.push(
            "The log has no line since then from which it follows that it would have one of a finding. Either nothing came at all, or the stack's LogLevel is WARN or ERROR, with \
             which only the ledger can be asked, and only for findings: `offlimits explain RECORD --format jsonl | jq -r .finding`"
                .to_owned(),
        );
    }
    match subject {
        Subject::Event(id) => {
            next.push(format!(
                "Ask the rules. Does one match, or is there an exception? `aws cloudtrail lookup-events --region {region} \
                 --lookup-attributes AttributeKey=EventId,AttributeValue={id} | offlimits explain -` (with a file that holds the record: \
                 `offlimits explain RECORD`)"
            ));
            next.push(format!(
                "If one matches, and nothing excepts it, the event never came to the function. Was it recorded in another region, or not \
                 at all? The saved query {stack}/account counts what came in each hour; the alarms {stack}-silence, \
                 {stack}-undelivered-events and {stack}-failed-events say where it stopped: docs/no-alert.md, \"Did it arrive?\""
            ));
        }
        Subject::Finding(_) => next.push(
            "A finding's id is that of one rule and one event, under the rules that are deployed; the ledger forgets it after 15 days, and \
             `--since` looks further back in the log. Ask by the `eventID` of the record: `offlimits status EVENT`"
                .to_owned(),
        ),
    }
    next
}
