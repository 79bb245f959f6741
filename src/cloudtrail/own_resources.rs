//! The function's own resources, and whether a call names one of them: the field `own_resource`.
//!
//! Some of them the deployment lists: each has its ARN, its URL or its name in the function's environment. Those that the
//! template cannot list without a circle (the event rule, the event source mapping, the alarms, the subscriptions) are known by
//! the stack's name, with which `CloudFormation` begins the names that it makes
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>), and by the function's
//! ARN in the answer, since the event source mapping's calls name nothing but a UUID.
//!
//! A hub hears of other accounts too. What is called there as its stack is, is not its own; what is called as its spokes are
//! ([`Spokes`]) is, in every account.

use std::borrow::Cow;
use std::sync::Arc;

use super::alias_source::AliasSource;
use super::spokes::Spokes;

/// The name of the stack where nobody says another.
pub const DEFAULT_STACK: &str = "offlimits";

/// Characters of the longest names that AWS makes of longer ones by cutting the stack's: of roles, functions and event rules.
const CUT_NAME: usize = 64;
/// Characters of the stack's name that are left in such a name at least, when its other parts are at their longest.
const LEFT_OF_STACK: usize = 24;

/// What belongs to the function. Clones share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnResources(Arc<Known>, Spokes);

#[derive(Debug, PartialEq, Eq)]
struct Known {
    stack: String,
    /// The account, if it is known: an ARN of another one names nothing of ours.
    account: Option<String>,
    listed: Vec<Listed>,
}

/// A resource that the deployment lists.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    /// The service, as `eventSource` begins: `sns`.
    service: String,
    /// Its name, or the end of its ARN: `alerts`, `prod/db-AbCdEf`, `aws/lambda/f`.
    name: String,
}

impl Default for OwnResources {
    fn default() -> Self {
        Self::new(DEFAULT_STACK, [])
    }
}

impl OwnResources {
    /// Those of a stack, and those listed: ARNs, URLs of queues, and names as `service:name`. The account is that of the first
    /// ARN which has one.
    pub fn new<'l>(stack: &str, listed: impl IntoIterator<Item = &'l str>) -> Self {
        let mut account = None;
        let listed = listed.into_iter().filter_map(|text| {
            let arn = Arn::parse(text);
            if account.is_none() {
                account = arn.as_ref().map(|arn| arn.account.to_owned()).filter(|account| !account.is_empty());
            }
            let (service, name) = match arn {
                Some(arn) => (arn.service, arn.name()),
                None if text.contains("://") => ("sqs", text.rsplit('/').next().unwrap_or_default()),
                None => text.split_once(':')?,
            };
            let name = name.trim_matches('/');
            (!name.is_empty()).then(|| Listed { service: service.to_owned(), name: name.to_owned() })
        });
        let mut listed: Vec<Listed> = listed.collect();
        // Secrets Manager ends an ARN in a hyphen and six characters more than the secret's name has.
        let secrets = listed.iter().filter(|one| one.service == "secretsmanager");
        let names = secrets.filter_map(|one| {
            let (name, _) = one.name.rsplit_once('-').filter(|(_, end)| end.len() == 6)?;
            Some(Listed { service: one.service.clone(), name: name.to_owned() })
        });
        let names: Vec<Listed> = names.collect();
        listed.extend(names);
        Self(Arc::new(Known { stack: stack.to_owned(), account, listed }), Spokes::default())
    }

    /// And those of a hub's spokes.
    #[must_use]
    pub fn with_spokes(self, spokes: Spokes) -> Self {
        Self(self.0, spokes)
    }

    /// The first of our resources that the call names, as it names it.
    pub(crate) fn named_in<'s>(&self, source: &'s impl AliasSource) -> Option<Cow<'s, str>> {
        let service = source.text(&["eventSource"]).and_then(|source| source.split('.').next()).unwrap_or_default();
        // A name alone is of the account that recorded the call.
        let recorded_in = RECORDED_IN_PATHS.iter().find_map(|path| source.non_empty(path));
        OWN_RESOURCE_PATHS
            .iter()
            .find_map(|path| source.first_that(path, &|text| self.owns(service, text, recorded_in)))
    }

    /// Whether what a call of this service names is ours. Where the text does not say its account, it is the one that recorded the
    /// call, as far as that is known.
    fn owns(&self, service: &str, text: &str, recorded_in: Option<&str>) -> bool {
        let (Known { stack, account, listed }, spokes) = (&*self.0, &self.1);
        let (name, owner) = match Arn::parse(text) {
            Some(arn) => (arn.resource, Some(arn.account)),
            None => match text.split_once("://") {
                // The URL of a queue: https://sqs.eu-west-1.amazonaws.com/123456789012/name.
                Some((_, rest)) => (rest, rest.split('/').nth(1)),
                None => (text, None),
            },
        };
        if name.split([':', '/']).any(|part| spokes.own(part))
            || (service == "cloudformation" && spokes.is_stack_set(name.rsplit('/').next().unwrap_or(name)))
        {
            return true;
        }
        let owner = owner.filter(|owner| !owner.is_empty()).or(recorded_in);
        if account.as_deref().zip(owner).is_some_and(|(own, owner)| own != owner) {
            return false;
        }
        name.split([':', '/']).any(|part| is_of_stack(part, stack))
            || listed
                .iter()
                // Cloud Control names the resources of every service.
                .filter(|one| one.service == service || service == "cloudcontrolapi")
                .any(|one| has_part(name, &one.name))
    }
}

