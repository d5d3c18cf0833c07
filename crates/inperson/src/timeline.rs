//! One clock for picture, sound and words: a bounded ring that is cut into hops of one second.
//!
//! A hop is complete when every stream that the media has was seen past its end. A stream that falls more than
//! [`PATIENCE_S`] behind is not waited for any longer: live calls go on without a camera.

use std::collections::VecDeque;

use crate::media::{AUDIO_RATE, AudioChunk, MediaInfo, Utterance};
use crate::time::{Span, Timestamp};
use crate::track::{FaceObservation, FrameFacts, Seen};

/// Length of a hop, microseconds.
pub(crate) const HOP: i64 = 1_000_000;
/// Sound that begins so near the end of what came before joins on to it, samples: clocks of calls jitter.
const JOINS: i64 = AUDIO_RATE as i64 / 25;
/// Seconds that one stream may run ahead of another before the other is given up on.
const PATIENCE_S: i64 = 5;

/// Everything that fell into one hop.
#[derive(Debug, Default)]
pub(crate) struct Hop {
    pub(crate) span: Span,
    pub(crate) frames: Vec<FrameFacts>,
    pub(crate) faces: Vec<FaceObservation>,
    pub(crate) burst: Vec<FaceObservation>,
    pub(crate) audio: Vec<f32>,
    pub(crate) heard: Vec<Span>,
    pub(crate) words: Vec<Utterance>,
}

#[derive(Debug)]
pub(crate) struct Timeline {
    start: Timestamp,
    frames: VecDeque<FrameFacts>,
    faces: VecDeque<FaceObservation>,
    burst: VecDeque<FaceObservation>,
    /// Chunks as they came: number of the first sample, and samples not yet handed out.
    audio: VecDeque<(i64, Vec<f32>)>,
    words: VecDeque<Utterance>,
    /// How far each stream was seen; `None` for a stream that the media does not have.
    video_seen: Option<Timestamp>,
    audio_seen: Option<Timestamp>,
    /// Number of the sample after the last chunk's.
    audio_end: Option<i64>,
    /// Frames, and seconds of sound, that came when their hop was done.
    late: (u64, f64),
}

impl Timeline {
    pub(crate) fn new(media: &MediaInfo) -> Self {
        let unknown = media.video.is_none() && media.audio.is_none();
        Self {
            start: Timestamp::ZERO,
            frames: VecDeque::new(),
            faces: VecDeque::new(),
            burst: VecDeque::new(),
            audio: VecDeque::new(),
            words: VecDeque::new(),
            // just before the start: no frame was seen yet
            video_seen: (unknown || media.video.is_some()).then_some(Timestamp(-1)),
            audio_seen: (unknown || media.audio.is_some()).then_some(Timestamp::ZERO),
            audio_end: None,
            late: (0, 0.0),
        }
    }

    /// Up to where hops were handed out.
    pub(crate) fn analysed(&self) -> Timestamp {
        self.start
    }

    /// Up to where anything was seen or heard: just after the last frame or sample.
    pub(crate) fn end(&self) -> Timestamp {
        let seen = [self.video_seen.map(|t| t.plus(1)), self.audio_seen];
        seen.into_iter().flatten().fold(self.start, Timestamp::max)
    }

    pub(crate) fn push_frame(&mut self, seen: Seen) {
        self.video_seen = self.video_seen.max(Some(seen.facts.at));
        if seen.facts.at >= self.start {
            self.frames.push_back(seen.facts);
            self.faces.extend(seen.faces);
            self.burst.extend(seen.burst);
        } else {
            self.late.0 += 1;
        }
    }

    pub(crate) fn push_audio(&mut self, chunk: &AudioChunk) {
        let at = sample_at(chunk.at);
        let at = self.audio_end.filter(|end| (end - at).abs() <= JOINS).unwrap_or(at);
        self.audio_end = Some(at + chunk.samples.len() as i64);
        let end = time_of(at + chunk.samples.len() as i64);
        self.audio_seen = self.audio_seen.max(Some(end));
        if end > self.start {
            let finite = |&s: &f32| if s.is_finite() { s } else { 0.0 };
            self.audio.push_back((at, chunk.samples.iter().map(finite).collect()));
        } else {
            self.late.1 += chunk.samples.len() as f64 / f64::from(AUDIO_RATE);
        }
    }

