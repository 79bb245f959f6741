//! The SDK's configuration, from our settings, and its way out: the HTTP client that the channels use too. One TLS stack, one
//! set of roots, one pool of connections, one answer to proxies.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_sdk_sns::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::client_error::ClientError;
use super::settings::AwsAccess;
use super::signature::digest_of;

/// The time of one attempt: what AWS has not answered by then is asked again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

/// How a service of AWS is called by its SDK over this client. Three attempts, each of three seconds at most; a caller with a
/// retry of its own turns the SDK's off.
///
/// # Errors
/// Which variable is missing.
pub(super) fn config(access: &AwsAccess, client: reqwest::Client) -> Result<SdkConfig, ClientError> {
    let region = access.region.clone().ok_or(ClientError::NoRegion)?;
    let (id, secret) = access.key.as_ref().ok_or(ClientError::NoAccessKey)?;
    let token = access.session_token.as_ref().map(|token| token.expose().to_owned());
    let credentials = Credentials::new(id, secret.expose(), token, None, "environment");
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // They are the process's, and do not change.
        .identity_cache(IdentityCache::no_cache())
        .use_fips(access.fips)
        .use_dual_stack(access.dual_stack)
        .service_config(Endpoints(access.clone()))
        .retry_config(RetryConfig::standard())
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
        // An attempt's timeout says the same, sooner.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(TokioSleep::new())
        .http_client(SdkHttpClient(client))
        .build())
}

/// Where a service is, if not at its usual place.
#[derive(Debug)]
struct Endpoints(AwsAccess);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        self.0.endpoint(key.service_id()).map(str::to_owned)
    }
}

/// Our HTTP client, as the SDK's.
#[derive(Debug, Clone)]
struct SdkHttpClient(reqwest::Client);

impl HttpClient for SdkHttpClient {
    /// The settings' connect timeout is the client's own; the SDK sets a read timeout only if it is told to.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SdkHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            // What is in memory is sent with its length, what streams is streamed.
            let request = request.map(|body| match body.bytes() {
                Some(bytes) => reqwest::Body::from(bytes.to_vec()),
                None => reqwest::Body::wrap(body),
            });
            let request = request.try_into().map_err(|error: reqwest::Error| ConnectorError::user(error.into()))?;
            let response = client.execute(request).await.map_err(fault)?;
            let response = http::Response::from(response).map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Gives the SDK the digest of what it is about to sign: that of the TLS library, by which our own requests are signed, too. The
/// SDK's own takes twice as long where a processor has no instructions for SHA-256, and a message to SNS has ten kilobytes.
#[derive(Debug)]
pub(super) struct BodyDigest;

impl Intercept for BodyDigest {
    fn name(&self) -> &'static str {
        "BodyDigest"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        state: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // What streams is left to the SDK.
        if let Some(body) = context.request().body().bytes() {
            state.interceptor_state().store_put(PayloadSigningOverride::Precomputed(digest_of(body)));
        }
        Ok(())
    }
}

