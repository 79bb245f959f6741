//! Why there is no client.

use crate::http_client::HttpClientError;

/// Why a client of AWS or of HTTP cannot be made. It is a matter of the deployment, and no further try helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ClientError {
    /// Neither `AWS_REGION` nor `AWS_DEFAULT_REGION` is set.
    #[error("AWS_REGION is not set")]
    NoRegion,
    /// One of the two variables of the access key is missing.
    #[error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")]
    NoAccessKey,
    /// There is no HTTP client below the others.
    #[error(transparent)]
    Http(#[from] HttpClientError),
}
