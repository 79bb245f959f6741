//! JSON as this product needs it: every value keeps its place in the text, objects keep the order of their members and
//! repeated keys, numbers keep the digits they were written with, and no nesting, however deep, exhausts the stack.
//!
//! The files, each on top of the next:
//! ```text
//! parse    a text → a tree of `node`s, which `serde_json::Value` cannot be; `write` prints it
//! outline  a text → its members or elements, taken apart by one level
//! lexer    walks over a text, checking all of it; the engine extracts fields with it
//! stops    where strings end, looked for many bytes at a time
//! ```
//! Decisions, all of them tested:
//! - of repeated keys the last one counts ([`Node::get`]), as in most parsers;
//! - a lone surrogate (`"\ud800"`) becomes U+FFFD, so that one odd character cannot hide a call;
//! - below [`MAX_DEPTH`] levels a value stays unread text: patterns still search it, paths do not enter it.

mod lexer;
mod node;
mod outline;
mod parse;
mod stops;
mod write;

pub(crate) use self::lexer::{Lexer, Nesting, Next, NotJson, Quoted, WHITE_SPACE, unescape};
pub use self::node::{JsonString, Member, Node, Value, line_and_column};
pub(crate) use self::outline::{Members, Outline};
pub use self::parse::MAX_DEPTH;
pub(crate) use self::parse::why_not_json;
pub(crate) use self::write::write_string;
