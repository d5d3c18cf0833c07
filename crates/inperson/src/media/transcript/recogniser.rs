//! Transcripts by a recogniser that the user brings: a command, or any function from a WAV file to a transcript's text.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Transcript, TranscriptFormat};
use crate::error::{Error, Result};
use crate::media::{AUDIO_RATE, FileSource, Limits, MediaOptions, Sample, Source};

/// What stands for the WAV file in a command; where it is missing, the file's path comes last.
const PLACE: &str = "{}";
/// What stands before the model file of the recogniser inside, instead of a command.
const INSIDE: &str = "whisper:";
/// Most bytes of a command's complaint that are passed on.
const COMPLAINT: usize = 300;
/// How the names of this process's temporary files start, so that a program that is stopped can remove them.
#[must_use]
pub fn temporary_prefix() -> String {
    format!("inperson-{}-", std::process::id())
}

/// Bytes of a WAV file before its samples.
pub(super) const HEADER: u32 = 44;

impl Transcript {
    /// Decodes the sound of `media` into a temporary WAV file (16 kHz, mono, 16 bit, from the recording's start, so
    /// that times agree) and has `recogniser` turn it into a transcript in any format that [`Transcript::parse`]
    /// reads. The file is gone afterwards. Of media without sound, and where nothing is recognised, it has no utterances.
    ///
    /// # Errors
    /// As [`FileSource::open`]; [`Error::Io`] when the WAV file cannot be written; [`Error::Transcriber`] when what
    /// came back is no transcript; and what `recogniser` gives.
    pub fn recognise(
        media: &Path,
        limits: &Limits,
        options: &MediaOptions,
        recogniser: impl FnOnce(&Path) -> Result<String>,
    ) -> Result<Self> {
        if FileSource::open(media, limits, &MediaOptions::default())?.info().audio.is_none() {
            return Ok(Self::silent());
        }
        let folder = std::env::temp_dir();
        let file = tempfile::Builder::new().prefix(&temporary_prefix()).suffix(".wav").tempfile_in(&folder);
        let mut file = file.map_err(|e| Error::io(folder, e))?;
        let options = MediaOptions { sound_only: true, ..options.clone() };
        let mut source = FileSource::open(media, limits, &options)?;
        let path = file.path().to_owned();
        write_wav(&mut source, file.as_file_mut(), &path)?;
        let text = recogniser(&path)?;
        if text.len() > limits.text_bytes {
            return Err(too_long("the transcriber", limits));
        }
        if text.trim().is_empty() {
            return Ok(Self::silent());
        }
        Self::read_any("its output", &text).map_err(|e| Error::Transcriber { reason: e.to_string() })
    }

    /// What a recording says in which nobody speaks.
    fn silent() -> Self {
        Self { format: TranscriptFormat::Ctm, utterances: Vec::new(), word_times: false, notes: Vec::new() }
    }
}

