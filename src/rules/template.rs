//! Texts with `{fields}` in them: titles, and the steps of what to do first.

use super::field::{Field, FieldError, FieldTarget, Surroundings};
use crate::cloudtrail::{FieldValue, Record};
use crate::rules::Scope;
use crate::{redact, text};

/// Characters of one value in a text that are kept.
const VALUE_LIMIT: usize = 80;

/// What a template is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct TemplateKind {
    /// For messages: `title`.
    pub(super) what: &'static str,
    /// The code of a mistake in its braces.
    pub(super) code: &'static str,
}

/// A text with fields in it, understood.
#[derive(Debug, Clone, Default)]
pub(super) struct Template(pub(super) Vec<TemplatePart>);

/// What a template is made of.
#[derive(Debug, Clone)]
pub(super) enum TemplatePart {
    Text(String),
    /// The first of these that has a value.
    Fields(Vec<Field>),
    /// Left out where one of its fields has no value.
    Optional(Vec<TemplatePart>),
}

impl Template {
    /// Reads a text; `{{` and `}}` are braces, and `{? on {target}}` is a part that may be left out.
    ///
    /// # Errors
    /// Braces that do not pair, an optional part without a field or in another one, and unknown fields.
    pub(super) fn parse(written: &str, surroundings: &Surroundings, kind: TemplateKind) -> Result<Self, FieldError> {
        let mut rest = written;
        Reader { surroundings, kind }.parts(&mut rest, false).map(Self)
    }

    /// What stands before the first field, without the mark that leads over to it: `Access key` of `Access key: {event} by {actor}`.
    #[cfg(feature = "cli")]
    pub(super) fn beginning(&self) -> &str {
        let text = match self.0.first() {
            Some(TemplatePart::Text(text)) => text.as_str(),
            _ => "",
        };
        text.trim_end_matches(|c: char| {
            c.is_whitespace() || matches!(c, ':' | ',' | '(' | '-' | '–' | '"' | '\'' | '“')
        })
    }

    /// The fields that it names, place by place: of those of one place the first that has a value counts.
    #[cfg(feature = "cli")]
    pub(super) fn fields(&self) -> Vec<&[Field]> {
        fn gather<'p>(parts: &'p [TemplatePart], fields: &mut Vec<&'p [Field]>) {
            for part in parts {
                match part {
                    TemplatePart::Text(_) => {}
                    TemplatePart::Fields(of_place) => fields.push(of_place),
                    TemplatePart::Optional(parts) => gather(parts, fields),
                }
            }
        }
        let mut fields = Vec::new();
        gather(&self.0, &mut fields);
        fields
    }

    /// One line for people, of so many characters at most: `unknown` for what the record does not say, three values of an array
    /// and how many more.
    pub(super) fn render(&self, record: &Record, limit: usize) -> String {
        let mut line = String::with_capacity(limit);
        render_parts(&self.0, record, &mut line);
        text::one_line(&line, limit).into_owned()
    }
}

struct Reader<'a> {
    surroundings: &'a Surroundings,
    kind: TemplateKind,
}

impl Reader<'_> {
    /// The parts up to the end of the text, or of the optional part that has been opened.
    fn parts(&self, rest: &mut &str, is_inside: bool) -> Result<Vec<TemplatePart>, FieldError> {
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
                    return Err(self.bad_braces("a {? stands inside another"));
                }
                parts.push(TemplatePart::Text(std::mem::take(&mut text)));
                let optional = self.parts(rest, true)?;
                if !optional.iter().any(|part| matches!(part, TemplatePart::Fields(_))) {
                    return Err(FieldError {
                        code: self.kind.code,
                        message: format!("an optional part of the {} has no field in it", self.kind.what),
                        help: "write {? on {target}}, which is left out where the field has no value".to_owned(),
                        meant: None,
                    });
                }
                parts.push(TemplatePart::Optional(optional));
            } else {
                let (fields, after) = rest.split_once('}').ok_or_else(|| self.bad_braces("a { is not closed"))?;
                *rest = after;
                parts.push(TemplatePart::Text(std::mem::take(&mut text)));
                let field = |written: &str| Field::parse_with(written.trim(), self.surroundings);
                parts.push(TemplatePart::Fields(fields.split('|').map(field).collect::<Result<_, _>>()?));
            }
        };
        parts.push(TemplatePart::Text(text));
        match (is_inside, is_closed) {
            (true, false) => Err(self.bad_braces("a {? is not closed")),
            (false, true) => Err(self.bad_braces("a } stands alone")),
            _ => Ok(parts),
        }
    }

    fn bad_braces(&self, message: &str) -> FieldError {
        FieldError {
            code: self.kind.code,
            message: format!("the {}'s braces do not pair: {message}", self.kind.what),
            help:
                "write {field} or {field|other}, {? text {field}} for what may be left out, and {{ for a brace itself"
                    .to_owned(),
            meant: None,
        }
    }
}

/// Appends what the parts say; whether each of their fields has a value.
fn render_parts(parts: &[TemplatePart], record: &Record, line: &mut String) -> bool {
    let mut is_complete = true;
    for part in parts {
        match part {
            TemplatePart::Text(text) => line.push_str(text),
            TemplatePart::Fields(fields) => {
                let values = fields.iter().map(|field| said(field, record)).find(|values| !values.is_empty());
                is_complete &= values.is_some();
                line.push_str(&values.map_or_else(|| "unknown".to_owned(), |values| text::some_of(&values)));
            }
            TemplatePart::Optional(parts) => {
                let mut optional = String::new();
                if render_parts(parts, record, &mut optional) {
                    line.push_str(&optional);
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

/// A value as people are shown it: on one line, clipped.
fn shown(field: &Field, value: &FieldValue<'_>) -> String {
    text::one_line(&redacted(field, value), VALUE_LIMIT).into_owned()
}

/// A field's value without what is secret, by the name of its key or by its shape: what is made of a template goes to people.
pub(crate) fn redacted(field: &Field, value: &FieldValue<'_>) -> String {
    match (value, &field.target) {
        (FieldValue::Node(node), FieldTarget::Path(path)) => redact::shown(path.iter().map(|key| &**key), node),
        _ => redact::redacted_text(&value.text()).into_owned(),
    }
}
