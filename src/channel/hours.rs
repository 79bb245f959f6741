//! The hours of a channel's filter, `within` and `outside`: as the operators of these names have them, but for named lists, which
//! belong to rules.

use crate::config::{ObjectReader, Problems, array, string};
use crate::json::{Node, Value};
use crate::rules::compile::{DAYS_HELP, HOURS_HELP, WEEK_HOURS};
use crate::rules::hours::{Hours, zone_remedy};

/// Reads the hours at `key`, if there are some.
pub(super) fn hours(fields: &mut ObjectReader<'_>, key: &'static str, problems: &mut Problems) -> Option<Hours> {
    let node = fields.get(key)?;
    let mut span = ObjectReader::new(node, &WEEK_HOURS, problems)?;
    let (zone, days, hours) = (span.get("zone"), span.get("days"), span.get("hours"));
    span.finish(problems);
    let zone = zone?;
    let name = string(zone, "zone", problems)?;
    let Some(mut week) = Hours::in_zone(name) else {
        problems.error("unknown-zone", &zone.span, format!("unknown time zone \"{name}\""), zone_remedy(name));
        return None;
    };
    if let Some(days) = days {
        week = told(days, "days", DAYS_HELP, problems, |texts| week.on(texts))?;
    }
    if let Some(hours) = hours {
        week = told(hours, "hours", HOURS_HELP, problems, |texts| week.at(texts))?;
    }
    Some(week)
}

/// What the texts of a node say, which is one text or a list of them.
fn told<'n>(
    node: &'n Node<'n>,
    what: &str,
    help: &str,
    problems: &mut Problems,
    read: impl FnOnce(Vec<&'n str>) -> Result<Hours, &'n str>,
) -> Option<Hours> {
    let nodes: Vec<&Node<'n>> = match &node.value {
        Value::Array(_) => array(node, &format!("\"{what}\""), problems).iter().collect(),
        _ => vec![node],
    };
    let texts: Vec<&str> = nodes.iter().filter_map(|node| string(node, what, problems)).collect();
    if texts.len() < nodes.len() || nodes.is_empty() {
        return None;
    }
    let read = read(texts);
    if let Err(text) = read {
        let wrong = nodes.iter().find(|node| node.as_str() == Some(text)).copied().unwrap_or(node);
        problems.error("bad-hours", &wrong.span, format!("invalid {what} \"{text}\""), help);
    }
    read.ok()
}
