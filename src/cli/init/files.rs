//! What `offlimits init` writes. The tool carries all of it: it may have been installed where no clone is.

use crate::json::Node;

/// A file: its path in the new folder, and its text.
pub(super) struct InitFile {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

/// Files of the repository's own, under their own names.
macro_rules! shipped {
    ($($path:literal),+ $(,)?) => {
        &[$(InitFile { path: $path, text: include_str!(concat!("../../../", $path)) }),+]
    };
}

/// What is written for the new folder.
pub(super) const OWN: &[InitFile] = &[
    InitFile { path: "tests/break-glass.json", text: include_str!("break-glass.json") },
    InitFile { path: ".github/workflows/rules.yml", text: include_str!("workflow.yml") },
];

/// The sample events. (The packs are the tool's own.)
pub(super) const EVENTS: &[InitFile] = shipped![
    "events/assume-role-cross-account.json",
    "events/console-action.json",
    "events/create-access-key.json",
    "events/create-user-sso.json",
    "events/create-user.json",
    "events/delete-trail.json",
    "events/describe-instances.json",
    "events/ec2-state-change.json",
    "events/insight.json",
    "events/network-activity-denied.json",
    "events/put-user-policy.json",
    "events/root-sign-in.json",
    "events/rotate-key.json",
    "events/schedule-key-deletion.json",
    "events/security-group-opened.json",
    "events/seed-sample.json",
    "events/service-call.json",
    "events/service-event.json",
    "events/sign-in-failed.json",
    "events/sign-in-unknown-user.json",
    "events/start-instances-denied.json",
    "events/start-instances-role.json",
    "events/start-instances.json",
    "events/stop-logging.json",
];

/// The schema of `rules.json`, for editors: `rules.json` names it.
pub(super) const SCHEMA: &str = "rules.schema.json";

/// The rules.
pub(super) const RULES: &str = "rules.json";

/// The text of [`RULES`]: a rule to begin with, and the packs as the shipped rules include them, with the same overrides.
pub(super) fn rules() -> String {
    const OWN_RULES: &str = include_str!("rules.json");
    const SHIPPED_RULES: &str = include_str!("../../../rules.json");
    let root = Node::parse(SHIPPED_RULES).ok();
    let include = root.as_ref().and_then(|root| SHIPPED_RULES.get(root.get("include")?.span.clone()));
    let open = OWN_RULES.trim_end().trim_end_matches('}').trim_end();
    // Without packs it would still be a whole file; a test holds it to them.
    include.map_or_else(|| OWN_RULES.to_owned(), |include| format!("{open},\n  \"include\": {include}\n}}\n"))
}
