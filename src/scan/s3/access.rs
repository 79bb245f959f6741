//! Where S3 is, and as whom it is read.
//!
//! Credentials are those of the environment; else the AWS command line is asked, which knows profiles, single sign-on, roles
//! and instances, and keeps knowing them when AWS adds a way.

use std::env;
use std::process::{Command, Stdio};

use rusty_s3::Credentials;
use serde::Deserialize;

/// The region and address of S3, and the credentials with which it is read. `Debug` shows no credential: `Credentials`' own hides the secret.
#[derive(Debug, Clone)]
pub(super) struct S3Access {
    pub(super) credentials: Credentials,
    pub(super) region: String,
    /// Not S3's own address: `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`.
    pub(super) endpoint: Option<String>,
}

/// What `aws configure export-credentials --format process` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl S3Access {
    /// Finds the region, the address and the credentials, in the environment or by the AWS command line.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub(super) fn find() -> Result<Self, String> {
        #[expect(clippy::disallowed_methods, reason = "the command line's own; the function never comes here")]
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
        Ok(Self { credentials: credentials()?, region: region.unwrap_or_else(|| "us-east-1".to_owned()), endpoint })
    }
}

/// The credentials of the environment, or those that the AWS command line has now.
///
/// # Errors
/// What is missing, and the remedy.
pub(crate) fn credentials() -> Result<Credentials, String> {
    // A profile that is named on purpose comes before keys that may have been left over.
    if env::var_os("AWS_PROFILE").is_none()
        && let Some(found) = Credentials::from_env()
    {
        return Ok(found);
    }
    exported(&[])
}

/// The credentials that the AWS command line has of a profile.
///
/// # Errors
/// What is missing, and the remedy.
#[cfg(feature = "aws")]
pub(crate) fn credentials_of_profile(profile: &str) -> Result<Credentials, String> {
    exported(&["--profile", profile])
}

/// The credentials that the AWS command line has now.
fn exported(options: &[&str]) -> Result<Credentials, String> {
    const REMEDY: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or install the AWS command \
                          line, version 2, and sign in";
    let output = Command::new("aws")
        .args(["configure", "export-credentials", "--format", "process"])
        .args(options)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            format!("no credentials: there are none in the environment, and aws cannot be run ({error}): {REMEDY}")
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("no credentials: aws configure export-credentials says: {}: {REMEDY}", said.trim()));
    }
    let exported: Exported = serde_json::from_slice(&output.stdout)
        // serde's message may quote what it read.
        .map_err(|_| format!("no credentials: aws configure export-credentials printed something else: {REMEDY}"))?;
    Ok(match exported.session_token {
        Some(token) => Credentials::new_with_token(exported.access_key_id, exported.secret_access_key, token),
        None => Credentials::new(exported.access_key_id, exported.secret_access_key),
    })
}
