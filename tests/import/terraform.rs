//! `offlimits import conformity` on Terraform that says less than it seems to: what cannot be read is told, with its line, and no
//! channel gets more for it.

use std::fmt::Write as _;
use std::path::Path;

use offlimits::ruleset::RuleSet;
use serde_json::{Value, json};

use crate::support;

/// What an import of these files says and writes; null, if it writes nothing. A name `A/b.tf` stands in a folder of its own.
fn import(files: &[(&str, &str)], named: &[&str]) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        support::file(folder.path(), name, text);
    }
    let mut command = support::offlimits(["import", "conformity"]);
    command.args(named).current_dir(folder.path());
    let run = support::run(command);
    assert_eq!(run.misbehaviour(), None, "{}", run.shown());
    let written = serde_json::from_str(&run.stdout).unwrap_or(Value::Null);
    if written.get("rules").is_some() {
        assert!(RuleSet::compile(&run.stdout).is_ok(), "{}", run.shown());
    }
    (run.code.unwrap(), written, run.stderr)
}

/// The same of one file.
fn import_one(text: &str) -> (i32, Value, String) {
    import(&[("main.tf", text)], &["main.tf"])
}

fn channel(body: &str) -> String {
    format!(
        "{RULE}\nresource \"conformity_communication_setting\" \"c\" {{\n  slack {{\n    channel_name = \"soc\"\n    url = \"x\"\n  }}\n{body}\n}}\n"
    )
}

const RULE: &str = "resource \"conformity_profile\" \"p\" {\n  included {\n    id = \"RTM-002\"\n    enabled = true\n    risk_level = \"HIGH\"\n  }\n}";

#[test]
fn a_filter_that_cannot_be_read_never_becomes_everything() {
    for (filter, said) in [
        ("  filter { rule_ids = var.ids }", "main.tf:9): line 13: Terraform computes of its filter var.ids"),
        ("  filter {\n    regions = [for r in [\"eu-central-1\"] : r]\n  }", "line 14: Terraform computes"),
        ("  filter { regions = [\"eu-central-1\", local.more] }", "local.more (line 13)"),
        ("  filter = local.filter", "local.filter (line 13)"),
        (
            "  dynamic \"filter\" {\n    for_each = [1]\n    content { rule_ids = [\"RTM-001\"] }\n  }",
            "the dynamic block \"filter\"",
        ),
        (
            "  filter { regions = [\"a\"] }\n  dynamic \"filter\" {\n    for_each = [1]\n    content {}\n  }",
            "line 14: it has several filters",
        ),
        ("  filter { regions = [\"\"] }", "an empty text stands in its filter's regions"),
        ("  filter { regions = [[\"eu-central-1\"]] }", "a list stands in its filter's regions"),
        ("  filter { regions = { a = 1 } }", "a map stands in its filter's regions"),
        ("  filter { risk_levels = [\"SEVERE\"] }", "\"SEVERE\" is not a risk level"),
        ("  filter { resource_types = [\"iam-user\"] }", "its filter has \"resource_types\""),
        ("  filter { statuses = [\"SUCCESS\"] }", "its filter by status (SUCCESS) leaves failures out"),
        ("  enabled = var.on", "whether it is switched on"),
        ("  manual = !var.on", "whether it is used by hand only"),
        ("  count = var.on ? 1 : 0", "whether it is made is computed by Terraform (count = var.on ? 1 : 0)"),
        ("  for_each = var.all", "for_each = var.all"),
        (
            "  relationships {\n    dynamic \"account\" {\n      for_each = [1]\n      content { id = 1 }\n    }\n  }",
            "which account it is for",
        ),
    ] {
        let (code, written, report) = import_one(&channel(filter));
        assert_eq!((code, written.get("channels")), (0, None), "{filter}: {written} {report}");
        assert!(report.contains("1 of 1 rule and 0 of 1 channel imported"), "{filter}: {report}");
        assert!(report.contains(said), "{filter}: {report}");
    }
    for (filter, expected) in [
        ("", json!({"type": "slack"})),
        ("  filter {}", json!({"type": "slack"})),
        ("  filter { regions = [] }", json!({"type": "slack"})),
        ("  filter { risk_levels = [\"extreme\"] }", json!({"type": "slack", "min_severity": "extreme"})),
        ("  filter { statuses = [\"SUCCESS\", \"FAILURE\"] }", json!({"type": "slack"})),
        ("  filter { regions = [\" eu-central-1\\n\"] }", json!({"type": "slack", "regions": ["eu-central-1"]})),
        // The account is not in these files: nothing arrives until its owner says which one it is.
        (
            "  relationships {\n    account {\n      id = conformity_aws_account.other.id\n    }\n  }",
            json!({"type": "slack", "accounts": ["000000000000"]}),
        ),
    ] {
        let (code, written, report) = import_one(&channel(filter));
        assert_eq!((code, &written["channels"]["soc"]), (0, &expected), "{filter}: {report}");
    }
}

