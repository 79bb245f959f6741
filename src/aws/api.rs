//! AWS's APIs, asked without an SDK: a signed request over the HTTP client that the vendors get, and its answer as JSON, whichever
//! of AWS's protocols the service speaks. The function asks DynamoDB, SQS and EventBridge so, and the command line everything.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, USER_AGENT};
use serde_json::Value;

use super::client_error::ClientError;
use super::clients::Clients;
use super::endpoint::endpoint;
use super::service::{ApiService, Protocol};
use super::signature::{Scope, Unsigned};
use super::{FunctionSettings, http, xml};
use crate::ids::spread;
use crate::text::{one_line, percent_encoded};
use crate::time::Timestamp;

/// How long a download may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(2);

/// For how long AWS is asked, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The time of one request.
    pub(super) request: Duration,
    /// The time of all requests together.
    pub(super) whole: Option<Duration>,
    /// How often a request is made that AWS asks us to make again.
    pub(super) busy: u32,
    /// How often a request is made that nobody answers.
    pub(super) unanswered: u32,
    /// The mean of the wait before the second request; it doubles.
    pub(super) first_wait: Duration,
}

impl Patience {
    /// Of a person who waits, perhaps on a slow line.
    const OF_PEOPLE: Self = Self {
        request: Duration::from_secs(20),
        whole: None,
        busy: 8,
        unanswered: 3,
        first_wait: Duration::from_millis(250),
    };
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
    /// Such a path, and an object that is put there.
    Put(String, Value),
    /// Such a path, and what is there is deleted.
    Delete(String),
    /// Such a path, and an event that a function is handed there, whose end nobody waits for.
    Event(String, String),
}

/// Asks AWS's APIs.
#[derive(Debug, Clone)]
pub struct AwsApi {
    settings: Arc<FunctionSettings>,
    clients: Arc<Clients>,
    patience: Patience,
    /// What is told as the user agent, if not the client's own.
    user_agent: Option<String>,
}

/// Why AWS does not tell. The text quotes no credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// There is no client: the environment lacks something.
    #[error("{0}")]
    Client(String),
    /// Nobody answered, however often they were asked.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// AWS refused, with its code and message.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// That of HTTP.
        status: u16,
        /// AWS's code: `AccessDeniedException`.
        code: String,
        /// AWS's words.
        message: String,
        /// Of a write of `DynamoDB` whose condition was not met, or a transaction that was cancelled: of each item a reason.
        reasons: Vec<Reason>,
    },
    /// The answer is not what AWS documents.
    #[error("{0} was answered with something else than AWS documents")]
    Unexpected(&'static str),
}

/// Why an item was not written. Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// AWS's code, `None` for an item that was in order.
    pub(super) code: String,
    /// What stands there instead, where that was asked for (`ReturnValuesOnConditionCheckFailure`), and there is something.
    pub(super) item: Option<Value>,
}

impl Reason {
    /// The code of an item whose condition was not met.
    pub(super) const CONDITION: &str = "ConditionalCheckFailed";
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        Self::Client(error.to_string())
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

    /// Whether AWS asks us to make the request again: the codes and the statuses that the SDKs take for throttling and for trouble
    /// that passes. <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
    fn is_busy(&self) -> bool {
        const CODES: [&str; 15] = [
            "BandwidthLimitExceeded",
            "EC2ThrottledException",
            "InternalError",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestTimeout",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ];
        match self {
            Self::Refused { status, code, .. } => {
                matches!(status, 429 | 500 | 502 | 503 | 504) || CODES.contains(&code.as_str())
            }
            _ => false,
        }
    }

    /// How often a request is made that ends so.
    fn attempts(&self, patience: Patience) -> u32 {
        match self {
            Self::NoAnswer(_) => patience.unanswered,
            _ if self.is_busy() => patience.busy,
            _ => 1,
        }
    }
}

impl AwsApi {
    /// Asks with these settings: of them, the credentials, the endpoints and the further roots are used; and with a person's
    /// patience.
    pub fn new(settings: FunctionSettings) -> Self {
        Self::sharing(Arc::new(settings), Arc::default())
    }

