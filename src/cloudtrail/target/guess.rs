//! What a call acts on, of calls that the catalogue does not have: members that are called as names of things are.

use super::search::{Names, Part};

/// How many members are taken: the thing, what it is in, and one more.
const MEMBERS: usize = 3;
/// How deep they are looked for.
const MAX_DEPTH: usize = 4;

/// The ends of the names of members that identify something.
const ENDS: [&str; 5] = ["id", "arn", "name", "identifier", "queueurl"];
/// What members that are called so and say nothing of what is acted on are about: what recognises a request, how an answer is to be
/// given, whose account it is, and with which key.
const NOT: [&str; 17] = [
    "account",
    "callback",
    "caller",
    "column",
    "dimension",
    "engine",
    "event",
    "host",
    "language",
    "metric",
    "owner",
    "parent",
    "redirect",
    "return",
    "session",
    "statement",
    "version",
];
/// How others of them begin.
const NOT_BEGINNINGS: [&str; 11] = [
    "attribute",
    "availabilityzone",
    "awsaccount",
    "client",
    "correlation",
    "display",
    "filter",
    "idempot",
    "kmskey",
    "property",
    "request",
];
/// Members that hold conditions and labels, not what is acted on.
const ASIDE: [&str; 6] = ["filterset", "filters", "filter", "tagset", "tags", "tagspecificationset"];

/// Appends the values of members that identify something: those that stand the least deep, those after which the call is named
/// first.
pub(super) fn add_guessed<'n>(part: &Part<'n>, event: &str, names: &mut Names<'n>) {
    let event = event.to_ascii_lowercase();
    let mut level = vec![part.clone()];
    for _ in 0..MAX_DEPTH {
        // By name, since each element of a list has the same.
        let mut named: Vec<(bool, String, Vec<Part<'n>>)> = Vec::new();
        let mut below = Vec::new();
        for (key, member) in level.iter().flat_map(Part::members) {
            let key = key.to_ascii_lowercase();
            if !ASIDE.contains(&key.as_str()) {
                below.extend(member.clone().objects());
            }
            let Some(thing) = stem(&key) else { continue };
            if let Some((_, _, members)) = named.iter_mut().find(|(_, name, _)| *name == key) {
                members.push(member);
            } else {
                let is_other = !(thing.is_empty() || thing == "resource" || event.contains(thing));
                named.push((is_other, key, vec![member]));
            }
        }
        let had = names.len();
        named.sort_by_key(|(is_other, ..)| *is_other);
        let members = named.iter().take(MEMBERS).flat_map(|(_, _, members)| members);
        members.for_each(|member| member.add_names(names));
        if names.len() > had {
            return;
        }
        level = below;
    }
}

/// What a member identifies, if it identifies something: `bucket` of `bucketname`, nothing of `name`. The name is in small letters.
fn stem(key: &str) -> Option<&str> {
    let singular = key.strip_suffix('s').unwrap_or(key);
    let stem = ENDS.iter().find_map(|end| singular.strip_suffix(end))?;
    let is_aside = NOT.contains(&stem) || NOT_BEGINNINGS.iter().any(|beginning| stem.starts_with(beginning));
    (!is_aside).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Node;

    fn guessed(event: &str, request: &str) -> Vec<String> {
        let json = format!(r#"{{"requestParameters":{request}}}"#);
        let root = Node::parse(&json).unwrap();
        let mut names = Names::default();
        add_guessed(&Part::top("requestParameters", root.get("requestParameters")).unwrap(), event, &mut names);
        names.into_values().into_iter().map(|name| name.text).collect()
    }

    #[test]
    fn members_that_name_things_are_taken_the_calls_own_first() {
        assert_eq!(
            guessed("DeleteWidget", r#"{"panelId":"p","widgetArn":"w","clientRequestId":"c","n":1}"#),
            ["w", "p"]
        );
        assert_eq!(guessed("GetWidget", r#"{"parts":{"widgetIds":["a","b"]},"filterSet":{"name":"x"}}"#), ["a", "b"]);
        assert_eq!(guessed("X", r#"{"aId":"1","bId":"2","cId":"3","dId":"4"}"#), ["1", "2", "3"]);
        assert_eq!(guessed("GetX", r#"{"hostedZoneId":"Z","tableName":"t","hostId":"h"}"#), ["Z", "t"]);
        let many = r#"{"set":{"items":[{"aId":"1"},{"aId":"2"},{"aId":"3"},{"aId":"4"}]}}"#;
        assert_eq!(guessed("X", many), ["1", "2", "3", "4"]);
        assert_eq!(guessed("ListWidgets", r#"{"maxResults":5,"filters":[{"name":"x"}],"accountId":"1"}"#), [""; 0]);
    }
}
