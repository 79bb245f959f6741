//! The top of `rules.json`: its lists, its channels, and the file as a whole.

use std::collections::HashSet;
use std::collections::hash_map::Entry;

use super::compiler::{FileCompiler, ParsedPack};
use super::include::rule_ids;
use super::keys::FILE;
use crate::channel::{self, ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE};
use crate::config::{Advice, Fix, ObjectReader, array, repeated_keys, suggestion, wrong_kind};
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
        let own = fields.get("rules").filter(|own| !self.is_empty_beside_packs(root, own));
        if let Some(steps) = fields.get("respond") {
            self.steps(steps, root, packs);
        }
        fields.finish(&mut self.rule_compiler.problems);
        self.names_of_accounts(root, &channels);
        // A channel that could not be read is there all the same.
        let unread = root.get("channels").and_then(Node::members).into_iter().flatten().map(|member| &*member.key);
        let mut names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        names.extend(unread.filter(|name| channels.iter().all(|channel| channel.name != *name)));
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

    /// Whether a list of rules is empty where packs bring theirs; reports it then.
    fn is_empty_beside_packs(&mut self, root: &Node<'_>, own: &Node<'_>) -> bool {
        let members = root.members().unwrap_or_default();
        let place = members.iter().position(|member| member.key == "rules");
        let is_empty = own.elements().is_some_and(<[_]>::is_empty) && root.get("include").is_some();
        if let Some(place) = place.filter(|_| is_empty) {
            let advice = Advice::new("leave the key out: the rules of the packs count without it")
                .with_fix(Fix::without_member(members, place));
            self.rule_compiler.problems.error("empty", &own.span, "\"rules\" is empty", advice);
        }
        is_empty
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
                let near = suggestion(&member.key, written.iter().copied());
                let advice = near.map_or_else(|| "name a rule by its id".into(), |near| near.advice(&member.key_span));
                self.rule_compiler.problems.error("unknown-rule", &member.key_span, message, advice);
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
            let span = node.get("id").map_or(&node.span, |id| &id.span);
            match self.ids.entry(rule.info.id.clone()) {
                Entry::Occupied(first) => {
                    let (file, first) = first.get();
                    let place = file.as_ref().map(|pack| format!(" (the other is in {pack})")).unwrap_or_default();
                    let message = format!("two rules have the id \"{}\"{place}", rule.info.id);
                    let advice = Advice::new("give each rule an id of its own");
                    let advice = advice.see(file.clone(), first, "the first is here");
                    self.rule_compiler.problems.error("repeated-id", span, message, advice);
                }
                Entry::Vacant(first) => {
                    first.insert((self.rule_compiler.problems.file(), span.clone()));
                    if !overrides.is_unread(&rule.info.id) {
                        rules.push(rule);
                    }
                }
            }
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
        // Who knows what rules a pack has that cannot be read.
        if packs.iter().any(|pack| pack.node.is_err()) {
            return;
        }
        let packs = packs.iter().filter_map(|pack| pack.node.as_ref().ok());
        let bundled = includes(root).iter().filter_map(|include| include.get("content"));
        let written: HashSet<&str> = std::iter::once(root).chain(packs).chain(bundled).flat_map(rule_ids).collect();
        for (node, channel) in
            nodes.iter().filter_map(|member| Some((&member.node, channels.iter().find(|c| c.name == *member.key)?)))
        {
            for id in channel.filter.rule_ids().iter().filter(|id| !written.contains(id.as_str())) {
                let listed = node.get("rules").unwrap_or(node);
                let items = listed.elements().unwrap_or_default();
                let span = &items.iter().find(|item| item.as_str() == Some(id)).unwrap_or(listed).span;
                let near = suggestion(id, written.iter().copied());
                let advice = near.map_or_else(|| "name a rule by its id".into(), |near| near.advice(span));
                let message = format!("there is no rule with the id \"{id}\"");
                self.rule_compiler.problems.error("unknown-rule", span, message, advice);
            }
        }
    }

    pub(super) fn lists(&mut self, node: &'n Node<'n>) {
        let Some(members) = node.members() else {
            return wrong_kind(node, "\"lists\" must be an object of named lists", &mut self.rule_compiler.problems);
        };
        repeated_keys(members, &mut self.rule_compiler.problems);
        for member in members {
            let before = self.rule_compiler.problems.errors();
            let Some(elements) = member.node.elements() else {
                wrong_kind(
                    &member.node,
                    &format!("the list \"{}\" must be an array", member.key),
                    &mut self.rule_compiler.problems,
                );
                self.rule_compiler.lists.insert(&member.key, None);
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
            let is_right = self.rule_compiler.problems.errors() == before;
            self.rule_compiler.lists.insert(&member.key, is_right.then_some(elements));
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