/// Whether a name is the stack's, or one that `CloudFormation` has made with it. (IAM's names are the same in letters of either
/// case.)
fn is_of_stack(name: &str, stack: &str) -> bool {
    let (name, stack) = (name.as_bytes(), stack.as_bytes());
    if stack.is_empty() {
        return false;
    }
    let common = name.iter().zip(stack).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count();
    let ends_there = matches!(name.get(common), None | Some(b'-'));
    ends_there && (common == stack.len() || (common >= LEFT_OF_STACK && name.len() == CUT_NAME))
}

/// Whether `text` has `name` between two of its separators.
fn has_part(text: &str, name: &str) -> bool {
    let (text, name) = (text.as_bytes(), name.as_bytes());
    let is_separator = |byte: Option<&u8>| matches!(byte, None | Some(b':' | b'/'));
    let starts = std::iter::once(0).chain((1..text.len()).filter(|at| is_separator(text.get(at - 1))));
    starts.into_iter().any(|start| {
        text.get(start..start + name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name))
            && is_separator(text.get(start + name.len()))
    })
}

/// The parts of an ARN that matter here.
struct Arn<'t> {
    service: &'t str,
    account: &'t str,
    /// All that follows the account: `function:f`, `role/path/r`, `topic`.
    resource: &'t str,
}

impl<'t> Arn<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        let (_, service, _) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { service, account: parts.next()?, resource: parts.next()? })
    }

    /// The resource without its type, and without what only qualifies it: the `:*` of a log group.
    fn name(&self) -> &'t str {
        let name = self.resource.strip_suffix(":*").unwrap_or(self.resource);
        match self.service {
            "sns" | "sqs" => name,
            // The path of a role is no part of its name.
            "iam" => name.rsplit('/').next().unwrap_or(name),
            _ => name.split_once([':', '/']).map_or(name, |(_, name)| name),
        }
    }
}

/// Where a record says which account recorded it, or else who called.
pub(crate) const RECORDED_IN_PATHS: [&[&str]; 2] = [&["recipientAccountId"], &["userIdentity", "accountId"]];

