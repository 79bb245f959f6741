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

/// What a template is made of: texts and fields, by turns.
#[derive(Debug, Clone)]
pub(super) enum TemplatePart {
    Text(String),
    /// The first of these that has a value.
    Fields(Vec<Field>),
}

impl Template {
    /// Reads a text; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// Braces that do not pair, and unknown fields.
    pub(super) fn parse(
        written: &str,
        surroundings: &Surroundings,
        TemplateKind { what, code }: TemplateKind,
    ) -> Result<Self, FieldError> {
        let error = |message: &str| FieldError {
            code,
            message: format!("the {what}'s braces do not pair: {message}"),
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
                parts.push(TemplatePart::Text(std::mem::take(&mut text)));
                let field = |written: &str| Field::parse_with(written.trim(), surroundings);
                parts.push(TemplatePart::Fields(fields.split('|').map(field).collect::<Result<_, _>>()?));
            }
        }
        text.push_str(rest);
        parts.push(TemplatePart::Text(text));
        Ok(Self(parts))
    }

    /// One line for people, of so many characters at most: `unknown` for what the record does not say, three values of an array
    /// and how many more.
    pub(super) fn render(&self, record: &Record, limit: usize) -> String {
        let mut line = String::with_capacity(limit);
        for part in &self.0 {
            match part {
                TemplatePart::Text(text) => line.push_str(text),
                TemplatePart::Fields(fields) => {
                    let values: Vec<String> = fields
                        .iter()
                        .map(|field| {
                            let values = Scope::Record(record).values(field);
                            values.iter().map(|value| shown(field, value)).filter(|value| !value.is_empty()).collect()
                        })
                        .find(|values: &Vec<_>| !values.is_empty())
                        .unwrap_or_else(|| vec!["unknown".to_owned()]);
                    line.push_str(&text::some_of(&values));
                }
            }
        }
        text::one_line(&line, limit).into_owned()
    }
}

/// A value as people are shown it: on one line, clipped.
fn shown(field: &Field, value: &FieldValue<'_>) -> String {
    text::one_line(&redacted(field, value), VALUE_LIMIT).into_owned()
}

/// A field's value without what is secret, by the name of its key or by its shape: what is made of a template goes to people.
pub(super) fn redacted(field: &Field, value: &FieldValue<'_>) -> String {
    match (value, &field.target) {
        (FieldValue::Node(node), FieldTarget::Path(path)) => redact::shown(path.iter().map(|key| &**key), node),
        _ => redact::redacted_text(&value.text()).into_owned(),
    }
}
