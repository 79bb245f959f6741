//! A webhook that this command opens, for as long as it runs: it takes whatever is posted, answers 200, and remembers which findings came.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::cli::stack_access::now;
use crate::time::Timestamp;

/// The longest request that is read: a message has a few kilobytes.
const MAX_LEN: usize = 1024 * 1024;
/// How long one read of a request may take. Requests are taken one after the other: a message comes again.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often one request is read from: whoever sends it byte by byte must not keep the others waiting.
const MOST_READS: usize = 200;

/// The webhook. It is there until the command ends.
#[derive(Debug)]
pub(super) struct WebhookInbox {
    heard: Heard,
}

type Heard = Arc<Mutex<BTreeMap<String, Timestamp>>>;

impl WebhookInbox {
    /// Opens it at an address.
    ///
    /// # Errors
    /// The address is taken, or is not this machine's.
    fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let heard = Heard::default();
        let into = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who breaks off is not heard, and comes again.
                let _ = take(stream, &into);
            }
        });
        Ok(Self { heard })
    }

    /// The same; the error says what could not be done.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(super) fn open_for(address: SocketAddr) -> Result<Self, String> {
        Self::open(address).map_err(|error| format!("a webhook cannot be opened at {address}: {error}"))
    }

    /// When a finding's message came.
    pub(super) fn heard(&self, finding: &str) -> Option<Timestamp> {
        lock(&self.heard).get(finding).copied()
    }
}

fn lock(heard: &Heard) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
    // A thread that dies while it holds the lock leaves the map whole.
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one request, notes the findings that it tells of, and answers.
fn take(mut stream: TcpStream, heard: &Heard) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8192]);
    for _ in 0..MOST_READS {
        if let Some(body) = body(&bytes) {
            let now = now();
            if let Ok(message) = serde_json::from_slice::<Value>(body) {
                note(&message, now, &mut lock(heard));
            }
            return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
        }
        let read = stream.read(&mut chunk)?;
        if read == 0 || bytes.len() > MAX_LEN {
            break;
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
    Ok(())
}

/// The body of a request that is there whole: it ends where `content-length` says.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    bytes[end + 4..].get(..length.unwrap_or_default())
}

/// Notes each `finding` of the message, at whatever depth: it is the machine alert, and may tell of several.
fn note(message: &Value, now: Timestamp, heard: &mut BTreeMap<String, Timestamp>) {
    match message {
        Value::Object(members) => {
            if let Some(finding) = members.get("finding").and_then(Value::as_str) {
                heard.entry(finding.to_owned()).or_insert(now);
            }
            members.values().for_each(|value| note(value, now, heard));
        }
        Value::Array(values) => values.iter().for_each(|value| note(value, now, heard)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_whole_when_its_length_is_there() {
        let request = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody";
        assert_eq!(body(request), Some(&b"body"[..]));
        assert_eq!(body(&request[..request.len() - 1]), None);
        assert_eq!(body(b"GET / HTTP/1.1\r\n\r\n"), Some(&b""[..]));
        assert_eq!(body(b"\xff\r\n\r\n"), None);
    }

    #[test]
    fn every_finding_of_a_message_is_heard_once() {
        let at = Timestamp::from_millis;
        let mut heard = BTreeMap::new();
        let message = serde_json::json!({ "finding": "a", "also": [{ "finding": "b" }, { "finding": 7 }] });
        note(&message, at(1), &mut heard);
        note(&message, at(2), &mut heard);
        assert_eq!(heard, BTreeMap::from([("a".to_owned(), at(1)), ("b".to_owned(), at(1))]));
    }
}
