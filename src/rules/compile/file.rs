//! The top of `rules.json`: its lists, its channels, and the file as a whole.

use std::collections::HashSet;

use super::Compiler;
use crate::channel;
use crate::json::Node;
use crate::route::{ConfiguredChannel, Filter};
use crate::rules::Rule;
use crate::rules::reader::{Fields, array, repeated_keys, suggestion, wrong_kind};

impl<'n> Compiler<'n> {
    pub(super) fn file(&mut self, root: &'n Node) -> (Vec<Rule>, Vec<ConfiguredChannel>) {
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
        self.filters(root, rules_node, &channels);
        (rules, channels)
    }

    /// Reports the rules that channels' filters name and that are not in the file.
    fn filters(&mut self, root: &Node, rules: Option<&Node>, channels: &[ConfiguredChannel]) {
        let Some(nodes) = root.get("channels").and_then(Node::members) else { return };
        let written: HashSet<&str> =
            rules.and_then(Node::elements).into_iter().flatten().filter_map(|rule| rule.get("id")?.as_str()).collect();
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
}
