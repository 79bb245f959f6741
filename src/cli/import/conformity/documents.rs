//! The files that settings are read from, and what Terraform reads beside them: values of variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::super::hcl::{HclFile, Scope};
use super::super::report::{ImportReport, NoteKind};
use super::super::tree::{self, Tree, TreeValue};

/// A file, and what was read from it.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) tree: Tree,
    /// The lines of texts whose blanks were taken off.
    pub(super) trimmed: Vec<usize>,
}

/// The files of an import, as they were parsed.
#[derive(Debug, Default)]
pub(in crate::cli::import) struct SettingsFiles {
    files: Vec<(String, Parsed)>,
    /// Files of variables that the user named: their values come before all others.
    variables: Vec<Variables>,
}

#[derive(Debug)]
enum Parsed {
    Tree(Tree),
    Hcl(Rc<HclFile>),
}

#[derive(Debug)]
enum Variables {
    Hcl(Rc<HclFile>),
    Json(Tree),
}

impl SettingsFiles {
    /// Reads one file: Terraform's HCL, its variables (`.tfvars`), or JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::cli::import) fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        if is_variables(name) {
            self.variables.push(Variables::parse(name, text)?);
            return Ok(());
        }
        let text = text.trim_start_matches('\u{feff}');
        let parsed = if text.trim_start().starts_with(['{', '[']) {
            let tree = tree::parse_json(text)?;
            Parsed::Tree(if name.ends_with(".tf.json") { terraform_json(tree) } else { tree })
        } else {
            Parsed::Hcl(HclFile::parse(text)?)
        };
        self.files.push((name.to_owned(), parsed));
        Ok(())
    }

    /// The documents, computed as far as the variables and locals of their folders go. What was taken for granted is told.
    pub(super) fn documents(&self, report: &mut ImportReport) -> Vec<Document> {
        let mut scopes: BTreeMap<PathBuf, Scope> = BTreeMap::new();
        for (name, parsed) in &self.files {
            if let Parsed::Hcl(file) = parsed {
                scopes.entry(folder(name)).or_default().declare(file);
            }
        }
        for (folder, scope) in &mut scopes {
            beside(folder, scope, report);
            self.variables.iter().for_each(|variables| variables.assign(scope));
        }
        let mut documents = Vec::new();
        for (name, parsed) in &self.files {
            let mut tree = match parsed {
                Parsed::Tree(tree) => tree.clone(),
                Parsed::Hcl(file) => {
                    let Some(scope) = scopes.get(&folder(name)) else { continue };
                    let (tree, defaults) = file.tree(scope);
                    if !defaults.is_empty() && speaks_of_conformity(&tree) {
                        let text = format!(
                            "the defaults of {} were taken: if something else sets them (-var, -var-file, TF_VAR_…), name that \
                             .tfvars file too",
                            defaults.join(", ")
                        );
                        report.note(NoteKind::ToDo, name, text);
                    }
                    tree
                }
            };
            let mut trimmed = Vec::new();
            tree.trim(&mut trimmed);
            documents.push(Document { name: name.clone(), tree, trimmed });
        }
        documents
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(name).parent().unwrap_or(Path::new("")).to_path_buf()
}

fn is_variables(name: &str) -> bool {
    name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
}

/// Whether a document has a resource that could be one of Conformity's.
fn speaks_of_conformity(tree: &Tree) -> bool {
    let resources = tree.field("resource").map_or(&[][..], Tree::items);
    resources
        .iter()
        .any(|resource| resource.field("type").and_then(Tree::text).is_some_and(super::settings::is_conformitys))
}

