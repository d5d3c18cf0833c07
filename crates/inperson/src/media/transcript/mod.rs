//! Transcripts: what recognisers, captioners and annotators write, read into [`Utterance`]s.
//!
//! The format is told from the content, never from the file's name. Where words carry times, every word is an
//! utterance of its own; otherwise every cue is. Speakers are kept as the transcript names them.

mod json;
mod lines;
mod recogniser;
mod textgrid;
#[cfg(feature = "whisper")]
mod whisper;

pub use recogniser::{run_transcriber, temporary_prefix};

use std::path::Path;

use super::{Limits, Utterance};
use crate::error::{Error, Result};
use crate::time::{Span, Timestamp};

/// Longest name of a speaker that is believed, in bytes: longer text before a colon is speech.
const LONGEST_NAME: usize = 48;

/// One cue in so many must begin with a name for names to be believed.
const MANY_NAMED: usize = 5;

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
        Self::parse(&name, &decode(&bytes))
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
        let read = match text.chars().next() {
            Some('[') if text.lines().next().is_some_and(|l| l.contains("-->")) => lines::whisper_cpp(text),
            Some('{' | '[') => json::read(text),
            _ if text.starts_with("WEBVTT") => lines::vtt(text),
            _ if text.contains("ooTextFile") || text.contains("\"IntervalTier\"") => textgrid::read(text),
            _ if text.contains("-->") => lines::srt(text),
            _ => lines::ctm(text),
        };
        let (format, mut utterances) = read.map_err(|reason| Error::media(name, reason))?;
        name_speakers(&mut utterances);
        utterances.retain(|u| !u.text.trim().is_empty());
        utterances.sort_by_key(|u| u.span.start);
        let word_times = format != TranscriptFormat::Questions
            && utterances.iter().all(|u| !u.text.trim().contains(char::is_whitespace) && !u.span.is_empty());
        Ok(Self { format, utterances, word_times })
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

/// UTF-8, or UTF-16 where the first bytes say so: Praat writes it.
fn decode(bytes: &[u8]) -> String {
    let wide = |order: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|b| order([b[0], b[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
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

/// Takes names from before a colon, as Zoom writes them, where a fair share of the cues has one: alone it is speech.
fn name_speakers(utterances: &mut [Utterance]) {
    let named_cues = utterances.iter().filter(|u| u.speaker.is_none() && named(&u.text).0.is_some()).count();
    if named_cues * MANY_NAMED < utterances.len() {
        return;
    }
    for u in utterances.iter_mut().filter(|u| u.speaker.is_none()) {
        if let (Some(name), words) = named(&u.text) {
            (u.speaker, u.text) = (Some(name.to_owned()), words.to_owned());
        }
    }
}

/// `Name: words` as name and words, where the name looks like one.
fn named(text: &str) -> (Option<&str>, &str) {
    let Some((name, rest)) = text.split_once(": ") else { return (None, text) };
    let short = name.len() <= LONGEST_NAME && name.split_whitespace().count() <= 5;
    let like = name.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || " _-.'()@".contains(c));
    if short && like { (Some(name), rest) } else { (None, text) }
}

type Read = std::result::Result<(TranscriptFormat, Vec<Utterance>), String>;

#[cfg(test)]
mod tests;
