//! Names as messages write them, and texts as JSON does.

use crate::json::write_string;

/// A text as JSON writes it.
pub fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    write_string(&mut written, text);
    written
}

/// `"a", "b" and "c"`, each name once.
pub fn listed<'k>(names: impl IntoIterator<Item = &'k str>) -> String {
    joined(names, "and")
}

/// `"a", "b" or "c"`, each name once.
pub fn alternatives<'k>(names: impl IntoIterator<Item = &'k str>) -> String {
    joined(names, "or")
}

fn joined<'k>(names: impl IntoIterator<Item = &'k str>, word: &str) -> String {
    let mut quoted: Vec<String> = Vec::new();
    for name in names.into_iter().map(|name| format!("\"{name}\"")) {
        if !quoted.contains(&name) {
            quoted.push(name);
        }
    }
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}
