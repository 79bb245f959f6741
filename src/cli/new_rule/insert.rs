//! Puts a rule into the text of a rules.json: everything that stands there stays as it is, and the rule is indented as its
//! neighbours are.

use crate::cli::layout;
use crate::json::{Member, Node};

/// The text with the rule (JSON without blanks) as the last of its rules, and the line on which the rule begins.
///
/// # Errors
/// Why there is no place for it.
pub(super) fn inserted(text: &str, rule: &str) -> Result<(String, usize), String> {
    let root = Node::parse(text).map_err(|error| error.to_string())?;
    let members = root.members().ok_or("it is not an object")?;
    let style = Style::of(text, members);
    let (at, before, after) = match members.iter().rev().find(|member| &*member.key == "rules") {
        Some(member) => style.among_rules(member)?,
        None => style.first_rules(members, root.span.end),
    };
    let line = format!("{before}{}", style.laid_out(rule)?);
    let new =
        format!("{}{line}{after}{}", text.get(..at.start).unwrap_or_default(), text.get(at.end..).unwrap_or_default());
    let begins = at.start + before.len();
    let line = new.get(..begins).unwrap_or_default().matches('\n').count() + 1;
    Ok((new, line))
}

/// How a file is laid out.
struct Style {
    newline: &'static str,
    /// Before a key of the top.
    key: String,
    /// Before a rule.
    rule: String,
    /// One level.
    unit: String,
}

impl Style {
    fn of(text: &str, members: &[Member<'_>]) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let known = members.iter().rev().find(|member| &*member.key == "rules");
        let anchor = known.or(members.last());
        let key = anchor.map_or_else(|| "  ".to_owned(), |member| indent(text, member.key_span.start));
        let last = known.and_then(|member| member.node.elements()?.last());
        // Rules that stand on one line say nothing of how a line begins.
        let own_line = last.map(|rule| indent(text, rule.span.start)).filter(|before| before.len() > key.len());
        let unit = own_line.as_deref().and_then(|before| before.strip_prefix(key.as_str())).map(str::to_owned);
        let unit = unit.unwrap_or_else(|| if key.contains('\t') { "\t".to_owned() } else { "  ".to_owned() });
        let rule = own_line.unwrap_or_else(|| format!("{key}{unit}"));
        Self { newline, key, rule, unit }
    }

    /// Where it goes into a list of rules, and what stands before and behind it.
    fn among_rules(&self, member: &Member<'_>) -> Result<(std::ops::Range<usize>, String, String), String> {
        let rules = member.node.elements().ok_or("its \"rules\" is not a list")?;
        let Self { newline, key, rule, .. } = self;
        if let Some(last) = rules.last() {
            return Ok((last.span.end..last.span.end, format!(",{newline}{rule}"), String::new()));
        }
        let inside = member.node.span.start + 1..member.node.span.end - 1;
        Ok((inside, format!("{newline}{rule}"), format!("{newline}{key}")))
    }

    /// The same where there is no list of rules yet.
    fn first_rules(&self, members: &[Member<'_>], end: usize) -> (std::ops::Range<usize>, String, String) {
        let Self { newline, key, rule, .. } = self;
        let list = format!("{newline}{key}\"rules\": [{newline}{rule}");
        match members.last() {
            Some(last) => (last.node.span.end..last.node.span.end, format!(",{list}"), format!("{newline}{key}]")),
            None => (end - 1..end - 1, list, format!("{newline}{key}]{newline}")),
        }
    }

    fn laid_out(&self, rule: &str) -> Result<String, String> {
        let node = Node::parse(rule).map_err(|error| error.to_string())?;
        let lines = layout::spread(&node, layout::STEP);
        let mut out = String::new();
        for (index, line) in lines.lines().enumerate() {
            let bare = line.trim_start_matches(' ');
            let levels = (line.len() - bare.len()).saturating_sub(layout::STEP) / layout::STEP;
            if index > 0 {
                out.push_str(self.newline);
                out.push_str(&self.rule);
                out.push_str(&self.unit.repeat(levels));
            }
            out.push_str(bare);
        }
        Ok(out)
    }
}

/// The blanks with which the line of a byte begins.
fn indent(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    line.chars().take_while(|character| matches!(character, ' ' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = r#"{"id":"a","title":"t","severity":"low","when":{"event":{"is":"A"}}}"#;

    /// Whether the new text holds the rule last, and everything else as it was.
    fn insert(text: &str) -> String {
        let (new, line) = inserted(text, RULE).unwrap();
        let root = Node::parse(&new).unwrap_or_else(|error| panic!("{error}: {new}"));
        let rule = root.get("rules").unwrap().elements().unwrap().last().unwrap();
        assert_eq!(rule.compact(), RULE);
        assert_eq!(new[..rule.span.start].matches('\n').count() + 1, line);
        let without: String = new.replacen(&new[rule.span.clone()], "", 1);
        let blank = |text: &str| text.split_whitespace().collect::<String>();
        let old = blank(text);
        let rest = blank(&without);
        assert!(rest.len() <= old.len() + 11, "{rest}");
        new
    }

    #[test]
    fn a_rule_stands_as_its_neighbours_do() {
        let text = "{\n    \"rules\": [\n        { \"id\": \"x\",   \"n\": 1.50 }\n    ],\n    \"channels\": {}\n}\n";
        let new = insert(text);
        assert!(
            new.starts_with(
                "{\n    \"rules\": [\n        { \"id\": \"x\",   \"n\": 1.50 },\n        {\n            \"id\": \"a\","
            ),
            "{new}"
        );
        assert!(new.ends_with("\n        }\n    ],\n    \"channels\": {}\n}\n"), "{new}");
        let tabs = insert("{\n\t\"rules\": [\n\t\t{}\n\t]\n}");
        assert!(tabs.contains("\n\t\t{\n\t\t\t\"id\": \"a\","), "{tabs}");
        let crlf = insert("{\r\n  \"rules\": [\r\n    {}\r\n  ]\r\n}\r\n");
        assert!(!crlf.replace("\r\n", "").contains('\n'), "{crlf:?}");
    }

    #[test]
    fn there_is_a_place_in_every_file() {
        for text in [
            "{}",
            "{\n}",
            r#"{"rules": []}"#,
            r#"{"rules":[{"id":"x"},{"id":"y"}],"channels":{}}"#,
            "{\n  \"include\": [\"p.json\"]\n}\n",
            "{ \"rules\": [\n] }",
            "\u{feff}{\"rules\": [ ]}".trim_start_matches('\u{feff}'),
        ] {
            insert(text);
        }
        for text in ["[]", "{\"rules\": {}}", "{", "1"] {
            assert!(inserted(text, RULE).is_err(), "{text}");
        }
    }
}
