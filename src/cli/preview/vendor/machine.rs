//! A document for machines.

use crate::cli::layout::spread;
use crate::cli::preview::piece::{Look, Piece, Screen};
use crate::json::Node;

/// The document, laid out.
pub(super) fn screen(label: &str, document: &str) -> Screen {
    let laid_out = Node::parse(document).map_or_else(|_| document.to_owned(), |node| spread(&node, 0));
    Screen {
        pieces: vec![Piece::Code(laid_out)],
        notes: vec![format!("{} bytes", document.len())],
        ..Screen::new(Look::Machine, label)
    }
}
