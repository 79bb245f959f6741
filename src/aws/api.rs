//! AWS's APIs, asked without an SDK, by the command line and by the function's sweep: a signed request, and its answer as JSON, whichever of AWS's
//! protocols the service speaks.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::clients::Clients;
use super::sdk::ClientError;
use super::signature::{self, Scope, SigningError, Unsigned};
use super::{FunctionSettings, xml};
use crate::cloudtrail::partition_of;
use crate::text::{one_line, percent_encoded};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a download may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(2);
/// How often a request is made that AWS asks us to make again.
const ATTEMPTS: u32 = 8;
/// How often a request is made that nobody answers.
const UNANSWERED_ATTEMPTS: u32 = 3;
/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A service of AWS, and how it is talked to. The facts are those of its model in botocore (`metadata`).
#[derive(Debug)]
pub struct ApiService {
    /// What the SDKs call it, and so the variable that names another endpoint: `AWS_ENDPOINT_URL_…`.
    name: &'static str,
    /// The beginning of its host, and its name in signatures.
    host: &'static str,
    protocol: Protocol,
}

/// How an operation and its input are written.
#[derive(Debug)]
enum Protocol {
    /// `x-amz-target: TARGET.Operation`, and an object of JSON.
    Json { target: &'static str, content_type: &'static str },
    /// A form with the API's version; the answer is XML.
    Query { version: &'static str },
    /// A GET of a path, or a POST of JSON to one; the answer is JSON, or nothing.
    Rest,
}

impl ApiService {
    const fn json(name: &'static str, host: &'static str, target: &'static str) -> Self {
        Self { name, host, protocol: Protocol::Json { target, content_type: "application/x-amz-json-1.1" } }
    }

    const fn json_1_0(name: &'static str, host: &'static str, target: &'static str) -> Self {
        Self { name, host, protocol: Protocol::Json { target, content_type: "application/x-amz-json-1.0" } }
    }

    const fn query(name: &'static str, host: &'static str, version: &'static str) -> Self {
        Self { name, host, protocol: Protocol::Query { version } }
    }

    /// `CloudFormation`.
    pub const CLOUDFORMATION: Self = Self::query("CloudFormation", "cloudformation", "2010-05-15");
    /// `CloudTrail`.
    pub const CLOUDTRAIL: Self =
        Self::json("CloudTrail", "cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101");
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
    pub const LAMBDA: Self = Self { name: "Lambda", host: "lambda", protocol: Protocol::Rest };
    /// Organizations.
    pub const ORGANIZATIONS: Self = Self::json("Organizations", "organizations", "AWSOrganizationsV20161128");
    /// Secrets Manager.
    pub const SECRETS_MANAGER: Self = Self::json("Secrets Manager", "secretsmanager", "secretsmanager");
    /// SNS.
    pub const SNS: Self = Self::query("SNS", "sns", "2010-03-31");
    /// STS.
    pub const STS: Self = Self::query("STS", "sts", "2011-06-15");
    /// SQS.
    pub const SQS: Self = Self::json_1_0("SQS", "sqs", "AmazonSQS");
}

/// What an operation is told, as the service's protocol writes it.
#[derive(Debug)]
pub enum ApiInput {
    /// An object.
    Json(Value),
    /// Names and values of a form.
    Form(Vec<(&'static str, String)>),
    /// A path that begins with `/`, its parts percent-encoded.
    Path(String),
    /// Such a path, and an object that is sent there.
    Post(String, Value),
    /// Such a path, and an event that a function is handed there, whose end nobody waits for.
    Event(String, String),
}

/// Asks AWS's APIs.
#[derive(Debug)]
pub struct AwsApi {
    settings: FunctionSettings,
    clients: Clients,
}

/// Why AWS does not tell. The text quotes no credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// There is no client: the environment lacks something.
    #[error("{0}")]
    Client(String),
    /// The request cannot be signed.
    #[error("{0}")]
    Signing(String),
    /// Nobody answered, however often they were asked.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// AWS refused, with its code and message.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// AWS's code: `AccessDeniedException`.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// The answer is not what AWS documents.
    #[error("{0} was answered with something else than AWS documents")]
    Unexpected(&'static str),
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        Self::Client(error.to_string())
    }
}

impl From<SigningError> for ApiError {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::NoKey(error) => error.into(),
            SigningError::Unsignable(_) => Self::Signing(error.to_string()),
        }
    }
}

impl ApiError {
    /// Whether AWS says that what was asked about is not there. The codes are those of the services' models, and the two that SQS
    /// has for one fault; `CloudFormation` has none of its own, and says so in words.
    pub fn is_missing(&self) -> bool {
        const CODES: [&str; 7] = [
            "ResourceNotFoundException",
            "NotFoundException",
            "NotFound",
            "TrailNotFoundException",
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
            "ResourceNotFound",
        ];
        match self {
            Self::Refused { code, message, .. } => {
                CODES.contains(&code.as_str()) || (code == "ValidationError" && message.contains("does not exist"))
            }
            _ => false,
        }
    }

