//! Signs requests to AWS (Signature Version 4):
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
//!
//! The SDKs' own signer makes the key anew for each request, which is most of its work; an alert makes ten. That signer is what
//! the tests compare this one with.

use std::sync::{Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256};

use super::client_error::ClientError;
use super::http;
use super::settings::AwsAccess;
use crate::ids::hex;
use crate::time::Timestamp;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What stands for itself in a path: a path is encoded once more than it is sent, as every service but S3 wants it.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// Keys that are kept. The function asks two services in its own region, and the queues of spokes in others.
const MOST_KEYS: usize = 32;

/// A service, and the region that a signature names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    /// The service by its name in signatures: `sns`.
    pub(super) service: &'s str,
    pub(super) region: &'s str,
}

/// A request that is to be signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsigned<'r> {
    /// `GET`, `POST` and the like.
    pub(super) method: &'r str,
    /// Without a query, and without parts that are dots alone, which HTTP clients take out.
    pub(super) url: &'r str,
    /// Those beside the host's, by their names in small letters; each value as it is sent, with no space that AWS would take out.
    pub(super) headers: &'r [(&'static str, String)],
    /// Empty for a GET.
    pub(super) body: &'r str,
}

/// The keys of the day, by their scopes. The credentials of a process do not change.
#[derive(Debug, Default)]
pub(super) struct SigningKeys(Mutex<Vec<(String, hmac::Key)>>);

impl SigningKeys {
    /// The headers that sign a request now.
    ///
    /// # Errors
    /// There is no access key.
    pub(super) fn sign(
        &self,
        access: &AwsAccess,
        scope: Scope<'_>,
        request: &Unsigned<'_>,
    ) -> Result<Vec<(&'static str, String)>, ClientError> {
        self.sign_at(http::now().into(), access, scope, request)
    }

    fn sign_at(
        &self,
        now: Timestamp,
        access: &AwsAccess,
        scope: Scope<'_>,
        request: &Unsigned<'_>,
    ) -> Result<Vec<(&'static str, String)>, ClientError> {
        let (id, secret) = access.key.as_ref().ok_or(ClientError::NoAccessKey)?;
        let time = basic(now);
        let scope = format!("{}/{}/{}/aws4_request", &time[..8], scope.region, scope.service);
        let mut added = vec![("x-amz-date", time.clone())];
        if let Some(token) = &access.session_token {
            added.push(("x-amz-security-token", token.expose().to_owned()));
        }
        let (host, path) = parts(request.url);
        let all = request.headers.iter().chain(&added).map(|(name, value)| (*name, value.as_str()));
        let mut headers: Vec<(&str, &str)> = all.chain([("host", host)]).collect();
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut canonical = format!("{}\n{}\n\n", request.method, utf8_percent_encode(path, PATH));
        for (name, value) in headers {
            canonical.extend([name, ":", value, "\n"]);
        }
        canonical.extend(["\n", &names, "\n", &digest_of(request.body.as_bytes())]);
        let text = format!("{ALGORITHM}\n{time}\n{scope}\n{}", digest_of(canonical.as_bytes()));
        let signature = hex(hmac::sign(&self.key(&scope, secret.expose()), text.as_bytes()).as_ref());
        let credential = format!("Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        added.push(("authorization", format!("{ALGORITHM} {credential}")));
        Ok(added)
    }

    /// The key of a scope: `date/region/service/aws4_request`.
    fn key(&self, scope: &str, secret: &str) -> hmac::Key {
        // A thread that dies while it holds the lock leaves the list whole.
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = keys.iter().find(|(of, _)| of == scope) {
            return key.clone();
        }
        let first = hmac::Key::new(HMAC_SHA256, format!("AWS4{secret}").as_bytes());
        let key = scope
            .split('/')
            .fold(first, |key, part| hmac::Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref()));
        if keys.len() == MOST_KEYS {
            keys.clear();
        }
        keys.push((scope.to_owned(), key.clone()));
        key
    }
}

/// The host of a URL, with its port where it is not the usual one, and the path.
fn parts(url: &str) -> (&str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let usual = if scheme == "http" { ":80" } else { ":443" };
    (host.strip_suffix(usual).unwrap_or(host), path)
}

