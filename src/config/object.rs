//! Reads the objects of `rules.json` by their tables of keys, reporting every mistake and going on.
//!
//! Why not serde's derive: it stops at the first mistake, forgets where values stood, and lets the last of two equal keys
//! win in silence (a second `unless` would drop the first).

use std::ops::Range;

use super::advice::{Advice, Fix};
use super::diagnostic::Problems;
use super::foreign::instead_of_key;
use super::spec::{KeySpec, ObjectSpec, ValueShape};
use super::value::{QUOTED, array, boolean, formatted, string, suggestion, unsigned, whole, word, wrong_kind};
use super::words::listed;
use crate::json::{Member, Node};
use crate::text::clip;

/// An object whose keys are being read, as its table describes them.
///
/// What the table alone can tell is reported here: a value that is no object, repeated keys, keys that are missing, keys that
/// it does not have, and values whose shape is another. What a value means is for the caller to judge.
#[derive(Debug)]
pub struct ObjectReader<'n> {
    spec: &'static ObjectSpec,
    span: &'n Range<usize>,
    members: &'n [Member<'n>],
    /// The keys that have been read: all of the table must be, or what an author wrote would count for nothing.
    #[cfg(debug_assertions)]
    asked: Vec<&'static str>,
}

impl<'n> ObjectReader<'n> {
    /// Begins to read `node`, which must be an object with the keys that its table requires, and without repeated ones.
    pub fn new(node: &'n Node<'n>, spec: &'static ObjectSpec, problems: &mut Problems) -> Option<Self> {
        let reader = Self::partial(node, spec, problems)?;
        for key in spec.all_keys().filter(|key| key.is_required && reader.value(key.name).is_none()) {
            reader.report_missing(&[key.name], problems);
        }
        let alternatives = spec.at_least_one;
        if !alternatives.is_empty() && alternatives.iter().all(|key| reader.value(key).is_none()) {
            reader.report_missing(alternatives, problems);
        }
        Some(reader)
    }

    /// As [`ObjectReader::new`], for an object of which a part is enough.
    pub fn partial(node: &'n Node<'n>, spec: &'static ObjectSpec, problems: &mut Problems) -> Option<Self> {
        let Some(members) = node.members() else {
            wrong_kind(node, &format!("{} must be an object", spec.what), problems);
            return None;
        };
        repeated_keys(members, problems);
        Some(Self {
            spec,
            span: &node.span,
            members,
            #[cfg(debug_assertions)]
            asked: Vec::new(),
        })
    }

    fn report_missing(&self, keys: &[&str], problems: &mut Problems) {
        let names: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
        let names = names.join(" or ");
        let opening = self.span.start..self.span.start + 1;
        problems.error("missing-key", &opening, format!("{} needs {names}", self.spec.what), format!("add {names}"));
    }

    fn value(&self, key: &str) -> Option<&'n Node<'n>> {
        self.members.iter().find(|member| &*member.key == key).map(|member| &member.node)
    }

    fn ask(&mut self, key: &'static str) -> Option<(&'n Node<'n>, &'static KeySpec)> {
        let spec = self.spec.key(key);
        debug_assert!(spec.is_some(), "{} has no key \"{key}\" in its table", self.spec.name);
        #[cfg(debug_assertions)]
        self.asked.push(key);
        Some((self.value(key)?, spec?))
    }

