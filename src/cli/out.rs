//! Standard output of the commands whose exit code is a verdict.

use std::io::{self, BufWriter, Stdout, Write};

use anstream::AutoStream;

/// Standard output, buffered. Whoever reads it may stop early, as `head` does: what would be printed is dropped then, and the command
/// goes on, so that its exit code, and the files that it writes, are those of the whole run.
pub(super) fn stdout() -> BufWriter<UntilClosed<AutoStream<Stdout>>> {
    BufWriter::new(UntilClosed { out: AutoStream::auto(io::stdout()), is_closed: false })
}

/// Writes as long as somebody reads.
pub(super) struct UntilClosed<W> {
    out: W,
    is_closed: bool,
}

impl<W> UntilClosed<W> {
    fn unless_closed<T>(&mut self, dropped: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.is_closed {
            return Ok(dropped);
        }
        match write(&mut self.out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(dropped)
            }
            written => written,
        }
    }
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), W::flush)
    }
}
