//! Screens on a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, RgbColor, Style};

use super::alerts::{PreviewedAlert, PreviewedChannel};
use super::piece::{Button, Group, Line, Look, Piece, Screen, Span};
use crate::cli::terminal::colour;
use crate::text::printable;

/// Columns of a screen.
const WIDTH: usize = 100;
/// Columns of an SMS: a telephone's.
const SMS_WIDTH: usize = 44;
/// Columns of a fact's name at most.
const NAME_WIDTH: usize = 24;

/// A row of a terminal: texts, each with its style. No text holds a line break or what a terminal would obey.
type Row = Vec<(Style, String)>;

/// Writes an alert: every screen of every channel.
pub(super) fn write(out: &mut impl Write, alert: &PreviewedAlert) -> io::Result<()> {
    let (colour, bold, dim) = (colour(alert.severity), Style::new().bold(), Style::new().dimmed());
    let heading = printable(&alert.heading);
    let words = heading.strip_prefix(alert.severity.label()).and_then(|rest| rest.strip_prefix(": "));
    match words {
        Some(words) => write!(out, "{colour}{}{colour:#}  {bold}{words}{bold:#}", alert.severity.label())?,
        None => write!(out, "{bold}{heading}{bold:#}")?,
    }
    writeln!(out, "  {dim}{}{dim:#}\n", alert.rule)?;
    for PreviewedChannel { name, screens } in &alert.channels {
        // What machines get beside what people see is long, and `explain` prints it.
        let is_beside = |screen: &Screen| screen.look == Look::Machine && screens.len() > 1;
        for screen in screens.iter().filter(|screen| !is_beside(screen)) {
            write_screen(out, screen, name)?;
        }
        for screen in screens.iter().filter(|screen| is_beside(screen)) {
            writeln!(out, "{dim}({}: offlimits explain --channel {name} prints it){dim:#}\n", screen.label)?;
        }
    }
    Ok(())
}

fn write_screen(out: &mut impl Write, screen: &Screen, channel: &str) -> io::Result<()> {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let label = format!("{} · {channel}", screen.label);
    let rest = "─".repeat(WIDTH.saturating_sub(label.chars().count() + 4));
    writeln!(out, "{dim}──{dim:#} {bold}{label}{bold:#} {dim}{rest}{dim:#}")?;
    let width = if screen.look == Look::Sms { SMS_WIDTH } else { WIDTH } - 2;
    let mut rows = Vec::new();
    if let Some(text) = &screen.notification {
        let line = vec![Span::plain(format!("Notification: {text}"))];
        rows.extend(wrapped(&line, width).into_iter().map(|row| dimmed(&row)));
        rows.push(Row::new());
    }
    if let Some(title) = &screen.title {
        rows.extend(wrapped(&vec![Span::bold(title)], width));
    }
    let frame = screen.frame.iter().map(|(name, value)| (vec![Span::plain(name)], vec![Span::plain(value)]));
    let frame: Vec<(Line, Line)> = frame.collect();
    rows.extend(facts(&frame, width));
    if screen.title.is_some() || !frame.is_empty() {
        rows.push(Row::new());
    }
    rows.extend(pieces(&screen.pieces, width));
    for note in &screen.notes {
        let line = vec![Span::plain(format!("({note})"))];
        rows.extend(wrapped(&line, width).into_iter().map(|row| dimmed(&row)));
    }
    for row in rows {
        write_row(out, &row)?;
    }
    writeln!(out)
}

fn write_row(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let is_blank = row.iter().all(|(_, text)| text.trim().is_empty());
    if is_blank {
        return writeln!(out);
    }
    write!(out, "  ")?;
    for (style, text) in row {
        write!(out, "{style}{text}{style:#}")?;
    }
    writeln!(out)
}

/// The rows of elements, with a blank one between those that stand apart.
fn pieces(pieces: &[Piece], width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let stands_close = matches!(
            (number.checked_sub(1).and_then(|before| pieces.get(before)), piece),
            (Some(Piece::Text(_)), Piece::List { .. } | Piece::Code(_)) | (None, _)
        );
        if !stands_close {
            rows.push(Row::new());
        }
        rows.extend(self::piece(piece, width));
    }
    rows
}

