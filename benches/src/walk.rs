//! The same fields, extracted by serde over another parser: a tree of paths that is walked, and the rest ignored.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What 1,000 of the benchmark's rules name, as the engine extracts it.
const PATHS: [&[&str]; 22] = [
    &["userIdentity", "type"],
    &["eventSource"],
    &["eventName"],
    &["requestParameters", "bucketName"],
    &["recipientAccountId"],
    &["userIdentity", "accountId"],
    &["additionalEventData", "MFAUsed"],
    &["additionalEventData", "UserName"],
    &["errorCode"],
    &["errorMessage"],
    &["responseElements"],
    &["sourceIPAddress"],
    &["userIdentity", "arn"],
    &["userIdentity", "invokedBy"],
    &["userIdentity", "onBehalfOf", "userId"],
    &["userIdentity", "principalId"],
    &["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"],
    &["userIdentity", "sessionContext", "sessionIssuer", "type"],
    &["userIdentity", "sessionContext", "sessionIssuer", "userName"],
    &["userIdentity", "userName"],
    &["eventVersion"],
    &["eventType"],
];

/// The paths as a tree.
#[derive(Default)]
pub(crate) struct Tree {
    children: Vec<(&'static str, Tree)>,
    slot: Option<usize>,
}

impl Tree {
    pub(crate) fn of_rules() -> Self {
        let mut root = Self::default();
        for (slot, path) in PATHS.iter().enumerate() {
            path.iter().fold(&mut root, |tree, key| tree.below(key)).slot = Some(slot);
        }
        root
    }

    fn below(&mut self, key: &'static str) -> &mut Self {
        let place = self.children.iter().position(|(name, _)| *name == key).unwrap_or_else(|| {
            self.children.push((key, Self::default()));
            self.children.len() - 1
        });
        &mut self.children[place].1
    }

    pub(crate) fn serde_json(&self, record: &str) -> usize {
        let mut found = Found::default();
        let mut json = serde_json::Deserializer::from_str(record);
        Walk { tree: self, found: &mut found }.deserialize(&mut json).unwrap();
        json.end().unwrap();
        found.iter().flatten().count()
    }

    pub(crate) fn sonic_rs(&self, record: &str) -> usize {
        let mut found = Found::default();
        let mut json = sonic_rs::Deserializer::from_str(record);
        Walk { tree: self, found: &mut found }.deserialize(&mut json).unwrap();
        found.iter().flatten().count()
    }
}

type Found<'de> = [Option<Cow<'de, str>>; PATHS.len()];

struct Walk<'w, 'de> {
    tree: &'w Tree,
    found: &'w mut Found<'de>,
}

impl<'de> Walk<'_, 'de> {
    fn keep(self, text: impl Into<Cow<'de, str>>) {
        if let Some(slot) = self.tree.slot {
            self.found[slot].get_or_insert(text.into());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.tree.children.is_empty() && self.tree.slot.is_none() {
            return IgnoredAny::deserialize(deserializer).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.keep(text);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.keep(text.to_owned());
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.keep(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Walk { tree: self.tree, found: self.found })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(below) = members.next_key_seed(Key(self.tree))? {
            match below {
                Some(tree) => members.next_value_seed(Walk { tree, found: self.found })?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Key<'w>(&'w Tree);

impl<'de, 'w> DeserializeSeed<'de> for Key<'w> {
    type Value = Option<&'w Tree>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for Key<'w> {
    type Value = Option<&'w Tree>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.children.iter().find(|(name, _)| *name == key).map(|(_, tree)| tree))
    }
}
