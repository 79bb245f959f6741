//! An SMS: one part, whose beginning says how it ended, where, who did what, and what changed. What is cut off is the least
//! telling end.
//!
//! SNS puts the topic's display name before it, in capitals, with `> `: `OFFLIMITS> ` takes 11 of the 160 characters of a part.
//! Sources: <https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-topic.html> and
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html>.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::Content;
use super::ascii::{cut, cut_middle, gsm};
use super::facts::USER_AGENT;
use super::inert::short;
use crate::alert::{Alert, AlertKind, Also};
use crate::cloudtrail::{ApiCall, HIDDEN, HIDDEN_SHOWN, short_name};
use crate::finding::Finding;

/// Characters of one part, of the basic GSM set.
pub(super) const PART: u64 = 160;
/// The fewest that say anything.
pub(super) const LEAST: u64 = 100;

/// How far names are cut so that what changed has room, from the least: the first of these with which it has. `target: 0` leaves
/// the target out.
const NAMES: [Names; 5] = [
    Names { account: 24, actor: 28, event: 40, target: 48 },
    Names { account: 24, actor: 28, event: 40, target: 24 },
    Names { account: 20, actor: 20, event: 40, target: 12 },
    Names { account: 16, actor: 14, event: 32, target: 10 },
    Names { account: 12, actor: 12, event: 32, target: 0 },
];
/// Characters of a change that has room. What is longer tells what it is by its beginning.
const CHANGE_ROOM: usize = 60;

/// Characters of an agent: a program's name stands at its beginning.
const AGENT: usize = 22;

/// Characters of each name.
struct Names {
    account: usize,
    actor: usize,
    event: usize,
    target: usize,
}

/// The text of an alert, of so many characters at most.
pub(super) fn sms(alert: &Alert<'_>, content: &Content, limit: usize) -> String {
    let severity = content.severity.label();
    let call = &alert.finding.call;
    let once = match alert.kind {
        AlertKind::First => String::new(),
        AlertKind::Repeat | AlertKind::News => "again, ".to_owned(),
        AlertKind::RollUp(sum) if sum.count == 0 => "1 or more like it, first ".to_owned(),
        AlertKind::RollUp(sum) => format!("{} more, first ", sum.count),
        AlertKind::Update(sum) => format!("{} in all, first ", sum.all.count),
        AlertKind::Digest(_) | AlertKind::Operational(_) | AlertKind::Test => {
            return cut(&gsm(&format!("{severity} {}: {}", content.rule, content.sentence)), limit);
        }
    };
    let start = format!("{severity} {once}{} in ", outcome(call));
    // An insight's record tells of nobody's call.
    let is_call = call.event.is_some() && call.event_type.as_deref() != Some("AwsCloudTrailInsight");
    if !is_call {
        let account = cut_middle(&named(account(call)), NAMES[0].account);
        return cut(&format!("{start}{account}: {}", gsm(&content.sentence)), limit);
    }
    // There is no room to say that something is hidden.
    let told = content.changes.iter().filter(|change| !change.ends_with(HIDDEN_SHOWN));
    let mut changes = told.map(|change| gsm(change));
    let change = changes.next().map(|change| format!(": {change}")).unwrap_or_default();
    let mut text = String::new();
    // What changed tells of the factor otherwise.
    let is_without_mfa =
        content.changes.is_empty() && call.mfa == Some(false) && call.event.as_deref() == Some("ConsoleLogin");
    let factor = if is_without_mfa { " without MFA" } else { "" };
    let others = if alert.together.also.is_empty() { 0 } else { counted(alert.together.also).len() };
    for names in NAMES {
        text = format!("{start}{}{factor}", who_did_what(call, &names));
        if text.len() + change.len().min(CHANGE_ROOM) + others <= limit {
            break;
        }
    }
    text.push_str(&change);
    text = with_others(text, alert.together.also, limit);
    for part in changes.map(|change| format!("; {change}")).chain(rest(alert.finding, content)) {
        if text.len() + part.len() <= limit {
            text.push_str(&part);
        }
    }
    cut(&text, limit)
}

