//! What a rule says for itself, and an override may say of it instead.

use std::collections::{HashMap, HashSet};

use super::limits::{REPEATS, Repeats, THRESHOLD};
use super::operators::TABLE;
use super::respond::RESPONSE;
use super::{RowSubject, RuleCompiler};
use crate::config::{
    KeyDefault, KeySpec, ObjectReader, ObjectSpec, TextFormat, ValueShape, WordList, docs, listed, suggestion, words,
};
use crate::json::Node;
use crate::rules::moment::{MOMENT_PATTERN, Moment};
use crate::rules::{Allow, Exception, LINTS, Mode, ResponseStep, Table, Threshold, Version};
use crate::severity::Severity;

/// The keys that a rule and an override of it share.
pub(super) const SETTINGS: &[KeySpec] = &[
    KeySpec::new(
        "severity_when",
        ValueShape::Objects(&SEVERITY_CASE),
        docs!("Cases, of which the first that matches replaces the severity."),
    ),
    KeySpec::new(
        "unless",
        ValueShape::Objects(&EXCEPTION),
        docs!("What is allowed all the same. In an override: further exceptions."),
    ),
    KeySpec::new("notify", ValueShape::List(&ValueShape::Text), docs!("The names of the channels that hear of it."))
        .or(KeyDefault::Words(docs!("all channels"))),
    KeySpec::new(
        "throttle",
        ValueShape::Defined(&REPEATS),
        docs!("Repeats are held back, and rolled up: see [How many alerts](#how-many-alerts)."),
    )
    .or(KeyDefault::Words(docs!("5 minutes"))),
    KeySpec::new(
        "threshold",
        ValueShape::Object(&THRESHOLD),
        docs!("The rule alerts only when it matches often enough: see [How many alerts](#how-many-alerts)."),
    ),
    KeySpec::new(
        "respond",
        ValueShape::Defined(&RESPONSE),
        docs!("What to do first, in two or three steps: see [What to do first](#what-to-do-first)."),
    ),
    KeySpec::new(
        "runbook",
        ValueShape::Text,
        docs!(
            "Where all of what to do about it stands: a link, or a path that follows the address in the top's `runbooks`; without that address, messages have no link, and the steps of `respond`."
        ),
    ),
    KeySpec::new(
        "mode",
        ValueShape::Word(&MODES),
        docs!(
            "Findings are sent (`alert`), or counted and logged only (`stage`), or the rule is not evaluated (`off`)."
        ),
    )
    .or(KeyDefault::Value("alert")),
    KeySpec::new(
        "allow",
        ValueShape::Objects(&ALLOWANCE),
        docs!(
            "Warnings of `offlimits check` that do not count here, each with a reason. In an override: further ones."
        ),
    ),
];

/// How bad a finding is. Conformity's words are understood, and nobody is told to write them.
pub(crate) static SEVERITIES: WordList = WordList {
    what: "severity",
    listed: SEVERITY_WORDS.split_at(Severity::ALL.len()).0,
    understood: SEVERITY_WORDS.split_at(Severity::ALL.len()).1,
};

static SEVERITY_WORDS: [&str; Severity::WORDS.len()] = words(&Severity::WORDS);

static MODES: WordList = WordList { what: "mode", listed: &words(&Mode::WORDS), understood: &[] };

static LINT_CODES: WordList = WordList { what: "lint", listed: &LINTS, understood: &[] };

