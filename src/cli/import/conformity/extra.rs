//! The extra settings of one of Conformity's rules, and the lists that they become.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::output::OrderedMap;
use super::super::tree::{Tree, folded};

/// Adds values to a named list of ours.
pub(super) fn add_list(name: &str, values: Vec<String>, lists: &mut OrderedMap<Vec<String>>) {
    match lists.0.iter_mut().find(|(other, _)| other == name) {
        Some((_, known)) => {
            let new: Vec<String> = values.into_iter().filter(|value| !known.contains(value)).collect();
            known.extend(new);
        }
        None => lists.set(name, values),
    }
}

/// Leaves out of a safe list what is no address and no network.
pub(super) fn networks(values: &mut Vec<String>, lost: &mut impl FnMut(String)) {
    values.retain(|value| {
        let known = value.parse::<IpNet>().is_ok() || value.parse::<IpAddr>().is_ok();
        if !known {
            lost(format!("\"{value}\" is no address and no network, so it is on no safe list"));
        }
        known
    });
}

/// What to say of a safe list that leaves nobody out.
pub(super) fn whole_internet(values: &[String]) -> Option<String> {
    let networks: Vec<IpNet> = values
        .iter()
        .filter_map(|value| value.parse::<IpNet>().ok().or_else(|| value.parse::<IpAddr>().ok().map(IpNet::from)))
        .map(|network| network.trunc())
        .collect();
    let whole: Vec<IpNet> =
        IpNet::aggregate(&networks).into_iter().filter(|network| network.prefix_len() == 0).collect();
    let families: Vec<&str> =
        whole.iter().map(|network| if network.network().is_ipv4() { "IPv4" } else { "IPv6" }).collect();
    match families.as_slice() {
        [] => None,
        [one] => Some(format!("its safe list holds every {one} address, so it never alerts on a sign-in from one")),
        _ => Some("its safe list holds every address, so it can never alert".to_owned()),
    }
}

/// The words, folded, of which the type or name of a rule's extra setting holds one, if this importer reads it.
fn words(id: &str) -> &'static [&'static str] {
    match id {
        "RTM-005" => &["countries", "ttl"],
        "RTM-007" => &["ips", "ttl"],
        "RTM-008" => &["regions", "ttl"],
        "RTM-009" => &["configurationchanges", "ttl"],
        "RTM-011" => &["multipleobjectvalues", "ttl"],
        _ => &["ttl"],
    }
}

/// The extra settings of a rule.
pub(super) struct Extra<'t>(Vec<&'t Tree>);

impl<'t> Extra<'t> {
    pub(super) fn new(body: &'t Tree) -> Self {
        Self(body.field("extrasettings").map_or(&[][..], Tree::items).iter().collect())
    }

    /// Tells of the settings that this importer does not read.
    pub(super) fn unread(&self, id: &str, lost: &mut impl FnMut(String)) {
        for setting in self.0.iter().filter(|setting| setting.entries().is_some()) {
            let has = |key: &str, words: &[&str]| {
                let text = setting.field(key).and_then(Tree::text).map(folded).unwrap_or_default();
                words.iter().any(|word| text.contains(word))
            };
            let named = |words: &[&str]| has("type", words) || has("name", words);
            if named(words(id)) {
                continue;
            }
            let name =
                setting.field("name").or_else(|| setting.field("type")).and_then(Tree::text).unwrap_or("(no name)");
            let (line, help) = (
                setting.line,
                if named(&["hours"]) {
                    ": RTM-HOURS of the pack conformity-rtm watches business hours, once its lists are set"
                } else {
                    ""
                },
            );
            lost(format!("line {line}: its setting \"{name}\" is not known{help}"));
        }
    }

    /// The settings whose type or name holds a word.
    pub(super) fn named(&self, word: &str) -> impl Iterator<Item = &'t Tree> {
        let has = |setting: &Tree, key: &str| {
            setting.field(key).and_then(Tree::text).is_some_and(|text| folded(text).contains(word))
        };
        self.0
            .iter()
            .copied()
            .filter(move |setting| has(setting, "type") || has(setting, "name"))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The values of such a setting: texts, or maps with a `value`, in any of the keys that hold them.
    pub(super) fn values(&self, word: &str) -> Vec<&'t Tree> {
        const KEYS: [&str; 4] = ["values", "regions", "valueset", "multipleobjectvalues"];
        self.named(word)
            .flat_map(|setting| KEYS.into_iter().filter_map(|key| setting.field(key)))
            .flat_map(Tree::items)
            // `regions: true` says that the values are regions.
            .filter(|value| value.text() != Some("true") && value.text() != Some("false"))
            .collect()
    }

    pub(super) fn texts(&self, word: &str) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for value in self.values(word) {
            let text = value.field("value").unwrap_or(value).text().map(str::to_owned);
            texts.extend(text.filter(|text| !text.is_empty() && !texts.contains(text)));
        }
        texts
    }
}
