//! OAuth's client credentials (RFC 6749, section 4.4): a short-lived access token for a client's id and secret.

use std::ops::ControlFlow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::http::judge_status;
use super::wire::is_word;
use super::{ContentType, Exchange, ExchangeStep, HttpRequest, Method, Reply, Request, Token, Verdict};
use crate::secret::{CredentialFault, Secret};
use crate::text::percent_encoded;

/// How long a token is taken to be good for whose vendor does not say.
const UNSTATED: Duration = Duration::from_mins(10);

/// The header `Authorization` of a client that has its id and secret in the channel's credentials, once there is a token;
/// until then the step that leads to one. `url` is where tokens are given, `other` the credential that would do as well as
/// `client_id`.
///
/// # Errors
/// A credential that is missing.
pub(super) fn authorization(
    exchange: &Exchange<'_>,
    url: String,
    other: &str,
    scope: Option<&str>,
) -> Result<ControlFlow<ExchangeStep, Secret>, CredentialFault> {
    if let Some(token) = exchange.token {
        return Ok(ControlFlow::Continue(Secret::new(format!("Bearer {}", token.expose()))));
    }
    if let Some(reply) = exchange.replies.last() {
        return Ok(ControlFlow::Break(judge(reply)));
    }
    let credentials = exchange.credentials;
    let id = credentials.optional("client_id")?.ok_or_else(|| credentials.missing(&["client_id", other]))?;
    let secret = credentials.required("client_secret")?;
    Ok(ControlFlow::Break(request(Secret::new(url), &id, &secret, scope)))
}

/// The step that asks the vendor for a token.
fn request(url: Secret, id: &Secret, secret: &Secret, scope: Option<&str>) -> ExchangeStep {
    let mut form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        percent_encoded(id.expose()),
        percent_encoded(secret.expose())
    );
    if let Some(scope) = scope {
        form.push_str("&scope=");
        form.push_str(&percent_encoded(scope));
    }
    let content = Some((ContentType::Form, Secret::new(form)));
    ExchangeStep::Send(Request::Http(HttpRequest { method: Method::Post, url, headers: Vec::new(), content }))
}

/// What the vendor's answer to the request for a token means.
fn judge(reply: &Reply) -> ExchangeStep {
    let (status, retry_after, body) = match reply {
        Reply::Http { status, retry_after, body } => (*status, *retry_after, body),
        Reply::Unreachable(reason) => return retry(None, reason),
        Reply::Published(_) | Reply::SnsFault(_) => return ExchangeStep::Judged(Verdict::foreign("the reply")),
    };
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    if let (200..=299, Some(token)) = (status, answer["access_token"].as_str().filter(|token| fits(token))) {
        // Vendors write the seconds as a number, or as a string.
        let seconds = &answer["expires_in"];
        let seconds = seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok());
        let lifetime = seconds.map_or(UNSTATED, Duration::from_secs);
        return ExchangeStep::Token(Token { secret: Secret::new(token), lifetime });
    }
    match judge_status(status, retry_after) {
        Verdict::Retry { after, reason } => retry(after, &reason),
        // 400 is what RFC 6749 wants of a wrong client, and of most other mistakes in a credential.
        Verdict::Refused { .. } | Verdict::Rejected { .. } | Verdict::Delivered { .. } => {
            let error = answer["error"].as_str().filter(|error| is_word(error)).unwrap_or("no token");
            let reason = format!("no access token: HTTP {status}, {error}");
            ExchangeStep::Judged(Verdict::Refused { reason })
        }
    }
}

/// The header `Authorization` of HTTP's basic scheme (RFC 7617).
pub(super) fn basic(user: &str, password: &Secret) -> Secret {
    Secret::new(format!("Basic {}", BASE64.encode(format!("{user}:{}", password.expose()))))
}

fn retry(after: Option<Duration>, reason: &str) -> ExchangeStep {
    ExchangeStep::Judged(Verdict::Retry { after, reason: format!("no access token: {reason}") })
}

/// Whether a token can stand in a header.
fn fits(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_all_kinds_are_understood() {
        let answer = |status, body: &str| {
            judge(&Reply::Http { status, retry_after: Some(Duration::from_secs(9)), body: body.to_owned() })
        };
        let token =
            |seconds| ExchangeStep::Token(Token { secret: Secret::new("t0k"), lifetime: Duration::from_secs(seconds) });
        assert_eq!(answer(200, r#"{"access_token":"t0k","expires_in":1800}"#), token(1800));
        assert_eq!(answer(200, r#"{"access_token":"t0k","expires_in":"1799"}"#), token(1799));
        assert_eq!(answer(200, r#"{"access_token":"t0k"}"#), token(600));
        let refused = |reason: &str| ExchangeStep::Judged(Verdict::Refused { reason: reason.to_owned() });
        assert_eq!(answer(401, r#"{"error":"invalid_client"}"#), refused("no access token: HTTP 401, invalid_client"));
        assert_eq!(answer(400, r#"{"error":"s3cret s3cret"}"#), refused("no access token: HTTP 400, no token"));
        assert_eq!(answer(200, r#"{"access_token":"a\nb"}"#), refused("no access token: HTTP 200, no token"));
        assert_eq!(answer(200, "<html>"), refused("no access token: HTTP 200, no token"));
        assert!(matches!(answer(429, ""), ExchangeStep::Judged(Verdict::Retry { after: Some(_), .. })));
        assert!(matches!(judge(&Reply::Unreachable("timeout")), ExchangeStep::Judged(Verdict::Retry { .. })));
    }

    #[test]
    fn the_form_is_encoded_and_hidden() {
        let step = request(Secret::new("https://x"), &Secret::new("i d"), &Secret::new("s&=é"), Some("a:b c"));
        assert!(!format!("{step:?}").contains("s%26"));
        let ExchangeStep::Send(Request::Http(HttpRequest { content: Some((_, form)), .. })) = step else { panic!() };
        let expected = "grant_type=client_credentials&client_id=i%20d&client_secret=s%26%3D%C3%A9&scope=a%3Ab%20c";
        assert_eq!(form.expose(), expected);
    }
}
