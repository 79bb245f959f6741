//! What a vendor calls our severities, and `severity_map` in rules.json, which changes it.

use crate::config::Problems;
use crate::config::{ObjectReader, listed, suggestion};
use crate::json::Node;
use crate::severity::Severity;

/// A value of the vendor's for each severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeverityMap<T>([T; 5]);

impl<T> SeverityMap<T> {
    /// The vendor's value.
    pub(super) fn get(&self, severity: Severity) -> &T {
        &self.0[severity as usize]
    }

    /// Reads `severity_map` over the `default`, whose order is that of [`Severity::ALL`]. `value` reads one of the vendor's
    /// values, and reports what is wrong with it.
    pub(super) fn read(
        default: [T; 5],
        fields: &mut ObjectReader<'_>,
        problems: &mut Problems,
        value: impl Fn(&Node, &mut Problems) -> Option<T>,
    ) -> Self {
        let mut map = Self(default);
        let Some(node) = fields.get("severity_map") else { return map };
        // Reports keys that stand twice, and what is no object.
        if ObjectReader::new(node, "\"severity_map\"", problems).is_none() {
            return map;
        }
        for member in node.members().unwrap_or_default() {
            let Some((_, severity)) = Severity::WORDS.iter().find(|(word, _)| *word == &*member.key) else {
                let words = Severity::ALL.map(Severity::as_str);
                let help =
                    suggestion(&member.key, words).unwrap_or_else(|| format!("the severities are {}", listed(words)));
                problems.error("unknown-key", &member.key_span, format!("\"{}\" is no severity", member.key), help);
                continue;
            };
            if let Some(value) = value(&member.node, problems) {
                map.0[*severity as usize] = value;
            }
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::word;

    #[test]
    fn a_map_changes_what_it_names_and_reports_the_rest() {
        let read = |source: &str| {
            let root = Node::parse(source).unwrap();
            let mut problems = Problems::default();
            let mut fields = ObjectReader::new(&root, "a channel", &mut problems).unwrap();
            let map = SeverityMap::read([1, 2, 3, 4, 5], &mut fields, &mut problems, |node, problems| {
                word(node, "level", &[("nine", 9)], problems)
            });
            let codes: Vec<_> = problems.finish(source, &root).into_iter().map(|d| (d.code, d.help)).collect();
            (Severity::ALL.map(|severity| *map.get(severity)), codes)
        };
        assert_eq!(read("{}"), ([1, 2, 3, 4, 5], vec![]));
        assert_eq!(read(r#"{"severity_map":{"high":"nine","VERY_HIGH":"nine"}}"#).0, [1, 2, 9, 9, 5]);
        let (map, problems) = read(r#"{"severity_map":{"hihg":"nine","low":"ten"}}"#);
        assert_eq!((map, problems.len(), problems[0].1.as_str()), ([1, 2, 3, 4, 5], 2, "did you mean \"high\""));
        assert_eq!(read(r#"{"severity_map":["high"]}"#).1.len(), 1);
    }
}
