//! Texts of a record as channels may show them: in one line, without secrets, and with nothing in it that acts.

use crate::redact::redacted_text;
use crate::text::{clean, clip, defang};

/// Characters of a text that are looked at: more than is shown of any, so that what is cut off here hides no secret's end.
const READ_LIMIT: usize = 8000;
/// Characters of one fact that are shown. CloudTrail itself cuts user agents and errors at 1 KB.
pub(super) const FACT_LIMIT: usize = 300;
/// Characters of a list: of actors, of events, of rules.
pub(super) const LIST_LIMIT: usize = 1000;

/// One line that shows what it says and in which nothing acts: no control characters, no secrets, no links. What is clipped,
/// is clipped after this, so that no part of a secret is left.
pub(super) fn inert(text: &str) -> String {
    defang(&redacted_text(&clean(head(text)))).into_owned()
}

/// The same for what holds no secret any more, since it was blanked when the record was read: a request, a title. Blanking
/// once more would take the end of a value for a secret.
pub(super) fn inert_redacted(text: &str) -> String {
    defang(&clean(head(text))).into_owned()
}

fn head(text: &str) -> &str {
    text.char_indices().nth(READ_LIMIT).map_or(text, |(at, _)| &text[..at])
}

/// One text of a record, made inert and clipped.
pub(super) fn short(text: &str) -> String {
    clip(&inert(text), FACT_LIMIT).into_owned()
}
