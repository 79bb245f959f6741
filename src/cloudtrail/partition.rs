//! The partition of a region: the alias `partition`.

/// The beginnings of regions' names outside of the partition `aws`. Source:
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html> and botocore's `partitions.json`.
const BEGINNINGS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// Every partition.
pub(crate) const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// The partition of a region, which every ARN of an account there begins with.
pub(crate) fn partition_of(region: &str) -> &'static str {
    BEGINNINGS
        .into_iter()
        .find(|(beginning, _)| region.starts_with(beginning))
        .map_or("aws", |(_, partition)| partition)
}

#[cfg(feature = "cli")]
/// The region in which a partition records the calls to IAM.
pub(crate) fn region_of_iam(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        "aws-eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// Whether a text has the form of a region's name: words and a number, such as `eu-west-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = 0;
    let are_words = parts.all(|word| {
        words += 1;
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    is_number && are_words && words >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_says_its_partition() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition_of(region), partition);
            assert!(is_region(region) && PARTITIONS.contains(&partition), "{region}");
        }
        assert!(BEGINNINGS.iter().all(|(_, partition)| PARTITIONS.contains(partition)));
        for other in PARTITIONS.into_iter().chain(["", "-1", "us-1", "US-EAST-1", "us--1", "us-east-1a"]) {
            assert!(!is_region(other), "{other}");
        }
    }
}
