//! `include`: packs of rules, and what the including file changes in them.
//!
//! A pack's text is its own: its rules see its lists alone, and its mistakes are reported in it. What `rules.json` says of a
//! pack (`overrides`, `lists`) is `rules.json`'s text, and sees the lists of `rules.json`.

use std::mem;
use std::sync::Arc;

use super::compiler::{FileCompiler, ParsedPack};
use super::keys::{ANY_FILE, CHANGED_PACK, FILE_KEYS};
use crate::config::{KeySpec, ObjectReader, array, listed, repeated_keys, string, suggestion, wrong_kind};
use crate::json::Node;
use crate::rules::compile::{EVERY, NamedLists, OVERRIDE, Overrides};
use crate::rules::{Rule, Version};
use crate::ruleset::sources::pack_name;

impl<'n> FileCompiler<'n> {
    /// The rules of every pack, in the order of `include`.
    pub(super) fn includes(
        &mut self,
        node: &'n Node<'n>,
        packs: &'n [ParsedPack<'n>],
        channels: &[&str],
        rules: &mut Vec<Rule>,
    ) {
        let mut seen: Vec<&str> = Vec::new();
        for include in array(node, "\"include\"", &mut self.rule_compiler.problems) {
            let Some(name) = pack_name(include).filter(|name| !name.is_empty()) else {
                self.nameless(include);
                continue;
            };
            if seen.contains(&name) {
                let message = format!("the pack \"{name}\" is included twice");
                self.rule_compiler.problems.error(
                    "repeated-include",
                    &include.span,
                    message,
                    "include it once, with all its overrides",
                );
                continue;
            }
            seen.push(name);
            self.include(include, name, packs, channels, rules);
        }
    }

    /// Reports what is wrong with an include that names no pack.
    fn nameless(&mut self, include: &'n Node<'n>) {
        let problems = &mut self.rule_compiler.problems;
        if include.members().is_some() {
            if let Some(mut fields) = ObjectReader::new(include, &CHANGED_PACK, problems) {
                fields.text("pack", problems);
            }
        } else if include.as_str().is_some() {
            string(include, "include", problems);
        } else {
            wrong_kind(include, "an include must be a pack's file, or an object with \"pack\"", problems);
        }
    }

    fn include(
        &mut self,
        include: &'n Node<'n>,
        name: &'n str,
        packs: &'n [ParsedPack<'n>],
        channels: &[&str],
        rules: &mut Vec<Rule>,
    ) {
        let (mut overrides, mut lists, mut content, mut known) = (None, None, None, None);
        let before = self.rule_compiler.problems.errors();
        if include.members().is_some()
            && let Some(mut fields) = ObjectReader::new(include, &CHANGED_PACK, &mut self.rule_compiler.problems)
        {
            fields.get("pack");
            overrides = fields.get("overrides");
            known = fields.text("stage_new_since", &mut self.rule_compiler.problems).and_then(Version::parse);
            lists = fields.get("lists");
            content = fields.get("content");
            fields.finish(&mut self.rule_compiler.problems);
        }
        let is_mistaken = self.rule_compiler.problems.errors() > before;
        let name_node = if include.as_str().is_some() { include } else { include.get("pack").unwrap_or(include) };
        // What a bundle holds is part of its own text; a file is another.
        let (pack, file) = match (content, packs.iter().find(|pack| &*pack.name == name)) {
            (Some(content), _) => (content, None),
            (None, Some(ParsedPack { name, node: Ok(node), .. })) => (node, Some(Arc::clone(name))),
            (None, Some(ParsedPack { node: Err(reason), .. })) => {
                if let Some(reason) = reason {
                    let message = format!("the pack \"{name}\" cannot be read: {reason}");
                    let help = "write its path from the folder of this file, such as packs/cis-monitoring.json";
                    self.rule_compiler.problems.error("unreadable-pack", &name_node.span, message, help);
                }
                return;
            }
            (None, None) => {
                let message = format!("the pack \"{name}\" is not in this text, and its file was not read");
                let help = "bring the packs in first: offlimits bundle rules.json --output bundle.json";
                return self.rule_compiler.problems.error("unreadable-pack", &name_node.span, message, help);
            }
        };
        let ids: Vec<&str> = rule_ids(pack).collect();
        let mut overrides = overrides.map(|node| self.overrides(node, name, &ids, channels)).unwrap_or_default();
        overrides.stage_new_since = known;
        if is_mistaken {
            overrides.unread.insert(EVERY);
        }
        let before = self.rule_compiler.problems.errors();
        let replaced = lists.map(|node| self.replaced_lists(node, name, pack)).unwrap_or_default();
        if self.rule_compiler.problems.errors() > before {
            overrides.unread.insert(EVERY);
        }
        let root_lists = mem::take(&mut self.rule_compiler.lists);
        let outside = self.rule_compiler.problems.enter(file);
        self.pack(pack, name, replaced, channels, &overrides, rules);
        self.rule_compiler.problems.enter(outside);
        self.rule_compiler.lists = root_lists;
    }

    fn overrides(&mut self, node: &'n Node<'n>, pack: &str, ids: &[&str], channels: &[&str]) -> Overrides<'n> {
        let mut overrides = Overrides::default();
        let before = self.rule_compiler.problems.errors();
        let Some(members) = node.members() else {
            wrong_kind(node, "\"overrides\" must be an object of rules' ids", &mut self.rule_compiler.problems);
            overrides.unread.insert(EVERY);
            return overrides;
        };
        repeated_keys(members, &mut self.rule_compiler.problems);
        if self.rule_compiler.problems.errors() > before {
            overrides.unread.insert(EVERY);
        }
        for member in members {
            let id = &*member.key;
            let before = self.rule_compiler.problems.errors();
            if id != EVERY && !ids.contains(&id) && !self.is_part {
                let near = suggestion(id, ids.iter().copied());
                let otherwise = || {
                    let ids = listed(ids.iter().copied().take(20));
                    format!("if the pack has it no more, delete this: its rules are {ids}, and \"*\" is every one")
                        .into()
                };
                let advice = near.map_or_else(otherwise, |near| near.advice(&member.key_span));
                let message = format!("the pack \"{pack}\" has no rule \"{id}\"");
                self.rule_compiler.problems.error("unknown-rule", &member.key_span, message, advice);
                // Which rule is meant is not known.
                overrides.unread.insert(EVERY);
            }
            let Some(mut fields) = ObjectReader::new(&member.node, &OVERRIDE, &mut self.rule_compiler.problems) else {
                overrides.unread.insert(id);
                continue;
            };
            let settings = self.rule_compiler.settings(&mut fields, channels);
            fields.finish(&mut self.rule_compiler.problems);
            let names_unread = mem::take(&mut self.rule_compiler.names_unread);
            if names_unread || self.rule_compiler.problems.errors() > before {
                overrides.unread.insert(id);
            }
            if id == EVERY {
                overrides.every = settings;
            } else {
                overrides.by_id.insert(id, settings);
            }
        }
        overrides
    }

    /// The lists that stand in for the pack's own.
    fn replaced_lists(&mut self, node: &'n Node<'n>, name: &str, pack: &'n Node<'n>) -> NamedLists<'n> {
        let root_lists = mem::take(&mut self.rule_compiler.lists);
        self.lists(node);
        let replaced = mem::replace(&mut self.rule_compiler.lists, root_lists);
        let known = || pack.get("lists").and_then(Node::members).into_iter().flatten().map(|member| &*member.key);
        for member in node.members().unwrap_or_default() {
            if !known().any(|list| list == &*member.key) {
                let near = suggestion(&member.key, known());
                let otherwise = || format!("its lists are {}", listed(known())).into();
                let advice = near.map_or_else(otherwise, |near| near.advice(&member.key_span));
                let message = format!("the pack \"{name}\" has no list \"{}\"", member.key);
                self.rule_compiler.problems.error("unknown-list", &member.key_span, message, advice);
            }
        }
        replaced
    }

    fn pack(
        &mut self,
        node: &'n Node<'n>,
        name: &str,
        replaced: NamedLists<'n>,
        channels: &[&str],
        overrides: &Overrides<'n>,
        rules: &mut Vec<Rule>,
    ) {
        let Some(mut fields) = ObjectReader::partial(node, &ANY_FILE, &mut self.rule_compiler.problems) else { return };
        fields.get("$schema");
        fields.text("description", &mut self.rule_compiler.problems);
        if let Some(lists) = fields.get("lists") {
            self.lists(lists);
        }
        self.rule_compiler.lists.extend(replaced);
        for KeySpec { name: key, .. } in &FILE_KEYS {
            if let Some(foreign) = fields.get(key) {
                let message = format!("\"{key}\" has no place in a pack");
                self.rule_compiler.problems.error(
                    "not-in-a-pack",
                    &foreign.span,
                    message,
                    "move it to the rules.json that includes this pack",
                );
            }
        }
        let nodes = fields.require("rules", &mut self.rule_compiler.problems);
        fields.finish(&mut self.rule_compiler.problems);
        let first = rules.len();
        self.rules(nodes, channels, overrides, rules);
        let name: Arc<str> = name.into();
        rules[first..].iter_mut().for_each(|rule| rule.pack = Some(Arc::clone(&name)));
    }
}

