//! What to do first about a finding: the steps that a rule gives, filled in from its record.
//!
//! The texts are for people, and are cleaned as titles are. A command is for somebody's shell, and its values are the attacker's:
//! `shell` decides which of them may stand there.

#[cfg(feature = "cli")]
use super::field::Field;
use super::field::{FieldError, Surroundings};
use super::shell::{CommandTemplate, Withheld};
use super::template::{Template, TemplateKind};
use crate::cloudtrail::Record;

/// The most steps of a rule that are shown of one record: more is a runbook, which has a link.
pub const STEPS_SHOWN: usize = 4;
const STEP: TemplateKind = TemplateKind { what: "step", code: "bad-step" };
/// Characters of a step's text that are kept, its values and the reason for a missing command included.
const TEXT_LIMIT: usize = 300;

/// What one step says, understood.
#[derive(Debug, Clone, Default)]
pub struct StepTemplate {
    text: Template,
    command: Option<CommandTemplate>,
}

impl StepTemplate {
    /// Reads the text of a step.
    ///
    /// # Errors
    /// Braces that do not pair, and unknown fields.
    pub fn parse(text: &str, surroundings: &Surroundings) -> Result<Self, FieldError> {
        Template::parse(text, surroundings, STEP).map(|text| Self { text, command: None })
    }

    /// The same step with a command.
    ///
    /// # Errors
    /// Braces that do not pair, unknown fields, and a command that is more than words.
    pub fn with_command(self, command: &str, surroundings: &Surroundings) -> Result<Self, FieldError> {
        CommandTemplate::parse(command, surroundings).map(|command| Self { command: Some(command), ..self })
    }

    /// The fields that its text names, place by place: of those of one place the first that has a value counts.
    #[cfg(feature = "cli")]
    pub(crate) fn text_fields(&self) -> Vec<&[Field]> {
        self.text.fields()
    }

    /// The same of its command.
    #[cfg(feature = "cli")]
    pub(crate) fn command_fields(&self) -> Vec<&[Field]> {
        self.command.as_ref().map(CommandTemplate::fields).unwrap_or_default()
    }

    /// What to do, and the command for it. Where a value may not stand in a command, there is none, and the text says why.
    pub fn render(&self, record: &Record) -> (String, Option<String>) {
        let text = self.text.render(record, TEXT_LIMIT);
        match self.command.as_ref().map(|command| command.render(record)) {
            None => (text, None),
            Some(Ok(command)) => (text, Some(command)),
            Some(Err(Withheld { field, reason })) => {
                let note = format!(" (no command: {field} {reason})");
                let room = TEXT_LIMIT.saturating_sub(note.chars().count());
                (crate::text::clip(&text, room).into_owned() + &note, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str, command: &str) -> StepTemplate {
        let surroundings = Surroundings::default();
        StepTemplate::parse(text, &surroundings).unwrap().with_command(command, &surroundings).unwrap()
    }

    fn record(parameters: &str) -> String {
        format!(r#"{{"eventName":"CreateAccessKey","awsRegion":"eu-west-1","requestParameters":{parameters}}}"#)
    }

    fn rendered(step: &StepTemplate, parameters: &str) -> (String, Option<String>) {
        step.render(&Record::parse(&record(parameters)).unwrap())
    }

    #[test]
    fn a_step_tells_what_to_do_and_the_command_for_it() {
        let step = step(
            "Lock {requestParameters.userName}",
            "aws iam x --user-name {requestParameters.userName} --region {region}",
        );
        let (text, command) = rendered(&step, r#"{"userName":"backup-admin"}"#);
        assert_eq!(text, "Lock backup-admin");
        assert_eq!(command.as_deref(), Some("aws iam x --user-name backup-admin --region eu-west-1"));
    }

    #[test]
    fn without_its_command_a_step_says_why() {
        let step = step("Lock {requestParameters.userName}", "aws iam x --user-name {requestParameters.userName}");
        for (parameters, said) in [
            ("{}", "Lock unknown (no command: requestParameters.userName is missing)"),
            (r#"{"userName":""}"#, "Lock unknown (no command: requestParameters.userName is missing)"),
            (r#"{"userName":"a;b"}"#, "Lock a;b (no command: requestParameters.userName is not plainly an identifier)"),
            (r#"{"userName":["a","b"]}"#, "Lock a, b (no command: requestParameters.userName has several values)"),
        ] {
            assert_eq!(rendered(&step, parameters), (said.to_owned(), None), "{parameters}");
        }
        // However long the text, the reason is there.
        let long = format!(r#"{{"userName":"{}"}}"#, "a b".repeat(600));
        let text = format!("{} {{requestParameters.userName}}", "x".repeat(400));
        let step = self::step(&text, "aws iam x --user-name {requestParameters.userName}");
        let (text, _) = rendered(&step, &long);
        assert_eq!(text.chars().count(), TEXT_LIMIT);
        assert!(text.ends_with("… (no command: requestParameters.userName is not plainly an identifier)"), "{text}");
    }

    #[test]
    fn what_may_be_secret_goes_into_no_command() {
        let step = step("Delete it", "aws x --id {requestParameters.apiKey}");
        let (text, _) = rendered(&step, r#"{"apiKey":"da2-abc"}"#);
        assert_eq!(text, "Delete it (no command: requestParameters.apiKey may be secret)");
    }

    #[test]
    fn a_command_is_about_nobody_of_another_account() {
        let step = step("Deny {role} everything", "aws iam attach-role-policy --role-name {role}");
        let by = |account: &str| {
            let arn = format!("arn:aws:sts::{account}:assumed-role/Admin/jana");
            let identity = format!(r#"{{"type":"AssumedRole","arn":"{arn}","accountId":"{account}"}}"#);
            let json = format!(r#"{{"userIdentity":{identity},"recipientAccountId":"111122223333"}}"#);
            step.render(&Record::parse(&json).unwrap())
        };
        assert_eq!(by("111122223333").1.as_deref(), Some("aws iam attach-role-policy --role-name Admin"));
        // The account of the call has an Admin of its own, who has done nothing.
        let said = "Deny Admin everything (no command: role is of the caller's account, which is another)";
        assert_eq!(by("999988887777"), (said.to_owned(), None));
        // What the call acts on is in its own account.
        let step = self::step("Lock it", "aws iam x --user-name {requestParameters.userName}");
        let json = r#"{"userIdentity":{"accountId":"999988887777"},"recipientAccountId":"111122223333","requestParameters":{"userName":"u"}}"#;
        assert_eq!(step.render(&Record::parse(json).unwrap()).1.as_deref(), Some("aws iam x --user-name u"));
    }

    #[test]
    fn the_text_is_cleaned_as_a_title_is() {
        let step = step("Ask about {requestParameters.x} {requestParameters.password}", "aws iam x");
        let (text, _) = rendered(&step, r#"{"x":"a\u202e\nb","password":"hunter2"}"#);
        assert_eq!(text, "Ask about a b <redacted>");
    }
}
