//! What a lint says of itself.

/// The declaration of a lint. It stands in the lint's file; the lint's section in `docs/diagnostics.md` is written from it, the
/// test of the lint reads its examples, and SARIF describes it with its summary.
#[derive(Debug)]
pub struct Lint {
    /// The code, which people write in `allow`. It never changes.
    pub code: &'static str,
    /// One sentence that says what it warns of.
    pub summary: &'static str,
    /// What follows the sentence in the documentation: why it matters, and what to write instead. Markdown.
    pub docs: &'static str,
    /// An example that gives this warning and no other, with the mark » before what it must point at. It is written without the
    /// outer braces, and is a whole `rules.json` (it begins with `"rules"`, `"channels"` or `"lists"`) or the keys of one rule
    /// beyond `id`, `title` and `severity`, which is `low`. Without `when`, the rule gets one that gives no warning.
    pub wrong: &'static str,
    /// The same example put right: it gives no warning.
    pub right: &'static str,
}
