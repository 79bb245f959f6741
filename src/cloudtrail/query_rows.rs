//! Records as rows of a query's result: of CloudTrail Lake, of Athena, of Logs Insights. A row is taken where it says exactly
//! what the record said.

use std::borrow::Cow;

use super::top_names::TOP_LEVEL;
use crate::json::{Node, Outline, Value, write_string};

/// One row: its columns' names, each with a JSON text.
pub(super) type Row<'t> = Vec<(Cow<'t, str>, &'t str)>;

/// What a row holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RowContent {
    /// A document that is to be opened: that of Lake's column `eventJson`.
    Document(String),
    /// A line of a log: that of the column `@message` of Logs Insights.
    LogLine(String),
    /// A record, made of a row that has a column for each of its fields.
    Record(String),
    /// Something else than a record.
    Else(String),
    /// A record that the row does not tell exactly, and why.
    Inexact(String),
}

/// Reads a row: `[{"eventJson": "…"}]` or `[{"eventID": "…"}, {"eventName": "…"}, …]` of Lake,
/// `[{"field": "@message", "value": "…"}, …]` of Logs Insights; `None` if the text is something else. What is certain to be a row
/// may have one column of any name. Sources:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html> and
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html>.
pub(super) fn row(json: &str, certain: bool) -> Option<Row<'_>> {
    let Ok(Outline::Array(cells)) = Outline::parse(json) else { return None };
    let mut row: Row<'_> = Vec::with_capacity(cells.len());
    for cell in cells {
        let Ok(Outline::Object(members)) = Outline::parse(cell) else { return None };
        let (column, value) = match (members.string("field"), members.get("value"), members.0.len()) {
            (Some(field), Some(value), 2) => (Cow::Owned(field.into_owned()), value),
            (.., 1) => members.0.into_iter().next()?,
            _ => return None,
        };
        if row.iter().any(|(name, _)| *name == column) {
            return None;
        }
        row.push((column, value));
    }
    (certain || row.len() > 1 || row.iter().any(|(name, _)| is_document(name))).then_some(row)
}

fn is_document(column: &str) -> bool {
    column.eq_ignore_ascii_case(EVENT_JSON) || MESSAGES.contains(&column)
}

/// Lake's column that holds the record as CloudTrail wrote it.
pub(super) const EVENT_JSON: &str = "eventJson";
/// The columns of Logs Insights, and of tables that others made of logs, that hold a line of the log.
const MESSAGES: [&str; 2] = ["@message", "message"];

