//! The fields that a cell, a title or a throttle may name: aliases, and paths into CloudTrail's record.

use super::countries::{CODES, Countries};
use super::reader::suggestion;
use crate::json::{Node, Value};
use crate::record::Found;

/// A field, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// As the author wrote it.
    pub written: String,
    /// What it stands for.
    pub target: Target,
}

/// Where a field's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Keys from the record's top, or from the element inside `item`; none: the element itself.
    Path(Vec<Box<str>>),
    /// A value worked out from several places of the record: one at most.
    Derived(Derived),
    /// The country of `sourceIPAddress`, by this database.
    Country(Countries),
}

/// The aliases that are more than a short name of one path. [`crate::record::Record::derived`] works them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Derived {
    /// recipientAccountId, else userIdentity.accountId.
    Account,
    /// `success` or `failure`.
    Outcome,
    /// `yes` or `no`; missing where the record says nothing.
    Mfa,
    /// The name of an IAM user, or the sign-in's.
    User,
    /// The session issuer's name.
    Role,
    /// The assumed role's session name: chosen by the caller.
    Session,
    /// The most telling name of who called.
    Actor,
}

/// The aliases that are short names of one path. `userIdentityType` is Conformity's word.
const SHORT_NAMES: [(&str, &[&str]); 10] = [
    ("identity", &["userIdentity", "type"]),
    ("service", &["eventSource"]),
    ("event", &["eventName"]),
    ("region", &["awsRegion"]),
    ("time", &["eventTime"]),
    ("source_ip", &["sourceIPAddress"]),
    ("user_agent", &["userAgent"]),
    ("error", &["errorCode"]),
    ("read_only", &["readOnly"]),
    ("userIdentityType", &["userIdentity", "type"]),
];

const DERIVED: [(&str, Derived); 7] = [
    ("account", Derived::Account),
    ("outcome", Derived::Outcome),
    ("mfa", Derived::Mfa),
    ("user", Derived::User),
    ("role", Derived::Role),
    ("session", Derived::Session),
    ("actor", Derived::Actor),
];

/// The alias that needs a database.
const COUNTRY: &str = "country";

/// Every alias and what it stands for, for people.
#[cfg(feature = "cli")]
pub(crate) const ALIASES: [(&str, &str); 18] = [
    ("identity", "userIdentity.type: IAMUser, AssumedRole, Root, AWSService, …"),
    ("service", "eventSource: ec2.amazonaws.com, …"),
    ("event", "eventName: StartInstances, …"),
    ("region", "awsRegion"),
    ("time", "eventTime, for \"within\" and \"outside\""),
    ("source_ip", "sourceIPAddress: an address, or a service's name"),
    ("user_agent", "userAgent: chosen by the caller"),
    ("error", "errorCode: AccessDenied, …"),
    ("read_only", "readOnly: {\"is\": true} or {\"is\": false}"),
    ("userIdentityType", "userIdentity.type: Conformity's word for identity"),
    ("account", "recipientAccountId, else userIdentity.accountId"),
    ("outcome", "success or failure"),
    ("mfa", "yes or no; missing where the record does not say"),
    ("user", "the IAM user's name"),
    ("role", "the assumed role's name"),
    ("session", "the session's name: chosen by the caller"),
    ("actor", "the most telling of user, role/session, root and the service's name"),
    ("country", "of the source address: two letters; needs countries.mmdb beside rules.json"),
];

/// The top-level fields of CloudTrail's record, up to eventVersion 1.11.
/// Source: AWS CloudTrail User Guide, "CloudTrail record contents" and "Insights event record contents".
pub(crate) const TOP_LEVEL: [&str; 32] = [
    "addendum",
    "additionalEventData",
    "apiVersion",
    "awsRegion",
    "edgeDeviceDetails",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventContext",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "insightDetails",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "sessionCredentialFromConsole",
    "sharedEventID",
    "sourceIPAddress",
    "tlsDetails",
    "userAgent",
    "userIdentity",
    "vpcEndpointAccountId",
    "vpcEndpointId",
];

/// Why a field could not be understood, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The diagnostic's code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The remedy.
    pub help: String,
}

