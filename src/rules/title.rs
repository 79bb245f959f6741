//! Titles with `{fields}` in them.

use super::field::{Field, FieldError, FieldTarget, Surroundings};
use crate::cloudtrail::{FieldValue, Record};
use crate::rules::Scope;
use crate::{redact, text};

/// Characters of a title that are kept.
const TITLE_LIMIT: usize = 200;
/// Characters of one value in a title that are kept.
const VALUE_LIMIT: usize = 80;

/// A title, understood: `Unintended AWS API call: {event}{? on {target}} by {actor|arn}`.
#[derive(Debug, Clone)]
pub struct Title(Vec<TitlePart>);

#[derive(Debug, Clone)]
enum TitlePart {
    Text(String),
    /// The first of these that has a value.
    Field(Vec<Field>),
    /// Left out where one of its fields has no value.
    Optional(Vec<TitlePart>),
}

impl Title {
    /// Reads a title; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// Braces that do not pair, an optional part without a field or in another one, and unknown fields.
    pub fn parse(written: &str, surroundings: &Surroundings) -> Result<Self, FieldError> {
        let mut rest = written;
        parse_parts(&mut rest, surroundings, false).map(Self)
    }

    /// The title of a finding: `unknown` for what the record does not say, three values of an array and how many more.
    pub fn render(&self, record: &Record) -> String {
        let mut title = String::with_capacity(TITLE_LIMIT);
        render_parts(&self.0, record, &mut title);
        text::one_line(&title, TITLE_LIMIT).into_owned()
    }
}

/// The parts up to the end of the title, or of the optional part that has been opened.
fn parse_parts(rest: &mut &str, surroundings: &Surroundings, is_inside: bool) -> Result<Vec<TitlePart>, FieldError> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    let is_closed = loop {
        let Some(at) = rest.find(['{', '}']) else {
            text.push_str(rest);
            break false;
        };
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        *rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            *rest = after;
        } else if brace == "}" {
            break true;
        } else if let Some(after) = rest.strip_prefix('?') {
            *rest = after;
            if is_inside {
                return Err(bad_braces("a {? stands inside another"));
            }
            parts.push(TitlePart::Text(std::mem::take(&mut text)));
            let optional = parse_parts(rest, surroundings, true)?;
            if !optional.iter().any(|part| matches!(part, TitlePart::Field(_))) {
                return Err(FieldError {
                    code: "bad-title",
                    message: "an optional part of the title has no field in it".to_owned(),
                    help: "write {? on {target}}, which is left out where the field has no value".to_owned(),
                });
            }
            parts.push(TitlePart::Optional(optional));
        } else {
            let (fields, after) = rest.split_once('}').ok_or_else(|| bad_braces("a { is not closed"))?;
            *rest = after;
            parts.push(TitlePart::Text(std::mem::take(&mut text)));
            let field = |written: &str| Field::parse_with(written.trim(), surroundings);
            parts.push(TitlePart::Field(fields.split('|').map(field).collect::<Result<_, _>>()?));
        }
    };
    parts.push(TitlePart::Text(text));
    match (is_inside, is_closed) {
        (true, false) => Err(bad_braces("a {? is not closed")),
        (false, true) => Err(bad_braces("a } stands alone")),
        _ => Ok(parts),
    }
}

fn bad_braces(message: &str) -> FieldError {
    FieldError {
        code: "bad-title",
        message: format!("the title's braces do not pair: {message}"),
        help: "write {field} or {field|other}, {? text {field}} for what may be left out, and {{ for a brace itself"
            .to_owned(),
    }
}

/// Appends what the parts say; whether each of their fields has a value.
fn render_parts(parts: &[TitlePart], record: &Record, title: &mut String) -> bool {
    let mut is_complete = true;
    for part in parts {
        match part {
            TitlePart::Text(text) => title.push_str(text),
            TitlePart::Field(fields) => {
                let values = fields.iter().map(|field| said(field, record)).find(|values| !values.is_empty());
                is_complete &= values.is_some();
                title.push_str(&values.map_or_else(|| "unknown".to_owned(), |values| text::some_of(&values)));
            }
            TitlePart::Optional(parts) => {
                let mut optional = String::new();
                if render_parts(parts, record, &mut optional) {
                    title.push_str(&optional);
                }
            }
        }
    }
    is_complete
}

/// What the record says of a field.
fn said(field: &Field, record: &Record) -> Vec<String> {
    let values = Scope::Record(record).values(field);
    values.iter().map(|value| shown(field, value)).filter(|value| !value.is_empty()).collect()
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

    #[test]
    fn titles_are_clipped() {
        let long = format!(r#"{{"eventName":"{}"}}"#, "x".repeat(1000));
        assert_eq!(title("{event}", &long).chars().count(), VALUE_LIMIT);
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