    /// The same over a client that others use too.
    pub(super) const fn sharing(settings: Arc<FunctionSettings>, clients: Arc<Clients>) -> Self {
        Self { settings, clients, patience: Patience::OF_PEOPLE, user_agent: None }
    }

    pub(super) const fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Gives one request this time.
    #[cfg(all(feature = "aws", feature = "cli"))]
    pub(super) const fn with_time_of_request(mut self, request: Duration) -> Self {
        self.patience.request = request;
        self
    }

    /// The same, but each request is made once, whatever becomes of it, and with this user agent.
    #[cfg(all(feature = "aws", feature = "cli"))]
    #[must_use]
    pub fn asking_once_as(mut self, user_agent: String) -> Self {
        self.patience = Patience { busy: 1, unanswered: 1, ..self.patience };
        self.user_agent = Some(user_agent);
        self
    }

    /// Our own region.
    pub(super) fn region(&self) -> Result<&str, ApiError> {
        Ok(self.settings.access.region.as_deref().ok_or(ClientError::NoRegion)?)
    }

    /// The settings that it asks with.
    pub(super) fn settings(&self) -> &FunctionSettings {
        &self.settings
    }

    /// The answer of one operation of a service that speaks JSON, in our own region.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); and no region is set.
    pub(super) async fn ask_here(
        &self,
        service: &ApiService,
        operation: &'static str,
        input: &ApiInput,
    ) -> Result<Value, ApiError> {
        self.ask(service, self.region()?, operation, input).await
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
        let asked = async {
            let (mut attempt, mut wait) = (1, self.patience.first_wait);
            loop {
                match self.attempt(service, region, operation, input).await {
                    Err(error) if attempt < error.attempts(self.patience) => {
                        // What fails together must not come back together.
                        let now = Timestamp::from(http::now()).millis().to_string();
                        tokio::time::sleep(wait.mul_f64(0.5 + spread(&now, attempt))).await;
                        wait *= 2;
                        attempt += 1;
                    }
                    answered => return answered,
                }
            }
        };
        match self.patience.whole {
            None => asked.await,
            Some(whole) => {
                let asked = tokio::time::timeout(whole, asked).await;
                asked.unwrap_or_else(|_| Err(ApiError::NoAnswer(format!("within {} seconds", whole.as_secs()))))
            }
        }
    }

