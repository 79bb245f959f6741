//! One rule, key by key.

use std::path::Path;
use std::sync::Arc;

use super::limits::Repeats;
use super::settings::{Overrides, RuleSettings, Runbook};
use super::{RowSubject, RuleCompiler};
use crate::config::{ObjectReader, array, string, strings, wrong_kind};
use crate::json::{Node, Value};
use crate::rules::{Rule, RuleInfo, RuleTest, TestEvent, Throttle, Title};

impl<'n> RuleCompiler<'n> {
    pub(crate) fn rule(&mut self, node: &'n Node<'n>, channels: &[&str], overrides: &Overrides<'n>) -> Option<Rule> {
        let before = self.problems.errors();
        let mut fields = ObjectReader::new(node, "a rule", &mut self.problems)?;
        let id = fields.require("id", &mut self.problems).and_then(|node| {
            let id = string(node, "id", &mut self.problems)?;
            self.name(id, &node.span, "a rule's id");
            Some(id.to_owned())
        });
        let title = fields.require("title", &mut self.problems).and_then(|node| {
            let written = string(node, "title", &mut self.problems)?;
            self.understood(Title::parse(written, self.countries.as_ref()), &node.span)
        });
        let mut description = fields.string("description", &mut self.problems).map(str::to_owned);
        fields.require("severity", &mut self.problems);
        let when = fields.require("when", &mut self.problems).map(|node| self.table(node, RowSubject::Record));
        let settings = self.settings(&mut fields, channels);
        let tags = fields.get("tags").map(|node| strings(node, "tags", &mut self.problems)).unwrap_or_default();
        let tests = fields.get("tests").map(|node| self.tests(node)).unwrap_or_default();
        fields.finish(&mut self.problems);
        if self.problems.errors() > before {
            return None;
        }
        let RuleSettings { severity, severity_when, unless, notify, throttle, threshold, runbook, mode, allow } =
            overrides.apply(id.as_deref(), settings);
        let runbook = match runbook {
            Some(Runbook::Link(link)) => Some(link),
            // Vendors refuse a message whose link is none; as a text it still says where to look.
            Some(Runbook::Path(path)) => {
                let place = format!("Runbook: {path}");
                description = Some(description.map_or(place.clone(), |text| format!("{text} {place}")));
                None
            }
            None => None,
        };
        let (mode, rules_digest) = (mode.unwrap_or_default(), Arc::clone(&self.digest));
        let info = Arc::new(RuleInfo { id: id?, description, runbook, tags, mode, notify, rules_digest });
        let (title, severity, when) = (title?, severity?, when?);
        let severity_when = severity_when.unwrap_or_default();
        let throttle = match throttle {
            None => Some(Throttle::default_for(threshold.as_ref())),
            Some(Repeats::Sent) => None,
            Some(Repeats::HeldBack(throttle)) => Some(throttle),
        };
        Some(Rule { pack: None, info, title, severity, severity_when, when, unless, throttle, threshold, tests, allow })
    }

    /// The path of a file that is named from the folder of the file being read, from the folder of `rules.json`.
    fn beside_this_file(&self, path: &str) -> String {
        match self.problems.file() {
            Some(pack) => Path::new(&*pack).with_file_name(path).to_string_lossy().into_owned(),
            None => path.to_owned(),
        }
    }

    fn tests(&mut self, node: &'n Node<'n>) -> Vec<RuleTest> {
        let mut tests = Vec::new();
        for node in array(node, "\"tests\"", &mut self.problems) {
            let Some(mut fields) = ObjectReader::new(node, "a test", &mut self.problems) else { continue };
            let name =
                fields.require("name", &mut self.problems).and_then(|node| string(node, "name", &mut self.problems));
            let event = fields.require("event", &mut self.problems).and_then(|node| match &node.value {
                Value::Object(_) => Some(TestEvent::Inline(node.compact())),
                Value::String(_) => {
                    string(node, "event", &mut self.problems).map(|path| TestEvent::File(self.beside_this_file(path)))
                }
                _ => {
                    wrong_kind(node, "\"event\" is an event, or the path of a file with one", &mut self.problems);
                    None
                }
            });
            let expect = fields.require("expect", &mut self.problems).and_then(|node| self.boolean(node, "expect"));
            let row = fields.get("row").and_then(|node| {
                let row = node.scalar().filter(|_| node.as_str().is_none()).and_then(|text| text.parse().ok());
                if row.is_none() {
                    wrong_kind(node, "\"row\" is the index of a row in \"when\", from 0", &mut self.problems);
                }
                row
            });
            fields.finish(&mut self.problems);
            if let (Some(name), Some(event), Some(expect)) = (name, event, expect) {
                tests.push(RuleTest { name: name.to_owned(), event, expect, row });
            }
        }
        tests
    }
}
