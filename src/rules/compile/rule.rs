//! One rule, key by key.

use std::path::Path;
use std::sync::Arc;

use super::limits::Repeats;
use super::operators::TABLE;
use super::settings::{Overrides, RuleSettings, Runbook, SETTINGS, SEVERITIES};
use super::{NAME, RowSubject, RuleCompiler};
use crate::config::{
    Definition, KeySpec, MapNames, ObjectReader, ObjectSpec, ValueShape, WordList, docs, string, word, words,
    wrong_kind,
};
use crate::json::{Node, Value};
use crate::rules::{NeededEvents, Rule, RuleInfo, RuleTest, TestEvent, Throttle, Title, VERSION, Version};

/// What a rule may say.
pub(crate) static RULE: ObjectSpec = ObjectSpec {
    name: "Rule",
    what: "a rule",
    docs: docs!("What is off limits, and what is said about it."),
    keys: [
        &[
            KeySpec::required(
                "id",
                ValueShape::Formatted(&NAME),
                docs!("What alerts, filters and overrides call the rule. It is unique over all files."),
            )
            .such_as(r#""RTM-011""#),
            KeySpec::required(
                "title",
                ValueShape::Text,
                docs!("The alert's title. `{field}` is filled in, `{field|other}` falls back, `{? on {field}}` is left out where the field has no value, any other that is missing reads \"unknown\", `{{` is a brace; what is secret by its name or shape reads `<redacted>`."),
            )
            .such_as(r#""Unintended AWS API call: {event} by {actor}""#),
            KeySpec::required("severity", ValueShape::Word(&SEVERITIES), docs!("How bad it is. Conformity's words, such as `VERY_HIGH`, are understood.")),
            KeySpec::required(
                "when",
                ValueShape::Defined(&TABLE),
                docs!("What is off limits. Rows are OR, a row's cells are AND, a list in a cell is OR."),
            ),
            KeySpec::new("description", ValueShape::Text, docs!("Why it matters.")),
            KeySpec::new(
                "tags",
                ValueShape::List(&ValueShape::Text),
                docs!("For people, and for channels' filters."),
            )
            .such_as(r#"["attack.t1078.004"]"#),
            KeySpec::new(
                "since",
                ValueShape::Formatted(&VERSION),
                docs!("Of a pack's rule: the version of offlimits that it came with, by which `stage_new_since` knows what is new. Default: the first."),
            )
            .such_as(r#""0.2.0""#),
            KeySpec::new(
                "needs_events",
                ValueShape::List(&ValueShape::Word(&NEEDED_EVENTS)),
                docs!("Which events the rule needs that a deployment does not hear of unless it is told to: see [What has to be delivered](#what-has-to-be-delivered)."),
            ),
            KeySpec::new(
                "tests",
                ValueShape::Objects(&TEST),
                docs!("Events that the rule must match, or must not: see [Tests](#tests)."),
            ),
        ],
        SETTINGS,
    ],
    at_least_one: &[],
};

static NEEDED_EVENTS: WordList =
    WordList { what: "kind of events", listed: &words(&NeededEvents::WORDS), understood: &[] };

static TEST: ObjectSpec = ObjectSpec {
    name: "Test",
    what: "a test",
    docs: docs!("An event, and what the rule says to it."),
    keys: [
        &[
            KeySpec::required("name", ValueShape::Text, docs!("What it shows.")),
            KeySpec::required(
                "event",
                ValueShape::Defined(&EVENT),
                docs!(
                    "The event itself, in any envelope and as small as the rule's cells need, or a file with one, relative to the file that the rule stands in."
                ),
            ),
            KeySpec::required("expect", ValueShape::Boolean, docs!("Whether the rule must match.")),
            KeySpec::new("row", ValueShape::Unsigned, docs!("The row that must be the first to match, from 0.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

static EVENT: Definition = Definition {
    name: "Event",
    what: "an event, or the path of a file with one",
    docs: docs!("An event, or a file with one, relative to this one."),
    shape: ValueShape::AnyOf(&[
        ValueShape::Text,
        ValueShape::Map { names: MapNames::Any, values: &ValueShape::Anything },
    ]),
};

impl<'n> RuleCompiler<'n> {
    pub(crate) fn rule(&mut self, node: &'n Node<'n>, channels: &[&str], overrides: &Overrides<'n>) -> Option<Rule> {
        let before = self.problems.errors();
        let mut fields = ObjectReader::new(node, &RULE, &mut self.problems)?;
        let id = fields.text("id", &mut self.problems).map(str::to_owned);
        let title = fields.get("title").zip(fields.text("title", &mut self.problems));
        let title =
            title.and_then(|(node, written)| self.understood(Title::parse(written, &self.surroundings), &node.span));
        let mut description = fields.text("description", &mut self.problems).map(str::to_owned);
        let when = fields.get("when").map(|node| self.table(node, RowSubject::Record));
        let mut settings = self.settings(&mut fields, channels);
        if let Some(apart) = id.as_deref().and_then(|id| self.steps.get(id).copied()) {
            settings.respond = Some(self.respond_apart(apart, settings.respond.is_some()));
        }
        let tags = fields.texts("tags", &mut self.problems).unwrap_or_default();
        let since = fields.text("since", &mut self.problems).and_then(Version::parse);
        let needs_events = self.needed_events(&mut fields);
        let tests = fields.objects("tests", &mut self.problems);
        let tests = self.tests(tests);
        fields.finish(&mut self.problems);
        let names_unread = std::mem::take(&mut self.names_unread);
        if names_unread || self.problems.errors() > before {
            return None;
        }
        let RuleSettings {
            severity,
            severity_when,
            unless,
            notify,
            throttle,
            threshold,
            respond,
            runbook,
            mode,
            allow,
        } = overrides.apply(id.as_deref(), since, settings);
        let respond = respond.unwrap_or_default();
        let runbook = match runbook {
            Some(Runbook::Link(link)) => Some(link),
            // The steps say what to do, and the path would lead nowhere from where they are read.
            Some(Runbook::Path(_)) if !respond.is_empty() => None,
            // Vendors refuse a message with a link that is not an address; as a text it still says where to look.
            Some(Runbook::Path(path)) => {
                let place = format!("Runbook: {path}");
                description = Some(description.map_or(place.clone(), |text| format!("{text} {place}")));
                None
            }
            None => None,
        };
        let (mode, rules_digest) = (mode.unwrap_or_default(), Arc::clone(&self.digest));
        let messages = Arc::clone(&self.messages);
        let info = Arc::new(RuleInfo { id: id?, description, runbook, tags, mode, notify, rules_digest, messages });
        let (title, severity, when) = (title?, severity?, when?);
        let severity_when = severity_when.unwrap_or_default();
        let throttle = match throttle {
            None => Some(Throttle::default_for(threshold.as_ref())),
            Some(Repeats::Sent) => None,
            Some(Repeats::HeldBack(throttle)) => Some(throttle),
        };
        let pack = None;
        Some(Rule {
            pack,
            info,
            title,
            severity,
            severity_when,
            when,
            unless,
            throttle,
            threshold,
            respond,
            since,
            needs_events,
            tests,
            allow,
        })
    }

    fn needed_events(&mut self, fields: &mut ObjectReader<'n>) -> Vec<NeededEvents> {
        let nodes = fields.list("needs_events", &mut self.problems);
        let named = nodes.iter().filter_map(|node| word(node, &NEEDED_EVENTS, &mut self.problems));
        named
            .filter_map(|named| NeededEvents::WORDS.iter().find(|(word, _)| *word == named))
            .map(|(_, events)| *events)
            .collect()
    }

    /// The path of a file, as seen from the folder of `rules.json`. The text names it as seen from the folder of the file that is
    /// being read.
    fn beside_this_file(&self, path: &str) -> String {
        match self.problems.file() {
            Some(pack) => Path::new(&*pack).with_file_name(path).to_string_lossy().into_owned(),
            None => path.to_owned(),
        }
    }

    fn tests(&mut self, items: Vec<ObjectReader<'n>>) -> Vec<RuleTest> {
        let mut tests = Vec::new();
        for mut fields in items {
            let name = fields.text("name", &mut self.problems);
            let event = fields.get("event").and_then(|node| self.test_event(node));
            let expect = fields.boolean("expect", &mut self.problems);
            let row = fields.whole("row", &mut self.problems).and_then(|row| usize::try_from(row).ok());
            fields.finish(&mut self.problems);
            if let (Some(name), Some(event), Some(expect)) = (name, event, expect) {
                tests.push(RuleTest { name: name.to_owned(), event, expect, row });
            }
        }
        tests
    }

    fn test_event(&mut self, node: &Node) -> Option<TestEvent> {
        match &node.value {
            Value::Object(_) => Some(TestEvent::Inline(node.compact())),
            Value::String(_) => {
                string(node, "event", &mut self.problems).map(|path| TestEvent::File(self.beside_this_file(path)))
            }
            _ => {
                let must_be = "\"event\" must be an event, or the path of a file with one";
                wrong_kind(node, must_be, &mut self.problems);
                None
            }
        }
    }
}
