//! The outermost structure of a container, read without decoding: what parts there are, and whether the file ends
//! before they do. Knows MP4/MOV boxes, RIFF (AVI, WAV) and the segment of
//! Matroska and WebM; of other containers it says nothing.

use std::io::{Read, Seek, SeekFrom};

/// Parts after which reading stops; a hostile file may be made of nothing but headers.
const MOST_PARTS: usize = 100_000;
/// Kinds kept in the list.
const MOST_LISTED: usize = 64;

/// What the outermost structure shows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Structure {
    /// Names of the parts in order; a part or pair of parts that repeats is listed once.
    pub(super) parts: Vec<String>,
    /// Where the file should end at least, if that is beyond its end: bytes.
    pub(super) should_end: Option<u64>,
    /// An MP4 without the index that decoding needs.
    pub(super) index_missing: bool,
}

/// Reads the structure of a file of `length` bytes; anything unreadable counts as unknown.
pub(super) fn read(file: &mut (impl Read + Seek), length: u64) -> Structure {
    let mut head = [0; 12];
    if file.seek(SeekFrom::Start(0)).is_err() || file.read_exact(&mut head).is_err() {
        return Structure::default();
    }
    match &head {
        [b'R', b'I', b'F', b'F', ..] => riff(file, length, &head),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska(file, length),
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [_, _, _, _, b'm', b'o' | b'd', b'o' | b'a', b'v' | b't', ..]
        | [_, _, _, _, b'w', b'i', b'd', b'e', ..]
        | [_, _, _, _, b'f', b'r', b'e', b'e', ..] => mp4(file, length),
        _ => Structure::default(),
    }
}

fn mp4(file: &mut (impl Read + Seek), length: u64) -> Structure {
    let mut found = Structure { index_missing: true, ..Structure::default() };
    let mut at = 0_u64;
    for _ in 0..MOST_PARTS {
        let mut head = [0; 8];
        if at >= length || file.seek(SeekFrom::Start(at)).is_err() || file.read_exact(&mut head).is_err() {
            break;
        }
        let [a, b, c, d, kind @ ..] = head;
        if !kind.iter().all(|k| k.is_ascii_graphic() || *k == b' ' || *k == 0xa9) {
            break;
        }
        let size = match u32::from_be_bytes([a, b, c, d]) {
            0 => length - at,
            1 => {
                let mut large = [0; 8];
                if file.read_exact(&mut large).is_err() {
                    break;
                }
                u64::from_be_bytes(large)
            }
            small => u64::from(small),
        };
        if size < 8 {
            break;
        }
        list(&mut found.parts, &kind);
        found.index_missing &= &kind != b"moov";
        at = at.saturating_add(size);
    }
    found.should_end = (at > length).then_some(at);
    // a walk that stopped at something unreadable has not seen all
    found.index_missing &= at >= length;
    found
}

/// The end of the segment, where the writer went back to fill it in: live recordings leave it open.
fn matroska(file: &mut (impl Read + Seek), length: u64) -> Structure {
    const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
    let mut found = Structure::default();
    // after four bytes of name, EBML writes a length whose first byte says how many bytes it has
    let mut sized = |at: u64| -> Option<([u8; 4], u64, Option<u64>)> {
        let mut head = [0; 12];
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(&mut head).ok()?;
        let [a, b, c, d, rest @ ..] = head;
        let count = rest[0].leading_zeros() as usize + 1;
        let digits = rest.get(..count)?;
        let value = digits.iter().fold(0_u64, |v, &b| v << 8 | u64::from(b)) & !(1 << (7 * count));
        let open = value == (1 << (7 * count)) - 1;
        Some(([a, b, c, d], at + 4 + count as u64, (!open).then_some(value)))
    };
    let Some((_, body, Some(size))) = sized(0) else { return found };
    if let Some((SEGMENT, body, Some(size))) = sized(body.saturating_add(size)) {
        let end = body.saturating_add(size);
        found.should_end = (end > length).then_some(end);
    }
    found
}

fn riff(file: &mut (impl Read + Seek), length: u64, head: &[u8; 12]) -> Structure {
    let mut found = Structure::default();
    let size = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
    list(&mut found.parts, &head[8..12]);
    let whole = size(&head[4..8]);
    // zero and all ones mean "not known": the writer could not go back to fill it in
    if whole != 0 && whole != u32::MAX && u64::from(whole) + 8 > length {
        found.should_end = Some(u64::from(whole) + 8);
    }
    let mut at = 12_u64;
    for _ in 0..MOST_LISTED {
        let mut part = [0; 8];
        if at >= length || file.seek(SeekFrom::Start(at)).is_err() || file.read_exact(&mut part).is_err() {
            break;
        }
        list(&mut found.parts, &part[..4]);
        at += 8 + u64::from(size(&part[4..])).next_multiple_of(2);
    }
    found
}

fn list(parts: &mut Vec<String>, kind: &[u8]) {
    let name = String::from_utf8_lossy(kind).trim().to_owned();
    let repeats = parts.iter().rev().take(2).any(|p| *p == name);
    if !repeats && parts.len() < MOST_LISTED {
        parts.push(name);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(kind: &str, size: u32) -> Vec<u8> {
        let mut bytes = size.to_be_bytes().to_vec();
        bytes.extend(kind.as_bytes());
        bytes.resize(size as usize, 0);
        bytes
    }

    #[test]
    fn mp4_boxes_are_listed_and_a_cut_is_seen() {
        let whole =
            [boxed("ftyp", 16), boxed("moov", 40), boxed("moof", 8), boxed("mdat", 20), boxed("moof", 8)].concat();
        let found = read(&mut Cursor::new(&whole), whole.len() as u64);
        assert_eq!(found.parts, ["ftyp", "moov", "moof", "mdat"]);
        assert_eq!((found.should_end, found.index_missing), (None, false));
        let cut = &whole[..74];
        let found = read(&mut Cursor::new(cut), cut.len() as u64);
        assert_eq!(found.should_end, Some(84));
        let found = read(&mut Cursor::new(&whole[..16]), 16);
        assert!(found.index_missing);
    }

    #[test]
    fn matroska_segments_end_or_are_open() {
        let head = [0x1a, 0x45, 0xdf, 0xa3, 0x82, 1, 2];
        for (size, end) in [(&[0x94][..], Some(32)), (&[0x40, 0x03], None), (&[0xff], None), (&[0], None)] {
            let mut bytes = [&head[..], &[0x18, 0x53, 0x80, 0x67], size].concat();
            bytes.resize(24, 0);
            assert_eq!(read(&mut Cursor::new(&bytes), 24).should_end, end, "{size:?}");
        }
    }

    #[test]
    fn riff_and_unknown_bytes() {
        let mut wav = b"RIFF\x64\0\0\0WAVEfmt \x04\0\0\0abcd".to_vec();
        let found = read(&mut Cursor::new(&wav), wav.len() as u64);
        assert_eq!(
            (found.parts.as_slice(), found.should_end),
            (["WAVE", "fmt"].map(String::from).as_slice(), Some(108))
        );
        wav.truncate(5);
        for bytes in [wav, vec![0; 100], vec![0xff; 3], Vec::new()] {
            assert_eq!(read(&mut Cursor::new(&bytes), bytes.len() as u64), Structure::default());
        }
    }
}
