//! Makes rules of `rules.json`, and reports every mistake in it at once.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::condition::{Condition, SameAs};
use super::diagnostic::{Diagnostic, Level, Problems, syntax_error};
use super::field::{Field, FieldError, Target};
use super::reader::{Fields, array, listed, repeated_keys, string, strings, suggestion, word, wrong_kind};
use super::{Cell, Date, Exception, Row, Rule, RuleSet, RuleTest, Table, TestEvent, Throttle, Title};
use crate::channel;
use crate::finding::{Mode, RuleInfo, hex};
use crate::json::{Node, Value};
use crate::route::{ConfiguredChannel, Filter};
use crate::severity::Severity;

/// Rules that can run, and what their author should look at.
#[derive(Debug)]
pub struct Compiled {
    /// The rules.
    pub rules: RuleSet,
    /// Warnings only.
    pub warnings: Vec<Diagnostic>,
}

impl RuleSet {
    /// Makes rules of the text of a `rules.json`.
    ///
    /// # Errors
    /// Every mistake in it (and the warnings), in the order of the file. Nothing half-loaded is ever returned.
    pub fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        let root = Node::parse(source).map_err(|error| vec![syntax_error(source, &error)])?;
        let digest: Arc<str> = hex(&Sha256::digest(source)[..6]).into();
        let mut compiler = Compiler { digest: Arc::clone(&digest), ..Compiler::default() };
        let (rules, channels) = compiler.file(&root);
        let failed = compiler.problems.errors() > 0;
        let diagnostics = compiler.problems.finish(source, &root);
        if failed || diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
            return Err(diagnostics);
        }
        Ok(Compiled { rules: RuleSet { rules, channels, digest }, warnings: diagnostics })
    }
}

#[derive(Default)]
struct Compiler<'n> {
    problems: Problems,
    digest: Arc<str>,
    lists: HashMap<&'n str, &'n [Node]>,
    /// Equal patterns are compiled once.
    patterns: HashMap<String, regex::Regex>,
}

/// Where a cell stands: it decides what its key may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Record,
    Element,
}

impl<'n> Compiler<'n> {
    fn file(&mut self, root: &'n Node) -> (Vec<Rule>, Vec<ConfiguredChannel>) {
        let Some(mut fields) = Fields::of(root, "rules.json", &mut self.problems) else { return Default::default() };
        fields.get("$schema");
        if let Some(lists) = fields.get("lists") {
            self.lists(lists);
        }
        let channels = match fields.get("channels") {
            Some(channels) => self.channels(channels),
            None => vec![ConfiguredChannel {
                name: "topic".to_owned(),
                filter: Filter::default(),
                channel: channel::default(),
            }],
        };
        let rules_node = fields.require("rules", &mut self.problems);
        fields.finish(&mut self.problems);
        let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        let mut rules = Vec::new();
        let mut ids = HashSet::new();
        for node in rules_node.map_or(&[][..], |node| array(node, "\"rules\"", &mut self.problems)) {
            let Some(rule) = self.rule(node, &names) else { continue };
            if !ids.insert(rule.info.id.clone()) {
                let span = node.get("id").map_or(&node.span, |id| &id.span);
                let message = format!("two rules have the id \"{}\"", rule.info.id);
                self.problems.error("repeated-id", span, message, "give each rule an id of its own");
            }
            rules.push(rule);
        }
        if let Some(nodes) = root.get("channels").and_then(Node::members) {
            let written: HashSet<&str> = rules_node
                .and_then(Node::elements)
                .into_iter()
                .flatten()
                .filter_map(|rule| rule.get("id")?.as_str())
                .collect();
            for (node, channel) in
                nodes.iter().filter_map(|member| Some((&member.node, channels.iter().find(|c| c.name == *member.key)?)))
            {
                for id in channel.filter.rule_ids().iter().filter(|id| !written.contains(id.as_str())) {
                    let span = node.get("rules").map_or(&node.span, |rules| &rules.span);
                    let help =
                        suggestion(id, written.iter().copied()).unwrap_or_else(|| "name a rule by its id".to_owned());
                    self.problems.error("unknown-rule", span, format!("no rule has the id \"{id}\""), help);
                }
            }
        }
        (rules, channels)
    }