    /// How often a request is made that ends so.
    fn attempts(&self) -> u32 {
        const BUSY: [&str; 7] = [
            "TooManyRequestsException",
            "ThrottlingException",
            "Throttling",
            "ThrottledException",
            "RequestThrottled",
            "RequestLimitExceeded",
            "ServiceException",
        ];
        match self {
            Self::NoAnswer(_) => UNANSWERED_ATTEMPTS,
            Self::Refused { code, .. } if BUSY.contains(&code.as_str()) || code.starts_with("status 5") => ATTEMPTS,
            _ => 1,
        }
    }
}

impl AwsApi {
    /// Asks with these settings: of them, the credentials, the endpoints and the further roots are used.
    pub fn new(settings: FunctionSettings) -> Self {
        Self { settings, clients: Clients::default() }
    }

    /// The answer of one operation, asked again while AWS wants that. An answer of the query protocol is what stands in its
    /// `…Result`.
    ///
    /// # Errors
    /// AWS refused, did not answer, or answered with something else than it documents.
    pub async fn ask(
        &self,
        service: &ApiService,
        region: &str,
        operation: &'static str,
        input: &ApiInput,
    ) -> Result<Value, ApiError> {
        let (mut attempt, mut wait) = (1, FIRST_WAIT);
        loop {
            match self.attempt(service, region, operation, input).await {
                Err(error) if attempt < error.attempts() => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                    attempt += 1;
                }
                answered => return answered,
            }
        }
    }

    /// The bytes at an address that AWS has given out, which needs no signature: it has one.
    ///
    /// # Errors
    /// Nobody answers, or there is more than `most` bytes. The text does not have the address.
    pub async fn download(&self, operation: &'static str, url: &str, most: usize) -> Result<Vec<u8>, ApiError> {
        let no_answer = |error: reqwest::Error| ApiError::NoAnswer(error.without_url().to_string());
        let request = self.clients.http(&self.settings)?.get(url).timeout(DOWNLOAD_TIMEOUT);
        let mut response = request.send().await.map_err(no_answer)?;
        if !response.status().is_success() {
            return Err(refusal(operation, response.status().as_u16(), None, None));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > most {
                return Err(ApiError::Unexpected(operation));
            }
        }
        Ok(bytes)
    }

    async fn attempt(
        &self,
        service: &ApiService,
        region: &str,
        operation: &'static str,
        input: &ApiInput,
    ) -> Result<Value, ApiError> {
        let client = self.clients.http(&self.settings)?;
        let endpoint = self.settings.access.endpoint(service.name);
        let base = endpoint.map_or_else(|| usual_endpoint(service.host, region), str::to_owned);
        let base = base.trim_end_matches('/');
        let header = |name: &str, value: String| (name.to_owned(), value);
        let (url, mut headers, body) = match (&service.protocol, input) {
            (Protocol::Json { target, content_type }, ApiInput::Json(input)) => {
                let target = header("x-amz-target", format!("{target}.{operation}"));
                let headers = vec![header("content-type", (*content_type).to_owned()), target];
                (format!("{base}/"), headers, Some(input.to_string()))
            }
            (Protocol::Query { version }, ApiInput::Form(fields)) => {
                let content_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
                (format!("{base}/"), vec![header("content-type", content_type)], Some(form(operation, version, fields)))
            }
            (Protocol::Rest, ApiInput::Path(path)) => (format!("{base}{path}"), Vec::new(), None),
            (Protocol::Rest, ApiInput::Post(path, input)) => {
                let headers = vec![header("content-type", "application/json".to_owned())];
                (format!("{base}{path}"), headers, Some(input.to_string()))
            }
            (Protocol::Rest, ApiInput::Event(path, event)) => {
                let headers = vec![header("x-amz-invocation-type", "Event".to_owned())];
                (format!("{base}{path}"), headers, Some(event.clone()))
            }
            _ => return Err(ApiError::Unexpected(operation)),
        };
        let method = if body.is_some() { "POST" } else { "GET" };
        let unsigned = Unsigned { method, url: &url, headers: &headers, body: body.as_deref().unwrap_or_default() };
        let scope = Scope { service: service.host, region };
        let signed = signature::headers(&self.settings.access, scope, &unsigned)?;
        headers.extend(signed);
        let mut request = if body.is_some() { client.post(&url) } else { client.get(&url) }.timeout(TIMEOUT);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let no_answer = |error: reqwest::Error| ApiError::NoAnswer(error.without_url().to_string());
        let response = request.send().await.map_err(no_answer)?;
        let (status, named) = (response.status(), code_of_headers(response.headers()));
        let text = response.text().await.map_err(no_answer)?;
        let is_xml = matches!(service.protocol, Protocol::Query { .. });
        let is_done_without_words =
            matches!(input, ApiInput::Post(..) | ApiInput::Event(..)) && status.is_success() && text.is_empty();
        let answer = if is_done_without_words {
            Some(Value::Object(serde_json::Map::new()))
        } else if is_xml {
            xml::read(&text)
        } else {
            serde_json::from_str(&text).ok()
        };
        if !status.is_success() {
            return Err(refusal(operation, status.as_u16(), named, answer.as_ref()));
        }
        let answer = answer.filter(|answer| !is_xml || !answer.is_null());
        let mut answer = answer.ok_or(ApiError::Unexpected(operation))?;
        if is_xml && let Some(result) = answer.get_mut(format!("{operation}Result")) {
            return Ok(result.take());
        }
        // An empty element is a text.
        if is_xml || answer.is_object() { Ok(answer) } else { Err(ApiError::Unexpected(operation)) }
    }
}

