//! The little languages in which vendors take text.
//!
//! Each is read as the vendor reads it, as far as people's texts have it; what is not understood stays as it is written. What a
//! reader must not overlook is a text of the record that has become markup: so nothing is left out.

mod html;
mod inline;
mod markdown;
mod mrkdwn;

pub(super) use self::html::html;
pub(super) use self::inline::linked;
pub(super) use self::markdown::markdown;
pub(super) use self::mrkdwn::mrkdwn;