    fn lists(&mut self, node: &'n Node) {
        let Some(members) = node.members() else {
            return wrong_kind(node, "\"lists\" is an object of named lists", &mut self.problems);
        };
        repeated_keys(members, &mut self.problems);
        for member in members {
            let Some(elements) = member.node.elements() else {
                wrong_kind(&member.node, &format!("the list \"{}\" is an array", member.key), &mut self.problems);
                continue;
            };
            for element in elements {
                match element.scalar() {
                    None => wrong_kind(element, "an item of a list is a string, number or boolean", &mut self.problems),
                    Some(text) if text.starts_with('@') && element.as_str().is_some() => self.problems.error(
                        "nested-list",
                        &element.span,
                        "a list cannot hold another list",
                        "write the other list's items here, or name both lists where this one is named",
                    ),
                    Some(_) => {}
                }
            }
            self.lists.insert(&member.key, elements);
        }
    }

    fn channels(&mut self, node: &'n Node) -> Vec<ConfiguredChannel> {
        let Some(members) = node.members() else {
            wrong_kind(node, "\"channels\" is an object of named channels", &mut self.problems);
            return Vec::new();
        };
        repeated_keys(members, &mut self.problems);
        let mut channels = Vec::new();
        for member in members {
            self.name(&member.key, &member.key_span, "a channel's name");
            let Some(mut fields) = Fields::of(&member.node, "a channel", &mut self.problems) else { continue };
            let channel = channel::configure(&mut fields, &mut self.problems);
            let filter = Filter::read(&mut fields, &mut self.problems);
            // A channel of an unknown type has unknown keys: its type is the mistake to tell.
            let Some(channel) = channel else { continue };
            fields.finish(&mut self.problems);
            channels.push(ConfiguredChannel { name: member.key.to_string(), filter, channel });
        }
        channels
    }

