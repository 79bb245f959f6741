//! The line of the log in which each finding ends, on each channel.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use offlimits::handler::InvocationReport;
use tracing::subscriber::DefaultGuard;

use super::handler::{RULES, STOP, reported};
use super::outside::{Act, app, invoke, redeliver_until};

/// What is logged while it lives, by this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_target(false).with_writer(move || writer.clone());
        (log, tracing::subscriber::set_default(lines.finish()))
    }

    /// The fields of the lines of findings.
    fn findings(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter_map(|line| Some(line.split_once(" INFO finding ")?.1.to_owned())).collect()
    }
}

fn field<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    line.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('=')).map(|value| value.trim_matches('"'))
}

/// How many lines there are of each outcome, beside how many the report counts.
fn counts(lines: &[String], report: &InvocationReport) -> Vec<(&'static str, usize, usize)> {
    let (f, d) = (&report.findings, &report.deliveries);
    [
        ("staged", f.staged),
        ("unrouted", f.unrouted),
        ("below_threshold", f.below_threshold),
        ("self", f.own),
        ("delivered", d.delivered),
        ("throttled", d.throttled),
        ("digested", d.digested),
        ("duplicate", d.duplicate),
        ("queued", d.queued),
        ("dead", d.dead),
        ("failed", d.failed),
    ]
    .map(|(outcome, counted)| {
        (outcome, lines.iter().filter(|line| field(line, "outcome") == Some(outcome)).count(), counted)
    })
    .to_vec()
}

#[tokio::test(start_paused = true)]
async fn every_end_has_one_line_with_the_names_by_which_it_is_found() {
    let (log, _guard) = Log::start();
    let app = app(RULES);
    // When the clock of these tests begins.
    let stop = STOP.replace("2026-02-03T02:16:20Z", "2026-01-10T11:32:44Z");
    app.transport.script("soc", |number, _| if number == 1 { Act::Status(429, Some(60)) } else { Act::Take });
    let mut report = reported(invoke(&stop, &app).await);
    report += &redeliver_until(&app, Duration::from_mins(2)).await;
    report += &reported(invoke(&stop, &app).await);
    report += &reported(invoke(&stop.replace("\"eventID\": \"", "\"eventID\": \"again"), &app).await);
    report += &redeliver_until(&app, Duration::from_mins(10)).await;
    let lines = log.findings();
    for (outcome, logged, counted) in counts(&lines, &report) {
        assert_eq!(logged, counted, "{outcome}: {lines:#?}");
    }
    let ended = report.findings.total - report.findings.routed + report.deliveries.total();
    assert_eq!(lines.len(), ended, "{lines:#?}");

    let of = |outcome: &str, channel: Option<&str>| {
        let mut found =
            lines.iter().filter(|line| field(line, "outcome") == Some(outcome) && field(line, "channel") == channel);
        found.next().unwrap_or_else(|| panic!("{outcome} on {channel:?}: {lines:#?}")).as_str()
    };
    let first = of("delivered", Some("topic"));
    let id = field(first, "finding").unwrap();
    assert_eq!((id.len(), field(first, "rule"), field(first, "latency_ms")), (32, Some("STOP"), Some("0")), "{first}");
    assert!(STOP.contains(field(first, "event_id").unwrap()), "{first}");
    let (alert, group) = (field(first, "alert").unwrap(), field(first, "group").unwrap());
    assert_eq!((alert.len(), group.len(), field(first, "kind")), (32, 32, None), "{first}");
    // A delivery that comes back from the queue has the same names, and its whole latency.
    let queued = of("queued", Some("soc"));
    let arrived = of("delivered", Some("soc"));
    for name in ["finding", "rule", "event_id", "alert"] {
        assert_eq!(field(queued, name), field(arrived, name), "{queued} {arrived}");
    }
    assert_eq!((field(arrived, "finding"), field(arrived, "latency_ms")), (Some(id), Some("60000")), "{arrived}");
    assert_eq!(report.deliveries.latencies, [0, 60_000]);
    let throttled = of("throttled", Some("topic"));
    assert_eq!((field(throttled, "group"), field(throttled, "alert")), (Some(group), Some(alert)), "{throttled}");
    let sum = lines.iter().find(|line| field(line, "kind") == Some("roll-up")).unwrap();
    assert_eq!((field(sum, "finding"), field(sum, "latency_ms")), (Some(id), None), "{sum}");
    for outcome in ["staged", "unrouted"] {
        let line = of(outcome, None);
        assert_eq!((field(line, "alert"), field(line, "group")), (None, None), "{line}");
    }
    // Nothing else of the record.
    assert!(lines.iter().all(|line| !line.contains("198.51.100") && !line.contains("arn:")), "{lines:#?}");
}
