//! The report as CloudWatch's metrics: one line of its embedded metric format.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use serde_json::{Map, Value, json};

use super::InvocationReport;
use crate::time::Timestamp;

/// The namespace in which CloudWatch shows the metrics.
pub const NAMESPACE: &str = "offlimits";

/// The line that makes metrics of a report: their only dimension is the function's name, since each further value would
/// be paid for as a metric of its own. Every count stands in the line; one that is zero is not made a metric, and costs nothing.
pub fn line(report: &InvocationReport, function: &str, now: Timestamp) -> String {
    let counts = report.counts();
    let metrics: Vec<Value> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, _)| json!({ "Name": name, "Unit": "Count" }))
        .collect();
    let mut line: Map<String, Value> = counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
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
        let line: Value = serde_json::from_str(&line(&report, "f", Timestamp::from_millis(7))).unwrap();
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
    fn what_comes_back_from_a_queue_does_not_break_the_silence() {
        // The alarm on silence asks for this metric.
        let mut report = InvocationReport::default();
        report.deliveries.redelivered = 3;
        let line: Value = serde_json::from_str(&line(&report, "f", Timestamp::from_millis(7))).unwrap();
        assert!(!line["_aws"]["CloudWatchMetrics"][0]["Metrics"].to_string().contains("Records"), "{line}");
    }
}