/// Takes the variables' values that Terraform reads by itself from a folder, and forgets those that another file may set.
/// Source: Terraform's documentation, "Input Variables", "Variable Definition Precedence".
fn beside(folder: &Path, scope: &mut Scope, report: &mut ImportReport) {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(here) else { return };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_variables(name))
        .collect();
    // The later ones win: the automatic ones in the order of their names, after `terraform.tfvars` and its JSON.
    names.sort_by_key(|name| (!name.starts_with("terraform.tfvars"), name.clone()));
    for name in names {
        let path = folder.join(&name);
        let read = crate::cli::input::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|text| Variables::parse(&name, &text));
        let automatic = name.starts_with("terraform.tfvars") || name.contains(".auto.tfvars");
        match read {
            Ok(variables) if automatic => variables.assign(scope),
            Ok(variables) => variables.names().iter().for_each(|variable| scope.withhold(variable, &name)),
            Err(reason) => {
                report.note(
                    NoteKind::Lost,
                    path.display().to_string(),
                    format!("{reason}; so no variable's value is taken"),
                );
                scope.withhold_all(&name);
            }
        }
    }
}

impl Variables {
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        if Path::new(name).extension().is_some_and(|end| end == "json") {
            tree::parse_json(text).map(Self::Json)
        } else {
            HclFile::parse(text).map(Self::Hcl)
        }
    }

    fn assign(&self, scope: &mut Scope) {
        match self {
            Self::Hcl(file) => scope.assign(file),
            Self::Json(tree) => scope.assign_json(tree),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Hcl(file) => file.assigned().map(str::to_owned).collect(),
            Self::Json(tree) => tree.entries().unwrap_or_default().iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// Terraform's JSON syntax in the shape of its HCL: `{"resource": {TYPE: {NAME: body}}}` becomes a list of blocks, and a text
/// that holds an expression is one.
fn terraform_json(mut tree: Tree) -> Tree {
    expressions(&mut tree);
    let TreeValue::Map(entries) = tree.value else { return tree };
    let entries = entries.into_iter().map(|(key, value)| {
        let value = if matches!(key.as_str(), "resource" | "data") { blocks(&value) } else { value };
        (key, value)
    });
    Tree { line: tree.line, value: TreeValue::Map(entries.collect()) }
}

fn blocks(types: &Tree) -> Tree {
    let mut blocks = Vec::new();
    for (kind, names) in types.items().iter().flat_map(|map| map.entries().unwrap_or_default()) {
        for (name, bodies) in names.items().iter().flat_map(|map| map.entries().unwrap_or_default()) {
            for body in bodies.items() {
                let label = |text: &String| Tree { line: body.line, value: TreeValue::Text(text.clone()) };
                let mut entries = vec![("type".to_owned(), label(kind)), ("name".to_owned(), label(name))];
                entries.extend(body.entries().unwrap_or_default().iter().cloned());
                blocks.push(Tree { line: body.line, value: TreeValue::Map(entries) });
            }
        }
    }
    Tree { line: types.line, value: TreeValue::List(blocks) }
}

fn expressions(tree: &mut Tree) {
    match &mut tree.value {
        TreeValue::Text(text) if text.contains("${") || text.contains("%{") => {
            tree.value = TreeValue::Unknown(std::mem::take(text));
        }
        TreeValue::List(items) => items.iter_mut().for_each(expressions),
        TreeValue::Map(entries) => {
            // "dynamic": {"filter": {…}} stands for blocks of that name.
            if let Some(at) = entries.iter().position(|(key, _)| key == "dynamic") {
                let (_, dynamic) = entries.remove(at);
                for (name, block) in dynamic.items().iter().flat_map(|map| map.entries().unwrap_or_default()) {
                    let written = format!("the dynamic block \"{name}\"");
                    let block = Tree { line: block.line, value: TreeValue::Unknown(written) };
                    match entries.iter_mut().find(|(key, _)| key == name) {
                        Some((_, other)) => {
                            let line = other.line;
                            let mut both = other.items().to_vec();
                            both.push(block);
                            *other = Tree { line, value: TreeValue::List(both) };
                        }
                        None => entries.push((name.clone(), block)),
                    }
                }
            }
            entries.iter_mut().for_each(|(_, value)| expressions(value));
        }
        TreeValue::Null | TreeValue::Number(_) | TreeValue::Text(_) | TreeValue::Unknown(_) => {}
    }
}
