//! Commands for a POSIX shell with `{fields}` in them, and which values may stand there.
//!
//! A record's values are the attacker's. Two fences stand between them and a shell, either of which would do: a value that is not
//! plainly an identifier leaves the whole command out, and every word is quoted. A command is a list of words from the start,
//! and a field is a word of its own, so that no value can become a part of something else: of another option, of a shorthand
//! (`Key=a,Value=b`), of a pipe.

use super::field::{Field, FieldError, FieldTarget, Surroundings};
use super::template::{Template, TemplateKind, TemplatePart, redacted};
use crate::cloudtrail::{ComputedAlias, HIDDEN, Record};
use crate::facts;
use crate::rules::Scope;

/// Characters of one value: an ARN has 2048 at most, and none that is worth typing is half as long.
const VALUE_LIMIT: usize = 256;
/// Values of one field that stands for all of its values.
const VALUES_LIMIT: usize = 20;
/// Characters of a command that is shown.
pub const COMMAND_LIMIT: usize = 600;

const COMMAND: TemplateKind = TemplateKind { what: "command", code: "bad-step" };

/// A command, understood: `aws iam delete-login-profile --user-name {requestParameters.userName}`.
#[derive(Debug, Clone)]
pub(super) struct CommandTemplate(Vec<Word>);

/// One word of a command, as the program gets it.
#[derive(Debug, Clone)]
enum Word {
    Literal(String),
    /// The first of these fields that has a value.
    Fields(Vec<Field>),
}

/// Why a command is left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Withheld<'t> {
    /// The field whose value is in the way, as its author wrote it.
    pub(super) field: &'t str,
    /// What is wrong with it: what may follow the field's name in a sentence.
    pub(super) reason: &'static str,
}

impl CommandTemplate {
    /// Reads a command: words, some of them in single quotes, and fields, each of which is a word. `{{` and `}}` are braces. A
    /// field that is written with `[*]` stands for all its values, each of them a word; any other has one.
    ///
    /// # Errors
    /// Braces that do not pair, unknown fields, and whatever would make more of a command than words.
    pub(super) fn parse(written: &str, surroundings: &Surroundings) -> Result<Self, FieldError> {
        let Template(parts) = Template::parse(written, surroundings, COMMAND)?;
        let mut words = Vec::new();
        let mut reader = WordReader::default();
        for part in parts {
            match part {
                TemplatePart::Text(text) => reader.read(&text, &mut words)?,
                TemplatePart::Fields(fields) => {
                    if words.is_empty() || !reader.is_between_words() {
                        let message = "a field must be a word of its command, between spaces, and not the first";
                        return Err(error(
                            message,
                            "write --option {field}, without quotes: values are quoted when they are filled in",
                        ));
                    }
                    words.push(Word::Fields(fields));
                    reader.after_field = true;
                }
                TemplatePart::Optional(_) => {
                    return Err(error(
                        "a command has no part that may be left out",
                        "write the field by itself: where it has no value, the step is shown without the command",
                    ));
                }
            }
        }
        reader.end(&mut words)?;
        match words.first() {
            Some(Word::Literal(program)) if !program.contains('=') => Ok(Self(words)),
            _ => Err(error("a command begins with a program", "write a command such as aws iam list-users")),
        }
    }

    /// The fields that it names, place by place: of those of one place the first that has a value counts.
    #[cfg(feature = "cli")]
    pub(super) fn fields(&self) -> Vec<&[Field]> {
        let words = self.0.iter();
        let fields = words.filter_map(|word| match word {
            Word::Literal(_) => None,
            Word::Fields(fields) => Some(fields.as_slice()),
        });
        fields.collect()
    }