    pub(crate) fn push_words(&mut self, words: Utterance) {
        self.words.push_back(words);
    }

    /// Frames, and seconds of sound, that came when their hop was done and were left out.
    pub(crate) const fn late(&self) -> (u64, f64) {
        self.late
    }

    /// Utterances that begin beyond the end.
    pub(crate) fn words_left(&self) -> usize {
        self.words.len()
    }

    /// A last hop without length for words that came late: recognisers are slower than speech.
    pub(crate) fn late_words(&mut self) -> Option<Hop> {
        let (words, beyond): (Vec<_>, Vec<_>) = self.words.drain(..).partition(|w| w.span.start < self.start);
        self.words = beyond.into();
        (!words.is_empty()).then(|| Hop { span: Span::new(self.start, self.start), words, ..Hop::default() })
    }

    /// The next hop that is complete.
    pub(crate) fn next_hop(&mut self) -> Option<Hop> {
        let end = self.start.plus(HOP);
        let seen = [self.video_seen, self.audio_seen];
        let furthest = seen.iter().flatten().max()?;
        let complete = seen.iter().flatten().all(|&s| s >= end);
        (complete || *furthest >= end.plus(PATIENCE_S * HOP)).then(|| self.cut(end))
    }

    /// At the end of the media: the next hop with whatever is left, the last one as long as its content.
    pub(crate) fn last_hop(&mut self) -> Option<Hop> {
        let end = self.start.plus(HOP);
        let last = self.end();
        (last > self.start).then(|| self.cut(end.min(last)))
    }

    fn cut(&mut self, end: Timestamp) -> Hop {
        let span = Span::new(self.start, end);
        let frames = take_while(&mut self.frames, |f| f.at < end);
        let faces = take_while(&mut self.faces, |f| f.at < end);
        let burst = take_while(&mut self.burst, |f| f.at < end);
        let words = take_while(&mut self.words, |w| w.span.start < end);
        let (audio, heard) = self.cut_audio(span);
        self.start = end;
        Hop { span, frames, faces, burst, audio, heard, words }
    }

    fn cut_audio(&mut self, span: Span) -> (Vec<f32>, Vec<Span>) {
        let (start, end) = (sample_at(span.start), sample_at(span.end));
        let mut audio = vec![0.0; usize::try_from(end - start).unwrap_or_default()];
        let mut heard = Vec::new();
        while let Some((at, samples)) = self.audio.front_mut() {
            if *at >= end {
                break;
            }
            let skip = usize::try_from(start - *at).unwrap_or_default().min(samples.len());
            let offset = usize::try_from(*at + skip as i64 - start).unwrap_or_default();
            let count = (samples.len() - skip).min(audio.len() - offset);
            audio[offset..offset + count].copy_from_slice(&samples[skip..skip + count]);
            let from = *at + skip as i64;
            heard.push(Span::new(time_of(from), time_of(from + count as i64)));
            if skip + count < samples.len() {
                samples.drain(..skip + count);
                *at = end;
                break;
            }
            self.audio.pop_front();
        }
        (audio, Span::merged(heard, 1_000))
    }
}

fn take_while<T>(queue: &mut VecDeque<T>, inside: impl Fn(&T) -> bool) -> Vec<T> {
    let count = queue.iter().take_while(|item| inside(item)).count();
    queue.drain(..count).collect()
}

/// Number of the sample heard at this moment, counted from the start of the media.
fn sample_at(at: Timestamp) -> i64 {
    at.0.saturating_mul(i64::from(AUDIO_RATE)).saturating_add(500_000).div_euclid(1_000_000)
}

/// When the sample of this number is heard.
pub(crate) fn time_of(sample: i64) -> Timestamp {
    Timestamp(sample.saturating_mul(1_000_000) / i64::from(AUDIO_RATE))
}
