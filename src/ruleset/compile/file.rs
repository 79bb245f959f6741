//! The top of `rules.json`: its lists, its channels, and the file as a whole.

use std::collections::HashSet;

use super::compiler::{FileCompiler, ParsedPack};
use super::include::rule_ids;
use super::keys::FILE;
use crate::channel::{self, ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE};
use crate::config::{ObjectReader, array, repeated_keys, suggestion, wrong_kind};
use crate::json::Node;
use crate::rules::Rule;
use crate::rules::compile::{NAME, Overrides, message_settings};
use crate::rules::field::{ACCOUNTS_REMEDY, no_accounts_for};
use crate::ruleset::sources::includes;

impl<'n> FileCompiler<'n> {
    pub(super) fn file(
        &mut self,
        root: &'n Node<'n>,
        packs: &'n [ParsedPack<'n>],
    ) -> (Vec<Rule>, Vec<ConfiguredChannel>) {
        let problems = &mut self.rule_compiler.problems;
        let fields = if self.is_part {
            ObjectReader::partial(root, &FILE, problems)
        } else {
            ObjectReader::new(root, &FILE, problems)
        };
        let Some(mut fields) = fields else { return Default::default() };
        fields.get("$schema");
        fields.whole("needs", &mut self.rule_compiler.problems);
        if let Some(lists) = fields.get("lists") {
            self.lists(lists);
        }
        self.rule_compiler.runbooks = fields.text("runbooks", &mut self.rule_compiler.problems);
        self.rule_compiler.messages = message_settings(&mut fields, &mut self.rule_compiler.problems).into();
        let channels = match fields.get("channels") {
            Some(channels) => self.channels(channels),
            None => vec![ConfiguredChannel {
                name: "topic".to_owned(),
                filter: ChannelFilter::default(),
                channel: channel::default(),
                max_per_minute: MAX_PER_MINUTE,
                incidents: None,
            }],
        };
        let include = fields.get("include");
        let own = fields.get("rules");
        if let Some(steps) = fields.get("respond") {
            self.steps(steps, root, packs);
        }
        fields.finish(&mut self.rule_compiler.problems);
        self.names_of_accounts(root, &channels);
        let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        let mut rules = Vec::new();
        self.rules(own, &names, &Overrides::default(), &mut rules);
        if let Some(include) = include {
            self.includes(include, packs, &names, &mut rules);
        }
        if !self.is_part {
            self.filters(root, packs, &channels);
        }
        (rules, channels)
    }

    /// Notes the steps that stand apart from their rules.
    fn steps(&mut self, node: &'n Node<'n>, root: &Node, packs: &[ParsedPack<'_>]) {
        let Some(members) = node.members() else {
            let must_be = "\"respond\" must be an object of rules' ids";
            return wrong_kind(node, must_be, &mut self.rule_compiler.problems);
        };
        repeated_keys(members, &mut self.rule_compiler.problems);
        let packs = packs.iter().filter_map(|pack| pack.node.as_ref().ok());
        let bundled = includes(root).iter().filter_map(|include| include.get("content"));
        let written: HashSet<&str> = std::iter::once(root).chain(packs).chain(bundled).flat_map(rule_ids).collect();
        for member in members {
            if !written.contains(&*member.key) {
                let message = format!("there is no rule with the id \"{}\"", member.key);
                let help = suggestion(&member.key, written.iter().copied());
                let help = help.unwrap_or_else(|| "name a rule by its id".to_owned());
                self.rule_compiler.problems.error("unknown-rule", &member.key_span, message, help);
            }
            self.rule_compiler.steps.insert(&member.key, &member.node);
        }
    }

    /// The rules of one file. Their ids are unique over all files.
    pub(super) fn rules(
        &mut self,
        nodes: Option<&'n Node<'n>>,
        channels: &[&str],
        overrides: &Overrides<'n>,
        rules: &mut Vec<Rule>,
    ) {
        for node in nodes.map_or(&[][..], |node| array(node, "\"rules\"", &mut self.rule_compiler.problems)) {
            let Some(rule) = self.rule_compiler.rule(node, channels, overrides) else { continue };
            if let Some(first) = self.ids.insert(rule.info.id.clone(), self.rule_compiler.problems.file()) {
                let span = node.get("id").map_or(&node.span, |id| &id.span);
                let place = first.map(|pack| format!(" (the other is in {pack})")).unwrap_or_default();
                let message = format!("two rules have the id \"{}\"{place}", rule.info.id);
                self.rule_compiler.problems.error("repeated-id", span, message, "give each rule an id of its own");
            }
            rules.push(rule);
        }
    }

    /// Reports filters that ask for the names of accounts, where there are none.
    fn names_of_accounts(&mut self, root: &Node, channels: &[ConfiguredChannel]) {
        if self.rule_compiler.surroundings.accounts.is_some() {
            return;
        }
        let nodes = root.get("channels").and_then(Node::members).unwrap_or_default();
        for channel in channels {
            let node = nodes.iter().find(|member| *member.key == channel.name).map(|member| &member.node);
            let members = || node.and_then(Node::members).into_iter().flatten();
            for key in channel.filter.keys_about_names() {
                let Some(member) = members().find(|member| &*member.key == key) else { continue };
                let message = no_accounts_for(key);
                self.rule_compiler.problems.error("no-accounts", &member.key_span, message, ACCOUNTS_REMEDY);
            }
        }
    }

    /// Reports the rules that channels' filters name and that are in no file.
    fn filters(&mut self, root: &Node, packs: &[ParsedPack<'_>], channels: &[ConfiguredChannel]) {
        let Some(nodes) = root.get("channels").and_then(Node::members) else { return };
        let packs = packs.iter().filter_map(|pack| pack.node.as_ref().ok());
        let bundled = includes(root).iter().filter_map(|include| include.get("content"));
        let written: HashSet<&str> = std::iter::once(root).chain(packs).chain(bundled).flat_map(rule_ids).collect();
        for (node, channel) in
            nodes.iter().filter_map(|member| Some((&member.node, channels.iter().find(|c| c.name == *member.key)?)))
        {
            for id in channel.filter.rule_ids().iter().filter(|id| !written.contains(id.as_str())) {
                let span = node.get("rules").map_or(&node.span, |rules| &rules.span);
                let help =
                    suggestion(id, written.iter().copied()).unwrap_or_else(|| "name a rule by its id".to_owned());
                self.rule_compiler.problems.error(
                    "unknown-rule",
                    span,
                    format!("there is no rule with the id \"{id}\""),
                    help,
                );
            }
        }
    }

    pub(super) fn lists(&mut self, node: &'n Node<'n>) {
        let Some(members) = node.members() else {
            return wrong_kind(node, "\"lists\" must be an object of named lists", &mut self.rule_compiler.problems);
        };
        repeated_keys(members, &mut self.rule_compiler.problems);
        for member in members {
            let Some(elements) = member.node.elements() else {
                wrong_kind(
                    &member.node,
                    &format!("the list \"{}\" must be an array", member.key),
                    &mut self.rule_compiler.problems,
                );
                continue;
            };
            for element in elements {
                match element.scalar() {
                    None => wrong_kind(
                        element,
                        "an item of a list must be a string, a number or a boolean",
                        &mut self.rule_compiler.problems,
                    ),
                    Some(text) if text.starts_with('@') && element.as_str().is_some() => {
                        self.rule_compiler.problems.error(
                            "nested-list",
                            &element.span,
                            "a list cannot hold another list",
                            "write the other list's items here, or name both lists where this one is named",
                        );
                    }
                    Some(_) => {}
                }
            }
            self.rule_compiler.lists.insert(&member.key, elements);
        }
    }

    fn channels(&mut self, node: &'n Node<'n>) -> Vec<ConfiguredChannel> {
        let Some(members) = node.members() else {
            wrong_kind(node, "\"channels\" must be an object of named channels", &mut self.rule_compiler.problems);
            return Vec::new();
        };
        repeated_keys(members, &mut self.rule_compiler.problems);
        let mut channels = Vec::new();
        for member in members {
            if !(NAME.fits)(&member.key) {
                let (message, help) =
                    (format!("invalid name of a channel \"{}\"", member.key), (NAME.remedy)(&member.key));
                self.rule_compiler.problems.error(NAME.code, &member.key_span, message, help);
            }
            channels.extend(channel::read(&member.key, &member.node, &mut self.rule_compiler.problems));
        }
        channels
    }
}
