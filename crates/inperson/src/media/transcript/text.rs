//! The bytes of a transcript as text.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// One unit in so many must have a zero byte in the same place for text to be UTF-16 without a mark: its times and line ends do.
const ZEROS: usize = 4;

/// Text in UTF-8, in UTF-16 (Praat writes it), or else in Windows-1252, as old captioning tools write; and what a reader should know of it.
pub(super) fn decode(bytes: &[u8]) -> (String, Option<String>) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return (encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(), None);
    }
    if let Some(encoding) = wide(bytes) {
        let note = "the transcript is UTF-16 without a byte order mark, by its zero bytes".to_owned();
        return (encoding.decode_without_bom_handling(bytes).0.into_owned(), Some(note));
    }
    let text = String::from_utf8_lossy(bytes);
    let (mut broken, mut whole) = (0, 0);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        *(if c == char::REPLACEMENT_CHARACTER { &mut broken } else { &mut whole }) += 1;
    }
    // what is mostly good UTF-8 was damaged, not written otherwise
    if broken == 0 || whole > broken {
        return (text.into_owned(), None);
    }
    let note =
        "the transcript is not UTF-8 and was read as Windows-1252: save it as UTF-8 if names or words look wrong";
    (WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(), Some(note.to_owned()))
}

fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let units = bytes.len() / 2;
    let zeros = |at: usize| bytes.iter().skip(at).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match (even * ZEROS > units, odd * ZEROS > units) {
        (false, true) if even == 0 => Some(UTF_16LE),
        (true, false) if odd == 0 => Some(UTF_16BE),
        _ => None,
    }
}
