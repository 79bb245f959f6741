//! What the top of `rules.json` says of every message. Each finding carries it, since a message may be rendered elsewhere and
//! later.

use serde::{Deserialize, Serialize};

use super::hours::Hours;
use crate::text::percent_encoded;

/// What the top of `rules.json` says of every message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSettings {
    /// The zone in which times are told beside UTC: a name of the IANA database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Where people sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_portal: Option<AccessPortal>,
}

/// The AWS access portal of IAM Identity Center, which signs people in to an account before it shows them a page of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPortal {
    /// Its address, without a slash at the end: `https://d-1234567890.awsapps.com/start`.
    pub start_url: String,
    /// The permission set that is used; without one the portal asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl MessageSettings {
    /// A time as clocks in the zone show it: `Sat 2026-01-10 12:32:44 (Europe/Berlin, UTC+01:00)`. `None` without a zone, and for
    /// a text that is no time.
    pub fn local_time(&self, time: &str) -> Option<String> {
        let zone = self.time_zone.as_deref()?;
        Hours::in_zone(zone)?.written(time).map(|(local, offset)| format!("{local} ({zone}, {offset})"))
    }
}

impl AccessPortal {
    /// The link that opens a page of the console as somebody of this account. Source:
    /// <https://docs.aws.amazon.com/singlesignon/latest/userguide/createshortcutlink.html>.
    pub fn link(&self, account: &str, destination: &str) -> String {
        let role = self.role.as_deref().map(|role| format!("&role_name={}", percent_encoded(role))).unwrap_or_default();
        let (account, destination) = (percent_encoded(account), percent_encoded(destination));
        format!("{}/#/console?account_id={account}{role}&destination={destination}", self.start_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_zones_own_with_its_offset() {
        let in_zone = |zone: &str| MessageSettings { time_zone: Some(zone.to_owned()), ..MessageSettings::default() };
        for (zone, time, local) in [
            ("Europe/Berlin", "2026-01-10T11:32:44Z", "Sat 2026-01-10 12:32:44 (Europe/Berlin, UTC+01:00)"),
            ("Europe/Berlin", "2026-07-10T22:32:44Z", "Sat 2026-07-11 00:32:44 (Europe/Berlin, UTC+02:00)"),
            ("America/St_Johns", "2026-01-10T01:00:00Z", "Fri 2026-01-09 21:30:00 (America/St_Johns, UTC-03:30)"),
            ("UTC", "20131102T010628Z", "Sat 2013-11-02 01:06:28 (UTC, UTC+00:00)"),
        ] {
            assert_eq!(in_zone(zone).local_time(time).as_deref(), Some(local));
        }
        assert_eq!(in_zone("Europe/Berlin").local_time("yesterday"), None);
        assert_eq!(in_zone("Mars/Olympus").local_time("2026-01-10T11:32:44Z"), None);
        assert_eq!(MessageSettings::default().local_time("2026-01-10T11:32:44Z"), None);
    }

    #[test]
    fn a_shortcut_names_account_role_and_page() {
        let portal = AccessPortal { start_url: "https://d-1234567890.awsapps.com/start".to_owned(), role: None };
        let page = "https://eu-west-1.console.aws.amazon.com/x?region=eu-west-1#/events/1";
        let encoded = "https%3A%2F%2Feu-west-1.console.aws.amazon.com%2Fx%3Fregion%3Deu-west-1%23%2Fevents%2F1";
        let start = "https://d-1234567890.awsapps.com/start/#/console?account_id=111122223333";
        assert_eq!(portal.link("111122223333", page), format!("{start}&destination={encoded}"));
        let portal = AccessPortal { role: Some("Read+Only".to_owned()), ..portal };
        assert_eq!(portal.link("111122223333", page), format!("{start}&role_name=Read%2BOnly&destination={encoded}"));
    }
}
