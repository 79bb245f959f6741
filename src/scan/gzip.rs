//! Gzip as a stream of members, of which those that are intact are kept where the file is damaged.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::OnceLock;

use flate2::{Decompress, FlushDecompress, Status};

/// Packed bytes that are read at a time: with 128 KiB, unpacking took two hundredths longer.
const PACKED: usize = 256 * 1024;
/// The window that gzip may use, as a power of two (RFC 1951, 2).
const WINDOW: u8 = 15;

/// What is lost of a gzip file, in words: set once its intact part has been read.
pub(super) type Damage = OnceLock<String>;

/// Unpacks the members of a gzip file one after the other. Damage is the end of the stream, and noted.
pub(super) struct Members<'d, R: Read> {
    packed: BufReader<R>,
    inflate: Decompress,
    place: Place,
    /// Bytes unpacked of all members, and of those before this one.
    unpacked: u64,
    checked: u64,
    damage: &'d Damage,
}

#[derive(PartialEq, Eq)]
enum Place {
    InMember,
    BetweenMembers,
    AtEnd,
}

impl<'d, R: Read> Members<'d, R> {
    pub(super) fn new(packed: R, damage: &'d Damage) -> Self {
        Self {
            packed: BufReader::with_capacity(PACKED, packed),
            inflate: Decompress::new_gzip(WINDOW),
            place: Place::InMember,
            unpacked: 0,
            checked: 0,
            damage,
        }
    }

    /// What the packed bytes are read from.
    pub(super) fn packed(&self) -> &R {
        self.packed.get_ref()
    }

    /// Goes on to the next member, or ends.
    fn next_member(&mut self) -> io::Result<()> {
        self.place = Place::AtEnd;
        let next = self.packed.fill_buf()?;
        if next.is_empty() {
            return Ok(());
        }
        if next[0] != 0x1f || next.get(1).is_some_and(|byte| *byte != 0x8b) {
            // Only zeros are no damage: tapes and block devices fill up with them (gzip's manual, "Advanced usage").
            let (mut more, mut is_zero) = (0, true);
            loop {
                let bytes = self.packed.fill_buf()?;
                if bytes.is_empty() {
                    break;
                }
                is_zero &= bytes.iter().all(|byte| *byte == 0);
                let length = bytes.len();
                more += length as u64;
                self.packed.consume(length);
            }
            if !is_zero {
                let damage = format!(
                    "{more} bytes that are not gzip follow its data: they are lost, and all that stands before them is read"
                );
                let _ = self.damage.set(damage);
            }
            return Ok(());
        }
        self.inflate.reset(true);
        self.place = Place::InMember;
        Ok(())
    }

    /// Ends the stream where it is damaged: an error where nothing stands before.
    fn end_damaged(&mut self, kind: io::ErrorKind) -> io::Result<usize> {
        self.place = Place::AtEnd;
        let how = if kind == io::ErrorKind::UnexpectedEof { "breaks off" } else { "is damaged" };
        let (unpacked, checked) = (self.unpacked, self.checked);
        if unpacked == 0 {
            return Err(io::Error::new(kind, format!("its gzip data {how}, and nothing of it can be read")));
        }
        let sure = if kind == io::ErrorKind::UnexpectedEof {
            String::new()
        } else {
            format!("; only the first {checked} are sure to be as they were written")
        };
        let _ = self.damage.set(format!(
            "its gzip data {how}: what follows the first {unpacked} bytes, unpacked, is lost, and the record in which they end{sure}"
        ));
        Ok(0)
    }
}

impl<R: Read> Read for Members<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            match self.place {
                Place::InMember => {}
                Place::BetweenMembers => {
                    self.next_member()?;
                    continue;
                }
                Place::AtEnd => break,
            }
            let packed = self.packed.fill_buf()?;
            let is_end = packed.is_empty();
            let (taken, made) = (self.inflate.total_in(), self.inflate.total_out());
            // What was made before damage is found is made all the same, and the next call finds it again.
            let status = self.inflate.decompress(packed, buffer, FlushDecompress::None);
            let (taken, made) = (self.inflate.total_in() - taken, self.inflate.total_out() - made);
            self.packed.consume(usize::try_from(taken).map_err(io::Error::other)?);
            self.unpacked += made;
            if matches!(status, Ok(Status::StreamEnd)) {
                self.checked = self.unpacked;
                self.place = Place::BetweenMembers;
            }
            if made > 0 {
                return usize::try_from(made).map_err(io::Error::other);
            }
            match status {
                Ok(Status::StreamEnd) => {}
                Ok(_) if is_end => return self.end_damaged(io::ErrorKind::UnexpectedEof),
                Ok(_) if taken > 0 => {}
                Ok(_) | Err(_) => return self.end_damaged(io::ErrorKind::InvalidData),
            }
        }
        Ok(0)
    }
}