impl Field {
    /// A field of the record: an alias other than `country`, or a path that begins with a top-level field of CloudTrail's
    /// record.
    ///
    /// # Errors
    /// A path that cannot be read, or that no record can hold.
    pub fn of_record(written: &str) -> Result<Self, FieldError> {
        Self::of_record_in(written, None)
    }

    /// As [`Field::of_record`], with the database that the alias `country` asks.
    ///
    /// # Errors
    /// `country` without a database, too.
    pub fn of_record_in(written: &str, countries: Option<&Countries>) -> Result<Self, FieldError> {
        let target = if written == COUNTRY {
            let error = || FieldError {
                code: "no-countries",
                message: "\"country\" needs a database of countries, and there is none".to_owned(),
                help: "put one in MaxMind's format (GeoLite2 Country, DB-IP Country Lite, IPinfo Lite) beside this \
                       rules.json, and name it countries.mmdb"
                    .to_owned(),
            };
            Target::Country(countries.ok_or_else(error)?.clone())
        } else if let Some((_, path)) = SHORT_NAMES.iter().find(|(name, _)| *name == written) {
            Target::Path(path.iter().map(|&key| key.into()).collect())
        } else if let Some((_, derived)) = DERIVED.iter().find(|(name, _)| *name == written) {
            Target::Derived(*derived)
        } else {
            let path = parse_path(written)?;
            let first = path.first().map_or("", |key| key);
            if !TOP_LEVEL.contains(&first) {
                let names = || {
                    let derived = DERIVED.iter().map(|(name, _)| *name);
                    SHORT_NAMES.iter().map(|(name, _)| *name).chain(derived).chain([COUNTRY])
                };
                return Err(FieldError {
                    code: "unknown-field",
                    message: format!("no CloudTrail record has a field \"{first}\""),
                    help: suggestion(first, names().chain(TOP_LEVEL)).unwrap_or_else(|| {
                        "write an alias (identity, service, event, region, account, time, source_ip, country, \
                         user_agent, error, read_only, outcome, mfa, user, role, session, actor), or a path that begins \
                         with a top-level field of the record, such as requestParameters.bucketName"
                            .to_owned()
                    }),
                });
            }
            Target::Path(path)
        };
        Ok(Self { written: written.to_owned(), target })
    }

    /// A field of one element, inside `item`: a path from the element, or `.` for the element itself.
    ///
    /// # Errors
    /// A path that cannot be read.
    pub fn of_element(written: &str) -> Result<Self, FieldError> {
        let path = if written == "." { Vec::new() } else { parse_path(written)? };
        Ok(Self { written: written.to_owned(), target: Target::Path(path) })
    }

    /// The short name of exactly this path, if there is one.
    pub fn alias(&self) -> Option<&'static str> {
        let Target::Path(path) = &self.target else { return None };
        let same = |names: &[&str]| names.len() == path.len() && names.iter().zip(path).all(|(a, b)| *a == &**b);
        SHORT_NAMES.iter().find(|(_, names)| same(names)).map(|(name, _)| *name)
    }

    /// The top-level fields of CloudTrail's record.
    pub fn top_level() -> &'static [&'static str] {
        &TOP_LEVEL
    }

    /// The only values that the field can have, if they are known.
    pub fn vocabulary(&self) -> Option<&'static [&'static str]> {
        match &self.target {
            Target::Derived(Derived::Outcome) => Some(&["success", "failure"]),
            Target::Derived(Derived::Mfa) => Some(&["yes", "no"]),
            Target::Country(_) => Some(&CODES),
            Target::Path(path) if path.len() == 1 && &*path[0] == "readOnly" => Some(&["true", "false"]),
            _ => None,
        }
    }
}

