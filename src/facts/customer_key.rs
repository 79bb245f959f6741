//! The field about objects that are encrypted with a key of the caller's own (SSE-C), which AWS does not keep.

use super::placed::{Placed, Values};
use super::value::{DerivedField, ServiceCalls};
use crate::cloudtrail::{FactValue, Record};

/// Whether an object is encrypted with a key that comes with the call.
pub(super) const CUSTOMER_KEY: DerivedField = DerivedField {
    name: "customer_key",
    calls: &[ServiceCalls {
        service: "s3.amazonaws.com",
        events: &[
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateMultipartUpload",
            "GetObject",
            "GetObjectAttributes",
            "HeadObject",
            "ListParts",
            "PutObject",
            "SelectObjectContent",
            "UploadPart",
            "UploadPartCopy",
        ],
    }],
    values: customer_key,
    description: "SSE-C if the object is encrypted with a key that comes with the call and that AWS does not keep, written so or \
                  read so; of a copy, the new object",
};

/// How the headers begin that bring the key. Those for the source of a copy begin otherwise. Source:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>.
const HEADERS: &str = "x-amz-server-side-encryption-customer-";

fn customer_key(record: &Record<'_>) -> Vec<FactValue> {
    let mut values = Values::default();
    for top in ["requestParameters", "responseElements"].into_iter().filter_map(|top| Placed::top(record, top)) {
        let header = top.members().find(|(key, _)| key.to_ascii_lowercase().starts_with(HEADERS));
        if let Some((_, header)) = header {
            values.add("SSE-C", &header.place);
        }
    }
    let applied = Placed::top(record, "additionalEventData").and_then(|more| more.get("SSEApplied"));
    if let Some(applied) = applied.filter(|applied| applied.text() == Some("SSE_C")) {
        values.add("SSE-C", &applied.place);
    }
    values.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(event: &str, parts: &str) -> Vec<(String, String)> {
        let json = format!(r#"{{"eventSource":"s3.amazonaws.com","eventName":"{event}",{parts}}}"#);
        let record = Record::parse(&json).unwrap();
        CUSTOMER_KEY.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    #[test]
    fn the_key_is_told_by_the_request_the_answer_and_by_what_was_applied() {
        let algorithm = "x-amz-server-side-encryption-customer-algorithm";
        for event in ["PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "GetObject"] {
            for (parts, place) in [
                (
                    format!(r#""requestParameters":{{"key":"k","{algorithm}":"AES256"}}"#),
                    format!("requestParameters.{algorithm}"),
                ),
                (
                    format!(
                        r#""requestParameters":{{"X-Amz-Server-Side-Encryption-Customer-Key-MD5":"x","{algorithm}":"AES256"}}"#
                    ),
                    "requestParameters.X-Amz-Server-Side-Encryption-Customer-Key-MD5".to_owned(),
                ),
                (format!(r#""responseElements":{{"{algorithm}":"AES256"}}"#), format!("responseElements.{algorithm}")),
                (
                    r#""additionalEventData":{"SSEApplied":"SSE_C"}"#.to_owned(),
                    "additionalEventData.SSEApplied".to_owned(),
                ),
            ] {
                assert_eq!(said(event, &parts), [("SSE-C".to_owned(), place)], "{event} {parts}");
            }
        }
    }

    #[test]
    fn another_encryption_is_none_of_the_callers() {
        for parts in [
            r#""requestParameters":{"x-amz-server-side-encryption":"aws:kms"},"additionalEventData":{"SSEApplied":"SSE_KMS"}"#,
            // The source was encrypted so, and the copy is not.
            r#""requestParameters":{"x-amz-copy-source-server-side-encryption-customer-algorithm":"AES256"},"additionalEventData":{"SSEApplied":"Default_SSE_S3"}"#,
            r#""requestParameters":null"#,
        ] {
            assert_eq!(said("CopyObject", parts), [], "{parts}");
        }
        assert_eq!(said("DeleteObject", r#""additionalEventData":{"SSEApplied":"SSE_C"}"#), []);
    }
}
