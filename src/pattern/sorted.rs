//! Alternatives, sorted by the services that they are of, and made shorter.

use std::collections::{BTreeMap, BTreeSet};

use super::alternative::Alternative;
use super::field::PatternField;
use super::limits::{MAX_OF_A_SERVICE, MAX_TEXTS, MAX_WILDCARDS};
use super::values::{Text, Texts, Values};

/// What is asked of a service's calls besides their names, and of their names.
pub(super) type OfSource = BTreeMap<Alternative, Values>;

/// Alternatives, by whether they are of some services.
#[derive(Debug, Default, Clone)]
pub(super) struct Sorted {
    /// Those of every service, or of services that no text or beginning tells.
    pub(super) of_all: Vec<Alternative>,
    pub(super) of_source: BTreeMap<Text, OfSource>,
    /// The names of all calls of a source that the family is about.
    all_names: Option<fn(&Text) -> Texts>,
}

/// The beginning of a name, of so many characters, tells a call apart. What is shorter is a word that begins many: `Create`.
const TIGHT: usize = 12;

/// How long beginnings are at least where names are taken together by them: as `Put`.
const SHORTEST: usize = 3;
/// The length to begin with.
const LONGEST: usize = 24;

impl Sorted {
    pub(super) fn new(alternatives: impl IntoIterator<Item = Alternative>, all_names: fn(&Text) -> Texts) -> Self {
        let mut sorted = Self { all_names: Some(all_names), ..Self::default() };
        alternatives.into_iter().for_each(|alternative| sorted.file(alternative));
        sorted.shorten();
        sorted
    }

    fn file(&mut self, mut alternative: Alternative) {
        let source = alternative.get(PatternField::Source);
        let Texts::OneOf(sources) = source.texts else { return self.of_all.push(alternative) };
        let is_key = |text: &Text| matches!(text, Text::Exact(text) | Text::Prefix(text) if !text.is_empty());
        if source.absent || !sources.iter().all(is_key) {
            return self.of_all.push(alternative);
        }
        alternative.take(PatternField::Source);
        let names = alternative.take(PatternField::Name);
        for source in sources {
            let all = self.all_names_of(&source);
            add(self.of_source.entry(source).or_default(), alternative.clone(), names.clone(), &all);
        }
    }

    fn all_names_of(&self, source: &Text) -> Texts {
        self.all_names.map_or(Texts::Any, |all| all(source))
    }

    /// Leaves out what others cover, and the wildcards that are too many.
    fn shorten(&mut self) {
        let mut all: Vec<Alternative> = Vec::new();
        for alternative in std::mem::take(&mut self.of_all) {
            if !all.iter().any(|other| other.covers(&alternative)) {
                all.retain(|other| !alternative.covers(other));
                all.push(alternative);
            }
        }
        all.sort();
        self.of_all = all;
        let all_names = self.all_names;
        let most = MAX_WILDCARDS.saturating_sub(self.of_all.iter().map(Alternative::wildcards).sum());
        for (source, of_source) in &mut self.of_source {
            let open = of_source.get(&Alternative::default()).cloned();
            of_source.retain(|asked, names| {
                if let (Some(open), Texts::OneOf(names)) =
                    (open.as_ref().filter(|_| !asked.is_everything()), &mut names.texts)
                {
                    names.retain(|name| !open.covers(&Values::some(Texts::OneOf([name.clone()].into()))));
                }
                let whole = whole(source, asked, names);
                !names.is_none() && !self.of_all.iter().any(|other| other.covers(&whole))
            });
            let mut left = most;
            let all = all_names.map_or(Texts::Any, |all| all(source));
            for (asked, names) in std::mem::take(of_source) {
                let mut asked = asked.with(PatternField::Name, names).with_wildcards_up_to(&mut left, &all);
                let names = asked.take(PatternField::Name);
                add(of_source, asked, names, &Texts::Any);
            }
        }
        self.of_source.retain(|_, of_source| !of_source.is_empty());
    }