/// `a.b[*]["c.d"]` → `a`, `b`, `c.d`.
fn parse_path(written: &str) -> Result<Vec<Box<str>>, FieldError> {
    let error = |message: &str, help: &str| FieldError {
        code: "bad-path",
        message: format!("\"{written}\" is no path: {message}"),
        help: help.to_owned(),
    };
    let mut path: Vec<Box<str>> = Vec::new();
    let mut rest = written;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[*]") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let Some((key, after)) = after.split_once("\"]") else {
                return Err(error("a [\" is not closed", "close it with \"]"));
            };
            path.push(key.into());
            rest = after;
        } else if rest.starts_with('[') {
            return Err(error(
                "only [*] and [\"key\"] may stand in brackets",
                "arrays are walked: leave the index out, or use {\"item\": …} for conditions on one element",
            ));
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return Err(error("a name is missing beside a dot", "write names with one dot between them"));
            }
            path.push(rest[..end].into());
            rest = &rest[end..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            if after.is_empty() {
                return Err(error("it ends in a dot", "write the name that follows, or delete the dot"));
            }
            rest = after;
        } else if !rest.is_empty() && !rest.starts_with('[') {
            return Err(error("a dot is missing after a bracket", "write a dot before the next name"));
        }
    }
    if path.is_empty() {
        return Err(error("it names nothing", "write a field's name"));
    }
    Ok(path)
}

/// The values that `path` finds from `node`: nulls are missing, arrays are walked, strings that hold JSON are entered.
pub fn walk<'n>(node: &'n Node<'n>, path: &[Box<str>], found: &mut Vec<Found<'n>>) {
    match (&node.value, path.split_first()) {
        (Value::Null, _) => {}
        (Value::Array(elements), _) => elements.iter().for_each(|element| walk(element, path, found)),
        (_, None) => found.push(Found::Node(node)),
        (Value::String(text), Some(_)) => {
            if let Some(document) = text.embedded() {
                walk(document, path, found);
            }
        }
        (_, Some((key, rest))) => {
            if let Some(next) = node.get(key) {
                walk(next, rest, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(written: &str) -> Vec<String> {
        parse_path(written).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_are_read_with_dots_stars_and_quoted_keys() {
        assert_eq!(path("a.b.c"), ["a", "b", "c"]);
        assert_eq!(path("a[*].b[*]"), ["a", "b"]);
        assert_eq!(path(r#"a["b.c:d"].e"#), ["a", "b.c:d", "e"]);
        for bad in ["", ".", "a.", ".a", "a..b", "a[0]", r#"a["b"#, r#"a["b"]c"#, "[*]"] {
            assert_eq!(parse_path(bad).unwrap_err().code, "bad-path", "{bad:?}");
        }
    }

    #[test]
    #[cfg(feature = "cli")]
    fn every_alias_is_described() {
        let known = SHORT_NAMES.iter().map(|(name, _)| *name).chain(DERIVED.iter().map(|(name, _)| *name));
        assert!(known.chain([COUNTRY]).eq(ALIASES.iter().map(|(name, _)| *name)));
    }

    #[test]
    fn a_typo_never_becomes_a_dead_cell() {
        let error = Field::of_record("requestParameter.bucketName").unwrap_err();
        assert_eq!((error.code, error.help.as_str()), ("unknown-field", r#"did you mean "requestParameters""#));
        assert_eq!(Field::of_record("sourceIp").unwrap_err().help, r#"did you mean "source_ip""#);
        assert!(Field::of_record("eventName").is_ok() && Field::of_record("userIdentityType").is_ok());
    }

    #[test]
    fn a_path_names_the_set_of_values() {
        let values = |json: &str, written: &str| {
            let node = Node::parse(json).unwrap();
            let mut found = Vec::new();
            walk(&node, &parse_path(written).unwrap(), &mut found);
            found
                .iter()
                .map(|found| if let Found::Node(node) = found { node.compact() } else { unreachable!() })
                .collect::<Vec<_>>()
        };
        assert_eq!(values(r#"{"a":null}"#, "a"), [""; 0]);
        assert_eq!(values(r#"{"a":[]}"#, "a"), [""; 0]);
        assert_eq!(values(r#"{"a":["",false,{}]}"#, "a"), [r#""""#, "false", "{}"]);
        assert_eq!(values(r#"{"a":[{"b":1},{"b":[2,[3]]},{"c":4},5]}"#, "a.b"), ["1", "2", "3"]);
        assert_eq!(values(r#"{"a":"{\"b\":[1,2]}"}"#, "a.b"), ["1", "2"]);
        assert_eq!(values(r#"{"a":"%7B%22b%22%3A1%7D"}"#, "a.b"), ["1"]);
        assert_eq!(values(r#"{"a":"{\"b\":"}"#, "a.b"), [""; 0]);
        assert_eq!(values(r#"{"a":{"b.c":1}}"#, r#"a["b.c"]"#), ["1"]);
    }
}
