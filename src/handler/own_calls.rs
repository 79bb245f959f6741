//! Tells the calls that the function itself makes, which are counted as *self* and not alerted.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::classify::FindingGroup;
use super::sweep::Watch;
use crate::cloudtrail::ApiCall;
use crate::cloudtrail::spokes::Spokes;
use crate::ids::StableId;
use crate::json::Node;
use crate::ledger::policy::{Holding, Throttling};
use crate::rules::NewTargets;

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
    /// The ARNs of the keys with which what is ours is encrypted.
    pub key_arns: Vec<String>,
    /// The name of our log group.
    pub log_group: Option<String>,
    /// The networks from which we call; none where they are not known: Lambda's own addresses are many, and not ours alone.
    pub addresses: Vec<IpNet>,
    /// A hub's spokes.
    pub spokes: Spokes,
    /// Who should be heard, by the probes that it makes.
    pub watch: Watch,
}

/// How long alerts about one action of our own role are held back.
const OWN_ROLE_WINDOW: Duration = Duration::from_mins(15);
/// How the user agent of the calls begins that we make without an SDK: to DynamoDB and SQS, since 2026-11-29.
const OUR_AGENT: &str = "offlimits/";
/// How that of the others begins: AWS's SDK for Rust gives its name, and the language (`aws-runtime`, `user_agent.rs`).
const OUR_SDK: &str = "aws-sdk-rust/";
/// A word that it holds.
const OUR_LANGUAGE: &str = " lang/rust/";
/// How the user agent of Lambda's own workers begins, which write the log in our name. AWS documents it nowhere: this is what
/// records have.
const LAMBDA_WORKER: &str = "awslambda-worker/";
/// The services that call the key's for us.
const ENCRYPTING: [&str; 4] =
    ["secretsmanager.amazonaws.com", "sns.amazonaws.com", "sqs.amazonaws.com", "dynamodb.amazonaws.com"];

impl OwnCalls {
    /// Whether the call is one that we make: our role in our function's session, an API that we use, on what is ours, in the way
    /// in which we call it. What was denied is none: we ask for nothing that we may not do, and whoever stole the session tries.
    pub(super) fn contains(&self, call: &ApiCall) -> bool {
        !is_denied(call) && ((self.is_ours(call) && self.is_our_use(call)) || self.is_a_probe(call))
    }

    /// Whether a spoke of a version before 2026-11-29 makes its queue known, once an hour, by a role without a path of its own: no
    /// probe that a sweep waits for. No rule can mean that.
    fn is_a_probe(&self, call: &ApiCall) -> bool {
        (call.service.as_deref(), call.event.as_deref()) == (Some("sqs.amazonaws.com"), Some("TagQueue"))
            && call.arn.as_deref().is_some_and(|arn| self.spokes.is_probe(arn))
            && call.targets.iter().any(|target| self.is_spokes_queue(target))
    }

    /// Whether a target is a queue of a spoke: its URL or its ARN.
    fn is_spokes_queue(&self, target: &str) -> bool {
        target.rsplit(['/', ':']).next().is_some_and(|name| self.spokes.own(name))
    }

    /// The group in which alerts about our own role's calls are held back, one for each action, whatever rules say of the call:
    /// to send an alert takes calls of our role, and alerts about those would call for more.
    pub(super) fn throttle_of(&self, call: &ApiCall) -> Option<FindingGroup> {
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        self.is_by_our_role(call).then(|| {
            let hash = StableId::hash(&["own-role", &said(&call.service), &said(&call.event)]);
            let throttling = Throttling { length: OWN_ROLE_WINDOW, new_targets: NewTargets::Wait };
            FindingGroup { hash: hash.as_str().to_owned(), holding: Holding::Throttle(throttling) }
        })
    }

    /// Whether our role made the call, in whatever session and by whatever means.
    pub(super) fn is_by_our_role(&self, call: &ApiCall) -> bool {
        let session = self.session_of("");
        session.zip(call.arn.as_deref()).is_some_and(|(session, arn)| arn.starts_with(&session))
    }

    fn is_ours(&self, call: &ApiCall) -> bool {
        let session = self.function_name.as_ref().and_then(|function| self.session_of(function));
        session.is_some() && call.arn == session
    }

    /// The ARN of a session of our role.
    fn session_of(&self, name: &str) -> Option<String> {
        let (prefix, path) = self.role_arn.as_ref()?.split_once(":role/")?;
        let role = path.rsplit('/').next().unwrap_or(path);
        Some(format!("{}:assumed-role/{role}/{name}", prefix.replacen(":iam:", ":sts:", 1)))
    }

