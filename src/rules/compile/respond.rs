//! `respond`: what to do first.

use super::operators::TABLE;
use super::{RowSubject, RuleCompiler};
use crate::config::{
    Definition, KeySpec, ObjectReader, ObjectSpec, TextFormat, ValueShape, array, docs, formatted, wrong_kind,
};
use crate::json::{Node, Value};
use crate::rules::{ResponseStep, STEPS_SHOWN, StepTemplate};

/// The most steps that a rule may have, those of them counted that are for some of its records alone.
const MOST_STEPS: usize = 12;

/// The value of `respond`.
pub(crate) static RESPONSE: Definition = Definition {
    name: "Response",
    what: "list: a step each",
    docs: docs!("What to do first, in order: what is reversible before what is not."),
    shape: ValueShape::List(&ValueShape::AnyOf(&[ValueShape::Formatted(&TEXT), ValueShape::Object(&STEP)])),
};

static STEP: ObjectSpec = ObjectSpec {
    name: "Step",
    what: "a step",
    docs: docs!("One thing to do, and the command that does it."),
    keys: [
        &[
            KeySpec::required(
                "do",
                ValueShape::Formatted(&TEXT),
                docs!("What to do, in a sentence; with `{fields}`, as a title."),
            )
            .such_as(r#""Deactivate the new key""#),
            KeySpec::new(
                "run",
                ValueShape::Formatted(&COMMAND),
                docs!("The command that does it: see [What to do first](#what-to-do-first)."),
            )
            .such_as(r#""aws iam update-access-key --user-name {requestParameters.userName} --access-key-id {new_credential} --status Inactive""#),
            KeySpec::new("when", ValueShape::Defined(&TABLE), docs!("Which of the rule's records it is for. Default: all.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

static TEXT: TextFormat = TextFormat {
    what: "step",
    code: "too-long",
    pattern: "",
    max_characters: Some(200),
    fits: |_| true,
    remedy: |_| "say it in a sentence; what is longer belongs into the runbook".into(),
};

static COMMAND: TextFormat = TextFormat {
    what: "command",
    code: "too-long",
    pattern: "",
    max_characters: Some(500),
    fits: |_| true,
    remedy: |_| "write a command that fits into a message; what is longer belongs into the runbook".into(),
};

impl<'n> RuleCompiler<'n> {
    /// The steps of what to do first.
    pub(super) fn respond(&mut self, fields: &mut ObjectReader<'n>) -> Option<Vec<ResponseStep>> {
        fields.get("respond").map(|node| self.steps_of(node))
    }

    /// The steps of a rule that stand apart from it, at the end of its bundle. `has_some`: whether the rule has steps itself.
    pub(super) fn respond_apart(&mut self, node: &'n Node<'n>, has_some: bool) -> Vec<ResponseStep> {
        let inside = self.problems.enter(None);
        if has_some {
            let message = "the rule has steps of its own, and only one of the two would count";
            self.problems.error("repeated-key", &node.span, message, "merge the two, or delete one");
        }
        let steps = self.steps_of(node);
        self.problems.enter(inside);
        steps
    }

    fn steps_of(&mut self, node: &'n Node<'n>) -> Vec<ResponseStep> {
        let nodes = array(node, "\"respond\"", &mut self.problems);
        if nodes.len() > MOST_STEPS {
            let message = format!("\"respond\" may have at most {MOST_STEPS} steps, and this has {}", nodes.len());
            let help =
                format!("keep what comes first: {STEPS_SHOWN} of them are shown at most, and two or three are read");
            self.problems.error("too-many", &node.span, message, help);
        }
        nodes.iter().filter_map(|node| self.step(node)).collect()
    }

    fn step(&mut self, node: &'n Node<'n>) -> Option<ResponseStep> {
        if let Value::String(_) = node.value {
            let text = formatted(node, "respond", &TEXT, &mut self.problems)?;
            let says = self.understood(StepTemplate::parse(text, &self.surroundings), &node.span)?;
            return Some(ResponseStep { when: None, says });
        }
        if node.members().is_none() {
            wrong_kind(node, "a step must be a text, or an object with \"do\"", &mut self.problems);
            return None;
        }
        let mut fields = ObjectReader::new(node, &STEP, &mut self.problems)?;
        let when = fields.get("when").map(|node| self.table(node, RowSubject::Record));
        let text = fields.get("do").zip(fields.text("do", &mut self.problems));
        let command = fields.get("run").zip(fields.text("run", &mut self.problems));
        fields.finish(&mut self.problems);
        let says =
            text.and_then(|(node, text)| self.understood(StepTemplate::parse(text, &self.surroundings), &node.span));
        // Of what is wrong with the text, nothing hides what is wrong with the command.
        let says = match command {
            None => says,
            Some((node, command)) => {
                let says = says.unwrap_or_default();
                self.understood(says.with_command(command, &self.surroundings), &node.span)
            }
        };
        Some(ResponseStep { when, says: says? })
    }
}
