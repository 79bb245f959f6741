//! The paths that rules name, as a trie of keys: it tells [`super::extract`] which parts of a record to enter.
//!
//! The trie is one array of nodes. A node stands before its descendants, and they stand right behind it, so that "all that is
//! below this node" is a range of numbers. Its children are found by a hash table of their own: every key of every record is
//! looked up here, and most are in no rule, so that the answer "no such child" must be cheap. An array is what a package can
//! hold as it is.

#![allow(
    clippy::inline_always,
    reason = "a scan spends most of its time here; left alone, the compiler makes calls of it"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hash::key_hash;

/// The number of a node in the trie, and of the field whose path ends there. 0 is the root: the record itself.
pub(super) type FieldId = u16;

/// The most keys that a path may have. A field with a longer path is looked up in the record's document.
const MAX_KEYS: usize = 12;
/// The most nodes that a trie may have. A field that finds no room is looked up in the record's document.
const MAX_NODES: usize = 8_192;

/// The paths of the fields that are extracted from every record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PathTrie(Vec<TrieNode>);

/// One key of a path, below the keys before it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct TrieNode {
    key: Box<str>,
    /// The key's first eight bytes, as [`head`] reads them.
    head: u64,
    /// A hash table of the nodes right below: open addressing, its length a power of two, an eighth of it used. An empty
    /// place is 0, since the root is below nothing. Without children the table is empty.
    children: Box<[FieldId]>,
    /// The number after the last of its descendants.
    end: FieldId,
    /// Whether a path ends here, so that the values are extracted.
    is_field: bool,
}

/// A trie while paths are added: each node with its children, in the order of their keys, so that equal paths make equal
/// tries.
#[derive(Debug, Default)]
pub(super) struct TrieBuilder {
    children: BTreeMap<Box<str>, TrieBuilder>,
    is_field: bool,
}

impl TrieBuilder {
    /// Adds the path of a field.
    pub(super) fn add_field<'k>(&mut self, path: impl IntoIterator<Item = &'k str>) {
        let path: Vec<&str> = path.into_iter().collect();
        if path.len() <= MAX_KEYS {
            path.into_iter().fold(self, |node, key| node.children.entry(key.into()).or_default()).is_field = true;
        }
    }

    /// Adds a key at the top of the record of which only the presence is noted.
    pub(super) fn add_key(&mut self, key: &str) {
        self.children.entry(key.into()).or_default();
    }

    /// Numbers the nodes.
    pub(super) fn build(self) -> PathTrie {
        let mut nodes = Vec::new();
        self.append("".into(), &mut nodes);
        PathTrie(nodes)
    }

    /// Appends this node, then its descendants; `None` if there is no room for it.
    fn append(self, key: Box<str>, nodes: &mut Vec<TrieNode>) -> Option<FieldId> {
        let id = FieldId::try_from(nodes.len()).ok().filter(|_| nodes.len() < MAX_NODES)?;
        let head = head(key.as_bytes(), 0, key.len());
        nodes.push(TrieNode { head, key, is_field: self.is_field, ..TrieNode::default() });
        let children = self.children.into_iter();
        let children: Vec<FieldId> = children.filter_map(|(key, child)| child.append(key, nodes)).collect();
        let end = FieldId::try_from(nodes.len()).unwrap_or(FieldId::MAX);
        let table = table(&children, nodes);
        let node = &mut nodes[usize::from(id)];
        (node.children, node.end) = (table, end);
        Some(id)
    }
}

impl PathTrie {
    /// How many nodes there are.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The field that has this path, if it is extracted.
    pub(super) fn field<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<FieldId> {
        self.node_at(path).filter(|id| self.0[usize::from(*id)].is_field)
    }

    /// The node of this path, whether a field ends there or not.
    pub(super) fn node_at<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<FieldId> {
        path.into_iter().try_fold(0, |id, key| self.child(id, key.as_bytes(), 0, key.len()))
    }

    /// A node by its number.
    #[inline(always)]
    pub(super) fn node(&self, id: FieldId) -> &TrieNode {
        &self.0[usize::from(id)]
    }

