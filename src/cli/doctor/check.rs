//! A kind of thing that may be wrong.

use serde::Serialize;

/// One kind of thing that may be wrong with a deployment: a line of docs/doctor.md. Its file in `checks` looks for it.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    /// What scripts know it by: it never changes.
    pub(super) code: &'static str,
    /// What is wrong where it is found, and what follows from that.
    pub(super) summary: &'static str,
    /// What has to be allowed to whoever asks, as IAM calls it.
    pub(super) asks: &'static [&'static str],
}
