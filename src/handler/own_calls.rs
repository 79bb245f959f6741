//! Tells the calls that the function itself makes, which are counted as *self* and not alerted.

use crate::cloudtrail::ApiCall;

/// The calls that the function itself makes at run time. They are recorded by CloudTrail like any other, and an alert about
/// one of them would make the same calls again, without end.
#[derive(Debug, Clone, Default)]
pub struct OwnCalls {
    /// Our role's ARN: `arn:aws:iam::123456789012:role/offlimits`.
    pub role_arn: Option<String>,
    /// Our function's name, which Lambda takes for the session's.
    pub function_name: Option<String>,
    /// The topics that we publish to: the deployment's, and those that channels name.
    pub topic_arns: Vec<String>,
    /// The ARN of the secret that holds the channels' credentials.
    pub secret_arn: Option<String>,
    /// Our queues' URLs.
    pub queue_urls: Vec<String>,
    /// Our table's name.
    pub table: Option<String>,
}

impl OwnCalls {
    /// Whether the call is one that we make: our role in our function's session, an API that we use, on what is ours.
    pub(super) fn contains(&self, call: &ApiCall) -> bool {
        let (Some(role), Some(function), Some(arn)) = (&self.role_arn, &self.function_name, &call.arn) else {
            return false;
        };
        let Some((prefix, path)) = role.split_once(":role/") else { return false };
        let session = format!(
            "{}:assumed-role/{}/{function}",
            prefix.replacen(":iam:", ":sts:", 1),
            path.rsplit('/').next().unwrap_or(path)
        );
        let on = |target: &Option<String>| target.as_ref().is_some_and(|target| call.targets.contains(target));
        *arn == session
            && match (call.service.as_deref(), call.event.as_deref()) {
                (Some("sns.amazonaws.com"), Some("Publish")) => {
                    self.topic_arns.iter().any(|topic| call.targets.contains(topic))
                }
                (Some("secretsmanager.amazonaws.com"), Some("GetSecretValue")) => on(&self.secret_arn),
                // The key's service is called for us, by the two services that we call.
                (Some("kms.amazonaws.com"), Some("Decrypt" | "GenerateDataKey")) => {
                    matches!(call.source_ip.as_deref(), Some("secretsmanager.amazonaws.com" | "sns.amazonaws.com"))
                }
                (Some("logs.amazonaws.com"), Some("CreateLogStream" | "PutLogEvents")) => true,
                // The last two come only where a trail is set to record data events.
                (
                    Some("sqs.amazonaws.com"),
                    Some("SendMessage" | "SendMessageBatch" | "ReceiveMessage" | "DeleteMessage"),
                ) => self.queue_urls.iter().any(|url| call.targets.iter().any(|target| is_queue(target, url))),
                (
                    Some("dynamodb.amazonaws.com"),
                    Some("BatchGetItem" | "GetItem" | "PutItem" | "Query" | "TransactWriteItems" | "UpdateItem"),
                ) => self.table.as_ref().is_some_and(|table| call.targets.iter().any(|target| is_table(target, table))),
                _ => false,
            }
    }
}

/// Whether a target is the queue of this URL: the URL itself, or the ARN, whose last parts are the account and the name.
fn is_queue(target: &str, url: &str) -> bool {
    target == url
        || target.strip_prefix("arn:").is_some_and(|arn| {
            let mut own = url.rsplit('/');
            let mut parts = arn.rsplit(':');
            (parts.next(), parts.next()) == (own.next(), own.next()) && arn.contains(":sqs:")
        })
}

/// Whether a target is the table of this name: the name itself, or the ARN.
fn is_table(target: &str, table: &str) -> bool {
    target == table
        || (target.starts_with("arn:")
            && target.split_once(":table/").is_some_and(|(arn, name)| name == table && arn.contains(":dynamodb:")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_what_we_do_with_what_is_ours() {
        let own = OwnCalls {
            role_arn: Some("arn:aws:iam::123456789012:role/path/offlimits".to_owned()),
            function_name: Some("f".to_owned()),
            queue_urls: vec!["https://sqs.us-east-1.amazonaws.com/123456789012/redelivery".to_owned()],
            table: Some("ledger".to_owned()),
            topic_arns: vec!["arn:aws:sns:us-east-1:123456789012:ours".to_owned()],
            ..OwnCalls::default()
        };
        let call = |service: &str, event: &str, target: &str| ApiCall {
            arn: Some("arn:aws:sts::123456789012:assumed-role/offlimits/f".to_owned()),
            service: Some(format!("{service}.amazonaws.com")),
            event: Some(event.to_owned()),
            targets: vec![target.to_owned()],
            ..ApiCall::default()
        };
        for (service, event, target) in [
            ("sqs", "SendMessage", "https://sqs.us-east-1.amazonaws.com/123456789012/redelivery"),
            ("sqs", "SendMessage", "arn:aws:sqs:us-east-1:123456789012:redelivery"),
            ("dynamodb", "PutItem", "ledger"),
            ("sns", "Publish", "arn:aws:sns:us-east-1:123456789012:ours"),
            ("dynamodb", "TransactWriteItems", "arn:aws:dynamodb:us-east-1:123456789012:table/ledger"),
        ] {
            assert!(own.contains(&call(service, event, target)), "{service} {event} {target}");
        }
        for (service, event, target) in [
            ("sqs", "PurgeQueue", "https://sqs.us-east-1.amazonaws.com/123456789012/redelivery"),
            ("sqs", "SendMessage", "https://sqs.us-east-1.amazonaws.com/123456789012/another"),
            ("sqs", "SendMessage", "arn:aws:sqs:us-east-1:999999999999:redelivery"),
            ("dynamodb", "DeleteItem", "ledger"),
            ("sns", "Publish", "arn:aws:sns:us-east-1:123456789012:another"),
            ("dynamodb", "PutItem", "arn:aws:dynamodb:us-east-1:123456789012:table/ledger2"),
        ] {
            assert!(!own.contains(&call(service, event, target)), "{service} {event} {target}");
        }
    }
}
