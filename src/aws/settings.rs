//! The environment, read once at the start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// What the deployment tells the function. `template.yaml` sets these.
#[derive(Debug, Clone, Default)]
pub struct FunctionSettings {
    /// `OFFLIMITS_RULES`: default `rules.json` beside the binary.
    pub rules: PathBuf,
    /// `OFFLIMITS_TOPIC_ARN`: the topic of `sns` channels that name none.
    pub topic_arn: Option<String>,
    /// `OFFLIMITS_SECRET_ARN`: the secret that holds the channels' credentials.
    pub secret_arn: Option<String>,
    /// `OFFLIMITS_TABLE`: the name of the ledger's table in DynamoDB. Without it the ledger is in memory, and each copy of the
    /// function has its own.
    pub table: Option<String>,
    /// `OFFLIMITS_REDELIVERY_URL`: the redelivery queue's URL in SQS.
    pub redelivery_url: Option<String>,
    /// `OFFLIMITS_DEAD_LETTERS_URL`: the dead-letter queue's URL in SQS.
    pub dead_letters_url: Option<String>,
    /// `OFFLIMITS_ROLE_ARN`: the ARN of the function's own role, by which it knows its own calls.
    pub role_arn: Option<String>,
    /// `OFFLIMITS_STACK`: the name of the function's stack, with which the names of its resources begin.
    pub stack: Option<String>,
    /// `OFFLIMITS_STACK_SET`: the name of the `StackSet` of a hub's spokes. Only a hub has one.
    pub stack_set: Option<String>,
    /// `OFFLIMITS_PROBE_QUEUE`: the ARN of the queue whose tags our own probe writes; none where it is switched off.
    pub probe_queue: Option<String>,
    /// `OFFLIMITS_WATCHED_REGIONS`: of a hub, the regions, with commas between them, in which every account should be heard.
    pub watched_regions: Vec<String>,
    /// `OFFLIMITS_EVENT_RULES`: how the EventBridge rules were deployed (`DeployedRules::parse`).
    pub event_rules: Option<String>,
    /// `OFFLIMITS_SILENCE_MINUTES`: after how many minutes without a record an alarm rings; zero where none does. A template of before
    /// 2026-11-30 does not say.
    pub silence: Option<Duration>,
    /// `OFFLIMITS_OWN_ARNS`: the ARNs, with commas between them, of what belongs to the function and is told nowhere else.
    pub own_arns: Vec<String>,
    /// `OFFLIMITS_OWN_ADDRESSES`: the networks, with commas between them, from which the function calls AWS. Empty where they
    /// are not known.
    pub own_addresses: Vec<String>,
    /// `AWS_LAMBDA_LOG_GROUP_NAME`: the log group that Lambda writes the function's log to.
    pub log_group: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_NAME`: the metrics' dimension, and the name of the role's session.
    pub function_name: Option<String>,
    /// `OFFLIMITS_PRIVATE_ENDPOINTS=true`: channels may send to this machine and into private networks. Otherwise a URL in the
    /// secret could reach what only the function can, such as Lambda's own interface to it.
    pub private_endpoints: bool,
    /// `SSL_CERT_FILE`: a PEM file of further roots to trust.
    pub ca_file: Option<String>,
    /// What says that `sam local` runs this.
    pub sam_local: SamLocalMarks,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Where AWS is, and as whom we call it.
    pub access: AwsAccess,
}

/// What says that `sam local` runs this. It takes more than these to believe it: whoever may configure a deployed function may
/// set the first.
#[derive(Debug, Clone, Default)]
pub struct SamLocalMarks {
    /// `AWS_SAM_LOCAL=true`.
    pub claimed: bool,
    /// `AWS_LAMBDA_LOG_STREAM_NAME`: the log stream that Lambda, or its emulator, writes to.
    pub log_stream: Option<String>,
}

/// What is logged, and how.
#[derive(Debug, Clone, Default)]
pub struct LogSettings {
    /// `OFFLIMITS_LOG_LEVEL`: the least severe of our lines that is logged.
    pub level: Option<String>,
    /// `AWS_LAMBDA_LOG_LEVEL`: from which level on Lambda hands lines on.
    pub lambda_level: Option<String>,
    /// `AWS_LAMBDA_LOG_FORMAT=JSON`.
    pub is_json: bool,
}

/// Where AWS is, and as whom we call it: the variables that Lambda sets, and those with which a local AWS is reached.
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>. No file and no metadata service is
/// asked: Lambda needs neither.
#[derive(Debug, Clone, Default)]
pub struct AwsAccess {
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, where both are set.
    pub key: Option<(String, Secret)>,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<Secret>,
    /// `AWS_ENDPOINT_URL`, and `AWS_ENDPOINT_URL_SNS` and the like, by their names.
    pub endpoints: BTreeMap<String, String>,
    /// `AWS_USE_FIPS_ENDPOINT=true`.
    pub fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT=true`.
    pub dual_stack: bool,
}

