//! The bytes of an input, decompressed.
//!
//! What is small is held whole: most files are, and libdeflate unpacks them somewhat faster than a decoder that works on a stream. What
//! is larger is a stream, which takes little memory, and whose parts are evaluated while they are in the processor's cache. Libdeflate
//! stops silently after the first member of a gzip file, and log files may have several: [`end_of_member`] tells.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;

use super::Input;
use super::buffer::Buffer;
use super::gzip::{Damage, Members};

/// The most packed bytes of an input that are held whole. Most of CloudTrail's files have fewer.
const PACKED: usize = 512 * 1024;
/// The most unpacked bytes of an input that are held whole.
const UNPACKED: usize = 4 * 1024 * 1024;
/// The unpacked bytes that tell what a large input is: two lines of records, each of which has 256 KiB at most, and more.
const BEGINNING: usize = 1024 * 1024;

/// The bytes of an open input, decompressed.
pub(super) enum UnpackedInput<'u> {
    /// All of them.
    Whole(&'u [u8]),
    /// More than are held whole: their beginning, and a stream of the rest.
    Large(&'u [u8], Box<dyn Read + Send + 'u>),
}

/// Opens inputs, and keeps its memory from one to the next.
pub(super) struct Unpacker {
    libdeflate: Decompressor,
    packed: Buffer,
    unpacked: Buffer,
    /// How many packed bytes of the open input have gone into its stream's decoder.
    decoded: AtomicU64,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self {
            libdeflate: Decompressor::new(),
            packed: Buffer::default(),
            unpacked: Buffer::default(),
            decoded: AtomicU64::new(0),
        }
    }

    /// Opens an input. `bytes` counts what is read of it, as it is stored; `damage` says what is lost of it, once it has been
    /// read.
    pub(super) fn open<'u>(
        &'u mut self,
        input: Input,
        bytes: &'u AtomicU64,
        damage: &'u Damage,
    ) -> io::Result<UnpackedInput<'u>> {
        let raw: Box<dyn Read + Send> = match input {
            Input::File(path) => Box::new(File::open(path)?),
            Input::Stdin => Box::new(io::stdin()),
            Input::Remote(remote) => (remote.open)()?,
            Input::Bad(_, reason) | Input::Skipped(_, reason) => return Err(io::Error::other(reason)),
        };
        let mut raw = CountingReader { inner: raw, bytes };
        let is_whole = fill(&mut raw, &mut self.packed, PACKED)?;
        if !is_gzip(&self.packed) {
            if is_whole || fill_up(&mut raw, &mut self.packed, UNPACKED)? {
                return Ok(UnpackedInput::Whole(&self.packed));
            }
            return Ok(UnpackedInput::Large(&self.packed, Box::new(raw)));
        }
        if is_whole && let Some(length) = gunzip(&mut self.libdeflate, &self.packed, &mut self.unpacked) {
            self.unpacked.hold(length);
            return Ok(UnpackedInput::Whole(&self.unpacked));
        }
        let packed = Cursor::new(&self.packed[..]).chain(raw);
        self.decoded = AtomicU64::new(0);
        let counted = CountingReader { inner: packed, bytes: &self.decoded };
        let mut stream = RatioLimit { members: Members::new(counted, damage), unpacked_bytes: 0 };
        if fill(&mut stream, &mut self.unpacked, BEGINNING)? {
            return Ok(UnpackedInput::Whole(&self.unpacked));
        }
        Ok(UnpackedInput::Large(&self.unpacked, Box::new(stream)))
    }
}

/// What a reader gives, gunzipped where it is gzip.
///
/// # Errors
/// Those of the reader.
pub fn gunzipped<'r>(mut reader: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut beginning = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut beginning)?;
    let is_gzip = is_gzip(&beginning);
    let whole = Cursor::new(beginning).chain(reader);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Fills `buffer` anew with at most `most` bytes; whether that is all there is.
fn fill(reader: &mut impl Read, buffer: &mut Buffer, most: usize) -> io::Result<bool> {
    buffer.hold(0);
    fill_up(reader, buffer, most)
}

/// Reads on until `buffer` has more than `most` bytes, or there are no more: then it returns true.
fn fill_up(reader: &mut impl Read, buffer: &mut Buffer, most: usize) -> io::Result<bool> {
    let wanted = (most + 1).saturating_sub(buffer.len());
    Ok(buffer.read(reader, wanted)? < wanted)
}

