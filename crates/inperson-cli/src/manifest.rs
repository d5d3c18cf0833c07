//! What a batch is made of: files, folders, or a manifest with a column `path`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::failure::Failure;

/// One input, as the user named it, and what else the manifest says of it.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) transcript: Option<PathBuf>,
    pub(crate) meta: Option<Map<String, Value>>,
}

/// Extensions that are taken from a folder; a file named by hand is taken whatever its name.
const MEDIA: [&str; 24] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "flv", "wmv", "asf", "mpg", "mpeg", "ts", "mts", "3gp", "ogv", "ogg",
    "opus", "wav", "flac", "mp3", "m4a", "aac", "wma", "amr",
];

/// All inputs in order: files as named, folders sorted by path, manifests row by row.
pub(crate) fn inputs(named: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in named {
        if path.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut files)?;
            files.sort();
            inputs.extend(files.into_iter().map(plain));
        } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
            inputs.extend(manifest(path)?);
        } else {
            inputs.push(plain(path.clone()));
        }
    }
    if inputs.is_empty() {
        return Err(Failure::other("nothing to analyse: no file was named and no folder holds media"));
    }
    Ok(inputs)
}

fn plain(path: PathBuf) -> Input {
    Input { name: path.to_string_lossy().into_owned(), path, transcript: None, meta: None }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |e| Failure::file(folder, e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let media = || path.extension().is_some_and(|e| MEDIA.iter().any(|m| e.eq_ignore_ascii_case(m)));
        if kind.is_dir() {
            walk(&path, files)?;
        } else if media() {
            files.push(path);
        }
    }
    Ok(())
}

fn manifest(file: &Path) -> Result<Vec<Input>, Failure> {
    let failed = |e: csv::Error| Failure::other(format!("{}: {e}", file.display()));
    let mut reader = csv::Reader::from_path(file).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.clone();
    let named = |name: &str| header.iter().position(|h| h.trim_start_matches('\u{feff}').trim() == name);
    let words = named("transcript");
    let Some(column) = named("path") else {
        return Err(Failure::other(format!("{}: this manifest has no column `path`", file.display())));
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut inputs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let name = record.get(column).unwrap_or_default().to_owned();
        let transcript = words.and_then(|w| record.get(w)).filter(|w| !w.trim().is_empty()).map(|w| folder.join(w));
        let others = header.iter().zip(&record).enumerate().filter(|(i, _)| *i != column);
        let meta = others.map(|(_, (key, value))| (key.to_owned(), Value::from(value))).collect();
        inputs.push(Input { path: folder.join(&name), name, transcript, meta: Some(meta) });
    }
    Ok(inputs)
}
