//! The paths that rules name, as a trie of keys: it tells [`super::extract`] which parts of a record to enter.
//!
//! The trie is one array of nodes. A node stands before its descendants, and they stand right behind it, so that "all that is
//! below this node" is a range of numbers. Its children are found by a hash table of their own: every key of every record is
//! looked up here, and most are in no rule, so that the answer "no such child" must be cheap. An array is what a package can
//! hold as it is, and its tables are read where they stand.

#![allow(
    clippy::inline_always,
    reason = "a scan spends most of its time here; left alone, the compiler makes calls of it"
)]

use std::collections::BTreeMap;

use super::hash::key_hash;
use super::packed::{PackedBytes, Table, length, packed_struct};

/// The number of a node in the trie, and of the field whose path ends there. 0 is the root: the record itself.
pub(super) type FieldId = u16;

/// The most keys that a path may have. A field with a longer path is looked up in the record's document.
const MAX_KEYS: usize = 12;
/// The most nodes that a trie may have. A field that finds no room is looked up in the record's document.
const MAX_NODES: usize = 8_192;

/// The paths of the fields that are extracted from every record.
#[derive(Debug)]
pub(super) struct PathTrie {
    /// The nodes, as [`TrieNode`] reads them.
    nodes: Table<NODE>,
    /// The hash tables of the nodes' children, one behind the other, each at its node's place. A table has open addressing, its length is a
    /// power of two, and an eighth of it is used. An empty place is 0, since the root is below nothing.
    children: Table<2>,
    /// The nodes' keys, one behind the other.
    keys: PackedBytes,
}
packed_struct!(PathTrie { nodes, children, keys });

/// A trie, ready to be asked: where its tables stand has been looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrieView<'t> {
    nodes: &'t [[u8; NODE]],
    children: &'t [[u8; 2]],
    keys: &'t [u8],
}

/// Bytes of a node.
const NODE: usize = 32;

/// One key of a path, below the keys before it. Its numbers stand at these bytes, the lowest byte first:
///
/// ```text
/// 0   u64  the key's first eight bytes, as [`head`] reads them
/// 8   u32  where the key begins in `keys`
/// 12  u32  how many bytes it has
/// 16  u32  where the table of its children begins in `children`
/// 20  u16  one less than the places of that table
/// 22  u16  the number after the last of its descendants
/// 24  u16  whether a path ends here (`FIELD`), and whether one goes on from here (`PARENT`)
/// ```
#[derive(Debug, Clone, Copy)]
pub(super) struct TrieNode<'t>(&'t [u8; NODE]);

/// A path ends at the node, so that the values are extracted.
const FIELD: u16 = 1;
/// Paths go on from the node: it has children.
const PARENT: u16 = 2;

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
        let mut parts = Parts::default();
        self.append("", &mut parts);
        PathTrie { nodes: parts.nodes.into(), children: parts.children.into(), keys: parts.keys.into() }
    }

    /// Appends this node, then its descendants; `None` if there is no room for it.
    fn append(self, key: &str, parts: &mut Parts) -> Option<FieldId> {
        let id = FieldId::try_from(parts.nodes.len()).ok().filter(|_| parts.nodes.len() < MAX_NODES)?;
        let mut node = [0; NODE];
        put(&mut node, 0, &head(key.as_bytes(), 0, key.len()).to_le_bytes());
        put(&mut node, 8, &length(parts.keys.len()).to_le_bytes());
        put(&mut node, 12, &length(key.len()).to_le_bytes());
        parts.keys.extend_from_slice(key.as_bytes());
        parts.nodes.push(node);
        let children = self.children.into_iter();
        let children: Vec<FieldId> = children.filter_map(|(key, child)| child.append(&key, parts)).collect();
        let start = length(parts.children.len());
        let places = parts.add_table(&children);
        let end = FieldId::try_from(parts.nodes.len()).unwrap_or(FieldId::MAX);
        let flags = if self.is_field { FIELD } else { 0 } | if places > 0 { PARENT } else { 0 };
        let node = &mut parts.nodes[usize::from(id)];
        put(node, 16, &start.to_le_bytes());
        put(node, 20, &u16::try_from(places.saturating_sub(1)).unwrap_or(u16::MAX).to_le_bytes());
        put(node, 22, &end.to_le_bytes());
        put(node, 24, &flags.to_le_bytes());
        Some(id)
    }
}

fn put(node: &mut [u8; NODE], at: usize, number: &[u8]) {
    node[at..at + number.len()].copy_from_slice(number);
}

/// The tables of a trie while nodes are appended.
#[derive(Debug, Default)]
struct Parts {
    nodes: Vec<[u8; NODE]>,
    children: Vec<[u8; 2]>,
    keys: Vec<u8>,
}