    fn is_our_use(&self, call: &ApiCall) -> bool {
        let on = |is_it: &dyn Fn(&str) -> bool| call.targets.iter().any(|target| is_it(target));
        let on_queue = || on(&|target| self.queue_urls.iter().any(|url| is_queue(target, url)));
        let on_spokes_queue = || on(&|target| self.is_spokes_queue(target));
        match (call.service.as_deref(), call.event.as_deref()) {
            (Some("sns.amazonaws.com"), Some("Publish")) => {
                on(&|target| self.topic_arns.iter().any(|topic| topic == target)) && self.is_our_client(call)
            }
            (Some("secretsmanager.amazonaws.com"), Some("GetSecretValue")) => {
                on(&|target| self.secret_arn.as_deref() == Some(target)) && self.is_our_client(call)
            }
            // The key's service is called for us, by the services that we call.
            (Some("kms.amazonaws.com"), Some("Decrypt" | "GenerateDataKey")) => {
                call.source_ip.as_deref().is_some_and(|source| ENCRYPTING.contains(&source))
                    && (on(&|target| self.key_arns.iter().any(|key| is_key(target, key))) || self.encrypts_ours(call))
            }
            (Some("logs.amazonaws.com"), Some("CreateLogStream" | "PutLogEvents")) => {
                let agent = call.user_agent.as_deref().unwrap_or_default();
                on(&|target| self.log_group.as_deref() == Some(target)) && agent.starts_with(LAMBDA_WORKER)
            }
            // The last two come only where a trail is set to record data events. Lambda takes the messages in our name.
            (Some("sqs.amazonaws.com"), Some("ReceiveMessage" | "DeleteMessage")) => {
                (on_queue() && (self.is_our_client(call) || is_lambda(call)))
                    || (on_spokes_queue() && self.is_our_client(call))
            }
            (Some("sqs.amazonaws.com"), Some("SendMessage" | "SendMessageBatch")) => {
                on_queue() && self.is_our_client(call)
            }
            (
                Some("dynamodb.amazonaws.com"),
                Some("BatchGetItem" | "GetItem" | "PutItem" | "Query" | "TransactWriteItems" | "UpdateItem"),
            ) => {
                on(&|target| self.table.as_ref().is_some_and(|table| is_table(target, table)))
                    && self.is_our_client(call)
            }
            _ => false,
        }
    }

    /// Whether the call looks as ours do: made by our own client or the SDK that we use, and from where we are, if that is known. Who makes it
    /// chooses its user agent; but who does not know that, is seen.
    fn is_our_client(&self, call: &ApiCall) -> bool {
        let agent = call.user_agent.as_deref().unwrap_or_default();
        let address = || call.source_ip.as_deref().and_then(|source| source.parse::<IpAddr>().ok());
        (agent.starts_with(OUR_AGENT) || (agent.starts_with(OUR_SDK) && agent.contains(OUR_LANGUAGE)))
            && (self.addresses.is_empty()
                || address().is_some_and(|address| {
                    self.addresses.iter().any(|network| network.contains(&address.to_canonical()))
                }))
    }

    /// Whether a key's service was asked for what belongs to our secret or to one of our topics. The key itself may be AWS's
    /// own, whose ARN nobody tells us.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-encryption-context>,
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>
    fn encrypts_ours(&self, call: &ApiCall) -> bool {
        let request = call.request.as_deref().and_then(|request| Node::parse(request).ok());
        let context = request.as_ref().and_then(|request| request.get("encryptionContext"));
        let of = |key: &str| context.and_then(|context| context.get(key)).and_then(Node::as_str);
        of("SecretARN").is_some_and(|arn| self.secret_arn.as_deref() == Some(arn))
            || of("aws:sns:topicArn").is_some_and(|arn| self.topic_arns.iter().any(|topic| topic == arn))
    }
}

/// Whether AWS refused the call for want of a right.
fn is_denied(call: &ApiCall) -> bool {
    let refused = ["Denied", "Unauthorized", "NotAuthorized", "AuthorizationError"];
    call.error.as_deref().is_some_and(|error| refused.iter().any(|word| error.contains(word)))
}

/// Whether Lambda itself made the call in our name.
fn is_lambda(call: &ApiCall) -> bool {
    let is = |text: &Option<String>| text.as_deref() == Some("lambda.amazonaws.com");
    is(&call.source_ip) || is(&call.user_agent)
}

