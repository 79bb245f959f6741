//! The filter of one of Conformity's channels as that of a channel of ours. A filter that cannot be read, or holds something
//! that this importer does not know, is an error: without it, the channel would get what it was not meant to.

use serde_json::{Value as Json, json};

use super::super::output::OrderedMap;
use super::super::report::NoteKind;
use super::super::tree::{Tree, TreeValue, folded};
use crate::severity::Severity;

/// The keys of a filter, folded, that are read, and those that only Conformity could judge.
const KNOWN: [&str; 14] = [
    "categories",
    "ruleids",
    "services",
    "regions",
    "risklevels",
    "statuses",
    "providers",
    "tags",
    "filtertags",
    "compliances",
    "compliancestandards",
    "compliancestandardids",
    // Whether checks that somebody suppressed are told too: of events there are none.
    "suppressed",
    "suppressedfiltermode",
];

/// Reads the filter of a channel's body. What a reader must know goes to `note`.
///
/// # Errors
/// Why the channel must be left out: what cannot be read, or that no alert of ours passes.
pub(super) fn read(
    body: &Tree,
    rules: Option<&[String]>,
    note: &mut dyn FnMut(NoteKind, String),
) -> Result<OrderedMap<Json>, String> {
    let mut accepted = OrderedMap::default();
    let Some(written) = body.field("filter").or_else(|| body.field("checksfilter")) else { return Ok(accepted) };
    let filter = match written.items() {
        [] => return Ok(accepted),
        [filter] => Filter::new(filter)?,
        [_, second, ..] => {
            return Err(unreadable(second.line, "it has several filters, and only one of them would count"));
        }
    };
    if let Some(categories) = filter.texts("categories")?.filter(|list| !contains(list, "security")) {
        return Err(format!(
            "its categories ({}) leave security out, so it got no alert of these rules",
            categories.join(", ")
        ));
    }
    if let Some(statuses) = filter.texts("statuses")?.filter(|list| !contains(list, "failure")) {
        return Err(format!(
            "its filter by status ({}) leaves failures out, and an alert is a check that failed: it got no alert of these rules",
            statuses.join(", ")
        ));
    }
    if let Some(providers) = filter.texts("providers")?.filter(|list| !contains(list, "aws")) {
        return Err(format!("its providers ({}) leave AWS out", providers.join(", ")));
    }
    if let Some(ids) = filter.texts("ruleids")? {
        accepted.set("rules", json!(of_rules(&ids, rules, note)?));
    }
    if let Some(services) = filter.texts("services")? {
        add_services(&services, &mut accepted, note);
    }
    if let Some(regions) = filter.texts("regions")? {
        accepted.set("regions", json!(of_regions(regions, note)));
    }
    if let Some(levels) = filter.texts("risklevels")? {
        add_severity(&levels, filter.0.line, &mut accepted, note)?;
    }
    for (key, what) in [
        ("tags", "tags"),
        ("filtertags", "filter tags"),
        ("compliances", "compliance standards"),
        ("compliancestandards", "compliance standards"),
        ("compliancestandardids", "compliance standards"),
    ] {
        if let Some(values) = filter.texts(key)? {
            let values = values.join(", ");
            note(
                NoteKind::Lost,
                format!("its filter by the {what} {values}: CloudTrail's records do not say; it gets more than before"),
            );
        }
    }
    Ok(accepted)
}

fn unreadable(line: usize, why: &str) -> String {
    format!("line {line}: {why}. Without its filter it would get every alert, so it is left out: write it by hand")
}

fn contains(texts: &[&str], word: &str) -> bool {
    texts.iter().any(|text| text.eq_ignore_ascii_case(word))
}

/// A filter all of which can be read.
struct Filter<'t>(&'t Tree);

impl<'t> Filter<'t> {
    fn new(tree: &'t Tree) -> Result<Self, String> {
        let unknown = tree.unknown();
        if let Some((line, _)) = unknown.first() {
            let written: Vec<String> =
                unknown.iter().map(|(line, written)| format!("{written} (line {line})")).collect();
            return Err(unreadable(*line, &format!("Terraform computes of its filter {}", written.join(", "))));
        }
        let entries = tree.entries().ok_or_else(|| unreadable(tree.line, &format!("its filter is {}", tree.kind())))?;
        for (key, value) in entries.iter().filter(|(_, value)| !value.items().is_empty()) {
            if !KNOWN.contains(&folded(key).as_str()) {
                return Err(unreadable(
                    value.line,
                    &format!("its filter has \"{key}\", which this importer does not know"),
                ));
            }
        }
        Ok(Self(tree))
    }

