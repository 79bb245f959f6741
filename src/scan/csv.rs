//! Tables as text (RFC 4180), which Athena, CloudTrail Lake and the consoles export: each row becomes a line of JSON, in the shape
//! in which Lake's API answers, so that a table is read as NDJSON is, in bounded memory and with the numbers of its rows.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use crate::cloudtrail::envelope::is_table_of_records;
use crate::json::write_string;

/// The most bytes of one row, and of the heads that are looked at.
const MAX_ROW: usize = 64 * 1024 * 1024;
const MAX_HEAD: usize = 16 * 1024;

/// The columns of a table that may hold records, if this is the beginning of one.
fn columns(beginning: &[u8]) -> Option<Vec<String>> {
    let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    // JSON begins otherwise, and what begins with a line of megabytes is no table.
    if beginning.first().is_none_or(|byte| b"{[ \t\r\n".contains(byte)) {
        return None;
    }
    let head = &beginning[..memchr::memchr(b'\n', beginning).unwrap_or(beginning.len())];
    if head.len() > MAX_HEAD {
        return None;
    }
    let columns = Row::read(&mut &*head).ok()??.cells;
    let names: Vec<Cow<'_, str>> = columns.iter().map(|column| Cow::Borrowed(column.as_str())).collect();
    is_table_of_records(&names).then_some(columns)
}

/// Whether this is the beginning of a table that may hold records.
pub(super) fn is_table(beginning: &[u8]) -> bool {
    columns(beginning).is_some()
}

/// A text with its rows as lines of JSON, where it is a table that may hold records.
///
/// # Errors
/// A row has more than 64 MiB.
pub fn lines_of_table(text: &str) -> io::Result<Cow<'_, str>> {
    if !is_table(text.as_bytes()) {
        return Ok(Cow::Borrowed(text));
    }
    let mut lines = String::new();
    TableLines::new(text.as_bytes()).read_to_string(&mut lines)?;
    Ok(Cow::Owned(lines))
}

/// A table, read as lines of JSON. The head is an empty line, so that lines have the numbers of the rows.
pub(super) struct TableLines<R> {
    rows: BufReader<R>,
    columns: Option<Vec<String>>,
    line: Vec<u8>,
    /// Bytes of the line that have been handed over.
    at: usize,
}

impl<R: Read> TableLines<R> {
    pub(super) fn new(table: R) -> Self {
        Self { rows: BufReader::with_capacity(64 * 1024, table), columns: None, line: Vec::new(), at: 0 }
    }

    /// Makes the next line; false at the end.
    fn next_line(&mut self) -> io::Result<bool> {
        (self.at, self.line) = (0, Vec::new());
        let Some(mut row) = Row::read(&mut self.rows)? else { return Ok(false) };
        let Some(columns) = &self.columns else {
            if let Some(first) = row.cells.first_mut()
                && let Some(rest) = first.strip_prefix('\u{feff}')
            {
                // The mark stands before the quotes of the first name.
                *first = rest.trim_matches('"').to_owned();
            }
            self.columns = Some(row.cells);
            self.line.push(b'\n');
            return Ok(true);
        };
        let mut line = String::from("{\"QueryResultRows\":[[");
        if row.cells.len() == columns.len() && row.is_closed {
            for (index, (column, cell)) in columns.iter().zip(&row.cells).enumerate() {
                line.push_str(if index > 0 { ",{" } else { "{" });
                write_string(&mut line, column);
                line.push(':');
                write_string(&mut line, cell);
                line.push('}');
            }
            line.push_str("]]}\n");
        } else if row.cells.len() == 1 && row.is_closed && row.cells[0].is_empty() {
            line = String::from("\n");
        } else {
            // Cut off, or with commas that nobody quoted: not JSON, so that whoever reads it names the line.
            line = format!("a row of {} cells under a head of {}\n", row.cells.len(), columns.len());
        }
        self.line = line.into_bytes();
        Ok(true)
    }
}

impl<R: Read> Read for TableLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.line.len() {
            if !self.next_line()? {
                return Ok(0);
            }
        }
        let read = (&self.line[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

/// One row of a table.
struct Row {
    cells: Vec<String>,
    /// Whether its last quotes are closed.
    is_closed: bool,
}

impl Row {
    /// Reads a row; `None` at the end.
    fn read(table: &mut impl BufRead) -> io::Result<Option<Self>> {
        let (mut bytes, mut quotes) = (Vec::new(), 0_usize);
        loop {
            let begin = bytes.len();
            let read = table.by_ref().take((MAX_ROW + 1 - begin) as u64).read_until(b'\n', &mut bytes)?;
            if bytes.len() > MAX_ROW {
                let message = format!("it holds a row of more than {} MiB", MAX_ROW / 1024 / 1024);
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
            quotes += memchr::memchr_iter(b'"', &bytes[begin..]).count();
            if read == 0 && bytes.is_empty() {
                return Ok(None);
            }
            // A line break between quotes is a part of the cell.
            if read == 0 || quotes.is_multiple_of(2) {
                break;
            }
        }
        let end = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let end = end.strip_suffix(b"\r").unwrap_or(end);
        Ok(Some(Self { cells: cells(&String::from_utf8_lossy(end)), is_closed: quotes.is_multiple_of(2) }))
    }
}

fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = row.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_lines() {
        let table = "eventID,\"eventName\",eventSource\r\n1,\"a \"\"b\"\",\nc\",\n\n2,x\n3,\"cut off";
        let lines = lines_of_table(table).unwrap();
        let expected = [
            "",
            r#"{"QueryResultRows":[[{"eventID":"1"},{"eventName":"a \"b\",\nc"},{"eventSource":""}]]}"#,
            "",
            "a row of 2 cells under a head of 3",
            "a row of 2 cells under a head of 3",
            "",
        ];
        assert_eq!(lines.split('\n').collect::<Vec<_>>(), expected);
        for other in ["", "a,b\n1,2\n", "{\"eventJson\":1}", "time,text", " eventJson\n"] {
            assert_eq!(lines_of_table(other).unwrap(), other, "{other}");
        }
        let marked = lines_of_table("\u{feff}\"eventJson\"\n\"{\"\"a\"\":1}\"\n").unwrap();
        assert_eq!(marked, "\n{\"QueryResultRows\":[[{\"eventJson\":\"{\\\"a\\\":1}\"}]]}\n");
    }

    #[test]
    fn a_row_without_end_is_an_error() {
        let endless = io::Cursor::new(b"eventJson\n\"".to_vec()).chain(io::repeat(b'a'));
        assert!(TableLines::new(endless).read_to_end(&mut Vec::new()).is_err());
    }
}
