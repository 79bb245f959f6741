//! HTTPS to the vendors: the same rustls that the SDK uses.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};

use crate::channel::{HttpRequest, Method, Reply};

/// The bytes of a reply that are read: a search for tickets answers with hundreds of kilobytes at most, and a hostile vendor must
/// not fill our memory.
const MAX_REPLY_LEN: usize = 1024 * 1024;

/// Sends a request. No error quotes the URL: it may be the secret.
pub(super) async fn send(client: &reqwest::Client, request: HttpRequest, timeout: Duration) -> Reply {
    let HttpRequest { method, url, headers, content } = request;
    let method = match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
    };
    let mut request = client.request(method, url.expose()).timeout(timeout);
    for (name, value) in headers {
        let Ok(mut value) = HeaderValue::from_str(value.expose()) else {
            return Reply::Unreachable("a credential does not fit into a header");
        };
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    if let Some((kind, content)) = content {
        request = request.header(CONTENT_TYPE, kind.as_str()).body(content.expose().to_owned());
    }
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return Reply::TIMEOUT,
        Err(error) => return Reply::Unreachable(why_unreachable(&error)),
    };
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| parse_retry_after(text, now()));
    let mut body = Vec::new();
    // A body that breaks off still has its status.
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_REPLY_LEN {
            break;
        }
    }
    Reply::Http { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() }
}

/// A short word for an error that brought no answer. The error's own text would quote the URL.
fn why_unreachable(error: &reqwest::Error) -> &'static str {
    match tls_error(error) {
        Some(tls) => why_insecure(tls),
        None if error.is_connect() => "cannot connect",
        None => "the connection broke",
    }
}

/// Why there was no answer, with the reasons behind it, without the URL.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        reason.extend([": ", &deeper.to_string()]);
        source = deeper.source();
    }
    reason
}

/// The error of TLS that caused another, if one did.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    // An error of a connection holds another one that it does not give as its source.
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match (error.downcast_ref(), held) {
        (Some(tls), _) => Some(tls),
        (None, Some(held)) => tls_error(held),
        (None, None) => error.source().and_then(tls_error),
    }
}

/// What keeps TLS from being trusted: a person can mend most of it, and has to know which.
fn why_insecure(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Certificate;
    use rustls::Error;
    match error {
        Error::InvalidCertificate(Certificate::UnknownIssuer) => "TLS: the certificate's issuer is not trusted",
        Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "TLS: the certificate has expired"
        }
        Error::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            "TLS: the certificate is not valid yet"
        }
        Error::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => {
            "TLS: the certificate is for another name"
        }
        Error::InvalidCertificate(Certificate::Revoked) => "TLS: the certificate is revoked",
        Error::InvalidCertificate(_) => "TLS: the certificate is not valid",
        Error::PeerIncompatible(_) => "TLS: no version or cipher in common",
        Error::AlertReceived(_) => "TLS: the other side refused",
        Error::InvalidMessage(_) => "TLS: the other side does not speak it",
        _ => "TLS failed",
    }
}

/// The time of day, by the machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the function reads the clock here and nowhere else, and so does a test alert"
)]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

/// The wait that `Retry-After` asks for: seconds (vendors write fractions too), or an HTTP date. One that is over is no wait.
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>.
fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp().as_second();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at).ok()?);
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::http_client::client;
    use crate::secret::Secret;

    /// A server that answers its first connection with these bytes, and the reply that `send` makes of them.
    async fn reply(answer: &'static [u8], patience: Duration) -> Reply {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/s3cret", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = connection.read(&mut request).unwrap();
            if answer.is_empty() {
                // It hangs for longer than the client has patience.
                std::thread::sleep(5 * patience);
            }
            connection.write_all(answer).unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let url = Secret::new(url);
        let request = HttpRequest { method: Method::Get, url, headers: vec![("x-a", Secret::new("b"))], content: None };
        let reply = send(&client(None).unwrap(), request, patience).await;
        let sent = server.join().unwrap();
        assert!(sent.starts_with("GET /s3cret HTTP/1.1\r\n") && sent.contains("x-a: b\r\n"), "{sent}");
        assert!(!format!("{reply:?}").contains("s3cret"), "{reply:?}");
        reply
    }

    #[tokio::test]
    async fn replies_of_all_kinds_are_told_apart_and_quote_nothing() {
        let second = Duration::from_secs(10);
        let http = |status, seconds: Option<f64>, body: &str| Reply::Http {
            status,
            retry_after: seconds.map(Duration::from_secs_f64),
            body: body.to_owned(),
        };
        let limited = b"HTTP/1.1 429 Too Many\r\nRetry-After: 1.5\r\nContent-Length: 4\r\n\r\nbusy";
        assert_eq!(reply(limited, second).await, http(429, Some(1.5), "busy"));
        // The server takes one connection only: had the redirect been followed, there would be no answer.
        let elsewhere = b"HTTP/1.1 307 Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(reply(elsewhere, second).await, http(307, None, ""));
        // A body that breaks off.
        let broken = b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{";
        assert_eq!(reply(broken, second).await, http(202, None, "{"));
        assert_eq!(reply(b"garbage\r\n\r\n", second).await, Reply::Unreachable("the connection broke"));
        assert_eq!(reply(b"", Duration::from_millis(100)).await, Reply::TIMEOUT);
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_unreachable() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = Secret::new(format!("http://{address}/s3cret"));
        let request = HttpRequest { method: Method::Post, url, headers: Vec::new(), content: None };
        let reply = send(&client(None).unwrap(), request, Duration::from_secs(5)).await;
        assert_eq!(reply, Reply::Unreachable("cannot connect"));
    }

    #[tokio::test]
    async fn what_is_wrong_with_tls_is_said() {
        use rustls::CertificateError;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Secret::new(format!("https://{}/s3cret", listener.local_addr().unwrap()));
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 4096]).unwrap();
            connection.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let request = HttpRequest { method: Method::Post, url, headers: Vec::new(), content: None };
        let reply = send(&client(None).unwrap(), request, Duration::from_secs(5)).await;
        server.join().unwrap();
        assert_eq!(reply, Reply::Unreachable("TLS: the other side does not speak it"));

        for (error, word) in [
            (CertificateError::UnknownIssuer, "not trusted"),
            (CertificateError::Expired, "expired"),
            (CertificateError::NotValidForName, "another name"),
            (CertificateError::BadSignature, "not valid"),
        ] {
            let said = why_insecure(&rustls::Error::InvalidCertificate(error));
            assert!(said.starts_with("TLS: ") && said.contains(word), "{said}");
        }
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(parse_retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(parse_retry_after(" 0.25 ", now), Some(Duration::from_millis(250)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:40:37 GMT", now), Some(Duration::ZERO));
        for bad in ["", "soon", "-1", "NaN", "1e300"] {
            assert_eq!(parse_retry_after(bad, now), None, "{bad}");
        }
    }
}
