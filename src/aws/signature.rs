//! Signs requests to services of AWS that take no SDK to talk to (Signature Version 4):
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use super::clients::ClientError;
use super::http;
use super::settings::AwsAccess;

/// Why a request cannot be signed. The text quotes no credential.
#[derive(Debug, thiserror::Error)]
pub(super) enum SigningError {
    /// There is no access key.
    #[error(transparent)]
    NoKey(#[from] ClientError),
    /// The request, or the key, is not one that can be signed.
    #[error("cannot sign the request: {0}")]
    Unsignable(String),
}

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
    /// `GET` or `POST`.
    pub(super) method: &'static str,
    pub(super) url: &'r str,
    pub(super) headers: &'r [(String, String)],
    /// Empty for a GET.
    pub(super) body: &'r str,
}

/// The headers that sign a request.
pub(super) fn headers(
    access: &AwsAccess,
    scope: Scope<'_>,
    request: &Unsigned<'_>,
) -> Result<Vec<(String, String)>, SigningError> {
    let fault = |error: &dyn std::error::Error| SigningError::Unsignable(error.to_string());
    let (id, secret) = access.key.as_ref().ok_or(ClientError::NoAccessKey)?;
    let token = access.session_token.as_ref().map(|token| token.expose().to_owned());
    let identity = Credentials::new(id, secret.expose(), token, None, "environment").into();
    let now = http::now();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| fault(&error))?
        .into();
    let Unsigned { method, url, headers, body } = *request;
    let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(method, url, named, SignableBody::Bytes(body.as_bytes()));
    let request = request.map_err(|error| fault(&error))?;
    let (instructions, _) = sign(request, &params).map_err(|error| fault(&error))?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
