//! What a batch is made of: files, folders, or a manifest with a column `path`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, Trim};
use serde_json::{Map, Value};

use crate::failure::{Failure, complain};

/// One input, as the user named it, and what else the manifest says of it.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) transcript: Option<PathBuf>,
    pub(crate) meta: Option<Map<String, Value>>,
    /// Why a row of a manifest names nothing to look at.
    pub(crate) problem: Option<String>,
}

/// Extensions that are taken from a folder; a file named by hand is taken whatever its name.
const MEDIA: [&str; 38] = [
    "mp4", "m4v", "mov", "qt", "mkv", "mka", "webm", "weba", "avi", "flv", "f4v", "wmv", "asf", "mpg", "mpeg", "vob",
    "ts", "mts", "m2t", "m2ts", "mxf", "3gp", "3g2", "3ga", "ogv", "ogg", "oga", "opus", "wav", "flac", "aif", "aiff",
    "caf", "mp3", "m4a", "aac", "wma", "amr",
];
/// Extensions of manifests.
const LISTS: [&str; 2] = ["csv", "tsv"];
/// What may stand between the cells of a manifest.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
/// Columns that mean something.
const PATH: &str = "path";
const TRANSCRIPT: &str = "transcript";

/// All inputs in order: files as named, folders sorted by path, manifests row by row. What a folder holds beside media is told on
/// standard error.
pub(crate) fn inputs(named: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in named {
        if path.is_dir() {
            let (mut files, mut left) = (Vec::new(), LeftOut::default());
            walk(path, &mut files, &mut left);
            files.sort_by(|a, b| a.path.cmp(&b.path));
            inputs.extend(files);
            left.tell(path);
        } else if has_extension(path, &LISTS) {
            inputs.extend(manifest(path)?);
        } else {
            inputs.push(plain(path.clone()));
        }
    }
    if inputs.is_empty() {
        let reason = "nothing to analyse: no file was named, no folder holds media and no manifest has a row";
        return Err(Failure::other(reason));
    }
    Ok(inputs)
}

fn plain(path: PathBuf) -> Input {
    Input { name: path.to_string_lossy().into_owned(), path, transcript: None, meta: None, problem: None }
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    path.extension().is_some_and(|e| known.iter().any(|k| e.eq_ignore_ascii_case(k)))
}

/// What a folder holds that is not taken from it.
#[derive(Default)]
struct LeftOut {
    /// Files by extension.
    files: BTreeMap<String, usize>,
    /// Links to folders, which may lead round in a circle.
    links: usize,
}

impl LeftOut {
    fn tell(&self, folder: &Path) {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut parts = Vec::new();
        let files: usize = self.files.values().sum();
        if files > 0 {
            let kinds: Vec<String> = self.files.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            parts.push(format!("{} not taken for media ({})", count(files, "file"), kinds.join(", ")));
        }
        if self.links > 0 {
            parts.push(format!("{} to folders", count(self.links, "link")));
        }
        if !parts.is_empty() {
            let (folder, parts) = (folder.display(), parts.join(" and "));
            complain(&Failure::other(format!("{folder}: left out {parts}; name them to have them looked at")));
        }
    }
}

/// Media of a folder and all below it; what cannot be read becomes an input that says why.
fn walk(folder: &Path, files: &mut Vec<Input>, left: &mut LeftOut) {
    let unread = |path: &Path, e: &std::io::Error| Input {
        problem: Some(format!("{}: {e}", path.display())),
        ..plain(path.to_owned())
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return files.push(unread(folder, &e)),
    };
    for entry in entries {
        let entry = match entry.and_then(|e| Ok((e.path(), e.file_type()?.is_dir()))) {
            Ok(entry) => entry,
            Err(e) => {
                files.push(unread(folder, &e));
                continue;
            }
        };
        match entry {
            (path, true) => walk(&path, files, left),
            (path, false) if path.is_dir() => left.links += 1,
            (path, false) if has_extension(&path, &MEDIA) => files.push(plain(path)),
            (path, false) => {
                let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy().to_lowercase()));
                *left.files.entry(extension.unwrap_or_else(|| "without extension".to_owned())).or_default() += 1;
            }
        }
    }
}

/// Where the columns of a manifest stand.
struct Columns {
    names: Vec<String>,
    path: usize,
    transcript: Option<usize>,
}

fn manifest(file: &Path) -> Result<Vec<Input>, Failure> {
    let bytes = std::fs::read(file).map_err(|e| Failure::file(file, e))?;
    let (delimiter, columns) = header(&bytes).map_err(|e| Failure::other(format!("{}: {e}", file.display())))?;
    let (mut inputs, mut record) = (Vec::new(), ByteRecord::new());
    let mut reader = reader(delimiter).from_reader(&bytes[..]);
    let failed = |e| Failure::other(format!("{}: {e}", file.display()));
    while reader.read_byte_record(&mut record).map_err(failed)? {
        let (from, line) = record.position().map_or((0, 0), |p| (p.byte() as usize, p.line()));
        let text = &bytes[from..(reader.position().byte() as usize).min(bytes.len())];
        inputs.push(row(file, &columns, &record, &Place { line, closed: closed(text, delimiter) }));
    }
    Ok(inputs)
}

