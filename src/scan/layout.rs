//! How CloudTrail names its files: `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`, the time being that of delivery.
//! Source: AWS CloudTrail User Guide, "CloudTrail log file examples".

use crate::cloudtrail::is_account_id;
use crate::time::Date;

/// Which of an archive's log files are read. Files that are not named as CloudTrail names them are: nobody can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// The first day, UTC.
    pub since: Option<Date>,
    /// The last day, UTC.
    pub until: Option<Date>,
    /// The accounts; none: all.
    pub accounts: Vec<String>,
    /// The regions; none: all.
    pub regions: Vec<String>,
}

impl LogFilter {
    /// Whether every file is read.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a file of this name is read; `None` where it is not named as CloudTrail names its files, so that the name does not say.
    pub fn chooses(&self, file: &str) -> Option<bool> {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let mut parts = name.split('_');
        let (Some(account), Some(kind), Some(region), Some(time)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let day = Date::of_time(time).filter(|_| kind.starts_with("CloudTrail"))?;
        let is_chosen = within(&self.accounts, account)
            && within(&self.regions, region)
            && self.since.is_none_or(|since| day >= since)
            && self.until.is_none_or(|until| day <= until);
        Some(is_chosen)
    }

    /// Whether a file of this name is read: one whose name does not say is.
    pub fn accepts(&self, file: &str) -> bool {
        self.chooses(file).unwrap_or(true)
    }

    /// Whether a folder may hold files that are read: `…/AWSLogs/[o-ORG/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`, or the
    /// beginning of it. Other services' logs stand beside CloudTrail's, and its digests and aggregated events are no records.
    pub fn may_hold(&self, folder: &str) -> bool {
        let place = LogPrefix::parse(folder);
        place.account.is_none_or(|account| within(&self.accounts, account))
            && place.kind.is_none_or(holds_records)
            && place.region.is_none_or(|region| within(&self.regions, region))
            && place.days().is_none_or(|(first, last)| {
                self.since.is_none_or(|since| last >= since) && self.until.is_none_or(|until| first <= until)
            })
    }

    /// Whether a folder that may hold such files holds no others.
    pub fn holds_all(&self, folder: &str) -> bool {
        let place = LogPrefix::parse(folder);
        let all_days = self.since.is_none() && self.until.is_none();
        place.region.is_some() && (all_days || place.date.len() == 3)
    }
}

/// Whether a folder is that of a day: `…/AWSLogs/[o-ORG/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`.
pub fn is_day(folder: &str) -> bool {
    let place = LogPrefix::parse(folder);
    place.date.len() == 3 && place.days().is_some()
}

/// Whether CloudTrail's records, those on Insights among them, stand in the files of this kind. Its digests and its aggregated
/// events are none.
fn holds_records(kind: &str) -> bool {
    kind.starts_with("CloudTrail") && !["CloudTrail-Digest", "CloudTrail-Aggregated"].contains(&kind)
}

/// What the files of other services, and CloudTrail's digests and aggregated events, have in the place where CloudTrail's log files have `CloudTrail`.
/// Sources: of the services' guides, "Access logs for your Application Load Balancer", "Flow log files", "Delivering
/// configuration items to Amazon S3", "Sending web ACL traffic logs to Amazon S3", "Resolver query logging", "Sending AWS Network
/// Firewall logs to Amazon S3".
const OTHERS: [&str; 8] = [
    "CloudTrail-Aggregated",
    "CloudTrail-Digest",
    "Config",
    "elasticloadbalancing",
    "network-firewall",
    "vpcdnsquerylogs",
    "vpcflowlogs",
    "waflogs",
];

/// The service whose log a file is, where its folder (`…/AWSLogs/[o-ORG/]ACCOUNT/SERVICE/…`) or its name says that it holds no
/// records of CloudTrail. Nobody need open it.
pub fn other_service(file: &str) -> Option<&str> {
    let (folder, name) = file.rsplit_once(['/', '\\']).unwrap_or(("", file));
    let place = LogPrefix::parse(folder);
    if let (Some(account), Some(kind)) = (place.account, place.kind)
        && is_account_id(account)
    {
        return (!holds_records(kind)).then_some(kind);
    }
    let mut parts = name.split('_');
    // Resolver's files begin with the network.
    let is_owned = parts.next().is_some_and(|first| is_account_id(first) || first.starts_with("vpc-"));
    parts.next().filter(|kind| is_owned && OTHERS.contains(kind))
}

fn within(list: &[String], value: &str) -> bool {
    list.is_empty() || list.iter().any(|item| item == value)
}

/// Where a folder stands in CloudTrail's layout, as far as it says.
#[derive(Default)]
struct LogPrefix<'f> {
    account: Option<&'f str>,
    kind: Option<&'f str>,
    region: Option<&'f str>,
    /// Year, month and day.
    date: Vec<&'f str>,
}

impl<'f> LogPrefix<'f> {
    fn parse(folder: &'f str) -> Self {
        let parts: Vec<&str> = folder.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
        let start = parts.iter().rposition(|part| *part == "AWSLogs").map_or(parts.len(), |root| root + 1);
        // Some services can write the name before the value.
        let value = |part: &'f str| part.rsplit_once('=').map_or(part, |(_, value)| value);
        let mut parts = parts[start..].iter().map(|part| value(part)).peekable();
        // An organisation's trail puts its id before the accounts.
        parts.next_if(|part| part.starts_with("o-"));
        Self { account: parts.next(), kind: parts.next(), region: parts.next(), date: parts.take(3).collect() }
    }

