//! Whether this process is the one that `sam local` runs on somebody's laptop, where nothing must be sent, or a deployed function,
//! which must deliver whatever its environment says.
//!
//! SAM says so itself, with `AWS_SAM_LOCAL=true` (`samcli/local/lambdafn/env_vars.py`). Whoever may configure a function may set
//! that variable, and would have silenced the monitor with it. So two more things must agree that nobody can set on a deployed
//! function:
//!
//! - `AWS_LAMBDA_LOG_STREAM_NAME` is `$LATEST`, as SAM sets it. The name is reserved in Lambda, whose own log streams begin with a
//!   date: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
//! - The function's ARN, which comes with each event over the runtime's interface and not from the environment, has the account
//!   `012345678912`. The Runtime Interface Emulator writes it into its binary, and Lambda gives the function's own account.
//!
//! Where they do not all agree, the function counts as deployed.

use super::settings::SamLocalMarks;

/// The account of every function under the Runtime Interface Emulator.
const EMULATORS_ACCOUNT: &str = "012345678912";
/// The log stream that SAM names.
const LOCAL_LOG_STREAM: &str = "$LATEST";

/// Where the function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    /// In Lambda, or wherever nothing says that it is a laptop.
    Deployed,
    /// `AWS_SAM_LOCAL` is set, and the rest says that the function is deployed: somebody may want to silence it.
    DeployedAsLocal,
    /// Under `sam local`.
    Laptop,
}

/// Where the function runs, by its environment and the ARN by which an event has called it.
pub(super) fn host(marks: &SamLocalMarks, function_arn: &str) -> Host {
    if !marks.claimed {
        return Host::Deployed;
    }
    let is_emulated = account(function_arn) == Some(EMULATORS_ACCOUNT);
    let is_local_log = marks.log_stream.as_deref() == Some(LOCAL_LOG_STREAM);
    if is_emulated && is_local_log { Host::Laptop } else { Host::DeployedAsLocal }
}

/// The account in a function's ARN, `arn:aws:lambda:REGION:ACCOUNT:function:NAME`.
fn account(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    (parts.next() == Some("arn")).then(|| parts.nth(3)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL_ARN: &str = "arn:aws:lambda:us-east-1:012345678912:function:Function";
    const DEPLOYED_ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:offlimits-Function-Ab1";
    const DEPLOYED_STREAM: &str = "2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef";

    fn at(claimed: bool, log_stream: Option<&str>, arn: &str) -> Host {
        host(&SamLocalMarks { claimed, log_stream: log_stream.map(str::to_owned) }, arn)
    }

    #[test]
    fn only_where_everything_agrees_is_it_a_laptop() {
        assert_eq!(at(true, Some("$LATEST"), LOCAL_ARN), Host::Laptop);
        for (stream, arn) in [
            (Some(DEPLOYED_STREAM), DEPLOYED_ARN),
            (Some("$LATEST"), DEPLOYED_ARN),
            (Some(DEPLOYED_STREAM), LOCAL_ARN),
            (None, LOCAL_ARN),
            (None, DEPLOYED_ARN),
            (Some("$LATEST"), ""),
            (Some("$LATEST"), "arn:aws:lambda"),
            (Some("$LATEST"), "012345678912"),
            (Some("$LATEST"), "arn:aws:lambda:us-east-1:123456789012:function:012345678912"),
        ] {
            assert_eq!(at(true, stream, arn), Host::DeployedAsLocal, "{stream:?} {arn}");
        }
    }

    #[test]
    fn without_sams_own_word_it_is_deployed() {
        for stream in [Some("$LATEST"), Some(DEPLOYED_STREAM), None] {
            for arn in [LOCAL_ARN, DEPLOYED_ARN, ""] {
                assert_eq!(at(false, stream, arn), Host::Deployed);
            }
        }
    }
}
