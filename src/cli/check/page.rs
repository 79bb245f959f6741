//! The page about diagnostics. It is part of the program: it says what this version means.

const PAGE: &str = include_str!("../../../docs/diagnostics.md");

/// Every code that has a section, and its text up to the next heading of the same kind.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.split("\n### ").skip(1).filter_map(|section| section.split_once('\n'))
}

/// Every code that has a section.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    sections().map(|(code, _)| code)
}

/// What the page says of a code: Markdown.
pub(super) fn section(code: &str) -> Option<&'static str> {
    let (_, text) = sections().find(|(name, _)| *name == code)?;
    // The last of a chapter is followed by the next chapter's heading, or by the mark at the end of the lints.
    let text = text.split("\n## ").next().unwrap_or_default().split("\n<!--").next().unwrap_or_default();
    Some(text.trim())
}

/// What the page says of a code before its first example.
pub(super) fn description(code: &str) -> Option<&'static str> {
    section(code)?.split("\n```").next().map(str::trim)
}