/// Whether a table with these columns may hold records.
#[cfg(feature = "cli")]
pub(super) fn has_records(columns: &[Cow<'_, str>]) -> bool {
    columns.iter().any(|column| is_document(column))
        || NEEDED.iter().all(|field| columns.iter().any(|column| column.eq_ignore_ascii_case(field)))
}

/// The fields without which a row is not taken for a record: a row of totals has columns of the same names.
const NEEDED: [&str; 3] = ["eventID", "eventName", "eventSource"];

/// The fields whose values are objects or arrays.
const NESTED: [&str; 10] = [
    "addendum",
    "additionalEventData",
    "edgeDeviceDetails",
    "eventContext",
    "insightDetails",
    "requestParameters",
    "responseElements",
    "serviceEventDetails",
    "tlsDetails",
    "userIdentity",
];

/// Names that Athena's tables have in lower case, as CloudTrail writes them. Source of the tables' columns:
/// <https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html>.
const SPELT: [&str; 23] = [
    "accessKeyId",
    "accountId",
    "cipherSuite",
    "clientProvidedHostHeader",
    "creationDate",
    "credentialId",
    "ec2RoleDelivery",
    "federatedProvider",
    "identityProvider",
    "identityStoreArn",
    "inScopeOf",
    "invokedBy",
    "invokedByDelegate",
    "mfaAuthenticated",
    "onBehalfOf",
    "principalId",
    "sessionContext",
    "sessionIssuer",
    "sourceIdentity",
    "tlsVersion",
    "userId",
    "userName",
    "webIdFederationData",
];

/// Sorts what a row holds.
pub(super) fn content(row: &Row<'_>) -> RowContent {
    let text = |value: &str| Node::parse(value).ok().and_then(|node| node.as_str().map(str::to_owned));
    let held = |wanted: &str| {
        let (_, value) = row.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        if value.starts_with('{') { Some((*value).to_owned()) } else { text(value).filter(|text| !text.is_empty()) }
    };
    if let Some(document) = held(EVENT_JSON) {
        return RowContent::Document(document);
    }
    if let Some(line) = MESSAGES.into_iter().find_map(held) {
        return RowContent::LogLine(line);
    }
    let has = |field: &str| row.iter().any(|(name, _)| name.eq_ignore_ascii_case(field));
    if !NEEDED.into_iter().all(has) {
        let names: Vec<String> = row.iter().map(|(name, _)| crate::text::one_line(name, 60).into_owned()).collect();
        return RowContent::Else(format!(
            "a row of a query's result with the columns {}: to have records, select eventJson (Lake), @message (Logs \
             Insights), or every field of the record (Athena)",
            crate::text::some_of(&names)
        ));
    }
    if !has("userIdentity") {
        return RowContent::Inexact(
            "a row without the column userIdentity would say less than the record did: select eventJson, or every field of \
             the record"
                .to_owned(),
        );
    }
    let mut record = String::from("{");
    for (name, value) in row {
        let Some(field) = TOP_LEVEL.iter().find(|field| name.eq_ignore_ascii_case(field)) else { continue };
        match cell(field, name, value) {
            Ok(None) => {}
            Ok(Some(cell)) => {
                if record.len() > 1 {
                    record.push(',');
                }
                write_string(&mut record, field);
                record.push(':');
                record.push_str(&cell);
            }
            Err(why) => return RowContent::Inexact(why),
        }
    }
    record.push('}');
    RowContent::Record(record)
}

/// The value of a field as CloudTrail wrote it; `None` where the record has none.
fn cell(field: &str, column: &str, value: &str) -> Result<Option<String>, String> {
    let Ok(node) = Node::parse(value) else { return Ok(None) };
    let Some(text) = node.as_str() else { return Ok((!node.is_null()).then(|| node.compact())) };
    // Athena writes a null as an empty cell.
    if text.is_empty() {
        return Ok(None);
    }
    let is_list = field == "resources";
    if !is_list && !NESTED.contains(&field) {
        let is_plain = matches!(field, "readOnly" | "managementEvent") && matches!(text, "true" | "false");
        return Ok(Some(if is_plain { text.to_owned() } else { node.compact() }));
    }
    match Node::owned(text) {
        Ok(inner) if inner.is_null() => Ok(None),
        Ok(inner) if if is_list { inner.elements().is_some() } else { inner.members().is_some() } => {
            // Only what is a struct in Athena's tables has its keys in lower case; the others are texts of JSON.
            let is_struct = matches!(field, "resources" | "tlsDetails" | "userIdentity");
            Ok(Some(if is_struct && column != field { respelt(inner).compact() } else { inner.compact() }))
        }
        _ => Err(format!(
            "the column {column} is in the query engine's own notation ({{type=IAMUser, …}}), which cannot be read back \
             exactly: select eventJson (Lake), or CAST({column} AS JSON) (Athena)"
        )),
    }
}

/// A value with the names of CloudTrail's keys in its spelling.
fn respelt(mut node: Node<'static>) -> Node<'static> {
    match &mut node.value {
        Value::Object(members) => {
            for member in members {
                if let Some(name) = SPELT.iter().find(|name| member.key.eq_ignore_ascii_case(name)) {
                    member.key = Cow::Borrowed(name);
                }
                let inner = std::mem::replace(&mut member.node.value, Value::Null);
                let inner = respelt(Node { span: member.node.span.clone(), value: inner });
                member.node.value = inner.value;
            }
        }
        Value::Array(elements) => {
            for element in elements {
                let value = std::mem::replace(&mut element.value, Value::Null);
                element.value = respelt(Node { span: element.span.clone(), value }).value;
            }
        }
        _ => {}
    }
    node
}

/// Whether every element of a list is a row of Logs Insights or of Lake.
pub(super) fn are_rows(elements: &[&str]) -> bool {
    !elements.is_empty() && elements.iter().all(|element| row(element, false).is_some())
}