    /// The bytes at an address that AWS has given out, which needs no signature: it has one.
    ///
    /// # Errors
    /// Nobody answers, or there is more than `most` bytes. The text does not have the address.
    pub async fn download(&self, operation: &'static str, url: &str, most: usize) -> Result<Vec<u8>, ApiError> {
        let no_answer = |error: reqwest::Error| ApiError::NoAnswer(http::reason(error));
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
        let base = endpoint(&self.settings.access, service, region);
        let header = |name: &'static str, value: String| (name, value);
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
            (Protocol::Rest, ApiInput::Path(path) | ApiInput::Delete(path)) => {
                (format!("{base}{path}"), Vec::new(), None)
            }
            (Protocol::Rest, ApiInput::Post(path, input) | ApiInput::Put(path, input)) => {
                let headers = vec![header("content-type", "application/json".to_owned())];
                (format!("{base}{path}"), headers, Some(input.to_string()))
            }
            (Protocol::Rest, ApiInput::Event(path, event)) => {
                let headers = vec![header("x-amz-invocation-type", "Event".to_owned())];
                (format!("{base}{path}"), headers, Some(event.clone()))
            }
            _ => return Err(ApiError::Unexpected(operation)),
        };
        let method = match input {
            ApiInput::Path(_) => Method::GET,
            ApiInput::Put(..) => Method::PUT,
            ApiInput::Delete(_) => Method::DELETE,
            ApiInput::Json(_) | ApiInput::Form(_) | ApiInput::Post(..) | ApiInput::Event(..) => Method::POST,
        };
        let unsigned = Unsigned {
            method: method.as_str(),
            url: &url,
            headers: &headers,
            body: body.as_deref().unwrap_or_default(),
        };
        let scope = Scope { service: service.host, region };
        let signed = self.clients.keys().sign(&self.settings.access, scope, &unsigned)?;
        headers.extend(signed);
        let mut request = client.request(method, &url).timeout(self.patience.request);
        if let Some(user_agent) = &self.user_agent {
            request = request.header(USER_AGENT, user_agent);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let no_answer = |error: reqwest::Error| ApiError::NoAnswer(http::reason(error));
        let response = request.send().await.map_err(no_answer)?;
        let (status, named) = (response.status(), code_of_headers(response.headers()));
        let text = response.text().await.map_err(no_answer)?;
        let is_xml = matches!(service.protocol, Protocol::Query { .. });
        let may_be_without_words =
            matches!(input, ApiInput::Post(..) | ApiInput::Put(..) | ApiInput::Delete(_) | ApiInput::Event(..));
        let is_done_without_words = may_be_without_words && status.is_success() && text.is_empty();
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
    let reasons = answer.and_then(|answer| answer.get("CancellationReasons")?.as_array());
    let reason = |reason: &Value| Reason {
        code: reason.get("Code").and_then(Value::as_str).unwrap_or("None").to_owned(),
        item: reason.get("Item").cloned(),
    };
    let mut reasons: Vec<Reason> = reasons.into_iter().flatten().map(reason).collect();
    // Of a write that is no transaction.
    if let Some(item) = answer.and_then(|answer| answer.get("Item")) {
        reasons.push(Reason { code: Reason::CONDITION.to_owned(), item: Some(item.clone()) });
    }
    ApiError::Refused { operation, status, code, message, reasons }
}

fn form(operation: &str, version: &str, fields: &[(&'static str, String)]) -> String {
    let mut form = format!("Action={operation}&Version={version}");
    for (name, value) in fields {
        form.extend(["&", name, "=", &percent_encoded(value)]);
    }
    form
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let refused = |status: u16, code: &str, message: &str| ApiError::Refused {
            operation: "X",
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            reasons: Vec::new(),
        };
        for (status, code) in
            [(400, "ThrottlingException"), (400, "ProvisionedThroughputExceededException"), (503, "X")]
        {
            assert_eq!(refused(status, code, "").attempts(Patience::OF_PEOPLE), 8, "{status} {code}");
        }
        for error in [refused(403, "AccessDeniedException", ""), ApiError::Unexpected("X")] {
            assert_eq!(error.attempts(Patience::OF_PEOPLE), 1, "{error}");
        }
        assert!(refused(400, "ValidationError", "Stack with id x does not exist").is_missing());
        assert!(!refused(400, "ValidationError", "1 validation error").is_missing());
        assert!(!refused(403, "AccessDenied", "").is_missing());
    }

    #[test]
    fn a_cancelled_transaction_says_what_was_wrong_with_each_item() {
        let answer = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "Transaction cancelled",
            "CancellationReasons": [
                { "Code": "None" }, { "Code": "ConditionalCheckFailed", "Message": "failed", "Item": { "a": { "S": "b" } } },
            ],
        });
        let ApiError::Refused { code, reasons, .. } = refusal("X", 400, None, Some(&answer)) else { panic!("refused") };
        assert_eq!(code, "TransactionCanceledException");
        let reason = |code: &str, item| Reason { code: code.to_owned(), item };
        let found = json!({ "a": { "S": "b" } });
        assert_eq!(reasons, [reason("None", None), reason("ConditionalCheckFailed", Some(found.clone()))]);
        let answer = json!({ "__type": "x#ConditionalCheckFailedException", "message": "failed", "Item": found });
        let ApiError::Refused { reasons, .. } = refusal("X", 400, None, Some(&answer)) else { panic!("refused") };
        assert_eq!(reasons, [reason("ConditionalCheckFailed", Some(found))]);
    }

    #[test]
    fn a_form_holds_all_that_is_asked() {
        let fields = [("TopicArn", "arn:aws:sns:eu-west-1:1:t".to_owned())];
        assert_eq!(form("X", "1", &fields), "Action=X&Version=1&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At");
    }
}
