//! A silence that begins: what the first message that it would have held back says of it.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A silence, as people are told of it: from this message on, findings like this one are held back on its channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceNotice {
    /// Its id.
    pub id: String,
    /// When it ends, unless somebody ends it before.
    pub until: Timestamp,
    /// Who made it.
    pub who: String,
    /// Why.
    pub reason: String,
}
