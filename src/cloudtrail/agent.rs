//! A user agent, shortened to what tells: the program, its version and where it ran, such as `aws-cli 2.32 on Linux`.
//!
//! The caller chooses what stands there. So nothing is concluded from it, and what is not known is shown as it is, clipped.
//!
//! Sources of the forms: AWS's SDKs and Tools Reference Guide, "Application ID" and its neighbours
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html>), botocore's `useragent.py` (`ua/2.0`: `os/linux#6.1
//! lang/python#3.11`, before that `Python/3.8.8 Linux/5.4`), the records of CloudTrail's own user guide for services
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>), and Terraform's
//! provider, which writes `APN/1.0 HashiCorp/1.0 Terraform/1.9.0 (+https://www.terraform.io)` before the SDK's own.

use std::fmt::Write as _;

use crate::text::{clean, clip};

/// Characters of a user agent that is not known.
const UNKNOWN_LIMIT: usize = 60;
/// Characters that are looked at: CloudTrail cuts at 1 KB.
const READ_LIMIT: usize = 2048;

/// Programs by the name before the slash, in lower case. One that uses an SDK writes its own name before or behind it, so that
/// the first of this table that occurs at all is the one to tell.
const PROGRAMS: [(&str, &str); 37] = [
    ("terraform", "Terraform"),
    ("opentofu", "OpenTofu"),
    ("pulumi", "Pulumi"),
    ("pulumiaws", "Pulumi"),
    ("aws-cdk", "AWS CDK"),
    ("cloudcustodian", "Cloud Custodian"),
    ("aws-cli", "aws-cli"),
    ("awspowershell.netcore", "AWS Tools for PowerShell"),
    ("awspowershell.common", "AWS Tools for PowerShell"),
    ("awspowershell", "AWS Tools for PowerShell"),
    ("amazon-ssm-agent", "SSM Agent"),
    ("s3console", "console"),
    ("rclone", "rclone"),
    ("cyberduck", "Cyberduck"),
    ("boto3", "boto3"),
    ("botocore", "botocore"),
    ("boto", "boto"),
    ("aws-sdk-go-v2", "AWS SDK for Go"),
    ("aws-sdk-go", "AWS SDK for Go"),
    ("aws-sdk-java", "AWS SDK for Java"),
    ("aws-sdk-kotlin", "AWS SDK for Kotlin"),
    ("aws-sdk-js", "AWS SDK for JavaScript"),
    ("aws-sdk-nodejs", "AWS SDK for JavaScript"),
    ("aws-sdk-php", "AWS SDK for PHP"),
    ("aws-sdk-php2", "AWS SDK for PHP"),
    ("aws-sdk-ruby", "AWS SDK for Ruby"),
    ("aws-sdk-ruby2", "AWS SDK for Ruby"),
    ("aws-sdk-ruby3", "AWS SDK for Ruby"),
    ("aws-sdk-rust", "AWS SDK for Rust"),
    ("aws-sdk-swift", "AWS SDK for Swift"),
    ("aws-sdk-cpp", "AWS SDK for C++"),
    ("aws-sdk-dotnet-coreclr", "AWS SDK for .NET"),
    ("aws-sdk-dotnet-45", "AWS SDK for .NET"),
    ("aws-sdk-dotnet-35", "AWS SDK for .NET"),
    ("aws-sdk-dotnet", "AWS SDK for .NET"),
    ("python-httplib2", "httplib2"),
    ("apache-httpclient", "Apache HttpClient"),
];

/// Browsers, the one that names another of them too before it.
const BROWSERS: [(&str, &str); 5] =
    [("edg", "Edge"), ("opr", "Opera"), ("firefox", "Firefox"), ("chrome", "Chrome"), ("version", "Safari")];

