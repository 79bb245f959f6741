//! Reads what the command line is pointed at: files, folders, stdin, plain or gzip.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::envelope::{self, Opened};

/// Bytes of one input, decompressed. CloudTrail's files are a few megabytes; what is larger is a mistake or a bomb.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The text of a file, gunzipped where it is gzip. Bytes that are no UTF-8 become U+FFFD, so that one odd byte cannot hide a
/// record.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut raw: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    let mut magic = [0; 2];
    let read = fill(&mut raw, &mut magic)?;
    let raw = io::Cursor::new(magic).take(read as u64).chain(raw);
    // A log file may be several gzip members, one after the other.
    let bytes = if magic == [0x1f, 0x8b] { capped(MultiGzDecoder::new(raw))? } else { capped(raw)? };
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn fill(raw: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match raw.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn capped(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("it holds more than {} MiB: split it", MAX_BYTES / 1024 / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// What went through, for the closing line.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) files: usize,
    pub(super) records: usize,
    pub(super) ignored: usize,
    pub(super) unreadable: usize,
}

/// Opens every input in turn, folders walked in the order of their names, and hands over what it holds. What cannot be read
/// is named on stderr; the others go on.
pub(super) fn each(
    paths: &[PathBuf],
    mut take: impl FnMut(&str, &Opened, &mut Counts) -> io::Result<()>,
) -> io::Result<Counts> {
    let mut counts = Counts::default();
    for path in paths {
        if path.is_dir() {
            let mut files = Vec::new();
            if let Err(error) = walk(path, &["json", "jsonl", "ndjson", "gz"], &mut files) {
                unreadable(&path.display().to_string(), &error.to_string(), &mut counts);
            }
            if files.is_empty() {
                unreadable(
                    &path.display().to_string(),
                    "the folder holds no .json, .jsonl, .ndjson or .gz file",
                    &mut counts,
                );
            }
            for file in files {
                one(&file, &mut counts, &mut take)?;
            }
        } else {
            one(path, &mut counts, &mut take)?;
        }
    }
    Ok(counts)
}

fn one(
    path: &Path,
    counts: &mut Counts,
    take: &mut impl FnMut(&str, &Opened, &mut Counts) -> io::Result<()>,
) -> io::Result<()> {
    let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    counts.files += 1;
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            unreadable(&name, &error.to_string(), counts);
            return Ok(());
        }
    };
    let opened = envelope::open(&text);
    for not_a_record in &opened.unreadable {
        let place = not_a_record.line.map_or_else(|| name.clone(), |line| format!("{name}:{line}"));
        unreadable(&place, &not_a_record.reason, counts);
    }
    counts.records += opened.records.len();
    counts.ignored += opened.ignored.len();
    // Said once a file: a folder may hold thousands.
    if let Some(first) = opened.ignored.first() {
        let more = match opened.ignored.len() {
            1 => String::new(),
            several => format!(" (and {} more)", several - 1),
        };
        eprintln!("note: {name}: not CloudTrail's, ignored: {}{more}", first.reason);
    }
    take(&name, &opened, counts)
}

/// Names something that could not be read.
pub(super) fn unreadable(place: &str, reason: &str, counts: &mut Counts) {
    counts.unreadable += 1;
    eprintln!("error: cannot read {place}: {reason}");
}

/// Adds the files below a folder whose names end in one of `ends`, in the order of their names.
pub(super) fn walk(folder: &Path, ends: &[&str], files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links are not followed: they may lead round in a circle.
        let kind = entry.file_type()?;
        let wanted = path.extension().is_some_and(|end| ends.iter().any(|known| end == *known));
        if kind.is_dir() {
            walk(&path, ends, files)?;
        } else if kind.is_file() && wanted {
            files.push(path);
        }
    }
    Ok(())
}
