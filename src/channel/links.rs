//! Where an alert leads: the pages that a message links to.

use crate::cloudtrail::{is_account_id, partition_of};
use crate::finding::Finding;

/// The event in CloudTrail's console, in the right account where `rules.json` says where people sign in; none for data events,
/// which its event history does not hold, none for what is older than that, and none where the record's own texts do not look as
/// AWS writes them.
pub fn event_link(finding: &Finding) -> Option<String> {
    let call = &finding.call;
    let (region, id) = (call.region.as_deref()?, call.event_id.as_deref()?);
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_management = call.event_category.as_deref().is_none_or(|category| category == "Management");
    if !plain(region) || !plain(id) || !is_management || call.is_past_history {
        return None;
    }
    let host = console(region)?;
    let page = format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/{id}");
    let account = call.account.as_deref().filter(|account| is_account_id(account));
    Some(match finding.rule.messages.access_portal.as_ref().zip(account) {
        Some((portal, account)) => portal.link(account, &page),
        None => page,
    })
}

/// The host of a region's console. A wrong one would take the name of a region and an event to another partition, so that a region
/// of no partition that is known has none.
///
/// Sources: <https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/select-region.html> and
/// <https://docs.aws.eu/general/latest/gr/endpoints.html> for those that anybody can look up. No public page of AWS's names the
/// consoles of the isolated regions. They stand beside their sign-in pages, as in every other partition
/// (`us-east-1.signin.aws.amazon.com`, `us-east-1.console.aws.amazon.com`), and AWS's own SDKs name these: botocore,
/// `data/signin/2023-01-01/endpoint-rule-set-1.json`.
fn console(region: &str) -> Option<&'static str> {
    match partition_of(region) {
        "aws-us-gov" => Some("console.amazonaws-us-gov.com"),
        "aws-cn" => Some("console.amazonaws.cn"),
        "aws-eusc" => Some("console.amazonaws-eusc.eu"),
        "aws-iso" => Some("console.c2shome.ic.gov"),
        "aws-iso-b" => Some("console.sc2shome.sgov.gov"),
        "aws-iso-f" => Some("console.csphome.hci.ic.gov"),
        "aws-iso-e" => Some("console.csphome.adc-e.uk"),
        // botocore's `partitions.json` has the regions of the partition `aws` as two letters, a word and a number.
        _ => (region.split('-').count() == 3).then_some("console.aws.amazon.com"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rules::{AccessPortal, MessageSettings, RuleInfo};
    use crate::time::Timestamp;

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
            ("us-iso-east-1", Some("console.c2shome.ic.gov")),
            ("us-isob-east-1", Some("console.sc2shome.sgov.gov")),
            ("us-isof-south-1", Some("console.csphome.hci.ic.gov")),
            ("eu-isoe-west-1", Some("console.csphome.adc-e.uk")),
            // A partition that is not known yet.
            ("ap-isog-east-1", None),
        ] {
            let expected =
                host.map(|host| format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/0a1b-2c"));
            assert_eq!(link(region), expected);
        }
    }

    #[test]
    fn a_link_opens_the_right_account_where_people_say_where_they_sign_in() {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        (finding.call.region, finding.call.event_id) = (Some("eu-west-1".to_owned()), Some("0a1b-2c".to_owned()));
        let portal = AccessPortal { start_url: "https://d-1234567890.awsapps.com/start".to_owned(), role: None };
        let messages = MessageSettings { access_portal: Some(portal), ..MessageSettings::default() };
        finding.rule = Arc::new(RuleInfo { messages: messages.into(), ..RuleInfo::default() });
        let start =
            "https://d-1234567890.awsapps.com/start/#/console?account_id=111122223333&destination=https%3A%2F%2F";
        let page = "https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/0a1b-2c";
        // Without an account there is none to open.
        for account in [None, Some("anonymous"), Some("11112222333&role_name=Admin")] {
            finding.call.account = account.map(str::to_owned);
            assert_eq!(event_link(&finding).as_deref(), Some(page));
        }
        finding.call.account = Some("111122223333".to_owned());
        assert!(event_link(&finding).unwrap().starts_with(start), "{:?}", event_link(&finding));
    }

    #[test]
    fn there_is_no_link_to_a_history_that_has_ended() {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        (finding.call.region, finding.call.event_id) = (Some("eu-west-1".to_owned()), Some("0a1b-2c".to_owned()));
        let mut link_at = |now: &str| {
            finding.call.note_age(Timestamp::parse(now).unwrap());
            event_link(&finding)
        };
        assert!(link_at("2026-01-10T11:00:01Z").is_some() && link_at("2025-12-01T00:00:00Z").is_some());
        assert!(link_at("2026-04-10T11:00:00Z").is_some(), "90 days");
        assert_eq!(link_at("2026-04-10T11:00:01Z"), None);
    }
}
