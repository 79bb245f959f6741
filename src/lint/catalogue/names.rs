//! Names that are looked up by hash, by what a condition asks of them, and by what a misspelt one has in common with the right
//! one.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use super::distance::{Distances, Letters, edits};
use crate::config::{Suggestion, suggestion};
use crate::rules::pattern::{Anchor, AnchoredLiteral};

/// Names, each once.
#[derive(Debug)]
pub(in crate::lint) struct NameTable {
    /// In the order in which they were given.
    all: Vec<KnownName<'static>>,
    known: HashSet<&'static str>,
    sorted: OnceLock<SortedNames>,
    /// The places in `all` of the names of each length.
    by_length: OnceLock<Vec<Vec<usize>>>,
    /// The words of all names, in lower case.
    words: OnceLock<HashSet<String>>,
}

/// The names in the order of the alphabet, and all of them in one text, in which many are searched as fast as one.
#[derive(Debug)]
struct SortedNames {
    names: Vec<&'static str>,
    /// Each name between two newlines.
    joined: String,
    /// Where in `joined` each name begins.
    begins: Vec<usize>,
}

impl NameTable {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let mut known = HashSet::new();
        let all = names.filter(|name| known.insert(*name)).map(KnownName::new).collect();
        Self { all, known, sorted: OnceLock::new(), by_length: OnceLock::new(), words: OnceLock::new() }
    }

    /// Whether this is one of the names, letter for letter.
    pub(in crate::lint) fn contains(&self, name: &str) -> bool {
        self.known.contains(name)
    }

    /// Whether a name has this word, as [`camel_case_words`] divides it, in any case.
    pub(in crate::lint) fn any_has_word(&self, word: &str) -> bool {
        let words = self.words.get_or_init(|| {
            self.all.iter().flat_map(|name| camel_case_words(name.text)).map(str::to_ascii_lowercase).collect()
        });
        words.contains(&word.to_ascii_lowercase())
    }

    /// The names that `accepts` accepts, in the order of the alphabet. `literals` are those of which each of them surely has one; of
    /// `None`, every name is asked about.
    pub(in crate::lint) fn accepted(
        &self,
        literals: Option<&[AnchoredLiteral]>,
        accepts: impl Fn(&str) -> bool,
    ) -> Vec<&'static str> {
        let sorted = self.sorted.get_or_init(|| SortedNames::new(self.all.iter().map(|name| name.text)));
        let places = literals.and_then(|literals| sorted.with_one_of(literals));
        let names: Vec<&'static str> = match places {
            Some(places) => places.into_iter().map(|place| sorted.names[place]).collect(),
            None => sorted.names.clone(),
        };
        names.into_iter().filter(|name| accepts(name)).collect()
    }

    /// The name that is [suggested](suggestion) for what was written: the nearest, if it is near enough, and of those as near the
    /// first; with its distance, and whether no other is as near.
    pub(super) fn nearest(&self, written: &str) -> Option<(usize, Suggestion<'static>)> {
        let folded = written.to_lowercase();
        let Some(distances) = Distances::from(&folded) else {
            // Beyond ASCII, or long: seldom.
            let best = suggestion(written, self.all.iter().map(|name| name.text))?;
            return Some((strsim::osa_distance(&folded, &best.name.to_lowercase()), best));
        };
        let letters = Letters::of(folded.as_bytes());
        let by_length = self.by_length.get_or_init(|| by_length(&self.all));
        // By the least number of edits that their lengths and letters leave open: most names are never compared.
        let mut open: Vec<Vec<usize>> = Vec::new();
        for (length, places) in by_length.iter().enumerate().filter(|(_, places)| !places.is_empty()) {
            let allowed = 1 + length / 4;
            if length.abs_diff(folded.len()) > allowed {
                continue;
            }
            for place in places {
                let least = letters.differ(&self.all[*place].letters);
                if least <= allowed {
                    open.resize(open.len().max(least + 1), Vec::new());
                    open[least].push(*place);
                }
            }
        }
        let mut best: Option<(usize, usize)> = None;
        let mut is_alone = true;
        for (least, places) in open.iter().enumerate() {
            if best.is_some_and(|(distance, _)| distance < least) {
                break;
            }
            for place in places {
                let name = self.all[*place].text;
                let distance = distances.to(name);
                if distance > edits(name) {
                    continue;
                }
                let other = best.filter(|best| best.0 == distance).map(|best| self.all[best.1].text);
                is_alone = match other {
                    Some(other) => is_alone && other.eq_ignore_ascii_case(name),
                    None => best.is_none_or(|best| distance < best.0) || is_alone,
                };
                if best.is_none_or(|best| (distance, *place) < best) {
                    best = Some((distance, *place));
                }
            }
        }
        best.map(|(distance, place)| (distance, Suggestion::new(written, self.all[place].text, distance, is_alone)))
    }
}