/// Unpacks all members of a gzip file; `None` if it is damaged, holds too much, or has members that libdeflate cannot be
/// given room for: the stream's decoder then has the last word.
fn gunzip(libdeflate: &mut Decompressor, packed: &[u8], unpacked: &mut Buffer) -> Option<usize> {
    let (mut rest, mut length) = (packed, 0_usize);
    loop {
        // The length of the last member stands at the end of the file: of most files, the only one.
        let needed = length.checked_add(last_u32(rest)? as usize).filter(|needed| *needed <= UNPACKED)?;
        let made = libdeflate.gzip_decompress(rest, &mut unpacked.room(needed)[length..]).ok()?;
        length += made;
        match end_of_member(rest, u32::try_from(made).ok()?) {
            Some(end) => rest = &rest[end..],
            // A file that ends in something else than a member's length ends in garbage.
            None if last_u32(rest)? as usize == made => return Some(length),
            None => return None,
        }
    }
}

/// Where the first member of a gzip file ends, if another one follows. Every member begins with `1f 8b 08` and flags of
/// which three are never set (RFC 1952, 2.3), and ends with its unpacked length.
fn end_of_member(packed: &[u8], unpacked: u32) -> Option<usize> {
    /// A member's header and trailer.
    const LEAST: usize = 18;
    memchr::memmem::find_iter(packed.get(LEAST..)?, &[0x1f, 0x8b, 8]).map(|place| place + LEAST).find(|&place| {
        packed.get(place + 3).is_some_and(|flags| flags & 0xe0 == 0) && last_u32(&packed[..place]) == Some(unpacked)
    })
}

fn last_u32(bytes: &[u8]) -> Option<u32> {
    bytes.last_chunk().map(|last| u32::from_le_bytes(*last))
}

/// Adds the bytes that are read through it to a count.
struct CountingReader<'c, R> {
    inner: R,
    bytes: &'c AtomicU64,
}

impl<R: Read> Read for CountingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Unpacks a gzip stream, and gives up on a file that was made to fill disks. Log files are compressed to a tenth of their
/// size, perhaps to a fiftieth.
struct RatioLimit<'c, R: Read> {
    members: Members<'c, CountingReader<'c, R>>,
    unpacked_bytes: u64,
}

/// Unpacked bytes up to which any ratio is accepted: a small file may be all repetition.
const RATIO_CHECK_FROM: u64 = 256 * 1024 * 1024;
/// Beyond that, how many unpacked bytes one packed byte may give.
const MAX_RATIO: u64 = 200;

