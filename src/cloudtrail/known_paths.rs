//! The scalars inside `userIdentity` and `additionalEventData` that are asked for of every finding: they are found in one walk over the
//! text of such a field, which builds nothing.
//!
//! The walk knows what keys of objects lead to. What may be led to otherwise (through an array, a document in a text, a key that is
//! escaped or repeated) it leaves to whoever reads the whole field.

use super::top_names::TopName;
use crate::json::{Lexer, Nesting, Next, NotJson};

/// What a record has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<'r> {
    /// No scalar.
    Missing,
    /// A string without escapes, and nothing else.
    Text(&'r str),
    /// A number or a boolean, and nothing else.
    Word(&'r str),
    /// It takes more than a look to tell.
    Unknown,
}

/// Where the scalars of a record's fields stand that are walked over.
#[derive(Debug, Clone)]
pub(super) struct KnownPaths {
    /// Whether the walk cannot judge the record.
    is_odd: bool,
    /// A bit for each place: whether the record has it.
    seen: u32,
    /// The same: whether a text stands there.
    texts: u32,
    /// The same of a number or a boolean.
    words: u32,
    /// The first byte of the scalar at each place, and the one behind its last.
    spans: [(u32, u32); PLACES],
}

/// A key, by what leads to it: its number.
type Place = u8;

/// As many as [`child`] numbers.
const PLACES: usize = 25;
/// The fields that are walked over.
const USER_IDENTITY: Place = 0;
const ADDITIONAL_EVENT_DATA: Place = 1;
/// The objects inside them that are.
const SESSION_CONTEXT: Place = 2;
const SESSION_ISSUER: Place = 3;
const ATTRIBUTES: Place = 4;
const ON_BEHALF_OF: Place = 5;
const DELEGATE: Place = 6;
const RESPONSE_PARAMETERS: Place = 7;

/// The place of a field at the top of a record; none if it is not walked over.
fn field(name: TopName) -> Option<Place> {
    const IDENTITY: TopName = TopName::called("userIdentity");
    const MORE: TopName = TopName::called("additionalEventData");
    match name {
        IDENTITY => Some(USER_IDENTITY),
        MORE => Some(ADDITIONAL_EVENT_DATA),
        _ => None,
    }
}

/// The place of a key of an object.
fn child(object: Place, key: &str) -> Option<Place> {
    Some(match (object, key) {
        (USER_IDENTITY, "type") => 8,
        (USER_IDENTITY, "arn") => 9,
        (USER_IDENTITY, "principalId") => 10,
        (USER_IDENTITY, "accountId") => 11,
        (USER_IDENTITY, "accessKeyId") => 12,
        (USER_IDENTITY, "userName") => 13,
        (USER_IDENTITY, "invokedBy") => 14,
        (USER_IDENTITY, "sessionContext") => SESSION_CONTEXT,
        (USER_IDENTITY, "onBehalfOf") => ON_BEHALF_OF,
        (USER_IDENTITY, "invokedByDelegate") => DELEGATE,
        (SESSION_CONTEXT, "sessionIssuer") => SESSION_ISSUER,
        (SESSION_CONTEXT, "attributes") => ATTRIBUTES,
        (SESSION_CONTEXT, "sourceIdentity") => 15,
        (SESSION_CONTEXT, "assumedRoot") => 16,
        (SESSION_ISSUER, "type") => 17,
        (SESSION_ISSUER, "userName") => 18,
        (ATTRIBUTES, "mfaAuthenticated") => 19,
        (ON_BEHALF_OF, "userId") => 20,
        (DELEGATE, "accountId") => 21,
        (ADDITIONAL_EVENT_DATA, "MFAUsed") => 22,
        (ADDITIONAL_EVENT_DATA, "UserName") => 23,
        (ADDITIONAL_EVENT_DATA, "responseParameters") => RESPONSE_PARAMETERS,
        (RESPONSE_PARAMETERS, "status") => 24,
        _ => return None,
    })
}

/// Whether paths go on from a place.
const fn is_object(place: Place) -> bool {
    place <= RESPONSE_PARAMETERS
}

impl KnownPaths {
    /// Of a record of which nothing has been walked over, whose text is so many bytes long.
    pub(super) fn new(bytes: usize) -> Self {
        // Places are noted in 32 bits.
        Self { is_odd: u32::try_from(bytes).is_err(), seen: 0, texts: 0, words: 0, spans: [(0, 0); _] }
    }

    /// Walks over the value at `start` of a record's field, if it is one of those that are walked over. Returns the place behind it.
    pub(super) fn walk(
        &mut self,
        name: TopName,
        text: &str,
        lexer: &mut Lexer<'_>,
        nesting: &mut Nesting,
        start: usize,
    ) -> Result<usize, NotJson> {
        match field(name) {
            Some(place) if lexer.byte(start) == b'{' => Walk { lexer, nesting, text, known: self }.value(place, start),
            _ => lexer.skip(start, nesting),
        }
    }

    /// What stands at a path below the field of this name, which is an object, in the record whose text this is.
    pub(super) fn at<'r>(&self, name: TopName, text: &'r str, path: &[impl AsRef<str>]) -> Known<'r> {
        let Some(field) = field(name).filter(|_| !self.is_odd) else { return Known::Unknown };
        let place = path.iter().try_fold(field, |place, key| child(place, key.as_ref()));
        let Some(place) = place.filter(|place| !is_object(*place)) else { return Known::Unknown };
        let scalar = || {
            let (start, end) = self.spans[usize::from(place)];
            &text[start as usize..end as usize]
        };
        match (self.texts >> place & 1, self.words >> place & 1) {
            (1, _) => Known::Text(scalar()),
            (_, 1) => Known::Word(scalar()),
            _ => Known::Missing,
        }
    }
}

