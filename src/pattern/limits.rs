//! What EventBridge and CloudFormation allow. Sources: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html> and
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.

/// The most characters of a pattern: EventBridge's default quota, which nobody has to ask to be raised.
pub const MAX_CHARACTERS: usize = 2_048;

/// The most wildcards of one EventBridge rule. AWS gives no number and refuses a rule that is "too complex": one with eight has
/// been refused, and one with six taken.
pub const MAX_WILDCARDS: usize = 6;

/// The most wildcards that rows of every service share. The others are left to rows of one service.
pub(super) const MAX_SHARED_WILDCARDS: usize = 3;

/// The most alternatives of one pattern: `$or` may come to 1,000 combinations.
pub(super) const MAX_ALTERNATIVES: usize = 500;

/// The most texts of one field of an alternative. A pattern of more is widened.
pub(super) const MAX_TEXTS: usize = 400;

/// The most EventBridge rules of the calls that are delivered to every rule. With those of read-only calls they must fit into a
/// spoke's template (51,200 bytes in a `StackSet`), and beside others on a bus, which takes 100 in the smallest regions, 30 of
/// them with wildcards.
pub(super) const MAX_RULES: usize = 12;

/// The most EventBridge rules of read-only calls.
pub(super) const MAX_READ_RULES: usize = 5;

/// The most characters of what is asked of one busy service, where many are asked about: beyond them names are taken together by how
/// they begin.
pub(super) const MAX_OF_A_SERVICE: usize = 900;

/// The services that make most of the events of an account that is at work, by how their `eventSource` begins. Where the limits do not
/// allow to ask every service for its calls by name, these are asked, and all calls of the others pass: they make few. It decides
/// what is paid, and never what is heard.
pub(super) const BUSY: [&str; 27] = [
    "athena.",
    "autoscaling.",
    "bedrock.",
    "cloudformation.",
    "codebuild.",
    "config.",
    "dynamodb.",
    "ec2.",
    "ec2messages.",
    "ecr.",
    "ecs.",
    "elasticloadbalancing.",
    "events.",
    "firehose.",
    "glue.",
    "kinesis.",
    "kms.",
    "lambda.",
    "logs.",
    "monitoring.",
    "s3.",
    "secretsmanager.",
    "sns.",
    "sqs.",
    "ssm.",
    "ssmmessages.",
    "sts.",
];