    /// The value of `key`.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node<'n>> {
        self.ask(key).map(|(node, _)| node)
    }

    /// The value of `key`, and what the table says of it.
    pub fn get_with_spec(&mut self, key: &'static str) -> (Option<&'n Node<'n>>, Option<&'static KeySpec>) {
        (self.get(key), self.spec.key(key))
    }

    /// The value of `key`, which must be there even if the table does not say so.
    pub fn require(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'n Node<'n>> {
        let value = self.get(key);
        if value.is_none() {
            self.report_missing(&[key], problems);
        }
        value
    }

    /// The string at `key`: not empty, and of the form that the table asks for.
    pub fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'n str> {
        let (node, spec) = self.ask(key)?;
        text_of(node, spec.shape, key, problems)
    }

    /// The word at `key`: one of the table's.
    pub fn word(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'static str> {
        match self.ask(key)? {
            (node, KeySpec { shape: ValueShape::Word(words), .. }) => word(node, words, problems),
            (_, spec) => mistaken(spec),
        }
    }

    /// The whole number at `key`, within the table's bounds.
    pub fn whole(&mut self, key: &'static str, problems: &mut Problems) -> Option<u64> {
        match self.ask(key)? {
            (node, KeySpec { shape: ValueShape::Whole { min, max }, .. }) => whole(node, key, *min..=*max, problems),
            (node, KeySpec { shape: ValueShape::Unsigned, .. }) => unsigned(node, key, problems),
            (_, spec) => mistaken(spec),
        }
    }

    /// True or false, at `key`.
    pub fn boolean(&mut self, key: &'static str, problems: &mut Problems) -> Option<bool> {
        let (node, _) = self.ask(key)?;
        boolean(node, key, problems)
    }

    /// The items of the list at `key`: none where there is no such key.
    pub fn list(&mut self, key: &'static str, problems: &mut Problems) -> &'n [Node<'n>] {
        self.ask(key).map_or(&[], |(node, _)| array(node, &format!("\"{key}\""), problems))
    }

    /// The strings of the list at `key`, each of the form that the table asks for.
    pub fn texts(&mut self, key: &'static str, problems: &mut Problems) -> Option<Vec<String>> {
        let (node, spec) = self.ask(key)?;
        let ValueShape::List(item) = spec.shape else { return mistaken(spec) };
        let items = array(node, &format!("\"{key}\""), problems);
        Some(items.iter().filter_map(|item_node| text_of(item_node, *item, key, problems)).map(str::to_owned).collect())
    }

    /// Readers of the objects in the list at `key`.
    pub fn objects(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Self> {
        let Some((node, spec)) = self.ask(key) else { return Vec::new() };
        let ValueShape::Objects(item) = spec.shape else {
            return mistaken(spec).unwrap_or_default();
        };
        let items = array(node, &format!("\"{key}\""), problems);
        items.iter().filter_map(|node| Self::new(node, item, problems)).collect()
    }

    /// The object's place.
    pub fn span(&self) -> &'n Range<usize> {
        self.span
    }

    /// Reports the keys that the table does not have.
    pub fn finish(self, problems: &mut Problems) {
        self.finish_but(problems, |_, _| false);
    }

    /// As [`ObjectReader::finish`], where some of them are somebody else's to report, who says whether it is done.
    pub fn finish_but(self, problems: &mut Problems, reports: impl Fn(&Member<'n>, &mut Problems) -> bool) {
        let names = self.spec.all_keys().map(|key| key.name);
        #[cfg(debug_assertions)]
        debug_assert!(
            names.clone().all(|key| self.asked.contains(&key)),
            "{}: some key of its table is not read, only {:?}",
            self.spec.name,
            self.asked
        );
        for member in self.members {
            if names.clone().any(|name| name == member.key) || reports(member, problems) {
                continue;
            }
            let message = format!("{} has no key \"{}\"", self.spec.what, clip(&member.key, QUOTED));
            problems.error("unknown-key", &member.key_span, message, self.advice(member));
        }
    }

    /// What to write instead of a key that the table does not have.
    fn advice(&self, member: &Member<'_>) -> Advice {
        let is_free = |key: &str| self.value(key).is_none();
        if let Some(advice) = instead_of_key(self.spec.name, member, is_free) {
            return advice;
        }
        let names = self.spec.all_keys().map(|key| key.name);
        match suggestion(&member.key, names.clone()) {
            // Who has written that key too means something else by this one.
            Some(near) if is_free(near.name) => near.advice(&member.key_span),
            Some(near) => near.question().into(),
            None => format!("the keys are {}", listed(names)).into(),
        }
    }
}

fn text_of<'n>(node: &'n Node<'n>, shape: ValueShape, key: &str, problems: &mut Problems) -> Option<&'n str> {
    match shape {
        ValueShape::Text => string(node, key, problems),
        ValueShape::Formatted(format) => formatted(node, key, format, problems),
        _ => {
            debug_assert!(false, "\"{key}\" is not a text by its table");
            None
        }
    }
}

/// The table says one thing of a key, and its reader another: the tests find it.
fn mistaken<T>(key: &KeySpec) -> Option<T> {
    debug_assert!(false, "\"{}\" is read as something else than its table says: {:?}", key.name, key.shape);
    None
}

/// Reports keys that occur twice in one object.
pub fn repeated_keys(members: &[Member], problems: &mut Problems) {
    // Objects are small as a rule, and comparing a few keys is cheaper than hashing them.
    let is_small = members.len() <= 16;
    let mut seen = std::collections::HashMap::new();
    for (index, member) in members.iter().enumerate() {
        let first = if is_small {
            members[..index].iter().find(|earlier| earlier.key == member.key)
        } else {
            let first = *seen.entry(&*member.key).or_insert(member);
            Some(first).filter(|first| first.key_span != member.key_span)
        };
        if let Some(first) = first {
            // Of two that say the same, one can go.
            let is_same = first.node.compact() == member.node.compact();
            let advice = Advice::new("merge the two, or delete one")
                .see(problems.file(), &first.key_span, "the first is here")
                .with_fix(is_same.then(|| Fix::without_member(members, index)));
            problems.error(
                "repeated-key",
                &member.key_span,
                format!("the key \"{}\" occurs twice in one object, and only one of the two would count", member.key),
                advice,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{TextFormat, WordList};

    static LEVELS: WordList = WordList { what: "level", listed: &["low", "medium"], understood: &["LOW"] };
    static COLOUR: TextFormat = TextFormat {
        what: "colour",
        code: "unknown-value",
        pattern: "",
        max_characters: Some(4),
        fits: |text| text.starts_with('#'),
        remedy: |_| "begin with #".into(),
    };
    static RULE: ObjectSpec = ObjectSpec {
        name: "Rule",
        what: "a rule",
        docs: "",
        keys: [
            &[
                KeySpec::new("id", ValueShape::Text, ""),
                KeySpec::required("title", ValueShape::Text, ""),
                KeySpec::new("level", ValueShape::Word(&LEVELS), ""),
            ],
            &[
                KeySpec::new("count", ValueShape::Whole { min: 2, max: 9 }, ""),
                KeySpec::new("colours", ValueShape::List(&ValueShape::Formatted(&COLOUR)), ""),
            ],
        ],
        at_least_one: &["level", "count"],
    };

    fn codes(source: &str, read: impl FnOnce(&mut ObjectReader, &mut Problems)) -> Vec<String> {
        let root = Node::parse(source).unwrap();
        let mut problems = Problems::default();
        let mut fields = ObjectReader::new(&root, &RULE, &mut problems).unwrap();
        read(&mut fields, &mut problems);
        for key in ["id", "title", "level", "count", "colours"] {
            fields.get(key);
        }
        fields.finish(&mut problems);
        problems.finish(source, &root).into_iter().map(|d| format!("{} {} {}", d.code, d.pointer, d.help)).collect()
    }

    #[test]
    fn unknown_repeated_and_missing_keys_are_all_reported() {
        assert_eq!(
            codes(r#"{"titel": 1, "id": "x", "id": "y"}"#, |_, _| ()),
            [
                r#"missing-key  add "title""#,
                r#"missing-key  add "level" or "count""#,
                r#"unknown-key /titel did you mean "title"?"#,
                "repeated-key /id merge the two, or delete one"
            ]
        );
    }

    #[test]
    fn values_are_of_the_shape_that_the_table_says() {
        let good = r##"{"title": "t", "level": "LOW", "count": 9, "colours": ["#1"]}"##;
        let found = codes(good, |fields, problems| {
            assert_eq!((fields.text("title", problems), fields.word("level", problems)), (Some("t"), Some("LOW")));
            assert_eq!(
                (fields.whole("count", problems), fields.texts("colours", problems)),
                (Some(9), Some(vec!["#1".to_owned()]))
            );
        });
        assert_eq!(found, [""; 0]);
        let bad = r##"{"title": "", "level": "mediun", "count": 1, "colours": ["1", "#1234", 5]}"##;
        let found = codes(bad, |fields, problems| {
            assert_eq!((fields.text("title", problems), fields.word("level", problems)), (None, None));
            assert_eq!((fields.whole("count", problems), fields.texts("colours", problems)), (None, Some(vec![])));
        });
        assert_eq!(
            found,
            [
                "empty /title write a text, or leave the key out",
                "unknown-value /level did you mean \"medium\"?",
                "bad-number /count write such a number, without quotes",
                "unknown-value /colours/0 begin with #",
                "unknown-value /colours/1 begin with #",
                "wrong-type /colours/2 change it to that type",
            ]
        );
    }
}
