//! Alerts of every kind, about findings of every size.

use offlimits::alert::{
    Alert, AlertDigest, AlertKind, Also, IncidentSum, IncidentTally, RollUp, SilenceNotice, Together,
};
use offlimits::cloudtrail::RawRecord;
use offlimits::finding::{Change, Finding, FirstSeen, Step};
use offlimits::ids::AlertId;
use offlimits::ruleset::RuleSet;
use offlimits::severity::Severity;
use offlimits::time::Timestamp;
use serde_json::{Value, json};

use super::samples::channels;

/// What attackers write where they may write: mentions, markup of every target, links, headers, queries, placeholders, and
/// characters that hide or turn text.
pub(crate) const HOSTILE: &str = "<!channel> <@U1> *b* `c` <https://evil.example/x|click> @[sys_id:you] {{ticket.requester.email}} \
    {% if %} [code]<script>alert(1)</script>[/code] [x](https://evil.example) www.evil.example ![y](z)\r\nSubject: x\r\n\r\n \
    ^ORactive=true \u{202e}gnp.exe\0 & \"q\" 'q' \\ \u{1f600} <at>you</at> <img src=x onerror=alert(1)>";

/// A command that is fit to be shown, and full of what would be markup to one vendor or another.
pub(crate) const HOSTILE_COMMAND: &str =
    "aws x --y '<!channel> *b* _i_ ~s~ `c` ```d``` @[sys_id:you] [code]<b>e</b>[/code] {{a.b}} {% if %} <at>you</at>'";

/// What the finding called "full" changed: the fact that decides.
pub(crate) const OPENED: &str = "tcp 22 from 0.0.0.0/0";

/// Rules with a channel of every type, called as its type is.
pub(crate) fn rules(title: &str, description: &str) -> RuleSet {
    let source = json!({
        "channels": channels(), "time_zone": "America/Argentina/ComodRivadavia",
        "sso_start_url": "https://d-1234567890.awsapps.com/start", "sso_role": "ReadOnly+Access",
        "rules": [{
            "id": "RTM-011", "title": title, "description": description, "severity": "very-high",
            "runbook": "https://wiki.example.com/rtm-011?a=1&b=2", "when": { "event": { "exists": true } }
        }]
    });
    RuleSet::compile(&source.to_string()).unwrap().rules
}

pub(crate) fn finding(rules: &RuleSet, record: &Value) -> Finding {
    rules
        .evaluate(&RawRecord { json: record.to_string(), index: 0, message_id: None, account: None })
        .unwrap()
        .remove(0)
}

/// A record whose every text is `text`.
pub(crate) fn record_of(text: &str) -> Value {
    json!({
        "eventName": format!("x{text}"), "eventSource": text, "eventTime": text, "eventID": text, "awsRegion": text,
        "sourceIPAddress": text, "userAgent": text, "errorCode": text, "errorMessage": text, "recipientAccountId": text,
        "userIdentity": { "type": text, "userName": text, "arn": text, "accountId": text, "principalId": text },
        "requestParameters": { "instanceId": [text, text, text, text, text], "note": text }
    })
}

/// The finding, with so many changes and steps whose every text is `text`.
fn with_changes(mut finding: Finding, text: &str, count: usize) -> Finding {
    let change = Change { what: text.to_owned(), before: Some(text.to_owned()), after: text.to_owned() };
    let step = |command: String| Step { text: format!("Do {text} now."), command: Some(command) };
    finding.changes = vec![change; count];
    finding.steps = vec![step(format!("aws x --y '{text}'")), step(HOSTILE_COMMAND.to_owned())];
    finding.steps.resize(count, step("aws sts get-caller-identity".to_owned()));
    finding
}

/// What each is called, and the finding.
pub(crate) fn findings() -> Vec<(&'static str, Finding)> {
    let plain = rules("{event} by {actor}", "Nobody does this.");
    let full: Value = serde_json::from_str(include_str!("../../events/security-group-opened.json")).unwrap();
    let (long_title, long_description) = ("t".repeat(5000), "d".repeat(50_000));
    let mut opened = finding(&plain, &full["detail"]);
    opened.changes = vec![Change { what: "inbound".to_owned(), before: None, after: OPENED.to_owned() }];
    let close = "aws ec2 revoke-security-group-ingress --group-id sg-0123456789abcdef0 --ip-permissions '[{\"IpProtocol\":\"tcp\"}]'";
    opened.steps = vec![
        Step { text: "Close the port again.".to_owned(), command: Some(close.to_owned()) },
        Step { text: "Ask whoever opened it.".to_owned(), command: None },
    ];
    let extreme = |finding: Finding, text: &str| with_changes(finding, &text.repeat(10_240 / text.len()), 30);
    let mut findings = vec![
        ("minimal", finding(&plain, &json!({ "eventName": "x" }))),
        ("full", opened),
        (
            "hostile",
            with_changes(
                finding(&rules("{event} by {actor}: {user_agent}", "Nobody does this."), &record_of(HOSTILE)),
                HOSTILE,
                3,
            ),
        ),
        ("maximal", extreme(finding(&rules(&long_title, &long_description), &record_of(&"é".repeat(9_000))), "é")),
        (
            "quotes",
            extreme(
                finding(&rules("{event}", &"\"\\".repeat(20_000)), &record_of(&"\"\\<&'".repeat(2_000))),
                "\"\\<&'",
            ),
        ),
        (
            "wide",
            extreme(
                finding(&rules("{event}", &"\u{1f600}".repeat(20_000)), &record_of(&"\u{1f600}".repeat(3_000))),
                "\u{1f600}",
            ),
        ),
    ];
    findings.iter_mut().skip(1).for_each(|(_, finding)| fill(finding));
    findings
}