/// `DeleteBucketPolicy` → `Delete`, `Bucket`, `Policy`: a word begins where a capital follows what is none.
pub(in crate::lint) fn camel_case_words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let mut before = true;
        let end = rest.find(|char: char| {
            let begins = char.is_ascii_uppercase() && !before;
            before = char.is_ascii_uppercase();
            begins
        });
        let (word, others) = rest.split_at(end.unwrap_or(rest.len()));
        rest = others;
        (!word.is_empty()).then_some(word)
    })
}

/// What [`suggestion`] gives of the names of all tables, one after the other.
pub(in crate::lint) fn suggested<'t>(
    written: &str,
    tables: impl IntoIterator<Item = &'t NameTable>,
) -> Option<Suggestion<'static>> {
    let each: Vec<_> = tables.into_iter().filter_map(|table| table.nearest(written)).collect();
    let (distance, best) = *each.iter().min_by_key(|(distance, _)| *distance)?;
    let is_other = |near: &Suggestion<'_>| !near.is_sure || !near.name.eq_ignore_ascii_case(best.name);
    let is_sure = !each.iter().any(|(other, near)| *other == distance && is_other(near));
    Some(Suggestion { is_sure, ..best })
}

fn by_length(names: &[KnownName<'_>]) -> Vec<Vec<usize>> {
    let longest = names.iter().map(|name| name.text.len()).max().unwrap_or_default();
    let mut places = vec![Vec::new(); longest + 1];
    for (place, name) in names.iter().enumerate() {
        places[name.text.len()].push(place);
    }
    places
}

impl SortedNames {
    fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let mut names: Vec<&'static str> = names.collect();
        names.sort_unstable();
        let mut joined = String::from("\n");
        let mut begins = Vec::with_capacity(names.len());
        for name in &names {
            begins.push(joined.len());
            joined.push_str(name);
            joined.push('\n');
        }
        Self { names, joined, begins }
    }

    /// The places of the names that have one of these literals where it is anchored, ascending; `None` where that cannot be
    /// looked up.
    fn with_one_of(&self, literals: &[AnchoredLiteral]) -> Option<BTreeSet<usize>> {
        let mut places = BTreeSet::new();
        for AnchoredLiteral { anchor, bytes } in literals {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\n'))?;
            match anchor {
                Anchor::Whole => places.extend(self.names.binary_search(&text).ok()),
                Anchor::Start => places.extend(self.beginning_with(text)),
                Anchor::End => self.search(&format!("{text}\n"), &mut places),
                Anchor::Anywhere => self.search(text, &mut places),
                Anchor::AnyCase => return None,
            }
        }
        Some(places)
    }

    fn beginning_with(&self, text: &str) -> Range<usize> {
        let first = self.names.partition_point(|name| *name < text);
        first..first + self.names[first..].partition_point(|name| name.starts_with(text))
    }

    fn search(&self, text: &str, places: &mut BTreeSet<usize>) {
        let found = memchr::memmem::find_iter(self.joined.as_bytes(), text.as_bytes());
        places.extend(found.map(|at| self.begins.partition_point(|begin| *begin <= at).saturating_sub(1)));
    }
}

