//! A deployed stack, as `CloudFormation` knows it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::asker::{Asker, list, text};
use crate::aws::{ApiError, ApiService};

/// A stack of `template.yaml`.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    pub(super) asker: Asker<'a>,
    pub(super) name: &'a str,
    pub(super) status: String,
    pub(super) partition: String,
    pub(super) account: String,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
    resources: Vec<Resource>,
}

/// Something that a stack has made.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) logical: String,
    pub(super) physical: String,
    pub(super) kind: String,
}

impl<'a> Stack<'a> {
    /// Asks `CloudFormation` about a stack.
    ///
    /// # Errors
    /// There is no such stack, or nobody answers.
    pub(super) async fn find(asker: Asker<'a>, name: &'a str) -> Result<Self, ApiError> {
        let named = || vec![("StackName", name.to_owned())];
        let answer = asker.form(&ApiService::CLOUDFORMATION, "DescribeStacks", named()).await?;
        let stack = list(&answer, "Stacks").first().ok_or(ApiError::Unexpected("DescribeStacks"))?;
        let pairs = |member: &str, key: &str, value: &str| {
            let pairs = list(stack, member).iter();
            pairs.filter_map(|pair| Some((text(pair, key)?.to_owned(), text(pair, value)?.to_owned()))).collect()
        };
        let id = text(stack, "StackId").unwrap_or_default();
        let part = |index: usize| id.split(':').nth(index).unwrap_or_default().to_owned();
        let listed =
            asker.form_list(&ApiService::CLOUDFORMATION, "ListStackResources", named(), "StackResourceSummaries");
        let resources = listed.await?.iter().filter_map(resource).collect();
        Ok(Self {
            asker,
            name,
            status: text(stack, "StackStatus").unwrap_or_default().to_owned(),
            partition: part(1),
            account: part(4),
            outputs: pairs("Outputs", "OutputKey", "OutputValue"),
            parameters: pairs("Parameters", "ParameterKey", "ParameterValue"),
            resources,
        })
    }

    pub(super) const fn region(&self) -> &'a str {
        self.asker.region
    }

    /// An output; empty where the stack has none of this name, and [`super::checks::stack`] says so.
    pub(super) fn output(&self, key: &str) -> &str {
        self.outputs.get(key).map(String::as_str).unwrap_or_default()
    }

    /// A parameter; empty where it is, and where the stack has none of this name.
    pub(super) fn parameter(&self, key: &str) -> &str {
        self.parameters.get(key).map(String::as_str).unwrap_or_default()
    }

    /// Whether spokes send it their events.
    pub(super) fn is_hub(&self) -> bool {
        !self.output("HubBusArn").is_empty()
    }

    /// What a resource of the template is called; none where the stack has not made it.
    pub(super) fn physical(&self, logical: &str) -> Option<&str> {
        self.resources.iter().find(|resource| resource.logical == logical).map(|resource| resource.physical.as_str())
    }

    /// The resources of a type.
    pub(super) fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// The ARN of something in the stack's account and region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region(), self.account)
    }

    pub(super) fn function_arn(&self) -> String {
        self.arn("lambda", &format!("function:{}", self.output("FunctionName")))
    }

    /// The ARN of the queue whose URL is an output.
    pub(super) fn queue_arn(&self, output: &str) -> String {
        self.arn("sqs", self.output(output).rsplit('/').next().unwrap_or_default())
    }
}

fn resource(summary: &Value) -> Option<Resource> {
    Some(Resource {
        logical: text(summary, "LogicalResourceId")?.to_owned(),
        physical: text(summary, "PhysicalResourceId")?.to_owned(),
        kind: text(summary, "ResourceType")?.to_owned(),
    })
}
