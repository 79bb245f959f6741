//! The layers of the program, as `src/lib.rs` lists them: a module uses only those that stand above it there, and no two files
//! use one another in a circle. A folder's `mod.rs` and the files in it are one thing to its parts: what passes between a
//! parent and its child is not counted.
//!
//! What only tests use is left out, since a test may look at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMacro, ItemMod, ItemUse, UseTree};

/// A module by its path: `["engine", "index"]`; the crate's root is empty.
type Module = Vec<String>;

/// One file that uses another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: Module,
    to: Module,
}

/// All the files of `src`, and which of them uses which.
pub(crate) struct Sources {
    /// The top modules in the order of `lib.rs`.
    layers: Vec<String>,
    edges: BTreeSet<Edge>,
}

impl Sources {
    fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        gather(folder, folder, &mut files);
        let root = &files[&Module::new()];
        let layers = root.items.iter().filter_map(|item| match item {
            Item::Mod(module) if !is_for_tests(&module.attrs) => Some(module.ident.to_string()),
            _ => None,
        });
        let modules: BTreeSet<Module> = files.keys().cloned().collect();
        let mut edges = BTreeSet::new();
        for (module, file) in &files {
            let mut uses = Uses { modules: &modules, here: module.clone(), edges: &mut edges, from: module };
            uses.visit_file(file);
        }
        Self { layers: layers.collect(), edges }
    }

    /// The uses that point to a lower place in `lib.rs`.
    fn upward(&self) -> Vec<String> {
        let rank = |module: &Module| self.layers.iter().position(|layer| Some(layer) == module.first());
        let is_upward = |edge: &&Edge| match (rank(&edge.from), rank(&edge.to)) {
            (Some(from), Some(to)) => to > from,
            _ => false,
        };
        self.edges.iter().filter(is_upward).map(shown).collect()
    }

    /// A layer and all that it uses, directly or through others, without `but` and what only that uses; in the order of
    /// `lib.rs`.
    pub(crate) fn used_by(&self, layer: &str, but: &str) -> Vec<&str> {
        let (mut used, mut next) = (BTreeSet::new(), vec![layer]);
        while let Some(layer) = next.pop() {
            if layer != but && used.insert(layer) {
                let edges = self.edges.iter().filter(|edge| edge.from.first().is_some_and(|from| from == layer));
                next.extend(edges.filter_map(|edge| edge.to.first()).map(String::as_str));
            }
        }
        self.layers.iter().map(String::as_str).filter(|layer| used.contains(layer)).collect()
    }

    /// The sets of files that use one another in a circle.
    fn circles(&self) -> Vec<Vec<String>> {
        let mut graph: BTreeMap<&Module, Vec<&Module>> = BTreeMap::new();
        for Edge { from, to } in self.edges.iter().filter(|edge| !is_family(&edge.from, &edge.to)) {
            graph.entry(from).or_default().push(to);
        }
        let reached = |from: &Module| {
            let (mut seen, mut next) = (BTreeSet::new(), graph.get(from).cloned().unwrap_or_default());
            while let Some(module) = next.pop() {
                if seen.insert(module) {
                    next.extend(graph.get(module).into_iter().flatten());
                }
            }
            seen
        };
        let all: BTreeMap<&Module, BTreeSet<&Module>> = graph.keys().map(|module| (*module, reached(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, reached) in &all {
            let circle: Vec<String> = reached
                .iter()
                .filter(|other| all.get(*other).is_some_and(|back| back.contains(module)))
                .map(|module| name(module))
                .collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }
}

/// Parses every Rust file below `folder` but the programs in `bin`, and those that are tests.
fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<Module, syn::File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            if path != root.join("bin") {
                gather(root, &path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_stem() != Some("tests".as_ref())
        {
            let text = fs::read_to_string(&path).unwrap();
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let place = path.strip_prefix(root).unwrap().with_extension("");
            let mut module: Module = place.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            module.pop_if(|last| last == "mod" || last == "lib");
            files.insert(module, file);
        }
    }
}

/// Collects what one file uses.
struct Uses<'s> {
    modules: &'s BTreeSet<Module>,
    /// The file.
    from: &'s Module,
    /// The module inside it that is being read.
    here: Module,
    edges: &'s mut BTreeSet<Edge>,
}

impl Uses<'_> {
    /// Notes the file in which a path is defined, if it begins in this crate.
    fn note(&mut self, path: &[String]) {
        let mut whole = match path.first().map(String::as_str) {
            Some("crate") => Module::new(),
            Some("self") => self.here.clone(),
            Some("super") => self.here[..self.here.len().saturating_sub(1)].to_vec(),
            _ => return,
        };
        for part in &path[1..] {
            if part == "super" {
                whole.pop();
            } else {
                whole.push(part.clone());
            }
        }
        while !self.modules.contains(&whole) {
            whole.pop();
        }
        if whole != *self.from && !whole.is_empty() {
            self.edges.insert(Edge { from: self.from.clone(), to: whole });
        }
    }

    fn note_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |part: String| [before, &[part]].concat();
        match tree {
            UseTree::Path(path) => self.note_tree(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => self.note(&with(name.ident.to_string())),
            UseTree::Rename(rename) => self.note(&with(rename.ident.to_string())),
            UseTree::Glob(_) => self.note(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_tree(tree, before)),
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.note_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(&parts);
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) && module.content.is_some() {
            self.here.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.here.pop();
        }
    }

    // What a macro is given is no path yet.
    fn visit_item_macro(&mut self, _: &'ast ItemMacro) {}

    // `pub(in crate::cli)` says who may use, not who is used.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// `#[cfg(test)]`, alone or within `all(…)`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
        }
        _ => false,
    };
    attributes.iter().any(is_test)
}

/// Whether one is the other's parent.
fn is_family(one: &Module, other: &Module) -> bool {
    one.split_last().is_some_and(|(_, parent)| parent == other)
        || other.split_last().is_some_and(|(_, parent)| parent == one)
}

fn name(module: &Module) -> String {
    module.join("::")
}

fn shown(edge: &Edge) -> String {
    format!("{} uses {}", name(&edge.from), name(&edge.to))
}

pub(crate) fn source() -> Sources {
    Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn every_module_uses_only_those_above_it() {
    let sources = source();
    assert!(sources.edges.len() > 300, "{} uses were found: the test is blind", sources.edges.len());
    assert_eq!(
        sources.upward(),
        [""; 0],
        "move what is used up into a layer above, or the user down; the layers are {:?}",
        sources.layers
    );
}

#[test]
fn no_files_use_one_another_in_a_circle() {
    assert_eq!(source().circles(), Vec::<Vec<String>>::new());
}

#[test]
fn an_upward_use_and_a_circle_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "mod low;\n\nmod high;\n#[cfg(test)]\nmod tests;");
    write("low.rs", "use crate::high::{self, b::B};\n#[cfg(test)]\nmod tests { use crate::high::a::A; }");
    write("high/mod.rs", "pub mod a; pub mod b; use self::a::A;");
    write("high/a.rs", "use super::b::B; pub struct A;");
    write("high/b.rs", "pub struct B; pub(in crate::high) fn f() { let _ = super::a::A; }");
    let sources = Sources::read(folder.path());
    assert_eq!(sources.layers, ["low", "high"]);
    assert_eq!(sources.upward(), ["low uses high", "low uses high::b"]);
    assert_eq!(sources.circles(), [["high::a", "high::b"]]);
}
