//! Whether the templates beside a `rules.json` have the patterns of its rules.

use std::fs;
use std::path::{Path, PathBuf};

use crate::pattern::{DerivedPatterns, TemplateError, written};
use crate::ruleset::RuleSet;

/// The templates that lie beside a `rules.json`.
const TEMPLATES: [&str; 2] = ["template.yaml", "deploy/spoke.yaml"];

/// The rules of a deployment: the patterns of a template are those of the file of this name.
const RULES: &str = "rules.json";

/// The templates beside the rules whose patterns are not those of the rules: each is told on stderr. Of a file with another name than
/// `rules.json`, and where there is no template that keeps patterns, there are none.
pub(in crate::cli) fn stale(path: &Path, rules: &RuleSet) -> Vec<PathBuf> {
    if path.file_name().is_none_or(|name| name != RULES) {
        return Vec::new();
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let templates = TEMPLATES.iter().map(|template| folder.join(template));
    let templates: Vec<(PathBuf, String)> =
        templates.filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text))).collect();
    if templates.is_empty() {
        return Vec::new();
    }
    let patterns = DerivedPatterns::of_set(rules);
    let is_stale = |(path, text): (PathBuf, String)| match written(&text, &patterns) {
        Ok(wanted) if wanted == text => None,
        // Somebody's own template, or one of the version before.
        Err(TemplateError::NoBlock) => None,
        Ok(_) => {
            eprintln!(
                "error: {}: its EventBridge patterns are not those of {}: run offlimits pattern --write {}",
                path.display(),
                folder.join(RULES).display(),
                path.display()
            );
            Some(path)
        }
        Err(error) => {
            eprintln!("error: {}: {error}", path.display());
            Some(path)
        }
    };
    templates.into_iter().filter_map(is_stale).collect()
}