    /// The first and the last day of what it may hold.
    fn days(&self) -> Option<(Date, Date)> {
        let day = |month: &str, day: &str| Date::parse(&format!("{}-{month}-{day}", self.date.first()?));
        match self.date[..] {
            [_] => Some((day("01", "01")?, day("12", "31")?)),
            [_, month] => Some((day(month, "01")?, ["31", "30", "29", "28"].iter().find_map(|last| day(month, last))?)),
            [_, month, of_month] => day(month, of_month).map(|day| (day, day)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_as_far_as_they_say() {
        let filter = LogFilter {
            since: Date::parse("2025-02-27"),
            until: Date::parse("2025-03-03"),
            accounts: vec!["111122223333".to_owned()],
            regions: vec!["eu-west-1".to_owned()],
        };
        for (folder, expected) in [
            ("", true),
            ("some/where/", true),
            ("x/AWSLogs/", true),
            ("x/AWSLogs/o-abc123/", true),
            ("AWSLogs/o-abc123/111122223333/", true),
            ("AWSLogs/444455556666/", false),
            ("AWSLogs/111122223333/Config/", false),
            ("AWSLogs/111122223333/CloudTrail-Digest/", false),
            ("AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/", true),
            ("AWSLogs/111122223333/CloudTrail-NetworkActivity/eu-west-1/", true),
            ("AWSLogs/111122223333/CloudTrail-Aggregated/eu-west-1/", false),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2024/", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/", true),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/01/", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/02/", true),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/02/26/", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/02/28/", true),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/04/", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/odd/", true),
        ] {
            assert_eq!(filter.may_hold(folder), expected, "{folder}");
        }
        let day = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/02/28/";
        assert!(filter.holds_all(day) && !filter.holds_all(&day[..day.len() - 3]));
        assert!(LogFilter::default().holds_all("AWSLogs/1/CloudTrail/eu-west-1/") && !filter.holds_all("AWSLogs/1/"));
    }

    #[test]
    fn other_services_are_told_by_folders_and_names() {
        for (file, service) in [
            ("x/AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2025/03/03/a.log.gz", Some("elasticloadbalancing")),
            ("AWSLogs/o-abc/111122223333/CloudTrail-Digest/eu-west-1/2025/03/03/a.json.gz", Some("CloudTrail-Digest")),
            (
                "AWSLogs/111122223333/CloudTrail-Aggregated/eu-west-1/2026/06/01/a.json.gz",
                Some("CloudTrail-Aggregated"),
            ),
            ("111122223333_CloudTrail-Aggregated_eu-west-1_20260601T1925Z_ab.json.gz", Some("CloudTrail-Aggregated")),
            ("AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/a.log.gz", Some("vpcflowlogs")),
            ("C:\\AWSLogs\\111122223333\\Config\\a.json.gz", Some("Config")),
            ("./111122223333_vpcflowlogs_eu-west-1_fl-1_20250303T0005Z_ab.log.gz", Some("vpcflowlogs")),
            ("vpc-1_vpcdnsquerylogs_111122223333_20250303T0005Z_ab.log.gz", Some("vpcdnsquerylogs")),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/a.json.gz", None),
            ("AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2025/03/03/a.json.gz", None),
            ("AWSLogs/111122223333/CloudTrail-Lake/Query/2025/03/03/1/result_1.csv.gz", None),
            ("111122223333_CloudTrail_eu-west-1_20250303T0005Z_ab.json.gz", None),
            // People call their folders and files what they like.
            ("AWSLogs/mine/Config/events.json", None),
            ("AWSLogs/111122223333/events.json", None),
            ("my_Config_file.json", None),
            ("stdin", None),
        ] {
            assert_eq!(other_service(file), service, "{file}");
        }
    }

    #[test]
    fn files_are_told_by_their_names() {
        let filter = |since: &str, until: &str, account: &str, region: &str| LogFilter {
            since: Date::parse(since),
            until: Date::parse(until),
            accounts: Some(account.to_owned()).filter(|account| !account.is_empty()).into_iter().collect(),
            regions: Some(region.to_owned()).filter(|region| !region.is_empty()).into_iter().collect(),
        };
        let file = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/\
                    111122223333_CloudTrail_eu-west-1_20250303T0005Z_abcdefghijklmnop.json.gz";
        for (filter, expected) in [
            (LogFilter::default(), true),
            (filter("2025-03-03", "2025-03-03", "111122223333", "eu-west-1"), true),
            (filter("2025-03-04", "", "", ""), false),
            (filter("", "2025-03-02", "", ""), false),
            (filter("", "", "1", ""), false),
            (filter("", "", "", "us-east-1"), false),
        ] {
            assert_eq!(filter.accepts(file), expected, "{filter:?}");
        }
        for odd in ["events.json", "a_b_c_d.json", "1_CloudTrail_eu-west-1_yesterday_x.json.gz", "-", "stdin"] {
            assert!(filter("2025-03-04", "", "9", "x").accepts(odd), "{odd}");
        }
    }
}
