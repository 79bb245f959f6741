//! Memory that is read into again and again.

use std::io::{self, Read};
use std::ops::{Deref, DerefMut};

/// The least that is asked of a reader at a time, where there is so much to read: a decoder copies its window after each answer.
pub(super) const STEP: usize = 256 * 1024;

/// Bytes that have been read, in memory that stays: of what is made anew each time, every byte would be set to zero before it is read
/// into.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    /// How many bytes are held.
    length: usize,
}

impl Buffer {
    /// Forgets the first bytes.
    pub(super) fn forget(&mut self, bytes: usize) {
        self.memory.copy_within(bytes..self.length, 0);
        self.length -= bytes;
    }

    /// Holds as many of its bytes, or as many of those that have been written into [`Self::room`].
    pub(super) fn hold(&mut self, length: usize) {
        self.length = length.min(self.memory.len());
    }

    /// Memory for so many bytes, which are held no more.
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        self.length = 0;
        self.memory_of(bytes)
    }

    /// Reads on until there are `most` bytes more, or no more to read. Returns how many were read.
    pub(super) fn read(&mut self, reader: &mut (impl Read + ?Sized), most: usize) -> io::Result<usize> {
        let before = self.length;
        loop {
            let (length, left) = (self.length, most - (self.length - before));
            // What is short takes no more memory than it needs; what is long takes twice as much each time.
            let step = left.min(length.max(STEP));
            if step == 0 {
                return Ok(most);
            }
            match reader.read(&mut self.memory_of(length + step)[length..]) {
                Ok(0) => return Ok(length - before),
                Ok(read) => self.length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn memory_of(&mut self, bytes: usize) -> &mut [u8] {
        if self.memory.len() < bytes {
            self.memory.resize(bytes, 0);
        }
        &mut self.memory[..bytes]
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_held_until_it_is_forgotten() {
        let text: Vec<u8> = (0..3 * STEP).map(|place| (place % 251).to_le_bytes()[0]).collect();
        let (mut buffer, mut reader) = (Buffer::default(), &text[..]);
        assert_eq!(buffer.read(&mut reader, 5).unwrap(), 5);
        assert_eq!(buffer.read(&mut reader, 2 * STEP).unwrap(), 2 * STEP);
        assert_eq!(&buffer[..], &text[..2 * STEP + 5]);
        buffer.forget(STEP);
        assert_eq!(&buffer[..], &text[STEP..2 * STEP + 5]);
        assert_eq!(buffer.read(&mut reader, usize::MAX / 2).unwrap(), STEP - 5);
        assert_eq!(buffer.read(&mut reader, 1).unwrap(), 0);
        assert_eq!(&buffer[..], &text[STEP..]);
        buffer.hold(7);
        assert_eq!(&buffer[..], &text[STEP..STEP + 7]);
        buffer.room(3).copy_from_slice(b"new");
        assert!(buffer.is_empty());
        buffer.hold(3);
        assert_eq!(&buffer[..], b"new");
    }
}