impl Parts {
    /// Adds the hash table of a node's children, and returns how many places it has: none if there are no children. Where the place
    /// of a child is taken, it stands at the next free one.
    fn add_table(&mut self, children: &[FieldId]) -> usize {
        let places = if children.is_empty() { 0 } else { (children.len() * 8).next_power_of_two() };
        let mut table = vec![[0; 2]; places];
        for id in children {
            let child = TrieNode(&self.nodes[usize::from(*id)]);
            let mut at = key_hash(child.head(), child.key_length());
            while table[at & (places - 1)] != [0; 2] {
                at += 1;
            }
            table[at & (places - 1)] = id.to_le_bytes();
        }
        self.children.extend(table);
        places
    }
}

impl PathTrie {
    /// Looks up where its tables stand.
    #[inline(always)]
    pub(super) fn view(&self) -> TrieView<'_> {
        TrieView { nodes: &self.nodes, children: &self.children, keys: &self.keys }
    }
}

impl<'t> TrieView<'t> {
    /// How many nodes there are.
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        self.nodes.len()
    }

    /// The field that has this path, if it is extracted.
    pub(super) fn field<'k>(self, path: impl IntoIterator<Item = &'k str>) -> Option<FieldId> {
        self.node_at(path).filter(|id| self.node(*id).is_field())
    }

    /// The node of this path, whether a field ends there or not.
    pub(super) fn node_at<'k>(self, path: impl IntoIterator<Item = &'k str>) -> Option<FieldId> {
        path.into_iter().try_fold(0, |id, key| self.child(self.node(id), key.as_bytes(), 0, key.len()))
    }

    /// A node by its number.
    #[inline(always)]
    pub(super) fn node(self, id: FieldId) -> TrieNode<'t> {
        TrieNode(&self.nodes[usize::from(id)])
    }

    /// The child of a node whose key stands in `text` at `start` and has this length. The text goes on behind the key, so
    /// that the key's head is one load.
    #[inline(always)]
    pub(super) fn child(self, node: TrieNode<'_>, text: &[u8], start: usize, length: usize) -> Option<FieldId> {
        if !node.has_children() {
            return None;
        }
        let (first, mask) = (node.children(), node.mask());
        let head = head(text, start, length);
        let mut at = key_hash(head, length);
        loop {
            let id = FieldId::from_le_bytes(*self.children.get(first + (at & mask))?);
            let child = self.node(id);
            let is_it = child.head() == head
                && child.key_length() == length
                && (length <= 8 || self.ends_as(child, &text[start..start + length]));
            if is_it || id == 0 {
                return (id != 0).then_some(id);
            }
            at += 1;
        }
    }

    /// Whether the key of a node is this one, where their heads and lengths are equal and they are longer than the head.
    #[inline(always)]
    fn ends_as(self, node: TrieNode<'_>, key: &[u8]) -> bool {
        // Eight bytes at once, rather than a call that finds out how many there are.
        let ours = self.key(node);
        ours.last_chunk::<8>() == key.last_chunk() && (key.len() <= 16 || ours[8..] == key[8..])
    }

    #[inline(always)]
    fn key(self, node: TrieNode<'_>) -> &'t [u8] {
        let start = node.key_start();
        self.keys.get(start..start + node.key_length()).unwrap_or_default()
    }
}

impl TrieNode<'_> {
    #[inline(always)]
    fn head(self) -> u64 {
        self.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    #[inline(always)]
    fn key_start(self) -> usize {
        self.u32_at::<8>()
    }

    #[inline(always)]
    fn key_length(self) -> usize {
        self.u32_at::<12>()
    }

    #[inline(always)]
    fn children(self) -> usize {
        self.u32_at::<16>()
    }

    #[inline(always)]
    fn mask(self) -> usize {
        self.u16_at::<20>().into()
    }

    /// The number after the last of its descendants.
    #[inline(always)]
    pub(super) fn end(self) -> FieldId {
        self.u16_at::<22>()
    }

    /// Whether a path ends here.
    #[inline(always)]
    pub(super) fn is_field(self) -> bool {
        self.u16_at::<24>() & FIELD != 0
    }

    /// Whether paths go on from here.
    #[inline(always)]
    pub(super) fn has_children(self) -> bool {
        self.u16_at::<24>() & PARENT != 0
    }

    /// Whether a path ends here, and none goes on.
    #[inline(always)]
    pub(super) fn is_only_field(self) -> bool {
        self.u16_at::<24>() == FIELD
    }

    #[inline(always)]
    fn u32_at<const AT: usize>(self) -> usize {
        self.0[AT..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize
    }

    #[inline(always)]
    fn u16_at<const AT: usize>(self) -> u16 {
        self.0[AT..].first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes))
    }
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
        let trie = trie.view();
        for path in paths {
            let field = trie.field(path.iter().copied()).unwrap();
            assert_eq!(trie.key(trie.node(field)), path.last().unwrap().as_bytes());
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
        let trie = trie.view();
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
        let trie = trie.view();
        assert_eq!(trie.len(), MAX_NODES);
        assert!(trie.field(long).is_none());
    }
}