/// The code that REST answers with in a header, which may add an address: `ResourceNotFoundException:http://…`; and SQS the code of
/// its older protocol, which tells a missing queue from others: `AWS.SimpleQueueService.NonExistentQueue;Sender`.
fn code_of_headers(headers: &HeaderMap) -> Option<String> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let named = header("x-amzn-query-error").or_else(|| header("x-amzn-errortype"))?;
    named.split([':', ';']).next().map(|code| one_line(code, 100).into_owned()).filter(|code| !code.is_empty())
}

/// What a refusal says: the JSON protocols in `__type` and `message`, the query protocol in `Error`, EC2 in `Errors`.
fn refusal(operation: &'static str, status: u16, named: Option<String>, answer: Option<&Value>) -> ApiError {
    let answer = answer.map(|answer| answer.pointer("/Errors/Error").or_else(|| answer.get("Error")).unwrap_or(answer));
    let text = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| answer?.get(*key)?.as_str());
        found.map(|text| one_line(text, 300).into_owned())
    };
    let code = named.or_else(|| text(&["__type", "code", "Code"])).unwrap_or_else(|| format!("status {status}"));
    // `com.amazonaws…#AccessDeniedException` is the same.
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    let message = text(&["message", "Message"]).unwrap_or_else(|| "no reason was given".to_owned());
    ApiError::Refused { operation, code, message }
}

fn form(operation: &str, version: &str, fields: &[(&'static str, String)]) -> String {
    let mut form = format!("Action={operation}&Version={version}");
    for (name, value) in fields {
        form.extend(["&", name, "=", &percent_encoded(value)]);
    }
    form
}

/// A service in a region: <https://docs.aws.amazon.com/general/latest/gr/rande.html>, and the partitions of
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>.
pub(super) fn usual_endpoint(host: &str, region: &str) -> String {
    let suffix = match partition_of(region) {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso" => "c2s.ic.gov",
        _ => "amazonaws.com",
    };
    format!("https://{host}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_partition_has_its_own_place() {
        for (region, url) in [
            ("us-east-1", "https://organizations.us-east-1.amazonaws.com"),
            ("us-gov-west-1", "https://organizations.us-gov-west-1.amazonaws.com"),
            ("cn-northwest-1", "https://organizations.cn-northwest-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "https://organizations.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(usual_endpoint("organizations", region), url);
        }
    }

    #[test]
    fn a_refusal_of_each_protocol_says_its_code_and_what_may_pass_is_asked_again() {
        let told = |named: Option<&str>, answer: &Value| match refusal("X", 400, named.map(str::to_owned), Some(answer))
        {
            ApiError::Refused { code, message, .. } => format!("{code}: {message}"),
            other => panic!("{other}"),
        };
        let json = json!({"__type": "com.amazonaws.x#ThrottlingException", "message": "slower"});
        assert_eq!(told(None, &json), "ThrottlingException: slower");
        let query = json!({"Error": {"Code": "NotFound", "Message": "no topic"}, "RequestId": "1"});
        assert_eq!(told(None, &query), "NotFound: no topic");
        let ec2 = json!({"Errors": {"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}});
        assert_eq!(told(None, &ec2), "UnauthorizedOperation: no");
        assert_eq!(
            told(Some("ResourceNotFoundException"), &json!({"Message": "gone"})),
            "ResourceNotFoundException: gone"
        );
        let refused = |code: &str, message: &str| ApiError::Refused {
            operation: "X",
            code: code.to_owned(),
            message: message.to_owned(),
        };
        for busy in ["TooManyRequestsException", "ThrottlingException", "status 503"] {
            assert_eq!(refused(busy, "").attempts(), ATTEMPTS, "{busy}");
        }
        assert_eq!((refused("AccessDeniedException", "").attempts(), ApiError::Unexpected("X").attempts()), (1, 1));
        assert!(refused("ValidationError", "Stack with id x does not exist").is_missing());
        assert!(
            !refused("ValidationError", "1 validation error").is_missing() && !refused("AccessDenied", "").is_missing()
        );
    }

    #[test]
    fn a_form_holds_all_that_is_asked() {
        let fields = [("TopicArn", "arn:aws:sns:eu-west-1:1:t".to_owned())];
        assert_eq!(form("X", "1", &fields), "Action=X&Version=1&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At");
    }
}
