//! Transcripts: what recognisers, captioners and annotators write, read into [`Utterance`]s.
//!
//! The format is told from the content, never from the file's name. Where words carry times, every word is an
//! utterance of its own; otherwise every cue is. Speakers are kept as the transcript names them.

mod json;
mod lines;
mod names;
mod recogniser;
mod text;
mod textgrid;
#[cfg(feature = "whisper")]
mod whisper;

pub use recogniser::{run_transcriber, run_transcriber_with, temporary_prefix};

use std::borrow::Cow;
use std::path::Path;

use super::{Limits, MediaNote, Utterance};
use crate::error::{Error, Result};
use crate::time::{Span, Timestamp};

/// Which format a transcript is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TranscriptFormat {
    /// SubRip captions.
    Srt,
    /// Web captions; Zoom's and Teams' with their speakers.
    WebVtt,
    /// NIST's time-marked conversation.
    Ctm,
    /// Praat's TextGrid, long or short.
    TextGrid,
    /// Whisper, WhisperX or whisper.cpp.
    Whisper,
    /// Deepgram.
    Deepgram,
    /// AssemblyAI.
    AssemblyAi,
    /// Zoom's timeline with texts.
    Zoom,
    /// Microsoft Teams.
    Teams,
    /// AWS Transcribe.
    AwsTranscribe,
    /// A plain list of question and answer, without times.
    Questions,
}

/// What was said, by whom and when.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Transcript {
    /// The format it was read from.
    pub format: TranscriptFormat,
    /// In order of time.
    pub utterances: Vec<Utterance>,
    /// Whether every utterance is one word with its own time.
    pub word_times: bool,
    /// What a reader should know of it, each with a stable code: `transcript_encoding`, `transcript_left_out`.
    pub notes: Vec<MediaNote>,
}

impl Transcript {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Limit`] when it has more than
    /// [`text_bytes`](Limits::text_bytes), [`Error::Media`] when it is no transcript this library knows.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self> {
        let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
        let name = path.display().to_string();
        if size > limits.text_bytes as u64 {
            return Err(Error::Limit {
                input: name,
                what: "text",
                value: format!("{size} bytes"),
                limit: format!("{} bytes", limits.text_bytes),
            });
        }
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let (text, encoding) = text::decode(&bytes);
        let mut read = Self::parse(&name, &text)?;
        read.notes.extend(encoding.map(|message| MediaNote::new("transcript_encoding", None, message)));
        Ok(read)
    }

    /// Reads text; `name` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Media`] when it is no transcript this library knows, with the line or key that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let read = Self::read_any(name, text)?;
        if read.utterances.is_empty() {
            return Err(Error::media(name, "this transcript has no words"));
        }
        Ok(read)
    }

    /// As [`Transcript::parse`], also one in which nobody says anything.
    fn read_any(name: &str, text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        // line ends of old Macs
        let lines = if text.contains('\n') { Cow::from(text) } else { Cow::from(text.replace('\r', "\n")) };
        let text = &*lines;
        let read = match text.chars().next() {
            Some('[') if text.lines().next().is_some_and(|l| l.contains("-->")) => lines::whisper_cpp(text),
            Some('{' | '[') => json::read(text).map(whole),
            _ if text.starts_with("WEBVTT") => lines::vtt(text),
            _ if text.contains("ooTextFile") || text.contains("\"IntervalTier\"") => textgrid::read(text).map(whole),
            _ if text.contains("-->") => lines::srt(text),
            _ => lines::ctm(text),
        };
        let (format, mut utterances, left_out) = read.map_err(|reason| Error::media(name, reason))?;
        let mut notes: Vec<MediaNote> =
            left_out.map(|message| MediaNote::new("transcript_left_out", None, message)).into_iter().collect();
        let broken = text.matches(char::REPLACEMENT_CHARACTER).count();
        if broken > 0 {
            let message = format!(
                "{broken} signs of the transcript cannot be read: it is damaged, or was not UTF-8 when it was decoded"
            );
            notes.push(MediaNote::new("transcript_encoding", None, message));
        }
        names::name_speakers(&mut utterances);
        utterances.retain(|u| !u.text.trim().is_empty());
        utterances.sort_by_key(|u| u.span.start);
        let word_times = format != TranscriptFormat::Questions
            && utterances.iter().all(|u| !u.text.trim().contains(char::is_whitespace) && !u.span.is_empty());
        Ok(Self { format, utterances, word_times, notes })
    }

    /// Speakers in the order in which they first speak.
    #[must_use]
    pub fn speakers(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for name in self.utterances.iter().filter_map(|u| u.speaker.as_deref()) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }
}

fn utterance(start_s: f64, end_s: f64, speaker: Option<&str>, text: &str) -> Utterance {
    let span = Span::new(Timestamp::from_seconds(start_s), Timestamp::from_seconds(end_s));
    let speaker = speaker.map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned);
    Utterance { span, speaker, text: text.split_whitespace().collect::<Vec<_>>().join(" ") }
}

/// Seconds of `12.5`, `12.5s`, `01:02.5` or `00:01:02,500`.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('s').replace(',', ".");
    let mut total = 0.0;
    for part in text.split(':') {
        let value: f64 = part.parse().ok()?;
        total = total * 60.0 + value;
    }
    (total.is_finite() && total >= 0.0).then_some(total)
}

type Read = std::result::Result<(TranscriptFormat, Vec<Utterance>), String>;
/// With what was left out, where something was.
type ReadLines = std::result::Result<(TranscriptFormat, Vec<Utterance>, Option<String>), String>;

fn whole(
    (format, utterances): (TranscriptFormat, Vec<Utterance>),
) -> (TranscriptFormat, Vec<Utterance>, Option<String>) {
    (format, utterances, None)
}

#[cfg(test)]
mod tests;
