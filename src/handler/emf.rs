//! The report as CloudWatch's metrics: one line of its embedded metric format.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::fmt::{self, Write as _};

use super::{InvocationReport, SweepCounts};
use crate::json::write_string;
use crate::time::Timestamp;

/// The namespace in which CloudWatch shows the metrics.
pub const NAMESPACE: &str = "offlimits";
/// The metric of how late alerts are.
const LATENCY: &str = "Latency";
/// The accounts and regions that should be heard and are not: one value a sweep.
const SILENT_SOURCES: &str = "SilentSources";
/// The longest that the last probe of any account and region took, in milliseconds: one value a sweep.
const PROBE_LATENCY: &str = "ProbeLatency";

/// The most values that one metric may have in one line.
const MAX_VALUES: usize = 100;

/// Whose metrics they are.
#[derive(Debug, Clone, Copy)]
pub struct MetricSource<'s> {
    /// The function's name.
    pub function: &'s str,
    /// The least severe level of its other lines: whether it is any use to look for these.
    pub log_level: &'s str,
}

/// The lines that make metrics of a report, without their line ends: their only dimension is the function's name, since each
/// further value would be paid for as a metric of its own. Every count stands in the first line; one that is zero is not made a
/// metric, and costs nothing. Where nothing but records is counted, only they are there. `Latency` is in milliseconds, one value for
/// each finding that arrived on a channel: those that one line cannot hold have lines of their own.
pub fn lines(report: &InvocationReport, source: MetricSource<'_>, now: Timestamp) -> Vec<String> {
    if report.is_quiet() {
        return vec![line(&[("Records", report.records)], None, None, (source, now))];
    }
    let mut latencies = report.deliveries.latencies.chunks(MAX_VALUES);
    let first = line(&report.counts(), report.sweep, Some(latencies.next().unwrap_or_default()), (source, now));
    let further = latencies.map(|latencies| line(&[], None, Some(latencies), (source, now)));
    std::iter::once(first).chain(further).collect()
}