    /// The child of a node whose key stands in `text` at `start` and has this length. The text goes on behind the key, so
    /// that the key's head is one load.
    #[inline(always)]
    pub(super) fn child(&self, id: FieldId, text: &[u8], start: usize, length: usize) -> Option<FieldId> {
        let children = &*self.0[usize::from(id)].children;
        let head = head(text, start, length);
        let mut at = key_hash(head, length);
        loop {
            let id = *children.get(at & children.len().wrapping_sub(1))?;
            let child = &self.0[usize::from(id)];
            let is_it = child.head == head
                && child.key.len() == length
                && (length <= 8 || child.ends_as(&text[start..start + length]));
            if is_it || id == 0 {
                return (id != 0).then_some(id);
            }
            at += 1;
        }
    }
}

impl TrieNode {
    /// Whether a path ends here.
    #[inline(always)]
    pub(super) fn is_field(&self) -> bool {
        self.is_field
    }

    /// Whether paths go on from here.
    #[inline(always)]
    pub(super) fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// The number after the last of its descendants.
    pub(super) fn end(&self) -> FieldId {
        self.end
    }

    /// Whether the key is this one, where their heads and lengths are equal and they are longer than the head.
    #[inline(always)]
    fn ends_as(&self, key: &[u8]) -> bool {
        // Eight bytes at once, rather than a call that finds out how many there are.
        let ours = self.key.as_bytes();
        ours.last_chunk::<8>() == key.last_chunk() && (key.len() <= 16 || ours[8..] == key[8..])
    }
}

/// The hash table of a node's children. Where the place of one is taken, it stands at the next free one.
fn table(children: &[FieldId], nodes: &[TrieNode]) -> Box<[FieldId]> {
    if children.is_empty() {
        return Box::default();
    }
    let mut table = vec![0; (children.len() * 8).next_power_of_two()];
    for id in children {
        let TrieNode { head, key, .. } = &nodes[usize::from(*id)];
        let mut at = key_hash(*head, key.len());
        while table[at % table.len()] != 0 {
            at += 1;
        }
        let at = at % table.len();
        table[at] = *id;
    }
    table.into()
}

/// The first eight bytes of a key, as a number; zeros for those that it does not have.
#[inline(always)]
fn head(text: &[u8], start: usize, length: usize) -> u64 {
    let rest = text.get(start..).unwrap_or_default();
    let word = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        word
    });
    let word = u64::from_le_bytes(word);
    if length < 8 { word & !(u64::MAX << (8 * length)) } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_if_it_was_added() {
        let mut builder = TrieBuilder::default();
        let paths: [&[&str]; 6] = [
            &["userIdentity", "type"],
            &["userIdentity"],
            // They differ in the ninth of 17 bytes, and in the last.
            &["requestParameters", "name"],
            &["requestPErameters", "name"],
            &["requestParameterz"],
            &[""],
        ];
        paths.iter().for_each(|path| builder.add_field(path.iter().copied()));
        builder.add_key("eventSource");
        let trie = builder.build();
        for path in paths {
            let field = trie.field(path.iter().copied()).unwrap();
            assert_eq!(trie.node(field).key.as_ref(), *path.last().unwrap());
        }
        assert!(trie.field(["eventSource"]).is_none() && trie.node_at(["eventSource"]).is_some());
        assert!(trie.field(["requestParameters"]).is_none() && trie.node_at(["requestParameters"]).is_some());
        for missing in [&["type"][..], &["userIdentity", "typ"], &["requestParametery"], &["userIdentity", "type", "x"]]
        {
            assert_eq!(trie.node_at(missing.iter().copied()), None, "{missing:?}");
        }
    }

    #[test]
    fn what_is_below_a_node_is_a_range() {
        let mut builder = TrieBuilder::default();
        [["a", "b"], ["a", "c"], ["d", "e"]].into_iter().for_each(|path| builder.add_field(path));
        let trie = builder.build();
        let node = |path: &[&str]| trie.node_at(path.iter().copied()).unwrap();
        let a = node(&["a"]);
        assert_eq!((a, trie.node(a).end()), (1, 4));
        assert!((a + 1..4).eq([node(&["a", "b"]), node(&["a", "c"])]));
        assert_eq!(usize::from(trie.node(0).end()), trie.len());
    }

    #[test]
    fn a_trie_has_bounds() {
        let mut builder = TrieBuilder::default();
        let long = ["x"; MAX_KEYS + 1];
        builder.add_field(long);
        (0..=MAX_NODES).for_each(|number| builder.add_field([number.to_string().as_str()]));
        let trie = builder.build();
        assert_eq!(trie.len(), MAX_NODES);
        assert!(trie.field(long).is_none());
    }
}
