//! A text without its secrets.

use std::borrow::Cow;
use std::ops::Range;

use super::{REDACTED, assignments, commands, shapes};

/// `text` without what is secret by its shape, by the name before it, or by its place in a command line.
pub fn redacted_text(text: &str) -> Cow<'_, str> {
    let secrets = secrets(text);
    if secrets.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(blanked(text, 0..text.len(), &secrets)) }
}

/// Where the secrets of a text stand: in order, and apart from one another.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    shapes::find(text, &mut found);
    // What gives a value by name, or by its place, holds one of these.
    if text
        .bytes()
        .any(|byte| matches!(byte, b'=' | b':' | b' ' | b'%' | b'>' | b'"' | b'\'') || byte.is_ascii_control())
    {
        assignments::find(text, &mut found);
        commands::find(text, &mut found);
    }
    found.sort_unstable_by_key(|range| (range.start, range.end));
    found.dedup_by(|next, kept| {
        let is_one = next.start <= kept.end;
        if is_one {
            kept.end = kept.end.max(next.end);
        }
        is_one
    });
    found
}

/// A part of a text, with what stands for each secret in the place of what of it is there.
pub(super) fn blanked(text: &str, part: Range<usize>, secrets: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(part.len());
    let mut at = part.start;
    for secret in secrets.iter().skip_while(|secret| secret.end <= part.start) {
        if secret.start >= part.end {
            break;
        }
        out.push_str(&text[at..secret.start.max(at)]);
        out.push_str(REDACTED);
        at = secret.end.min(part.end);
    }
    out.push_str(&text[at..part.end]);
    out
}
