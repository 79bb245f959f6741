//! The tests are all there: Cargo runs what `main.rs` declares, and would not miss a file that nobody declares.

use std::path::Path;

use crate::support::repository;

/// Names each `.rs` file below `folder` that the file beside it which declares modules does not. What `support` holds is no
/// test, and partly for others (`src/ruleset/tests.rs`, `fuzz`).
fn undeclared(folder: &Path, root: &str, found: &mut Vec<String>) {
    let declarations = std::fs::read_to_string(folder.join(root)).unwrap_or_default();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let holds_tests = if path.is_dir() && name != "support" {
            undeclared(&path, "mod.rs", found);
            std::fs::read_dir(&path).unwrap().any(|entry| is_rust(&entry.unwrap().path()))
        } else {
            is_rust(&path) && !path.ends_with(root)
        };
        if holds_tests && !declarations.lines().any(|line| line.ends_with(&format!("mod {name};"))) {
            found.push(format!("{} is not declared in {root} beside it", path.display()));
        }
    }
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "rs")
}

#[test]
fn every_file_is_a_module() {
    let mut found = Vec::new();
    undeclared(&repository("tests"), "main.rs", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
