//! No secret, URL or token of any channel occurs in a log line, an error or a `Debug` output.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use offlimits::alert::{Alert, AlertKind};
use offlimits::channel::{HttpRequest, Reply, Request, TYPES};
use offlimits::deliver::{Errand, Patience, Tokens, Transport, deliver};
use offlimits::health::ChannelHealth;
use offlimits::ids::{AlertId, ClaimId};
use offlimits::secret::{Credentials, CredentialsError};
use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

use super::alerts::{findings, rules};
use super::samples::{credentials, http, wrong_credentials};

/// What must not be seen: parts of every credential, and the token that a vendor gave.
const SECRETS: [&str; 5] =
    ["s3cret", "t0ken", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "powerplatform.com/", "siem.example.com"];

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A vendor that answers everything with `status` and with all that it was sent, in every place where an error may stand.
struct Echo {
    status: u16,
    credentials: String,
    seen: Mutex<String>,
}

impl Transport for Echo {
    async fn send(&self, request: Request, _: Duration) -> Reply {
        let mut seen = self.seen.lock().unwrap();
        write!(seen, "{request:?}").unwrap();
        let Request::Http(HttpRequest { url, headers, content, .. }) = request else {
            return Reply::SnsFault("AuthorizationError".to_owned());
        };
        // Tokens are given, so that what comes after them is seen too.
        if self.status != 401 && (url.expose().ends_with("/oauth/tokens") || url.expose().ends_with("/oauth_token.do"))
        {
            return http(200, r#"{"access_token":"t0ken-s3cret","expires_in":1800}"#);
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
        let content = content.map(|(_, content)| content.expose().to_owned()).unwrap_or_default();
        let echo = format!("{} {} {content} s3cret", url.expose(), headers.join(" "));
        let body = serde_json::json!({
            "ok": false, "error": echo, "message": echo, "errors": [echo], "detail": echo, "result": echo, "tickets": echo,
        });
        http(self.status, &body.to_string())
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        Credentials::parse(&self.credentials).map(Arc::new)
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_logged_told_or_printed() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let rules = rules("t", "d");
    let (_, finding) = findings().remove(1);
    let (id, claim) = (AlertId::new("r", "", &finding.id), ClaimId::from(&finding.id));
    let mut told = format!("{rules:?} {:?}", Credentials::parse(&credentials()).unwrap());
    let mut exchanges = 0;
    for credentials in [credentials(), wrong_credentials()] {
        for status in [200, 202, 302, 400, 401, 403, 404, 410, 422, 429, 500] {
            for channel in rules.channels() {
                let body = channel.channel.render(&Alert::alone(&finding, &id, AlertKind::First));
                let transport = Echo { status, credentials: credentials.clone(), seen: Mutex::default() };
                let tokens = Tokens::default();
                let deadline = Instant::now() + Duration::from_secs(10);
                let (health, patience) = (ChannelHealth::default(), Patience::UntilDeadline);
                let errand = Errand { channel, body: &body, id: &claim, deadline, patience };
                let verdict = deliver(&transport, &tokens, &health, &errand).await.verdict;
                let seen = transport.seen.lock().unwrap();
                write!(told, "{verdict:?} {verdict} {body:?} {tokens:?} {seen}").unwrap();
                exchanges += 1;
            }
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("reading the secret again") && log.contains("trying again"), "nothing was logged");
    assert_eq!(exchanges, 2 * 11 * TYPES.len());
    for secret in SECRETS {
        for (what, text) in [("the log", &log), ("what was told", &told)] {
            let at = text.find(secret);
            assert_eq!(at, None, "{what} holds {secret}: {}", &text[at.unwrap_or(0).saturating_sub(200)..][..300]);
        }
    }
}
