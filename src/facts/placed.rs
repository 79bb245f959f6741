//! A value of a record, and the place where it stands.

use crate::cloudtrail::{FactValue, Record, wrapped_list};
use crate::json::{Node, Value};

/// A value of a record, and the place where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Placed<'n> {
    pub(crate) node: &'n Node<'n>,
    /// `requestParameters.ipPermissions.items[0]`.
    pub(crate) place: String,
}

/// Members whose content is the caller's own words, keys included: a tag, a label or a variable may be called `instanceType`, and a
/// description may hold any text, without the call doing anything of it. Collected from botocore 1.43: the maps and free texts in
/// requests of the calls that fields understand.
const FREE_WORDS: [&str; 22] = [
    "additionalInfo",
    "advancedOptions",
    "annotations",
    "capacityTags",
    "collectionParameters",
    "description",
    "environment",
    "environmentVariables",
    "hookParameters",
    "hyperParameters",
    "labels",
    "parameters",
    "profilingParameters",
    "properties",
    "ruleParameters",
    "staticHyperParameters",
    "tags",
    "tagList",
    "tagSet",
    "tagSpecifications",
    "tagSpecificationSet",
    "userData",
];

/// How deep a record is searched. AWS's own requests are not half as deep.
const MAX_DEPTH: usize = 24;

impl<'n> Placed<'n> {
    /// A field at the top of a record: `requestParameters`.
    pub(crate) fn top(record: &'n Record<'_>, key: &str) -> Option<Self> {
        let node = record.get(key).filter(|node| !node.is_null())?;
        Some(Self { node, place: key.to_owned() }.opened())
    }

    /// What the call asks for. Newer calls of EC2 are recorded within an object of their own: `CreateFleetRequest`.
    pub(super) fn request(record: &'n Record<'_>) -> Option<Self> {
        let request = Self::top(record, "requestParameters")?;
        let event = record.text(&["eventName"]).unwrap_or_default();
        Some(request.get(&format!("{event}Request")).unwrap_or(request))
    }

    /// What a text of JSON holds, as paths read it; anything else is left as it is.
    fn opened(self) -> Self {
        match &self.node.value {
            Value::String(text) => match text.embedded() {
                Some(node) => Self { node, place: self.place },
                None => self,
            },
            _ => self,
        }
    }

    /// A member that is not null. Its name is compared without regard to case: EC2 alone writes `fromPort` and `FromPort`, by the
    /// age of the call.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let member = self
            .node
            .members()?
            .iter()
            .rev()
            .find(|member| member.key.eq_ignore_ascii_case(key) && !member.node.is_null())?;
        Some(Self { node: &member.node, place: format!("{}.{}", self.place, member.key) }.opened())
    }

    /// What stands at a path of members.
    pub(crate) fn at(&self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self.clone(), |here, key| here.get(key))
    }

    /// The text of a scalar, unless it is empty.
    pub(crate) fn text(&self) -> Option<&'n str> {
        self.node.scalar().filter(|text| !text.is_empty())
    }

    /// The first of these members that is a scalar.
    pub(crate) fn text_of(&self, keys: &[&str]) -> Option<&'n str> {
        keys.iter().find_map(|key| self.get(key)?.text())
    }

    /// The members of an object, nulls left out.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'n str, Self)> {
        let members = self.node.members().unwrap_or_default().iter().filter(|member| !member.node.is_null());
        members.map(|member| {
            let placed = Self { node: &member.node, place: format!("{}.{}", self.place, member.key) };
            (&*member.key, placed.opened())
        })
    }

    /// The elements of a list, in each of its forms: an array, an object whose `items` is one (EC2), or a single element that
    /// stands for itself. An empty object is an empty list.
    pub(crate) fn elements(&self) -> Vec<Self> {
        if let Some(elements) = self.node.elements() {
            let placed = elements.iter().enumerate().filter(|(_, node)| !node.is_null());
            return placed
                .map(|(index, node)| Self { node, place: format!("{}[{index}]", self.place) }.opened())
                .collect();
        }
        match self.node.members() {
            Some([]) => Vec::new(),
            Some([only]) if wrapped_list(self.node).is_some() => {
                self.get(&only.key).map(|inner| inner.elements()).unwrap_or_default()
            }
            _ => vec![self.clone()],
        }
    }

    /// Calls `visit` with each object that this value is or holds, in the order of the text, but for those in the caller's own words.
    pub(crate) fn each_object(&self, visit: &mut dyn FnMut(&Self)) {
        self.each_object_below(0, visit);
    }

    fn each_object_below(&self, depth: usize, visit: &mut dyn FnMut(&Self)) {
        if depth > MAX_DEPTH {
            return;
        }
        if self.node.members().is_some() {
            visit(self);
            let is_free = |key: &str| FREE_WORDS.iter().any(|free| free.eq_ignore_ascii_case(key));
            let said = self.members().filter(|(key, _)| !is_free(key));
            said.for_each(|(_, member)| member.each_object_below(depth + 1, visit));
        } else if self.node.elements().is_some() {
            self.elements().iter().for_each(|element| element.each_object_below(depth + 1, visit));
        }
    }
}

/// Values without repeats: of equal ones the first counts.
#[derive(Debug, Default)]
pub(super) struct Values(pub(super) Vec<FactValue>);

impl Values {
    /// Adds a value, unless it is there.
    pub(super) fn add(&mut self, text: impl Into<String>, place: &str) {
        let text = text.into();
        if self.0.iter().all(|known| known.text != text) {
            self.0.push(FactValue { text, place: place.to_owned() });
        }
    }
}
