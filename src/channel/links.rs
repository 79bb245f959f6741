//! Where an alert leads: the pages that a message links to.

use crate::finding::Finding;

/// The event in CloudTrail's console; none for data events, which its event history does not hold, and none where the
/// record's own texts do not look as AWS writes them.
pub fn event_link(finding: &Finding) -> Option<String> {
    let call = &finding.call;
    let (region, id) = (call.region.as_deref()?, call.event_id.as_deref()?);
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_management = call.event_category.as_deref().is_none_or(|category| category == "Management");
    if !plain(region) || !plain(id) || !is_management {
        return None;
    }
    let host = match region {
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ if region.starts_with("cn-") => "console.amazonaws.cn",
        // https://docs.aws.eu/general/latest/gr/endpoints.html
        _ if region.starts_with("eusc-") => "console.amazonaws-eusc.eu",
        // Regions that are cut off from the internet: no page of AWS's says where their consoles are. A wrong link would take
        // the name of a region and an event to a host of another partition.
        _ if ["us-iso", "eu-iso"].iter().any(|prefix| region.starts_with(prefix)) => return None,
        _ => "console.aws.amazon.com",
    };
    Some(format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/{id}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_link_leads_to_the_console_of_the_regions_own_partition_or_nowhere() {
        let link = |region: &str| {
            let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
            (finding.call.region, finding.call.event_id) = (Some(region.to_owned()), Some("0a1b-2c".to_owned()));
            event_link(&finding)
        };
        for (region, host) in [
            ("eu-west-1", Some("console.aws.amazon.com")),
            ("us-gov-west-1", Some("console.amazonaws-us-gov.com")),
            ("cn-north-1", Some("console.amazonaws.cn")),
            ("eusc-de-east-1", Some("console.amazonaws-eusc.eu")),
            ("us-iso-east-1", None),
            ("us-isob-east-1", None),
            ("us-isof-south-1", None),
            ("eu-isoe-west-1", None),
        ] {
            let expected =
                host.map(|host| format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/0a1b-2c"));
            assert_eq!(link(region), expected);
        }
    }
}