/// Systems, by a word of the user agent. Those that are made for attackers come first; `GuardDuty` has findings for their user
/// agents too (<https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html>).
const SYSTEMS: [(&str, &str); 9] = [
    ("kali", "Kali Linux"),
    ("parrot", "Parrot Linux"),
    ("pentoo", "Pentoo Linux"),
    ("linux", "Linux"),
    ("darwin", "macOS"),
    ("macos", "macOS"),
    ("mac", "macOS"),
    ("macintosh", "macOS"),
    ("windows", "Windows"),
];

/// Where a program runs that says so in `exec-env`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>: `AWS_EXECUTION_ENV`).
const PLACES: [(&str, &str); 4] =
    [("cloudshell", "CloudShell"), ("aws_lambda_", "Lambda"), ("aws_ecs_fargate", "Fargate"), ("aws_ecs_", "ECS")];

/// What tells of a user agent: `aws-cli 2.32 on Linux`, `console`, `Terraform 1.9 on Linux`, `Chrome 125 on macOS`,
/// `CloudFormation`. What is not known stays as it is, cleaned and clipped.
pub fn short_agent(agent: &str) -> String {
    let agent = clip(agent, READ_LIMIT);
    let plain = agent.trim().trim_start_matches('[').trim_end_matches(']');
    if let Some(service) = service(plain) {
        return service;
    }
    let lower = plain.to_ascii_lowercase();
    let is_browser = lower.starts_with("mozilla/");
    let known: &[(&str, &str)] = if is_browser { &BROWSERS } else { &PROGRAMS };
    let words: Vec<&str> = lower.split([' ', '(', ')', ';', ',']).filter(|word| !word.is_empty()).collect();
    let Some((version, name)) = known.iter().find_map(|(key, name)| Some((version_of(&words, key)?, *name))) else {
        return clip(&clean(plain), UNKNOWN_LIMIT).into_owned();
    };
    if name == "console" {
        return name.to_owned();
    }
    let mut short = name.to_owned();
    let numbers: Vec<&str> = version.split('.').take(if is_browser { 1 } else { 2 }).collect();
    if numbers
        .iter()
        .all(|number| !number.is_empty() && number.len() <= 5 && number.bytes().all(|b| b.is_ascii_digit()))
    {
        let _ = write!(short, " {}", numbers.join("."));
    }
    let place = lower.split("exec-env/").nth(1);
    if let Some((_, place)) = PLACES.iter().find(|(key, _)| place.is_some_and(|place| place.starts_with(key))) {
        let _ = write!(short, " in {place}");
    } else if let Some(system) = system(&lower) {
        let _ = write!(short, " on {system}");
    }
    short
}

/// What a service or a page of the console writes as the user agent: a name of its own, and no program's.
fn service(agent: &str) -> Option<String> {
    // `EC2ConsoleFrontend, aws-internal/3 …`, `RDS Console, …`, `AWS CloudWatch Console`.
    let first = agent.split([',', '/']).next().unwrap_or_default();
    if first.ends_with("Console") || first.ends_with("ConsoleFrontend") {
        return Some("console".to_owned());
    }
    let host = agent.strip_suffix(".amazonaws.com")?;
    match host {
        "console" | "signin" => Some("console".to_owned()),
        "cloudformation" => Some("CloudFormation".to_owned()),
        _ if host.starts_with("console.") => Some("console".to_owned()),
        _ => None,
    }
}

/// What follows `name/` where that is the beginning of a word.
fn version_of<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| {
        // A program may say in parentheses what it is busy with: `CloudCustodian(net-change)/0.9.2`.
        let rest = word.strip_prefix(name)?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
    })
}

