//! The first half of a session: samples in, hops with everything seen and heard in them out.

use crate::detect::Window;
use crate::error::{Error, Result};
use crate::media::{AUDIO_RATE, Limits, MediaInfo, Sample};
use crate::timeline::{Hop, Timeline};
use crate::track::{Heard, Tracker, Tracks};

/// A hop with what checks are given of it. It borrows nothing, so that checks can run while the next one is watched.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) hop: Hop,
    heard: Heard,
    tracks: Tracks,
}

impl Moment {
    pub(super) fn window<'a>(&'a self, media: &'a MediaInfo) -> Window<'a> {
        let Self { hop, heard, tracks } = self;
        Window {
            span: hop.span,
            frames: &hop.frames,
            faces: &hop.faces,
            burst: &hop.burst,
            audio: &hop.audio,
            heard: &hop.heard,
            speech: &heard.speech,
            sound: &heard.sound,
            music: heard.music,
            words: &hop.words,
            others: &heard.others,
            tracks,
            media,
        }
    }
}

/// Follows faces and voices, and cuts time into hops.
pub(super) struct Watch {
    pub(super) timeline: Timeline,
    pub(super) tracker: Tracker,
    /// Bytes of words taken in.
    text_bytes: usize,
    limits: Limits,
    input: String,
}

impl Watch {
    pub(super) fn new(tracker: Tracker, media: &MediaInfo, limits: Limits) -> Self {
        Self { timeline: Timeline::new(media), tracker, text_bytes: 0, limits, input: media.input.clone() }
    }

    /// Takes a sample in.
    ///
    /// # Errors
    /// When a model fails; [`Error::Limit`] when a sample lies beyond the longest duration, a frame is too large or there
    /// are too many words. That sample is not taken in, and the session goes on.
    pub(super) fn take(&mut self, sample: Sample) -> Result<()> {
        self.check(&sample)?;
        match sample {
            Sample::Video(frame) => self.timeline.push_frame(self.tracker.look(&frame)?),
            Sample::Audio(chunk) => self.timeline.push_audio(&chunk),
            Sample::Text(words) => {
                self.text_bytes += words.text.len();
                self.timeline.push_words(words);
            }
        }
        Ok(())
    }

    /// One frame or chunk of a wrong clock would otherwise have hours of hops cut at once.
    fn check(&self, sample: &Sample) -> Result<()> {
        let most = &self.limits;
        let passed = |what, value, limit| Err(Error::Limit { input: self.input.clone(), what, value, limit });
        let end_s = match sample {
            Sample::Video(frame) => frame.at.seconds(),
            Sample::Audio(chunk) => chunk.at.seconds() + chunk.samples.len() as f64 / f64::from(AUDIO_RATE),
            Sample::Text(_) => 0.0,
        };
        if end_s > most.duration_s {
            return passed("its duration", format!("{end_s:.0} s"), format!("{:.0} s", most.duration_s));
        }
        match sample {
            Sample::Video(f) if u64::from(f.width) * u64::from(f.height) > most.pixels => {
                passed("its frame size", format!("{}x{} pixels", f.width, f.height), format!("{} pixels", most.pixels))
            }
            Sample::Text(words) if self.text_bytes + words.text.len() > most.text_bytes => {
                let bytes = self.text_bytes + words.text.len();
                passed("text", format!("{bytes} bytes"), format!("{} bytes", most.text_bytes))
            }
            _ => Ok(()),
        }
    }

    /// The next hop that is complete.
    pub(super) fn next(&mut self) -> Option<Moment> {
        let hop = self.timeline.next_hop()?;
        Some(self.moment(hop))
    }

    /// At the end of the media: the next hop with whatever is left.
    pub(super) fn last(&mut self) -> Option<Moment> {
        let hop = self.timeline.last_hop()?;
        Some(self.moment(hop))
    }

    fn moment(&mut self, hop: Hop) -> Moment {
        let heard = self.tracker.listen(&hop);
        Moment { hop, heard, tracks: self.tracker.tracks().clone() }
    }
}
