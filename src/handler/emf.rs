//! The report as CloudWatch's metrics: one line of its embedded metric format.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use serde_json::{Map, Value, json};

use super::{InvocationReport, SweepCounts};
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

/// The lines that make metrics of a report, without their line ends: their only dimension is the function's name, since each
/// further value would be paid for as a metric of its own. Every count stands in the first line; one that is zero is not made a
/// metric, and costs nothing. `Latency` is in milliseconds, one value for each finding that arrived on a channel: those that one
/// line cannot hold have lines of their own.
pub fn lines(report: &InvocationReport, function: &str, now: Timestamp) -> Vec<String> {
    let mut latencies = report.deliveries.latencies.chunks(MAX_VALUES);
    let first = line(&report.counts(), report.sweep, latencies.next().unwrap_or_default(), (function, now));
    let further = latencies.map(|latencies| line(&[], None, latencies, (function, now)));
    std::iter::once(first).chain(further).collect()
}

fn line(
    counts: &[(&'static str, usize)],
    sweep: Option<SweepCounts>,
    latencies: &[u64],
    (function, now): (&str, Timestamp),
) -> String {
    let metrics = counts.iter().filter(|(_, count)| *count > 0);
    let mut metrics: Vec<Value> = metrics.map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let mut found: Vec<(&str, u64)> = Vec::new();
    // Of a sweep zero is a metric, too: that there is none rings the alarm.
    if let Some(SweepCounts { silent, latency_ms, .. }) = sweep {
        metrics.push(json!({ "Name": SILENT_SOURCES, "Unit": "Count" }));
        found.push((SILENT_SOURCES, silent as u64));
        if let Some(latency) = latency_ms {
            metrics.push(json!({ "Name": PROBE_LATENCY, "Unit": "Milliseconds" }));
            found.push((PROBE_LATENCY, latency));
        }
    }
    if !latencies.is_empty() {
        metrics.push(json!({ "Name": LATENCY, "Unit": "Milliseconds" }));
    }
    let mut line: Map<String, Value> = counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
    line.extend(found.into_iter().map(|(name, value)| (name.to_owned(), json!(value))));
    line.insert(LATENCY.to_owned(), json!(latencies));
    line.insert("FunctionName".to_owned(), json!(function));
    // Lambda's log filter goes by these two: "Log-level filtering" in its guide. What is logged as INFO passes wherever anything of ours should.
    line.insert("level".to_owned(), json!("INFO"));
    line.insert("timestamp".to_owned(), json!(now.to_string()));
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": metrics }],
        }),
    );
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_in_the_line_and_every_metric_is_a_count() {
        let mut report = InvocationReport { records: 2, ..InvocationReport::default() };
        report.deliveries.failed = 1;
        let line: Value = serde_json::from_str(&lines(&report, "f", Timestamp::from_millis(7))[0]).unwrap();
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
    fn a_sweep_that_finds_nothing_is_a_metric() {
        let of = |latency_ms| {
            let sweep = Some(SweepCounts { sources: 1, latency_ms, ..SweepCounts::default() });
            let report = InvocationReport { sweep, ..InvocationReport::default() };
            let line: Value = serde_json::from_str(&lines(&report, "f", Timestamp::from_millis(7))[0]).unwrap();
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
        let line: Value = serde_json::from_str(&lines(&report, "f", Timestamp::from_millis(7))[0]).unwrap();
        assert!(!line["_aws"]["CloudWatchMetrics"][0]["Metrics"].to_string().contains("Records"), "{line}");
    }

    #[test]
    fn every_latency_is_in_a_line_that_may_hold_it() {
        let mut report = InvocationReport::default();
        report.deliveries.latencies = (0..250).collect();
        let lines: Vec<Value> = lines(&report, "f", Timestamp::from_millis(7))
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