struct Walk<'w, 't> {
    lexer: &'w mut Lexer<'t>,
    nesting: &'w mut Nesting,
    text: &'w str,
    known: &'w mut KnownPaths,
}

impl Walk<'_, '_> {
    /// Walks over the object that begins at `start` and is at a place. Returns the place behind it.
    fn object(&mut self, object: Place, start: usize) -> Result<usize, NotJson> {
        let mut next = self.lexer.open(start);
        loop {
            let at = match next {
                Next::Part(at) => at,
                Next::End(end) => return Ok(end),
            };
            let (key, at) = self.lexer.key(at)?;
            self.known.is_odd |= key.escaped;
            let end = match child(object, &self.text[key.inner]) {
                Some(place) => self.value(place, at)?,
                None => self.lexer.skip(at, self.nesting)?,
            };
            next = self.lexer.next(end, b'}')?;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a record is odd whose places do not fit")]
    fn value(&mut self, place: Place, start: usize) -> Result<usize, NotJson> {
        // Of repeated keys the last counts.
        self.known.is_odd |= self.known.seen >> place & 1 == 1;
        self.known.seen |= 1 << place;
        match self.lexer.byte(start) {
            b'"' => {
                let string = self.lexer.string(start)?;
                let end = string.end();
                // A path that goes on enters the document that a text may hold.
                self.known.is_odd |=
                    string.escaped || (is_object(place) && may_hold_json(&self.text[string.inner.clone()]));
                self.known.texts |= 1 << place;
                self.known.spans[usize::from(place)] = (string.inner.start as u32, string.inner.end as u32);
                Ok(end)
            }
            b'{' if is_object(place) => self.object(place, start),
            first => {
                let end = self.lexer.skip(start, self.nesting)?;
                match first {
                    b'[' | b'{' => self.known.is_odd = true,
                    // It counts as missing.
                    b'n' => {}
                    _ => {
                        self.known.words |= 1 << place;
                        self.known.spans[usize::from(place)] = (start as u32, end as u32);
                    }
                }
                Ok(end)
            }
        }
    }
}

/// Whether a text without escapes may hold a document, as [`crate::json::JsonString::embedded`] finds one.
pub(super) fn may_hold_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '%'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cloudtrail::alias::ALIAS_PATHS;
    use crate::cloudtrail::path::{first_scalar, walk};
    use crate::cloudtrail::{FieldValue, Record};
    use crate::json::Node;

    const MORE_PATHS: [&[&str]; 8] = [
        &["readOnly"],
        &["userIdentity", "type"],
        &["userIdentity", "accessKeyId"],
        &["userIdentity", "invokedByDelegate", "accountId"],
        &["userIdentity", "sessionContext"],
        &["userIdentity", "sessionContext", "sourceIdentity"],
        &["userIdentity", "sessionContext", "assumedRoot"],
        &["userIdentity", "type", "type"],
    ];

    /// What is known of a record is what reading all of it finds.
    fn is_read_alike(json: &str) {
        let (record, root) = (Record::parse(json).unwrap(), Node::parse(json).unwrap());
        for path in ALIAS_PATHS.iter().chain(&MORE_PATHS) {
            let (mut found, keys) = (Vec::new(), path.iter().map(|&key| key.into()).collect::<Vec<Box<str>>>());
            walk(&root, &keys, &mut found);
            match record.known(path) {
                Known::Missing => assert!(found.is_empty(), "{path:?} in {json}"),
                Known::Text(text) | Known::Word(text) => {
                    let found: Vec<_> = found.iter().map(FieldValue::scalar).collect();
                    assert_eq!(found, [Some(text)], "{path:?} in {json}");
                }
                Known::Unknown => {}
            }
            assert_eq!(record.text(path), first_scalar(&root, path), "{path:?} in {json}");
        }
    }

    #[test]
    fn what_is_usual_is_known_and_what_is_odd_is_read() {
        let session = r#""sessionContext":{"sessionIssuer":{"type":"Role","userName":"Admin"},"attributes":{"mfaAuthenticated":"false"}}"#;
        for (identity, is_known) in [
            (r#"{"arn":"a"},"userIdentity":{"type":"Root"}"#.to_owned(), false),
            (r#"{"type":"Root"},"userIdentity":{"arn":"a"}"#.to_owned(), false),
            (r#"{"type":"Root"},"userIdentity":"x""#.to_owned(), true),
            (r#""x","userIdentity":{"type":"Root"}"#.to_owned(), true),
            (format!(r#"{{"type":"AssumedRole","arn":"a","accountId":1,"x":[{{"type":"y"}}],{session}}}"#), true),
            (r#"{"type":"Root","sessionContext":null,"onBehalfOf":"plain"}"#.to_owned(), true),
            (format!(r#"{{"type":"AssumedRole",{session},"type":"Root"}}"#), false),
            (format!(r#"{{"type":"AssumedRole",{session},{session}}}"#), false),
            (r#"{"type":"AssumedRole","ty\u0070e":"Root"}"#.to_owned(), false),
            (r#"{"type":"Assumed\u0052ole"}"#.to_owned(), false),
            (r#"{"type":["Root","AssumedRole"]}"#.to_owned(), false),
            (r#"{"type":{"a":1}}"#.to_owned(), false),
            (r#"{"type":"Root","sessionContext":"%7B%22sourceIdentity%22:%22jana%22%7D"}"#.to_owned(), false),
            (r#"{"type":"Root","sessionContext":[{"sourceIdentity":"jana"}]}"#.to_owned(), false),
            (r#"[{"type":"Root"}]"#.to_owned(), false),
            (r#""%7B%22type%22:%22Root%22%7D""#.to_owned(), false),
            (r#""nobody""#.to_owned(), true),
            ("null".to_owned(), true),
            ("1".to_owned(), true),
        ] {
            let json =
                format!(r#"{{"eventName":"X","userIdentity":{identity},"additionalEventData":{{"MFAUsed":"Yes"}}}}"#);
            is_read_alike(&json);
            let record = Record::parse(&json).unwrap();
            assert_eq!(record.known(&["userIdentity", "type"]) != Known::Unknown, is_known, "{json}");
            assert_eq!(record.known(&["eventName"]), Known::Text("X"));
        }
    }

    fn values() -> impl Strategy<Value = String> {
        const KEYS: [&str; 18] = [
            "type",
            "arn",
            "accountId",
            "userName",
            "userId",
            "sessionContext",
            "sessionIssuer",
            "attributes",
            "mfaAuthenticated",
            "sourceIdentity",
            "onBehalfOf",
            "invokedByDelegate",
            "MFAUsed",
            "responseParameters",
            "status",
            r"ty\u0070e",
            "x",
            "",
        ];
        const LEAVES: [&str; 12] = [
            r#""x""#,
            r#""""#,
            r#""a\nb""#,
            "1",
            "false",
            "null",
            "[]",
            r#"["x",{"type":"y"}]"#,
            r#""[1]""#,
            r#""%7B%22type%22%3A%22z%22%7D""#,
            r#""{\"type\":\"z\"}""#,
            r#"" {}""#,
        ];
        prop::sample::select(LEAVES.to_vec()).prop_map(str::to_owned).prop_recursive(4, 24, 6, |inner| {
            prop::collection::vec((prop::sample::select(KEYS.to_vec()), inner), 0..6).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
                format!("{{{}}}", members.join(","))
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn whatever_a_record_holds_is_read_alike(identity in values(), more in values(), top in values()) {
            is_read_alike(&format!(
                r#"{{"eventName":{top},"userIdentity":{identity},"readOnly":{top},"additionalEventData":{more}}}"#
            ));
        }
    }
}