/// Whether a target is the key of this ARN: the ARN itself, or its id.
fn is_key(target: &str, arn: &str) -> bool {
    target == arn || arn.rsplit_once(":key/").is_some_and(|(_, id)| id == target)
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

    const AGENT: &str =
        "aws-sdk-rust/1.3.14 ua/2.1 api/sns/1.99.0 os/linux lang/rust/1.95.0 exec-env/AWS_Lambda_provided.al2023";

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

    fn own() -> OwnCalls {
        OwnCalls {
            role_arn: Some("arn:aws:iam::123456789012:role/offlimits".to_owned()),
            function_name: Some("f".to_owned()),
            topic_arns: vec!["arn:aws:sns:us-east-1:123456789012:ours".to_owned()],
            secret_arn: Some("arn:aws:secretsmanager:us-east-1:123456789012:secret:ours-AbCdEf".to_owned()),
            key_arns: vec!["arn:aws:kms:us-east-1:123456789012:key/1234abcd".to_owned()],
            log_group: Some("/aws/lambda/ours".to_owned()),
            ..OwnCalls::default()
        }
    }

    fn call(service: &str, event: &str, target: &str) -> ApiCall {
        ApiCall {
            arn: Some("arn:aws:sts::123456789012:assumed-role/offlimits/f".to_owned()),
            service: Some(format!("{service}.amazonaws.com")),
            event: Some(event.to_owned()),
            targets: vec![target.to_owned()],
            user_agent: Some(AGENT.to_owned()),
            source_ip: Some("203.0.113.9".to_owned()),
            ..ApiCall::default()
        }
    }

    #[test]
    fn who_stole_the_session_is_not_taken_for_us() {
        let own = own();
        let secret = own.secret_arn.clone().unwrap();
        let reading = call("secretsmanager", "GetSecretValue", &secret);
        assert!(own.contains(&reading));
        assert!(own.contains(&ApiCall { user_agent: Some("offlimits/0.2.0".to_owned()), ..reading.clone() }));
        for agent in ["aws-cli/2.32.3 md/kali", "Boto3/1.40", "aws-sdk-rust/1.3.14", ""] {
            assert!(!own.contains(&ApiCall { user_agent: Some(agent.to_owned()), ..reading.clone() }), "{agent}");
        }
        for error in ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "AuthorizationError"] {
            assert!(!own.contains(&ApiCall { error: Some(error.to_owned()), ..reading.clone() }), "{error}");
        }
        assert!(own.contains(&ApiCall { error: Some("ThrottlingException".to_owned()), ..reading.clone() }));
        let another = Some("arn:aws:sts::123456789012:assumed-role/offlimits/eve".to_owned());
        assert!(!own.contains(&ApiCall { arn: another.clone(), ..reading.clone() }));
        assert!(own.is_by_our_role(&ApiCall { arn: another, ..reading.clone() }));
        let role = Some("arn:aws:sts::123456789012:assumed-role/offlimits2/f".to_owned());
        assert!(!own.is_by_our_role(&ApiCall { arn: role, ..reading }));
    }

    #[test]
    fn where_our_addresses_are_known_no_other_is_ours() {
        let own = OwnCalls { addresses: vec!["198.51.100.0/24".parse().unwrap()], ..own() };
        let publish = call("sns", "Publish", "arn:aws:sns:us-east-1:123456789012:ours");
        for (address, is_ours) in
            [("198.51.100.7", true), ("::ffff:198.51.100.7", true), ("203.0.113.9", false), ("AWS Internal", false)]
        {
            let publish = ApiCall { source_ip: Some(address.to_owned()), ..publish.clone() };
            assert_eq!(own.contains(&publish), is_ours, "{address}");
        }
    }

    #[test]
    fn the_log_and_the_keys_are_ours_alone() {
        let own = own();
        let worker = |target: &str| ApiCall {
            user_agent: Some("awslambda-worker/1.0 rusoto/0.48.0 rust/1.87.0 linux".to_owned()),
            ..call("logs", "CreateLogStream", target)
        };
        assert!(own.contains(&worker("/aws/lambda/ours")));
        assert!(!own.contains(&worker("/aws/lambda/theirs")));
        assert!(!own.contains(&call("logs", "CreateLogStream", "/aws/lambda/ours")));
        let decrypt = |target: &str, source: &str, context: &str| ApiCall {
            source_ip: Some(source.to_owned()),
            user_agent: Some(source.to_owned()),
            request: Some(format!("{{\"encryptionContext\":{context}}}")),
            ..call("kms", "Decrypt", target)
        };
        let (key, theirs) = ("arn:aws:kms:us-east-1:123456789012:key/1234abcd", "arn:aws:kms:us-east-1:1:key/5678");
        let ours = r#"{"SecretARN":"arn:aws:secretsmanager:us-east-1:123456789012:secret:ours-AbCdEf"}"#;
        let other = r#"{"SecretARN":"arn:aws:secretsmanager:us-east-1:123456789012:secret:other-AbCdEf"}"#;
        let topic = r#"{"aws:sns:topicArn":"arn:aws:sns:us-east-1:123456789012:ours"}"#;
        assert!(own.contains(&decrypt(key, "sns.amazonaws.com", "{}")));
        assert!(own.contains(&decrypt("1234abcd", "sqs.amazonaws.com", "{}")));
        assert!(own.contains(&decrypt(theirs, "secretsmanager.amazonaws.com", ours)));
        assert!(own.contains(&decrypt(theirs, "sns.amazonaws.com", topic)));
        assert!(!own.contains(&decrypt(theirs, "secretsmanager.amazonaws.com", other)));
        assert!(!own.contains(&decrypt(key, "203.0.113.9", "{}")));
    }
}
