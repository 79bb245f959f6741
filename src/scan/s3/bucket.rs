//! One bucket: lists and objects, asked for again when S3 is busy, elsewhere, or wants fresh credentials.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, IF_MATCH, IF_NONE_MATCH, RANGE};
use reqwest::{Client, Response, StatusCode};
use rusty_s3::actions::{ListObjectsV2, ListObjectsV2Response, S3Action};
use rusty_s3::{Bucket, Credentials, UrlStyle};

use super::access::{self, S3Access};

/// How often one request is tried.
const ATTEMPTS: u32 = 6;
/// The wait before the second attempt; each further one is twice as long.
const INITIAL_BACKOFF: Duration = Duration::from_millis(200);
/// The time of one attempt, from the connection to the last byte.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the signature of a request is valid.
const SIGNATURE_LIFETIME: Duration = Duration::from_mins(15);

/// A bucket in S3, and how it is reached.
#[derive(Debug)]
pub(super) struct S3Bucket {
    client: Client,
    name: String,
    endpoint: Option<String>,
    /// Both may turn out to be others, and then are for every request.
    state: Mutex<BucketState>,
}

#[derive(Debug, Clone)]
struct BucketState {
    bucket: Bucket,
    credentials: Credentials,
    renewed: bool,
}

/// Why S3 does not do what it is asked. The text quotes no credential and no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3Fault {
    /// There is no such object, or no such bucket.
    #[error("{0}")]
    Missing(String),
    /// The object is not the one that was listed, or is there already.
    #[error("{0}")]
    Precondition(String),
    /// Everything else: refused, or not answered however often it was asked.
    #[error("{0}")]
    Other(String),
}

impl From<String> for S3Fault {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

/// Which keys are listed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ListQuestion<'a> {
    /// With what they begin.
    pub(super) prefix: &'a str,
    /// Where the page before has ended.
    pub(super) token: Option<&'a str>,
    /// Keys that have it behind the prefix are told as folders.
    pub(super) delimiter: Option<&'static str>,
    /// Only keys behind this one.
    pub(super) after: Option<&'a str>,
}

/// A request to the bucket.
enum S3Request<'a> {
    List(ListQuestion<'a>),
    Object { key: &'a str, range: Option<(u64, u64)>, etag: Option<&'a str> },
    Put { key: &'a str, body: Vec<u8>, only_if_absent: bool },
}

impl S3Request<'_> {
    /// What must be allowed for it.
    const fn needs(&self) -> &'static str {
        match self {
            Self::List(_) | Self::Object { .. } => "reading needs s3:ListBucket and s3:GetObject (and kms:Decrypt)",
            Self::Put { .. } => "writing needs s3:PutObject (and kms:GenerateDataKey)",
        }
    }
}

impl S3Bucket {
    pub(super) fn new(name: &str, access: S3Access) -> Result<Self, String> {
        let S3Access { credentials, region, endpoint } = access;
        #[expect(clippy::disallowed_methods, reason = "the command line's own; the function never comes here")]
        let ca_file = std::env::var("SSL_CERT_FILE").ok();
        let client = crate::http_client::client(ca_file.as_deref()).map_err(|error| error.to_string())?;
        let bucket = bucket(name, &region, endpoint.as_deref())?;
        let state = Mutex::new(BucketState { bucket, credentials, renewed: false });
        Ok(Self { client, name: name.to_owned(), endpoint, state })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One page of keys.
    pub(super) async fn list(&self, question: ListQuestion<'_>) -> Result<ListObjectsV2Response, S3Fault> {
        let answer = self.ask(&S3Request::List(question)).await?;
        let text = String::from_utf8(answer).map_err(|_| "S3's list is not UTF-8".to_owned())?;
        let page = ListObjectsV2::parse_response(&text);
        page.map_err(|error| S3Fault::Other(format!("S3's list cannot be read: {error}")))
    }

    /// An object, or its bytes from the first to the last of `range`; if it is still the one with this `ETag`, where one is given.
    pub(super) async fn object(
        &self,
        key: &str,
        range: Option<(u64, u64)>,
        etag: Option<&str>,
    ) -> Result<Vec<u8>, S3Fault> {
        self.ask(&S3Request::Object { key, range, etag }).await
    }

    /// Writes an object whole; with `only_if_absent`, unless there is one.
    pub(super) async fn put(&self, key: &str, body: Vec<u8>, only_if_absent: bool) -> Result<(), S3Fault> {
        self.ask(&S3Request::Put { key, body, only_if_absent }).await.map(|_| ())
    }

    async fn ask(&self, ask: &S3Request<'_>) -> Result<Vec<u8>, S3Fault> {
        let mut wait = INITIAL_BACKOFF;
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            let answer = match self.send(ask).await {
                Ok(answer) => answer,
                Err(error) => {
                    last = error.without_url().to_string();
                    continue;
                }
            };
            let status = answer.status();
            if status.is_success() {
                match answer.bytes().await {
                    Ok(bytes) => return Ok(bytes.into()),
                    Err(error) => last = error.without_url().to_string(),
                }
                continue;
            }
            let region = answer.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
            let region = region.map(str::to_owned);
            let body = answer.text().await.unwrap_or_default();
            let code = code(&body);
            last = format!("S3 says {}{}", status.as_u16(), code.map(|code| format!(" {code}")).unwrap_or_default());
            match (status, code) {
                (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS, _) => {}
                _ if status.is_server_error() => {}
                (StatusCode::MOVED_PERMANENTLY | StatusCode::TEMPORARY_REDIRECT | StatusCode::BAD_REQUEST, _)
                    if region.as_deref().is_some_and(|region| self.moves(region)) => {}
                (_, Some("ExpiredToken" | "RequestTimeTooSkewed" | "InvalidToken")) if self.renew() => {}
                // Somebody else writes the same object at this moment.
                (StatusCode::CONFLICT, Some("ConditionalRequestConflict")) => {}
                (StatusCode::FORBIDDEN, _) => return Err(S3Fault::Other(format!("{last}: {}", ask.needs()))),
                (StatusCode::NOT_FOUND, _) => return Err(S3Fault::Missing(last)),
                (StatusCode::PRECONDITION_FAILED, _) => {
                    let reason = match ask {
                        S3Request::Put { .. } => "it is there already",
                        _ => "it has changed since it was listed",
                    };
                    return Err(S3Fault::Precondition(reason.to_owned()));
                }
                _ => return Err(S3Fault::Other(last)),
            }
        }
        Err(S3Fault::Other(format!("{last}, {ATTEMPTS} times")))
    }

