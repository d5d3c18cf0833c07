//! Transcripts by a recogniser that the user brings: a command, or any function from a WAV file to a transcript's text.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::{Transcript, TranscriptFormat};
use crate::error::{Error, Result};
use crate::media::{AUDIO_RATE, FileSource, Limits, MediaOptions, Sample, Source};

/// What stands for the WAV file in a command; where it is missing, the file's path comes last.
const PLACE: &str = "{}";
/// What stands before the model file of the recogniser inside, instead of a command.
const INSIDE: &str = "whisper:";
/// Most bytes of a command's complaint that are passed on.
const COMPLAINT: usize = 300;
/// How names of temporary files of any process of ours start and end.
const PREFIX: &str = "inperson-";
const SUFFIX: &str = ".wav";
/// How old a temporary file must be to have been left behind.
const NEW: Duration = Duration::from_secs(60);
/// How often a command that runs is looked after.
const LOOK: Duration = Duration::from_millis(20);

/// How the names of this process's temporary files start, so that a program that is stopped can remove them.
#[must_use]
pub fn temporary_prefix() -> String {
    format!("{PREFIX}{}-", std::process::id())
}

/// Bytes of a WAV file before its samples.
pub(super) const HEADER: u32 = 44;

impl Transcript {
    /// Decodes the sound of `media` into a temporary WAV file (16 kHz, mono, 16 bit, from the recording's start, so
    /// that times agree) and has `recogniser` turn it into a transcript in any format that [`Transcript::parse`]
    /// reads. The file is gone afterwards, at the latest when the next one is made. Of media without sound, and where nothing is recognised, it has no utterances.
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
        let mut file = wav_file()?;
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
/// [`Error::Limit`] when it prints more than [`text_bytes`](Limits::text_bytes) or takes longer than
/// [`transcriber_s`](Limits::transcriber_s): it is ended.
pub fn run_transcriber(command: &str, wav: &Path, limits: &Limits) -> Result<String> {
    run_transcriber_with(command, wav, limits, || ControlFlow::Continue(()))
}

/// As [`run_transcriber`], and asks many times a second whether to go on; `Break` ends the command. The recogniser that is built in is
/// waited for.
///
/// # Errors
/// As [`run_transcriber`], and [`Error::Cancelled`].
pub fn run_transcriber_with(
    command: &str,
    wav: &Path,
    limits: &Limits,
    mut asked: impl FnMut() -> ControlFlow<()>,
) -> Result<String> {
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
    let (mut said, mut complaints) = (unnamed()?, unnamed()?);
    let kept = |file: &File| file.try_clone().map_err(|e| Error::io(std::env::temp_dir(), e));
    run.stdin(Stdio::null()).stdout(kept(&said)?).stderr(kept(&complaints)?);
    let since = Instant::now();
    let mut child = Running(run.spawn().map_err(|e| failed(format!("could not be started: {e}")))?);
    let status = loop {
        if let Some(status) = child.0.try_wait().map_err(|e| failed(format!("was lost: {e}")))? {
            break status;
        }
        if said.metadata().is_ok_and(|m| m.len() > limits.text_bytes as u64) {
            return Err(too_long(command, limits));
        }
        if since.elapsed().as_secs_f64() > limits.transcriber_s {
            let limit = format!("{} s", limits.transcriber_s);
            return Err(Error::Limit {
                input: command.to_owned(),
                what: "its time",
                value: "longer".to_owned(),
                limit,
            });
        }
        if asked().is_break() {
            return Err(Error::Cancelled);
        }
        std::thread::sleep(LOOK);
    };
    if !status.success() {
        return Err(failed(format!("failed ({status}){}", complaint(&mut complaints))));
    }
    let mut text = Vec::new();
    let read = said.rewind().and_then(|()| said.take(limits.text_bytes as u64 + 1).read_to_end(&mut text));
    read.map_err(|e| failed(format!("could not be read: {e}")))?;
    if text.len() > limits.text_bytes {
        return Err(too_long(command, limits));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A command that is ended when nobody waits for it any longer.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A temporary file that nothing leaves behind.
fn unnamed() -> Result<File> {
    tempfile::tempfile().map_err(|e| Error::io(std::env::temp_dir(), e))
}

/// A temporary file for a recording's sound. It is locked as long as it is needed.
fn wav_file() -> Result<NamedTempFile> {
    let folder = std::env::temp_dir();
    remove_left_behind(&folder);
    let file = tempfile::Builder::new().prefix(&temporary_prefix()).suffix(SUFFIX).tempfile_in(&folder);
    let file = file.map_err(|e| Error::io(folder, e))?;
    if let Err(e) = file.as_file().lock() {
        // where there are no locks none are found either, and nothing is removed
        tracing::debug!("{}: {e}", file.path().display());
    }
    Ok(file)
}

/// Removes what processes that were killed could not: a candidate's voice does not stay behind. Numbers of processes say nothing, since
/// containers share folders; a lock does.
fn remove_left_behind(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with(PREFIX) && name.ends_with(SUFFIX) && entry.file_type().is_ok_and(|t| t.is_file());
        // a new one may not be locked yet
        let old = || entry.metadata().and_then(|m| m.modified()).is_ok_and(|t| t.elapsed().is_ok_and(|e| e > NEW));
        if ours && old() && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            // another process may have been faster
            let _ = std::fs::remove_file(entry.path());
        }
    }
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

    fn run(command: &str, limits: &Limits, asked: impl FnMut() -> ControlFlow<()>) -> Result<String> {
        run_transcriber_with(command, Path::new("a.wav"), limits, asked)
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let limits = Limits { transcriber_s: 0.1, text_bytes: 1_000, ..Limits::default() };
        let since = Instant::now();
        let slow = run("sh -c 'exec sleep 60' {}", &limits, || ControlFlow::Continue(()));
        assert!(slow.is_err_and(|e| e.to_string().contains("its time is longer, over the limit of 0.1 s")));
        let stopped = run("sh -c 'exec sleep 60' {}", &Limits::default(), || ControlFlow::Break(()));
        assert!(matches!(stopped, Err(Error::Cancelled)));
        let endless =
            run(
                "sh -c 'exec yes' {}",
                &Limits { text_bytes: 1_000, ..Limits::default() },
                || ControlFlow::Continue(()),
            );
        assert!(matches!(endless, Err(Error::Limit { what: "text", .. })));
        assert!(since.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn only_what_nobody_needs_and_is_ours_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3_600);
        let files: Vec<File> = ["inperson-1-dead.wav", "inperson-2-needed.wav", "inperson-notes.txt", "mine.wav"]
            .map(|name| File::create(path(name)).expect("made"))
            .into();
        files.iter().for_each(|f| f.set_modified(hour_ago).expect("set"));
        File::create(path("inperson-3-new.wav")).expect("made");
        files[1].lock().expect("locked");
        remove_left_behind(folder.path());
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).expect("read").flatten().map(|e| e.file_name()).collect();
        left.sort();
        assert_eq!(left, ["inperson-2-needed.wav", "inperson-3-new.wav", "inperson-notes.txt", "mine.wav"]);
    }

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
