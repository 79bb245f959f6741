//! The names of what a record's call acts on.

use super::catalogue::{TargetMember, members_of};
use super::guess::add_guessed;
use super::search::{Names, Part};
use crate::cloudtrail::api_version::without_version;
use crate::cloudtrail::fact::FactValue;
use crate::cloudtrail::path::walk;
use crate::cloudtrail::record::Record;

/// What the call acts on: names, ids and ARNs as the record has them, the most telling first, each with its place. They are worked out
/// once for a record.
pub(crate) fn named_targets<'r>(record: &'r Record<'_>) -> &'r [FactValue] {
    record.remembered("target", names)
}

fn names(record: &Record<'_>) -> Vec<FactValue> {
    let service = record.text(&["eventSource"]).unwrap_or_default();
    let event = without_version(record.text(&["eventName"]).unwrap_or_default());
    let top = |key| Part::top(key, record.get(key));
    // What a service does by itself has details instead of a request.
    let request = top("requestParameters").or_else(|| top("serviceEventDetails"));
    let answer = top("responseElements");
    let mut resources = Vec::new();
    let mut names = Names::default();
    let members = members_of(service, event);
    let is_known = members.is_some();
    for alternative in members.into_iter().flatten() {
        for TargetMember { name, is_of_answer } in alternative {
            if let Some(part) = if is_of_answer { &answer } else { &request } {
                part.add_named(name, &mut names);
            }
        }
        if !names.is_empty() {
            return names.into_values();
        }
    }
    // A call that is known may be told of in a shape that is not.
    if let Some(request) = &request {
        add_guessed(request, event, &mut names);
    }
    if names.is_empty() {
        let path: [Box<str>; 1] = ["ARN".into()];
        record.get("resources").into_iter().for_each(|node| walk(node, &path, &mut resources));
        resources.iter().filter_map(|value| value.scalar()).for_each(|arn| names.add(arn, &"resources.ARN"));
    }
    // What is not known and was made is named by the answer; what was read is no target.
    if let Some(answer) = answer.filter(|_| names.is_empty() && !is_known && makes(event)) {
        add_guessed(&answer, event, &mut names);
    }
    names.into_values()
}

/// Whether a call of this name makes something.
fn makes(event: &str) -> bool {
    ["Create", "Run", "Start", "Allocate", "Register", "Import", "Copy", "Restore", "Add", "Launch", "Put"]
        .iter()
        .any(|verb| event.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(service: &str, event: &str, more: &str) -> String {
        let json = format!(r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}",{more}}}"#);
        let record = Record::parse(&json).unwrap();
        named_targets(&record).iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_call_names_what_it_acts_on() {
        let arn = "arn:aws:s3:::data";
        for (service, event, more, names) in [
            ("iam", "AttachRolePolicy", r#""requestParameters":{"policyArn":"p","roleName":"Admin"}"#.to_owned(), "Admin, p"),
            ("iam", "CreateAccessKey", r#""requestParameters":null,"responseElements":{"accessKey":{"userName":"mara","accessKeyId":"AKIA"}}"#.to_owned(), "mara"),
            ("ssm", "StartSession", r#""requestParameters":{"target":"i-1"}"#.to_owned(), "i-1"),
            ("ssm", "SendCommand", r#""requestParameters":{"documentName":"AWS-RunShellScript","instanceIds":["i-1","i-2"]}"#.to_owned(), "i-1, i-2, AWS-RunShellScript"),
            ("ec2", "RunInstances", r#""requestParameters":{"instancesSet":{"items":[{"imageId":"ami-1"}]}},"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#.to_owned(), "i-1"),
            ("ec2", "RunInstances", r#""requestParameters":{"instancesSet":{"items":[{"imageId":"ami-1"}]}},"responseElements":null"#.to_owned(), "ami-1"),
            ("ec2", "CreateVolume", r#""requestParameters":{"size":"1"},"responseElements":{"volumeId":"vol-1"}"#.to_owned(), "vol-1"),
            ("ec2", "ModifySecurityGroupRules", r#""requestParameters":{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1"}}"#.to_owned(), "sg-1"),
            ("lambda", "UpdateFunctionCode20150331v2", r#""requestParameters":{"functionName":"f"}"#.to_owned(), "f"),
            ("s3", "GetObject", r#""requestParameters":{"bucketName":"data","key":"k"}"#.to_owned(), "data"),
            ("rds", "DeleteDBCluster", r#""requestParameters":{"dBClusterIdentifier":"c","skipFinalSnapshot":true}"#.to_owned(), "c"),
            ("sso-directory", "NewConsoleCall", r#""requestParameters":{"groupId":"g"}"#.to_owned(), "g"),
            ("kms", "DescribeCustomKeyStores", format!(r#""resources":[{{"ARN":"{arn}"}}]"#), arn),
            ("ec2", "SharedSnapshotVolumeCreated", r#""requestParameters":null,"serviceEventDetails":{"snapshotId":"snap-1"}"#.to_owned(), "snap-1"),
            ("newservice", "CreateThing", r#""responseElements":{"thing":{"thingId":"t"}}"#.to_owned(), "t"),
            ("newservice", "ListThings", r#""responseElements":{"things":[{"thingId":"t"}]}"#.to_owned(), ""),
            ("signin", "ConsoleLogin", r#""requestParameters":null,"responseElements":{"ConsoleLogin":"Success"}"#.to_owned(), ""),
        ] {
            assert_eq!(named(service, event, &more), names, "{event}: {more}");
        }
    }
}
