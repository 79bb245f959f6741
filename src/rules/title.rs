//! Titles with `{fields}` in them.

use super::field::{Field, FieldError, FieldTarget, Surroundings};
use crate::cloudtrail::{FieldValue, Record};
use crate::rules::Scope;
use crate::{redact, text};

/// Characters of a title that are kept.
const TITLE_LIMIT: usize = 200;
/// Characters of one value in a title that are kept.
const VALUE_LIMIT: usize = 80;

/// A title, understood: `Unintended AWS API call: {event} by {actor|arn}`.
#[derive(Debug, Clone)]
pub struct Title(Vec<TitlePart>);

#[derive(Debug, Clone)]
enum TitlePart {
    Text(String),
    /// The first of these that has a value.
    Field(Vec<Field>),
}

impl Title {
    /// Reads a title; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// Braces that do not pair, and unknown fields.
    pub fn parse(written: &str, surroundings: &Surroundings) -> Result<Self, FieldError> {
        let error = |message: &str| FieldError {
            code: "bad-title",
            message: format!("the title's braces do not pair: {message}"),
            help: "write {field} or {field|other}, and {{ for a brace itself".to_owned(),
        };
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = written;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                text.push_str(brace);
                rest = after;
            } else if brace == "}" {
                return Err(error("a } stands alone"));
            } else {
                let (fields, after) = rest.split_once('}').ok_or_else(|| error("a { is not closed"))?;
                rest = after;
                parts.push(TitlePart::Text(std::mem::take(&mut text)));
                let field = |written: &str| Field::parse_with(written.trim(), surroundings);
                parts.push(TitlePart::Field(fields.split('|').map(field).collect::<Result<_, _>>()?));
            }
        }
        text.push_str(rest);
        parts.push(TitlePart::Text(text));
        Ok(Self(parts))
    }

    /// The title of a finding: `unknown` for what the record does not say, three values of an array and how many more.
    pub fn render(&self, record: &Record) -> String {
        let mut title = String::with_capacity(TITLE_LIMIT);
        for part in &self.0 {
            match part {
                TitlePart::Text(text) => title.push_str(text),
                TitlePart::Field(fields) => {
                    let values: Vec<String> = fields
                        .iter()
                        .map(|field| {
                            let values = Scope::Record(record).values(field);
                            values.iter().map(|value| shown(field, value)).filter(|value| !value.is_empty()).collect()
                        })
                        .find(|values: &Vec<_>| !values.is_empty())
                        .unwrap_or_else(|| vec!["unknown".to_owned()]);
                    title.push_str(&text::some_of(&values));
                }
            }
        }
        text::one_line(&title, TITLE_LIMIT).into_owned()
    }
}

/// A title goes to people like all else: without what is secret, by the name of its key or by its shape.
fn shown(field: &Field, value: &FieldValue<'_>) -> String {
    let text: String = match (value, &field.target) {
        (FieldValue::Node(node), FieldTarget::Path(path)) => redact::shown(path.iter().map(|key| &**key), node),
        _ => redact::redacted_text(&value.text()).into_owned(),
    };
    text::one_line(&text, VALUE_LIMIT).into_owned()
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

    #[test]
    fn titles_are_clipped() {
        let long = format!(r#"{{"eventName":"{}"}}"#, "x".repeat(1000));
        assert_eq!(title("{event}", &long).chars().count(), VALUE_LIMIT);
        assert_eq!(title(&"y".repeat(300), "{}").chars().count(), TITLE_LIMIT);
    }

    #[test]
    fn mistakes_are_told() {
        for bad in ["{", "}", "{event", "{nosuch}", "{}", "a}b"] {
            assert!(Title::parse(bad, &Surroundings::default()).is_err(), "{bad}");
        }
    }
}
