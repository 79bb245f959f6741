//! What the facts about policies ask of a record besides its parameters.

use crate::cloudtrail::Record;

/// The account in which the call took place.
pub(super) fn own_account<'r>(record: &'r Record<'_>) -> Option<&'r str> {
    record.non_empty(&["recipientAccountId"]).or_else(|| record.non_empty(&["userIdentity", "accountId"]))
}

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
