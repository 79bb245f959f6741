//! Gzip as a stream of members, of which those that are intact are kept where the file is damaged.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::OnceLock;

use flate2::bufread::GzDecoder;

/// What is lost of a gzip file, in words: set once its intact part has been read.
pub(super) type Damage = OnceLock<String>;

/// Unpacks the members of a gzip file one after the other. Damage is the end of the stream, and noted.
pub(super) struct Members<'d, R: Read> {
    /// The member that is being read; `None` at the end.
    member: Option<GzDecoder<BufReader<R>>>,
    /// Bytes unpacked of all members, and of those before this one.
    unpacked: u64,
    checked: u64,
    damage: &'d Damage,
}

impl<'d, R: Read> Members<'d, R> {
    pub(super) fn new(packed: R, damage: &'d Damage) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::new(packed))), unpacked: 0, checked: 0, damage }
    }

    /// What the packed bytes are read from; `None` at the end.
    pub(super) fn packed(&self) -> Option<&R> {
        self.member.as_ref().map(|member| member.get_ref().get_ref())
    }

    /// Goes on to the next member, or ends.
    fn next_member(&mut self, member: GzDecoder<BufReader<R>>) -> io::Result<()> {
        self.checked = self.unpacked;
        let mut packed = member.into_inner();
        let next = packed.fill_buf()?;
        if next.is_empty() {
            return Ok(());
        }
        if next[0] != 0x1f || next.get(1).is_some_and(|byte| *byte != 0x8b) {
            // Only zeros are no damage: tapes and block devices fill up with them (gzip's manual, "Advanced usage").
            let (mut more, mut is_zero) = (0, true);
            loop {
                let bytes = packed.fill_buf()?;
                if bytes.is_empty() {
                    break;
                }
                is_zero &= bytes.iter().all(|byte| *byte == 0);
                let length = bytes.len();
                more += length as u64;
                packed.consume(length);
            }
            if !is_zero {
                let damage = format!(
                    "{more} bytes that are not gzip follow its data: they are lost, and all that stands before them is read"
                );
                let _ = self.damage.set(damage);
            }
            return Ok(());
        }
        self.member = Some(GzDecoder::new(packed));
        Ok(())
    }
}

impl<R: Read> Read for Members<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.member.take() {
            match member.read(buffer) {
                Ok(0) if !buffer.is_empty() => self.next_member(member)?,
                Ok(read) => {
                    self.unpacked += read as u64;
                    self.member = Some(member);
                    return Ok(read);
                }
                Err(error) if is_damage(&error) && self.unpacked > 0 => {
                    let (unpacked, checked) = (self.unpacked, self.checked);
                    let _ = self.damage.set(if error.kind() == io::ErrorKind::UnexpectedEof {
                        format!("its gzip data breaks off: what follows the first {unpacked} bytes, unpacked, is lost, and the record in which they end")
                    } else {
                        format!(
                            "its gzip data is damaged: what follows the first {unpacked} bytes, unpacked, is lost, and the record in which they end; only the \
                             first {checked} are sure to be as they were written"
                        )
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(0)
    }
}

/// Whether the bytes are at fault, and not what they are read from.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
