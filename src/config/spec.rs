//! What may be written, described once: the keys of every object of `rules.json`, the shape of their values, and what they
//! mean.
//!
//! Three readers share these tables, so that they cannot drift apart: [`super::ObjectReader`], which the compiler reads with;
//! the JSON Schema that editors complete and check by (`src/schema`); and the tables of keys in `docs/`. A table stands in the
//! file of the code that reads its object.

use std::borrow::Cow;

/// Text for people who write rules: the schema's descriptions and the pages' tables are made of it. The function shows
/// neither, and is built without.
macro_rules! docs {
    ($text:expr) => {
        if cfg!(feature = "cli") { $text } else { "" }
    };
}
pub(crate) use docs;

/// The keys of an object.
#[derive(Debug, Clone, Copy)]
pub struct ObjectSpec {
    /// Its name in the schema and in the pages: `Rule`. Of a channel, its type: `slack`.
    pub name: &'static str,
    /// The object with its article, for messages: `a rule`.
    pub what: &'static str,
    /// What it is for.
    pub docs: &'static str,
    /// Its own keys, and those that it shares with objects of other kinds.
    pub keys: [&'static [KeySpec]; 2],
    /// Of these keys at least one must be there; empty: none need be.
    pub at_least_one: &'static [&'static str],
}

impl ObjectSpec {
    /// All its keys.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static KeySpec> + Clone + use<> {
        let [own, shared] = self.keys;
        own.iter().chain(shared)
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static KeySpec> {
        self.all_keys().find(|key| key.name == name)
    }
}

/// One key of an object.
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    /// The key.
    pub name: &'static str,
    /// What its value may be.
    pub shape: ValueShape,
    /// Whether it must be there.
    pub is_required: bool,
    /// What holds where it is not.
    pub default: KeyDefault,
    /// What it means, in Markdown.
    pub docs: &'static str,
    /// A value, as JSON, that editors suggest; empty: none.
    pub example: &'static str,
}

impl KeySpec {
    /// A key that may be left out.
    pub const fn new(name: &'static str, shape: ValueShape, docs: &'static str) -> Self {
        Self { name, shape, is_required: false, default: KeyDefault::None, docs, example: "" }
    }

    /// A key that must be there.
    pub const fn required(name: &'static str, shape: ValueShape, docs: &'static str) -> Self {
        Self { is_required: true, ..Self::new(name, shape, docs) }
    }

    /// The same key with what holds where it is left out.
    #[must_use]
    pub const fn or(self, default: KeyDefault) -> Self {
        Self { default, ..self }
    }

    /// The same key with a value that editors suggest.
    #[must_use]
    pub const fn such_as(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

/// What holds where a key is left out.
#[derive(Debug, Clone, Copy)]
pub enum KeyDefault {
    /// Nothing, or what the key's own documentation says.
    None,
    /// This word or number.
    Value(&'static str),
    /// What these words say.
    Words(&'static str),
    /// A text for each severity, in the order of [`crate::severity::Severity::ALL`].
    BySeverity(&'static [&'static str; 5]),
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum ValueShape {
    /// A string that is not empty.
    Text,
    /// A string.
    AnyText,
    /// A string of a certain form.
    Formatted(&'static TextFormat),
    /// One of a few words.
    Word(&'static WordList),
    /// True or false.
    Boolean,
    /// A whole number within bounds, both included.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A whole number from 0: an index, or an id.
    Unsigned,
    /// Any number.
    Number,
    /// A string, a number or a boolean.
    Scalar,
    /// Any value.
    Anything,
    /// A field of a record: an alias or a path.
    Field,
    /// A list of at least one.
    List(&'static ValueShape),
    /// A list of at least one object.
    Objects(&'static ObjectSpec),
    /// A list that may be empty.
    AnyList(&'static ValueShape),
    /// An object whose keys are not known beforehand.
    Map {
        /// What its keys may be.
        names: MapNames,
        /// What its values may be.
        values: &'static ValueShape,
    },
    /// An object of known keys.
    Object(&'static ObjectSpec),
    /// An object of one of these kinds: the word at `type` is the kind's name.
    Tagged(&'static TaggedSpec),
    /// An object with exactly one of these keys.
    OneKeyOf(&'static [KeySpec]),
    /// One of these.
    AnyOf(&'static [ValueShape]),
    /// A shape that has a name, and that may hold itself.
    Defined(&'static Definition),
}

/// What the keys of a [`ValueShape::Map`] may be.
#[derive(Debug, Clone, Copy)]
pub enum MapNames {
    /// Anything.
    Any,
    /// Anything, and there must be one.
    Some,
    /// Strings of a form.
    Formatted(&'static TextFormat),
    /// Words of a list.
    Words(&'static WordList),
    /// Fields of a record, and there must be one.
    Fields,
}

/// A shape that has a name.
#[derive(Debug)]
pub struct Definition {
    /// Its name in the schema: `Table`.
    pub name: &'static str,
    /// In a few words, for the pages: `a row, or a list of rows`.
    pub what: &'static str,
    /// What it is.
    pub docs: &'static str,
    /// The shape.
    pub shape: ValueShape,
}

/// Objects that are told apart by their key `type`.
#[derive(Debug)]
pub struct TaggedSpec {
    /// Their name in the schema: `Channel`.
    pub name: &'static str,
    /// One of them with its article, for messages: `a channel`.
    pub what: &'static str,
    /// What they are.
    pub docs: &'static str,
    /// The kinds.
    pub kinds: &'static [ObjectSpec],
}

/// Words, of which a value is one.
#[derive(Debug)]
pub struct WordList {
    /// What each of them is, without an article, for messages: `severity`.
    pub what: &'static str,
    /// The words.
    pub listed: &'static [&'static str],
    /// Words that are understood too, and that nobody is told to write.
    pub understood: &'static [&'static str],
}

/// A form that strings have.
#[derive(Debug)]
pub struct TextFormat {
    /// What such a string is, without an article, for messages: `colour`.
    pub what: &'static str,
    /// The diagnostic's code for a string of another form.
    pub code: &'static str,
    /// A regular expression (ECMA 262) that every such string matches; empty: none is known.
    pub pattern: &'static str,
    /// The most characters that it may have.
    pub max_characters: Option<usize>,
    /// Whether a string has the form.
    pub fits: fn(&str) -> bool,
    /// What to write instead of a string that has not.
    pub remedy: fn(&str) -> Cow<'static, str>,
}

/// The first halves of some pairs: the words of a table that has a value for each.
pub(crate) const fn words<T: Copy, const N: usize>(pairs: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut index = 0;
    while index < N {
        words[index] = pairs[index].0;
        index += 1;
    }
    words
}