static SEVERITY_CASE: ObjectSpec = ObjectSpec {
    name: "SeverityCase",
    what: "a case of severity_when",
    docs: docs!("A severity for what a table matches."),
    keys: [
        &[
            KeySpec::required("severity", ValueShape::Word(&SEVERITIES), docs!("The severity.")),
            KeySpec::required("when", ValueShape::Defined(&TABLE), docs!("When it holds.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

static EXCEPTION: ObjectSpec = ObjectSpec {
    name: "Exception",
    what: "an exception",
    docs: docs!("What is allowed, and why."),
    keys: [
        &[
            KeySpec::required(
                "when",
                ValueShape::Defined(&TABLE),
                docs!("What is allowed. `session` and `user_agent` are chosen by the caller: never trust them here."),
            ),
            KeySpec::required("reason", ValueShape::Text, docs!("Why.")),
            KeySpec::new(
                "from",
                ValueShape::Formatted(&MOMENT),
                docs!(
                    "The first day (UTC) on which it is allowed, or the time from which on it is, compared with the record's own time: see [Maintenance windows](#maintenance-windows)."
                ),
            )
            .such_as(r#""2027-03-27T22:00[Europe/Berlin]""#),
            KeySpec::new(
                "expires",
                ValueShape::Formatted(&MOMENT),
                docs!(
                    "The last day (UTC) on which it is allowed, or the time from which on it no longer is, compared with the record's own time."
                ),
            )
            .such_as(r#""2027-03-31""#),
            KeySpec::new(
                "max_severity",
                ValueShape::Word(&SEVERITIES),
                docs!(
                    "The highest severity that is allowed: a finding that `severity_when` makes more severe alerts all the same."
                ),
            ),
        ],
        &[],
    ],
    at_least_one: &[],
};

static MOMENT: TextFormat = TextFormat {
    what: "day or time",
    code: "bad-date",
    pattern: MOMENT_PATTERN,
    max_characters: None,
    fits: |text| Moment::parse(text).is_some(),
    remedy: Moment::remedy,
};

static ALLOWANCE: ObjectSpec = ObjectSpec {
    name: "Allow",
    what: "an allowance",
    docs: docs!("A warning that does not count, and why."),
    keys: [
        &[
            KeySpec::required(
                "lint",
                ValueShape::Word(&LINT_CODES),
                docs!("Its code, as `docs/diagnostics.md` lists them."),
            ),
            KeySpec::required("reason", ValueShape::Text, docs!("Why it does not count.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

/// The values of the keys that a rule and an override of it share. `None` stands for a key that is not there.
#[derive(Default, Clone)]
pub(crate) struct RuleSettings {
    pub(super) severity: Option<Severity>,
    pub(super) severity_when: Option<Vec<(Severity, Table)>>,
    pub(super) unless: Vec<Exception>,
    pub(super) notify: Option<Vec<String>>,
    pub(super) throttle: Option<Repeats>,
    pub(super) threshold: Option<Threshold>,
    pub(super) respond: Option<Vec<ResponseStep>>,
    pub(super) runbook: Option<Runbook>,
    pub(super) mode: Option<Mode>,
    pub(super) allow: Vec<Allow>,
}

impl RuleSettings {
    /// These settings with a change: what `change` says replaces what stands here. Exceptions and allowances are added instead.
    pub(super) fn changed_by(mut self, change: Self) -> Self {
        self.unless.extend(change.unless);
        self.allow.extend(change.allow);
        Self {
            severity: change.severity.or(self.severity),
            severity_when: change.severity_when.or(self.severity_when),
            unless: self.unless,
            notify: change.notify.or(self.notify),
            throttle: change.throttle.or(self.throttle),
            threshold: change.threshold.or(self.threshold),
            respond: change.respond.or(self.respond),
            runbook: change.runbook.or(self.runbook),
            mode: change.mode.or(self.mode),
            allow: self.allow,
        }
    }
}

/// Where people read what to do.
#[derive(Clone)]
pub(super) enum Runbook {
    /// A link that can be followed.
    Link(String),
    /// A path, in a file that has no `runbooks` to put before it.
    Path(String),
}

/// What `overrides` says: of every rule of a pack, and of single ones.
#[derive(Default)]
pub(crate) struct Overrides<'n> {
    pub(crate) every: RuleSettings,
    /// The version of which the rules that came later are staged.
    pub(crate) stage_new_since: Option<Version>,
    pub(crate) by_id: HashMap<&'n str, RuleSettings>,
    /// The rules of which it says something that could not be read; [`EVERY`] stands for each.
    pub(crate) unread: HashSet<&'n str>,
}

/// The key of `overrides` that stands for every rule of the pack.
pub(crate) const EVERY: &str = "*";

impl Overrides<'_> {
    /// Whether it is not known what holds for the rule with this id.
    pub(crate) fn is_unread(&self, id: &str) -> bool {
        self.unread.contains(EVERY) || self.unread.contains(id)
    }

    /// The settings that hold for a rule with this id, which came with the version `since`, and whose own are `own`. What is
    /// new is staged where it would alert, unless the override of this very rule says otherwise.
    pub(super) fn apply(&self, id: Option<&str>, since: Option<Version>, own: RuleSettings) -> RuleSettings {
        let mut own = own.changed_by(self.every.clone());
        let is_new = since.zip(self.stage_new_since).is_some_and(|(since, known)| since > known);
        if is_new && own.mode.unwrap_or_default() == Mode::Alert {
            own.mode = Some(Mode::Stage);
        }
        match id.and_then(|id| self.by_id.get(id)) {
            Some(change) => own.changed_by(change.clone()),
            None => own,
        }
    }
}

/// What an override may say of a rule.
pub(crate) static OVERRIDE: ObjectSpec = ObjectSpec {
    name: "Override",
    what: "an override",
    docs: docs!("What is different about a pack's rule here."),
    keys: [&[KeySpec::new("severity", ValueShape::Word(&SEVERITIES), docs!("How bad it is."))], SETTINGS],
    at_least_one: &[],
};

impl<'n> RuleCompiler<'n> {
    /// Reads the keys that a rule and an override of it share.
    pub(crate) fn settings(&mut self, fields: &mut ObjectReader<'n>, channels: &[&str]) -> RuleSettings {
        let severity = fields.word("severity", &mut self.problems).and_then(Severity::from_word);
        let has_cases = fields.get("severity_when").is_some();
        let severity_when = fields.objects("severity_when", &mut self.problems);
        let severity_when = has_cases.then(|| self.severity_when(severity_when));
        let unless = fields.objects("unless", &mut self.problems);
        let unless = self.unless(unless);
        let notify = self.notify(fields, channels);
        let throttle = fields.get("throttle").and_then(|node| self.throttle(node));
        let threshold = fields.get("threshold").and_then(|node| self.threshold(node));
        let respond = self.respond(fields);
        let runbook = fields.get("runbook").zip(fields.text("runbook", &mut self.problems));
        let runbook = runbook.and_then(|(node, written)| self.runbook(node, written));
        let mode = fields.word("mode", &mut self.problems).and_then(Mode::from_word);
        let allow = fields.objects("allow", &mut self.problems);
        let allow = self.allow(allow);
        RuleSettings { severity, severity_when, unless, notify, throttle, threshold, respond, runbook, mode, allow }
    }

    fn allow(&mut self, items: Vec<ObjectReader<'n>>) -> Vec<Allow> {
        let mut allowed = Vec::new();
        for mut fields in items {
            let lint = fields.word("lint", &mut self.problems);
            let reason = fields.text("reason", &mut self.problems);
            fields.finish(&mut self.problems);
            allowed.extend(lint.zip(reason).map(|(lint, reason)| Allow { lint, reason: reason.to_owned() }));
        }
        allowed
    }

    fn severity_when(&mut self, items: Vec<ObjectReader<'n>>) -> Vec<(Severity, Table)> {
        let mut cases = Vec::new();
        for mut fields in items {
            let severity = fields.word("severity", &mut self.problems).and_then(Severity::from_word);
            let when = fields.get("when").map(|node| self.table(node, RowSubject::Record));
            fields.finish(&mut self.problems);
            cases.extend(severity.zip(when));
        }
        cases
    }

    fn unless(&mut self, items: Vec<ObjectReader<'n>>) -> Vec<Exception> {
        let mut exceptions = Vec::new();
        for mut fields in items {
            let when = fields.get("when").map(|node| self.table(node, RowSubject::Record));
            let reason = fields.text("reason", &mut self.problems);
            let from = fields.text("from", &mut self.problems).and_then(Moment::parse).map(Moment::start);
            let ends = fields.text("expires", &mut self.problems).and_then(Moment::parse).map(Moment::end);
            if from.zip(ends).is_some_and(|(from, ends)| ends <= from) {
                let place = fields.get("expires").map_or(0..0, |node| node.span.clone());
                let message = "this exception ends before it begins: it would allow nothing";
                self.problems.error("bad-date", &place, message, "write in \"expires\" what is later than \"from\"");
            }
            let max_severity = fields.word("max_severity", &mut self.problems).and_then(Severity::from_word);
            fields.finish(&mut self.problems);
            if let (Some(when), Some(reason)) = (when, reason) {
                exceptions.push(Exception { when, reason: reason.to_owned(), from, ends, max_severity });
            }
        }
        exceptions
    }

    fn notify(&mut self, fields: &mut ObjectReader<'n>, channels: &[&str]) -> Option<Vec<String>> {
        let names = fields.texts("notify", &mut self.problems)?;
        let nodes = fields.get("notify").and_then(Node::elements).unwrap_or_default();
        for node in nodes {
            let Some(name) = node.as_str().filter(|name| !name.is_empty() && !channels.contains(name)) else {
                continue;
            };
            let near = suggestion(name, channels.iter().copied());
            let otherwise = || format!("the channels are {}", listed(channels.iter().copied())).into();
            let advice = near.map_or_else(otherwise, |near| near.advice(&node.span));
            let message = format!("there is no channel named \"{name}\"");
            self.problems.error("unknown-channel", &node.span, message, advice);
        }
        Some(names)
    }

    fn runbook(&mut self, node: &Node, written: &str) -> Option<Runbook> {
        if is_link(written) {
            return Some(Runbook::Link(written.to_owned()));
        }
        if !is_path(written) {
            let help = "write an address that begins with https:// and holds no space, quote or bracket, or a path \
                        that follows the address in \"runbooks\", such as docs/rules/CIS-3.md";
            let message = "\"runbook\" must be a link that people can follow, or a path";
            self.problems.error("bad-link", &node.span, message, help);
            return None;
        }
        Some(match self.runbooks {
            Some(base) => Runbook::Link(format!("{}/{written}", base.trim_end_matches('/'))),
            None => Runbook::Path(written.to_owned()),
        })
    }
}

/// Whether a text is a link that people can follow, and that does no harm in any channel's markup.
pub(crate) fn is_link(text: &str) -> bool {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"'|`".contains(c))
    })
}

/// Whether a text is a path that may stand behind an address.
fn is_path(text: &str) -> bool {
    !text.starts_with('/') && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./#".contains(c))
}