/// The texts are written one after the other: every event comes through here, and a tree of them would be most of what it costs.
fn line(
    counts: &[(&'static str, usize)],
    sweep: Option<SweepCounts>,
    latencies: Option<&[u64]>,
    (MetricSource { function, log_level }, now): (MetricSource<'_>, Timestamp),
) -> String {
    // Of a sweep zero is a metric, too: that there is none rings the alarm.
    let silent = sweep.map(|found| (SILENT_SOURCES, "Count", found.silent as u64));
    let slowest = sweep.and_then(|found| Some((PROBE_LATENCY, "Milliseconds", found.latency_ms?)));
    let mut line = String::with_capacity(1024);
    line.push('{');
    for (name, count) in counts {
        push(&mut line, format_args!("\"{name}\":{count},"));
    }
    for (name, _, value) in silent.into_iter().chain(slowest) {
        push(&mut line, format_args!("\"{name}\":{value},"));
    }
    if let Some(latencies) = latencies {
        push(&mut line, format_args!("\"{LATENCY}\":["));
        for (place, latency) in latencies.iter().enumerate() {
            push(&mut line, format_args!("{}{latency}", if place == 0 { "" } else { "," }));
        }
        line.push_str("],");
    }
    line.push_str("\"FunctionName\":");
    write_string(&mut line, function);
    push(&mut line, format_args!(",\"LogLevel\":\"{log_level}\""));
    // Lambda's log filter goes by these two: "Log-level filtering" in its guide. What is logged as INFO passes wherever anything of ours should.
    let millis = now.millis();
    push(&mut line, format_args!(",\"level\":\"INFO\",\"timestamp\":\"{now}\",\"_aws\":{{\"Timestamp\":{millis}"));
    push(&mut line, format_args!(",\"CloudWatchMetrics\":[{{\"Namespace\":\"{NAMESPACE}\""));
    line.push_str(",\"Dimensions\":[[\"FunctionName\"]],\"Metrics\":[");
    let counted = counts.iter().filter(|(_, count)| *count > 0).map(|(name, _)| (*name, "Count"));
    let measured = latencies.is_some_and(|latencies| !latencies.is_empty()).then_some((LATENCY, "Milliseconds"));
    let swept = silent.into_iter().chain(slowest).map(|(name, unit, _)| (name, unit));
    for (place, (name, unit)) in counted.chain(swept).chain(measured).enumerate() {
        let comma = if place == 0 { "" } else { "," };
        push(&mut line, format_args!("{comma}{{\"Name\":\"{name}\",\"Unit\":\"{unit}\"}}"));
    }
    line.push_str("]}]}}");
    line
}

fn push(line: &mut String, text: fmt::Arguments<'_>) {
    // A string takes all that is written to it.
    let _ = line.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SOURCE: MetricSource<'_> = MetricSource { function: "f", log_level: "INFO" };

    #[test]
    fn every_count_is_in_the_line_and_every_metric_is_a_count() {
        let mut report = InvocationReport { records: 2, ..InvocationReport::default() };
        report.deliveries.failed = 1;
        let line: Value = serde_json::from_str(&lines(&report, SOURCE, Timestamp::from_millis(7))[0]).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&line["_aws"]["Timestamp"], &directive["Namespace"]), (&json!(7), &json!("offlimits")));
        assert_eq!(directive["Dimensions"], json!([["FunctionName"]]));
        assert_eq!((&line["level"], &line["timestamp"]), (&json!("INFO"), &json!("1970-01-01T00:00:00Z")));
        let names: Vec<&str> =
            directive["Metrics"].as_array().unwrap().iter().filter_map(|m| m["Name"].as_str()).collect();
        assert_eq!(names, ["Records", "Failed"]);
        assert_eq!((&line["Failed"], &line["Findings"], &line["FunctionName"]), (&json!(1), &json!(0), &json!("f")));
    }

    #[test]
    fn where_nothing_but_records_is_counted_the_line_is_short() {
        let report = InvocationReport { records: 1234, ..InvocationReport::default() };
        let function = "offlimits-Function-AbCdEfGhIjKl";
        let lines = lines(&report, MetricSource { function, ..SOURCE }, Timestamp::from_millis(1_764_467_590_123));
        // One in ten minutes: docs/scale.md.
        assert!(lines.len() == 1 && lines[0].len() < 320, "{}", lines[0].len());
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        let metric = json!({ "Name": "Records", "Unit": "Count" });
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], json!([metric]));
        assert_eq!(
            (&line["Records"], &line["LogLevel"], &line["level"]),
            (&json!(1234), &json!("INFO"), &json!("INFO"))
        );
    }

    #[test]
    fn a_sweep_that_finds_nothing_is_a_metric() {
        let of = |latency_ms| {
            let sweep = Some(SweepCounts { sources: 1, latency_ms, ..SweepCounts::default() });
            let report = InvocationReport { sweep, ..InvocationReport::default() };
            let line: Value = serde_json::from_str(&lines(&report, SOURCE, Timestamp::from_millis(7))[0]).unwrap();
            let named = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().clone();
            (named, line["SilentSources"].clone(), line["ProbeLatency"].clone())
        };
        let silent = json!({ "Name": "SilentSources", "Unit": "Count" });
        let latency = json!({ "Name": "ProbeLatency", "Unit": "Milliseconds" });
        assert_eq!(of(None), (vec![silent.clone()], json!(0), Value::Null));
        assert_eq!(of(Some(900)), (vec![silent, latency], json!(0), json!(900)));
    }

    #[test]
    fn what_comes_back_from_a_queue_does_not_break_the_silence() {
        // The alarm on silence asks for this metric.
        let mut report = InvocationReport::default();
        report.deliveries.redelivered = 3;
        let line: Value = serde_json::from_str(&lines(&report, SOURCE, Timestamp::from_millis(7))[0]).unwrap();
        assert!(!line["_aws"]["CloudWatchMetrics"][0]["Metrics"].to_string().contains("Records"), "{line}");
    }

    #[test]
    fn every_latency_is_in_a_line_that_may_hold_it() {
        let mut report = InvocationReport::default();
        report.deliveries.latencies = (0..250).collect();
        let lines: Vec<Value> = lines(&report, SOURCE, Timestamp::from_millis(7))
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let metric = json!({ "Name": "Latency", "Unit": "Milliseconds" });
        for line in &lines {
            assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], json!([metric]), "{line}");
        }
        let values = lines.iter().map(|line| line["Latency"].as_array().unwrap());
        assert_eq!(values.clone().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
        assert!(values.flatten().map(|value| value.as_u64().unwrap()).eq(0..250));
        assert!(lines[0].get("Records").is_some() && lines[1].get("Records").is_none());
    }
}
