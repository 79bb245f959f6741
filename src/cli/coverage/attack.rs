//! MITRE ATT&CK's tactics and techniques, as far as calls of AWS can show them: `attack.tsv`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("attack.tsv");

/// The version of ATT&CK whose techniques these are.
pub(in crate::cli) const VERSION: &str = "19";

/// One of ATT&CK's tactics.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub(in crate::cli) struct Tactic {
    /// `initial-access`: in tables, tags and layers.
    pub(in crate::cli) word: &'static str,
    /// `Initial Access`.
    pub(in crate::cli) name: &'static str,
}

/// The tactics, in the order of the matrix. <https://attack.mitre.org/tactics/enterprise/>
pub(in crate::cli) const TACTICS: [Tactic; 15] = [
    Tactic { word: "reconnaissance", name: "Reconnaissance" },
    Tactic { word: "resource-development", name: "Resource Development" },
    Tactic { word: "initial-access", name: "Initial Access" },
    Tactic { word: "execution", name: "Execution" },
    Tactic { word: "persistence", name: "Persistence" },
    Tactic { word: "privilege-escalation", name: "Privilege Escalation" },
    Tactic { word: "stealth", name: "Stealth" },
    Tactic { word: "defense-impairment", name: "Defense Impairment" },
    Tactic { word: "credential-access", name: "Credential Access" },
    Tactic { word: "discovery", name: "Discovery" },
    Tactic { word: "lateral-movement", name: "Lateral Movement" },
    Tactic { word: "collection", name: "Collection" },
    Tactic { word: "command-and-control", name: "Command and Control" },
    Tactic { word: "exfiltration", name: "Exfiltration" },
    Tactic { word: "impact", name: "Impact" },
];

/// A technique or a sub-technique.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Technique {
    /// `T1098.003`.
    pub(in crate::cli) id: &'static str,
    /// `Account Manipulation: Additional Cloud Roles`.
    pub(in crate::cli) name: String,
    /// The words of the tactics that it serves.
    pub(in crate::cli) tactics: Vec<&'static str>,
}

impl Technique {
    /// The technique that a tag names, be it by an id that this version has revoked; `None` if the id is not known.
    pub(in crate::cli) fn of_id(id: &str) -> Option<&'static Self> {
        let Techniques { current, replaced } = techniques();
        current.get(replaced.get(id).copied().unwrap_or(id))
    }

    /// The id of the technique that this one is a part of.
    pub(in crate::cli) fn parent(&self) -> Option<&'static str> {
        self.id.split_once('.').map(|(parent, _)| parent)
    }
}

/// The id of the technique that a rule's tag names: `attack.t1098.003` is `T1098.003`.
pub(in crate::cli) fn id_of_tag(tag: &str) -> Option<String> {
    let id = tag.strip_prefix("attack.")?.to_ascii_uppercase();
    let digits = id.strip_prefix('T')?;
    digits.starts_with(|first: char| first.is_ascii_digit()).then_some(id)
}

struct Techniques {
    current: BTreeMap<&'static str, Technique>,
    /// Revoked id → the id that replaces it.
    replaced: BTreeMap<&'static str, &'static str>,
}

fn techniques() -> &'static Techniques {
    static TECHNIQUES: OnceLock<Techniques> = OnceLock::new();
    TECHNIQUES.get_or_init(|| {
        let (mut current, mut replaced) = (BTreeMap::<&str, Technique>::new(), BTreeMap::new());
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let (Some(id), Some(name), Some(last)) = (columns.next(), columns.next(), columns.next()) else { continue };
            if name == "=" {
                replaced.insert(id, last);
                continue;
            }
            // The table is sorted: a technique stands before its parts.
            let parent = id.split_once('.').and_then(|(parent, _)| current.get(parent));
            let name = parent.map_or_else(|| name.to_owned(), |parent| format!("{}: {name}", parent.name));
            current.insert(id, Technique { id, name, tactics: last.split(' ').collect() });
        }
        Techniques { current, replaced }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_together() {
        let Techniques { current, replaced } = techniques();
        assert!(current.len() > 200 && replaced.len() > 10);
        for technique in current.values() {
            assert!(!technique.name.is_empty() && !technique.tactics.is_empty(), "{technique:?}");
            assert!(technique.parent().is_none_or(|parent| current.contains_key(parent)), "{technique:?}");
            for word in &technique.tactics {
                assert!(TACTICS.iter().any(|tactic| tactic.word == *word), "{technique:?}");
            }
        }
        for (old, new) in replaced {
            assert!(current.contains_key(new) && !current.contains_key(old), "{old} {new}");
        }
        assert_eq!(TABLE.lines().filter(|line| !line.starts_with('#')).count(), current.len() + replaced.len());
    }

    #[test]
    fn a_tag_names_a_technique_of_this_version() {
        let name =
            |tag: &str| Technique::of_id(&id_of_tag(tag)?).map(|technique| (technique.id, technique.name.as_str()));
        assert_eq!(name("attack.t1098.003"), Some(("T1098.003", "Account Manipulation: Additional Cloud Roles")));
        assert_eq!(
            name("attack.T1562.008"),
            Some(("T1685.002", "Disable or Modify Tools: Disable or Modify Cloud Log"))
        );
        for other in ["attack.t9999", "attack.persistence", "attack.t", "team.t1098", "t1098"] {
            assert_eq!(name(other), None, "{other}");
        }
        assert_eq!(id_of_tag("attack.t9999").as_deref(), Some("T9999"));
    }
}
