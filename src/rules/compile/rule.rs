//! One rule, key by key.

use std::path::Path;
use std::sync::Arc;

use super::include::Overrides;
use super::limits::Repeats;
use super::{Compiler, Place};
use crate::finding::{Mode, RuleInfo};
use crate::json::{Node, Value};
use crate::rules::reader::{Fields, array, listed, string, strings, suggestion, word, wrong_kind};
use crate::rules::{Allow, Date, Exception, LINTS, Rule, RuleTest, Table, TestEvent, Threshold, Throttle, Title};
use crate::severity::Severity;

/// What a rule says for itself, and an override may say of it.
#[derive(Default, Clone)]
pub(super) struct Settings {
    severity: Option<Severity>,
    severity_when: Option<Vec<(Severity, Table)>>,
    unless: Vec<Exception>,
    notify: Option<Vec<String>>,
    throttle: Option<Repeats>,
    threshold: Option<Threshold>,
    runbook: Option<Runbook>,
    mode: Option<Mode>,
    allow: Vec<Allow>,
}

impl Settings {
    /// What `change` says replaces what stands here; exceptions and allowances add up.
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
            runbook: change.runbook.or(self.runbook),
            mode: change.mode.or(self.mode),
            allow: self.allow,
        }
    }
}

#[derive(Clone)]
enum Runbook {
    Link(String),
    /// A path, and no `runbooks` to precede it.
    Path(String),
}