/// The ids that stand in a file's `rules`.
pub(super) fn rule_ids<'n>(file: &'n Node<'_>) -> impl Iterator<Item = &'n str> {
    file.get("rules").and_then(Node::elements).into_iter().flatten().filter_map(|rule| rule.get("id")?.as_str())
}

#[cfg(test)]
mod tests {
    use crate::cloudtrail::RawRecord;
    use crate::cloudtrail::own_resources::OwnResources;
    use crate::rules::Mode;
    use crate::rules::TestEvent;
    use crate::ruleset::{Compiled, PackError, RuleSet, Sources};
    use crate::severity::Severity;

    const PACK: &str = r#"{
      "description": "A pack.", "lists": { "names": ["^own-"] },
      "rules": [
        { "id": "P-1", "title": "t", "severity": "low", "when": { "event": "@names" }, "runbook": "docs/P-1.md" },
        { "id": "P-2", "title": "t", "severity": "low", "when": { "event": { "is": "StopLogging" } },
          "unless": [ { "when": { "role": { "is": "own" } }, "reason": "the pack's" } ] }
      ]
    }"#;

    fn gathered(root: &str) -> Sources {
        Sources::gather(root, |name| match name {
            "p.json" => Ok(PACK.to_owned()),
            "broken.json" => Ok("{".to_owned()),
            "wrong.json" => {
                Ok(r#"{"channels":{},"rules":[{"id":"P-1","title":"t","severity":"lo","when":{}}]}"#.to_owned())
            }
            "same.json" => Ok(PACK.replace("P-2", "R-1")),
            other => Err(PackError::new(format!("{other}: no such file"))),
        })
    }

    fn compiled(root: &str) -> RuleSet {
        let sources = gathered(root);
        let Compiled { rules, .. } = RuleSet::compile_sources(&sources).unwrap_or_else(|found| panic!("{found:?}"));
        // What the function starts from finds the same, and calls itself the same.
        let bundled = RuleSet::compile(&sources.bundle().unwrap()).unwrap_or_else(|found| panic!("{found:?}")).rules;
        assert_eq!(bundled.digest(), rules.digest());
        assert_eq!(format!("{:?}", bundled.rules()), format!("{:?}", rules.rules()));
        rules
    }

    fn found(rules: &RuleSet, record: &str) -> Vec<String> {
        let raw = RawRecord { json: record.to_owned(), index: 0, message_id: None, account: None };
        rules.evaluate(&raw).unwrap().iter().map(|finding| finding.rule.id.clone()).collect()
    }

    fn codes(root: &str) -> Vec<String> {
        let diagnostics = RuleSet::compile_sources(&gathered(root)).unwrap_err();
        let place = |file: &Option<std::sync::Arc<str>>| file.as_deref().unwrap_or("root").to_owned();
        diagnostics.iter().map(|d| format!("{} {} {}", place(&d.file), d.code, d.pointer)).collect()
    }

    #[test]
    fn own_rules_come_first_and_packs_follow_in_order() {
        let rules = compiled(
            r#"{"include":["p.json"],"rules":[{"id":"R-1","title":"t","severity":"low","when":{"event":"x"}}]}"#,
        );
        let ids: Vec<_> = rules.rules().iter().map(|rule| (rule.info.id.as_str(), rule.pack.as_deref())).collect();
        assert_eq!(ids, [("R-1", None), ("P-1", Some("p.json")), ("P-2", Some("p.json"))]);
        assert_eq!(rules.rules()[1].info.description.as_deref(), Some("Runbook: docs/P-1.md"));
        assert_eq!(compiled(r#"{"include":["p.json"]}"#).rules().len(), 2);
    }

    #[test]
    fn overrides_change_every_rule_then_single_ones_and_exceptions_add_up() {
        let rules = compiled(
            r#"{"lists":{"bots":["bot"]},"channels":{"topic":{"type":"sns"}},"runbooks":"https://wiki.example.com/x/",
                "include":[{"pack":"p.json","overrides":{
                  "*":{"severity":"high","notify":["topic"],"mode":"stage"},
                  "P-2":{"severity":"extreme","throttle":{"window":"1h"},
                         "unless":[{"when":{"user":{"is":"@bots"}},"reason":"ours"}]}}}]}"#,
        );
        let [first, second] = rules.rules() else { panic!("two rules") };
        assert_eq!((first.severity, second.severity), (Severity::High, Severity::Extreme));
        assert_eq!((first.info.mode, second.info.mode), (Mode::Stage, Mode::Stage));
        assert_eq!(first.info.runbook.as_deref(), Some("https://wiki.example.com/x/docs/P-1.md"));
        assert_eq!(second.throttle.as_ref().map(|throttle| throttle.window), Some(3600));
        let reasons: Vec<_> = second.unless.iter().map(|exception| exception.reason.as_str()).collect();
        assert_eq!(reasons, ["the pack's", "ours"]);
        let by =
            |user| format!(r#"{{"eventName":"StopLogging","userIdentity":{{"type":"IAMUser","userName":"{user}"}}}}"#);
        assert_eq!(found(&rules, &by("bot")), [""; 0]);
        assert_eq!(found(&rules, &by("jana")), ["P-2"]);
    }

    #[test]
    fn what_is_new_in_a_pack_is_staged_and_overrides_stay() {
        const RENEWED: &str = r#"{ "rules": [
            { "id": "P-1", "title": "t", "severity": "low", "when": { "event": "a" } },
            { "id": "P-3", "since": "0.2.0", "title": "t", "severity": "low", "when": { "event": "a" } },
            { "id": "P-4", "since": "0.10.0", "title": "t", "severity": "low", "when": { "event": "a" } },
            { "id": "P-5", "since": "0.10.0", "title": "t", "severity": "low", "when": { "event": "a" }, "mode": "off" } ] }"#;
        let modes = |keys: &str| {
            let root = format!(r#"{{"include":[{{"pack":"p.json"{keys}}}]}}"#);
            let sources = Sources::gather(root, |_| Ok(RENEWED.to_owned()));
            let rules = RuleSet::compile_sources(&sources).unwrap_or_else(|found| panic!("{found:?}")).rules;
            let bundled = RuleSet::compile(&sources.bundle().unwrap()).unwrap().rules;
            assert_eq!(format!("{:?}", bundled.rules()), format!("{:?}", rules.rules()));
            let index = rules.index_of(&sources.bundle().unwrap(), None).unwrap();
            let packaged =
                RuleSet::packaged(sources.bundle().unwrap(), index.leak(), || unreachable!(), OwnResources::default());
            assert_eq!(format!("{:?}", packaged.unwrap().rules()), format!("{:?}", rules.rules()));
            rules.rules().iter().map(|rule| rule.info.mode.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(modes(""), ["alert", "alert", "alert", "off"]);
        assert_eq!(modes(r#","stage_new_since":"0.1.0""#), ["alert", "stage", "stage", "off"]);
        assert_eq!(modes(r#","stage_new_since":"0.2.0""#), ["alert", "alert", "stage", "off"]);
        assert_eq!(modes(r#","stage_new_since":"0.10.0""#), ["alert", "alert", "alert", "off"]);
        let with = |overrides: &str| modes(&format!(r#","stage_new_since":"0.1.0","overrides":{{{overrides}}}"#));
        // One that is known by name is as its owner says; what is said of all is not said of what is new.
        assert_eq!(with(r#""P-3":{"mode":"alert"},"P-1":{"mode":"off"}"#), ["off", "alert", "stage", "off"]);
        assert_eq!(with(r#""P-3":{"severity":"high"},"*":{"mode":"alert"}"#), ["alert", "stage", "stage", "stage"]);
        assert_eq!(with(r#""*":{"mode":"off"}"#), ["off"; 4]);
    }

    #[test]
    fn an_override_of_a_rule_that_is_gone_is_told() {
        let root = r#"{"include":[{"pack":"p.json","overrides":{"P-3":{"mode":"off"},"GONE":{"mode":"off"}}}]}"#;
        let found = RuleSet::compile_sources(&gathered(root)).unwrap_err();
        let told: Vec<_> = found.iter().map(|found| (found.code, found.help.as_str())).collect();
        assert_eq!(
            told,
            [
                ("unknown-rule", r#"did you mean "P-1"?"#),
                (
                    "unknown-rule",
                    r#"if the pack has it no more, delete this: its rules are "P-1" and "P-2", and "*" is every one"#
                )
            ]
        );
    }

    #[test]
    fn a_packs_lists_are_its_own_and_can_be_replaced() {
        let shadow = r#""lists":{"names":["^root-"]}"#;
        let rules = compiled(&format!(r#"{{{shadow},"include":["p.json"]}}"#));
        assert_eq!(found(&rules, r#"{"eventName":"own-x"}"#), ["P-1"]);
        assert_eq!(found(&rules, r#"{"eventName":"root-x"}"#), [""; 0]);
        let rules = compiled(r#"{"include":[{"pack":"p.json","lists":{"names":["^ours-"]}}]}"#);
        assert_eq!(found(&rules, r#"{"eventName":"ours-x"}"#), ["P-1"]);
        assert_eq!(found(&rules, r#"{"eventName":"own-x"}"#), [""; 0]);
    }

    #[test]
    fn mistakes_name_their_file_and_place() {
        let cases: [(&str, &[&str]); 13] = [
            (r#"{"include":["nope.json"]}"#, &["root unreadable-pack /include/0"]),
            (r#"{"include":["broken.json"]}"#, &["broken.json syntax "]),
            (
                r#"{"include":["wrong.json"]}"#,
                &[
                    "wrong.json not-in-a-pack /channels",
                    "wrong.json unknown-value /rules/0/severity",
                    "wrong.json empty-row /rules/0/when",
                ],
            ),
            (r#"{"include":["p.json","same.json"]}"#, &["same.json repeated-id /rules/0/id"]),
            (r#"{"include":["p.json","p.json"]}"#, &["root repeated-include /include/1"]),
            (r#"{"include":[]}"#, &["root empty /include"]),
            (r#"{"include":[5]}"#, &["root wrong-type /include/0"]),
            (r#"{"include":[{"path":"p.json"}]}"#, &["root missing-key /include/0"]),
            (r#"{"include":[{"pack":"p.json","mode":"off"}]}"#, &["root unknown-key /include/0/mode"]),
            (
                r#"{"include":[{"pack":"p.json","overrides":{"P-3":{"mode":"off"}}}]}"#,
                &["root unknown-rule /include/0/overrides/P-3"],
            ),
            (
                r#"{"include":[{"pack":"p.json","overrides":{"P-1":{"when":{"event":"x"}}}}]}"#,
                &["root unknown-key /include/0/overrides/P-1/when"],
            ),
            (r#"{"include":[{"pack":"p.json","lists":{"name":["x"]}}]}"#, &["root unknown-list /include/0/lists/name"]),
            (r#"{"runbooks":"docs/","include":["p.json"]}"#, &["root bad-link /runbooks"]),
        ];
        for (root, expected) in cases {
            assert_eq!(codes(root), expected, "{root}");
        }
        let alone = RuleSet::compile(r#"{"include":["p.json"]}"#).unwrap_err();
        assert!(alone[0].help.contains("offlimits bundle"), "{alone:?}");
    }

    #[test]
    fn channels_may_name_the_rules_of_packs() {
        compiled(r#"{"channels":{"topic":{"type":"sns","rules":["P-1"]}},"include":["p.json"]}"#);
    }

    #[test]
    fn events_of_tests_stand_beside_the_pack() {
        let pack = r#"{"rules":[{"id":"P","title":"t","severity":"low","when":{"event":"x"},
                       "tests":[{"name":"n","event":"events/e.json","expect":true}]}]}"#;
        let sources = Sources::gather(r#"{"include":["packs/p.json"]}"#, |_| Ok(pack.to_owned()));
        let rules = RuleSet::compile_sources(&sources).unwrap().rules;
        assert_eq!(rules.rules()[0].tests[0].event, TestEvent::File("packs/events/e.json".to_owned()));
    }
}
