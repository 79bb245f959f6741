//! Titles with `{fields}` in them.

#[cfg(feature = "cli")]
use super::field::Field;
use super::field::{FieldError, Surroundings};
use super::template::{Template, TemplateKind};
use crate::cloudtrail::Record;

/// Characters of a title that are kept.
const TITLE_LIMIT: usize = 200;

const TITLE: TemplateKind = TemplateKind { what: "title", code: "bad-title" };

/// A title, understood: `Unintended AWS API call: {event}{? on {target}} by {actor|arn}`.
#[derive(Debug, Clone)]
pub struct Title(Template);

impl Title {
    /// Reads a title; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// Braces that do not pair, an optional part without a field or in another one, and unknown fields.
    pub fn parse(written: &str, surroundings: &Surroundings) -> Result<Self, FieldError> {
        Template::parse(written, surroundings, TITLE).map(Self)
    }

    /// The fields that it names, place by place: of those of one place the first that has a value counts.
    #[cfg(feature = "cli")]
    pub(crate) fn fields(&self) -> Vec<&[Field]> {
        self.0.fields()
    }

    /// What it says of every finding: what stands before its first field; nothing where it begins with one.
    #[cfg(feature = "cli")]
    pub(crate) fn beginning(&self) -> &str {
        self.0.beginning()
    }

    /// The title of a finding: `unknown` for what the record does not say, three values of an array and how many more.
    pub fn render(&self, record: &Record) -> String {
        self.0.render(record, TITLE_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(template: &str, json: &str) -> String {
        Title::parse(template, &Surroundings::default()).unwrap().render(&Record::parse(json).unwrap())
    }

    #[test]
    fn fields_are_filled_in() {
        let json = r#"{"eventName":"A\u202eB","requestParameters":{"x":[1,2,3,4],"y":""}}"#;
        assert_eq!(title("{event} {{ok}} {region}", json), "A B {ok} unknown");
        assert_eq!(title("{requestParameters.y|requestParameters.x}!", json), "1, 2, 3 +1!");
    }

    #[test]
    fn an_optional_part_is_left_out_where_its_field_has_no_value() {
        let template = "{event}{? on {target}}{? ({error}, {region})} by {actor|identity}";
        let json = r#"{"eventName":"E","requestParameters":{"bucketName":"b"},"userIdentity":{"type":"Root"},
            "errorCode":"AccessDenied"}"#;
        assert_eq!(title(template, json), "E on b by root");
        assert_eq!(title(template, r#"{"eventName":"E","errorCode":"X","awsRegion":"r"}"#), "E (X, r) by unknown");
        assert_eq!(title("{? {{{event}}}}!", r#"{"eventName":"E"}"#), "{E}!");
    }

    #[test]
    fn secrets_are_not_shown() {
        let json = r#"{"userAgent":"--password hunter2","requestParameters":{"password":"hunter2","secretId":"db",
            "users":[{"password":"hunter2","id":7}],"long":"-----BEGIN PRIVATE KEY-----hunter2-----END PRIVATE KEY-----"}}"#;
        let template =
            "{requestParameters.password} {requestParameters.users.password} {requestParameters.secretId} {user_agent}";
        assert_eq!(title(template, json), "<redacted> <redacted> db --password <redacted>");
        assert_eq!(title("{requestParameters.users}", json), r#"{"password":"<redacted>","id":7}"#);
        for field in ["requestParameters", "requestParameters.long"] {
            assert!(!title(&format!("{{{field}}}"), json).contains("hunter2"), "{field}");
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_title_begins_with_what_it_says_of_every_finding() {
        for (template, beginning) in [
            ("Access key: {event} for {target|actor} by {actor}", "Access key"),
            ("Root signed in{? to {target}}", "Root signed in"),
            ("Nothing else", "Nothing else"),
            ("{event} by {actor}", ""),
        ] {
            assert_eq!(Title::parse(template, &Surroundings::default()).unwrap().beginning(), beginning);
        }
    }

    #[test]
    fn titles_are_clipped() {
        let long = format!(r#"{{"eventName":"{}"}}"#, "x".repeat(1000));
        assert_eq!(title("{event}", &long).chars().count(), 80);
        assert_eq!(title(&"y".repeat(300), "{}").chars().count(), TITLE_LIMIT);
    }

    #[test]
    fn mistakes_are_told() {
        for bad in [
            "{",
            "}",
            "{event",
            "{nosuch}",
            "{}",
            "a}b",
            "{?",
            "{? on {event}",
            "{? on}",
            "{? a {? {event}}}",
            "{?{nosuch}}",
        ] {
            let error = Title::parse(bad, &Surroundings::default()).unwrap_err();
            assert!(!error.help.is_empty(), "{bad}");
        }
    }
}
