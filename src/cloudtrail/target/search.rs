//! The values of members that name something, in each of the shapes that CloudTrail gives them.

use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use crate::cloudtrail::HIDDEN;
use crate::cloudtrail::fact::FactValue;
use crate::json::{Node, Value};

/// How deep a request is searched for a member. AWS's identifiers stand higher.
const MAX_DEPTH: usize = 5;

/// Names as they are found, each once.
#[derive(Debug, Default)]
pub(super) struct Names<'n> {
    found: Vec<FactValue>,
    /// The texts of `found`: one call may name a hundred thousand things.
    known: HashSet<&'n str>,
}

impl<'n> Names<'n> {
    pub(super) fn add(&mut self, text: &'n str, place: &impl fmt::Display) {
        if says_something(text) && self.known.insert(text) {
            self.found.push(FactValue { text: text.to_owned(), place: place.to_string() });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_values(self) -> Vec<FactValue> {
        self.found
    }
}

/// A value of a record, and the place where it stands.
#[derive(Debug, Clone)]
pub(super) struct Part<'n> {
    pub(super) node: &'n Node<'n>,
    place: Place<'n>,
}

/// Where something stands, from there up: `requestParameters.instancesSet.items[0]`. It is written only of what is found, and most of what
/// is looked at is not.
#[derive(Debug, Clone)]
enum Place<'n> {
    Top(&'n str),
    Member(Rc<Self>, &'n str),
    Element(Rc<Self>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(key) => formatter.write_str(key),
            Self::Member(parent, key) => write!(formatter, "{parent}.{key}"),
            Self::Element(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

impl<'n> Part<'n> {
    /// A field at the top of a record, if the record has it. Of EC2's newer calls, what stands in the object that is named after the call:
    /// `{"DeleteFlowLogsRequest": {…}}`.
    pub(super) fn top(key: &'n str, field: Option<&'n Node<'n>>) -> Option<Self> {
        let node = field.filter(|node| !node.is_null())?;
        let top = Self { node, place: Place::Top(key) }.opened();
        let wrapped = match top.node.members() {
            Some([only]) if only.key.ends_with("Request") || only.key.ends_with("Response") => top.parts().next(),
            _ => None,
        };
        Some(wrapped.unwrap_or(top))
    }

    /// What a text of JSON holds; anything else is left as it is.
    fn opened(self) -> Self {
        match &self.node.value {
            Value::String(text) => text.embedded().map(|node| Self { node, ..self.clone() }).unwrap_or(self),
            _ => self,
        }
    }

    /// The members that are there.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'n str, Self)> {
        let members = self.node.members().unwrap_or_default();
        let place = self.shared_place(members.len());
        members.iter().filter(|member| !member.node.is_null()).filter_map(move |member| {
            let part = Self { node: &member.node, place: Place::Member(place.clone()?, &member.key) };
            Some((&*member.key, part.opened()))
        })
    }

    /// The values of the members of an object, or the elements of an array.
    pub(super) fn parts(&self) -> impl Iterator<Item = Self> {
        let elements = self.node.elements().unwrap_or_default();
        let place = self.shared_place(elements.len());
        let elements = elements.iter().enumerate().filter_map(move |(index, node)| {
            Some(Self { node, place: Place::Element(place.clone()?, index) }.opened())
        });
        self.members().map(|(_, part)| part).chain(elements)
    }

    /// The place, for so many that stand in it; none for none.
    fn shared_place(&self, parts: usize) -> Option<Rc<Place<'n>>> {
        (parts > 0).then(|| Rc::new(self.place.clone()))
    }

    /// Appends the names that it is: itself, each element of a list, or the content of an element of XML.
    pub(super) fn add_names(&self, names: &mut Names<'n>) {
        if let Some(text) = self.node.scalar() {
            names.add(text, &self.place);
        } else if self.node.elements().is_some() {
            self.parts().for_each(|element| element.add_names(names));
        } else if let Some((_, content)) = self.members().find(|(key, _)| ["content", "items", "item"].contains(key)) {
            content.add_names(names);
        }
    }

    /// Appends the names at a path of names, or those of the member of this name that stands the least deep.
    pub(super) fn add_named(&self, name: &str, names: &mut Names<'n>) {
        if name.contains('.') {
            let path: Vec<&str> = name.split('.').collect();
            return self.add_at(&path, names);
        }
        let had = names.len();
        let mut level = vec![self.clone()];
        // `name` and `id` alone mean the target only at the top.
        let depth = if matches!(name, "name" | "id" | "arn") { 1 } else { MAX_DEPTH };
        for _ in 0..depth {
            let members = level.iter().flat_map(Self::members).filter(|(key, _)| is_same(key, name));
            members.for_each(|(_, member)| member.add_names(names));
            if names.len() > had {
                return;
            }
            level = level.iter().flat_map(Self::parts).flat_map(Self::objects).collect();
        }
    }

    fn add_at(&self, path: &[&str], names: &mut Names<'n>) {
        match path.split_first() {
            None => self.add_names(names),
            Some(_) if self.node.elements().is_some() => self.parts().for_each(|element| element.add_at(path, names)),
            Some((key, rest)) => {
                let members = self.members().filter(|(other, _)| is_same(other, key));
                members.for_each(|(_, member)| member.add_at(rest, names));
            }
        }
    }

    /// The objects that it is or has as elements.
    pub(super) fn objects(self) -> Vec<Self> {
        if self.node.elements().is_some() {
            return self.parts().flat_map(Self::objects).collect();
        }
        if self.node.members().is_some() { vec![self] } else { Vec::new() }
    }
}

/// Whether two names mean the same member: EC2 alone writes `groupId` and `GroupId`, by the age of the call, and `InstanceId` for
/// each of its `InstanceIds`.
fn is_same(key: &str, name: &str) -> bool {
    let singular = |name: &str| name.len() - usize::from(name.ends_with('s'));
    key.get(..singular(key)).is_some_and(|key| key.eq_ignore_ascii_case(&name[..singular(name)]))
}

/// Whether a text names anything: AWS writes a text of its own where a name might be a secret.
fn says_something(text: &str) -> bool {
    !text.is_empty() && text != HIDDEN && text != "-"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(request: &str, name: &str) -> Vec<String> {
        let json = format!(r#"{{"requestParameters":{request}}}"#);
        let root = Node::parse(&json).unwrap();
        let mut names = Names::default();
        if let Some(request) = Part::top("requestParameters", root.get("requestParameters")) {
            request.add_named(name, &mut names);
        }
        names.into_values().into_iter().map(|name| format!("{} {}", name.text, name.place)).collect()
    }

    #[test]
    fn each_shape_of_a_member_is_found() {
        for (request, name, found) in [
            (r#"{"userName":"mara"}"#, "userName", "mara requestParameters.userName"),
            (
                r#"{"instanceIds":["i-1","i-2"]}"#,
                "instanceId",
                "i-1 requestParameters.instanceIds[0]; i-2 requestParameters.instanceIds[1]",
            ),
            (
                r#"{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-1"}]}}"#,
                "instanceIds",
                "i-1 requestParameters.instancesSet.items[0].instanceId",
            ),
            (
                r#"{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-1"}}}"#,
                "flowLogId",
                "fl-1 requestParameters.DeleteFlowLogsRequest.FlowLogId.content",
            ),
            (r#"{"a":{"x":{"vpcId":"deep"}},"b":{"vpcId":"high"}}"#, "vpcId", "high requestParameters.b.vpcId"),
            (r#"{"a":{"name":"deep"}}"#, "name", ""),
            (r#"{"a":{"name":"there"},"name":"top"}"#, "a.name", "there requestParameters.a.name"),
            (r#""{\"roleName\":\"Admin\"}""#, "roleName", "Admin requestParameters.roleName"),
            (r#"{"name":"HIDDEN_DUE_TO_SECURITY_REASONS","x":null}"#, "name", ""),
            (r#"{"roleName":"","s":[]}"#, "roleName", ""),
            ("null", "roleName", ""),
        ] {
            assert_eq!(named(request, name).join("; "), found, "{request}");
        }
    }
}
