//! How often a rule must match: `| count() by field > n` of the older syntax, and a correlation's condition of Sigma 2.0, as a
//! threshold of ours. What a threshold cannot say is refused by its name.
//!
//! Sources: [Sigma Correlation Rules Specification 2.0.0](https://sigmahq.io/sigma-specification/specification/sigma-correlation-rules-specification.html);
//! for the older syntax Sigma Specification 1.0.4, "Aggregations".

use regex::Regex;
use serde_json::{Value as Json, json};

use super::super::output::OrderedMap;
use super::super::tree::Tree;
use super::cell::SigmaCell;
use super::field::field;
use super::table::Expression;

/// The most matches that a threshold counts.
const MOST: u64 = 1000;
/// Seconds of the longest window: a day.
const LONGEST: u64 = 24 * 60 * 60;

/// How often, of what, within how long.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SigmaThreshold {
    count: u64,
    window: String,
    by: Vec<String>,
    distinct: Option<String>,
}

impl SigmaThreshold {
    /// What follows the `|` of a condition, and the rule's `timeframe`.
    ///
    /// # Errors
    /// What cannot be expressed.
    pub(super) fn aggregation(
        written: &str,
        timeframe: Option<&Tree>,
        notes: &mut Vec<String>,
    ) -> Result<Self, String> {
        let shape =
            Regex::new(r"(?i)^\s*(\w+)\s*(?:\(\s*([^()\s]*)\s*\))?\s*(?:by\s+(.*?))?\s*(>=|<=|!=|==?|>|<)\s*(\d+)\s*$")
                .map_err(|error| error.to_string())?;
        let counts = "a threshold counts matches, or the different values of a field";
        let Some(parts) = shape.captures(written) else {
            return Err(format!("the aggregation \"{}\" cannot be expressed: {counts}", written.trim()));
        };
        let part = |index: usize| parts.get(index).map_or("", |part| part.as_str().trim());
        if !part(1).eq_ignore_ascii_case("count") {
            return Err(format!("the aggregation \"{}\" cannot be expressed: {counts}", part(1)));
        }
        let window = timeframe.ok_or("it counts, and has no timeframe within which")?;
        let by = part(3).split(',').map(str::trim).filter(|name| !name.is_empty());
        let by = by.map(|name| field(name, notes)).collect::<Result<_, _>>()?;
        let distinct = Some(part(2)).filter(|name| !name.is_empty()).map(|name| field(name, notes)).transpose()?;
        Ok(Self { count: least(part(4), part(5))?, window: self::window(window)?, by, distinct })
    }

