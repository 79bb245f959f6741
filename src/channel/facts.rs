//! The facts of an alert, the most urgent first: each one's name and value. What the sentence has said is said again only where
//! it reads better alone.

use std::fmt::Write as _;

use super::inert::{FACT_LIMIT, LIST_LIMIT, inert, inert_redacted};
use crate::alert::{AlertDigest, Also, IncidentSum, RollUp, SilenceNotice};
use crate::cloudtrail::ApiCall;
use crate::cloudtrail::agent::short_agent;
use crate::cloudtrail::credentials::Ancestor;
use crate::finding::{Finding, FirstSeen};
use crate::rules::MessageSettings;
use crate::text::clip;

/// The fact that tells the program.
pub(super) const USER_AGENT: &str = "User agent";

/// Facts, as they are gathered: those that have a value, each inert and clipped.
struct Facts {
    limit: usize,
    list: Vec<(String, String)>,
}

impl Facts {
    const fn new(limit: usize) -> Self {
        Self { limit, list: Vec::new() }
    }

    /// Adds a text of the record or of the rules.
    fn add(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        self.add_inert(name, value.map(|value| inert(value.as_ref())))
    }

    /// Adds a text in which nothing acts any more.
    fn add_inert(mut self, name: &str, value: Option<String>) -> Self {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.list.push((name.to_owned(), clip(&value, self.limit).into_owned()));
        }
        self
    }

    /// Adds a time as the record has it, and in the people's own zone, where they name one.
    fn add_time(self, name: &str, time: Option<&str>, settings: &MessageSettings) -> Self {
        let local = time.and_then(|time| settings.local_time(time));
        self.add(&format!("{name} (UTC)"), time).add_inert(&format!("{name} (local)"), local)
    }
}

/// Whose credentials were used, the first of all first: `jana (111122223333) → Relay (111122223333) → Audit (444455556666)`.
fn lineage(finding: &Finding) -> Option<String> {
    let named = |Ancestor { account, name }: &Ancestor| match account {
        Some(account) => format!("{name} ({account})"),
        None => name.clone(),
    };
    let told: Vec<String> = finding.lineage.iter().map(named).collect();
    // Of one alone the sentence tells.
    (told.len() > 1).then(|| told.join(" → "))
}

/// The facts of a finding's call that a person acts on.
pub(super) fn of_call(finding: &Finding) -> Vec<(String, String)> {
    let call = &finding.call;
    Facts::new(FACT_LIMIT)
        .add("Account", call.shown_account())
        .add("Unit", call.unit.as_deref())
        .add("Caller's account", call.shown_caller_account())
        .add("Region", call.region.as_deref())
        .add("Person", call.person.as_deref())
        .add("Lineage", lineage(finding))
        .add("Principal", call.arn.as_deref().or(call.actor.as_deref()))
        .add("Source", source(call))
        .add_inert(USER_AGENT, call.user_agent.as_deref().map(|agent| short_agent(&inert(agent))))
        .add("MFA", call.mfa.map(|mfa| if mfa { "yes" } else { "no" }))
        .add("Error", call.error.as_deref().or(call.error_message.as_deref()))
        .add_time("Time", call.event_time.as_deref(), &finding.rule.messages)
        .add("First seen", first_seen(finding))
        .add("Credentials", credentials(call))
        .list
}

/// What else the message tells of: `CIS-4 IAM policy changed; RTM-11 …`. What there is no room for is counted.
pub(super) fn of_others(also: &[Also]) -> Option<(String, String)> {
    let mut told = String::new();
    for (place, Also { rule, title, .. }) in also.iter().enumerate() {
        let one = clip(&inert_redacted(&format!("{rule} {title}")), ALSO_LIMIT).into_owned();
        if place == ALSO || told.chars().count() + one.chars().count() > ALSO_LIST_LIMIT {
            let _ = write!(told, "; and {} more", also.len() - place);
            break;
        }
        told.push_str(if place == 0 { "" } else { "; " });
        told.push_str(&one);
    }
    (!told.is_empty()).then(|| ("Also".to_owned(), told))
}

/// What a silence that begins holds back: until when, why, and who wants it.
pub(super) fn of_silence(SilenceNotice { id, until, who, reason }: &SilenceNotice) -> (String, String) {
    let (who, reason) = (inert_redacted(who), inert_redacted(reason));
    let told = format!(
        "the next findings like this one are held back here until {until}, for {who}: {reason} (offlimits silence end {})",
        inert(id)
    );
    ("Silence".to_owned(), clip(&told, LIST_LIMIT).into_owned())
}

