//! How CloudTrail names its files: `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`, the time being that of delivery.
//! Source: AWS CloudTrail User Guide, "CloudTrail log file examples".

use crate::rules::Date;

/// Which of an archive's log files are read. Files that are not named as CloudTrail names them are: nobody can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The first day, UTC.
    pub since: Option<Date>,
    /// The last day, UTC.
    pub until: Option<Date>,
    /// The accounts; none: all.
    pub accounts: Vec<String>,
    /// The regions; none: all.
    pub regions: Vec<String>,
}

impl Filter {
    /// Whether a file of this name is read.
    pub fn accepts(&self, file: &str) -> bool {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let mut parts = name.split('_');
        let (Some(account), Some(kind), Some(region), Some(time)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return true;
        };
        let day = Date::of_time(time);
        if !kind.starts_with("CloudTrail") || day.is_none() {
            return true;
        }
        let within = |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == value);
        within(&self.accounts, account)
            && within(&self.regions, region)
            && self.since.is_none_or(|since| day >= Some(since))
            && self.until.is_none_or(|until| day <= Some(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_names() {
        let filter = |since: &str, until: &str, account: &str, region: &str| Filter {
            since: Date::parse(since),
            until: Date::parse(until),
            accounts: Some(account.to_owned()).filter(|account| !account.is_empty()).into_iter().collect(),
            regions: Some(region.to_owned()).filter(|region| !region.is_empty()).into_iter().collect(),
        };
        let file = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/\
                    111122223333_CloudTrail_eu-west-1_20250303T0005Z_abcdefghijklmnop.json.gz";
        for (filter, expected) in [
            (Filter::default(), true),
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
