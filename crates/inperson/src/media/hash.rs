//! Checksum of an input, so that a report can be tied to the file it was made from.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// SHA-256 of a file in lower-case hexadecimal, read in pieces.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub fn hash_file(path: &Path) -> Result<String> {
    hash_unless(&AtomicBool::new(false), path)
}

/// As [`hash_file`], until somebody sets `stopped`: a recording of many gigabytes takes minutes.
///
/// # Errors
/// As [`hash_file`], and [`Error::Cancelled`].
pub(crate) fn hash_unless(stopped: &AtomicBool, path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        if stopped.load(Relaxed) {
            return Err(Error::Cancelled);
        }
        let count = file.read(&mut buffer).map_err(|e| Error::io(path, e))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_sha256sum_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(hash_file(&path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(matches!(hash_unless(&AtomicBool::new(true), &path), Err(Error::Cancelled)));
        assert!(matches!(hash_file(&folder.path().join("none")), Err(Error::Io { .. })));
    }
}
