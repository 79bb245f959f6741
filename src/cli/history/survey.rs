//! How much a walk's places hold: counted where that is cheap, else estimated by some that are.

use std::collections::HashMap;

use super::walk::{Place, in_parallel};
use crate::ids::StableId;
use crate::scan::layout::LogFilter;
use crate::scan::s3::{KeyRange, ListedObject, ObjectStore, S3Fault, is_read};
use crate::time::Date;

/// Days before the day of the plan on which files may still come: CloudTrail delivers within minutes, and sometimes hours later.
const OPEN_DAYS: i64 = 3;

/// Keys that stay together, and how much they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) range: KeyRange,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// A hash of what was listed, where it may still change; none of days that are over.
    pub(super) digest: Option<String>,
    /// Whether it has been counted.
    pub(super) exact: bool,
    /// What belongs together: an account's month in a region.
    pub(super) group: String,
}

/// What a survey found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) blocks: Vec<Block>,
    pub(super) days: u64,
    pub(super) listed_days: u64,
    /// How many lists it took.
    pub(super) requests: u64,
}

/// How large a block may be, and how many days are listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct SurveyBounds {
    pub(super) bytes: u64,
    pub(super) objects: u64,
    pub(super) days: usize,
    pub(super) today: Date,
}

/// Counts what the places hold. Of more days than are to be listed, those are listed on which files may still come, and others at
/// even distances.
///
/// # Errors
/// A day could not be listed.
pub(super) fn survey(store: &ObjectStore, places: Vec<Place>, bounds: SurveyBounds) -> Result<Survey, S3Fault> {
    let days: Vec<&str> = places
        .iter()
        .filter_map(|place| match place {
            Place::Day(prefix) => Some(prefix.as_str()),
            Place::Loose(..) => None,
        })
        .collect();
    let chosen: Vec<&str> = chosen(&days, bounds);
    // The filter has chosen the days.
    let all = LogFilter::default();
    let listed = in_parallel(&chosen, |day| {
        let listed = store.list(day, false)?;
        let objects = listed.objects.into_iter().filter(|object| is_read(&object.key, &all) == Ok(true)).collect();
        Ok::<_, S3Fault>((
            blocks(&KeyRange::of_prefix(*day), objects, bounds, is_open(day, bounds.today)),
            listed.requests,
        ))
    })?;
    let mut survey = Survey { days: days.len() as u64, listed_days: chosen.len() as u64, ..Survey::default() };
    let mut known: HashMap<String, Vec<Block>> = HashMap::new();
    for (day, (blocks, requests)) in chosen.iter().zip(listed) {
        survey.requests += requests;
        known.insert((*day).to_owned(), blocks);
    }
    let guess = Guess::by(&known);
    for place in places {
        match place {
            Place::Loose(range, objects) => survey.blocks.extend(blocks(&range, objects, bounds, true)),
            Place::Day(day) => match known.remove(&day) {
                Some(blocks) => survey.blocks.extend(blocks),
                None => survey.blocks.push(guess.of(&day)),
            },
        }
    }
    Ok(survey)
}

/// The days that are listed.
fn chosen<'d>(days: &[&'d str], bounds: SurveyBounds) -> Vec<&'d str> {
    if days.len() <= bounds.days {
        return days.to_vec();
    }
    let every = days.len().div_ceil(bounds.days.max(1));
    let is_chosen = |place: usize, day: &str| place.is_multiple_of(every) || is_open(day, bounds.today);
    days.iter().enumerate().filter(|(place, day)| is_chosen(*place, day)).map(|(_, day)| *day).collect()
}

/// Whether files may still come on this day.
fn is_open(day: &str, today: Date) -> bool {
    date_of(day).is_none_or(|day| day.days_until(today) < OPEN_DAYS)
}

