//! What is shown of a line: all of it, or the part around a mark.

use std::ops::Range;

/// Columns from one tab stop to the next.
const TAB: usize = 4;

/// What stands where something was left out.
const LEFT_OUT: char = '…';

/// A line, or a part of it, and where its mark is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// What is shown, in which every character takes the columns that it is counted with.
    pub(super) line: String,
    /// Columns before the mark.
    pub(super) before: usize,
    /// Columns of the mark; 0: it stands between two characters.
    pub(super) width: usize,
}

impl Window {
    /// Of the line in which `mark` begins, at most `columns`. A mark that goes on over the line's end ends with it.
    pub(super) fn new(text: &str, mark: &Range<usize>, columns: usize) -> Self {
        let start = floor(text, mark.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let line = text[line_start..line_end].trim_end_matches('\r');
        // The end of a line may be marked, too.
        let start = start.min(line_start + line.len());
        let mark = start - line_start..floor(text, mark.end).clamp(start, line_start + line.len()) - line_start;
        // A line may be a megabyte long: what is far from the mark cannot be shown.
        let from = floor(line, mark.start.saturating_sub(8 * columns));
        let to = floor(line, (mark.start + 8 * columns).min(line.len()));
        let cells = Cells::new(&line[from..to]);
        let (begins, ends) = (cells.column(mark.start - from), cells.column(mark.end.min(to) - from));
        let is_cut = from > 0 || to < line.len();
        if !is_cut && cells.width() <= columns {
            return Self { line: cells.shown(0..usize::MAX), before: begins, width: ends - begins };
        }
        // One column on each side says that there is more.
        let room = columns.saturating_sub(2).max(1);
        let marked = (ends - begins).min(room * 2 / 3);
        let left = begins.saturating_sub((room - marked) / 2).min(cells.width().saturating_sub(room));
        let shown = cells.shown(left..left + room);
        let left_out_before = left > 0 || from > 0;
        let left_out_after = left + room < cells.width() || to < line.len();
        let mut line = String::with_capacity(shown.len() + 6);
        line.extend(left_out_before.then_some(LEFT_OUT));
        line.push_str(&shown);
        line.extend(left_out_after.then_some(LEFT_OUT));
        Self {
            line,
            before: begins - left + usize::from(left_out_before),
            width: ends.min(left + room).saturating_sub(begins),
        }
    }
}

/// The nearest beginning of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The characters of a line, each with its place, its column and its width.
struct Cells(Vec<(usize, usize, usize, char)>);

impl Cells {
    fn new(line: &str) -> Self {
        let mut column = 0;
        Self(
            line.char_indices()
                .map(|(at, c)| {
                    let width = if c == '\t' { TAB - column % TAB } else { width(c) };
                    column += width;
                    (at, column - width, width, c)
                })
                .collect(),
        )
    }

    fn width(&self) -> usize {
        self.0.last().map_or(0, |(_, column, width, _)| column + width)
    }

    /// The column of the character that begins at this byte.
    fn column(&self, at: usize) -> usize {
        let place = self.0.partition_point(|(start, ..)| *start < at);
        self.0.get(place).map_or_else(|| self.width(), |(_, column, ..)| *column)
    }

    /// What stands in these columns; of a wide character that stands in them only half, a blank.
    fn shown(&self, columns: Range<usize>) -> String {
        let mut shown = String::new();
        for (_, column, width, c) in &self.0 {
            let (start, end) = (*column, column + width);
            if start < columns.start || end > columns.end {
                let inside = end.min(columns.end).saturating_sub(start.max(columns.start));
                shown.extend(std::iter::repeat_n(' ', inside));
            } else if *c == '\t' {
                shown.extend(std::iter::repeat_n(' ', *width));
            } else {
                shown.push(if is_harmless(*c) { *c } else { '\u{fffd}' });
            }
        }
        shown
    }
}

/// Whether a terminal shows a character where it stands: one that controls it, or turns the writing around, it does not.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// The columns that a character takes. Source: the wide and the combining blocks of Unicode's `EastAsianWidth.txt`
/// (<https://www.unicode.org/reports/tr11/>), as far as terminals agree on them.
fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line with its mark below it.
    fn drawn(text: &str, mark: &str, columns: usize) -> (String, String) {
        let at = text.find(mark).unwrap();
        let Window { line, before, width } = Window::new(text, &(at..at + mark.len()), columns);
        (line, format!("{}{}", " ".repeat(before), "^".repeat(width)))
    }

    #[test]
    fn a_short_line_is_shown_whole_and_tabs_and_wide_characters_are_counted() {
        assert_eq!(drawn("a\n\t{\"é\": x}\nb", "x", 80), ("    {\"é\": x}".into(), "          ^".into()));
        assert_eq!(drawn("{\"鍵\": x}", "x", 80), ("{\"鍵\": x}".into(), "       ^".into()));
        assert_eq!(drawn("ab\tx\r\n", "x", 80), ("ab  x".into(), "    ^".into()));
        assert_eq!(Window::new("", &(0..0), 80), Window { line: String::new(), before: 0, width: 0 });
    }

    #[test]
    fn of_a_long_line_the_part_around_the_mark_is_shown() {
        let text = format!("{}MARK{}", "a".repeat(1000), "b".repeat(100_000));
        let (line, below) = drawn(&text, "MARK", 40);
        assert_eq!(line.chars().count(), 40);
        assert!(line.starts_with("…aaa") && line.ends_with("bbb…"), "{line}");
        assert_eq!(line.find("MARK").map(|at| line[..at].chars().count()), below.find('^'));
        // At the beginning of the line nothing is left out before it.
        let text = format!("MARK{}", "é".repeat(1000));
        assert_eq!(drawn(&text, "MARK", 10), ("MARKéééé…".into(), "^^^^".into()));
    }

    #[test]
    fn a_mark_longer_than_what_is_shown_is_cut_and_ends_with_its_line() {
        let text = format!("x{}y", "m".repeat(5000));
        let (line, below) = drawn(&text, &"m".repeat(5000), 20);
        assert_eq!((line.chars().count(), below.chars().count()), (19, 18));
        let Window { line, before, width } = Window::new("[1,\n2]\n", &(0..6), 80);
        assert_eq!((line.as_str(), before, width), ("[1,", 0, 3));
    }

    #[test]
    fn no_span_of_any_text_fails() {
        let text = "ab\té鍵\u{301}\u{202e}\n\u{1f600}x\r\n";
        for start in 0..=text.len() + 1 {
            for end in start..=text.len() + 2 {
                for columns in [1, 3, 8] {
                    let Window { line, .. } = Window::new(text, &(start..end), columns);
                    assert!(!line.contains(['\n', '\t', '\u{202e}']), "{start}..{end}: {line:?}");
                }
            }
        }
    }
}
