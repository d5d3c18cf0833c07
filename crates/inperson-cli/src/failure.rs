//! One line on standard error, and results on standard output whose reader may leave.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Why the command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The library could not look.
    #[error("{0}")]
    Library(#[from] inperson::Error),
    /// A file of ours could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Anything else, in one sentence.
    #[error("{0}")]
    Other(String),
    /// Whoever read our output has gone.
    #[error("output closed")]
    Closed,
}

impl Failure {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn other(reason: impl std::fmt::Display) -> Self {
        Self::Other(reason.to_string())
    }
}

/// Text with its control characters spelled out: names of files, tags and transcripts are a stranger's, and a terminal obeys them.
fn spelled(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(obeyed) {
        return text.into();
    }
    let spell = |c: char| if obeyed(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(spell).collect::<String>().into()
}

/// A line on standard output.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let text = spelled(text);
    let mut out = std::io::stdout().lock();
    let written =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    written.and_then(|()| out.flush()).map_err(|e| match e.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::file(Path::new("standard output"), e),
    })
}

/// The failure as one line on standard error.
pub(crate) fn complain(failure: &Failure) {
    let line = failure.to_string().replace(['\n', '\r'], " ");
    // nobody left to tell if this fails
    let _ = writeln!(std::io::stderr().lock(), "inperson: {}", spelled(&line));
}

/// Refuses results that would be written over what they are made from.
pub(crate) fn apart<'a>(out: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    let Ok(whole) = out.canonicalize() else { return Ok(()) };
    if inputs.into_iter().any(|input| input.canonicalize().is_ok_and(|i| i == whole)) {
        return Err(Failure::other(format!("{} is one of the inputs; give another --out", out.display())));
    }
    Ok(())
}

/// A file that is written whole or not at all, readable for whom the user's mask lets.
pub(crate) struct Whole<'a> {
    path: &'a Path,
    /// None for a pipe or a terminal, which has no half.
    file: Option<tempfile::NamedTempFile>,
}

impl<'a> Whole<'a> {
    /// Fails where it could not be written, before there is anything to write.
    pub(crate) fn begin(path: &'a Path) -> Result<Self, Failure> {
        if path.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) {
            return Ok(Self { path, file: None });
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let create = |at: &Path| OpenOptions::new().write(true).create_new(true).open(at);
        let file = tempfile::Builder::new().make_in(folder, create).map_err(|e| Failure::file(path, e))?;
        Ok(Self { path, file: Some(file) })
    }

    /// All of it.
    pub(crate) fn write(self, text: &str) -> Result<(), Failure> {
        let failed = |e: std::io::Error| Failure::file(self.path, e);
        let Some(mut file) = self.file else { return std::fs::write(self.path, text).map_err(failed) };
        file.as_file_mut().write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(self.path).map_err(|e| failed(e.error))?;
        Ok(())
    }
}
