//! When a finding of its pair first came: told where the ledger knows it in time, and waited for by nobody.

use std::time::Duration;

use super::handler::{RULES, STOP, reported};
use super::outside::{SlowStore, app, app_on, invoke};

/// The message of the topic, and how it tells when its pair first came.
fn first_seen(texts: &[super::outside::Taken]) -> Vec<Option<bool>> {
    texts
        .iter()
        .map(|taken| {
            let line = taken.text.lines().find(|line| line.contains("First seen"));
            line.map(|line| line.contains("now, the first finding of StopLogging by"))
        })
        .collect()
}

/// The same call as another event.
fn again(event_id: &str) -> String {
    let mut event: serde_json::Value = serde_json::from_str(STOP).unwrap();
    event["detail"]["eventID"] = event_id.into();
    event["detail"]["requestParameters"]["name"] = event_id.into();
    event.to_string()
}

#[tokio::test(start_paused = true)]
async fn the_first_of_a_pair_says_so_and_the_next_says_when_that_was() {
    let app = app(RULES);
    assert_eq!(reported(invoke(STOP, &app).await).deliveries.delivered, 2);
    // Another trail is news, and the same pair.
    assert_eq!(reported(invoke(&again("another"), &app).await).deliveries.delivered, 2);
    assert_eq!(first_seen(&app.transport.taken("topic")), [Some(true), Some(false)]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_ledger_that_does_not_say_who_came_first() {
    for (first_takes, is_told) in [(Duration::from_millis(50), true), (Duration::from_mins(1), false)] {
        let mut store = SlowStore::new(Duration::from_millis(50));
        store.first_takes = first_takes;
        let app = app_on(RULES, store);
        let report = reported(invoke(STOP, &app).await);
        assert_eq!((report.deliveries.delivered, report.ledger_faults), (2, 0));
        let taken = app.transport.taken("topic");
        // The claim takes a read and a write.
        let at = taken[0].at;
        assert!(at < Duration::from_millis(250), "{at:?}");
        assert_eq!(first_seen(&taken), [is_told.then_some(true)]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_takes_no_connection_of_its_own() {
    let store = SlowStore::new(Duration::from_millis(5));
    let app = app_on(RULES, store.clone());
    assert_eq!(reported(invoke(STOP, &app).await).deliveries.delivered, 2);
    // The claims of two channels, beside them the silences, and over the connection of these the question.
    assert_eq!(store.most_at_once(), 3);
    let taken = app.transport.taken("topic");
    assert_eq!(first_seen(&taken), [Some(true)]);
    // The claim and the storm guard's count take as long as the silences and the question.
    assert_eq!(taken[0].at, Duration::from_millis(10));
}
