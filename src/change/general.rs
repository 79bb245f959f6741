//! What is told of a call that the table does not have, or of which its entry found nothing: the derived fields that understand
//! it, the policies in the request, and the request in compact lines.

use super::entry::Part;
use super::reading::{Reading, said};
use super::special;
use super::told::Told;
use super::value::shown;
use crate::facts::Placed;
use crate::text::clip;

/// What is told of whatever call, before its request: the derived fields, and the policies.
pub(super) const PARTS: &[Part] = &[
    Part::Fact("inbound", "opened"),
    Part::Fact("shared with", "shared_with"),
    Part::Fact("public access", "public_access"),
    Part::Fact("lets in", "lets_in_outside"),
    Part::Fact("trusts", "trusted"),
    Part::Fact("grants", "admin_grant"),
    Part::Fact("new credential", "new_credential"),
    Part::Fact("encryption", "customer_key"),
    Part::Special("instances", special::machines),
    Part::Special("deleted", special::deletion),
    Part::Policies("policy", ""),
];

/// Lines of a request that are told.
const LINES: usize = 6;
/// Characters of one of them.
const LINE_LIMIT: usize = 200;

/// Members of requests that say nothing of what is asked for, in small letters.
const FORMAL: [&str; 24] = [
    "accesskey",
    "clienttoken",
    "clientrequesttoken",
    "creationtoken",
    "host",
    "idempotencytoken",
    "includeinfo",
    "instancearn",
    "limit",
    "maxitems",
    "maxrecords",
    "maxresults",
    "nexttoken",
    "pagesize",
    "requestid",
    "_return",
    "requesttoken",
    "startingtoken",
    "tag",
    "tags",
    "tagset",
    "tagspecification",
    "tagspecificationset",
    "xmlns",
];

/// How flags begin that say nothing while they are off, in small letters.
const USUALLY_OFF: [&str; 5] = ["dryrun", "force", "include", "report", "skip"];

/// Tells what a call of whatever kind asked for, as its request has it.
pub(super) fn tell_request(reading: &Reading<'_, '_>, told: &mut Told) {
    let request = reading.request.as_ref().filter(|request| has_lines(request));
    lines(request.or(reading.details.as_ref()), reading, told);
    if told.is_empty() && reading.call.event_type.as_deref() == Some("AwsConsoleSignIn") {
        lines(reading.more.as_ref(), reading, told);
    }
}

fn has_lines(document: &Placed<'_>) -> bool {
    document.members().next().is_some()
}

/// The members of a document that say something, each on a line.
fn lines(document: Option<&Placed<'_>>, reading: &Reading<'_, '_>, told: &mut Told) {
    let Some(document) = document else { return };
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut more = 0;
    for (key, member) in document.members() {
        if FORMAL.iter().any(|formal| formal.eq_ignore_ascii_case(key)) || holds_policy(&member) {
            continue;
        }
        let value = shown(&member);
        let is_left = |start: &&str| key.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
        if value == "false" && (reading.call.read_only == Some(true) || USUALLY_OFF.iter().any(is_left)) {
            continue;
        }
        if value.is_empty() || reading.is_target(&value) || told.says(&value) || (key == "path" && value == "/") {
            continue;
        }
        if found.len() < LINES { found.push((key, value)) } else { more += 1 }
    }
    for (key, value) in found {
        told.add(key, clip(&value, LINE_LIMIT));
    }
    if more > 0 {
        told.add("more", format!("{more} parameters"));
    }
}

/// A policy is told by its statements.
fn holds_policy(member: &Placed<'_>) -> bool {
    said(Some(member), "Statement.Effect").is_some()
}