fn system(agent: &str) -> Option<&'static str> {
    // `6.6.9-kali1-amd64`, `6.5.0-13parrot1-amd64`.
    let words = agent.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<(&str, &str)> = words.map(|word| (word, word.trim_matches(|c: char| c.is_ascii_digit()))).collect();
    let is_of = |(word, bare): &(&str, &str), key: &str| *word == key || (key.len() > 3 && *bare == key);
    SYSTEMS.iter().find(|(key, _)| words.iter().any(|word| is_of(word, key))).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_shortened_to_what_tells() {
        for (agent, short) in [
            (
                "aws-cli/2.32.7 md/awscrt#0.29.0 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.13.9 cfg/retry-mode#standard",
                "aws-cli 2.32 on Linux",
            ),
            ("aws-cli/2.13.0 Python/3.11.4 Linux/5.10.0-1234-aws exe/x86_64.ubuntu.22", "aws-cli 2.13 on Linux"),
            (
                "[aws-cli/2.2.16 Python/3.8.8 Darwin/20.5.0 exe/x86_64 prompt/off command/s3.sync]",
                "aws-cli 2.2 on macOS",
            ),
            ("aws-cli/2.15.0 Python/3.11.6 Linux/6.6.9-kali1-amd64 exe/x86_64.kali.2023", "aws-cli 2.15 on Kali Linux"),
            (
                "aws-cli/2.9.19 Python/3.11.2 Linux/6.5.0-13parrot1-amd64 source/x86_64.parrot.6",
                "aws-cli 2.9 on Parrot Linux",
            ),
            (
                "aws-cli/2.31.0 md/awscrt#0.27 ua/2.1 os/linux#6.1 exec-env/CloudShell lang/python#3.13",
                "aws-cli 2.31 in CloudShell",
            ),
            (
                "Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/macos#15.5 md/arch#arm64 lang/python#3.12",
                "boto3 1.40 on macOS",
            ),
            ("Boto3/1.15.2 Python/3.8.2 Linux/5.6.3-arch1-1 Botocore/1.18.2", "boto3 1.15 on Linux"),
            (
                "CloudCustodian/0.8.23.2 Python/2.7.12 Linux/4.4 exec-env/AWS_Lambda_python2.7 Botocore/1.5.43",
                "Cloud Custodian 0.8 in Lambda",
            ),
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.64.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.4 ua/2.0 os/linux lang/go#1.22.6",
                "Terraform 1.9 on Linux",
            ),
            ("aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/", "SSM Agent on Linux"),
            ("aws-sdk-go-v2/1.18.0 os/windows lang/go#1.19.8", "AWS SDK for Go 1.18 on Windows"),
            ("aws-sdk-rust/1.3.9 os/linux lang/rust/1.87.0", "AWS SDK for Rust 1.3 on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
                "Chrome 125 on macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0",
                "Edge 126 on Windows",
            ),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/114.0", "Firefox 114 on Linux"),
            ("console.amazonaws.com", "console"),
            ("console.ec2.amazonaws.com", "console"),
            ("signin.amazonaws.com", "console"),
            ("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10]", "console"),
            ("EC2ConsoleFrontend, aws-internal/3 aws-sdk-java/1.11.1030 Linux/5.4.122", "console"),
            ("AWS CloudWatch Console", "console"),
            ("cloudformation.amazonaws.com", "CloudFormation"),
            ("autoscaling.amazonaws.com", "autoscaling.amazonaws.com"),
            ("AWS Internal", "AWS Internal"),
            (
                "stratus-red-team_39f95f43-cd2f-4beb-b69e-be60b6fe1f57",
                "stratus-red-team_39f95f43-cd2f-4beb-b69e-be60b6fe1f57",
            ),
            ("Mozilla", "Mozilla"),
            ("", ""),
        ] {
            assert_eq!(short_agent(agent), short, "{agent}");
        }
    }

    #[test]
    fn what_is_not_known_is_clipped_and_cleaned() {
        let short = short_agent(&format!("evil\n\u{202e}{}", "x".repeat(5000)));
        assert!(short.chars().count() <= UNKNOWN_LIMIT && !short.contains(['\n', '\u{202e}']), "{short}");
        // No version is made of what is none.
        assert_eq!(short_agent("aws-cli/<script>.1 Linux/5"), "aws-cli on Linux");
        assert_eq!(short_agent("aws-cli/123456.1 Linux/5"), "aws-cli on Linux");
    }
}
