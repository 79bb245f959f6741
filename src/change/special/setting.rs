//! Settings that the answer still has as they were before the call.

use crate::change::reading::{Reading, said};
use crate::change::told::Told;
use crate::change::value::{HIDDEN_WORDS, on_or_off, shown};

/// Members that choose what is changed, or how.
const OTHERS: [&str; 7] = [
    "applyImmediately",
    "allowMajorVersionUpgrade",
    "dBInstanceIdentifier",
    "dBClusterIdentifier",
    "clusterIdentifier",
    "cacheClusterId",
    "replicationGroupId",
];

/// What people call a setting.
const NAMES: [(&str, &str); 12] = [
    ("publiclyAccessible", "publicly accessible"),
    ("deletionProtection", "deletion protection"),
    ("backupRetentionPeriod", "days of backups"),
    ("automatedSnapshotRetentionPeriod", "days of backups"),
    ("dBInstanceClass", "instance class"),
    ("nodeType", "node type"),
    ("masterUserPassword", "master password"),
    ("enableIAMDatabaseAuthentication", "IAM authentication"),
    ("vpcSecurityGroupIds", "security groups"),
    ("newDBInstanceIdentifier", "new name"),
    ("engineVersion", "engine version"),
    ("multiAZ", "in several zones"),
];

/// What a change asks for, and what there was where the answer has another value.
pub(in crate::change) fn settings(reading: &Reading<'_, '_>, told: &mut Told) {
    let Some(request) = &reading.request else { return };
    // What makes a database public, or takes its protection, before the rest.
    let mut members: Vec<_> = request.members().filter(|(key, _)| !OTHERS.contains(key)).collect();
    members.sort_by_key(|(key, _)| NAMES.iter().position(|(name, _)| name == key).unwrap_or(NAMES.len()));
    for (key, member) in members {
        let what = NAMES.iter().find(|(name, _)| *name == key).map_or(key, |(_, what)| *what);
        let after = shown(&member);
        if after == HIDDEN_WORDS {
            told.add(what, "another one (hidden)");
            continue;
        }
        // The answer to the change of a member by another name has it by its own.
        let before = said(
            reading.response.as_ref(),
            match key {
                "enableIAMDatabaseAuthentication" => "iAMDatabaseAuthenticationEnabled",
                key => key,
            },
        );
        match before.filter(|before| *before != after && member.text().is_some()) {
            Some(before) => told.turn(what, on_or_off(&before), on_or_off(&after)),
            None => told.add(what, on_or_off(&after)),
        }
    }
}
