//! What a vendor calls our severities, and `severity_map` in rules.json, which changes it.

use crate::config::{
    KeyDefault, KeySpec, MapNames, ObjectReader, Problems, ValueShape, formatted, listed, repeated_keys, suggestion,
    word, wrong_kind,
};
use crate::json::Node;
use crate::rules::compile::SEVERITIES;
use crate::severity::Severity;

/// The name of the key in `rules.json`.
const KEY: &str = "severity_map";

/// The key `severity_map` of a type of channel: the vendor's `values`, and the one that it has for each severity in the order
/// of [`Severity::ALL`].
pub(super) const fn severity_map(
    values: &'static ValueShape,
    default: &'static [&'static str; 5],
    docs: &'static str,
) -> KeySpec {
    KeySpec::new(KEY, ValueShape::Map { names: MapNames::Words(&SEVERITIES), values }, docs)
        .or(KeyDefault::BySeverity(default))
}

/// For each severity, the value by which the vendor calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeverityMap([String; 5]);

impl SeverityMap {
    /// The vendor's value for a severity.
    pub(super) fn get(&self, severity: Severity) -> &str {
        &self.0[severity as usize]
    }

    /// Reads `severity_map` over what the channel's table has for each severity.
    pub(super) fn read(fields: &mut ObjectReader<'_>, problems: &mut Problems) -> Self {
        let (node, key) = fields.get_with_spec(KEY);
        let mut map = Self::default_of(key);
        let (Some(node), Some(KeySpec { shape: ValueShape::Map { values, .. }, .. })) = (node, key) else { return map };
        let Some(members) = node.members() else {
            wrong_kind(node, "\"severity_map\" must be an object", problems);
            return map;
        };
        repeated_keys(members, problems);
        for member in members {
            let Some(severity) = Severity::from_word(&member.key) else {
                let words = SEVERITIES.listed.iter().copied();
                let near = suggestion(&member.key, words.clone());
                let otherwise = || format!("the severities are {}", listed(words)).into();
                let help = near.map_or_else(otherwise, |near| near.advice(&member.key_span));
                let message = format!("unknown severity \"{}\"", member.key);
                problems.error("unknown-key", &member.key_span, message, help);
                continue;
            };
            if let Some(value) = value(&member.node, **values, problems) {
                value.clone_into(&mut map.0[severity as usize]);
            }
        }
        map
    }

    fn default_of(key: Option<&KeySpec>) -> Self {
        match key {
            Some(KeySpec { default: KeyDefault::BySeverity(values), .. }) => Self(values.map(str::to_owned)),
            _ => Self(Default::default()),
        }
    }
}

fn value<'n>(node: &'n Node<'n>, shape: ValueShape, problems: &mut Problems) -> Option<&'n str> {
    match shape {
        ValueShape::Word(words) => word(node, words, problems),
        ValueShape::Formatted(format) => formatted(node, format.what, format, problems),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ObjectSpec, WordList};

    static LEVELS: WordList = WordList { what: "level", listed: &["one", "nine"], understood: &[] };
    static LEVEL: ValueShape = ValueShape::Word(&LEVELS);
    static CHANNEL: ObjectSpec = ObjectSpec {
        name: "Channel",
        what: "a channel",
        docs: "",
        keys: [&[severity_map(&LEVEL, &["one"; 5], "")], &[]],
        at_least_one: &[],
    };

    #[test]
    fn a_map_changes_what_it_names_and_reports_the_rest() {
        let read = |source: &str| {
            let root = Node::parse(source).unwrap();
            let mut problems = Problems::default();
            let mut fields = ObjectReader::new(&root, &CHANNEL, &mut problems).unwrap();
            let map = SeverityMap::read(&mut fields, &mut problems);
            let codes: Vec<_> = problems.finish(source, &root).into_iter().map(|d| (d.code, d.help)).collect();
            (Severity::ALL.map(|severity| map.get(severity).to_owned()), codes)
        };
        assert_eq!(read("{}"), (["one"; 5].map(str::to_owned), vec![]));
        let changed = ["one", "one", "nine", "nine", "one"].map(str::to_owned);
        assert_eq!(read(r#"{"severity_map":{"high":"nine","VERY_HIGH":"nine"}}"#).0, changed);
        let (map, problems) = read(r#"{"severity_map":{"hihg":"nine","low":"ten"}}"#);
        assert_eq!((map, problems.len()), (["one"; 5].map(str::to_owned), 2));
        assert_eq!(problems[0].1, "did you mean \"high\"?");
        assert_eq!(read(r#"{"severity_map":["high"]}"#).1.len(), 1);
    }
}