    /// The same for services by how their `eventSource` begins: of each, all that may be asked of it.
    pub(super) fn of_services(&self, beginnings: &[&str]) -> Self {
        let mut of_services =
            Self { of_all: self.of_all.clone(), all_names: self.all_names, of_source: BTreeMap::new() };
        for beginning in beginnings {
            let mut asked_of = OfSource::new();
            let concerns = |source: &Text| {
                let text = source_text(source);
                text.starts_with(beginning) || matches!(source, Text::Prefix(text) if beginning.starts_with(&**text))
            };
            for (asked, names) in
                self.of_source.iter().filter(|(source, _)| concerns(source)).flat_map(|(_, of_source)| of_source)
            {
                add(&mut asked_of, asked.clone(), names.clone(), &Texts::Any);
            }
            let source = Text::Prefix((*beginning).into());
            let all = self.all_names_of(&source);
            fit(&mut asked_of, MAX_OF_A_SERVICE, &all);
            of_services.of_source.insert(source, asked_of);
        }
        of_services
    }

    /// Asks less of the services that take the most characters; whether there was one left.
    pub(super) fn widen(&mut self) -> bool {
        let mut sizes: Vec<(usize, Text, Texts)> = Vec::new();
        for (source, of_source) in &self.of_source {
            let all = self.all_names_of(source);
            if !of_source.iter().all(|(asked, names)| asked.is_everything() && names.texts == all) {
                sizes.push((characters(of_source), source.clone(), all));
            }
        }
        sizes.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
        let some = sizes.len().div_ceil(8);
        for (size, source, all) in sizes.into_iter().take(some) {
            if let Some(of_source) = self.of_source.get_mut(&source) {
                fit(of_source, size / 2, &all);
            }
        }
        some > 0
    }

    /// Whether the names that are asked of the services are names of few calls, whatever their service is.
    pub(super) fn is_tight<'s>(&self, sources: impl IntoIterator<Item = &'s Text>) -> bool {
        let is_tight = |text: &Text| match text {
            Text::Exact(_) | Text::AnyCase(_) => true,
            Text::Prefix(text) | Text::Suffix(text) | Text::Contains(text) => text.len() >= TIGHT,
            Text::Between(_, part, end) => part.len() + end.len() >= TIGHT,
        };
        let are_tight =
            |names: &Values| !names.absent && matches!(&names.texts, Texts::OneOf(names) if names.iter().all(is_tight));
        sources
            .into_iter()
            .flat_map(|source| self.of_source.get(source).into_iter().flatten())
            .all(|(_, names)| are_tight(names))
    }

    /// Whether all calls of the service pass.
    pub(super) fn is_open(&self, source: &Text) -> bool {
        let all = self.all_names_of(source);
        self.of_source.get(source).is_some_and(|of_source| of_source.values().any(|names| names.texts == all))
    }

    /// The characters of what is asked of some services, each by itself.
    pub(super) fn characters<'s>(&self, sources: impl IntoIterator<Item = &'s Text>) -> usize {
        sources.into_iter().filter_map(|source| self.of_source.get(source)).map(characters).sum()
    }

    /// The alternatives of some services: those of which the same is asked as one.
    pub(super) fn by_source<'s>(&self, sources: impl IntoIterator<Item = &'s Text>) -> Vec<Alternative> {
        let mut same: BTreeMap<(&Alternative, &Values), BTreeSet<Text>> = BTreeMap::new();
        for source in sources {
            for asked in self.of_source.get(source).into_iter().flatten() {
                same.entry(asked).or_default().insert(source.clone());
            }
        }
        let whole = |((asked, names), sources): ((&Alternative, &Values), BTreeSet<Text>)| {
            let source = Values::some(Texts::OneOf(sources).minimal());
            asked.clone().with(PatternField::Source, source).with(PatternField::Name, names.clone())
        };
        same.into_iter().map(whole).collect()
    }

    /// The alternatives of some services without these: of each thing that is asked besides the names, one.
    pub(super) fn by_name<'s>(&self, sources: impl IntoIterator<Item = &'s Text>) -> Vec<Alternative> {
        let mut same: BTreeMap<&Alternative, Values> = BTreeMap::new();
        for (asked, names) in sources.into_iter().flat_map(|source| self.of_source.get(source).into_iter().flatten()) {
            let there = same.entry(asked).or_insert_with(none);
            *there = std::mem::replace(there, Values::ANY).or(names.clone());
        }
        same.into_iter().map(|(asked, names)| asked.clone().with(PatternField::Name, names)).collect()
    }
}