/// `production: bob AuthorizeSecurityGroupIngress on sg-0123456789abcdef0`
fn who_did_what(call: &ApiCall, names: &Names) -> String {
    let name = |text: &str, limit: usize| cut_middle(&named(text), limit);
    let event = call.event.as_deref().unwrap_or_default();
    let account = name(account(call), names.account);
    let mut text = format!("{account}: {} {}", name(actor(call), names.actor), name(event, names.event));
    if let Some(target) = call.targets.first().filter(|_| names.target > 0) {
        let _ = write!(text, " on {}", name(&target_name(target, call.account.as_deref()), names.target));
        if call.targets.len() > 1 {
            let _ = write!(text, " +{}", call.targets.len() - 1);
        }
    }
    text
}

/// The text with what its message tells of, too: the ids of their rules, or how many they are where those have no room.
fn with_others(mut text: String, also: &[Also], limit: usize) -> String {
    if also.is_empty() {
        return text;
    }
    let rules: Vec<&str> = also.iter().map(|also| also.rule.as_str()).collect();
    let named = gsm(&format!(", also {}", rules.join(", ")));
    if text.len() + named.len() <= limit {
        return text + &named;
    }
    let counted = counted(also);
    text = cut(&text, limit.saturating_sub(counted.len()));
    text + &counted
}

/// How many other rules a message tells of.
fn counted(also: &[Also]) -> String {
    format!(", +{} rule{}", also.len(), if also.len() == 1 { "" } else { "s" })
}

/// What is told while there is room, the most telling first.
fn rest<'c>(finding: &'c Finding, content: &'c Content) -> impl Iterator<Item = String> + 'c {
    let call = &finding.call;
    let why = call.error.as_deref().filter(|_| outcome(call) == "FAILED");
    let agent = content.facts.iter().find(|(name, _)| name == USER_AGENT);
    let agent = agent.map(|(_, agent)| format!(", {}", cut(&named(agent), AGENT)));
    // Where the title names the program, it is what the rule is about.
    let names_it = |agent: &str| finding.title.contains(agent.get(..AGENT).unwrap_or(agent));
    let (subject, agent) = if call.user_agent.as_deref().is_some_and(names_it) { (agent, None) } else { (None, agent) };
    [
        subject,
        call.delegate.as_deref().map(|account| format!(", delegated to {}", named(account))),
        why.map(|error| format!(" ({})", named(error))),
        call.region.as_deref().map(|region| format!(", {}", named(region))),
        call.source_ip.as_deref().map(|source| format!(", from {}", named(source))),
        Some(format!(", {}", gsm(&content.rule))),
        agent,
    ]
    .into_iter()
    .flatten()
}

/// A text of the record as an SMS shows it.
fn named(text: &str) -> String {
    gsm(&short(text))
}

/// `allowed`, `DENIED` or `FAILED`.
fn outcome(call: &ApiCall) -> &'static str {
    call.outcome_word().unwrap_or("allowed")
}

/// What people call the account, or else its id.
fn account(call: &ApiCall) -> &str {
    let known = call.account_name.as_deref().or(call.account.as_deref());
    known.filter(|account| !account.is_empty()).unwrap_or("an unknown account")
}

fn actor(call: &ApiCall) -> &str {
    match (call.identity.as_deref(), call.actor.as_deref()) {
        (Some("Root"), _) => "root",
        // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
        (_, None | Some("" | HIDDEN)) => "somebody",
        (_, Some(actor)) => own_name(actor),
    }
}

/// What people call what was acted on. IAM's own things go without their kind, for which there is no room: the call tells it.
fn target_name<'t>(target: &'t str, own: Option<&str>) -> Cow<'t, str> {
    if target.split(':').nth(2) == Some("iam") { own_name(target).into() } else { short_name(target, own) }
}

