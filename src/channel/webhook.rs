//! A webhook of yours: the alert as JSON, signed.
//!
//! Signatures: the Standard Webhooks specification 1.0.0
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>), made afresh at each attempt
//! because they hold the time; and Trend Micro Cloud One Conformity's header, for receivers that check that one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::http::judge_status;
use super::kind::object;
use super::{
    Body, Channel, ChannelType, Credential, Exchange, ExchangeStep, HttpRequest, MachineAlert, Reply, Request, Verdict,
    endpoint,
};
use crate::alert::Alert;
use crate::config::docs;
use crate::ids::hex;
use crate::secret::{ChannelCredentials, CredentialFault, Secret};

/// Bytes of a body: ours are quoted once more where they wait in a queue, and stay below [`Body::LIMIT`] also there.
const BODY_LIMIT: usize = 48 * 1024;
/// Bytes of a signing secret. Source: the specification, "Symmetric signatures".
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// What a signing secret begins with, so that people and scanners know it.
const SECRET_PREFIX: &str = "whsec_";

/// A channel that posts the alert as signed JSON.
#[derive(Debug)]
struct Webhook;

/// The type `webhook`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("signed JSON, for anything else"),
    repeats: docs!("a request of its own, with the same `alert`"),
    object: object("webhook", docs!("JSON, signed, to an address of your own."), &[]),
    credentials: &[
        Credential { name: "url", docs: docs!("Any https URL. It is needed.") },
        Credential {
            name: "signing_secret",
            docs: docs!(
                "`whsec_` and the base64 of 24 to 64 random bytes: `echo \"whsec_$(openssl rand -base64 32)\"`. This, or `conformity_token`, is needed."
            ),
        },
        Credential {
            name: "conformity_token",
            docs: docs!("The token of a receiver that already checks Conformity's `X-Conformity-Signature`."),
        },
        Credential {
            name: "authorization",
            docs: docs!("The value of an `Authorization` header, if the receiver wants one."),
        },
    ],
    configure: |_, _| Box::new(Webhook),
};

impl Channel for Webhook {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        Body::Json { key: alert.key(), json: MachineAlert::fitting(alert, |json| json.len() <= BODY_LIMIT) }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Json { key, json } = body else { return Ok(ExchangeStep::Judged(Verdict::foreign("the body"))) };
        if let Some(reply) = exchange.replies.last() {
            return Ok(ExchangeStep::Judged(judge(reply)));
        }
        let credentials = exchange.credentials;
        let url = credentials.required("url")?;
        if !endpoint::is_private(url.expose()) {
            return Err(credentials.fault("url", "is not an https URL"));
        }
        let signing = credentials.optional("signing_secret")?;
        let conformity = credentials.optional("conformity_token")?;
        if signing.is_none() && conformity.is_none() {
            return Err(credentials.missing(&["signing_secret", "conformity_token"]));
        }
        let mut request = HttpRequest::post(url, json).header("webhook-id", key.as_str());
        if let Some(signing) = signing {
            let time = exchange.now;
            let signature = signature(&signing, credentials, &format!("{key}.{time}.{json}"))?;
            request = request
                .header("webhook-timestamp", time.to_string())
                .header("webhook-signature", format!("v1,{signature}"));
        }
        if let Some(token) = conformity {
            request = request.header("x-conformity-signature", hex(&hmac(token.expose().as_bytes(), json)));
        }
        if let Some(authorization) = credentials.optional("authorization")? {
            request = request.secret_header("authorization", &authorization);
        }
        Ok(ExchangeStep::Send(Request::Http(request)))
    }
}

fn signature(secret: &Secret, credentials: ChannelCredentials<'_>, signed: &str) -> Result<String, CredentialFault> {
    let secret = secret.expose();
    let key = BASE64.decode(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret));
    match key {
        Ok(key) if SECRET_BYTES.contains(&key.len()) => Ok(BASE64.encode(hmac(&key, signed))),
        _ => Err(credentials.fault("signing_secret", "is not \"whsec_\" and the base64 of 24 to 64 bytes")),
    }
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    // HMAC takes keys of every length: the error cannot be.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

fn judge(reply: &Reply) -> Verdict {
    match reply {
        Reply::Http { status, retry_after, .. } => judge_status(*status, *retry_after),
        Reply::Unreachable(reason) => Verdict::Retry { after: None, reason: (*reason).to_owned() },
        Reply::Published(_) | Reply::SnsFault(_) => Verdict::foreign("the reply"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Credentials;

    #[test]
    fn the_specifications_example_gives_its_signature() {
        // Source: the reference libraries' own test (github.com/standard-webhooks/standard-webhooks).
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = r#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        let credentials = Credentials::default();
        let signature = signature(&secret, credentials.for_channel("hook"), signed).unwrap();
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn hmacs_are_those_of_the_standard() {
        // Source: RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&hmac(b"Jefe", "what do ya want for nothing?")), expected);
    }
}
