//! Finds what an archive holds, folder by folder in CloudTrail's layout: the folders of days are found, and not opened.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::scan::layout::{self, LogFilter};
use crate::scan::s3::{KeyRange, Listed, ListedObject, ObjectStore, S3Fault, is_read};

/// Lists that are asked for at a time. S3 answers some thousand a second, and one takes some 50 ms.
pub(super) const AT_A_TIME: usize = 32;

/// Something that holds log files.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The folder of a day in CloudTrail's layout.
    Day(String),
    /// Objects of a folder that is not in that layout, and stand next to one another.
    Loose(KeyRange, Vec<ListedObject>),
}

impl Place {
    /// What says where it is among others.
    fn key(&self) -> &str {
        match self {
            Self::Day(prefix) => prefix,
            Self::Loose(_, objects) => objects.first().map_or("", |object| &object.key),
        }
    }
}

/// What a walk has found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// In the order of their keys.
    pub(super) places: Vec<Place>,
    /// How many lists it took.
    pub(super) requests: u64,
}

/// Walks through what begins with `prefix`, as far as the filter lets files be read.
///
/// # Errors
/// Something could not be listed.
pub(super) fn walk(store: &ObjectStore, prefix: &str, filter: &LogFilter) -> Result<Walk, S3Fault> {
    let (mut walk, mut level) = (Walk::default(), vec![prefix.to_owned()]);
    while !level.is_empty() {
        let listed = in_parallel(&level, |prefix| store.list(prefix, true))?;
        let mut next = Vec::new();
        for (prefix, listed) in level.iter().zip(listed) {
            walk.requests += listed.requests;
            take(prefix, listed, filter, &mut walk.places, &mut next);
        }
        level = next;
    }
    walk.places.sort_by(|a, b| a.key().cmp(b.key()));
    Ok(walk)
}

/// Sorts what a folder holds: days, further folders, and objects.
fn take(prefix: &str, listed: Listed, filter: &LogFilter, places: &mut Vec<Place>, next: &mut Vec<String>) {
    let mut folders = listed.folders.into_iter().peekable();
    let mut run: Option<(KeyRange, Vec<ListedObject>)> = None;
    let mut after = None;
    let mut end = |run: &mut Option<(KeyRange, Vec<ListedObject>)>| {
        if let Some((mut range, objects)) = run.take() {
            range.through = objects.last().map(|object| object.key.clone());
            places.push(Place::Loose(range, objects));
        }
    };
    let mut days = Vec::new();
    let mut folder_of = |folder: String| {
        if filter.may_hold(&folder) {
            if layout::is_day(&folder) {
                days.push(Place::Day(folder));
            } else {
                next.push(folder);
            }
        }
    };
    for object in listed.objects {
        // A run of objects ends at a folder: what is in that would be within its keys.
        while let Some(folder) = folders.next_if(|folder| **folder < *object.key) {
            end(&mut run);
            after = Some(format!("{folder}\u{10ffff}"));
            folder_of(folder);
        }
        if is_read(&object.key, filter) == Ok(true) {
            let range = || KeyRange { prefix: prefix.to_owned(), after: after.clone(), through: None };
            run.get_or_insert_with(|| (range(), Vec::new())).1.push(object);
        }
    }
    end(&mut run);
    folders.for_each(folder_of);
    places.extend(days);
}

/// Asks about each item, many at a time, and returns the answers in the items' order.
///
/// # Errors
/// The first that there was.
pub(super) fn in_parallel<I: Sync, T: Send, E: Send>(
    items: &[I],
    ask: impl Fn(&I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(items.len()) {
            scope.spawn(|| {
                while let Some((place, item)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    items.get(place).map(|item| (place, item))
                } {
                    let answer = ask(item);
                    if answer.is_err() {
                        // Nobody needs the rest.
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    answers.lock().unwrap_or_else(PoisonError::into_inner).push((place, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str) -> ListedObject {
        ListedObject { key: key.to_owned(), size: 1, etag: None }
    }

    #[test]
    fn what_stands_between_folders_is_apart_from_what_is_in_them() {
        let listed = Listed {
            objects: ["x/a.json", "x/b.txt", "x/c.json", "x/z.json"].map(object).into(),
            folders: vec!["x/d/".to_owned(), "x/zz/".to_owned()],
            requests: 1,
        };
        let (mut places, mut next) = (Vec::new(), Vec::new());
        take("x/", listed, &LogFilter::default(), &mut places, &mut next);
        let ranges: Vec<_> = places
            .iter()
            .map(|place| match place {
                Place::Loose(range, objects) => (range.after.as_deref(), range.through.as_deref(), objects.len()),
                Place::Day(_) => panic!("no day"),
            })
            .collect();
        assert_eq!(ranges, [(None, Some("x/c.json"), 2), (Some("x/d/\u{10ffff}"), Some("x/z.json"), 1)]);
        assert_eq!(next, ["x/d/", "x/zz/"]);
        let Place::Loose(range, _) = &places[1] else { panic!("objects") };
        assert!(range.holds("x/z.json") && !range.holds("x/d/e.json"));
    }

    #[test]
    fn answers_come_in_the_order_of_what_was_asked_and_an_error_ends_it() {
        let items: Vec<usize> = (0..500).collect();
        let doubled: Result<Vec<usize>, ()> = in_parallel(&items, |item| Ok(item * 2));
        assert_eq!(doubled.unwrap(), (0..500).map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(in_parallel(&items, |item| if *item == 7 { Err("seven") } else { Ok(*item) }), Err("seven"));
    }
}
