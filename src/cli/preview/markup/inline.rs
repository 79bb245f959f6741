//! Marks around words (`*bold*`), and addresses that stand in the text.

use crate::cli::preview::piece::{Line, Span, SpanStyle};

/// A mark that stands before and after what it sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// What is written.
    pub(super) written: &'static str,
    /// What it does to a style.
    pub(super) set: fn(&mut SpanStyle),
    /// Whether marks within it are text.
    pub(super) is_literal: bool,
}

/// Text with marks: a mark counts at the edge of a word, where its like closes it on the same line.
pub(super) fn marked(text: &str, marks: &[Mark], style: SpanStyle, line: &mut Line) {
    let mut rest = text;
    let mut before = None;
    let mut plain = String::new();
    while let Some(next) = rest.chars().next() {
        let opened = marks.iter().filter(|_| !before.is_some_and(char::is_alphanumeric)).find_map(|mark| {
            let inner = rest.strip_prefix(mark.written)?;
            let end = closing(inner, mark.written)?;
            Some((mark, &inner[..end], &inner[end + mark.written.len()..]))
        });
        if let Some((mark, inner, after)) = opened {
            plain_span(line, std::mem::take(&mut plain), style);
            let mut inner_style = style;
            (mark.set)(&mut inner_style);
            if mark.is_literal {
                plain_span(line, inner.to_owned(), inner_style);
            } else {
                marked(inner, marks, inner_style, line);
            }
            rest = after;
            before = mark.written.chars().last();
        } else {
            plain.push(next);
            before = Some(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    plain_span(line, plain, style);
}

fn plain_span(line: &mut Line, text: String, style: SpanStyle) {
    line.extend((!text.is_empty()).then_some(Span { text, style, link: None }));
}

/// Where the text within a mark ends: before the first such mark that follows a letter and precedes none.
fn closing(inner: &str, mark: &str) -> Option<usize> {
    let end_of_line = inner.find('\n').unwrap_or(inner.len());
    if inner.starts_with(char::is_whitespace) {
        return None;
    }
    inner[..end_of_line].match_indices(mark).map(|(at, _)| at).find(|at| {
        let (before, after) = (&inner[..*at], &inner[at + mark.len()..]);
        !before.is_empty() && !before.ends_with(char::is_whitespace) && !after.starts_with(char::is_alphanumeric)
    })
}

/// Appends text, if there is any, with the addresses in it as links.
pub(super) fn push(line: &mut Line, text: String, style: SpanStyle) {
    if style.code {
        plain_span(line, text, style);
    } else {
        line.extend(linked(&text).into_iter().map(|span| Span { style, ..span }));
    }
}

/// Plain text, in which mail programs and chats make links of what looks like an address of the web.
pub(in crate::cli::preview) fn linked(text: &str) -> Line {
    let mut line = Line::new();
    let mut rest = text;
    let mut plain_end = 0;
    let mut from = 0;
    while let Some(at) = ["https://", "http://"].iter().filter_map(|scheme| rest[from..].find(scheme)).min() {
        let start = from + at;
        let found = &rest[start..];
        let end = found.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(found.len());
        let address = found[..end].trim_end_matches(['.', ',', ')', ';', ':', '!', '?']);
        if address.ends_with("//") {
            from = start + end.max(1);
            continue;
        }
        line.extend((start > plain_end).then(|| Span::plain(&rest[plain_end..start])));
        line.push(Span { link: Some(address.to_owned()), ..Span::plain(address) });
        plain_end = start + address.len();
        from = plain_end;
    }
    rest = &rest[plain_end..];
    line.extend((!rest.is_empty()).then(|| Span::plain(rest)));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_a_text_are_links_and_nothing_is_lost() {
        let text = "see https://a.example/x?y=1, and (http://b.example) or https:// alone, javascript:x";
        let line = linked(text);
        assert_eq!(line.iter().map(|span| span.text.as_str()).collect::<String>(), text);
        let links: Vec<_> = line.iter().filter_map(|span| span.link.as_deref()).collect();
        assert_eq!(links, ["https://a.example/x?y=1", "http://b.example"]);
    }
}