    /// The command for this record, each word quoted where it needs it; or why there is none.
    pub(super) fn render(&self, record: &Record) -> Result<String, Withheld<'_>> {
        let mut command = String::new();
        let mut push = |word: &str| {
            if !command.is_empty() {
                command.push(' ');
            }
            push_quoted(&mut command, word);
        };
        for word in &self.0 {
            match word {
                // AWS's own policies have ARNs of the partition.
                Word::Literal(text) => match text.strip_prefix("arn:aws:") {
                    Some(rest) => push(&format!("arn:{}:{rest}", facts::partition(record))),
                    None => push(text),
                },
                Word::Fields(fields) => values(fields, record)?.iter().for_each(|value| push(value)),
            }
        }
        if command.chars().count() > COMMAND_LIMIT {
            let field = self.0.iter().find_map(|word| match word {
                Word::Fields(fields) => fields.first(),
                Word::Literal(_) => None,
            });
            return Err(Withheld { field: field.map_or("it", |field| &field.written), reason: "is too long" });
        }
        Ok(command)
    }
}

/// What stands for these fields in a command: the values of the first that has any, if all are plain.
fn values<'t>(fields: &'t [Field], record: &Record) -> Result<Vec<String>, Withheld<'t>> {
    let first = fields.first().map_or("it", |field| &field.written);
    for field in fields {
        let found = Scope::Record(record).values(field);
        let mut plain = Vec::new();
        for value in &found {
            let text = value.text();
            // As titles do: what is there and says nothing is passed over.
            if text.is_empty() || text == HIDDEN {
                continue;
            }
            let withheld = |reason| Err(Withheld { field: &field.written, reason });
            if !is_identifier(&text) {
                return withheld("is not plainly an identifier");
            }
            // What is secret goes to no chat, whatever its characters.
            if redacted(field, value) != text {
                return withheld("may be secret");
            }
            // A command is run in the account of the call, where another principal may have the caller's name.
            if is_callers(field) && has_foreign_caller(record) {
                return withheld("is of the caller's account, which is another");
            }
            plain.push(text.into_owned());
        }
        let most = if field.written.contains("[*]") { VALUES_LIMIT } else { 1 };
        match plain.len() {
            0 => {}
            count if count > most => return Err(Withheld { field: &field.written, reason: "has several values" }),
            _ => return Ok(plain),
        }
    }
    Err(Withheld { field: first, reason: "is missing" })
}

/// Whether a field tells who called.
fn is_callers(field: &Field) -> bool {
    match &field.target {
        FieldTarget::Path(path) => path.first().is_some_and(|first| &**first == "userIdentity"),
        FieldTarget::Computed(alias) => {
            use ComputedAlias::{Actor, Principal, Role, Session, User};
            matches!(alias, Actor | Principal | Role | Session | User)
        }
        _ => false,
    }
}

/// Whether the caller is of another account than the call.
fn has_foreign_caller(record: &Record) -> bool {
    let callers = record.non_empty(&["userIdentity", "accountId"]);
    let own = record.computed(ComputedAlias::Account);
    callers.zip(own).is_some_and(|(callers, own)| callers != own)
}

/// Whether a text can be an identifier of AWS's, and nothing else to a shell or to the program behind it.
///
/// IAM's names are of letters, digits and `+=,.@_-`, and its paths also of `/`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>); ARNs add `:`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>). Ids, regions, names of buckets, addresses and
/// networks need no others. Some services let more into their names; such a name is for a person to type.
///
/// A leading hyphen makes an option of a value, and a leading `=` is expanded by zsh. The AWS CLI reads a file where a value
/// begins with `file://` or `fileb://`, and its first version also fetches addresses
/// (<https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html>).
fn is_identifier(text: &str) -> bool {
    text.len() <= VALUE_LIMIT
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || "+,.@_:/".contains(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_:/-".contains(c))
        && !text.contains("://")
}

/// Whether a shell takes a character as it is, wherever it stands in a word but for the first place.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+=,.@_:/%-".contains(c)
}

/// A word as a POSIX shell reads it back.
#[cfg(feature = "cli")]
pub(crate) fn quoted(word: &str) -> String {
    if word.is_empty() {
        return "''".to_owned();
    }
    let mut command = String::with_capacity(word.len());
    push_quoted(&mut command, word);
    command
}

/// Adds a word, in single quotes where a shell would not take it as it is.
fn push_quoted(command: &mut String, word: &str) {
    let is_plain_word = word.starts_with(|c: char| c != '=') && word.chars().all(is_plain);
    if is_plain_word {
        command.push_str(word);
    } else {
        command.push('\'');
        command.push_str(&word.replace('\'', r"'\''"));
        command.push('\'');
    }
}

