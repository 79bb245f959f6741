//! Puts exceptions into the text of a rules.json: everything else stays as it is.
//!
//! Those of a pack's rule go into the `overrides` of its `include`, those of a rule of the file into the rule. An exception whose
//! `when` stands there already is replaced: it has another reason and another last day.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use crate::cli::layout;
use crate::json::{Member, Node, write_string};

/// Exceptions, as compact JSON, by the pack (none: the file itself) and the rule.
pub(super) type Exceptions = BTreeMap<(Option<String>, String), Vec<String>>;

/// The text with the exceptions in it.
///
/// # Errors
/// Why there is no place for one.
pub(super) fn with_exceptions(text: &str, exceptions: &Exceptions) -> Result<String, String> {
    let root = Node::parse(text).map_err(|error| error.to_string())?;
    let mut edits = Edits { text, newline: if text.contains("\r\n") { "\r\n" } else { "\n" }, all: Vec::new() };
    let mut by_pack: BTreeMap<Option<&str>, BTreeMap<&str, &[String]>> = BTreeMap::new();
    for ((pack, rule), added) in exceptions {
        by_pack.entry(pack.as_deref()).or_default().insert(rule, added);
    }
    for (pack, rules) in by_pack {
        match pack {
            None => edits.own_rules(&root, &rules)?,
            Some(pack) => edits.pack(&root, pack, &rules)?,
        }
    }
    Ok(edits.applied())
}

/// What is changed in a text, at places that do not overlap.
struct Edits<'t> {
    text: &'t str,
    newline: &'static str,
    all: Vec<(Range<usize>, String)>,
}

type Rules<'e> = BTreeMap<&'e str, &'e [String]>;