/// Where the calls that change such resources name them. What a path leads to is looked at with its service: a topic of this name
/// is no queue.
pub(crate) const OWN_RESOURCE_PATHS: [&[&str]; 28] = [
    &["requestParameters", "functionName"],
    &["requestParameters", "resource"],
    &["requestParameters", "roleName"],
    &["requestParameters", "name"],
    &["requestParameters", "rule"],
    &["requestParameters", "eventBusName"],
    &["requestParameters", "topicArn"],
    &["requestParameters", "subscriptionArn"],
    &["requestParameters", "resourceArn"],
    &["requestParameters", "resourceARN"],
    &["requestParameters", "secretId"],
    &["requestParameters", "queueUrl"],
    &["requestParameters", "tableName"],
    &["requestParameters", "alarmName"],
    &["requestParameters", "alarmNames"],
    &["requestParameters", "muteTargets", "alarmNames"],
    &["requestParameters", "logGroupName"],
    &["requestParameters", "logGroupIdentifier"],
    &["requestParameters", "keyId"],
    &["requestParameters", "targetKeyId"],
    &["requestParameters", "eventSourceArn"],
    &["requestParameters", "stackName"],
    &["requestParameters", "stackSetName"],
    &["requestParameters", "changeSetName"],
    &["requestParameters", "identifier"],
    &["responseElements", "functionArn"],
    &["responseElements", "eventSourceArn"],
    &["responseElements", "stackId"],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> OwnResources {
        OwnResources::new(
            "sec-b",
            [
                "arn:aws:iam::123456789012:role/sec/watcher-role",
                "lambda:watcher",
                "arn:aws:sns:eu-west-1:123456789012:alerts",
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/hook-AbCdEf",
                "https://sqs.eu-west-1.amazonaws.com/123456789012/waiting",
                "dynamodb:ledger",
                "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "logs:/aws/lambda/watcher",
            ],
        )
        .with_spokes(Spokes::of_stack_set("all"))
    }

    #[test]
    fn a_hub_knows_its_spokes_in_every_account_and_its_own_stack_in_its_own() {
        let spoke = Some("222222222222");
        for (service, text) in [
            ("events", "StackSet-all-6a3e-Trail-1A2B"),
            ("iam", "stackset-all-6a3e-role-1A2B"),
            ("iam", "arn:aws:iam::222222222222:role/StackSet-all-6a3e-Role-1A2B"),
            ("sqs", "https://sqs.eu-west-1.amazonaws.com/222222222222/StackSet-all-6a3e-Letters-1A2B"),
            ("cloudformation", "arn:aws:cloudformation:eu-west-1:222222222222:stack/StackSet-all-6a3e/0a1b"),
            ("cloudformation", "all"),
            ("cloudformation", "all:6a3e"),
            ("cloudformation", "arn:aws:cloudformation:eu-west-1:333333333333:stackset/all:6a3e"),
            ("events", "arn:aws:events:eu-west-1:123456789012:event-bus/sec-b"),
        ] {
            assert!(own().owns(service, text, spoke), "{service} {text}");
        }
        for (service, text) in [
            // What another account calls so is its own affair.
            ("events", "sec-b-FunctionTrail-1A2B"),
            ("lambda", "watcher"),
            ("sqs", "https://sqs.eu-west-1.amazonaws.com/222222222222/sec-b-Redelivery-1"),
            ("events", "StackSet-all2-6a3e-Trail-1A2B"),
            ("cloudformation", "all2"),
            ("events", "all"),
        ] {
            assert!(!own().owns(service, text, spoke), "{service} {text}");
        }
        assert!(own().owns("events", "sec-b-FunctionTrail-1A2B", Some("123456789012")));
        // Whoever calls across accounts names the account.
        assert!(own().owns("sqs", "https://sqs.eu-west-1.amazonaws.com/123456789012/sec-b-Redelivery-1", spoke));
    }

    #[test]
    fn what_is_listed_is_ours_and_what_the_stack_has_named() {
        for (service, text) in [
            ("lambda", "watcher"),
            ("lambda", "arn:aws:lambda:eu-west-1:123456789012:function:watcher:live"),
            ("iam", "Watcher-Role"),
            ("sns", "arn:aws:sns:eu-west-1:123456789012:alerts"),
            ("sns", "arn:aws:sns:eu-west-1:123456789012:alerts:0a1b"),
            ("secretsmanager", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/hook-AbCdEf"),
            ("secretsmanager", "prod/hook"),
            ("sqs", "https://sqs.eu-west-1.amazonaws.com/123456789012/waiting"),
            ("sqs", "arn:aws:sqs:eu-west-1:123456789012:waiting"),
            ("dynamodb", "arn:aws:dynamodb:eu-west-1:123456789012:table/ledger"),
            ("kms", "1234abcd-12ab-34cd-56ef-1234567890ab"),
            ("kms", "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
            ("logs", "/aws/lambda/watcher"),
            ("logs", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/watcher"),
            ("cloudcontrolapi", "1234abcd-12ab-34cd-56ef-1234567890ab"),
            ("events", "sec-b-FunctionTrail-1A2B"),
            ("monitoring", "sec-b-errors"),
            ("cloudformation", "sec-b"),
            ("cloudformation", "arn:aws:cloudformation:eu-west-1:123456789012:stack/sec-b/0a1b"),
            ("logs", "/aws/lambda/sec-b"),
            ("sns", "arn:aws:sns:eu-west-1:123456789012:sec-b-Topic-1:2"),
        ] {
            assert!(own().owns(service, text, None), "{service} {text}");
        }
    }

    #[test]
    fn what_is_called_alike_elsewhere_is_not() {
        for (service, text) in [
            ("sqs", "arn:aws:sqs:eu-west-1:123456789012:alerts"),
            ("logs", "/app/alerts"),
            ("sns", "arn:aws:sns:eu-west-1:999999999999:alerts"),
            ("sns", "arn:aws:sns:eu-west-1:123456789012:alerts2"),
            ("events", "sec-bb-FunctionTrail-1A2B"),
            ("events", "sec"),
            ("events", "offlimits-FunctionTrail-1A2B"),
            ("lambda", "watcher2"),
            ("kms", "1234abcd"),
            ("lambda", ""),
            ("lambda", "arn:"),
        ] {
            assert!(!own().owns(service, text, None), "{service} {text}");
        }
    }

    #[test]
    fn a_long_stacks_name_is_cut_in_the_names_made_with_it() {
        let stack = "a-company-with-a-long-name-security-monitoring-production";
        let own = OwnResources::new(stack, []);
        let cut = format!("{}-FunctionTrail-1A2B3C4D5E6F", &stack[..37]);
        assert_eq!(cut.len(), CUT_NAME);
        assert!(own.owns("events", &cut, None));
        assert!(!own.owns("events", &cut[..63], None));
        assert!(!own.owns("events", &format!("{}x{}", &cut[..20], &cut[21..]), None));
    }
}
