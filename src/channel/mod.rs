//! The destinations of alerts, one file each.
use crate::rules::diagnostic::Problems;
use crate::rules::reader::{Fields, word};

/// A destination.
pub trait Channel: std::fmt::Debug + Send + Sync {
    /// Its type in rules.json.
    fn kind(&self) -> &'static str;
}

#[derive(Debug)]
struct Sns;
impl Channel for Sns {
    fn kind(&self) -> &'static str {
        "sns"
    }
}

pub(crate) fn default() -> Box<dyn Channel> {
    Box::new(Sns)
}

pub(crate) fn configure(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Channel>> {
    let node = fields.require("type", problems)?;
    word(node, "channel type", &[("sns", ())], problems)?;
    fields.get("topic_arn");
    Some(Box::new(Sns))
}