    /// The texts of a key that says something.
    fn texts(&self, key: &str) -> Result<Option<Vec<&'t str>>, String> {
        let Some(value) = self.0.field(key) else { return Ok(None) };
        let texts = value.items().iter().map(|item| match &item.value {
            TreeValue::Text(text) | TreeValue::Number(text) if !text.is_empty() => Ok(text.as_str()),
            TreeValue::Text(_) | TreeValue::Number(_) => {
                Err(unreadable(item.line, &format!("an empty text stands in its filter's {key}")))
            }
            _ => Err(unreadable(item.line, &format!("{} stands in its filter's {key}", item.kind()))),
        });
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        Ok((!texts.is_empty()).then_some(texts))
    }
}

/// The rules of a filter that are here; where no rule was read, those about events.
fn of_rules<'i>(
    ids: &[&'i str],
    rules: Option<&[String]>,
    note: &mut dyn FnMut(NoteKind, String),
) -> Result<Vec<&'i str>, String> {
    let here = |id: &str| rules.map_or(id.starts_with("RTM-"), |rules| rules.iter().any(|rule| rule == id));
    let (ours, others): (Vec<&str>, Vec<&str>) = ids.iter().partition(|id| here(id));
    if ours.is_empty() {
        return Err(format!("it was for the rules {} alone, which are not here", others.join(", ")));
    }
    if !others.is_empty() {
        note(NoteKind::Lost, format!("its rules {} are not here", others.join(", ")));
    }
    Ok(ours)
}

fn add_services(services: &[&str], accepted: &mut OrderedMap<Json>, note: &mut dyn FnMut(NoteKind, String)) {
    // To Conformity, alerts about events were of the service RTM, whatever was called.
    if contains(services, "rtm") {
        return;
    }
    let ours: Vec<String> = services.iter().map(|service| source(service)).collect();
    note(
        NoteKind::Changed,
        format!(
            "its services {} leave Conformity's RTM out, so it may have got no alert of these rules; here it gets those about \
             calls of these services",
            services.join(", ")
        ),
    );
    accepted.set("services", json!(ours));
}

fn of_regions<'r>(mut regions: Vec<&'r str>, note: &mut dyn FnMut(NoteKind, String)) -> Vec<&'r str> {
    if let Some(global) = regions.iter().position(|region| *region == "global") {
        regions.remove(global);
        if !regions.contains(&"us-east-1") {
            regions.push("us-east-1");
        }
        note(
            NoteKind::Changed,
            "the region \"global\" is us-east-1: there the global services are recorded".to_owned(),
        );
    }
    regions
}

fn add_severity(
    levels: &[&str],
    line: usize,
    accepted: &mut OrderedMap<Json>,
    note: &mut dyn FnMut(NoteKind, String),
) -> Result<(), String> {
    let mut chosen = Vec::new();
    for level in levels {
        let severity = Severity::WORDS.iter().find(|(word, _)| folded(word) == folded(level));
        let (_, severity) = severity.ok_or_else(|| unreadable(line, &format!("\"{level}\" is not a risk level")))?;
        chosen.push(*severity);
    }
    chosen.sort_unstable();
    chosen.dedup();
    let Some(lowest) = chosen.first() else { return Ok(()) };
    let all = [Severity::Low, Severity::Medium, Severity::High, Severity::VeryHigh, Severity::Extreme];
    if all.iter().filter(|severity| *severity >= lowest).count() != chosen.len() {
        note(
            NoteKind::Changed,
            format!("its risk levels {} have a gap: it gets everything from {lowest} up", levels.join(", ")),
        );
    }
    if *lowest > Severity::Low {
        accepted.set("min_severity", json!(lowest.as_str()));
    }
    Ok(())
}

/// The service as the API names it: Conformity has names of its own.
fn source(service: &str) -> String {
    let known = [
        ("ELBv2", "elasticloadbalancing"),
        ("ELB", "elasticloadbalancing"),
        ("EBS", "ec2"),
        ("VPC", "ec2"),
        ("CloudWatch", "monitoring"),
        ("CloudWatchEvents", "events"),
        ("CloudWatchLogs", "logs"),
        ("ConfigService", "config"),
        ("Elasticsearch", "es"),
        ("EFS", "elasticfilesystem"),
        ("EMR", "elasticmapreduce"),
        ("Route53Domains", "route53domains"),
        ("Neptune", "rds"),
        ("DocumentDB", "rds"),
        ("ResourceGroup", "resource-groups"),
    ];
    known
        .iter()
        .find(|(name, _)| *name == service)
        .map_or_else(|| service.to_lowercase(), |(_, source)| (*source).to_owned())
}