/// Where a row stands in its file, and whether its quotes are as they should be.
struct Place {
    line: u64,
    closed: bool,
}

/// Whether every quoted cell ends where its quote does (RFC 4180). The reader takes all up to the next quote for one cell, and with it rows.
fn closed(row: &[u8], delimiter: u8) -> bool {
    let mut rest = row.iter().position(|b| !matches!(b, b'\r' | b'\n')).map_or(row, |start| &row[start..]);
    loop {
        if let Some(mut quoted) = rest.strip_prefix(b"\"") {
            loop {
                let Some(end) = quoted.iter().position(|&b| b == b'"') else { return false };
                quoted = &quoted[end + 1..];
                match quoted.strip_prefix(b"\"") {
                    Some(after) => quoted = after,
                    None => break,
                }
            }
            let blank = |b: &u8| matches!(b, b' ' | b'\r' | b'\n') || (*b == b'\t' && delimiter != b'\t');
            let end = quoted.iter().position(|b| !blank(b)).unwrap_or(quoted.len());
            if end < quoted.len() && quoted[end] != delimiter {
                return false;
            }
            rest = &quoted[end..];
        }
        match rest.iter().position(|&b| b == delimiter) {
            Some(next) => rest = &rest[next + 1..],
            None => return true,
        }
    }
}

fn reader(delimiter: u8) -> ReaderBuilder {
    let mut reader = ReaderBuilder::new();
    reader.delimiter(delimiter).flexible(true).trim(Trim::All);
    reader
}

/// What stands between the cells, and the columns: of the delimiters the one that gives a column `path`.
fn header(bytes: &[u8]) -> Result<(u8, Columns), String> {
    const AS_UTF8: &str = "this manifest is not UTF-8: save it as CSV in UTF-8";
    let mut seen: Vec<String> = Vec::new();
    for delimiter in DELIMITERS {
        let mut reader = reader(delimiter).from_reader(bytes);
        let header = reader.headers().map_err(|e| if e.is_io_error() { e.to_string() } else { AS_UTF8.to_owned() })?;
        let names: Vec<String> = header.iter().map(|h| h.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        let find = |name: &str| {
            let mut found = names.iter().enumerate().filter(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(i, _)| i);
            match (found.next(), found.next()) {
                (_, Some(_)) => Err(format!("this manifest has more than one column `{name}`: leave one")),
                (first, None) => Ok(first),
            }
        };
        if let Some(path) = find(PATH)? {
            let transcript = find(TRANSCRIPT)?;
            return Ok((delimiter, Columns { path, transcript, names: apart(&names) }));
        }
        if names.len() > seen.len() {
            seen = names;
        }
    }
    let listed: Vec<String> = seen.iter().map(|n| format!("`{n}`")).collect();
    let has = if listed.is_empty() { "is empty".to_owned() } else { format!("has the columns {}", listed.join(", ")) };
    Err(format!("this manifest has no column `{PATH}`; it {has}"))
}

/// Names that none of them shares with another, so that no cell takes the place of another.
fn apart(names: &[String]) -> Vec<String> {
    let one = |(i, name): (usize, &String)| match names[..i].iter().filter(|n| *n == name).count() {
        _ if name.is_empty() => format!("column {}", i + 1),
        0 => name.clone(),
        before => format!("{name} ({})", before + 1),
    };
    names.iter().enumerate().map(one).collect()
}

/// A row as an input; one that cannot be used says why, in its place.
fn row(file: &Path, columns: &Columns, record: &ByteRecord, place: &Place) -> Input {
    let folder = file.parent().unwrap_or(Path::new(""));
    let cell = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned();
    let (path, words) = (cell(columns.path), columns.transcript.map(cell).filter(|w| !w.is_empty()));
    let (cells, expected) = (record.len(), columns.names.len());
    let problem = if record.iter().any(|c| std::str::from_utf8(c).is_err()) {
        Some("it is not UTF-8: save the manifest as CSV in UTF-8".to_owned())
    } else if !place.closed || [Some(&path), words.as_ref()].iter().flatten().any(|c| c.contains('\n')) {
        Some("a quote in it is not closed, or not around a whole cell: rows that follow may be lost in it".to_owned())
    } else if path.is_empty() {
        Some(format!("its cell `{PATH}` is empty"))
    } else if cells < expected {
        Some(format!("it has {cells} of {expected} cells"))
    } else if record.iter().skip(expected).any(|c| !c.is_empty()) {
        Some(format!("it has {cells} cells for {expected} columns: a cell with a delimiter in it needs quotes"))
    } else {
        None
    };
    let meta = columns.names.iter().enumerate().take(cells).filter(|(i, _)| *i != columns.path);
    let meta = meta.map(|(i, name)| (name.clone(), Value::from(cell(i)))).collect();
    let problem = problem.map(|p| format!("{}: line {}: {p}", file.display(), place.line));
    let name = if path.is_empty() { format!("{}: line {}", file.display(), place.line) } else { path.clone() };
    // nothing is looked at, so that nothing must be kept apart from the results
    let (path, words) = if problem.is_some() { (PathBuf::new(), None) } else { (folder.join(path), words) };
    Input { name, path, transcript: words.map(|w| folder.join(w)), meta: Some(meta), problem }
}
