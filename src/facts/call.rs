//! What the facts about policies ask of a record besides its parameters.

use crate::cloudtrail::Record;

/// The partition of the region, which every ARN of the account begins with. Source:
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html> and botocore's `partitions.json`.
pub(crate) fn partition(record: &Record<'_>) -> &'static str {
    let region = record.text(&["awsRegion"]).unwrap_or_default();
    let partitions = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    partitions.into_iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}
