//! Trails: `EventBridge` hears of a region's calls only while a trail of the account logs there.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>

use std::time::Duration;

use serde_json::{Value, json};

use super::selectors::Selectors;
use crate::aws::ApiService;
use crate::cli::doctor::asker::{Asker, Metric, list, text};
use crate::cli::doctor::check::Check;
use crate::cli::doctor::delivery::Wanted;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;
use crate::text::enumerated;

pub(super) const CHECKS: &[&Check] = &[
    &MISSING,
    &STOPPED,
    &ORGANIZATION_ONLY,
    &NO_MANAGEMENT_EVENTS,
    &NO_READ_EVENTS,
    &EXCLUDED_SOURCE,
    &NO_DATA_EVENTS,
];

static MISSING: Check = Check {
    code: "trail-missing",
    summary: "No trail of the account covers the region: EventBridge hears of no call there, and so the function of none.",
    asks: &["cloudtrail:DescribeTrails"],
};

static STOPPED: Check = Check {
    code: "trail-stopped",
    summary: "Trails cover the region, and none of them logs.",
    asks: &["cloudtrail:GetTrailStatus"],
};

static ORGANIZATION_ONLY: Check = Check {
    code: "trail-organization-only",
    summary: "Only a trail of the organization logs in this member account, and the EventBridge rule matched nothing for a day. That \
              such a trail feeds a member's EventBridge is written nowhere, so it is no proof; a rule that matches events is.",
    asks: &["cloudtrail:DescribeTrails", "cloudwatch:GetMetricStatistics"],
};

static NO_MANAGEMENT_EVENTS: Check = Check {
    code: "trail-management-events",
    summary: "No trail that logs records management events that change something.",
    asks: &["cloudtrail:GetEventSelectors"],
};

static NO_READ_EVENTS: Check = Check {
    code: "trail-read-events",
    summary: "Rules wait for read-only calls, and no trail that logs records them.",
    asks: &["cloudtrail:GetEventSelectors"],
};

static EXCLUDED_SOURCE: Check = Check {
    code: "trail-excluded-source",
    summary: "Every trail that logs leaves out the events of a service (KMS, the RDS Data API) that rules watch.",
    asks: &["cloudtrail:GetEventSelectors"],
};

static NO_DATA_EVENTS: Check = Check {
    code: "trail-data-events",
    summary: "Rules wait for data events (objects of S3, items of DynamoDB, invocations), and no trail that logs records any of that \
              service.",
    asks: &["cloudtrail:GetEventSelectors"],
};

/// How long back a rule may have matched something to prove that events arrive.
const PROOF: Duration = Duration::from_hours(24);

/// A trail that covers a region.
#[derive(Debug)]
struct Trail {
    arn: String,
    home: String,
    /// Whether it is the organization's, and another account's.
    is_foreign: bool,
    is_logging: bool,
}

/// Looks at the trails of an account in a region whose events this `EventBridge` rule gets.
pub(in crate::cli::doctor) async fn look(
    asker: Asker<'_>,
    account: &str,
    rule: &str,
    wanted: &Wanted,
    notes: &mut Notes,
) {
    let Some(trails) = trails(asker, account, notes).await else { return };
    let region = asker.region;
    let own: Vec<&Trail> = trails.iter().filter(|trail| !trail.is_foreign).collect();
    let logging: Vec<&Trail> = own.iter().copied().filter(|trail| trail.is_logging).collect();
    if logging.is_empty() {
        if let Some(trail) = own.first() {
            let start = ["cloudtrail", "start-logging", "--name", &trail.arn];
            let message = "the trail does not log, and no other does";
            notes.find(&STOPPED, &trail.arn, message, Remedy::new().aws(&trail.home, start));
        } else if let Some(trail) = trails.iter().find(|trail| trail.is_logging) {
            if !is_fed(asker, rule, notes).await {
                let message =
                    "only a trail of the organization logs here, and the EventBridge rule matched nothing for a day";
                notes.find(&ORGANIZATION_ONLY, &trail.arn, message, own_trail(region));
            }
        } else {
            notes.find(&MISSING, account, "no trail covers the region", own_trail(region));
        }
        return;
    }
    let mut selectors = Vec::new();
    for trail in logging {
        let input = json!({"TrailName": trail.arn});
        let answer = asker.in_region(&trail.home).json(&ApiService::CLOUDTRAIL, "GetEventSelectors", input).await;
        // A trail that was deleted a moment ago counts for nothing.
        let Some(answer) = notes.there(answer) else { return };
        selectors.push((trail, Selectors::read(&answer)));
    }
    judge(&selectors, wanted, notes);
}