/// The text of a source that is one, or begins so.
pub(super) fn source_text(source: &Text) -> &str {
    match source {
        Text::Exact(text) | Text::Prefix(text) => text,
        Text::Suffix(_) | Text::Contains(_) | Text::Between(..) | Text::AnyCase(_) => "",
    }
}

const fn none() -> Values {
    Values { texts: Texts::OneOf(BTreeSet::new()), absent: false }
}

/// Asks for these names as well, or for all where they become too many.
fn add(of_source: &mut OfSource, asked: Alternative, names: Values, all: &Texts) {
    let there = of_source.entry(asked).or_insert_with(none);
    if there.texts == *all {
        there.absent |= names.absent;
        return;
    }
    there.take_in(names);
    if matches!(&there.texts, Texts::OneOf(texts) if texts.len() > MAX_TEXTS) {
        there.texts = all.clone();
    }
}

fn characters(of_source: &OfSource) -> usize {
    of_source.iter().map(|(asked, names)| asked.clone().with(PatternField::Name, names.clone()).characters() + 1).sum()
}

fn whole(source: &Text, asked: &Alternative, names: &Values) -> Alternative {
    let source = Values::some(Texts::OneOf([source.clone()].into()));
    asked.clone().with(PatternField::Source, source).with(PatternField::Name, names.clone())
}

/// Asks less until it has so many characters at most: names that begin alike are taken together, what is asked besides them is left
/// out, and at last the names are.
fn fit(of_source: &mut OfSource, most: usize, all: &Texts) {
    let shortened = |of_source: &mut OfSource| {
        let longest = of_source.values().filter_map(|names| match &names.texts {
            Texts::OneOf(names) => names.iter().map(|name| source_text(name).len()).max(),
            _ => None,
        });
        let longest = longest.max().unwrap_or_default().min(LONGEST);
        for length in (SHORTEST..=longest).rev() {
            if characters(of_source) <= most {
                return true;
            }
            of_source.values_mut().for_each(|names| take_together(names, length));
        }
        characters(of_source) <= most
    };
    let mut narrow = of_source.clone();
    if shortened(&mut narrow) {
        *of_source = narrow;
        return;
    }
    let names = of_source.values().fold(none(), |names, others| names.or(others.clone()));
    let mut narrow = OfSource::from([(Alternative::default(), names.clone())]);
    if !shortened(&mut narrow) {
        narrow = OfSource::from([(Alternative::default(), Values { texts: all.clone(), absent: names.absent })]);
    }
    *of_source = narrow;
}

/// Takes names together that begin with the same so many characters.
fn take_together(names: &mut Values, length: usize) {
    let Texts::OneOf(texts) = &names.texts else { return };
    let mut alike: BTreeMap<&str, Vec<&Text>> = BTreeMap::new();
    let mut left: BTreeSet<Text> = BTreeSet::new();
    for text in texts {
        match source_text(text).get(..length) {
            Some(beginning) => alike.entry(beginning).or_default().push(text),
            None => drop(left.insert(text.clone())),
        }
    }
    for (beginning, texts) in alike {
        match &texts[..] {
            [only] => drop(left.insert((*only).clone())),
            _ => drop(left.insert(Text::Prefix(beginning.into()))),
        }
    }
    names.texts = Texts::OneOf(left).minimal();
}