fn piece(piece: &Piece, width: usize) -> Vec<Row> {
    match piece {
        Piece::Heading(line) => {
            let bold = line.iter().cloned().map(|mut span| {
                span.style.bold = true;
                span
            });
            wrapped(&bold.collect(), width)
        }
        Piece::Text(line) => wrapped(line, width),
        Piece::Quiet(line) => wrapped(line, width).iter().map(dimmed).collect(),
        Piece::Facts(pairs) => facts(pairs, width),
        Piece::Fields(fields) => {
            let column = (width - 2) / 2;
            let halves = |pair: &[Line]| side_by_side(pair.iter().map(|line| wrapped(line, column)).collect(), column);
            fields.chunks(2).flat_map(halves).collect()
        }
        Piece::List { is_ordered, items } => {
            let item = |(number, item): (usize, &Vec<Piece>)| {
                let mark = if *is_ordered { format!("{}. ", number + 1) } else { "• ".to_owned() };
                let margin = " ".repeat(mark.chars().count());
                let rows = pieces(item, width - margin.len());
                prefixed(rows, (Style::new(), &mark), (Style::new(), &margin))
            };
            items.iter().enumerate().flat_map(item).collect()
        }
        // Not wrapped: whoever copies it gets what is there.
        Piece::Code(code) => {
            let style = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
            printable(code).lines().map(|line| vec![(style, line.to_owned())]).collect()
        }
        Piece::Buttons(buttons) => buttons.iter().flat_map(|button| self::button(button, width)).collect(),
        Piece::Divider => vec![vec![(Style::new().dimmed(), "─".repeat(width))]],
        Piece::Columns(columns) => {
            let column = (width / columns.len().max(1)).saturating_sub(2).max(10);
            side_by_side(columns.iter().map(|inner| pieces(inner, column)).collect(), column)
        }
        Piece::Group(group) => self::group(group, width),
        Piece::Unknown { kind, content } => {
            let style = Style::new().fg_color(Some(AnsiColor::Magenta.into()));
            let mut rows = vec![vec![(style, format!("[{}]", printable(kind)))]];
            rows.extend(wrapped(&vec![Span::plain(content)], width - 2));
            prefixed(rows, (style, "┆ "), (style, "┆ "))
        }
    }
}

/// What is set off stands beside a bar, in its colour where it has one.
fn group(group: &Group, width: usize) -> Vec<Row> {
    let rows = pieces(&group.pieces, width - 2);
    let rgb = group.colour().and_then(|digits| u32::from_str_radix(&digits, 16).ok());
    let colour = match (rgb, group.tone.as_deref()) {
        (Some(rgb), _) => {
            let [_, red, green, blue] = rgb.to_be_bytes();
            Some(Color::Rgb(RgbColor(red, green, blue)))
        }
        (None, Some("attention")) => Some(AnsiColor::Red.into()),
        (None, Some("warning" | "internal")) => Some(AnsiColor::Yellow.into()),
        (None, Some("accent")) => Some(AnsiColor::Blue.into()),
        (None, Some("good")) => Some(AnsiColor::Green.into()),
        (None, _) => None,
    };
    let bar = Style::new().fg_color(colour);
    let mark = if colour.is_some() { "▌ " } else { "│ " };
    prefixed(rows, (bar, mark), (bar, mark))
}

fn button(button: &Button, width: usize) -> Vec<Row> {
    let label = vec![Span::bold(format!("[ {} ]", button.label))];
    let mut rows = wrapped(&label, width);
    if let Some(link) = &button.link {
        let link = wrapped(&vec![Span::plain(link)], width - 2);
        rows.extend(prefixed(link, (Style::new(), "  "), (Style::new(), "  ")).iter().map(dimmed));
    }
    rows
}

/// Names and values in two columns.
fn facts(pairs: &[(Line, Line)], width: usize) -> Vec<Row> {
    let width_of = |line: &Line| line.iter().map(|span| span.text.chars().count()).sum::<usize>();
    let column = pairs.iter().map(|(name, _)| width_of(name)).max().unwrap_or_default().min(NAME_WIDTH);
    let mut rows = Vec::new();
    for (name, value) in pairs {
        let names: Vec<Row> = wrapped(name, column.max(1)).iter().map(dimmed).collect();
        rows.extend(beside(vec![(names, column), (wrapped(value, width - column - 2), 0)]));
    }
    rows
}

fn side_by_side(columns: Vec<Vec<Row>>, width: usize) -> Vec<Row> {
    beside(columns.into_iter().map(|rows| (rows, width)).collect())
}

