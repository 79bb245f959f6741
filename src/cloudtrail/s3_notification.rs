//! Notifications that name an object in S3: they hold no records, and the object may.

use std::borrow::Cow;

use crate::json::{Members, Node, Outline};

/// What the object of an S3 event notification, of an EventBridge event of S3, or of CloudTrail's own notification of a delivery
/// names: `s3://BUCKET/KEY`. Sources:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html> and
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html>.
pub(super) fn named_object(members: &Members<'_>) -> Option<String> {
    let inner = |members: &Members<'_>, key: &str, name: &str| {
        let Ok(Outline::Object(inner)) = Outline::parse(members.get(key)?) else { return None };
        inner.string(name).map(Cow::into_owned)
    };
    let (bucket, key) = if let Some(bucket) = members.string("s3Bucket") {
        let Ok(Outline::Array(keys)) = Outline::parse(members.get("s3ObjectKey")?) else { return None };
        (bucket.into_owned(), Node::parse(keys.first()?).ok()?.as_str()?.to_owned())
    } else if let Some(s3) = members.get("s3") {
        let Ok(Outline::Object(s3)) = Outline::parse(s3) else { return None };
        let key = inner(&s3, "object", "key")?.replace('+', " ");
        (inner(&s3, "bucket", "name")?, percent_encoding::percent_decode_str(&key).decode_utf8_lossy().into_owned())
    } else {
        (inner(members, "bucket", "name")?, inner(members, "object", "key")?)
    };
    Some(crate::text::one_line(&format!("s3://{bucket}/{key}"), 300).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_name_their_object() {
        for (text, object) in [
            (
                r#"{"eventSource":"aws:s3","s3":{"bucket":{"name":"b"},"object":{"key":"a%2Bb/c+d.json.gz"}}}"#,
                Some("s3://b/a+b/c d.json.gz"),
            ),
            (r#"{"bucket":{"name":"b"},"object":{"key":"a+b"}}"#, Some("s3://b/a+b")),
            (r#"{"s3Bucket":"b","s3ObjectKey":["k","l"]}"#, Some("s3://b/k")),
            (r#"{"s3Bucket":"b","s3ObjectKey":[]}"#, None),
            (r#"{"bucket":"b"}"#, None),
        ] {
            let Ok(Outline::Object(members)) = Outline::parse(text) else { panic!("{text}") };
            assert_eq!(named_object(&members).as_deref(), object, "{text}");
        }
    }
}