/// The last part of an ARN, which tells the most of it: `Admin` of `arn:aws:iam::123456789012:role/Admin`.
fn own_name(name: &str) -> &str {
    let mut parts = name.splitn(6, ':');
    match (parts.next(), parts.nth(1), parts.nth(2)) {
        (Some("arn"), Some("s3"), Some(own)) => own,
        (Some("arn"), _, Some(own)) => own.rsplit(['/', ':']).next().filter(|own| !own.is_empty()).unwrap_or(own),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::alert::{RollUp, Together};
    use crate::finding::Change;
    use crate::ids::AlertId;

    fn finding() -> Finding {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        finding.rule = Arc::new(crate::rules::RuleInfo { id: "CIS-10".to_owned(), ..Default::default() });
        let call = &mut finding.call;
        call.event = Some("AuthorizeSecurityGroupIngress".to_owned());
        call.actor = Some("bob".to_owned());
        call.account = Some("111122223333".to_owned());
        call.region = Some("us-east-1".to_owned());
        call.targets = vec!["sg-0123456789abcdef0".to_owned()];
        finding
    }

    fn text(finding: &Finding, kind: AlertKind<'_>) -> String {
        let id = AlertId::new("CIS-10", "topic", &finding.id);
        let alert = Alert::alone(finding, &id, kind);
        sms(&alert, &Content::new(&alert), 149)
    }

    #[test]
    fn the_outcome_and_the_account_come_first_and_then_what_changed() {
        let mut finding = finding();
        let inbound = |after: &str| Change { what: "inbound".into(), before: None, after: after.into() };
        finding.changes = vec![inbound("tcp 22 from 0.0.0.0/0"), inbound("tcp 3389 from 0.0.0.0/0")];
        assert_eq!(
            text(&finding, AlertKind::First),
            "LOW allowed in 111122223333: bob AuthorizeSecurityGroupIngress on sg-0123456789abcdef0: inbound: tcp 22 from \
             0.0.0.0/0, us-east-1, CIS-10"
        );
        finding.call.account_name = Some("production".to_owned());
        (finding.call.failed, finding.call.error) = (true, Some("UnauthorizedOperation".to_owned()));
        finding.call.sentence = "bob: failed (x) called it: denied (UnauthorizedOperation)".to_owned();
        assert_eq!(
            text(&finding, AlertKind::Repeat),
            "LOW again, DENIED in production: bob AuthorizeSecurityGroupIngress on sg-0123456789abcdef0: inbound: tcp 22 from \
             0.0.0.0/0, us-east-1, CIS-10"
        );
        finding.call.user_agent = Some("stratus-red-team_6a7ec681-49a5-4403-99a2-d3c1229e8063".to_owned());
        finding.call.delegate = Some("999999999999".to_owned());
        finding.call.account_name = Some("prod".to_owned());
        finding.changes.clear();
        assert_eq!(
            text(&finding, AlertKind::First),
            "LOW DENIED in prod: bob AuthorizeSecurityGroupIngress on sg-0123456789abcdef0, delegated to 999999999999, \
             us-east-1, CIS-10, stratus-red-team_6a7.."
        );
        let sum = RollUp { count: 312, ..RollUp::default() };
        assert!(text(&finding, AlertKind::RollUp(&sum)).starts_with("LOW 312 more, first DENIED in prod: bob "));
    }

    #[test]
    fn others_of_the_record_are_told_by_rule_or_counted() {
        let (mut finding, id) = (finding(), AlertId::new("CIS-10", "topic", &finding().id));
        let also = ["CIS-4", "RTM-011"].map(|rule| Also { rule: rule.to_owned(), ..Also::new(&finding, &id) });
        let told = |finding: &Finding| {
            let together = Together { also: &also, ..Together::default() };
            let alert = Alert { finding, id: &id, kind: AlertKind::First, receipt: None, together };
            sms(&alert, &Content::new(&alert), 149)
        };
        assert_eq!(
            told(&finding),
            "LOW allowed in 111122223333: bob AuthorizeSecurityGroupIngress on sg-0123456789abcdef0, also CIS-4, RTM-011, \
             us-east-1, CIS-10"
        );
        let after = "tcp 22 from 0.0.0.0/0".repeat(9);
        finding.changes = vec![Change { what: "inbound".into(), before: None, after }];
        let counted = told(&finding);
        assert!(counted.ends_with(", +2 rules") && counted.len() <= 149, "{counted}");
    }

    #[test]
    fn names_are_cut_before_what_changed_is() {
        let mut finding = finding();
        finding.call.actor = Some("AWSReservedSSO_AdministratorAccess_0123456789abcdef/jana".to_owned());
        finding.call.account_name = Some("a-very-long-name-of-an-account-for-production".to_owned());
        finding.call.targets = vec!["arn:aws:iam::111122223333:role/path/OrganizationAccountAccessRole".to_owned(); 3];
        finding.changes = vec![Change {
            what: "trusts".into(),
            before: None,
            after: "999999999999, 888888888888, 777777777777".into(),
        }];
        let text = text(&finding, AlertKind::First);
        assert_eq!(
            text,
            "LOW allowed in a-very-..duction: AWSRes..f/jana AuthorizeSecurityGroupIngress on Orga..Role +2: trusts: 999999999999, \
             888888888888, 777777777777"
        );
        assert!(text.len() <= 149);
    }

    #[test]
    fn nothing_of_a_record_makes_it_longer_than_one_part() {
        let mut finding = finding();
        for name in ["名前".repeat(99), "é".repeat(999), "{}[]|~".repeat(99), "\u{1f600}a".repeat(999), String::new()]
        {
            let call = &mut finding.call;
            (call.actor, call.account, call.event) = (Some(name.clone()), Some(name.clone()), Some(name.clone()));
            (call.region, call.targets) = (Some(name.clone()), vec![name.clone()]);
            finding.changes = vec![Change { what: name.clone(), before: None, after: name.clone() }];
            let text = text(&finding, AlertKind::First);
            assert!(
                text.len() <= 149 && text.chars().all(|c| (' '..='~').contains(&c) && !"[]{}|~^\\`".contains(c)),
                "{text}"
            );
            assert!(text.starts_with("LOW allowed in "), "{text}");
        }
    }

    #[test]
    fn what_is_nobodys_call_is_told_by_its_sentence() {
        let mut finding = finding();
        finding.call.event = None;
        finding.call.sentence = "CloudTrail Insights: an unusual rate of calls began".to_owned();
        assert_eq!(
            text(&finding, AlertKind::First),
            "LOW allowed in 111122223333: CloudTrail Insights: an unusual rate of calls began"
        );
        finding.call.event = Some("ConsoleLogin".to_owned());
        (finding.call.mfa, finding.call.identity) = (Some(false), Some("Root".to_owned()));
        finding.call.targets.clear();
        finding.call.source_ip = Some("203.0.113.7".to_owned());
        assert_eq!(
            text(&finding, AlertKind::First),
            "LOW allowed in 111122223333: root ConsoleLogin without MFA, us-east-1, from 203.0.113.7, CIS-10"
        );
        finding.changes = vec![Change { what: "MFA".into(), before: None, after: "none".into() }];
        assert_eq!(
            text(&finding, AlertKind::First),
            "LOW allowed in 111122223333: root ConsoleLogin: MFA: none, us-east-1, from 203.0.113.7, CIS-10"
        );
    }

    #[test]
    fn targets_are_called_as_people_call_them() {
        for (target, called) in [
            ("arn:aws:iam::111122223333:role/path/Admin", "Admin"),
            (
                "arn:aws:cloudformation:us-east-1:111122223333:stack/web/0a1b2c3d-0000-0000-0000-000000000000",
                "stack/web",
            ),
            ("arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/pay:*", "/aws/lambda/pay"),
            ("arn:aws:lambda:us-east-1:999999999999:function:pay:live", "pay:live of account 999999999999"),
            ("arn:aws:s3:::bucket/key", "bucket/key"),
        ] {
            assert_eq!(target_name(target, Some("111122223333")), called);
        }
    }
}
