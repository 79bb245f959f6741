//! How CloudWatch Logs hands over the records that a trail sends there: the payload of a subscription, and the lines of an export.

use std::io::Read;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;

/// The most unpacked bytes of a subscription's payload. Lambda takes six megabytes of payload, and logs are compressed to a
/// tenth: what is larger was made to exhaust memory.
const MAX_UNPACKED: u64 = 32 * 1024 * 1024;

/// Why the payload of a subscription cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PayloadError {
    #[error("awslogs.data is not base64")]
    NotBase64,
    #[error("awslogs.data is not gzip, or damaged")]
    NotGzip,
    #[error("awslogs.data holds more than {} MiB", MAX_UNPACKED / 1024 / 1024)]
    TooLarge,
}

/// The document in the `awslogs.data` of a subscription: base64 of gzip of JSON.
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample>.
// In a frame of its own: inflating needs 50 KB of the stack, and hardly any payload is packed.
#[inline(never)]
pub(super) fn unpacked(data: &str) -> Result<String, PayloadError> {
    let packed = BASE64_STANDARD.decode(data.trim()).map_err(|_| PayloadError::NotBase64)?;
    let mut bytes = Vec::new();
    let unpacked = MultiGzDecoder::new(&*packed).take(MAX_UNPACKED + 1).read_to_end(&mut bytes);
    if unpacked.is_err() {
        return Err(PayloadError::NotGzip);
    }
    if bytes.len() as u64 > MAX_UNPACKED {
        return Err(PayloadError::TooLarge);
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The message of a line that begins with a time, as in an export to S3 (`2026-04-02T09:15:00.000Z {…}`) and in what
/// `aws logs tail` prints, where the stream's name may stand between the two; `None` if the line does not begin with a time.
pub(super) fn message_of_line(line: &str) -> Option<&str> {
    let (time, rest) = line.trim_start().split_once([' ', '\t'])?;
    if !is_time(time.as_bytes()) {
        return None;
    }
    let rest = rest.trim();
    let message = if rest.starts_with('{') { Some(rest) } else { rest.split_once([' ', '\t']).map(|(_, after)| after) };
    Some(message.map(str::trim_start).filter(|message| message.starts_with('{')).unwrap_or(rest))
}

/// Whether this is the beginning of a time in ISO 8601, to the second at least: `2026-04-02T09:15:00`.
fn is_time(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    text.len() >= SHAPE.len()
        && text.len() <= 40
        && SHAPE.iter().zip(text).all(|(wanted, byte)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => other == byte,
        })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        BASE64_STANDARD.encode(encoder.finish().unwrap())
    }

    #[test]
    fn payloads_are_unpacked_or_told() {
        assert_eq!(unpacked(&packed(b"{}")).as_deref(), Ok("{}"));
        assert_eq!(unpacked("%"), Err(PayloadError::NotBase64));
        assert_eq!(unpacked("e30="), Err(PayloadError::NotGzip));
        let whole = packed(&[b'a'; 5000]);
        assert_eq!(unpacked(&whole[..whole.len() / 8 * 4]), Err(PayloadError::NotGzip));
        let zeros = vec![0; usize::try_from(MAX_UNPACKED).unwrap() + 1];
        assert_eq!(unpacked(&packed(&zeros)), Err(PayloadError::TooLarge));
    }

    #[test]
    fn lines_lose_the_time_before_the_message() {
        for (line, message) in [
            ("2026-04-02T09:15:00.000Z {\"a\": 1}", Some("{\"a\": 1}")),
            ("2026-04-02T09:15:00.000000+00:00 111122223333_CloudTrail_eu-west-1 {\"a\": 1}", Some("{\"a\": 1}")),
            ("2026-04-02T09:15:00 START RequestId: 1", Some("START RequestId: 1")),
            ("{\"eventTime\": \"2026-04-02T09:15:00Z\"}", None),
            ("2026-04-02 09:15 {}", None),
            ("", None),
        ] {
            assert_eq!(message_of_line(line), message, "{line}");
        }
    }
}