/// `…/2025/03/01/` → 2025-03-01
fn date_of(day: &str) -> Option<Date> {
    let mut parts = day.trim_end_matches('/').rsplit('/');
    let value = |part: &str| part.rsplit_once('=').map_or_else(|| part.to_owned(), |(_, value)| value.to_owned());
    let (of_month, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    Date::parse(&format!("{}-{}-{}", value(year), value(month), value(of_month)))
}

/// `…/2025/03/01/` → `…/2025/03/`: an account's month in a region.
fn group_of(prefix: &str) -> String {
    match date_of(prefix) {
        Some(_) => prefix.trim_end_matches('/').rsplit_once('/').map_or("", |(month, _)| month).to_owned(),
        None => prefix.to_owned(),
    }
}

/// Cuts the objects of a range into blocks.
fn blocks(range: &KeyRange, objects: Vec<ListedObject>, bounds: SurveyBounds, may_change: bool) -> Vec<Block> {
    let group = group_of(&range.prefix);
    let empty = |after: Option<String>| Block {
        range: KeyRange { after, ..range.clone() },
        objects: 0,
        bytes: 0,
        digest: None,
        exact: true,
        group: group.clone(),
    };
    let (mut blocks, mut block) = (Vec::new(), empty(range.after.clone()));
    // Of everything that has been listed, one after the other.
    let (mut digest, mut last) = (String::new(), None);
    let close = |block: &mut Block, digest: &mut String| {
        let digest = std::mem::take(digest);
        block.digest = may_change.then_some(digest);
    };
    for object in objects {
        let is_full = block.objects >= bounds.objects || block.bytes + object.size > bounds.bytes;
        if is_full && block.objects > 0 {
            block.range.through.clone_from(&last);
            close(&mut block, &mut digest);
            blocks.push(std::mem::replace(&mut block, empty(last.take())));
        }
        block.objects += 1;
        block.bytes += object.size;
        let etag = object.etag.as_deref().unwrap_or_default();
        let listed = StableId::hash(&[&digest, &object.key, &object.size.to_string(), etag]);
        listed.as_str().clone_into(&mut digest);
        last = Some(object.key);
    }
    if block.objects > 0 {
        close(&mut block, &mut digest);
        blocks.push(block);
    }
    blocks
}

/// What a day that was not listed holds: the mean of those that were, of its account and region, else of all.
struct Guess {
    all: (u64, u64, u64),
    by_region: HashMap<String, (u64, u64, u64)>,
}

impl Guess {
    fn by(known: &HashMap<String, Vec<Block>>) -> Self {
        let mut guess = Self { all: (0, 0, 0), by_region: HashMap::new() };
        for (day, blocks) in known {
            let objects: u64 = blocks.iter().map(|block| block.objects).sum();
            let bytes: u64 = blocks.iter().map(|block| block.bytes).sum();
            for sums in [guess.by_region.entry(region_of(day)).or_default(), &mut guess.all] {
                *sums = (sums.0 + 1, sums.1 + objects, sums.2 + bytes);
            }
        }
        guess
    }

    fn of(&self, day: &str) -> Block {
        let (days, objects, bytes) = self.by_region.get(&region_of(day)).copied().unwrap_or(self.all);
        let days = days.max(1);
        Block {
            range: KeyRange::of_prefix(day),
            objects: objects.div_ceil(days),
            bytes: bytes.div_ceil(days),
            digest: None,
            exact: false,
            group: group_of(day),
        }
    }
}

/// `…/eu-west-1/2025/03/01/` → `…/eu-west-1`
fn region_of(day: &str) -> String {
    day.trim_end_matches('/').rsplitn(4, '/').nth(3).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2025-03-10";

    fn bounds(bytes: u64, days: usize) -> SurveyBounds {
        SurveyBounds { bytes, objects: 1000, days, today: Date::parse(TODAY).unwrap() }
    }

    fn objects(sizes: &[u64]) -> Vec<ListedObject> {
        let object =
            |(number, size): (usize, &u64)| ListedObject { key: format!("d/{number}"), size: *size, etag: None };
        sizes.iter().enumerate().map(object).collect()
    }

    #[test]
    fn a_large_day_is_cut_between_objects_and_nothing_falls_between() {
        let range = KeyRange::of_prefix("d/");
        let cut = blocks(&range, objects(&[5, 5, 5, 50, 1]), bounds(10, 9), false);
        let told: Vec<_> =
            cut.iter().map(|b| (b.objects, b.bytes, b.range.after.as_deref(), b.range.through.as_deref())).collect();
        assert_eq!(
            told,
            [
                (2, 10, None, Some("d/1")),
                (1, 5, Some("d/1"), Some("d/2")),
                (1, 50, Some("d/2"), Some("d/3")),
                (1, 1, Some("d/3"), None)
            ]
        );
        for key in ["d/0", "d/1", "d/10", "d/2", "d/3", "d/4", "d/9"] {
            assert_eq!(cut.iter().filter(|block| block.range.holds(key)).count(), 1, "{key}");
        }
    }

    #[test]
    fn what_may_still_change_is_known_by_what_was_listed() {
        let range = KeyRange::of_prefix("AWSLogs/1/CloudTrail/eu-west-1/2025/03/09/");
        let digest = |sizes: &[u64], open| blocks(&range, objects(sizes), bounds(100, 9), open).remove(0).digest;
        assert_ne!(digest(&[1, 2], true), digest(&[1, 3], true));
        assert_eq!(digest(&[1, 2], true), digest(&[1, 2], true));
        assert_eq!(digest(&[1, 2], false), None);
        let today = Date::parse(TODAY).unwrap();
        assert!(is_open("x/2025/03/08/", today) && !is_open("x/2025/03/07/", today) && is_open("odd/", today));
        assert!(is_open("x/2025/04/01/", today), "a clock that is wrong loses nothing");
    }

    #[test]
    fn of_many_days_some_are_listed_and_always_those_that_may_change() {
        let days: Vec<String> = (1..=31).map(|day| format!("a/r/2025/01/{day:02}/")).collect();
        let mut days: Vec<&str> = days.iter().map(String::as_str).collect();
        days.push("a/r/2025/03/10/");
        let chosen = chosen(&days, bounds(1, 4));
        assert_eq!(chosen.len(), 5, "{chosen:?}");
        assert_eq!(chosen.last(), Some(&"a/r/2025/03/10/"));
    }

    #[test]
    fn a_day_is_guessed_by_its_region() {
        let block = |bytes| Block {
            range: KeyRange::default(),
            objects: 2,
            bytes,
            digest: None,
            exact: true,
            group: String::new(),
        };
        let known = HashMap::from([
            ("a/one/2025/01/01/".to_owned(), vec![block(10), block(10)]),
            ("a/two/2025/01/01/".to_owned(), vec![block(100)]),
        ]);
        let guess = Guess::by(&known);
        let of = |day: &str| (guess.of(day).objects, guess.of(day).bytes);
        assert_eq!(of("a/one/2025/01/02/"), (4, 20));
        assert_eq!(of("a/two/2025/01/02/"), (2, 100));
        assert_eq!(of("a/new/2025/01/02/"), (3, 60));
        assert_eq!(guess.of("a/new/2025/01/02/").group, "a/new/2025/01");
    }
}