impl Edits<'_> {
    fn own_rules(&mut self, root: &Node<'_>, rules: &Rules<'_>) -> Result<(), String> {
        let written = root.get("rules").and_then(Node::elements).unwrap_or_default();
        for (id, added) in rules {
            let node = written.iter().find(|rule| rule.get("id").and_then(Node::as_str) == Some(id));
            self.unless(node.ok_or_else(|| format!("it has no rule \"{id}\""))?, added)?;
        }
        Ok(())
    }

    fn pack(&mut self, root: &Node<'_>, pack: &str, rules: &Rules<'_>) -> Result<(), String> {
        let includes = root.get("include").and_then(Node::elements).unwrap_or_default();
        let named = |include: &&Node<'_>| include.as_str().or_else(|| include.get("pack")?.as_str()) == Some(pack);
        let include = includes.iter().find(named).ok_or_else(|| format!("it does not include \"{pack}\""))?;
        let members: Vec<(&str, String)> =
            rules.iter().map(|(id, added)| (*id, format!("{{\"unless\":[{}]}}", added.join(",")))).collect();
        if include.as_str().is_some() {
            let changed = object(&[("pack", quoted(pack)), ("overrides", object(&members))]);
            let changed = self.laid_out(&changed, &self.indent(include.span.start))?;
            self.all.push((include.span.clone(), changed));
            return Ok(());
        }
        let Some(overrides) = include.get("overrides") else {
            return self.add_members(include, &[("overrides", object(&members))]);
        };
        let mut missing = Vec::new();
        for ((id, added), member) in rules.iter().zip(members) {
            match overrides.get(id) {
                Some(rule) => self.unless(rule, added)?,
                None => missing.push(member),
            }
        }
        if missing.is_empty() { Ok(()) } else { self.add_members(overrides, &missing) }
    }

    /// Adds exceptions to what a rule, or an override of it, says.
    fn unless(&mut self, rule: &Node<'_>, added: &[String]) -> Result<(), String> {
        let Some(unless) = rule.get("unless") else {
            return self.add_members(rule, &[("unless", format!("[{}]", added.join(",")))]);
        };
        let written = unless.elements().ok_or("an \"unless\" is not a list")?;
        let mut new = Vec::new();
        for exception in added {
            let node = Node::parse(exception).map_err(|error| error.to_string())?;
            let when = node.get("when").map(Node::canonical);
            match written.iter().find(|element| element.get("when").map(Node::canonical) == when) {
                Some(old) => {
                    let changed = self.laid_out(exception, &self.indent(old.span.start))?;
                    self.all.push((old.span.clone(), changed));
                }
                None => new.push(exception),
            }
        }
        let Some(last) = written.last() else {
            let list: Vec<&str> = new.iter().map(|exception| exception.as_str()).collect();
            let changed = self.laid_out(&format!("[{}]", list.join(",")), &self.indent(unless.span.start))?;
            self.all.push((unless.span.clone(), changed));
            return Ok(());
        };
        let lead = self.lead(last.span.start);
        let mut text = String::new();
        for exception in new {
            text.push(',');
            text.push_str(&lead);
            text.push_str(&self.laid_out(exception, &self.indent(last.span.start))?);
        }
        self.all.push((last.span.end..last.span.end, text));
        Ok(())
    }

    /// Adds members behind the last one of an object.
    fn add_members(&mut self, node: &Node<'_>, added: &[(&str, String)]) -> Result<(), String> {
        let members = node.members().ok_or("what should be an object is none")?;
        let Some(last) = members.last() else {
            let changed = self.laid_out(&object(added), &self.indent(node.span.start))?;
            self.all.push((node.span.clone(), changed));
            return Ok(());
        };
        let Member { key_span, node, .. } = last;
        let (lead, indent) = (self.lead(key_span.start), self.indent(key_span.start));
        let mut text = String::new();
        for (key, value) in added {
            let _ = write!(text, ",{lead}{}: {}", quoted(key), self.laid_out(value, &indent)?);
        }
        self.all.push((node.span.end..node.span.end, text));
        Ok(())
    }

    /// What stands before something that comes after what begins here: a new line, where that has one.
    fn lead(&self, at: usize) -> String {
        let line = self.line_until(at);
        if line.trim().is_empty() { format!("{}{line}", self.newline) } else { " ".to_owned() }
    }

    /// The blanks with which the line of a byte begins.
    fn indent(&self, at: usize) -> String {
        self.line_until(at).chars().take_while(|character| matches!(character, ' ' | '\t')).collect()
    }

    fn line_until(&self, at: usize) -> &str {
        let before = self.text.get(..at).unwrap_or_default();
        before.rsplit_once('\n').map_or(before, |(_, line)| line)
    }

    /// A value as it stands on a line that begins so.
    fn laid_out(&self, json: &str, indent: &str) -> Result<String, String> {
        const DEEP: usize = 2 * layout::STEP;
        let node = Node::parse(json).map_err(|error| error.to_string())?;
        let unit = if indent.contains('\t') { "\t" } else { "  " };
        let mut out = String::new();
        for (number, line) in layout::spread(&node, DEEP).lines().enumerate() {
            let bare = line.trim_start_matches(' ');
            if number > 0 {
                let levels = (line.len() - bare.len()).saturating_sub(DEEP) / layout::STEP;
                out.push_str(self.newline);
                out.push_str(indent);
                out.push_str(&unit.repeat(levels));
            }
            out.push_str(bare);
        }
        Ok(out)
    }

    fn applied(mut self) -> String {
        self.all.sort_by_key(|(range, _)| range.start);
        let (mut out, mut at) = (String::new(), 0);
        for (range, new) in self.all {
            out.push_str(self.text.get(at..range.start).unwrap_or_default());
            out.push_str(&new);
            at = range.end;
        }
        out.push_str(self.text.get(at..).unwrap_or_default());
        out
    }
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(key, value)| format!("{}:{value}", quoted(key))).collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCEPTION: &str = r#"{"when":{"role":{"is":"ci"}},"reason":"r","expires":"2027-01-01"}"#;

    fn exceptions(places: &[(Option<&str>, &str)]) -> Exceptions {
        places
            .iter()
            .map(|(pack, rule)| ((pack.map(str::to_owned), (*rule).to_owned()), vec![EXCEPTION.to_owned()]))
            .collect()
    }

    /// The exceptions of a rule in a text.
    fn unless<'n>(root: &'n Node<'n>, pack: Option<&str>, rule: &str) -> Vec<String> {
        let of = |node: &'n Node<'n>| node.get("unless")?.elements();
        let found = match pack {
            None => root
                .get("rules")
                .unwrap()
                .elements()
                .unwrap()
                .iter()
                .find(|node| node.get("id").unwrap().as_str() == Some(rule)),
            Some(pack) => {
                let includes = root.get("include").unwrap().elements().unwrap();
                let include = includes.iter().find(|node| node.get("pack").and_then(Node::as_str) == Some(pack));
                include.unwrap().get("overrides").unwrap().get(rule)
            }
        };
        found.and_then(of).unwrap_or_default().iter().map(Node::compact).collect()
    }

    #[test]
    fn exceptions_find_their_place_and_come_once() {
        for text in [
            r#"{"include":["p"]}"#,
            r#"{"include":[{"pack":"p"}]}"#,
            r#"{"include":[{"pack":"p","overrides":{}}]}"#,
            r#"{"include":[{"pack":"p","overrides":{"A":{"mode":"stage"}}}]}"#,
            r#"{"include":[{"pack":"p","overrides":{"A":{"unless":[]}}}]}"#,
            "{\n  \"include\": [\n    \"p\",\n    \"q\"\n  ]\n}\n",
            "{\r\n\t\"include\": [\r\n\t\t{\r\n\t\t\t\"pack\": \"p\",\r\n\t\t\t\"overrides\": {\r\n\t\t\t\t\"B\": { \"mode\": \"off\" }\r\n\t\t\t}\r\n\t\t}\r\n\t]\r\n}",
        ] {
            let added = exceptions(&[(Some("p"), "A"), (Some("p"), "B")]);
            let new = with_exceptions(text, &added).unwrap();
            let root = Node::parse(&new).unwrap_or_else(|error| panic!("{error}: {new}"));
            for rule in ["A", "B"] {
                assert_eq!(unless(&root, Some("p"), rule), [EXCEPTION], "{new}");
            }
            assert_eq!(with_exceptions(&new, &added).unwrap(), new, "the second time changes nothing");
            assert_eq!(new.contains("\r\n"), text.contains("\r\n"));
            assert!(!new.replace("\r\n", "").contains('\n') || !text.contains("\r\n"), "{new:?}");
        }
    }

    #[test]
    fn what_stands_there_stays_and_another_day_replaces_the_old_one() {
        let text = r#"{ "rules": [ { "id": "R", "n": 1.50, "unless": [ { "when": { "user": "x" }, "reason": "mine" },
            {"when":{"role":{"is":"ci"}},"reason":"old","expires":"2026-01-01"} ] } ] }"#;
        let new = with_exceptions(text, &exceptions(&[(None, "R")])).unwrap();
        let root = Node::parse(&new).unwrap();
        assert_eq!(unless(&root, None, "R"), [r#"{"when":{"user":"x"},"reason":"mine"}"#, EXCEPTION]);
        assert!(new.starts_with(
            r#"{ "rules": [ { "id": "R", "n": 1.50, "unless": [ { "when": { "user": "x" }, "reason": "mine" },"#
        ));
    }

    #[test]
    fn what_has_no_place_is_told() {
        for (text, place) in [
            (r#"{"rules":[]}"#, (None, "R")),
            (r#"{"include":["q"]}"#, (Some("p"), "A")),
            (r#"{"include":[{"pack":"p","overrides":[]}]}"#, (Some("p"), "A")),
            (r#"{"rules":[{"id":"R","unless":{}}]}"#, (None, "R")),
            ("{", (None, "R")),
        ] {
            assert!(with_exceptions(text, &exceptions(&[place])).is_err(), "{text}");
        }
    }
}