/// Those of the names, in their order, one of which is the nearest to what was written, if one is near enough to be
/// [suggested](crate::config::suggestion).
pub(in crate::lint) fn near<'k>(written: &str, names: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    let folded = written.to_lowercase();
    if !folded.is_ascii() {
        return names.into_iter().collect();
    }
    let (letters, length) = (Letters::of(folded.as_bytes()), folded.len());
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .map(KnownName::new)
        .filter(|name| name.text.len().abs_diff(length) <= edits(name.text))
        .map(|name| (letters.differ(&name.letters), name.text))
        .filter(|(least, name)| *least <= edits(name))
        .collect();
    // Whatever the nearest is, it is no farther than this one: what differs from it in more letters cannot be it.
    if let Some((_, likely)) = found.iter().min_by_key(|(least, _)| *least) {
        let distance = strsim::osa_distance(&folded, &likely.to_lowercase());
        if distance <= edits(likely) {
            found.retain(|(least, _)| *least <= distance);
        }
    }
    found.into_iter().map(|(_, name)| name).collect()
}

/// A name, and its letters.
#[derive(Debug)]
struct KnownName<'k> {
    text: &'k str,
    letters: Letters,
}

impl<'k> KnownName<'k> {
    fn new(text: &'k str) -> Self {
        Self { text, letters: Letters::of(text.as_bytes()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::catalogue::Catalogue;
    use crate::rules::pattern::Pattern;

    #[test]
    fn what_is_suggested_of_the_near_names_is_what_is_suggested_of_all() {
        let names = Catalogue::get().calls();
        let all: Vec<&str> = names.all.iter().map(|name| name.text).collect();
        let mut suggested_some = 0;
        for (index, name) in all.iter().enumerate().step_by(997) {
            let other = all[(index * 7 + 13) % all.len()];
            let half = name.len() / 2;
            for written in [
                format!("{}{}", &name[..half], &name[half + 1..]),
                format!("{}x{}", &name[..half], &name[half..]),
                format!("{}{}{}", &name[..half], &name[half + 1..half + 2], &name[half..]),
                name.to_uppercase(),
                format!("{}{}", &name[..half], &other[other.len() / 2..]),
                format!("é{name}"),
                format!("{name}{}", "9".repeat(300)),
                String::new(),
            ] {
                let expected = suggestion(&written, all.iter().copied());
                assert_eq!(suggested(&written, [names]), expected, "{written}");
                assert_eq!(suggestion(&written, near(&written, all.iter().copied())), expected, "{written}");
                suggested_some += usize::from(expected.is_some());
            }
        }
        assert!(suggested_some > 40, "{suggested_some}");
        assert!(names.contains("CreateUser") && !names.contains("createUser"));
    }

    #[test]
    fn what_a_pattern_accepts_is_found_by_what_it_asks_for() {
        let names = Catalogue::get().calls();
        let mut sorted: Vec<&str> = names.all.iter().map(|name| name.text).collect();
        sorted.sort_unstable();
        for pattern in [
            "StopInstances",
            "^StopInstances$",
            "^Stop",
            "^(Delete).*",
            "Instances$",
            "Trail",
            "^Stop.*Instances\\w+$",
            "^Create(User|Role)",
            "(?i)trail",
            "^[DS]",
            "a|b",
            "Nothing",
            "S.op",
            "",
            "\\n",
        ] {
            let Ok(pattern) = Pattern::new(pattern) else { continue };
            let literals = pattern.required_literals();
            let expected: Vec<&str> = sorted.iter().copied().filter(|name| pattern.is_match(name)).collect();
            assert_eq!(names.accepted(literals.as_deref(), |name| pattern.is_match(name)), expected, "{pattern:?}");
        }
    }
}
