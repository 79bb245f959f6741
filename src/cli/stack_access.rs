//! AWS, as whoever runs the tool asks it: with the credentials and the region of the environment, or the region that was named.

use crate::aws::{AwsApi, FunctionSettings, StackReader};
use crate::scan::s3;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The way to the stacks of one region.
pub(super) struct StackAccess {
    pub(super) reader: StackReader,
    pub(super) api: AwsApi,
    pub(super) region: String,
}

impl StackAccess {
    /// Finds the region, the addresses and the credentials; asks nobody yet.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub(super) fn open(region: Option<&String>) -> Result<Self, String> {
        Self::open_or(region, "name the stack's with --region, or set AWS_REGION")
    }

    /// The same in the environment's region, for a command whose `--region` chooses log files.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub(super) fn open_here() -> Result<Self, String> {
        Self::open_or(None, "set AWS_REGION to that of the stack")
    }

    fn open_or(region: Option<&String>, remedy: &str) -> Result<Self, String> {
        let mut settings = FunctionSettings::from_env();
        let Some(region) = region.cloned().or(settings.access.region) else {
            return Err(format!("no region: {remedy}"));
        };
        settings.access.region = Some(region.clone());
        add_credentials(&mut settings)?;
        let api = AwsApi::new(settings);
        Ok(Self { reader: StackReader::new(api.clone()), api, region })
    }

    /// These outputs of a stack, in this order.
    ///
    /// # Errors
    /// The stack is not told of, or does not have one of them.
    pub(super) async fn outputs<const N: usize>(&self, stack: &str, names: [&str; N]) -> Result<[String; N], String> {
        let outputs = self.reader.outputs(stack).await;
        let outputs = outputs.map_err(|error| format!("the stack {stack} in {}: {error}", self.region))?;
        match names.iter().find(|name| !outputs.contains_key(**name)) {
            None => Ok(names.map(|name| outputs.get(name).cloned().unwrap_or_default())),
            Some(name) => Err(format!("the stack {stack} in {} has no output {name}", self.region)),
        }
    }
}

/// Gives the settings the credentials of whoever runs the tool.
///
/// # Errors
/// There are none, and where they are looked for.
pub(super) fn add_credentials(settings: &mut FunctionSettings) -> Result<(), String> {
    add(settings, &s3::credentials()?);
    Ok(())
}

/// The same of a profile of the AWS command line.
///
/// # Errors
/// There are none, and where they are looked for.
pub(super) fn add_credentials_of_profile(settings: &mut FunctionSettings, profile: &str) -> Result<(), String> {
    add(settings, &s3::credentials_of_profile(profile)?);
    Ok(())
}

fn add(settings: &mut FunctionSettings, credentials: &s3::Credentials) {
    settings.access.key = Some((credentials.key().to_owned(), Secret::new(credentials.secret())));
    settings.access.session_token = credentials.token().map(Secret::new);
}

/// The time of day.
pub(super) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the command line's own; the function never comes here")]
    let now = std::time::SystemTime::now();
    now.into()
}
