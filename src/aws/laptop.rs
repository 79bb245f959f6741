//! Sends from a laptop: over the function's own HTTP client, with credentials from a file, and to SNS without an SDK.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::clients::Clients;
use super::endpoint::endpoint;
use super::http;
use super::service::ApiService;
use super::settings::FunctionSettings;
use super::signature::{Scope, Unsigned};
use crate::channel::{ContentType, HttpRequest, Method, Reply, Request};
use crate::deliver::Transport;
use crate::secret::{Credentials, CredentialsError, Secret};
use crate::text::percent_encoded;

/// The way to the channels from a person's machine, for one test alert.
#[derive(Debug)]
pub struct LaptopTransport {
    settings: FunctionSettings,
    clients: Clients,
    credentials: Arc<Credentials>,
}

impl LaptopTransport {
    /// With these settings, of which the topic, the access key, the endpoints and the further roots are used, and the channels'
    /// credentials.
    pub fn new(settings: FunctionSettings, credentials: Credentials) -> Self {
        Self { settings, clients: Clients::default(), credentials: Arc::new(credentials) }
    }

    async fn http(&self, request: HttpRequest, timeout: Duration) -> Reply {
        match self.clients.http(&self.settings) {
            Ok(client) => http::send(client, request, timeout).await,
            Err(_) => Reply::Unreachable("no HTTP client"),
        }
    }

    /// Publishes by SNS's query protocol: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
    async fn publish(&self, topic_arn: &str, form: &str, timeout: Duration) -> Reply {
        let region = topic_arn.split(':').nth(3).unwrap_or_default();
        let access = &self.settings.access;
        let url = format!("{}/", endpoint(access, &ApiService::SNS, region));
        let scope = Scope { service: "sns", region };
        let content_type = ("content-type", ContentType::Form.as_str().to_owned());
        let unsigned = Unsigned { method: "POST", url: &url, headers: &[content_type], body: form };
        let signed = match self.clients.keys().sign(access, scope, &unsigned) {
            Ok(signed) => signed,
            Err(error) => return Reply::SnsFault(error.to_string()),
        };
        let request = HttpRequest {
            method: Method::Post,
            url: Secret::new(url),
            headers: signed.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
            content: Some((ContentType::Form, Secret::new(form))),
        };
        match self.http(request, timeout).await {
            Reply::Http { status: 200, body, .. } => {
                Reply::Published(element(&body, "MessageId").unwrap_or_default().to_owned())
            }
            Reply::Http { status, body, .. } => {
                let code = element(&body, "Code").filter(|code| code.bytes().all(|b| b.is_ascii_alphanumeric()));
                Reply::SnsFault(code.map_or_else(|| format!("HTTP {status}"), str::to_owned))
            }
            other => other,
        }
    }
}

impl Transport for LaptopTransport {
    async fn send(&self, request: Request, timeout: Duration) -> Reply {
        match request {
            Request::Http(request) => self.http(request, timeout).await,
            Request::Sns { topic_arn, subject, message, attributes } => {
                let Some(topic_arn) = topic_arn.or_else(|| self.settings.topic_arn.clone()) else {
                    return Reply::SnsFault("no topic is named".to_owned());
                };
                self.publish(&topic_arn, &form(&topic_arn, &subject, &message, &attributes), timeout).await
            }
        }
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(Arc::clone(&self.credentials))
    }

    fn now(&self) -> SystemTime {
        http::now()
    }
}

/// A publish, as a form.
fn form(topic_arn: &str, subject: &str, message: &str, attributes: &[(String, String)]) -> String {
    let mut fields = vec![
        ("Action".to_owned(), "Publish"),
        ("Version".to_owned(), "2010-03-31"),
        ("TopicArn".to_owned(), topic_arn),
        ("Subject".to_owned(), subject),
        ("Message".to_owned(), message),
        ("MessageStructure".to_owned(), "json"),
    ];
    for (number, (name, value)) in (1..).zip(attributes) {
        let entry = format!("MessageAttributes.entry.{number}");
        fields.push((format!("{entry}.Name"), name));
        fields.push((format!("{entry}.Value.DataType"), "String"));
        fields.push((format!("{entry}.Value.StringValue"), value));
    }
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
    pairs.join("&")
}

/// The text of the first element of this name in a document of XML.
fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_all_that_is_published_and_an_answer_gives_its_id_or_its_code() {
        let attributes = [("severity".to_owned(), "low".to_owned())];
        assert_eq!(
            form("arn:aws:sns:eu-west-1:1:t", "a & b", "{}", &attributes),
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At&Subject=a%20%26%20b&Message=%7B%7D\
             &MessageStructure=json&MessageAttributes.entry.1.Name=severity&MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue=low"
        );
        assert_eq!(element("<A><MessageId>x-1</MessageId></A>", "MessageId"), Some("x-1"));
        assert_eq!(element("<Error><Type>Sender</Type><Code>NotFound</Code></Error>", "Code"), Some("NotFound"));
        assert_eq!(element("garbage", "Code"), None);
    }
}