/// What the selectors of the trails that log leave out.
fn judge(trails: &[(&Trail, Selectors)], wanted: &Wanted, notes: &mut Notes) {
    let Some((first, selectors)) = trails.first() else { return };
    let put = |selectors: Selectors| {
        let (option, value) = selectors.written();
        let words = ["cloudtrail", "put-event-selectors", "--trail-name", &first.arn, option, &value];
        Remedy::new().aws(&first.home, words)
    };
    if !trails.iter().any(|(_, selectors)| selectors.records_writes()) {
        let message = "no trail that logs records management events that change something";
        notes.find(&NO_MANAGEMENT_EVENTS, &first.arn, message, put(selectors.with_management()));
        return;
    }
    let readers = wanted.read_only();
    if !readers.is_empty() && !trails.iter().any(|(_, selectors)| selectors.records_reads()) {
        let message =
            format!("no trail that logs records read-only calls, which {} cannot do without", rules(&readers));
        notes.find(&NO_READ_EVENTS, &first.arn, message, put(selectors.with_management()));
    }
    for source in Selectors::EXCLUDABLE {
        let watchers = wanted.of_service(source);
        if !watchers.is_empty() && trails.iter().all(|(_, selectors)| selectors.excludes(source)) {
            let message = format!("the events of {source} are left out, and {} can match them", rules(&watchers));
            notes.find(&EXCLUDED_SOURCE, &first.arn, message, put(selectors.with_source(source)));
        }
    }
    for (service, watchers) in wanted.data() {
        if !trails.iter().any(|(_, selectors)| selectors.records_data(service)) {
            let of = if service.is_empty() { String::new() } else { format!(" of {service}") };
            let message =
                format!("no trail that logs records data events{of}, which {} cannot do without", rules(&watchers));
            notes.find(&NO_DATA_EVENTS, &first.arn, message, put(selectors.with_data(service)));
        }
    }
}

/// `the rule A`, `the rules A, B and 3 more`
pub(super) fn rules(ids: &[&str]) -> String {
    format!("the rule{} {}", if ids.len() == 1 { "" } else { "s" }, enumerated(ids))
}

/// The trails that cover a region, and whether each logs. `None` if somebody did not answer.
async fn trails(asker: Asker<'_>, account: &str, notes: &mut Notes) -> Option<Vec<Trail>> {
    let input = json!({"includeShadowTrails": true});
    let answer = notes.there(asker.json(&ApiService::CLOUDTRAIL, "DescribeTrails", input).await)?;
    let mut trails = Vec::new();
    for trail in list(&answer, "trailList") {
        let Some(arn) = text(trail, "TrailARN") else { continue };
        let home = text(trail, "HomeRegion").unwrap_or(asker.region);
        let is_multi_region = trail.get("IsMultiRegionTrail").and_then(Value::as_bool) == Some(true);
        if home != asker.region && !is_multi_region {
            continue;
        }
        let is_organizations = trail.get("IsOrganizationTrail").and_then(Value::as_bool) == Some(true);
        let is_foreign = is_organizations && arn.split(':').nth(4) != Some(account);
        let status = asker.json(&ApiService::CLOUDTRAIL, "GetTrailStatus", json!({"Name": arn})).await;
        let status = match notes.told(status) {
            crate::cli::doctor::report::Told::There(status) => status,
            crate::cli::doctor::report::Told::Missing => continue,
            crate::cli::doctor::report::Told::Unknown => return None,
        };
        let is_logging = status.get("IsLogging").and_then(Value::as_bool) == Some(true);
        trails.push(Trail { arn: arn.to_owned(), home: home.to_owned(), is_foreign, is_logging });
    }
    Some(trails)
}

/// Whether an `EventBridge` rule has matched anything lately. Whoever does not answer is noted, and proves nothing.
async fn is_fed(asker: Asker<'_>, rule: &str, notes: &mut Notes) -> bool {
    let dimension = ("RuleName", rule);
    let metric = Metric { namespace: "AWS/Events", name: "MatchedEvents", dimension, statistic: "Sum" };
    notes.there(asker.metric(metric, PROOF).await).flatten().is_some_and(|matched| matched > 0.0)
}

/// A trail of the account's own, for every region. Its bucket is for whoever runs it to name.
fn own_trail(region: &str) -> Remedy {
    let create = "aws cloudtrail create-trail --name offlimits --s3-bucket-name \"$BUCKET\" --is-multi-region-trail";
    let region = crate::rules::quoted(region);
    Remedy::new()
        .shell("BUCKET=… # a bucket that CloudTrail may write to")
        .shell(format!("{create} --region {region}"))
        .shell(format!("aws cloudtrail start-logging --name offlimits --region {region}"))
}