/// Columns beside one another, each filled up to its width and two spaces.
fn beside(columns: Vec<(Vec<Row>, usize)>) -> Vec<Row> {
    let height = columns.iter().map(|(rows, _)| rows.len()).max().unwrap_or_default();
    let mut out = vec![Row::new(); height];
    for (rows, width) in columns {
        for (number, row) in out.iter_mut().enumerate() {
            let cell = rows.get(number).cloned().unwrap_or_default();
            let used: usize = cell.iter().map(|(_, text)| text.chars().count()).sum();
            row.extend(cell);
            row.push((Style::new(), " ".repeat((width + 2).saturating_sub(used))));
        }
    }
    out.iter_mut().for_each(trim);
    out
}

/// Takes the spaces at a row's end away.
fn trim(row: &mut Row) {
    while let Some((_, text)) = row.last_mut() {
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            break;
        }
        row.pop();
    }
}

fn prefixed(rows: Vec<Row>, first: (Style, &str), others: (Style, &str)) -> Vec<Row> {
    let prefix = |number: usize| if number == 0 { first } else { others };
    let rows = rows.into_iter().enumerate().map(|(number, row)| {
        let (style, text) = prefix(number);
        std::iter::once((style, text.to_owned())).chain(row).collect()
    });
    rows.collect()
}

fn dimmed(row: &Row) -> Row {
    row.iter().map(|(style, text)| (style.dimmed(), text.clone())).collect()
}

/// A text in rows of this width, broken between words where that is possible.
fn wrapped(line: &Line, width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row: Vec<(char, Style)> = Vec::new();
    for span in line {
        let style = style(span);
        let mut text = printable(&span.text);
        if let Some(link) = span.link.as_ref().filter(|link| **link != span.text) {
            text.push_str(&printable(&format!(" ({link})")));
        }
        for c in text.chars() {
            if c == '\n' {
                rows.push(finished(&std::mem::take(&mut row)));
                continue;
            }
            row.push((c, style));
            if row.len() > width.max(1) {
                let space = row.iter().rposition(|(c, _)| *c == ' ').filter(|at| *at > width / 4);
                let next = row.split_off(space.map_or(row.len() - 1, |at| at + 1));
                rows.push(finished(&row));
                row = next;
            }
        }
    }
    rows.push(finished(&row));
    rows
}

fn finished(characters: &[(char, Style)]) -> Row {
    let mut row = Row::new();
    for (c, style) in characters {
        match row.last_mut() {
            Some((last, text)) if last == style => text.push(*c),
            _ => row.push((*style, c.to_string())),
        }
    }
    trim(&mut row);
    row
}

fn style(span: &Span) -> Style {
    let mut style = Style::new();
    if span.style.bold {
        style = style.bold();
    }
    if span.style.italic {
        style = style.italic();
    }
    if span.style.strike {
        style = style.strikethrough();
    }
    if span.style.quiet {
        style = style.dimmed();
    }
    if span.style.code {
        style = style.fg_color(Some(AnsiColor::Cyan.into()));
    }
    if span.link.is_some() {
        style = style.underline();
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| row.iter().map(|(_, text)| text.as_str()).collect()).collect()
    }

    #[test]
    fn text_breaks_between_words_and_a_long_word_anywhere() {
        let line = |text: &str| vec![Span::plain(text)];
        assert_eq!(shown(&wrapped(&line("one two three"), 8)), ["one two", "three"]);
        assert_eq!(shown(&wrapped(&line("aaaaaaaaaaaa"), 5)), ["aaaaa", "aaaaa", "aa"]);
        assert_eq!(shown(&wrapped(&line("a\n\nb"), 5)), ["a", "", "b"]);
        assert_eq!(shown(&wrapped(&line("x\u{1b}[2J\u{202e}y"), 9)), ["x [2J y"]);
    }

    #[test]
    fn names_stand_beside_their_values_and_nothing_is_dropped() {
        let pair = |name: &str, value: &str| (vec![Span::plain(name)], vec![Span::plain(value)]);
        let facts = Piece::Facts(vec![pair("Account", "123456789012"), pair("A", "one two three four five")]);
        let group = Piece::Group(Group { bar: Some("#C0392B".to_owned()), tone: None, pieces: vec![facts] });
        let unknown = Piece::Unknown { kind: "video".to_owned(), content: "{}".to_owned() };
        assert_eq!(
            shown(&pieces(&[group, unknown], 25)),
            ["▌ Account  123456789012", "▌ A        one two three", "▌          four five", "", "┆ [video]", "┆ {}",]
        );
    }
}