/// A time to the second in the basic form of ISO 8601: `20261129T140500Z`.
fn basic(time: Timestamp) -> String {
    let seconds = Timestamp::from_millis(time.millis() / 1000 * 1000).to_string();
    seconds.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The SHA-256 of a body, as a signature has it.
pub(super) fn digest_of(body: &[u8]) -> String {
    hex(digest(&SHA256, body).as_ref())
}

#[cfg(test)]
#[cfg(feature = "lambda")]
mod tests {
    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4;
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Secret;

    /// The headers by which the SDKs sign.
    fn judged(now: Timestamp, access: &AwsAccess, scope: Scope<'_>, request: &Unsigned<'_>) -> Vec<(String, String)> {
        let (id, secret) = access.key.as_ref().unwrap();
        let token = access.session_token.as_ref().map(|token| token.expose().to_owned());
        let identity = Credentials::new(id, secret.expose(), token, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.service)
            .time(std::time::UNIX_EPOCH + std::time::Duration::from_millis(now.millis()))
            .settings(SigningSettings::default());
        let params = params.build().unwrap().into();
        let named = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(request.body.as_bytes());
        let request = SignableRequest::new(request.method, request.url, named, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    proptest! {
        #[test]
        fn requests_are_signed_as_by_the_sdks(
            seconds in 1_000_000_000_u64..4_000_000_000,
            (id, secret, token) in ("[A-Z0-9]{16,20}", "[A-Za-z0-9/+]{40}", prop::option::of("[A-Za-z0-9/+=]{1,200}")),
            (service, region) in ("[a-z]{2,12}", "[a-z]{2}-[a-z]{4,9}-[1-9]"),
            (scheme, port) in prop::sample::select(vec![
                ("https", ""), ("http", ""), ("http", ":4566"), ("https", ":443"), ("http", ":80"),
            ]),
            path in "(/[A-Za-z0-9][A-Za-z0-9_.~-]{0,7}|/2015-03-31|/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af){0,4}",
            target in prop::option::of("[A-Za-z_0-9]{1,20}\\.[A-Za-z]{1,20}"),
            body in prop::option::of("\\PC{0,200}"),
        ) {
            let access = AwsAccess {
                key: Some((id, Secret::new(secret))),
                session_token: token.map(Secret::new),
                ..AwsAccess::default()
            };
            let scope = Scope { service: &service, region: &region };
            let path = if path.is_empty() { "/" } else { &path };
            let url = format!("{scheme}://{service}.{region}.amazonaws.com{port}{path}");
            let mut headers = vec![("content-type", "application/x-amz-json-1.0".to_owned())];
            headers.extend(target.map(|target| ("x-amz-target", target)));
            let request = Unsigned {
                method: if body.is_some() { "POST" } else { "GET" },
                url: &url,
                headers: &headers,
                body: body.as_deref().unwrap_or_default(),
            };
            let now = Timestamp::from_millis(seconds * 1000 + 7);
            let keys = SigningKeys::default();
            let mut expected = judged(now, &access, scope, &request);
            expected.sort();
            // Once with a new key, and once with the one that is kept.
            for _ in 0..2 {
                let ours = keys.sign_at(now, &access, scope, &request).unwrap();
                let mut ours: Vec<(String, String)> =
                    ours.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                ours.sort();
                prop_assert_eq!(&ours, &expected);
            }
        }
    }

    #[test]
    fn a_key_is_of_its_day_its_region_and_its_service() {
        let access = AwsAccess { key: Some(("AKIA".to_owned(), Secret::new("s3cret"))), ..AwsAccess::default() };
        let request = Unsigned { method: "POST", url: "https://a/", headers: &[], body: "" };
        let keys = SigningKeys::default();
        for day in 0..40 {
            for (service, region) in [("sqs", "eu-west-1"), ("sqs", "us-east-1"), ("dynamodb", "eu-west-1")] {
                let now = Timestamp::from_millis(1_700_000_000_000 + day * 86_400_000);
                let scope = Scope { service, region };
                let ours = keys.sign_at(now, &access, scope, &request).unwrap();
                let signed = &ours.last().unwrap().1;
                assert_eq!(
                    signed,
                    &judged(now, &access, scope, &request).last().unwrap().1,
                    "{day} {service} {region}"
                );
            }
        }
        assert!(keys.0.lock().unwrap().len() <= MOST_KEYS);
        assert!(!format!("{keys:?}").contains("s3cret"));
        assert!(
            SigningKeys::default().sign(&AwsAccess::default(), Scope { service: "a", region: "b" }, &request).is_err()
        );
    }
}
