//! The layer for MITRE's ATT&CK Navigator.
//!
//! Its format: <https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md>

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::attack::VERSION;
use super::survey::Survey;
use crate::cli::words::counted;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "they are the format's own")]
struct Layer {
    name: &'static str,
    versions: Versions,
    domain: &'static str,
    description: String,
    filters: Filters,
    /// By score, the highest first.
    sorting: u8,
    hide_disabled: bool,
    techniques: Vec<LayerTechnique>,
    gradient: Gradient,
    legend_items: Vec<LegendItem>,
    show_tactic_row_background: bool,
    select_techniques_across_tactics: bool,
    select_subtechniques_with_parent: bool,
}

#[derive(Serialize)]
struct Versions {
    attack: &'static str,
    navigator: &'static str,
    layer: &'static str,
}

#[derive(Serialize)]
struct Filters {
    platforms: [&'static str; 5],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LayerTechnique {
    #[serde(rename = "techniqueID")]
    technique_id: &'static str,
    /// How many rules there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<usize>,
    /// Their ids.
    comment: String,
    enabled: bool,
    show_subtechniques: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gradient {
    colors: [&'static str; 2],
    min_value: usize,
    max_value: usize,
}

#[derive(Serialize)]
struct LegendItem {
    label: String,
    color: &'static str,
}

/// Pale blue for one rule, dark blue for the most.
const COLOURS: [&str; 2] = ["#cfe3f7", "#1f5fa8"];

/// Writes the layer: a technique is the darker the more rules there are for it.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(out: &mut impl Write, survey: &Survey<'_>) -> io::Result<()> {
    let mut techniques: BTreeMap<&'static str, LayerTechnique> = BTreeMap::new();
    for (technique, rules) in survey.techniques.values() {
        let own = techniques.entry(technique.id).or_insert_with(|| empty(technique.id));
        own.score = Some(rules.len());
        own.comment = rules.join(", ");
        if let Some(parent) = technique.parent() {
            // What is covered is seen without opening anything.
            techniques.entry(parent).or_insert_with(|| empty(parent)).show_subtechniques = true;
        }
    }
    let most = techniques.values().filter_map(|technique| technique.score).max().unwrap_or(1);
    let [alert, stage, _] = survey.modes();
    let layer = Layer {
        name: "offlimits",
        versions: Versions { attack: VERSION, navigator: "5.1.0", layer: "4.5" },
        domain: "enterprise-attack",
        description: format!("{} over AWS CloudTrail, by the techniques of their tags", counted(alert + stage, "rule")),
        filters: Filters { platforms: ["IaaS", "Identity Provider", "SaaS", "Containers", "Office Suite"] },
        sorting: 3,
        hide_disabled: false,
        techniques: techniques.into_values().collect(),
        gradient: Gradient { colors: COLOURS, min_value: 1, max_value: most.max(2) },
        legend_items: vec![
            LegendItem { label: counted(1_usize, "rule"), color: COLOURS[0] },
            LegendItem { label: counted(most.max(2), "rule"), color: COLOURS[1] },
        ],
        show_tactic_row_background: false,
        select_techniques_across_tactics: true,
        select_subtechniques_with_parent: false,
    };
    serde_json::to_writer_pretty(&mut *out, &layer)?;
    writeln!(out)
}

fn empty(technique_id: &'static str) -> LayerTechnique {
    LayerTechnique { technique_id, score: None, comment: String::new(), enabled: true, show_subtechniques: false }
}