    /// The map under `correlation`, without the rules that it names.
    ///
    /// # Errors
    /// What cannot be expressed.
    pub(super) fn correlation(body: &Tree, notes: &mut Vec<String>) -> Result<Self, String> {
        const KEYS: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "generate", "aliases"];
        let entries = body.entries().ok_or("its correlation is not a map")?;
        if let Some((key, _)) = entries.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
            return Err(format!("its correlation's \"{key}\" cannot be expressed"));
        }
        let kind = body.get("type").and_then(Tree::text).unwrap_or_default().to_lowercase();
        if !matches!(kind.as_str(), "event_count" | "value_count") {
            return Err(format!(
                "the correlation type \"{kind}\" cannot be expressed: a threshold counts matches, or the different values of a field"
            ));
        }
        if body.get("aliases").is_some_and(|aliases| !aliases.items().is_empty()) {
            return Err("its aliases (other names of fields in each rule) cannot be expressed".to_owned());
        }
        let condition = body.get("condition").and_then(Tree::entries).ok_or("its condition is not a map")?;
        let (mut bounds, mut counted) = (Vec::new(), None);
        for (key, value) in condition {
            match (key.as_str(), value.text()) {
                ("field", Some(name)) => counted = Some(name),
                ("field", None) => match value.items() {
                    [one] => counted = one.text(),
                    _ => {
                        return Err("it counts values of several fields together, which cannot be expressed".to_owned());
                    }
                },
                (bound, Some(number)) => bounds.push((bound, number)),
                (other, None) => return Err(format!("its condition's \"{other}\" is not a number")),
            }
        }
        let [(bound, number)] = bounds.as_slice() else {
            return Err("its condition does not have one bound (gte or gt)".to_owned());
        };
        let distinct = match (kind.as_str(), counted) {
            ("value_count", Some(name)) => Some(field(name, notes)?),
            ("value_count", None) => return Err("it counts values, and names no field".to_owned()),
            (_, Some(_)) => return Err("it counts events, and names a field".to_owned()),
            (_, None) => None,
        };
        let sign = match *bound {
            "gt" => ">",
            "gte" => ">=",
            "lt" => "<",
            "lte" => "<=",
            "eq" => "=",
            "neq" => "!=",
            other => return Err(format!("its condition's \"{other}\" cannot be expressed")),
        };
        let names = body.get("group-by").map(Tree::items).unwrap_or_default();
        let names = names.iter().map(|name| name.text().ok_or("its group-by holds what is not a string"));
        let by = names
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .map(|name| field(name, notes))
            .collect::<Result<_, _>>()?;
        let window = window(body.get("timespan").ok_or("it has no timespan")?)?;
        Ok(Self { count: least(sign, number)?, window, by, distinct })
    }

    /// The expression of which each match counts, and the threshold; none, if one match is enough.
    pub(super) fn apply(self, expression: Expression) -> (Expression, Option<OrderedMap<Json>>) {
        if self.count > 1 {
            let mut written =
                OrderedMap(vec![("count".to_owned(), json!(self.count)), ("window".to_owned(), json!(self.window))]);
            if !self.by.is_empty() {
                written.set("by", json!(self.by));
            }
            if let Some(distinct) = self.distinct {
                written.set("distinct", json!(distinct));
            }
            return (expression, Some(written));
        }
        match self.distinct {
            // One value is a match that has one.
            Some(field) => {
                let there = Expression::Cell(SigmaCell { field, condition: json!({"exists": true}) });
                (Expression::All(vec![expression, there]), None)
            }
            None => (expression, None),
        }
    }
}

/// The least count that is enough.
fn least(sign: &str, number: &str) -> Result<u64, String> {
    let bound: u64 = number.trim().parse().map_err(|_| format!("\"{number}\" is not a whole number"))?;
    let least = match sign {
        ">" => bound.saturating_add(1),
        ">=" => bound,
        _ => {
            return Err(format!(
                "a count \"{sign} {number}\" cannot be expressed: a threshold has a least count, and no most"
            ));
        }
    };
    match least {
        0 => Err(format!("a count \"{sign} {number}\" is true without any event, which cannot be expressed")),
        1..=MOST => Ok(least),
        _ => Err(format!("a count of {least} cannot be expressed: {MOST} is the most")),
    }
}

