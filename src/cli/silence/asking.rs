//! What `silence` asks of AWS: who we are, the function's tag, which CloudTrail records, and the ledger's table.

use std::time::Duration;

use serde_json::{Value, json};

use super::line::SilenceLine;
use super::question::StackQuestion;
use crate::aws::{ApiInput, ApiService};
use crate::cli::stack_access::{StackAccess, now};
use crate::ledger::{Ledger, Silence, may_be_silenced};
use crate::severity::Severity;
use crate::text::percent_encoded;
use crate::time::Timestamp;

/// The function's tag that a silence leaves behind. SELF-15 tells of whoever writes it.
const TAG: &str = "offlimits:silence";
/// Characters of a tag's value. Source: <https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html>
const TAG_LIMIT: usize = 256;

/// What is wanted of `add`.
pub(super) struct Wanted<'w> {
    pub(super) rule: &'w str,
    pub(super) by: &'w [(String, String)],
    pub(super) seconds: u64,
    pub(super) reason: &'w str,
}

/// A stack that is asked.
pub(super) struct Asking<'q> {
    question: &'q StackQuestion,
    access: StackAccess,
    now: Timestamp,
}

/// The stack's function and table.
struct Names {
    function: String,
    table: String,
}

impl<'q> Asking<'q> {
    /// Finds the region and the credentials; asks nobody yet.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub(super) fn open(question: &'q StackQuestion) -> Result<Self, String> {
        Ok(Self { question, access: StackAccess::open(question.region.as_ref())?, now: now() })
    }

    /// Makes a silence: first the call that is recorded, then the item.
    ///
    /// # Errors
    /// The rule may not be silenced, or somebody did not answer: then nothing is silenced.
    pub(super) async fn add(&self, wanted: Wanted<'_>) -> Result<SilenceLine, String> {
        let Wanted { rule, by, seconds, reason } = wanted;
        if !may_be_silenced(rule, Severity::Low) {
            return Err(format!("{rule} watches this monitor: it cannot be silenced"));
        }
        let names = self.names().await?;
        let silence = Silence {
            rule: rule.to_owned(),
            by: by.iter().cloned().collect(),
            created: self.now,
            until: self.now.plus(Duration::from_secs(seconds)),
            who: self.who().await?,
            reason: reason.to_owned(),
            ended: None,
        };
        self.tag(&names, &format!("{} {rule} until {}", silence.id(), silence.until)).await?;
        let ledger = Ledger::new(self.access.reader.store(&names.table));
        let id = ledger.add_silence(&silence).await.map_err(|error| format!("the table {}: {error}", names.table))?;
        Ok(SilenceLine::new(&id, &silence, self.now))
    }

    /// All silences of the last days, those that run first.
    ///
    /// # Errors
    /// Somebody did not answer.
    pub(super) async fn list(&self) -> Result<Vec<SilenceLine>, String> {
        let names = self.names().await?;
        let ledger = Ledger::new(self.access.reader.store(&names.table));
        let kept =
            ledger.kept_silences(self.now).await.map_err(|error| format!("the table {}: {error}", names.table))?;
        let mut lines: Vec<SilenceLine> =
            kept.iter().map(|(id, silence)| SilenceLine::new(id, silence, self.now)).collect();
        lines.sort_by(|one, other| other.runs.cmp(&one.runs).then_with(|| other.created.cmp(&one.created)));
        Ok(lines)
    }

    /// Ends a silence; none if there is no such silence.
    ///
    /// # Errors
    /// Somebody did not answer.
    pub(super) async fn end(&self, id: &str) -> Result<Option<SilenceLine>, String> {
        let names = self.names().await?;
        let ledger = Ledger::new(self.access.reader.store(&names.table));
        let ended =
            ledger.end_silence(id, self.now).await.map_err(|error| format!("the table {}: {error}", names.table))?;
        let Some(ended) = ended else { return Ok(None) };
        // That it is over need not be told by a rule, and the roll-up tells it: the tag is only brought up to date.
        if let Err(error) = self.tag(&names, &format!("{id} ended {}", self.now)).await {
            eprintln!("warning: the silence has ended, and the function's tag does not say so: {error}");
        }
        Ok(Some(SilenceLine::new(id, &ended, self.now)))
    }

    async fn names(&self) -> Result<Names, String> {
        let [function, table] = self.access.outputs(&self.question.stack, ["FunctionName", "TableName"]).await?;
        Ok(Names { function, table })
    }

    /// The ARN of whoever runs this.
    async fn who(&self) -> Result<String, String> {
        let asked = self
            .access
            .api
            .ask(&ApiService::STS, &self.access.region, "GetCallerIdentity", &ApiInput::Form(Vec::new()))
            .await;
        let answer = asked.map_err(|error| error.to_string())?;
        let arn = answer.get("Arn").and_then(Value::as_str);
        arn.map(str::to_owned).ok_or_else(|| "GetCallerIdentity does not say who you are".to_owned())
    }

    /// Writes the function's tag: CloudTrail records the call as a management event.
    async fn tag(&self, names: &Names, value: &str) -> Result<(), String> {
        let path = format!("/2015-03-31/functions/{}", percent_encoded(&names.function));
        let asked =
            self.access.api.ask(&ApiService::LAMBDA, &self.access.region, "GetFunction", &ApiInput::Path(path)).await;
        let answer = asked.map_err(|error| error.to_string())?;
        let arn = answer.pointer("/Configuration/FunctionArn").and_then(Value::as_str);
        let arn = arn.ok_or_else(|| "GetFunction does not name the function's ARN".to_owned())?;
        let value: String = value.chars().filter(|c| is_for_tags(*c)).take(TAG_LIMIT).collect();
        let path = format!("/2017-03-31/tags/{}", percent_encoded(arn));
        let input = ApiInput::Post(path, json!({"Tags": {TAG: value}}));
        let asked = self.access.api.ask(&ApiService::LAMBDA, &self.access.region, "TagResource", &input).await;
        asked.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Whether a tag's value may have a character.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html>
const fn is_for_tags(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '+' | '-' | '=' | '.' | '_' | ':' | '/' | '@')
}