    /// Ids and names become keys, attributes and file names elsewhere.
    fn name(&mut self, name: &str, span: &Range<usize>, what: &str) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 100 || !name.chars().all(fits) {
            self.problems.error(
                "bad-name",
                span,
                format!("{what} has 1 to 100 letters, digits, \"-\", \"_\" and \".\", and this has others"),
                "rename it",
            );
        }
    }

    fn rule(&mut self, node: &'n Node, channels: &[&str]) -> Option<Rule> {
        let before = self.problems.errors();
        let mut fields = Fields::of(node, "a rule", &mut self.problems)?;
        let id = fields.require("id", &mut self.problems).and_then(|node| {
            let id = string(node, "id", &mut self.problems)?;
            self.name(id, &node.span, "a rule's id");
            Some(id.to_owned())
        });
        let title = fields.require("title", &mut self.problems).and_then(|node| {
            let written = string(node, "title", &mut self.problems)?;
            self.understood(Title::parse(written), &node.span)
        });
        let description = fields.string("description", &mut self.problems).map(str::to_owned);
        let severity = fields
            .require("severity", &mut self.problems)
            .and_then(|node| word(node, "severity", &Severity::WORDS, &mut self.problems));
        let severity_when = fields.get("severity_when").map(|node| self.severity_when(node)).unwrap_or_default();
        let when = fields.require("when", &mut self.problems).map(|node| self.table(node, Place::Record));
        let unless = fields.get("unless").map(|node| self.unless(node)).unwrap_or_default();
        let notify = fields.get("notify").map(|node| self.notify(node, channels));
        let throttle = fields.get("throttle").and_then(|node| self.throttle(node));
        if let Some(node) = fields.get("threshold") {
            self.problems.error(
                "not-supported",
                &node.span,
                "\"threshold\" is not supported yet",
                "delete it: without it the rule alerts on every match",
            );
        }
        let runbook = fields.get("runbook").and_then(|node| self.link(node));
        let tags = fields.get("tags").map(|node| strings(node, "tags", &mut self.problems)).unwrap_or_default();
        let mode = fields.get("mode").and_then(|node| word(node, "mode", &Mode::WORDS, &mut self.problems));
        let tests = fields.get("tests").map(|node| self.tests(node)).unwrap_or_default();
        fields.finish(&mut self.problems);
        if self.problems.errors() > before {
            return None;
        }
        let (mode, rules_digest) = (mode.unwrap_or_default(), Arc::clone(&self.digest));
        let info = RuleInfo { id: id?, description, runbook, tags, mode, notify, rules_digest };
        let (title, severity, when) = (title?, severity?, when?);
        Some(Rule { info: Arc::new(info), title, severity, severity_when, when, unless, throttle, tests })
    }

    /// The value, or a note of what is wrong with it.
    fn understood<T>(&mut self, result: Result<T, FieldError>, span: &Range<usize>) -> Option<T> {
        result.map_err(|FieldError { code, message, help }| self.problems.error(code, span, message, help)).ok()
    }

    fn severity_when(&mut self, node: &'n Node) -> Vec<(Severity, Table)> {
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

    fn unless(&mut self, node: &'n Node) -> Vec<Exception> {
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

    fn notify(&mut self, node: &'n Node, channels: &[&str]) -> Vec<String> {
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

    fn throttle(&mut self, node: &'n Node) -> Option<Throttle> {
        let mut fields = Fields::of(node, "a throttle", &mut self.problems)?;
        let window = fields.require("window", &mut self.problems).and_then(|node| {
            let text = string(node, "window", &mut self.problems)?;
            let window = seconds(text).filter(|window| (1..=86_400).contains(window));
            if window.is_none() {
                let message = format!("\"{text}\" is no window from 1s to 24h");
                self.problems.error(
                    "bad-duration",
                    &node.span,
                    message,
                    "write a number and s, m or h, such as \"15m\"",
                );
            }
            window
        });
        let by = fields.get("by").map(|node| {
            array(node, "\"by\"", &mut self.problems)
                .iter()
                .filter_map(|node| self.field_at(node, "by", Place::Record))
                .collect()
        });
        fields.finish(&mut self.problems);
        Some(Throttle { window: window?, by: by.unwrap_or_default() })
    }

    fn link(&mut self, node: &'n Node) -> Option<String> {
        let link = string(node, "runbook", &mut self.problems)?;
        let is_link = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://")).is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"'|`".contains(c))
        });
        if !is_link {
            let help = "write an address that begins with https:// and holds no space, quote or bracket";
            self.problems.error("bad-link", &node.span, "\"runbook\" is no link that people can follow", help);
        }
        is_link.then(|| link.to_owned())
    }

    fn tests(&mut self, node: &'n Node) -> Vec<RuleTest> {
        let mut tests = Vec::new();
        for node in array(node, "\"tests\"", &mut self.problems) {
            let Some(mut fields) = Fields::of(node, "a test", &mut self.problems) else { continue };
            let name =
                fields.require("name", &mut self.problems).and_then(|node| string(node, "name", &mut self.problems));
            let event = fields.require("event", &mut self.problems).and_then(|node| match &node.value {
                Value::Object(_) => Some(TestEvent::Inline(node.compact())),
                Value::String(_) => {
                    string(node, "event", &mut self.problems).map(|path| TestEvent::File(path.to_owned()))
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

    fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        wrong_kind(node, &format!("\"{what}\" is true or false"), &mut self.problems);
        None
    }

    fn table(&mut self, node: &'n Node, place: Place) -> Table {
        let rows = match &node.value {
            Value::Array(_) => array(node, "a table", &mut self.problems),
            _ => std::slice::from_ref(node),
        };
        Table(rows.iter().map(|row| self.row(row, place)).collect())
    }

    fn row(&mut self, node: &'n Node, place: Place) -> Row {
        let Some(members) = node.members() else {
            wrong_kind(node, "a row is an object of cells", &mut self.problems);
            return Row(Vec::new());
        };
        if members.is_empty() {
            let help = "write what is off limits, such as {\"event\": \"StopLogging\"}";
            self.problems.error("empty-row", &node.span, "an empty row matches every record", help);
        }
        repeated_keys(members, &mut self.problems);
        let mut cells = Vec::new();
        for member in members {
            let Some(field) = self.field(&member.key, &member.key_span, place) else { continue };
            if let Some(condition) = self.condition(&member.node, &field, place) {
                cells.push(Cell { field, condition, written: member.node.compact() });
            }
        }
        Row(cells)
    }

    fn field(&mut self, written: &str, span: &Range<usize>, place: Place) -> Option<Field> {
        let field = match place {
            Place::Record => Field::of_record(written),
            Place::Element => Field::of_element(written),
        };
        self.understood(field, span)
    }

    fn field_at(&mut self, node: &Node, what: &str, place: Place) -> Option<Field> {
        let written = string(node, what, &mut self.problems)?;
        self.field(written, &node.span, place)
    }

    fn condition(&mut self, node: &'n Node, field: &Field, place: Place) -> Option<Condition> {
        match &node.value {
            Value::String(text) if text.as_str().starts_with('@') => {
                let patterns = self.list(node)?;
                Some(Condition::Any(patterns.iter().filter_map(|node| self.pattern(node, field)).collect()))
            }
            Value::String(_) => self.pattern(node, field),
            Value::Array(_) => Some(Condition::Any(self.conditions(node, field, place))),
            Value::Object(_) => self.operator(node, field, place),
            _ => {
                let help = format!("write {{\"is\": {}}}", node.compact());
                let message = format!("a condition is a pattern, a list or an operator, and this is {}", node.kind());
                self.problems.error("wrong-type", &node.span, message, help);
                None
            }
        }
    }

    fn conditions(&mut self, node: &'n Node, field: &Field, place: Place) -> Vec<Condition> {
        array(node, "a list of conditions", &mut self.problems)
            .iter()
            .filter_map(|node| self.condition(node, field, place))
            .collect()
    }

    fn operator(&mut self, node: &'n Node, field: &Field, place: Place) -> Option<Condition> {
        const OPERATORS: [&str; 9] = ["is", "not", "exists", "cidr", "above", "below", "all", "same_as", "item"];
        let members = node.members().unwrap_or_default();
        let [member] = members else {
            let message = format!("a condition has exactly one operator, and this has {}", members.len());
            let help = "write {\"all\": […]} where several must be true, a list where one is enough";
            self.problems.error("one-operator", &node.span, message, help);
            return None;
        };
        let value = &member.node;
        match &*member.key {
            "is" => self.is(value, field),
            "not" => self.condition(value, field, place).map(|condition| Condition::Not(Box::new(condition))),
            "exists" => self.boolean(value, "exists").map(Condition::Exists),
            "cidr" => self.cidr(value),
            "above" => self.number(value).map(Condition::Above),
            "below" => self.number(value).map(Condition::Below),
            "all" => Some(Condition::All(self.conditions(value, field, place))),
            "same_as" => self.same_as(value, place),
            "item" => {
                if let Target::Derived(_) = field.target {
                    let help = "use it on a path that leads to an array, such as requestParameters.ipPermissions.items";
                    self.problems.error(
                        "no-items",
                        &member.key_span,
                        format!("\"{}\" has no items", field.written),
                        help,
                    );
                    return None;
                }
                Some(Condition::Item(self.table(value, Place::Element).0))
            }
            other => {
                let help =
                    suggestion(other, OPERATORS).unwrap_or_else(|| format!("the operators are {}", listed(OPERATORS)));
                self.problems.error(
                    "unknown-operator",
                    &member.key_span,
                    format!("there is no operator \"{other}\""),
                    help,
                );
                None
            }
        }
    }

    /// The items of the list that `"@name"` stands for.
    fn list(&mut self, node: &'n Node) -> Option<&'n [Node]> {
        let name = node.as_str()?.strip_prefix('@')?;
        let Some(items) = self.lists.get(name).copied() else {
            let help = suggestion(name, self.lists.keys().copied()).map_or_else(
                || format!("add it to \"lists\"; to search for the character @, write \"[@]{name}\""),
                |did_you_mean| format!("{did_you_mean}, or, to search for the character @, \"[@]{name}\""),
            );
            self.problems.error("unknown-list", &node.span, format!("there is no list \"{name}\""), help);
            return None;
        };
        if items.is_empty() {
            let message = format!("the list \"{name}\" is empty: this never matches");
            self.problems.warning("empty-list", &node.span, message, "add an item to it, or leave this cell out");
        }
        Some(items)
    }

    fn pattern(&mut self, node: &Node, field: &Field) -> Option<Condition> {
        let Some(pattern) = node.as_str() else {
            wrong_kind(node, "a pattern is a string", &mut self.problems);
            return None;
        };
        if pattern.is_empty() {
            let help = "write {\"exists\": true} for any value, {\"is\": \"\"} for the empty text";
            self.problems.error("empty", &node.span, "an empty pattern is found in every value", help);
            return None;
        }
        let regex = self.regex(pattern, &node.span)?;
        if let Some(vocabulary) = field.vocabulary().filter(|words| !words.iter().any(|value| regex.is_match(value))) {
            self.impossible(&node.span, field, vocabulary);
        }
        Some(Condition::Pattern(regex))
    }

    fn regex(&mut self, pattern: &str, span: &Range<usize>) -> Option<regex::Regex> {
        if let Some(regex) = self.patterns.get(pattern) {
            return Some(regex.clone());
        }
        match regex::Regex::new(pattern) {
            Ok(regex) => {
                self.patterns.insert(pattern.to_owned(), regex.clone());
                Some(regex)
            }
            Err(error) => {
                let (message, help) = why_no_regex(pattern, &error);
                self.problems.error("bad-regex", span, message, help);
                None
            }
        }
    }

    fn impossible(&mut self, span: &Range<usize>, field: &Field, vocabulary: &[&str]) {
        let message = format!("\"{}\" never has this value: the cell can never match", field.written);
        let help = format!("its values are {}", listed(vocabulary.iter().copied()));
        self.problems.error("impossible-value", span, message, help);
    }

    /// The nodes of a scalar, of a list, or of a named list; lists may hold names of lists.
    fn literals(&mut self, node: &'n Node, what: &str) -> Vec<&'n Node> {
        match &node.value {
            Value::String(text) if text.as_str().starts_with('@') => {
                self.list(node).map(|items| items.iter().collect()).unwrap_or_default()
            }
            Value::Array(elements) if elements.iter().all(|element| element.elements().is_none()) => {
                array(node, what, &mut self.problems).iter().flat_map(|element| self.literals(element, what)).collect()
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => vec![node],
            _ => {
                wrong_kind(node, &format!("{what} is a text or a list of texts"), &mut self.problems);
                Vec::new()
            }
        }
    }

    fn is(&mut self, node: &'n Node, field: &Field) -> Option<Condition> {
        let before = self.problems.errors();
        let mut texts = Vec::new();
        for literal in self.literals(node, "\"is\"") {
            let Some(text) = literal.scalar() else { continue };
            if let Some(vocabulary) = field.vocabulary().filter(|words| !words.contains(&text)) {
                self.impossible(&literal.span, field, vocabulary);
            }
            texts.push(text.to_owned());
        }
        (self.problems.errors() == before).then_some(Condition::Is(texts))
    }

    fn cidr(&mut self, node: &'n Node) -> Option<Condition> {
        let before = self.problems.errors();
        let mut networks = Vec::new();
        for literal in self.literals(node, "\"cidr\"") {
            let text = literal.scalar().unwrap_or_default();
            let network = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
            match network {
                Ok(network) => networks.push(network),
                Err(_) => self.problems.error(
                    "bad-network",
                    &literal.span,
                    format!("\"{text}\" is no network"),
                    "write one such as 203.0.113.0/24 or 2001:db8::/32, or a single address",
                ),
            }
        }
        (self.problems.errors() == before).then_some(Condition::Cidr(networks))
    }

    fn number(&mut self, node: &Node) -> Option<String> {
        if let Value::Number(text) = &node.value {
            return Some(text.to_string());
        }
        wrong_kind(node, "a bound is a number", &mut self.problems);
        None
    }

    fn same_as(&mut self, node: &'n Node, place: Place) -> Option<Condition> {
        if node.as_str().is_some() {
            let field = self.field_at(node, "same_as", place)?;
            return Some(Condition::SameAs(SameAs { field, part: None }));
        }
        let mut fields = Fields::of(node, "\"same_as\"", &mut self.problems)?;
        let field = fields.require("field", &mut self.problems).and_then(|node| self.field_at(node, "field", place));
        let part = fields.get("part").map(|node| {
            let pattern = string(node, "part", &mut self.problems)?;
            let regex = self.regex(pattern, &node.span)?;
            // The whole match counts as a group of its own.
            if regex.captures_len() != 2 {
                let message = format!("\"part\" has one group, and this pattern has {}", regex.captures_len() - 1);
                let help = "put one pair of parentheses around the part that counts, and write (?:…) for others";
                self.problems.error("one-group", &node.span, message, help);
            }
            Some(regex)
        });
        fields.finish(&mut self.problems);
        match part {
            Some(None) => None,
            part => Some(Condition::SameAs(SameAs { field: field?, part: part.flatten() })),
        }
    }
}

/// What is wrong with a pattern, and the remedy.
fn why_no_regex(pattern: &str, error: &regex::Error) -> (String, &'static str) {
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        return ("the pattern is too large when compiled".to_owned(), "repeat less, or write several patterns");
    }
    // The crate draws the pattern and a caret over several lines; the last says what is wrong.
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let shown = crate::text::clip(pattern, 80);
    let help = if ["(?=", "(?!", "(?<"].iter().any(|look_around| pattern.contains(look_around)) {
        "write the exclusion as {\"not\": …} or as an exception in \"unless\""
    } else {
        "write a Rust regular expression; for a literal name use {\"is\": \"name\"}"
    };
    (format!("\"{shown}\" is no regular expression: {last}"), help)
}

/// `90s`, `15m`, `2h`, in seconds.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    number.bytes().all(|digit| digit.is_ascii_digit()).then(|| number.parse::<u64>().ok())??.checked_mul(unit)
}
