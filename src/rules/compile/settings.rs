//! What a rule says for itself, and an override may say of it instead.

use std::collections::HashMap;

use super::limits::Repeats;
use super::{RowSubject, RuleCompiler};
use crate::config::{ObjectReader, array, listed, string, strings, suggestion, word};
use crate::json::Node;
use crate::rules::{Allow, Exception, LINTS, Mode, Table, Threshold};
use crate::severity::Severity;
use crate::time::Date;

/// What a rule says for itself, and an override may say of it.
#[derive(Default, Clone)]
pub(crate) struct RuleSettings {
    pub(super) severity: Option<Severity>,
    pub(super) severity_when: Option<Vec<(Severity, Table)>>,
    pub(super) unless: Vec<Exception>,
    pub(super) notify: Option<Vec<String>>,
    pub(super) throttle: Option<Repeats>,
    pub(super) threshold: Option<Threshold>,
    pub(super) runbook: Option<Runbook>,
    pub(super) mode: Option<Mode>,
    pub(super) allow: Vec<Allow>,
}

impl RuleSettings {
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
pub(super) enum Runbook {
    Link(String),
    /// A path, and no `runbooks` to precede it.
    Path(String),
}

/// What `overrides` says: of every rule of a pack, and of single ones.
#[derive(Default)]
pub(crate) struct Overrides<'n> {
    pub(crate) every: RuleSettings,
    pub(crate) by_id: HashMap<&'n str, RuleSettings>,
}

impl Overrides<'_> {
    /// What holds for a rule that says `own` itself.
    pub(super) fn apply(&self, id: Option<&str>, own: RuleSettings) -> RuleSettings {
        let own = own.changed_by(self.every.clone());
        match id.and_then(|id| self.by_id.get(id)) {
            Some(change) => own.changed_by(change.clone()),
            None => own,
        }
    }
}

impl<'n> RuleCompiler<'n> {
    /// The keys that a rule and an override of it share.
    pub(crate) fn settings(&mut self, fields: &mut ObjectReader<'n>, channels: &[&str]) -> RuleSettings {
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
        RuleSettings { severity, severity_when, unless, notify, throttle, threshold, runbook, mode, allow }
    }

    fn allow(&mut self, node: &'n Node<'n>) -> Vec<Allow> {
        let words = LINTS.map(|lint| (lint, lint));
        let mut allowed = Vec::new();
        for node in array(node, "\"allow\"", &mut self.problems) {
            let Some(mut fields) = ObjectReader::new(node, "an allowance", &mut self.problems) else { continue };
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
            let Some(mut fields) = ObjectReader::new(node, "a case of severity_when", &mut self.problems) else {
                continue;
            };
            let severity = fields
                .require("severity", &mut self.problems)
                .and_then(|node| word(node, "severity", &Severity::WORDS, &mut self.problems));
            let when = fields.require("when", &mut self.problems).map(|node| self.table(node, RowSubject::Record));
            fields.finish(&mut self.problems);
            cases.extend(severity.zip(when));
        }
        cases
    }

    fn unless(&mut self, node: &'n Node<'n>) -> Vec<Exception> {
        let mut exceptions = Vec::new();
        for node in array(node, "\"unless\"", &mut self.problems) {
            let Some(mut fields) = ObjectReader::new(node, "an exception", &mut self.problems) else { continue };
            let when = fields.require("when", &mut self.problems).map(|node| self.table(node, RowSubject::Record));
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
}

/// Whether people can follow it, and no channel stumbles over it.
pub(crate) fn is_link(text: &str) -> bool {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"'|`".contains(c))
    })
}

/// Whether it may follow an address.
fn is_path(text: &str) -> bool {
    !text.starts_with('/') && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./#".contains(c))
}
