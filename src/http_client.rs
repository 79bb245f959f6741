//! The HTTP client: one TLS stack, one set of roots, one answer to proxies, for the function and for archives in S3.

use std::time::Duration;

use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Why there is no HTTP client: TLS or the client refuses its settings, and nothing but other settings helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot build an HTTP client: {0}")]
pub(crate) struct HttpClientError(String);

/// A client that follows no redirect (a webhook's answer must come from the webhook's host), and takes proxies from the
/// usual environment variables. It trusts Mozilla's roots, and those in the file `ca_file`, if there is one.
///
/// # Errors
/// What kept it from being built; it is the same at every try.
pub(crate) fn client(ca_file: Option<&str>) -> Result<reqwest::Client, HttpClientError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(Ok(certificates)) = ca_file.map(CertificateDer::pem_file_iter) {
        roots.add_parsable_certificates(certificates.flatten());
    }
    let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpClientError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .user_agent(concat!("offlimits/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| HttpClientError(error.without_url().to_string()))
}