/// `10m` as we write it; days as hours.
fn window(tree: &Tree) -> Result<String, String> {
    let text = tree.text().map(str::trim).ok_or("its window is not a string")?;
    let wrong = || format!("\"{text}\" is not a window such as 10m");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        'M' => 2_592_000,
        'y' => 31_536_000,
        _ => return Err(wrong()),
    };
    let number: u64 =
        text.strip_suffix(unit).and_then(|number| number.parse().ok()).filter(|n| *n > 0).ok_or_else(wrong)?;
    match number.checked_mul(seconds) {
        Some(total) if total <= LONGEST && unit == 'd' => Ok(format!("{}h", total / 3600)),
        Some(total) if total <= LONGEST => Ok(text.to_owned()),
        _ => Err(format!("a window of {text} cannot be expressed: 24h is the longest")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::yaml;
    use super::*;

    fn shown(threshold: Result<SigmaThreshold, String>) -> Json {
        let any = Expression::Cell(SigmaCell { field: "event".to_owned(), condition: json!("x") });
        serde_json::to_value(threshold.unwrap().apply(any).1).unwrap()
    }

    fn aggregation(written: &str, timeframe: &str) -> Result<SigmaThreshold, String> {
        let timeframe = yaml::parse(timeframe).unwrap();
        SigmaThreshold::aggregation(written, timeframe.first(), &mut Vec::new())
    }

    fn correlation(written: &str) -> Result<SigmaThreshold, String> {
        SigmaThreshold::correlation(&yaml::parse(written).unwrap()[0], &mut Vec::new())
    }

    #[test]
    fn counts_become_thresholds() {
        for (written, timeframe, expected) in [
            (" count() > 50", "10m", json!({"count": 51, "window": "10m"})),
            ("COUNT() >= 5", "1d", json!({"count": 5, "window": "24h"})),
            (
                "count(eventName) by userIdentity.arn > 10",
                "90s",
                json!({"count": 11, "window": "90s", "by": ["userIdentity.arn"], "distinct": "event"}),
            ),
            (
                "count() by eventName, awsRegion>1",
                "24h",
                json!({"count": 2, "window": "24h", "by": ["event", "region"]}),
            ),
            ("count() > 0", "1h", json!(null)),
        ] {
            assert_eq!(shown(aggregation(written, timeframe)), expected, "{written}");
        }
        for (written, expected) in [
            (
                "{type: event_count, rules: [a], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 10}}",
                json!({"count": 10, "window": "5m", "by": ["source_ip"]}),
            ),
            (
                "{type: value_count, rules: a, group-by: sourceIPAddress, timespan: 1h, condition: {gt: 3, field: userIdentity.userName}}",
                json!({"count": 4, "window": "1h", "by": ["source_ip"], "distinct": "userIdentity.userName"}),
            ),
            ("{type: event_count, rules: [a], timespan: 1d, condition: {gte: 1}}", json!(null)),
        ] {
            assert_eq!(shown(correlation(written)), expected, "{written}");
        }
    }

    #[test]
    fn what_a_threshold_cannot_say_is_refused_by_name() {
        for (written, timeframe, said) in [
            ("count() < 5", "1h", "\"< 5\""),
            ("count() = 5", "1h", "\"= 5\""),
            ("count() >= 0", "1h", "without any event"),
            ("count() > 1000", "1h", "1001"),
            ("sum(x) > 5", "1h", "\"sum\""),
            ("near a and b", "1h", "near a and b"),
            ("count() > 5", "7d", "a window of 7d"),
            ("count() > 5", "1M", "a window of 1M"),
            ("count() > 5", "soon", "\"soon\""),
            ("count() > 5", "0m", "\"0m\""),
            ("count() > 5", "", "no timeframe"),
            ("count() by Image > 5", "1h", "\"Image\""),
            ("count() > 99999999999999999999", "1h", "not a whole number"),
        ] {
            let error = aggregation(written, timeframe).unwrap_err();
            assert!(error.contains(said), "{written}: {error}");
        }
        for (change, said) in [
            ("type: temporal", "\"temporal\""),
            ("type: value_sum", "\"value_sum\""),
            ("condition: {lte: 5}", "\"<= 5\""),
            ("condition: {gte: 5, lte: 9}", "one bound"),
            ("condition: {gte: 5, field: eventName}", "counts events"),
            ("condition: {gte: many}", "\"many\""),
            ("aliases: {a: {x: y}}", "aliases"),
            ("gap: 5m", "\"gap\""),
            ("timespan: 2w", "a window of 2w"),
        ] {
            let key = change.split(':').next().unwrap();
            let kept = ["type: event_count", "rules: [a]", "timespan: 5m", "condition: {gte: 5}"];
            let mut parts: Vec<&str> = kept.into_iter().filter(|part| !part.starts_with(&format!("{key}:"))).collect();
            parts.push(change);
            let error = correlation(&format!("{{{}}}", parts.join(", "))).unwrap_err();
            assert!(error.contains(said), "{change}: {error}");
        }
    }
}
