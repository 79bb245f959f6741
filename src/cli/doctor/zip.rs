//! Reads one file out of a zip archive: the code of a function, as Lambda hands it out.
//!
//! Source: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>. Encrypted archives, those of several disks and those of the
//! 64-bit form are none that Lambda takes.

use std::io::Read as _;

use flate2::read::DeflateDecoder;

/// Bytes that a file may have once it is unpacked: Lambda takes no more.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MOST: u64 = 262_144_000;

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// The bytes of the file of this name; `None` where there is none, or the archive is broken.
pub(super) fn file(zip: &[u8], name: &str) -> Option<Vec<u8>> {
    let end = memchr::memmem::rfind(zip, END)?;
    let number = u16_at(zip, end + 10)?;
    let mut place = u32_at(zip, end + 16)?;
    for _ in 0..number {
        (zip.get(place..place + 4)? == ENTRY).then_some(())?;
        let [name_len, extra, comment] = [28, 30, 32].map(|offset| u16_at(zip, place + offset));
        let (name_len, extra, comment) = (name_len?, extra?, comment?);
        if zip.get(place + 46..place + 46 + name_len)? == name.as_bytes() {
            let (method, packed) = (u16_at(zip, place + 10)?, u32_at(zip, place + 20)?);
            return unpacked(zip, u32_at(zip, place + 42)?, method, packed);
        }
        place += 46 + name_len + extra + comment;
    }
    None
}

fn unpacked(zip: &[u8], local: usize, method: usize, packed: usize) -> Option<Vec<u8>> {
    (zip.get(local..local + 4)? == LOCAL).then_some(())?;
    let begin = local + 30 + u16_at(zip, local + 26)? + u16_at(zip, local + 28)?;
    let packed = zip.get(begin..begin.checked_add(packed)?)?;
    match method {
        0 => Some(packed.to_vec()),
        8 => {
            let mut bytes = Vec::new();
            DeflateDecoder::new(packed).take(MOST).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        }
        _ => None,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::file;

    /// An archive of these files: name, method, bytes.
    fn archive(files: &[(&str, u16, &[u8])]) -> Vec<u8> {
        let (mut zip, mut directory) = (Vec::new(), Vec::new());
        for (name, method, bytes) in files {
            let packed = if *method == 8 {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            } else {
                bytes.to_vec()
            };
            let lens = |size: usize| u32::try_from(size).unwrap().to_le_bytes();
            let name_len = u16::try_from(name.len()).unwrap().to_le_bytes();
            let place = lens(zip.len());
            let shared =
                [&method.to_le_bytes()[..], &[0; 8], &lens(packed.len()), &lens(bytes.len()), &name_len].concat();
            zip.extend([&b"PK\x03\x04\x14\0\0\0"[..], &shared, &[0, 0], name.as_bytes(), &packed].concat());
            directory.extend([&b"PK\x01\x02\x14\0\x14\0\0\0"[..], &shared, &[0; 12], &place, name.as_bytes()].concat());
        }
        let place = u32::try_from(zip.len()).unwrap().to_le_bytes();
        let (number, size) =
            (u16::try_from(files.len()).unwrap().to_le_bytes(), u32::try_from(directory.len()).unwrap());
        zip.extend(directory);
        zip.extend([&b"PK\x05\x06\0\0\0\0"[..], &number, &number, &size.to_le_bytes(), &place, &[0, 0]].concat());
        zip
    }

    #[test]
    fn a_file_is_found_by_its_name_packed_or_not_and_nothing_in_what_is_broken() {
        let text = b"rules ".repeat(100);
        let zip = archive(&[("bootstrap", 0, b"ELF"), ("rules.json", 8, &text), ("other", 99, b"x")]);
        assert_eq!(file(&zip, "bootstrap").unwrap(), b"ELF");
        assert_eq!(file(&zip, "rules.json").unwrap(), text);
        assert_eq!((file(&zip, "other"), file(&zip, "rules")), (None, None));
        for length in 0..zip.len() {
            // Whatever is left out, nothing panics.
            let _ = file(&zip[..length], "rules.json");
            let _ = file(&zip[length..], "rules.json");
        }
        assert_eq!(file(b"", "x"), None);
    }
}
