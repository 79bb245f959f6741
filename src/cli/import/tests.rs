//! Whatever the files hold, an import ends, and no channel gets more than its filter let through.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

use super::conformity::{self, SettingsFiles};
use super::report::ImportReport;
use super::sigma::{SigmaCounts, SigmaFiles};

/// Pieces of HCL that fit together often enough to get past the parser.
fn hcl() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "resource \"conformity_profile\" \"p\" {\n",
        "resource \"conformity_communication_setting\" \"c\" {\n",
        "resource \"visionone_crm_communication_configuration\" \"c\" {\n",
        "resource \"conformity_aws_account\" \"a\" {\n",
        "data \"visionone_crm_account\" \"a\" {\n",
        "locals {\n",
        "variable \"v\" {\n",
        "included {\n",
        "rule {\n",
        "settings {\n",
        "filter {\n",
        "slack {\n",
        "extra_settings {\n",
        "relationships {\n",
        "account {\n",
        "exceptions {\n",
        "dynamic \"filter\" {\n",
        "dynamic \"settings\" {\n",
        "content {\n",
        "}\n",
        "}\n",
        "}\n",
        "default = local.v\n",
        "v = [var.v, local.v]\n",
        "id = \"RTM-007\"\n",
        "rule_id = \"RTM-011\"\n",
        "rule_id = var.v\n",
        "enabled = true\n",
        "enabled = var.v\n",
        "risk_level = \"HIGH\"\n",
        "count = 0\n",
        "count = var.v\n",
        "for_each = {}\n",
        "rule_ids = [\"RTM-011\", var.v]\n",
        "regions = [\"\"]\n",
        "statuses = [\"SUCCESS\"]\n",
        "name = \"authorisedIps\"\n",
        "type = \"multiple-object-values\"\n",
        "values = [\"10.0.0.0/8 \", null, {value = \"x\"}]\n",
        "multiple_object_values = [{eventName = \"^(\"}]\n",
        "slack_configuration = { channel = \"x\" }\n",
        "checks_filter = { regions = [1] }\n",
        "x = <<EOF\n^Delete\nEOF\n",
        "x = \"${var.v}-\\u00e9\"\n",
    ]);
    vec(word, 0..24).prop_map(|words| {
        let mut text = words.concat();
        let open = text.matches("{\n").count().saturating_sub(text.matches("}\n").count());
        text.push_str(&"}\n".repeat(open));
        text
    })
}

/// The same of Sigma's YAML.
fn yaml() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "---",
        "action: global",
        "action: repeat",
        "action: reset",
        "title: t",
        "name: a",
        "id: b",
        "level: HIGH",
        "level: [x]",
        "status: deprecated",
        "timeframe: 5m",
        "logsource: {product: aws, service: cloudtrail}",
        "logsource: {product: windows}",
        "detection: {s: {eventName: A}, condition: s}",
        "detection: {s: {eventName: A}, timeframe: 1h, condition: s | count() by awsRegion > 5}",
        "detection: {s: {eventName: A}, condition: not 1 of f_* and s or all of them}",
        "detection: {s: [{a: b}, {eventName|re: '('}], condition: [s, 'not s | count() > 1']}",
        "detection: {}",
        "correlation: {type: event_count, rules: [a, b], timespan: 5m, condition: {gte: 2}}",
        "correlation: {type: value_count, rules: b, group-by: eventName, timespan: 1d, condition: {gt: 2, field: [eventName]}, generate: true}",
        "correlation: {rules: [c]}",
        "correlation: x",
        "name: c",
        "filter: {rules: any}",
        "condition: |",
        "  - x: [y",
        "tags: [a, {b: c}]",
    ]);
    vec(line, 0..24).prop_map(|lines| lines.join("\n"))
}

/// A key of a filter, and whether its value can be read.
fn key() -> impl Strategy<Value = (&'static str, &'static str, bool)> {
    prop::sample::select(vec![
        ("regions", "[\"eu-central-1\"]", true),
        ("regions", "[\"eu-central-1\", var.v]", false),
        ("regions", "[\"\"]", false),
        ("regions", "[for r in [\"a\"] : r]", false),
        ("rule_ids", "[\"RTM-002\"]", true),
        ("rule_ids", "var.v", false),
        ("rule_ids", "{ a = \"RTM-002\" }", false),
        ("services", "[\"EC2\"]", true),
        ("services", "concat([\"EC2\"], [])", false),
        ("risk_levels", "[\"EXTREME\"]", true),
        ("risk_levels", "[\"high\", \"x\"]", false),
        ("resource_types", "[\"x\"]", false),
        ("statuses", "[\"FAILURE\"]", true),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_terraform_is_read_to_its_end(texts in vec(hcl(), 1..4)) {
        let mut files = SettingsFiles::default();
        let read = texts.iter().enumerate().filter(|(index, text)| files.add(&format!("no-such-folder/{index}.tf"), text).is_ok()).count();
        let mut report = ImportReport::default();
        let imported = conformity::import(&files, &mut report);
        let (rules, channels) = imported.found;
        prop_assert!(read > 0 || rules + channels == 0);
        prop_assert!(imported.file.channels.len() <= channels && imported.file.rules.len() <= rules);
    }

    #[test]
    fn any_collection_is_read_to_its_end(texts in vec(yaml(), 1..4)) {
        let mut files = SigmaFiles::default();
        for (index, text) in texts.iter().enumerate() {
            let _ = files.add(&format!("{index}.yml"), text);
        }
        let (mut report, mut counts, mut rules) = (ImportReport::default(), SigmaCounts::default(), Vec::new());
        files.import(&mut report, &mut counts, &mut rules);
        prop_assert!(rules.len() <= counts.imported);
    }

    #[test]
    fn a_channel_has_all_of_its_filter_or_is_not_there(keys in vec(key(), 0..4)) {
        let mut keys = keys;
        keys.sort_unstable();
        keys.dedup_by_key(|(name, ..)| *name);
        let mut body = String::new();
        for (name, value, _) in &keys {
            let _ = writeln!(body, "    {name} = {value}");
        }
        let text = format!(
            "resource \"conformity_profile\" \"p\" {{\n  included {{\n    id = \"RTM-002\"\n    enabled = true\n  }}\n}}\n\
             resource \"conformity_communication_setting\" \"c\" {{\n  slack {{\n    channel_name = \"c\"\n  }}\n  filter {{\n{body}  }}\n}}\n"
        );
        let mut files = SettingsFiles::default();
        files.add("no-such-folder/main.tf", &text).map_err(TestCaseError::fail)?;
        let imported = conformity::import(&files, &mut ImportReport::default());
        let channel = imported.file.channels.0.first().map(|(_, settings)| settings);
        prop_assert_eq!(channel.is_some(), keys.iter().all(|(_, _, readable)| *readable), "{}", text);
        for (name, ..) in &keys {
            let ours = match *name {
                "rule_ids" => "rules",
                "risk_levels" => "min_severity",
                "statuses" => continue,
                name => name,
            };
            prop_assert!(channel.is_none_or(|channel| channel.0.iter().any(|(key, _)| key == ours)), "{} {}", ours, text);
        }
    }
}
