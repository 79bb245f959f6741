//! The text of a rule that matches a record, with a test that it does and one that it does not match another call.

use std::fmt::Write as _;

use crate::cloudtrail::{RawRecord, Record};
use crate::json::{Node, write_string};
use crate::lint::needed_events;
use crate::redact;

/// A rule to be.
pub(super) struct Draft<'d> {
    pub(super) id: &'d str,
    pub(super) severity: &'d str,
    /// The `eventSource` of the record.
    pub(super) service: &'d str,
    /// The `eventName` of the record.
    pub(super) event: &'d str,
    pub(super) example: Example<'d>,
}

/// The record that the rule is made from, as its test names it.
pub(super) enum Example<'d> {
    /// A file that holds nothing else, as a path from the folder of rules.json.
    File(String),
    /// The record itself.
    Inline(&'d RawRecord),
}

impl Draft<'_> {
    /// The rule as JSON, without blanks.
    ///
    /// # Errors
    /// Why the record is not JSON.
    pub(super) fn text(&self) -> Result<String, String> {
        let quoted = |text: &str| {
            let mut out = String::new();
            write_string(&mut out, text);
            out
        };
        let (service, event) = (quoted(self.service), quoted(self.event));
        let example = match &self.example {
            Example::File(path) => quoted(path),
            // It goes into a file that is committed: without its secrets.
            Example::Inline(raw) => redact::redacted(&Node::parse(&raw.json).map_err(|error| error.to_string())?),
        };
        // A call that no service has: the test holds the rule to the call's name.
        let other = quoted(if self.event == "DescribeExample" { "ListExamples" } else { "DescribeExample" });
        let mut out = format!(
            r#"{{"id":{},"title":"{{event}} by {{actor}}","severity":{}"#,
            quoted(self.id),
            quoted(self.severity)
        );
        // Writing to a string cannot fail.
        let _ = write!(out, r#","when":{{"service":{{"is":{service}}},"event":{{"is":{event}}}}}"#);
        if let Some(events) = needed_events(self.service, self.event) {
            let _ = write!(out, r#","needs_events":["{}"]"#, events.as_str());
        }
        let _ =
            write!(out, r#","tests":[{{"name":"the record that it was made from","event":{example},"expect":true}}"#);
        let _ = write!(
            out,
            r#",{{"name":"another call of this service","event":{{"eventSource":{service},"eventName":{other}}},"expect":false}}]}}"#
        );
        Ok(out)
    }
}

/// The service and the call of a record.
///
/// # Errors
/// Which of them is missing.
pub(super) fn call(record: &Record<'_>) -> Result<(String, String), String> {
    let text = |path: &str| {
        record
            .non_empty(&[path])
            .map(str::to_owned)
            .ok_or_else(|| format!("the record has no {path}, and a rule names the call"))
    };
    Ok((text("eventSource")?, text("eventName")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_which_events_it_needs() {
        let needs = |service, event| {
            let draft = Draft { id: "R", severity: "low", service, event, example: Example::File("a.json".to_owned()) };
            let text = draft.text().unwrap();
            Node::parse(&text).unwrap().get("needs_events").map(Node::compact)
        };
        assert_eq!(needs("ec2.amazonaws.com", "DescribeInstances").as_deref(), Some(r#"["read-only"]"#));
        assert_eq!(needs("s3.amazonaws.com", "GetObject").as_deref(), Some(r#"["data"]"#));
        for heard in ["GetSessionToken", "AssumeRole"] {
            assert_eq!(needs("sts.amazonaws.com", heard), None, "{heard}");
        }
    }
}