/// Reads the words of what its author wrote between fields.
#[derive(Default)]
struct WordReader {
    /// The word so far; none: between words.
    word: Option<String>,
    is_quoted: bool,
    /// Whether a field stands before, from which a space must part what follows.
    after_field: bool,
}

impl WordReader {
    fn is_between_words(&self) -> bool {
        self.word.is_none() && !self.is_quoted && !self.after_field
    }

    fn read(&mut self, text: &str, words: &mut Vec<Word>) -> Result<(), FieldError> {
        for c in text.chars() {
            if self.after_field && c != ' ' {
                let message = "a field must be a word of its command, between spaces";
                return Err(error(message, "write a space behind the field"));
            }
            match c {
                '\'' => {
                    self.is_quoted = !self.is_quoted;
                    self.word.get_or_insert_default();
                }
                _ if c.is_control() => return Err(error("a command is one line", "write it with spaces alone")),
                _ if self.is_quoted => self.word.get_or_insert_default().push(c),
                ' ' => {
                    self.after_field = false;
                    words.extend(self.word.take().map(Word::Literal));
                }
                _ if is_plain(c) => self.word.get_or_insert_default().push(c),
                _ => {
                    let message = format!("'{c}' means something to a shell, and a command is nothing but words");
                    return Err(error(&message, "put a word with such characters into single quotes"));
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, words: &mut Vec<Word>) -> Result<(), FieldError> {
        if self.is_quoted {
            return Err(error("a quote of the command is not closed", "close it with '"));
        }
        words.extend(self.word.take().map(Word::Literal));
        Ok(())
    }
}

fn error(message: &str, help: &str) -> FieldError {
    FieldError { code: "bad-step", message: message.to_owned(), help: help.to_owned(), meant: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(written: &str) -> CommandTemplate {
        CommandTemplate::parse(written, &Surroundings::default()).unwrap()
    }

    fn rendered(written: &str, parameters: &serde_json::Value) -> Result<String, String> {
        let json = serde_json::json!({ "awsRegion": "us-gov-west-1", "requestParameters": parameters }).to_string();
        let record = Record::parse(&json).unwrap();
        let command = parse(written);
        command.render(&record).map_err(|withheld| format!("{} {}", withheld.field, withheld.reason))
    }

    #[test]
    fn a_command_is_words_and_its_values_are_words() {
        for (written, parameters, expected) in [
            ("aws iam x  --a 'b c' --d '{{}}'", serde_json::json!({}), "aws iam x --a 'b c' --d '{}'"),
            ("aws x --a k='v w',z=''", serde_json::json!({}), "aws x --a 'k=v w,z='"),
            (
                "aws x --a {requestParameters.x}",
                serde_json::json!({"x": "b/c+d=e,f.g@h_i:j-k"}),
                "aws x --a b/c+d=e,f.g@h_i:j-k",
            ),
            ("aws x --a {requestParameters.x|requestParameters.y}", serde_json::json!({"y": 5}), "aws x --a 5"),
            (
                "aws x --a {requestParameters.x[*].id} --b",
                serde_json::json!({"x": [{"id": "i"}, {"id": "j"}]}),
                "aws x --a i j --b",
            ),
            (
                "aws x --a arn:aws:iam::aws:policy/AWSDenyAll",
                serde_json::json!({}),
                "aws x --a arn:aws-us-gov:iam::aws:policy/AWSDenyAll",
            ),
        ] {
            assert_eq!(rendered(written, &parameters).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_is_not_plainly_an_identifier_leaves_the_command_out() {
        let long = "x".repeat(VALUE_LIMIT + 1);
        for value in [
            "-x",
            "--region",
            "=ls",
            "a b",
            "a\nb",
            "a;b",
            "$(id)",
            "`id`",
            "a'b",
            "a\"b",
            "a\\b",
            "~",
            "a*",
            "a?",
            "[a]",
            "{a,b}",
            "!a",
            "#a",
            "é",
            "a\u{200b}",
            "\u{202e}a",
            "a|b",
            "a&b",
            "a>b",
            "a<b",
            "a%b",
            "a^b",
            "file:///etc/passwd",
            "fileb://x",
            "https://evil.example",
            "http://169.254.169.254/",
            &long,
            "\u{1}",
        ] {
            let outcome = rendered("aws x --a {requestParameters.x}", &serde_json::json!({ "x": value }));
            assert_eq!(outcome, Err("requestParameters.x is not plainly an identifier".to_owned()), "{value:?}");
        }
        for (value, reason) in [
            (serde_json::json!(null), "is missing"),
            (serde_json::json!(""), "is missing"),
            (serde_json::json!(HIDDEN), "is missing"),
            (serde_json::json!({"a": 1}), "is not plainly an identifier"),
            // By its shape.
            (serde_json::json!("ghp_0123456789abcdefghijABCDEFGHIJ012345"), "may be secret"),
            (serde_json::json!(["a", "b"]), "has several values"),
        ] {
            let outcome = rendered("aws x --a {requestParameters.x}", &serde_json::json!({ "x": value }));
            assert_eq!(outcome, Err(format!("requestParameters.x {reason}")), "{value}");
        }
        let many: Vec<_> = (0..=VALUES_LIMIT).collect();
        let outcome = rendered("aws x --a {requestParameters.x[*]}", &serde_json::json!({ "x": many }));
        assert_eq!(outcome, Err("requestParameters.x[*] has several values".to_owned()));
        let long: Vec<_> = (0..4).map(|index| format!("{index}{}", "x".repeat(200))).collect();
        let outcome = rendered("aws x --a {requestParameters.x[*]}", &serde_json::json!({ "x": long }));
        assert_eq!(outcome, Err("requestParameters.x[*] is too long".to_owned()));
        // By the name of its key, whatever it looks like.
        let outcome = rendered("aws x --a {requestParameters.password}", &serde_json::json!({ "password": "abc" }));
        assert_eq!(outcome, Err("requestParameters.password may be secret".to_owned()));
    }

    #[test]
    fn a_command_that_is_more_than_words_is_a_mistake() {
        for bad in [
            "",
            " ",
            "{event}",
            "{event} x",
            "aws --a={event}",
            "aws '{event}'",
            "aws {event}x",
            "aws {event}{region}",
            "aws x{? {event}}",
            "aws x | sh",
            "aws x; y",
            "aws $HOME",
            "aws `x`",
            "aws \"x\"",
            "aws x > y",
            "aws 'x",
            "aws ~",
            "aws x\ny",
            "A=b aws x",
            "aws {nosuch}",
            "aws {",
            "aws }",
            "aws \\x",
            "aws x*",
            "aws (x)",
            "aws é",
        ] {
            assert!(CommandTemplate::parse(bad, &Surroundings::default()).is_err(), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        /// Whatever a quoted word holds, the lexer of a POSIX shell reads that word.
        #[test]
        fn a_shell_s_lexer_reads_what_was_quoted(words in prop::collection::vec(any::<String>(), 1..5)) {
            let mut command = String::new();
            for word in &words {
                command.push(' ');
                push_quoted(&mut command, word);
            }
            prop_assert_eq!(lexed(&command), Some(words));
        }
    }

    /// The words of a line by POSIX's token recognition, for a line of plain characters and single quotes
    /// (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02>); none where anything else acts.
    fn lexed(line: &str) -> Option<Vec<String>> {
        let (mut words, mut word, mut is_quoted, mut is_escaped) = (Vec::new(), None::<String>, false, false);
        for c in line.chars() {
            match c {
                _ if is_escaped => {
                    word.get_or_insert_default().push(c);
                    is_escaped = false;
                }
                '\'' => {
                    is_quoted = !is_quoted;
                    word.get_or_insert_default();
                }
                _ if is_quoted => word.get_or_insert_default().push(c),
                '\\' => is_escaped = true,
                ' ' => words.extend(word.take()),
                _ if "|&;<>()$`\"\t\n*?[]#~{}!".contains(c) => return None,
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        (!is_quoted && !is_escaped).then_some(words)
    }
}
