//! What the cases are made of.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc, FlushCompress};
use serde_json::{Value, json};

use offlimits::rules::OPERATORS;

use crate::support;

/// What must come of a file of events. A finding is one of the seed's rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Expect {
    /// Read to the end: exit 0, and exactly so many findings.
    Found(usize),
    /// So many findings, exit 2, and the file named on stderr: part of it could not be read.
    FoundAndNamed(usize),
    /// Nothing found, exit 2, the file named.
    Named,
    /// Nothing found. Whether it is unreadable or merely none of our business may be told either way.
    Nothing,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expect: Expect,
}

pub(crate) fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, expect: Expect) -> Case {
    Case { name: name.into(), bytes: bytes.into(), expect }
}

/// The seed's rule, and one that reaches into every part of a record with every operator, so that hostile values meet them all.
pub(crate) fn rules(folder: &Path) -> PathBuf {
    let mut wide = json!([
        {"service": {"is": ["a", "b"]}, "event": {"not": "Start"}},
        {"source_ip": {"cidr": ["192.0.2.0/24", "2001:db8::/32"]}, "region": "nowhere"},
        {"requestParameters.policyDocument.Statement.Effect": "Allow", "region": "nowhere"},
        {"requestParameters": "instancesSet", "region": "nowhere"},
        {"requestParameters.instancesSet.items": {"item": {"instanceId": "^x", ".": "y"}}},
        {"requestParameters.n": {"all": [{"above": 5}, {"below": 6}]}},
        {"recipientAccountId": {"same_as": "userIdentity.principalId"}},
        {"userIdentity.arn": {"same_as": {"field": "userIdentity.principalId", "part": ":(.*)$"}}, "mfa": "yes"},
        {"outcome": "failure", "read_only": "true", "user": "x", "role": "x", "session": "x", "actor": "x", "account": "x"},
        {"eventTime": {"exists": false}, "user_agent": {"exists": false}, "error": "x"},
    ]);
    // Each operator once more, with the value that its documentation shows.
    for operator in &OPERATORS {
        let value: Value = serde_json::from_str(operator.key.example).unwrap();
        wide.as_array_mut()
            .unwrap()
            .push(json!({"requestParameters": {operator.key.name: value}, "region": "nowhere"}));
    }
    let columns = json!([
        {"identity": "^(IAM).*", "service": "^(ec2.amazonaws.com).*", "event": "StartInstances"},
    ]);
    // A channel that takes none of them: the function has nothing to send.
    let channels = json!({"nobody": {"type": "sns", "min_severity": "extreme"}});
    let rules = json!({"channels": channels, "rules": [
        {
            "id": "seed", "severity": "very-high", "when": columns,
            "title": "{event} by {actor} from {source_ip} {requestParameters.instancesSet.items.instanceId}",
            "severity_when": [{"severity": "low", "when": {"outcome": "failure"}}],
            "unless": [{"when": {"user": {"is": "ci-bot"}}, "reason": "deploys", "expires": "2027-03-31"}],
        },
        {"id": "wide", "severity": "low", "title": "{actor|arn|userIdentity}".replace("|arn", ""), "when": wide},
    ]});
    support::file(folder, "rules.json", rules.to_string())
}

/// A record that the seed's rule finds.
pub(crate) fn start_instances() -> Value {
    support::json("events/start-instances.json")["detail"].clone()
}

/// The same with one field changed.
pub(crate) fn with(pointer: &str, value: Value) -> Value {
    let mut record = start_instances();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    record.pointer_mut(parent).unwrap()[key] = value;
    record
}

/// The record as text, with `"PLACE"` (quotes and all) in its userAgent replaced by any text at all, JSON or not.
pub(crate) fn spliced(text: &str) -> String {
    with("/userAgent", json!("PLACE")).to_string().replace("\"PLACE\"", text)
}

/// As [`spliced`], in requestParameters, where rules look.
pub(crate) fn spliced_request(text: &str) -> String {
    with("/requestParameters", json!("PLACE")).to_string().replace("\"PLACE\"", text)
}

pub(crate) fn log_file(records: &[Value]) -> String {
    json!({"Records": records}).to_string()
}

pub(crate) fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A valid gzip file of one member: `head`, and then `mebibytes` of `filler`. Made from one compressed block over and over,
/// so that a gibibyte costs milliseconds.
pub(crate) fn gzip_bomb(head: &[u8], filler: u8, mebibytes: usize) -> Vec<u8> {
    const MEBIBYTE: usize = 1 << 20;
    // After a full flush a block leans on nothing before it, and can stand anywhere.
    let block = |bytes: &[u8]| {
        let mut compress = flate2::Compress::new(Compression::best(), false);
        let mut out = Vec::with_capacity(bytes.len() + MEBIBYTE);
        compress.compress_vec(bytes, &mut out, FlushCompress::Full).unwrap();
        assert_eq!(compress.total_in(), bytes.len() as u64);
        out
    };
    let filler = vec![filler; MEBIBYTE];
    let (mut crc, mut filler_crc) = (Crc::new(), Crc::new());
    crc.update(head);
    filler_crc.update(&filler);
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bomb.extend(block(head));
    let filler = block(&filler);
    for _ in 0..mebibytes {
        bomb.extend(&filler);
        crc.combine(&filler_crc);
    }
    bomb.extend([3, 0]); // an empty last block
    bomb.extend(crc.sum().to_le_bytes());
    bomb.extend(crc.amount().to_le_bytes());
    bomb
}

/// `open` so many times, `core`, `close` so many times.
pub(crate) fn nested(open: &str, core: &str, close: &str, depth: usize) -> String {
    format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
}

/// Depth that a recursive parser, printer or destructor does not survive.
pub(crate) const DEEP: usize = 100_000;

pub(crate) const MEGABYTE: usize = 1_000_000;
