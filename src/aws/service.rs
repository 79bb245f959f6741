//! The services of AWS that are asked without an SDK.

/// A service of AWS, and how it is talked to. The facts are those of its model in botocore (`metadata`).
#[derive(Debug)]
pub struct ApiService {
    /// What the SDKs call it, and so the variable that names another endpoint: `AWS_ENDPOINT_URL_…`.
    pub(super) name: &'static str,
    /// The beginning of its host, and its name in signatures.
    pub(super) host: &'static str,
    pub(super) protocol: Protocol,
}

/// How an operation and its input are written.
#[derive(Debug)]
pub(super) enum Protocol {
    /// `x-amz-target: TARGET.Operation`, and an object of JSON.
    Json { target: &'static str, content_type: &'static str },
    /// A form with the API's version; the answer is XML.
    Query { version: &'static str },
    /// A method and a path, perhaps with JSON; the answer is JSON, or nothing.
    Rest,
}

impl ApiService {
    /// One that speaks JSON 1.1.
    pub(crate) const fn json(name: &'static str, host: &'static str, target: &'static str) -> Self {
        Self { name, host, protocol: Protocol::Json { target, content_type: "application/x-amz-json-1.1" } }
    }

    /// One that speaks JSON 1.0.
    pub(crate) const fn json_1_0(name: &'static str, host: &'static str, target: &'static str) -> Self {
        Self { name, host, protocol: Protocol::Json { target, content_type: "application/x-amz-json-1.0" } }
    }

    /// One that takes forms.
    pub(crate) const fn query(name: &'static str, host: &'static str, version: &'static str) -> Self {
        Self { name, host, protocol: Protocol::Query { version } }
    }

    /// One that is asked by methods and paths, and answers in JSON.
    pub(crate) const fn rest(name: &'static str, host: &'static str) -> Self {
        Self { name, host, protocol: Protocol::Rest }
    }

    /// `CloudFormation`.
    pub const CLOUDFORMATION: Self = Self::query("CloudFormation", "cloudformation", "2010-05-15");
    /// `CloudTrail`.
    pub const CLOUDTRAIL: Self =
        Self::json("CloudTrail", "cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101");
    /// `CloudWatch` Logs.
    pub const CLOUDWATCH_LOGS: Self = Self::json("CloudWatch Logs", "logs", "Logs_20140328");
    /// `CloudWatch`: the query protocol is the one that every partition and emulator has.
    pub const CLOUDWATCH: Self = Self::query("CloudWatch", "monitoring", "2010-08-01");
    /// `DynamoDB`.
    pub const DYNAMODB: Self = Self::json_1_0("DynamoDB", "dynamodb", "DynamoDB_20120810");
    /// EC2.
    pub const EC2: Self = Self::query("EC2", "ec2", "2016-11-15");
    /// `EventBridge`.
    pub const EVENTBRIDGE: Self = Self::json("EventBridge", "events", "AWSEvents");
    /// KMS.
    pub const KMS: Self = Self::json("KMS", "kms", "TrentService");
    /// Lambda.
    pub const LAMBDA: Self = Self::rest("Lambda", "lambda");
    /// Organizations.
    pub const ORGANIZATIONS: Self = Self::json("Organizations", "organizations", "AWSOrganizationsV20161128");
    /// Secrets Manager.
    pub const SECRETS_MANAGER: Self = Self::json("Secrets Manager", "secretsmanager", "secretsmanager");
    /// Step Functions.
    pub const STEP_FUNCTIONS: Self = Self::json_1_0("SFN", "states", "AWSStepFunctions");
    /// SNS.
    pub const SNS: Self = Self::query("SNS", "sns", "2010-03-31");
    /// STS.
    pub const STS: Self = Self::query("STS", "sts", "2011-06-15");
    /// SQS.
    pub const SQS: Self = Self::json_1_0("SQS", "sqs", "AmazonSQS");
}
