//! Whether one of AWS's services acts, for itself or for somebody: the alias `acting_service`.

use super::alias_source::AliasSource;

/// The domains of services' DNS names: those of the partitions, as botocore's `partitions.json` has them, and the two
/// (`amazon.com`, `aws.internal`) in which some service principals stand:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services>.
const DOMAINS: [&str; 9] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazon.com",
    ".aws.internal",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// What CloudTrail writes for the name and the address of AWS's own machines. It says nothing of who acts: what a person does in
/// the console can be recorded so
/// (<https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html> has a sample), and so can what a service does
/// of itself (<https://docs.aws.amazon.com/kms/latest/developerguide/ct-rotatekey.html>).
pub(super) const AWS_INTERNAL: &str = "AWS Internal";

/// The service that acts, by its DNS name; `None` where a person or a program of an account does.
///
/// A service acts where `userIdentity.invokedBy` or the source address is a service's DNS name other than the sign-in's, where
/// `userIdentity.type` is `AWSService`, and where a service event names nobody. The sign-in (`signin.amazonaws.com`) stands for
/// people in the console.
pub(super) fn acting_service(record: &impl AliasSource) -> Option<&str> {
    let (invoked_by, address) = (record.non_empty(INVOKED_BY), record.non_empty(&["sourceIPAddress"]));
    let named = [invoked_by, address].into_iter().flatten().find(|name| is_service(name));
    if named.is_some() {
        return named;
    }
    match record.text(&["userIdentity", "type"]) {
        Some("AWSService") => {
            let named = invoked_by.filter(|name| *name != AWS_INTERNAL);
            named.or_else(|| record.non_empty(&["eventSource"])).or(Some("AWSService"))
        }
        None | Some("") => {
            let is_of_itself = record.text(&["eventType"]) == Some("AwsServiceEvent")
                && invoked_by.or(address) == Some(AWS_INTERNAL)
                && !is_console_session(record);
            is_of_itself.then(|| record.non_empty(&["eventSource"])).flatten()
        }
        _ => None,
    }
}

const INVOKED_BY: &[&str] = &["userIdentity", "invokedBy"];

/// Whether the credentials are those of a session in the console. (CloudTrail writes the word as a text, and in tools' records it
/// is a boolean.)
fn is_console_session(record: &impl AliasSource) -> bool {
    record.text(&["sessionCredentialFromConsole"]).is_some_and(|said| said.eq_ignore_ascii_case("true"))
}

/// Whether this is the DNS name of a service that is not the sign-in.
fn is_service(name: &str) -> bool {
    let Some(labels) = DOMAINS.iter().find_map(|domain| name.strip_suffix(domain)) else { return false };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !labels.is_empty() && labels.bytes().all(is_name) && labels != "signin" && !labels.ends_with(".signin")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::Record;

    fn acting(json: &str) -> Option<String> {
        acting_service(&Record::parse(json).unwrap()).map(str::to_owned)
    }

    #[test]
    fn services_act_by_themselves_and_for_somebody() {
        for (json, service) in [
            (r#"{"userIdentity":{"type":"AWSService","invokedBy":"config.amazonaws.com"}}"#, "config.amazonaws.com"),
            (r#"{"userIdentity":{"type":"AWSService"},"eventSource":"kms.amazonaws.com"}"#, "kms.amazonaws.com"),
            (
                r#"{"userIdentity":{"type":"AWSService","invokedBy":"AWS Internal"},"eventSource":"kms.amazonaws.com"}"#,
                "kms.amazonaws.com",
            ),
            (r#"{"userIdentity":{"type":"AWSService"}}"#, "AWSService"),
            (
                r#"{"userIdentity":{"type":"AssumedRole","invokedBy":"cloudformation.amazonaws.com"}}"#,
                "cloudformation.amazonaws.com",
            ),
            (r#"{"userIdentity":{"type":"Root"},"sourceIPAddress":"connect.amazonaws.com"}"#, "connect.amazonaws.com"),
            (
                r#"{"userIdentity":{"type":"Root","invokedBy":"signin.amazonaws.com"},"sourceIPAddress":"health.amazonaws.com"}"#,
                "health.amazonaws.com",
            ),
            (r#"{"userIdentity":{"type":"IAMUser","invokedBy":"ec2.amazonaws.com.cn"}}"#, "ec2.amazonaws.com.cn"),
            (
                r#"{"userIdentity":{"type":"IAMUser","invokedBy":"dynamodb.application-autoscaling.amazonaws.com"},"sessionCredentialFromConsole":"true"}"#,
                "dynamodb.application-autoscaling.amazonaws.com",
            ),
            (
                r#"{"userIdentity":{"invokedBy":"organizations.amazonaws.com"},"sourceIPAddress":"203.0.113.9"}"#,
                "organizations.amazonaws.com",
            ),
            (
                r#"{"userIdentity":{"invokedBy":"AWS Internal"},"sourceIPAddress":"AWS Internal","eventType":"AwsServiceEvent","eventSource":"kms.amazonaws.com"}"#,
                "kms.amazonaws.com",
            ),
        ] {
            assert_eq!(acting(json).as_deref(), Some(service), "{json}");
        }
    }

    #[test]
    fn people_and_programs_of_an_account_are_no_services() {
        for json in [
            "{}",
            r#"{"userIdentity":{"type":"IAMUser","invokedBy":"AWS Internal"},"sourceIPAddress":"AWS Internal","sessionCredentialFromConsole":"true"}"#,
            r#"{"userIdentity":{"type":"IAMUser","invokedBy":"AWS Internal"},"sourceIPAddress":"AWS Internal"}"#,
            r#"{"userIdentity":{"type":"AssumedRole","invokedBy":"AWS Internal"},"eventType":"AwsServiceEvent","eventSource":"kms.amazonaws.com"}"#,
            r#"{"userIdentity":{"invokedBy":"AWS Internal"},"eventType":"AwsServiceEvent","eventSource":"kms.amazonaws.com","sessionCredentialFromConsole":true}"#,
            r#"{"userIdentity":{"type":"IAMUser","invokedBy":"signin.amazonaws.com"},"sourceIPAddress":"203.0.113.9"}"#,
            r#"{"userIdentity":{"type":"IAMUser","invokedBy":"eu-west-1.signin.amazonaws.com"}}"#,
            r#"{"userIdentity":{"type":"IAMUser","invokedBy":"signin.amazonaws.com.cn"}}"#,
            r#"{"userIdentity":{"type":"IAMUser"},"sourceIPAddress":"2001:db8::7"}"#,
            r#"{"userIdentity":{"type":"IAMUser"},"sourceIPAddress":"evil-amazonaws.com"}"#,
            r#"{"userIdentity":{"type":"IAMUser"},"sourceIPAddress":"amazonaws.com.example.org"}"#,
            r#"{"userIdentity":{"type":"IAMUser"},"sourceIPAddress":".amazonaws.com"}"#,
            r#"{"userIdentity":{"type":"Unknown","arn":""},"eventType":"AwsServiceEvent","eventSource":"signin.amazonaws.com","sourceIPAddress":"203.0.113.9"}"#,
        ] {
            assert_eq!(acting(json), None, "{json}");
        }
    }
}
