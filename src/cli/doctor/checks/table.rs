//! The ledger's table.

use serde_json::{Value, json};

use crate::aws::ApiService;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::Stack;

pub(super) const CHECKS: &[&Check] = &[&MISSING, &UNAVAILABLE, &TTL];

static MISSING: Check = Check {
    code: "table-missing",
    summary: "The ledger's table is gone: alerts go out, but repeats are not held back, and thresholds never reached.",
    asks: &["dynamodb:DescribeTable"],
};

static UNAVAILABLE: Check = Check {
    code: "table-unavailable",
    summary: "The ledger's table cannot be used, such as for want of its key.",
    asks: &["dynamodb:DescribeTable"],
};

static TTL: Check = Check {
    code: "table-ttl",
    summary: "The ledger's table does not drop what has expired: it grows for ever, and is paid for.",
    asks: &["dynamodb:DescribeTimeToLive"],
};

/// Whether it has been told that the table cannot be asked.
pub(in crate::cli::doctor) fn is_told_gone(notes: &Notes) -> bool {
    notes.findings.iter().any(|finding| [MISSING.code, UNAVAILABLE.code].contains(&finding.code))
}

/// Looks at the table. The answer is whether it can be asked.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, notes: &mut Notes) -> bool {
    let (table, region) = (stack.output("TableName"), stack.region());
    if table.is_empty() {
        return false;
    }
    let asked = stack.asker.json(&ApiService::DYNAMODB, "DescribeTable", json!({"TableName": table})).await;
    let status = match notes.told(asked) {
        Told::There(answer) => {
            answer.pointer("/Table/TableStatus").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        Told::Missing => {
            notes.find(&MISSING, table, "the table is gone", Remedy::new().anew(stack.name, region));
            return false;
        }
        Told::Unknown => return false,
    };
    if !["ACTIVE", "UPDATING"].contains(&status.as_str()) {
        let remedy = match stack.parameter("LedgerKeyArn") {
            "" => Remedy::new().aws(region, ["dynamodb", "describe-table", "--table-name", table]),
            key => Remedy::new().aws(region, ["kms", "enable-key", "--key-id", key]),
        };
        notes.find(&UNAVAILABLE, table, format!("the table is in the state {status}"), remedy);
        return false;
    }
    let asked = stack.asker.json(&ApiService::DYNAMODB, "DescribeTimeToLive", json!({"TableName": table})).await;
    if let Some(answer) = notes.there(asked) {
        let of = |member: &str| answer.pointer(&format!("/TimeToLiveDescription/{member}")).and_then(Value::as_str);
        let is_on = matches!(of("TimeToLiveStatus"), Some("ENABLED" | "ENABLING"));
        if !is_on || of("AttributeName") != Some("expires") {
            let words = ["dynamodb", "update-time-to-live", "--table-name", table];
            let to = ["--time-to-live-specification", "Enabled=true,AttributeName=expires"];
            let remedy = Remedy::new().aws(region, words.into_iter().chain(to));
            notes.find(&TTL, table, "the table does not drop what has expired", remedy);
        }
    }
    true
}
