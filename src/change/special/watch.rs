//! What a trail records.

use crate::change::reading::{Reading, at, said};
use crate::change::told::Told;

/// The selectors of a trail: what it goes on recording.
pub(in crate::change) fn event_selectors(reading: &Reading<'_, '_>, told: &mut Told) {
    const SHOWN: usize = 3;
    let Some(request) = &reading.request else { return };
    let selectors = at(request, "eventSelectors");
    for selector in selectors.iter().take(SHOWN) {
        let part = |path: &str| said(Some(selector), path);
        match part("includeManagementEvents").as_deref() {
            Some("false") => told.add("management events", "off"),
            Some("true") => told.add(
                "management events",
                match part("readWriteType").as_deref() {
                    Some("ReadOnly") => "reading calls alone",
                    Some("WriteOnly") => "writing calls alone",
                    _ => "all",
                },
            ),
            _ => {}
        }
        if let Some(excluded) = part("excludeManagementEventSources") {
            told.add("not recorded", excluded);
        }
        for data in at(selector, "dataResources").iter().take(SHOWN) {
            let of = said(Some(data), "values").unwrap_or_else(|| "of nothing".to_owned());
            if let Some(kind) = said(Some(data), "type") {
                told.add("data events", format!("{kind} {of}"));
            }
        }
    }
    for selector in at(request, "advancedEventSelectors").iter().take(SHOWN) {
        let name = said(Some(selector), "name").unwrap_or_else(|| "selector".to_owned());
        let fields = at(selector, "fieldSelectors");
        let fields: Vec<String> = fields.iter().map(crate::change::value::shown).collect();
        told.add(&name, fields.join("; "));
    }
    if selectors.is_empty() && request.get("eventSelectors").is_some() {
        told.add("events", "none recorded");
    }
}