    async fn send(&self, ask: &S3Request<'_>) -> Result<Response, reqwest::Error> {
        let BucketState { bucket, credentials, .. } = self.state().clone();
        let credentials = Some(&credentials);
        let request = match ask {
            S3Request::List(ListQuestion { prefix, token, delimiter, after }) => {
                let mut list = bucket.list_objects_v2(credentials);
                list.with_prefix(*prefix);
                token.iter().for_each(|token| list.with_continuation_token(*token));
                delimiter.iter().for_each(|delimiter| list.with_delimiter(*delimiter));
                after.iter().for_each(|after| list.with_start_after(*after));
                self.client.get(list.sign(SIGNATURE_LIFETIME))
            }
            S3Request::Object { key, range, etag } => {
                let request = self.client.get(bucket.get_object(credentials, key).sign(SIGNATURE_LIFETIME));
                let request = match etag {
                    Some(etag) => request.header(IF_MATCH, *etag),
                    None => request,
                };
                match range {
                    Some((first, last)) => request.header(RANGE, format!("bytes={first}-{last}")),
                    None => request,
                }
            }
            S3Request::Put { key, body, only_if_absent } => {
                let request = self.client.put(bucket.put_object(credentials, key).sign(SIGNATURE_LIFETIME));
                let request = request.header(CONTENT_LENGTH, body.len()).body(body.clone());
                if *only_if_absent { request.header(IF_NONE_MATCH, "*") } else { request }
            }
        };
        request.timeout(REQUEST_TIMEOUT).send().await
    }

    /// Goes to the region that S3 names; whether that is another one.
    fn moves(&self, region: &str) -> bool {
        let mut state = self.state();
        if state.bucket.region() == region {
            return false;
        }
        let Ok(bucket) = bucket(&self.name, region, self.endpoint.as_deref()) else { return false };
        state.bucket = bucket;
        true
    }

    /// Asks for fresh credentials, once in a row; whether there are any.
    fn renew(&self) -> bool {
        let mut state = self.state();
        if state.renewed {
            return false;
        }
        let Ok(fresh) = access::credentials() else { return false };
        // Those of the environment stay what they are: to try them again is of no use.
        state.renewed = fresh.token() == state.credentials.token();
        let is_fresh = !state.renewed;
        state.credentials = fresh;
        is_fresh
    }

    fn state(&self) -> std::sync::MutexGuard<'_, BucketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bucket(name: &str, region: &str, endpoint: Option<&str>) -> Result<Bucket, String> {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let url = endpoint.map_or_else(|| format!("https://s3.{region}.{domain}"), str::to_owned);
    let url = reqwest::Url::parse(&url).map_err(|error| format!("invalid endpoint \"{url}\": {error}; AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL take an http or https address"))?;
    // The `*` of S3's certificate covers no dot, and most services that are not S3 itself do not serve a bucket under a host name
    // of its own.
    let style = if endpoint.is_some() || name.contains('.') { UrlStyle::Path } else { UrlStyle::VirtualHost };
    Bucket::new(url, style, name.to_owned(), region.to_owned()).map_err(|error| format!("s3://{name}: {error}"))
}

/// The code of an error of S3: `<Error><Code>SlowDown</Code>…`.
fn code(body: &str) -> Option<&str> {
    let code = body.split_once("<Code>")?.1.split_once("</Code>")?.0;
    code.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(code)
}
