//! One finding of the list: its texts, cleaned and clipped.

use super::texts::{TextNumber, TextPool};
use crate::channel::event_link;
use crate::cli::list_cutoff::time_of;
use crate::finding::Finding;
use crate::rules::Mode;
use crate::severity::Severity;
use crate::text::{clip, one_line, some_of};
use crate::time::Timestamp;

/// Characters of one text, and of the request's.
pub(super) const TEXT: usize = 300;
const REQUEST: usize = 1500;
/// Characters of what one change says.
const CHANGE: usize = 1000;

/// What stands for an actor, an address, an account or a region that the record does not name, as the summary has it.
pub(super) const NOBODY: &str = "(nobody named)";
pub(super) const NONE: &str = "(none)";

/// Stands for the event's id in a link: a page of many findings is smaller without them.
const EVENT_ID: &str = "{}";

/// A kind of text that a row has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// What the page's script calls it.
    pub(super) key: &'static str,
    /// What the details of a finding call it; nothing where they do not list it.
    pub(super) label: Option<&'static str>,
}

const fn part(key: &'static str) -> Column {
    Column { key, label: None }
}

const fn fact(key: &'static str, label: &'static str) -> Column {
    Column { key, label: Some(label) }
}

const WIDTH: usize = 34;

/// All of them, in the order in which details list them.
pub(super) static COLUMNS: [Column; WIDTH] = [
    part("title"),
    part("outcome"),
    part("sentence"),
    part("changes"),
    part("actor"),
    part("target"),
    part("address"),
    part("steps"),
    part("link"),
    fact("to", "Goes to"),
    fact("written", "Time as written"),
    fact("local", "Time (local)"),
    fact("account", "Account"),
    fact("unit", "Unit"),
    fact("region", "Region"),
    fact("service", "Service"),
    fact("event", "Event"),
    fact("targets", "Acted on"),
    fact("identity", "Identity"),
    fact("person", "Person"),
    fact("principal", "Principal"),
    fact("caller", "Caller’s account"),
    fact("key", "Access key"),
    fact("mfa", "MFA"),
    fact("country", "Country"),
    fact("network", "Network"),
    fact("agent", "User agent"),
    fact("error", "Error"),
    fact("reason", "Error message"),
    fact("request", "Request"),
    fact("event_id", "Event ID"),
    fact("category", "Category"),
    fact("session", "Source identity"),
    fact("file", "Record"),
];

/// The place of a column.
pub(super) fn place_of(key: &str) -> usize {
    COLUMNS.iter().position(|column| column.key == key).unwrap_or_default()
}

/// One line of the list.
#[derive(Debug)]
pub(super) struct ReportRow {
    pub(super) severity: Severity,
    /// Seconds since 1970; nothing where the record has no time.
    pub(super) time: Option<u64>,
    /// The rule's place in the file.
    pub(super) rule: usize,
    /// The record's place in its file.
    pub(super) record: usize,
    /// One for each of [`COLUMNS`]; what is empty is not there.
    pub(super) texts: [TextNumber; WIDTH],
}

/// What a finding's call acted on, in one text: three names at most.
pub(super) fn target_of(finding: &Finding) -> String {
    one_line(&some_of(&finding.call.targets), TEXT).into_owned()
}

/// A text that a caller may have chosen, or what stands for it where there is none.
pub(super) fn text_or<'t>(text: Option<&'t str>, otherwise: &'t str) -> std::borrow::Cow<'t, str> {
    one_line(text.unwrap_or(otherwise), TEXT)
}

