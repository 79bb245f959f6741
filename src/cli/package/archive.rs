//! One file out of a zip archive: what a release's function is packed in.
//! Source: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, sections 4.3.7, 4.3.12 and 4.3.16.

use std::io::Read as _;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// The signatures of the records.
const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
/// Bytes of each record before its names.
const END_LEN: usize = 22;
const ENTRY_LEN: usize = 46;
const LOCAL_LEN: usize = 30;

/// Bytes that one file may have: Lambda's limit of a function's whole code.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_LEN: u64 = 250 * 1024 * 1024;

/// Why there is no such file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArchiveError {
    /// The archive ends too soon, or its records contradict one another.
    #[error("the zip archive is damaged")]
    Damaged,
    /// No entry has this name.
    #[error("the zip archive holds no file \"{0}\"")]
    Absent(String),
    /// It is packed in a way that this program does not read.
    #[error("the zip archive uses compression method {0}; deflate and stored are read")]
    Method(u16),
    /// It would be larger than Lambda takes.
    #[error("the file in the zip archive is larger than Lambda takes")]
    TooLarge,
}

/// Whether these are the bytes of a zip archive.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL) || bytes.starts_with(END)
}

/// The content of the file of this name.
///
/// # Errors
/// The archive is damaged, or has no such file, or one that cannot be read.
pub(super) fn file(archive: &[u8], name: &str) -> Result<Vec<u8>, ArchiveError> {
    let end = end_record(archive).ok_or(ArchiveError::Damaged)?;
    let (count, mut at) = (number(archive, end + 10, 2)?, number(archive, end + 16, 4)?);
    for _ in 0..count {
        if !starts_with(archive, at, ENTRY) {
            return Err(ArchiveError::Damaged);
        }
        let (name_len, extra, comment) =
            (number(archive, at + 28, 2)?, number(archive, at + 30, 2)?, number(archive, at + 32, 2)?);
        if archive.get(at + ENTRY_LEN..at + ENTRY_LEN + name_len) == Some(name.as_bytes()) {
            return content(archive, at);
        }
        at += ENTRY_LEN + name_len + extra + comment;
    }
    Err(ArchiveError::Absent(name.to_owned()))
}

/// Where the record at the archive's end begins: a comment of up to 64 KiB may follow it.
fn end_record(archive: &[u8]) -> Option<usize> {
    let last = archive.len().checked_sub(END_LEN)?;
    (last.saturating_sub(usize::from(u16::MAX))..=last).rev().find(|at| starts_with(archive, *at, END))
}

/// What the entry that stands at `at` in the directory is of.
fn content(archive: &[u8], at: usize) -> Result<Vec<u8>, ArchiveError> {
    let (method, crc, packed_len, len) = (
        number(archive, at + 10, 2)?,
        number(archive, at + 16, 4)?,
        number(archive, at + 20, 4)?,
        number(archive, at + 24, 4)?,
    );
    let local = number(archive, at + 42, 4)?;
    if !starts_with(archive, local, LOCAL) {
        return Err(ArchiveError::Damaged);
    }
    if len as u64 > MAX_LEN {
        return Err(ArchiveError::TooLarge);
    }
    let start = local + LOCAL_LEN + number(archive, local + 26, 2)? + number(archive, local + 28, 2)?;
    let packed = archive.get(start..start + packed_len).ok_or(ArchiveError::Damaged)?;
    let content = match method {
        0 => packed.to_vec(),
        8 => {
            let mut content = Vec::with_capacity(len);
            let mut unpacked = DeflateDecoder::new(packed).take(MAX_LEN + 1);
            unpacked.read_to_end(&mut content).map_err(|_| ArchiveError::Damaged)?;
            content
        }
        other => return Err(ArchiveError::Method(u16::try_from(other).unwrap_or(u16::MAX))),
    };
    let mut sum = Crc::new();
    sum.update(&content);
    if content.len() == len && sum.sum() as usize == crc { Ok(content) } else { Err(ArchiveError::Damaged) }
}

fn starts_with(archive: &[u8], at: usize, what: &[u8]) -> bool {
    archive.get(at..).is_some_and(|rest| rest.starts_with(what))
}

/// The little-endian number of so many bytes at `at`.
fn number(archive: &[u8], at: usize, len: usize) -> Result<usize, ArchiveError> {
    let bytes = archive.get(at..at + len).ok_or(ArchiveError::Damaged)?;
    Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// An archive of these files, each deflated or stored.
    pub(in crate::cli::package) fn archive(files: &[(&str, &[u8], bool)]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, content, deflates) in files {
            let packed = if *deflates {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            } else {
                content.to_vec()
            };
            let mut crc = Crc::new();
            crc.update(content);
            let word = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
            let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
            let mut common = Vec::new();
            common.extend([20, 0, 0, 0]);
            common.extend(word(if *deflates { 8 } else { 0 }));
            common.extend([0; 4]);
            common.extend(crc.sum().to_le_bytes());
            common.extend(long(packed.len()));
            common.extend(long(content.len()));
            common.extend(word(name.len()));
            common.extend([0, 0]);
            let at = out.len();
            out.extend(LOCAL);
            out.extend(&common);
            out.extend(name.as_bytes());
            out.extend(packed);
            directory.extend(ENTRY);
            directory.extend([20, 0]);
            directory.extend(&common);
            directory.extend([0; 10]);
            directory.extend(long(at));
            directory.extend(name.as_bytes());
        }
        let (at, count) = (out.len(), u16::try_from(files.len()).unwrap().to_le_bytes());
        out.extend(&directory);
        out.extend(END);
        out.extend([0; 4]);
        out.extend([count, count].concat());
        out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
        out.extend(u32::try_from(at).unwrap().to_le_bytes());
        out.extend([0, 0]);
        out
    }

    #[test]
    fn a_file_comes_out_as_it_went_in() {
        let long = b"bootstrap ".repeat(10_000);
        let mut packed = archive(&[("LICENSE", b"text", false), ("bootstrap", &long, true)]);
        assert!(is_archive(&packed) && !is_archive(b"\x7fELF"));
        assert_eq!(file(&packed, "bootstrap").unwrap(), long);
        assert_eq!(file(&packed, "LICENSE").unwrap(), b"text");
        assert_eq!(file(&packed, "boot"), Err(ArchiveError::Absent("boot".to_owned())));
        // A comment may follow.
        let last = packed.len() - 2;
        packed[last..].copy_from_slice(&[5, 0]);
        packed.extend(b"hello");
        assert_eq!(file(&packed, "LICENSE").unwrap(), b"text");
    }

    #[test]
    fn no_damage_gives_another_file_or_a_panic() {
        let whole = archive(&[("bootstrap", &b"bootstrap ".repeat(50), true)]);
        let content = file(&whole, "bootstrap").unwrap();
        for at in 0..whole.len() {
            assert!(file(&whole[..at], "bootstrap").is_err(), "{at}");
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            if let Ok(read) = file(&damaged, "bootstrap") {
                assert_eq!(read, content, "{at}");
            }
        }
    }
}