#[test]
fn what_is_no_plain_block_is_told_and_counted() {
    let rule =
        |inside: &str| format!("resource \"conformity_aws_account\" \"a\" {{\n  settings {{\n{inside}\n  }}\n}}\n");
    let live = "    rule {\n      rule_id = \"RTM-003\"\n      settings {\n        enabled = true\n        risk_level = \"LOW\"\n      }\n    }";
    for (inside, said) in [
        (
            "    rule {\n      rule_id = var.id\n      settings { enabled = true }\n    }",
            "main.tf:4: a rule's id cannot be read: var.id",
        ),
        (
            "    dynamic \"rule\" {\n      for_each = [1]\n      content { rule_id = \"RTM-001\" }\n    }",
            "main.tf:3: what it says of rules",
        ),
        (
            "    rule {\n      rule_id = \"RTM-001\"\n      dynamic \"settings\" {\n        for_each = [1]\n        content { enabled = true }\n      }\n    }",
            "main.tf:5: RTM-001: its settings cannot be read",
        ),
        (
            "    rule {\n      rule_id = \"RTM-001\"\n      settings = var.settings\n    }",
            "main.tf:5: RTM-001: its settings cannot be read: var.settings",
        ),
        ("    rule {\n      rule_id = \"RTM-001\"\n    }", "main.tf:3: RTM-001: it has no settings"),
    ] {
        let (code, written, report) = import_one(&rule(&format!("{inside}\n{live}")));
        assert_eq!((code, written["rules"].as_array().map(Vec::len)), (0, Some(1)), "{inside}: {report}");
        assert!(report.contains("1 of 2 rules and 0 of 0 channels"), "{inside}: {report}");
        assert!(report.contains(said), "{inside}: {report}");
    }
    // A whole resource, and several in one.
    let (_, _, report) = import_one(&format!(
        "{RULE}\nresource \"conformity_communication_setting\" \"d\" {{\n  dynamic \"slack\" {{\n    for_each = [1]\n    content {{}}\n  }}\n}}"
    ));
    assert!(report.contains("0 of 1 channel") && report.contains("main.tf:9: a channel of the kind slack"), "{report}");
    let several = "    rule {\n      rule_id = \"RTM-007\"\n      settings {\n        enabled = true\n        risk_level = \"LOW\"\n        dynamic \"exceptions\" {\n          for_each = [1]\n          content {}\n        }\n        dynamic \"exceptions\" {\n          for_each = [2]\n          content {}\n        }\n        extra_settings {\n          name = \"authorisedIps\"\n          values { value = \"203.0.113.0/24\" }\n        }\n        extra_settings {\n          name = \"businessHours\"\n          values { value = \"9-17\" }\n        }\n      }\n    }";
    let (_, _, report) = import_one(&rule(several));
    for said in ["line 8: the dynamic block", "line 12: the dynamic block", "\"businessHours\" is not known: RTM-HOURS"]
    {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn what_terraform_never_makes_is_not_imported() {
    for never in ["count = 0", "count = (0)", "for_each = toset([])", "for_each = {}", "for_each = var.none"] {
        let text =
            format!("variable \"none\" {{ default = [] }}\n{RULE}").replace("\"p\" {", &format!("\"p\" {{\n  {never}"));
        let (code, written, report) = import_one(&text);
        assert_eq!((code, written), (2, Value::Null), "{never}: {report}");
        assert!(
            report.contains("0 of 1 rule") && report.contains("main.tf:4: RTM-002: its resource on line 2 has"),
            "{report}"
        );
    }
    let (code, written, report) = import_one(&RULE.replace("\"p\" {", "\"p\" {\n  count = var.on ? 1 : 0"));
    assert_eq!((code, written["rules"][0]["id"].as_str()), (0, Some("RTM-002")));
    assert!(
        report.contains("RTM-002: whether it is made is computed by Terraform (count = var.on ? 1 : 0)"),
        "{report}"
    );
}

#[test]
fn a_default_gives_way_to_what_sets_the_variable() {
    let main = RULE.replace("\"HIGH\"", "var.level");
    let variables = "variable \"level\" { default = \"LOW\" }\n";
    let severity = |files: &[(&str, &str)], named: &[&str]| {
        let (_, written, report) = import(files, named);
        (written["rules"][0]["severity"].as_str().unwrap().to_owned(), report)
    };
    let main = ("m/main.tf", main.as_str());
    let variables = ("m/variables.tf", variables);
    let (level, report) = severity(&[main, variables], &["m"]);
    assert_eq!(level, "low");
    assert!(report.contains("the defaults of var.level were taken"), "{report}");
    // Read by itself; the last one wins.
    let (level, report) = severity(&[main, variables, ("m/terraform.tfvars", "level = \"MEDIUM\"\n")], &["m"]);
    assert_eq!((level.as_str(), report.contains("defaults")), ("medium", false), "{report}");
    let files =
        [main, variables, ("m/terraform.tfvars", "level = 1"), ("m/z.auto.tfvars.json", "{\"level\": \"EXTREME\"}")];
    assert_eq!(severity(&files, &["m"]).0, "extreme");
    // Nobody knows whether this one is read, unless it is named.
    let files = [main, variables, ("m/prod.tfvars", "level = \"HIGH\"\n")];
    let (level, report) = severity(&files, &["m"]);
    assert_eq!(level, "extreme", "the pack's");
    assert!(report.contains("var.level, which prod.tfvars sets, is computed"), "{report}");
    assert_eq!(severity(&files, &["m", "m/prod.tfvars"]).0, "high");
    // Broken: nothing is known.
    let (_, report) = severity(&[main, variables, ("m/terraform.tfvars", "level = ")], &["m"]);
    assert!(
        report.contains("no variable's value is taken") && report.contains("which terraform.tfvars sets"),
        "{report}"
    );
    // Another folder has variables of its own.
    let (_, report) = severity(&[main, ("n/variables.tf", "variable \"level\" { default = \"LOW\" }\n")], &["m", "n"]);
    assert!(report.contains("var.level is computed by Terraform"), "{report}");
}

fn safe_list(values: &[&str]) -> (Value, String) {
    let values: Vec<String> = values.iter().map(|value| format!("          values {{ value = {value} }}\n")).collect();
    let values = values.concat();
    let text = format!(
        "resource \"conformity_profile\" \"p\" {{\n  included {{\n    id = \"RTM-007\"\n    enabled = true\n    risk_level = \"HIGH\"\n    extra_settings {{\n      name = \"authorisedIps\"\n{values}    }}\n  }}\n}}"
    );
    let (_, written, report) = import_one(&text);
    (written["lists"]["safe_networks"].clone(), report)
}

#[test]
fn a_safe_list_is_read_entry_by_entry() {
    let (list, report) = safe_list(&["\"203.0.113.0/24 \"", "\" 2001:db8::1\""]);
    assert_eq!(list, json!(["203.0.113.0/24", "2001:db8::1"]), "{report}");
    assert!(report.contains("line 8: the blanks around a value were taken off"), "{report}");
    let (list, report) = safe_list(&["\"203.0.113.0/24\"", "\"office\""]);
    assert_eq!(list, json!(["203.0.113.0/24"]), "{report}");
    assert!(report.contains("\"office\" is no address and no network"), "{report}");
    for (values, said) in [
        (&["\"0.0.0.0/0\""][..], "holds every IPv4 address, so it never alerts on"),
        (&["\"0.0.0.0/1\"", "\"128.0.0.0/1\""][..], "holds every IPv4 address"),
        (&["\"::/0\"", "\"0.0.0.0/0\""][..], "so it can never alert"),
    ] {
        let (list, report) = safe_list(values);
        assert!(list.is_array() && report.contains(said), "{values:?}: {report}");
    }
    assert!(!safe_list(&["\"128.0.0.0/1\""]).1.contains("holds every"));
}

#[test]
fn a_pattern_that_ends_in_a_newline_can_match() {
    let pattern = |event: &str| {
        let text = format!(
            "resource \"conformity_profile\" \"p\" {{\n  included {{\n    id = \"RTM-011\"\n    enabled = true\n    risk_level = \"HIGH\"\n    extra_settings {{\n      type = \"multiple-object-values\"\n      multiple_object_values {{\n        event_name = {event}\n        event_source = \"^iam\"\n      }}\n    }}\n  }}\n}}"
        );
        let (_, written, report) = import_one(&text);
        (written["rules"][0]["when"][0]["event"].clone(), report)
    };
    let (event, report) = pattern("<<EOF\n^Delete\nEOF\n");
    assert_eq!(event, "^Delete");
    assert!(report.contains("line 9: the blanks around a value were taken off"), "{report}");
    let (event, report) = pattern("\"^Delete\\n|^Create\"");
    assert_eq!(event, "^Delete\n|^Create");
    assert!(report.contains("it holds a blank or a line break"), "{report}");
}

#[test]
fn channels_may_stand_alone() {
    let text = "resource \"conformity_communication_setting\" \"s\" {\n  sns {\n    arn = \"arn:aws:sns:us-west-2:123456789012:alerts\"\n  }\n  filter { rule_ids = [\"RTM-011\", \"S3-016\"] }\n}";
    let (code, written, report) = import_one(text);
    let channel =
        json!({"type": "sns", "topic_arn": "arn:aws:sns:us-west-2:123456789012:alerts", "rules": ["RTM-011"]});
    assert_eq!((code, written), (0, json!({"channels": {"sns": channel}})), "{report}");
    assert!(report.contains("put these channels into a rules.json that has rules"), "{report}");
    let (code, written, report) =
        import_one(&text.replace("\"arn:aws:sns:us-west-2:123456789012:alerts\"", "aws_sns_topic.t.arn"));
    assert_eq!((code, written), (2, Value::Null), "the stack's own topic is another one: {report}");
}

/// The resources of the provider that took its place name all things otherwise.
#[test]
fn vision_ones_channels_are_read() {
    let text = r#"
data "visionone_crm_account" "production" {
  aws_account_id = "123456789012"
}
resource "visionone_crm_communication_configuration" "w" {
  enabled       = true
  channel_label = "SIEM"
  account_id    = data.visionone_crm_account.production.id
  webhook_configuration = {
    url            = "https://siem.example.com/in"
    security_token = "do-not-print-me"
  }
  checks_filter = {
    statuses    = ["FAILURE"]
    regions     = ["eu-central-1"]
    risk_levels = ["EXTREME"]
  }
}
resource "visionone_crm_communication_configuration" "s" {
  enabled = var.on
  slack_configuration = { url = "x", channel = "\#soc" }
}
"#
    .replace("\\#", "#");
    let (code, written, report) = import_one(&text);
    let expected = json!({"type": "webhook", "regions": ["eu-central-1"], "min_severity": "extreme", "accounts": ["123456789012"]});
    assert_eq!((code, written), (0, json!({"channels": {"siem": expected}})), "{report}");
    assert!(report.contains("1 of 2 channels") && !report.contains("do-not-print-me"), "{report}");
}

#[test]
fn terraforms_json_says_what_its_hcl_says() {
    let text = json!({
        "resource": {
            "conformity_communication_setting": {
                "a": {"slack": {"channel_name": "a"}, "filter": {"regions": ["${var.region}"]}},
                "b": {"slack": {"channel_name": "b"}, "dynamic": {"filter": {"for_each": [1], "content": {}}}},
                "c": {"slack": {"channel_name": "c"}, "filter": {"regions": ["eu-central-1"]}},
                "d": {"slack": {"channel_name": "d"}, "count": 0},
            }
        }
    });
    let (code, written, report) = import(&[("main.tf.json", &text.to_string())], &["main.tf.json"]);
    let expected = json!({"channels": {"c": {"type": "slack", "regions": ["eu-central-1"]}}});
    assert_eq!((code, written), (0, expected), "{report}");
    assert!(report.contains("1 of 4 channels"), "{report}");
}

#[test]
fn hostile_files_end_in_time_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in hostile() {
        let file = support::file(folder.path(), "hostile.tf", &text);
        let mut command = support::offlimits(["import", "conformity"]);
        command.arg(Path::new(&file));
        let run = support::run(command);
        assert_eq!(run.misbehaviour(), None, "{name}: {}", run.shown());
        assert!(matches!(run.code, Some(0 | 2)), "{name}: {}", run.shown());
    }
}

/// Deep, wide and twisted files.
fn hostile() -> Vec<(&'static str, String)> {
    let deep = 20_000;
    let mut doubling = "locals {\n a0 = [1]\n".to_owned();
    for n in 1..=40 {
        writeln!(doubling, " a{n} = [local.a{p}, local.a{p}]", p = n - 1).unwrap();
    }
    vec![
        ("deep lists", format!("x = {}1{}", "[".repeat(deep), "]".repeat(deep))),
        ("deep objects", format!("x = {}1{}", "{a=".repeat(deep), "}".repeat(deep))),
        ("deep parentheses", format!("x = {}1{}", "(".repeat(deep), ")".repeat(deep))),
        ("deep blocks", format!("{}{}", "a {\n".repeat(deep), "}\n".repeat(deep))),
        ("deep calls", format!("x = {}1{}", "f(".repeat(deep), ")".repeat(deep))),
        ("deep negations", format!("x = {}1", "!".repeat(deep))),
        ("deep templates", format!("x = {}1{}", "\"${".repeat(deep), "}\"".repeat(deep))),
        ("deep conditionals", format!("x = {}1{}", "a ? ".repeat(deep), " : 1".repeat(deep))),
        ("never closed", "[".repeat(deep).replace('[', "x = [")),
        (
            "doubling names",
            format!("{doubling}}}\nresource \"conformity_profile\" \"p\" {{\n  included = local.a40\n}}"),
        ),
        ("many names", (0..20_000).map(|n| format!("a{n} = local.b{n}\n")).collect::<Vec<_>>().concat()),
        ("many blocks", "resource \"conformity_profile\" \"p\" {}\n".repeat(5_000)),
        ("odd bytes", "\u{0}\u{feff}\u{202e}= {".to_owned()),
    ]
}
