//! Whether live sound comes at the rate it was said to have: at another it would be a slow deep voice, or a quick high one.

use crate::media::{AUDIO_RATE, AudioChunk};
use crate::time::Timestamp;
use crate::timeline::time_of;

/// How much sound comes in how much time.
#[derive(Debug, Default)]
pub(super) struct Pace {
    since: Option<Timestamp>,
    seconds: f64,
    /// When the last chunk ended, chunks in all, and those that began well, but not long, after the end of the one before.
    end: Option<Timestamp>,
    chunks: usize,
    apart: usize,
}

impl Pace {
    /// Seconds of sound that are compared with their times.
    const OVER_S: f64 = 3.0;
    /// Times as much sound as time from which it cannot be right; 48 and 44.1 kHz, and two channels, are beyond.
    const MOST: f64 = 1.5;
    /// Times as much sound as time below which it cannot be right where hardly a chunk reaches the next one, as at 8 kHz. Lost
    /// packets leave some that do, and where nobody speaks and few are sent they lie far apart.
    const LEAST: f64 = 0.75;
    const APART: f64 = 0.9;
    /// Chunks that show it.
    const CHUNKS: usize = 20;

    /// How many times too long or too short the sound of the last seconds is, if it is.
    pub(super) fn wrong(&mut self, chunk: &AudioChunk) -> Option<f64> {
        let (count, own) = (chunk.samples.len() as i64, chunk.samples.len() as f64 / f64::from(AUDIO_RATE));
        // a clock that started again says nothing about the rate
        if self.since.is_some_and(|since| since > chunk.at) {
            *self = Self::default();
        }
        let since = *self.since.get_or_insert(chunk.at);
        // up to where this chunk begins the sound before it has had time
        let passed = (chunk.at.since(since) as f64 / 1e6).max(0.0);
        let times = self.seconds / passed.max(1e-3);
        let gap_s = self.end.map_or(0.0, |end| chunk.at.since(end) as f64 / 1e6);
        self.chunks += 1;
        self.apart += usize::from(gap_s > 0.2 * own && gap_s < 2.0 * own);
        self.end = Some(chunk.at.plus(time_of(count).0));
        let thin = times < Self::LEAST && self.apart as f64 > Self::APART * self.chunks as f64;
        if (self.seconds >= Self::OVER_S && times > Self::MOST)
            || (passed >= Self::OVER_S && self.chunks >= Self::CHUNKS && thin)
        {
            return Some(times);
        }
        if passed > 2.0 * Self::OVER_S {
            *self = Self { since: Some(chunk.at), end: self.end, ..Self::default() };
        }
        self.seconds += own;
        None
    }
}