impl<R: Read> Read for RatioLimit<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.members.read(buffer)?;
        self.unpacked_bytes += read as u64;
        let packed_bytes = self.members.packed().bytes.load(Ordering::Relaxed);
        if self.unpacked_bytes > RATIO_CHECK_FROM && self.unpacked_bytes / MAX_RATIO > packed_bytes {
            let message = format!(
                "it unpacks to more than {} MiB and {MAX_RATIO} times its size, so it is not a log file: leave it out",
                RATIO_CHECK_FROM / 1024 / 1024
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What libdeflate makes of it, and what the whole does, with what is said of damage.
    fn unpack_damaged(bytes: &[u8]) -> (Option<Vec<u8>>, io::Result<Vec<u8>>, Option<String>) {
        let mut unpacked = Buffer::default();
        let fast = gunzip(&mut Decompressor::new(), bytes, &mut unpacked).map(|length| {
            unpacked.hold(length);
            unpacked.to_vec()
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let counter = AtomicU64::new(0);
        let (mut unpacker, damage) = (Unpacker::new(), Damage::new());
        let all =
            unpacker.open(Input::File(file.path().to_owned()), &counter, &damage).and_then(|opened| match opened {
                UnpackedInput::Whole(bytes) => Ok(bytes.to_vec()),
                UnpackedInput::Large(head, mut rest) => {
                    let mut all = head.to_vec();
                    rest.read_to_end(&mut all).map(|_| all)
                }
            });
        (fast, all, damage.into_inner())
    }

    /// The same of what is not damaged.
    fn unpack(bytes: &[u8]) -> (Option<Vec<u8>>, io::Result<Vec<u8>>) {
        let (fast, all, damage) = unpack_damaged(bytes);
        assert_eq!(damage, None);
        (fast, all)
    }

    #[test]
    fn every_member_is_unpacked() {
        let (a, b) = (&b"some text"[..], &b"and some more text"[..]);
        for (members, is_fast) in [
            (vec![a], true),
            (vec![a, b], true),
            // The trap: libdeflate would say that the first is all, and the file's last bytes would confirm it.
            (vec![a, a], true),
            (vec![a, a, a], true),
            // There is no room for the larger first one: the stream takes over.
            (vec![b, a], false),
            (vec![b"", a, b""], false),
        ] {
            let packed: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
            let (fast, all) = unpack(&packed);
            assert_eq!(all.unwrap(), members.concat(), "{members:?}");
            assert_eq!(fast, is_fast.then(|| members.concat()), "{members:?}");
        }
    }

    #[test]
    fn a_header_within_a_member_is_no_member() {
        // Stored, not compressed: the bytes of a gzip file stand within another as they are.
        let inner = gzip(b"x");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(&inner.repeat(3)).unwrap();
        let (fast, all) = unpack(&encoder.finish().unwrap());
        assert_eq!((fast, all.unwrap()), (Some(inner.repeat(3)), inner.repeat(3)));
    }

    #[test]
    fn what_is_intact_of_a_damaged_file_is_kept_and_what_is_lost_is_said() {
        let (first, text) = (gzip(b"the first; "), b"some text that is long enough to be cut");
        let packed = gzip(text);
        let whole = [&first[..], &packed].concat();
        for (damaged, kept, told) in [
            // Cut off in a member, in its trailer, in the next one's header.
            (whole[..whole.len() - 20].to_vec(), &b"the first; some"[..], "breaks off"),
            (whole[..whole.len() - 1].to_vec(), &[&b"the first; "[..], text].concat(), "breaks off"),
            (whole[..first.len() + 5].to_vec(), b"the first; ", "breaks off"),
            ([&first[..], b"appended"].concat(), b"the first; ", "8 bytes that are not gzip follow"),
            ([&first[..], b"\x1f"].concat(), b"the first; ", "breaks off"),
            ([&first[..], &[0xff; 9000]].concat(), b"the first; ", "9000 bytes that are not gzip follow"),
        ] {
            let (fast, all, damage) = unpack_damaged(&damaged);
            assert_eq!(fast, None);
            let all = all.unwrap();
            assert!(all.starts_with(kept) && kept.len() + 30 > all.len(), "{:?}", String::from_utf8_lossy(&all));
            assert!(damage.as_ref().is_some_and(|damage| damage.contains(told)), "{damage:?}");
        }
        // What fills up a block says nothing.
        assert_eq!(unpack(&[&first[..], &[0; 9000]].concat()).1.unwrap(), b"the first; ");
        let mut wrong_sum = whole.clone();
        let place = wrong_sum.len() - 6;
        wrong_sum[place] ^= 1;
        let (_, all, damage) = unpack_damaged(&wrong_sum);
        assert_eq!(all.unwrap(), [&b"the first; "[..], text].concat());
        assert!(damage.is_some_and(|damage| damage.contains("only the first 11 are sure")));
        // What stands before damage is kept to the last byte: a block of a kind that there is none of follows one that is stored.
        let stored = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03\0\x05\0\xfa\xffintac"[..], b"\xff\xff\xff"].concat();
        let (_, all, damage) = unpack_damaged(&stored);
        assert_eq!(all.unwrap(), b"intac");
        assert!(damage.is_some_and(|damage| damage.contains("is damaged: what follows the first 5 bytes")));
        // Of nothing, nothing can be kept.
        assert!(unpack(&packed[..5]).1.is_err() && unpack(b"\x1f\x8b\xff").1.is_err());
    }

    #[test]
    fn a_bomb_is_an_error_and_a_large_file_is_not() {
        // Twenty bytes a member would be an honest ratio; zeros pack a thousandfold.
        let zeros = gzip(&vec![0; 1 << 24]);
        assert_eq!(unpack(&zeros.repeat(17)).1.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(unpack(&zeros.repeat(3)).1.unwrap().len(), 3 << 24);
    }
}