impl ReportRow {
    /// The line of a finding of the rule in this place. `to`: the channels that it goes to; `now` tells what CloudTrail's console still
    /// shows.
    pub(super) fn new(
        (finding, rule): (&Finding, usize),
        to: &[&str],
        (file, record): (&str, usize),
        now: Timestamp,
        pool: &mut TextPool,
    ) -> Self {
        let Finding { severity, call, changes, steps, .. } = finding;
        let time = time_of(finding);
        let asked = if call.failed { "asked for: " } else { "" };
        let lines = |lines: Vec<String>| lines.join("\n");
        let changes = changes.iter().map(|change| one_line(&format!("{asked}{change}"), CHANGE).into_owned());
        // A command is whole or it is not there; none that the tool makes has a tab or a second line.
        let steps = steps.iter().map(|step| match &step.command {
            Some(command) if !command.contains(['\n', '\t']) => format!("{}\t{command}", one_line(&step.text, TEXT)),
            _ => one_line(&step.text, TEXT).into_owned(),
        });
        let link = event_link(finding).filter(|_| !call.is_past_history_at(now));
        let id = call.event_id.as_deref().unwrap_or_default();
        let texts = COLUMNS.map(|column| {
            let plain = |text: &Option<String>| text.as_deref().map(|text| one_line(text, TEXT).into_owned());
            let text = match column.key {
                "title" => Some(one_line(&finding.title, TEXT).into_owned()),
                "outcome" => call.outcome_word().map(str::to_owned),
                "sentence" => Some(one_line(&call.sentence, TEXT).into_owned()),
                "changes" => Some(lines(changes.clone().collect())),
                "actor" => Some(text_or(call.actor.as_deref(), NOBODY).into_owned()),
                "target" => Some(target_of(finding)),
                "address" => Some(text_or(call.source_ip.as_deref(), NONE).into_owned()),
                "steps" => Some(lines(steps.clone().collect())),
                "link" => link.as_deref().map(|link| link.replacen(id, EVENT_ID, 1)),
                "to" => Some(goes_to(finding.rule.mode, to)),
                "written" => plain(&call.event_time).filter(|_| time.is_none()),
                "local" => call.event_time.as_deref().and_then(|time| finding.rule.messages.local_time(time)),
                "account" => Some(text_or(call.shown_account().as_deref(), NONE).into_owned()),
                "unit" => plain(&call.unit),
                "region" => Some(text_or(call.region.as_deref(), NONE).into_owned()),
                "service" => plain(&call.service),
                "event" => plain(&call.event),
                "targets" => (call.targets.len() > 3).then(|| one_line(&call.targets.join(", "), CHANGE).into_owned()),
                "identity" => plain(&call.identity),
                "person" => plain(&call.person),
                "principal" => plain(&call.arn),
                "caller" => plain(&call.shown_caller_account()),
                "key" => plain(&call.access_key_id),
                "mfa" => call.mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned()),
                "country" => plain(&call.country),
                "network" => plain(&call.network),
                "agent" => plain(&call.user_agent),
                "error" => plain(&call.error),
                "reason" => plain(&call.error_message),
                "request" => call.request.as_deref().map(|request| one_line(request, REQUEST).into_owned()),
                "event_id" => plain(&call.event_id),
                "category" => plain(&call.event_category).filter(|category| category != "Management"),
                "session" => plain(&call.source_identity),
                "file" => Some(clip(&one_line(file, usize::MAX), TEXT).into_owned()),
                _ => None,
            };
            pool.number(&text.unwrap_or_default())
        });
        Self { severity: *severity, time, rule, record, texts }
    }
}

/// Whom a finding goes to, or why it goes to nobody.
fn goes_to(mode: Mode, channels: &[&str]) -> String {
    match (mode, channels) {
        (Mode::Stage, _) => "nobody: staged".to_owned(),
        (_, []) => "nobody: no channel takes it".to_owned(),
        (_, names) => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn columns_have_names_of_their_own() {
        let keys: BTreeSet<&str> = COLUMNS.iter().map(|column| column.key).collect();
        assert_eq!(keys.len(), COLUMNS.len());
        assert!(COLUMNS.iter().enumerate().all(|(place, column)| place_of(column.key) == place));
    }

    #[test]
    fn every_column_of_a_finding_is_filled() {
        let mut pool = TextPool::default();
        let text = |word: &str| Some(format!("<{word}>"));
        let mut finding = Finding::test("rules".into(), "no time".to_owned());
        let call = &mut finding.call;
        (call.unit, call.region, call.service, call.identity) =
            (text("unit"), Some("eu-west-1".into()), text("s"), text("i"));
        (call.person, call.arn, call.caller_account, call.access_key_id) =
            (text("p"), text("arn"), text("c"), text("k"));
        (call.country, call.network, call.user_agent, call.error) =
            (text("DE"), text("AS1"), text("a"), text("AccessDenied"));
        (call.error_message, call.request, call.source_identity) = (text("m"), text("r"), text("si"));
        (call.failed, call.mfa, call.targets) = (true, Some(true), ["a", "b", "c", "d"].map(str::to_owned).into());
        call.event_category = text("Management");
        finding.changes = vec![crate::finding::Change { what: "w".into(), before: None, after: "a".into() }];
        finding.steps = vec![crate::finding::Step { text: "do".into(), command: Some("aws x".into()) }];
        let row = ReportRow::new((&finding, 0), &["topic"], ("log.json", 7), Timestamp::default(), &mut pool);
        let text = |place: usize| pool.text(row.texts[place]);
        let empty: Vec<&str> =
            (0..WIDTH).filter(|place| text(*place).is_empty()).map(|place| COLUMNS[place].key).collect();
        // Without a time there is no local one; the category of data events alone has no link.
        assert_eq!(empty, ["link", "local"]);
        assert_eq!(text(place_of("target")), "a, b, c +1");
        assert_eq!(text(place_of("steps")), "do\taws x");
    }
}