impl FunctionSettings {
    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        // Every variable that we read is plain ASCII. One whose name or value is not Unicode belongs to somebody else.
        Self::new(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// Reads these variables. An empty one counts as not set, since a template cannot leave one out.
    pub fn new(variables: impl Iterator<Item = (String, String)>) -> Self {
        let variables: BTreeMap<String, String> = variables.filter(|(_, value)| !value.is_empty()).collect();
        let variable = |name: &str| variables.get(name).cloned();
        let list = |name: &str| -> Vec<String> {
            let items = variables.get(name).into_iter().flat_map(|items| items.split(','));
            items.map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        let is_true = |name: &str| variables.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let beside_the_binary =
            || variable("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default().join("rules.json");
        let access = AwsAccess {
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            key: variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY").map(Secret::new)),
            session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
            endpoints: variables
                .iter()
                .filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"))
                .map(|(name, url)| (name.clone(), url.clone()))
                .collect(),
            fips: is_true("AWS_USE_FIPS_ENDPOINT"),
            dual_stack: is_true("AWS_USE_DUALSTACK_ENDPOINT"),
        };
        Self {
            rules: variable("OFFLIMITS_RULES").map_or_else(beside_the_binary, PathBuf::from),
            topic_arn: variable("OFFLIMITS_TOPIC_ARN"),
            secret_arn: variable("OFFLIMITS_SECRET_ARN"),
            table: variable("OFFLIMITS_TABLE"),
            redelivery_url: variable("OFFLIMITS_REDELIVERY_URL"),
            dead_letters_url: variable("OFFLIMITS_DEAD_LETTERS_URL"),
            role_arn: variable("OFFLIMITS_ROLE_ARN"),
            stack: variable("OFFLIMITS_STACK"),
            stack_set: variable("OFFLIMITS_STACK_SET"),
            probe_queue: variable("OFFLIMITS_PROBE_QUEUE"),
            watched_regions: list("OFFLIMITS_WATCHED_REGIONS"),
            event_rules: variable("OFFLIMITS_EVENT_RULES"),
            silence: variable("OFFLIMITS_SILENCE_MINUTES").and_then(|text| text.parse().ok().map(Duration::from_mins)),
            own_arns: list("OFFLIMITS_OWN_ARNS"),
            own_addresses: list("OFFLIMITS_OWN_ADDRESSES"),
            log_group: variable("AWS_LAMBDA_LOG_GROUP_NAME"),
            function_name: variable("AWS_LAMBDA_FUNCTION_NAME"),
            private_endpoints: is_true("OFFLIMITS_PRIVATE_ENDPOINTS"),
            ca_file: variable("SSL_CERT_FILE"),
            sam_local: SamLocalMarks {
                claimed: is_true("AWS_SAM_LOCAL"),
                log_stream: variable("AWS_LAMBDA_LOG_STREAM_NAME"),
            },
            log: LogSettings {
                level: variable("OFFLIMITS_LOG_LEVEL"),
                lambda_level: variable("AWS_LAMBDA_LOG_LEVEL"),
                is_json: variables
                    .get("AWS_LAMBDA_LOG_FORMAT")
                    .is_some_and(|format| format.eq_ignore_ascii_case("json")),
            },
            access,
        }
    }
}

impl AwsAccess {
    /// The endpoint of a service that is not at its usual place. `service` is the SDK's name for it: `SNS`, `Secrets Manager`.
    pub(super) fn endpoint(&self, service: &str) -> Option<&str> {
        let own = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase().replace(' ', "_"));
        self.endpoints.get(&own).or_else(|| self.endpoints.get("AWS_ENDPOINT_URL")).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> FunctionSettings {
        FunctionSettings::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_variables_of_lambda_are_read_and_no_key_is_printed() {
        let read = settings(&[
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "ASIA"),
            ("AWS_SECRET_ACCESS_KEY", "s3cret"),
            ("AWS_SESSION_TOKEN", "t0ken"),
            ("OFFLIMITS_TOPIC_ARN", ""),
        ]);
        assert_eq!(read.rules, PathBuf::from("/var/task/rules.json"));
        assert_eq!((read.access.region.as_deref(), read.topic_arn.as_deref()), (Some("eu-west-1"), None));
        let shown = format!("{read:?}");
        assert!(shown.contains("ASIA") && !shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
        assert!(settings(&[("AWS_ACCESS_KEY_ID", "ASIA")]).access.key.is_none());
        // A template joins parameters that may be empty.
        assert_eq!(settings(&[("OFFLIMITS_OWN_ARNS", ",arn:a, arn:b,,")]).own_arns, ["arn:a", "arn:b"]);
    }

    #[test]
    fn a_service_is_at_its_own_endpoint_or_at_that_of_all() {
        let read =
            settings(&[("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets")]);
        assert_eq!(read.access.endpoint("Secrets Manager"), Some("http://secrets"));
        assert_eq!(read.access.endpoint("SNS"), Some("http://all"));
        assert_eq!(settings(&[]).access.endpoint("SNS"), None);
    }
}