/// Which of the SDK's kinds of error it is: what it tries again depends on that.
fn fault(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use aws_sdk_sns::error::ProvideErrorMetadata;
    use aws_smithy_async::time::TimeSource;

    use super::*;
    use crate::aws::endpoint::endpoint;
    use crate::aws::service::ApiService;
    use crate::aws::transport::AwsTransport;
    use crate::aws::{FunctionSettings, clients::Clients};
    use crate::channel::{Reply, Request};
    use crate::deliver::Transport;
    use crate::http_client::client;

    /// A service that gives these answers, one a connection, and returns what it was asked.
    fn service(answers: Vec<(&'static str, String)>) -> (FunctionSettings, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let variables = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "s3cret"),
            ("AWS_SESSION_TOKEN", "t0ken"),
            ("AWS_ENDPOINT_URL_SNS", &url),
        ];
        let settings =
            FunctionSettings::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let asked = std::thread::spawn(move || {
            let answer = |(status, body): (&str, String)| {
                let (mut connection, _) = listener.accept().unwrap();
                let asked = request(&connection);
                let length = body.len();
                write!(connection, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
                    .unwrap();
                asked
            };
            answers.into_iter().map(answer).collect()
        });
        (settings, asked)
    }

    fn request(connection: &TcpStream) -> String {
        let mut reader = BufReader::new(connection);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        head + &String::from_utf8(body).unwrap()
    }

    async fn publish(settings: &FunctionSettings) -> Result<String, String> {
        let clients = Clients::default();
        let sns = clients.sns(settings).map_err(|error| error.to_string())?;
        let sent = sns.publish().topic_arn("arn:aws:sns:eu-west-1:1:t").message("héllo").send().await;
        sent.map(|answer| answer.message_id.unwrap()).map_err(|error| error.code().unwrap_or("no code").to_owned())
    }

    #[tokio::test]
    async fn a_call_is_signed_and_its_answer_read() {
        let body = "<PublishResponse><PublishResult><MessageId>7</MessageId></PublishResult></PublishResponse>";
        let (settings, asked) = service(vec![("200 OK", body.to_owned())]);
        assert_eq!(publish(&settings).await, Ok("7".to_owned()));
        let asked = asked.join().unwrap().concat();
        for part in [
            "POST / HTTP/1.1\r\n",
            "Credential=AKIDEXAMPLE/",
            "/eu-west-1/sns/aws4_request",
            "x-amz-security-token: t0ken\r\n",
            "Action=Publish",
            "Message=h%C3%A9llo",
        ] {
            assert!(asked.contains(part), "{part} is not in {asked}");
        }
        assert!(!asked.contains("s3cret") && !asked.to_lowercase().contains("transfer-encoding"), "{asked}");
    }

    /// A clock that stands still, so that what is signed twice has one signature.
    #[derive(Debug)]
    struct Stopped;

    impl TimeSource for Stopped {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_044_764)
        }
    }

    #[tokio::test]
    async fn a_body_whose_digest_is_given_is_signed_as_the_sdk_signs_it() {
        let body = "<PublishResponse><PublishResult><MessageId>7</MessageId></PublishResult></PublishResponse>";
        let (settings, asked) = service(vec![("200 OK", body.to_owned()); 3]);
        let config = config(&settings.access, client(None).unwrap()).unwrap();
        for (is_given, message) in [(false, "héllo"), (true, "héllo"), (true, "hello")] {
            let config = aws_sdk_sns::config::Builder::from(&config).time_source(Stopped);
            let config = if is_given { config.interceptor(BodyDigest) } else { config };
            let sns = aws_sdk_sns::Client::from_conf(config.build());
            sns.publish().topic_arn("arn:aws:sns:eu-west-1:1:t").message(message).send().await.unwrap();
        }
        let asked = asked.join().unwrap();
        let signature = |asked: &str| asked.split_once("Signature=").unwrap().1[..64].to_owned();
        let [theirs, ours, other] = [0, 1, 2].map(|number: usize| signature(&asked[number]));
        assert_eq!(theirs, ours);
        assert_ne!(ours, other);
    }

    #[tokio::test]
    async fn a_topic_is_asked_in_its_own_region() {
        let body = "<PublishResponse><PublishResult><MessageId>7</MessageId></PublishResult></PublishResponse>";
        let (settings, asked) = service(vec![("200 OK", body.to_owned()), ("200 OK", body.to_owned())]);
        let transport = AwsTransport::new(settings.into(), Arc::default());
        for region in ["us-east-1", "eu-west-1"] {
            let topic_arn = Some(format!("arn:aws:sns:{region}:123456789012:soc"));
            let (subject, message) = ("s".to_owned(), "m".to_owned());
            let request = Request::Sns { topic_arn, subject, message, attributes: Vec::new() };
            let reply = transport.send(request, Duration::from_secs(20)).await;
            assert_eq!(reply, Reply::Published("7".to_owned()));
        }
        let asked = asked.join().unwrap();
        assert!(asked[0].contains("/us-east-1/sns/aws4_request") && asked[1].contains("/eu-west-1/sns/aws4_request"));
    }

    /// The endpoint that the SDK of a service itself finds.
    macro_rules! found_by {
        ($sdk:ident, $region:expr, $access:expr) => {{
            use $sdk::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
            let params = Params::builder().region($region).use_fips($access.fips);
            let params = params.use_dual_stack($access.dual_stack).build().unwrap();
            DefaultResolver::new().resolve_endpoint(&params).await.unwrap().url().to_owned()
        }};
    }

    #[tokio::test]
    async fn who_asks_without_an_sdk_goes_where_the_sdk_would() {
        for region in ["us-east-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "us-isob-east-1"] {
            for (fips, dual_stack) in [(false, false), (true, false), (false, true), (true, true)] {
                let access = AwsAccess { fips, dual_stack, ..AwsAccess::default() };
                let [sns, secrets] =
                    [ApiService::SNS, ApiService::SECRETS_MANAGER].map(|service| endpoint(&access, &service, region));
                assert_eq!(sns, found_by!(aws_sdk_sns, region, access));
                assert_eq!(secrets, found_by!(aws_sdk_secretsmanager, region, access));
            }
        }
    }

    #[tokio::test]
    async fn an_error_of_aws_keeps_its_code_and_is_left_to_deliver() {
        let body = "<ErrorResponse><Error><Code>Throttled</Code><Message>slow down</Message></Error></ErrorResponse>";
        let (settings, asked) = service(vec![("429 Too Many Requests", body.to_owned())]);
        assert_eq!(publish(&settings).await, Err("Throttled".to_owned()));
        assert_eq!(asked.join().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        assert_eq!(publish(&FunctionSettings::default()).await, Err("AWS_REGION is not set".to_owned()));
        let region = FunctionSettings::new([("AWS_REGION".to_owned(), "eu-west-1".to_owned())].into_iter());
        assert!(publish(&region).await.unwrap_err().starts_with("AWS_ACCESS_KEY_ID and"));
    }
}
