//! What people call a thing whose ARN, or whose queue's URL, a record has.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::cloudtrail::account_id::is_account_id;

/// A name as people say it: `role/Admin` of an ARN, the name alone where it tells what it is. The account is kept where it is not
/// `own`. What is no ARN stays as it is.
///
/// Source of the forms: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html> and the pages of the Service
/// Authorization Reference.
pub(crate) fn short_name<'t>(name: &'t str, own: Option<&str>) -> Cow<'t, str> {
    // EKS records the ARNs of its requests as they stood in the URL.
    if name.starts_with("arn%3A") {
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        return Cow::Owned(short_name(&decoded, own).into_owned());
    }
    let Some((called, account)) = of_arn(name).or_else(|| of_queue(name)) else { return Cow::Borrowed(name) };
    match own {
        Some(own) if is_account_id(account) && own != account => Cow::Owned(format!("{called} of account {account}")),
        _ => called,
    }
}

/// What people call it, and its account.
fn of_arn(name: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut parts = name.splitn(6, ':');
    if parts.next() != Some("arn") {
        return None;
    }
    let (_partition, service, _region) = (parts.next()?, parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    let resource = resource.strip_suffix(":*").unwrap_or(resource);
    let after = |kind: &str| resource.strip_prefix(kind).unwrap_or(resource);
    let called = match service {
        // The path is no part of the name.
        "iam" => match (resource.split_once('/'), resource.rsplit_once('/')) {
            (Some((kind, path)), Some((_, last))) if path != last => {
                return (!last.is_empty()).then(|| (format!("{kind}/{last}").into(), account));
            }
            _ => resource,
        },
        "lambda" => after("function:"),
        "logs" => after("log-group:"),
        // It ends in a hyphen and six characters more than the secret's name has.
        "secretsmanager" => {
            let secret = after("secret:");
            secret.rsplit_once('-').filter(|(_, end)| end.len() == 6).map_or(secret, |(name, _)| name)
        }
        // What follows is a number that nobody says.
        "cloudformation" => {
            resource.rsplit_once('/').filter(|(name, _)| name.contains('/')).map_or(resource, |(name, _)| name)
        }
        // Their names alone tell what they are, or the call does.
        "ec2" | "dynamodb" | "kinesis" => resource.split_once('/').map_or(resource, |(_, name)| name),
        "rds" => resource.split_once(':').map_or(resource, |(_, name)| name),
        _ => resource,
    };
    (!called.is_empty()).then_some((called.into(), account))
}

/// `https://sqs.eu-west-1.amazonaws.com/123456789012/jobs`.
fn of_queue(name: &str) -> Option<(Cow<'_, str>, &str)> {
    let (host, path) = name.strip_prefix("https://")?.split_once('/')?;
    let (account, queue) = path.split_once('/')?;
    let is_queue = host.starts_with("sqs.") || host == "queue.amazonaws.com" || host.ends_with(".queue.amazonaws.com");
    (is_queue && !queue.is_empty()).then_some((queue.into(), account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_said_as_people_say_them() {
        let own = "111122223333";
        for (name, said) in [
            ("arn:aws:iam::111122223333:role/Admin", "role/Admin"),
            ("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/Admin_01", "role/Admin_01"),
            ("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", "policy/ViewOnlyAccess"),
            ("arn:aws:iam::999999999999:role/Admin", "role/Admin of account 999999999999"),
            ("arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FAdmin", "role/Admin"),
            ("arn:aws:iam::111122223333:root", "root"),
            ("arn:aws-cn:s3:::data/a:b/c", "data/a:b/c"),
            ("arn:aws:lambda:eu-west-1:111122223333:function:pay:PROD", "pay:PROD"),
            ("arn:aws:sns:eu-west-1:111122223333:alerts", "alerts"),
            ("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/pay:*", "/aws/lambda/pay"),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3", "prod/db"),
            ("arn:aws:ec2:eu-west-1:111122223333:instance/i-0a", "i-0a"),
            ("arn:aws:rds:eu-west-1:111122223333:db:orders", "orders"),
            ("arn:aws:dynamodb:eu-west-1:111122223333:table/Orders", "Orders"),
            ("arn:aws:kms:eu-west-1:111122223333:key/0a-1b", "key/0a-1b"),
            ("arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", "trail/main"),
            ("arn:aws:cloudformation:eu-west-1:111122223333:stack/web/0a1b", "stack/web"),
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", "jobs"),
            ("https://sqs.eu-west-1.amazonaws.com/999999999999/jobs", "jobs of account 999999999999"),
            ("https://evil.example/111122223333/jobs", "https://evil.example/111122223333/jobs"),
            ("arn:aws:iam::111122223333:", "arn:aws:iam::111122223333:"),
            ("arn:aws", "arn:aws"),
            ("Admin", "Admin"),
            ("", ""),
        ] {
            assert_eq!(short_name(name, Some(own)), said, "{name}");
        }
        assert_eq!(short_name("arn:aws:iam::999999999999:role/Admin", None), "role/Admin");
    }
}