/// Runs `command` on a WAV file and gives what it prints. `command` is split as a shell does, but no shell runs it;
/// `{}` in it stands for the file's path, which otherwise comes last. `whisper:FILE` instead of a command runs whisper.cpp, built in
/// by the feature `whisper`, with that model file.
///
/// # Errors
/// [`Error::Transcriber`] when it cannot be started or fails, with the end of what it complained, and when the feature or the model is missing;
/// [`Error::Limit`] when it prints more than [`text_bytes`](Limits::text_bytes).
pub fn run_transcriber(command: &str, wav: &Path, limits: &Limits) -> Result<String> {
    if let Some(model) = command.strip_prefix(INSIDE) {
        return inside(Path::new(model), wav);
    }
    let failed = |reason: String| Error::Transcriber { reason: format!("`{command}` {reason}") };
    let parts = shlex::split(command).filter(|p| !p.is_empty());
    let parts = parts.ok_or_else(|| failed("is no command: check its quotes".to_owned()))?;
    let place = wav.display().to_string();
    let mut run = Command::new(&parts[0]);
    run.args(parts[1..].iter().map(|p| p.replace(PLACE, &place)));
    if !parts[1..].iter().any(|p| p.contains(PLACE)) {
        run.arg(wav);
    }
    // a pipe that nobody empties would stop it
    let mut complaints = tempfile::tempfile().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let stderr = complaints.try_clone().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut child = run.spawn().map_err(|e| failed(format!("could not be started: {e}")))?;
    let mut text = Vec::new();
    let read = child.stdout.take().map(|out| out.take(limits.text_bytes as u64 + 1).read_to_end(&mut text));
    if text.len() > limits.text_bytes {
        // it may have ended by itself
        let _ = child.kill();
        let _ = child.wait();
        return Err(too_long(command, limits));
    }
    let status = child.wait().map_err(|e| failed(format!("was lost: {e}")))?;
    if let Some(Err(e)) = read {
        return Err(failed(format!("could not be read: {e}")));
    }
    if !status.success() {
        return Err(failed(format!("failed ({status}){}", complaint(&mut complaints))));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(feature = "whisper")]
fn inside(model: &Path, wav: &Path) -> Result<String> {
    super::whisper::run(model, wav)
}

#[cfg(not(feature = "whisper"))]
fn inside(model: &Path, _wav: &Path) -> Result<String> {
    let reason = format!(
        "`{INSIDE}{}` needs an inperson that was built with the feature `whisper` (cargo, cmake and clang); or give a command, such as whisper-cli",
        model.display()
    );
    Err(Error::Transcriber { reason })
}

fn too_long(input: &str, limits: &Limits) -> Error {
    let (value, limit) = ("longer".to_owned(), format!("{} bytes", limits.text_bytes));
    Error::Limit { input: input.to_owned(), what: "text", value, limit }
}

/// The end of what a command wrote to standard error, as one line.
fn complaint(file: &mut File) -> String {
    let mut bytes = Vec::new();
    if file.rewind().and_then(|()| file.read_to_end(&mut bytes)).is_err() || bytes.is_empty() {
        return String::new();
    }
    let end = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(COMPLAINT)..]).into_owned();
    format!(": {}", end.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Sound at its own times: silence where there is none.
fn write_wav(source: &mut dyn Source, file: &mut File, path: &Path) -> Result<()> {
    let failed = |e: std::io::Error| Error::io(path, e);
    let mut out = BufWriter::new(file);
    out.write_all(&[0; HEADER as usize]).map_err(failed)?;
    let mut written: usize = 0;
    while let Some(sample) = source.next()? {
        let Sample::Audio(chunk) = sample else { continue };
        let at = (chunk.at.seconds() * f64::from(AUDIO_RATE)).round().max(0.0) as usize;
        for _ in written..at {
            out.write_all(&[0, 0]).map_err(failed)?;
        }
        let known = written.saturating_sub(at).min(chunk.samples.len());
        for value in &chunk.samples[known..] {
            out.write_all(&((value.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes()).map_err(failed)?;
        }
        written = written.max(at) + chunk.samples.len() - known;
    }
    let bytes = u32::try_from(written * 2).unwrap_or(u32::MAX - HEADER);
    out.rewind().map_err(failed)?;
    out.write_all(&header(bytes)).and_then(|()| out.flush()).map_err(failed)
}

fn header(bytes: u32) -> Vec<u8> {
    let mut head = b"RIFF".to_vec();
    head.extend((bytes + HEADER - 8).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend(16_u32.to_le_bytes());
    // PCM, one channel
    head.extend([1, 0, 1, 0]);
    head.extend(AUDIO_RATE.to_le_bytes());
    head.extend((AUDIO_RATE * 2).to_le_bytes());
    // two bytes a sample
    head.extend([2, 0, 16, 0]);
    head.extend(b"data");
    head.extend(bytes.to_le_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "whisper"))]
    fn a_recogniser_that_was_not_built_in_is_named() {
        let found = run_transcriber("whisper:ggml-base.en.bin", Path::new("none.wav"), &Limits::default());
        let said = found.expect_err("nothing is built in").to_string();
        assert!(said.contains("feature `whisper`") && said.contains("ggml-base.en.bin"), "{said}");
    }

    #[test]
    #[cfg(feature = "whisper")]
    fn a_model_file_that_is_missing_or_none_is_named() {
        let wav = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(wav.path(), [header(3_200), vec![0; 3_200]].concat()).expect("written");
        let gone = run_transcriber("whisper:/nowhere/model.bin", wav.path(), &Limits::default());
        assert!(matches!(&gone, Err(Error::Io { .. })), "{gone:?}");
        // any file that is no model
        let command = format!("whisper:{}", wav.path().display());
        let none = run_transcriber(&command, wav.path(), &Limits::default());
        assert!(
            matches!(&none, Err(Error::Transcriber { reason }) if reason.contains("no model of whisper.cpp")),
            "{none:?}"
        );
    }
}
