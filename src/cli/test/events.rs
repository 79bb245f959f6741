//! The events that tests name, inline or by a file.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::cli::input;
use crate::cloudtrail::envelope;
use crate::cloudtrail::{RawRecord, Record};
use crate::rules::TestEvent;
use crate::scan::lines_of_table;

/// The events that tests name, each read once.
pub(super) struct TestEvents<'p> {
    /// The folder of rules.json, which files are relative to.
    folder: &'p Path,
    read: HashMap<TestEvent, Result<Rc<Vec<Record<'static>>>, String>>,
}

impl<'p> TestEvents<'p> {
    /// The events of the rules in this file.
    pub(super) fn beside(rules: &'p Path) -> Self {
        Self { folder: rules.parent().unwrap_or(Path::new("")), read: HashMap::new() }
    }

    /// The records of an event, or why it has none.
    pub(super) fn records(&mut self, event: &TestEvent) -> Result<Rc<Vec<Record<'static>>>, String> {
        if let Some(read) = self.read.get(event) {
            return read.clone();
        }
        let read = self.read(event).map(Rc::new);
        self.read.insert(event.clone(), read.clone());
        read
    }

    fn read(&self, event: &TestEvent) -> Result<Vec<Record<'static>>, String> {
        let text = match event {
            TestEvent::Inline(text) => text.clone(),
            TestEvent::File(file) => {
                input::read(&self.folder.join(file)).map_err(|error| format!("{file}: {error}"))?
            }
        };
        let text = lines_of_table(&text).map_err(|error| error.to_string())?;
        let opened = envelope::open(&text);
        if let Some(problem) = opened.unreadable.first().or(opened.ignored.first()) {
            // An inline event may be as small as the rule's cells need.
            return match event {
                TestEvent::Inline(text) => {
                    Record::owned(text).map(|record| vec![record]).map_err(|error| error.to_string())
                }
                TestEvent::File(file) => Err(format!("{file}: not a CloudTrail record: {}", problem.reason)),
            };
        }
        if opened.records.is_empty() {
            return Err("it holds no records".to_owned());
        }
        let owned = |raw: &RawRecord| {
            let record = Record::owned(&raw.json).map_err(|error| error.to_string())?;
            Ok(record.in_envelope_of(raw.account.as_deref()))
        };
        opened.records.iter().map(owned).collect()
    }
}
