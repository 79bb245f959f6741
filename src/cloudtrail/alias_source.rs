//! What aliases are computed from.

use std::borrow::Cow;

/// What the values of computed aliases are read from: a record that has been parsed, or the fields that the engine has
/// extracted from one that has not. So the aliases are written once, and both give the same answer.
pub trait AliasSource {
    /// The first scalar at a path of keys. Arrays on the way are walked, and a text that holds JSON is entered.
    fn text(&self, path: &[&str]) -> Option<&str>;

    /// The first scalar at a path that `accepts` takes. Arrays on the way are walked, and a text that holds JSON is entered.
    fn first_that(&self, path: &[&str], accepts: &dyn Fn(&str) -> bool) -> Option<Cow<'_, str>>;

    /// Whether `responseElements` or `serviceEventDetails` says that nothing was done.
    fn answers_failure(&self) -> bool;

    /// The account that the envelope names in which the record arrived, if it names one.
    fn envelope_account(&self) -> Option<&str>;

    /// The first scalar at a path, unless it is empty: AWS writes empty strings where there is nothing to say.
    fn non_empty(&self, path: &[&str]) -> Option<&str> {
        self.text(path).filter(|text| !text.is_empty())
    }
}
