//! What a plan costs and how long it takes, by AWS's list prices for us-east-1. docs/history.md shows the arithmetic.

use serde::Serialize;

use super::plan::PlanSize;

// Dollars. <https://aws.amazon.com/s3/pricing/>: requests to S3 Standard.
const GET: f64 = 0.0004 / 1000.0;
const LIST_OR_PUT: f64 = 0.005 / 1000.0;
// <https://aws.amazon.com/lambda/pricing/>: x86, the first tier.
const GB_SECOND: f64 = 0.000_016_666_7;
const INVOCATION: f64 = 0.20 / 1e6;
// <https://aws.amazon.com/step-functions/pricing/>: standard workflows.
const TRANSITION: f64 = 0.025 / 1000.0;
/// <https://aws.amazon.com/kms/pricing/>: one request to decrypt for each object, where the archive's bucket has no bucket key.
const DECRYPTION: f64 = 0.03 / 10_000.0;

/// Memory of a reader, in GB: with 1,769 MB a function has one processor.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const MEMORY: f64 = 1.769;
/// Stored bytes that a reader reads in a second: an assumption, on one processor of Lambda, of what takes 25 to 30 seconds a GB on a busy laptop.
const BYTES_A_SECOND: f64 = 40e6;
/// Seconds that an object takes besides its bytes: 40 ms until S3 answers, sixteen at a time.
const SECONDS_AN_OBJECT: f64 = 0.040 / 16.0;
/// Seconds of a part for starting and writing.
const SECONDS_A_PART: f64 = 0.5;
/// Seconds after which a reader ends a slice.
const SECONDS_A_SLICE: f64 = 840.0;

/// What it costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Price {
    /// Dollars in all.
    pub(super) dollars: f64,
    /// For reading the objects.
    pub(super) s3_get: f64,
    /// For listing them once more, and for what readers write.
    pub(super) s3_list_and_put: f64,
    pub(super) lambda: f64,
    pub(super) step_functions: f64,
    /// For decrypting them, if each object needs a request of its own.
    pub(super) kms: f64,
    /// Minutes with so many readers at a time.
    pub(super) minutes: f64,
    pub(super) readers: u64,
}

impl Price {
    /// The price of so much with so many readers at a time; `is_encrypted`: by a key of KMS, without a bucket key.
    pub(super) fn of(size: PlanSize, readers: u64, is_encrypted: bool) -> Self {
        let (objects, bytes, parts) = (number(size.objects), number(size.bytes), number(size.parts));
        let reading = bytes / BYTES_A_SECOND + objects * SECONDS_AN_OBJECT;
        let seconds = reading + parts * SECONDS_A_PART;
        let slices = parts + (reading / SECONDS_A_SLICE).floor();
        let s3_get = objects * GET;
        // A slice lists what it reads, and writes records, places and a tally; a part its mark.
        let s3_list_and_put = (objects / 1000.0 + parts + slices * 3.0 + parts) * LIST_OR_PUT;
        let lambda = seconds * MEMORY * GB_SECOND + slices * INVOCATION;
        // Starting the execution, and of each slice the reader and the choice.
        let step_functions = (parts * 2.0 + slices * 2.0) * TRANSITION;
        let kms = if is_encrypted { objects * DECRYPTION } else { 0.0 };
        let dollars = s3_get + s3_list_and_put + lambda + step_functions + kms;
        let at_a_time = number(readers.min(size.parts).max(1));
        let minutes = seconds / at_a_time / 60.0;
        Self { dollars, s3_get, s3_list_and_put, lambda, step_functions, kms, minutes, readers }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate has no sixteen digits")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TB: u64 = 1_000_000_000_000;

    fn size(bytes: u64, object: u64) -> PlanSize {
        PlanSize { parts: bytes / 1_000_000_000, objects: bytes / object, bytes, days: 1, listed_days: 1 }
    }

    /// The figures of docs/history.md.
    #[test]
    fn a_terabyte_costs_what_the_page_says() {
        let dollars = |bytes, object| {
            let price = Price::of(size(bytes, object), 100, false);
            format!("{:.2} {:.2} {:.2} {:.2}", price.dollars, price.s3_get, price.lambda, price.minutes)
        };
        let told = [(TB, 30_000), (TB, 1_000_000), (10 * TB, 30_000), (10 * TB, 1_000_000)]
            .map(|(all, one)| dollars(all, one));
        assert_eq!(
            told,
            ["16.84 13.33 3.21 18.14", "1.36 0.40 0.83 4.67", "168.42 133.33 32.09 181.39", "13.58 4.00 8.26 46.67",]
        );
    }

    #[test]
    fn a_key_of_kms_is_a_request_an_object() {
        let price = Price::of(size(30_000_000_000, 30_000), 10, true);
        assert!((price.kms - 3.0).abs() < 1e-9, "{price:?}");
    }
}
