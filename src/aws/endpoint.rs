//! Where a service of AWS is.

use super::service::ApiService;
use super::settings::AwsAccess;
use crate::cloudtrail::partition_of;

/// The services whose endpoints for FIPS 140 have a name of their own in GovCloud. There, every other one's usual endpoint is it.
const OWN_FIPS_IN_GOVCLOUD: [&str; 3] = ["kms", "lambda", "secretsmanager"];
/// The services whose dual-stack endpoint in GovCloud has one name, with FIPS 140 and without.
const ONE_DUAL_STACK_IN_GOVCLOUD: [&str; 4] = ["events", "iam", "monitoring", "organizations"];

/// Where a service is asked in a region, without a slash at the end: where the environment says, or else at its usual place.
pub(super) fn endpoint(access: &AwsAccess, service: &ApiService, region: &str) -> String {
    match access.endpoint(service.name) {
        Some(told) => told.trim_end_matches('/').to_owned(),
        None => usual_endpoint(service.host, region, access),
    }
}

/// A service in a region, by the beginning of its host: the rules are those of botocore 1.43.127 (`endpoint-rule-set-1.json` of each
/// service that we ask, and `partitions.json`), <https://docs.aws.amazon.com/general/latest/gr/rande.html>.
fn usual_endpoint(host: &str, region: &str, access: &AwsAccess) -> String {
    let partition = partition_of(region);
    let (alone, dual_stack) = match partition {
        "aws-cn" => ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        "aws-eusc" => ("amazonaws.eu", "api.amazonwebservices.eu"),
        "aws-iso" => ("c2s.ic.gov", "api.aws.ic.gov"),
        "aws-iso-b" => ("sc2s.sgov.gov", "api.aws.scloud"),
        "aws-iso-e" => ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
        "aws-iso-f" => ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
        _ => ("amazonaws.com", "api.aws"),
    };
    let suffix = match (host, partition) {
        // Its usual endpoint is its dual-stack endpoint, too.
        ("secretsmanager", "aws" | "aws-us-gov") => alone,
        ("secretsmanager", "aws-cn") if !access.fips => alone,
        _ if access.dual_stack => dual_stack,
        _ => alone,
    };
    let is_fips = match (partition, access.dual_stack) {
        ("aws-us-gov", false) => access.fips && OWN_FIPS_IN_GOVCLOUD.contains(&host),
        ("aws-us-gov", true) => host == "states" || access.fips && !ONE_DUAL_STACK_IN_GOVCLOUD.contains(&host),
        _ => access.fips,
    };
    let fips = if is_fips { "-fips" } else { "" };
    // IAM is the one that has no region in its name in these partitions.
    match (host, partition) {
        ("iam", "aws" | "aws-cn" | "aws-eusc") if access.dual_stack => format!("https://iam{fips}.global.{suffix}"),
        ("iam", "aws") => format!("https://iam{fips}.{suffix}"),
        ("iam", "aws-us-gov") => format!("https://iam.us-gov.{suffix}"),
        _ => format!("https://{host}{fips}.{region}.{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(host: &str, region: &str, (fips, dual_stack): (bool, bool)) -> String {
        usual_endpoint(host, region, &AwsAccess { fips, dual_stack, ..AwsAccess::default() })
    }

    #[test]
    fn each_partition_has_its_own_places() {
        for (region, alone, dual_stack) in [
            ("us-east-1", "amazonaws.com", "api.aws"),
            ("us-gov-west-1", "amazonaws.com", "api.aws"),
            ("cn-northwest-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"),
            ("us-iso-east-1", "c2s.ic.gov", "api.aws.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov", "api.aws.scloud"),
            ("eu-isoe-west-1", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
            ("us-isof-south-1", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
        ] {
            assert_eq!(usual("sqs", region, (false, false)), format!("https://sqs.{region}.{alone}"));
            assert_eq!(usual("sqs", region, (false, true)), format!("https://sqs.{region}.{dual_stack}"));
            assert_eq!(usual("sqs", region, (true, true)), format!("https://sqs-fips.{region}.{dual_stack}"));
        }
    }

    #[test]
    fn iam_has_one_place_in_a_partition() {
        for (region, place) in [
            ("us-east-1", "https://iam.amazonaws.com"),
            ("us-gov-west-1", "https://iam.us-gov.amazonaws.com"),
            ("cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "https://iam.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(usual("iam", region, (false, false)), place);
        }
        assert_eq!(usual("iam", "us-east-1", (true, false)), "https://iam-fips.amazonaws.com");
        assert_eq!(usual("iam", "us-east-1", (false, true)), "https://iam.global.api.aws");
    }

    #[test]
    fn fips_has_names_of_its_own_and_few_of_them_in_govcloud() {
        let fips = |host, region| usual(host, region, (true, false));
        assert_eq!(fips("dynamodb", "us-west-2"), "https://dynamodb-fips.us-west-2.amazonaws.com");
        assert_eq!(fips("dynamodb", "us-gov-west-1"), "https://dynamodb.us-gov-west-1.amazonaws.com");
        assert_eq!(fips("lambda", "us-gov-west-1"), "https://lambda-fips.us-gov-west-1.amazonaws.com");
    }

    /// What deviates, in botocore's own words of each service.
    #[test]
    fn services_deviate_where_botocore_says_so() {
        for (host, region, fips, dual_stack, place) in [
            ("secretsmanager", "us-east-1", false, true, "secretsmanager.us-east-1.amazonaws.com"),
            ("secretsmanager", "us-east-1", true, true, "secretsmanager-fips.us-east-1.amazonaws.com"),
            ("secretsmanager", "us-gov-west-1", true, true, "secretsmanager-fips.us-gov-west-1.amazonaws.com"),
            ("secretsmanager", "cn-north-1", false, true, "secretsmanager.cn-north-1.amazonaws.com.cn"),
            ("secretsmanager", "us-iso-east-1", false, true, "secretsmanager.us-iso-east-1.api.aws.ic.gov"),
            ("monitoring", "us-gov-west-1", true, true, "monitoring.us-gov-west-1.api.aws"),
            ("organizations", "us-gov-west-1", true, true, "organizations.us-gov-west-1.api.aws"),
            ("events", "us-gov-west-1", true, true, "events.us-gov-west-1.api.aws"),
            ("states", "us-gov-west-1", false, true, "states-fips.us-gov-west-1.api.aws"),
            ("states", "us-gov-west-1", true, false, "states.us-gov-west-1.amazonaws.com"),
            ("sqs", "us-gov-west-1", true, true, "sqs-fips.us-gov-west-1.api.aws"),
            ("iam", "us-gov-west-1", true, true, "iam.us-gov.api.aws"),
            ("iam", "cn-north-1", false, true, "iam.global.api.amazonwebservices.com.cn"),
            ("iam", "eusc-de-east-1", false, true, "iam.global.api.amazonwebservices.eu"),
        ] {
            assert_eq!(usual(host, region, (fips, dual_stack)), format!("https://{place}"));
        }
    }
}
