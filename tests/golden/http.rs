//! HTTP, as far as a service that writes down what it is asked needs it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// What AWS's JSON protocols call the operation.
    pub(crate) operation: String,
    /// The region that the signature names.
    pub(crate) region: String,
    pub(crate) body: String,
}

/// Reads one request; `None` where nobody asks any more.
pub(crate) fn request(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap() == 0 {
        return None;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ').map(str::to_owned);
    Some(Asked {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        operation: headers.remove("x-amz-target").unwrap_or_default(),
        // `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
        region: headers.get("authorization").and_then(|header| header.split('/').nth(2)).unwrap_or_default().to_owned(),
        body: String::from_utf8(body).unwrap(),
        headers,
    })
}

/// A service that answers each request with a status and a document; its address, and what it was asked. It ends with the
/// process.
pub(crate) fn service(answer: impl Fn(&Asked) -> (u16, String) + Send + 'static) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let all = Arc::<Mutex<Vec<Asked>>>::default();
    let kept = Arc::clone(&all);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut reader = BufReader::new(connection.unwrap());
            let Some(asked) = request(&mut reader) else { continue };
            let (status, body) = answer(&asked);
            kept.lock().unwrap().push(asked);
            let length = body.len();
            // Whoever asked may have lost patience.
            let _ = write!(
                reader.get_mut(),
                "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            );
        }
    });
    (url, all)
}
