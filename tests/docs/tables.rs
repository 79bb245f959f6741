//! What is made from the tables of keys, operators and channels in the code: `rules.schema.json`, the tables on the pages, and
//! the channels' chapters.
//!
//! A table stands on a page between the marks `<!-- generated: TITLE -->` and `<!-- end -->`.

use std::collections::BTreeSet;

use offlimits::channel::TYPES;
use offlimits::schema;

use super::pages::{current, current_chapters, name, pages, read};
use crate::support::repository;

const OPENING: &str = "<!-- generated: ";
const CLOSING: &str = "<!-- end -->\n";

/// A page with its tables written anew, and their titles.
fn renewed(page: &str, name: &str) -> (String, Vec<String>) {
    let (mut text, mut titles) = (String::new(), Vec::new());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(OPENING) {
        let (title, after) = after.split_once(" -->\n").unwrap_or_else(|| panic!("{name}: a mark is open"));
        let (_, after) = after.split_once(CLOSING).unwrap_or_else(|| panic!("{name}: \"{title}\" has no end"));
        let block = schema::block(title).unwrap_or_else(|| panic!("{name}: there is no table \"{title}\""));
        text.extend([before, OPENING, title, " -->\n", &block, CLOSING]);
        titles.push(title.to_owned());
        rest = after;
    }
    text.push_str(rest);
    (text, titles)
}

#[test]
fn the_schema_is_current() {
    current(&repository("rules.schema.json"), &schema::text());
}

#[test]
fn every_table_stands_on_a_page_and_is_current() {
    let mut found = BTreeSet::new();
    // Contributors are told how the marks look.
    for file in pages().into_iter().filter(|file| !file.ends_with("CONTRIBUTING.md")) {
        let (text, titles) = renewed(&read(&file), &name(&file));
        if !titles.is_empty() {
            current(&file, &text);
        }
        found.extend(titles);
    }
    let missing: Vec<String> = schema::titles().into_iter().filter(|title| !found.contains(title)).collect();
    assert!(missing.is_empty(), "write {OPENING}TITLE --> and {} on a page of docs/ for {missing:?}", CLOSING.trim());
}

#[test]
fn the_chapters_of_the_channels_are_current() {
    for channel in TYPES {
        let page = format!("docs/channels/{}.md", channel.name());
        assert!(repository(&page).exists(), "the channel {} has no page: write {page}", channel.name());
    }
    current_chapters("- [Channels](channels/README.md)\n", &schema::channel_pages());
}

#[test]
fn a_page_keeps_what_stands_around_its_tables() {
    let page = "before\n<!-- generated: severities -->\nold\n<!-- end -->\nafter\n";
    let (text, titles) = renewed(page, "page.md");
    assert!(text.starts_with("before\n<!-- generated: severities -->\n| ours | "), "{text}");
    assert!(text.ends_with(" |\n<!-- end -->\nafter\n") && !text.contains("old"), "{text}");
    assert_eq!(titles, ["severities"]);
}
