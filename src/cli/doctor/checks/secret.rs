//! The secret: whether it is there, and holds what the channels need. Of its values nothing is ever told; of its keys, those that
//! a channel lacks, and one that is a slip for such a key.

use std::sync::Arc;

use serde_json::json;

use crate::alert::{Alert, AlertKind};
use crate::aws::ApiService;
use crate::channel::{ConfiguredChannel, Exchange};
use crate::cli::doctor::asker::text;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::Stack;
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ruleset::RuleSet;
use crate::secret::{CredentialFault, Credentials};
use crate::time::Timestamp;

pub(super) const CHECKS: &[&Check] = &[&MISSING, &UNREADABLE, &INCOMPLETE];

static MISSING: Check = Check {
    code: "secret-missing",
    summary: "The secret with the channels' credentials is gone, or is going to be deleted.",
    asks: &["secretsmanager:DescribeSecret"],
};

static UNREADABLE: Check = Check {
    code: "secret-unreadable",
    summary: "The secret is no JSON object of channels, or has no text.",
    asks: &["secretsmanager:GetSecretValue", "kms:Decrypt"],
};

static INCOMPLETE: Check = Check {
    code: "secret-incomplete",
    summary: "A channel of the rules lacks a credential in the secret, or has one that cannot be right. It is told by its name; no \
              value is printed.",
    asks: &["secretsmanager:GetSecretValue", "kms:Decrypt"],
};

/// Looks at the secret, if a channel needs one.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, rules: &RuleSet, notes: &mut Notes) {
    let needy: Vec<&ConfiguredChannel> =
        rules.channels().iter().filter(|channel| channel.channel.needs_credentials()).collect();
    let (secret, region) = (stack.output("SecretArn"), stack.region());
    if needy.is_empty() || secret.is_empty() {
        return;
    }
    let service = &ApiService::SECRETS_MANAGER;
    match notes.told(stack.asker.json(service, "DescribeSecret", json!({"SecretId": secret})).await) {
        Told::There(described) if described.get("DeletedDate").is_some_and(|date| !date.is_null()) => {
            let remedy = Remedy::new().aws(region, ["secretsmanager", "restore-secret", "--secret-id", secret]);
            notes.find(&MISSING, secret, "the secret is going to be deleted", remedy);
            return;
        }
        Told::There(_) => {}
        Told::Missing => {
            notes.find(&MISSING, secret, "the secret is gone", Remedy::new().anew(stack.name, region));
            return;
        }
        Told::Unknown => return,
    }
    let asked = stack.asker.json(service, "GetSecretValue", json!({"SecretId": secret})).await;
    let Some(answer) = notes.there(asked) else { return };
    let words = ["secretsmanager", "put-secret-value", "--secret-id", secret, "--secret-string", "file://secret.json"];
    let credentials = match Credentials::parse(text(&answer, "SecretString").unwrap_or_default()) {
        Ok(credentials) => credentials,
        Err(error) => {
            notes.find(&UNREADABLE, secret, error.to_string(), Remedy::new().aws(region, words));
            return;
        }
    };
    for channel in needy {
        if let Err(fault) = try_out(channel, rules.digest(), &credentials, stack.asker.now) {
            let kind = channel.channel.kind();
            let message = format!("{fault}: docs/channels/{kind}.md says what a channel of the type {kind} needs");
            notes.find(&INCOMPLETE, secret, message, Remedy::new().aws(region, words));
        }
    }
}

/// Has a channel write the first request of a test alert, which is not sent: what it lacks, it says.
fn try_out(
    channel: &ConfiguredChannel,
    rules_digest: &Arc<str>,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<(), CredentialFault> {
    let finding = Finding::test(Arc::clone(rules_digest), now.to_string());
    let alert = AlertId::new(&finding.rule.id, &channel.name, &finding.id);
    let body = channel.channel.render(&Alert::alone(&finding, &alert, AlertKind::Test));
    let credentials = credentials.for_channel(&channel.name);
    let exchange = Exchange { credentials, token: None, replies: &[], now: now.seconds() };
    channel.channel.next(&body, &exchange).map(|_| ())
}
