//! The environment, read once at the start.

use std::path::PathBuf;

/// What the deployment tells the function. `template.yaml` sets these.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `OFFLIMITS_RULES`: default `rules.json` beside the binary.
    pub rules: PathBuf,
    /// `OFFLIMITS_TOPIC_ARN`: the topic of `sns` channels that name none.
    pub topic_arn: Option<String>,
    /// `OFFLIMITS_SECRET_ARN`: the channels' credentials.
    pub secret_arn: Option<String>,
    /// `OFFLIMITS_ROLE_ARN`: the function's own role.
    pub role_arn: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function_name: Option<String>,
    /// `SSL_CERT_FILE`: further roots to trust.
    pub ca_file: Option<String>,
}

impl Settings {
    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the place")]
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let beside_the_binary =
            || variable("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default().join("rules.json");
        let rules = variable("OFFLIMITS_RULES").map_or_else(beside_the_binary, PathBuf::from);
        Self {
            rules,
            topic_arn: variable("OFFLIMITS_TOPIC_ARN"),
            secret_arn: variable("OFFLIMITS_SECRET_ARN"),
            role_arn: variable("OFFLIMITS_ROLE_ARN"),
            function_name: variable("AWS_LAMBDA_FUNCTION_NAME"),
            ca_file: variable("SSL_CERT_FILE"),
        }
    }
}