impl<'n> Compiler<'n> {
    pub(super) fn rule(&mut self, node: &'n Node<'n>, channels: &[&str], overrides: &Overrides<'n>) -> Option<Rule> {
        let before = self.problems.errors();
        let mut fields = Fields::of(node, "a rule", &mut self.problems)?;
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
        let when = fields.require("when", &mut self.problems).map(|node| self.table(node, Place::Record));
        let settings = self.settings(&mut fields, channels);
        let tags = fields.get("tags").map(|node| strings(node, "tags", &mut self.problems)).unwrap_or_default();
        let tests = fields.get("tests").map(|node| self.tests(node)).unwrap_or_default();
        fields.finish(&mut self.problems);
        if self.problems.errors() > before {
            return None;
        }
        let Settings { severity, severity_when, unless, notify, throttle, threshold, runbook, mode, allow } =
            overrides.of(id.as_deref(), settings);
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
            None => Some(Throttle::usual(threshold.as_ref())),
            Some(Repeats::Sent) => None,
            Some(Repeats::HeldBack(throttle)) => Some(throttle),
        };
        Some(Rule { pack: None, info, title, severity, severity_when, when, unless, throttle, threshold, tests, allow })
    }

    /// The keys that a rule and an override of it share.
    pub(super) fn settings(&mut self, fields: &mut Fields<'n>, channels: &[&str]) -> Settings {
        let severity =
            fields.get("severity").and_then(|node| word(node, "severity", &Severity::WORDS, &mut self.problems));
        let severity_when = fields.get("severity_when").map(|node| self.severity_when(node));
        let unless = fields.get("unless").map(|node| self.unless(node)).unwrap_or_default();
        let notify = fields.get("notify").map(|node| self.notify(node, channels));
        let throttle = fields.get("throttle").and_then(|node| self.throttle(node));
        let threshold = fields.get("threshold").and_then(|node| self.threshold(node));
        let runbook = fields.get("runbook").and_then(|node| self.runbook(node));
        let mode = fields.get("mode").and_then(|node| word(node, "mode", &Mode::WORDS, &mut self.problems));
        let allow = fields.get("allow").map(|node| self.allow(node)).unwrap_or_default();
        Settings { severity, severity_when, unless, notify, throttle, threshold, runbook, mode, allow }
    }

    fn allow(&mut self, node: &'n Node<'n>) -> Vec<Allow> {
        let words = LINTS.map(|lint| (lint, lint));
        let mut allowed = Vec::new();
        for node in array(node, "\"allow\"", &mut self.problems) {
            let Some(mut fields) = Fields::of(node, "an allowance", &mut self.problems) else { continue };
            let lint = fields
                .require("lint", &mut self.problems)
                .and_then(|node| word(node, "lint", &words, &mut self.problems));
            let reason = fields
                .require("reason", &mut self.problems)
                .and_then(|node| string(node, "reason", &mut self.problems));
            fields.finish(&mut self.problems);
            allowed.extend(lint.zip(reason).map(|(lint, reason)| Allow { lint, reason: reason.to_owned() }));
        }
        allowed
    }

    fn severity_when(&mut self, node: &'n Node<'n>) -> Vec<(Severity, Table)> {
        let mut cases = Vec::new();
        for node in array(node, "\"severity_when\"", &mut self.problems) {
            let Some(mut fields) = Fields::of(node, "a case of severity_when", &mut self.problems) else { continue };
            let severity = fields
                .require("severity", &mut self.problems)
                .and_then(|node| word(node, "severity", &Severity::WORDS, &mut self.problems));
            let when = fields.require("when", &mut self.problems).map(|node| self.table(node, Place::Record));
            fields.finish(&mut self.problems);
            cases.extend(severity.zip(when));
        }
        cases
    }

    fn unless(&mut self, node: &'n Node<'n>) -> Vec<Exception> {
        let mut exceptions = Vec::new();
        for node in array(node, "\"unless\"", &mut self.problems) {
            let Some(mut fields) = Fields::of(node, "an exception", &mut self.problems) else { continue };
            let when = fields.require("when", &mut self.problems).map(|node| self.table(node, Place::Record));
            let reason = fields
                .require("reason", &mut self.problems)
                .and_then(|node| string(node, "reason", &mut self.problems));
            let expires = fields.get("expires").and_then(|node| {
                let date = string(node, "expires", &mut self.problems)?;
                let parsed = Date::parse(date);
                if parsed.is_none() {
                    let message = format!("\"{date}\" is no date");
                    self.problems.error("bad-date", &node.span, message, "write a day that exists, such as 2027-03-31");
                }
                parsed
            });
            fields.finish(&mut self.problems);
            if let (Some(when), Some(reason)) = (when, reason) {
                exceptions.push(Exception { when, reason: reason.to_owned(), expires });
            }
        }
        exceptions
    }

    fn notify(&mut self, node: &'n Node<'n>, channels: &[&str]) -> Vec<String> {
        let names = strings(node, "notify", &mut self.problems);
        for (name, element) in names.iter().zip(node.elements().unwrap_or_default()) {
            if !channels.contains(&name.as_str()) {
                let help = suggestion(name, channels.iter().copied())
                    .unwrap_or_else(|| format!("the channels are {}", listed(channels.iter().copied())));
                self.problems.error("unknown-channel", &element.span, format!("there is no channel \"{name}\""), help);
            }
        }
        names
    }

    fn runbook(&mut self, node: &'n Node<'n>) -> Option<Runbook> {
        let written = string(node, "runbook", &mut self.problems)?;
        if is_link(written) {
            return Some(Runbook::Link(written.to_owned()));
        }
        if !is_path(written) {
            let help = "write an address that begins with https:// and holds no space, quote or bracket, or a path \
                        that follows the address in \"runbooks\", such as docs/rules/CIS-3.md";
            self.problems.error("bad-link", &node.span, "\"runbook\" is no link that people can follow", help);
            return None;
        }
        Some(match self.runbooks {
            Some(base) => Runbook::Link(format!("{}/{written}", base.trim_end_matches('/'))),
            None => Runbook::Path(written.to_owned()),
        })
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
            let Some(mut fields) = Fields::of(node, "a test", &mut self.problems) else { continue };
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

/// Whether people can follow it, and no channel stumbles over it.
pub(super) fn is_link(text: &str) -> bool {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"'|`".contains(c))
    })
}

/// Whether it may follow an address.
fn is_path(text: &str) -> bool {
    !text.starts_with('/') && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./#".contains(c))
}
