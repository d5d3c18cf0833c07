//! The one error type: it means "could not look", never "found something".
//!
//! Variants are chosen by what the caller can do about them. A forged recording is an `Ok` report.

use std::path::PathBuf;

/// Why an input, a model or a configuration could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written: check the path and its permissions.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The input is not media that can be decoded: check the file.
    #[error("{input}: {reason}")]
    Media {
        /// The input's name, usually its path.
        input: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The input is well formed, but this build or this check cannot take it.
    #[error("{0}")]
    Unsupported(String),
    /// A limit of [`Limits`](crate::Limits) was passed: raise it if the input is trusted.
    #[error("{input}: {what} is {value}, over the limit of {limit}")]
    Limit {
        /// The input's name, usually its path.
        input: String,
        /// Which limit.
        what: &'static str,
        /// The value met.
        value: String,
        /// The limit's value.
        limit: String,
    },
    /// ONNX Runtime, or the device asked for, is not there: install it or point to it.
    #[error("{0}")]
    Runtime(String),
    /// A model could not be loaded, failed its checksum or licence gate, or broke its contract.
    #[error("model `{name}`: {reason}")]
    Model {
        /// The model's id.
        name: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The recogniser that the caller brought failed or gave no transcript: run it by hand on a WAV file.
    #[error("transcriber: {reason}")]
    Transcriber {
        /// What was wrong with it.
        reason: String,
    },
    /// The configuration contradicts itself or names something unknown.
    #[error("configuration: {0}")]
    Config(String),
    /// The caller's [`Progress`](crate::Progress) asked to stop.
    #[error("cancelled")]
    Cancelled,
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Io`] for `path`.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// An [`Error::Media`] for `input`.
    pub fn media(input: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Media { input: input.into(), reason: reason.into() }
    }

    /// An [`Error::Model`] for the model `name`.
    pub fn model(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Model { name: name.into(), reason: reason.into() }
    }
}
