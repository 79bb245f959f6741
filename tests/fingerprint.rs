//! What `build.rs` takes for the fingerprint by which a program knows the indexes that are its own.

use std::fs;
use std::path::Path;

use crate::layers;

#[allow(dead_code, clippy::print_stdout, reason = "as a build script it has a `main`, and speaks to Cargo")]
#[path = "../build.rs"]
mod build;

#[test]
fn the_fingerprint_is_of_the_layers_that_decide_an_index() {
    assert_eq!(build::LAYERS[..], layers::source().used_by("ruleset", "channel"));
}

/// The fingerprint of a package with these files.
fn of(files: &[(&str, &str)]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    build::fingerprint(folder.path()).unwrap()
}

const FILES: [(&str, &str); 5] = [
    ("src/json/mod.rs", "mod lexer;"),
    ("src/json/lexer.rs", "fn lex() {\n}\n"),
    ("src/severity.rs", "enum Severity {}"),
    ("src/cli/mod.rs", "mod check;"),
    ("Cargo.lock", "regex-syntax 0.8.1"),
];

/// The fingerprint where one of the files has another content, or is added.
fn with(path: &'static str, content: &'static str) -> u64 {
    let mut files: Vec<(&str, &str)> = FILES.into_iter().filter(|(other, _)| *other != path).collect();
    files.push((path, content));
    of(&files)
}

#[test]
fn a_change_of_what_decides_an_index_changes_the_fingerprint() {
    let was = of(&FILES);
    for (path, content) in [
        ("src/json/lexer.rs", "fn lex() { }\n"),
        ("src/json/stops.rs", ""),
        ("src/engine/extract.rs", "fn extract() {}"),
        ("src/severity.rs", ""),
        ("Cargo.lock", "regex-syntax 0.8.2"),
    ] {
        assert_ne!(with(path, content), was, "{path}");
    }
    // The same words elsewhere.
    assert_ne!(of(&[("src/json/a.rs", "x")]), of(&[("src/json/b.rs", "x")]));
}

#[test]
fn a_change_of_anything_else_does_not() {
    let was = of(&FILES);
    for (path, content) in [
        ("src/cli/mod.rs", "mod check; mod test;"),
        ("src/lint/names.rs", "fn lint() {}"),
        ("src/channel/slack.rs", "struct Slack;"),
        ("src/json/tests.rs", "#[test] fn test() {}"),
        ("tests/packs.rs", "#[test] fn test() {}"),
        ("Cargo.toml", "[package]"),
        // As Git checks it out on Windows.
        ("src/json/lexer.rs", "fn lex() {\r\n}\r\n"),
    ] {
        assert_eq!(with(path, content), was, "{path}");
    }
}

#[test]
fn a_package_without_a_lock_file_has_a_fingerprint_too() {
    assert_ne!(of(&FILES[..4]), of(&FILES));
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(ours.join("Cargo.lock").exists() && build::fingerprint(ours).is_ok());
}