/// Tells of a finding all that can be told of one: every fact has a value.
fn fill(finding: &mut Finding) {
    finding.first_seen = Some(FirstSeen { is_now: true, at: Timestamp::from_millis(0) });
    let call = &mut finding.call;
    let text = call.source_ip.clone().unwrap_or_default();
    for empty in [
        &mut call.unit,
        &mut call.account_name,
        &mut call.caller_account,
        &mut call.caller_account_name,
        &mut call.principal,
        &mut call.person,
        &mut call.acting_service,
        &mut call.delegate,
        &mut call.source_identity,
        &mut call.on_behalf_of,
        &mut call.access_key_id,
        &mut call.country,
        &mut call.network,
        &mut call.error,
    ] {
        empty.get_or_insert_with(|| text.clone());
    }
    (call.mfa, call.from_console, call.assumed_root) = (Some(false), true, true);
}

/// Sums of so many alerts like `finding`, by as many actors.
pub(crate) struct Sums {
    roll_up: RollUp,
    digest: AlertDigest,
    operational: String,
}

impl Sums {
    pub(crate) fn of(finding: &Finding, count: usize) -> Self {
        let (mut roll_up, mut digest) = (RollUp::default(), AlertDigest::default());
        for number in 0..count {
            let mut finding = finding.clone();
            let actor = finding.call.actor.unwrap_or_default();
            finding.call.actor = Some(format!("{number} {}", actor.chars().take(200).collect::<String>()));
            roll_up.add(&finding);
            let mut rule = (*finding.rule).clone();
            rule.id = format!("RTM-{number:03}-{}", "x".repeat(90));
            finding.rule = rule.into();
            digest.add(&finding);
        }
        let operational = format!("alerts for the channel \"soc\" were rejected: {}", finding.call.sentence);
        Self { roll_up, digest, operational }
    }

    /// One of each kind.
    pub(crate) fn kinds(&self) -> [AlertKind<'_>; 7] {
        let Self { roll_up, digest, operational } = self;
        [
            AlertKind::First,
            AlertKind::Repeat,
            AlertKind::News,
            AlertKind::RollUp(roll_up),
            AlertKind::Digest(digest),
            AlertKind::Operational(operational),
            AlertKind::Test,
        ]
    }
}

/// Others of the same record, or roll-ups of the same minute: as many as one message tells.
fn others(finding: &Finding, id: &AlertId, count: usize) -> Vec<Also> {
    let also = |number: usize| Also { rule: format!("RTM-{number:03}-{}", "x".repeat(90)), ..Also::new(finding, id) };
    (0..count).map(also).collect()
}

/// An incident that is as long as one may be: as many grave rules as are named, each on a target with a long name.
fn incident(finding: &Finding) -> IncidentSum {
    let mut tally = IncidentTally::default();
    for number in 0..100 {
        let mut finding = finding.clone();
        let long = |text: &str| format!("{number} {}", text.chars().take(2000).collect::<String>());
        finding.severity = Severity::Extreme;
        finding.call.targets = vec![long(finding.call.targets.first().map_or("x", String::as_str))];
        finding.call.event = finding.call.event.as_deref().map(long);
        finding.call.actor = finding.call.actor.as_deref().map(long);
        let mut one = RollUp::default();
        one.add(&finding);
        tally.add(&format!("RTM-{number:03}-{}", "x".repeat(90)), &one);
    }
    tally.sum(Some(7), 1_768_044_764_000, false)
}

/// A silence whose maker and reason are what an attacker writes into the table.
fn silence() -> SilenceNotice {
    let until = Timestamp::from_millis(1_768_044_764_000);
    SilenceNotice { id: HOSTILE.to_owned(), until, who: HOSTILE.to_owned(), reason: HOSTILE.to_owned() }
}

/// Calls `with` for every kind of alert about the finding, and for all that a message may tell beside its kind: other findings of
/// its record, other roll-ups of its minute, an incident so far, and the silence that begins with it. Each with its name.
pub(crate) fn each_case(finding: &Finding, mut with: impl FnMut(&str, &Alert<'_>)) {
    each_kind(finding, |alert| with(alert.kind.as_str(), alert));
    let id = AlertId::new(&finding.rule.id, "soc", &finding.id);
    let (sums, incident, silence) = (Sums::of(finding, 40), incident(finding), silence());
    let [_, _, _, roll_up, ..] = sums.kinds();
    let (merged, roll_ups) = (others(finding, &id, 32), others(finding, &id, 19));
    let alone = Together::default();
    for (name, kind, together) in [
        ("merged", AlertKind::First, Together { also: &merged, ..alone }),
        ("roll-ups", roll_up, Together { also: &roll_ups, ..alone }),
        ("incident", AlertKind::Update(&incident), Together { raised: Some(Severity::Extreme), ..alone }),
        ("silenced-first", AlertKind::First, Together { silence: Some(&silence), ..alone }),
        ("silenced-merged", AlertKind::News, Together { also: &merged, silence: Some(&silence), ..alone }),
    ] {
        with(name, &Alert { finding, id: &id, kind, receipt: Some("1503435956.000247"), together });
    }
}

/// Calls `with` for every kind of alert about the finding.
pub(crate) fn each_kind(finding: &Finding, mut with: impl FnMut(&Alert<'_>)) {
    let id = AlertId::new(&finding.rule.id, "soc", &finding.id);
    let sums = Sums::of(finding, 40);
    for kind in sums.kinds() {
        with(&Alert { finding, id: &id, kind, receipt: Some("1503435956.000247"), together: Together::default() });
    }
}