/// Others that are told by name.
const ALSO: usize = 20;
/// Characters of one of them.
const ALSO_LIMIT: usize = 320;
/// Characters of all of them.
const ALSO_LIST_LIMIT: usize = 3 * LIST_LIMIT;

/// When a finding of its pair first came: `now, the first finding of DeleteTrail by Admin in 30 days`.
fn first_seen(finding: &Finding) -> Option<String> {
    let FirstSeen { is_now, at } = finding.first_seen?;
    if !is_now {
        let at = at.to_string();
        return Some(finding.rule.messages.local_time(&at).unwrap_or(at));
    }
    let (event, principal) = (finding.call.event.as_deref()?, finding.call.principal.as_deref()?);
    Some(format!("now, the first finding of {event} by {principal} in 30 days"))
}

/// What the call was signed with: `long-term access key AKIA…`, `console session, temporary key ASIA…`. Source of the prefixes:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>.
fn credentials(call: &ApiCall) -> Option<String> {
    let key = call.access_key_id.as_deref().filter(|key| !key.is_empty());
    let kind = key.map(|key| match key {
        _ if key.starts_with("AKIA") => "long-term access key",
        _ if key.starts_with("ASIA") => "temporary key",
        _ => "key",
    });
    let console = call.from_console.then_some("console session");
    let key = kind.zip(key).map(|(kind, key)| format!("{kind} {key}"));
    let parts: Vec<&str> = console.into_iter().chain(key.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The address with where it is: `203.0.113.7 (DE, AS3320 Deutsche Telekom AG)`.
fn source(call: &ApiCall) -> Option<String> {
    let address = call.source_ip.as_deref()?;
    let place: Vec<&str> = [&call.country, &call.network].into_iter().filter_map(|part| part.as_deref()).collect();
    Some(if place.is_empty() { address.to_owned() } else { format!("{address} ({})", place.join(", ")) })
}

pub(super) fn of_roll_up(finding: &Finding, sum: &RollUp) -> Vec<(String, String)> {
    let (first, last) = sum.span.bounds();
    Facts::new(LIST_LIMIT)
        .add("Count", Some(count(sum.count)))
        .add("Targets", Some(sum.targets.summary(LIST_LIMIT)))
        .add("Actors", Some(sum.actors.summary()))
        .add("Events", Some(sum.events.summary()))
        .add("Account", finding.call.shown_account())
        .add("Region", finding.call.region.as_deref())
        .add_time("From", Some(first), &finding.rule.messages)
        .add_time("To", Some(last), &finding.rule.messages)
        .list
}

/// Whose the credentials were first, of an incident that follows them.
fn origin(finding: &Finding) -> Option<&str> {
    finding.lineage.first().map(|one| one.name.as_str())
}

pub(super) fn of_incident(finding: &Finding, sum: &IncidentSum) -> Vec<(String, String)> {
    let (first, last) = sum.all.span.bounds();
    Facts::new(LIST_LIMIT)
        .add("Count", Some(count(sum.all.count)))
        .add("New", sum.news.map(|news| news.to_string()))
        .add("Origin", origin(finding))
        .add("Actors", Some(sum.all.actors.summary()))
        .add("Events", Some(sum.all.events.summary()))
        .add("Account", finding.call.shown_account())
        .add_time("From", Some(first), &finding.rule.messages)
        .add_time("To", Some(last), &finding.rule.messages)
        .list
}

/// How many findings a sum is of.
fn count(count: u64) -> String {
    if count == 0 { "at least 1".to_owned() } else { count.to_string() }
}

pub(super) fn of_digest(finding: &Finding, sum: &AlertDigest) -> Vec<(String, String)> {
    let (first, last) = sum.span.bounds();
    let mut rules: Vec<_> = sum.rules.iter().collect();
    rules.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut rules: Vec<String> = rules.into_iter().map(|(rule, count)| format!("{rule} × {count}")).collect();
    if sum.others > 0 {
        rules.push(format!("other rules × {}", sum.others));
    }
    Facts::new(LIST_LIMIT)
        .add("Count", Some(count(sum.count)))
        .add("Targets", Some(sum.targets.summary(LIST_LIMIT)))
        .add("Rules", Some(rules.join(", ")))
        .add_time("From", Some(first), &finding.rule.messages)
        .add_time("To", Some(last), &finding.rule.messages)
        .list
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ids::AlertId;
    use crate::rules::RuleInfo;
    use crate::time::Timestamp;

    fn told(change: impl FnOnce(&mut ApiCall)) -> Vec<(String, String)> {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        change(&mut finding.call);
        of_call(&finding)
    }

    fn value<'f>(facts: &'f [(String, String)], name: &str) -> Option<&'f str> {
        facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn credentials_tell_console_and_key_apart() {
        for (console, key, shown) in [
            (false, Some("AKIAIOSFODNN7EXAMPLE"), Some("long-term access key AKIAIOSFODNN7EXAMPLE")),
            (false, Some("ASIAIOSFODNN7EXAMPLE"), Some("temporary key ASIAIOSFODNN7EXAMPLE")),
            (true, Some("ASIAIOSFODNN7EXAMPLE"), Some("console session, temporary key ASIAIOSFODNN7EXAMPLE")),
            (true, None, Some("console session")),
            (false, Some(""), None),
            (false, None, None),
        ] {
            let facts = told(|call| {
                (call.from_console, call.access_key_id) = (console, key.map(str::to_owned));
            });
            assert_eq!(value(&facts, "Credentials"), shown);
        }
    }

    #[test]
    fn others_are_told_by_name_and_what_has_no_room_is_counted() {
        let also = |number: usize| {
            let finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
            let (rule, title) = (format!("R-{number}"), "IAM policy changed".to_owned());
            Also { rule, title, ..Also::new(&finding, &AlertId::new("R", "", &finding.id)) }
        };
        let told = |count| of_others(&(0..count).map(also).collect::<Vec<_>>()).map(|(_, told)| told);
        assert_eq!(told(0), None);
        assert_eq!(told(2).as_deref(), Some("R-0 IAM policy changed; R-1 IAM policy changed"));
        assert!(told(32).unwrap().ends_with("; R-19 IAM policy changed; and 12 more"), "{told:?}", told = told(32));
        let long = Also { title: "x".repeat(400), ..also(1) };
        let told = of_others(&vec![long; 20]).unwrap().1;
        assert!(told.chars().count() < ALSO_LIST_LIMIT + 200 && told.ends_with("; and 11 more"), "{told}");
    }

    #[test]
    fn an_address_is_told_with_where_it_is() {
        let facts = told(|call| {
            call.source_ip = Some("203.0.113.7".to_owned());
            call.network = Some("AS3320 Deutsche Telekom AG".to_owned());
        });
        assert_eq!(value(&facts, "Source"), Some("203.0.113.7 (AS3320 Deutsche Telekom AG)"));
        let facts = told(|call| {
            (call.source_ip, call.country) = (Some("203.0.113.7".to_owned()), Some("DE".to_owned()));
        });
        assert_eq!(value(&facts, "Source"), Some("203.0.113.7 (DE)"));
        assert_eq!(value(&told(|call| call.country = Some("DE".to_owned())), "Source"), None);
    }

    #[test]
    fn an_agent_is_short_and_holds_no_secret() {
        let agent = |agent: &str| told(|call| call.user_agent = Some(agent.to_owned()));
        assert_eq!(value(&agent("aws-cli/2.32.7 ua/2.1 os/linux#6.1"), "User agent"), Some("aws-cli 2.32 on Linux"));
        let long = format!("{} --password hunter2", "x".repeat(40));
        let shown = agent(&long);
        assert!(!value(&shown, "User agent").unwrap().contains("hunter2"), "{shown:?}");
    }

    #[test]
    fn when_a_pair_first_came_is_told_where_the_ledger_knows() {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        finding.call.principal = Some("Admin".to_owned());
        assert_eq!(value(&of_call(&finding), "First seen"), None);
        let at = Timestamp::parse("2026-01-02T10:00:00Z").unwrap();
        finding.first_seen = Some(FirstSeen { is_now: true, at });
        let now = Some("now, the first finding of TestAlert by Admin in 30 days");
        assert_eq!(value(&of_call(&finding), "First seen"), now);
        finding.first_seen = Some(FirstSeen { is_now: false, at });
        assert_eq!(value(&of_call(&finding), "First seen"), Some("2026-01-02T10:00:00Z"));
    }

    #[test]
    fn a_time_is_told_twice_where_people_name_their_zone() {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        assert_eq!(value(&of_call(&finding), "Time (local)"), None);
        let messages = MessageSettings { time_zone: Some("Asia/Tokyo".to_owned()), ..MessageSettings::default() };
        finding.rule = Arc::new(RuleInfo { messages: messages.into(), ..RuleInfo::default() });
        let local = Some("Sat 2026-01-10 20:00:00 (Asia/Tokyo, UTC+09:00)");
        assert_eq!(value(&of_call(&finding), "Time (local)"), local);
        let mut sum = RollUp::default();
        sum.add(&finding);
        assert_eq!(value(&of_roll_up(&finding, &sum), "From (local)"), local);
        assert_eq!(value(&of_digest(&finding, &AlertDigest::default()), "From (local)"), None);
    }
}
