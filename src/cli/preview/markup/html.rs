//! HTML as tickets have it: paragraphs, lists, tables and a few styles. Source:
//! <https://support.zendesk.com/hc/en-us/articles/4408846544922>.

use crate::cli::preview::piece::{Line, Piece, Span, SpanStyle};

/// The text that is being gathered, and what surrounds it.
#[derive(Default)]
struct Reader {
    /// The elements of the document, and of each item of a list that is open in it.
    sinks: Vec<Vec<Piece>>,
    line: Line,
    /// The tags that are open, each with the address of a link.
    open: Vec<(String, Option<String>)>,
    /// The lists that are open: whether each is numbered, and its items so far.
    lists: Vec<(bool, Vec<Vec<Piece>>)>,
    /// The cells of the row that is open, and the rows so far.
    cells: Vec<Line>,
    rows: Vec<Vec<Line>>,
}

/// What a ticket shows of HTML. Tags that are not known are shown as pieces of their own.
pub(in crate::cli::preview) fn html(source: &str) -> Vec<Piece> {
    let mut reader = Reader { sinks: vec![Vec::new()], ..Reader::default() };
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        reader.text(&rest[..at]);
        let Some(end) = rest[at..].find('>') else { break };
        reader.tag(&rest[at + 1..at + end]);
        rest = &rest[at + end + 1..];
    }
    reader.text(rest);
    reader.paragraph();
    // What was left open is shown, too.
    let items = reader.lists.into_iter().flat_map(|(_, items)| items);
    reader.sinks.into_iter().chain(items).flatten().collect()
}

impl Reader {
    fn text(&mut self, text: &str) {
        let is_pre = self.is_open("pre");
        let text = unescaped(text);
        // Outside of `pre` a line's end is a space.
        let text = if is_pre { text } else { text.replace(['\n', '\t'], " ") };
        if text.is_empty() || (self.line.is_empty() && !is_pre && text.trim().is_empty()) {
            return;
        }
        let style = SpanStyle {
            bold: self.is_open("strong") || self.is_open("b") || self.is_open("th"),
            italic: self.is_open("em") || self.is_open("i"),
            strike: self.is_open("s") || self.is_open("del"),
            code: self.is_open("code"),
            quiet: self.is_open("small"),
        };
        let link = self.open.iter().rev().find_map(|(_, link)| link.clone());
        self.line.push(Span { text, style, link });
    }

    fn is_open(&self, tag: &str) -> bool {
        self.open.iter().any(|(open, _)| open == tag)
    }

    fn push(&mut self, piece: Piece) {
        if let Some(sink) = self.sinks.last_mut() {
            sink.push(piece);
        }
    }

    fn tag(&mut self, tag: &str) {
        let tag = tag.trim_end_matches('/').trim();
        if let Some(name) = tag.strip_prefix('/') {
            self.close(&name.to_ascii_lowercase());
            return;
        }
        let name = tag.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "br" => self.line.push(Span::plain("\n")),
            "hr" => {
                self.paragraph();
                self.push(Piece::Divider);
            }
            "ul" | "ol" => {
                self.paragraph();
                self.lists.push((name == "ol", Vec::new()));
            }
            "li" => {
                self.paragraph();
                self.sinks.push(Vec::new());
            }
            "p" | "div" | "h1" | "h2" | "h3" | "h4" | "pre" | "table" | "blockquote" => {
                self.paragraph();
                self.open.push((name, None));
            }
            "a" => self.open.push((name, attribute(tag, "href"))),
            "strong" | "b" | "em" | "i" | "s" | "del" | "code" | "small" | "span" | "tbody" | "thead" | "tr" | "td"
            | "th" | "dl" | "dt" | "dd" | "html" | "body" => self.open.push((name, None)),
            _ => {
                self.paragraph();
                self.push(Piece::Unknown { kind: name, content: format!("<{tag}>") });
            }
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "li" => {
                self.paragraph();
                let item = if self.sinks.len() > 1 { self.sinks.pop().unwrap_or_default() } else { Vec::new() };
                match self.lists.last_mut() {
                    Some((_, items)) => items.push(item),
                    None => item.into_iter().for_each(|piece| self.push(piece)),
                }
            }
            "ul" | "ol" => {
                if let Some((is_ordered, items)) = self.lists.pop() {
                    self.push(Piece::List { is_ordered, items });
                }
            }
            "td" | "th" => self.cells.push(std::mem::take(&mut self.line)),
            "tr" => self.rows.push(std::mem::take(&mut self.cells)),
            "dt" => self.cells = vec![std::mem::take(&mut self.line)],
            "dd" => {
                self.cells.push(std::mem::take(&mut self.line));
                self.rows.push(std::mem::take(&mut self.cells));
            }
            "table" | "dl" => {
                let rows = std::mem::take(&mut self.rows);
                self.push(Piece::Facts(rows.into_iter().map(pair).collect()));
            }
            "p" | "div" | "h1" | "h2" | "h3" | "h4" | "pre" | "blockquote" => self.paragraph(),
            _ => {}
        }
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            self.open.remove(at);
        }
    }

    /// Ends what has been gathered.
    fn paragraph(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return;
        }
        let is_heading = ["h1", "h2", "h3", "h4"].iter().any(|heading| self.is_open(heading));
        let piece = if self.is_open("pre") {
            Piece::Code(line.into_iter().map(|span| span.text).collect())
        } else if is_heading {
            Piece::Heading(line)
        } else {
            Piece::Text(line)
        };
        self.push(piece);
    }
}

/// The first cell of a row, and all others.
fn pair(cells: Vec<Line>) -> (Line, Line) {
    let mut cells = cells.into_iter();
    let name = cells.next().unwrap_or_default();
    let mut value = Line::new();
    for cell in cells {
        if !value.is_empty() {
            value.push(Span::plain(" "));
        }
        value.extend(cell);
    }
    (name, value)
}

/// The value of an attribute in quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!("{name}=\""))?;
    Some(unescaped(after.split('"').next().unwrap_or_default()))
}

fn unescaped(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", "\u{a0}"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lists_tables_and_links_are_read_and_text_stays_text() {
        let source = "<p><strong>HIGH</strong>: x &lt;b&gt;</p><ol><li><strong>A</strong>: 1<pre>aws iam</pre></li><li>2</li></ol>\
            <table><tr><th>Account</th><td>1234</td></tr></table><pre>a\n b</pre><p><a href=\"https://a.example/?x=1&amp;y\">R</a></p><video>";
        let bold = Span::bold;
        let expected = [
            Piece::Text(vec![bold("HIGH"), Span::plain(": x <b>")]),
            Piece::List {
                is_ordered: true,
                items: vec![
                    vec![Piece::Text(vec![bold("A"), Span::plain(": 1")]), Piece::Code("aws iam".to_owned())],
                    vec![Piece::Text(vec![Span::plain("2")])],
                ],
            },
            Piece::Facts(vec![(vec![bold("Account")], vec![Span::plain("1234")])]),
            Piece::Code("a\n b".to_owned()),
            Piece::Text(vec![Span { link: Some("https://a.example/?x=1&y".to_owned()), ..Span::plain("R") }]),
            Piece::Unknown { kind: "video".to_owned(), content: "<video>".to_owned() },
        ];
        assert_eq!(html(source), expected);
    }
}
