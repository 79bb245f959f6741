//! What the facts about policies ask of a record besides its parameters.

use crate::cloudtrail::{Record, partition_of};

/// The partition of the region, which every ARN of the account begins with.
pub(crate) fn partition(record: &Record<'_>) -> &'static str {
    partition_of(record.text(&["awsRegion"]).unwrap_or_default())
}
